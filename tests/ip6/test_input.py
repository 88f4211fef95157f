"""What every frame and packet must be before anything else looks at it: Ethernet, lengths, version, addresses."""

import struct
from random import Random

import pytest

from stack.discard import Discard, Outcome, Verdict
from stack.host import Host
from stack.interface import Interface
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Play,
    Sent,
    advertisement,
    echo_request,
    frame,
    group_mac,
    icmp,
    ip,
    packet,
    solicitation,
    text,
)

OUR_GLOBAL = "2001:db8:1::1"
PEER_GLOBAL = "2001:db8:1::2"


@pytest.fixture
def play() -> Play:
    """A host that knows its peer and has a global address too."""
    play = Play().start()
    play.add_address(OUR_GLOBAL)
    play.run(30.0)
    play.receive(solicitation(OUR_LINK_LOCAL))
    # The peer is reachable, so that no probe of it is due while a test waits for silence.
    play.receive(advertisement(PEER_LINK_LOCAL))
    play.sent()
    return play


def outcome_of(play: Play, octets: bytes) -> Outcome:
    """What becomes of a frame; every frame is counted once, under its own outcome and no other."""
    counters = play.host.counters
    before, frames = dict(counters.outcomes), counters.frames_in
    outcome = play.receive(octets)
    rise = {each: count - before[each] for each, count in counters.outcomes.items() if count != before[each]}
    assert rise == {outcome: 1}
    assert counters.frames_in == frames + 1
    return outcome


def echo(source: str, destination: str) -> bytes:
    return frame(packet(source, destination, icmp(source, destination, 128, 0, bytes(4)), hop_limit=64))


# -- Ethernet


@pytest.mark.parametrize("size", range(54), ids=lambda size: f"{size} octets")
def test_frames_shorter_than_both_headers(play: Play, size: int) -> None:
    """IEEE 802.3: less than 14 octets is no frame; RFC 8200 3: less than 40 more is no packet."""
    outcome = outcome_of(play, echo_request()[:size])
    assert outcome is (Discard.RUNT_FRAME if size < 14 else Discard.TRUNCATED)
    assert play.sent() == []


OTHER_MACS = {
    "another station": "020070000009",
    "broadcast": "ffffffffffff",
    "a group that nobody joined": "3333deadbeef",
    "an IPv4 group": "01005e000001",
    "our MAC with the group bit": "03006e000001",
}


@pytest.mark.parametrize("mac", OTHER_MACS.values(), ids=OTHER_MACS)
def test_other_destination_macs(play: Play, mac: str) -> None:
    """RFC 2464 7: only our own MAC and those of the joined groups are for us, whatever the filter lets through."""
    octets = frame(echo_request()[14:], to=bytes.fromhex(mac))
    assert outcome_of(play, octets) is Discard.NOT_FOR_US
    assert play.sent() == []


@pytest.mark.parametrize("mac", ["030070000002", "333300000001", "ffffffffffff"])
def test_source_mac_of_a_group(play: Play, mac: str) -> None:
    """IEEE 802.3 3.2.3: a source is one station."""
    assert outcome_of(play, frame(echo_request()[14:], mac=bytes.fromhex(mac))) is Discard.BAD_SOURCE_MAC
    assert play.sent() == []


@pytest.mark.parametrize("kind", [0x0800, 0x0806, 0x0000, 0x002E, 0x88A8, 0xDD86, 0xFFFF], ids=hex)
def test_other_ethertypes(play: Play, kind: int) -> None:
    """RFC 2464 3: IPv6 is 86dd and nothing else is IPv6."""
    assert outcome_of(play, frame(echo_request()[14:], kind=kind)) is Discard.NOT_IPV6
    assert play.sent() == []


def tagged(octets: bytes, control: int) -> bytes:
    """The frame with an 802.1Q tag."""
    return octets[:12] + struct.pack("!HH", 0x8100, control) + octets[12:]


def test_tagged_frame_on_an_untagged_link(play: Play) -> None:
    """IEEE 802.1Q: a frame of VLAN 5 is not ours."""
    assert outcome_of(play, tagged(echo_request(), 5)) is Discard.WRONG_VLAN


