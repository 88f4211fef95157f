"""tools/bench --mld: the two parts together, as a document and as tables."""

import os
import platform
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.benchmark import mld, mld_live
from tools.benchmark.frames import Station

_FLOOD_GROUPS = 1_000
_DELAYS = (0.0, 10.0)


def measure(peer: Station, counts: Sequence[int], rounds: int, seconds: float, *, live: bool) -> dict[str, Any]:
    """Everything; `counts` are numbers of groups, `seconds` the length of a flood."""
    flood_groups = min(_FLOOD_GROUPS, max(counts))
    document = {
        "kernel": platform.release(),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "rounds": rounds,
        "memory": [mld.measure(peer, count, rounds) for count in counts],
        "floods": [mld.flood(peer, flood_groups, delay, seconds) for delay in _DELAYS],
        "live": None,
    }
    if live:
        with tempfile.TemporaryDirectory(prefix="sixtap-bench-") as folder:
            document["live"] = [
                mld_live.measure(peer, mld.groups_named(count), rounds, seconds, Path(folder)) for count in counts
            ]
    return document


def show(document: dict[str, Any]) -> None:
    """The tables for a human."""
    print(
        f"Python {document['python']}, Linux {document['kernel']}, {document['cpus']} CPUs;"
        f" medians of {document['rounds']} rounds"
    )
    print("\nin memory: answer ms, from the delay that was chosen to the last report; bytes as tracemalloc counts them")
    print(
        f"{'groups':>7} {'packets':>8} {'octets':>8} {'answer ms':>10}"
        f" {'bytes/group':>12} {'joins/s':>8} {'leaves/s':>9}"
    )
    for each in document["memory"]:
        print(
            f"{each['groups']:>7,} {each['packets']:>8,} {each['octets']:>8,} {each['answer_ms']:>10.2f}"
            f" {each['bytes_per_group']:>12.0f} {each['joins_per_second']:>8,} {each['leaves_per_second']:>9,}"
        )
    for each in document["floods"]:
        print(_flood_line(each, each["groups"]))
    if document["live"] is None:
        print("\nno part on a TAP device: that takes root on Linux")
        return
    print(
        "\non a TAP device, by the kernel's timestamps, without a delay: answer ms, from the first report to the last,"
        "\nin all ms, from the query to the last one; bytes of resident memory; joins by the control socket"
    )
    print(
        f"{'groups':>7} {'packets':>8} {'octets':>8} {'answer ms':>10} {'in all ms':>10}"
        f" {'bytes/group':>12} {'joins/s':>8}"
    )
    for each in document["live"]:
        print(
            f"{each['groups']:>7,} {each['packets']:>8,} {each['octets']:>8,} {_known(each['answer_ms'])}"
            f" {_known(each['query_to_last_ms'])} {each['resident_bytes_per_group']:>12.0f}"
            f" {each['joins_per_second']:>8,}"
        )
        for flood in each["floods"]:
            print(_flood_line(flood, each["groups"]))


def _known(milliseconds: float | None) -> str:
    return f"{'-':>10}" if milliseconds is None else f"{milliseconds:>10.2f}"


def _flood_line(flood: dict[str, Any], groups: int) -> str:
    return (
        f"        100 queries/s with {groups:,} groups, {flood['delay']:g} s to answer:"
        f" {flood['cpu_share']:.2%} of a CPU, {flood['packets']:,} reports to {flood['queries']:,} queries"
    )
