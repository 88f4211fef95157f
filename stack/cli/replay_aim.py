"""`sixtap replay --to-tap`: captures leave through a TAP device in real time; `--alive` watches a target."""

import argparse
import shlex
from pathlib import Path

from stack.address import parse_address
from stack.aim import Aim, Prober
from stack.capture import files
from stack.capture.writing import pcap
from stack.cli import replay_text
from stack.cli.tapping import opened_unfiltered
from stack.errors import UsageError
from stack.explain.frame import describe


def run(arguments: argparse.Namespace) -> int:
    """Send the captures; exit status 1 if the target fell silent."""
    target = None if arguments.alive is None else parse_address(arguments.alive)
    with opened_unfiltered(arguments.to_tap, None) as link:
        prober = None if target is None else Prober(link, target)
        if prober is not None and not prober.is_alive():
            raise UsageError(f"{arguments.alive} does not answer before anything is sent")
        aim = Aim(link, prober, replay_text.warn)
        alive = all(aim.send(files.frames(path, replay_text.warn)) for path in arguments.captures)
    print(f"{aim.sent} frames sent, {aim.refused} not taken by {arguments.to_tap}")
    if not alive:
        print(f"{arguments.alive} fell silent; {len(aim.culprits)} frames are enough:")
        for octets in aim.culprits:
            print(f"  {describe(octets)}")
        _save(arguments.save, aim.culprits)
    print(_command(arguments))
    return 0 if alive else 1


def _save(folder: Path | None, frames: list[bytes]) -> None:
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "min.pcap").write_bytes(pcap((0.0, octets) for octets in frames))
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}") from error
    replay_text.warn(f"kept in {folder / 'min.pcap'}")


def _command(arguments: argparse.Namespace) -> str:
    words = ["sixtap", "replay", "--to-tap", arguments.to_tap]
    words += [] if arguments.alive is None else ["--alive", arguments.alive]
    return shlex.join([*words, *map(str, arguments.captures)])
