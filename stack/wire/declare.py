"""From a construct declaration to what the fast path uses: the `struct` of its fixed fields.

Only flat declarations of integers, byte strings and constants can be derived;
anything else is a programming error and says so at import time.
"""

import struct
from typing import Any

import construct

_INTEGERS = {1: "B", 2: "H", 4: "I", 8: "Q"}


def derive(declaration: Any) -> struct.Struct:
    """The big-endian `struct.Struct` with the same fields, in the same order, as a construct Struct."""
    return struct.Struct("!" + "".join(_code(field.subcon) for field in declaration.subcons))


def _code(field: Any) -> str:
    while isinstance(field, (construct.Renamed, construct.Const, construct.Default)):
        field = field.subcon
    size = field.sizeof()
    if isinstance(field, construct.Bytes):
        return f"{size}s"
    if isinstance(field, construct.FormatField) and size in _INTEGERS:
        return _INTEGERS[size]
    raise TypeError(f"no struct code for {field!r}")
