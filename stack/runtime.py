"""The trio edge: one task per link that carries frames and time between a host and its device.

It waits until the descriptor is readable or the host's next deadline is due,
hands over a bounded batch of frames, lets the host run what is due and writes
what it has to send. State never spans an `await`, so calls from other tasks
(`call`) find the host between two frames. This is the one file that knows how a
host is driven by trio; it decides nothing about protocols.
"""

import math
from collections.abc import Callable
from typing import Protocol, TypeVar

import trio

from stack.errors import LinkError, LinkGoneError, RefusedError
from stack.host import Host
from stack.interface import Interface
from stack.link.frame_link import FrameLink
from stack.link.rtnetlink import LinkDeleted, LinkMonitor, LinkState, Resync
from stack.multicast_filter import FilterPlan
from stack.wire import ipv6

BATCH = 64

T = TypeVar("T")


class Device(Protocol):
    """What the loop needs of a link: `stack.link.tap.TapLink` and `stack.link.frame_link.FrameLink` are such."""

    name: str
    index: int
    mtu: int

    def fileno(self) -> int: ...
    def read(self, limit: int = ...) -> list[bytes]: ...
    def write(self, frame: bytes) -> bool: ...
    def set_carrier(self, on: bool) -> None: ...
    def set_mtu(self, mtu: int) -> None: ...
    def state(self) -> LinkState | None: ...
    def program(self, plan: FilterPlan) -> None: ...
    def close(self) -> None: ...


