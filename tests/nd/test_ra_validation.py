"""Validation of router advertisements (RFC 4861 6.1.2): each check on its own, and what must not matter."""

import struct

import pytest

from stack.discard import Discard, Outcome, Verdict
from tests.nd.advertising import (
    OUR_ADDRESS,
    PREFIX,
    ROUTER,
    ROUTER_MAC,
    advertisement,
    mac_of,
    mtu_option,
    prefix_option,
    ready,
)
from tests.playbook import (
    OUR_LINK_LOCAL,
    Play,
    chain,
    fragment,
    frame,
    icmp,
    ip,
    lladdr_option,
    options,
    packet,
)


def nothing_learnt(play: Play) -> bool:
    interface = play.interface
    return not (
        len(interface.routers)
        or len(interface.prefixes)
        or len(interface.autoconfiguration)
        or len(interface.resolver.cache)
        or interface.discovery.managed
        or interface.mtu != 1500
    )


FULL = (prefix_option(), mtu_option(1400))


def cut(octets: int) -> bytes:
    """An advertisement whose ICMPv6 message has only so many octets."""
    message = icmp(ROUTER, "ff02::1", 134, 0, struct.pack("!BBHII", 64, 0, 1800, 0, 0)[: octets - 4])
    return frame(packet(ROUTER, "ff02::1", message), mac=ROUTER_MAC)


def wrong_checksum() -> bytes:
    octets = bytearray(advertisement(*FULL))
    octets[14 + 40 + 2] ^= 0x55
    return bytes(octets)


def in_fragment(offset: int = 0, more: bool = False) -> bytes:
    message = icmp(ROUTER, "ff02::1", 134, 0, struct.pack("!BBHII", 64, 0, 1800, 0, 0) + prefix_option())
    number, payload = chain((fragment(offset, more),), 58, message)
    return frame(packet(ROUTER, "ff02::1", payload, next_header=number), mac=ROUTER_MAC)


def behind_options() -> bytes:
    message = icmp(ROUTER, "ff02::1", 134, 0, struct.pack("!BBHII", 64, 0, 1800, 0, 0) + prefix_option())
    number, payload = chain((options(60, "0100"),), 58, message)
    return frame(packet(ROUTER, "ff02::1", payload, next_header=number), mac=ROUTER_MAC)


# One thing is wrong in each; everything else is as it has to be.
INVALID: dict[str, tuple[bytes, Outcome]] = {
    "source is a global address": (
        advertisement(*FULL, router="2001:db8:1::1"),
        Discard.ND_SOURCE_NOT_LINK_LOCAL,
    ),
    "source is unspecified": (advertisement(*FULL, router="::", mac=ROUTER_MAC), Discard.SOURCE_UNSPECIFIED),
    "source is site-local": (advertisement(*FULL, router="fec0::a1"), Discard.ND_SOURCE_NOT_LINK_LOCAL),
    "hop limit 254": (advertisement(*FULL, received_hop_limit=254), Discard.ND_HOP_LIMIT),
    "hop limit 64": (advertisement(*FULL, received_hop_limit=64), Discard.ND_HOP_LIMIT),
    "hop limit 0": (advertisement(*FULL, received_hop_limit=0), Discard.ND_HOP_LIMIT),
    "checksum": (wrong_checksum(), Discard.ICMP_CHECKSUM),
    "code 1": (advertisement(*FULL, code=1), Discard.ND_CODE),
    "code 255": (advertisement(*FULL, code=255), Discard.ND_CODE),
    **{f"{size} octets": (cut(size), Discard.ND_TRUNCATED) for size in (4, 8, 12, 15)},
    "an option of length 0": (advertisement(*FULL, b"\x05\0" + bytes(6)), Discard.ND_OPTIONS),
    "an unknown option of length 0": (advertisement(b"\xfd\0" + bytes(6), *FULL), Discard.ND_OPTIONS),
    "an option past the message": (advertisement(*FULL, b"\xfd\x02" + bytes(6)), Discard.ND_OPTIONS),
    "half an option header": (advertisement(*FULL, b"\x05"), Discard.ND_OPTIONS),
}


@pytest.mark.parametrize(("octets", "reason"), INVALID.values(), ids=INVALID)
def test_each_check_alone(octets: bytes, reason: Discard) -> None:
    """RFC 4861 6.1.2: silently discarded, entirely, and nothing is sent about it."""
    play = ready(dad_transmits=0)
    assert play.receive(octets) is reason
    play.run(play.now + 5.0)
    assert nothing_learnt(play) and play.sent() == []


@pytest.mark.parametrize("octets", [in_fragment(), in_fragment(more=True)], ids=["atomic fragment", "first fragment"])
def test_no_fragments(octets: bytes) -> None:
    """RFC 6980 5 (text not read): neighbour discovery in a fragment is ignored, an atomic one included."""
    play = ready()
    assert isinstance(play.receive(octets), Discard)
    play.run(play.now + 61.0)
    assert nothing_learnt(play)


