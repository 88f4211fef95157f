"""RFC 4862: clauses that no other test shows by itself, their section in each name; docs/conformance.md has all."""

from collections.abc import Callable

import pytest

from stack.discard import Verdict
from stack.errors import RefusedError
from stack.nd.interface_address import InterfaceAddress
from stack.settings import Settings
from tests.nd.advertising import NS, addresses, advertisement, prefix_option, ready
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Play,
    frame,
    group_mac,
    icmp,
    ip,
    packet,
    solicitation,
    text,
)
from tests.playbook import advertisement as neighbour_advertisement
from tests.udp.common import datagram, datagrams

YEAR = 365.0 * 86_400.0
OLD, NEW = "2001:db8:1::1", "2001:db8:2::1"
PEER = "2001:db8:1::9"


def test_5_1_the_default() -> None:
    """5.1: DupAddrDetectTransmits, default 1."""
    assert Settings().dad_transmits == 1
    play = Play().start(until=None)
    play.run(20.0)
    assert len([each for each in play.sent(NS) if each.source == "::"]) == 1


# -- 5.3

ENABLED: dict[str, Callable[[Play], object]] = {
    "at system startup": lambda play: None,
    "after being disabled by management": lambda play: (
        play.interface.stop(play.now),
        play.interface.start(play.now),
    ),
    "after a reinitialisation": lambda play: play.interface.restart(play.now),
    "after a duplicate has disabled it": lambda play: (
        play.interface.disable(play.now),
        play.interface.start(play.now),
    ),
}


@pytest.mark.parametrize("event", ENABLED.values(), ids=ENABLED)
def test_5_3_formed_whenever_the_interface_becomes_enabled(event: Callable[[Play], object]) -> None:
    """5.3: the events after which a link-local address is formed, and tested (5.4)."""
    play = Play()
    assert play.address() is None
    play.start()
    event(play)
    play.run(play.now + 5.0)
    assert play.address() == "preferred"


def test_5_3_it_never_times_out() -> None:
    """5.3: a link-local address has an infinite preferred and valid lifetime."""
    play = Play().start()
    entry = play.interface.addresses.get(ip(OUR_LINK_LOCAL))
    assert entry is not None and (entry.preferred_until, entry.valid_until) == (None, None)
    play.run(play.now + 10 * YEAR)
    assert play.address() == "preferred"


# -- 5.4


def by_the_user(play: Play) -> None:
    play.add_address("2001:db8:1::77")


def by_a_router(play: Play) -> None:
    play.receive(advertisement(prefix_option()))


OBTAINED: dict[str, tuple[dict[str, int], Callable[[Play], object], int]] = {
    "link-local, of the interface itself": ({}, lambda play: play.interface.restart(play.now), 1),
    "link-local, opaque": ({"addr_gen_mode": 3}, lambda play: play.interface.restart(play.now), 1),
    "by the user": ({}, by_the_user, 1),
    "by the user before the interface is enabled": (
        {},
        lambda play: (play.interface.stop(play.now), by_the_user(play), play.interface.start(play.now)),
        2,
    ),
    "by a router's prefix": ({}, by_a_router, 1),
    "by a router's prefix, opaque": ({"addr_gen_mode": 3}, by_a_router, 1),
    "by a router's prefix, temporary beside stable": ({"use_tempaddr": 1}, by_a_router, 2),
}


@pytest.mark.parametrize(("settings", "obtain", "count"), OBTAINED.values(), ids=OBTAINED)
def test_5_4_every_address_is_tested_however_it_was_obtained(
    settings: dict[str, int], obtain: Callable[[Play], object], count: int
) -> None:
    """5.4: detection MUST be performed on all unicast addresses prior to assigning them."""
    play = ready(**settings)
    play.events.clear()
    obtain(play)
    play.settle()
    told = [event for event in play.told("address") if event.state == "tentative"]  # type: ignore[attr-defined]
    tested = {event.address for event in told}  # type: ignore[attr-defined]
    assert len(tested) == count
    assert all(not play.interface.is_assigned(each) for each in tested)
    play.run(play.now + 5.0)
    probed = {each.target for each in play.sent(NS) if each.source == "::"}
    assert probed == {text(each) for each in tested}, "a probe for each"
    assert all(play.interface.is_assigned(each) for each in tested)


