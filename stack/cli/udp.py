"""UDP from and to a running host.

`send` exits with status 1 if an ICMPv6 error came back within a second, `recv -c N`
if it was interrupted before N datagrams came; with groups it leaves them after the Nth,
and says how long the link still carries their data. `recv` listens to groups, each from
all sources or with a filter: `--join ff05::1:3,include,fe80::1` takes that source's
data alone. `recv` and `echo` end, with a summary, when they are interrupted; their
port and groups go with them.

example: sixtap udp recv 5000 --join ff05::1:3 -c 10
"""

import argparse
from dataclasses import dataclass, field
from typing import Any

from stack.cli.asking import add_verb, follow
from stack.cli.main import Parser
from stack.cli.ping import describe_error

ASKS_A_HOST = True

# How many senders, and of each how many of its last numbers, are remembered to tell gaps and doubles.
MAXIMUM_STREAMS = 1024
WINDOW = 4096


def configure(parser: argparse.ArgumentParser) -> None:
    """The verbs."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Parser)
    send = add_verb(verbs, "send", "datagrams from the host")
    send.add_argument("address", metavar="ADDRESS", help="an address or a group")
    send.add_argument("port", metavar="PORT", type=int)
    what = send.add_mutually_exclusive_group()
    what.add_argument("--size", type=int, metavar="BYTES", help="data in each, numbered so that `recv` sees gaps (56)")
    what.add_argument("--text", metavar="TEXT", help="this text in each")
    send.add_argument("-c", dest="count", type=int, metavar="N", help="how many (1)")
    send.add_argument("-i", dest="interval", type=float, metavar="S", help="seconds between them (0.01)")
    send.add_argument("-I", dest="source", metavar="SOURCE", help="which of the host's addresses sends")
    receive = add_verb(verbs, "recv", "show the datagrams that arrive at a port")
    receive.add_argument("port", metavar="PORT", type=int)
    receive.add_argument(
        "--join",
        action="append",
        metavar="GROUP[,include|exclude,SOURCE...]",
        help="listen to a group (repeatable)",
    )
    receive.add_argument("-c", dest="count", type=int, metavar="N", help="end after N datagrams")
    echo = add_verb(verbs, "echo", "send every datagram back until interrupted")
    echo.add_argument("port", metavar="PORT", type=int)


def run(arguments: argparse.Namespace) -> int:
    """Serve one verb until it is done or interrupted."""
    names = ("address", "port", "size", "text", "count", "interval", "source", "join")
    tally: Sending | Receiving | Echoing
    if arguments.verb == "send":
        tally = Sending()
    elif arguments.verb == "recv":
        tally = Receiving(arguments.count, keep=arguments.json)
    else:
        tally = Echoing()
    follow(arguments, f"udp {arguments.verb}", tally, **{name: getattr(arguments, name, None) for name in names})
    return tally.status()


@dataclass(slots=True)
class Sending:
    """What came of `send`."""

    start: dict[str, Any] = field(default_factory=dict)
    sent: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)

    def take(self, event: dict[str, Any]) -> str:
        """Count one event; a line for an error."""
        kind = event.pop("kind")
        if kind == "start":
            self.start = event
            return ""
        if kind == "sent":
            self.sent += 1
            return ""
        self.errors.append(event)
        return f"From {event['from']} {describe_error(event['type'], event['code'])}"

    def status(self) -> int:
        """1 if there was any error."""
        return 1 if self.errors else 0

    def document(self) -> dict[str, Any]:
        """The JSON document."""
        return {"sent": self.sent} | self.start | {"errors": self.errors}

    def summary(self) -> str:
        """The closing line."""
        start = self.start
        way = f" from {start['from']} port {start['from_port']} to {start['to']} port {start['port']}" if start else ""
        size = f" of {_bytes(start['bytes'])}" if start else ""
        extra = f", {_count(len(self.errors), 'error')}" if self.errors else ""
        return f"{_count(self.sent, 'datagram')}{size}{way}{extra}"


@dataclass(slots=True)
class Stream:
    """The numbers of one sender: what is missing up to the greatest, and what came twice."""

    first: int
    greatest: int
    distinct: int = 1
    doubles: int = 0
    seen: dict[int, None] = field(default_factory=dict)

    def take(self, number: int) -> bool:
        """Count one more; false if it has been seen."""
        if number in self.seen:
            self.doubles += 1
            return False
        self.seen[number] = None
        if len(self.seen) > WINDOW:
            del self.seen[next(iter(self.seen))]
        self.distinct += 1
        self.first, self.greatest = min(self.first, number), max(self.greatest, number)
        return True

    @property
    def missing(self) -> int:
        """How many numbers between the least and the greatest have not come."""
        return max(0, self.greatest - self.first + 1 - self.distinct)


@dataclass(slots=True)
class Receiving:
    """What came of `recv`: the datagrams themselves only if they are asked for, `keep`."""

    wanted: int | None
    keep: bool
    port: int = 0
    received: int = 0
    dropped: int = 0
    datagrams: list[dict[str, Any]] = field(default_factory=list)
    streams: dict[tuple[str, int], Stream] = field(default_factory=dict)
    first: float | None = None
    last: float | None = None
    left: dict[str, Any] | None = None

    def take(self, event: dict[str, Any]) -> str:
        """Count one event; the line for a datagram."""
        kind = event.pop("kind")
        if kind == "start":
            self.port = event["port"]
            return f"listening at port {self.port}"
        if kind == "left":
            self.left = event
            return ""
        self.dropped = event.pop("dropped")
        self.received += 1
        self.first = event["time"] if self.first is None else self.first
        self.last = event["time"]
        if self.keep:
            self.datagrams.append(event)
        what = event.get("text", "")
        if "seq" in event:
            what = f"seq={event['seq']}" + ("" if self._number(event) else " (DUP!)")
        whence = f"from {event['from']} port {event['port']} to {event['to']}"
        return f"{_bytes(event['bytes'])} {whence} time={event['time']:.3f}" + (f": {what}" if what else "")

    def _number(self, event: dict[str, Any]) -> bool:
        key = (event["from"], event["port"])
        stream = self.streams.get(key)
        if stream is not None:
            return stream.take(event["seq"])
        if len(self.streams) >= MAXIMUM_STREAMS:
            del self.streams[next(iter(self.streams))]
        self.streams[key] = Stream(event["seq"], event["seq"], seen={event["seq"]: None})
        return True

    @property
    def missing(self) -> int:
        """Numbers that did not come, of all senders."""
        return sum(stream.missing for stream in self.streams.values())

    @property
    def doubles(self) -> int:
        """Numbers that came again, of all senders."""
        return sum(stream.doubles for stream in self.streams.values())

    def status(self) -> int:
        """1 if fewer came than were asked for."""
        return 1 if self.wanted is not None and self.received < self.wanted else 0

    def document(self) -> dict[str, Any]:
        """The JSON document; times in seconds since the host listened, and of what came later since it left."""
        left = self.left or {"after": None, "last": None}
        return {
            "received": self.received,
            "missing": self.missing,
            "doubles": self.doubles,
            "dropped": self.dropped,
            "first": self.first,
            "last": self.last,
            "after_leave": left["after"],
            "leave_to_last": left["last"],
            "datagrams": self.datagrams,
        }

    def summary(self) -> str:
        """The closing lines."""
        when = "" if self.first is None else f", the first after {self.first:.3f} s, the last after {self.last:.3f} s"
        counts = {"missing": self.missing, "doubles": self.doubles, "dropped for want of room": self.dropped}
        extra = "".join(f", {count} {name}" for name, count in counts.items() if count)
        lines = f"\n--- port {self.port} ---\n{_count(self.received, 'datagram')} received{extra}{when}"
        if self.left is None:
            return lines
        if not self.left["after"]:
            return f"{lines}\nleft: nothing came to the groups afterwards"
        packets = _count(self.left["after"], "packet")
        return f"{lines}\nleft: {packets} came to the groups afterwards, the last {self.left['last']:.3f} s later"


@dataclass(slots=True)
class Echoing:
    """What came of `echo`."""

    port: int = 0
    echoed: int = 0
    unsent: int = 0

    def take(self, event: dict[str, Any]) -> str:
        """Count one event."""
        if event["kind"] == "start":
            self.port = event["port"]
            return f"listening at port {self.port}"
        self.echoed += event["datagrams"]
        self.unsent += event["unsent"]
        return ""

    def status(self) -> int:
        """It is ended by a signal and by nothing else."""
        return 0

    def document(self) -> dict[str, Any]:
        """The JSON document."""
        return {"echoed": self.echoed, "unsent": self.unsent}

    def summary(self) -> str:
        """The closing line."""
        extra = f", {self.unsent} could not be answered" if self.unsent else ""
        return f"\n--- port {self.port} ---\n{_count(self.echoed, 'datagram')} echoed{extra}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _bytes(number: int) -> str:
    return _count(number, "byte")
