"""`sixtap demo --step` and `--ask`, on a terminal and without one."""

import io
import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from stack.cli import catalogue, demo, reading
from stack.errors import UsageError
from stack.sim.scenarios.vocabulary import Ask
from stack.sim.transcript import FRAME, OUTCOME, QUESTION, Step, Transcript
from tests.cli.test_demo import ROOT, parse, play

SIXTAP = [sys.executable, "-c", "import sys; from stack.cli.main import main; sys.exit(main(sys.argv[1:]))"]
PATIENCE = 20.0


class Terminal:
    """The far end of a terminal on which a command runs."""

    def __init__(self, descriptor: int, process: "subprocess.Popen[bytes]") -> None:
        self._descriptor = descriptor
        self._process = process

    def read_to(self, pattern: str) -> str:
        """What is on the screen up to this; AssertionError if it does not come."""
        shown = ""
        while not re.search(pattern, shown):
            ready, _, _ = select.select([self._descriptor], [], [], PATIENCE)
            assert ready, f"{pattern!r} does not come after {shown[-500:]!r}"
            try:
                shown += os.read(self._descriptor, 65_536).decode()
            except OSError:
                raise AssertionError(f"it ended without {pattern!r}: {shown[-500:]!r}") from None
        return shown.replace("\r\n", "\n")

    def type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def ended(self) -> int:
        return self._process.wait(PATIENCE)


@contextmanager
def terminal(*words: str) -> Iterator[Terminal]:
    near, far = pty.openpty()
    process = subprocess.Popen([*SIXTAP, "demo", *words], cwd=ROOT, stdin=far, stdout=far, stderr=far)
    os.close(far)
    try:
        yield Terminal(near, process)
    finally:
        process.kill()
        process.wait()
        os.close(near)


def told(*words: str, typed: str = "", name: str = "unreachable", seed: int = 0) -> tuple[str, bool]:
    """A reading with these lines typed by a program; its text, and whether it was to the end."""
    out = io.StringIO()
    reader = reading.Reader(io.StringIO(typed), out)
    stayed = reading.read_along(play(name, seed), reader, step="step" in words, ask="ask" in words, seed=seed)
    return out.getvalue(), stayed


# -- --step


def test_step_stops_after_each_frame_on_a_terminal() -> None:
    with terminal("unreachable", "--step") as screen:
        first = screen.read_to(r"q: quit\] $")
        assert first.count("-->") == 1
        assert "ada  neighbour bob" in first and "INCOMPLETE" in first
        screen.type("\n")
        second = screen.read_to(r"q: quit\] $")
        assert second.count("-->") == 1 and "neighbour advertisement" in second
        assert re.search(r"neighbour bob +\S*INCOMPLETE +REACHABLE", second)
        screen.type("q\n")
        assert screen.ended() == 0


def test_step_shows_as_many_stops_as_frames() -> None:
    frames = len(play("unreachable").of_kind(FRAME))
    text, stayed = told("step", typed="\n" * frames)
    assert stayed and text.count("[Enter: on, q: quit]") == frames
    text, stayed = told("step", typed="\n\nq\n")
    assert not stayed and text.count("-->") == 3


def test_step_without_anybody_to_press_enter_does_not_hang() -> None:
    done = subprocess.run(
        [*SIXTAP, "demo", "unreachable", "--step"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("before") >= len(play("unreachable").of_kind(FRAME)) - 1
    assert done.stdout.count("[Enter") == 1, "when the input has ended nothing more is asked for"


def test_states_in_columns() -> None:
    step = Step(1.0, FRAME, "ada (::)", "a frame", within=[Step(1.0, OUTCOME, "bob", "ignores it")])
    step.states = (
        {"ada": {"address x": "tentative"}, "bob": {"address y": "preferred"}, "cyd": {"address z": "preferred"}},
        {"ada": {"group g": "idle"}, "bob": {"address y": "preferred"}, "cyd": {"address z": "deprecated"}},
    )
    assert reading.state_lines(step) == [
        "                state      before     after",
        "           ada  address x  tentative  -",
        "           ada  group g    -          idle",
        "           cyd  address z  preferred  deprecated",
    ], "the sender and whoever changed; bob has ignored it"
    assert reading.state_lines(Step(1.0, FRAME, "ada", "a frame")) == []


# -- --ask


def answers(name: str, seed: int = 0) -> list[str]:
    """The letters of the right answers, read off the screen of somebody who always answers `a`."""
    text, _ = told("ask", typed="a\n" * 9, name=name, seed=seed)
    return [right or "a" for right in re.findall(r"^(?:Right|No, (\w)):", text, re.MULTILINE)]


@pytest.mark.parametrize("name", ["unreachable", "query", "done"])
def test_whoever_knows_has_all_of_them_right(name: str) -> None:
    count = sum(isinstance(step, Ask) for step in catalogue.find(name).steps)
    right = answers(name)
    assert len(right) == count
    text, stayed = told("ask", typed="".join(f"{letter}\n" for letter in right), name=name)
    assert stayed and text.endswith(f"\n{count} of {count} right.\n")
    wrong = ["b" if letter == "a" else "a" for letter in right]
    text, _ = told("ask", typed="".join(f"{letter}\n" for letter in wrong), name=name)
    assert text.endswith(f"\n0 of {count} right.\n")


def test_the_right_one_is_not_always_the_same_letter() -> None:
    assert len({answers("done", seed)[0] for seed in range(12)}) == 3


def test_a_question_is_asked_before_it_happens_and_answered_with_the_clause_on_a_terminal() -> None:
    (letter,) = answers("done")
    with terminal("done", "--ask") as screen:
        question = screen.read_to(r"q: quit\] $")
        assert "What does it say?" in question and "Done: no longer" not in question
        screen.type("z\n")
        screen.read_to(r"one of a, b, c; q: quit\] $")
        screen.type(f"{letter}\n")
        rest = screen.read_to("1 of 1 right")
        assert "Right: Done, to the routers (RFC 2710 4)." in rest
        assert "Done: no longer listens to ff15::cafe" in rest
        assert screen.ended() == 0


def test_a_wrong_answer_is_told_the_right_one() -> None:
    (letter,) = answers("done")
    wrong = "b" if letter == "a" else "a"
    text, _ = told("ask", typed=f"{wrong}\n", name="done")
    assert f"No, {letter}: Done, to the routers (RFC 2710 4)." in text


@pytest.mark.parametrize("typed", ["", "q\n"])
def test_who_has_had_enough_hears_the_score(typed: str) -> None:
    text, stayed = told("ask", typed=typed)
    assert not stayed and text.endswith("\n0 of 0 right.\n")


def test_both_at_once() -> None:
    transcript = Transcript(
        [Step(0.0, QUESTION, "", "Why?", "RFC 1", choices=("so", "no")), Step(1.0, FRAME, "a", "b")]
    )
    out = io.StringIO()
    reader = reading.Reader(io.StringIO("a\nb\n"), out)
    assert reading.read_along(transcript, reader, step=True, ask=True)
    assert out.getvalue().index("Why?") < out.getvalue().index("[Enter")


@pytest.mark.parametrize("words", [("--step", "-j"), ("--ask", "--list"), ("--ask", "--compare", "standard,netbsd")])
def test_they_are_for_a_reader_of_one_scenario(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="--step and --ask tell one scenario"):
        demo.run(parse(*words))
