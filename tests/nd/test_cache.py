"""The bound of the neighbour cache and who makes room: RFC 6583, and that floods cost nobody else anything."""

import pytest

from stack.address import IPv6Address
from stack.nd.cache import Neighbor, NeighborCache
from stack.nd.states import NeighborState
from tests.playbook import (
    OUR_LINK_LOCAL,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Play,
    advertisement,
    echo_request,
    ip,
    packet,
    solicitation,
)

S = NeighborState


def ready(limit: int = 8, **settings: int) -> Play:
    return Play(gc_thresh3=limit, **settings).start()


def mac(number: int) -> bytes:
    return bytes((2, 0, 0)) + number.to_bytes(3, "big")


def stranger(number: int) -> str:
    return f"fe80::bad:{number >> 16:x}:{number & 0xFFFF:x}"


def friend(number: int) -> str:
    return f"fe80::f:{number:x}"


def prove(play: Play, number: int) -> None:
    """We ask a friend something, it answers: REACHABLE."""
    play.ping(friend(number))
    play.receive(advertisement(friend(number), mac=mac(number)))
    play.host.echoes.sessions.clear()
    assert play.neighbour(friend(number)) == "REACHABLE"


def entries(play: Play) -> int:
    return len(play.interface.resolver.cache)


def flood(play: Play, count: int, kind: str) -> None:
    """Somebody sends from ever new addresses of this link."""
    for number in range(count):
        source = stranger(number)
        if kind == "NS":
            play.receive(solicitation(OUR_LINK_LOCAL, source=source))
        elif kind == "echo":
            play.receive(echo_request(source=source))
        else:
            play.receive(advertisement(source, destination="ff02::1", flags="O"))
        play.sent()


FLOODS = ("NS", "echo")


def test_an_unsolicited_advertisement_makes_no_entry() -> None:
    """7.2.5: if no entry exists the advertisement SHOULD be silently discarded, however many there are."""
    play = ready()
    flood(play, 1000, "NA")
    assert entries(play) == 0


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_fills_the_cache_and_no_more(kind: str) -> None:
    play = ready(16)
    flood(play, 3000, kind)
    assert entries(play) == 16
    assert len(play.host.timers) <= 16, "the timers of what was evicted are gone"
    assert play.host.counters.limits["gc_thresh3"] == 3000 - 16
    play.run(play.now + 60.0)
    assert len(play.host.timers) == 0


@pytest.mark.long
def test_a_hundred_thousand_sources_leave_nothing_behind() -> None:
    """One frame is built, its source counted up in place: 100,000 solicitations, a cache of the usual size."""
    play = Play().start()
    play.ping(friend(1))
    play.receive(advertisement(friend(1), mac=mac(1)))
    frame = bytearray(solicitation(OUR_LINK_LOCAL, source="fe80::bad:0:0"))
    checksum = int.from_bytes(frame[56:58], "big")
    resolver = play.interface.resolver
    for number in range(100_000):
        frame[34:38] = number.to_bytes(4, "big")
        # RFC 1624: the checksum follows the two words that were zero.
        total = (0xFFFF - checksum) + (number >> 16) + (number & 0xFFFF)
        total = (total & 0xFFFF) + (total >> 16)
        total = (total & 0xFFFF) + (total >> 16)
        frame[56:58] = (0xFFFF - total).to_bytes(2, "big")
        outcome = play.host.receive(bytes(frame), play.now)
        if number % 1000 == 0:
            assert outcome.name == "ANSWERED"
            play.host.output()
    assert len(resolver.cache) == 1024
    assert len(play.host.timers) <= 1024 + 1
    assert play.neighbour(friend(1)) == "REACHABLE"
    play.run(play.now + 60.0)
    play.sent()
    assert len(play.host.timers) == 0 and len(resolver.cache) == 1


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_does_not_evict_who_is_in_use(kind: str) -> None:
    """RFC 6583: REACHABLE, DELAY and PROBE entries in use stay, even if they fill the cache."""
    play = ready(4)
    for number in range(3):
        prove(play, number)
    play.run(play.now + 45.0)
    prove(play, 3)
    for number in range(3):
        play.ping(friend(number))
    play.run(play.now + 4.9)
    states = [play.neighbour(friend(number)) for number in range(4)]
    assert states == ["DELAY", "DELAY", "DELAY", "REACHABLE"]
    flood(play, 500, kind)
    assert [play.neighbour(friend(number)) for number in range(4)] == states
    play.run(play.now + 0.2)
    flood(play, 500, kind)
    assert [play.neighbour(friend(number)) for number in range(3)] == ["PROBE"] * 3


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_does_not_end_a_resolution_of_ours(kind: str) -> None:
    """The INCOMPLETE entries of our own pings stay, older than the flood though they are."""
    play = ready(4)
    heard = {number: play.ping(friend(number)) for number in range(3)}
    flood(play, 500, kind)
    play.run(play.now + 0.5)
    flood(play, 500, kind)
    assert [play.neighbour(friend(number)) for number in range(3)] == ["INCOMPLETE"] * 3
    play.receive(advertisement(friend(1), mac=mac(1)))
    assert [each.to for each in play.sent(128)] == [mac(1)]
    assert heard[0] == []


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_costs_one_idle_neighbour_at_most(kind: str) -> None:
    """STALE entries make room, least recently used first, but what the flood brought goes before them."""
    play = ready(8)
    for number in range(8):
        prove(play, number)
        play.run(play.now + 0.01)
    play.run(play.now + 60.0)
    assert [play.neighbour(friend(number)) for number in range(8)] == ["STALE"] * 8
    flood(play, 500, kind)
    assert [play.neighbour(friend(number)) for number in range(8)] == [None] + ["STALE"] * 7


