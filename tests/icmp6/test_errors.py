"""ICMPv6 errors: each clause of RFC 4443 2.4 and 2.2, for the errors that we send and for those that we hear."""

import struct

import pytest

from stack.discard import Discard, Verdict
from stack.icmp6.echo import EchoAnswer, EchoError, EchoSession
from stack.journal import Record
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Header,
    Play,
    chain,
    fragment,
    frame,
    icmp,
    ip,
    lladdr_option,
    options,
    packet,
    routing,
)

OUR_GLOBAL = "2001:db8:1::1"
PEER_GLOBAL = "2001:db8:1::2"
ANYCAST = "2001:db8:1::abcd"
ALL_NODES_MAC = bytes.fromhex("333300000001")
BROADCAST = b"\xff" * 6

REPORTED_ALWAYS = options(60, "9e00")
REPORTED_TO_ONE = options(60, "de00")


@pytest.fixture
def play() -> Play:
    play = Play().start()
    play.add_address(OUR_GLOBAL)
    play.add_address(ANYCAST, anycast=True)
    play.run(30.0)
    return play.meet().meet(PEER_GLOBAL)


def message(
    headers: tuple[Header, ...],
    last: int,
    payload: bytes,
    *,
    source: str = PEER_LINK_LOCAL,
    destination: str = OUR_LINK_LOCAL,
    to: bytes | None = None,
    mac: bytes = PEER_MAC,
) -> bytes:
    first, octets = chain(headers, last, payload)
    return frame(packet(source, destination, octets, next_header=first, hop_limit=64), to=to, mac=mac)


def unknown_next_header(
    payload: bytes = b"12345678", *, destination: str = OUR_LINK_LOCAL, to: bytes | None = None
) -> bytes:
    """A packet that is reported with code 1."""
    return message((), 253, payload, destination=destination, to=to)


# -- 2.4 (c): the quote

SIZES = {
    "nothing": 0,
    "one octet": 1,
    "one less than fits": 1280 - 48 - 40 - 1,
    "just fits": 1280 - 48 - 40,
    "one more than fits": 1280 - 48 - 40 + 1,
    "a full frame": 1460,
    "the longest packet": 65_535,
}


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_quote(play: Play, size: int) -> None:
    """RFC 4443 2.4 (c): as much of the packet as possible without exceeding 1280 octets (KNOWN_BUGS 45)."""
    received = unknown_next_header(bytes(index & 0xFF for index in range(size)))
    play.receive(received)
    (sent,) = play.sent()
    assert len(sent.packet) == min(1280, 48 + 40 + size)
    assert sent.message[8:] == received[14:][: 1280 - 48]
    assert sent.packet[:8] == struct.pack("!IHBB", 6 << 28, len(sent.packet) - 40, 58, 64)
    assert sent.checksum_is_right()


def test_quote_is_of_the_packet_not_of_the_frame(play: Play) -> None:
    """RFC 8200 3: what pads the frame is not of the packet."""
    received = unknown_next_header(b"")
    play.receive(received + bytes(6))
    (sent,) = play.sent()
    assert sent.message[8:] == received[14:]


def test_pointer_beyond_the_quote(play: Play) -> None:
    """RFC 4443 3.4: it points beyond the end if the field does not fit."""
    received = message((options(60, "01fe" + "00" * 254 + ("01fe" + "00" * 254) * 5 + "9e04 00000000"),), 59, b"")
    play.receive(received)
    (sent,) = play.sent()
    assert struct.unpack("!I", sent.message[4:8])[0] == 42 + 6 * 256
    assert sent.message[8:] == received[14:][:1232]


# -- 2.4 (e): what is never reported


def redirect() -> bytes:
    """RFC 4861 4.5."""
    return icmp("fe80::1", OUR_LINK_LOCAL, 137, 0, bytes(4) + ip("fe80::2") * 2)


NEVER: dict[str, bytes] = {
    "(e.1) destination unreachable": icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 1, 0, bytes(44)),
    "(e.1) packet too big": icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 2, 0, bytes(44)),
    "(e.1) parameter problem": icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 4, 1, bytes(44)),
    "(e.1) private experimentation": icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 100, 0, bytes(44)),
    "(e.1) type 127": icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 127, 0, bytes(44)),
    "(e.1) type 0": icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 0, 0, bytes(44)),
    "(e.1) of which only the type came": b"\x01",
    "(e.1) of which type and code came": b"\x01\x00",
    "(e.2) redirect": redirect(),
    "(e.2) of which only the type came": b"\x89",
}

