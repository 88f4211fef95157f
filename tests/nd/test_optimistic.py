"""Optimistic addresses: RFC 4429, from memory of its text; the sections are those of the RFC."""

import pytest

from stack import documents
from tests.nd.advertising import (
    NA,
    NS,
    OUR_ADDRESS,
    REPORT,
    ROUTER,
    ROUTER_MAC,
    advertisement,
    hears,
    prefix_option,
    ready,
)
from tests.playbook import (
    OUR_LINK_LOCAL,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Play,
    frame,
    icmp,
    ip,
    lladdr_option,
    packet,
    solicitation,
    text,
)
from tests.playbook import advertisement as neighbour_advertisement

OURS = text(ip(OUR_ADDRESS))
NEIGHBOUR = "2001:db8:1::77"
FAR = "2001:db8:ffff::1"
ECHO_REQUEST, ECHO_REPLY = 128, 129


def optimistic(**settings: int | str) -> Play:
    """A host that has just formed an address from the prefix of a router whose link-layer address it knows."""
    play = hears(ready(optimistic_dad=1, **settings), prefix_option())
    assert play.address(OURS) == "optimistic"
    return play


def ping(play: Play, destination: str, source: str = OURS) -> list[object]:
    heard: list[object] = []
    session = play.host.echoes.open(play.interface, ip(destination), heard.append, source=ip(source))
    session.send(1, play.now)
    play.settle()
    return heard


def redirect(target: str, destination: str) -> bytes:
    body = bytes(4) + ip(target) + ip(destination) + lladdr_option(2, PEER_MAC)
    return frame(packet(ROUTER, OURS, icmp(ROUTER, OURS, 137, 0, body)), mac=ROUTER_MAC)


def test_in_use_at_once() -> None:
    """3.3: no delay before the first probe, which leaves before the address is used; unique after RetransTimer."""
    play = optimistic()
    since = play.now
    frames = play.sent()
    assert [(each.kind, each.source, each.target) for each in frames if each.kind == NS] == [(NS, "::", OURS)]
    assert {each.time for each in frames} == {since}
    ping(play, FAR)
    (sent,) = play.sent(ECHO_REQUEST)
    assert (sent.source, sent.to, sent.time) == (OURS, ROUTER_MAC, since)
    play.run(since + 0.999)
    assert play.address(OURS) == "optimistic"
    play.run(since + 1.001)
    assert play.address(OURS) == "preferred"
    states = [event.state for event in play.told("address") if event.address == ip(OURS)]  # type: ignore[union-attr]
    assert states == ["optimistic", "preferred"]


def by_the_user() -> Play:
    play = hears(ready(optimistic_dad=1))
    play.add_address(OURS)
    return play


def after_a_duplicate() -> Play:
    """Another opaque identifier after one that another node has: no good reason to be optimistic is left."""
    play = hears(ready(optimistic_dad=1, addr_gen_mode=2, stable_secret="words"), prefix_option())
    (first,) = (each for each in play.interface.addresses.table if each[:2] == b"\x20\x01")
    play.receive(neighbour_advertisement(text(first), destination="ff02::1", flags="O"))
    return play


NOT_OPTIMISTIC = {
    "by default": lambda: hears(ready(), prefix_option()),
    "3.3: the router's link-layer address is not known": lambda: hears(
        ready(optimistic_dad=1), prefix_option(), lladdr=False
    ),
    "3.3: no default router": lambda: hears(ready(optimistic_dad=1), prefix_option(), lifetime=0),
    "3.1: given by the user": by_the_user,
    "3.1: not likely to be unique": after_a_duplicate,
    "3.3: the link-local address at the start": lambda: Play(optimistic_dad=1).start(until=None),
}


@pytest.mark.parametrize("make", NOT_OPTIMISTIC.values(), ids=NOT_OPTIMISTIC)
def test_which_addresses_are_optimistic(make) -> None:  # type: ignore[no-untyped-def]
    play = make()
    states = {entry.state.value for entry in play.interface.addresses.table.values()}
    assert "tentative" in states and "optimistic" not in states


