"""What a version 2 router does with records: RFC 3810 7.2 to 7.5, the tables of 7.4 walked in full.

Times: MALI is 2 * 125 + 10 = 260 s (9.4), LLQT 2 * 1 = 2 s (9.10).
"""

from typing import NamedTuple

import pytest

from stack.mld.filters import FilterMode
from stack.sim.querier.actions import ROWS, Expression
from tests.playbook import ip
from tests.sim.querying import (
    ALLOW,
    BLOCK,
    EXCLUDE,
    GROUP,
    INCLUDE,
    IS_EX,
    IS_IN,
    LOWER,
    TO_EX,
    TO_IN,
    Asked,
    Bench,
    query,
    record,
    report,
    sources,
)

AT = 10.0
MALI_LATER = 270.0
LLQT_LATER = 12.0
FIRST = 260.0  # what was set at 0


class Row(NamedTuple):
    """A row of 7.4.1 or 7.4.2 with numbers for sources: the new lists, source timers, filter timer, queries."""

    mode: FilterMode
    kind: int
    to: FilterMode
    listed: set[int]
    excluded: set[int]
    timers: dict[int, float]
    filter_timer: float | None
    queries: tuple[tuple[int, ...], ...] = ()


# INCLUDE (A) with A = {1, 2}, and B = {2, 3}: A+B = {1, 2, 3}, A*B = {2}, B-A = {3}, A-B = {1}
# EXCLUDE (X,Y) with X = {1, 2}, Y = {3, 4}, and A = {2, 4, 5}:
# X+A = {1, 2, 4, 5}, Y-A = {3}, A-Y = {2, 5}, Y*A = {4}, A-X-Y = {5}, X-A = {1}, X+(A-Y) = {1, 2, 5}
ROWS_OF_THE_RFC = (
    Row(INCLUDE, IS_IN, INCLUDE, {1, 2, 3}, set(), {1: FIRST, 2: MALI_LATER, 3: MALI_LATER}, None),
    Row(INCLUDE, IS_EX, EXCLUDE, {2}, {3}, {2: FIRST}, MALI_LATER),
    Row(INCLUDE, ALLOW, INCLUDE, {1, 2, 3}, set(), {1: FIRST, 2: MALI_LATER, 3: MALI_LATER}, None),
    Row(INCLUDE, BLOCK, INCLUDE, {1, 2}, set(), {1: FIRST, 2: LLQT_LATER}, None, ((2,),)),
    Row(INCLUDE, TO_EX, EXCLUDE, {2}, {3}, {2: LLQT_LATER}, MALI_LATER, ((2,),)),
    Row(INCLUDE, TO_IN, INCLUDE, {1, 2, 3}, set(), {1: LLQT_LATER, 2: MALI_LATER, 3: MALI_LATER}, None, ((1,),)),
    Row(EXCLUDE, IS_IN, EXCLUDE, {1, 2, 4, 5}, {3}, {1: FIRST, 2: MALI_LATER, 4: MALI_LATER, 5: MALI_LATER}, FIRST),
    Row(EXCLUDE, IS_EX, EXCLUDE, {2, 5}, {4}, {2: FIRST, 5: MALI_LATER}, MALI_LATER),
    Row(EXCLUDE, ALLOW, EXCLUDE, {1, 2, 4, 5}, {3}, {1: FIRST, 2: MALI_LATER, 4: MALI_LATER, 5: MALI_LATER}, FIRST),
    Row(EXCLUDE, BLOCK, EXCLUDE, {1, 2, 5}, {3, 4}, {1: FIRST, 2: LLQT_LATER, 5: LLQT_LATER}, FIRST, ((2, 5),)),
    Row(EXCLUDE, TO_EX, EXCLUDE, {2, 5}, {4}, {2: LLQT_LATER, 5: LLQT_LATER}, MALI_LATER, ((2, 5),)),
    Row(
        EXCLUDE,
        TO_IN,
        EXCLUDE,
        {1, 2, 4, 5},
        {3},
        {1: LLQT_LATER, 2: MALI_LATER, 4: MALI_LATER, 5: MALI_LATER},
        LLQT_LATER,
        ((1,), ()),
    ),
)
REPORTED = {INCLUDE: (2, 3), EXCLUDE: (2, 4, 5)}


