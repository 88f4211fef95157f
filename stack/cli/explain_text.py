"""What `sixtap explain` does: walks the frames, and prints the steps or writes the page."""

import argparse
import sys

from stack.errors import UsageError
from stack.replay.page import page
from stack.replay.walk import Decision, Step, layers, walk


def run_explain(arguments: argparse.Namespace) -> int:
    """Explain a capture; the exit status."""
    steps = walk(arguments.capture, arguments.seed, _warn)
    if arguments.html is None:
        for step in steps:
            _print(step)
        return 0
    try:
        with arguments.html.open("w", encoding="utf-8") as stream:
            stream.writelines(page(arguments.capture.name, steps))
    except OSError as error:
        raise UsageError(f"{arguments.html} cannot be written: {error.strerror}") from error
    return 0


def _warn(line: str) -> None:
    print(f"sixtap: {line}", file=sys.stderr)


def _print(step: Step) -> None:
    for each in step.meanwhile:
        _line("(timer)", each)
    print(f"{step.number} at {step.time:.6f} s: {step.words}")
    for each in layers(step):
        _line(each.layer, each)
    print(f"  => {step.outcome}")
    for sent in step.sent:
        print(f"  sent: {sent}")


def _line(label: str, decision: Decision) -> None:
    change = f" ({decision.change})" if decision.change else ""
    clause = f"  [{decision.clause}]" if decision.clause else ""
    print(f"  {label:<9} {decision.what}{change}{clause}")
