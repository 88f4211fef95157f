"""Two independent witnesses, scapy and dpkt, read everything that a host sends in a scripted exchange.

They take each frame apart and put it together again from its fields, lengths and
checksums computed anew: what comes out has to be what the host sent.
"""

import functools

import dpkt
import pytest
from scapy.layers import inet6, l2
from scapy.packet import Packet

from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Header,
    Play,
    Sent,
    advertisement,
    chain,
    echo_request,
    frame,
    ip,
    mld_message,
    options,
    packet,
    routing,
    solicitation,
)

OUR_GLOBAL = "2001:db8:1::1"
PEER_GLOBAL = "2001:db8:1::2"
GROUP = "ff05::77"
OUR_MAC_TEXT, PEER_MAC_TEXT = "02:00:6e:00:00:01", "02:00:70:00:00:02"
SOLICITED_NODE = "ff02::1:ff00:1"


def bad(last: int, payload: bytes, *headers: Header) -> bytes:
    """A packet for which there is an error."""
    first, octets = chain(headers, last, payload)
    return frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, octets, next_header=first))


@functools.cache
def script() -> tuple[Sent, ...]:
    """Start-up, a second address, a group joined, asked for and left, neighbours, echoes and errors."""
    play = Play().start(until=None)
    play.run(20.0)
    play.add_address(OUR_GLOBAL)
    membership = play.join(GROUP)
    play.run(40.0)
    play.receive(mld_message(130, "::", delay=1000))
    play.run(45.0)
    play.leave(membership)
    for octets in (
        solicitation(OUR_LINK_LOCAL),
        advertisement(PEER_LINK_LOCAL),
        solicitation(OUR_GLOBAL, source="::"),
        echo_request(data=b"odd"),
        echo_request(data=bytes(range(256)) * 5),
        echo_request("ff02::1"),
        echo_request(OUR_GLOBAL, source=PEER_GLOBAL),
        bad(253, b"12345678"),
        bad(59, b"", options(60, "9e00")),
        bad(59, b"12345678", routing(9, 1)),
        bad(253, bytes(1300)),
    ):
        play.receive(octets)
    session = play.host.echoes.open(play.interface, ip(PEER_LINK_LOCAL), lambda heard: None, data=b"ping")
    session.send(3, play.now)
    group = play.host.echoes.open(play.interface, ip("ff02::1"), lambda heard: None)
    group.send(4, play.now)
    play.settle()
    play.run(200.0)
    session.send(5, play.now)
    play.settle()
    play.run(210.0)
    return tuple(play.sent())


def of(kind: int) -> list[l2.Ether]:
    """All frames of one ICMPv6 type, as scapy reads them."""
    return [l2.Ether(sent.frame) for sent in script() if sent.kind == kind]


def test_the_script_has_all_that_a_host_says() -> None:
    """Solicitation, advertisement, echo both ways, parameter problem, report, Done."""
    assert {sent.kind for sent in script()} == {135, 136, 128, 129, 4, 131, 132}


def test_scapy_builds_the_same_frames() -> None:
    """RFC 8200 3, 8.1; RFC 4443 2.3: payload length, checksum and every other field that scapy fills in itself."""
    for index, sent in enumerate(script()):
        name = f"frame {index}, type {sent.kind}"
        read = l2.Ether(sent.frame)
        assert bytes(read) == sent.frame, name
        del read[inet6.IPv6].plen
        del message_of(read).cksum
        if inet6.IPv6ExtHdrHopByHop in read:
            del read[inet6.IPv6ExtHdrHopByHop].len
        assert bytes(read).hex() == sent.frame.hex(), name


def message_of(read: l2.Ether) -> Packet:
    """The ICMPv6 message: what is behind the IPv6 header and the hop-by-hop options."""
    behind = read[inet6.IPv6].payload
    return behind.payload if isinstance(behind, inet6.IPv6ExtHdrHopByHop) else behind


def test_dpkt_agrees() -> None:
    """The second witness: addresses, lengths, hop limit, and its own checksum of the message."""
    for index, sent in enumerate(script()):
        name = f"frame {index}, type {sent.kind}"
        read = dpkt.ethernet.Ethernet(sent.frame)
        assert (read.src, read.dst, read.type) == (OUR_MAC, sent.to, 0x86DD), name
        header = read.data
        assert (header.v, header.fc, header.flow) == (6, 0, 0), name
        assert (header.plen, header.hlim) == (len(sent.packet) - 40, sent.hop_limit), name
        assert (header.src, header.dst) == (ip(sent.source), ip(sent.destination)), name
        message = header.data
        assert isinstance(message, dpkt.icmp6.ICMP6), name
        assert (message.type, message.code) == (sent.kind, sent.message[1]), name
        message.sum = 0  # dpkt computes it anew
        assert bytes(read) == sent.frame, name


# -- what the fields say


def test_probes() -> None:
    """RFC 4862 5.4.2, RFC 7527 4.1: from ::, to the solicited-node group, of the address, with a nonce of 6 octets."""
    probes = [each for each in of(135) if each[inet6.IPv6].src == "::"]
    assert [each[inet6.ICMPv6ND_NS].tgt for each in probes] == [OUR_LINK_LOCAL, OUR_GLOBAL]
    for each in probes:
        assert (each.dst, each[inet6.IPv6].dst, each[inet6.IPv6].hlim) == ("33:33:ff:00:00:01", SOLICITED_NODE, 255)
        assert each[inet6.ICMPv6ND_NS].res == 0
        option = each[inet6.ICMPv6ND_NS].payload
        assert (option.type, option.len, len(option.data), bytes(option.payload)) == (14, 1, 6, b"")