def test_a_temporary_address_is_optimistic_too() -> None:
    play = optimistic(use_tempaddr=2)
    (temporary,) = (each for each in play.interface.addresses.table.values() if each.temporary)
    assert temporary.optimistic, "3.1: a random identifier"
    group = text(ip("ff02::1:ff00:0")[:13] + temporary.address[13:])
    said = [(each.kind, each.target) for each in play.sent() if each.target in (group, text(temporary.address))]
    assert said[:2] == [(REPORT, group), (NS, text(temporary.address))], "RFC 4862 5.4.2: the group first"


def test_without_detection_there_is_nothing_to_be_optimistic_about() -> None:
    play = hears(ready(optimistic_dad=1, dad_transmits=0), prefix_option())
    assert play.address(OURS) == "preferred"


def test_a_solicitation_is_answered_without_override() -> None:
    """3.3: MUST reply to a solicitation from a unicast address, with O 0; with O 1 once the address is unique."""
    play = optimistic()
    play.sent()
    play.receive(solicitation(OURS))
    (sent,) = play.sent(NA)
    assert (sent.target, sent.destination, sent.message[4]) == (OURS, PEER_LINK_LOCAL, 0x40)
    play.run(play.now + 2.0)
    play.receive(solicitation(OURS))
    (sent,) = play.sent(NA)
    assert sent.message[4] == 0x60


EVIDENCE = {
    "a probe from ::": solicitation(OURS, source="::"),
    "an advertisement to all nodes": neighbour_advertisement(OURS, destination="ff02::1", flags="O"),
    "an advertisement to the address": neighbour_advertisement(OURS, destination=OURS, flags="SO"),
}


@pytest.mark.parametrize("evidence", EVIDENCE.values(), ids=EVIDENCE)
def test_evidence_ends_it(evidence: bytes) -> None:
    """3.3: MUST NOT reply to a probe from ::; the address is a duplicate as a tentative one would be."""
    play = optimistic()
    play.sent()
    play.receive(evidence)
    assert play.address(OURS) == "duplicated"
    assert play.sent(NA) == []
    assert not play.interface.is_assigned(ip(OURS))
    with pytest.raises(Exception, match="no valid address"):
        ping(play, FAR)


def test_it_solicits_nobody() -> None:
    """3.2: MUST NOT be the source of a solicitation, also where an unreachable router is probed."""
    play = optimistic(delay_first_probe_time=0)
    play.sent()
    ping(play, FAR)
    play.run(play.now + 0.5)
    asked = [each for each in play.sent(NS) if each.source != "::"]
    assert [(each.source, each.target) for each in asked] == [(OUR_LINK_LOCAL, ROUTER)]


def test_it_solicits_nobody_even_where_no_other_address_could() -> None:
    play = optimistic(delay_first_probe_time=0, dad_transmits=20)
    play.remove_address(OUR_LINK_LOCAL)
    ping(play, FAR)
    play.run(play.now + 10.0)
    assert play.address(OURS) == "optimistic"
    assert {each.source for each in play.sent(NS)} == {"::"}, "3.2"


def test_to_an_unknown_neighbour_by_way_of_the_router() -> None:
    """3.2: MUST NOT resolve it; the packet goes to a router, whose redirect says where the neighbour is."""
    play = optimistic()
    play.sent()
    ping(play, NEIGHBOUR)
    (sent,) = play.sent()
    assert (sent.kind, sent.to, sent.destination) == (ECHO_REQUEST, ROUTER_MAC, NEIGHBOUR)
    assert play.neighbour(NEIGHBOUR) is None
    play.receive(redirect(NEIGHBOUR, NEIGHBOUR))
    ping(play, NEIGHBOUR)
    (sent,) = play.sent()
    assert (sent.kind, sent.to) == (ECHO_REQUEST, PEER_MAC)


def test_a_redirect_for_a_neighbour_is_believed_only_while_packets_to_it_go_to_the_router() -> None:
    """RFC 4861 8.1: only the first-hop router of a destination may redirect it; an on-link one has none."""
    play = optimistic()
    play.receive(redirect(NEIGHBOUR, NEIGHBOUR))
    assert play.neighbour(NEIGHBOUR) is None
    ping(play, NEIGHBOUR)
    play.run(play.now + 2.0)
    play.receive(redirect(NEIGHBOUR, NEIGHBOUR))
    assert play.neighbour(NEIGHBOUR) is None, "the address is unique by now"


