"""Whatever is joined, left, asked, reported and taken away, in any order: list, filter, timers and link agree.

The model knows references and addresses only. What it knows of the protocol is
what must never happen.
"""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stack.errors import RefusedError
from stack.mld.groups import Membership
from stack.mld.states import ListenerState
from tests.mld.common import DONE, QUERY, REPORT, Play, Sent, ip, is_mld, mld_message, text
from tests.playbook import OUR_LINK_LOCAL, group_mac, solicitation

pytestmark = pytest.mark.long

# Two share a MAC, one is our solicited-node group, two are never reported.
GROUPS = ("ff05::99", "ff02::99", "ff05::98", "ff02::1:ff00:1", "ff02::1", "ff01::7", "ff0e::1:2:3")
SILENT = ("ff02::1", "ff01::7")
ADDRESSES = ("fe80::2", "2001:db8::6eff:fe00:1", "2001:db8::77", OUR_LINK_LOCAL)
SOURCES = ("fe80::70ff:fe00:2", "::", "2001:db8::9", OUR_LINK_LOCAL)

group_names = st.sampled_from(GROUPS)
delays = st.sampled_from((0, 1, 100, 1000, 10_000, 0xFFFF))


class ListenerMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.play = Play()
        self.tokens: list[Membership] = []
        self.reported: set[str] = set()

    @initialize(
        mode=st.sampled_from((0, 1)),
        transmits=st.sampled_from((0, 1, 2)),
        robustness=st.sampled_from((1, 2, 3)),
        rate=st.sampled_from((1, 3, 100)),
        always=st.sampled_from((0, 1)),
        up=st.booleans(),
    )
    def make(self, mode: int, transmits: int, robustness: int, rate: int, always: int, up: bool) -> None:
        self.play = Play(
            addr_gen_mode=mode,
            dad_transmits=transmits,
            mld_qrv=robustness,
            mld_ratelimit=rate,
            mldv1_done_always=always,
        )
        if up:
            self.play.start(until=None)
        self.look()

    # -- what the user does

    @rule(group=group_names, delay=st.sampled_from((0.0, 0.3, 7.0)))
    def join(self, group: str, delay: float) -> None:
        try:
            self.tokens.append(self.play.join(group, delay=delay))
        except OSError:
            assert self.play.refuse_filter
        self.look()

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        token = self.tokens.pop(data.draw(st.integers(0, len(self.tokens) - 1)))
        self.play.leave(token)
        self.play.leave(token)
        self.look()

    @rule(address=st.sampled_from(ADDRESSES), nodad=st.booleans())
    def add_address(self, address: str, nodad: bool) -> None:
        try:
            self.play.add_address(address, nodad=nodad)
        except OSError:
            assert self.play.refuse_filter
        except RefusedError:
            assert self.play.interface.addresses.get(ip(address)) is not None
        self.look()

    @rule(data=st.data())
    def remove_address(self, data: st.DataObject) -> None:
        present = sorted(self.play.interface.addresses.table)
        if present:
            self.play.remove_address(text(data.draw(st.sampled_from(present))))
        self.look()

    @rule(refuse=st.booleans())
    def driver(self, refuse: bool) -> None:
        self.play.refuse_filter = refuse

    @rule()
    def down(self) -> None:
        self.play.interface.stop(self.play.now)
        self.look()
        self.reported.clear()

    @rule()
    def up(self) -> None:
        self.play.refuse_filter = False
        self.reported.clear()
        self.play.start(until=None)
        self.look()

    # -- what the link and the clock bring

    @rule(group=st.sampled_from(("::", *GROUPS)), delay=delays, source=st.sampled_from(SOURCES))
    def query(self, group: str, delay: int, source: str) -> None:
        self.play.receive(mld_message(QUERY, group, delay=delay, source=source, destination="ff02::1"))
        self.look()

    @rule(group=group_names, source=st.sampled_from(SOURCES))
    def report(self, group: str, source: str) -> None:
        self.play.receive(mld_message(REPORT, group, source=source, destination="ff02::1"))
        self.look()

    @rule(group=group_names)
    def done(self, group: str) -> None:
        self.play.receive(mld_message(DONE, group, destination="ff02::1"))
        self.look()

    @rule(address=st.sampled_from(ADDRESSES))
    def somebody_probes(self, address: str) -> None:
        self.play.receive(solicitation(address, source="::"))
        self.look()

    @rule(seconds=st.sampled_from((0.01, 0.5, 1.0, 5.0, 60.0)))
    def time_passes(self, seconds: float) -> None:
        self.play.run(self.play.now + seconds)
        self.look()

    # -- what must hold

    def look(self) -> None:
        """At every frame that was sent."""
        for sent in self.play.sent():
            if is_mld(sent):
                self.check_message(sent)

    def check_message(self, sent: Sent) -> None:
        assert self.play.interface.up, "said while the interface is down"
        assert sent.kind in (REPORT, DONE)
        assert sent.checksum_is_right()
        assert sent.hop_limit == 1
        assert sent.packet[40:48] == bytes.fromhex("3a00010005020000")
        assert sent.source == "::" or sent.source.startswith("fe80:")
        assert sent.target not in SILENT
        if sent.kind == REPORT:
            assert sent.destination == sent.target
            self.reported.add(sent.target)
        else:
            assert sent.destination == "ff02::2"
            assert sent.target in self.reported, "a Done for what was never reported"
            self.reported.discard(sent.target)

    @invariant()
    def references_are_those_of_users_and_addresses(self) -> None:
        groups = self.play.interface.listener.groups
        for group in GROUPS:
            mine = [token for token in self.tokens if token.group == ip(group)]
            record = groups.records.get(ip(group))
            held = [] if record is None else [each for each in record.memberships.values() if each.owner == "user"]
            assert held == mine
        assert groups.membership_count == sum(each.refcount for each in groups.records.values())
        assert all(each.refcount for each in groups.records.values())

    @invariant()
    def addresses_hold_their_groups(self) -> None:
        interface = self.play.interface
        holding = [each for each in interface.addresses.table.values() if each.memberships]
        all_nodes = interface.listener.groups.records.get(ip("ff02::1"))
        held = [] if all_nodes is None else [each for each in all_nodes.memberships.values() if each.owner == "address"]
        assert len(held) == len(holding)
        assert all(member.active for each in holding for member in each.memberships)

    @invariant()
    def filter_is_that_of_the_groups(self) -> None:
        interface = self.play.interface
        # RFC 4861 7.2.1: an interface that is up hears all nodes, addresses or not.
        expected: dict[bytes, int] = {group_mac(ip("ff02::1")): 1} if interface.up else {}
        for group in interface.listener.groups.records:
            mac = group_mac(group)
            expected[mac] = expected.get(mac, 0) + 1
        assert dict(interface.macs.counts) == expected

    @invariant()
    def driver_passes_every_group(self) -> None:
        plan = self.play.interface.plan
        listed = {*plan.exact, *plan.hashed}
        assert plan.allmulti or {group_mac(group) for group in self.play.interface.listener.groups.records} <= listed

    @invariant()
    def timers_run_for_pending_and_delaying_groups(self) -> None:
        running = 0
        for record in self.play.interface.listener.groups.records.values():
            due = record.state in (ListenerState.PENDING, ListenerState.DELAYING)
            assert (record.timer is not None) == due
            assert record.timer is None or (record.timer.active and record.timer.deadline >= self.play.now)
            assert due or not (record.answering or record.reserved or record.repeats_left)
            assert record.state is not ListenerState.NON_LISTENER
            assert (record.state is ListenerState.SILENT) == (text(record.group) in SILENT)
            running += due
        assert len(self.play.host.timers) >= running

    @invariant()
    def records_hang_on_an_address(self) -> None:
        interface = self.play.interface
        for record in interface.listener.groups.records.values():
            if len(interface.addresses):
                assert record.interface_address in interface.addresses.table
            else:
                assert record.interface_address is None

    @invariant()
    def a_report_is_owed_only_while_nothing_may_be_said(self) -> None:
        interface = self.play.interface
        silenced = not interface.up or interface.disabled or not len(interface.addresses)
        for record in interface.listener.groups.records.values():
            assert silenced or not record.unreported
            assert record.reported or not (record.last_reporter or record.announced)

    def teardown(self) -> None:
        self.play.refuse_filter = False
        for token in self.tokens:
            self.play.leave(token)
        for address in list(self.play.interface.addresses.table):
            self.play.remove_address(text(address))
        interface = self.play.interface
        assert len(interface.listener.groups) == 0
        interface.stop(self.play.now)
        assert dict(interface.macs.counts) == {}
        assert self.play.host.next_deadline() is None, "a timer is left over"


TestListenerMachine = ListenerMachine.TestCase
TestListenerMachine.settings = settings(max_examples=150, stateful_step_count=40, derandomize=True, deadline=None)
