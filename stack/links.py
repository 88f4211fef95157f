"""Links in memory for hosts under trio: the ports of a switch, and a capture that is played.

`open_host` takes these as it takes a TAP device. A link of one's own is a
`stack.link.frame_link.FrameLink`: `feed` puts frames in, `sent` gets what the host
sends; with a method `play` it has a task of its own while the host is there.
"""

import logging
from pathlib import Path

import trio

from stack.capture.files import frames
from stack.link import switch
from stack.link.frame_link import FrameLink
from stack.multicast_filter import FilterPlan

_log = logging.getLogger("sixtap")
_NANOSECONDS = 1e9


class Switch:
    """An Ethernet switch in memory, between hosts of one program; `core` is the switch itself.

    Frames arrive at once. With `snooping` it sends a group's data only to ports
    that want it.
    """

    def __init__(self, *, snooping: bool = False) -> None:
        self.core = switch.Switch(snooping=snooping)
        self._ends: dict[int, SwitchPort] = {}

    def add_port(self, name: str, *, mtu: int = 1500) -> "SwitchPort":
        """One more port: a link for `open_host`, whose interface is called `name`."""
        port = self.core.add_port(name)
        end = SwitchPort(self, port, mtu)
        self._ends[port.number] = end
        return end

    def carry(self, frame: bytes, source: switch.Port) -> None:
        """A frame enters at a port and leaves by others."""
        for port in self.core.forward(frame, source, trio.current_time()):
            self._ends[port.number].feed(frame)


class SwitchPort(FrameLink):
    """A port of a switch, as the link of a host."""

    def __init__(self, owner: Switch, port: switch.Port, mtu: int) -> None:
        super().__init__(port.name, index=port.number + 1, mtu=mtu)
        self.port = port
        self._owner = owner

    def write(self, frame: bytes) -> bool:
        """Send one frame into the switch; false while the port is down."""
        if not self.carrier:
            return False
        self._owner.carry(frame, self.port)
        return True

    def program(self, plan: FilterPlan) -> None:
        """The switch delivers what the filter passes, as a network card does."""
        super().program(plan)
        self.port.switch.set_filter(self.port, plan)

    def set_carrier(self, on: bool) -> None:
        """The cable is plugged in, or pulled."""
        super().set_carrier(on)
        self.port.switch.set_up(self.port, on)


class CaptureLink(FrameLink):
    """A capture file (pcap, pcapng) as a link: its frames arrive at the times of the capture, the first at once.

    Without `pace` they arrive one after the other. What the host sends is kept in
    `answers`, the last `kept` of it. `finished` is set when the capture is over.
    Raises UsageError, when the host is opened, for a file that is no capture.
    """

    def __init__(self, path: str | Path, *, pace: bool = True, kept: int = 4096) -> None:
        super().__init__("capture0", sent=self._keep)
        self.path = Path(path)
        self.answers: list[bytes] = []
        self.finished = trio.Event()
        self._pace = pace
        self._kept = kept

    def _keep(self, frame: bytes) -> bool:
        self.answers.append(frame)
        del self.answers[: -self._kept]
        return True

    async def play(self) -> None:
        """Feed the frames; the host's task does the rest."""
        began = trio.current_time()
        first: int | None = None
        for frame in frames(self.path, _log.warning):
            if first is None:
                first = frame.time
            if self._pace:
                await trio.sleep_until(began + max(0, frame.time - first) / _NANOSECONDS)
            else:
                await trio.lowlevel.checkpoint()
            self.feed(frame.octets)
        # The host has had its turn when this one comes again.
        await trio.lowlevel.checkpoint()
        self.finished.set()
