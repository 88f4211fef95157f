"""The journal is complete: whatever a host does in eventful lives has a cause, and a decision with its clause."""

import pytest

from stack.explain.frame import account
from stack.journal import NO_CAUSE
from stack.recorder.bundle import pack, unpack
from stack.recorder.history import History, history
from tests.recorder.test_replaying import recorded_life


@pytest.fixture(scope="module", params=range(4))
def told(request: pytest.FixtureRequest) -> History:
    life, recorder = recorded_life(request.param)
    life.lead(600)
    return history(unpack(pack(recorder.stretch(), life.now, 0.0)))


def test_every_frame_in_has_one_outcome(told: History) -> None:
    inbound = [seen for seen in told.frames.values() if seen.inbound]
    assert len(inbound) > 50
    for seen in inbound:
        outcomes = [each for each in told.decisions.get(seen.because, []) if each.layer == "host"]
        assert len(outcomes) == 1, account(seen.frame).text
        assert outcomes[0].clause or not outcomes[0].what.startswith("discarded")


def test_every_frame_out_has_a_cause_and_a_decision_with_a_clause(told: History) -> None:
    outbound = [seen for seen in told.frames.values() if not seen.inbound]
    assert len(outbound) > 50
    for seen in outbound:
        assert seen.because != NO_CAUSE
        decisions = told.decisions.get(seen.because, [])
        assert any(each.clause for each in decisions), f"{account(seen.frame).text}, because of {seen.because.text}"


def test_every_chain_leads_to_a_frame_or_a_call(told: History) -> None:
    for seen in told.frames.values():
        first = seen.because.chain()[-1]
        assert first.frame is not None or first.text.startswith("call "), first


def test_all_layers_have_their_say(told: History) -> None:
    layers = {each.layer for decisions in told.decisions.values() for each in decisions}
    assert layers >= {"link", "host", "nd", "dad", "mld", "address", "routes", "icmp6", "udp"}
