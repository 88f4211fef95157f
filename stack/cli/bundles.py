"""Where `why` and `why-not` have their bundle from: a file, or the running host that is meant.

What it takes to replay one is imported only when there is one.
"""

import argparse
import base64
from pathlib import Path
from typing import TYPE_CHECKING

from stack.cli.asking import ask
from stack.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from stack.recorder.bundle import Bundle


def add_bundle_option(parser: argparse.ArgumentParser) -> None:
    """The option that names a file."""
    parser.add_argument("--bundle", type=Path, metavar="FILE", help="ask a bundle (sixtap record), not a running host")


def take(arguments: argparse.Namespace, *, state_alone: bool = False) -> "Bundle":
    """The bundle; a host that records nothing refuses, or with `state_alone` gives its state of now."""
    octets = _octets(arguments, state_alone)
    from stack.recorder.bundle import unpack

    try:
        return unpack(octets)
    except RefusedError as error:
        raise RefusedError(f"{arguments.bundle or 'the host'}: {error}") from error


def _octets(arguments: argparse.Namespace, state_alone: bool) -> bytes:
    path: Path | None = arguments.bundle
    if path is None:
        return base64.b64decode(ask(arguments, "record", state_alone=state_alone)["bundle"])
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
