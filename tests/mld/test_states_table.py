"""The listener's table against RFC 2710 5 and SEED section 8, and every event that the link can bring, in every state.

The rows below were written from the diagram of RFC 2710 5 and from the rows of
SEED; where a state or event is not in the diagram the row says where it is from.
"""

from typing import NamedTuple

import pytest

from stack.mld.states import (
    TRANSITIONS,
    IllegalTransitionError,
    ListenerAction,
    ListenerEvent,
    ListenerState,
    next_transition,
)
from tests.mld.common import (
    DONE,
    GROUP,
    QUERY,
    REPORT,
    V2_REPORT,
    Play,
    ip,
    joined,
    kinds,
    membership,
    mld_message,
    query,
    ready,
    record,
    state,
    without_address,
)

S, E, A = ListenerState, ListenerEvent, ListenerAction

QUERIES = (E.QUERY_NOW, E.QUERY_SOONER, E.QUERY_LATER)


class Row(NamedTuple):
    """States, events, the new state (None: as it was), the actions, where it is from."""

    states: tuple[ListenerState, ...]
    events: tuple[ListenerEvent, ...]
    to: ListenerState | None
    actions: tuple[ListenerAction, ...]
    source: str


ROWS = (
    Row((S.NON_LISTENER,), (E.START,), S.DELAYING, (A.SEND_REPORT, A.START_REPEAT_TIMER), "start listening"),
    Row((S.NON_LISTENER,), (E.START_ONCE,), S.IDLE, (A.SEND_REPORT,), "S29: the number of reports is configurable"),
    Row((S.NON_LISTENER,), (E.START_DELAYED,), S.PENDING, (A.START_DELAY_TIMER,), "S58"),
    Row((S.NON_LISTENER,), (E.START_SILENT,), S.SILENT, (), "S14, last paragraphs of 5"),
    Row((S.NON_LISTENER, S.PENDING), (E.START_UNHEARD,), S.IDLE, (A.OWE_REPORT,), "S55"),
    Row((S.NON_LISTENER,), (*QUERIES, E.REPORT), None, (), "5: ignored in the Non-Listener state"),
    Row((S.NON_LISTENER,), (E.ANNOUNCE, E.DOWN), None, (), "nothing is listened to"),
    Row((S.SILENT,), (*QUERIES, E.REPORT, E.ANNOUNCE, E.DOWN), None, (), "5: never transitions"),
    Row((S.SILENT,), (E.STOP,), S.NON_LISTENER, (), "5: never sends a Report or Done"),
    Row((S.PENDING,), (E.TIMER,), S.DELAYING, (A.SEND_REPORT, A.START_REPEAT_TIMER), "S20"),
    Row((S.PENDING,), (E.TIMER_LAST,), S.IDLE, (A.SEND_REPORT,), "S20, S29"),
    Row((S.PENDING,), QUERIES, None, (), "S39"),
    Row((S.PENDING,), (E.REPORT,), None, (), "S48"),
    Row((S.PENDING,), (E.ANNOUNCE,), None, (), "S58: its own report is to come"),
    Row((S.PENDING,), (E.STOP,), S.NON_LISTENER, (A.STOP_TIMER,), "S28"),
    Row((S.PENDING,), (E.DOWN,), S.IDLE, (A.STOP_TIMER, A.OWE_REPORT), "S83"),
    Row((S.DELAYING,), (E.TIMER_LAST,), S.IDLE, (A.SEND_REPORT,), "timer expired"),
    Row((S.DELAYING,), (E.TIMER,), S.DELAYING, (A.SEND_REPORT, A.START_REPEAT_TIMER), "4: repeated once or twice"),
    Row((S.DELAYING,), (E.QUERY_NOW,), S.IDLE, (A.STOP_TIMER, A.SEND_REPORT), "S41"),
    Row((S.DELAYING,), (E.QUERY_SOONER,), S.DELAYING, (A.START_QUERY_TIMER,), "query received (reset timer if ...)"),
    Row((S.DELAYING,), (E.QUERY_LATER,), S.DELAYING, (), "query received (reset timer if ...)"),
    Row((S.DELAYING,), (E.REPORT,), S.IDLE, (A.STOP_TIMER, A.CLEAR_FLAG), "report received"),
    Row((S.DELAYING,), (E.ANNOUNCE,), S.DELAYING, (A.SEND_REPORT,), "S06"),
    Row((S.DELAYING,), (E.STOP,), S.NON_LISTENER, (A.STOP_TIMER, A.SEND_DONE), "stop listening"),
    Row((S.DELAYING,), (E.DOWN,), S.IDLE, (A.STOP_TIMER, A.CLEAR_FLAG, A.OWE_REPORT), "S83"),
    Row((S.IDLE,), (E.QUERY_NOW,), S.IDLE, (A.SEND_REPORT,), "S41"),
    Row((S.IDLE,), (E.QUERY_SOONER,), S.DELAYING, (A.START_QUERY_TIMER,), "query received (start timer)"),
    Row((S.IDLE,), (E.REPORT,), S.IDLE, (), "5: ignored in the Idle Listener state; S47"),
    Row((S.IDLE,), (E.ANNOUNCE,), S.IDLE, (A.SEND_REPORT,), "S06"),
    Row((S.IDLE,), (E.STOP,), S.NON_LISTENER, (A.SEND_DONE,), "stop listening"),
    Row((S.IDLE,), (E.DOWN,), S.IDLE, (A.CLEAR_FLAG, A.OWE_REPORT), "S83"),
    Row((S.IDLE,), (E.START,), S.DELAYING, (A.SEND_REPORT, A.START_REPEAT_TIMER), "S55, S83: the report owed"),
    Row((S.IDLE,), (E.START_ONCE,), S.IDLE, (A.SEND_REPORT,), "S55, S83: the report owed"),
)

