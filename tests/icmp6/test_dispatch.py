"""ICMPv6 input (RFC 4443 2): length, checksum, then by type to whoever handles it, and to nobody else."""

import struct

import pytest

from stack.discard import Discard, Verdict
from stack.icmp6 import dispatch
from tests.playbook import (
    OUR_LINK_LOCAL,
    PEER_LINK_LOCAL,
    Play,
    chain,
    echo_request,
    fragment,
    frame,
    icmp,
    ip,
    options,
    packet,
)

OUR_GLOBAL = "2001:db8:1::1"
KNOWN_INFORMATIONAL = {128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 143}


@pytest.fixture
def play() -> Play:
    return Play().start().meet()


def message(
    kind: int,
    body: bytes = bytes(40),
    *,
    source: str = PEER_LINK_LOCAL,
    destination: str = OUR_LINK_LOCAL,
    hop_limit: int = 255,
    code: int = 0,
) -> bytes:
    return frame(packet(source, destination, icmp(source, destination, kind, code, body), hop_limit=hop_limit))


@pytest.mark.parametrize("destination", [OUR_LINK_LOCAL, "ff02::1"])
def test_unknown_informational_types(play: Play, destination: str) -> None:
    """RFC 4443 2.4 (b): MUST be silently discarded."""
    for kind in set(range(128, 256)) - KNOWN_INFORMATIONAL:
        assert play.receive(message(kind, destination=destination)) is Discard.ICMP_UNKNOWN_TYPE, f"type {kind}"
    play.run(play.now + 3.0)
    assert play.sent() == []


def test_every_type_below_128_is_an_error(play: Play) -> None:
    """RFC 4443 2.1, 2.4 (a): error messages, known or not, concern whoever sent the packet in them: here nobody."""
    for kind in range(128):
        assert play.receive(message(kind)) is Discard.ICMP_ERROR_UNCLAIMED, f"type {kind}"
    play.run(play.now + 3.0)
    assert play.sent() == []


def test_all_known_types_have_a_handler() -> None:
    """RFC 4443 4, 4861 4, 2710 3, 3810 5: none is taken for unknown."""
    assert set(dispatch.HANDLERS) == KNOWN_INFORMATIONAL


def test_a_message_of_nothing_but_its_header(play: Play) -> None:
    """RFC 4443 2.1: four octets are a message; that of an unknown type is discarded for its type."""
    assert play.receive(message(200, b"")) is Discard.ICMP_UNKNOWN_TYPE


@pytest.mark.parametrize("size", range(4), ids=lambda size: f"{size} octets")
def test_messages_shorter_than_their_header(play: Play, size: int) -> None:
    """RFC 4443 2.1: type, code and checksum; a message without them is none, whatever it starts with."""
    for kind in range(256):
        octets = packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, bytes((kind, 0, 0))[:size])
        assert play.receive(frame(octets)) is Discard.ICMP_TRUNCATED, f"type {kind}"
    assert play.sent() == []


@pytest.mark.parametrize("kind", sorted(KNOWN_INFORMATIONAL | {1, 2, 3, 4, 100, 200}))
@pytest.mark.parametrize("flipped", [0x0001, 0x8000, 0xFFFE, 0x0100], ids=hex)
def test_checksum_comes_first(play: Play, kind: int, flipped: int) -> None:
    """RFC 4443 2.3: a message with a wrong checksum is judged by nothing else."""
    octets = bytearray(message(kind, bytes(4) + ip(PEER_LINK_LOCAL)))
    value = struct.unpack("!H", octets[56:58])[0] ^ flipped
    octets[56:58] = struct.pack("!H", value)
    assert play.receive(bytes(octets)) is Discard.ICMP_CHECKSUM
    assert play.sent() == []