def in_state(mode: FilterMode) -> Bench:
    """A router at 10 s in the state that the rows begin with, its timers set at 0."""
    bench = Bench()
    if mode is INCLUDE:
        bench.hear(report(record(IS_IN, GROUP, 1, 2)))
    else:
        bench.hear(report(record(IS_EX, GROUP, 3, 4), record(IS_IN, GROUP, 1, 2)))
    bench.run(AT).sent()
    return bench


def test_the_rows_are_all_there_is() -> None:
    assert {(row.mode, row.kind) for row in ROWS_OF_THE_RFC} == {(m, k) for m in FilterMode for k in range(1, 7)}
    assert {(mode, kind) for mode, rows in ROWS.items() for kind in rows} == {
        (row.mode, row.kind) for row in ROWS_OF_THE_RFC
    }


@pytest.mark.parametrize("row", ROWS_OF_THE_RFC, ids=lambda row: f"{row.mode.value}-{row.kind}")
class TestTables:
    def test_of_the_querier(self, row: Row) -> None:
        bench = in_state(row.mode)
        bench.hear(report(record(row.kind, GROUP, *REPORTED[row.mode])))
        assert bench.state() == (row.to, set(sources(*row.listed)), set(sources(*row.excluded)))
        assert bench.timers() == row.timers
        found = bench.listening()
        assert found is not None
        assert found.filter_timer == row.filter_timer
        assert bench.asked() == [Asked(AT, GROUP, sources(*each)) for each in row.queries]

    def test_of_another_router(self, row: Row) -> None:
        """It sends nothing, and waits for the querier's query before it lowers source timers (7.4.2, 7.6.3)."""
        bench = in_state(row.mode)
        bench.hear(query())
        bench.hear(report(record(row.kind, GROUP, *REPORTED[row.mode])))
        assert bench.state() == (row.to, set(sources(*row.listed)), set(sources(*row.excluded)))
        # (A-X-Y)=Filter Timer: what it was before the row.
        assert bench.timers() == {each: FIRST if at == LLQT_LATER else at for each, at in row.timers.items()}
        found = bench.listening()
        assert found is not None
        assert found.filter_timer == row.filter_timer
        assert bench.run(60.0).asked(specific=False) == []


@pytest.mark.parametrize(
    ("kind", "listed", "after"),
    [
        (IS_IN, (1,), (INCLUDE, {1}, set())),
        (IS_IN, (), None),
        (IS_EX, (1,), (EXCLUDE, set(), {1})),
        (IS_EX, (), (EXCLUDE, set(), set())),
        (TO_IN, (1,), (INCLUDE, {1}, set())),
        (TO_IN, (), None),
        (TO_EX, (1,), (EXCLUDE, set(), {1})),
        (TO_EX, (), (EXCLUDE, set(), set())),
        (ALLOW, (1,), (INCLUDE, {1}, set())),
        (ALLOW, (), None),
        (BLOCK, (1,), None),
        (BLOCK, (), None),
    ],
)
def test_no_record_is_include_of_nothing(
    kind: int, listed: tuple[int, ...], after: tuple[FilterMode, set[int], set[int]] | None
) -> None:
    bench = Bench()
    bench.sent()
    bench.hear(report(record(kind, GROUP, *listed)))
    if after is None:
        assert bench.state() is None
    else:
        assert bench.state() == (after[0], set(sources(*after[1])), set(sources(*after[2])))
    assert bench.asked() == []


