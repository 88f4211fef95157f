"""What a scenario expects: frames by their plain fields, and states of a host as `ip` and `bridge` show them.

Both are data. A frame pattern is matched against a `Sighting`, a state is read off
a `View`, which every back end offers in the shapes of `stack.documents`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from stack.sim.sighting import Record, Sighting

LINK_LOCAL = "a link-local address"
ABSENT = "absent"
DUPLICATED = "duplicated"


class View(Protocol):
    """A host as it is now. Addresses are text; `neighbours` are states by address, in iproute2's words.

    `addresses` has the objects of `addr_info` by address, `pings` what became of
    the last ping to an address: "answered", "failed" or "".
    """

    def addresses(self) -> Mapping[str, Mapping[str, Any]]: ...
    def neighbours(self) -> Mapping[str, str]: ...
    def routes(self) -> Sequence[Mapping[str, Any]]: ...
    def path_mtus(self) -> Mapping[str, int]: ...
    def groups(self) -> frozenset[str]: ...
    def snooped(self) -> frozenset[str]: ...
    def ping_outcome(self, destination: str) -> str: ...
    def received(self, program: str) -> int: ...


# -- frames


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame by its fields; what is empty may be anything. `record` is one of those of a version 2 report."""

    kind: str
    source: str = ""
    destination: str = ""
    target: str = ""
    flags: str = ""
    hop_limit: int = 0
    code: int = -1
    record: Record | None = None

    def matches(self, seen: Sighting) -> bool:
        """Whether the frame is such a one."""
        if self.kind != seen.kind or (self.record is not None and self.record not in seen.records):
            return False
        if self.source == LINK_LOCAL:
            source = seen.source.startswith("fe80:")
        else:
            source = self.source in ("", seen.source)
        return (
            source
            and self.destination in ("", seen.destination)
            and self.target in ("", seen.target)
            and self.flags in ("", seen.flags)
            and self.hop_limit in (0, seen.hop_limit)
            and self.code in (-1, seen.code)
        )

    @property
    def words(self) -> str:
        """The pattern for people."""
        parts = [self.kind]
        if self.record is not None:
            parts.append(f"with {record_words(self.record)}")
        for word, value in (
            ("about", self.target),
            ("from", self.source),
            ("to", self.destination),
            ("with flags", self.flags),
        ):
            if value:
                parts.append(f"{word} {value}")
        return " ".join(parts)


def record_words(record: Record) -> str:
    """`TO_EX ({}) of GROUP`, as RFC 3810 writes it."""
    return f"{record.kind} ({{{', '.join(sorted(record.sources))}}}) of {record.group}"


def solicitation(target: str, *, source: str = "", destination: str = "") -> Frame:
    """A neighbour solicitation for an address."""
    return Frame("neighbour solicitation", source, destination, target)


def advertisement(target: str, *, source: str = "", destination: str = "", flags: str = "") -> Frame:
    """A neighbour advertisement of an address; `flags` of R, S and O."""
    return Frame("neighbour advertisement", source, destination, target, flags)


def router_solicitation(*, source: str = "") -> Frame:
    """A router solicitation."""
    return Frame("router solicitation", source, "ff02::2")


def router_advertisement(*, destination: str = "") -> Frame:
    """A router advertisement."""
    return Frame("router advertisement", "", destination)


def report(kind: str, group: str, *sources: str, source: str = "") -> Frame:
    """A version 2 report with a record of this kind (TO_EX, ALLOW, ...) for a group and these sources."""
    record = Record(kind, group, frozenset(sources))
    return Frame("MLD version 2 report", source, "ff02::16", hop_limit=1, record=record)


def report1(group: str, *, source: str = "") -> Frame:
    """A version 1 report of a group."""
    return Frame("MLD version 1 report", source, group, group, hop_limit=1)


def done(group: str) -> Frame:
    """A version 1 Done of a group."""
    return Frame("MLD version 1 Done", "", "ff02::2", group, hop_limit=1)


def echo_request(destination: str, *, source: str = "") -> Frame:
    """An echo request."""
    return Frame("echo request", source, destination)


def echo_reply(destination: str, *, source: str = "") -> Frame:
    """An echo reply."""
    return Frame("echo reply", source, destination)


# -- states