@pytest.mark.parametrize("control", [0x0000, 0xE000, 0x1000], ids=["priority 0", "priority 7", "drop eligible"])
def test_priority_tag_on_an_untagged_link(play: Play, control: int) -> None:
    """IEEE 802.1Q 9.6: VID 0 only carries a priority; the frame counts as untagged."""
    assert outcome_of(play, tagged(echo_request(), control)) is Verdict.ANSWERED
    assert [each.frame[12:14] for each in play.sent(129)] == [b"\x86\xdd"]


@pytest.mark.parametrize("size", range(14, 18))
def test_frame_that_ends_in_its_tag(play: Play, size: int) -> None:
    """The tag has four octets."""
    assert outcome_of(play, tagged(echo_request(), 0)[:size]) is Discard.RUNT_FRAME


def test_tag_before_another_protocol(play: Play) -> None:
    """The type behind the tag counts, a second tag too."""
    assert outcome_of(play, tagged(frame(echo_request()[14:], kind=0x0806), 0)) is Discard.NOT_IPV6
    assert outcome_of(play, tagged(tagged(echo_request(), 0), 0)) is Discard.NOT_IPV6


class Tagged:
    """A host on VLAN 5."""

    def __init__(self) -> None:
        self.host = Host(Random(1))
        self.interface: Interface = self.host.attach("t0", OUR_MAC, vlan=5)
        self.interface.start(0.0)
        self.now = 0.0
        self.started = self.run(20.0)

    def run(self, until: float) -> list[bytes]:
        while (deadline := self.host.next_deadline()) is not None and deadline <= until:
            self.host.advance(deadline)
        self.now = until
        return [octets for _, octets in self.host.output()]


def test_every_frame_of_ours_is_tagged() -> None:
    """IEEE 802.1Q 9.5: 8100, priority 0, VLAN 5, then the ethertype."""
    link = Tagged()
    assert len(link.started) >= 3
    assert {octets[6:18] for octets in link.started} == {OUR_MAC + bytes.fromhex("8100 0005 86dd")}


@pytest.mark.parametrize(
    ("control", "accepted"),
    [(0x0005, True), (0xE005, True), (0x0006, False), (0x0000, False), (0x0FFF, False), (None, False)],
    ids=["VLAN 5", "VLAN 5 with priority", "VLAN 6", "priority only", "VLAN 4095", "untagged"],
)
def test_a_link_of_a_vlan_takes_only_its_frames(control: int | None, accepted: bool) -> None:
    """IEEE 802.1Q 6.9: tagged with 5 or not ours."""
    link = Tagged()
    for octets in (solicitation(OUR_LINK_LOCAL), echo_request()):
        outcome = link.host.receive(octets if control is None else tagged(octets, control), link.now)
        assert outcome is (Verdict.ANSWERED if accepted else Discard.WRONG_VLAN)
    kinds = [octets[18 + 40] for octets in link.run(link.now + 0.1)]
    assert kinds == ([136, 129] if accepted else [])


def test_answers_on_a_vlan_keep_packet_and_checksum() -> None:
    """The tag is the link's: behind it the packet is as ever."""
    link = Tagged()
    link.host.receive(tagged(solicitation(OUR_LINK_LOCAL), 5), link.now)
    octets = link.run(link.now + 0.1)[0]
    assert octets[:12] == PEER_MAC + OUR_MAC
    assert Sent(0.0, octets[:12] + octets[16:]).checksum_is_right()


def test_interface_that_is_down(play: Play) -> None:
    """Nothing comes in before start or after stop."""
    play.interface.stop(play.now)
    assert outcome_of(play, echo_request()) is Discard.INTERFACE_DOWN
    assert play.sent() == []


# -- version and lengths


@pytest.mark.parametrize("version", [0, 4, 5, 7, 15])
def test_version(play: Play, version: int) -> None:
    """RFC 8200 3: version 6, whatever the ethertype promised."""
    octets = bytearray(echo_request())
    octets[14] = version << 4
    assert outcome_of(play, bytes(octets)) is Discard.BAD_VERSION


