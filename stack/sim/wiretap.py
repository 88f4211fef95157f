"""A tap on a simulated link: what passes goes into a capture, as a capture on a real link would have it.

On one port it has what the station there sends and gets, behind the impairments of its
line; on the whole world every frame once, as it leaves its sender.
"""

from stack.capture.writing import CaptureWriter
from stack.discard import Outcome
from stack.link.switch import Port
from stack.sim.world import World


class WireTap:
    """Writes frames to `writer` from now on; times are the world's plus `epoch` (seconds since 1970)."""

    def __init__(self, world: World, writer: CaptureWriter, port: Port | None = None, epoch: float = 0.0) -> None:
        self.frames = 0
        self._world = world
        self._writer = writer
        self._port = port
        self._epoch = epoch
        writer.add_interface("link" if port is None else port.name, bytes(6))
        world.watchers.append(self._watch)

    def close(self) -> None:
        """Write no more; what was written can be read."""
        self._world.watchers.remove(self._watch)
        self._writer.flush()

    def _watch(self, now: float, port: Port, frame: bytes, outcome: Outcome | None) -> None:
        if self._port is None:
            if outcome is not None:
                return
            inbound = None
        elif port is self._port:
            # As the switch sees it: what enters by the port is inbound.
            inbound = outcome is None
        else:
            return
        self._writer.write(frame, self._epoch + now, inbound=inbound)
        self.frames += 1
