"""Names, titles and one-liners of all scenarios, the first one first: to list them, none need be imported."""

from typing import NamedTuple


class Listed(NamedTuple):
    """A scenario's name, which is its module's with dashes, its title, and what it is about in a line."""

    name: str
    title: str
    summary: str


LISTING = (
    Listed(
        "first",
        "A host meets its link",
        "the tour: addresses, a neighbour, a ping, a group, the last address gone and back",
    ),
    Listed(
        "configuration",
        "A host configures itself",
        "address configuration: a link-local address, a router, an address of its prefix",
    ),
    Listed(
        "duplicate",
        "Two hosts, one address",
        "a duplicate: a second host with the same MAC makes the same address; how it is cured",
    ),
    Listed(
        "taken",
        "An address that is taken",
        "a duplicate by hand: the user gives a host the address of another, which defends it",
    ),
    Listed(
        "unreachable",
        "Neighbours: found, lost, and never there",
        "resolution and unreachability: a MAC is found, a neighbour lost, another never there",
    ),
    Listed("lost", "Frames get lost", "a question, an answer and a report are lost: what is repeated, and what is not"),
    Listed(
        "answers",
        "What a host answers",
        "pings of an address, of all nodes and of a group; a datagram to a closed port",
    ),
    Listed(
        "snooping",
        "A switch that listens in",
        "joining under snooping: a report opens the port, an unanswered question closes it",
    ),
    Listed(
        "address-goes",
        "The last address goes, and comes back",
        "the last address going and coming back: groups are kept and reported again",
    ),
    Listed("query", "An old router asks", "a version 1 querier appears: hosts speak as it does, one answers for all"),
    Listed(
        "renumbering",
        "The network gets another prefix",
        "router renumbering: the old address fades, the new one is used, the router goes",
    ),
    Listed(
        "path-mtu",
        "The way is narrower than the link",
        "path MTU: a packet is too big for the way, the router says so, fragments follow",
    ),
    Listed(
        "routers", "Two routers", "two routers of different preference: which has the packets, and what when it goes"
    ),
    Listed("sources", "From whom a group is wanted", "source filters: programs want one group from different senders"),
    Listed("done", "Done, or forgotten", "row S21: who answered a query leaves, and mld6.c does not say Done"),
    Listed(
        "pending",
        "The report that never comes",
        "row S48: a peer reports before a delayed first report, and mld6.c stays silent",
    ),
    Listed(
        "references",
        "One of two programs ends",
        "row S61: one of two programs ends, and mld6.c forgets to repeat a lost report",
    ),
)


def listed(name: str) -> Listed:
    """The line of a scenario; KeyError if it has none."""
    return {each.name: each for each in LISTING}[name]