CARRIERS: dict[str, tuple[Header, ...]] = {
    "behind the unknown option": (REPORTED_ALWAYS,),
    "behind hop-by-hop options": (options(0, "9e00"),),
    "behind two headers": (REPORTED_ALWAYS, routing(0, 0)),
    "behind a long hop-by-hop options header": (options(0, "9e00 01fe" + "00" * 254),),
    "behind a long routing header": (REPORTED_ALWAYS, routing(0, 0, bytes(20))),
    "in a first fragment": (REPORTED_ALWAYS, fragment(0, True)),
    "behind an atomic fragment header": (REPORTED_ALWAYS, fragment()),
    "behind an authentication header (RFC 4302 2.2)": (REPORTED_ALWAYS, Header(51, bytes((4,)) + bytes(22))),
    "behind more headers than are followed": (REPORTED_ALWAYS, *(options(60, "0104 00000000"),) * 12),
    "behind a long header": (REPORTED_ALWAYS, options(60, "01fe" + "00" * 254 + "0100")),
}


@pytest.mark.parametrize("headers", CARRIERS.values(), ids=CARRIERS)
@pytest.mark.parametrize("payload", NEVER.values(), ids=NEVER)
def test_no_error_about_an_error(play: Play, payload: bytes, headers: tuple[Header, ...]) -> None:
    """RFC 4443 2.4 (e.1, e.2): no error about an error or a redirect, whatever stands before it."""
    assert play.receive(message(headers, 58, payload)) is Discard.OPTION_UNKNOWN
    assert play.sent() == []


@pytest.mark.parametrize("headers", CARRIERS.values(), ids=CARRIERS)
@pytest.mark.parametrize("kind", [128, 129, 130, 200, 255])
def test_errors_about_informational_messages(play: Play, kind: int, headers: tuple[Header, ...]) -> None:
    """RFC 4443 2.1: the high bit of the type tells; behind the same headers these are reported."""
    received = message(headers, 58, icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, kind, 0, bytes(44)))
    assert play.receive(received) is Discard.OPTION_UNKNOWN
    assert [sent.message[:2] for sent in play.sent()] == [bytes((4, 2))]


@pytest.mark.parametrize(
    ("headers", "payload"),
    [
        ((options(60, "9e00"), options(60, "0104 00000000")), b""),
        ((options(60, "9e00"), options(60, "0104 00000000")), b"\x3a"),
        ((options(60, "9e00"), Header(44, b"\x00\x00")), b""),
    ],
    ids=["no type", "type only", "half a fragment header"],
)
def test_what_carries_no_message_is_reported(play: Play, headers: tuple[Header, ...], payload: bytes) -> None:
    """RFC 4443 2.4 (e.1): what has no ICMPv6 type is no error message."""
    last = 60 if payload else 58
    assert play.receive(message(headers, last, payload)) is Discard.OPTION_UNKNOWN
    assert [sent.message[:2] for sent in play.sent()] == [bytes((4, 2))]


@pytest.mark.parametrize("last", [58, 17], ids=["ICMPv6", "UDP"])
def test_a_later_fragment_shows_no_type(play: Play, last: int) -> None:
    """RFC 4443 2.4 (c): an error fits the minimum MTU, so that a part of a longer message is of none."""
    received = message((options(0, "9e00"), fragment(8)), last, b"\x80" * 16)
    assert play.receive(received) is Discard.OPTION_UNKNOWN
    assert len(play.sent()) == 1


