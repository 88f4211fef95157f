"""A live view of a running host: addresses, groups with their timers, neighbours, routes, rates, last frames.

On a terminal it fills the screen; that needs the library rich (pip install
'sixtap[top]'). Otherwise, and with --plain, it prints the same as text, and with
-j one JSON object a line. Keys: space pauses, left and right step back and forth
through what was seen and what the flight recorder has of before, / filters every
table, Escape shows all again, end follows the newest, q ends it.

example: sixtap top
         sixtap top --count 1 --plain
         sixtap top --count 5 --svg top.svg
"""

import argparse
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

from stack.cli.asking import table, until_interrupted
from stack.cli.fields import seconds, whole
from stack.cli.top_tables import History, Sample, Table, tables, title
from stack.control import client
from stack.errors import RefusedError

ASKS_A_HOST = True
_FRAMES_IN_TEXT = 10


def configure(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument(
        "--interval", type=seconds(0.1, 3600), default=1.0, metavar="S", help="from one sample to the next (1)"
    )
    parser.add_argument("--count", type=whole(1, 1 << 31), metavar="N", help="end after N samples")
    parser.add_argument("--filter", default="", metavar="TEXT", help="only rows that have this text in them")
    parser.add_argument("--plain", action="store_true", help="text, on a terminal too")
    parser.add_argument("--svg", metavar="FILE", help="write a picture of the last sample; needs rich")


def run(arguments: argparse.Namespace) -> int:
    """Show it until it is ended."""
    values: dict[str, Any] = {"interval": arguments.interval}
    if arguments.count is not None:
        values["count"] = arguments.count
    path = client.find(arguments.device, arguments.control)
    on_screen = not (arguments.plain or arguments.json) and sys.stdin.isatty() and sys.stdout.isatty()
    if (on_screen or arguments.svg) and not _has_rich():
        if arguments.svg:
            raise RefusedError("--svg needs the library rich (pip install 'sixtap[top]')")
        print("sixtap: for a screen install rich (pip install 'sixtap[top]'); as text:", file=sys.stderr)
        on_screen = False
    request = client.Request(path, "top", values)
    try:
        if on_screen and not arguments.svg:
            from stack.cli.top_screen import Screen

            Screen(request, arguments.filter, partial(_recall, path, arguments.interval)).run()
        else:
            _print_all(request, arguments)
    finally:
        request.close()
    return 0


def _recall(path: Path, interval: float, before: float) -> list[Sample]:
    """What the flight recorder has of before; only then is a host needed to replay it."""
    from stack.cli.top_recall import recall

    return recall(path, before, interval)


def _has_rich() -> bool:
    from importlib.util import find_spec

    return find_spec("rich") is not None


def _print_all(request: client.Request, arguments: argparse.Namespace) -> None:
    history = History()
    for sample in until_interrupted(request):
        history.take(sample)
        if arguments.json:
            print(json.dumps(sample, ensure_ascii=False), flush=True)
        elif not arguments.svg:
            print(as_text(history, arguments.filter), flush=True)
    if arguments.svg and history.seen() is not None:
        from stack.cli.top_screen import picture

        try:
            Path(arguments.svg).write_text(picture(history, arguments.filter), encoding="utf-8")
        except OSError as error:
            raise RefusedError(f"{arguments.svg} cannot be written: {os.strerror(error.errno or 0)}") from error


def as_text(history: History, wanted: str) -> str:
    """What is looked at, as tables of text; ends with an empty line."""
    seen = history.seen()
    if seen is None:
        return ""
    parts = [title(seen[0])]
    for each in tables(*seen, wanted):
        shown = each._replace(rows=each.rows[:_FRAMES_IN_TEXT]) if each.title == "frames" else each
        parts.append(_text(shown))
    return "\n".join(parts) + "\n"


def _text(each: Table) -> str:
    head = f"-- {each.title}" + (f" ({len(each.rows)} of {each.total})" if each.total > len(each.rows) else "")
    return "\n".join([head, table([list(each.columns), *map(list, each.rows)])])