class Runtime:
    """Drives `host`, whose one interface sits on `link`.

    `wanted_up` is what the user asked for (`link up`, `link down`), `device_up` the
    administrative state of the device under it; the interface is up when both are.
    `tell` is given one line for the user whenever the device is changed by others.
    """

    def __init__(self, host: Host, interface: Interface, link: Device, tell: Callable[[str], None]) -> None:
        self.host = host
        self.interface = interface
        self.link = link
        self.wanted_up = True
        self.device_up = True
        self._tell = tell
        # Where `_write_soon` waits, and whether it has been told.
        self._sending = trio.lowlevel.ParkingLot()
        self._told = False
        # The sleep of `_keep_time`, and until when it lasts.
        self._sleep: trio.CancelScope | None = None
        self._sleeps_until = math.inf
        # Rung by a link that has no descriptor.
        self._bell = trio.lowlevel.ParkingLot()
        self._device: LinkState | None = None

    # -- the loop

    async def run(self) -> None:
        """Start the interface and serve it until cancelled; raises LinkGoneError when the device is deleted."""
        if isinstance(self.link, FrameLink):
            self.link.heard = self._ring
            await self._run(None)
            return
        monitor = LinkMonitor()
        try:
            await self._run(monitor)
        finally:
            _close_quietly(monitor.fileno())
            monitor.close()

    async def _run(self, monitor: LinkMonitor | None) -> None:
        self._first_look()
        async with trio.open_nursery() as nursery:
            if monitor is not None:
                nursery.start_soon(self._watch_device, monitor)
            nursery.start_soon(self._keep_time)
            nursery.start_soon(self._write_soon)
            await self._serve()

    async def _serve(self) -> None:
        host, link, interface = self.host, self.link, self.interface
        while True:
            now = trio.current_time()
            frames = link.read(BATCH)
            host.receive_batch(frames, now, interface)
            self.settle(now)
            if len(frames) == BATCH:
                await trio.lowlevel.checkpoint()
            else:
                await self._wait_for_frames()

    async def _keep_time(self) -> None:
        """Let the host run what is due when nothing arrives; apart from `_serve`, so that no frame costs a scope."""
        while True:
            deadline = self.host.next_deadline()
            self._sleeps_until = math.inf if deadline is None else deadline
            with trio.CancelScope(deadline=self._sleeps_until) as self._sleep:
                await trio.sleep_forever()
            self.settle(trio.current_time())

    async def _write_soon(self) -> None:
        """Write what `end_soon` has left, when the tasks that sent it have had their turn."""
        while True:
            if not self._told:
                await self._sending.park()
            self._told = False
            self._write_out()

    async def _wait_for_frames(self) -> None:
        descriptor = self.link.fileno()
        if descriptor >= 0:
            await trio.lowlevel.wait_readable(descriptor)
        else:
            await self._bell.park()

    def _ring(self) -> None:
        self._bell.unpark_all()

    def _write_out(self) -> None:
        write = self.link.write
        for _, frame in self.host.output():
            if not write(frame):
                self.host.counters.out_discards += 1

    # -- calls from other tasks

    def call(self, action: Callable[[float], T], cause: str = "call") -> T:
        """Run `action(now)` on the host between two frames, and send at once what it has to send.

        Raises LinkError where the driver refuses the multicast filter that the action needs.
        """
        now = self.begin(cause)
        try:
            return action(now)
        except OSError as error:
            raise LinkError(f"{self.link.name}: the driver refuses the multicast filter: {error.strerror}") from error
        finally:
            self.end(now)

    def begin(self, cause: str) -> float:
        """What `call` does first, for those who do without a call of a call; the time. `end` has to follow."""
        now = trio.current_time()
        self.host.advance(now)
        if self.host.journal.on:
            self.host.journal.begin_call(cause, now)
        return now

    def end(self, now: float) -> None:
        """What `call` does last."""
        if self.host.journal.on:
            self.host.journal.end()
        self.settle(now)

    def end_soon(self, now: float) -> None:
        """As `end`, but frames leave together with what else this turn of the tasks sends: one wake-up of the link."""
        if self.host.journal.on:
            self.host.journal.end()
        self.host.advance(now)
        self._hurry()
        if not self._told:
            self._told = True
            self._sending.unpark()

    def settle(self, now: float) -> None:
        """After anything that changed the host: run what is due, send, and sleep only to the next deadline."""
        self.host.advance(now)
        self._write_out()
        self._hurry()

    def _hurry(self) -> None:
        deadline = self.host.next_deadline()
        if deadline is not None and deadline < self._sleeps_until and self._sleep is not None:
            self._sleeps_until = self._sleep.deadline = deadline

    def bring_up(self) -> None:
        """The user's `link up`: carrier on, and the interface starts over if it was down.

        Raises RefusedError while the device itself is down.
        """
        if not self.device_up:
            raise RefusedError(f"the device {self.link.name} is down (as root: ip link set {self.link.name} up)")
        if self.wanted_up:
            return
        self.link.set_carrier(True)
        self.wanted_up = True
        self.call(self.interface.start, "link up")

    def take_down(self) -> None:
        """The user's `link down`: nothing in or out, no leaves, and the carrier follows."""
        if not self.wanted_up:
            return
        self.wanted_up = False
        if self.interface.up:
            self.call(self.interface.stop, "link down")
        self.link.set_carrier(False)

    def restart(self) -> None:
        """As a reboot of the host; raises RefusedError for an interface that is down."""
        if not self.interface.up:
            raise RefusedError(f"{self.interface.name} is down (sixtap link up)")
        self.call(self.interface.restart, "restart")

    def set_mtu(self, mtu: int) -> None:
        """Another MTU, of the device and of the interface, in bytes."""
        self.link.set_mtu(mtu)
        self.interface.set_mtu(mtu)

    def stop(self) -> None:
        """The end: one Done for each group that is due one, no repeats; nothing more is sent afterwards."""
        if self.interface.up and (self.link.fileno() >= 0 or isinstance(self.link, FrameLink)):
            self.call(self.interface.listener.leave_all, "stop")

    # -- the device

    def _first_look(self) -> None:
        state = self.link.state()
        if state is None:
            raise LinkGoneError(f"{self.link.name} was deleted")
        self._device = state
        self.device_up = state.up
        if state.up:
            self.call(self.interface.start, "start")

    async def _watch_device(self, monitor: LinkMonitor) -> None:
        while True:
            await trio.lowlevel.wait_readable(monitor.fileno())
            for event in monitor.read():
                if isinstance(event, Resync):
                    self.follow(self.link.state())
                elif event.index != self.link.index:
                    continue
                elif isinstance(event, LinkDeleted):
                    self.follow(None)
                else:
                    self.follow(event)

    def follow(self, state: LinkState | None) -> None:
        """The kernel says what the device is like now: follow it, and tell whoever listens what has changed.

        Raises LinkGoneError when it is gone.
        """
        before, self._device = self._device, state
        if state is None:
            raise LinkGoneError(f"{self.link.name} was deleted")
        if before is None:
            before = state
        if before.up and not state.up and self.link.state() is None:
            # A device that is deleted is taken down first.
            raise LinkGoneError(f"{self.link.name} was deleted")
        if state.master != before.master:
            self._say("is no longer a port of a bridge" if state.master is None else "is a port of another bridge now")
        if state.mac != before.mac and state.mac == self.interface.mac:
            self._say("has got the host's own MAC: a bridge will give the host's frames to the kernel")
        if state.mtu != self.link.mtu:
            self._follow_mtu(state.mtu)
        if state.up != self.device_up:
            self.device_up = state.up
            self._follow_up_state()

    def _follow_mtu(self, mtu: int) -> None:
        self.link.mtu = mtu
        if mtu < ipv6.MINIMUM_MTU:
            self._say(f"has an MTU of {mtu} bytes now; IPv6 needs {ipv6.MINIMUM_MTU}, and keeps it")
        else:
            self._say(f"has an MTU of {mtu} bytes now")
        self.interface.set_mtu(max(mtu, ipv6.MINIMUM_MTU))

    def _follow_up_state(self) -> None:
        if not self.device_up:
            self._say("is down; the host waits until it is up")
            if self.interface.up:
                self.call(self.interface.stop, "device down")
        elif self.wanted_up:
            self.call(self.interface.start, "device up")

    def _say(self, text: str) -> None:
        self._tell(f"{self.link.name} {text}")


def _close_quietly(descriptor: int) -> None:
    """Wake whoever waits for a descriptor that is about to be closed."""
    if descriptor >= 0:
        trio.lowlevel.notify_closing(descriptor)
