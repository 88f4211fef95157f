"""The narrator: listens to a world and its hosts and writes down what happens, in order and in plain words.

Frames are described by `stack.explain.frame`, what hosts make of them comes from
their outcomes, their journals and their events. Nothing is told that one of these
did not say. The narrator changes nothing in the hosts.
"""

import re
from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from stack import events
from stack.address import (
    ALL_MLDV2_ROUTERS,
    ALL_NODES,
    ALL_ROUTERS,
    IPv6Address,
    MacAddress,
    format_address,
    format_mac,
    parse_address,
)
from stack.discard import Discard, Outcome, Verdict
from stack.explain import frame as explain
from stack.journal import Record
from stack.link.switch import Port
from stack.multicast_filter import FilterPlan
from stack.sim.glossary import ADDRESS_STATES, event_words, outcome_words
from stack.sim.transcript import FRAME, HOST, OUTCOME, States, Step, Transcript
from stack.sim.world import Station, World

# What can be told of a host: three layers of the journal (the others repeat what frames and events say), and events.
NEIGHBOURS = "nd"
DETECTION = "dad"
GROUPS = "mld"
ADDRESSES = "addresses"
FILTER = "filter"
# How every frame ends in everybody, and reports that only repeat what was said.
IGNORED = "ignored"
REPEATS = "repeats"
NOTHING: frozenset[str] = frozenset()
EVERYTHING = frozenset((NEIGHBOURS, DETECTION, GROUPS, ADDRESSES, FILTER))
# How a frame's usual receivers are called in a story.
RECEIVERS = {ALL_NODES: "all (ff02::1)", ALL_ROUTERS: "routers (ff02::2)", ALL_MLDV2_ROUTERS: "routers (ff02::16)"}
# What is said of a frame that matters to its receiver only.
_DETAIL = re.compile(
    r" \(nonce [0-9a-f]+\)| \(robustness [^)]*\)| I am at [0-9a-f:]+| \(from [0-9a-f:]+\)|, from [0-9a-f:]{17}"
)
_REPORTS = ("MLD version 1 report", "MLD version 2 report")

# Frames that may still be on their way; the oldest is given up first.
_UNDER_WAY = 256


class _Sent(NamedTuple):
    """A frame on the link, its step if it is told, and the ports that have received it."""

    frame: bytes
    step: Step | None
    heard: set[str]


class Narrator:
    """Writes the transcript of a world. Hosts are told apart by the names of their ports.

    `tell` holds what is told of the insides of hosts; while `quiet` is set
    nothing is told, only counted.
    """

    def __init__(self, world: World) -> None:
        self.transcript = Transcript()
        self.names: dict[bytes, str] = dict(RECEIVERS)
        self.tell = EVERYTHING
        self.quiet = False
        self._stations: list[Station] = []
        self._said: set[tuple[str, str]] = set()
        self._states: States = {}
        self._world = world
        self._by_text: dict[str, str] = {}
        self._under_way: deque[_Sent] = deque(maxlen=_UNDER_WAY)
        self._within: dict[str, list[Step]] = {}
        self._plans: dict[str, FilterPlan] = {}
        world.watchers.append(self._on_frame)

    def name(self, address: str, name: str) -> None:
        """An address stands for somebody from now on, in frames and in what hosts say of it."""
        self.names[parse_address(address)] = name
        self._by_text[address] = name

    def watch(self, station: Station, addresses: tuple[IPv6Address, ...] = ()) -> None:
        """Tell of this host from now on; `addresses` are those that stand for it as receiver."""
        for address in addresses:
            self.names[address] = station.name
            self._by_text[format_address(address)] = station.name
        self._stations.append(station)
        self._within[station.name] = []
        station.host.journal.listen(lambda record: self._on_record(station, record))
        station.host.listeners.append(lambda event: self._on_event(station, event))

    def add(self, step: Step) -> None:
        """Write a step down, unless the narrator is quiet."""
        if not self.quiet:
            self.transcript.steps.append(step)

    def add_for(self, station: Station, step: Step) -> None:
        """Write a step of a host down: beneath the frame that it is receiving, or on its own."""
        if station.host.journal.frame is not None:
            self._within[station.name].append(step)
        else:
            self.add(step)

    def begin(self, tell: frozenset[str]) -> None:
        """A part of the story begins, of which this is told."""
        self.tell = tell
        self.quiet = False
        self._said.clear()
        self._states = self.states()

    def states(self) -> States:
        """What states there are in the hosts at this moment."""
        return {station.name: states_of(station, self._by_text, self._world.now) for station in self._stations}

    # -- frames

    def _on_frame(self, now: float, port: Port, frame: bytes, outcome: Outcome | None) -> None:
        if outcome is None:
            self._sent(now, port, frame)
        else:
            self._received(now, port, frame, outcome)

    def _sent(self, now: float, port: Port, frame: bytes) -> None:
        parts = explain.account(frame)
        self.transcript.frames[parts.kind] += 1
        told = None
        if not self.quiet:
            who = port.name
            if parts.source is not None and self.names.get(parts.source) != port.name:
                who += f" ({format_address(parts.source)})"
            headers = "".join(f"; {header}" for header in parts.headers if header not in _UNREMARKABLE)
            text = without_details(parts.text) + headers + parts.remarks()
            if parts.kind not in _REPORTS or REPEATS in self.tell or (who, text) not in self._said:
                told = Step(now, FRAME, who, text, to=parts.receiver(self.names))
                self._said.add((who, text))
                before, self._states = self._states, self.states()
                told.states = before, self._states
                self.add(told)
        self._under_way.append(_Sent(frame, told, set()))

    def _received(self, now: float, port: Port, frame: bytes, outcome: Outcome) -> None:
        within = self._within.get(port.name, [])
        sent = next(
            (each for each in reversed(self._under_way) if each.frame == frame and port.name not in each.heard), None
        )
        if sent is not None:
            sent.heard.add(port.name)
        if sent is not None and sent.step is not None:
            if self._is_told(port.name, outcome):
                sent.step.within.append(_outcome_step(now, port.name, outcome))
            sent.step.within += within
            if sent.step.states is not None:
                self._states = self.states()
                sent.step.states = sent.step.states[0], self._states
        elif within and not self.quiet:
            self.transcript.steps += within
        within.clear()

    def _is_told(self, name: str, outcome: Outcome) -> bool:
        """Whether it is worth a line how a frame ended in a receiver: nothing is expected of most of them."""
        if IGNORED in self.tell:
            return True
        return name in self._within and outcome not in (Discard.NOT_FOR_US, Verdict.DELIVERED)

    # -- hosts

    def _on_record(self, station: Station, record: Record) -> None:
        if record.layer not in self.tell or _is_idle(record):
            return
        subject, colon, event = record.what.partition(": ")
        if not colon:
            subject, event = "", record.what
        about = self._subject(subject)
        text = event_words(event, record.before, record.after)
        if about and not record.before:
            text = f"{about}: {text}"
        self.add_for(
            station,
            Step(record.time, HOST, station.name, text, record.clause, about, record.before, record.after),
        )

    def _subject(self, subject: str) -> str:
        """`neighbour ADDRESS` with the name of the host that has the address."""
        kind, _, address = subject.partition(" ")
        return f"{kind} {self._by_text.get(address, address)}" if kind == "neighbour" else subject

    def _on_event(self, station: Station, event: events.Event) -> None:
        worded = self._event_words(station, event)
        if worded is not None:
            text, clause = worded
            self.add_for(station, Step(self._world.now, HOST, station.name, text, clause))

    def _event_words(self, station: Station, event: events.Event) -> tuple[str, str] | None:
        """What to say of an event; nothing of those that the journal tells with their states."""
        if isinstance(event, events.FilterChanged):
            text = filter_words(self._plans.get(station.name), event.plan)
            self._plans[station.name] = event.plan
            return (text, "RFC 2464 7") if text and FILTER in self.tell else None
        if isinstance(event, events.AddressChanged):
            text, clause = ADDRESS_STATES.get(event.state, (event.state, ""))
            return (f"address {format_address(event.address)} {text}", clause) if ADDRESSES in self.tell else None
        if isinstance(event, events.InterfaceDisabled):
            return event.text(), "RFC 4862 5.4.5"
        if isinstance(event, events.AddressConflict):
            return event.text(), "RFC 4862 5.4.4"
        return None


