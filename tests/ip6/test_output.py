"""IPv6 output: the next hop (RFC 4861 5.2), our own addresses, the link's MTU, and what is counted of it."""

import struct

import pytest

from stack.ip6 import output
from stack.wire import ipv6 as wire
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Play,
    advertisement,
    icmp,
    ip,
    packet,
)

OUR_GLOBAL = "2001:db8:1::1"
OUR_NARROW = "2001:db8:2::1"
ANYCAST = "2001:db8:1::abcd"


@pytest.fixture
def play() -> Play:
    play = Play().start()
    play.add_address(OUR_GLOBAL)
    play.add_address(OUR_NARROW, 126)
    play.add_address(ANYCAST, anycast=True)
    play.run(30.0)
    play.host.counters = type(play.host.counters)()
    return play.meet()


def send(play: Play, destination: str, *, source: str = OUR_LINK_LOCAL, size: int = 8) -> bool:
    octets = packet(source, destination, icmp(source, destination, 200, 0, bytes(size - 4)))
    sent = output.send(play.interface, octets, play.now)
    play.settle()
    return sent


def table(play: Play) -> dict[str, int]:
    return play.host.counters.as_dict()


# -- next hop

NEXT_HOPS = {
    "link-local (RFC 5942 4)": ("fe80::1:2:3:4", True),
    "link-local outside fe80::/64": ("febf::1", True),
    "in the prefix of an address of ours": ("2001:db8:1::ffff", True),
    "first beyond that prefix": ("2001:db8:1:1::1", False),
    "in a prefix of 126 bits": ("2001:db8:2::3", True),
    "first beyond 126 bits": ("2001:db8:2::4", False),
    "in no prefix of ours": ("2001:db8:9::1", False),
    "site-local": ("fec0::1", False),
    "unique local": ("fd00::1", False),
}


@pytest.mark.parametrize(("destination", "on_link"), NEXT_HOPS.values(), ids=NEXT_HOPS)
def test_next_hop(play: Play, destination: str, on_link: bool) -> None:
    """RFC 4861 5.2: an on-link destination is its own next hop; without a router there is no other."""
    assert send(play, destination) is on_link
    solicited = [sent.target for sent in play.sent()]
    assert solicited == ([destination] if on_link else [])
    assert table(play)["Ip6OutNoRoutes"] == (not on_link)


def test_a_prefix_goes_with_its_address(play: Play) -> None:
    """RFC 5942 4: the prefix was on-link because of the address alone."""
    play.remove_address(OUR_NARROW)
    play.sent()
    assert send(play, "2001:db8:2::3") is False
    assert play.sent() == []


def test_a_tentative_address_makes_no_prefix_on_link() -> None:
    """RFC 4862 5.4: it is not assigned yet."""
    play = Play().start()
    play.add_address(OUR_GLOBAL)
    play.sent()
    assert send(play, "2001:db8:1::9") is False
    play.run(play.now + 5.0)
    play.sent()
    assert send(play, "2001:db8:1::9") is True


def test_the_packet_itself_is_sent_to_the_neighbour(play: Play) -> None:
    """RFC 2464 3: MACs, 86dd, the packet as it is."""
    assert send(play, PEER_LINK_LOCAL)
    (sent,) = play.sent()
    assert sent.frame[:14] == PEER_MAC + OUR_MAC + b"\x86\xdd"
    assert sent.packet == packet(
        OUR_LINK_LOCAL, PEER_LINK_LOCAL, icmp(OUR_LINK_LOCAL, PEER_LINK_LOCAL, 200, 0, bytes(4))
    )


def test_it_waits_for_its_neighbour(play: Play) -> None:
    """RFC 4861 7.2.2: it is kept until the neighbour's address is known."""
    assert send(play, "fe80::5")
    assert [sent.kind for sent in play.sent()] == [135]
    play.receive(advertisement("fe80::5"))
    assert [(sent.kind, sent.to) for sent in play.sent()] == [(200, PEER_MAC)]


