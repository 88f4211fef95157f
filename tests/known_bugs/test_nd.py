"""What broke neighbour and router discovery of other stacks."""

import struct

import pytest

from stack.discard import Discard, Verdict
from tests.known_bugs.rows import discarded, row, still_answers
from tests.nd.advertising import (
    ROUTER,
    addresses,
    advertisement,
    hears,
    mtu_option,
    prefix_option,
    ready,
    route_option,
    search_octets,
    servers_option,
)
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Play,
    chain,
    echo_request,
    fragment,
    frame,
    icmp,
    ip,
    lladdr_option,
    packet,
    solicitation,
)
from tests.playbook import advertisement as told

FORGED = bytes.fromhex("ffffffffffffffff")


def host(**settings: int | str) -> Play:
    return Play(**settings).start()


def servers(play: Play) -> tuple[str, ...]:
    return play.interface.dns.servers.values()


@row(
    "RA with an RDNSS option of even length: 8 octets left over",
    "the option is ignored, and the walk goes on at its end",
)
@pytest.mark.parametrize("units", [2, 4, 6])
def test_an_rdnss_option_of_even_length(units: int) -> None:
    # Its last 8 octets look like an option of their own, which must not be read.
    rest = b"\0\0" + struct.pack("!I", 1200) + ip("2001:db8::53") * 4
    crooked = bytes((25, units)) + rest[: 8 * units - 2 - 8] + mtu_option(1300)
    play = hears(ready(), crooked[: 8 * units], prefix_option())
    assert servers(play) == ()
    assert play.interface.mtu == 1500
    assert addresses(play)


@row("RA with an RDNSS option of one unit, which has no address", "ignored; the advertisement counts")
def test_an_rdnss_option_without_an_address() -> None:
    play = hears(ready(), b"\x19\1\0\0\0\0\4\xb0", prefix_option())
    assert servers(play) == ()
    assert addresses(play)


@row("an option of length 0 in RA, NS or NA", "the whole message is discarded; no loop")
@pytest.mark.parametrize("kind", ["RA", "NS", "NA"])
def test_an_option_of_length_0(kind: str) -> None:
    zero = b"\1\0" + bytes(6)
    frames = {
        "RA": advertisement(prefix_option(), zero),
        "NS": solicitation(OUR_LINK_LOCAL, options=lladdr_option(1) + zero),
        "NA": told(PEER_LINK_LOCAL, options=lladdr_option(2) + zero),
    }
    discarded(host(), frames[kind], Discard.ND_OPTIONS)


@row("RA whose DNSSL labels run past the option", "that option is ignored, nothing is read behind it")
@pytest.mark.parametrize("octets", [b"\x3fabc", b"\7example\x40", b"\xc0\x0c", b"\3abc\5de"])
def test_dns_labels_past_their_option(octets: bytes) -> None:
    play = hears(ready(), search_octets(octets), prefix_option())
    assert play.interface.dns.search.values() == ()
    assert addresses(play)


@row(
    "SLLA option of one unit in a message of 8 octets too few",
    "discarded: lengths are compared before anything is cut out",
)
def test_a_link_layer_option_without_its_octets() -> None:
    for missing in (1, 6, 7):
        octets = solicitation(OUR_LINK_LOCAL, options=lladdr_option(1)[:-missing])
        discarded(host(), octets, Discard.ND_OPTIONS)


@row("RA with a prefix option as long as an MTU option, and the other way round", "each is ignored by its own length")
def test_each_option_has_a_length_of_its_own() -> None:
    short_prefix = b"\3\1\x40\xc0" + bytes(4)
    long_mtu = b"\5\4\0\0" + struct.pack("!I", 1280) + bytes(24)
    play = hears(ready(), short_prefix, long_mtu, prefix_option("2001:db8:2::"))
    assert len(addresses(play)) == 1
    assert play.interface.mtu == 1500


@row("a link-layer address option of two units, longer than a MAC", "not believed")
def test_a_link_layer_address_longer_than_a_mac() -> None:
    play = host()
    play.receive(solicitation(OUR_LINK_LOCAL, options=b"\1\2" + bytes(14)))
    # It is asked for its MAC instead, since it waits for an answer.
    assert not play.interface.resolver.knows(ip(PEER_LINK_LOCAL))