def test_solicitations_of_neighbours() -> None:
    """RFC 4861 4.3, 7.2.2, 7.3.3: to the group while the address is unknown, then to the neighbour; our MAC in both."""
    asked = [each for each in of(135) if each[inet6.IPv6].src != "::"]
    assert asked
    assert {each[inet6.ICMPv6NDOptSrcLLAddr].lladdr for each in asked} == {OUR_MAC_TEXT}
    assert {each[inet6.IPv6].hlim for each in asked} == {255}
    to_group = [each for each in asked if each[inet6.IPv6].dst.startswith("ff02::1:ff")]
    to_one = [each for each in asked if each not in to_group]
    assert to_group and to_one
    assert {each[inet6.ICMPv6ND_NS].tgt for each in to_group} == {PEER_GLOBAL, PEER_LINK_LOCAL}
    assert {(each.dst, each[inet6.IPv6].dst == each[inet6.ICMPv6ND_NS].tgt) for each in to_one} == {
        (PEER_MAC_TEXT, True)
    }


def test_advertisements() -> None:
    """RFC 4861 4.4, 7.2.4: solicited to who asked, unsolicited bits to all nodes for a probe; always O and our MAC."""
    read = [
        (
            each.dst,
            each[inet6.IPv6].dst,
            each[inet6.ICMPv6ND_NA].tgt,
            (each[inet6.ICMPv6ND_NA].R, each[inet6.ICMPv6ND_NA].S, each[inet6.ICMPv6ND_NA].O),
            each[inet6.ICMPv6NDOptDstLLAddr].lladdr,
            each[inet6.IPv6].hlim,
        )
        for each in of(136)
    ]
    assert read == [
        (PEER_MAC_TEXT, PEER_LINK_LOCAL, OUR_LINK_LOCAL, (0, 1, 1), OUR_MAC_TEXT, 255),
        ("33:33:00:00:00:01", "ff02::1", OUR_GLOBAL, (0, 0, 1), OUR_MAC_TEXT, 255),
    ]


def test_replies() -> None:
    """RFC 4443 4.2: identifier, sequence number and data of the requests."""
    read = [(each[inet6.IPv6].src, each[inet6.ICMPv6EchoReply].id, each[inet6.ICMPv6EchoReply].seq) for each in of(129)]
    assert read == [(OUR_LINK_LOCAL, 7, 1)] * 3 + [(OUR_GLOBAL, 7, 1)] * (len(read) - 3)
    assert [each[inet6.ICMPv6EchoReply].data for each in of(129)][:3] == [b"odd", bytes(range(256)) * 5, b"abcdefgh"]


def test_requests() -> None:
    """RFC 4443 4.1."""
    read = [
        (
            each[inet6.IPv6].dst,
            each[inet6.IPv6].hlim,
            each[inet6.ICMPv6EchoRequest].seq,
            each[inet6.ICMPv6EchoRequest].data,
        )
        for each in of(128)
    ]
    assert read == [(PEER_LINK_LOCAL, 64, 3, b"ping"), ("ff02::1", 1, 4, b""), (PEER_LINK_LOCAL, 64, 5, b"ping")]


def test_parameter_problems() -> None:
    """RFC 4443 3.4: code, pointer, and the packet in error, as much of it as 1280 octets hold."""
    read = [
        (each[inet6.ICMPv6ParamProblem].code, each[inet6.ICMPv6ParamProblem].ptr, each[inet6.IPv6].plen)
        for each in of(4)
    ]
    assert read == [(1, 6, 8 + 48), (2, 42, 8 + 48), (0, 42, 8 + 56), (1, 6, 1240)]
    for each in of(4):
        inner = each[inet6.IPerror6]
        assert (inner.src, inner.dst) == (PEER_LINK_LOCAL, OUR_LINK_LOCAL)


@pytest.mark.parametrize(("kind", "layer"), [(131, inet6.ICMPv6MLReport), (132, inet6.ICMPv6MLDone)])
def test_listener_messages(kind: int, layer: type) -> None:
    """RFC 2710 3: hop limit 1, router alert of value 0 (RFC 2711 2.1), reserved 0, reports to the group itself."""
    assert of(kind)
    for each in of(kind):
        assert (each[inet6.IPv6].hlim, each[inet6.IPv6].nh) == (1, 0)
        alerts = [option for option in each[inet6.IPv6ExtHdrHopByHop].options if isinstance(option, inet6.RouterAlert)]
        assert [(alert.optlen, alert.value) for alert in alerts] == [(2, 0)]
        assert (each[layer].code, each[layer].mrd, each[layer].reserved) == (0, 0, 0)
        expected = "ff02::2" if kind == 132 else each[layer].mladdr
        assert each[inet6.IPv6].dst == expected
    named = {each[layer].mladdr for each in of(kind)}
    assert named == ({GROUP} if kind == 132 else {GROUP, SOLICITED_NODE})


def test_macs() -> None:
    """RFC 2464 3, 7: from our MAC; groups to 33:33 and their last four octets, all else to our peer."""
    for sent in script():
        destination = ip(sent.destination)
        assert sent.frame[6:12] == OUR_MAC
        assert sent.to == (b"\x33\x33" + destination[12:] if destination[0] == 0xFF else PEER_MAC)
