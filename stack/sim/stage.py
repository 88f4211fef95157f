"""The simulator as a back end of scenarios: the cast on an in-memory switch in virtual time.

Another back end is a stage whose first player is real: it replaces `enter_subject`,
`perform` and `view` for that one, and makes time pass as it does.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any

from stack import documents, route_documents
from stack.address import IPv6Address, format_address, parse_address, parse_mac
from stack.errors import UsageError
from stack.explain import frame as explain
from stack.icmp6.echo import EchoAnswer, EchoError
from stack.link.switch import Port, Switch
from stack.mld.filters import FilterMode, SourceFilter
from stack.mld.groups import Membership
from stack.multicast_filter import FilterPlan
from stack.settings import Settings
from stack.sim.forwarding import ForwardingRouter
from stack.sim.querier.scripted import ScriptedQuerier
from stack.sim.router import AdvertisingRouter, RouterVariables, prefix_option
from stack.sim.scenarios import actions
from stack.sim.scenarios.actions import PORT, Action, Prefix
from stack.sim.scenarios.expectations import View, path_mtus
from stack.sim.scenarios.vocabulary import SIMULATOR, Gateway, Host, Querier, Role, Router, Scenario
from stack.sim.sighting import Sighting, sight
from stack.sim.world import Seat, Station, World
from stack.udp.udp_socket import UdpSocket
from stack.wire import icmpv6

# A round millisecond, so that times read well with three digits.
LATENCY = 0.001
_GLANCE = 0.1
PING_DATA = b"sixtap: "

# By type of the error.
_FAILURES = {
    icmpv6.DESTINATION_UNREACHABLE: ("the ping has failed: address unreachable", "RFC 4861 7.2.2"),
    icmpv6.PACKET_TOO_BIG: ("the ping has failed: too big", "RFC 4443 3.2"),
}

Heard = Callable[[Station, str, str], None]


class Ping:
    """Echo requests to one destination, and what became of the last one."""

    def __init__(self, station: Station, destination: IPv6Address, size: int, told: Heard) -> None:
        data = (PING_DATA * (size // len(PING_DATA) + 1))[:size]
        self.outcome: EchoAnswer | EchoError | None = None
        self._station = station
        self._told = told
        self._sent_at = 0.0
        self._session = station.host.echoes.open(station.interface, destination, self._heard, data=data)

    @property
    def word(self) -> str:
        """`answered`, `failed`, or nothing yet."""
        if self.outcome is None:
            return ""
        return "answered" if isinstance(self.outcome, EchoAnswer) else "failed"

    def send(self, now: float) -> None:
        """Send a request."""
        self._sent_at = now
        self._session.send(1, now)

    def _heard(self, heard: EchoAnswer | EchoError) -> None:
        self.outcome = heard
        if isinstance(heard, EchoAnswer):
            delay = (heard.time - self._sent_at) * 1000
            self._told(self._station, f"the ping has its answer, after {delay:.0f} ms", "RFC 4443 4.2")
        else:
            self._told(self._station, *_FAILURES.get(heard.type, ("the ping has failed", "RFC 4443 3")))


class StationView:
    """A simulated host as `View` has it."""

    def __init__(self, stage: "SimulatedStage", station: Station) -> None:
        self._stage = stage
        self._station = station

    def addresses(self) -> Mapping[str, Mapping[str, Any]]:
        shown = documents.link(self._station.interface, self._stage.now, carrier=True)[0]["addr_info"]
        return {each["local"]: each for each in shown}

    def neighbours(self) -> Mapping[str, str]:
        return {each["dst"]: each["state"][0] for each in documents.neighbours(self._station.interface)}

    def routes(self) -> Sequence[Mapping[str, Any]]:
        return route_documents.routes(self._station.interface, self._stage.now)

    def path_mtus(self) -> Mapping[str, int]:
        return path_mtus(route_documents.destinations(self._station.interface, self._stage.now))

    def groups(self) -> frozenset[str]:
        return frozenset(format_address(group) for group in self._station.interface.listener.groups.records)

    def snooped(self) -> frozenset[str]:
        table = self._stage.world.switch.snooping
        if table is None:
            return frozenset()
        port = self._station.port.number
        return frozenset(format_address(each.group) for each in table.members(self._stage.now) if each.port == port)

    def ping_outcome(self, destination: str) -> str:
        ping = self._stage.pings.get((self._station.name, destination))
        return "" if ping is None else ping.word

    def received(self, program: str) -> int:
        return self._stage.received.get((self._station.name, program), 0)


class SimulatedStage:
    """The cast of a scenario in virtual time. `settings` are the subject's in addition to those of the scenario.

    `told` is called with what happens to a host's programs, and the clause.
    """

    name = SIMULATOR
    patience = 0.0

    def __init__(self, scenario: Scenario, seed: int = 0, settings: Mapping[str, int | str] | None = None) -> None:
        self.scenario = scenario
        self._seed = seed
        self.world = World(seed, latency=LATENCY, switch=Switch(snooping=scenario.snooping))
        self.world.loses = self._loses
        self.world.watchers.append(self._on_frame)
        self.seen: list[Sighting] = []
        self.stations: dict[str, Station] = {}
        self.pings: dict[tuple[str, str], Ping] = {}
        self.received: dict[tuple[str, str], int] = {}
        self.told: Heard = _nobody_told
        self._routers: dict[str, tuple[AdvertisingRouter, Seat]] = {}
        self._gateways: dict[str, ForwardingRouter] = {}
        self._far: dict[str, Switch] = {}
        self._queriers: dict[str, ScriptedQuerier] = {}
        self._sockets: dict[tuple[str, str], UdpSocket] = {}
        self._delayed: dict[tuple[str, str, str], Membership] = {}
        self._losses: dict[tuple[str, str], int] = {}
        self._extra = dict(settings or {})
        for role in scenario.cast:
            if role is scenario.subject:
                self.enter_subject(role)
            else:
                self.enter(role)

    @property
    def now(self) -> float:
        """Virtual time, seconds."""
        return self.world.now

    def wait(self, enough: Callable[[], bool], until: float) -> bool:
        """Let virtual time pass; what only time changes is looked at ten times a second."""
        while not self.world.run_until(min(until, self.now + _GLANCE), enough):
            if self.now >= until:
                return False
        return True

    def view(self, who: str) -> View:
        """One of the hosts. Raises UsageError for anybody else: only hosts have states."""
        station = self.stations.get(who)
        if station is None:
            raise UsageError(f"{who} is no host")
        return StationView(self, station)

    # -- the cast

    def enter_subject(self, role: Role) -> None:
        """The one that is tried."""
        self.enter(role)

    def enter(self, role: Role) -> None:
        """Somebody takes a port of the switch, still switched off."""
        mac = parse_mac(role.mac)
        if isinstance(role, Querier):
            self._queriers[role.name] = ScriptedQuerier(self.world, role.name, mac, role.version, delay=role.delay)
        elif isinstance(role, Gateway):
            self._gateways[role.name] = self._gateway(role)
        elif isinstance(role, Router):
            variables = RouterVariables(lifetime=role.lifetime, preference=role.preference)
            variables.options = _options(role.prefixes)
            router = AdvertisingRouter(mac, Random(f"{self._seed}/{role.name}"), variables)
            self._routers[role.name] = router, self.world.add_node(role.name, router)
        else:
            self.stations[role.name] = self._station(role)

    def _gateway(self, role: Gateway) -> ForwardingRouter:
        gateway = ForwardingRouter(self.world, role.name, self._seed)
        far = self._far[role.name] = Switch()
        near_leg = gateway.attach(self.world.switch, parse_mac(role.mac), parse_address(role.prefix))
        far_leg = gateway.attach(
            far, parse_mac(role.far_mac), parse_address(role.far_prefix), mtu=role.mtu, announce_mtu=True
        )
        for leg, name in ((near_leg, role.name), (far_leg, f"{role.name}'s far side")):
            if leg.seat is not None:
                leg.seat.port.name = name
        return gateway

    def _station(self, role: Host) -> Station:
        own = Settings()
        extra = self._extra if role is self.scenario.subject else {}
        for setting, value in (*role.settings, *extra.items()):
            own.set_text(setting, str(value))
        program = partial(self._program, role.name)
        switch = self._far[role.beyond] if role.beyond else None
        return self.world.add_host(role.name, parse_mac(role.mac), own, program, switch)

    def _program(self, name: str, plan: FilterPlan) -> None:
        """The network card's filter is about to change: what the host has said before leaves before."""
        station = self.stations.get(name)
        if station is not None:
            for _, frame in station.host.output():
                self.world.send(frame, station.port)

    # -- what they do

    def perform(self, who: str, action: Action) -> None:
        """Somebody does something, now. Raises UsageError if it is not in its nature."""
        if isinstance(action, actions.Lose):
            self._losses[who, action.kind] = action.count
        elif isinstance(action, actions.Unplug | actions.PlugIn):
            self._port(who).up = isinstance(action, actions.PlugIn)
        elif who in self.stations:
            station = self.stations[who]
            self._host_does(station, action)
            self.world.settle(station)
        elif who in self._routers:
            router, seat = self._routers[who]
            self._router_does(router, action)
            self.world.settle(seat)
        elif who in self._gateways:
            if not isinstance(action, actions.SwitchOn):
                raise _unnatural(who, action)
            self._gateways[who].start()
        else:
            self._querier_does(self._queriers[who], action)

    def _port(self, who: str) -> Port:
        if who in self.stations:
            return self.stations[who].port
        return self._routers[who][1].port if who in self._routers else self._queriers[who].port

    def _host_does(self, station: Station, action: Action) -> None:
        interface, now = station.interface, self.now
        if isinstance(action, actions.SwitchOn):
            interface.start(now)
        elif isinstance(action, actions.SwitchOff):
            interface.stop(now)
        elif isinstance(action, actions.AddAddress):
            interface.addresses.add(parse_address(action.address), action.length, now)
        elif isinstance(action, actions.RemoveAddress):
            interface.addresses.remove(parse_address(action.address), now)
        elif isinstance(action, actions.SetMac):
            interface.set_mac(parse_mac(action.mac), now)
        elif isinstance(action, actions.Listen):
            self._listen(station, action)
        elif isinstance(action, actions.Ping):
            ping = Ping(station, parse_address(action.destination), action.size, self._tell)
            self.pings[station.name, action.destination] = ping
            ping.send(now)
        elif isinstance(action, actions.SendUdp):
            self._socket(station, actions.PROGRAM).send(b"sixtap", parse_address(action.destination), action.port, now)
        else:
            raise _unnatural(station.name, action)

    def _listen(self, station: Station, action: actions.Listen) -> None:
        group = parse_address(action.group)
        key = station.name, action.program, action.group
        if action.delay:
            self._delayed[key] = station.interface.listener.join(group, self.now, delay=action.delay)
        elif key in self._delayed:
            station.interface.listener.leave(self._delayed.pop(key), self.now)
        else:
            sources = frozenset(parse_address(source) for source in action.sources)
            wanted = SourceFilter(FilterMode(action.mode), sources)
            self._socket(station, action.program).listen(group, wanted, self.now)

    def _socket(self, station: Station, program: str) -> UdpSocket:
        key = station.name, program
        if key not in self._sockets:
            socket = station.host.udp.open(station.interface, partial(self._datagram, station, program))
            socket.reuse = True
            socket.bind(None, PORT)
            self._sockets[key] = socket
        return self._sockets[key]

    def _datagram(self, station: Station, program: str) -> None:
        socket = self._sockets[station.name, program]
        if socket.receive() is None:
            socket.take_error()
            self._tell(station, f"the {program} learns of it", "RFC 8085 5.2")
            return
        self.received[station.name, program] = self.received.get((station.name, program), 0) + 1
        self._tell(station, f"the {program} gets it", "RFC 3810 4.2")

    def _tell(self, station: Station, text: str, clause: str) -> None:
        self.told(station, text, clause)

    def _router_does(self, router: AdvertisingRouter, action: Action) -> None:
        if isinstance(action, actions.SwitchOn):
            router.start(self.now)
        elif isinstance(action, actions.SwitchOff):
            router.stop(self.now, quietly=not action.farewell)
        elif isinstance(action, actions.Advertise):
            variables = router.variables
            if action.prefixes is not None:
                variables.options = _options(action.prefixes)
            variables.lifetime = variables.lifetime if action.lifetime is None else action.lifetime
            variables.preference = variables.preference if action.preference is None else action.preference
            router.advertise(_ALL_NODES, self.now)
        else:
            raise _unnatural("a router", action)

    def _querier_does(self, querier: ScriptedQuerier, action: Action) -> None:
        if isinstance(action, actions.Query):
            sources = tuple(parse_address(source) for source in action.sources)
            querier.ask(parse_address(action.group), sources, delay=action.delay, hop_limit=action.hop_limit)
        elif isinstance(action, actions.Forward):
            querier.forward(parse_address(action.source), parse_address(action.group), PORT, b"data")
        else:
            raise _unnatural("a querier", action)

    # -- the link

    def _on_frame(self, now: float, port: Port, frame: bytes, outcome: object) -> None:
        if outcome is None:
            self.seen.append(sight(now, port.name, frame))

    def _loses(self, frame: bytes, port: Port) -> bool:
        kind = explain.account(frame).kind
        left = self._losses.get((port.name, kind), 0)
        if left:
            self._losses[port.name, kind] = left - 1
        return left > 0


_ALL_NODES = parse_address("ff02::1")


def _options(prefixes: tuple[Prefix, ...]) -> tuple[bytes, ...]:
    return tuple(
        prefix_option(parse_address(each.prefix), valid=each.valid, preferred=each.preferred) for each in prefixes
    )


def _nobody_told(station: Station, text: str, clause: str) -> None:
    """What happens to a program, when there is no story."""


def _unnatural(who: str, action: Action) -> UsageError:
    return UsageError(f"{who} cannot do this: {action.words}")
