"""Words of a command line as the values of message fields: numbers in their ranges, addresses, lists of them."""

import argparse
import math
from collections.abc import Callable

from stack.address import IPv6Address, format_address, is_multicast, parse_address
from stack.errors import UsageError

# Of an MLD query in milliseconds: the code 0xFFFF (RFC 3810 5.1.3).
LONGEST_DELAY = 0x1FFF << 10

_DIGITS = 10


def whole(low: int, high: int) -> Callable[[str], int]:
    """A type for `add_argument`: a whole number from `low` to `high`, decimal or 0x and hexadecimal."""

    def convert(text: str) -> int:
        value = _number(text)
        if value is None or not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
        return value

    return convert


def _number(text: str) -> int | None:
    base, digits = (16, text[2:]) if text[:2] in ("0x", "0X") else (10, text)
    if not 0 < len(digits) <= _DIGITS or not digits.isascii() or not digits.isalnum():
        return None
    try:
        return int(digits, base)
    except ValueError:
        return None


def seconds(low: float, high: float) -> Callable[[str], float]:
    """A type for `add_argument`: a number of seconds from `low` to `high`."""

    def convert(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from {low:g} to {high:g}")
        return value

    return convert


OCTET = whole(0, 0xFF)
WORD = whole(0, 0xFFFF)


def addresses(text: str) -> tuple[IPv6Address, ...]:
    """A list with commas; raises UsageError."""
    return tuple(parse_address(part) for part in text.split(",")) if text else ()


def group(text: str) -> IPv6Address:
    """A multicast address; raises UsageError."""
    address = parse_address(text)
    if not is_multicast(address):
        raise UsageError(f"{format_address(address)} is not a multicast address")
    return address