EXPECTED = {(each, event): row for row in ROWS for each in row.states for event in row.events}

WALK = [pytest.param(each, event, id=f"{each.name}-{event.name}") for each in ListenerState for event in ListenerEvent]


def test_no_row_is_written_twice() -> None:
    assert len(EXPECTED) == sum(len(row.states) * len(row.events) for row in ROWS)


@pytest.mark.parametrize(("before", "event"), WALK)
def test_every_state_with_every_event(before: ListenerState, event: ListenerEvent) -> None:
    row = EXPECTED.get((before, event))
    if row is None:
        with pytest.raises(IllegalTransitionError):
            next_transition(before, event)
        return
    transition = next_transition(before, event)
    assert transition.state is (row.to or before), row.source
    assert transition.actions == row.actions, row.source


def test_every_transition_names_its_clause() -> None:
    clauses = {transition.clause for row in TRANSITIONS.values() for transition in row.values()}
    assert all(clause.startswith("RFC ") for clause in clauses)


@pytest.mark.parametrize("actions", [pytest.param(row.actions, id=row.source) for row in ROWS])
def test_no_report_without_an_event_that_allows_it(actions: tuple[ListenerAction, ...]) -> None:
    assert actions.count(A.SEND_REPORT) <= 1
    assert not (A.SEND_REPORT in actions and A.SEND_DONE in actions)


# -- a live group in every state, and whatever may come


def pending() -> Play:
    play = ready()
    play.join(GROUP, delay=5.0)
    return play


def delaying() -> Play:
    play = ready()
    play.join(GROUP)
    play.sent()
    return play


def answering() -> Play:
    play = joined()
    query(play, delay=5000)
    return play


def silent() -> Play:
    return ready()


def owing() -> Play:
    play = without_address()
    play.join(GROUP)
    return play


LIVE = {
    "pending": (pending, "pending"),
    "delaying": (delaying, "delaying"),
    "answering": (answering, "delaying"),
    "idle": (joined, "idle"),
    "owing": (owing, "idle"),
    "silent": (silent, "silent"),
}

MESSAGES = {
    "general query": mld_message(QUERY, "::", delay=3000),
    "general query, now": mld_message(QUERY, "::", delay=0),
    "query": mld_message(QUERY, GROUP, delay=3000),
    "query, now": mld_message(QUERY, GROUP, delay=0),
    "query for ff02::1": mld_message(QUERY, "ff02::1", delay=0),
    "report": mld_message(REPORT, GROUP),
    "report of ff02::1": mld_message(REPORT, "ff02::1"),
    "Done": mld_message(DONE, GROUP, destination="ff02::1"),
    "version 2 report": mld_message(V2_REPORT, GROUP, destination="ff02::1"),
}


def group_of(name: str) -> str:
    return "ff02::1" if name == "silent" else GROUP


@pytest.mark.parametrize("name", LIVE)
def test_states_are_reached(name: str) -> None:
    make, expected = LIVE[name]
    play = make()
    assert state(play, group_of(name)) == expected
    timer = record(play, group_of(name)).timer
    assert (timer is not None and timer.active) == (expected in ("pending", "delaying"))


@pytest.mark.parametrize("second", [None, *MESSAGES])
@pytest.mark.parametrize("first", MESSAGES)
@pytest.mark.parametrize("name", LIVE)
def test_whatever_comes_the_group_stays_sound(name: str, first: str, second: str | None) -> None:
    make, _ = LIVE[name]
    play = make()
    group = group_of(name)
    for message in (first, second):
        if message is not None:
            play.receive(MESSAGES[message])
    each = record(play, group)
    assert (each.timer is not None) == (each.state in (S.PENDING, S.DELAYING))
    play.run(play.now + 30)
    assert each.timer is None
    play.sent()
    play.interface.stop(play.now)
    assert play.host.next_deadline() is None, "a timer outlived the interface"


@pytest.mark.parametrize("name", LIVE)
def test_leaving_in_every_state(name: str) -> None:
    make, _ = LIVE[name]
    play = make()
    group = group_of(name)
    if name == "silent":
        play.leave(play.join(group))
        assert play.sent() == []
        return
    play.leave(membership(play, group))
    assert ip(group) not in play.interface.listener.groups
    play.run(play.now + 30)
    assert kinds(play.sent(), group) == ([] if name in ("pending", "owing") else [DONE])


@pytest.mark.parametrize("name", LIVE)
def test_down_and_up_in_every_state(name: str) -> None:
    make, _ = LIVE[name]
    play = make()
    play.sent()
    play.interface.stop(play.now)
    assert play.host.next_deadline() is None
    play.run(play.now + 30)
    assert play.sent() == []
    play.start(until=None)
    if name == "owing":
        play.add_address("fe80::1")
    play.run(play.now + 30)
    reports = kinds(play.sent(), group_of(name))
    assert reports == ([] if name == "silent" else [REPORT] * 3), "two, and one more once the address is valid"
