"""A capture on a port of a switch: its frames enter the link at the times that they were captured at.

What a capture file is, is the reader's business: here it is frames with their
times, in seconds on any clock. Nothing that the link says reaches it.
"""

from collections.abc import Iterable, Iterator

from stack.discard import Discard, Outcome


class CapturePlayer:
    """Plays (time, frame) pairs, of which the first is due at `start` and the others as much later as they were.

    The frames are read one by one, so they may be many; a time that goes back counts as the one
    before. `played` counts them.
    """

    def __init__(self, frames: Iterable[tuple[float, bytes]]) -> None:
        self.played = 0
        self._frames: Iterator[tuple[float, bytes]] = iter(frames)
        self._shift: float | None = None
        self._next: tuple[float, bytes] | None = None
        self._output: list[tuple[None, bytes]] = []

    def start(self, now: float) -> None:
        """Begin to play; `settle` it afterwards."""
        first = next(self._frames, None)
        if first is not None:
            self._shift = now - first[0]
            self._next = (now, first[1])

    def receive(self, frame: bytes, now: float) -> Outcome:
        """A capture hears nothing."""
        return Discard.NOT_FOR_US

    def advance(self, now: float) -> None:
        """Send what is due."""
        while self._next is not None and self._next[0] <= now:
            due, frame = self._next
            self._output.append((None, frame))
            self.played += 1
            following = next(self._frames, None)
            if following is None or self._shift is None:
                self._next = None
            else:
                self._next = (max(due, following[0] + self._shift), following[1])

    def next_deadline(self) -> float | None:
        """When the next frame is due, None after the last."""
        return None if self._next is None else self._next[0]

    def output(self) -> list[tuple[None, bytes]]:
        """The frames to be sent."""
        frames, self._output = self._output, []
        return frames
