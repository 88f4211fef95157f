"""`sixtap explain`: each frame of a capture walked through a virtual host, layer by layer.

It says what each layer found, what the host decided, which clause of which RFC
decided it, and what the host sent. The capture is re-addressed, so that the host
plays the node that the capture is about. Needs no privilege and no device.
"""

import argparse
import sys
from pathlib import Path

from stack.errors import UsageError
from stack.replay.page import page
from stack.replay.walk import Decision, Step, layers, walk

SUMMARY = "walk the frames of a capture through a virtual host, layer by layer"


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `sixtap explain`."""
    parser.add_argument("capture", type=Path, metavar="CAPTURE", help="a pcap or pcapng file")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write one page for a browser instead of text")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the host's random choices (default 0)")
    parser.epilog = "example:\n  sixtap explain office.pcapng --html office.html"


def run(arguments: argparse.Namespace) -> int:
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
