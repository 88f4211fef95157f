"""The arguments of a request, taken out with their checks: a request may hold anything."""

import math
from typing import Any

from stack.address import IPv6Address, format_address, is_multicast, parse_address, parse_address_with_length
from stack.errors import UsageError
from stack.mld.filters import EVERYTHING, FilterMode, SourceFilter


class Arguments:
    """One request's arguments by name; every access raises UsageError for what does not fit."""

    __slots__ = ("_values",)

    def __init__(self, values: Any) -> None:
        if not isinstance(values, dict):
            raise UsageError("a request's arguments are an object")
        self._values: dict[str, Any] = values

    def text(self, name: str) -> str:
        """A text that must be there."""
        value = self.optional_text(name)
        if value is None:
            raise UsageError(f"{name} is missing")
        return value

    def optional_text(self, name: str) -> str | None:
        """A text, None if it is absent."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, str):
            raise UsageError(f"{name} is a text")
        return value

    def texts(self, name: str, most: int) -> list[str]:
        """A list of up to `most` texts, empty if it is absent."""
        values = self._values.get(name, [])
        if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
            raise UsageError(f"{name} is a list of texts")
        if len(values) > most:
            raise UsageError(f"{name} is a list of {most} at most")
        return values

    def flag(self, name: str) -> bool:
        """True if it is there and true."""
        return self._values.get(name) is True

    def whole(self, name: str, low: int, high: int) -> int | None:
        """A whole number from `low` to `high`, None if it is absent."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise UsageError(f"{name} is a whole number from {low} to {high}, not {value}")
        return value

    def seconds(self, name: str, low: float = 0.0) -> float | None:
        """A time in seconds of at least `low`, None if it is absent."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < low:
            raise UsageError(f"{name} is a number of seconds, {low:g} or more, not {value}")
        return float(value)

    def address(self, name: str, zones: tuple[str, ...] = ()) -> IPv6Address:
        """An IPv6 address (16 bytes); a zone behind it must be one of `zones`."""
        return _address(self.text(name), zones)

    def optional_address(self, name: str, zones: tuple[str, ...] = ()) -> IPv6Address | None:
        """The same, None if it is absent."""
        value = self.optional_text(name)
        return None if value is None else _address(value, zones)

    def group(self, name: str) -> IPv6Address:
        """A multicast address (16 bytes)."""
        group = parse_address(self.text(name))
        if not is_multicast(group):
            raise UsageError(f"{format_address(group)} is not a multicast address")
        return group


def parse_listening(text: str) -> tuple[IPv6Address, SourceFilter]:
    """A group and its filter: `GROUP`, `GROUP,include,SOURCE…` or `GROUP,exclude,SOURCE…`. Raises UsageError."""
    word, *rest = text.split(",")
    group = parse_address(word)
    if not is_multicast(group):
        raise UsageError(f"{format_address(group)} is not a multicast address")
    if not rest:
        return group, EVERYTHING
    modes = {mode.value: mode for mode in FilterMode}
    mode = modes.get(rest[0])
    if mode is None:
        raise UsageError(f"{text}: behind the group stands include or exclude, not {rest[0]!r}")
    sources = frozenset(parse_address(each) for each in rest[1:])
    wrong = next((each for each in sources if is_multicast(each) or not any(each)), None)
    if wrong is not None:
        raise UsageError(f"{format_address(wrong)} is not the address of a sender")
    if mode is FilterMode.INCLUDE and not sources:
        raise UsageError(f"{text}: include needs the sources that are wanted")
    return group, SourceFilter(mode, sources)


def parse_prefix(text: str) -> tuple[IPv6Address, int]:
    """A route's destination as (16 bytes, 0 to 128): `default`, a prefix, or an address alone. Raises UsageError."""
    if text == "default":
        return bytes(16), 0
    address, length = parse_address_with_length(text)
    return address, length if "/" in text else 128


def _address(text: str, zones: tuple[str, ...]) -> IPv6Address:
    address, percent, zone = text.partition("%")
    if percent and zone not in zones:
        raise UsageError(f"{text}: this host has no interface {zone!r}")
    return parse_address(address)
