"""Source address selection (RFC 6724 5) among the assigned unicast addresses of one interface."""

from functools import lru_cache
from typing import TYPE_CHECKING

from stack.address import IPv6Address, common_prefix_length, matches_prefix, parse_address, scope
from stack.nd.interface_address import AddressState

if TYPE_CHECKING:
    from stack.nd.addresses import AddressTable
    from stack.nd.interface_address import InterfaceAddress

_LABELS_KEPT = 1_024

# RFC 6724 2.1: (prefix, length, label), longest first.
_POLICY = tuple(
    (parse_address(prefix), length, label)
    for prefix, length, label in (
        ("::1", 128, 0),
        ("::ffff:0:0", 96, 4),
        ("::", 96, 3),
        ("2001::", 32, 5),
        ("2002::", 16, 2),
        ("3ffe::", 16, 12),
        ("fec0::", 10, 11),
        ("fc00::", 7, 13),
        ("::", 0, 1),
    )
)


@lru_cache(_LABELS_KEPT)
def label(address: IPv6Address) -> int:
    """The label of the default policy table."""
    return next(each for prefix, length, each in _POLICY if matches_prefix(address, prefix, length))


def select(addresses: "AddressTable", destination: IPv6Address, *, optimistic: bool = True) -> IPv6Address | None:
    """The source for a packet to `destination`, or None if no address may be used; `optimistic` ones if so said.

    RFC 6724 4: for a link-local or narrower destination any assigned address is a
    candidate; all are of the interface that the packet leaves by.
    """
    candidates = [
        entry
        for entry in addresses.table.values()
        if (entry.assigned if optimistic else entry.unique) and not entry.anycast
    ]
    if len(candidates) < 2:
        return candidates[0].address if candidates else None
    prefer_temporary = addresses.prefer_temporary
    router = addresses.router_towards(destination)

    def rank(entry: "InterfaceAddress") -> tuple[int, ...]:
        by_router = router is not None and addresses.is_of(entry.address, router)
        return _rank(entry, destination, prefer_temporary, by_router)

    return max(candidates, key=rank).address


def _rank(
    entry: "InterfaceAddress", destination: IPv6Address, prefer_temporary: bool, by_router: bool
) -> tuple[int, ...]:
    """Section 5 as one comparable tuple; a greater one is preferred.

    Rule 4 is about mobile nodes, and for rule 5 all addresses are of one interface.
    """
    mine, theirs = scope(entry.address), scope(destination)
    return (
        entry.address == destination,  # rule 1
        # rule 2: the smallest scope that reaches; among those that do not, the greatest
        mine >= theirs,
        -mine if mine >= theirs else mine,
        entry.state
        is AddressState.PREFERRED,  # rule 3; RFC 4429 2.1: an optimistic one stands back like a deprecated one
        by_router,  # rule 5.5: in a prefix that the next hop advertises
        label(entry.address) == label(destination),  # rule 6
        entry.temporary is prefer_temporary,  # rule 7
        # rule 8: no further than the prefix that the address itself has
        min(common_prefix_length(entry.address, destination), entry.prefix_length),
    )
