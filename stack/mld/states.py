"""The version 1 listener of one group on one interface, as one table (RFC 2710 5, RFC 4862 5.4.2).

RFC 2710 has three states; a host needs two more: SILENT for groups that are never
reported, and PENDING for the first report that waits for the random delay of
duplicate address detection. The first table is the `standard` personality of SEED
sections 2 and 3: S21 (every report sets the flag), S47 (an idle listener ignores
reports) and S48 (a pending first report is not suppressed) follow the RFC; the
second, `netbsd`, differs in just these rows and in S83.

A pair that is not in the table cannot happen; `next_transition` refuses it.
"""

from enum import Enum
from typing import NamedTuple


class IllegalTransitionError(Exception):
    """A pair of state and event that the table does not have: a defect of the caller, never of what was received."""


class ListenerState(Enum):
    """`value` is the word that `maddr show` prints."""

    NON_LISTENER = "none"
    SILENT = "silent"
    PENDING = "pending"
    DELAYING = "delaying"
    IDLE = "idle"

    __hash__ = object.__hash__


class ListenerEvent(Enum):
    """What happens to a group on an interface."""

    START = "start listening, to be repeated"
    START_ONCE = "start listening, no repeat"
    START_DELAYED = "start listening, first report delayed"
    START_SILENT = "start listening to a group that is never reported"
    START_UNHEARD = "start listening while nothing may be said: no address, or interface down"
    STOP = "stop listening"
    TIMER = "timer expired, a repeat is left"
    TIMER_LAST = "timer expired"
    QUERY_NOW = "query received, maximum response delay 0"
    QUERY_SOONER = "query received, no timer due within its delay"
    QUERY_LATER = "query received, timer due within its delay"
    REPORT = "another listener's report received"
    ANNOUNCE = "link-local address valid"
    DOWN = "interface down"

    __hash__ = object.__hash__


class ListenerAction(Enum):
    """What a transition has done, in the order of its row."""

    SEND_REPORT = "send report, set flag if sent"
    SEND_REPORT_UNFLAGGED = "send report"
    SEND_DONE = "send Done if flag set"
    CLEAR_FLAG = "clear flag"
    OWE_REPORT = "owe the first report until there is an address and the interface is up"
    START_DELAY_TIMER = "start timer with the delay of the join"
    START_REPEAT_TIMER = "start timer within the unsolicited report interval"
    START_QUERY_TIMER = "start timer within the maximum response delay"
    STOP_TIMER = "stop timer"

    __hash__ = object.__hash__


class ListenerTransition(NamedTuple):
    """The new state, the actions in order, and the clause."""

    state: ListenerState
    actions: tuple[ListenerAction, ...]
    clause: str


_S = ListenerState
_E = ListenerEvent
_A = ListenerAction
_T = ListenerTransition


def _unchanged(state: ListenerState, clause: str, *events: ListenerEvent) -> dict[ListenerEvent, ListenerTransition]:
    return {event: _T(state, (), clause) for event in events}


_QUERIES = (_E.QUERY_NOW, _E.QUERY_SOONER, _E.QUERY_LATER)

_FIRST_REPORT = {
    _E.START: _T(_S.DELAYING, (_A.SEND_REPORT, _A.START_REPEAT_TIMER), "RFC 2710 4"),
    _E.START_ONCE: _T(_S.IDLE, (_A.SEND_REPORT,), "RFC 2710 4"),
}
# SEED row S55: accepted, and reported when an address is there.
_OWED = _T(_S.IDLE, (_A.OWE_REPORT,), "RFC 3590 4")

Transitions = dict[ListenerState, dict[ListenerEvent, ListenerTransition]]

