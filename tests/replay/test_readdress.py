"""Captures re-addressed: everything that names the node is ours afterwards, and checksums stay as they were."""

from scapy.all import (
    TCP,
    UDP,
    Dot1Q,
    Ether,
    ICMPv6DestUnreach,
    ICMPv6EchoRequest,
    ICMPv6MLDMultAddrRec,
    ICMPv6MLQuery2,
    ICMPv6MLReport2,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_Redirect,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptRedirectedHdr,
    ICMPv6NDOptSrcLLAddr,
    IPerror6,
    IPv6,
    IPv6ExtHdrFragment,
    UDPerror,
)

from stack.capture.readdress import Readdresser, cast
from tests.playbook import ip

NODE_MAC, PEER_MAC, ROUTER_MAC = "00:11:22:33:44:55", "00:aa:00:00:00:01", "00:aa:00:00:00:fe"
NODE, NODE_LL, FAR = "2001:db8:9::5:17", "fe80::211:22ff:fe33:4455", "2400:1::1"
PEER, PEER_LL = "2001:db8:9::7", "fe80::7"
OUR_MAC = "02:00:6e:00:00:64"
OURS, OUR_LL, OUR_PEER = "2001:db8:64::5:17", "fe80::6eff:fe00:64", "2001:db8:64::7"
OUR_LL_GROUP = "ff02::1:ff00:64"


def mapped(*frames: object) -> list[Ether]:
    octets = [bytes(frame) for frame in frames]  # type: ignore[call-overload]
    found = cast(octets)
    assert found.main is not None
    readdresser = Readdresser(found, bytes.fromhex("02006e000064"), ip(OUR_LL), ip("2001:db8:64::")[:8])
    return [Ether(readdresser.frame(each)) for each in octets]


def to_node(source: str = PEER, destination: str = NODE, **fields: int) -> Ether:
    return Ether(src=PEER_MAC, dst=NODE_MAC) / IPv6(src=source, dst=destination, **fields)


# Twice, so that the node is the one with the most traffic in.
ANCHOR = [to_node() / ICMPv6EchoRequest(id=1), to_node() / ICMPv6EchoRequest(id=2), to_node(PEER_LL, NODE_LL) / UDP()]


def is_intact(frame: Ether, layer: type) -> bool:
    again = Ether(bytes(frame))
    delattr(again[layer], "cksum" if "cksum" in again[layer].fields else "chksum")
    return bytes(Ether(bytes(again))) == bytes(frame)


def test_headers_and_checksums() -> None:
    echo, _, datagram = mapped(*ANCHOR)
    assert (echo.dst, echo.src) == (OUR_MAC, PEER_MAC)
    assert (echo[IPv6].src, echo[IPv6].dst) == (OUR_PEER, OURS)
    assert (datagram[IPv6].src, datagram[IPv6].dst) == (PEER_LL, OUR_LL)
    assert is_intact(echo, ICMPv6EchoRequest)
    assert is_intact(datagram, UDP)


def test_what_the_node_sends_comes_from_us_and_what_is_elsewhere_stays() -> None:
    out = Ether(src=NODE_MAC, dst=ROUTER_MAC) / IPv6(src=NODE, dst=FAR) / TCP(sport=1, dport=2)
    *_, frame = mapped(*ANCHOR, out)
    assert (frame.src, frame.dst) == (OUR_MAC, ROUTER_MAC)
    assert (frame[IPv6].src, frame[IPv6].dst) == (OURS, FAR)
    assert is_intact(frame, TCP)


def test_a_wrong_checksum_stays_wrong() -> None:
    *_, frame = mapped(*ANCHOR, to_node() / ICMPv6EchoRequest(cksum=0x1234))
    assert frame[IPv6].dst == OURS
    assert not is_intact(frame, ICMPv6EchoRequest)


def test_solicitations_with_their_group_target_and_option() -> None:
    asked = (
        Ether(src=PEER_MAC, dst="33:33:ff:33:44:55")
        / IPv6(src=PEER_LL, dst="ff02::1:ff33:4455", hlim=255)
        / ICMPv6ND_NS(tgt=NODE_LL)
        / ICMPv6NDOptSrcLLAddr(lladdr=PEER_MAC)
    )
    *_, frame = mapped(*ANCHOR, asked)
    assert frame.dst == "33:33:ff:00:00:64"
    assert frame[IPv6].dst == OUR_LL_GROUP
    assert frame[ICMPv6ND_NS].tgt == OUR_LL
    assert frame[ICMPv6NDOptSrcLLAddr].lladdr == PEER_MAC
    assert is_intact(frame, ICMPv6ND_NS)


