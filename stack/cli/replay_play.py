"""`sixtap replay` without --mutate and --to-tap: each capture fed to a fresh host, and the report."""

import argparse
import shlex
import time

from stack.cli import replay_text
from stack.replay.bundles import is_bundle, play_bundle
from stack.replay.play import Mode, Player


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
    progress = replay_text.Progress(len(arguments.captures))
    for path in arguments.captures:
        if is_bundle(path):
            play_bundle(path, player.report)
        else:
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