TRANSITIONS: Transitions = {
    _S.NON_LISTENER: {
        **_FIRST_REPORT,
        _E.START_DELAYED: _T(_S.PENDING, (_A.START_DELAY_TIMER,), "RFC 4862 5.4.2"),
        _E.START_SILENT: _T(_S.SILENT, (), "RFC 2710 5"),
        _E.START_UNHEARD: _OWED,
        **_unchanged(_S.NON_LISTENER, "RFC 2710 5", *_QUERIES, _E.REPORT, _E.ANNOUNCE, _E.DOWN),
    },
    _S.SILENT: {
        **_unchanged(_S.SILENT, "RFC 2710 5", *_QUERIES, _E.REPORT, _E.ANNOUNCE, _E.DOWN),
        _E.STOP: _T(_S.NON_LISTENER, (), "RFC 2710 5"),
    },
    _S.PENDING: {
        # The delay over, the start sequence runs (SEED row S20).
        _E.TIMER: _FIRST_REPORT[_E.START],
        _E.TIMER_LAST: _FIRST_REPORT[_E.START_ONCE],
        _E.START_UNHEARD: _OWED,
        # RFC 2710 5 has no such state; SEED rows S39 and S48: nothing hastens or cancels the first report.
        **_unchanged(_S.PENDING, "RFC 4862 5.4.2", *_QUERIES, _E.REPORT, _E.ANNOUNCE),
        _E.DOWN: _T(_S.IDLE, (_A.STOP_TIMER, _A.OWE_REPORT), "RFC 3590 4"),
        # Never announced, so there is nothing to withdraw (S28).
        _E.STOP: _T(_S.NON_LISTENER, (_A.STOP_TIMER,), "RFC 2710 5"),
    },
    _S.DELAYING: {
        _E.TIMER: _T(_S.DELAYING, (_A.SEND_REPORT, _A.START_REPEAT_TIMER), "RFC 2710 7.10"),
        _E.TIMER_LAST: _T(_S.IDLE, (_A.SEND_REPORT,), "RFC 2710 5"),
        _E.QUERY_NOW: _T(_S.IDLE, (_A.STOP_TIMER, _A.SEND_REPORT), "RFC 2710 4"),
        _E.QUERY_SOONER: _T(_S.DELAYING, (_A.START_QUERY_TIMER,), "RFC 2710 4"),
        _E.QUERY_LATER: _T(_S.DELAYING, (), "RFC 2710 4"),
        _E.REPORT: _T(_S.IDLE, (_A.STOP_TIMER, _A.CLEAR_FLAG), "RFC 2710 4"),
        # What the timer runs for, a repeat or an answer, stays due.
        _E.ANNOUNCE: _T(_S.DELAYING, (_A.SEND_REPORT,), "RFC 3590 4"),
        _E.DOWN: _T(_S.IDLE, (_A.STOP_TIMER, _A.CLEAR_FLAG, _A.OWE_REPORT), "RFC 3590 4"),
        _E.STOP: _T(_S.NON_LISTENER, (_A.STOP_TIMER, _A.SEND_DONE), "RFC 2710 4"),
    },
    _S.IDLE: {
        # The report that is owed (S55), or that a restarted interface owes anew (S83).
        **_FIRST_REPORT,
        _E.QUERY_NOW: _T(_S.IDLE, (_A.SEND_REPORT,), "RFC 2710 4"),
        _E.QUERY_SOONER: _T(_S.DELAYING, (_A.START_QUERY_TIMER,), "RFC 2710 4"),
        _E.REPORT: _T(_S.IDLE, (), "RFC 2710 5"),
        _E.ANNOUNCE: _T(_S.IDLE, (_A.SEND_REPORT,), "RFC 3590 4"),
        _E.DOWN: _T(_S.IDLE, (_A.CLEAR_FLAG, _A.OWE_REPORT), "RFC 3590 4"),
        _E.STOP: _T(_S.NON_LISTENER, (_A.SEND_DONE,), "RFC 2710 4"),
    },
}


_NETBSD_CHANGES: Transitions = {
    # S48: another's report stops the timer of a first report as well, and it is never sent.
    _S.PENDING: {
        _E.REPORT: _T(_S.IDLE, (_A.STOP_TIMER, _A.CLEAR_FLAG), "mld6.c 494"),
        _E.DOWN: _T(_S.PENDING, (), "mld6.c (absent)"),
    },
    _S.DELAYING: {
        # S21: only a start and an immediate answer set the flag.
        _E.TIMER: _T(_S.DELAYING, (_A.SEND_REPORT_UNFLAGGED, _A.START_REPEAT_TIMER), "mld6.c 245"),
        _E.TIMER_LAST: _T(_S.IDLE, (_A.SEND_REPORT_UNFLAGGED,), "mld6.c 245"),
        _E.DOWN: _T(_S.DELAYING, (), "mld6.c (absent)"),
    },
    _S.IDLE: {
        # S47
        _E.REPORT: _T(_S.IDLE, (_A.CLEAR_FLAG,), "mld6.c 494"),
        _E.DOWN: _T(_S.IDLE, (), "mld6.c (absent)"),
    },
}

NETBSD_TRANSITIONS: Transitions = {state: rows | _NETBSD_CHANGES.get(state, {}) for state, rows in TRANSITIONS.items()}


def next_transition(state: ListenerState, event: ListenerEvent, table: Transitions = TRANSITIONS) -> ListenerTransition:
    """The row for an event in a state; raises IllegalTransitionError, before anything has moved, if there is none."""
    transition = table[state].get(event)
    if transition is None:
        raise IllegalTransitionError(f"a group that is {state.value!r} has no {event.value!r}")
    return transition
