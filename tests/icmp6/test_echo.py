"""Echo (RFC 4443 4.1, 4.2): the responder that every node must have, and the sessions of our own pings."""

import struct
from collections.abc import Callable

import pytest

from stack.discard import Discard, Verdict
from stack.errors import RefusedError
from stack.icmp6.echo import EchoAnswer, EchoError, EchoSession
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
    packet,
    solicitation,
)

OUR_GLOBAL = "2001:db8:1::1"
PEER_GLOBAL = "2001:db8:1::2"
ANYCAST = "2001:db8:1::abcd"


@pytest.fixture
def play() -> Play:
    play = Play().start()
    play.add_address(OUR_GLOBAL)
    play.add_address(ANYCAST, anycast=True)
    play.run(30.0)
    return play.meet().meet(PEER_GLOBAL)


# -- the responder


@pytest.mark.parametrize("code", [0, 1, 127, 255])
def test_reply_has_code_0(play: Play, code: int) -> None:
    """RFC 4443 4.2: type 129, code 0, whatever the request's code (PITFALLS 18)."""
    assert play.receive(echo_request(code=code)) is Verdict.ANSWERED
    (reply,) = play.sent()
    assert reply.message[:2] == bytes((129, 0))
    assert reply.checksum_is_right()


@pytest.mark.parametrize(
    "data",
    [b"", b"\0", b"\xff" * 3, bytes(range(256)), b"\x5a" * 1452],
    ids=["nothing", "one octet", "odd", "256 octets", "as much as fits"],
)
@pytest.mark.parametrize(("identifier", "sequence"), [(0, 0), (0xFFFF, 0xFFFF), (0x1234, 0x5678)])
def test_reply_returns_all_of_the_request(play: Play, data: bytes, identifier: int, sequence: int) -> None:
    """RFC 4443 4.2: identifier, sequence number and data are the request's, entirely and unmodified."""
    request = echo_request(data=data, identifier=identifier, sequence=sequence)
    assert play.receive(request) is Verdict.ANSWERED
    (reply,) = play.sent()
    assert reply.message[4:] == struct.pack("!HH", identifier, sequence) + data
    assert reply.packet[:8] == struct.pack("!IHBB", 6 << 28, 8 + len(data), 58, 64)
    assert (reply.source, reply.destination, reply.to) == (OUR_LINK_LOCAL, PEER_LINK_LOCAL, PEER_MAC)
    assert reply.checksum_is_right()


def test_65000_octets_come_back() -> None:
    """RFC 4443 4.2: there is no limitation on the amount of data (PITFALLS 18), as long as the link carries it."""
    play = Play().start().meet()
    play.interface.set_mtu(65_521)
    data = bytes(range(256)) * 254
    assert play.receive(echo_request(data=data[:65_000])) is Verdict.ANSWERED
    (reply,) = play.sent()
    assert reply.message[8:] == data[:65_000]
    assert reply.checksum_is_right()


def test_hop_limit_is_the_setting(play: Play) -> None:
    """RFC 8200 3: ours, not the request's."""
    play.host.settings.set_text("hop_limit", "99")
    play.receive(echo_request(hop_limit=1))
    assert [reply.hop_limit for reply in play.sent()] == [99]


SOURCES = {
    "our link-local address": (PEER_LINK_LOCAL, OUR_LINK_LOCAL, OUR_LINK_LOCAL),
    "our global address": (PEER_GLOBAL, OUR_GLOBAL, OUR_GLOBAL),
    "our global address, asked from link-local": (PEER_LINK_LOCAL, OUR_GLOBAL, OUR_GLOBAL),
    "our link-local address, asked from global": (PEER_GLOBAL, OUR_LINK_LOCAL, OUR_LINK_LOCAL),
    "all nodes, asked from link-local": (PEER_LINK_LOCAL, "ff02::1", OUR_LINK_LOCAL),
    "all nodes, asked from global": (PEER_GLOBAL, "ff02::1", OUR_GLOBAL),
    "anycast, asked from link-local": (PEER_LINK_LOCAL, ANYCAST, OUR_LINK_LOCAL),
    "anycast, asked from global": (PEER_GLOBAL, ANYCAST, OUR_GLOBAL),
    "solicited-node group": (PEER_LINK_LOCAL, "ff02::1:ff00:1", OUR_LINK_LOCAL),
}


