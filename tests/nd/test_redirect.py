"""Redirects: the checks of RFC 4861 8.1 one by one, each message with one fault only, and what follows by 8.3."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.discard import Discard, Verdict
from stack.events import Redirected
from stack.ip6 import output
from stack.ip6.routes import next_hop
from tests.nd.test_validation import broken_checksum, in_fragment_header, option
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Play,
    advertisement,
    echo_request,
    frame,
    icmp,
    ip,
    lladdr_option,
    packet,
    solicitation,
    text,
)

OUR_GLOBAL = "2001:db8:1::1"
FAR, FAR_TOO = "2001:db8:9::1", "2001:db8:9::2"
# The first-hop router is our peer; another one on the link, and one that it is better to ask.
ROUTER, ROUTER_MAC = PEER_LINK_LOCAL, PEER_MAC
OTHER, OTHER_MAC = "fe80::2:1", bytes.fromhex("020072000002")
BETTER, BETTER_MAC = "fe80::3:1", bytes.fromhex("020072000003")
TLLA = 2


@pytest.fixture
def play() -> Play:
    return with_a_router()


def with_a_router(**options: int) -> Play:
    """A host with a static default route through ROUTER, which is reachable."""
    play = Play(**options).start()
    play.add_address(OUR_GLOBAL)
    play.run(30.0)
    play.interface.routes.add(bytes(16), 0, ip(ROUTER))
    return play.meet(ROUTER)


def redirect(
    destination: str = FAR,
    target: str = BETTER,
    *,
    source: str = ROUTER,
    to: str = OUR_GLOBAL,
    options: bytes | None = None,
    code: int = 0,
    hop_limit: int = 255,
    reserved: bytes = bytes(4),
    cut: int | None = None,
) -> bytes:
    """A frame with a redirect (4.5), right in everything that is not given; `cut` is its ICMPv6 length."""
    if options is None:
        options = lladdr_option(TLLA, BETTER_MAC)
    body = reserved + ip(target) + ip(destination) + options
    if cut is not None:
        body = body[: cut - 4]
    message = icmp(source, to, 137, code, body)
    return frame(packet(source, to, message, hop_limit=hop_limit), mac=ROUTER_MAC)


def redirected_header(quoted: bytes) -> bytes:
    """The option of 4.6.3: six reserved octets, then as much of the packet as fits."""
    return option(4, bytes(6) + quoted)


def send(play: Play, destination: str = FAR) -> bool:
    octets = packet(OUR_GLOBAL, destination, icmp(OUR_GLOBAL, destination, 128, 0, bytes(4)), hop_limit=64)
    sent = output.send(play.interface, octets, play.now)
    play.settle()
    return sent


def hop(play: Play, destination: str = FAR) -> str | None:
    found = next_hop(play.interface, ip(destination), play.now)
    return None if found is None else text(found)


# -- 8.1

INVALID = {
    "source global": (redirect(source="2001:db8:1::2"), Discard.REDIRECT_SOURCE),
    "source unspecified": (redirect(source="::"), Discard.SOURCE_UNSPECIFIED),
    "hop limit 254": (redirect(hop_limit=254), Discard.ND_HOP_LIMIT),
    "hop limit 0": (redirect(hop_limit=0), Discard.ND_HOP_LIMIT),
    "checksum": (broken_checksum(redirect()), Discard.ICMP_CHECKSUM),
    "code 1": (redirect(code=1), Discard.ND_CODE),
    "code 255": (redirect(code=255), Discard.ND_CODE),
    "length 39": (redirect(cut=39), Discard.ND_TRUNCATED),
    "length 24": (redirect(cut=24), Discard.ND_TRUNCATED),
    "length 4": (redirect(cut=4), Discard.ND_TRUNCATED),
    "another router than the first-hop router": (redirect(source=OTHER), Discard.REDIRECT_NOT_FIRST_HOP),
    "the target itself is no router of ours": (redirect(source=BETTER), Discard.REDIRECT_NOT_FIRST_HOP),
    "destination multicast": (redirect("ff0e::9"), Discard.REDIRECT_DESTINATION_MULTICAST),
    "destination multicast, target the same": (redirect("ff02::9", "ff02::9"), Discard.REDIRECT_DESTINATION_MULTICAST),
    "target global and not the destination": (redirect(target="2001:db8:1::9"), Discard.REDIRECT_TARGET),
    "target multicast": (redirect(target="ff02::2"), Discard.REDIRECT_TARGET),
    "target unspecified": (redirect(target="::"), Discard.REDIRECT_TARGET),
    "option of length 0": (redirect(options=bytes((TLLA, 0)) + BETTER_MAC), Discard.ND_OPTIONS),
    "unknown option of length 0": (redirect(options=bytes((253, 0)) + bytes(6)), Discard.ND_OPTIONS),
    "option of length 0 after a good one": (redirect(options=lladdr_option(TLLA) + bytes(8)), Discard.ND_OPTIONS),
    "option past the message": (redirect(options=bytes((TLLA, 2)) + BETTER_MAC), Discard.ND_OPTIONS),
    "half an option": (redirect(options=lladdr_option(TLLA) + b"\x04"), Discard.ND_OPTIONS),
    "redirected header past the message": (redirect(options=bytes((4, 7)) + bytes(46)), Discard.ND_OPTIONS),
    "RFC 6980 5: in a fragment header": (in_fragment_header(redirect()), Discard.ND_FRAGMENTED),
    # What 8.1 does not say, but nothing good could come of it
    "target our own address": (redirect(target=OUR_LINK_LOCAL), Discard.REDIRECT_TARGET_OURS),
    # A destination on this link has no first-hop router
    "destination on-link": (redirect("2001:db8:1::9", "2001:db8:1::9"), Discard.REDIRECT_NOT_FIRST_HOP),
    "destination link-local": (redirect(OTHER, BETTER), Discard.REDIRECT_NOT_FIRST_HOP),
    "a neighbour about itself": (redirect(ROUTER, ROUTER), Discard.REDIRECT_NOT_FIRST_HOP),
    "a neighbour about itself, to another": (redirect(ROUTER, BETTER), Discard.REDIRECT_NOT_FIRST_HOP),
}


def state(play: Play) -> tuple[object, ...]:
    """What a redirect could have changed."""
    neighbours = {
        text(each.address): (each.state, each.mac, each.is_router)
        for each in play.interface.resolver.cache.entries.values()
    }
    return hop(play), hop(play, FAR_TOO), neighbours, len(list(play.interface.routes.destinations.learnt()))


@pytest.mark.parametrize(("octets", "reason"), INVALID.values(), ids=INVALID)
@pytest.mark.parametrize("sent_before", [True, False], ids=["in use", "never sent to"])
def test_an_invalid_one_changes_nothing(play: Play, octets: bytes, reason: Discard, sent_before: bool) -> None:
    """8.1: silently discarded, each check alone; RFC 4443 2.4 (e.2): and no error about it."""
    if sent_before:
        send(play)
        play.sent()
    before = state(play)
    assert play.receive(octets) is reason
    assert play.sent() == []
    assert state(play) == before


QUOTE = packet(OUR_GLOBAL, FAR, icmp(OUR_GLOBAL, FAR, 128, 0, bytes(60)))
VALID = {
    "as a router sends it": redirect(options=lladdr_option(TLLA, BETTER_MAC) + redirected_header(QUOTE)),
    "without options": redirect(options=b""),
    "reserved field set": redirect(reserved=b"\xff\xff\xff\xff"),
    "unknown option": redirect(options=option(253, bytes(6)) + lladdr_option(TLLA, BETTER_MAC)),
    "an option that is not for redirects": redirect(
        options=lladdr_option(1, OTHER_MAC)
        + option(3, struct.pack("!BBIII", 64, 0xC0, 3600, 3600, 0) + ip("2001:db8:9::"))
        + lladdr_option(TLLA, BETTER_MAC)
    ),
    "redirected header of one unit": redirect(options=lladdr_option(TLLA, BETTER_MAC) + redirected_header(b"")),
    "redirected header shorter than an IPv6 header": redirect(options=redirected_header(QUOTE[:24])),
    "redirected header about somebody else's packet": redirect(
        options=redirected_header(packet("2001:db8:5::5", "2001:db8:6::6", bytes(8)))
    ),
    "target link-layer address of another size": redirect(options=option(TLLA, bytes(14))),
    "target link-layer address of a group": redirect(options=lladdr_option(TLLA, b"\x33\x33\x00\x00\x00\x01")),
    "to our link-local address": redirect(to=OUR_LINK_LOCAL),
    "to all nodes": redirect(to="ff02::1"),
    "target link-local beyond fe80::/64": redirect(target="fe80:1::3:1"),
}


@pytest.mark.parametrize("octets", VALID.values(), ids=VALID)
def test_a_valid_one_is_followed(play: Play, octets: bytes) -> None:
    """8.1: what the checks do not name makes no redirect invalid; 8.3: packets to that destination go elsewhere."""
    assert play.receive(octets) is Verdict.DELIVERED
    assert play.sent() == []
    assert hop(play) == text(octets[14 + 40 + 8 : 14 + 40 + 24])
    assert hop(play, FAR_TOO) == ROUTER


def test_the_target_need_not_be_in_a_prefix(play: Play) -> None:
    """8.1, last paragraph: that the target is on-link is what the redirect says."""
    assert play.receive(redirect(FAR, FAR, options=lladdr_option(TLLA, BETTER_MAC))) is Verdict.DELIVERED
    assert hop(play) == FAR


def test_not_accepted(play: Play) -> None:
    """The setting accept_redirects, as in Linux."""
    play.host.settings.set_text("accept_redirects", "0")
    assert play.receive(redirect()) is Discard.REDIRECT_NOT_ACCEPTED
    assert (hop(play), play.neighbour(BETTER)) == (ROUTER, None)


# -- 8.3: the destination cache


@pytest.mark.parametrize("before", [True, False], ids=["in use", "never sent to"])
def test_packets_go_to_the_target(play: Play, before: bool) -> None:
    """8.3: an entry is updated, or made."""
    if before:
        send(play)
        assert [each.to for each in play.sent(128)] == [ROUTER_MAC]
    play.receive(redirect())
    send(play)
    send(play, FAR_TOO)
    assert [(each.to, each.destination) for each in play.sent(128)] == [(BETTER_MAC, FAR), (ROUTER_MAC, FAR_TOO)]


def test_packets_go_straight_to_the_destination(play: Play) -> None:
    """8.3: if target and destination are the same, it is on-link."""
    play.receive(redirect(FAR, FAR))
    send(play)
    assert [each.to for each in play.sent(128)] == [BETTER_MAC]
    assert play.interface.routes.is_on_link(ip(FAR))
    assert not play.interface.routes.is_on_link(ip(FAR_TOO))


def test_answers_follow_too(play: Play) -> None:
    play.receive(redirect())
    play.receive(echo_request(OUR_GLOBAL, source=FAR))
    assert [each.to for each in play.sent(129)] == [BETTER_MAC]


def test_the_target_may_send_one_itself(play: Play) -> None:
    """8.1: the first-hop router is the one that packets go to now, and the former is none any more."""
    play.receive(redirect())
    assert play.receive(redirect(target=OTHER)) is Discard.REDIRECT_NOT_FIRST_HOP
    octets = redirect(target=OTHER, source=BETTER, options=lladdr_option(TLLA, OTHER_MAC))
    assert play.receive(octets) is Verdict.DELIVERED
    assert hop(play) == OTHER
    assert play.receive(redirect(target=ROUTER, source=OTHER, options=b"")) is Verdict.DELIVERED
    assert hop(play) == ROUTER


def test_a_destination_found_on_link_has_no_router_any_more(play: Play) -> None:
    play.receive(redirect(FAR, FAR))
    assert play.receive(redirect(FAR, BETTER)) is Discard.REDIRECT_NOT_FIRST_HOP
    assert hop(play) == FAR


# -- 8.3: the neighbour cache


def entry(play: Play, address: str) -> tuple[str, bytes | None, bool]:
    found = play.interface.resolver.cache.entries[ip(address)]
    return found.state.value, found.mac, found.is_router


def reachable(play: Play, address: str, flags: str) -> None:
    """A neighbour at BETTER_MAC that has just answered, made on-link for the moment by an address of ours."""
    play.add_address("2001:db8:9::ff", nodad=True)
    play.ping(address)
    play.receive(advertisement(address, mac=BETTER_MAC, flags=flags))
    assert play.neighbour(address) == "REACHABLE"
    play.remove_address("2001:db8:9::ff")
    play.sent()


@pytest.mark.parametrize(
    ("target", "is_router"), [(BETTER, True), (FAR, False)], ids=["a router", "the destination itself"]
)
def test_an_entry_is_made(play: Play, target: str, is_router: bool) -> None:
    """8.3: STALE, with the address of the option; a router if it is not the destination."""
    play.receive(redirect(FAR, target))
    assert entry(play, target) == ("STALE", BETTER_MAC, is_router)


def test_without_an_address_none_is_made(play: Play) -> None:
    """8.3: the target is resolved when the first packet goes there; what is made then is a router's (8.3, MUST)."""
    play.receive(redirect(options=b""))
    assert play.neighbour(BETTER) is None
    send(play)
    assert [(each.kind, each.target) for each in play.sent()] == [(135, BETTER)]
    assert entry(play, BETTER) == ("INCOMPLETE", None, True)


