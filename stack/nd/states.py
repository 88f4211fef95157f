"""The states of a neighbour cache entry as one table: RFC 4861 7.2, 7.3 and appendix C; RFC 7048 3.

Everything that moves an entry from state to state is here. Where the appendix and
the text of 7.2.5 differ the text is followed: a solicited advertisement without a
link-layer address confirms an entry that has one, and an advertisement that would
not override but names another address makes a REACHABLE entry STALE whether it
was solicited or not.

A neighbour that has answered once and falls silent stays UNREACHABLE (RFC 7048 3):
packets go on to its address for want of a better one, and it is asked by multicast,
ever more seldom, for as long as they do. Its address being known to fail, an
answer with another is taken without Override too, as by the INCOMPLETE entry
which RFC 4861 would have made. One that never answered falls as RFC 4861 has it.
"""

from enum import Enum
from typing import NamedTuple


class NeighborState(Enum):
    """RFC 4861 7.3.2, RFC 7048 3; ABSENT is no entry, PERMANENT one that the user gave."""

    ABSENT = "ABSENT"
    INCOMPLETE = "INCOMPLETE"
    REACHABLE = "REACHABLE"
    STALE = "STALE"
    DELAY = "DELAY"
    PROBE = "PROBE"
    UNREACHABLE = "UNREACHABLE"
    PERMANENT = "PERMANENT"

    __hash__ = object.__hash__


# A packet goes straight to such a neighbour; in any other state sending has consequences.
READY = frozenset((NeighborState.REACHABLE, NeighborState.PERMANENT, NeighborState.DELAY, NeighborState.PROBE))


class NeighborEvent(Enum):
    """What happens to an entry. HEARD: a message other than an advertisement.

    A packet to send is an event of UNREACHABLE only where no solicitation is out.
    """

    PACKET_TO_SEND = "packet to send"
    RETRANSMIT = "retransmit timeout, fewer than N solicitations sent"
    RETRANSMIT_LAST = "retransmit timeout, N solicitations sent"
    NEVER_ANSWERED = "retransmit timeout, N solicitations sent, none was ever answered"
    UNUSED = "retransmit timeout, no packet sent since the last solicitation"
    REACHABLE_TIMEOUT = "reachable time over"
    DELAY_TIMEOUT = "delay timeout"
    CONFIRMED = "upper-layer reachability confirmation"
    SOLICITED_SAME = "NA, S=1, same link-layer address"
    SOLICITED_BARE = "NA, S=1, no link-layer address"
    SOLICITED_OVERRIDE = "NA, S=1, O=1, different link-layer address"
    SOLICITED_DIFFERENT = "NA, S=1, O=0, different link-layer address"
    UNSOLICITED_SAME = "NA, S=0, same link-layer address"
    UNSOLICITED_BARE = "NA, S=0, no link-layer address"
    UNSOLICITED_OVERRIDE = "NA, S=0, O=1, different link-layer address"
    UNSOLICITED_DIFFERENT = "NA, S=0, O=0, different link-layer address"
    HEARD_SAME = "NS, RS, RA or Redirect, same link-layer address"
    HEARD_DIFFERENT = "NS, RS, RA or Redirect, different link-layer address"
    HEARD_BARE = "NS or RS, no link-layer address"

    __hash__ = object.__hash__


class Action(Enum):
    """What a transition has done, in the order of its row."""

    RECORD_ADDRESS = "record link-layer address"
    UPDATE_ROUTER = "update IsRouter flag"
    MULTICAST_SOLICIT = "send multicast NS, start retransmit timer"
    UNICAST_SOLICIT = "send unicast NS, start retransmit timer"
    START_DELAY_TIMER = "start delay timer"
    START_REACHABLE_TIMER = "start reachable timer"
    STOP_TIMER = "stop timer"
    SEND_QUEUE = "send queued packets"
    REPORT_UNREACHABLE = "send ICMP error for queued packets"
    DISCARD_ENTRY = "discard entry"

    __hash__ = object.__hash__


class Transition(NamedTuple):
    """The new state, the actions in order, and the clause."""

    state: NeighborState
    actions: tuple[Action, ...]
    clause: str


_S = NeighborState
_E = NeighborEvent
_A = Action