def test_our_mac_stands_in_link_layer_options() -> None:
    told = (
        Ether(src=NODE_MAC, dst=PEER_MAC)
        / IPv6(src=NODE_LL, dst=PEER_LL, hlim=255)
        / ICMPv6ND_NA(tgt=NODE)
        / ICMPv6NDOptDstLLAddr(lladdr=NODE_MAC)
    )
    *_, frame = mapped(*ANCHOR, told)
    assert frame[ICMPv6ND_NA].tgt == OURS
    assert frame[ICMPv6NDOptDstLLAddr].lladdr == OUR_MAC
    assert is_intact(frame, ICMPv6ND_NA)


def test_quoted_packets_in_errors_with_their_own_checksums() -> None:
    quoted = IPv6(src=NODE, dst=PEER) / UDP(sport=5, dport=6) / b"data"
    error = to_node() / ICMPv6DestUnreach(code=4) / IPerror6(bytes(quoted))
    *_, frame = mapped(*ANCHOR, error)
    assert (frame[IPerror6].src, frame[IPerror6].dst) == (OURS, OUR_PEER)
    whole = IPv6(src=OURS, dst=OUR_PEER) / UDP(sport=5, dport=6) / b"data"
    assert frame[UDPerror].chksum == IPv6(bytes(whole))[UDP].chksum
    assert is_intact(frame, ICMPv6DestUnreach)


def test_redirects_with_the_packet_inside() -> None:
    packet = IPv6(src=NODE, dst=FAR) / ICMPv6EchoRequest()
    redirect = (
        Ether(src=ROUTER_MAC, dst=NODE_MAC)
        / IPv6(src="fe80::fe", dst=NODE, hlim=255)
        / ICMPv6ND_Redirect(tgt=PEER, dst=PEER)
        / ICMPv6NDOptRedirectedHdr(pkt=packet)
    )
    *_, frame = mapped(*ANCHOR, redirect)
    assert (frame[ICMPv6ND_Redirect].tgt, frame[ICMPv6ND_Redirect].dst) == (OUR_PEER, OUR_PEER)
    assert bytes(frame).count(ip(OURS)) == 2
    assert is_intact(frame, ICMPv6ND_Redirect)


def test_groups_in_queries_and_reports() -> None:
    query = (
        Ether(src=ROUTER_MAC, dst="33:33:ff:33:44:55")
        / IPv6(src="fe80::fe", dst="ff02::1:ff33:4455", hlim=1)
        / ICMPv6MLQuery2(mladdr="ff02::1:ff33:4455")
    )
    report = (
        Ether(src=NODE_MAC, dst="33:33:00:00:00:16")
        / IPv6(src=NODE_LL, dst="ff02::16", hlim=1)
        / ICMPv6MLReport2(records=[ICMPv6MLDMultAddrRec(dst="ff02::1:ff33:4455", rtype=2)])
    )
    *_, asked, told = mapped(*ANCHOR, query, report)
    assert asked[ICMPv6MLQuery2].mladdr == OUR_LL_GROUP
    assert told[ICMPv6MLReport2].records[0].dst == OUR_LL_GROUP
    assert told[IPv6].src == OUR_LL


def test_a_first_fragment_has_the_checksum_of_the_whole() -> None:
    def whole(source: str, destination: str) -> bytes:
        return bytes(IPv6(src=source, dst=destination) / ICMPv6EchoRequest(id=9, data=b"x" * 100))[40:]

    def first(message: bytes) -> Ether:
        return to_node() / IPv6ExtHdrFragment(nh=58, m=1, id=7) / message[:64]

    *_, frame = mapped(*ANCHOR, first(whole(PEER, NODE)))
    assert bytes(frame)[62:] == whole(OUR_PEER, OURS)[:64]


def test_tags_are_taken_off() -> None:
    tagged = Ether(src=PEER_MAC, dst=NODE_MAC) / Dot1Q(vlan=7) / IPv6(src=PEER, dst=NODE) / ICMPv6EchoRequest()
    *_, frame = mapped(*ANCHOR, tagged)
    assert Dot1Q not in frame
    assert frame.type == 0x86DD


def test_in_a_loopback_capture_others_get_a_mac_of_their_own() -> None:
    frames = [Ether(src="00:00:00:00:00:00", dst="00:00:00:00:00:00") / IPv6(src=PEER, dst=NODE) / UDP()] * 2
    frame, _ = mapped(*frames)
    assert frame.dst == OUR_MAC
    assert frame.src not in (OUR_MAC, "00:00:00:00:00:00")


def test_the_main_node_of_a_capture() -> None:
    found = cast([bytes(frame) for frame in ANCHOR])
    assert found.main == ip(NODE)
    assert set(found.own) == {ip(NODE), ip(NODE_LL)}
    # Without unicast traffic, whoever is asked for.
    asked = Ether(dst="33:33:ff:33:44:55") / IPv6(src="::", dst="ff02::1:ff33:4455") / ICMPv6ND_NS(tgt=NODE_LL)
    assert cast([bytes(asked)]).main == ip(NODE_LL)
    assert cast([b"runt", bytes(Ether() / b"x")]).main is None
