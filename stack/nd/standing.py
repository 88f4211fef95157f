"""Who makes room when a table of what routers said is full: routers, prefixes, routes, addresses, DNS servers.

Anybody on the link can advertise new ones for ever, under any router's address.
So a newcomer takes the place of what came last, among those whose router counts
least: one that no packet of ours goes to before one that they go to, and both
before one that answers, too; what was advertised once before what was repeated.
What the host has used for long is thus never pushed out by what a flood brings,
and a flood's own entries are what an honest newcomer replaces.
"""

from collections.abc import Reversible
from typing import TYPE_CHECKING, Protocol, TypeVar

from stack.address import IPv6Address
from stack.nd.states import NeighborState

if TYPE_CHECKING:
    from stack.interface import Interface


class Advertised(Protocol):
    """What such tables hold: who said it last, and whether it was said more than once."""

    router: IPv6Address
    repeated: bool


_NOTHING = (0, False)
_T = TypeVar("_T", bound=Advertised)


def standing(interface: "Interface", router: IPv6Address) -> int:
    """2 for a router that packets of ours go to and that answers, 1 for one that they go to, 0 for any other.

    To answer our probes alone is not enough: those follow from what anybody asks us.
    """
    entry = interface.resolver.cache.get(router)
    if entry is None:
        return 0
    if entry.state is NeighborState.PERMANENT:
        return 2
    answers = entry.proven and entry.state is not NeighborState.UNREACHABLE
    return int(entry.wanted) + int(entry.wanted and answers)


def victim(interface: "Interface", entries: Reversible[_T], newcomer: IPv6Address) -> _T | None:
    """Which of a full table's entries, given in order of arrival, goes for one that the router `newcomer` brings.

    None if every one of them counts for more than the newcomer does. A flood finds what it brought last in the first
    step: nothing counts for less than what came once from a router that is not used.
    """
    chosen: _T | None = None
    least = (standing(interface, newcomer), True)
    for entry in reversed(entries):
        rank = (standing(interface, entry.router), entry.repeated)
        if rank < least or (chosen is None and rank == least):
            chosen, least = entry, rank
            if rank == _NOTHING:
                break
    return chosen
