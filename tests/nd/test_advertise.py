"""The advertisements we send: RFC 4861 4.4, 7.2.3, 7.2.4, 7.2.7."""

import pytest

from stack.discard import Verdict
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Play,
    Sent,
    advertisement,
    echo_request,
    group_mac,
    ip,
    lladdr_option,
    solicitation,
)

NS, NA = 135, 136
GLOBAL = "2001:db8::77"
ANYCAST = "2001:db8::a"


def ready(**settings: int) -> Play:
    """A host with a global address of each kind."""
    play = Play(**settings)
    play.add_address(GLOBAL)
    play.add_address(ANYCAST, anycast=True)
    return play.start()


def flags_of(sent: Sent) -> str:
    bits = sent.message[4]
    assert not bits & 0x1F and sent.message[5:8] == bytes(3), "4.4: reserved, zero"
    return "".join(letter for letter, bit in (("R", 0x80), ("S", 0x40), ("O", 0x20)) if bits & bit)


# Solicitation; then of the answer: source, destination, flags, MAC.
ANSWERS = {
    "7.2.4: to the group": (
        solicitation(OUR_LINK_LOCAL),
        (OUR_LINK_LOCAL, PEER_LINK_LOCAL, "SO", PEER_MAC),
    ),
    "7.2.4: to our address, a reachability probe": (
        solicitation(OUR_LINK_LOCAL, destination=OUR_LINK_LOCAL),
        (OUR_LINK_LOCAL, PEER_LINK_LOCAL, "SO", PEER_MAC),
    ),
    "for a global address, from a global one": (
        solicitation(GLOBAL, source="2001:db8::9"),
        (GLOBAL, "2001:db8::9", "SO", PEER_MAC),
    ),
    "for a global address, from a link-local one": (
        solicitation(GLOBAL),
        (GLOBAL, PEER_LINK_LOCAL, "SO", PEER_MAC),
    ),
    "to another group of ours": (
        solicitation(GLOBAL, destination="ff02::1"),
        (GLOBAL, PEER_LINK_LOCAL, "SO", PEER_MAC),
    ),
    "7.2.4, from ::": (
        solicitation(GLOBAL, source="::"),
        (GLOBAL, "ff02::1", "O", group_mac(ip("ff02::1"))),
    ),
}