ADDRESSED: dict[str, tuple[str, bytes | None, str, bool]] = {
    # destination, MAC, which error, whether it may be sent
    "to us": (OUR_LINK_LOCAL, None, "code 1", True),
    "to a group (e.3)": ("ff02::1", None, "code 1", False),
    "in a frame to a group (e.4)": (OUR_LINK_LOCAL, ALL_NODES_MAC, "code 1", False),
    "to a group, option 10 (e.3, second exception)": ("ff02::1", None, "option 10", True),
    "in a frame to a group, option 10 (e.4)": (OUR_LINK_LOCAL, ALL_NODES_MAC, "option 10", True),
    "to a group, option 11 (e.3)": ("ff02::1", None, "option 11", False),
    "in a frame to a group, option 11 (e.4)": (OUR_LINK_LOCAL, ALL_NODES_MAC, "option 11", False),
    "to a group, code 0 (e.3)": ("ff02::1", None, "code 0", False),
    "in a frame to a group, code 0 (e.4)": (OUR_LINK_LOCAL, ALL_NODES_MAC, "code 0", False),
}


@pytest.mark.parametrize(("destination", "to", "about", "sent"), ADDRESSED.values(), ids=ADDRESSED)
def test_to_groups(play: Play, destination: str, to: bytes | None, about: str, sent: bool) -> None:
    """RFC 4443 2.4 (e.3, e.4): nothing to a group is reported but an unknown option with bits 10."""
    headers = {
        "code 1": (),
        "code 0": (routing(9, 1),),
        "option 10": (REPORTED_ALWAYS,),
        "option 11": (REPORTED_TO_ONE,),
    }[about]
    outcome = play.receive(message(headers, 253, b"12345678", destination=destination, to=to))
    assert isinstance(outcome, Discard)
    assert [each.kind for each in play.sent()] == [4] * sent


def test_broadcast_frames_do_not_even_get_in(play: Play) -> None:
    """RFC 4443 2.4 (e.5): no error about a link-layer broadcast."""
    assert play.receive(message((REPORTED_ALWAYS,), 59, b"", to=BROADCAST)) is Discard.NOT_FOR_US
    assert play.sent() == []


@pytest.mark.parametrize("source", ["::", "ff02::1", "ff0e::1", "::1", OUR_LINK_LOCAL, OUR_GLOBAL, ANYCAST])
@pytest.mark.parametrize("headers", [(), (REPORTED_ALWAYS,), (routing(9, 1),)], ids=["1", "2", "0"])
def test_sources_that_are_not_one_node(play: Play, source: str, headers: tuple[Header, ...]) -> None:
    """RFC 4443 2.4 (e.6): unspecified, multicast, an anycast address that we know (KNOWN_BUGS 46, 47)."""
    assert isinstance(play.receive(message(headers, 253, b"12345678", source=source)), Discard)
    play.run(play.now + 3.0)
    assert play.sent() == []


# -- 2.2: the source of an error

SOURCES = {
    "our link-local address": (PEER_LINK_LOCAL, OUR_LINK_LOCAL, OUR_LINK_LOCAL),
    "our global address": (PEER_LINK_LOCAL, OUR_GLOBAL, OUR_GLOBAL),
    "our link-local address, from global": (PEER_GLOBAL, OUR_LINK_LOCAL, OUR_LINK_LOCAL),
    "a group, from link-local": (PEER_LINK_LOCAL, "ff02::1", OUR_LINK_LOCAL),
    "a group, from global": (PEER_GLOBAL, "ff02::1", OUR_GLOBAL),
    "anycast, from global": (PEER_GLOBAL, ANYCAST, OUR_GLOBAL),
    "anycast, from link-local": (PEER_LINK_LOCAL, ANYCAST, OUR_LINK_LOCAL),
}


@pytest.mark.parametrize(("source", "destination", "expected"), SOURCES.values(), ids=SOURCES)
def test_source_of_an_error(play: Play, source: str, destination: str, expected: str) -> None:
    """RFC 4443 2.2: (a) the unicast address that was asked; (b) for a group or anycast one of ours by the rules."""
    play.receive(message((REPORTED_ALWAYS,), 59, b"", source=source, destination=destination))
    (sent,) = play.sent()
    assert (sent.source, sent.destination) == (expected, source)
    assert sent.checksum_is_right()


def test_no_source_for_an_error() -> None:
    """RFC 4862 5.4: with tentative addresses only there is none, and no token is spent on it."""
    play = Play().start(until=None)
    play.sent()
    for _ in range(20):
        assert play.receive(message((REPORTED_ALWAYS,), 59, b"", destination="ff02::1")) is Discard.OPTION_UNKNOWN
    assert play.sent() == []
    assert play.host.counters.as_dict()["IcmpErrorsLimited"] == 0


