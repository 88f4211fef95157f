"""A neighbour that answered once and falls silent: RFC 7048, from memory of its text; the sections are those of it."""

import itertools

import pytest

from tests.nd.advertising import MEDIUM, OTHER_ROUTER, ROUTER, hears, mac_of, ready
from tests.playbook import (
    OUR_LINK_LOCAL,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Play,
    Sent,
    advertisement,
    echo_request,
    ip,
    solicitation,
)

NS, ECHO_REQUEST, ECHO_REPLY = 135, 128, 129
PEER_GROUP = "ff02::1:ff00:2"
NEW_MAC = bytes.fromhex("020070000099")
FAR = "2001:db8:ffff::1"


def silent(**settings: int) -> Play:
    """A host at the moment when a neighbour that it has known is UNREACHABLE; its one packet is long gone."""
    play = Play().start()
    for name, value in settings.items():
        play.host.settings.set_text(name, str(value))
    play.ping()
    play.receive(advertisement(PEER_LINK_LOCAL))
    play.run(play.now + 46.0)
    play.ping()
    while play.neighbour(PEER_LINK_LOCAL) != "UNREACHABLE":
        play.run(play.now + 0.125)
    return play


def used(play: Play, seconds: float) -> list[Sent]:
    """A packet leaves for the neighbour twice a second; the solicitations meanwhile."""
    end = play.now + seconds
    while play.now < end:
        play.ping()
        play.host.echoes.sessions.clear()
        play.run(play.now + 0.5)
    return play.sent()


def test_asked_ever_more_seldom_while_packets_are_sent() -> None:
    """3: by multicast, with exponential backoff, clamped at 60 s; 4: BACKOFF_MULTIPLE is 3."""
    play = silent()
    begin = play.sent(NS)[-1].time
    asked = [each for each in used(play, 300.0) if each.kind == NS]
    assert [each.time - begin for each in asked] == pytest.approx([3.0, 12.0, 39.0, 99.0, 159.0, 219.0, 279.0])
    assert {(each.destination, each.target) for each in asked} == {(PEER_GROUP, PEER_LINK_LOCAL)}
    assert play.neighbour(PEER_LINK_LOCAL) == "UNREACHABLE", "the entry is kept"


def test_packets_go_to_the_address_that_is_known() -> None:
    """3: nothing is queued and nothing reported; the link-layer address may be right after all."""
    play = silent()
    play.sent()
    heard = play.ping()
    (sent,) = play.sent()
    assert (sent.kind, sent.to) == (ECHO_REQUEST, PEER_MAC)
    play.run(play.now + 30.0)
    assert heard == []


def test_without_packets_nobody_is_asked() -> None:
    """3: it is recommended to stop unless packets are sent; the next one has it asked at once, and from the start."""
    play = silent()
    play.sent()
    play.run(play.now + 4_000.0)
    assert play.sent() == [] and len(play.host.timers) == 0
    began = play.now
    asked = [each.time - began for each in used(play, 10.0) if each.kind == NS]
    assert asked == pytest.approx([0.0, 3.0])


def test_the_interval_follows_retrans_timer_and_is_never_below_it() -> None:
    play = silent(retrans_time_ms=100)
    begin = play.sent(NS)[-1].time
    asked = [each.time - begin for each in used(play, 4.0) if each.kind == NS]
    assert asked == pytest.approx([0.3, 1.2, 3.9])
    play = silent(retrans_time_ms=90_000)
    begin = play.sent(NS)[-1].time
    asked = [each.time - begin for each in used(play, 200.0) if each.kind == NS]
    assert asked == pytest.approx([90.0, 180.0]), "RFC 4861 7.3.3: MUST NOT be more often than every RetransTimer"


BACK = {
    "it answers": (advertisement(PEER_LINK_LOCAL), "REACHABLE", PEER_MAC),
    "it answers with another address": (advertisement(PEER_LINK_LOCAL, mac=NEW_MAC), "REACHABLE", NEW_MAC),
    "it answers with another address, O 0": (
        advertisement(PEER_LINK_LOCAL, mac=NEW_MAC, flags="S"),
        "REACHABLE",
        NEW_MAC,
    ),
    "it says that it is there": (
        advertisement(PEER_LINK_LOCAL, destination="ff02::1", flags="O"),
        "STALE",
        PEER_MAC,
    ),
    "it asks for us": (solicitation(OUR_LINK_LOCAL), "DELAY", PEER_MAC),
    "somebody claims another address for it, O 0": (
        advertisement(PEER_LINK_LOCAL, destination="ff02::1", flags="", mac=NEW_MAC),
        "UNREACHABLE",
        PEER_MAC,
    ),
    "a packet from it": (echo_request(), "UNREACHABLE", PEER_MAC),
}


@pytest.mark.parametrize(("frame", "state", "mac"), BACK.values(), ids=BACK)
def test_it_comes_back(frame: bytes, state: str, mac: bytes) -> None:
    """What is heard of it counts as it would for the INCOMPLETE or missing entry of RFC 4861 7.3.3."""
    play = silent()
    play.receive(frame)
    entry = play.interface.resolver.cache.get(ip(PEER_LINK_LOCAL))
    assert entry is not None and (entry.state.value, entry.mac) == (state, mac)


