"""Hosts on an in-memory switch in virtual time: a simulated hour takes a moment, and repeats bit for bit.

The world owns the clock. It moves to the next moment at which a frame arrives or
a host has something due, in the order in which these were scheduled. Everything
random comes from one seed, each host having a generator of its own. Beside hosts
there may be anything that has the four calls of one (`Node`).
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
from stack.link.switch import Port, Switch
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
    """A node on one port of the switch."""

    __slots__ = ("name", "node", "port", "wakes")

    def __init__(self, name: str, node: Node, port: Port) -> None:
        self.name = name
        self.node = node
        self.port = port
        # Times for which the world holds a wake-up; one that has become needless does nothing.
        self.wakes: set[float] = set()


class Station(Seat):
    """A host with one interface on one port of the switch."""

    __slots__ = ("host", "interface")

    def __init__(self, name: str, host: Host, interface: Interface, port: Port) -> None:
        super().__init__(name, host, port)
        self.host = host
        self.interface = interface


class World:
    """One link in virtual time. `now` is in seconds from the start of the world; `switch` is a plain one by default."""

    def __init__(self, seed: int = 0, *, latency: float = LATENCY, switch: Switch | None = None) -> None:
        self.now = 0.0
        self.switch = Switch() if switch is None else switch
        self.stations: list[Station] = []
        self.watchers: list[Watcher] = []
        self._seed = seed
        self._latency = latency
        self._by_port: dict[int, Seat] = {}
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = 0

    def add_host(
        self, name: str, mac: MacAddress, settings: Settings | None = None, program: Program | None = None
    ) -> Station:
        """A host on a port of its own, not started yet. RefusedError if there is one of that name already.

        Its random choices depend on the seed of the world and on its name alone.
        """
        if any(station.name == name for station in self.stations):
            raise RefusedError(f"there is a host {name!r} already")
        host = Host(Random(f"{self._seed}/{name}"), settings)
        interface = host.attach(name, mac, program=program)
        station = Station(name, host, interface, self.switch.add_port(name))
        self.stations.append(station)
        self._by_port[station.port.number] = station
        return station

    def add_node(self, name: str, node: Node) -> Seat:
        """Anything that has a host's four calls, on a port of its own; `settle` it after every call on it."""
        seat = Seat(name, node, self.switch.add_port(name))
        self._by_port[seat.port.number] = seat
        return seat

    def at(self, time: float, action: Callable[[], None]) -> None:
        """Run `action` when the clock reaches `time`."""
        self._sequence += 1
        heapq.heappush(self._heap, (max(time, self.now), self._sequence, action))

    def start(self, station: Station) -> None:
        """Bring a host's interface up."""
        station.interface.start(self.now)
        self.settle(station)

    def settle(self, seat: Seat) -> None:
        """After a call on a host: send what it has to send, and see when it wants to run next."""
        seat.node.advance(self.now)
        for _, frame in seat.node.output():
            self.send(frame, seat.port)
        deadline = seat.node.next_deadline()
        if deadline is not None and deadline not in seat.wakes:
            seat.wakes.add(deadline)
            self.at(deadline, lambda: self._wake(seat, deadline))

    def send(self, frame: bytes, source: Port) -> None:
        """A frame enters the switch at a port and arrives at the others after the latency."""
        for watcher in self.watchers:
            watcher(self.now, source, frame, None)
        for port in self.switch.forward(frame, source, self.now):
            self.at(self.now + self._latency, lambda port=port: self._deliver(frame, port))  # type: ignore[misc]

    def run_until(self, time: float) -> None:
        """Let the world go on until the clock stands at `time`."""
        while self._heap and self._heap[0][0] <= time:
            self.now, _, action = heapq.heappop(self._heap)
            action()
        self.now = max(self.now, time)

    def run_while(self, condition: Callable[[], bool], limit: float = 3600.0) -> None:
        """Let the world go on as long as `condition` holds; RefusedError after `limit` seconds of it."""
        end = self.now + limit
        while condition():
            if not self._heap or self._heap[0][0] > end:
                raise RefusedError(f"nothing changed what was waited for within {limit:g} s")
            self.now, _, action = heapq.heappop(self._heap)
            action()

    def _wake(self, seat: Seat, deadline: float) -> None:
        seat.wakes.discard(deadline)
        self.settle(seat)

    def _deliver(self, frame: bytes, port: Port) -> None:
        seat = self._by_port.get(port.number)
        if seat is None or not port.up:
            return
        outcome = seat.node.receive(frame, self.now)
        for watcher in self.watchers:
            watcher(self.now, port, frame, outcome)
        self.settle(seat)
