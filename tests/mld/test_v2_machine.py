"""Two hosts, a link that loses reports, and a router: after quiet its table is what the hosts' sockets want.

The router is RFC 3810 7.4 in a few lines, without its timers: it follows each host by itself, so that what one host
says is never hidden by the other. RFC 3810 9.1: "MLD is robust to [Robustness Variable] - 1 packet losses".
"""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stack.mld.filters import NOTHING, FilterMode, SourceFilter
from tests.mld.common import V2_REPORT, Play, Sent, ip, is_mld, text
from tests.mld.version2 import A, B, C, ask, exclude, include, listen, ready2
from tests.playbook import ALLOW, BLOCK, IS_EX, IS_IN, TO_EX, TO_IN, records

pytestmark = pytest.mark.long

GROUPS = ("ff05::1", "ff05::2", "ff3e::3")
SOURCES = (A, B, C)
# Nobody names it: what is wanted of it tells a mode from another.
STRANGER = "2001:db8::ffff"
SOCKETS = ("s1", "s2")
LONGEST_INTERVAL = 1.0

some_sources = st.lists(st.sampled_from(SOURCES), unique=True)


class Router:
    """What the router believes of one host: for each group a mode and sources (7.4.1, 7.4.2)."""

    def __init__(self) -> None:
        self.table: dict[str, tuple[bool, frozenset[str]]] = {}

    def hear(self, report: Sent) -> None:
        for kind, group, sources in records(report):
            named = frozenset(sources)
            exclude_mode, known = self.table.get(group, (False, frozenset()))
            if kind in (IS_EX, TO_EX):
                exclude_mode, known = True, named
            elif kind == TO_IN:
                exclude_mode, known = False, named
            elif kind in (ALLOW, IS_IN):
                known = known - named if exclude_mode else known | named
            elif kind == BLOCK:
                known = known | named if exclude_mode else known - named
            self.table[group] = (exclude_mode, known)

    def forwards(self, group: str, source: str) -> bool:
        exclude_mode, known = self.table.get(group, (False, frozenset()))
        return (source in known) != exclude_mode