@pytest.mark.parametrize(("source", "destination", "expected"), SOURCES.values(), ids=SOURCES)
def test_source_of_the_reply(play: Play, source: str, destination: str, expected: str) -> None:
    """RFC 4443 4.2: the address asked if it is unicast, else one of this interface's unicast addresses."""
    assert play.receive(echo_request(destination, source=source)) is Verdict.ANSWERED
    (reply,) = play.sent(129)
    assert (reply.source, reply.destination) == (expected, source)
    assert reply.checksum_is_right()


@pytest.mark.parametrize("size", range(8), ids=lambda size: f"{size} octets")
@pytest.mark.parametrize("kind", [128, 129], ids=["request", "reply"])
def test_short_messages(play: Play, kind: int, size: int) -> None:
    """RFC 4443 4.1 (KNOWN_BUGS 40): 8 octets at least; anything less is discarded whatever its checksum."""
    message = (
        icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, kind, 0, bytes(size - 4)) if size >= 4 else bytes((kind, 0, 0))[:size]
    )
    assert play.receive(frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, message))) is Discard.ICMP_TRUNCATED
    assert play.sent() == []


def test_a_wrong_checksum_is_not_answered(play: Play) -> None:
    """RFC 4443 2.3: it is there to detect corruption."""
    octets = bytearray(echo_request())
    octets[-1] ^= 1
    assert play.receive(bytes(octets)) is Discard.ICMP_CHECKSUM
    assert play.sent() == []


def test_no_address_but_tentative_ones() -> None:
    """RFC 4862 5.4: a tentative address is no source; a request to a group goes unanswered."""
    play = Play().start(until=None)
    play.sent()
    assert play.receive(echo_request("ff02::1")) is Discard.ADDRESS_TENTATIVE
    assert play.sent() == []


def test_nobody_on_this_link(play: Play) -> None:
    """RFC 4861 5.2: without a router there is no way to a source that is not on-link; the request was delivered."""
    assert play.receive(echo_request(OUR_GLOBAL, source="2001:db8:9::9")) is Verdict.DELIVERED
    play.run(play.now + 10.0)
    assert play.sent() == []
    assert play.host.counters.as_dict()["Ip6OutNoRoutes"] == 1


def test_an_unknown_neighbour_is_resolved_first() -> None:
    """RFC 4861 7.2.2: the reply waits for the answer to our solicitation."""
    play = Play().start()
    assert play.receive(echo_request()) is Verdict.ANSWERED
    assert [(sent.kind, sent.target) for sent in play.sent()] == [(135, PEER_LINK_LOCAL)]
    play.receive(advertisement(PEER_LINK_LOCAL))
    assert [(sent.kind, sent.to) for sent in play.sent()] == [(129, PEER_MAC)]


# -- sessions


class Ping:
    """A session and what it heard."""

    def __init__(self, play: Play, destination: str, **options: object) -> None:
        self.play = play
        self.heard: list[EchoAnswer | EchoError] = []
        opened: Callable[..., EchoSession] = play.host.echoes.open
        self.session = opened(play.interface, ip(destination), self.heard.append, **options)

    def send(self, sequence: int = 1) -> None:
        self.session.send(sequence, self.play.now)
        self.play.settle()

    def reply(
        self,
        *,
        source: str = PEER_LINK_LOCAL,
        destination: str = OUR_LINK_LOCAL,
        sequence: int = 1,
        identifier: int | None = None,
        data: bytes = b"",
        code: int = 0,
        hop_limit: int = 64,
    ) -> bytes:
        number = self.session.identifier if identifier is None else identifier
        message = icmp(source, destination, 129, code, struct.pack("!HH", number, sequence) + data)
        return frame(packet(source, destination, message, hop_limit=hop_limit))


def test_request(play: Play) -> None:
    """RFC 4443 4.1: type 128, code 0, identifier, sequence number, data."""
    ping = Ping(play, PEER_LINK_LOCAL, data=b"data")
    ping.send(0x0102)
    (sent,) = play.sent()
    assert sent.message[:2] == bytes((128, 0))
    assert sent.message[4:] == struct.pack("!HH", ping.session.identifier, 0x0102) + b"data"
    assert (sent.source, sent.destination, sent.hop_limit) == (OUR_LINK_LOCAL, PEER_LINK_LOCAL, 64)
    assert sent.checksum_is_right()
    assert play.host.counters.as_dict()["Icmp6OutEchos"] == 1


