"""Behind a bridge: the kernel's `ping -6 -f` on the bridge, and the responders on its ports."""

import re
import subprocess
from collections.abc import Mapping
from statistics import median
from typing import Any

from stack.address import format_address
from tools.benchmark.responder import Responder

BRIDGE = "benchbr0"
_SUMMARY = re.compile(r"(\d+) packets transmitted, (\d+) received.* time (\d+)ms")


def make_bridge() -> None:
    """A bridge without snooping, with a link-local address of the kernel's."""
    for command in (
        f"link add {BRIDGE} type bridge mcast_snooping 0",
        f"link set {BRIDGE} up",
    ):
        subprocess.run(["ip", *command.split()], check=True)


def attach(responder: Responder) -> None:
    """Make its device a port."""
    subprocess.run(["ip", "link", "set", responder.name, "master", BRIDGE], check=True)


def measure(responders: Mapping[str, Responder], count: int, rounds: int) -> dict[str, Any]:
    """Answers per second of each, in turn; the first is what the others are compared with."""
    rates: dict[str, list[float]] = {name: [] for name in responders}
    lost = dict.fromkeys(responders, 0)
    for _ in range(rounds):
        for name, each in responders.items():
            sent, answered, seconds = flood(each, count)
            rates[name].append(answered / seconds)
            lost[name] += sent - answered
    first = next(iter(rates.values()))
    return {
        "count": count,
        "rounds": rounds,
        "responders": {
            name: {
                "replies_per_second": round(median(found)),
                "ratio": round(median(each / other for each, other in zip(found, first, strict=True)), 3),
                "lost": lost[name],
            }
            for name, found in rates.items()
        },
    }


def flood(responder: Responder, count: int) -> tuple[int, int, float]:
    """Requests sent, answers, and seconds."""
    target = f"{format_address(responder.station.address)}%{BRIDGE}"
    command = ["ping", "-6", "-f", "-q", "-c", str(count), target]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = _SUMMARY.search(done.stdout)
    if found is None:
        raise SystemExit(f"bench: ping says {(done.stdout + done.stderr).strip()!r}")
    sent, answered, milliseconds = map(int, found.groups())
    return sent, answered, max(1, milliseconds) / 1e3


def show(document: dict[str, Any]) -> None:
    """The table for a human."""
    print(f"\nping -6 -f through a bridge: medians of {document['rounds']} rounds of {document['count']:,}")
    for name, each in document["responders"].items():
        print(f"{name:24} {each['replies_per_second']:>10,} {each['ratio']:>6.3f}  lost {each['lost']}")
