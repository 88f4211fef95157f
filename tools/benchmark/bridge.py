"""Behind a bridge: the kernel's `ping -6 -f` on the bridge, and the responders on its ports."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from stack.address import format_address, format_mac
from tools.benchmark.responder import Responder

BRIDGE = "benchbr0"
_SUMMARY = re.compile(r"(\d+) packets transmitted, (\d+) received.* time (\d+)ms")


def make_bridge() -> None:
    """A bridge without snooping, with a link-local address of the kernel's that is valid at once."""
    _ip(f"link add {BRIDGE} address 02:62:65:6e:63:fe type bridge mcast_snooping 0")
    Path("/proc/sys/net/ipv6/conf", BRIDGE, "accept_dad").write_text("0")
    _ip(f"link set {BRIDGE} up")


def attach(responder: Responder) -> None:
    """Make its device a port, and its MAC known: the bare loop answers no solicitation."""
    address, mac = format_address(responder.station.address), format_mac(responder.station.mac)
    _ip(f"link set {responder.name} master {BRIDGE}")
    _ip(f"-6 neighbour add {address} lladdr {mac} dev {BRIDGE} nud permanent")


def _ip(command: str) -> None:
    subprocess.run(["ip", *command.split()], check=True)


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