@pytest.mark.parametrize("first", ["6fffffff", "60000001", "6ff00000"])
def test_traffic_class_and_flow_label_do_not_matter(play: Play, first: str) -> None:
    """RFC 8200 6, 7: a node that does not use them ignores them."""
    octets = echo_request()
    assert outcome_of(play, octets[:14] + bytes.fromhex(first) + octets[18:]) is Verdict.ANSWERED


@pytest.mark.parametrize("hop_limit", [0, 1, 255])
def test_hop_limit_does_not_matter_at_the_destination(play: Play, hop_limit: int) -> None:
    """RFC 8200 3: a packet that has arrived is processed normally, with a hop limit of 0 too."""
    assert outcome_of(play, echo_request(hop_limit=hop_limit)) is Verdict.ANSWERED


@pytest.mark.parametrize("excess", [1, 2, 40, 65_519], ids=lambda excess: f"{excess} more")
def test_payload_length_beyond_the_frame(play: Play, excess: int) -> None:
    """RFC 8200 3 (KNOWN_BUGS 41, 54): compared with the frame behind the header, before any checksum."""
    whole = echo_request()[14:]
    octets = whole[:4] + struct.pack("!H", min(len(whole) - 40 + excess, 65_535)) + whole[6:]
    assert outcome_of(play, frame(octets)) is Discard.TRUNCATED
    assert play.sent() == []


@pytest.mark.parametrize("size", range(54, len(echo_request())), ids=lambda size: f"{size} octets")
def test_frame_cut_short_anywhere(play: Play, size: int) -> None:
    """RFC 8200 3: a packet of which any part is missing is no packet."""
    assert outcome_of(play, echo_request()[:size]) is Discard.TRUNCATED
    assert play.sent() == []


@pytest.mark.parametrize("trailer", [b"\0", b"\0" * 6, b"\xff" * 46, bytes(range(200))], ids=len)
def test_trailer_is_removed(play: Play, trailer: bytes) -> None:
    """RFC 8200 3: the payload length says where the packet ends; padding of the frame is not answered."""
    assert outcome_of(play, echo_request(data=b"abc") + trailer) is Verdict.ANSWERED
    (reply,) = play.sent(129)
    assert len(reply.packet) == 40 + 8 + 3
    assert reply.message[8:] == b"abc"
    assert reply.checksum_is_right()


def test_payload_length_zero(play: Play) -> None:
    """RFC 8200 3: nothing behind the header (we speak no jumbograms, RFC 2675): not "the rest of the frame"."""
    octets = echo_request()[14:]
    assert outcome_of(play, frame(octets[:4] + bytes(2) + octets[6:])) is Discard.ICMP_TRUNCATED
    assert play.sent() == []


@pytest.mark.parametrize("option", ["c204 00010000", "c204 00000008", "0104 00000000"], ids=["jumbo", "short", "none"])
def test_jumbograms(play: Play, option: str) -> None:
    """RFC 2675 3, by a node that understands none: code 0 at the payload length, the packet quoted as it came."""
    octets = frame(
        packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, bytes.fromhex("3a00" + option) + b"\x80" * 8, next_header=0, length=0)
    )
    assert outcome_of(play, octets) is Discard.JUMBOGRAM
    (sent,) = play.sent()
    assert (sent.kind, sent.message[1], sent.message[4:8]) == (4, 0, b"\0\0\0\4")
    assert sent.message[8:] == octets[14:]


def test_a_jumbo_option_in_a_packet_with_a_payload_length(play: Play) -> None:
    """RFC 2675 3: an option that is not understood, code 2 at its type."""
    octets = frame(
        packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, bytes.fromhex("3a00c20400010000") + b"\x80" * 8, next_header=0)
    )
    assert outcome_of(play, octets) is Discard.OPTION_UNKNOWN
    (sent,) = play.sent()
    assert (sent.kind, sent.message[1], sent.message[4:8]) == (4, 2, b"\0\0\0\x2a")


def test_a_jumbogram_of_nothing(play: Play) -> None:
    """A frame that ends with the IPv6 header: there is no options header, and the length says so."""
    octets = frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, b"", next_header=0))
    assert outcome_of(play, octets) is Discard.HEADER_TRUNCATED
    (sent,) = play.sent()
    assert sent.message[4:8] == b"\0\0\0\4"


