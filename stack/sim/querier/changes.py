"""What a router tells of itself: the listeners that it believes in, its part on the link, and its warnings."""

from collections.abc import Callable
from typing import NamedTuple

from stack.address import IPv6Address
from stack.mld.filters import FilterMode
from stack.sim.querier.states import Role


class Listening(NamedTuple):
    """One group of the table (RFC 3810 7.2); addresses are 16 bytes, sorted.

    `sources` are the Include List or the Exclude List by `mode`, `requested` the
    Requested List of EXCLUDE mode. Deadlines are times on the router's clock:
    `filter_timer` is None in INCLUDE mode, `timers` has those of sources that run.
    """

    group: IPv6Address
    mode: FilterMode
    sources: tuple[IPv6Address, ...]
    requested: tuple[IPv6Address, ...] = ()
    filter_timer: float | None = None
    timers: tuple[tuple[IPv6Address, float], ...] = ()
    version_1: bool = False

    def forwards(self, source: IPv6Address) -> bool:
        """7.3: whether the router suggests to forward what `source` sends to the group."""
        return (source in self.sources) == (self.mode is FilterMode.INCLUDE)


class GroupChange(NamedTuple):
    """What is forwarded of a group has changed; `listening` is None if it has no listener any more."""

    time: float
    group: IPv6Address
    listening: Listening | None


class RoleChange(NamedTuple):
    """The router has another part; `querier` is the address of who asks now."""

    time: float
    role: Role
    querier: IPv6Address


class Warned(NamedTuple):
    """What RFC 3810 asks to warn about, not more often than once in a while."""

    time: float
    text: str
    clause: str


Change = GroupChange | RoleChange | Warned
Tell = Callable[[Change], None]
# Group, sources (none: of the address alone), the S flag, now.
Ask = Callable[[IPv6Address, tuple[IPv6Address, ...], bool, float], None]