@pytest.mark.parametrize("kind", FLOODS)
def test_an_honest_newcomer_gets_through_a_flood(kind: str) -> None:
    play = ready(4)
    flood(play, 500, kind)
    play.receive(solicitation(OUR_LINK_LOCAL))
    assert [each.to for each in play.sent(136)] == [PEER_MAC]
    play.receive(echo_request())
    assert [each.to for each in play.sent(129)] == [PEER_MAC]
    assert play.neighbour(PEER_LINK_LOCAL) == "DELAY"


def test_a_newcomer_of_our_own_choice_always_gets_a_place() -> None:
    """Even when all others are in use: the least recently used of them is resolved again when it is needed."""
    play = ready(4)
    for number in range(4):
        prove(play, number)
        play.run(play.now + 0.1)
    play.ping(friend(0))
    play.ping(friend(9))
    assert play.neighbour(friend(9)) == "INCOMPLETE"
    assert [play.neighbour(friend(number)) for number in range(4)] == ["REACHABLE", None, "REACHABLE", "REACHABLE"]


def test_a_newcomer_takes_the_place_of_who_is_not_used_any_more() -> None:
    """A cache full of REACHABLE neighbours that we have not sent to for DELAY_FIRST_PROBE_TIME is not full for ever."""
    play = ready(4)
    for number in range(4):
        prove(play, number)
    play.run(play.now + 5.1)
    play.ping(friend(0))
    flood(play, 100, "NS")
    assert play.neighbour(friend(0)) == "REACHABLE"
    assert [play.neighbour(friend(number)) for number in range(1, 4)] == [None, "REACHABLE", "REACHABLE"]
    assert entries(play) == 4


def test_a_sweep_of_ours_evicts_itself() -> None:
    """RFC 6583 3: we send to ever new addresses that do not exist; the oldest attempt goes, not a neighbour in use."""
    play = ready(4)
    prove(play, 0)
    for number in range(100, 200):
        play.ping(stranger(number))
        play.host.echoes.sessions.clear()
    assert play.neighbour(friend(0)) == "REACHABLE"
    assert [play.neighbour(stranger(number)) for number in (196, 197, 198, 199)] == [None, *["INCOMPLETE"] * 3]
    assert entries(play) == 4
    play.run(play.now + 3.0)
    assert entries(play) == 1


