"""What nodes of a simulated link that are no hosts have in common: timers, and frames that wait to be fetched."""

from collections import deque

from stack.timers import Timers


class TimedNode:
    """Three of the four calls that a world drives a node by; `receive` is the node's own."""

    def __init__(self) -> None:
        self._timers = Timers()
        self._output: deque[tuple[None, bytes]] = deque()

    def advance(self, now: float) -> None:
        """Run what is due."""
        self._timers.advance(now)

    def next_deadline(self) -> float | None:
        """When `advance` wants to be called next."""
        return self._timers.next_deadline()

    def output(self) -> list[tuple[None, bytes]]:
        """The frames to be sent."""
        frames = list(self._output)
        self._output.clear()
        return frames