class TestFilterTimer:
    """7.2.2 and 7.5."""

    def test_with_nothing_requested_the_record_goes(self) -> None:
        bench = Bench()
        bench.hear(report(record(IS_EX, GROUP, 1)))
        assert bench.told() == [(0, GROUP, "exclude 1")]
        bench.run(259.999)
        assert bench.state() == (EXCLUDE, set(), set(sources(1)))
        bench.run(260)
        assert bench.state() is None
        assert bench.told() == [(260, GROUP, "gone")]

    def test_the_requested_list_becomes_the_include_list(self) -> None:
        bench = Bench()
        bench.hear(report(record(IS_EX, GROUP, 3)))
        bench.run(10).hear(report(record(IS_IN, GROUP, 1)))
        bench.run(260)
        assert bench.state() == (INCLUDE, set(sources(1)), set())
        assert bench.timers() == {1: 270}
        bench.run(270)
        assert bench.state() is None
        assert bench.told() == [(0, GROUP, "exclude 1"), (260, GROUP, "include 1"), (270, GROUP, "gone")]

    def test_both_at_one_moment_are_one_change(self) -> None:
        bench = Bench()
        bench.hear(report(record(IS_EX, GROUP), record(IS_IN, GROUP, 1)))
        bench.told()
        bench.run(260)
        assert bench.state() is None
        assert bench.told() == [(260, GROUP, "gone")]

    def test_a_report_in_exclude_mode_restarts_it(self) -> None:
        bench = Bench()
        bench.hear(report(record(IS_EX, GROUP)))
        bench.run(259).hear(report(record(IS_EX, GROUP)))
        bench.run(518.9)
        assert bench.state() == (EXCLUDE, set(), set())
        bench.run(519)
        assert bench.state() is None


class TestSourceTimers:
    """7.2.3 and 7.3."""

    def test_the_last_source_takes_the_record_with_it(self) -> None:
        bench = Bench()
        bench.hear(report(record(ALLOW, GROUP, 1)))
        bench.run(100).hear(report(record(IS_IN, GROUP, 2)))
        bench.run(260)
        assert bench.state() == (INCLUDE, set(sources(2)), set())
        bench.run(360)
        assert bench.state() is None
        assert [what for _, _, what in bench.told()] == ["include 1", "include 2", "include 1", "gone"]

    def test_in_exclude_mode_a_source_moves_to_the_exclude_list(self) -> None:
        bench = Bench()
        bench.hear(report(record(IS_EX, GROUP)))
        bench.run(1).hear(report(record(BLOCK, GROUP, 1)))
        assert bench.state() == (EXCLUDE, set(sources(1)), set())
        bench.run(3)
        assert bench.state() == (EXCLUDE, set(), set(sources(1)))
        assert bench.told() == [(0, GROUP, "exclude 0"), (3, GROUP, "exclude 1")]

    def test_what_is_forwarded(self) -> None:
        # 7.3, row by row
        one, two, three = sources(1, 2, 3)
        including = in_state(INCLUDE).listening()
        assert including is not None
        assert [including.forwards(each) for each in (one, two, three)] == [True, True, False]
        excluding = in_state(EXCLUDE).listening()
        assert excluding is not None
        assert [excluding.forwards(each) for each in (one, three, ip("2001:db8::99"))] == [True, False, True]


class TestReports:
    """5.2."""

    def test_unknown_types_are_passed_over(self) -> None:
        # 5.2.12: the rest of the report is processed
        bench = Bench()
        bench.hear(report(record(0, GROUP), record(7, GROUP, 1), record(255, GROUP), record(IS_EX, "ff05::7")))
        assert list(bench.querier.listeners()) == [ip("ff05::7")]

    def test_auxiliary_data_is_ignored(self) -> None:
        # 5.2.10
        bench = Bench()
        bench.hear(report(record(IS_EX, GROUP, 1, auxiliary=b"12345678"), record(IS_EX, "ff05::7")))
        assert list(bench.querier.listeners()) == [ip("ff05::7"), ip(GROUP)]

    def test_records_of_one_report_are_taken_in_order(self) -> None:
        bench = Bench()
        bench.hear(report(record(ALLOW, GROUP, 1, 2), record(BLOCK, GROUP, 1)))
        assert bench.timers() == {1: 2.0, 2: 260.0}

    @pytest.mark.parametrize("group", ["ff02::1", "ff01::5", "ff00::5", "2001:db8::1", "::"])
    def test_groups_that_nobody_reports(self, group: str) -> None:
        # 6: nothing is ever sent about all nodes, or scopes 0 and 1
        bench = Bench()
        bench.hear(report(record(IS_EX, group), record(IS_EX, GROUP)))
        assert list(bench.querier.listeners()) == [ip(GROUP)]

    def test_sources_are_unicast_addresses(self) -> None:
        # 5.2.9
        bench = Bench()
        head = record(IS_IN, GROUP, 1, 2, 3)
        listed = bench.hear(report(head[:20] + ip("ff05::9") + bytes(16) + head[52:]))
        assert listed.value == "delivered"
        assert bench.state() == (INCLUDE, set(sources(3)), set())


