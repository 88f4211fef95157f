"""The words that a scenario is written in: hosts, what they do, how long to watch, and what is said about it.

A scenario is a function of a `Stage`. What it claims in its prose it also states
with `expect`, so that a text that is not true of the run cannot be told.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from stack.address import LINK_LOCAL_PREFIX, IPv6Address, eui64_identifier, format_address, parse_address, parse_mac
from stack.errors import StackError
from stack.icmp6.echo import EchoAnswer, EchoError
from stack.mld.filters import FilterMode, SourceFilter
from stack.mld.groups import GroupRecord, Membership
from stack.settings import Settings
from stack.sim.narrate import EVERYTHING, Narrator
from stack.sim.querier.scripted import ScriptedQuerier
from stack.sim.transcript import ACT, HOST, PROSE, SECTION, TITLE, Step, Transcript
from stack.sim.world import Station, World

# A round millisecond, so that times read well with three digits.
LATENCY = 0.001
HOW_TO_READ = """Time is virtual, in seconds, and every frame takes a millisecond. A line with --> is a frame, and
    beneath it stands what its receivers make of it. The other lines are what goes on inside a host; there -> leads
    from one state to the next. In brackets, the clause that asks for it."""
PING_DATA = b"sixtap: "
# Where the programs of the scenarios receive: RTP (RFC 3551 8)
PORT = 5004

_T = TypeVar("_T")


class ScenarioError(StackError):
    """A run that did not do what its scenario says of it."""


class Scenario(NamedTuple):
    """One scenario: `name` for the command line, `title` and a `summary` in a line each, `play` to run it."""

    name: str
    title: str
    summary: str
    play: "Callable[[Stage], None]"


class Stage:
    """A world with a narrator, and what a scenario may do with them. Times are seconds, addresses text."""

    def __init__(self, seed: int = 0) -> None:
        self.world = World(seed, latency=LATENCY)
        self.narrator = Narrator(self.world)

    # -- telling

    def title(self, text: str) -> None:
        """What the whole is called."""
        self._add(TITLE, "", text)

    def section(self, title: str, tell: frozenset[str] = EVERYTHING) -> None:
        """Begin a part of the story; `tell` says what of the hosts' insides belongs to it."""
        self.narrator.tell = tell
        self._add(SECTION, "", title)

    def say(self, text: str) -> None:
        """A paragraph; line breaks and indentation of the source do not matter."""
        self._add(PROSE, "", " ".join(text.split()))

    def look(self, station: Station, text: str) -> None:
        """Something to be seen in a host at this moment."""
        self._add(HOST, station.name, text)

    def opening(self, text: str) -> None:
        """The first paragraphs: who is on the link, and how to read what follows."""
        self.say(text)
        self.say(HOW_TO_READ)

    def show_groups(self, station: Station, *groups: str) -> None:
        """The entries of these groups in a host's multicast address list, as they are now."""
        for group in groups:
            record = group_record(station, group)
            if record is None:
                self.look(station, f"{group} is not in the list")
            elif record.interface_address is None:
                self.look(station, f"{group} is in the list, saved: there is no address that it could hang on")
            else:
                self.look(station, f"{group} is in the list and hangs on {format_address(record.interface_address)}")

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """What happens inside is counted, but not told."""
        self.narrator.quiet = True
        try:
            yield
        finally:
            self.narrator.quiet = False

    def expect(self, fact: bool, claim: str) -> None:
        """What the prose says is so; ScenarioError otherwise."""
        if not fact:
            raise ScenarioError(f"at {self.world.now:.3f} s it is not so that {claim}")

    def finish(self) -> Transcript:
        """The transcript, with the virtual time that passed."""
        self.narrator.transcript.time = self.world.now
        return self.narrator.transcript

    # -- hosts

    def host(self, name: str, mac: str, *, named: bool = True, **settings: int | str) -> Station:
        """A host on a port of its own, still down; unless `named` is false its link-local address goes by its name."""
        # The stories so far have no router in them, and solicitations for one would only be in the way.
        own = Settings(router_solicitations=0)
        for setting, value in settings.items():
            own.set_text(setting, str(value))
        octets = parse_mac(mac)
        station = self.world.add_host(name, octets, own, program=lambda plan: self._program(name))
        self.narrator.watch(station, (link_local(station),) if named else ())
        return station

    def querier(self, name: str, mac: str, version: int = 2) -> ScriptedQuerier:
        """A router on a port of its own, which asks in this version of MLD."""
        querier = ScriptedQuerier(self.world, name, parse_mac(mac), version)
        self.narrator.names[querier.address] = name
        return querier

    def program(self, name: str, station: Station) -> "Program":
        """A program on a host that receives datagrams at the port of the scenarios."""
        return Program(self, name, station)

    def _program(self, name: str) -> None:
        """The network card's filter is about to change: what the host has said before leaves before."""
        for station in self.world.stations:
            if station.name == name:
                for _, frame in station.host.output():
                    self.world.send(frame, station.port)

    def start(self, *stations: Station) -> None:
        """Bring interfaces up, in this order."""
        for station in stations:
            self._add(ACT, station.name, "is switched on")
            self.world.start(station)

    def act(self, station: Station, text: str, action: Callable[[float], _T], *, who: str = "") -> _T:
        """Something is done on a host, by `who` if not by itself: `action(now)`, told as `text`."""
        self._add(ACT, who or station.name, text)
        result = action(self.world.now)
        self.world.settle(station)
        return result

    def join(self, station: Station, group: str) -> Membership:
        """A program joins a group."""
        octets = parse_address(group)
        return self.act(station, f"joins {group}", lambda now: station.interface.listener.join(octets, now))

    def leave(self, station: Station, membership: Membership) -> None:
        """The program leaves the group again."""
        text = f"leaves {format_address(membership.group)}"
        self.act(station, text, lambda now: station.interface.listener.leave(membership, now))

    def ping(self, station: Station, destination: str, name: str = "") -> "Ping":
        """One echo request with 8 octets of data; what comes of it is told when it comes."""
        ping = Ping(self, station, parse_address(destination))
        self.act(station, f"pings {name or destination}", ping.send)
        return ping

    # -- time

    def run(self, seconds: float) -> None:
        """Watch for so long."""
        self.world.run_until(self.world.now + seconds)

    def run_to(self, time: float) -> None:
        """Watch until the clock stands at `time`."""
        self.world.run_until(time)

    def _add(self, kind: str, who: str, text: str) -> None:
        self.narrator.add(Step(self.world.now, kind, who, text))


