"""`sixtap demo`: scenarios on an in-memory switch in virtual time, told frame by frame in plain words.

It needs no privilege and no device. The text is a function of scenario and seed;
nothing of the machine, its clock or its load is in it. With --step it stops after
each frame and shows the states of the hosts before and after it; with --ask it
first asks what the host will do. Enter goes on, q ends.
"""

import argparse
import json
import os
import sys
from difflib import get_close_matches
from typing import Any

from stack.cli.reading import Reader, read_along
from stack.errors import UsageError
from stack.sim.compare import compare
from stack.sim.render import render, wrapped
from stack.sim.scenarios import catalogue
from stack.sim.scenarios.vocabulary import NETBSD, STANDARD, Scenario
from stack.sim.storyteller import tell
from stack.sim.transcript import QUESTION, Transcript

SUMMARY = "scenarios on a link in memory, in plain words; needs no privilege"

MORE = "`sixtap demo --list` names the other scenarios; `--seed N` runs this one with other delays."
_PERSONALITIES = (STANDARD, NETBSD)


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `sixtap demo`."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="the scenario; without one, the first of the list")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--list", action="store_true", help="list the scenarios")
    how.add_argument(
        "--compare",
        metavar="ONE,OTHER",
        help="run it in two personalities (standard,netbsd) and show the frames that differ, with their SEED row",
    )
    how.add_argument("--step", action="store_true", help="stop after each frame, with the states before and after it")
    parser.add_argument("--ask", action="store_true", help="ask what the host will do before it does it")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another run: other delays, another order")
    parser.add_argument("-j", "--json", action="store_true", help="print one JSON document instead of the text")
    parser.epilog = "example:\n  sixtap demo duplicate --seed 3\n  sixtap demo done --compare standard,netbsd"


def run(arguments: argparse.Namespace) -> int:
    """Tell one scenario, or list them; the exit status. Raises UsageError for an unknown name."""
    as_json: bool = arguments.json
    interactive = arguments.step or arguments.ask
    if interactive and (as_json or arguments.list or arguments.compare):
        raise UsageError("--step and --ask tell one scenario, in text, to somebody who reads along")
    if arguments.list:
        _print(_dump(_listing()) if as_json else _list_text())
        return 0
    scenario = _find(arguments.name)
    if arguments.compare:
        return _compare(scenario, arguments.compare, arguments.seed, as_json=as_json)
    transcript, _ = tell(scenario, arguments.seed)
    if interactive:
        return _read_along(transcript, arguments)
    if as_json:
        _print(_dump(_document(scenario, transcript, arguments.seed)))
    else:
        _print(f"{render(transcript, colour=_wants_colour())}\n\n{closing(transcript)}")
    return 0


def _read_along(transcript: Transcript, arguments: argparse.Namespace) -> int:
    reader = Reader(sys.stdin, sys.stdout)
    stayed = read_along(
        transcript, reader, step=arguments.step, ask=arguments.ask, seed=arguments.seed, colour=_wants_colour()
    )
    if stayed:
        _print(f"\n{closing(transcript)}")
    return 0


def _find(name: str | None) -> Scenario:
    """The scenario of that name; UsageError that names those that are like it."""
    like = get_close_matches(name or "", [each.name for each in catalogue.SCENARIOS])
    if like and name not in like:
        raise UsageError(f"there is no scenario {name!r}; do you mean {' or '.join(like)}?")
    return catalogue.find(name)


def closing(transcript: Transcript) -> str:
    """What was on the link in all, by kind, the most frequent first."""
    kinds = sorted(transcript.frames.items(), key=lambda item: (-item[1], item[0]))
    counts = ", ".join(f"{number} x {kind}" for kind, number in kinds)
    summary = f"{transcript.frames.total()} frames in {transcript.time:.0f} seconds of virtual time: {counts}."
    return "\n".join([*wrapped(summary), MORE])


def _compare(scenario: Scenario, words: str, seed: int, *, as_json: bool) -> int:
    one, comma, other = words.partition(",")
    for word in (one, other) if comma else (words,):
        if word not in _PERSONALITIES:
            raise UsageError(f"--compare takes two of {', '.join(_PERSONALITIES)}, as standard,netbsd; not {word!r}")
    if not comma or one == other:
        raise UsageError("--compare takes two different personalities, as standard,netbsd")
    comparison = compare(scenario, one, other, seed)
    _print(_dump(comparison.document()) if as_json else comparison.text())
    return 0


def _listing() -> list[dict[str, str]]:
    return [{"name": each.name, "title": each.title, "summary": each.summary} for each in catalogue.SCENARIOS]


def _list_text() -> str:
    width = max(len(each.name) for each in catalogue.SCENARIOS)
    return "\n".join(f"{each.name:<{width}}  {each.summary}" for each in catalogue.SCENARIOS)


def _document(scenario: Scenario, transcript: Transcript, seed: int) -> dict[str, Any]:
    return {
        "scenario": scenario.name,
        "seed": seed,
        "steps": [step.as_dict() for step in transcript.steps if step.kind != QUESTION],
        "frames": dict(sorted(transcript.frames.items())),
        "time": round(transcript.time, 6),
    }


def _dump(document: object) -> str:
    return json.dumps(document, indent=2)


def _wants_colour() -> bool:
    """Only on a terminal, and not if the user has set NO_COLOR (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _print(text: str) -> None:
    """Print all of it, or as much as the reader wants: `| head` is no error."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # The interpreter flushes standard output once more at exit; let that succeed.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
