"""What a version 2 router asks, and when: RFC 3810 5.1, 7.1, 7.6 and the times of section 9, to the millisecond."""

import pytest

from stack.discard import Discard, Verdict
from stack.sim.querier import Querier, QueryFields, Role, RoleChange, Variables, Warned
from tests.playbook import echo_request, ip, solicitation
from tests.sim.querying import (
    ALLOW,
    BLOCK,
    EXCLUDE,
    GROUP,
    HIGHER,
    INCLUDE,
    IS_EX,
    IS_IN,
    LISTENER,
    LOWER,
    ROUTER,
    ROUTER_MAC,
    TO_EX,
    TO_IN,
    Asked,
    Bench,
    query,
    record,
    report,
    sources,
    version_1,
)


class TestVariables:
    """Section 9."""

    def test_defaults(self) -> None:
        variables = Variables()
        assert (variables.robustness, variables.query_interval, variables.query_response_interval) == (2, 125, 10)
        assert variables.listening_interval == 260  # 9.4
        assert variables.other_querier_timeout == 255  # 9.5
        assert variables.startup_query_interval == 31.25  # 9.6
        assert variables.startup_query_count == 2  # 9.7
        assert variables.last_listener_query_interval == 1  # 9.8
        assert variables.last_listener_query_count == 2  # 9.9
        assert variables.last_listener_query_time == 2  # 9.10
        assert variables.older_host_timeout == 260  # 9.13

    def test_what_is_derived_follows(self) -> None:
        variables = Variables(robustness=3, query_interval=20, query_response_interval=4)
        assert variables.listening_interval == 64
        assert variables.other_querier_timeout == 62
        assert variables.startup_query_interval == 5
        assert variables.startup_query_count == variables.last_listener_query_count == 3
        assert Variables(startup_interval=1, startup_count=5, last_listener_count=4).startup_query_interval == 1


class TestGeneralQueries:
    """7.1, 5.1."""

    def test_the_times(self) -> None:
        # 9.6, 9.7: two, a quarter of the interval apart; then one each interval
        bench = Bench().run(300)
        assert [each.time for each in bench.sent()] == [0, 31.25, 156.25, 281.25]

    def test_the_startup_is_as_long_as_asked(self) -> None:
        bench = Bench(robustness=4, query_interval=8, query_response_interval=1).run(20)
        assert [each.time for each in bench.sent()] == [0, 2, 4, 6, 14]

    def test_the_octets(self) -> None:
        (sent,) = Bench().sent()
        # RFC 2464 7; 5.1.15; 5: hop limit 1, router alert; 5.1: general, S clear, QRV 2, QQIC 125
        assert sent.to == bytes.fromhex("333300000001")
        assert (sent.source, sent.destination, sent.hop_limit) == (ROUTER, "ff02::1", 1)
        assert sent.packet[6] == 0
        assert bytes.fromhex("05020000") in sent.packet[40:48]
        assert sent.message[:2] == bytes.fromhex("8200")
        assert sent.message[4:] == bytes.fromhex("27100000") + bytes(16) + bytes.fromhex("027d0000")
        assert sent.checksum_is_right()

    def test_codes_beyond_the_linear_range(self) -> None:
        # 5.1.3, 5.1.9: (0x1000 | 0) << 3 = 32,768 ms; (0x10 | 1) << 3 = 136 s; 9.8: the next lower value
        (sent,) = Bench(query_interval=140, query_response_interval=32.770, robustness=9).sent()
        assert sent.message[4:6] == bytes.fromhex("8000")
        assert sent.message[24:26] == bytes.fromhex("0081")  # 5.1.8: a robustness above 7 is sent as 0

    def test_every_field_is_settable(self) -> None:
        fields = QueryFields(
            code=9,
            hop_limit=64,
            router_alert=False,
            destination=ip("ff02::2"),
            destination_mac=bytes.fromhex("020000000099"),
            response_code=0xFFFF,
            interval_code=0,
            robustness=0,
            suppress=True,
        )
        (sent,) = Bench(fields=fields).sent()
        assert (sent.destination, sent.hop_limit, sent.packet[6]) == ("ff02::2", 64, 58)
        assert sent.to == bytes.fromhex("020000000099")
        assert sent.message[1] == 9
        assert sent.message[4:6] == bytes.fromhex("ffff")
        assert sent.message[24:] == bytes.fromhex("08000000")
        assert sent.checksum_is_right()

    def test_a_querier_asks_for_what_it_is_told_to(self) -> None:
        router = Querier(ROUTER_MAC, subject=(ip(GROUP), sources(1)), query_limit=2)
        router.start(0.0)
        router.advance(1000.0)
        frames = [frame for _, frame in router.output()]
        assert [frame[38:54] for frame in frames] == [ip(GROUP), ip(GROUP)]
        assert all(frame[-16:] == sources(1)[0] for frame in frames)
        assert frames[0][66:68] == bytes.fromhex("03e8")  # 9.8
        assert router.queries_sent == 2

    def test_its_own_specific_query_lowers_its_timers(self) -> None:
        # 7.6.1: when a router sends or receives a query with a clear S flag
        for suppress, left in ((None, 33.25), (True, 300.0)):
            router = Querier(ROUTER_MAC, subject=(ip(GROUP), ()), fields=QueryFields(suppress=suppress))
            router.start(0.0)
            router.receive(report(record(IS_EX)), 20.0)
            router.advance(31.25)
            assert router.listeners()[ip(GROUP)].filter_timer == pytest.approx(min(left, 280))