class Link(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.hosts: list[Play] = []

    @initialize(
        robustness=st.sampled_from((1, 2, 3, 7)),
        spread=st.sampled_from((0, 1)),
        rate=st.sampled_from((1, 100)),
        from_query=st.booleans(),
    )
    def make(self, robustness: int, spread: int, rate: int, from_query: bool) -> None:
        self.robustness = robustness
        options = {"mld_qrv": 2 if from_query else robustness, "mld_spread_answers": spread, "mld_ratelimit": rate}
        self.hosts = [ready2(seed, **options) for seed in (1, 2)]
        self.routers = [Router() for _ in self.hosts]
        self.wanted: dict[tuple[int, str, str], SourceFilter] = {}
        self.to_lose = 0
        self.budget = robustness - 1
        if from_query:
            for play in self.hosts:
                ask(play, code=0, qrv=robustness)
        self.quiet()

    # -- what may happen

    @rule(
        host=st.sampled_from((0, 1)),
        socket=st.sampled_from(SOCKETS),
        group=st.sampled_from(GROUPS),
        excludes=st.booleans(),
        sources=some_sources,
    )
    def listen(self, host: int, socket: str, group: str, excludes: bool, sources: list[str]) -> None:
        # RFC 4604: INCLUDE alone for a source-specific group.
        wanted = exclude(*sources) if excludes and not group.startswith("ff3e") else include(*sources)
        listen(self.hosts[host], wanted, group, socket)
        self.wanted[host, group, socket] = wanted
        self.carry()

    @rule(group=st.sampled_from(("::", *GROUPS)), sources=some_sources, code=st.sampled_from((0, 500, 4000)))
    def query(self, group: str, sources: list[str], code: int) -> None:
        for play in self.hosts:
            ask(play, group, *(sources if group != "::" else ()), code=code, qrv=self.robustness, destination="ff02::1")
        self.carry()

    @precondition(lambda self: self.budget > 0)
    @rule()
    def lose_the_next(self) -> None:
        self.to_lose += 1
        self.budget -= 1

    @rule(seconds=st.sampled_from((0.05, 0.3, 1.0, 3.0)))
    def time_passes(self, seconds: float) -> None:
        self.run(seconds)

    @rule()
    def quiet(self) -> None:
        self.run(self.robustness * LONGEST_INTERVAL)
        self.check()
        # A new count of losses, once nothing of the old changes is under way.
        self.to_lose, self.budget = 0, self.robustness - 1

    # -- the link

    def run(self, seconds: float) -> None:
        for play in self.hosts:
            play.run(play.now + seconds)
        self.carry()

    def carry(self) -> None:
        for play, router in zip(self.hosts, self.routers, strict=True):
            for sent in play.sent():
                if not is_mld(sent):
                    continue
                assert (sent.kind, sent.destination, sent.hop_limit) == (V2_REPORT, "ff02::16", 1)
                assert sent.checksum_is_right()
                assert len(sent.packet) <= 1500
                for kind, group, sources in records(sent):
                    assert group != "ff02::1", "6: never"
                    assert sources or kind not in (IS_IN, ALLOW, BLOCK), "5.2.12, 6.1: never empty"
                    assert kind not in (IS_EX, TO_EX) or group not in GROUPS[2:], "RFC 4604"
                if self.to_lose:
                    self.to_lose -= 1
                else:
                    router.hear(sent)

    # -- what must hold

    def wants(self, host: int, group: str, source: str) -> bool:
        """4.2 for one source: does any socket want it?"""
        sockets = [wanted for (number, name, _), wanted in self.wanted.items() if (number, name) == (host, group)]
        return any((ip(source) in each.sources) == (each.mode is FilterMode.INCLUDE) for each in sockets)

    def check(self) -> None:
        for group in GROUPS:
            for source in (*SOURCES, STRANGER):
                each = [self.wants(host, group, source) for host in range(len(self.hosts))]
                believed = [router.forwards(group, source) for router in self.routers]
                assert believed == each, f"{group} from {source}"
                assert any(believed) == any(each), "and so does the link"

    @invariant()
    def the_list_is_that_of_the_sockets(self) -> None:
        for host, play in enumerate(self.hosts):
            for group in GROUPS:
                listed = ip(group) in play.interface.listener.groups
                sockets = {
                    wanted for (number, name, _), wanted in self.wanted.items() if (number, name) == (host, group)
                }
                assert listed == bool(sockets - {NOTHING})

    @invariant()
    def what_is_pending_is_bounded(self) -> None:
        for play in self.hosts:
            listener = play.interface.listener
            assert set(listener.answerable) <= set(listener.groups.records)
            assert len(listener.version2.changes) <= len(GROUPS)
            for change in listener.version2.changes.values():
                assert change.batch.timer is not None
                assert change.batch.timer.active
                assert max(change.mode_count, *change.sources.values(), 0) < self.robustness

    def teardown(self) -> None:
        for host, play in enumerate(self.hosts):
            for number, group, socket in list(self.wanted):
                if number == host:
                    listen(play, NOTHING, group, socket)
                    self.wanted[number, group, socket] = NOTHING
        if self.hosts:
            self.to_lose = 0
            self.run(self.robustness * LONGEST_INTERVAL)
            self.check()
            self.run(4000.0)
            for play in self.hosts:
                assert play.host.next_deadline() is None, "a timer is left over"
                assert {text(group) for group in play.interface.listener.groups.records} == {
                    "ff02::1",
                    "ff02::1:ff00:1",
                }


TestLink = Link.TestCase
TestLink.settings = settings(max_examples=150, stateful_step_count=40, derandomize=True, deadline=None)


@pytest.mark.parametrize("robustness", [2, 3])
def test_one_loss_more_is_one_too_many(robustness: int) -> None:
    """The model can fail: [Robustness Variable] losses of the same change leave the router wrong (9.1)."""
    play = ready2(mld_qrv=robustness)
    router = Router()
    listen(play, include(A), GROUPS[0])
    play.run(play.now + 10)
    sent = play.sent()
    assert len(sent) == robustness
    assert not router.forwards(GROUPS[0], A)
    router.hear(sent[-1])
    assert router.forwards(GROUPS[0], A)
