"""An Ethernet switch in memory: it learns where MACs are, forgets, and floods the rest (IEEE 802.1D 7.8, 7.9).

It has no clock of its own and moves no frame itself: `forward` says which ports a
frame goes to. Who carries it there, and when, is `stack.sim.world`. With MLD
snooping it sends a group's packets only to where they are wanted. A port that says
which MACs its station takes, as a network card does, gets no copy of anything
else: a frame costs what its receivers cost, however many ports there are.
"""

import itertools
from collections import OrderedDict
from collections.abc import Set
from typing import NamedTuple

from stack.address import MacAddress
from stack.link.impairment import Line
from stack.link.snooping import SnoopingTable
from stack.multicast_filter import EXACT_SLOTS, FilterPlan, make_plan
from stack.wire import ethernet

LEARNING_LIMIT = 4096
# IEEE 802.1D 7.9.2, table 7-5: the default Ageing Time, seconds.
AGEING_TIME = 300.0


_NOBODY: Set[int] = frozenset()


class Port:
    """One port of a switch; `up` is its link state.

    `inward` and `outward` are the lines that frames take into the switch and out of
    it, None for perfect ones.
    """

    __slots__ = ("inward", "name", "number", "outward", "plan", "switch", "up")

    def __init__(self, switch: "Switch", number: int, name: str) -> None:
        self.switch = switch
        self.number = number
        self.name = name
        self.up = True
        self.plan: FilterPlan | None = None
        self.inward: Line | None = None
        self.outward: Line | None = None


class Route(NamedTuple):
    """Where a frame goes: to the ports with these numbers, None for all, but for the one that it came from."""

    source: Port
    wanted: Set[int] | None


