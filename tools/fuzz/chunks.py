"""Inputs of the whole-host target: frames, each behind its length (2 octets) and the time that has passed (1)."""

from collections.abc import Iterable, Iterator

from stack.fuzz.on_sequence import Planned

TIMES = (0.0, 0.001, 0.1, 1.0, 5.0, 61.0, 7_200.0, 2_592_000.0)
MOST_FRAMES = 64


def frames(data: bytes) -> Iterator[Planned]:
    """The frames of an input of any octets; the last one may be shorter than it claims."""
    at = 0
    for _ in range(MOST_FRAMES):
        if at + 3 > len(data):
            return
        length = int.from_bytes(data[at : at + 2], "big")
        octets = data[at + 3 : at + 3 + length]
        yield Planned(TIMES[data[at + 2] % len(TIMES)], octets, octets)
        at += 3 + length


def pack(found: Iterable[Planned]) -> bytes:
    """The input that `frames` reads so, each gap rounded down to a time of the table."""
    return b"".join(
        len(each.octets).to_bytes(2, "big")
        + bytes((max(n for n, time in enumerate(TIMES) if time <= each.gap),))
        + each.octets
        for each in found
    )