@row("a link-layer address option with a group's MAC", "not believed: no entry points to a group")
@pytest.mark.parametrize("mac", [b"\x33\x33\0\0\0\1", b"\xff" * 6])
def test_the_mac_of_a_group_as_neighbour(mac: bytes) -> None:
    play = host()
    play.receive(solicitation(OUR_LINK_LOCAL, options=lladdr_option(1, mac)))
    assert not play.interface.resolver.knows(ip(PEER_LINK_LOCAL))
    assert [each.kind for each in play.sent() if each.to == mac] == []


@row("two addresses in one RDNSS option", "both are taken, in order, from their own places")
def test_two_dns_servers_in_order() -> None:
    assert servers(hears(ready(), servers_option("2001:db8::53", "2001:db8::54"))) == ("2001:db8::53", "2001:db8::54")


@row("NS that ends inside an option's header", "discarded")
def test_a_solicitation_that_ends_inside_an_option() -> None:
    discarded(host(), solicitation(OUR_LINK_LOCAL, options=b"\1"), Discard.ND_OPTIONS)


def redirect(options: bytes, *, target: str = ROUTER, destination: str = "2001:db8:9::9") -> bytes:
    message = icmp(ROUTER, OUR_LINK_LOCAL, 137, 0, bytes(4) + ip(target) + ip(destination) + options)
    return frame(packet(ROUTER, OUR_LINK_LOCAL, message), mac=bytes.fromhex("0200700000a1"))


@row(
    "redirect whose redirected header is shorter than an IPv6 header",
    "no octet of it is read: the redirect counts by its own fields",
)
def test_a_redirected_header_cut_short() -> None:
    play = hears(ready())
    for octets in (b"\4\1" + bytes(6), b"\4\2" + bytes(6) + b"\x60" + bytes(7), b"\4\6" + FORGED * 6):
        assert isinstance(play.receive(redirect(octets[: 8 * octets[1]])), Verdict | Discard)
    assert isinstance(play.receive(redirect(b"\4\3" + bytes(6) + bytes(8))), Discard)


@row(
    "redirect with a source instead of a target link-layer address",
    "the types are told apart: no MAC is learnt from it",
)
def test_a_redirect_with_the_wrong_link_layer_option() -> None:
    play = hears(ready())
    play.receive(redirect(lladdr_option(1, PEER_MAC), target="fe80::77"))
    entry = play.interface.resolver.cache.get(ip("fe80::77"))
    assert entry is None or entry.mac != PEER_MAC


@row("neighbour discovery cut to every length from 0 to its whole", "discarded each time; no length raises")
def test_messages_of_every_length() -> None:
    play = host()
    whole = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 135, 0, bytes(4) + ip(OUR_LINK_LOCAL) + lladdr_option(1))
    for kind in range(130, 145):
        for length in range(len(whole)):
            message = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, kind, 0, whole[4:length]) if length >= 4 else whole[:length]
            outcome = play.receive(frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, message)))
            assert outcome is not Verdict.ANSWERED or kind == 135
    still_answers(play)


@row("RA from a global address, with hop limit 254, with code 1", "discarded, each check by itself")
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"router": "2001:db8::a1"}, Discard.ND_SOURCE_NOT_LINK_LOCAL),
        ({"received_hop_limit": 254}, Discard.ND_HOP_LIMIT),
        ({"code": 1}, Discard.ND_CODE),
    ],
)
def test_an_advertisement_of_a_router_that_fails_one_check(fields: dict[str, object], reason: Discard) -> None:
    discarded(ready(), advertisement(prefix_option(), **fields), reason)  # type: ignore[arg-type]