@pytest.mark.parametrize("kind", range(128, 144))
def test_messages_of_every_length(play: Play, kind: int) -> None:
    """KNOWN_BUGS 22: no length of any message is taken for more than it is; nothing raises."""
    before = sum(play.host.counters.outcomes.values())
    for size in range(4, 48):
        for destination in (OUR_LINK_LOCAL, "ff02::1"):
            octets = message(kind, bytes(size - 4), destination=destination, hop_limit=255 if kind > 132 else 1)
            outcome = play.receive(octets)
            # An echo request needs 8 octets, and a router advertisement of 16 zeros says nothing.
            valid = (kind == 128 and size >= 8) or (kind == 134 and size == 16)
            assert isinstance(outcome, Discard) is not valid, f"{size} octets"
    assert sum(play.host.counters.outcomes.values()) == before + 2 * 44


# -- what may come from where

FROM_NOWHERE = {131, 132, 133, 135, 130, 143}


@pytest.mark.parametrize("kind", sorted(KNOWN_INFORMATIONAL | {1, 2, 3, 4, 5, 127, 144, 255}))
def test_unspecified_source(play: Play, kind: int) -> None:
    """RFC 4291 2.5.2: only what a node may send before it has an address (RFC 4861 4.1, 4.3; RFC 3590 4)."""
    outcome = play.receive(message(kind, source="::"))
    assert isinstance(outcome, Discard)
    assert (outcome is Discard.SOURCE_UNSPECIFIED) == (kind not in FROM_NOWHERE)
    assert play.sent() == []


@pytest.mark.parametrize("kind", [1, 4, 100, 128, 129, 133, 134, 137, 200])
@pytest.mark.parametrize("source", [OUR_LINK_LOCAL, OUR_GLOBAL])
def test_our_own_address_as_source(play: Play, kind: int, source: str) -> None:
    """RFC 4862 5.4.3: a packet from the link with an address of ours came from nobody that we could answer."""
    play.add_address(OUR_GLOBAL)
    play.run(play.now + 3.0)
    play.sent()
    assert play.receive(message(kind, source=source)) is Discard.SOURCE_OURS
    assert play.sent() == []


@pytest.mark.parametrize("kind", [130, 131, 132, 135, 136, 143])
def test_our_own_address_as_source_of_what_judges_it_itself(play: Play, kind: int) -> None:
    """RFC 4862 5.4.3, 5.4.4: solicitations and advertisements say something about our address; never an answer."""
    received = message(kind, bytes(4) + ip(OUR_LINK_LOCAL), source=OUR_LINK_LOCAL, hop_limit=255)
    outcome = play.receive(received)
    assert outcome is not Verdict.ANSWERED
    assert play.sent() == []


# -- routers' messages


def test_router_solicitation(play: Play) -> None:
    """RFC 4861 6.2.6: hosts silently discard it."""
    assert play.receive(message(133, bytes(4), destination="ff02::1")) is Discard.ICMP_ROUTERS_ONLY
    assert play.sent() == []


# -- behind extension headers


@pytest.mark.parametrize(
    "headers",
    [(options(0, "0104 00000000"),), (options(60, "0104 00000000"),), (fragment(),)],
    ids=["hop-by-hop", "destination", "atomic fragment"],
)
def test_checksum_behind_extension_headers(play: Play, headers: tuple[object, ...]) -> None:
    """RFC 8200 8.1: the pseudo-header has the upper-layer length and next header 58, not those of the IPv6 header."""
    first, octets = chain(headers, 58, echo_request()[54:])  # type: ignore[arg-type]
    assert play.receive(frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, octets, next_header=first))) is Verdict.ANSWERED
    (reply,) = play.sent()
    assert (reply.kind, reply.checksum_is_right()) == (129, True)


def test_counted_once_by_type(play: Play) -> None:
    """RFC 4293 icmpMsgStatsInPkts: what was verified, by type; what was not, as a message in error only."""
    for kind in (128, 200, 5, 143):
        play.receive(message(kind))
    octets = bytearray(message(128))
    octets[60] ^= 1
    play.receive(bytes(octets))
    table = play.host.counters.as_dict()
    counts = {kind: table.get(f"Icmp6InType{kind}", 0) for kind in (128, 200, 5, 143)}
    assert counts == {128: 1, 200: 1, 5: 1, 143: 1}
    # the two messages of `meet` are in it
    assert (table["Icmp6InMsgs"], table["Icmp6InErrors"], table["Icmp6InCsumErrors"]) == (7, 1, 1)
