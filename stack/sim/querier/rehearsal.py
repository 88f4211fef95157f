"""A querier beside two hosts on an in-memory switch, in virtual time: what is said on the link, and what it learns.

Both hosts listen to a group for a while and leave it again. The course is a
function of the querier's variables and the seed; times are measured in query
intervals, so that it fits whatever the querier is set to.
"""

from collections.abc import Callable
from typing import NamedTuple

from stack.address import (
    LINK_LOCAL_PREFIX,
    UNSPECIFIED,
    IPv6Address,
    MacAddress,
    eui64_identifier,
    format_address,
    parse_mac,
)
from stack.discard import Outcome
from stack.explain import frame as explain
from stack.link.switch import Port, Switch
from stack.mld.groups import Membership
from stack.sim.querier.changes import Change
from stack.sim.querier.router import Querier
from stack.sim.world import Station, World
from stack.wire import mldpacket

# Milliseconds are round.
LATENCY = 0.001
HOSTS = {"ada": parse_mac("02:00:00:00:00:0a"), "bob": parse_mac("02:00:00:00:00:0b")}
ROUTER = "router"
ROUTER_MAC: MacAddress = parse_mac("02:00:00:00:00:01")

# When what happens, in query intervals; the last query of a start comes at a quarter of one.
_JOINS = 0.1
_LEAVES = {"ada": 0.6, "bob": 0.7}


class Said(NamedTuple):
    """An MLD message on the link, in words."""

    time: float
    sender: str
    text: str


class Did(NamedTuple):
    """What a host does."""

    time: float
    host: str
    text: str


Event = Said | Did | Change


class Rehearsal:
    """One run; `tell` is given every event in order."""

    def __init__(
        self,
        router: Querier,
        group: IPv6Address,
        tell: Callable[[Event], None],
        *,
        queries: int,
        seed: int = 0,
        snooping: bool = False,
    ) -> None:
        self.world = World(seed, latency=LATENCY, switch=Switch(snooping=snooping))
        self._router = router
        self._group = group
        self._tell = tell
        self._queries = queries
        self._names: dict[bytes, str] = {router.address: ROUTER}

    def play(self) -> None:
        """The whole course: until the querier has asked so often and the answers are in, and the hosts have left."""
        world, router = self.world, self._router
        world.watchers.append(self._heard)
        router.watchers.append(self._tell)
        seat = world.add_node(ROUTER, router)
        stations = [world.add_host(name, mac) for name, mac in HOSTS.items()]
        router.start(world.now)
        world.settle(seat)
        interval = router.variables.query_interval
        for station in stations:
            self._names[LINK_LOCAL_PREFIX + eui64_identifier(station.interface.mac)] = station.name
            world.start(station)
            world.at(_JOINS * interval, lambda station=station: self._join(station, interval))
        world.run_until(max(_LEAVES.values()) * interval + router.variables.last_listener_query_time + 1)
        world.run_while(lambda: router.queries_sent < self._queries, limit=(self._queries + 1) * interval)
        world.run_until(world.now + router.answer_time)

    def _join(self, station: Station, interval: float) -> None:
        now = self.world.now
        self._tell(Did(now, station.name, f"joins {format_address(self._group)}"))
        membership = station.interface.listener.join(self._group, now)
        self.world.settle(station)
        self.world.at(_LEAVES[station.name] * interval, lambda: self._leave(station, membership))

    def _leave(self, station: Station, membership: Membership) -> None:
        now = self.world.now
        self._tell(Did(now, station.name, f"leaves {format_address(self._group)}"))
        station.interface.listener.leave(membership, now)
        self.world.settle(station)

    def _heard(self, now: float, port: Port, frame: bytes, outcome: Outcome | None) -> None:
        """MLD alone, once as it is sent."""
        if outcome is None and mldpacket.parse(frame) is not None:
            account = explain.account(frame)
            sender = f"{port.name} (::)" if account.source == UNSPECIFIED else port.name
            to = account.receiver(self._names)
            self._tell(Said(now, sender, f"--> {to}: {account.text}{account.remarks()}"))