def test_5_4_2_both_groups_are_listened_to_before_the_probe() -> None:
    """5.4.2: before the solicitation the interface MUST join all-nodes and the address's solicited-node group."""
    play = Play()
    play.add_address("2001:db8::77")
    play.start(until=None)
    play.run(5.0)
    programmed: set[bytes] = set()
    probes = 0
    for kind, what in play.log:
        if kind == "filter":
            programmed = set(what.exact)  # type: ignore[attr-defined]
        elif what.kind == NS and what.source == "::":  # type: ignore[attr-defined]
            probes += 1
            assert {group_mac(ip("ff02::1")), what.to} <= programmed  # type: ignore[attr-defined]
    assert probes == 2


# -- 5.5


def test_5_5_on_by_default() -> None:
    """5.5: the processing MUST be enabled by default."""
    settings = Settings()
    assert (settings.accept_ra, settings.autoconf) == (1, 1)
    play = ready()
    play.receive(advertisement(prefix_option()))
    play.run(play.now + 5.0)
    assert [play.address(each) for each in addresses(play)] == ["preferred"]


@pytest.mark.parametrize("mode", [0, 3], ids=["EUI-64", "opaque"])
@pytest.mark.parametrize("prefix", ["fe80::", "fe80:1::"])
def test_5_5_3_b_the_link_local_prefix(prefix: str, mode: int) -> None:
    """5.5.3 b: silently ignored: no address is made of it, and the one that is there keeps its lifetimes."""
    play = ready(addr_gen_mode=mode)
    before = {each: (entry.preferred_until, entry.valid_until) for each, entry in table(play).items()}
    assert list(before.values()) == [(None, None)]
    play.receive(advertisement(prefix_option(prefix, valid=10_000, preferred=0)))
    play.run(play.now + 5.0)
    assert {each: (entry.preferred_until, entry.valid_until) for each, entry in table(play).items()} == before
    assert play.told("address") == []


def test_5_5_3_d_a_valid_lifetime_of_0_forms_no_address() -> None:
    """5.5.3 d: an address is formed if the valid lifetime is not 0; else there is none, not for a moment."""
    play = ready()
    play.receive(advertisement(prefix_option(valid=0, preferred=0), destination=OUR_LINK_LOCAL))
    assert addresses(play) == []
    play.run(play.now + 5.0)
    assert play.told("address") == [] and play.sent(NS) == []


def table(play: Play) -> dict[bytes, InterfaceAddress]:
    return play.interface.addresses.table


def deprecated(old_valid: float = 7200.0) -> Play:
    """A host whose OLD address, on the link of PEER, will be deprecated in 100 s, and whose NEW one will not."""
    play = Play().start()
    play.add_address(OLD, preferred_lifetime=100.0, valid_lifetime=old_valid, nodad=True)
    play.add_address(NEW, nodad=True)
    play.ping(PEER)
    play.receive(neighbour_advertisement(PEER, destination=OLD))
    play.sent()
    return play


def grow_old(play: Play) -> None:
    """OLD is deprecated; PEER is a neighbour that has just answered."""
    play.run(play.now + 101.0)
    assert (play.address(OLD), play.address(NEW)) == ("deprecated", "preferred")
    play.ping(PEER)
    play.receive(neighbour_advertisement(PEER, destination=OLD))
    play.sent()


def test_5_5_4_what_goes_on_keeps_its_source() -> None:
    """5.5.4: a deprecated address SHOULD continue to be the source in existing communications."""
    play = deprecated()
    bound = play.host.udp.open()
    bound.bind(ip(OLD), 5000)
    connected = play.host.udp.open()
    connected.connect(ip(PEER), 7)
    session = play.host.echoes.open(play.interface, ip(PEER), lambda heard: None, source=ip(OLD))
    for each in (bound, connected):
        each.send(b"before", ip(PEER), 7, play.now)
    play.settle()
    assert [each.source for each in datagrams(play)] == [OLD, OLD]
    grow_old(play)
    for each in (bound, connected):
        each.send(b"after", ip(PEER), 7, play.now)
    session.send(1, play.now)
    play.settle()
    assert [each.source for each in play.sent()] == [OLD, OLD, OLD]