class TestElection:
    """7.6.2."""

    def test_a_lower_address_silences_it_until_it_is_gone(self) -> None:
        bench = Bench()
        bench.run(10).hear(query(sender=LOWER))
        assert bench.querier.role is Role.NON_QUERIER
        assert bench.querier.querier == ip(LOWER)
        bench.sent()
        # 9.5: 255 s after the last query of the other
        bench.run(100).hear(query(sender=LOWER))
        assert bench.run(354.9).sent() == []
        bench.run(355)
        assert bench.querier.role is Role.QUERIER
        bench.run(480)
        assert [each.time for each in bench.sent()] == [355, 480]
        roles = [each for each in bench.changes if isinstance(each, RoleChange)]
        assert roles == [
            RoleChange(0, Role.QUERIER, ip(ROUTER)),
            RoleChange(10, Role.NON_QUERIER, ip(LOWER)),
            RoleChange(355, Role.QUERIER, ip(ROUTER)),
        ]

    def test_it_begins_as_the_querier(self) -> None:
        bench = Bench(start=False)
        assert bench.querier.role is Role.INITIAL
        bench.querier.start(5.0)
        assert bench.querier.role is Role.QUERIER
        assert bench.changes == [RoleChange(5, Role.QUERIER, ip(ROUTER))]

    def test_a_higher_address_does_not(self) -> None:
        bench = Bench()
        assert bench.hear(query(sender=HIGHER)) is Verdict.DELIVERED
        assert bench.querier.role is Role.QUERIER
        assert len(bench.run(300).sent()) == 4

    def test_the_last_64_bits_decide(self) -> None:
        # fe80:0:0:1::9 is the higher address and has the lower interface identifier
        bench = Bench()
        bench.hear(query(sender="fe80:0:0:1::9"))
        assert bench.querier.role is Role.NON_QUERIER

    def test_a_specific_query_decides_as_well_with_the_s_flag_too(self) -> None:
        # 5.1.7: it does not suppress the querier election
        bench = Bench()
        bench.hear(query(GROUP, sender=LOWER, suppress=True))
        assert bench.querier.role is Role.NON_QUERIER

    def test_a_query_of_version_1_decides_as_well_and_is_warned_about(self) -> None:
        bench = Bench()
        bench.hear(version_1(130, "::", 10_000, sender=LOWER))
        assert bench.querier.role is Role.NON_QUERIER
        # 8.3.1: the warnings must be rate-limited
        for _ in range(100):
            bench.hear(version_1(130, "::", 10_000, sender=LOWER))
        warnings = [each for each in bench.changes if isinstance(each, Warned)]
        assert [each.text for each in warnings] == ["fe80::1 asks in version 1, and this router in 2"]

    def test_who_is_silenced_ceases_to_ask(self) -> None:
        bench = Bench()
        bench.hear(report(record(IS_EX), record(IS_IN, "ff05::9", 1)))
        bench.hear(report(record(TO_IN), record(BLOCK, "ff05::9", 1)))
        bench.run(0.5).hear(query(sender=LOWER))
        bench.sent()
        assert bench.run(3).sent() == []
        # What was lowered expires all the same.
        assert bench.querier.listeners() == {}