@dataclass(frozen=True, slots=True)
class Address:
    """The state of an address: absent, tentative, preferred, deprecated or duplicated."""

    address: str
    state: str

    def read(self, view: View) -> str:
        """Its state now; iproute2's flags are read as well as our word."""
        entry = view.addresses().get(self.address)
        if entry is None:
            return ABSENT
        for flag, state in (("dadfailed", DUPLICATED), ("tentative", "tentative"), ("deprecated", "deprecated")):
            if entry.get(flag):
                return state
        return "preferred"

    def holds(self, view: View) -> bool:
        return self.read(view) == self.state

    @property
    def words(self) -> str:
        return f"address {self.address} is {self.state}"


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The state of a neighbour, or several that will do; absent without an entry."""

    address: str
    states: tuple[str, ...]

    def read(self, view: View) -> str:
        return view.neighbours().get(self.address, ABSENT)

    def holds(self, view: View) -> bool:
        return self.read(view) in self.states

    @property
    def words(self) -> str:
        return f"neighbour {self.address} is {' or '.join(self.states)}"


@dataclass(frozen=True, slots=True)
class Routers:
    """Exactly these are the default routers, the preferred ones first."""

    addresses: tuple[str, ...]

    def read(self, view: View) -> str:
        gateways = [each for each in view.routes() if each.get("dst") == "default" and "gateway" in each]
        order = {"high": 0, "medium": 1, "low": 2}
        gateways.sort(key=lambda each: order.get(each.get("pref", "medium"), 1))
        return ", ".join(each["gateway"] for each in gateways) or "none"

    def holds(self, view: View) -> bool:
        return self.read(view) == (", ".join(self.addresses) or "none")

    @property
    def words(self) -> str:
        return f"the default routers are {', '.join(self.addresses) or 'none'}"


@dataclass(frozen=True, slots=True)
class Listening:
    """Whether the host listens to a group."""

    group: str
    yes: bool = True

    def read(self, view: View) -> str:
        return "in the list" if self.group in view.groups() else "not in the list"

    def holds(self, view: View) -> bool:
        return (self.group in view.groups()) == self.yes

    @property
    def words(self) -> str:
        return f"{self.group} is {'' if self.yes else 'not '}in the list of groups"


@dataclass(frozen=True, slots=True)
class Snooped:
    """Whether the switch believes that there is a listener to a group at the host's port."""

    group: str
    yes: bool = True

    def read(self, view: View) -> str:
        return "at the port" if self.group in view.snooped() else "not at the port"

    def holds(self, view: View) -> bool:
        return (self.group in view.snooped()) == self.yes

    @property
    def words(self) -> str:
        return f"the switch has {self.group} {'' if self.yes else 'no longer '}at the port"


@dataclass(frozen=True, slots=True)
class Pinged:
    """What became of the last ping to an address: answered, failed, or nothing yet ("")."""

    destination: str
    outcome: str = "answered"

    def read(self, view: View) -> str:
        return view.ping_outcome(self.destination)

    def holds(self, view: View) -> bool:
        return self.read(view) == self.outcome

    @property
    def words(self) -> str:
        return f"the ping to {self.destination} is {self.outcome or 'unanswered'}"


@dataclass(frozen=True, slots=True)
class Received:
    """How many datagrams a program of the host was given so far."""

    program: str
    count: int

    def read(self, view: View) -> str:
        return str(view.received(self.program))

    def holds(self, view: View) -> bool:
        return view.received(self.program) == self.count

    @property
    def words(self) -> str:
        return f"the {self.program} was given {self.count} datagrams"


@dataclass(frozen=True, slots=True)
class PathMtu:
    """What the host has learnt of the way to a destination: the longest packet in octets."""

    destination: str
    mtu: int

    def read(self, view: View) -> str:
        return str(view.path_mtus().get(self.destination, "")) or "unknown"

    def holds(self, view: View) -> bool:
        return view.path_mtus().get(self.destination) == self.mtu

    @property
    def words(self) -> str:
        return f"the way to {self.destination} takes {self.mtu} octets"


def path_mtus(cache: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """The MTUs in a document of `ip -6 -j route show cache`, by destination."""
    return {each["dst"]: metric["mtu"] for each in cache for metric in each.get("metrics", ()) if "mtu" in metric}


State = PathMtu | Address | Neighbour | Routers | Listening | Snooped | Pinged | Received