class Ping:
    """One echo request and what became of it; `outcome` is None while nothing did."""

    def __init__(self, stage: Stage, station: Station, destination: IPv6Address) -> None:
        self._stage = stage
        self._station = station
        self._sent_at = 0.0
        self._session = station.host.echoes.open(station.interface, destination, self._heard, data=PING_DATA)
        self.outcome: EchoAnswer | EchoError | None = None

    @property
    def answered(self) -> bool:
        """Whether a reply came."""
        return isinstance(self.outcome, EchoAnswer)

    @property
    def failed(self) -> bool:
        """Whether an error came."""
        return isinstance(self.outcome, EchoError)

    def send(self, now: float) -> None:
        """Send the request."""
        self._sent_at = now
        self._session.send(1, now)

    def _heard(self, heard: EchoAnswer | EchoError) -> None:
        self.outcome = heard
        if isinstance(heard, EchoAnswer):
            delay = (heard.time - self._sent_at) * 1000
            text, clause = f"the ping has its answer, after {delay:.0f} ms", "RFC 4443 4.2"
        else:
            text, clause = "the ping has failed: address unreachable", "RFC 4861 7.2.2"
        self._stage.narrator.add_for(self._station, Step(heard.time, HOST, self._station.name, text, clause))


class Program:
    """A program on a host with a UDP socket; `received` counts the datagrams that it was given."""

    def __init__(self, stage: Stage, name: str, station: Station) -> None:
        self.received = 0
        self._stage = stage
        self._name = name
        self._station = station
        self._socket = station.host.udp.open(station.interface, self._heard)
        self._socket.reuse = True
        self._socket.bind(None, PORT)

    def listen(self, group: str, mode: FilterMode, *sources: str) -> None:
        """RFC 3810 3.1: from now on it wants the group from these sources, or from all but these."""
        wanted = SourceFilter(mode, frozenset(parse_address(source) for source in sources))
        self._stage.act(
            self._station,
            _wish(group, mode, sources),
            lambda now: self._socket.listen(parse_address(group), wanted, now),
            who=f"{self._station.name}'s {self._name}",
        )

    def _heard(self) -> None:
        self.received += 1
        step = Step(self._stage.world.now, HOST, self._station.name, f"the {self._name} gets it", "RFC 3810 4.2")
        self._stage.narrator.add_for(self._station, step)


def _wish(group: str, mode: FilterMode, sources: tuple[str, ...]) -> str:
    listed = " and ".join(sources)
    if mode is FilterMode.INCLUDE:
        return f"wants {group} from {listed} only" if sources else f"wants {group} no longer"
    return f"wants {group} from all but {listed}" if sources else f"wants {group}, whoever sends"


# -- asking


def link_local(station: Station) -> IPv6Address:
    """The link-local address that a host makes from its MAC."""
    return LINK_LOCAL_PREFIX + eui64_identifier(station.interface.mac)


def link_local_text(station: Station) -> str:
    """The same as text."""
    return format_address(link_local(station))


def neighbour_state(station: Station, other: Station) -> str:
    """The state of a host's entry for another host, ABSENT without one."""
    entry = station.interface.resolver.cache.get(link_local(other))
    return "ABSENT" if entry is None else entry.state.value


def group_record(station: Station, group: str) -> GroupRecord | None:
    """The record of a group in a host's multicast address list."""
    return station.interface.listener.groups.records.get(parse_address(group))


def address_state(station: Station, address: str) -> str:
    """The state of an address of a host, in a word; empty without it."""
    entry = station.interface.addresses.get(parse_address(address))
    return "" if entry is None else entry.state.value