class TestAdoption:
    """5.1.8 and 5.1.9."""

    def test_who_is_not_the_querier_adopts_both(self) -> None:
        bench = Bench()
        bench.hear(query(sender=LOWER, qrv=3, qqic=0x81))
        variables = bench.querier.variables
        assert (variables.robustness, variables.query_interval) == (3, 136)
        # 9.5 with the adopted values: 3 * 136 + 5
        bench.run(412.9)
        assert bench.querier.role is Role.NON_QUERIER
        bench.run(413)
        assert bench.querier.role is Role.QUERIER
        assert variables.query_interval == 125

    def test_zero_is_what_was_configured(self) -> None:
        bench = Bench(robustness=4, query_interval=60)
        bench.hear(query(sender=LOWER, qrv=3, qqic=100))
        bench.hear(query(sender=LOWER, qrv=0, qqic=0))
        assert (bench.querier.variables.robustness, bench.querier.variables.query_interval) == (4, 60)

    def test_the_querier_adopts_the_robustness_alone(self) -> None:
        bench = Bench()
        bench.hear(query(sender=HIGHER, qrv=7, qqic=1))
        assert (bench.querier.variables.robustness, bench.querier.variables.query_interval) == (7, 125)


class TestQueriesHeard:
    """7.6.1."""

    def in_both_modes(self) -> Bench:
        bench = Bench()
        bench.hear(report(record(IS_EX), record(IS_IN, GROUP, 1, 2), record(IS_IN, "ff05::9", 1)))
        return bench.run(10)

    def test_of_an_address(self) -> None:
        bench = self.in_both_modes()
        bench.hear(query(GROUP, sender=LOWER))
        found = bench.listening()
        assert found is not None
        assert found.filter_timer == 12
        assert bench.timers() == {1: 260, 2: 260}

    def test_of_sources(self) -> None:
        bench = self.in_both_modes()
        bench.hear(query(GROUP, 2, 3, sender=LOWER))
        found = bench.listening()
        assert found is not None
        assert found.filter_timer == 260
        assert bench.timers() == {1: 260, 2: 12}

    def test_the_s_flag_keeps_them(self) -> None:
        bench = self.in_both_modes()
        bench.hear(query(GROUP, sender=LOWER, suppress=True))
        bench.hear(query(GROUP, 1, 2, sender=LOWER, suppress=True))
        found = bench.listening()
        assert found is not None
        assert found.filter_timer == 260
        assert bench.timers() == {1: 260, 2: 260}

    def test_a_timer_is_never_raised(self) -> None:
        bench = self.in_both_modes()
        bench.hear(query(GROUP, 1, sender=LOWER))
        bench.run(11).hear(query(GROUP, 1, sender=LOWER))
        assert bench.timers()[1] == 12

    def test_of_a_group_that_nobody_listens_to(self) -> None:
        bench = self.in_both_modes()
        assert bench.hear(query("ff05::77", 1, sender=LOWER)) is Verdict.DELIVERED
        assert bench.state("ff05::77") is None


