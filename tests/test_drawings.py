"""The state diagrams in docs/states/ are what the tables say, and docs/sixtap.1 what the help texts say."""

import shutil
import subprocess

import pytest

from stack.cli.outline import whole
from stack.settings import Settings
from tools import draw_course, draw_manual, draw_metrics, draw_performance, draw_states


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


def test_the_figures_on_the_page_are_those_that_were_measured() -> None:
    assert draw_performance.stale() == [], "run tools/draw_performance.py and commit what it writes"


def test_the_committed_manual_page_is_fresh() -> None:
    assert draw_manual.FILE.read_text(encoding="utf-8") == draw_manual.document(), (
        "run tools/draw_manual.py and commit what it writes"
    )


def test_the_manual_page_is_one_that_groff_reads_without_complaint_and_has_every_command_option_and_setting() -> None:
    if shutil.which("groff") is None:
        pytest.skip("needs groff")
    # A line as long as the longest usage, so that no word is broken.
    command = ["groff", "-man", "-K", "utf8", "-T", "ascii", "-P", "-c", "-w", "w", "-r", "LL=2000n", "-r", "LT=2000n"]
    done = subprocess.run([*command, str(draw_manual.FILE)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    plain = subprocess.run(["col", "-b"], input=done.stdout, capture_output=True, text=True, check=True).stdout
    for each in whole().every():
        assert " ".join(each.path) in plain
        for option in each.options:
            assert set(option.flags) <= set(plain.replace(",", " ").replace("[", " ").replace("]", " ").split())
    for name in Settings().as_dict():
        assert f"\n       {name}" in plain


def test_the_committed_list_of_metrics_is_fresh_and_says_what_each_counts() -> None:
    assert draw_metrics.undescribed() == [], "give these a line in HELP of stack/cli/metrics.py"
    assert draw_metrics.FILE.read_text(encoding="utf-8") == draw_metrics.document(), (
        "run tools/draw_metrics.py and commit what it writes"
    )


def test_the_exchanges_in_the_course_are_fresh() -> None:
    assert draw_course.stale() == [], "run tools/draw_course.py and commit what it writes"


def test_the_pictures_have_every_state_and_every_arrow() -> None:
    for machine in draw_states.MACHINES:
        text = draw_states.svg(machine)
        assert all(f">{state.value}</text>" in text for state in machine.table)
        arrows = text.count('class="arrow"')
        changes = {
            (state, row.state)
            for state, transitions in machine.table.items()
            for row in transitions.values()
            if row.state is not state or row.actions
        }
        assert arrows == len(changes)
