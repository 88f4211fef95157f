"""What those in a scenario do; `words` tell it, a back end knows how to have it done.

Hosts do the first group of them, routers and queriers the others.
"""

from dataclasses import dataclass

# Where the programs of the scenarios receive: RTP (RFC 3551 8)
PORT = 5004
# The one that has no name of its own.
PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class SwitchOn:
    """A host's interface comes up; a router begins to advertise."""

    words = "is switched on"


@dataclass(frozen=True, slots=True)
class SwitchOff:
    """A host's interface goes down without a word; so does a router, or with a farewell (RFC 4861 6.2.5)."""

    farewell: bool = False

    @property
    def words(self) -> str:
        return "takes its leave" if self.farewell else "is switched off"


@dataclass(frozen=True, slots=True)
class Unplug:
    """The cable of one that the simulator plays is pulled out: nothing in or out, and it does not know."""

    words = "is unplugged"


@dataclass(frozen=True, slots=True)
class PlugIn:
    """The cable is back."""

    words = "is plugged in again"


@dataclass(frozen=True, slots=True)
class AddAddress:
    """The user gives the host an address."""

    address: str
    length: int = 64

    @property
    def words(self) -> str:
        return f"is given the address {self.address}"


@dataclass(frozen=True, slots=True)
class RemoveAddress:
    """The user takes an address away."""

    address: str
    length: int = 64

    @property
    def words(self) -> str:
        return f"loses the address {self.address}"


@dataclass(frozen=True, slots=True)
class SetMac:
    """The host has another MAC from now on, and starts over."""

    mac: str

    @property
    def words(self) -> str:
        return f"is given the MAC {self.mac} and starts over"


@dataclass(frozen=True, slots=True)
class Listen:
    """A program wants a group, from these sources (`include`) or from all but these (RFC 3810 3.1).

    `include` with no source ends it. `delay` puts the first report off, in seconds (RFC 4862 5.4.2).
    """

    group: str
    mode: str = "exclude"
    sources: tuple[str, ...] = ()
    program: str = PROGRAM
    delay: float = 0.0

    @property
    def words(self) -> str:
        listed = " and ".join(self.sources)
        if self.mode == "include":
            nothing = f"leaves {self.group}" if self.program == PROGRAM else f"wants {self.group} no longer"
            what = f"wants {self.group} from {listed} only" if listed else nothing
        else:
            what = f"wants {self.group} from all but {listed}" if listed else f"joins {self.group}"
        if self.delay:
            what += f", to be reported after {self.delay:g} s"
        return what


def join(group: str, *, program: str = PROGRAM, delay: float = 0.0) -> Listen:
    """A program joins a group, whoever sends."""
    return Listen(group, program=program, delay=delay)


def leave(group: str, *, program: str = PROGRAM) -> Listen:
    """The program leaves it."""
    return Listen(group, "include", program=program)


@dataclass(frozen=True, slots=True)
class Ping:
    """One echo request with 8 octets of data."""

    destination: str
    name: str = ""
    size: int = 8

    @property
    def words(self) -> str:
        sized = "" if self.size == 8 else f" with {self.size} octets"
        return f"pings {self.name or self.destination}{sized}"


@dataclass(frozen=True, slots=True)
class SendUdp:
    """One datagram."""

    destination: str
    port: int
    name: str = ""

    @property
    def words(self) -> str:
        return f"sends a datagram to port {self.port} of {self.name or self.destination}"


# -- routers


@dataclass(frozen=True, slots=True)
class Prefix:
    """A prefix that a router advertises, lifetimes in seconds."""

    prefix: str
    valid: int = 86_400
    preferred: int = 14_400


@dataclass(frozen=True, slots=True)
class Advertise:
    """A router changes what it says, and says it: prefixes, lifetime in seconds, preference (-1, 0, 1)."""

    says: str
    prefixes: tuple[Prefix, ...] | None = None
    lifetime: int | None = None
    preference: int | None = None

    @property
    def words(self) -> str:
        return self.says


# -- queriers


@dataclass(frozen=True, slots=True)
class Query:
    """A querier asks: for all groups, for one, or for sources of one; `delay` in seconds is what it gives."""

    group: str = "::"
    sources: tuple[str, ...] = ()
    delay: float | None = None
    hop_limit: int = 1

    @property
    def words(self) -> str:
        return "asks"


@dataclass(frozen=True, slots=True)
class Forward:
    """A router passes on what somebody elsewhere sends to a group: one datagram to the programs' port."""

    source: str
    group: str

    @property
    def words(self) -> str:
        return f"passes on what {self.source} sends to {self.group}"


# -- the link


@dataclass(frozen=True, slots=True)
class Lose:
    """The next so many frames of a kind that this one sends are lost on their way."""

    kind: str
    count: int = 1

    @property
    def words(self) -> str:
        return f"will be unlucky: its next {self.kind} is lost"


Action = (
    SwitchOn
    | SwitchOff
    | Unplug
    | PlugIn
    | AddAddress
    | RemoveAddress
    | SetMac
    | Listen
    | Ping
    | SendUdp
    | Advertise
    | Query
    | Forward
    | Lose
)