class TestSpecificQueries:
    """7.6.3."""

    def listening_to(self, *records: bytes, **variables: float) -> Bench:
        bench = Bench(**variables)  # type: ignore[arg-type]
        bench.hear(report(*records))
        bench.run(10).sent()
        return bench

    def test_of_an_address(self) -> None:
        bench = self.listening_to(record(IS_EX), robustness=3)
        bench.hear(report(record(TO_IN)))
        assert bench.run(60).asked() == [Asked(10, GROUP), Asked(11, GROUP), Asked(12, GROUP)]
        # 9.10: three times one second
        assert bench.told()[-1] == (13, GROUP, "gone")

    def test_the_octets(self) -> None:
        bench = self.listening_to(record(IS_EX), record(IS_IN, "ff05::9", 1))
        bench.hear(report(record(TO_IN), record(BLOCK, "ff05::9", 1)))
        one, other = bench.sent()
        assert (one.destination, one.hop_limit) == (GROUP, 1)
        assert one.message[4:6] == bytes.fromhex("03e8")
        assert one.message[8:] == ip(GROUP) + bytes.fromhex("027d0000")
        assert (other.destination, other.message[4:6]) == ("ff05::9", bytes.fromhex("03e8"))
        assert other.message[8:] == ip("ff05::9") + bytes.fromhex("027d0001") + sources(1)[0]

    def test_a_report_in_between_sets_the_s_flag(self) -> None:
        # 7.6.3.1
        bench = self.listening_to(record(IS_EX))
        bench.hear(report(record(TO_IN)))
        bench.run(10.5).hear(report(record(IS_EX)))
        assert bench.run(60).asked() == [Asked(10, GROUP), Asked(11, GROUP, suppress=True)]
        found = bench.listening()
        assert found is not None
        assert found.filter_timer == 270.5

    def test_two_leaves_are_one_question(self) -> None:
        # 7.4.2: new and pending queries are merged; a listener repeats its report (6.1)
        bench = self.listening_to(record(IS_EX))
        bench.hear(report(record(TO_IN)))
        bench.run(10.3).hear(report(record(TO_IN)))
        assert bench.run(60).asked() == [Asked(10, GROUP), Asked(11, GROUP)]
        assert bench.state() is None

    def test_of_sources(self) -> None:
        bench = self.listening_to(record(IS_IN, GROUP, 1, 2, 3))
        bench.hear(report(record(BLOCK, GROUP, 2, 1)))
        assert bench.run(60).asked() == [Asked(10, GROUP, sources(1, 2)), Asked(11, GROUP, sources(1, 2))]
        assert bench.told()[-1] == (12, GROUP, "include 1")

    def test_sources_heard_of_again_are_asked_for_apart_with_the_s_flag(self) -> None:
        # 7.6.3.2: two messages, first the one with the S flag
        bench = self.listening_to(record(IS_IN, GROUP, 1, 2, 3))
        bench.hear(report(record(BLOCK, GROUP, 1, 2)))
        bench.run(10.5).hear(report(record(IS_IN, GROUP, 2)))
        assert bench.run(60).asked() == [
            Asked(10, GROUP, sources(1, 2)),
            Asked(11, GROUP, sources(2), suppress=True),
            Asked(11, GROUP, sources(1)),
        ]
        assert bench.state() == (INCLUDE, set(sources(2, 3)), set())

    def test_new_sources_are_merged_with_those_still_asked_for(self) -> None:
        # 7.4.2, 7.6.3.2: at once all with retransmission state, each twice
        bench = self.listening_to(record(IS_IN, GROUP, 1, 2, 3))
        bench.hear(report(record(BLOCK, GROUP, 1)))
        bench.run(10.5).hear(report(record(BLOCK, GROUP, 2)))
        assert bench.run(60).asked() == [
            Asked(10, GROUP, sources(1)),
            Asked(10.5, GROUP, sources(1, 2)),
            Asked(11.5, GROUP, sources(2)),
        ]
        assert bench.told()[-2:] == [(12, GROUP, "include 2"), (12.5, GROUP, "include 1")]

    def test_sources_that_are_about_to_go_are_not_asked_for(self) -> None:
        # 7.6.3.2: only those with source timers larger than LLQT
        bench = self.listening_to(record(IS_IN, GROUP, 1))
        bench.run(258).hear(report(record(BLOCK, GROUP, 1)))
        assert bench.asked() == []
        bench = self.listening_to(record(IS_IN, GROUP, 1))
        bench.run(257.9).hear(report(record(BLOCK, GROUP, 1)))
        assert bench.asked() == [Asked(257.9, GROUP, sources(1))]

    def test_both_at_once_and_the_needless_one_with_the_s_flag(self) -> None:
        # The note of 7.6.3.2
        bench = self.listening_to(record(IS_EX), record(IS_IN, GROUP, 1, 2))
        bench.hear(report(record(TO_IN, GROUP, 2)))
        bench.run(10.5).hear(report(record(IS_IN, GROUP, 1)))
        assert bench.run(60).asked() == [Asked(10, GROUP, sources(1)), Asked(10, GROUP), Asked(11, GROUP)]
        assert bench.state() == (INCLUDE, set(sources(1, 2)), set())

    def test_when_nobody_is_left_nothing_is_repeated(self) -> None:
        bench = self.listening_to(record(IS_IN, GROUP, 1), last_listener_count=3, last_listener_query_interval=5)
        bench.hear(report(record(BLOCK, GROUP, 1)))
        bench.run(12).hear(report(record(IS_EX)))  # Delete (A): the source is none of the record's any more
        assert bench.run(60).asked() == [Asked(10, GROUP, sources(1))]

    def test_the_mtu_limits_the_sources_of_a_query(self) -> None:
        # 5.1.10: 1424 octets are left for sources, which are 89
        bench = Bench(mtu=1500)
        for first in (1, 61):
            bench.hear(report(record(IS_IN, GROUP, *range(first, first + 60))))
        for first in (1, 61):
            bench.sent()
            bench.hear(report(record(BLOCK, GROUP, *range(first, first + 60))))
        assert [len(each.sources) for each in bench.asked()] == [89, 31]

    def test_exclude_mode_to_exclude_mode(self) -> None:
        bench = self.listening_to(record(IS_EX))
        bench.hear(report(record(TO_EX, GROUP, 1)))
        assert bench.run(60).asked() == [Asked(10, GROUP, sources(1)), Asked(11, GROUP, sources(1))]
        assert bench.state() == (EXCLUDE, set(), set(sources(1)))
        assert bench.told()[-1] == (12, GROUP, "exclude 1")


