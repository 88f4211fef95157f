"""A version 1 router: both state diagrams of RFC 2710 6, walked in full, and the times of its section 7.

[Multicast Listener Interval] is 2 * 125 + 10 = 260 s, [Other Querier Present Interval] 255 s.
"""

import struct

import pytest

from stack.discard import Discard, Verdict
from stack.sim.querier import Role, Warned
from stack.sim.querier.states import (
    PRESENCES,
    ROLES,
    Presence,
    PresenceAction,
    PresenceEvent,
    RoleAction,
    RoleEvent,
)
from tests.playbook import ip
from tests.sim.querying import GROUP, HIGHER, IS_EX, LOWER, ROUTER, Asked, Bench, mld_frame, query, record, report
from tests.sim.querying import version_1 as message

QUERY, REPORT, DONE = 130, 131, 132
A, E, P = PresenceAction, PresenceEvent, Presence


def heard(kind: int, group: str = GROUP, **options: object) -> bytes:
    return message(kind, group, **options)  # type: ignore[arg-type]


def specific(delay: int = 1000, sender: str = LOWER) -> bytes:
    return heard(QUERY, GROUP, delay=delay, sender=sender)


# The arrows of the two diagrams, read off the RFC.
DIAGRAMS = {
    (Role.QUERIER, P.NO_LISTENERS, E.REPORT): (P.LISTENERS, (A.NOTIFY_PRESENT, A.START_TIMER)),
    (Role.QUERIER, P.LISTENERS, E.REPORT): (P.LISTENERS, (A.START_TIMER,)),
    (Role.QUERIER, P.LISTENERS, E.TIMER): (P.NO_LISTENERS, (A.NOTIFY_GONE,)),
    (Role.QUERIER, P.LISTENERS, E.DONE): (P.CHECKING, (A.LOWER_TIMER, A.START_RETRANSMIT_TIMER, A.SEND_QUERY)),
    (Role.QUERIER, P.CHECKING, E.REPORT): (P.LISTENERS, (A.START_TIMER, A.CLEAR_RETRANSMIT_TIMER)),
    (Role.QUERIER, P.CHECKING, E.RETRANSMIT_TIMER): (P.CHECKING, (A.SEND_QUERY, A.START_RETRANSMIT_TIMER)),
    (Role.QUERIER, P.CHECKING, E.TIMER): (P.NO_LISTENERS, (A.NOTIFY_GONE, A.CLEAR_RETRANSMIT_TIMER)),
    (Role.NON_QUERIER, P.NO_LISTENERS, E.REPORT): (P.LISTENERS, (A.NOTIFY_PRESENT, A.START_TIMER)),
    (Role.NON_QUERIER, P.LISTENERS, E.REPORT): (P.LISTENERS, (A.START_TIMER,)),
    (Role.NON_QUERIER, P.LISTENERS, E.TIMER): (P.NO_LISTENERS, (A.NOTIFY_GONE,)),
    (Role.NON_QUERIER, P.LISTENERS, E.SPECIFIC_QUERY): (P.CHECKING, (A.LOWER_TIMER,)),
    (Role.NON_QUERIER, P.CHECKING, E.REPORT): (P.LISTENERS, (A.START_TIMER,)),
    (Role.NON_QUERIER, P.CHECKING, E.TIMER): (P.NO_LISTENERS, (A.NOTIFY_GONE,)),
}


def test_the_tables_are_the_diagrams() -> None:
    for role in (Role.QUERIER, Role.NON_QUERIER):
        for state in Presence:
            for event in PresenceEvent:
                row = PRESENCES[role][state].get(event)
                assert (None if row is None else row[:2]) == DIAGRAMS.get((role, state, event)), (role, state, event)


def test_the_link_diagram() -> None:
    ask = (RoleAction.SEND_QUERY, RoleAction.START_QUERY_TIMER)
    silenced = (RoleAction.STOP_QUERY_TIMER, RoleAction.START_OTHER_QUERIER_TIMER)
    arrows = {
        (Role.INITIAL, RoleEvent.START): (
            Role.QUERIER,
            (RoleAction.SEND_QUERY, RoleAction.START_INITIAL_TIMER),
        ),
        (Role.QUERIER, RoleEvent.QUERY_TIMER): (Role.QUERIER, ask),
        (Role.QUERIER, RoleEvent.LOWER_QUERY): (Role.NON_QUERIER, silenced),
        (Role.NON_QUERIER, RoleEvent.LOWER_QUERY): (Role.NON_QUERIER, (RoleAction.START_OTHER_QUERIER_TIMER,)),
        (Role.NON_QUERIER, RoleEvent.OTHER_QUERIER_TIMER): (Role.QUERIER, ask),
    }
    for state in Role:
        for event in RoleEvent:
            row = ROLES[state].get(event)
            assert (None if row is None else row[:2]) == arrows.get((state, event))