# -- 2.4 (f): the rate


def burst(play: Play, count: int = 100) -> int:
    """How many of `count` errors are sent at once."""
    for _ in range(count):
        play.receive(unknown_next_header())
    return len(play.sent(4))


def test_burst_and_rate(play: Play) -> None:
    """RFC 4443 2.4 (f): B = 10, N = 10/s (KNOWN_BUGS 50); what was saved up is no more than the burst."""
    assert burst(play) == 10
    assert play.host.counters.as_dict()["IcmpErrorsLimited"] == 90
    play.now += 0.0999
    assert burst(play) == 0
    play.now += 0.0002
    assert burst(play) == 1
    play.now += 0.5
    assert burst(play) == 5
    play.now += 3600.0
    play.meet()
    assert burst(play) == 10


@pytest.mark.parametrize("interval", [1, 50, 1000, 60_000])
def test_interval_is_a_setting(play: Play, interval: int) -> None:
    """RFC 4443 2.4 (f): the parameters SHOULD be configurable: milliseconds for each token."""
    play.host.settings.set_text("icmp_ratelimit", str(interval))
    assert burst(play, 10) == 10
    play.now += interval / 1000 * 2.5
    play.meet()
    assert burst(play, 10) == 2


def test_interval_0_is_no_limit(play: Play) -> None:
    play.host.settings.set_text("icmp_ratelimit", "0")
    assert burst(play, 1500) == 1500
    assert play.host.counters.as_dict()["IcmpErrorsLimited"] == 0


def test_informational_messages_are_not_limited(play: Play) -> None:
    """RFC 4443 2.4 (f) is about errors: replies take no tokens."""
    assert burst(play) == 10
    request = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 128, 0, bytes(4))
    for _ in range(50):
        assert play.receive(message((), 58, request)) is Verdict.ANSWERED
    assert len(play.sent(129)) == 50


def test_what_may_not_be_sent_takes_no_token(play: Play) -> None:
    """RFC 4443 2.4 (e) comes first: packets that are never reported do not use up the rate."""
    for _ in range(100):
        play.receive(unknown_next_header(destination="ff02::1"))
    assert burst(play) == 10


# -- the journal

REASONS: dict[str, tuple[bytes, str, str]] = {
    "sent": (unknown_next_header(), "is sent", "RFC 4443 3"),
    "to a group": (unknown_next_header(destination="ff02::1"), "is not sent", "RFC 4443 2.4 (e.3)"),
    "in a frame to a group": (unknown_next_header(to=ALL_NODES_MAC), "is not sent", "RFC 4443 2.4 (e.4)"),
    "about an error": (message((REPORTED_ALWAYS,), 58, b"\x01"), "is not sent", "RFC 4443 2.4 (e.1)"),
    "to nobody": (message((REPORTED_ALWAYS,), 59, b"", source="::"), "is not sent", "RFC 4443 2.4 (e.6)"),
}


@pytest.mark.parametrize(("received", "what", "clause"), REASONS.values(), ids=REASONS)
def test_the_journal_says_why(play: Play, received: bytes, what: str, clause: str) -> None:
    """DESIGN rule 5: every decision with its clause."""
    records: list[Record] = []
    play.host.journal.listen(records.append)
    play.receive(received)
    noted = [(record.what, record.clause) for record in records if record.layer == "icmp6"]
    assert [(text.endswith(what), reason) for text, reason in noted] == [(True, clause)]


def test_the_journal_names_the_rate(play: Play) -> None:
    """RFC 4443 2.4 (f)."""
    records: list[Record] = []
    burst(play)
    play.host.journal.listen(records.append)
    play.receive(unknown_next_header())
    assert [record.clause for record in records if record.layer == "icmp6"] == ["RFC 4443 2.4 (f)"]


def test_the_journal_says_whom_an_error_reached(play: Play) -> None:
    """RFC 4443 2.4 (d)."""
    ping = Ping(play)
    records: list[Record] = []
    play.host.journal.listen(records.append)
    play.receive(error(ping.packet, 3, 1))
    noted = [(record.what, record.clause) for record in records if record.layer == "icmp6"]
    assert noted == [("error of type 3, code 1 passed to the ping that it is about", "RFC 4443 2.4 (d)")]