def test_answer(play: Play) -> None:
    """RFC 4443 4.2: a reply is passed to whoever sent the request, with what it needs to know."""
    ping = Ping(play, PEER_LINK_LOCAL, data=b"data")
    ping.send(5)
    play.run(play.now + 0.25)
    assert play.receive(ping.reply(sequence=5, data=b"data", hop_limit=61)) is Verdict.DELIVERED
    assert ping.heard == [EchoAnswer(5, ip(PEER_LINK_LOCAL), 12, 61, play.now, True)]


@pytest.mark.parametrize("data", [b"", b"dat", b"datb", b"data\0"], ids=["none", "short", "changed", "long"])
def test_data_that_did_not_come_back_whole(play: Play, data: bytes) -> None:
    """RFC 4443 4.2: entirely and unmodified; else the answer says so."""
    ping = Ping(play, PEER_LINK_LOCAL, data=b"data")
    ping.send()
    play.receive(ping.reply(data=data))
    assert [answer.intact for answer in ping.heard if isinstance(answer, EchoAnswer)] == [False]


def test_reply_of_any_code(play: Play) -> None:
    """RFC 4443 4.2 gives the code 0 to the sender; nothing tells a receiver to discard another."""
    ping = Ping(play, PEER_LINK_LOCAL)
    ping.send()
    assert play.receive(ping.reply(code=7)) is Verdict.DELIVERED
    assert len(ping.heard) == 1


UNCLAIMED: dict[str, dict[str, object]] = {
    "another identifier": {"identifier": -1},
    "a sequence number that was not sent": {"sequence": 2},
}


@pytest.mark.parametrize("change", UNCLAIMED.values(), ids=UNCLAIMED)
def test_replies_that_nobody_waits_for(play: Play, change: dict[str, object]) -> None:
    """RFC 4443 4.1: identifier and sequence number match replies to requests."""
    ping = Ping(play, PEER_LINK_LOCAL)
    ping.send()
    if change.get("identifier") == -1:
        change = {"identifier": ping.session.identifier ^ 1}
    assert play.receive(ping.reply(**change)) is Discard.ECHO_REPLY_UNCLAIMED  # type: ignore[arg-type]
    assert ping.heard == []


def test_reply_from_another_address(play: Play) -> None:
    """RFC 4443 4.2: what we asked may be an anycast address; its reply has a unicast source, and MUST be passed."""
    ping = Ping(play, PEER_LINK_LOCAL)
    ping.send()
    assert play.receive(ping.reply(source="fe80::9")) is Verdict.DELIVERED
    assert [answer.source for answer in ping.heard] == [ip("fe80::9")]


def test_reply_before_any_request(play: Play) -> None:
    ping = Ping(play, PEER_LINK_LOCAL)
    assert play.receive(ping.reply()) is Discard.ECHO_REPLY_UNCLAIMED


def test_reply_to_a_forgotten_request(play: Play) -> None:
    """A session that gave up on a request does not hear of it any more."""
    ping = Ping(play, PEER_LINK_LOCAL)
    ping.send(1)
    ping.send(2)
    ping.session.forget(1)
    assert play.receive(ping.reply(sequence=1)) is Discard.ECHO_REPLY_UNCLAIMED
    assert play.receive(ping.reply(sequence=2)) is Verdict.DELIVERED


def test_reply_after_the_end(play: Play) -> None:
    ping = Ping(play, PEER_LINK_LOCAL)
    ping.send()
    ping.session.close()
    ping.session.close()
    assert play.receive(ping.reply()) is Discard.ECHO_REPLY_UNCLAIMED
    assert ping.heard == []


def test_duplicates_are_heard_too(play: Play) -> None:
    """A second reply to one request is a fact about the path."""
    ping = Ping(play, PEER_LINK_LOCAL)
    ping.send()
    play.receive(ping.reply())
    play.receive(ping.reply())
    assert [answer.sequence for answer in ping.heard] == [1, 1]


def test_sequence_numbers_have_16_bits(play: Play) -> None:
    """RFC 4443 4.1: number 65537 is 1 on the link."""
    ping = Ping(play, PEER_LINK_LOCAL)
    ping.send(65_537)
    (sent,) = play.sent()
    assert sent.message[6:8] == bytes((0, 1))
    assert play.receive(ping.reply(sequence=1)) is Verdict.DELIVERED
    ping.session.forget(65_537)
    assert play.receive(ping.reply(sequence=1)) is Discard.ECHO_REPLY_UNCLAIMED


