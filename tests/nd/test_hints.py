"""Hints from upper layers that a neighbour is reachable (RFC 4861 7.3.1)."""

import struct

import pytest

from tests.nd.advertising import ROUTER, hears, mac_of, ready
from tests.playbook import OUR_LINK_LOCAL, PEER_LINK_LOCAL, Play, advertisement, echo_request, frame, icmp, ip, packet

NS, ECHO_REQUEST = 135, 128
FAR = "2001:db8:ffff::1"
OURS = "2001:db8:9::5"


def stale() -> Play:
    play = Play().start()
    play.meet()
    play.run(play.now + 60.0)
    assert play.neighbour(PEER_LINK_LOCAL) == "STALE"
    return play


def reply(play: Play, source: str, destination: str, *, data: bytes | None = None, mac: bytes | None = None) -> None:
    """The answer to the ping that has just been sent."""
    (sent,) = play.sent(ECHO_REQUEST)
    body = sent.message[4:8] + (sent.message[8:] if data is None else data)
    octets = packet(source, destination, icmp(source, destination, 129, 0, body), hop_limit=64)
    play.receive(frame(octets, mac=mac_of(ROUTER) if mac is None else mac))


def test_an_answer_to_our_ping() -> None:
    """It proves that the request arrived: no probe is needed any more (7.3.3)."""
    play = stale()
    play.ping()
    assert play.neighbour(PEER_LINK_LOCAL) == "DELAY"
    reply(play, PEER_LINK_LOCAL, OUR_LINK_LOCAL)
    assert play.neighbour(PEER_LINK_LOCAL) == "REACHABLE"
    play.run(play.now + 14.0)
    assert play.sent(NS) == []


def test_the_same_answer_again_proves_nothing() -> None:
    play = stale()
    play.ping()
    (sent,) = play.sent(ECHO_REQUEST)
    octets = packet(
        PEER_LINK_LOCAL, OUR_LINK_LOCAL, icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 129, 0, sent.message[4:]), hop_limit=64
    )
    play.receive(frame(octets))
    play.run(play.now + 60.0)
    assert play.neighbour(PEER_LINK_LOCAL) == "STALE"
    play.receive(frame(octets))
    assert play.neighbour(PEER_LINK_LOCAL) == "STALE"


NO_PROOF = {
    "an answer from another": lambda play: reply(play, "fe80::99", OUR_LINK_LOCAL),
    "a request from it": lambda play: play.receive(echo_request()),
    "an answer that was not asked for": lambda play: play.receive(
        frame(
            packet(
                PEER_LINK_LOCAL,
                OUR_LINK_LOCAL,
                icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 129, 0, struct.pack("!HH", 1, 1)),
            )
        )
    ),
}


@pytest.mark.parametrize("received", NO_PROOF.values(), ids=NO_PROOF)
def test_what_proves_nothing(received) -> None:  # type: ignore[no-untyped-def]
    """7.3.1: that something comes from a neighbour does not say that anything arrives there."""
    play = stale()
    play.ping()
    received(play)
    assert play.neighbour(PEER_LINK_LOCAL) == "DELAY"


def behind_a_router() -> Play:
    play = ready()
    play.add_address(OURS)
    play.run(play.now + 5.0)
    hears(play, lifetime=9_000)
    assert play.neighbour(ROUTER) == "STALE"
    return play


def test_an_answer_from_beyond_the_router_confirms_the_router() -> None:
    """7.3.1: forward progress to a destination is that of its next hop."""
    play = behind_a_router()
    play.ping(FAR)
    reply(play, FAR, OURS)
    assert play.neighbour(ROUTER) == "REACHABLE"


@pytest.mark.parametrize("named", [False, True])
def test_what_an_upper_layer_says(named: bool) -> None:
    """By destination, on the only interface or one that is named."""
    play = behind_a_router()
    play.host.confirm(ip(FAR), play.now, play.interface if named else None)
    assert play.neighbour(ROUTER) == "REACHABLE"


def test_the_interface_counts() -> None:
    """RFC 4007: the same link-local address on another link is another neighbour."""
    play = stale()
    other = play.host.attach("t1", bytes.fromhex("02006e000009"), index=9)
    play.host.confirm(ip(PEER_LINK_LOCAL), play.now, other)
    assert play.neighbour(PEER_LINK_LOCAL) == "STALE"


@pytest.mark.parametrize("destination", ["ff02::1", OUR_LINK_LOCAL, "fe80::77", FAR])
def test_a_hint_about_no_neighbour_does_nothing(destination: str) -> None:
    play = stale()
    before = dict(play.interface.resolver.cache.entries)
    play.host.confirm(ip(destination), play.now)
    assert play.interface.resolver.cache.entries == before


def test_a_neighbour_being_resolved_is_not_confirmed() -> None:
    """7.3.3: a hint has no effect on an INCOMPLETE entry: there is no address that it could confirm."""
    play = Play().start()
    play.ping()
    play.host.confirm(ip(PEER_LINK_LOCAL), play.now)
    assert play.neighbour(PEER_LINK_LOCAL) == "INCOMPLETE"
    play.receive(advertisement(PEER_LINK_LOCAL))
    assert play.neighbour(PEER_LINK_LOCAL) == "REACHABLE"


def test_many_hints_cost_what_one_does() -> None:
    """The reachable time runs from the last of them, to a second; no timer is set anew for each."""
    play = Play().start()
    play.meet()
    before = len(play.host.timers)
    resolver = play.interface.resolver
    entry = resolver.cache.get(ip(PEER_LINK_LOCAL))
    assert entry is not None
    timers = set()
    for _ in range(10_000):
        play.run(play.now + 0.001)
        play.host.confirm(ip(PEER_LINK_LOCAL), play.now)
        timers.add(id(entry.timer))
    assert len(timers) <= 11 and len(play.host.timers) == before
    reachable = resolver.reachable_time(play.now)
    play.run(play.now + reachable - 1.001)
    assert play.neighbour(PEER_LINK_LOCAL) == "REACHABLE"
    play.run(play.now + 1.002)
    assert play.neighbour(PEER_LINK_LOCAL) == "STALE"