_RESOLVED_STATES = (_S.REACHABLE, _S.STALE, _S.DELAY, _S.PROBE, _S.UNREACHABLE)

# From no entry: only a packet to send or a message with a link-layer address makes one.
_ABSENT = {
    _E.PACKET_TO_SEND: Transition(_S.INCOMPLETE, (_A.MULTICAST_SOLICIT,), "RFC 4861 7.2.2"),
    _E.HEARD_DIFFERENT: Transition(_S.STALE, (_A.RECORD_ADDRESS,), "RFC 4861 7.2.3"),
}

_INCOMPLETE = {
    _E.PACKET_TO_SEND: Transition(_S.INCOMPLETE, (), "RFC 4861 7.2.2"),
    _E.RETRANSMIT: Transition(_S.INCOMPLETE, (_A.MULTICAST_SOLICIT,), "RFC 4861 7.2.2"),
    _E.RETRANSMIT_LAST: Transition(
        _S.ABSENT, (_A.STOP_TIMER, _A.REPORT_UNREACHABLE, _A.DISCARD_ENTRY), "RFC 4861 7.2.2"
    ),
    **dict.fromkeys(
        (_E.SOLICITED_OVERRIDE, _E.SOLICITED_DIFFERENT),
        Transition(
            _S.REACHABLE,
            (_A.RECORD_ADDRESS, _A.UPDATE_ROUTER, _A.START_REACHABLE_TIMER, _A.SEND_QUEUE),
            "RFC 4861 7.2.5",
        ),
    ),
    # The queue is sent from STALE, and sending from STALE starts the delay (7.3.3).
    **dict.fromkeys(
        (_E.UNSOLICITED_OVERRIDE, _E.UNSOLICITED_DIFFERENT),
        Transition(_S.STALE, (_A.STOP_TIMER, _A.RECORD_ADDRESS, _A.UPDATE_ROUTER, _A.SEND_QUEUE), "RFC 4861 7.2.5"),
    ),
    # 7.2.5: without a link-layer address the advertisement is silently discarded.
    _E.SOLICITED_BARE: Transition(_S.INCOMPLETE, (), "RFC 4861 7.2.5"),
    _E.UNSOLICITED_BARE: Transition(_S.INCOMPLETE, (), "RFC 4861 7.2.5"),
    _E.HEARD_DIFFERENT: Transition(_S.STALE, (_A.STOP_TIMER, _A.RECORD_ADDRESS, _A.SEND_QUEUE), "RFC 4861 appendix C"),
    _E.HEARD_BARE: Transition(_S.INCOMPLETE, (), "RFC 4861 appendix C"),
}

_CONFIRM = (_A.UPDATE_ROUTER, _A.START_REACHABLE_TIMER)


def _resolved(state: NeighborState) -> dict[NeighborEvent, Transition]:
    """The rows that all states with a link-layer address share (`!INCOMPLETE` in appendix C)."""
    doubt = (
        Transition(_S.STALE, (_A.STOP_TIMER,), "RFC 4861 7.2.5 I a")
        if state is _S.REACHABLE
        else Transition(state, (), "RFC 4861 7.2.5 I b")
    )
    return {
        _E.PACKET_TO_SEND: Transition(state, (), "RFC 4861 7.3.3"),
        _E.CONFIRMED: Transition(_S.REACHABLE, (_A.START_REACHABLE_TIMER,), "RFC 4861 7.3.1"),
        _E.SOLICITED_SAME: Transition(_S.REACHABLE, _CONFIRM, "RFC 4861 7.2.5 II"),
        _E.SOLICITED_BARE: Transition(_S.REACHABLE, _CONFIRM, "RFC 4861 7.2.5 II"),
        _E.SOLICITED_OVERRIDE: Transition(_S.REACHABLE, (_A.RECORD_ADDRESS, *_CONFIRM), "RFC 4861 7.2.5 II"),
        _E.SOLICITED_DIFFERENT: doubt,
        _E.UNSOLICITED_SAME: Transition(state, (_A.UPDATE_ROUTER,), "RFC 4861 7.2.5 II"),
        _E.UNSOLICITED_BARE: Transition(state, (_A.UPDATE_ROUTER,), "RFC 4861 7.2.5 II"),
        _E.UNSOLICITED_OVERRIDE: Transition(
            _S.STALE, (_A.STOP_TIMER, _A.RECORD_ADDRESS, _A.UPDATE_ROUTER), "RFC 4861 7.2.5 II"
        ),
        _E.UNSOLICITED_DIFFERENT: doubt,
        _E.HEARD_SAME: Transition(state, (), "RFC 4861 appendix C"),
        _E.HEARD_DIFFERENT: Transition(_S.STALE, (_A.STOP_TIMER, _A.RECORD_ADDRESS), "RFC 4861 7.2.3"),
        _E.HEARD_BARE: Transition(state, (), "RFC 4861 appendix C"),
    }