# -- errors that we hear


class Ping:
    """An echo session with one request on its way."""

    def __init__(self, play: Play, destination: str = PEER_LINK_LOCAL, sequence: int = 9) -> None:
        self.heard: list[EchoAnswer | EchoError] = []
        self.session: EchoSession = play.host.echoes.open(
            play.interface, ip(destination), self.heard.append, data=b"0123456789ab"
        )
        self.session.send(sequence, play.now)
        play.settle()
        (sent,) = play.sent()
        self.packet = sent.packet


def error(
    quote: bytes,
    kind: int = 1,
    code: int = 0,
    *,
    parameter: int = 0,
    source: str = "fe80::99",
    to: str = OUR_LINK_LOCAL,
) -> bytes:
    """A frame with an error message around a quote."""
    return frame(packet(source, to, icmp(source, to, kind, code, struct.pack("!I", parameter) + quote)))


TYPES = {
    "destination unreachable, no route (3.1)": (1, 0),
    "destination unreachable, prohibited": (1, 1),
    "destination unreachable, code of the future": (1, 200),
    "packet too big (3.2)": (2, 0),
    "time exceeded (3.3)": (3, 0),
    "reassembly time exceeded": (3, 1),
    "parameter problem (3.4)": (4, 1),
    "unknown: reserved": (0, 0),
    "unknown: unassigned": (5, 3),
    "unknown: private experimentation": (100, 0),
    "unknown: reserved for expansion": (127, 255),
}


@pytest.mark.parametrize(("kind", "code"), TYPES.values(), ids=TYPES)
def test_errors_reach_the_sender(play: Play, kind: int, code: int) -> None:
    """RFC 4443 2.4 (a, d), 3.1 to 3.4: MUST be passed to whoever sent the packet, unknown types and codes too."""
    ping = Ping(play)
    assert play.receive(error(ping.packet, kind, code, parameter=1280)) is Verdict.DELIVERED
    assert ping.heard == [EchoError(9, ip("fe80::99"), kind, code, play.now, 1280 if kind in (2, 4) else 0)]
    assert play.sent() == []


@pytest.mark.parametrize("length", range(61))
def test_quotes_of_every_length(play: Play, length: int) -> None:
    """RFC 4443 2.4 (d): passed on from 48 octets, where the sender can be told; shorter, silently dropped."""
    ping = Ping(play)
    assert len(ping.packet) == 60
    expected = Verdict.DELIVERED if length >= 48 else Discard.ICMP_ERROR_UNCLAIMED
    assert play.receive(error(ping.packet[:length])) is expected
    assert len(ping.heard) == (length >= 48)
    assert play.sent() == []


@pytest.mark.parametrize("length", range(8))
def test_error_messages_without_a_whole_header(play: Play, length: int) -> None:
    """RFC 4443 3: all errors have 32 bits of their own before the quote (KNOWN_BUGS 22)."""
    whole = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 1, 0, bytes(length - 4)) if length >= 4 else bytes((1, 0, 0))[:length]
    assert play.receive(frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, whole))) is Discard.ICMP_TRUNCATED
    assert play.sent() == []


def changed(quote: bytes, offset: int, octets: bytes) -> bytes:
    return quote[:offset] + octets + quote[offset + len(octets) :]


OTHER_QUOTES = {
    "another source": (8, ip("fe80::bad")),
    "another destination": (24, ip("fe80::bad")),
    "another next header": (6, b"\x11"),
    "an echo reply": (40, b"\x81"),
    "another identifier": (44, b"\xff\xff"),
    "another sequence number": (46, b"\x77\x77"),
}


@pytest.mark.parametrize(("offset", "octets"), OTHER_QUOTES.values(), ids=OTHER_QUOTES)
def test_quotes_of_what_nobody_here_sent(play: Play, offset: int, octets: bytes) -> None:
    """RFC 4443 2.4 (d), 5.2: the quote selects the process; what we did not send is nobody's."""
    ping = Ping(play)
    assert play.receive(error(changed(ping.packet, offset, octets))) is Discard.ICMP_ERROR_UNCLAIMED
    assert ping.heard == []
    assert play.sent() == []