@pytest.mark.parametrize(
    ("mac", "expected"),
    [(BETTER_MAC, ("REACHABLE", BETTER_MAC)), (OTHER_MAC, ("STALE", OTHER_MAC))],
    ids=["same address", "another address"],
)
@pytest.mark.parametrize("target", [BETTER, FAR], ids=["a router", "the destination itself"])
def test_an_entry_is_updated(play: Play, target: str, mac: bytes, expected: tuple[str, bytes]) -> None:
    """8.3: STALE with another address, unchanged with the same; IsRouter set for a router, else unchanged."""
    reachable(play, target, "SO")
    play.receive(redirect(FAR, target, options=lladdr_option(TLLA, mac)))
    assert entry(play, target) == (*expected, target != FAR)


@pytest.mark.parametrize("flags", ["SO", "RSO"], ids=["host", "router"])
def test_is_router_stays_as_it_is_for_the_destination_itself(play: Play, flags: str) -> None:
    """8.3: one cannot tell whether it is a router, so an existing entry keeps its flag."""
    reachable(play, FAR, flags)
    play.receive(redirect(FAR, FAR))
    assert entry(play, FAR) == ("REACHABLE", BETTER_MAC, flags == "RSO")


def test_nobody_else_learns_anything(play: Play) -> None:
    """It is no authority for anything else: no reachability, no router, no address of whoever sent it."""
    play.receive(solicitation(OUR_LINK_LOCAL, source=ROUTER))
    play.run(play.now + 60.0)
    assert entry(play, ROUTER) == ("STALE", ROUTER_MAC, False)
    octets = redirect(options=lladdr_option(1, OTHER_MAC) + lladdr_option(TLLA, BETTER_MAC))
    assert play.receive(octets) is Verdict.DELIVERED
    assert entry(play, ROUTER) == ("STALE", ROUTER_MAC, False)
    assert hop(play, "2001:db8:ffff::1") == ROUTER


