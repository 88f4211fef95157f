"""ICMPv6 echo from a running host, printed as ping(8) prints it.

Exit status 0 if an answer came, 1 if none did.

example: sixtap ping -c 3 fe80::1
"""

import argparse
import math
from dataclasses import dataclass, field
from typing import Any

from stack.cli.asking import follow

ASKS_A_HOST = True

_UNREACHABLE = {
    0: "No route",
    1: "Administratively prohibited",
    2: "Beyond scope of source address",
    3: "Address unreachable",
    4: "Port unreachable",
    5: "Source address failed ingress/egress policy",
    6: "Reject route to destination",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """ping(8)'s options, those that a host needs."""
    parser.add_argument("address", metavar="ADDRESS", help="whom to ask; a group is answered by its members")
    parser.add_argument("-c", dest="count", type=int, metavar="N", help="stop after N requests")
    parser.add_argument("-s", dest="size", type=int, metavar="BYTES", help="data in each request (56)")
    parser.add_argument("-i", dest="interval", type=float, metavar="S", help="seconds between requests (1)")
    parser.add_argument("-t", dest="hop_limit", type=int, metavar="HOPLIMIT", help="hop limit of the requests")
    parser.add_argument("-W", dest="wait", type=float, metavar="S", help="seconds to wait for the last answer")
    parser.add_argument("-I", dest="source", metavar="SOURCE", help="which of the host's addresses asks")


def run(arguments: argparse.Namespace) -> int:
    """Ping until done or interrupted."""
    names = ("address", "count", "size", "interval", "hop_limit", "wait", "source")
    tally = Tally()
    follow(arguments, "ping", tally, **{name: getattr(arguments, name) for name in names})
    return 0 if tally.replies else 1


@dataclass(slots=True)
class Tally:
    """What came of one ping."""

    address: str = ""
    data_length: int = 0
    transmitted: int = 0
    replies: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    duplicates: int = 0
    _times: list[float] = field(default_factory=list)

    def take(self, event: dict[str, Any]) -> str:
        """Count one event; the line that ping(8) prints for it, or nothing."""
        kind = event["kind"]
        if kind == "start":
            self.address, self.data_length = event["address"], event["bytes"]
            return f"PING {self.address} {self.data_length} data bytes"
        if kind == "sent":
            self.transmitted += 1
            return ""
        if kind == "unsent":
            self.transmitted += 1
            return f"ping: {event['text']}"
        if kind == "error":
            return self._error(event)
        return self._reply(event)

    def _reply(self, event: dict[str, Any]) -> str:
        reply = {name: event[name] for name in ("seq", "from", "bytes", "hoplimit", "time")}
        self.replies.append(reply)
        self._times.append(event["time"])
        note = "" if event["intact"] else " (DIFFERENT DATA!)"
        if event["duplicate"]:
            self.duplicates += 1
            note += " (DUP!)"
        taken = event["time"] * 1000
        return (
            f"{event['bytes']} bytes from {event['from']}: icmp_seq={event['seq']}"
            f" ttl={event['hoplimit']} time={taken:.3g} ms{note}"
        )

    def _error(self, event: dict[str, Any]) -> str:
        error = {name: event[name] for name in ("seq", "from", "type", "code")}
        self.errors.append(error)
        words = describe_error(event["type"], event["code"], event["parameter"])
        return f"From {event['from']} icmp_seq={event['seq']} {words}"

    def document(self) -> dict[str, Any]:
        """The JSON document; times in seconds."""
        return {
            "transmitted": self.transmitted,
            "received": len(self.replies) - self.duplicates,
            "rtt": self._round_trip(),
            "replies": self.replies,
            "errors": self.errors,
        }

    def _round_trip(self) -> dict[str, float] | None:
        times = self._times
        if not times:
            return None
        mean = sum(times) / len(times)
        deviation = math.sqrt(max(0.0, sum(each * each for each in times) / len(times) - mean * mean))
        figures = {"min": min(times), "avg": mean, "max": max(times), "mdev": deviation}
        return {name: round(value, 6) for name, value in figures.items()}

    def summary(self) -> str:
        """The closing lines."""
        received = len(self.replies) - self.duplicates
        loss = 100 * (self.transmitted - received) / self.transmitted if self.transmitted else 0
        extra = f", +{self.duplicates} duplicates" if self.duplicates else ""
        extra += f", +{len(self.errors)} errors" if self.errors else ""
        lines = [
            f"\n--- {self.address} ping statistics ---",
            f"{self.transmitted} packets transmitted, {received} received{extra}, {loss:g}% packet loss",
        ]
        trip = self._round_trip()
        if trip is not None:
            figures = "/".join(f"{trip[name] * 1000:.3f}" for name in ("min", "avg", "max", "mdev"))
            lines.append(f"rtt min/avg/max/mdev = {figures} ms")
        return "\n".join(lines)


def describe_error(kind: int, code: int, parameter: int = 0) -> str:
    """An ICMPv6 error in ping(8)'s words (RFC 4443 3); `parameter` is the MTU or the pointer, by type."""
    if kind == 1:
        return f"Destination unreachable: {_UNREACHABLE.get(code, f'code {code}')}"
    if kind == 2:
        return f"Packet too big: mtu={parameter}" if parameter else "Packet too big"
    if kind == 3:
        return "Time exceeded: " + ("Hop limit" if code == 0 else "Defragmentation failure")
    if kind == 4:
        return f"Parameter problem: code {code}"
    return f"ICMPv6 error type {kind} code {code}"
