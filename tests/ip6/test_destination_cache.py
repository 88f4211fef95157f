"""The destination cache: its bound and who makes room, and that what it remembers is what would be determined anew."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from stack.errors import RefusedError
from stack.ip6 import output
from stack.ip6.destinations import NEVER, Destination, DestinationCache
from stack.ip6.routes import next_hop
from stack.nd.states import NeighborState
from tests.ip6.test_next_hop import HIGH, LOW, MEDIUM, advertise, mac_of, prefix, redirect, route
from tests.playbook import Play, advertisement, echo_request, icmp, ip, packet, text

OUR_GLOBAL = "2001:db8:ffff::1"
R1, R2, R3 = (f"fe80::{n}:1" for n in range(1, 4))


def far(number: int) -> bytes:
    return ip(f"2001:db8:9::{number:x}")


# -- the cache alone


def filled(*kinds: str) -> tuple[DestinationCache, list[Destination]]:
    """A cache with an entry of each kind, oldest first: plain, claim (a redirect nobody follows), kept, mtu."""
    cache = DestinationCache(lambda: None)
    entries = []
    for number, kind in enumerate(kinds):
        entry = cache.make(far(number), len(kinds), wanted=kind in ("kept", "mtu"))
        assert entry is not None
        if kind in ("claim", "kept"):
            cache.set_redirect(entry, ip(R1), ip(R2))
        elif kind == "mtu":
            entry.mtu = 1280
            cache.place(entry)
        entries.append(entry)
    return cache, entries


VICTIMS = {
    "a claim first": (("plain", "kept", "claim"), True, 2),
    "the oldest claim": (("kept", "claim", "claim"), True, 1),
    "then what only remembers a next hop": (("kept", "plain", "plain"), True, 1),
    "what we use last": (("kept", "mtu", "kept"), True, 0),
    "a path MTU counts as a redirect does": (("mtu", "plain"), True, 1),
    "an answer takes a claim's place": (("plain", "kept", "claim"), False, 2),
    "an answer takes a plain one's place": (("plain", "kept", "kept"), False, 0),
    "an answer takes nothing of what we use": (("kept", "mtu"), False, None),
}


@pytest.mark.parametrize(("kinds", "wanted", "goes"), VICTIMS.values(), ids=VICTIMS)
def test_who_makes_room(kinds: tuple[str, ...], wanted: bool, goes: int | None) -> None:
    cache, entries = filled(*kinds)
    made = cache.make(far(99), len(kinds), wanted=wanted)
    gone = [number for number, entry in enumerate(entries) if cache.get(entry.address) is not entry]
    assert gone == ([] if goes is None else [goes])
    assert (made is None) == (goes is None)
    assert len(cache) == len(kinds)


@pytest.mark.parametrize("kind", ["plain", "claim", "kept"])
def test_the_least_recently_used(kind: str) -> None:
    cache, entries = filled(kind, kind, kind)
    assert entries[0].turn is not None
    entries[0].turn.move_to_end(entries[0].address)
    cache.make(far(98), 3, wanted=True)
    assert cache.get(far(1)) is None
    assert cache.get(far(0)) is entries[0]


def test_a_lower_limit_holds_from_the_next_entry_on() -> None:
    cache, _ = filled("plain", "claim", "kept", "kept")
    assert cache.make(far(99), 2, wanted=True) is not None
    assert len(cache) == 2


def test_redirects_by_their_target() -> None:
    cache, entries = filled("kept", "claim", "plain")
    entries[0].mtu = 1300
    cache.set_redirect(entries[2], far(2), ip(R2))
    assert cache.is_router(ip(R1))
    assert not cache.is_router(far(2)), "whoever is the destination itself"
    assert not cache.is_router(ip(R2))
    cache.drop_redirects(ip(R1))
    assert [entry.redirect for entry in entries] == [None, None, far(2)]
    assert not cache.is_router(ip(R1))
    assert entries[0].mtu == 1300, "RFC 4861 5.2: what else is known of the destination stays"
    assert [entry.address for entry in cache.learnt()] == [far(0), far(2)]


def test_redirects_to_routers_alone() -> None:
    cache, entries = filled("claim", "plain")
    cache.set_redirect(entries[1], far(1), ip(R2))
    for target in (ip(R1), far(1)):
        cache.drop_redirects(target, to_routers=True)
    assert [entry.redirect for entry in entries] == [None, far(1)]


# -- in the host


def host(**options: int) -> Play:
    play = Play(autoconf=0, **options).start()
    play.add_address(OUR_GLOBAL, 128)
    play.run(30.0)
    play.interface.routes.add(bytes(16), 0, ip(R1))
    play.ping(R1)
    play.receive(advertisement(R1, mac=mac_of(R1), flags="RSO"))
    play.sent()
    return play


def send(play: Play, destination: bytes) -> None:
    octets = packet(OUR_GLOBAL, text(destination), icmp(OUR_GLOBAL, text(destination), 128, 0, bytes(4)))
    output.send(play.interface, octets, play.now)
    play.settle()


def test_it_is_bounded() -> None:
    play = host(max_destinations=16)
    for number in range(1, 200):
        send(play, far(number))
    assert len(play.interface.routes.destinations) == 16
    assert play.host.counters.limits["max_destinations"] == 199 - 16


def test_requests_from_everywhere_leave_our_redirects_alone() -> None:
    """Whoever sends to us chooses the destinations of the answers; they make room for each other."""
    play = host(max_destinations=16)
    for number in range(1, 5):
        send(play, far(number))
        play.receive(redirect(R1, R2, text(far(number))))
        send(play, far(number))
    for number in range(1, 500):
        play.receive(echo_request(OUR_GLOBAL, source=f"2001:db8:5::{number:x}"))
    assert len(play.interface.routes.destinations) == 16
    assert {next_hop(play.interface, far(number), play.now) for number in range(1, 5)} == {ip(R2)}


def test_a_redirect_for_answers_alone_is_no_claim_on_room() -> None:
    """Nobody can make an entry count by pinging us from its destination."""
    play = host(max_destinations=4)
    send(play, far(1))
    play.receive(redirect(R1, R2, text(far(1))))
    for number in range(2, 20):
        play.receive(echo_request(OUR_GLOBAL, source=text(far(number))))
        play.receive(redirect(R1, R3, text(far(number))))
        play.receive(echo_request(OUR_GLOBAL, source=text(far(number))))
    assert next_hop(play.interface, far(1), play.now) == ip(R2)
    for number in range(30, 33):
        send(play, far(number))
    assert [entry.address for entry in play.interface.routes.destinations.learnt()] == [far(1)]


def test_where_there_is_no_room_packets_go_all_the_same() -> None:
    play = host(max_destinations=1)
    send(play, far(1))
    play.receive(redirect(R1, R2, text(far(1))))
    play.sent()
    play.receive(echo_request(OUR_GLOBAL, source=text(far(2))))
    assert [(each.kind, each.to) for each in play.sent()] == [(129, mac_of(R1))]
    assert list(play.interface.routes.destinations.entries) == [far(1)]


def test_link_local_destinations_need_no_entry() -> None:
    """RFC 4291 2.5.6: they are on-link whatever changes."""
    play = host()
    play.ping("fe80::99")
    assert play.interface.routes.destinations.get(ip("fe80::99")) is None


def test_a_destination_that_no_route_leads_to_needs_none() -> None:
    play = host()
    play.interface.routes.delete(bytes(16), 0)
    send(play, far(1))
    assert len(play.interface.routes.destinations) == 0


def test_what_it_remembers_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """5.2: next-hop determination is not done for every packet."""
    play = host()
    determined: list[bytes] = []
    routes = type(play.interface.routes)
    plain = routes.determine

    def determine(self, destination: bytes, now: float, **options: bool):  # type: ignore[no-untyped-def]
        determined.append(destination)
        return plain(self, destination, now, **options)

    monkeypatch.setattr(routes, "determine", determine)
    for _ in range(10):
        send(play, far(1))
        play.run(play.now + 0.1)
    assert determined == [far(1)]
    play.interface.routes.add(ip("fd00::"), 8, ip(R2))
    for _ in range(10):
        send(play, far(1))
    assert determined == [far(1)] * 2


def test_neighbours_that_are_no_routers_change_nothing() -> None:
    """A scan of the link determines no next hop again."""
    play = host()
    send(play, far(1))
    before = play.interface.routes.generation, play.interface.routers.generation
    for number in range(50):
        play.ping(f"fe80::7:{number:x}")
    play.run(play.now + 4.0)
    assert (play.interface.routes.generation, play.interface.routers.generation) == before


# -- whatever happens

DESTINATIONS = [far(1), far(2), ip("2001:db8:9:1::1"), ip("2001:db8:5::1"), ip("2001:db8:5::2"), ip("fd00::1")]
PREFIXES = [("::", 0), ("2001:db8:9::", 48), ("2001:db8:9:1::", 64), ("2001:db8:5::", 64), (text(far(1)), 128)]
ADDRESSES = ["2001:db8:5::fe", "2001:db8:9:1::fe", "fd00::fe"]
ROUTERS = [R1, R2, R3]
GATEWAYS = [*ROUTERS, "2001:db8:5::2"]


class CachedAndDetermined(RuleBasedStateMachine):
    """Everything that a next hop depends on changes; what is remembered is at each moment what is determined anew."""

    def __init__(self) -> None:
        super().__init__()
        options = {"autoconf": 0, "router_solicitations": 0, "unres_qlen": 1}
        self.play = Play(max_destinations=5, max_static_routes=6, **options).start()
        self.play.add_address(OUR_GLOBAL, 128, nodad=True)
        self.routers_are_found()

    @property
    def routes(self):  # type: ignore[no-untyped-def]
        return self.play.interface.routes

    @rule(
        where=st.sampled_from(PREFIXES), gateway=st.sampled_from(GATEWAYS), metric=st.sampled_from([1000, 1024, 2048])
    )
    def add_route(self, where: tuple[str, int], gateway: str, metric: int) -> None:
        self.send_to_all()
        with suppress(RefusedError):
            self.routes.add(ip(where[0]), where[1], ip(gateway), metric)

    @rule(which=st.integers(0, 5))
    def delete_route(self, which: int) -> None:
        self.send_to_all()
        given = sorted(self.routes.static.table)
        if given:
            prefix, length, metric = given[which % len(given)]
            self.routes.delete(prefix, length, metric=metric)

    @rule(address=st.sampled_from(ADDRESSES), length=st.sampled_from([48, 64, 128]), nodad=st.booleans())
    def add_address(self, address: str, length: int, nodad: bool) -> None:
        self.send_to_all()
        if self.play.address(address) is None:
            self.play.add_address(address, length, nodad=nodad, valid_lifetime=100.0)

    @rule(address=st.sampled_from(ADDRESSES))
    def remove_address(self, address: str) -> None:
        self.send_to_all()
        if self.play.address(address) is not None:
            self.play.remove_address(address)

    @rule(
        router=st.sampled_from(ROUTERS),
        lifetime=st.sampled_from([0, 30, 1800]),
        preference=st.sampled_from([HIGH, MEDIUM, LOW]),
        known=st.booleans(),
        options=st.lists(
            st.one_of(
                st.builds(prefix, st.just("2001:db8:5::"), lifetime=st.sampled_from([0, 20, 3600])),
                st.builds(
                    route,
                    st.sampled_from(["2001:db8:9::", "fd00::"]),
                    st.sampled_from([32, 48]),
                    st.sampled_from([HIGH, LOW]),
                    st.sampled_from([0, 20, 1800]),
                ),
            ),
            max_size=2,
        ),
    )
    def router_advertises(self, router: str, lifetime: int, preference: int, known: bool, options: list[bytes]) -> None:
        self.send_to_all()
        advertise(self.play, router, *options, lifetime=lifetime, preference=preference, known=known)

    @rule()
    def routers_are_found(self) -> None:
        """All of them are asked and answer: no next hop is one that is being resolved."""
        for router in ROUTERS:
            self.play.interface.resolver.send(ip(router), bytes(40), self.play.now)
            self.play.receive(advertisement(router, mac=mac_of(router), flags="RSO"))

    def send_to_all(self) -> None:
        """Before a change, so that the cache has what the change may make wrong."""
        for destination in DESTINATIONS:
            send(self.play, destination)

    @rule(destination=st.sampled_from(DESTINATIONS))
    def send(self, destination: bytes) -> None:
        send(self.play, destination)

    @rule(destination=st.sampled_from(DESTINATIONS))
    def is_asked(self, destination: bytes) -> None:
        self.play.receive(echo_request(OUR_GLOBAL, source=text(destination)))

    @rule(destination=st.sampled_from(DESTINATIONS), better=st.sampled_from([*ROUTERS, None]))
    def router_redirects(self, destination: bytes, better: str | None) -> None:
        hop = next_hop(self.play.interface, destination, self.play.now)
        if hop is not None and hop[:2] == b"\xfe\x80":
            self.play.receive(redirect(text(hop), better or text(destination), text(destination)))

    @rule(router=st.sampled_from(GATEWAYS), flags=st.sampled_from(["RSO", "SO", "O", "RO"]))
    def neighbour_answers(self, router: str, flags: str) -> None:
        self.send_to_all()
        self.play.receive(advertisement(router, source=R1, mac=mac_of(router), flags=flags))

    @rule(seconds=st.sampled_from([0.5, 1.0, 4.0, 9.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.send_to_all()
        self.play.run(self.play.now + seconds)

    @rule(what=st.sampled_from(["flush", "flush", "restart", "down and up"]))
    def much_is_forgotten(self, what: str) -> None:
        self.send_to_all()
        if what == "flush":
            self.play.interface.resolver.flush()
        elif what == "restart":
            self.play.interface.restart(self.play.now)
        else:
            self.play.interface.stop(self.play.now)
            self.play.interface.start(self.play.now)

    @invariant()
    def remembered_is_determined(self) -> None:
        """5.2. While its resolution is under way a router keeps what was given to it (6.3.6)."""
        for entry in list(self.routes.destinations.entries.values()):
            remembered = next_hop(self.play.interface, entry.address, self.play.now)
            if remembered is not None:
                neighbour = self.play.interface.resolver.cache.get(remembered)
                if neighbour is not None and neighbour.state is NeighborState.INCOMPLETE:
                    continue
            generation, entry.generation = entry.generation, NEVER
            determined = next_hop(self.play.interface, entry.address, self.play.now)
            entry.generation = generation if determined == remembered else NEVER
            assert remembered == determined, text(entry.address)

    @invariant()
    def the_tables_agree(self) -> None:
        cache = self.routes.destinations
        assert len(cache) <= 5
        turns = [entry for turn in (cache._claims, cache._plain, cache._kept) for entry in turn.values()]
        assert sorted(map(id, turns)) == sorted(map(id, cache.entries.values()))
        assert {entry.address for entry in turns if entry.redirect} == set(redirected(cache))
        assert all(cache._through.values())


def redirected(cache: DestinationCache) -> Iterator[bytes]:
    for target, through in cache._through.items():
        for address, entry in through.items():
            assert (entry.redirect, entry.address) == (target, address)
            yield address


TestCachedAndDetermined = CachedAndDetermined.TestCase
TestCachedAndDetermined.settings = settings(
    max_examples=250, stateful_step_count=40, deadline=None, derandomize=True, database=None
)