class TestValidity:
    """5.1.14, 5.2.13, 7.4, 7.6 and 10: what is not valid changes nothing."""

    @pytest.mark.parametrize(
        ("frame", "reason"),
        [
            (report(record(IS_EX), sender="::"), Discard.MLD_SOURCE),
            (report(record(IS_EX), sender="2001:db8::5"), Discard.MLD_SOURCE),
            (report(record(IS_EX), hop_limit=2), Discard.MLD_HOP_LIMIT),
            (report(record(IS_EX), hop_limit=255), Discard.MLD_HOP_LIMIT),
            (report(record(IS_EX), alert=False), Discard.MLD_ROUTER_ALERT),
            (report(record(IS_EX), to="fe80::77"), Discard.ADDRESS_NOT_OURS),
            (report(record(IS_EX), to="ff01::16"), Discard.DESTINATION_SCOPE),
            (report(record(IS_EX), sender=ROUTER), Discard.MLD_OWN_MESSAGE),
            (report(record(IS_EX), mac=ROUTER_MAC), Discard.MLD_OWN_MESSAGE),
            (report(record(IS_EX))[:-1] + b"\xff", Discard.ICMP_CHECKSUM),
            (version_1(131, sender="::"), Discard.MLD_SOURCE),
            (version_1(131, "2001:db8::1", to="ff02::2"), Discard.MLD_NOT_MULTICAST),
            (version_1(131, "ff02::1"), Discard.MLD_UNKNOWN_GROUP),
            (version_1(131, alert=False), Discard.MLD_ROUTER_ALERT),
            (query(sender="::"), Discard.MLD_SOURCE),
            (query(sender="2001:db8::1"), Discard.MLD_SOURCE),
            (query(hop_limit=0), Discard.MLD_HOP_LIMIT),
            (query(alert=False), Discard.MLD_ROUTER_ALERT),
            (query("2001:db8::1", to="ff02::1"), Discard.MLD_NOT_MULTICAST),
            (b"", Discard.RUNT_FRAME),
            (bytes(12) + b"\x08\x00" + bytes(40), Discard.NOT_IPV6),
            (report(record(IS_EX))[:40], Discard.TRUNCATED),
            (solicitation(ROUTER), Discard.GROUP_NOT_JOINED),
            (echo_request(ROUTER), Discard.ADDRESS_NOT_OURS),
        ],
    )
    def test_discarded(self, frame: bytes, reason: Discard) -> None:
        bench = Bench()
        assert bench.hear(frame) is reason
        assert bench.querier.listeners() == {}
        assert bench.querier.role is Role.QUERIER
        assert bench.querier.outcomes[reason] == 1

    @pytest.mark.parametrize("to", ["ff02::16", "ff02::1", ROUTER, "ff05::9"])
    def test_any_destination_of_the_router_will_do(self, to: str) -> None:
        # 5.2.14
        bench = Bench()
        assert bench.hear(report(record(IS_EX), to=to, sender=LISTENER)) is Verdict.DELIVERED
        assert bench.state() == (EXCLUDE, set(), set())

    def test_the_code_is_ignored(self) -> None:
        # 5.1.1, 5.2.1
        bench = Bench()
        assert bench.hear(report(record(ALLOW, GROUP, 1), code=9)) is Verdict.DELIVERED
        assert bench.hear(query(code=9)) is Verdict.DELIVERED
        assert bench.querier.role is Role.NON_QUERIER
