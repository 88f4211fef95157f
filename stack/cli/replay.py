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
from stack.replay.play import Mode, Player

SUMMARY = "feed captures to a virtual host, and report what it did; --mutate fuzzes it"
_PROGRESS = 5.0


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `sixtap replay`."""
    parser.add_argument("captures", nargs="+", type=Path, metavar="CAPTURE", help="pcap or pcapng files")
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
    parser.add_argument("-v", "--verbose", action="store_true", help="a line for each frame, and for each answer")
    parser.epilog = "example:\n  sixtap replay --mode stimulus office.pcapng"


def run(arguments: argparse.Namespace) -> int:
    """Play the captures; the exit status."""
    command = _command(arguments)
    player = Player(
        Mode(arguments.mode),
        arguments.seed,
        replay_text.warn,
        watch=replay_text.show if arguments.verbose and not arguments.json else None,
        pace=Pacer().wait if arguments.pace else None,
    )
    progress = Progress(len(arguments.captures))
    for path in arguments.captures:
        player.play(path)
        progress.tell(player.report.frames)
    replay_text.conclude(player.report, arguments.seed, as_json=arguments.json, command=command)
    return 0 if player.report.clean else 1


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


class Progress:
    """A line on standard error every few seconds of a long run."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._told = self._began = time.monotonic()

    def tell(self, frames: int) -> None:
        """One more capture (or case) is done."""
        self._done += 1
        now = time.monotonic()
        if now - self._told >= _PROGRESS:
            self._told = now
            rate = frames / (now - self._began)
            replay_text.warn(f"{self._done} of {self._total} done, {frames} frames, {rate:,.0f} frames/s")
