"""Start-up: what a command costs before it does anything, and a host from its start to its first answer."""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tools.benchmark.contest import Terms
from tools.benchmark.exchange import KINDS
from tools.benchmark.frames import Station
from tools.benchmark.load import open_load
from tools.benchmark.responder import start_host

_YARDSTICK = (sys.executable, "-c", "import argparse")
_HELP = (sys.executable, "-m", "stack.cli.main", "--help")
_ONE = Terms("echo", 56, 1, 1, 1)


def commands(rounds: int) -> dict[str, Any]:
    """Milliseconds of `python -c 'import argparse'` and of `sixtap --help`, and their ratio, medians in turn."""
    times: dict[Sequence[str], list[float]] = {_YARDSTICK: [], _HELP: []}
    for _ in range(rounds):
        for command, found in times.items():
            begin = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            found.append(1e3 * (time.perf_counter() - begin))
    bare, shown = (statistics.median(found) for found in times.values())
    return {"argparse_ms": round(bare, 1), "help_ms": round(shown, 1), "ratio": round(shown / bare, 2)}


def first_answer(peer: Station, folder: Path, program: Path | None, rounds: int) -> dict[str, Any]:
    """Milliseconds from the start of `sixtap run` with dad_transmits=0 to `ready` and to the first answer."""
    ready, answered = [], []
    for number in range(rounds):
        name = f"start{number}"
        begin = time.perf_counter()
        with closing(start_host(name, folder)) as host:
            ready.append(1e3 * (time.perf_counter() - begin))
            exchange = KINDS[_ONE.kind](peer, host.station, _ONE.size, 2 * _ONE.window)
            with closing(open_load(name, exchange, program)) as load:
                result = load.run(_ONE.requests)
            if result.lost:
                raise SystemExit(f"bench: {name} did not answer")
            answered.append(1e3 * (time.perf_counter() - begin))
    return {"ready_ms": round(statistics.median(ready), 1), "first_answer_ms": round(statistics.median(answered), 1)}


def measure(peer: Station, folder: Path, program: Path | None, rounds: int) -> dict[str, Any]:
    """Both, as one document."""
    return {**commands(rounds), **first_answer(peer, folder, program, rounds), "rounds": rounds}


def show(document: dict[str, Any]) -> None:
    """The lines for a human."""
    print(f"\nstart-up, medians of {document['rounds']}")
    print(f"python -c 'import argparse' {document['argparse_ms']:8.1f} ms")
    print(f"sixtap --help               {document['help_ms']:8.1f} ms   {document['ratio']:.2f} times that")
    print(f"sixtap run, ready           {document['ready_ms']:8.1f} ms")
    print(f"sixtap run, first answer    {document['first_answer_ms']:8.1f} ms")