class TestQueries:
    def test_the_octets_and_the_times(self) -> None:
        sent = Bench(1).run(300).sent()
        assert [each.time for each in sent] == [0, 31.25, 156.25, 281.25]
        # RFC 2710 3, RFC 3810 8.3.1: 24 octets
        assert sent[0].message[4:] == bytes.fromhex("27100000") + bytes(16)
        assert (sent[0].destination, sent[0].hop_limit) == ("ff02::1", 1)

    def test_the_delay_is_no_code(self) -> None:
        # RFC 3810 8.3.1: the exponential algorithm is not used
        (sent,) = Bench(1, query_response_interval=40.0).sent()
        assert sent.message[4:6] == struct.pack("!H", 40_000)
        (sent,) = Bench(1, query_response_interval=90.0).sent()
        assert sent.message[4:6] == bytes.fromhex("ffff")


class TestQuerier:
    def with_a_listener(self, **variables: float) -> Bench:
        bench = Bench(1, **variables)  # type: ignore[arg-type]
        assert bench.hear(heard(REPORT)) is Verdict.DELIVERED
        bench.run(10).sent()
        return bench

    def test_a_listener_and_its_time(self) -> None:
        bench = self.with_a_listener()
        assert bench.told() == [(0, GROUP, "exclude 0")]
        bench.run(200).hear(heard(REPORT))
        bench.run(459.9)
        assert bench.told() == []
        bench.run(460)
        assert bench.told() == [(460, GROUP, "gone")]
        assert bench.querier.listeners() == {}

    def test_done_is_checked(self) -> None:
        # 4: [Last Listener Query Count] queries, one every [Last Listener Query Interval]
        bench = self.with_a_listener(robustness=3)
        bench.hear(heard(DONE))
        assert bench.run(60).asked() == [Asked(10, GROUP), Asked(11, GROUP), Asked(12, GROUP)]
        assert bench.told()[-1] == (13, GROUP, "gone")

    def test_the_octets_of_the_check(self) -> None:
        bench = self.with_a_listener()
        bench.hear(heard(DONE))
        (sent,) = bench.sent()
        assert (sent.destination, sent.hop_limit) == (GROUP, 1)
        assert sent.message[4:] == bytes.fromhex("03e80000") + ip(GROUP)

    def test_no_count_depends_on_how_fractions_are_rounded(self) -> None:
        bench = self.with_a_listener(robustness=7, last_listener_query_interval=0.1)
        bench.hear(heard(DONE))
        assert len(bench.run(20).asked()) == 7

    def test_a_report_ends_the_check(self) -> None:
        bench = self.with_a_listener()
        bench.hear(heard(DONE))
        bench.run(10.5).hear(heard(REPORT))
        assert bench.run(60).asked() == [Asked(10, GROUP)]
        assert bench.listening() is not None

    def test_done_while_checking_is_nothing(self) -> None:
        bench = self.with_a_listener()
        bench.hear(heard(DONE))
        bench.run(10.5).hear(heard(DONE))
        assert bench.run(60).asked() == [Asked(10, GROUP), Asked(11, GROUP)]

    def test_done_of_what_nobody_listens_to(self) -> None:
        bench = self.with_a_listener()
        bench.hear(heard(DONE, "ff05::9"))
        assert bench.asked() == []

    def test_a_specific_query_of_a_higher_router_is_nothing_to_it(self) -> None:
        bench = self.with_a_listener()
        bench.hear(specific(sender=HIGHER))
        bench.run(259)
        assert bench.listening() is not None

    def test_a_check_goes_on_when_another_takes_over(self) -> None:
        # 4: "despite any transition from Querier to Non-Querier on this link"
        bench = self.with_a_listener()
        bench.hear(heard(DONE))
        bench.run(10.5).hear(heard(QUERY, "::", delay=10_000, sender=LOWER))
        assert bench.querier.role is Role.NON_QUERIER
        assert bench.run(60).asked() == [Asked(10, GROUP), Asked(11, GROUP)]
        assert bench.told()[-1] == (12, GROUP, "gone")

    def test_its_groups_are_bounded(self) -> None:
        bench = self.with_a_listener(group_limit=1)
        bench.hear(heard(REPORT, "ff05::9"))
        assert list(bench.querier.listeners()) == [ip(GROUP)]
        assert bench.querier.limits == {"group_limit": 1}


