"""A soak: full load for minutes; memory, frames lost, and how late timers fire beside it."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from tools.benchmark.exchange import echo
from tools.benchmark.frames import Station
from tools.benchmark.load import open_load
from tools.benchmark.responder import Responder

_PIECE = 100_000
_WINDOW = 64
_SIZE = 56
# Memory is compared from here on, as a share of the whole: what is made at first use is there by then.
_SETTLED = 0.1


def measure(responder: Responder, peer: Station, seconds: float, program: Path | None) -> dict[str, Any]:
    """Echo requests for so many seconds; the responder writes how late its timers were when it is told to end."""
    exchange = echo(peer, responder.station, _SIZE, 2 * _WINDOW)
    replies = lost = wrong = 0
    memory: list[int] = []
    with closing(open_load(responder.name, exchange, program)) as load:
        # The host does not know its neighbour yet, and holds only a few packets for it meanwhile (RFC 4861 7.2.2).
        load.run(_WINDOW)
        begin = time.monotonic()
        while (elapsed := time.monotonic() - begin) < seconds:
            result = load.run(_PIECE)
            replies, lost, wrong = replies + result.replies, lost + result.lost, wrong + result.wrong
            if elapsed > _SETTLED * seconds:
                memory.append(resident(responder.pid))
    memory = memory or [resident(responder.pid)]
    return {
        "seconds": round(time.monotonic() - begin, 1),
        "replies": replies,
        "replies_per_second": round(replies / (time.monotonic() - begin)),
        "lost": lost,
        "wrong": wrong,
        "dropped_by_the_kernel": dropped(responder.name),
        "resident_first": memory[0],
        "resident_most": max(memory),
        "resident_last": memory[-1],
        "timers": dict(_lateness(responder.finish())),
    }


def resident(pid: int) -> int:
    """Resident memory of a process in octets."""
    for line in Path("/proc", str(pid), "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def dropped(name: str) -> int:
    """Frames for the device that the kernel dropped, its queue being full."""
    command = ["ip", "-json", "-statistics", "link", "show", "dev", name]
    done = subprocess.run(command, capture_output=True, check=True)
    return int(json.loads(done.stdout)[0]["stats64"]["tx"]["dropped"])


def _lateness(said: str) -> Iterator[tuple[str, float]]:
    """`hosting` says `late KEY VALUE`, in milliseconds."""
    for line in said.splitlines():
        words = line.split()
        if words[:1] == ["late"]:
            yield words[1], float(words[2])


def show(document: dict[str, Any]) -> None:
    """The lines for a human."""
    timers = document["timers"]
    print(
        f"\nsoak of {document['seconds']:.0f} s: {document['replies']:,} replies, {document['replies_per_second']:,}/s"
    )
    print(
        f"lost {document['lost']}, of these dropped by the kernel {document['dropped_by_the_kernel']};"
        f" wrong {document['wrong']}"
    )
    first, most, last = (document[f"resident_{word}"] / 1024 for word in ("first", "most", "last"))
    print(f"resident memory after a tenth of it {first:,.0f} kB, at the most {most:,.0f} kB, at the end {last:,.0f} kB")
    if timers:
        print(
            f"{timers['count']:.0f} timers: half within {timers['p50_ms']:.2f} ms,"
            f" 99 % within {timers['p99_ms']:.2f} ms, the latest {timers['most_ms']:.2f} ms late"
        )
