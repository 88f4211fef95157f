"""Hosts on in-memory switches in virtual time: a simulated hour takes a moment, and repeats bit for bit.

The world owns the clock. It moves to the next moment at which a frame arrives or
a host has something due, in the order in which these were scheduled. Everything
random comes from one seed, each host and each line having a generator of its own.
Beside hosts there may be anything that has the four calls of one (`Node`): routers,
queriers, a player of captures, a TAP device.
"""

import heapq
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Protocol

from stack.address import MacAddress
from stack.discard import Outcome
from stack.errors import RefusedError
from stack.host import Host
from stack.interface import Interface, Program
from stack.link.impairment import Impairment, Line
from stack.link.switch import Port, Route, Switch
from stack.multicast_filter import FilterPlan
from stack.settings import Settings

LATENCY = 0.000_05

Watcher = Callable[[float, Port, bytes, Outcome | None], None]


class Node(Protocol):
    """What the world drives: the four calls of a host. What stands beside a frame in `output` is its own business."""

    def receive(self, frame: bytes, now: float) -> Outcome: ...
    def advance(self, now: float) -> None: ...
    def next_deadline(self) -> float | None: ...
    def output(self) -> Sequence[tuple[Any, bytes]]: ...


class Seat:
    """A node on one port of a switch."""

    __slots__ = ("name", "node", "port", "wakes")

    def __init__(self, name: str, node: Node, port: Port) -> None:
        self.name = name
        self.node = node
        self.port = port
        # Times for which the world holds a wake-up; one that has become needless does nothing.
        self.wakes: set[float] = set()

    def plan(self) -> FilterPlan | None:
        """What its network card takes, None for everything."""
        return None


class Station(Seat):
    """A host with one interface on one port of the switch."""

    __slots__ = ("host", "interface")

    def __init__(self, name: str, host: Host, interface: Interface, port: Port) -> None:
        super().__init__(name, host, port)
        self.host = host
        self.interface = interface

    def plan(self) -> FilterPlan | None:
        """The filter as the host has it."""
        return self.interface.plan