def test_jumbograms_to_a_group(play: Play) -> None:
    """RFC 4443 2.4 (e.3)."""
    octets = frame(packet(PEER_LINK_LOCAL, "ff02::1", bytes(16), next_header=0, length=0))
    assert outcome_of(play, octets) is Discard.JUMBOGRAM
    assert play.sent() == []


# -- addresses

MARTIANS = {
    "multicast source": ("ff02::1", OUR_LINK_LOCAL, Discard.SOURCE_MULTICAST),
    "multicast source to a group": ("ff0e::1", "ff02::1", Discard.SOURCE_MULTICAST),
    "loopback source": ("::1", OUR_LINK_LOCAL, Discard.SOURCE_LOOPBACK),
    "loopback destination": (PEER_LINK_LOCAL, "::1", Discard.SOURCE_LOOPBACK),
    "IPv4-mapped source": ("::ffff:192.0.2.1", OUR_GLOBAL, Discard.SOURCE_MAPPED),
    "IPv4-mapped destination": (PEER_GLOBAL, "::ffff:192.0.2.1", Discard.SOURCE_MAPPED),
    "unspecified destination": (PEER_LINK_LOCAL, "::", Discard.DESTINATION_UNSPECIFIED),
    "unspecified source of an echo": ("::", OUR_LINK_LOCAL, Discard.SOURCE_UNSPECIFIED),
    "unspecified source of an echo to a group": ("::", "ff02::1", Discard.SOURCE_UNSPECIFIED),
    "our link-local address as source": (OUR_LINK_LOCAL, OUR_LINK_LOCAL, Discard.SOURCE_OURS),
    "our global address as source": (OUR_GLOBAL, OUR_LINK_LOCAL, Discard.SOURCE_OURS),
    "our address as source to a group": (OUR_LINK_LOCAL, "ff02::1", Discard.SOURCE_OURS),
    "group of scope 0": (PEER_LINK_LOCAL, "ff00::1", Discard.DESTINATION_SCOPE),
    "group of scope 1": (PEER_LINK_LOCAL, "ff01::1", Discard.DESTINATION_SCOPE),
    "group of scope 1 with flags": (PEER_LINK_LOCAL, "ff11::1", Discard.DESTINATION_SCOPE),
    "address of nobody": (PEER_LINK_LOCAL, "fe80::dead", Discard.ADDRESS_NOT_OURS),
    "address of nobody in our prefix": (PEER_GLOBAL, "2001:db8:1::3", Discard.ADDRESS_NOT_OURS),
}


@pytest.mark.parametrize(("source", "destination", "reason"), MARTIANS.values(), ids=MARTIANS)
def test_martians(play: Play, source: str, destination: str, reason: Discard) -> None:
    """RFC 4291 2.5.2, 2.5.3, 2.5.5.2, 2.7; RFC 8200 3: an echo request between such addresses is never answered."""
    assert outcome_of(play, echo(source, destination)) is reason
    play.run(play.now + 5.0)
    assert play.sent() == []


def test_a_group_of_scope_1_that_is_joined(play: Play) -> None:
    """RFC 4291 2.7: interface-local scope does not span a link, whoever joined here."""
    play.join("ff01::77")
    assert outcome_of(play, echo(PEER_LINK_LOCAL, "ff01::77")) is Discard.DESTINATION_SCOPE


UNUSUAL = {
    "::2": Verdict.DELIVERED,
    "::ffff:0:0:1": Verdict.DELIVERED,
    "fec0::1": Verdict.DELIVERED,
    "2002::1": Verdict.DELIVERED,
    "fe80::1": Verdict.ANSWERED,
}


@pytest.mark.parametrize(("source", "verdict"), UNUSUAL.items(), ids=UNUSUAL)
def test_unusual_sources_are_no_martians(play: Play, source: str, verdict: Verdict) -> None:
    """Only what the RFCs forbid is discarded: these are addresses like any other; to those off-link there is no way."""
    assert outcome_of(play, echo(source, OUR_LINK_LOCAL)) is verdict
    assert play.host.counters.as_dict()["Ip6OutNoRoutes"] == (verdict is Verdict.DELIVERED)