def test_a_unique_source_resolves_as_ever() -> None:
    play = optimistic()
    play.sent()
    ping(play, PEER_LINK_LOCAL, OUR_LINK_LOCAL)
    (sent,) = play.sent()
    assert (sent.kind, sent.source, sent.target) == (NS, OUR_LINK_LOCAL, PEER_LINK_LOCAL)


def waiting(**settings: int | str) -> Play:
    """The router has gone, and a packet from an optimistic address to an unknown neighbour waits."""
    play = optimistic(**settings)
    hears(play, lifetime=0)
    play.sent()
    for _ in range(5):
        ping(play, NEIGHBOUR)
    assert play.sent() == []
    return play


def test_without_a_router_packets_wait_for_the_verdict() -> None:
    """3.2: otherwise the packet SHOULD be buffered until detection is through; as many as for any neighbour."""
    play = waiting(unres_qlen=3)
    assert play.host.counters.limits["unres_qlen"] == 2
    play.run(play.now + 1.5)
    (sent,) = play.sent()
    assert (sent.kind, sent.source, sent.target) == (NS, OURS, NEIGHBOUR)
    play.receive(neighbour_advertisement(NEIGHBOUR, destination=OURS))
    assert [(each.kind, each.to) for each in play.sent()] == [(ECHO_REQUEST, PEER_MAC)] * 3


@pytest.mark.parametrize("how", ["duplicate", "down", "removed"])
def test_what_waited_for_an_address_that_goes_is_dropped(how: str) -> None:
    play = waiting()
    before = play.host.counters.out_discards
    if how == "duplicate":
        play.receive(EVIDENCE["a probe from ::"])
    elif how == "down":
        play.interface.stop(play.now)
    else:
        play.remove_address(OURS)
    play.run(play.now + 20.0)
    assert play.sent(ECHO_REQUEST) == [] and play.sent(NS) == []
    assert play.host.counters.out_discards == before + 3


def test_it_stands_back_where_another_address_will_do() -> None:
    """RFC 4429 2.1: used as source like a deprecated one, if there is a preferred one of the same scope."""
    play = Play(optimistic_dad=1).start()
    play.add_address("2001:db8:9::5")
    play.run(play.now + 5.0)
    hears(play, prefix_option())
    near = "2001:db8:1::9"
    assert play.interface.source_for(ip(near)) == ip("2001:db8:9::5")
    play.run(play.now + 2.0)
    assert play.interface.source_for(ip(near)) == ip(OURS)


def test_a_new_lifetime_does_not_end_the_test() -> None:
    play = optimistic()
    play.receive(advertisement(prefix_option(preferred=7_000)))
    assert play.address(OURS) == "optimistic"
    play.receive(EVIDENCE["a probe from ::"])
    assert play.address(OURS) == "duplicated"


def test_a_preferred_lifetime_that_ends_meanwhile() -> None:
    play = hears(ready(optimistic_dad=1, dad_transmits=5), prefix_option(preferred=2))
    play.run(play.now + 10.0)
    assert play.address(OURS) == "deprecated"


def test_routers_are_told_once_when_it_is_used_first() -> None:
    """RFC 9131: the advertisement has O 0 as every one for an optimistic address."""
    play = optimistic(ndisc_notify=1)
    since = play.now
    play.run(play.now + 5.0)
    (sent,) = play.sent(NA)
    assert (sent.time, sent.target, sent.destination, sent.message[4]) == (since, OURS, "ff02::2", 0)


def test_what_is_shown() -> None:
    """The flags of ip: tentative, and optimistic beside it."""
    play = optimistic()
    (link,) = documents.link(play.interface, play.now, carrier=True)
    (shown,) = (each for each in link["addr_info"] if each["local"] == OURS)
    assert (shown["state"], shown["optimistic"], shown["tentative"]) == ("optimistic", True, True)
    play.run(play.now + 2.0)
    (link,) = documents.link(play.interface, play.now, carrier=True)
    (shown,) = (each for each in link["addr_info"] if each["local"] == OURS)
    assert shown["state"] == "preferred" and "optimistic" not in shown and "tentative" not in shown