UNUSUAL = {
    "16 octets and no option": cut(16),
    "an unknown option": advertisement(b"\xfd\x02" + bytes(range(14)), prefix_option()),
    "reserved bits": advertisement(prefix_option(reserved=0x3F), mtu_option(1400, reserved=0xFFFF), reserved=0x27),
    "options of other messages": advertisement(lladdr_option(2), b"\x04\x01" + bytes(6), prefix_option()),
    "behind destination options": behind_options(),
    "sent to us alone": advertisement(prefix_option(), destination=OUR_LINK_LOCAL),
}


@pytest.mark.parametrize("octets", UNUSUAL.values(), ids=UNUSUAL)
def test_what_must_not_matter(octets: bytes) -> None:
    """6.1.2: reserved fields, unknown options and options of other messages are ignored, the rest counts as normal."""
    play = ready()
    assert play.receive(octets) is Verdict.DELIVERED
    assert play.interface.routers.is_router(ip(ROUTER))
    assert len(octets) < 100 or play.interface.prefixes.is_on_link(ip(PREFIX + "9"))


BAD_LLADDR = {
    "a group address": lladdr_option(1, bytes.fromhex("0333e5000001")),
    "all zeros": lladdr_option(1, bytes(6)),
    "two units": b"\x01\x02" + bytes(14),
}


@pytest.mark.parametrize("option", BAD_LLADDR.values(), ids=BAD_LLADDR)
def test_a_link_layer_address_that_no_neighbour_has(option: bytes) -> None:
    """RFC 2464 6: it is not believed; RFC 4861 6.1.2 makes the message no less valid for it."""
    play = ready()
    assert play.receive(advertisement(option, prefix_option(), lladdr=False)) is Verdict.DELIVERED
    assert play.neighbour(ROUTER) is None
    assert play.interface.routers.is_router(ip(ROUTER)) and play.interface.prefixes.is_on_link(ip(PREFIX + "9"))


BAD_OPTIONS = {
    "prefix information of 3 units": b"\x03\x03" + prefix_option()[2:24],
    "prefix information of 5 units": b"\x03\x05" + prefix_option()[2:] + bytes(8),
    "prefix length 129": prefix_option(length=129),
    "prefix length 255": prefix_option(length=255),
    "a multicast prefix": prefix_option("ff0e::"),
    "an MTU option of 2 units": b"\x05\x02" + mtu_option(1400)[2:] + bytes(8),
}


@pytest.mark.parametrize("option", BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_a_malformed_option_is_passed_over_alone(option: bytes) -> None:
    """4.6.2, 4.6.4: an option of another length or value than its own says nothing; what stands beside it counts."""
    play = ready()
    good = prefix_option("2001:db8:2::")
    assert play.receive(advertisement(option, good)) is Verdict.DELIVERED
    assert play.interface.mtu == 1500
    assert [each.prefix for each in play.interface.prefixes.listing(play.now)] == [ip("2001:db8:2::")]
    assert len(play.interface.autoconfiguration) == 1


@pytest.mark.parametrize(("accept_ra", "taken"), [(0, False), (1, True), (2, True)])
def test_accept_ra(accept_ra: int, taken: bool) -> None:
    """The setting: 0 takes none; for a host, which forwards nothing, 1 and 2 are the same."""
    play = ready(accept_ra=accept_ra)
    outcome = play.receive(advertisement(*FULL))
    assert outcome is (Verdict.DELIVERED if taken else Discard.RA_NOT_TAKEN)
    assert nothing_learnt(play) is not taken


def test_from_our_own_address() -> None:
    """RFC 4862 5.4.3: nobody else has our address; an advertisement from it configures nothing."""
    play = ready()
    assert play.receive(advertisement(*FULL, router=OUR_LINK_LOCAL, mac=mac_of(ROUTER))) is Discard.SOURCE_OURS
    assert nothing_learnt(play)


def test_while_the_interface_is_disabled() -> None:
    """RFC 4862 5.4.5: no IPv6 packet is taken."""
    play = ready()
    play.interface.disable(play.now)
    assert play.receive(advertisement(*FULL, destination=OUR_LINK_LOCAL)) is Discard.INTERFACE_DISABLED
    assert nothing_learnt(play)


def test_the_whole_of_it() -> None:
    """The same advertisement without a fault is taken: what the tests above are about."""
    play = ready()
    assert play.receive(advertisement(*FULL)) is Verdict.DELIVERED
    assert play.interface.mtu == 1400 and play.neighbour(ROUTER) == "STALE"
    assert play.address(OUR_ADDRESS) == "tentative"
