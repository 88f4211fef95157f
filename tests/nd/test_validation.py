"""The checks of RFC 4861 7.1.1 and 7.1.2, one by one: each invalid message has one fault only.

A message that fails has no effect at all: no answer, no entry, no confirmation, and
for a tentative address it is no evidence (RFC 4862 5.4.1). What the checks do not
name makes no message invalid.
"""

import struct

import pytest

from stack.discard import Discard, Verdict
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Play,
    advertisement,
    frame,
    icmp,
    ip,
    lladdr_option,
    packet,
    solicitation,
)

OUR_GROUP = "ff02::1:ff00:1"
SLLA, TLLA = 1, 2


def option(kind: int, data: bytes) -> bytes:
    """An option filled up to whole units of 8 octets (4.6)."""
    data += bytes(-(len(data) + 2) % 8)
    return bytes((kind, (len(data) + 2) // 8)) + data


def message(
    kind: int,
    *,
    source: str = PEER_LINK_LOCAL,
    destination: str = OUR_LINK_LOCAL,
    body: bytes,
    code: int = 0,
    hop_limit: int = 255,
) -> bytes:
    """A frame with any neighbour discovery message, right in everything that is not given."""
    return frame(packet(source, destination, icmp(source, destination, kind, code, body), hop_limit=hop_limit))


def broken_checksum(octets: bytes) -> bytes:
    return octets[:57] + bytes((octets[57] ^ 1,)) + octets[58:]


def in_fragment_header(octets: bytes) -> bytes:
    """The same message behind an atomic Fragment header (RFC 6946)."""
    header = octets[14:54]
    payload = struct.pack("!BBHI", 58, 0, 0, 7) + octets[54:]
    return octets[:14] + header[:4] + struct.pack("!H", len(payload)) + bytes((44,)) + header[7:] + payload


def ns_body(target: str = OUR_LINK_LOCAL, options: bytes = b"") -> bytes:
    return bytes(4) + ip(target) + options


def na_body(target: str, flags: int = 0x60, options: bytes = b"", reserved: bytes = bytes(3)) -> bytes:
    return bytes((flags,)) + reserved + ip(target) + options


# 7.1.1, in its order. Addressed to the group as an honest solicitation would be.
SOLICITATIONS = {
    "hop limit 254": (solicitation(OUR_LINK_LOCAL, hop_limit=254), Discard.ND_HOP_LIMIT),
    "hop limit 1": (solicitation(OUR_LINK_LOCAL, hop_limit=1), Discard.ND_HOP_LIMIT),
    "hop limit 0": (solicitation(OUR_LINK_LOCAL, hop_limit=0), Discard.ND_HOP_LIMIT),
    "checksum": (broken_checksum(solicitation(OUR_LINK_LOCAL)), Discard.ICMP_CHECKSUM),
    "code 1": (solicitation(OUR_LINK_LOCAL, code=1), Discard.ND_CODE),
    "code 255": (solicitation(OUR_LINK_LOCAL, code=255), Discard.ND_CODE),
    "length 23": (message(135, destination=OUR_GROUP, body=ns_body()[:19]), Discard.ND_TRUNCATED),
    "length 8": (message(135, destination=OUR_GROUP, body=ns_body()[:4]), Discard.ND_TRUNCATED),
    "length 4": (message(135, destination=OUR_GROUP, body=b""), Discard.ND_TRUNCATED),
    "target multicast": (
        message(135, destination=OUR_GROUP, body=ns_body(OUR_GROUP, lladdr_option(SLLA))),
        Discard.ND_TARGET_MULTICAST,
    ),
    "an option of length 0": (
        solicitation(OUR_LINK_LOCAL, options=bytes((SLLA, 0)) + PEER_MAC),
        Discard.ND_OPTIONS,
    ),
    "an unknown option of length 0": (solicitation(OUR_LINK_LOCAL, options=bytes((253, 0, 0, 0))), Discard.ND_OPTIONS),
    "an option of length 0 after a good one": (
        solicitation(OUR_LINK_LOCAL, options=lladdr_option(SLLA) + bytes(8)),
        Discard.ND_OPTIONS,
    ),
    "an option that runs past the message": (
        solicitation(OUR_LINK_LOCAL, options=lladdr_option(SLLA) + bytes((253, 2)) + bytes(6)),
        Discard.ND_OPTIONS,
    ),
    "half an option header": (
        solicitation(OUR_LINK_LOCAL, options=lladdr_option(SLLA) + bytes((SLLA,))),
        Discard.ND_OPTIONS,
    ),
    "from :: to all nodes": (
        solicitation(OUR_LINK_LOCAL, source="::", destination="ff02::1"),
        Discard.ND_UNSPECIFIED_DESTINATION,
    ),
    "from :: with a link-layer address": (
        solicitation(OUR_LINK_LOCAL, source="::", options=lladdr_option(SLLA)),
        Discard.ND_UNSPECIFIED_LLADDR,
    ),
    "from :: with a link-layer address of another size": (
        solicitation(OUR_LINK_LOCAL, source="::", options=option(SLLA, bytes(14))),
        Discard.ND_UNSPECIFIED_LLADDR,
    ),
    "RFC 6980 5: in a fragment header": (in_fragment_header(solicitation(OUR_LINK_LOCAL)), Discard.ND_FRAGMENTED),
}


def neighbours(play: Play) -> int:
    return len(play.interface.resolver.cache)


@pytest.mark.parametrize(("octets", "reason"), SOLICITATIONS.values(), ids=SOLICITATIONS)
def test_invalid_solicitation(octets: bytes, reason: Discard) -> None:
    play = Play().start()
    assert play.receive(octets) is reason, "RFC 4861 7.1.1: silently discarded"
    assert play.sent() == [] and neighbours(play) == 0


@pytest.mark.parametrize(("octets", "reason"), SOLICITATIONS.values(), ids=SOLICITATIONS)
def test_invalid_solicitation_for_a_tentative_address(octets: bytes, reason: Discard) -> None:
    """RFC 4862 5.4.1: the same checks, and an invalid message shows no duplicate."""
    play = Play().start(until=None)
    assert play.receive(octets) is reason
    play.run(5.0)
    assert play.address() == "preferred"


def test_a_probe_to_our_own_address_is_invalid() -> None:
    """7.1.1: from ::, the destination must be a solicited-node group; a unicast address of ours is none."""
    play = Play().start()
    octets = solicitation(OUR_LINK_LOCAL, source="::", destination=OUR_LINK_LOCAL)
    assert play.receive(octets) is Discard.ND_UNSPECIFIED_DESTINATION
    assert play.sent() == []


# 7.1.2. The checks are the same but for the last two of 7.1.1, and one on the Solicited flag.
ADVERTISEMENTS = {
    "hop limit 254": (advertisement(PEER_LINK_LOCAL, hop_limit=254), Discard.ND_HOP_LIMIT),
    "hop limit 64": (advertisement(PEER_LINK_LOCAL, hop_limit=64), Discard.ND_HOP_LIMIT),
    "checksum": (broken_checksum(advertisement(PEER_LINK_LOCAL)), Discard.ICMP_CHECKSUM),
    "code 1": (advertisement(PEER_LINK_LOCAL, code=1), Discard.ND_CODE),
    "length 23": (message(136, body=na_body(PEER_LINK_LOCAL)[:19]), Discard.ND_TRUNCATED),
    "length 4": (message(136, body=b""), Discard.ND_TRUNCATED),
    "target multicast": (
        message(136, body=na_body("ff02::1:ff00:2", options=lladdr_option(TLLA))),
        Discard.ND_TARGET_MULTICAST,
    ),
    "S=1 to all nodes": (
        advertisement(PEER_LINK_LOCAL, destination="ff02::1", flags="SO"),
        Discard.ND_SOLICITED_MULTICAST,
    ),
    "S=1 to another group of ours": (
        advertisement(PEER_LINK_LOCAL, destination=OUR_GROUP, flags="S"),
        Discard.ND_SOLICITED_MULTICAST,
    ),
    "an option of length 0": (
        advertisement(PEER_LINK_LOCAL, options=bytes((TLLA, 0)) + PEER_MAC),
        Discard.ND_OPTIONS,
    ),
    "an option of length 0 after a good one": (
        advertisement(PEER_LINK_LOCAL, options=lladdr_option(TLLA) + bytes(8)),
        Discard.ND_OPTIONS,
    ),
    "an option that runs past the message": (
        advertisement(PEER_LINK_LOCAL, options=lladdr_option(TLLA) + bytes((253, 255)) + bytes(6)),
        Discard.ND_OPTIONS,
    ),
    "half an option header": (
        advertisement(PEER_LINK_LOCAL, options=lladdr_option(TLLA) + bytes((TLLA,))),
        Discard.ND_OPTIONS,
    ),
    "RFC 6980 5: in a fragment header": (in_fragment_header(advertisement(PEER_LINK_LOCAL)), Discard.ND_FRAGMENTED),
}


@pytest.mark.parametrize(("octets", "reason"), ADVERTISEMENTS.values(), ids=ADVERTISEMENTS)
def test_invalid_advertisement(octets: bytes, reason: Discard) -> None:
    """While resolution waits for just this advertisement: it must not end."""
    play = Play().start()
    play.ping()
    play.sent()
    assert play.receive(octets) is reason, "RFC 4861 7.1.2: silently discarded"
    assert play.neighbour(PEER_LINK_LOCAL) == "INCOMPLETE" and play.sent() == []


def retargeted(octets: bytes) -> bytes:
    """The same advertisement to all nodes with our address as target, S clear; its checksum made right again."""
    body = octets[14 + 40 + 4 :]
    target = body[4:20] if body[4:5] == b"\xff" else ip(OUR_LINK_LOCAL)
    body = bytes((body[0] & 0xA0,)) + body[1:4] + target + body[20:]
    return message(136, destination="ff02::1", code=octets[55], body=body, hop_limit=octets[21])


TENTATIVE = {
    name: retargeted(octets)
    for name, (octets, reason) in ADVERTISEMENTS.items()
    if reason in (Discard.ND_HOP_LIMIT, Discard.ND_CODE, Discard.ND_OPTIONS, Discard.ND_TARGET_MULTICAST)
}
TENTATIVE["S=1 to all nodes"] = advertisement(OUR_LINK_LOCAL, destination="ff02::1", flags="SO")
TENTATIVE["length 23"] = message(136, destination="ff02::1", body=na_body(OUR_LINK_LOCAL, 0x20)[:19])
TENTATIVE["checksum"] = broken_checksum(advertisement(OUR_LINK_LOCAL, destination="ff02::1", flags="O"))
TENTATIVE["in a fragment header"] = in_fragment_header(advertisement(OUR_LINK_LOCAL, destination="ff02::1", flags="O"))


@pytest.mark.parametrize("octets", TENTATIVE.values(), ids=TENTATIVE)
def test_invalid_advertisement_of_a_tentative_address(octets: bytes) -> None:
    """RFC 4862 5.4.1: no evidence."""
    play = Play().start(until=None)
    assert isinstance(play.receive(octets), Discard)
    play.run(5.0)
    assert play.address() == "preferred"


# -- what must be ignored (7.1.1, 7.1.2: reserved fields, unrecognised options, options for other messages)

IGNORED = {
    "nothing": b"",
    "an unknown option": option(253, b"whatever"),
    "an unknown option of 1008 octets": option(254, bytes(1006)),
    "a hundred unknown options": option(200, b"") * 100,
    "prefix information": option(3, bytes(30)),
    "redirected header": option(4, bytes(46)),
    "MTU": option(5, bytes(6)),
    "a nonce": option(14, b"123456"),
}


@pytest.mark.parametrize("before", [True, False], ids=["before the address", "after the address"])
@pytest.mark.parametrize("extra", IGNORED.values(), ids=IGNORED)
def test_a_solicitation_with_what_must_be_ignored(extra: bytes, before: bool) -> None:
    play = Play().start()
    options = [lladdr_option(TLLA, OUR_MAC), extra, lladdr_option(SLLA)]
    body = b"\xff\xff\xff\xff" + ns_body(options=b"".join(options if before else options[::-1]))[4:]
    assert play.receive(message(135, destination=OUR_GROUP, body=body)) is Verdict.ANSWERED
    (answer,) = play.sent()
    assert answer.to == PEER_MAC, "7.1.1: the source link-layer address is found among the others"


@pytest.mark.parametrize("extra", IGNORED.values(), ids=IGNORED)
def test_an_advertisement_with_what_must_be_ignored(extra: bytes) -> None:
    play = Play().start()
    play.ping()
    options = extra + lladdr_option(SLLA, OUR_MAC) + lladdr_option(TLLA)
    body = na_body(PEER_LINK_LOCAL, 0x7F, options, reserved=b"\xff\xff\xff")
    assert play.receive(message(136, body=body)) is Verdict.DELIVERED
    entry = play.interface.resolver.cache.get(ip(PEER_LINK_LOCAL))
    assert entry is not None and entry.mac == PEER_MAC
    assert (entry.state.value, entry.is_router) == ("REACHABLE", False)


# -- link-layer addresses that are not believed (RFC 2464 6: six octets; never a group, nor nobody)

UNBELIEVABLE = {
    "multicast": bytes.fromhex("333300000001"),
    "broadcast": b"\xff" * 6,
    "all zeros": bytes(6),
    "fourteen octets": PEER_MAC + bytes(8),
    "1006 octets": PEER_MAC + bytes(1000),
}


@pytest.mark.parametrize("address", UNBELIEVABLE.values(), ids=UNBELIEVABLE)
def test_a_solicitation_with_an_address_that_no_neighbour_has(address: bytes) -> None:
    """The message is valid, so it is answered; the address counts as not given, so resolution comes first (7.2.4)."""
    play = Play().start()
    assert play.receive(solicitation(OUR_LINK_LOCAL, options=option(SLLA, address))) is Verdict.ANSWERED
    (asked,) = play.sent()
    assert (asked.kind, asked.target) == (135, PEER_LINK_LOCAL)
    play.receive(advertisement(PEER_LINK_LOCAL))
    assert [(each.kind, each.to) for each in play.sent()] == [(136, PEER_MAC)]


@pytest.mark.parametrize("address", UNBELIEVABLE.values(), ids=UNBELIEVABLE)
def test_a_good_address_does_not_vouch_for_a_bad_one(address: bytes) -> None:
    """Every option is looked at before any is acted on."""
    for options in (
        option(SLLA, address) + lladdr_option(SLLA),
        lladdr_option(SLLA) + option(SLLA, address),
    ):
        play = Play().start()
        play.receive(solicitation(OUR_LINK_LOCAL, options=options))
        assert play.neighbour(PEER_LINK_LOCAL) == "INCOMPLETE"


@pytest.mark.parametrize("address", UNBELIEVABLE.values(), ids=UNBELIEVABLE)
def test_an_advertisement_with_an_address_that_no_neighbour_has(address: bytes) -> None:
    """7.2.5: without a link-layer address it does nothing for an INCOMPLETE entry."""
    play = Play().start()
    play.ping()
    play.sent()
    assert play.receive(advertisement(PEER_LINK_LOCAL, options=option(TLLA, address))) is Discard.ND_LLADDR
    assert play.neighbour(PEER_LINK_LOCAL) == "INCOMPLETE" and play.sent() == []


@pytest.mark.parametrize("address", UNBELIEVABLE.values(), ids=UNBELIEVABLE)
def test_such_an_advertisement_never_changes_a_known_address(address: bytes) -> None:
    play = Play().start()
    play.ping()
    play.receive(advertisement(PEER_LINK_LOCAL))
    play.receive(advertisement(PEER_LINK_LOCAL, destination="ff02::1", flags="O", options=option(TLLA, address)))
    entry = play.interface.resolver.cache.get(ip(PEER_LINK_LOCAL))
    assert entry is not None and (entry.mac, entry.state.value) == (PEER_MAC, "REACHABLE")


@pytest.mark.parametrize("address", UNBELIEVABLE.values(), ids=UNBELIEVABLE)
def test_such_an_advertisement_still_shows_a_duplicate(address: bytes) -> None:
    """RFC 4862 5.4.4: it passes the checks of 7.1.2, so the tentative address is not unique."""
    play = Play().start(until=None)
    play.receive(advertisement(OUR_LINK_LOCAL, destination="ff02::1", flags="O", options=option(TLLA, address)))
    assert play.address() == "duplicated"


def test_an_advertisement_without_an_address_says_so() -> None:
    play = Play().start()
    play.ping()
    assert play.receive(advertisement(PEER_LINK_LOCAL, options=b"")) is Discard.ND_NO_LLADDR


# -- what 7.2.3 and 7.2.5 discard although it is valid


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (solicitation("fe80::1:2:300:1", destination=OUR_GROUP), Discard.ND_TARGET_NOT_OURS),
        (solicitation("::", destination=OUR_GROUP), Discard.ND_TARGET_NOT_OURS),
        (advertisement(PEER_LINK_LOCAL), Discard.ND_NO_ENTRY),
        (advertisement("::", source=PEER_LINK_LOCAL), Discard.ND_NO_ENTRY),
        (solicitation(OUR_LINK_LOCAL, source="2001:db8::9", options=b""), Discard.ND_SOURCE_OFF_LINK),
    ],
    ids=["NS for another node", "NS for ::", "NA nobody waits for", "NA for ::", "NS from off the link, no address"],
)
def test_valid_and_yet_discarded(octets: bytes, reason: Discard) -> None:
    """7.2.3: target not ours; 7.2.5: no entry, and none is made."""
    play = Play().start()
    assert play.receive(octets) is reason
    assert neighbours(play) == 0 and play.sent(136) == []


@pytest.mark.parametrize("length", range(4, 65))
@pytest.mark.parametrize("kind", [135, 136])
def test_no_length_raises(kind: int, length: int) -> None:
    """A right message of which `length` octets were sent, checksum right: an outcome, and never an exception."""
    play = Play().start()
    play.ping()
    whole = na_body(PEER_LINK_LOCAL, options=lladdr_option(TLLA) + option(3, bytes(30)))
    if kind == 135:
        whole = ns_body(options=lladdr_option(SLLA) + option(3, bytes(30)))
    outcome = play.receive(message(kind, body=whole[: length - 4]))
    complete = length in (24, 32, 64)
    if complete:
        assert outcome in (Verdict.ANSWERED, Verdict.DELIVERED, Discard.ND_NO_LLADDR)
    else:
        expected = Discard.ND_TRUNCATED if length < 24 else Discard.ND_OPTIONS
        assert outcome is expected, "7.1.1, 7.1.2: 24 octets, and whole options behind them"