@pytest.mark.parametrize(
    "headers",
    [
        (options(60, "01ff" + "00" * 12),),
        (routing(0, 255),),
        (fragment(0x1FFF, True),),
        (Header(60, b"\xff" + bytes(6)),),
    ],
    ids=["option past its header", "routing", "fragment", "header past the quote"],
)
def test_quotes_with_other_headers(play: Play, headers: tuple[Header, ...]) -> None:
    """KNOWN_BUGS 42: the headers in a quote are data; none of our packets had them, so nobody sent it."""
    ping = Ping(play)
    first, octets = chain(headers, 58, ping.packet[40:])
    quote = packet(OUR_LINK_LOCAL, PEER_LINK_LOCAL, octets, next_header=first)
    assert play.receive(error(quote)) is Discard.ICMP_ERROR_UNCLAIMED
    assert ping.heard == []


def test_error_after_the_end_of_the_session(play: Play) -> None:
    ping = Ping(play)
    ping.session.close()
    assert play.receive(error(ping.packet)) is Discard.ICMP_ERROR_UNCLAIMED
    assert ping.heard == []


def test_error_about_a_ping_to_a_group(play: Play) -> None:
    """RFC 4443 2.4 (e.3): parameter problems about packets to groups exist, and reach the ping."""
    ping = Ping(play, "ff02::1")
    assert play.receive(error(ping.packet, 4, 2)) is Verdict.DELIVERED
    assert ping.heard == [EchoError(9, ip("fe80::99"), 4, 2, play.now)]


def test_error_from_the_unspecified_address(play: Play) -> None:
    """RFC 4291 2.5.2 and RFC 4443 2.2: an error has the address of a node as its source."""
    ping = Ping(play)
    assert play.receive(error(ping.packet, source="::")) is Discard.SOURCE_UNSPECIFIED
    assert ping.heard == []


@pytest.mark.parametrize("mtu", [0, 1, 68, 1279, 1280, 0xFFFFFFFF])
def test_packet_too_big_of_any_size(play: Play, mtu: int) -> None:
    """KNOWN_BUGS 43, 44: whatever MTU it names, our later packets are as before: no atomic fragments."""
    ping = Ping(play)
    taken = play.receive(error(ping.packet, 2, parameter=mtu))
    assert taken is (Discard.PACKET_TOO_BIG_MINIMUM if mtu < 1280 else Verdict.DELIVERED)
    ping.session.send(10, play.now)
    play.settle()
    (sent,) = play.sent()
    assert sent.packet[:7] == struct.pack("!IHB", 6 << 28, 20, 58)


def test_nothing_is_kept_of_errors(play: Play) -> None:
    """DESIGN rule 6: ten thousand errors about nothing leave no table longer."""
    timers = len(play.host.timers)
    for number in range(10_000):
        quote = packet(OUR_LINK_LOCAL, f"2001:db8::{number % 9999:x}", bytes(20), next_header=17)
        play.host.receive(error(quote, 1 + number % 4), play.now)
    assert len(play.host.timers) == timers
    assert play.host.echoes.sessions == {}
    assert len(play.interface.resolver.cache) == 2
    assert play.sent() == []


def test_errors_to_a_neighbour_that_is_not_known_wait_for_it() -> None:
    """RFC 4861 7.2.2: an error is a packet like any other; the queue of a neighbour is bounded."""
    play = Play(icmp_ratelimit=0).start()
    for _ in range(50):
        play.receive(unknown_next_header())
    assert [sent.kind for sent in play.sent()] == [135]
    advert = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 136, 0, b"\x60\0\0\0" + ip(PEER_LINK_LOCAL) + lladdr_option(2))
    play.receive(frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, advert)))
    assert [sent.kind for sent in play.sent()] == [4, 4, 4]


def test_own_mac_as_sender_changes_nothing(play: Play) -> None:
    """A frame with our MAC as its source is judged by its addresses."""
    assert play.receive(message((), 253, b"", mac=OUR_MAC)) is Discard.UNKNOWN_NEXT_HEADER
    assert [(sent.kind, sent.to) for sent in play.sent()] == [(4, PEER_MAC)]