@pytest.mark.parametrize("next_header", [59, 253], ids=["no next header", "unknown next header"])
@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("::", Discard.SOURCE_UNSPECIFIED),
        (OUR_GLOBAL, Discard.SOURCE_OURS),
        ("ff02::1", Discard.SOURCE_MULTICAST),
        ("::1", Discard.SOURCE_LOOPBACK),
    ],
)
def test_martian_sources_of_other_protocols(play: Play, source: str, reason: Discard, next_header: int) -> None:
    """RFC 4443 2.4 (e.6) and KNOWN_BUGS 46: nothing is ever sent to such a source."""
    octets = frame(packet(source, OUR_LINK_LOCAL, b"12345678", next_header=next_header))
    assert outcome_of(play, octets) is reason
    assert play.sent() == []


def test_tentative_destination() -> None:
    """RFC 4862 5.4: a tentative address takes nothing but neighbour discovery about itself."""
    play = Play().start(until=None)
    play.sent()
    assert outcome_of(play, echo_request()) is Discard.ADDRESS_TENTATIVE
    assert play.sent(129) == []


def test_duplicate_destination() -> None:
    """RFC 4862 5.4.5: an address found to be a duplicate is not assigned."""
    play = Play().start()
    play.add_address(OUR_GLOBAL)
    play.run(play.now + 0.5)
    play.receive(solicitation(OUR_GLOBAL, source="::"))
    play.run(play.now + 10.0)
    play.sent()
    assert isinstance(outcome_of(play, echo(PEER_GLOBAL, OUR_GLOBAL)), Discard)
    assert play.sent(129) == []


def test_group_that_shares_its_mac_with_a_joined_one(play: Play) -> None:
    """RFC 2464 7 (PITFALLS 12): the MAC gets it through the filter, the address decides."""
    play.join("ff05::1:2:3")
    play.sent()
    assert group_mac(ip("ff05::1:2:3")) == group_mac(ip("ff05::2:2:3"))
    assert outcome_of(play, echo(PEER_LINK_LOCAL, "ff05::2:2:3")) is Discard.GROUP_NOT_JOINED
    assert play.sent() == []
    assert outcome_of(play, echo(PEER_LINK_LOCAL, "ff05::1:2:3")) is Verdict.ANSWERED


def test_our_groups(play: Play) -> None:
    """RFC 4291 2.8: all-nodes and the solicited-node group of every address are taken; all-routers is not."""
    solicited = text(ip("ff02::1:ff00:0")[:13] + ip(OUR_GLOBAL)[13:])
    assert outcome_of(play, echo(PEER_LINK_LOCAL, "ff02::1")) is Verdict.ANSWERED
    assert outcome_of(play, echo(PEER_LINK_LOCAL, solicited)) is Verdict.ANSWERED
    assert outcome_of(play, echo(PEER_LINK_LOCAL, "ff02::2")) is Discard.NOT_FOR_US


def test_a_left_group_is_no_longer_taken(play: Play) -> None:
    """With the last membership both the MAC and the group are gone."""
    membership = play.join("ff05::77")
    assert outcome_of(play, echo(PEER_LINK_LOCAL, "ff05::77")) is Verdict.ANSWERED
    play.leave(membership)
    assert outcome_of(play, echo(PEER_LINK_LOCAL, "ff05::77")) is Discard.NOT_FOR_US


def test_a_packet_for_another_group_in_a_frame_to_us(play: Play) -> None:
    """The IPv6 destination decides, not the MAC that it came to."""
    octets = echo(PEER_LINK_LOCAL, "ff05::99")
    assert outcome_of(play, frame(octets[14:], to=OUR_MAC)) is Discard.GROUP_NOT_JOINED


def test_receives_and_octets_are_counted(play: Play) -> None:
    """RFC 4293 InReceives: all IPv6 packets, also those in error; other frames are no packets."""
    counters = play.host.counters
    packets, octets = counters.packets_in, counters.octets_in
    play.receive(b"\0" * 13)
    play.receive(frame(echo_request()[14:], kind=0x0800))
    assert counters.packets_in == packets
    play.receive(echo("::1", OUR_LINK_LOCAL))
    play.receive(echo_request(data=b"1234"))
    assert counters.packets_in == packets + 2
    assert counters.octets_in == octets + (40 + 8) + (40 + 8 + 4)
