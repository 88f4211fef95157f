"""`sixtap replay`: captures fed to a virtual host on a virtual clock, and what it made of them.

Needs no privilege and no device. Each capture has a fresh host. Exit status 0:
nothing found; 1: a rule was broken or something raised; 2: usage, or a file that is
no capture (a damaged tail is a warning).
"""

import argparse
from pathlib import Path

from stack.errors import UsageError

MODES = ("auto", "verbatim", "readdress", "stimulus")


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `sixtap replay`."""
    parser.add_argument(
        "captures", nargs="+", type=Path, metavar="CAPTURE", help="pcap or pcapng files, bundles (sixtap record)"
    )
    parser.add_argument(
        "--mode",
        choices=MODES,
        default=MODES[0],
        help="auto (default): re-addressed unless it is for us; verbatim: as captured; readdress: to our host; "
        "stimulus: only what others sent, beside what the node of the capture sent itself",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the host's random choices (default 0)")
    parser.add_argument("--pace", action="store_true", help="in real time, as captured")
    parser.add_argument("--json", "-j", action="store_true", help="print one JSON document")
    group = parser.add_argument_group("fuzzing")
    group.add_argument("--mutate", action="store_true", help="feed mutated windows of the captures to a warm host")
    group.add_argument("--iterations", type=_count, default=1_000, metavar="N", help="cases (default 1,000)")
    group.add_argument("--case", type=_count, metavar="N", help="this one case alone")
    group.add_argument("--cold", action="store_true", help="each case begins with a host that just comes up")
    group.add_argument("--save", type=Path, metavar="DIR", help="write what is found there: a capture, a case, a test")
    group.add_argument("--uncovered", action="store_true", help="list the states, events and discards never reached")
    group = parser.add_argument_group("a real link")
    group.add_argument("--to-tap", metavar="NAME", help="send the frames through this TAP device, without a host")
    group.add_argument("--alive", metavar="ADDRESS", help="ping this target, and find what silences it")
    parser.add_argument("-v", "--verbose", action="store_true", help="a line for each frame, and for each answer")
    parser.epilog = (
        "examples:\n  sixtap replay --mode stimulus office.pcapng\n"
        "  sixtap replay --mutate --iterations 5000 --save found office.pcapng"
    )


def _count(text: str) -> int:
    """A whole number that is not negative."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Play, mutate or send the captures; the exit status."""
    # Imported only here, so that a plain replay does not wait for it.
    if arguments.to_tap is not None:
        if arguments.mutate or arguments.json:
            raise UsageError("--to-tap sends captures as they are: no --mutate, no --json")
        from stack.cli import replay_aim

        return replay_aim.run(arguments)
    if arguments.alive is not None:
        raise UsageError("--alive goes with --to-tap")
    if arguments.mutate:
        from stack.cli import replay_mutate

        return replay_mutate.run(arguments)
    _refuse_fuzzing_options(arguments)
    from stack.cli import replay_play

    return replay_play.run(arguments)


def _refuse_fuzzing_options(arguments: argparse.Namespace) -> None:
    given = {"--case": arguments.case is not None, "--cold": arguments.cold, "--save": arguments.save is not None}
    for option, there in {**given, "--uncovered": arguments.uncovered}.items():
        if there:
            raise UsageError(f"{option} goes with --mutate")
