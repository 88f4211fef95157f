"""`sixtap demo`: scenarios on an in-memory switch in virtual time, told frame by frame in plain words.

It needs no privilege and no device. The text is a function of scenario and seed;
nothing of the machine, its clock or its load is in it.
"""

import argparse
import json
import os
import sys
from typing import Any

from stack.sim.render import render, wrapped
from stack.sim.scenarios import catalogue
from stack.sim.stage import Scenario
from stack.sim.transcript import Transcript

SUMMARY = "scenarios on a link in memory, in plain words; needs no privilege"


MORE = "`sixtap demo --list` names the other scenarios; `--seed N` runs this one with other delays."


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `sixtap demo`."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="the scenario; without one, the first of the list")
    parser.add_argument("--list", action="store_true", help="list the scenarios")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another run: other delays, another order")
    parser.add_argument("-j", "--json", action="store_true", help="print one JSON document instead of the text")
    parser.epilog = "example:\n  sixtap demo duplicate --seed 3"


def run(arguments: argparse.Namespace) -> int:
    """Tell one scenario, or list them; the exit status. Raises UsageError for an unknown name."""
    as_json: bool = arguments.json
    if arguments.list:
        text = _dump(_listing()) if as_json else _list_text()
    else:
        scenario = catalogue.find(arguments.name)
        transcript = catalogue.run(scenario, arguments.seed)
        if as_json:
            text = _dump(_document(scenario, transcript, arguments.seed))
        else:
            text = f"{render(transcript, colour=_wants_colour())}\n\n{closing(transcript)}"
    _print(text)
    return 0


def closing(transcript: Transcript) -> str:
    """What was on the link in all, by kind, the most frequent first."""
    kinds = sorted(transcript.frames.items(), key=lambda item: (-item[1], item[0]))
    counts = ", ".join(f"{number} x {kind}" for kind, number in kinds)
    summary = f"{transcript.frames.total()} frames in {transcript.time:.0f} seconds of virtual time: {counts}."
    return "\n".join([*wrapped(summary), MORE])


def _listing() -> list[dict[str, str]]:
    return [{"name": each.name, "title": each.title, "summary": each.summary} for each in catalogue.SCENARIOS]


def _list_text() -> str:
    width = max(len(each.name) for each in catalogue.SCENARIOS)
    return "\n".join(f"{each.name:<{width}}  {each.summary}" for each in catalogue.SCENARIOS)


def _document(scenario: Scenario, transcript: Transcript, seed: int) -> dict[str, Any]:
    return {
        "scenario": scenario.name,
        "seed": seed,
        "steps": [step.as_dict() for step in transcript.steps],
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
