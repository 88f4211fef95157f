"""The table of duplicate address detection: every state with every event (RFC 4862 5.4, RFC 7527 4)."""

import pytest

from stack.nd.dad import TRANSITIONS, DadAction, DadEvent, DadState

S, E, A = DadState, DadEvent, DadAction

# State, event: new state, actions, and the clause that says so.
ROWS = {
    (S.WAITING, E.DELAY_OVER): (S.PROBING, (A.SEND_PROBE,), "5.4.2: the delay over, the solicitation is sent"),
    (S.WAITING, E.PROBE_BY_OTHER): (S.DUPLICATE, (A.CONCLUDE,), "5.4.3: received before one is sent"),
    (S.WAITING, E.ADVERTISEMENT): (S.DUPLICATE, (A.CONCLUDE,), "5.4.4: a tentative target is not unique"),
    (S.PROBING, E.TIMEOUT_MORE): (S.PROBING, (A.SEND_PROBE,), "5.4.2: DupAddrDetectTransmits, RetransTimer apart"),
    (S.PROBING, E.TIMEOUT_LAST): (S.UNIQUE, (A.CONCLUDE,), "5.4: none within RetransTimer after the last"),
    (S.PROBING, E.TIMEOUT_LOOPED): (S.PROBING, (A.PROBE_ON, A.SEND_PROBE), "RFC 7527 4.1: probing goes on"),
    (S.PROBING, E.PROBE_BY_OTHER): (S.DUPLICATE, (A.CONCLUDE,), "5.4.3: from another node"),
    (S.PROBING, E.ADVERTISEMENT): (S.DUPLICATE, (A.CONCLUDE,), "5.4.4"),
    (S.PROBING, E.OWN_PROBE): (S.PROBING, (A.NOTE_LOOP,), "5.4.3, RFC 7527 4.2: from the node itself, no duplicate"),
}


@pytest.mark.parametrize("event", E, ids=lambda event: event.value)
@pytest.mark.parametrize("state", S, ids=lambda state: state.value)
def test_every_state_with_every_event(state: DadState, event: DadEvent) -> None:
    """A pair that cannot happen has no row: nothing moves a verdict, and nothing sent means nothing looped back."""
    row = ROWS.get((state, event))
    transition = TRANSITIONS[state].get(event)
    if row is None:
        assert transition is None
        return
    assert transition is not None, row[2]
    assert (transition.state, transition.actions) == row[:2], row[2]
    assert transition.clause


def test_a_verdict_is_told_exactly_when_it_falls() -> None:
    """5.4: concluding is entering UNIQUE or DUPLICATE, and nothing else."""
    for transitions in TRANSITIONS.values():
        for event, transition in transitions.items():
            concluded = transition.state in (S.UNIQUE, S.DUPLICATE)
            assert (A.CONCLUDE in transition.actions) is concluded, event.value
