"""Cases: windows of the captures, mutated, each a function of the seed and its number alone.

The number of a case that goes on from another one holds that one's number in its
upper bits, so that a case can be repeated whatever was run before it, and a run can
still follow what it found interesting.
"""

from pathlib import Path

from stack.capture import files
from stack.capture.dissect import Dissection
from stack.capture.readdress import Readdresser, cast
from stack.capture.reading import Complain
from stack.fuzz import bundles, on_bytes, on_fields, on_sequence, usual
from stack.fuzz.chance import Chance
from stack.fuzz.on_sequence import Planned
from stack.fuzz.trial import Start
from stack.replay.play import nobody_hears
from stack.replay.subject import OUR_ADDRESS, OUR_LINK_LOCAL, OUR_MAC, OUR_PREFIX

LONGEST = 500
GENERATION_BITS = 24
# How many generations a case may have before it; then lines end.
_DEEPEST = 4
_SHORTEST = 100
_PIECE = 60
# How much of a window is what the nodes around the host say, and how many frames of it come at once.
_USUAL, _USUAL_PIECE, _USUAL_GAP = 0.1, 8, 0.05
_MUTATED = 0.2
_REPAIRED = 0.8
_MOST_MUTATIONS = 3
_LONGEST_GAP = 2.0
_NANOSECONDS = 1_000_000_000


def child(parent: int, index: int) -> int:
    """The number of a case that goes on from `parent` (not 0); `index` tells it from others that do."""
    return parent << GENERATION_BITS | index


def may_have_children(number: int) -> bool:
    """Whether a line of cases may go on from this one."""
    return 0 < number < 1 << GENERATION_BITS * _DEEPEST


class Corpus:
    """The frames of captures as they would be with our host in them, by capture; `frames` counts them."""

    def __init__(self) -> None:
        self._captures: list[list[Planned]] = []
        self._usual = [Planned(_USUAL_GAP, octets, octets) for octets in usual.frames()]
        self._dissections: dict[bytes, Dissection] = {}
        self.frames = 0
        # The hosts of bundles, by path; cases begin with them then.
        self.starts: dict[str, Start] = {}

    def add(self, path: Path, complain: Complain) -> None:
        """Take the frames of a capture or a bundle in; raises UsageError if it cannot be read."""
        if bundles.is_bundle(path):
            self.starts[str(path)], planned = bundles.material(path)
        else:
            planned = _readdressed(path, complain)
        if planned:
            self._captures.append(planned)
            self.frames += len(planned)

    def first(self, count: int) -> list[Planned]:
        """The first frames, as they are."""
        return [each for capture in self._captures for each in capture][:count]

    def build(self, seed: int, number: int) -> list[Planned]:
        """The frames of a case, at most LONGEST."""
        chance = Chance(f"{seed}/{number}")
        parent = number >> GENERATION_BITS
        frames = self.build(seed, parent) if parent else self._window(chance)
        return self._mutated(frames, chance, _MUTATED / 4 if parent else _MUTATED)

    def _window(self, chance: Chance) -> list[Planned]:
        """Pieces of captures, one after the other, and between them what is usual around the host."""
        frames: list[Planned] = []
        length = chance.between(_SHORTEST, LONGEST)
        while len(frames) < length:
            if chance.happens(_USUAL):
                frames += [chance.choice(self._usual) for _ in range(_USUAL_PIECE)]
                continue
            capture = chance.choice(self._captures)
            start = chance.below(len(capture)) if len(capture) > _PIECE else 0
            frames += capture[start : start + _PIECE]
        return frames[:length]

    def _mutated(self, frames: list[Planned], chance: Chance, share: float) -> list[Planned]:
        found: list[Planned] = []
        for at, each in enumerate(frames):
            if not chance.happens(share):
                found.append(each)
            elif chance.happens(0.25):
                found += chance.choice(on_sequence.ALL)(frames, at, chance)
            else:
                found.append(each._replace(octets=self.mutated(each.octets, chance)))
        return found[:LONGEST]

    def mutated(self, octets: bytes, chance: Chance) -> bytes:
        """One frame with one to three mutations, its lengths and checksums most of the time right for it."""
        if chance.happens(0.05):
            other = chance.choice(chance.choice(self._captures)).octets
            octets = octets[: chance.below(len(octets) + 1)] + other[chance.below(len(other) + 1) :]
        for _ in range(chance.between(1, _MOST_MUTATIONS)):
            if chance.happens(0.3):
                octets = chance.choice(on_bytes.ALL)(octets, chance)
            else:
                octets = chance.choice(on_fields.ALL)(self._dissect(octets), chance)
        return on_fields.repaired(octets) if chance.happens(_REPAIRED) else octets

    def _dissect(self, octets: bytes) -> Dissection:
        found = self._dissections.get(octets)
        if found is None:
            found = Dissection(octets)
            if len(self._dissections) < self.frames:
                self._dissections[octets] = found
        return found


def _readdressed(path: Path, complain: Complain) -> list[Planned]:
    """The frames of a capture as they would have come to our host."""
    found = cast(frame.octets for frame in files.frames(path, nobody_hears))
    readdresser = Readdresser(found, OUR_MAC, OUR_LINK_LOCAL, OUR_PREFIX, only=OUR_ADDRESS)
    planned: list[Planned] = []
    before: int | None = None
    for frame in files.frames(path, complain):
        gap = 0.0 if before is None else min(max(frame.time - before, 0) / _NANOSECONDS, _LONGEST_GAP)
        before = frame.time
        if readdresser.is_own(frame.octets):
            # What our host says in its place it says itself.
            continue
        octets = readdresser.frame(frame.octets)
        planned.append(Planned(gap, octets, octets))
    return planned
