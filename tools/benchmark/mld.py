"""tools/bench --mld, the part in memory: the listener's answer, its memory, joins and leaves, a flood of queries.

The host is driven by its four calls and virtual time; what is measured is the
CPU's work between two of them. The driver's filter is planned but not programmed.
"""

import gc
import time
import tracemalloc
from collections.abc import Sequence
from random import Random
from statistics import median
from typing import Any

from stack.host import Host
from stack.interface import Interface
from stack.mld.groups import Membership
from stack.settings import Settings
from tools.benchmark import frames
from tools.benchmark.frames import Station

HOST_MAC = bytes.fromhex("0262656e6301")
# Long enough for every repeat of a change (RFC 3810 9.11) and for duplicate address detection.
_QUIET = 5.0
_DELAY = 10.0
_FLOOD_RATE = 100


class Bench:
    """A host with one interface on a clock of its own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.host = Host(Random(1), Settings())
        self.interface: Interface = self.host.attach("bench", HOST_MAC)
        self.interface.start(self.now)
        self.run(_QUIET)

    def run(self, seconds: float) -> int:
        """Let so much time pass; the number of frames that the host sent."""
        end = self.now + seconds
        sent = len(self.host.output())
        while True:
            due = self.host.next_deadline()
            if due is None or due > end:
                break
            self.now = max(self.now, due)
            self.host.advance(self.now)
            sent += len(self.host.output())
        self.now = end
        return sent

    def join(self, groups: Sequence[bytes]) -> tuple[list[Membership], float]:
        """Join them all, one after the other; the memberships, and the seconds that it took."""
        join, now = self.interface.listener.join, self.now
        begin = time.perf_counter()
        memberships = []
        for group in groups:
            memberships.append(join(group, now))
            self.host.output()
        return memberships, time.perf_counter() - begin

    def leave(self, memberships: Sequence[Membership]) -> float:
        """Leave them all, one after the other; seconds."""
        leave, now = self.interface.listener.leave, self.now
        begin = time.perf_counter()
        for membership in memberships:
            leave(membership, now)
            self.host.output()
        return time.perf_counter() - begin


def groups_named(number: int) -> list[bytes]:
    """So many groups with a MAC each."""
    return [bytes.fromhex("ff15") + bytes(10) + (0x01000000 + each).to_bytes(4, "big") for each in range(number)]


def measure(peer: Station, number: int, rounds: int) -> dict[str, Any]:
    """Everything for so many groups: medians over the rounds."""
    answers = _answers(peer, number, rounds)
    joins, leaves = _changes(number, rounds)
    return {
        "groups": number,
        **answers,
        "bytes_per_group": round(_memory(number), 1),
        "joins_per_second": round(joins),
        "leaves_per_second": round(leaves),
    }


def _answers(peer: Station, number: int, rounds: int) -> dict[str, Any]:
    """From the deadline that the listener chose to the last frame of its answer."""
    bench = Bench()
    bench.join(groups_named(number))
    bench.run(_QUIET)
    query = frames.general_query(peer, _DELAY)
    taken: list[float] = []
    received: list[float] = []
    packets = octets = 0
    for _ in range(rounds):
        begin = time.perf_counter()
        bench.host.receive(query, bench.now)
        received.append(time.perf_counter() - begin)
        due = bench.host.next_deadline()
        if due is None:
            raise SystemExit("bench: the host does not mean to answer")
        begin = time.perf_counter()
        bench.host.advance(due)
        sent = bench.host.output()
        taken.append(time.perf_counter() - begin)
        packets, octets = len(sent), sum(len(frame) for _, frame in sent)
        # So long that the rate limit has forgotten it.
        bench.now = due + 2 * _DELAY
    return {
        "packets": packets,
        "octets": octets,
        "query_ms": round(median(received) * 1000, 4),
        "answer_ms": round(median(taken) * 1000, 4),
        "answer_ms_least": round(min(taken) * 1000, 4),
    }


def _memory(number: int) -> float:
    """Bytes for each group, its address included, when nothing is pending any more (tracemalloc)."""
    bench = Bench()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for group in groups_named(number):
        bench.interface.listener.join(group, bench.now)
        bench.host.output()
    bench.run(_QUIET)
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return (after - before) / number


def _changes(number: int, rounds: int) -> tuple[float, float]:
    """Joins and leaves per second, each with its report and the plan of the filter."""
    joins: list[float] = []
    leaves: list[float] = []
    bench = Bench()
    for _ in range(rounds):
        memberships, seconds = bench.join(groups_named(number))
        joins.append(number / seconds)
        bench.run(_QUIET)
        leaves.append(number / bench.leave(memberships))
        bench.run(_QUIET)
    return median(joins), median(leaves)


def flood(peer: Station, number: int, delay: float, seconds: float) -> dict[str, Any]:
    """General queries at a rate of 100 a second: the share of one CPU that receiving and answering them takes."""
    bench = Bench()
    bench.join(groups_named(number))
    bench.run(2 * _QUIET)
    query = frames.general_query(peer, delay)
    queries = max(1, round(seconds * _FLOOD_RATE))
    sent = 0
    begin = time.process_time()
    for _ in range(queries):
        bench.host.receive(query, bench.now)
        sent += bench.run(1 / _FLOOD_RATE)
    used = time.process_time() - begin
    return {
        "groups": number,
        "delay": delay,
        "queries": queries,
        "packets": sent,
        "cpu_share": round(used * _FLOOD_RATE / queries, 5),
    }
