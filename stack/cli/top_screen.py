"""`sixtap top` on a terminal: tables that follow the host, and keys to pause, filter and step back. Uses rich."""

import os
import select
import sys
import termios
import threading
import tty
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console, RenderableType
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.table import Table as RichTable
from rich.text import Text

from stack.cli.top_tables import History, Sample, Table, tables, title
from stack.control import client
from stack.errors import StackError

_POLL = 0.1
_KEYS = "space pause   ←/→ step   end live   / filter   esc all   q quit"
_PICTURE = (150, 46)
_COLOURS = {
    **dict.fromkeys(("preferred", "REACHABLE", "PERMANENT", "idle", "answered", "delivered"), "green"),
    **dict.fromkeys(("tentative", "optimistic", "deprecated", "STALE", "DELAY", "PROBE", "delaying"), "yellow"),
    **dict.fromkeys(("duplicated", "INCOMPLETE", "UNREACHABLE", "FAILED"), "red"),
}
_ARROWS = {"\x1b[D": "left", "\x1bOD": "left", "\x1b[C": "right", "\x1bOC": "right", "\x1b[F": "end", "\x1bOF": "end"}


# Samples of before a time, from the flight recorder.
Recall = Callable[[float], list[Sample]]


class Screen:
    """Reads samples and keys, and draws what is looked at."""

    def __init__(self, request: client.Request, wanted: str, recall: Recall) -> None:
        self._request = request
        self._recall: Recall | None = recall
        self._history = History()
        self._wanted = wanted
        self._typing: str | None = None
        self._arrived: deque[Sample] = deque()
        self._failure: StackError | None = None
        self._ended = False

    def run(self) -> None:
        """Until the user has seen enough, or the host has said its last; raises what the host refused with."""
        reader = threading.Thread(target=self._read, daemon=True)
        reader.start()
        console = Console()
        with _keys() as keyboard, Live(console=console, screen=True, auto_refresh=False) as live:
            while not self._ended or self._arrived:
                while self._arrived:
                    self._history.take(self._arrived.popleft())
                live.update(layout(self._history, self._wanted, self._footer()), refresh=True)
                if not self._press(keyboard):
                    self._request.end()
                    return
        if self._failure is not None:
            raise self._failure

    def _read(self) -> None:
        """In a thread of its own: what the host tells."""
        try:
            for sample in self._request.events():
                self._arrived.append(sample)
        except StackError as error:
            self._failure = error
        except (OSError, ValueError):
            pass  # hung up
        self._ended = True

    def _press(self, keyboard: int) -> bool:
        """Take what was typed within a moment; False to end."""
        if not select.select([keyboard], [], [], _POLL)[0]:
            return True
        text = os.read(keyboard, 64).decode(errors="ignore")
        if not text:
            return False
        key = _ARROWS.get(text)
        if key is not None:
            self._move(key)
            return True
        return all(self._character(each) for each in text)

    def _move(self, key: str) -> None:
        if key == "end":
            self._history.follow()
        else:
            self._history.paused = True
            oldest = self._history.oldest
            if key == "left" and oldest is not None and self._recall is not None:
                # Further back than this view: what the flight recorder has, asked for once.
                self._history.recall(self._recall(oldest))
                self._recall = None
            self._history.step(1 if key == "left" else -1)

    def _character(self, each: str) -> bool:
        if self._typing is not None:
            self._type(each)
        elif each in ("q", "\x03", "\x04"):
            return False
        elif each == " ":
            self._pause()
        elif each == "/":
            self._typing = ""
        elif each == "\x1b":
            self._wanted = ""
        return True

    def _pause(self) -> None:
        if self._history.paused:
            self._history.follow()
        else:
            self._history.paused = True

    def _type(self, each: str) -> None:
        """One more character of the filter."""
        typed = self._typing or ""
        if each in "\r\n":
            self._wanted, self._typing = typed, None
        elif each == "\x1b":
            self._typing = None
        elif each in "\x7f\b":
            self._typing = typed[:-1]
        elif each.isprintable():
            self._typing = typed + each

    def _footer(self) -> str:
        if self._typing is not None:
            return f"filter: {self._typing}_   (enter: take it, esc: leave it)"
        words = [f"filter: {self._wanted}"] if self._wanted else []
        if self._history.paused:
            words.append(f"paused, {self._history.back} samples back" if self._history.back else "paused")
        return "   ".join([*words, _KEYS])


@contextmanager
def _keys() -> Iterator[int]:
    """Standard input, key by key and unseen."""
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    try:
        tty.setcbreak(keyboard)
        yield keyboard
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


def layout(history: History, wanted: str, footer: str) -> RenderableType:
    """The whole screen."""
    seen = history.seen()
    if seen is None:
        return Text("waiting for the host ...")
    shown = {each.title: _rendered(each) for each in tables(*seen, wanted)}
    left, right, middle, whole = Layout(ratio=5), Layout(ratio=4), Layout(ratio=3), Layout()
    left.split_column(_part(seen[0], "addresses", shown), _part(seen[0], "groups", shown))
    right.split_column(
        _part(seen[0], "neighbours", shown), _part(seen[0], "routes", shown), Layout(shown["rates"], size=12)
    )
    middle.split_row(left, right)
    whole.split_column(
        Layout(Text(title(seen[0]), style="bold"), size=1),
        middle,
        Layout(shown["frames"], ratio=2),
        Layout(Text(footer, style="dim"), size=1),
    )
    return whole


def _part(sample: Sample, name: str, shown: dict[str, RenderableType]) -> Layout:
    """A table with room by the number of its rows."""
    return Layout(shown[name], ratio=max(2, min(8, len(sample[name]))), minimum_size=4)


def _rendered(each: Table) -> RenderableType:
    grid = RichTable(box=None, expand=True, pad_edge=False, header_style="dim")
    for column in each.columns:
        numeric = column in ("refs", "now", "in all")
        grid.add_column(
            column,
            no_wrap=True,
            overflow="ellipsis",
            justify="right" if numeric else "left",
            # What a frame says may be cut, when it came may not.
            ratio={"frame": 3, "outcome": 2}.get(column),
            min_width={"time": 10, "way": 3, "MAC": 17}.get(column),
        )
    for row in each.rows:
        grid.add_row(*(Text(cell, style=_colour(cell)) for cell in row))
    count = f" {len(each.rows)} of {each.total}" if len(each.rows) != each.total else ""
    return Panel(grid, title=f"{each.title}{count}", title_align="left", border_style="blue", padding=(0, 1))


def _colour(cell: str) -> str:
    return _COLOURS.get(cell, "red" if cell.startswith("discarded") else "")


def picture(history: History, wanted: str) -> str:
    """The screen as an SVG."""
    width, height = _PICTURE
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=width, height=height, file=nowhere, force_terminal=True)
        console.print(layout(history, wanted, _KEYS), height=height)
        return console.export_svg(title="sixtap top")