@row("NS and NA that fail one check each, all others passed", "discarded: no check stands in for another")
@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (solicitation(OUR_LINK_LOCAL, hop_limit=254), Discard.ND_HOP_LIMIT),
        (solicitation(OUR_LINK_LOCAL, code=1), Discard.ND_CODE),
        (solicitation("ff02::1", destination="ff02::1"), Discard.ND_TARGET_MULTICAST),
        (solicitation(OUR_LINK_LOCAL, source="::", destination=OUR_LINK_LOCAL), Discard.ND_UNSPECIFIED_DESTINATION),
        (solicitation(OUR_LINK_LOCAL, source="::", options=lladdr_option(1)), Discard.ND_UNSPECIFIED_LLADDR),
        (told(PEER_LINK_LOCAL, hop_limit=64), Discard.ND_HOP_LIMIT),
        (told(PEER_LINK_LOCAL, code=9), Discard.ND_CODE),
        (told("ff02::5", source=PEER_LINK_LOCAL), Discard.ND_TARGET_MULTICAST),
        (told(PEER_LINK_LOCAL, destination="ff02::1", flags="SO"), Discard.ND_SOLICITED_MULTICAST),
    ],
)
def test_neighbour_messages_that_fail_one_check(octets: bytes, reason: Discard) -> None:
    discarded(host(), octets, reason)


@row("NS from somebody, then a packet of ours to it", "the entry that the NS made is used: STALE, then DELAY")
def test_an_entry_made_by_a_solicitation_can_be_sent_to() -> None:
    play = host()
    play.receive(solicitation(OUR_LINK_LOCAL))
    play.ping()
    assert [each.to for each in play.sent(128)] == [PEER_MAC]
    assert play.neighbour(PEER_LINK_LOCAL) == "DELAY"


@row("our own DAD probe, looped back by the link", "recognised by its nonce; the address is kept")
def test_our_own_probe_looped_back() -> None:
    play = Play().start(until=None)
    play.run(1.0)
    probe = next(each for each in play.sent(135) if each.source == "::")
    assert play.receive(probe.frame) is Discard.ND_OWN_PROBE
    play.run(30)
    assert play.address() == "preferred"


@row("RAs with ever new prefixes", "at most max_addresses addresses and max_prefixes prefixes; the host lives")
def test_ever_new_prefixes() -> None:
    play = ready(ra_ratelimit=0)
    for number in range(400):
        play.receive(advertisement(prefix_option(f"2001:db8:{number:x}::")))
    settings = play.host.settings
    assert len(addresses(play)) <= settings.max_addresses
    assert len(play.interface.prefixes) <= settings.max_prefixes
    still_answers(play)


@row("NS, NA or RA behind a fragment header, the atomic one too", "discarded, in silence")
@pytest.mark.parametrize("kind", [133, 134, 135, 136, 137])
def test_neighbour_discovery_in_a_fragment_header(kind: int) -> None:
    message = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, kind, 0, bytes(4) + ip(OUR_LINK_LOCAL) + bytes(16))
    first, octets = chain([fragment()], 58, message)
    play = host()
    octets = frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, octets, next_header=first))
    assert play.receive(octets) in (Discard.ND_FRAGMENTED, Discard.ICMP_ROUTERS_ONLY)
    assert play.sent() == []


@row("floods of RAs from ever new routers, with prefixes and routes", "lists stay bounded, the router in use is kept")
def test_floods_of_routers() -> None:
    play = hears(ready(ra_ratelimit=0), prefix_option())
    play.run(play.now + 5)
    play.ping("2001:db8:9::9")
    play.receive(told(ROUTER, flags="RSO", mac=bytes.fromhex("0200700000a1")))
    for number in range(300):
        options = (prefix_option(f"2001:db8:{number:x}::"), route_option(f"2001:db9:{number:x}::", 48))
        play.receive(advertisement(*options, router=f"fe80::1:{number:x}"))
    settings = play.host.settings
    assert len(play.interface.routers.table) <= settings.max_routers
    assert len(play.interface.routers.routes.table) <= settings.max_learnt_routes
    assert ip(ROUTER) in play.interface.routers.table
    still_answers(play)


@row("RA with a hop limit of 1", "not taken below accept_ra_min_hop_limit: what is off-link stays in reach")
def test_a_hop_limit_of_1_from_a_router() -> None:
    play = hears(ready(), hop_limit=1)
    assert play.interface.variables.hop_limit == 64


@row("RA with a reachable time of 0x40000000 ms", "more than an hour is not taken; nothing overflows")
def test_a_reachable_time_beyond_an_hour() -> None:
    play = hears(ready(), reachable=0x40000000)
    assert play.interface.resolver.reachable_time(play.now) <= 45.0


