"""The narrator: listens to a world and its hosts and writes down what happens, in order and in plain words.

Frames are described by `stack.explain.frame`, what hosts make of them comes from
their outcomes, their journals and their events. Nothing is told that one of these
did not say. The narrator changes nothing in the hosts.
"""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from stack import events
from stack.address import IPv6Address, MacAddress, format_address, format_mac
from stack.discard import Discard, Outcome
from stack.explain import frame as explain
from stack.journal import Record
from stack.link.switch import Port
from stack.multicast_filter import FilterPlan
from stack.sim.glossary import ADDRESS_STATES, event_words, outcome_words
from stack.sim.transcript import FRAME, HOST, OUTCOME, Step, Transcript
from stack.sim.world import Station, World

# What can be told of a host: three layers of the journal (the others repeat what frames and events say), and events.
NEIGHBOURS = "nd"
DETECTION = "dad"
GROUPS = "mld"
ADDRESSES = "addresses"
FILTER = "filter"
NOTHING: frozenset[str] = frozenset()
EVERYTHING = frozenset((NEIGHBOURS, DETECTION, GROUPS, ADDRESSES, FILTER))

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
        self.names: dict[bytes, str] = {}
        self.tell = EVERYTHING
        self.quiet = False
        self._world = world
        self._by_text: dict[str, str] = {}
        self._under_way: deque[_Sent] = deque(maxlen=_UNDER_WAY)
        self._within: dict[str, list[Step]] = {}
        self._plans: dict[str, FilterPlan] = {}
        world.watchers.append(self._on_frame)

    def watch(self, station: Station, addresses: tuple[IPv6Address, ...] = ()) -> None:
        """Tell of this host from now on; `addresses` are those that stand for it as receiver."""
        for address in addresses:
            self.names[address] = station.name
            self._by_text[format_address(address)] = station.name
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
            text = parts.text + headers + parts.remarks()
            told = Step(now, FRAME, who, text, to=parts.receiver(self.names))
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
            sent.step.within += [_outcome_step(now, port.name, outcome), *within]
        elif within and not self.quiet:
            self.transcript.steps += within
        within.clear()

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
