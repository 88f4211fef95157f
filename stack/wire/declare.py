"""From a construct declaration to what the fast path uses: the `struct` of its fixed fields.

Only flat declarations of integers, byte strings and constants can be derived;
anything else is a programming error and says so at import time.
"""

import struct
from typing import Any

import construct

# Formats of construct's FormatField that mean the same in a big-endian `struct`.
_UNSIGNED_BIG_ENDIAN = {">B": "B", ">H": "H", ">I": "I", ">L": "I", ">Q": "Q"}


def derive(declaration: Any) -> struct.Struct:
    """The big-endian `struct.Struct` with the same fields, in the same order, as a construct Struct."""
    return struct.Struct("!" + "".join(_code(field.subcon) for field in declaration.subcons))


def _code(field: Any) -> str:
    while isinstance(field, (construct.Renamed, construct.Const, construct.Default)):
        field = field.subcon
    if isinstance(field, construct.Bytes):
        return f"{field.sizeof()}s"
    if isinstance(field, construct.FormatField) and field.fmtstr in _UNSIGNED_BIG_ENDIAN:
        return _UNSIGNED_BIG_ENDIAN[field.fmtstr]
    raise TypeError(f"no struct code for {field!r}")
