"""A router's state machines as tables: who asks on a link, and the listeners of one address in version 1 (RFC 2710 6).

Version 2 elects its querier in the same way (RFC 3810 7.6.2); its listeners are
not a state machine but the tables of `actions`. A pair that is not in a table
changes nothing.
"""

from enum import Enum
from typing import NamedTuple


class Role(Enum):
    """A router's part on a link."""

    INITIAL = "initial"
    QUERIER = "querier"
    NON_QUERIER = "non-querier"

    __hash__ = object.__hash__


class RoleEvent(Enum):
    """What changes the part."""

    START = "the router starts on the link"
    QUERY_TIMER = "query timer expired"
    LOWER_QUERY = "query received from a router with a lower address"
    OTHER_QUERIER_TIMER = "other querier present timer expired"

    __hash__ = object.__hash__


class RoleAction(Enum):
    """What a change of the part does, in the order of its row."""

    SEND_QUERY = "send general query"
    START_INITIAL_TIMER = "start initial general query timer"
    START_QUERY_TIMER = "start general query timer"
    STOP_QUERY_TIMER = "stop general query timer"
    START_OTHER_QUERIER_TIMER = "start other querier present timer"

    __hash__ = object.__hash__


class RoleTransition(NamedTuple):
    """The new part, the actions in order, the clause."""

    state: Role
    actions: tuple[RoleAction, ...]
    clause: str


_ASK = (RoleAction.SEND_QUERY, RoleAction.START_QUERY_TIMER)

ROLES: dict[Role, dict[RoleEvent, RoleTransition]] = {
    Role.INITIAL: {
        RoleEvent.START: RoleTransition(
            Role.QUERIER, (RoleAction.SEND_QUERY, RoleAction.START_INITIAL_TIMER), "RFC 2710 6"
        ),
    },
    Role.QUERIER: {
        RoleEvent.QUERY_TIMER: RoleTransition(Role.QUERIER, _ASK, "RFC 2710 6"),
        RoleEvent.LOWER_QUERY: RoleTransition(
            Role.NON_QUERIER, (RoleAction.STOP_QUERY_TIMER, RoleAction.START_OTHER_QUERIER_TIMER), "RFC 3810 7.6.2"
        ),
    },
    Role.NON_QUERIER: {
        RoleEvent.LOWER_QUERY: RoleTransition(
            Role.NON_QUERIER, (RoleAction.START_OTHER_QUERIER_TIMER,), "RFC 3810 7.6.2"
        ),
        RoleEvent.OTHER_QUERIER_TIMER: RoleTransition(Role.QUERIER, _ASK, "RFC 3810 7.6.2"),
    },
}


class Presence(Enum):
    """What a version 1 router knows of the listeners of an address (RFC 2710 6)."""

    NO_LISTENERS = "no listeners present"
    LISTENERS = "listeners present"
    CHECKING = "checking listeners"

    __hash__ = object.__hash__


class PresenceEvent(Enum):
    """What is heard of an address, or not heard in time."""

    REPORT = "report received"
    DONE = "Done received"
    SPECIFIC_QUERY = "multicast-address-specific query received"
    TIMER = "timer expired"
    RETRANSMIT_TIMER = "retransmit timer expired"

    __hash__ = object.__hash__


class PresenceAction(Enum):
    """The actions of RFC 2710 6, in the order of a row."""

    NOTIFY_PRESENT = "notify routing +"
    NOTIFY_GONE = "notify routing -"
    START_TIMER = "start timer"
    LOWER_TIMER = "start timer*"
    START_RETRANSMIT_TIMER = "start retransmit timer"
    CLEAR_RETRANSMIT_TIMER = "clear retransmit timer"
    SEND_QUERY = "send multicast-address-specific query"

    __hash__ = object.__hash__


class PresenceTransition(NamedTuple):
    """The new state, the actions in order, the clause."""

    state: Presence
    actions: tuple[PresenceAction, ...]
    clause: str = "RFC 2710 6"


_P = Presence
_E = PresenceEvent
_A = PresenceAction
_T = PresenceTransition

_FIRST_REPORT = _T(_P.LISTENERS, (_A.NOTIFY_PRESENT, _A.START_TIMER))
_AGAIN = _T(_P.LISTENERS, (_A.START_TIMER,))
_GONE = _T(_P.NO_LISTENERS, (_A.NOTIFY_GONE,))

PRESENCES: dict[Role, dict[Presence, dict[PresenceEvent, PresenceTransition]]] = {
    Role.QUERIER: {
        _P.NO_LISTENERS: {_E.REPORT: _FIRST_REPORT},
        _P.LISTENERS: {
            _E.REPORT: _AGAIN,
            _E.DONE: _T(_P.CHECKING, (_A.LOWER_TIMER, _A.START_RETRANSMIT_TIMER, _A.SEND_QUERY)),
            _E.TIMER: _GONE,
        },
        _P.CHECKING: {
            _E.REPORT: _T(_P.LISTENERS, (_A.START_TIMER, _A.CLEAR_RETRANSMIT_TIMER)),
            _E.RETRANSMIT_TIMER: _T(_P.CHECKING, (_A.SEND_QUERY, _A.START_RETRANSMIT_TIMER)),
            _E.TIMER: _T(_P.NO_LISTENERS, (_A.NOTIFY_GONE, _A.CLEAR_RETRANSMIT_TIMER)),
        },
    },
    Role.NON_QUERIER: {
        _P.NO_LISTENERS: {_E.REPORT: _FIRST_REPORT},
        _P.LISTENERS: {
            _E.REPORT: _AGAIN,
            _E.SPECIFIC_QUERY: _T(_P.CHECKING, (_A.LOWER_TIMER,)),
            _E.TIMER: _GONE,
        },
        _P.CHECKING: {_E.REPORT: _AGAIN, _E.TIMER: _GONE},
    },
}