def test_a_neighbour_given_by_the_user_stays(play: Play) -> None:
    play.interface.resolver.add_permanent(ip(BETTER), OTHER_MAC, play.now)
    play.receive(redirect())
    assert entry(play, BETTER) == ("PERMANENT", OTHER_MAC, True)


# -- how long it holds


def test_a_target_that_does_not_answer(play: Play) -> None:
    """7.3.3: it is probed as any neighbour; when it fails, the packets go where the routes say."""
    play.receive(redirect())
    send(play)
    play.run(play.now + 7.9)
    play.sent()
    send(play)
    assert [each.to for each in play.sent(128)] == [BETTER_MAC]
    play.run(play.now + 0.2)
    play.meet(ROUTER)
    send(play)
    assert [each.to for each in play.sent(128)] == [ROUTER_MAC]
    assert list(play.interface.routes.destinations.learnt()) == []


def test_a_target_that_cannot_be_resolved(play: Play) -> None:
    """7.2.2: the packets that waited are reported; 7.3.3: the next one invokes next-hop determination again."""
    play.receive(redirect(options=b""))
    heard = play.ping(FAR)
    play.run(play.now + 3.5)
    assert len(heard) == 1
    assert hop(play) == ROUTER


def test_a_target_that_becomes_a_host(play: Play) -> None:
    """7.3.3: entries that use a former router, redirects included, determine their next hop again."""
    play.receive(redirect())
    play.receive(redirect(FAR_TOO, FAR_TOO, options=lladdr_option(TLLA, OTHER_MAC)))
    send(play)
    play.receive(advertisement(BETTER, mac=BETTER_MAC, flags="SO"))
    assert entry(play, BETTER)[2] is False
    assert hop(play) == ROUTER
    assert hop(play, FAR_TOO) == FAR_TOO