TRANSITIONS: dict[NeighborState, dict[NeighborEvent, Transition]] = {
    _S.ABSENT: _ABSENT,
    _S.INCOMPLETE: _INCOMPLETE,
    **{state: _resolved(state) for state in _RESOLVED_STATES},
    # What the user gave stays as it is, whatever the link says.
    _S.PERMANENT: {event: Transition(_S.PERMANENT, (), "static entry") for event in _resolved(_S.PERMANENT)},
}

TRANSITIONS[_S.REACHABLE][_E.REACHABLE_TIMEOUT] = Transition(_S.STALE, (), "RFC 4861 7.3.3")
TRANSITIONS[_S.STALE][_E.PACKET_TO_SEND] = Transition(_S.DELAY, (_A.START_DELAY_TIMER,), "RFC 4861 7.3.3")
TRANSITIONS[_S.DELAY][_E.DELAY_TIMEOUT] = Transition(_S.PROBE, (_A.UNICAST_SOLICIT,), "RFC 4861 7.3.3")
TRANSITIONS[_S.PROBE][_E.RETRANSMIT] = Transition(_S.PROBE, (_A.UNICAST_SOLICIT,), "RFC 4861 7.3.3")
TRANSITIONS[_S.PROBE][_E.RETRANSMIT_LAST] = Transition(_S.UNREACHABLE, (_A.MULTICAST_SOLICIT,), "RFC 7048 3")
TRANSITIONS[_S.PROBE][_E.NEVER_ANSWERED] = Transition(_S.ABSENT, (_A.STOP_TIMER, _A.DISCARD_ENTRY), "RFC 4861 7.3.3")
TRANSITIONS[_S.UNREACHABLE] |= {
    _E.PACKET_TO_SEND: Transition(_S.UNREACHABLE, (_A.MULTICAST_SOLICIT,), "RFC 7048 3"),
    _E.RETRANSMIT: Transition(_S.UNREACHABLE, (_A.MULTICAST_SOLICIT,), "RFC 7048 3"),
    _E.UNUSED: Transition(_S.UNREACHABLE, (), "RFC 7048 3"),
    _E.SOLICITED_DIFFERENT: Transition(_S.REACHABLE, (_A.RECORD_ADDRESS, *_CONFIRM), "RFC 7048 3"),
    # It is there again, by its own word: worth being sent to as before.
    _E.UNSOLICITED_SAME: Transition(_S.STALE, (_A.STOP_TIMER, _A.UPDATE_ROUTER), "RFC 7048 3"),
    _E.HEARD_SAME: Transition(_S.STALE, (_A.STOP_TIMER,), "RFC 7048 3"),
}


def advertised(solicited: bool, override: bool, known: bytes | None, given: bytes | None) -> NeighborEvent:
    """Which event a neighbour advertisement is, for an entry whose MAC is `known` and which names `given`."""
    if given is None:
        return _E.SOLICITED_BARE if solicited else _E.UNSOLICITED_BARE
    if given == known:
        return _E.SOLICITED_SAME if solicited else _E.UNSOLICITED_SAME
    if override:
        return _E.SOLICITED_OVERRIDE if solicited else _E.UNSOLICITED_OVERRIDE
    return _E.SOLICITED_DIFFERENT if solicited else _E.UNSOLICITED_DIFFERENT


def heard(known: bytes | None, given: bytes | None) -> NeighborEvent:
    """Which event any other message from the neighbour is."""
    if given is None:
        return _E.HEARD_BARE
    return _E.HEARD_SAME if given == known else _E.HEARD_DIFFERENT
