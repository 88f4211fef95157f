"""`sixtap demo NAME`: one scenario told, read along step by step, or put beside itself in another personality."""

import argparse
import json
import os
import sys
from difflib import get_close_matches
from typing import Any

from stack.cli import catalogue
from stack.cli.reading import Reader, read_along
from stack.errors import UsageError
from stack.sim.compare import compare
from stack.sim.render import render, wrapped
from stack.sim.scenarios.listing import LISTING
from stack.sim.scenarios.vocabulary import NETBSD, STANDARD, Scenario
from stack.sim.storyteller import tell
from stack.sim.transcript import QUESTION, Transcript

MORE = "`sixtap demo --list` names the other scenarios; `--seed N` runs this one with other delays."
_PERSONALITIES = (STANDARD, NETBSD)


def run(arguments: argparse.Namespace) -> int:
    """Tell it; the exit status. Raises UsageError for an unknown name."""
    scenario = _find(arguments.name)
    if arguments.compare:
        return _compare(scenario, arguments.compare, arguments.seed, as_json=arguments.json)
    transcript, _ = tell(scenario, arguments.seed)
    if arguments.step or arguments.ask:
        return _read_along(transcript, arguments)
    if arguments.json:
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
    like = get_close_matches(name or "", [each.name for each in LISTING])
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