def test_5_5_4_what_is_new_takes_another_source() -> None:
    """5.5.4: it SHOULD NOT be used to initiate new communications if another of sufficient scope can be."""
    play = deprecated()
    assert play.interface.source_for(ip(PEER)) == ip(OLD), "RFC 6724 5 rule 8: while both are preferred"
    grow_old(play)
    play.host.udp.open().send(b"new", ip(PEER), 7, play.now)
    play.settle()
    assert [each.source for each in datagrams(play)] == [NEW]
    play.remove_address(NEW)
    play.sent()
    play.host.udp.open().send(b"new", ip(PEER), 7, play.now)
    play.settle()
    assert [each.source for each in datagrams(play)] == [OLD], "the scope of the link-local address is not sufficient"


def test_5_5_4_who_asks_for_a_deprecated_source_gets_it() -> None:
    """5.5.4: if an application specifies a deprecated source address the stack must accept that."""
    play = deprecated()
    grow_old(play)
    socket = play.host.udp.open()
    socket.bind(ip(OLD), 5000)
    socket.send(b"new", ip(PEER), 7, play.now)
    play.host.echoes.open(play.interface, ip(PEER), lambda heard: None, source=ip(OLD)).send(1, play.now)
    play.settle()
    assert [each.source for each in play.sent()] == [OLD, OLD]


def test_5_5_4_datagrams_to_it_are_taken() -> None:
    """5.5.4: IP and higher layers MUST continue to accept datagrams destined to a deprecated address."""
    play = deprecated()
    grow_old(play)
    socket = play.host.udp.open()
    socket.bind(None, 5000)
    octets = datagram(b"for the old one", source=PEER, destination=OLD, port=5000)
    assert play.receive(octets) is Verdict.DELIVERED
    heard = socket.receive()
    assert heard is not None and heard.data == b"for the old one"
    request = icmp(PEER, OLD, 128, 0, bytes(4))
    assert play.receive(frame(packet(PEER, OLD, request))) is Verdict.ANSWERED
    assert [(each.source, each.destination) for each in play.sent(129)] == [(OLD, PEER)]


def test_5_5_4_nothing_leaves_from_an_invalid_address() -> None:
    """5.5.4: an invalid address MUST NOT be used as a source, by nobody who had it before."""
    play = deprecated(old_valid=200.0)
    play.interface.routes.add(ip("2001:db8:1::"), 64, ip(PEER_LINK_LOCAL))
    socket = play.host.udp.open()
    socket.bind(ip(OLD), 5000)
    session = play.host.echoes.open(play.interface, ip(PEER), lambda heard: None, source=ip(OLD))
    grow_old(play)
    play.run(play.now + 100.0)
    assert play.address(OLD) is None
    play.sent()
    with pytest.raises(RefusedError):
        socket.send(b"late", ip(PEER), 7, play.now)
    with pytest.raises(RefusedError):
        session.send(1, play.now)
    play.run(play.now + 10.0)
    assert [each for each in play.sent() if each.source == OLD] == []


# -- appendix A


@pytest.mark.parametrize("mac", [OUR_MAC, PEER_MAC], ids=["our own MAC", "another"])
def test_A_a_probe_from_our_own_mac_is_answered(mac: bytes) -> None:
    """Appendix A: who discards frames with its own MAC lets another node with that MAC take its address."""
    play = Play().start()
    assert play.receive(solicitation(OUR_LINK_LOCAL, source="::", mac=mac)) is Verdict.ANSWERED
    (answer,) = play.sent()
    assert (answer.kind, answer.destination, answer.target) == (136, "ff02::1", OUR_LINK_LOCAL)