@pytest.mark.long
def test_a_hundred_thousand_neighbours_that_do_not_exist() -> None:
    """RFC 6583 3: packets of ours to ever new addresses, a cache of the usual size; who is in use stays throughout."""
    play = Play().start()
    for number in range(3):
        prove(play, number)
    resolver, octets = play.interface.resolver, packet(OUR_LINK_LOCAL, "fe80::bad:0:0", bytes(8), next_header=59)
    base = ip("fe80::bad:0:0")
    for number in range(100_000):
        resolver.send(base[:12] + number.to_bytes(4, "big"), octets, play.now)
        if number % 1000 == 0:
            resolver.send(ip(friend(1)), octets, play.now)
            play.host.output()
    assert len(resolver.cache) == 1024 and len(play.host.timers) <= 1024 + 1
    assert [play.neighbour(friend(number)) for number in range(3)] == ["REACHABLE"] * 3
    play.run(play.now + 60.0)
    assert len(resolver.cache) == 3 and len(play.host.timers) == 0


def test_static_neighbours_are_outside_the_bound() -> None:
    play = ready(4)
    for number in range(10):
        play.interface.resolver.add_permanent(ip(friend(number)), mac(number), play.now)
    flood(play, 100, "NS")
    assert entries(play) == 14
    assert all(play.neighbour(friend(number)) == "PERMANENT" for number in range(10))


def test_a_smaller_bound_acts_at_the_next_entry() -> None:
    play = ready(64)
    flood(play, 64, "NS")
    play.host.settings.gc_thresh3 = 4
    play.receive(solicitation(OUR_LINK_LOCAL))
    assert entries(play) == 4
    assert play.neighbour(PEER_LINK_LOCAL) == "DELAY"


def test_what_we_want_of_a_stranger_makes_it_more_than_a_claim() -> None:
    """It came by its own solicitation, then we sent to it: others' floods do not take it away while we try."""
    play = ready(4)
    play.receive(solicitation(OUR_LINK_LOCAL))
    play.ping()
    flood(play, 100, "NS")
    assert play.neighbour(PEER_LINK_LOCAL) == "DELAY"


def test_asking_again_does_not_keep_an_idle_neighbour_from_its_turn() -> None:
    """Least recently used is what we used; a neighbour cannot make itself the last to go."""
    play = ready(2)
    prove(play, 0)
    play.run(play.now + 1.0)
    prove(play, 1)
    play.run(play.now + 60.0)
    play.interface.resolver.heard(ip(friend(0)), mac(0), play.now)
    play.ping(PEER_LINK_LOCAL)
    assert [play.neighbour(friend(number)) for number in range(2)] == [None, "STALE"]


# -- the orders by themselves


def entry(number: int, state: NeighborState, *, proven: bool = False, wanted: bool = False) -> Neighbor:
    made = Neighbor(IPv6Address(bytes(15) + bytes((number,))), 0.0)
    made.state, made.proven, made.wanted = state, proven, wanted
    return made


def filled() -> NeighborCache:
    """One entry of each kind, put in in an order that is not that of eviction."""
    cache = NeighborCache()
    for made in (
        entry(1, S.PERMANENT, proven=True),
        entry(2, S.REACHABLE, proven=True),
        entry(3, S.INCOMPLETE, wanted=True),
        entry(4, S.STALE, proven=True),
        entry(5, S.STALE),
        entry(6, S.INCOMPLETE),
        entry(7, S.STALE, wanted=True),
    ):
        cache.insert(made)
    return cache


@pytest.mark.parametrize(
    ("wanted", "unused_since", "order"),
    [(True, -1.0, [5, 6, 7, 4, 3, 2]), (False, -1.0, [5, 6, 7, 4]), (False, 1.0, [5, 6, 7, 4, 2])],
    ids=["for a packet of ours", "for others", "for others, the one in use long unused"],
)
def test_the_order_of_eviction(wanted: bool, unused_since: float, order: list[int]) -> None:
    """Claims by age, then what is idle, then our own attempts, then who is used; never what the user gave."""
    cache = filled()
    evicted = []
    while (victim := cache.victim(wanted, unused_since)) is not None:
        evicted.append(victim.address[15])
        cache.remove(victim)
    assert evicted == order


def test_removing_an_entry_that_was_replaced_leaves_the_new_one() -> None:
    cache = NeighborCache()
    old, new = entry(1, S.STALE), entry(1, S.STALE)
    cache.insert(old)
    cache.remove(old)
    cache.insert(new)
    cache.remove(old)
    assert cache.get(new.address) is new
    assert cache.victim(True, 0.0) is new
