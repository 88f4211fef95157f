"""The state diagrams in docs/states/ are what the tables say."""

from tools import draw_states


def test_the_committed_drawings_are_fresh() -> None:
    assert draw_states.stale() == [], "run tools/draw_states.py and commit what it writes"


def test_every_transition_is_in_its_table_and_every_change_of_state_in_its_picture() -> None:
    for machine in draw_states.MACHINES:
        text = draw_states.document(machine)
        for state, transitions in machine.table.items():
            for event, row in transitions.items():
                assert f"| {state.value} | {event.value} | {row.state.value} |" in text
                if row.state is not state:
                    assert f"    {state.name} --> {row.state.name} : " in text
