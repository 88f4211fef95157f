"""A failing case made small: fewer frames, then frames as they were captured, then fewer and plainer octets.

Every step keeps the signature of the failure. The work is bounded by a number of
trials, not by time, so that what comes out is the same on every machine.
"""

from collections.abc import Callable, Iterator, Sequence

from stack.fuzz.on_fields import repaired
from stack.fuzz.on_sequence import Planned
from stack.fuzz.trial import Laboratory
from stack.fuzz.watchdog import NoEndError

_TRIALS = 3_000
# Of a loop without an end: each trial takes as long as the lines that it may have.
_ENDLESS_TRIALS = 200
_SHORTEST_FRAME = 14

Frames = list[Planned]


class Shrinker:
    """Shrinks cases that fail with `signature` from the host named `start`, in at most `trials` trials."""

    def __init__(self, laboratory: Laboratory, signature: str, start: str = "", trials: int = _TRIALS) -> None:
        self._start = start
        self._laboratory = laboratory
        self._signature = signature
        # Whether it is a loop without an end: lines are counted then, without a wait for the seconds to be used up.
        self._endless = signature.startswith(NoEndError.__name__)
        self._left = min(trials, _ENDLESS_TRIALS) if self._endless else trials
        # A close look at every frame is dear, so that it is taken only if nothing else shows the failure.
        self._every = 0

    def shrink(self, frames: Sequence[Planned]) -> Frames:
        """The smallest case found; the one given if it does not fail again."""
        found = list(frames)
        if not self._fails(found):
            # It showed at a frame that happened to be looked at closely.
            self._every = 1
            if not self._fails(found):
                return found
        before = -1
        while before != _weight(found) and self._left > 0:
            before = _weight(found)
            found = self._fewer_frames(found)
            for change in (_as_captured, _without_gap, _shorter, _plainer):
                found = self._each(found, change)
        return found

    def _fails(self, frames: Frames) -> bool:
        self._left -= 1
        if self._left < 0:
            return False
        trial = self._laboratory.run(frames, self._start, every=self._every, counted=self._endless)
        return self._signature in trial.signatures

    def _fewer_frames(self, frames: Frames) -> Frames:
        """Leave out halves, quarters and so on down to single frames, as long as it still fails."""
        size = len(frames)
        while size:
            at = 0
            while at < len(frames):
                fewer = frames[:at] + _later(frames[at : at + size], frames[at + size :])
                if len(fewer) < len(frames) and self._fails(fewer):
                    frames = fewer
                else:
                    at += size
            size //= 2
        return frames

    def _each(self, frames: Frames, candidates: Callable[[Planned], Iterator[Planned]]) -> Frames:
        """For each frame take the first smaller one that still fails, and try again with that."""
        for at in range(len(frames)):
            better = True
            while better:
                better = False
                for each in candidates(frames[at]):
                    changed = [*frames[:at], each, *frames[at + 1 :]]
                    if each != frames[at] and self._fails(changed):
                        frames, better = changed, True
                        break
        return frames


def _weight(frames: Frames) -> int:
    return sum(1 + len(each.octets) - each.octets.count(0) for each in frames)


def _later(left_out: Frames, rest: Frames) -> Frames:
    """The rest at the time when it was: what is left out has taken its time."""
    if not rest:
        return []
    passed = sum(each.gap for each in left_out)
    return [rest[0]._replace(gap=rest[0].gap + passed), *rest[1:]]


def _as_captured(each: Planned) -> Iterator[Planned]:
    yield each._replace(octets=each.original)


def _without_gap(each: Planned) -> Iterator[Planned]:
    if each.gap:
        yield each._replace(gap=0.0)


def _shorter(each: Planned) -> Iterator[Planned]:
    """The end cut off in ever smaller pieces, once with right lengths and checksums and once without."""
    octets = each.octets
    size = (len(octets) - _SHORTEST_FRAME) // 2
    while size > 0:
        cut = octets[:-size]
        yield each._replace(octets=repaired(cut))
        yield each._replace(octets=cut)
        size //= 2


def _plainer(each: Planned) -> Iterator[Planned]:
    """Runs of octets set to zero."""
    octets = each.octets
    for size in (16, 4, 1):
        for at in range(_SHORTEST_FRAME, len(octets), size):
            plain = octets[:at] + bytes(len(octets[at : at + size])) + octets[at + size :]
            if plain != octets and octets[at : at + size].count(0) < len(octets[at : at + size]):
                fixed = repaired(plain)
                if fixed.count(0) > octets.count(0):
                    yield each._replace(octets=fixed)
