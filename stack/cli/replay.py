"""`sixtap replay`: captures fed to a virtual host on a virtual clock, and what it made of them.

Needs no privilege and no device. Each capture has a fresh host. Exit status 0:
nothing found; 1: a rule was broken or something raised; 2: usage, or a file that is
no capture (a damaged tail is a warning).
"""

import argparse
import shlex
import time
from pathlib import Path

from stack.cli import replay_text
from stack.errors import UsageError
from stack.replay.bundles import is_bundle, play_bundle
from stack.replay.play import Mode, Player

SUMMARY = "feed captures to a virtual host, and report what it did; --mutate fuzzes it"


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `sixtap replay`."""
    parser.add_argument(
        "captures", nargs="+", type=Path, metavar="CAPTURE", help="pcap or pcapng files, bundles (sixtap record)"
    )
    parser.add_argument(
        "--mode",
        choices=[mode.value for mode in Mode],
        default=Mode.AUTO.value,
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
    command = _command(arguments)
    player = Player(
        Mode(arguments.mode),
        arguments.seed,
        replay_text.warn,
        watch=replay_text.show if arguments.verbose and not arguments.json else None,
        pace=Pacer().wait if arguments.pace else None,
    )
    progress = replay_text.Progress(len(arguments.captures))
    for path in arguments.captures:
        if is_bundle(path):
            play_bundle(path, player.report)
        else:
            player.play(path)
        progress.tell(player.report.frames)
    replay_text.conclude(player.report, arguments.seed, as_json=arguments.json, command=command)
    return 0 if player.report.clean else 1


def _refuse_fuzzing_options(arguments: argparse.Namespace) -> None:
    given = {"--case": arguments.case is not None, "--cold": arguments.cold, "--save": arguments.save is not None}
    for option, there in {**given, "--uncovered": arguments.uncovered}.items():
        if there:
            raise UsageError(f"{option} goes with --mutate")


def _command(arguments: argparse.Namespace) -> str:
    """What repeats this run."""
    words = ["sixtap", "replay", *map(str, arguments.captures), "--mode", arguments.mode]
    return shlex.join([*words, "--seed", str(arguments.seed)])


class Pacer:
    """Waits until the wall clock has gone on as far as the virtual one."""

    def __init__(self) -> None:
        self._start: float | None = None

    def wait(self, virtual: float) -> None:
        """Return when it is `virtual` seconds since the first call's."""
        now = time.monotonic()
        if self._start is None or virtual < now - self._start:
            self._start = now - virtual
        time.sleep(max(0.0, self._start + virtual - now))