def test_sessions_are_told_apart(play: Play) -> None:
    """RFC 4443 4.1: the identifier aids in matching; each session has its own."""
    pings = [Ping(play, PEER_LINK_LOCAL) for _ in range(60)]
    assert len({ping.session.identifier for ping in pings}) == 60
    for ping in pings:
        ping.send()
    play.receive(pings[7].reply())
    assert [len(ping.heard) for ping in pings] == [0] * 7 + [1] + [0] * 52


def test_identifiers_wrap_around_when_they_collide(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the 65,536 identifiers is used once before there is none."""
    play.host.settings.set_text("max_echo_sessions", "65536")
    monkeypatch.setattr(play.host.rng, "random", lambda: 65_535 / 65_536)
    assert [Ping(play, PEER_LINK_LOCAL).session.identifier for _ in range(3)] == [0xFFFF, 0, 1]


def test_limit_of_sessions() -> None:
    """DESIGN rule 6: max_echo_sessions; a closed one makes room."""
    play = Play(max_echo_sessions=2).start()
    first, _ = Ping(play, PEER_LINK_LOCAL), Ping(play, PEER_LINK_LOCAL)
    with pytest.raises(RefusedError, match="max_echo_sessions"):
        Ping(play, PEER_LINK_LOCAL)
    first.session.close()
    Ping(play, PEER_LINK_LOCAL)


# -- source, destination, size


def test_source_of_the_callers_choice(play: Play) -> None:
    ping = Ping(play, PEER_LINK_LOCAL, source=ip(OUR_GLOBAL))
    ping.send()
    assert [sent.source for sent in play.sent(128)] == [OUR_GLOBAL]


@pytest.mark.parametrize("source", ["fe80::bad", "::", "ff02::1", PEER_LINK_LOCAL])
def test_foreign_source(play: Play, source: str) -> None:
    """RFC 4443 2.2: a source address belongs to the node."""
    with pytest.raises(RefusedError):
        Ping(play, PEER_LINK_LOCAL, source=ip(source))
    assert play.host.echoes.sessions == {}


def test_tentative_source(play: Play) -> None:
    """RFC 4862 5.4: a tentative address is not assigned."""
    play.add_address("2001:db8:1::7")
    with pytest.raises(RefusedError):
        Ping(play, PEER_LINK_LOCAL, source=ip("2001:db8:1::7"))


def test_source_that_was_removed_since(play: Play) -> None:
    """RFC 4443 2.2: nothing leaves from an address that is no longer ours."""
    ping = Ping(play, PEER_LINK_LOCAL, source=ip(OUR_GLOBAL))
    play.remove_address(OUR_GLOBAL)
    play.sent()
    with pytest.raises(RefusedError):
        ping.send()
    assert play.sent() == []


def test_no_source_yet() -> None:
    play = Play().start(until=None)
    play.sent()
    with pytest.raises(RefusedError):
        Ping(play, PEER_LINK_LOCAL).send()
    assert play.sent() == []


def test_no_route(play: Play) -> None:
    """RFC 4861 5.2: the caller is told at once; nothing is waited for."""
    ping = Ping(play, "2001:db8:9::9")
    with pytest.raises(RefusedError):
        ping.send()
    assert play.sent() == []
    assert play.host.counters.as_dict()["Ip6OutNoRoutes"] == 1
    octets = ping.reply(source="2001:db8:9::9", destination=OUR_GLOBAL)
    assert play.receive(octets) is Discard.ECHO_REPLY_UNCLAIMED


HOP_LIMITS = {
    "unicast": (PEER_LINK_LOCAL, None, 64),
    "unicast, chosen": (PEER_LINK_LOCAL, 3, 3),
    "group (RFC 3493 5.2)": ("ff02::1", None, 1),
    "group, chosen": ("ff02::1", 9, 9),
}


@pytest.mark.parametrize(("destination", "hop_limit", "expected"), HOP_LIMITS.values(), ids=HOP_LIMITS)
def test_hop_limit_of_a_request(play: Play, destination: str, hop_limit: int | None, expected: int) -> None:
    Ping(play, destination, hop_limit=hop_limit).send()
    assert [sent.hop_limit for sent in play.sent(128)] == [expected]


def test_ping_to_a_group_hears_everybody(play: Play) -> None:
    """RFC 4443 4.2: the replies come from unicast addresses of those who hear it."""
    ping = Ping(play, "ff02::1")
    ping.send()
    (sent,) = play.sent(128)
    assert sent.to == bytes.fromhex("333300000001")
    assert play.receive(ping.reply()) is Verdict.DELIVERED
    assert play.receive(ping.reply(source="fe80::9")) is Verdict.DELIVERED
    assert [answer.source for answer in ping.heard if isinstance(answer, EchoAnswer)] == [
        ip(PEER_LINK_LOCAL),
        ip("fe80::9"),
    ]


@pytest.mark.parametrize(
    ("address", "answers"),
    [(OUR_LINK_LOCAL, OUR_LINK_LOCAL), (OUR_GLOBAL, OUR_GLOBAL), (ANYCAST, OUR_GLOBAL)],
    ids=["link-local", "global", "anycast"],
)
def test_ping_to_ourselves_never_touches_the_link(play: Play, address: str, answers: str) -> None:
    """RFC 4861 5.2: our own addresses are no neighbours; an anycast one answers from a unicast one (4.2)."""
    ping = Ping(play, address, data=b"data")
    ping.send()
    assert play.sent() == []
    assert ping.heard == [EchoAnswer(1, ip(answers), 12, 64, play.now, True)]


# -- errors


def test_error_about_a_request(play: Play) -> None:
    """RFC 4443 2.4 (d), 3.1: whoever sent the packet is told type, code and sender."""
    ping = Ping(play, PEER_LINK_LOCAL)
    ping.send(3)
    (sent,) = play.sent()
    message = icmp("fe80::99", OUR_LINK_LOCAL, 1, 1, bytes(4) + sent.packet)
    assert play.receive(frame(packet("fe80::99", OUR_LINK_LOCAL, message))) is Verdict.DELIVERED
    assert ping.heard == [EchoError(3, ip("fe80::99"), 1, 1, play.now)]


def test_neighbour_that_does_not_answer(play: Play) -> None:
    """RFC 4861 7.2.2: after three solicitations address unreachable (1, 3), for each packet that waited."""
    ping = Ping(play, "fe80::5")
    ping.send(1)
    ping.send(2)
    play.run(play.now + 10.0)
    assert [sent.kind for sent in play.sent()] == [135] * 3
    assert ping.heard == [EchoError(sequence, ip(OUR_LINK_LOCAL), 1, 3, ping.heard[0].time) for sequence in (1, 2)]


def test_neighbour_that_does_not_answer_after_the_end(play: Play) -> None:
    """Nobody is told of a session that was closed in between."""
    ping = Ping(play, "fe80::5")
    ping.send()
    ping.session.close()
    play.run(play.now + 10.0)
    assert ping.heard == []


def test_reflected_request_is_not_answered(play: Play) -> None:
    """RFC 4862 5.4.3: our own request back from the link has our source: it is neither request nor reply."""
    Ping(play, "ff02::1").send()
    (sent,) = play.sent(128)
    assert play.receive(sent.frame[:6] + PEER_MAC + sent.frame[12:]) is Discard.SOURCE_OURS
    assert play.receive(sent.frame[:6] + OUR_MAC + sent.frame[12:]) is Discard.SOURCE_OURS
    assert play.sent() == []


def test_flood_is_answered_one_for_one(play: Play) -> None:
    """RFC 4443 4.1: every request is answered; the bound is the link's queue, and it is counted."""
    play.host.settings.set_text("tx_queue_len", "10")
    for sequence in range(25):
        play.host.receive(echo_request(sequence=sequence), play.now)
    assert len(play.host.output()) == 10
    assert play.host.counters.as_dict()["Limit_tx_queue_len"] == 15


def test_every_asker_is_answered(play: Play) -> None:
    """One request from each of a hundred neighbours, one reply to each."""
    for number in range(1, 101):
        play.receive(solicitation(OUR_LINK_LOCAL, source=f"fe80::{number:x}"))
        play.sent()
        assert play.receive(echo_request(source=f"fe80::{number:x}")) is Verdict.ANSWERED
        assert [sent.destination for sent in play.sent(129)] == [f"fe80::{number:x}"]