@pytest.mark.parametrize(
    ("group", "mac"),
    [("ff02::1", "333300000001"), ("ff02::1:ff12:3456", "3333ff123456"), ("ff0e:1:2:3:4:5:6789:abcd", "33336789abcd")],
)
def test_groups_need_no_next_hop(play: Play, group: str, mac: str) -> None:
    """RFC 4861 5.2: multicast packets are always on-link; RFC 2464 7: 33:33 and the last four octets."""
    assert send(play, group)
    (sent,) = play.sent()
    assert sent.to == bytes.fromhex(mac)
    assert (table(play)["Ip6OutMcastPkts"], table(play)["Ip6OutNoRoutes"]) == (1, 0)


# -- our own addresses


@pytest.mark.parametrize("address", [OUR_LINK_LOCAL, OUR_GLOBAL, ANYCAST])
def test_our_own_addresses_never_touch_the_link(play: Play, address: str) -> None:
    """RFC 4861 5.2: a packet to ourselves is looped, within the same instant, and no neighbour is looked for."""
    assert send(play, address, source=OUR_GLOBAL)
    assert play.sent() == []
    assert table(play)["Icmp6InType200"] == 1
    assert table(play)["FramesIn"] == 2
    assert play.neighbour(address) is None


def test_an_address_of_ours_that_is_tentative_is_not_ours() -> None:
    """RFC 4862 5.4: no packet is accepted for it, from ourselves neither; no neighbour is asked for it."""
    play = Play().start()
    play.add_address(OUR_GLOBAL)
    play.sent()
    send(play, OUR_GLOBAL)
    assert "Icmp6InType200" not in table(play)
    assert [sent.kind for sent in play.sent(135) if sent.source != "::"] == []


def test_a_looped_packet_of_an_address_that_is_gone(play: Play) -> None:
    """Removed between sending and receiving: it ends there."""
    octets = packet(OUR_LINK_LOCAL, OUR_GLOBAL, icmp(OUR_LINK_LOCAL, OUR_GLOBAL, 200, 0, bytes(4)))
    assert output.send(play.interface, octets, play.now)
    play.interface.addresses.remove(ip(OUR_GLOBAL), play.now)
    play.settle()
    assert "Icmp6InType200" not in table(play)


def test_looped_while_the_interface_goes_down(play: Play) -> None:
    """Nothing is received on an interface that is down."""
    octets = packet(OUR_LINK_LOCAL, OUR_GLOBAL, icmp(OUR_LINK_LOCAL, OUR_GLOBAL, 200, 0, bytes(4)))
    assert output.send(play.interface, octets, play.now)
    play.interface.stop(play.now)
    play.settle()
    assert "Icmp6InType200" not in table(play)


# -- sizes and states


def test_to_ourselves_there_is_no_mtu(play: Play) -> None:
    """RFC 8200 5: the MTU is the link's."""
    assert send(play, OUR_GLOBAL, size=9000) is True
    assert table(play)["Icmp6InType200"] == 1


def test_interface_that_is_down(play: Play) -> None:
    """Nothing leaves, and it is counted."""
    play.interface.stop(play.now)
    play.sent()
    send(play, "ff02::1")
    assert play.sent() == []
    assert table(play)["Ip6OutDiscards"] == 1


def test_requests_and_octets_are_counted(play: Play) -> None:
    """RFC 4293: packets and octets out, those of the IPv6 packets."""
    before = table(play)
    send(play, PEER_LINK_LOCAL, size=100)
    after = table(play)
    assert after["Ip6OutRequests"] - before["Ip6OutRequests"] == 1
    assert after["Ip6OutOctets"] - before["Ip6OutOctets"] == 140


# -- the header


@pytest.mark.parametrize("size", [0, 1, 1240, 65_535])
def test_header(size: int) -> None:
    """RFC 8200 3: version 6, class and flow label 0, payload length, next header, hop limit, addresses."""
    payload = bytes(size)
    built = wire.packet(ip("fe80::1"), ip("ff02::2"), 58, 255, payload)
    expected = struct.pack("!IHBB", 0x60000000, size, 58, 255) + ip("fe80::1") + ip("ff02::2") + payload
    assert built == expected
