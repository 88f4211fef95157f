"""A whole host as a state machine: what the user does, what the link brings, and time, in any order.

After every step the oracles of the fuzzer hold: frames sent are legal, tables are
within their bounds, and a frame that is discarded changes nothing.
"""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stack.discard import Discard, Verdict
from stack.errors import RefusedError, UsageError
from stack.fuzz.cases import Corpus
from stack.fuzz.chance import Chance
from stack.fuzz.on_sequence import JUMPS
from stack.fuzz.warm import COLD, GROUPS, PEERS, WARM, Kind, warm_subject
from stack.mld.groups import Membership
from stack.replay import tables
from stack.replay.oracles import Oracles, alive
from tests.playbook import ip

pytestmark = pytest.mark.long

CORPUS = Corpus()
for _path in sorted((Path(__file__).parents[1] / "corpus").glob("*.pcap*")):
    CORPUS.add(_path, print)
FRAMES = [each.octets for each in CORPUS.first(10_000)]
ADDRESSES = ("2001:db8:65::1", "2001:db8:66::1", "fe80::77")


class HostMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.memberships: list[Membership] = []

    @initialize(seed=st.integers(0, 3), kind=st.sampled_from((*WARM, COLD)))
    def make(self, seed: int, kind: Kind) -> None:
        self.subject = warm_subject(seed, kind)
        self.oracles = Oracles(self.subject, 3)
        self.subject.sent = self.oracles.sent

    # -- what the link brings

    @rule(which=st.integers(0, len(FRAMES) - 1))
    def frame(self, which: int) -> None:
        assert isinstance(self.oracles.receive(FRAMES[which]), Verdict | Discard)

    @rule(which=st.integers(0, len(FRAMES) - 1), seed=st.integers(0, 1_000))
    def mutated(self, which: int, seed: int) -> None:
        octets = CORPUS.mutated(FRAMES[which], Chance(str(seed)))
        assert isinstance(self.oracles.receive(octets), Verdict | Discard)

    @rule(octets=st.binary(max_size=120))
    def noise(self, octets: bytes) -> None:
        assert isinstance(self.oracles.receive(self.subject.interface.mac + octets), Verdict | Discard)

    @rule(seconds=st.sampled_from((0.1, 0.9, *JUMPS[:-1])))
    def pass_time(self, seconds: float) -> None:
        self.subject.advance(self.subject.now + seconds)

    # -- what the user does

    @rule(group=st.sampled_from(GROUPS[:-1]))
    def join(self, group: bytes) -> None:
        try:
            membership = self.subject.interface.listener.join(group, self.subject.now, owner="machine")
        except RefusedError:
            return
        self.memberships.append(membership)
        self._did()

    @precondition(lambda self: self.memberships)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(self.memberships) - 1))
        self.subject.interface.listener.leave(self.memberships.pop(at), self.subject.now)
        self._did()

    @rule(address=st.sampled_from(ADDRESSES))
    def add_address(self, address: str) -> None:
        try:
            self.subject.interface.addresses.add(ip(address), 64, self.subject.now)
        except RefusedError:
            return
        self._did()

    @rule(address=st.sampled_from(ADDRESSES))
    def remove_address(self, address: str) -> None:
        try:
            self.subject.interface.addresses.remove(ip(address), self.subject.now)
        except (RefusedError, UsageError):
            return
        self._did()

    @rule(peer=st.sampled_from(PEERS))
    def ping(self, peer: tuple[bytes, bytes]) -> None:
        subject = self.subject
        try:
            session = subject.host.echoes.open(subject.interface, peer[0], None)
        except RefusedError:
            return
        with suppress(RefusedError):
            session.send(1, subject.now)
        session.close()
        self._did()

    @rule()
    def restart(self) -> None:
        self.subject.interface.restart(self.subject.now)
        self._did()

    def _did(self) -> None:
        """After a call: send what it made, which is owed to nobody."""
        self.subject.moved = True
        self.oracles.answers -= 1
        self.subject.collect()

    # -- what always holds

    @invariant()
    def nothing_is_broken(self) -> None:
        if not hasattr(self, "oracles"):
            return
        assert not self.oracles.violations, self.oracles.violations
        sizes = tables.sizes(self.subject.host, self.subject.interface)
        limits = tables.limits(self.subject.host.settings)
        assert all(size <= limit for size, limit in zip(sizes, limits, strict=True))

    def teardown(self) -> None:
        if not hasattr(self, "subject"):
            return
        self.subject.advance(self.subject.now + 10.0)
        link_local = self.subject.interface.addresses.link_local()
        if link_local is not None and self.subject.interface.is_assigned(link_local):
            assert alive(self.subject) is None


TestHost = HostMachine.TestCase
TestHost.settings = settings(max_examples=20, stateful_step_count=30, deadline=None, derandomize=True, database=None)