class TestNonQuerier:
    def silenced(self) -> Bench:
        bench = Bench(1)
        bench.hear(heard(QUERY, "::", delay=10_000, sender=LOWER))
        bench.hear(heard(REPORT))
        bench.run(10).sent()
        return bench

    def test_done_is_ignored(self) -> None:
        bench = self.silenced()
        bench.hear(heard(DONE))
        bench.run(259)
        assert bench.listening() is not None
        assert bench.asked() == []

    def test_a_specific_query_lowers_the_timer_by_its_own_delay(self) -> None:
        # 4: [Last Listener Query Count] times the Maximum Response Delay in the message
        bench = self.silenced()
        bench.hear(specific(delay=3000))
        bench.run(15.9)
        assert bench.listening() is not None
        bench.run(16)
        assert bench.told()[-1] == (16, GROUP, "gone")

    def test_a_report_ends_the_check(self) -> None:
        bench = self.silenced()
        bench.hear(specific())
        bench.run(11).hear(heard(REPORT))
        bench.run(200)
        assert bench.listening() is not None

    def test_it_takes_over_after_255_seconds(self) -> None:
        # 7.5
        bench = self.silenced()
        bench.run(254.9)
        assert bench.sent() == []
        bench.run(400)
        assert [each.time for each in bench.sent()] == [255, 380]


class TestElection:
    def test_whole_addresses_are_compared(self) -> None:
        # 3 and 6: numerically less
        bench = Bench(1)
        bench.hear(heard(QUERY, "::", sender="fe80:0:0:1::1"))
        assert bench.querier.role is Role.QUERIER

    def test_a_query_of_version_2_counts_and_is_warned_about(self) -> None:
        # RFC 2710 3.7: what is past 24 octets is ignored; RFC 3810 8.3.1: a warning
        bench = Bench(1)
        bench.hear(query(sender=LOWER, qrv=7, qqic=1))
        assert bench.querier.role is Role.NON_QUERIER
        assert bench.querier.variables.robustness == 2
        assert [each.text for each in bench.changes if isinstance(each, Warned)] == [
            "fe80::1 asks in version 2, and this router in 1"
        ]


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (report(record(IS_EX)), Discard.ICMP_UNKNOWN_TYPE),
        (heard(REPORT, sender="::"), Discard.MLD_SOURCE),
        (heard(REPORT, sender="2001:db8::1"), Discard.MLD_SOURCE),
        (heard(DONE, sender="::"), Discard.MLD_SOURCE),
        (heard(REPORT, sender=ROUTER), Discard.MLD_OWN_MESSAGE),
        (mld_frame(131, bytes(4) + ip(GROUP)[:15], to=GROUP), Discard.MLD_TRUNCATED),
        (mld_frame(132, b"", to="ff02::2"), Discard.MLD_TRUNCATED),
        (mld_frame(130, bytes(4) + ip(GROUP)[:15], to=GROUP, sender=LOWER), Discard.MLD_TRUNCATED),
        (mld_frame(130, bytes(4) + bytes(18), to="ff02::1", sender=LOWER), Discard.MLD_LENGTH),
    ],
)
def test_what_is_not_valid(frame: bytes, reason: Discard) -> None:
    # 6: a link-local source, at least 24 octets, a right checksum
    bench = Bench(1)
    assert bench.hear(frame) is reason
    assert bench.querier.listeners() == {}


def test_a_report_may_be_longer() -> None:
    # 3.7
    bench = Bench(1)
    assert bench.hear(mld_frame(131, bytes(4) + ip(GROUP) + b"more", to=GROUP)) is Verdict.DELIVERED
    assert bench.listening() is not None