class World:
    """Links in virtual time. `now` is in seconds from the start of the world.

    `switch` is the first link, a plain switch by default; `add_host` and `add_node` take
    another one. `settle` has to follow every call on a host or node from outside.
    With `filtering` a frame costs what its receivers cost: a host whose network card
    drops it is passed over, and nobody is told of it. Without, all get what is flooded.
    """

    def __init__(
        self, seed: int = 0, *, latency: float = LATENCY, switch: Switch | None = None, filtering: bool = False
    ) -> None:
        self.now = 0.0
        self.switch = Switch() if switch is None else switch
        self.stations: list[Station] = []
        self.watchers: list[Watcher] = []
        # Says which frames are lost on their way.
        self.loses: Callable[[bytes, Port], bool] | None = None
        self._seed = seed
        self.latency = latency
        self._filtering = filtering
        self._impaired = False
        self._names: set[str] = set()
        self._seats: dict[Port, Seat] = {}
        self._heap: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._sequence = 0

    # -- who is there

    def add_host(
        self,
        name: str,
        mac: MacAddress,
        settings: Settings | None = None,
        program: Program | None = None,
        switch: Switch | None = None,
    ) -> Station:
        """A host on a port of its own, not started yet. RefusedError if there is one of that name already.

        Its random choices depend on the seed of the world and on its name alone.
        """
        if name in self._names:
            raise RefusedError(f"there is a host {name!r} already")
        self._names.add(name)
        host = Host(self.generator(name), settings)
        interface = host.attach(name, mac, program=program)
        station = Station(name, host, interface, (switch or self.switch).add_port(name))
        self.stations.append(station)
        self._seats[station.port] = station
        self._follow_filter(station)
        return station

    def add_node(self, name: str, node: Node, switch: Switch | None = None) -> Seat:
        """Anything that has a host's four calls, on a port of its own; `settle` it after every call on it."""
        seat = Seat(name, node, (switch or self.switch).add_port(name))
        self._seats[seat.port] = seat
        return seat

    def seat(self, port: Port) -> Seat | None:
        """Who is on a port."""
        return self._seats.get(port)

    # -- the links

    def impair(self, port: Port, *, inward: Impairment | None = None, outward: Impairment | None = None) -> None:
        """What the lines of a port do from now on: `inward` to what its station sends, `outward` to what it gets."""
        port.inward = self._line(port, "inward", inward)
        port.outward = self._line(port, "outward", outward)
        self._impaired = self._impaired or outward is not None

    def _line(self, port: Port, direction: str, impairment: Impairment | None) -> Line | None:
        if impairment is None:
            return None
        return Line(impairment, self.generator(f"{port.name}/{direction}"))

    def generator(self, name: str) -> Random:
        """The generator of whoever has this name: it depends on the seed of the world and on the name alone."""
        return Random(f"{self._seed}/{name}")

    def link_down(self, seat: Seat) -> None:
        """Somebody pulls the cable: the switch and the host see it."""
        seat.port.switch.set_up(seat.port, False)
        if isinstance(seat, Station):
            seat.interface.stop(self.now)
            self.settle(seat)

    def link_up(self, seat: Seat) -> None:
        """The cable is there again; a host starts over."""
        seat.port.switch.set_up(seat.port, True)
        if isinstance(seat, Station):
            self.start(seat)

    # -- time

    def at(self, time: float, action: Callable[..., None], *arguments: Any) -> None:
        """Run `action(*arguments)` when the clock reaches `time`."""
        self._sequence += 1
        heapq.heappush(self._heap, (max(time, self.now), self._sequence, action, arguments))

    def start(self, station: Station) -> None:
        """Bring a host's interface up."""
        station.interface.start(self.now)
        self.settle(station)

    def settle(self, seat: Seat) -> None:
        """After a call on a host: send what it has to send, and see when it wants to run next."""
        node = seat.node
        node.advance(self.now)
        self._follow_filter(seat)
        for _, frame in node.output():
            self.send(frame, seat.port)
        deadline = node.next_deadline()
        if deadline is not None and deadline not in seat.wakes:
            seat.wakes.add(deadline)
            self.at(deadline, self._wake, seat, deadline)

    def send(self, frame: bytes, source: Port) -> None:
        """A frame enters the switch at a port, if that is up, and arrives at the others after the latency."""
        if not source.up:
            return
        for watcher in self.watchers:
            watcher(self.now, source, frame, None)
        if self.loses is not None and self.loses(frame, source):
            return
        if source.inward is None:
            self._switch(frame, source)
            return
        for time, octets in source.inward.carry(frame, self.now):
            self.at(time, self._switch, octets, source)

    def next_time(self) -> float | None:
        """When something happens next, None if nothing will."""
        return self._heap[0][0] if self._heap else None

    def run_until(self, time: float, enough: Callable[[], bool] | None = None) -> bool:
        """Let the world go on until the clock stands at `time`, or it is `enough`; whether it was."""
        if enough is not None and enough():
            return True
        while self._heap and self._heap[0][0] <= time:
            self._step()
            if enough is not None and enough():
                return True
        self.now = max(self.now, time)
        return False

    def run_while(self, condition: Callable[[], bool], limit: float = 3600.0) -> None:
        """Let the world go on as long as `condition` holds; RefusedError after `limit` seconds of it."""
        end = self.now + limit
        while condition():
            if not self._heap or self._heap[0][0] > end:
                raise RefusedError(f"nothing changed what was waited for within {limit:g} s")
            self._step()

    def _step(self) -> None:
        self.now, _, action, arguments = heapq.heappop(self._heap)
        action(*arguments)

    def _wake(self, seat: Seat, deadline: float) -> None:
        seat.wakes.discard(deadline)
        self.settle(seat)

    def _follow_filter(self, seat: Seat) -> None:
        """The card is programmed between two frames: what the host sends next already counts on it (SEED row S57)."""
        if not self._filtering:
            return
        plan = seat.plan()
        if plan is not seat.port.plan:
            seat.port.switch.set_filter(seat.port, plan)

    # -- frames on their way

    def _switch(self, frame: bytes, source: Port) -> None:
        switch = source.switch
        route = switch.route(frame, source, self.now)
        if route is None:
            return
        # What is on its way is for whoever takes it when it arrives.
        self.at(self.now + self.latency, self._arrive, frame, route)
        if self._impaired:
            for port in switch.receivers(frame, route):
                if port.outward is not None:
                    for time, octets in port.outward.carry(frame, self.now):
                        self.at(time + self.latency, self._deliver, octets, port)

    def _arrive(self, frame: bytes, route: Route) -> None:
        for port in route.source.switch.receivers(frame, route):
            if port.outward is None:
                self._deliver(frame, port)

    def _deliver(self, frame: bytes, port: Port) -> None:
        seat = self._seats.get(port)
        if seat is None or not port.up:
            return
        outcome = seat.node.receive(frame, self.now)
        for watcher in self.watchers:
            watcher(self.now, port, frame, outcome)
        self.settle(seat)