class TestLimits:
    def test_groups(self) -> None:
        bench = Bench(group_limit=2)
        for last in range(1, 5):
            bench.hear(report(record(IS_EX, f"ff05::{last}")))
        assert list(bench.querier.listeners()) == [ip("ff05::1"), ip("ff05::2")]
        assert bench.querier.limits == {"group_limit": 2}
        bench.run(260).hear(report(record(IS_EX, "ff05::4")))
        assert list(bench.querier.listeners()) == [ip("ff05::4")]

    def test_sources_of_a_group(self) -> None:
        bench = Bench(source_limit=2)
        bench.hear(report(record(ALLOW, GROUP, 1, 2, 3)))
        bench.hear(report(record(ALLOW, GROUP, 9)))
        assert bench.state() == (INCLUDE, set(sources(1, 2)), set())
        assert bench.querier.limits == {"source_limit": 2}

    def test_sources_of_all_groups(self) -> None:
        bench = Bench(total_source_limit=3)
        bench.hear(report(record(ALLOW, GROUP, 1, 2), record(ALLOW, "ff05::9", 1, 2)))
        assert bench.state("ff05::9") == (INCLUDE, set(sources(1)), set())
        assert bench.querier.limits == {"total_source_limit": 1}
        bench.run(260).hear(report(record(ALLOW, GROUP, 1, 2, 3)))
        assert bench.state() == (INCLUDE, set(sources(1, 2, 3)), set())

    def test_a_source_without_room_is_forwarded_in_exclude_mode(self) -> None:
        bench = Bench(source_limit=1)
        bench.hear(report(record(TO_EX, GROUP, 1, 2)))
        found = bench.listening()
        assert found is not None
        assert found.forwards(sources(2)[0])

    def test_frames(self) -> None:
        bench = Bench(output_limit=1)
        bench.hear(report(record(ALLOW, GROUP, 1, 2), record(ALLOW, "ff05::9", 1)))
        bench.sent()
        bench.querier.receive(report(record(BLOCK, GROUP, 1), record(BLOCK, "ff05::9", 1)), bench.now)
        assert len(bench.querier.output()) == 1
        assert bench.querier.limits == {"output_limit": 1}


@pytest.mark.parametrize("text", ["(A", "A+(B", "A)B", "AB"])
def test_an_expression_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"bracket|ends"):
        Expression(text)


def test_expressions_go_from_left_to_right() -> None:
    sets = {"A": frozenset({b"1", b"2"}), "X": frozenset({b"2"}), "Y": frozenset({b"1", b"3"})}
    assert Expression("A-X-Y").value(sets) == frozenset()
    assert Expression("X+(A-Y)").value(sets) == frozenset({b"2"})
    assert Expression("Y*A").value(sets) == frozenset({b"1"})


def test_another_router_keeps_what_it_knows_when_it_takes_over() -> None:
    # 7.1: all routers keep the same state, so that any can take over
    bench = in_state(EXCLUDE)
    bench.hear(query(sender=LOWER))
    bench.run(AT + 240)
    assert bench.state() == (EXCLUDE, set(sources(1, 2)), set(sources(3, 4)))