def test_one_that_never_answered_falls() -> None:
    """RFC 4861 7.3.3: patience is for a neighbour that has been there, not for what anybody claims."""
    play = Play().start()
    play.receive(solicitation(OUR_LINK_LOCAL))
    assert play.neighbour(PEER_LINK_LOCAL) == "DELAY"
    play.run(play.now + 9.0)
    assert play.neighbour(PEER_LINK_LOCAL) is None


def test_it_makes_room_like_a_stale_one() -> None:
    """RFC 6583: an entry that fails is none in use."""
    play = silent(gc_thresh3=2)
    play.ping("fe80::55")
    play.receive(advertisement("fe80::55", mac=NEW_MAC))
    play.receive(solicitation(OUR_LINK_LOCAL, source="fe80::66", mac=NEW_MAC))
    assert play.neighbour(PEER_LINK_LOCAL) is None
    assert play.neighbour("fe80::55") == "REACHABLE"


# -- routers


def two_routers() -> Play:
    """Both have answered; packets to FAR go through the first, which falls silent."""
    play = ready()
    for router in (ROUTER, OTHER_ROUTER):
        hears(play, router=router, preference=MEDIUM, lifetime=9_000)
        play.ping(router)
        play.receive(advertisement(router, mac=mac_of(router), flags="RSO"))
    play.run(play.now + 60.0)
    return play


def through(play: Play) -> bytes:
    play.sent()
    play.ping(FAR)
    (sent,) = play.sent(ECHO_REQUEST)
    return sent.to


def answer_for(play: Play, router: str, seconds: float) -> list[float]:
    """One router answers what it is asked; when the other one was asked."""
    end, asked = play.now + seconds, []
    while play.now < end:
        play.ping(FAR)
        play.host.echoes.sessions.clear()
        play.run(play.now + 0.5)
        for sent in play.sent(NS):
            if sent.target == router:
                play.receive(advertisement(router, mac=mac_of(router), flags="RSO"))
            else:
                asked.append(sent.time)
    return asked


def test_traffic_moves_to_another_router_and_back() -> None:
    """RFC 4861 6.3.6, 7.3.3: an unreachable router is passed over; RFC 4191 3.5: and asked once a minute."""
    play = two_routers()
    assert through(play) == mac_of(ROUTER)
    answer_for(play, OTHER_ROUTER, 9.0)
    assert play.neighbour(ROUTER) == "UNREACHABLE"
    assert through(play) == mac_of(OTHER_ROUTER)
    asked = answer_for(play, OTHER_ROUTER, 300.0)
    assert 4 <= len(asked) <= 6
    assert all(later - earlier >= 60.0 for earlier, later in itertools.pairwise(asked[1:]))
    play.receive(advertisement(OTHER_ROUTER, mac=mac_of(OTHER_ROUTER), flags="RSO"))
    play.receive(advertisement(ROUTER, mac=mac_of(ROUTER), flags="RSO"))
    answer_for(play, ROUTER, 12.0)
    assert play.neighbour(OTHER_ROUTER) in ("REACHABLE", "STALE", "UNREACHABLE")
    assert play.neighbour(ROUTER) == "REACHABLE"


def test_an_only_router_is_used_on_for_want_of_another() -> None:
    play = ready()
    hears(play, lifetime=9_000)
    play.ping(ROUTER)
    play.receive(advertisement(ROUTER, mac=mac_of(ROUTER), flags="RSO"))
    play.run(play.now + 60.0)
    play.ping(FAR)
    play.run(play.now + 9.0)
    assert play.neighbour(ROUTER) == "UNREACHABLE"
    assert through(play) == mac_of(ROUTER)


def test_a_redirect_to_it_ends() -> None:
    """RFC 4861 5.2: next-hop determination is done again when a neighbour fails."""
    play = two_routers()
    assert play.interface.routes.redirect(ip(FAR), ip(OTHER_ROUTER), ip(ROUTER))
    assert through(play) == mac_of(OTHER_ROUTER)
    answer_for(play, ROUTER, 9.0)
    assert play.neighbour(OTHER_ROUTER) == "UNREACHABLE"
    assert through(play) == mac_of(ROUTER)


def test_with_no_router_left_all_are_asked() -> None:
    """RFC 4861 6.3.6 2, RFC 4191 3.6: packets go to one of them, and whichever answers first has them."""
    play = two_routers()
    for _ in range(30):
        play.ping(FAR)
        play.ping(OTHER_ROUTER)
        play.host.echoes.sessions.clear()
        play.run(play.now + 0.5)
    assert play.neighbour(ROUTER) == play.neighbour(OTHER_ROUTER) == "UNREACHABLE"
    play.run(play.now + 120.0)
    play.sent()
    play.ping(FAR)
    assert {each.target for each in play.sent(NS)} == {ROUTER, OTHER_ROUTER}
    play.receive(advertisement(OTHER_ROUTER, mac=mac_of(OTHER_ROUTER), flags="RSO"))
    assert through(play) == mac_of(OTHER_ROUTER)