@pytest.mark.parametrize(("question", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_the_answer(question: bytes, expected: tuple[str, str, str, bytes]) -> None:
    play = ready()
    assert play.receive(question) is Verdict.ANSWERED
    (answer,) = play.sent()
    assert answer.kind == NA and answer.message[1] == 0
    assert (answer.source, answer.destination, flags_of(answer), answer.to) == expected
    assert answer.message[8:24] == question[62:78], "7.2.4: target copied from the solicitation"
    assert answer.message[24:] == bytes((2, 1)) + OUR_MAC, "7.2.4: MUST be there if the solicitation was multicast"
    assert answer.hop_limit == 255 and answer.checksum_is_right()


def test_a_probe_makes_no_entry() -> None:
    """7.2.3: from ::, the node MUST NOT create or update an entry."""
    play = ready()
    play.receive(solicitation(GLOBAL, source="::"))
    assert len(play.interface.resolver.cache) == 0


def test_without_an_address_to_answer_to_it_is_resolved_first() -> None:
    """7.2.4: a unicast NS need not include the option; the node first uses discovery for its neighbour."""
    play = ready()
    assert play.receive(solicitation(GLOBAL, destination=GLOBAL, options=b"")) is Verdict.ANSWERED
    (asked,) = play.sent()
    assert (asked.kind, asked.source, asked.destination) == (NS, GLOBAL, "ff02::1:ff00:2")
    play.receive(advertisement(PEER_LINK_LOCAL, destination=GLOBAL))
    (answer,) = play.sent()
    assert (answer.kind, flags_of(answer), answer.to) == (NA, "SO", PEER_MAC)


def test_a_known_neighbour_need_not_say_its_address() -> None:
    play = ready()
    play.receive(solicitation(GLOBAL))
    play.sent()
    play.receive(solicitation(GLOBAL, destination=GLOBAL, options=b""))
    assert [(each.kind, each.to) for each in play.sent()] == [(NA, PEER_MAC)]


def test_answering_is_sending() -> None:
    """7.2.3: the new entry is STALE; 7.3.3: the answer is the first packet to it, so after 5 s it is probed."""
    play = ready()
    begin = play.now
    play.receive(solicitation(OUR_LINK_LOCAL))
    assert [event.state for event in play.told("neighbour")] == ["STALE", "DELAY"]  # type: ignore[union-attr]
    play.sent()
    play.run(begin + 5.0)
    (probe,) = play.sent()
    assert (probe.kind, probe.destination, probe.time) == (NS, PEER_LINK_LOCAL, begin + 5.0)


def test_an_off_link_source_is_answered_and_not_remembered() -> None:
    """CVE-2008-2476, CERT VU 472363: an entry for an address that is not on this link would route to its claimant."""
    play = ready()
    assert play.receive(solicitation(GLOBAL, source="2001:db8:ffff::9")) is Verdict.ANSWERED
    assert [(each.destination, each.to) for each in play.sent()] == [("2001:db8:ffff::9", PEER_MAC)]
    assert len(play.interface.resolver.cache) == 0


def test_a_full_cache_still_answers() -> None:
    """With every entry in use there is none for a newcomer; the answer goes where its option says."""
    play = ready(gc_thresh3=2)
    for number in (1, 2):
        play.ping(f"fe80::{number}")
        play.receive(advertisement(f"fe80::{number}", mac=bytes((2, 0, 0, 0, 0, number))))
    play.sent()
    assert play.receive(solicitation(OUR_LINK_LOCAL)) is Verdict.ANSWERED
    assert [(each.kind, each.to) for each in play.sent()] == [(NA, PEER_MAC)]
    assert play.neighbour("fe80::1") == play.neighbour("fe80::2") == "REACHABLE"
    assert play.neighbour(PEER_LINK_LOCAL) is None


# -- anycast


@pytest.mark.parametrize(
    ("question", "destination", "flags"),
    [
        (solicitation(ANYCAST), PEER_LINK_LOCAL, "S"),
        (solicitation(ANYCAST, source="2001:db8::9"), "2001:db8::9", "S"),
        (solicitation(ANYCAST, source="2001:db8:ffff::9"), "2001:db8:ffff::9", "S"),
        (solicitation(ANYCAST, source="::"), "ff02::1", ""),
    ],
    ids=["link-local", "global", "off-link", "from ::"],
)
def test_for_an_anycast_address(question: bytes, destination: str, flags: str) -> None:
    """7.2.4, 7.2.7: O=0; RFC 4291 2.6: an anycast address is no source."""
    play = ready()
    assert play.receive(question) is Verdict.ANSWERED
    assert play.sent() == []
    play.run(play.now + 1.0)
    (answer,) = play.sent()
    assert (answer.kind, answer.destination, flags_of(answer), answer.target) == (NA, destination, flags, ANYCAST)
    assert answer.source in (OUR_LINK_LOCAL, GLOBAL)
    assert answer.message[24:] == bytes((2, 1)) + OUR_MAC


def test_anycast_answers_are_delayed_at_random() -> None:
    """7.2.4: by a random time between 0 and MAX_ANYCAST_DELAY_TIME (1 s)."""
    play = ready()
    delays = []
    for _ in range(100):
        begin = play.now
        # From off the link, so that no neighbour entry has a part in it.
        play.receive(solicitation(ANYCAST, source="2001:db8:ffff::9"))
        play.run(begin + 1.0)
        (answer,) = play.sent(NA)
        delays.append(answer.time - begin)
        play.run(begin + 2.0)
    assert 0 <= min(delays) < 0.1 and 0.9 < max(delays) < 1.0
    assert len(set(delays)) == 100


def test_an_anycast_echo_is_answered_from_a_unicast_address() -> None:
    play = ready()
    play.receive(solicitation(OUR_LINK_LOCAL))
    play.sent()
    play.receive(echo_request(ANYCAST))
    assert [each.source for each in play.sent(129)] == [OUR_LINK_LOCAL]


def flood_source(number: int) -> str:
    return f"fe80::f:{number:x}"


def test_a_flood_of_anycast_solicitations_piles_nothing_up() -> None:
    """One answer for each asker, a limited number of them put off; beyond that they leave at once."""
    play = ready(max_delayed_answers=8)
    before = len(play.host.timers)
    for _ in range(3):
        for number in range(20):
            assert play.receive(solicitation(ANYCAST, source=flood_source(number))) is Verdict.ANSWERED
    assert len(play.host.timers) - before <= 8 + 20, "8 answers, and the delay timers of at most 20 neighbours"
    assert play.host.counters.limits["max_delayed_answers"] == 3 * 12
    play.run(play.now + 1.0)
    answers = play.sent(NA)
    assert len([each for each in answers if each.destination in map(flood_source, range(8))]) == 8
    assert len(answers) == 8 + 3 * 12


@pytest.mark.parametrize("how", ["removed", "down", "restart", "disabled"])
def test_an_answer_put_off_dies_with_the_address(how: str) -> None:
    # Nothing is tested and nothing resolved, so that only its own end can keep the answer from leaving.
    play = ready(dad_transmits=0)
    play.receive(solicitation(ANYCAST, source="2001:db8:ffff::9"))
    if how == "removed":
        play.remove_address(ANYCAST)
    elif how == "down":
        play.interface.stop(play.now)
    elif how == "disabled":
        play.interface.disable(play.now)
    else:
        play.interface.restart(play.now)
    play.run(play.now + 2.0)
    assert play.sent(NA) == []


# -- what is not answered


def test_no_answer_for_what_is_not_ours() -> None:
    """7.2.3: silently discarded, also when the group is one of ours."""
    play = ready()
    play.receive(solicitation("2001:db8::1:77", destination="ff02::1:ff00:77"))
    play.run(play.now + 5.0)
    assert play.sent() == [] and len(play.interface.resolver.cache) == 0


def test_our_own_solicitation_is_not_answered() -> None:
    """From an address of ours, whatever the frame says: no answer to ourselves, no entry for ourselves."""
    play = ready()
    for mac in (OUR_MAC, PEER_MAC):
        for source in (OUR_LINK_LOCAL, GLOBAL, ANYCAST):
            play.receive(solicitation(GLOBAL, source=source, mac=mac, options=lladdr_option(1, PEER_MAC)))
    play.run(play.now + 5.0)
    assert play.sent() == [] and len(play.interface.resolver.cache) == 0


@pytest.mark.parametrize("times", [1, 50])
def test_one_answer_for_each_solicitation(times: int) -> None:
    play = ready()
    for _ in range(times):
        play.receive(solicitation(GLOBAL))
    assert len(play.sent(NA)) == times
