"""A host with much in its tables, or with an echo service, on a TAP device.

Started as a process of its own: `python -m tools.benchmark.hosting NAME MAC`, with
the numbers of groups joined, neighbours known and UDP sockets open.
"""

import argparse
import signal
import sys
from collections import Counter
from random import Random

import trio

from stack.address import parse_mac
from stack.events import AddressChanged, Event
from stack.host import Host
from stack.interface import Interface
from stack.link.tap import TapLink
from stack.mld.filters import EVERYTHING
from stack.runtime import Runtime
from stack.settings import Settings

_FIRST_PORT = 10_000
_ROOM = 100_000
_TICK = 0.01
_STEP = 0.000_05


def fill(host: Host, interface: Interface, groups: int, neighbours: int, sockets: int, now: float) -> None:
    """Join groups ff05::1:n, know neighbours fe80::1:0:n and open sockets at the ports from 10,000 on."""
    for number in range(groups):
        group = b"\xff\x05" + bytes(10) + (0x10000 + number).to_bytes(4, "big")
        interface.listener.join(group, now, owner="bench", source_filter=EVERYTHING)
    for number in range(neighbours):
        address = b"\xfe\x80" + bytes(7) + b"\x01" + bytes(2) + number.to_bytes(4, "big")
        interface.resolver.add_permanent(address, b"\x02\x01" + number.to_bytes(4, "big"), now)
    for number in range(sockets):
        host.udp.open(interface).bind(None, _FIRST_PORT + number)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("mac")
    for table in ("groups", "neighbours", "sockets"):
        parser.add_argument(f"--{table}", type=int, default=0)
    parser.add_argument("--timers", action="store_true", help="keep a timer going and say at the end how late it was")
    return parser.parse_args()


class Ticks:
    """A timer of the host every 10 ms, and how late each was, in seconds."""

    def __init__(self, host: Host) -> None:
        self._host = host
        # How many were late by so many steps.
        self._late: Counter[int] = Counter()
        self._due = 0.0

    def start(self, now: float) -> None:
        """The next one is due."""
        self._due = now + _TICK
        self._host.timers.at(self._due, self._fired)

    def _fired(self, now: float) -> None:
        # The clock itself: what the loop says it is was read before the batch of frames.
        clock = trio.current_time()
        self._late[int((clock - self._due) / _STEP)] += 1
        self.start(clock)

    def tell(self) -> None:
        """The figures, in milliseconds, to standard error."""
        count = self._late.total()
        print(f"late count {count}", file=sys.stderr)
        for name, share in {"p50_ms": 0.5, "p99_ms": 0.99, "most_ms": 1.0}.items():
            print(f"late {name} {1e3 * _STEP * self._within(share * count):.3f}", file=sys.stderr)

    def _within(self, number: float) -> int:
        """The steps within which so many of them were."""
        found = 0
        for steps in sorted(self._late):
            found += self._late[steps]
            if found >= number:
                return steps + 1
        return 0


async def main(options: argparse.Namespace) -> None:
    link = TapLink(options.name)
    settings = Settings(dad_transmits=0, mld_max_groups=_ROOM, max_static_neighbours=_ROOM, max_sockets=_ROOM)
    host = Host(Random(1), settings)
    mac = parse_mac(options.mac)
    interface = host.attach(link.name, mac, index=link.index, mtu=link.mtu, program=link.program)
    host.listeners.append(lambda event: _tell_ready(options.name, event))
    fill(host, interface, options.groups, options.neighbours, options.sockets, 0.0)
    ticks = Ticks(host)
    if options.timers:
        ticks.start(trio.current_time())
    try:
        await Runtime(host, interface, link, lambda text: None).run()
    finally:
        if options.timers:
            ticks.tell()


def _tell_ready(name: str, event: Event) -> None:
    if isinstance(event, AddressChanged) and event.state == "preferred":
        print(f"hosting: {name} ready", file=sys.stderr, flush=True)


if __name__ == "__main__":
    # An interrupt ends the run in an orderly way, whoever started us.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        trio.run(main, parse())
    except KeyboardInterrupt:
        sys.exit(0)
