"""What the commands that ask a running host share: verbs, the question itself, and how an answer is printed."""

import argparse
import json
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Any, Protocol

from stack.cli.main import Parser, add_common
from stack.control import client
from stack.errors import RefusedError

FOREVER = 0xFFFFFFFF


def add_verbs(parser: argparse.ArgumentParser) -> "argparse._SubParsersAction[Parser]":
    """Subcommands; without one the command shows its state."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=False, parser_class=Parser)
    verbs.default = "show"
    return verbs


def add_verb(
    verbs: "argparse._SubParsersAction[Parser]", name: str, about: str, *, aliases: tuple[str, ...] = ()
) -> Parser:
    """One subcommand with the common options."""
    parser: Parser = verbs.add_parser(name, help=about, description=about, aliases=list(aliases), allow_abbrev=False)
    parser.set_defaults(verb=name)
    add_common(parser)
    return parser


def ask(arguments: argparse.Namespace, command: str, **values: Any) -> Any:
    """Put one question to the host that is meant; values that are None are left out."""
    path = client.find(arguments.device, arguments.control)
    given = {name: value for name, value in values.items() if value is not None}
    return client.ask(path, command, **given)


def until_interrupted(request: client.Request) -> Iterator[dict[str, Any]]:
    """The events of a request up to SIGINT or SIGTERM, which end it and not what is said about it.

    The host is hung up on, and what it has told before is still read. A second signal ends that too.
    """
    interrupted = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        if interrupted:
            raise KeyboardInterrupt
        interrupted = True
        request.end()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield from request.events()
    except RefusedError:
        if not interrupted:
            raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Tally(Protocol):
    """What a service's events add up to."""

    def take(self, event: dict[str, Any]) -> str:
        """Count one event; the line to print for it, or nothing."""

    def document(self) -> dict[str, Any]:
        """The JSON document at the end."""

    def summary(self) -> str:
        """The closing lines."""


def follow(arguments: argparse.Namespace, command: str, tally: Tally, **values: Any) -> None:
    """Put a request that takes its time to the host that is meant, and print what comes of it until interrupted."""
    given = {name: value for name, value in values.items() if value is not None}
    request = client.Request(client.find(arguments.device, arguments.control), command, given)
    try:
        for event in until_interrupted(request):
            line = tally.take(event)
            if line and not arguments.json:
                print(line, flush=True)
    finally:
        request.close()
    if arguments.json:
        print_json(tally.document())
    else:
        print(tally.summary())


def print_json(document: Any) -> None:
    """One document on one line."""
    print(json.dumps(document, ensure_ascii=False))


def done(arguments: argparse.Namespace, document: Any = None) -> int:
    """A change that has nothing to show: silence, and `{}` where JSON was asked for."""
    if arguments.json:
        print_json({} if document is None else document)
    return 0


def lifetime(seconds: int) -> str:
    """A lifetime as ip prints it."""
    return "forever" if seconds == FOREVER else f"{seconds}sec"


def table(rows: list[list[str]]) -> str:
    """Rows in columns as wide as their widest cell, two spaces apart."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
