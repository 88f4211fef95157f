"""The form of a scenario: who is on the link, and steps of the kind (at, host, does, expects).

A scenario is data. `stack.sim.play` plays it on any back end: in the simulator, on
the stack over a TAP device, against a Linux host. On the last two the first of
the cast is real, and the simulator plays the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from stack.address import LINK_LOCAL_PREFIX, eui64_identifier, format_address, parse_address, parse_mac
from stack.sim.scenarios.actions import Action, Prefix
from stack.sim.scenarios.expectations import Frame, State

SIMULATOR, TAP, LINUX = "simulator", "tap", "linux"
STANDARD, NETBSD = "standard", "netbsd"


# -- the cast


@dataclass(frozen=True, slots=True)
class Host:
    """A host, switched off at first. `settings` are those of `sixtap set`, most of which are Linux's too."""

    name: str
    mac: str
    settings: tuple[tuple[str, int | str], ...] = ()
    # Whether its link-local address stands for it in the text.
    named: bool = True
    # The gateway on whose far link it is, if not on that of the others.
    beyond: str = ""

    @property
    def address(self) -> str:
        """The link-local address that it makes from its MAC."""
        return link_local(self.mac)


@dataclass(frozen=True, slots=True)
class Router:
    """A router, switched off at first; `lifetime` in seconds, `preference` -1, 0 or 1."""

    name: str
    mac: str
    prefixes: tuple[Prefix, ...] = ()
    lifetime: int = 1800
    preference: int = 0

    @property
    def address(self) -> str:
        """Its link-local address."""
        return link_local(self.mac)


@dataclass(frozen=True, slots=True)
class Querier:
    """A multicast router that asks when it is told to, and gives `delay` seconds for the answers."""

    name: str
    mac: str
    version: int = 2
    delay: float = 10.0

    @property
    def address(self) -> str:
        """Its link-local address."""
        return link_local(self.mac)


@dataclass(frozen=True, slots=True)
class Gateway:
    """A router that forwards between the link of the others and another one, on which `mtu` octets are the most.

    It advertises a prefix on either; `far_mac` is its MAC on the far link, where it advertises the MTU too.
    """

    name: str
    mac: str
    far_mac: str
    prefix: str
    far_prefix: str
    mtu: int

    @property
    def address(self) -> str:
        """Its link-local address on the link of the others."""
        return link_local(self.mac)


Role = Host | Router | Querier | Gateway


# What spares a scenario that which it is not about: detection, random delays of seconds, slow repeats.
_QUICK: dict[str, int | str] = {
    "dad_transmits": 0,
    "router_solicitation_delay": 0,
    "mldv1_unsolicited_report_interval": 200,
    "mldv2_unsolicited_report_interval": 200,
}


def host(
    name: str, mac: str, *, named: bool = True, quick: bool = False, beyond: str = "", **settings: int | str
) -> Host:
    """A host with some settings. It asks for routers only if it is told to: most scenarios have none.

    A `quick` one uses its addresses untested and at once, and repeats its reports soon.
    """
    usual: dict[str, int | str] = {"router_solicitations": 0}
    if quick:
        usual |= _QUICK
    return Host(name, mac, tuple((usual | settings).items()), named, beyond)


def link_local(mac: str) -> str:
    """The link-local address made from a MAC (RFC 4291 appendix A)."""
    return format_address(LINK_LOCAL_PREFIX + eui64_identifier(parse_mac(mac)))


def in_prefix(prefix: str, mac: str) -> str:
    """The address made from a prefix of 64 bits, as `2001:db8:1::`, and a MAC."""
    return format_address(parse_address(prefix)[:8] + eui64_identifier(parse_mac(mac)))


# -- steps


@dataclass(frozen=True, slots=True)
class Ask:
    """Under `--ask` the reader is asked this before what follows, which has to show that `right` is right."""

    text: str
    right: str
    wrong: tuple[str, ...]
    clause: str


@dataclass(frozen=True, slots=True)
class Say:
    """A paragraph for the reader."""

    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the story begins; `tell` is what of the hosts' insides belongs to it, with the narrator's words."""

    title: str
    tell: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Quiet:
    """From now on things happen untold, until the next `Part`."""


@dataclass(frozen=True, slots=True)
class At:
    """At `time`, in seconds from the start, `who` does `action`. What is expected next is expected from then on."""

    time: float
    who: str
    action: Action


@dataclass(frozen=True, slots=True)
class Expect:
    """Within so many seconds of the last action `who` sends the frame, or is in the state.

    A frame fulfils one expectation. With `then` it comes after the one that was
    expected before. `says` is told when it is so. With `personality` it is true of
    that one only, `row` is the row of docs/seed.md; `on` names the back ends that
    it is judged on, if not all.
    """

    who: str
    what: Frame | State
    within: float = 1.0
    then: bool = False
    says: str = ""
    personality: str = ""
    row: str = ""
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Never:
    """For so many seconds from the last action `who` sends no such frame but those that were expected."""

    who: str
    what: Frame
    during: float
    says: str = ""
    personality: str = ""
    row: str = ""
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Until:
    """Nothing is done until this time."""

    time: float


Step = Say | Part | Quiet | Ask | At | Expect | Never | Until


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario: `name` for the command line, `title` and `summary` in a line each.

    `snooping` says that the switch forwards groups to listeners only.
    `only_simulated` says why it is not for the other back ends, if it is not.
    `rows` are those of docs/seed.md that it shows under `--compare`.
    """

    name: str
    title: str
    summary: str
    cast: tuple[Role, ...]
    steps: Sequence[Step]
    snooping: bool = False
    only_simulated: str = ""
    rows: tuple[str, ...] = ()

    @property
    def subject(self) -> Role:
        """The one that is tried: real on the other back ends."""
        return self.cast[0]

    def role(self, name: str) -> Role:
        """One of the cast; KeyError for another name."""
        return {each.name: each for each in self.cast}[name]


def then(who: str, what: Frame, within: float = 1.0, *, says: str = "", on: tuple[str, ...] = ()) -> Expect:
    """A frame that comes after the one that was expected before."""
    return Expect(who, what, within, then=True, says=says, on=on)


# As they read in a scenario.
at, until, say, part, ask, expects, never = At, Until, Say, Part, Ask, Expect, Never