def states_of(station: Station, names: Mapping[str, str], now: float) -> dict[str, str]:
    """The states of a host by what has them, in the RFCs' words; `names` are those of neighbours."""
    interface = station.interface
    found = {
        f"address {format_address(entry.address)}": entry.state.value for entry in interface.addresses.table.values()
    }
    for neighbour in interface.resolver.cache.entries.values():
        text = format_address(neighbour.address)
        found[f"neighbour {names.get(text, text)}"] = neighbour.state.value
    for record in interface.listener.groups.records.values():
        if record.group != ALL_NODES:
            state, _ = interface.listener.state_of(record)
            saved = ", saved" if record.interface_address is None else ""
            found[f"group {format_address(record.group)}"] = state.value + saved
    for _, length, gateway, _, _ in interface.routers.listing(now):
        if not length:
            text = format_address(gateway)
            found[f"router {names.get(text, text)}"] = "in use"
    return found


def without_details(text: str) -> str:
    """What a frame says, without what matters to its receiver only."""
    return _DETAIL.sub("", text)


# What every MLD message must carry (RFC 2710 3) is not worth a word each time.
_UNREMARKABLE = frozenset(("hop-by-hop options (router alert)",))


def _outcome_step(now: float, name: str, outcome: Outcome) -> Step:
    clause = outcome.clause if isinstance(outcome, Discard) else ""
    return Step(now, OUTCOME, name, outcome_words(outcome), clause)


def _is_idle(record: Record) -> bool:
    """Whether nothing came of it: the state is the same, and nothing was sent or armed either."""
    if record.before != record.after:
        return False
    if record.layer == NEIGHBOURS:
        return "retransmit" not in record.what
    return record.after == "silent" or (record.after == "idle" and "report received" in record.what)


def _listed(plan: FilterPlan) -> tuple[MacAddress, ...]:
    return plan.unicast + plan.exact + plan.hashed


def filter_words(before: FilterPlan | None, after: FilterPlan) -> str:
    """What a network card lets through since its filter changed; empty if that is what it did before."""
    if after.off:
        return "the network card's filter is off: everything passes"
    if after.allmulti:
        return "the network card lets every multicast frame through"
    if before is None:
        return f"the network card lets through {_macs(_listed(after))} and nothing else"
    new = [mac for mac in _listed(after) if mac not in _listed(before)]
    old = [mac for mac in _listed(before) if mac not in _listed(after)]
    parts = []
    if new:
        parts.append(f"the network card lets {_macs(new)} through from now on")
    if old:
        parts.append(f"the network card stops {_macs(old)} from now on")
    return ", ".join(parts)


def _macs(macs: Iterable[MacAddress]) -> str:
    return ", ".join(format_mac(mac) for mac in macs)