class Switch:
    """Ports, and which MAC was last seen on which of them (at most `LEARNING_LIMIT`, oldest forgotten).

    With `snooping` it has a `snooping` table; `flood_unknown` and `fast_leave` are
    that table's. Times are seconds on the caller's clock.
    """

    def __init__(
        self,
        *,
        snooping: bool = False,
        flood_unknown: bool = True,
        fast_leave: bool = False,
        ageing: float = AGEING_TIME,
    ) -> None:
        self.ports: list[Port] = []
        self.ageing = ageing
        self.snooping: SnoopingTable | None = None
        if snooping:
            self.snooping = SnoopingTable(flood_unknown=flood_unknown, fast_leave=fast_leave)
        self.filter_changes = 0
        self._seen: OrderedDict[MacAddress, tuple[Port, float]] = OrderedDict()
        # Numbers of the ports that take every frame, every group, and each MAC.
        self._open: set[int] = set()
        self._all_groups: set[int] = set()
        self._takers: dict[MacAddress, set[int]] = {}
        # Mirrored ports, each with those that get its frames; these get nothing else.
        self._mirrors: dict[int, set[int]] = {}
        self._mirroring: set[int] = set()

    def add_port(self, name: str) -> Port:
        """One more port, up, which takes every frame."""
        port = Port(self, len(self.ports), name)
        self.ports.append(port)
        self._open.add(port.number)
        self.filter_changes += 1
        return port

    def set_up(self, port: Port, up: bool) -> None:
        """The link of a port goes up or down; what was learnt on one that goes down is forgotten."""
        port.up = up
        if up:
            return
        for mac in [mac for mac, (where, _) in self._seen.items() if where is port]:
            del self._seen[mac]
        if self.snooping is not None:
            self.snooping.forget_port(port.number)

    def set_filter(self, port: Port, plan: FilterPlan | None) -> None:
        """What the station on a port takes from now on; None for everything."""
        self.filter_changes += 1
        before = _macs(port.plan)
        after = _macs(plan)
        for mac in before - after:
            takers = self._takers[mac]
            takers.discard(port.number)
            if not takers:
                del self._takers[mac]
        for mac in after - before:
            self._takers.setdefault(mac, set()).add(port.number)
        port.plan = plan
        # A mirror shows what leaves by the port, whatever its station makes of it.
        _put(self._open, port.number, plan is None or plan.off or port.number in self._mirrors)
        _put(self._all_groups, port.number, plan is not None and plan.allmulti)

    def combined_plan(self, port: Port, allmulti_bits: int) -> FilterPlan:
        """The filter of a device on `port`, behind which all other ports are: off if one of these takes everything."""
        if self._open - {port.number}:
            return FilterPlan(off=True)
        macs = self._takers
        unicast = tuple(itertools.islice((mac for mac in macs if not mac[0] & 1), EXACT_SLOTS + 1))
        if self._all_groups and len(unicast) <= EXACT_SLOTS:
            return FilterPlan(unicast=unicast, allmulti=True)
        return make_plan(unicast, (mac for mac in macs if mac[0] & 1), allmulti_bits)

    def mirror(self, port: Port, to: Port) -> None:
        """All that enters or leaves by `port` goes to the port `to` as well, which gets nothing else from now on."""
        self._mirrors.setdefault(port.number, set()).add(to.number)
        self._mirroring.add(to.number)
        self._open.add(port.number)

    def forward(self, frame: bytes, source: Port, now: float = 0.0) -> list[Port]:
        """The ports that a frame from `source` leaves by; none for a runt or from a port that is down."""
        route = self.route(frame, source, now)
        return [] if route is None else self.receivers(frame, route)

    def route(self, frame: bytes, source: Port, now: float) -> Route | None:
        """Where a frame from `source` goes, filters of stations aside; None for a runt or from a port that is down."""
        if not source.up or len(frame) < ethernet.HEADER_LENGTH:
            return None
        self._learn(frame[6:12], source, now)
        destination = frame[:6]
        if destination[0] & 1:
            wanted = None if self.snooping is None else self.snooping.ports(frame, source.number, now)
            return Route(source, wanted)
        known = self.where(destination, now)
        return Route(source, None if known is None else {known.number})

    def receivers(self, frame: bytes, route: Route) -> list[Port]:
        """The ports of a route that are up and whose stations take the frame, in order."""
        numbers = self._takers_of(frame[:6], route.wanted)
        numbers.discard(route.source.number)
        if self._mirroring:
            numbers = self._with_mirrors(numbers, route.source)
        ports = self.ports
        return [port for port in (ports[number] for number in sorted(numbers)) if port.up]

    def where(self, mac: MacAddress, now: float) -> Port | None:
        """The port on which a station was last seen, None when it was not, or too long ago."""
        known = self._seen.get(mac)
        # What was learnt on a port that is down no longer counts: the station may be elsewhere.
        if known is None or not known[0].up or now - known[1] >= self.ageing:
            return None
        return known[0]

    def _takers_of(self, mac: MacAddress, wanted: Set[int] | None) -> set[int]:
        """A fresh set of the ports that take frames for a MAC, of those in `wanted`."""
        takers = self._takers.get(mac, _NOBODY)
        whatever = self._all_groups if mac[0] & 1 else _NOBODY
        if wanted is None:
            return self._open.union(takers, whatever)
        return {each for each in wanted if each in takers or each in self._open or each in whatever}

    def _with_mirrors(self, numbers: set[int], source: Port) -> set[int]:
        numbers -= self._mirroring
        return numbers.union(*(to for port, to in self._mirrors.items() if port in numbers or port == source.number))

    def _learn(self, mac: MacAddress, port: Port, now: float) -> None:
        if mac[0] & 1:
            return
        self._seen[mac] = (port, now)
        self._seen.move_to_end(mac)
        if len(self._seen) > LEARNING_LIMIT:
            self._seen.popitem(last=False)


def _macs(plan: FilterPlan | None) -> frozenset[MacAddress]:
    """The addresses that a card with this filter takes, the hashed ones exactly: it does not matter what else would."""
    if plan is None or plan.off:
        return frozenset()
    return frozenset(plan.unicast + plan.exact + plan.hashed)


def _put(numbers: set[int], number: int, there: bool) -> None:
    if there:
        numbers.add(number)
    else:
        numbers.discard(number)
