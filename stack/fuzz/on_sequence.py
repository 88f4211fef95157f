"""Mutations of several frames: order, repetition, floods, fragments, and jumps of the clock."""

from collections.abc import Callable
from typing import NamedTuple

from stack.capture.dissect import Dissection
from stack.fuzz.chance import Chance
from stack.replay.subject import OUR_LINK_LOCAL, OUR_MAC
from stack.wire import ipv6


class Planned(NamedTuple):
    """One frame of a case: seconds since the one before, its octets, and what it was in the capture (or equal)."""

    gap: float
    octets: bytes
    original: bytes


Mutation = Callable[[list[Planned], int, Chance], list[Planned]]

JUMPS = (1.0, 5.0, 60.0, 61.0, 7_200.0, 2_592_000.0)
_FLOOD = 40


def drop(frames: list[Planned], at: int, chance: Chance) -> list[Planned]:
    """A frame is lost."""
    return []


def double(frames: list[Planned], at: int, chance: Chance) -> list[Planned]:
    """A frame comes twice."""
    return [frames[at], frames[at]._replace(gap=0.0)]


def swap(frames: list[Planned], at: int, chance: Chance) -> list[Planned]:
    """An earlier frame comes once more, as if it had been late."""
    return [frames[at], frames[chance.below(at + 1)]._replace(gap=0.0)]


def jump(frames: list[Planned], at: int, chance: Chance) -> list[Planned]:
    """Time passes first."""
    return [frames[at]._replace(gap=chance.choice(JUMPS))]


def flood(frames: list[Planned], at: int, chance: Chance) -> list[Planned]:
    """The frame again and again, each time from another address."""
    each = frames[at]
    found = Dissection(each.octets)
    if found.ip < 0:
        return [each] * chance.between(2, _FLOOD)
    place = found.ip + 8 + 12
    return [
        each._replace(octets=each.octets[:place] + n.to_bytes(4, "big") + each.octets[place + 4 :], gap=0.001)
        for n in range(chance.between(2, _FLOOD))
    ]


def from_ourselves(frames: list[Planned], at: int, chance: Chance) -> list[Planned]:
    """The frame, and then as if our host had sent it."""
    each = frames[at]
    found = Dissection(each.octets)
    if found.ip < 0:
        return [each, each._replace(octets=each.octets[:6] + OUR_MAC + each.octets[12:])]
    place = found.ip + 8
    octets = each.octets[:place] + OUR_LINK_LOCAL + each.octets[place + 16 :]
    mac = OUR_MAC if chance.happens(0.5) else octets[6:12]
    return [each, each._replace(octets=octets[:6] + mac + octets[12:], gap=0.0)]


def fragments(frames: list[Planned], at: int, chance: Chance) -> list[Planned]:
    """The packet in 2 to 8 pieces: in order or not, with one missing, doubled, overlapping, tiny, or far too long."""
    each = frames[at]
    found = Dissection(each.octets)
    if found.ip < 0 or found.headers or len(each.octets) < found.ip + ipv6.HEADER_LENGTH + 16:
        return [each]
    start = found.ip + ipv6.HEADER_LENGTH
    header, data = each.octets[:start], each.octets[start:]
    size = 8 if chance.happens(0.2) else 8 * max(1, len(data) // 8 // chance.between(2, 8))
    identification = chance.octets(4)
    pieces = [(here, data[here : here + size]) for here in range(0, len(data), size)][:16]
    _disorder(pieces, size, chance)
    last = max(here for here, _ in pieces)
    made = [_fragment(header, found.ip, here, piece, here != last, identification) for here, piece in pieces]
    return [Planned(each.gap if not n else 0.0, octets, each.original) for n, octets in enumerate(made)]


def _disorder(pieces: list[tuple[int, bytes]], size: int, chance: Chance) -> None:
    way = chance.below(8)
    n = chance.below(len(pieces))
    if way == 0:
        pieces.reverse()
    elif way == 1 and len(pieces) > 1:
        del pieces[n]
    elif way == 2:
        pieces.insert(n, pieces[n])
    elif way == 3:
        pieces.append((max(0, pieces[n][0] - 8), chance.octets(size)))
    elif way == 4:
        pieces.append((65_528, chance.octets(size)))
    elif way == 5:
        pieces[n] = (pieces[n][0], pieces[n][1][:-1])
    elif way == 6:
        pieces.append((pieces[n][0], b""))


def _fragment(header: bytes, ip: int, at: int, data: bytes, more: bool, identification: bytes) -> bytes:
    body = bytes((header[ip + 6], 0)) + (at & 0xFFF8 | more).to_bytes(2, "big") + identification + data
    length = len(body).to_bytes(2, "big")
    return header[: ip + 4] + length + bytes((ipv6.FRAGMENT,)) + header[ip + 7 :] + body


ALL: tuple[Mutation, ...] = (drop, double, swap, jump, flood, from_ourselves, fragments, fragments)