def test_a_destination_on_link_that_is_a_host(play: Play) -> None:
    """8.3, 7.3.3: whoever is its own next hop need be no router."""
    play.receive(redirect(FAR, FAR))
    send(play)
    play.receive(advertisement(FAR, destination=OUR_GLOBAL, mac=BETTER_MAC, flags="SRO"))
    play.receive(advertisement(FAR, destination=OUR_GLOBAL, mac=BETTER_MAC, flags="SO"))
    assert hop(play) == FAR


def test_a_neighbour_redirected_to_may_ask_us(play: Play) -> None:
    """8.3: the target is on-link, so its solicitation makes it a neighbour as any other's does (7.2.3)."""
    octets = solicitation(OUR_GLOBAL, source=FAR, mac=BETTER_MAC)
    assert play.receive(octets) is Verdict.ANSWERED
    assert play.neighbour(FAR) is None
    play.receive(redirect(FAR, FAR, options=b""))
    play.receive(octets)
    assert play.neighbour(FAR) is not None


@pytest.mark.parametrize("how", ["down", "restart", "disable", "mac"])
def test_the_interface_starts_over(play: Play, how: str) -> None:
    """What was learnt is forgotten."""
    play.receive(redirect())
    if how == "down":
        play.interface.stop(play.now)
        play.interface.start(play.now)
    elif how == "restart":
        play.interface.restart(play.now)
    elif how == "mac":
        play.interface.set_mac(OUR_MAC[:5] + b"\x09", play.now)
    else:
        play.interface.disable(play.now)
    play.run(play.now + 10.0)
    assert hop(play) == ROUTER
    assert len(play.interface.routes.destinations) == 0


