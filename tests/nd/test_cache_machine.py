"""The neighbour cache under any course of events: its invariants hold after each, and silence ends all timers."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from stack.errors import RefusedError
from stack.nd.cache import Neighbor
from stack.nd.states import NeighborState
from tests.playbook import OUR_LINK_LOCAL, Play, advertisement, echo_request, ip, lladdr_option, solicitation

pytestmark = pytest.mark.long

S = NeighborState
LIMIT = 4
QUEUE = 2
STATIC = 2
ADDRESSES = [f"fe80::a:{number:x}" for number in range(8)]
MACS = [bytes((2, 0, 0, 0, 0, number)) for number in range(3)]

peers = st.sampled_from(ADDRESSES)
macs = st.sampled_from(MACS)
TIMED = (S.INCOMPLETE, S.REACHABLE, S.DELAY, S.PROBE)


class CacheMachine(RuleBasedStateMachine):
    """A host with a cache of four, eight neighbours, and everything that may happen between them."""

    def __init__(self) -> None:
        super().__init__()
        self.play = Play(gc_thresh3=LIMIT, unres_qlen=QUEUE, max_static_neighbours=STATIC, tx_queue_len=64).start()
        self.resolver = self.play.interface.resolver

    @rule(source=peers, mac=st.one_of(st.none(), macs))
    def solicited(self, source: str, mac: bytes | None) -> None:
        options = b"" if mac is None else lladdr_option(1, mac)
        self.play.receive(solicitation(OUR_LINK_LOCAL, source=source, options=options))

    @rule(peer=peers, mac=st.one_of(st.none(), macs), flags=st.sampled_from(["", "O", "S", "SO", "RSO", "R"]))
    def advertised(self, peer: str, mac: bytes | None, flags: str) -> None:
        options = b"" if mac is None else lladdr_option(2, mac)
        destination = OUR_LINK_LOCAL if "S" in flags else "ff02::1"
        self.play.receive(advertisement(peer, destination=destination, flags=flags, options=options))

    @rule(source=peers)
    def pinged(self, source: str) -> None:
        self.play.receive(echo_request(source=source))

    @rule(address=peers)
    def ping(self, address: str) -> None:
        if self.play.interface.is_assigned(ip(OUR_LINK_LOCAL)):
            self.play.ping(address)
            self.play.host.echoes.sessions.clear()

    @rule(address=peers)
    def confirm(self, address: str) -> None:
        self.resolver.confirm(ip(address), self.play.now)

    @rule(seconds=st.sampled_from([0.001, 0.5, 1.0, 3.0, 5.0, 10.0, 45.0]))
    def wait(self, seconds: float) -> None:
        self.play.run(self.play.now + seconds)
        self.play.sent()

    @rule(address=peers, mac=macs)
    def add(self, address: str, mac: bytes) -> None:
        try:
            self.resolver.add_permanent(ip(address), mac, self.play.now)
        except RefusedError:
            assert self.resolver.cache.permanent == STATIC

    @rule(address=peers)
    def delete(self, address: str) -> None:
        try:
            self.resolver.delete(ip(address), self.play.now)
        except RefusedError:
            assert ip(address) not in self.resolver.cache.entries

    @rule(permanent=st.booleans())
    def flush(self, permanent: bool) -> None:
        self.resolver.flush(permanent=permanent)

    @rule()
    def down_and_up(self) -> None:
        self.play.interface.restart(self.play.now)
        self.play.settle()

    @invariant()
    def the_bound_holds(self) -> None:
        cache = self.resolver.cache
        static = [entry for entry in cache.entries.values() if entry.state is S.PERMANENT]
        assert cache.permanent == len(static) <= STATIC
        assert len(cache) - len(static) <= LIMIT

    @invariant()
    def the_orders_of_eviction_agree_with_the_entries(self) -> None:
        cache = self.resolver.cache
        for address, entry in cache.entries.items():
            assert entry.address == address
            assert entry.turn is self.turn_of(entry)
            assert entry.turn is None or entry.turn[address] is entry
        turns = (cache._claims, cache._idle, cache._wanted, cache._in_use)
        assert sum(map(len, turns)) == len(cache) - cache.permanent
        assert list(cache._in_use) == sorted(cache._in_use, key=lambda address: cache.entries[address].used_at)

    def turn_of(self, entry: Neighbor) -> object:
        cache = self.resolver.cache
        if entry.state is S.PERMANENT:
            return None
        if entry.proven:
            return cache._idle if entry.state in (S.STALE, S.UNREACHABLE) else cache._in_use
        return cache._wanted if entry.wanted and entry.state is not S.STALE else cache._claims

    @invariant()
    def an_entry_has_what_its_state_asks_for(self) -> None:
        """7.3.2: no address while INCOMPLETE; a timer in every state but STALE; packets wait only while INCOMPLETE.

        RFC 7048 3: while UNREACHABLE one runs if the neighbour is used.
        """
        for entry in self.resolver.cache.entries.values():
            assert entry.state is not S.ABSENT
            assert (entry.mac is None) is (entry.state is S.INCOMPLETE)
            runs = entry.timer is not None and entry.timer.active
            assert entry.state is S.UNREACHABLE or runs is (entry.state in TIMED)
            assert entry.state is not S.UNREACHABLE or entry.proven
            assert not entry.queue or (entry.state is S.INCOMPLETE and len(entry.queue) <= QUEUE)

    @invariant()
    def no_timer_is_left_of_what_is_gone(self) -> None:
        running = [entry for entry in self.resolver.cache.entries.values() if entry.timer is not None]
        others = [record for record in self.play.interface.listener.groups.records.values() if record.timer is not None]
        tests = [each for each in self.play.interface.addresses.table.values() if each.detection is not None]
        assert len(self.play.host.timers) == len(running) + len(others) + len(tests)

    def teardown(self) -> None:
        """7.3.3: without traffic everything comes to rest: STALE, silent or gone, and no timer is left."""
        self.play.run(self.play.now + 180.0)
        states = {entry.state for entry in self.resolver.cache.entries.values()}
        assert states <= {S.STALE, S.UNREACHABLE, S.PERMANENT}
        assert len(self.play.host.timers) == 0


CacheMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, derandomize=True, deadline=None, database=None
)
TestCacheMachine = CacheMachine.TestCase