@row("RA with an MTU of 0, 68, 1279 or 4294967295", "not taken below 1280 or above the link's")
@pytest.mark.parametrize("mtu", [0, 68, 1279, 0xFFFFFFFF])
def test_an_mtu_that_no_link_has(mtu: int) -> None:
    assert hears(ready(), mtu_option(mtu)).interface.mtu == 1500


@row("NS from more neighbours than the cache holds", "bounded, and each is still answered or dropped")
def test_a_full_neighbour_cache() -> None:
    play = host(gc_thresh3=16)
    for number in range(200):
        mac = b"\2\0\0\1" + number.to_bytes(2, "big")
        play.receive(solicitation(OUR_LINK_LOCAL, source=f"fe80::1:{number:x}", mac=mac))
    assert len(play.interface.resolver.cache.entries) <= 16
    still_answers(play)


@row("packets from and to thousands of on-link addresses", "the neighbour in use is never the one that goes")
def test_a_scan_does_not_evict_the_neighbour_in_use() -> None:
    play = host(gc_thresh3=16)
    play.meet()
    for number in range(300):
        play.receive(echo_request(source=f"fe80::2:{number:x}"))
    assert play.neighbour(PEER_LINK_LOCAL) == "REACHABLE"


@row("NA without octets behind its flags, and one for nobody's target", "discarded")
def test_malformed_advertisements() -> None:
    message = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 136, 0, b"\x60\0\0\0")
    discarded(host(), frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, message)), Discard.ND_TRUNCATED)
    discarded(host(), told("fe80::99", source=PEER_LINK_LOCAL), Discard.ND_NO_ENTRY)


@row("RA with a prefix of more than 128 bits, in a prefix or route option", "that option is ignored")
def test_prefix_lengths_above_128() -> None:
    crooked = b"\x18\3\x81\0" + bytes(4) + ip("2001:db8:7::")
    play = hears(ready(), prefix_option(length=129), prefix_option(length=255), crooked)
    assert addresses(play) == []
    assert len(play.interface.routers.routes.table) == 0


@row("NS from a source that is not on the link", "answered at most: no entry that forwards to it")
def test_a_solicitation_from_off_link() -> None:
    play = host()
    play.receive(solicitation(OUR_LINK_LOCAL, source="2001:db8:77::1"))
    assert play.neighbour("2001:db8:77::1") is None


@row("RAs of one router with lifetimes 0 and 1800 in turn", "it comes and goes, and nothing of it is used afterwards")
def test_a_router_that_comes_and_goes() -> None:
    play = ready(ra_ratelimit=0)
    for number in range(50):
        play.receive(advertisement(prefix_option(), route_option("2001:db9::", 48), lifetime=1800 * (number % 2)))
        play.run(play.now + 0.01)
    assert ip(ROUTER) in play.interface.routers.table
    play.receive(advertisement(lifetime=0))
    assert ip(ROUTER) not in play.interface.routers.table
    still_answers(play)


@row("a packet of ours to an unknown neighbour", "the NS asks for the next hop, from our address, not for the source")
def test_the_target_of_a_solicitation_is_the_next_hop() -> None:
    play = host()
    play.ping("fe80::99")
    (asked,) = play.sent(135)
    assert (asked.target, asked.source) == ("fe80::99", OUR_LINK_LOCAL)


@row("a foreign NA for an address of ours that is valid", "told as a conflict; the address is kept")
def test_somebody_claims_our_address() -> None:
    play = host()
    play.receive(told(OUR_LINK_LOCAL, source=PEER_LINK_LOCAL, destination="ff02::1", flags="O"))
    assert play.address() == "preferred"
    still_answers(play)


@row(
    "NS with every option type, known or not, and any contents",
    "answered, or discarded whole: unknown options are skipped",
)
def test_every_option_type_in_a_solicitation() -> None:
    play = host()
    for kind in range(256):
        octets = solicitation(OUR_LINK_LOCAL, options=lladdr_option(1) + bytes((kind, 1)) + FORGED[:6])
        assert play.receive(octets) in (Verdict.ANSWERED, Discard.ND_LLADDR, Discard.ND_OWN_PROBE)
    assert play.interface.mac == OUR_MAC