CHANGES = {
    "another route to the destination": (lambda play: play.interface.routes.add(ip(FAR), 48, ip(OTHER)), OTHER),
    "the route is gone": (lambda play: play.interface.routes.delete(bytes(16), 0), None),
    "the destination is on-link now": (lambda play: play.add_address("2001:db8:9::ff", nodad=True), FAR),
    "another route to other destinations": (lambda play: play.interface.routes.add(ip("fd00::"), 8, ip(OTHER)), BETTER),
    "a worse route to the destination": (lambda play: play.interface.routes.add(bytes(16), 0, ip(OTHER), 9999), BETTER),
    "an address elsewhere": (lambda play: play.add_address("2001:db8:8::ff", nodad=True), BETTER),
}


@pytest.mark.parametrize(("change", "expected"), CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("used", [True, False], ids=["in use", "never sent to"])
def test_the_routes_change(play: Play, change, expected: str | None, used: bool) -> None:  # type: ignore[no-untyped-def]
    """RFC 4191 3.3: destinations that a change concerns are determined again; the others keep their redirect."""
    play.receive(redirect())
    if used:
        send(play)
    change(play)
    play.settle()
    assert hop(play) == expected


def test_a_flood_of_redirects_leaves_those_in_use_alone(play: Play) -> None:
    """For destinations that we never sent to they are bounded, and make room for each other."""
    play.host.settings.max_destinations = 8
    send(play)
    play.receive(redirect())
    send(play)
    for number in range(100):
        destination = f"2001:db8:f::{number + 1:x}"
        assert play.receive(redirect(destination, options=b"")) is Verdict.DELIVERED
        assert hop(play, destination) == BETTER, "the newest is honoured"
    assert len(play.interface.routes.destinations) == 8
    assert hop(play) == BETTER


FLOODED = with_a_router(max_destinations=8)


@given(
    body=st.one_of(
        st.binary(max_size=120),
        st.builds(
            lambda target, destination, tail: bytes(4) + ip(target) + ip(destination) + tail,
            st.sampled_from([BETTER, FAR, "::", "ff02::1", "::1", OUR_LINK_LOCAL, "::ffff:192.0.2.1"]),
            st.sampled_from([FAR, OUR_GLOBAL, "::", "ff02::1", "::1", "::ffff:192.0.2.1", BETTER]),
            st.binary(max_size=40),
        ),
    )
)
@settings(max_examples=400, deadline=None, derandomize=True, database=None)
def test_whatever_it_holds(body: bytes) -> None:
    """Every redirect has one outcome, and one that is not followed leaves nothing behind."""
    play = FLOODED
    before = len(play.interface.routes.destinations), len(play.interface.resolver.cache)
    message = icmp(ROUTER, OUR_GLOBAL, 137, 0, body)
    outcome = play.receive(frame(packet(ROUTER, OUR_GLOBAL, message), mac=ROUTER_MAC))
    assert isinstance(outcome, Discard) or outcome is Verdict.DELIVERED
    after = len(play.interface.routes.destinations), len(play.interface.resolver.cache)
    assert isinstance(outcome, Verdict) or after == before
    assert play.sent() == []


def test_no_room_beside_those_in_use(play: Play) -> None:
    play.host.settings.max_destinations = 1
    send(play)
    play.receive(redirect())
    send(play)
    assert play.receive(redirect(FAR_TOO)) is Discard.REDIRECT_NO_ROOM
    assert (hop(play), hop(play, FAR_TOO)) == (BETTER, ROUTER)


@pytest.mark.parametrize("target", [BETTER, FAR], ids=["a router", "the destination itself"])
def test_listeners_hear_of_it(play: Play, target: str) -> None:
    play.receive(redirect(target=target))
    assert play.told("redirect") == [Redirected(ip(FAR), ip(target), ip(ROUTER))]
    words = "it is on this link" if target == FAR else f"through {BETTER}"
    assert play.told("redirect")[0].text() == f"redirect for {FAR}: {words}"


def test_listeners_hear_of_valid_ones_alone(play: Play) -> None:
    play.receive(INVALID[next(iter(INVALID))][0])
    assert play.told("redirect") == []
