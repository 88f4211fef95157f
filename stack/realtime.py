"""A link in memory in real time, with TAP devices as ports of it: simulated hosts and a real bridge share a link.

The world is the same as in virtual time, but the clock leads it: one task per
device carries its frames into the world, one waits for what is due next. State
never spans an `await`. A world that is driven so has no latency of its own.
"""

import math
from collections.abc import Callable
from typing import Protocol

import trio

from stack.discard import Outcome, Verdict
from stack.errors import LinkError
from stack.link.switch import Port, Switch
from stack.multicast_filter import FilterPlan
from stack.sim.world import Seat, World

BATCH = 64
# Hash bits worth setting in the device's filter before all multicast is asked for (`filter_allmulti_bits`).
FILTER_BITS = 48
# A device that is set down and up again wakes nobody who waits for it: it is looked at so often, seconds.
_LOOK = 1.0


class Device(Protocol):
    """What a port needs of a TAP device: `stack.link.tap.TapLink` is one."""

    name: str

    def fileno(self) -> int: ...
    def read(self, limit: int = ...) -> list[bytes]: ...
    def write(self, frame: bytes) -> bool: ...
    def program(self, plan: FilterPlan) -> None: ...


class TapPort:
    """A TAP device on a port of a switch: what the switch sends there leaves by the device.

    The device's filter follows what the stations of the switch take, before a frame leaves that counts on it;
    `plan` is the filter as last programmed. `refused` counts frames that the device did not take, `lag`
    is the longest time, in seconds, by which one left after it was due.
    """

    def __init__(self, device: Device, switch: Switch, behind: Callable[[], float]) -> None:
        self.device = device
        self.lag = 0.0
        self._behind = behind
        self.plan: FilterPlan | None = None
        self.sent = 0
        self.received = 0
        self.refused = 0
        # Where it is, once it is there.
        self.port: Port | None = None
        self._switch = switch
        self._seen = -1

    def receive(self, frame: bytes, now: float) -> Outcome:
        """A frame from the switch goes out."""
        if self._seen != self._switch.filter_changes:
            self._program()
        self.lag = max(self.lag, self._behind())
        if self.device.write(frame):
            self.sent += 1
        else:
            self.refused += 1
        return Verdict.DELIVERED

    def _program(self) -> None:
        self._seen = self._switch.filter_changes
        if self.port is None:
            return
        plan = self._switch.combined_plan(self.port, FILTER_BITS)
        if plan == self.plan:
            return
        try:
            self.device.program(plan)
        except OSError as error:
            raise LinkError(f"{self.device.name}: the driver refuses the filter: {error.strerror}") from error
        self.plan = plan

    def advance(self, now: float) -> None:
        """Nothing is ever due."""

    def next_deadline(self) -> None:
        """Nothing is ever due."""

    def output(self) -> list[tuple[None, bytes]]:
        """What the device hears comes by way of `RealTime`."""
        return []


class RealTime:
    """Drives a world by trio's clock; its TAP devices are added before `run`."""

    def __init__(self, world: World) -> None:
        world.latency = 0.0
        self.world = world
        self._taps: list[tuple[TapPort, Seat]] = []
        self._wait: trio.CancelScope | None = None
        self._began = 0.0
        self._running = False

    def add_tap(self, device: Device, switch: Switch | None = None) -> TapPort:
        """Make a TAP device a port of a link, the first one by default."""
        switch = switch or self.world.switch
        port = TapPort(device, switch, self.behind)
        seat = self.world.add_node(device.name, port, switch)
        port.port = seat.port
        self._taps.append((port, seat))
        return port

    async def run(self) -> None:
        """Let the world go on until cancelled; raises LinkGoneError when a device is deleted."""
        self._began = trio.current_time() - self.world.now
        self._running = True
        async with trio.open_nursery() as nursery:
            for port, seat in self._taps:
                nursery.start_soon(self._read, port, seat)
            await self._keep_time()

    def behind(self) -> float:
        """How far the world is behind the clock, seconds; 0 before `run`."""
        return max(0.0, trio.current_time() - self._began - self.world.now) if self._running else 0.0

    def catch_up(self) -> None:
        """Do what is due by now; after a call on the world from outside too."""
        world = self.world
        world.run_until(max(world.now, trio.current_time() - self._began))
        due = world.next_time()
        if self._wait is not None and due is not None and self._began + due < self._wait.deadline:
            self._wait.deadline = self._began + due

    async def _keep_time(self) -> None:
        while True:
            self.catch_up()
            due = self.world.next_time()
            with trio.CancelScope(deadline=math.inf if due is None else self._began + due) as self._wait:
                await trio.sleep_forever()
            self._wait = None

    async def _read(self, port: TapPort, seat: Seat) -> None:
        device = port.device
        while True:
            frames = device.read(BATCH)
            if frames:
                self.catch_up()
                for frame in frames:
                    self.world.send(frame, seat.port)
                port.received += len(frames)
                self.catch_up()
            if len(frames) == BATCH:
                await trio.lowlevel.checkpoint()
                continue
            with trio.move_on_after(_LOOK):
                await trio.lowlevel.wait_readable(device.fileno())
