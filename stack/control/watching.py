"""What `sixtap top` shows: samples of the host's tables, with the frames since the last one and how each ended."""

from collections import deque
from typing import Any

import trio

from stack import documents, route_documents
from stack.control.arguments import Arguments
from stack.control.protocol import Tell
from stack.explain.frame import describe
from stack.interface import Interface
from stack.journal import FrameSeen, Record
from stack.runtime import Runtime

SHORTEST_INTERVAL = 0.1
# A screen has less room; what lies beyond is counted.
ROWS = 200
FRAMES = 200


class Frames:
    """Watches the journal: the last frames, each with what became of it; `missed` counts the rest."""

    def __init__(self) -> None:
        self.missed = 0
        self._last: deque[tuple[FrameSeen, str]] = deque(maxlen=FRAMES)
        self._inbound: FrameSeen | None = None
        self._outcome = ""

    def record(self, record: Record) -> None:
        """The last record about a frame that comes in is its outcome."""
        if record.layer == "host":
            self._outcome = f"{record.what} [{record.clause}]" if record.clause else record.what

    def frame(self, seen: FrameSeen) -> None:
        """A frame out is kept at once, one in when its outcome is known."""
        if seen.inbound:
            self._inbound, self._outcome = seen, ""
        else:
            self._keep(seen, f"because of {seen.because.text}")

    def end(self) -> None:
        """The frame that came in has its outcome."""
        if self._inbound is not None:
            self._keep(self._inbound, self._outcome)
            self._inbound = None

    def _keep(self, seen: FrameSeen, outcome: str) -> None:
        self.missed += len(self._last) == FRAMES
        self._last.append((seen, outcome))

    def taken(self) -> list[dict[str, Any]]:
        """The frames since the last call, in the order of their numbers."""
        frames = sorted(self._last, key=lambda pair: pair[0].number)
        self._last.clear()
        return [
            {
                "time": round(seen.time, 6),
                "number": seen.number,
                "direction": "in" if seen.inbound else "out",
                "bytes": len(seen.frame),
                "text": describe(seen.frame),
                "outcome": outcome,
            }
            for seen, outcome in frames
        ]


async def top(runtime: Runtime, arguments: Arguments, tell: Tell) -> None:
    """A sample at once, then one every `interval` seconds, `count` of them or until the asker hangs up."""
    interval = arguments.seconds("interval", SHORTEST_INTERVAL) or 1.0
    count = arguments.whole("count", 1, 1 << 32)
    frames = Frames()
    journal = runtime.host.journal
    journal.watch(frames)
    try:
        began = trio.current_time()
        number = 0
        while count is None or number < count:
            await tell(sample(runtime.interface, frames, trio.current_time(), carrier=runtime.wanted_up))
            number += 1
            await trio.sleep_until(began + number * interval)
    finally:
        journal.unwatch(frames)


def sample(interface: Interface, frames: Frames, now: float, *, carrier: bool) -> dict[str, Any]:
    """One document: the tables as the commands of their names show them, each with how many rows it has in all."""
    link = documents.link(interface, now, carrier=carrier)[0]
    tables: dict[str, list[Any]] = {
        "addresses": link.pop("addr_info"),
        "groups": documents.groups(interface, now)[0]["maddr"],
        "neighbours": documents.neighbours(interface),
        "routes": route_documents.routes(interface, now),
    }
    return {
        "time": round(now, 6),
        "link": link,
        "totals": {name: len(rows) for name, rows in tables.items()},
        **{name: rows[:ROWS] for name, rows in tables.items()},
        "counters": interface.host.counters.as_dict(),
        "missed": frames.missed,
        "frames": frames.taken(),
    }
