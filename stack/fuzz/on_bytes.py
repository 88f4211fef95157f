"""Mutations that know nothing: octets changed, put in, taken out, repeated, or taken from another frame."""

from collections.abc import Callable

from stack.fuzz.chance import Chance

Mutation = Callable[[bytes, Chance], bytes]

INTERESTING = (0x00, 0x01, 0x7F, 0x80, 0xFF)
_LONGEST_RUN = 64


def flip(octets: bytes, chance: Chance) -> bytes:
    """One bit."""
    return _set(octets, chance, lambda value: value ^ 1 << chance.below(8))


def interesting(octets: bytes, chance: Chance) -> bytes:
    """One octet becomes a value at an edge."""
    return _set(octets, chance, lambda value: chance.choice(INTERESTING))


def nudge(octets: bytes, chance: Chance) -> bytes:
    """One octet becomes a little more or less."""
    return _set(octets, chance, lambda value: (value + chance.between(-4, 4)) & 0xFF)


def _set(octets: bytes, chance: Chance, change: Callable[[int], int]) -> bytes:
    if not octets:
        return octets
    at = chance.below(len(octets))
    return octets[:at] + bytes((change(octets[at]),)) + octets[at + 1 :]


def insert(octets: bytes, chance: Chance) -> bytes:
    """A few octets more."""
    at = chance.below(len(octets) + 1)
    return octets[:at] + chance.octets(chance.between(1, 8)) + octets[at:]


def delete(octets: bytes, chance: Chance) -> bytes:
    """A run less."""
    at = chance.below(len(octets) + 1)
    return octets[:at] + octets[at + chance.between(1, 16) :]


def repeat(octets: bytes, chance: Chance) -> bytes:
    """A run twice."""
    at = chance.below(len(octets) + 1)
    run = octets[at : at + chance.between(1, _LONGEST_RUN)]
    return octets[:at] + run + octets[at:]


def cut(octets: bytes, chance: Chance) -> bytes:
    """The end is missing."""
    return octets[: chance.below(len(octets) + 1)]


ALL: tuple[Mutation, ...] = (flip, interesting, nudge, insert, delete, repeat, cut)
