"""What the journal says in the RFCs' terms, said for somebody who reads it for the first time.

The keys are the values of the state tables' events, where it matters with the
state before or after. What is not here is told in the journal's own words.
"""

from stack.discard import Discard, Outcome, Verdict
from stack.mld.states import ListenerEvent, ListenerState
from stack.nd.dad import DadEvent
from stack.nd.states import NeighborEvent, NeighborState

_N = NeighborEvent
_L = ListenerEvent
_D = DadEvent

# By the state before, where the words for any state do not fit.
_FROM_STATE = {
    ("start listening", ListenerState.PENDING.value): "the delay is over, so report it now",
    ("start listening", ListenerState.IDLE.value): "now it can be reported",
    (_L.START_UNHEARD.value, ListenerState.IDLE.value): "nothing can be sent yet, so report it later",
}

_BY_STATE = {
    (_N.PACKET_TO_SEND.value, NeighborState.INCOMPLETE.value): "no MAC yet, so ask",
    (_N.PACKET_TO_SEND.value, NeighborState.DELAY.value): "in use, so verify it soon",
    (_N.PACKET_TO_SEND.value, NeighborState.UNREACHABLE.value): "silent when last asked, so ask again",
    (
        _N.RETRANSMIT_LAST.value,
        NeighborState.UNREACHABLE.value,
    ): "no answer at all, so ask for it as if its MAC were new",
    (_N.HEARD_DIFFERENT.value, NeighborState.STALE.value): "heard its MAC, not verified",
}

_EVENTS = {
    _N.RETRANSMIT.value: "no answer in time, so ask again",
    _N.RETRANSMIT_LAST.value: "no answer at all, so give up",
    _N.NEVER_ANSWERED.value: "no answer at all, and never one before, so give up",
    _N.UNUSED.value: "no answer, and nothing to send to it, so let it be",
    _N.REACHABLE_TIMEOUT.value: "not heard of for a while",
    _N.DELAY_TIMEOUT.value: "not confirmed, so ask it directly",
    _N.CONFIRMED.value: "what was sent to it has arrived",
    _N.SOLICITED_SAME.value: "it answered",
    _N.SOLICITED_BARE.value: "it answered",
    _N.SOLICITED_OVERRIDE.value: "it answered with its MAC",
    _N.SOLICITED_DIFFERENT.value: "it answered with its MAC",
    _N.UNSOLICITED_SAME.value: "it says what its MAC is, unasked",
    _N.UNSOLICITED_BARE.value: "it says that it is there, unasked",
    _N.UNSOLICITED_OVERRIDE.value: "it says that its MAC is another, unasked",
    _N.UNSOLICITED_DIFFERENT.value: "somebody claims another MAC for it, not to be believed yet",
    _N.HEARD_SAME.value: "heard its MAC",
    _N.HEARD_BARE.value: "heard from it, without its MAC",
    _L.START.value: "listen and report now, repeat later",
    _L.START_ONCE.value: "listen and report now",
    _L.START_DELAYED.value: "listen now, report later",
    _L.START_SILENT.value: "listen, without ever reporting it",
    _L.START_UNHEARD.value: "listen, report once there is an address",
    _L.STOP.value: "listen no longer",
    _L.TIMER.value: "time to report, repeat later",
    _L.TIMER_LAST.value: "time to report",
    _L.QUERY_NOW.value: "asked, so report at once",
    _L.QUERY_SOONER.value: "asked, so report soon",
    _L.QUERY_LATER.value: "asked, and a report is due soon anyway",
    _L.REPORT.value: "another host has reported it",
    _L.ANNOUNCE.value: "an address is valid, report again",
    _L.DOWN.value: "the interface is down, report again when it is up",
    "start listening": "listen and report it",
    "version 1 from now on": "an older router is present, so speak MLD version 1",
    "version 2 from now on": "no older router is present any more, so speak MLD version 2",
    _D.DELAY_OVER.value: "the random delay is over",
    _D.TIMEOUT_MORE.value: "no objection, ask again",
    _D.TIMEOUT_LAST.value: "nobody objected",
    _D.PROBE_BY_OTHER.value: "another host wants it too",
    _D.ADVERTISEMENT.value: "another host has it",
    _D.OWN_PROBE.value: "its own question has come back",
    _D.TIMEOUT_LOOPED.value: "no objection, but its own questions came back, so ask more often",
}

# Of what carries figures or addresses: how the event begins or ends, and what is said in the place of that.
_BEGINNINGS = (
    ("answer in ", "asked, so answer in "),
    ("answered with all groups in ", "asked, and to be answered with all groups in "),
    ("current state ", "time to answer: current state "),
    ("nothing to answer", "time to answer, but there is nothing to say"),
    ("hangs on ", "now hangs on "),
    ("saved, ", "saved, since "),
)
_ENDINGS = (
    (", 1 to follow", ", to be repeated"),
    (", 0 to follow", ", for the last time"),
)

TAKES = "takes it"

_OUTCOMES: dict[Outcome, str] = {
    Verdict.ANSWERED: "answers",
    Verdict.DELIVERED: TAKES,
    Discard.NOT_FOR_US: "ignores it: neither its own MAC nor that of a joined group",
}

# By state of an address: what to say, and the clause.
ADDRESS_STATES = {
    "optimistic": ("is optimistic, in use with care while it is tested", "RFC 4429 3.3"),
    "tentative": ("is tentative, not to be used yet", "RFC 4862 5.4"),
    "preferred": ("is preferred, ready for use", "RFC 4862 5.4"),
    "deprecated": ("is deprecated, not for new traffic", "RFC 4862 5.5.4"),
    "duplicated": ("is a duplicate, not to be used", "RFC 4862 5.4.5"),
    "deleted": ("is gone", ""),
}


def event_words(event: str, before: str, after: str) -> str:
    """Plain words for an event, of a state table or not, and the states that it leads from and to."""
    words = _FROM_STATE.get((event, before)) or _BY_STATE.get((event, after)) or _EVENTS.get(event)
    if words is not None:
        return words
    for said, better in _BEGINNINGS:
        if event.startswith(said):
            event = better + event.removeprefix(said)
    for said, better in _ENDINGS:
        if event.endswith(said):
            event = event.removesuffix(said) + better
    return event


def has_words(event: str) -> bool:
    """Whether an event is told in other words than the journal's own."""
    return event in _EVENTS or any(event == known for known, _ in (*_FROM_STATE, *_BY_STATE))


def outcome_words(outcome: Outcome) -> str:
    """How a frame ended, as a verb for its receiver."""
    words = _OUTCOMES.get(outcome)
    if words is not None:
        return words
    return f"ignores it: {outcome.text}" if isinstance(outcome, Discard) else outcome.value
