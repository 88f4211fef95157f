"""tools/bench --mld, the part on a TAP device: what the kernel's side of the device sees of an answer, and when.

The host runs as a user runs it, in a network namespace made for the run, with its
default settings. Frames are counted by a packet socket, with the kernel's
timestamps; the queries give no time to answer, so that the delay is 0.
"""

import os
import socket
import struct
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from socket import AF_INET6, inet_ntop
from statistics import median
from typing import Any, NamedTuple

from stack.control.client import ask
from tools.benchmark import frames
from tools.benchmark.frames import Station
from tools.benchmark.load import ALL_PROTOCOLS
from tools.benchmark.responder import Responder, start_host

# Linux, socket(7); not among Python's names.
_SO_RCVBUFFORCE, _SO_TIMESTAMPNS = 33, 35
_BUFFER = 1 << 24
_MAXIMUM = 4_096
_PATIENCE = 2.0
# Without a frame for so long, an answer is over (seconds).
_GAP = 0.3
_FLOOD_RATE = 100
_TYPE = frames.ETHERNET + frames.IPV6 + len(frames.ROUTER_ALERT)


class Seen(NamedTuple):
    """One report on the link: the kernel's time in seconds, and how many octets the frame has."""

    time: float
    octets: int


class Watcher:
    """A packet socket on the kernel's side of the device `name`: sends queries, counts version 2 reports."""

    def __init__(self, name: str, peer: Station) -> None:
        self._peer = peer
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.bind((name, ALL_PROTOCOLS))

    def close(self) -> None:
        self._socket.close()

    def ask(self, delay: float) -> float:
        """Send one general query; the time of the kernel's clock just before."""
        query = frames.general_query(self._peer, delay)
        now = time.time()
        self._socket.send(query)
        return now

    def reports(self, patience: float, gap: float = _GAP) -> list[Seen]:
        """The reports that come: the first within `patience` seconds, each later one within `gap`."""
        seen: list[Seen] = []
        deadline = time.monotonic() + patience
        while (left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                frame, ancillary, _, address = self._socket.recvmsg(_MAXIMUM, 64)
            except TimeoutError:
                break
            if address[2] == socket.PACKET_OUTGOING or frame[_TYPE : _TYPE + 1] != bytes((frames.MLDV2_REPORT,)):
                continue
            seen.append(Seen(_stamp(ancillary), len(frame)))
            deadline = time.monotonic() + gap
        return seen


def _stamp(ancillary: Sequence[tuple[int, int, bytes]]) -> float:
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            seconds, nanoseconds = struct.unpack("@qq", data[:16])
            return float(seconds + nanoseconds / 1e9)
    raise SystemExit("bench: the kernel gives no timestamps")


def measure(peer: Station, groups: Sequence[bytes], rounds: int, seconds: float, folder: Path) -> dict[str, Any]:
    """A host of its own for so many groups: its answers, its memory, and a flood of `seconds`."""
    with closing(start_host("bench0", folder)) as host, closing(Watcher("bench0", peer)) as watcher:
        watcher.reports(_PATIENCE)
        before = _resident(host)
        begin = time.perf_counter()
        for group in groups:
            ask(folder / "bench0.sock", "maddr join", group=inet_ntop(AF_INET6, group))
        joined = time.perf_counter() - begin
        watcher.reports(_PATIENCE, gap=1.5)
        after = _resident(host)
        answers = [_answer(watcher) for _ in range(rounds)]
        # The one with the delay last: its answers may still be coming when it is over.
        floods = [_flood(host, watcher, delay, seconds) for delay in (0.0, 10.0)]
    return {
        "groups": len(groups),
        "packets": int(median(len(answer) for _, answer in answers)),
        "octets": int(median(sum(each.octets for each in answer) for _, answer in answers)),
        "first_ms": _milliseconds(answer[0].time - asked for asked, answer in answers if answer),
        "answer_ms": _milliseconds(answer[-1].time - answer[0].time for _, answer in answers if answer),
        "query_to_last_ms": _milliseconds(answer[-1].time - asked for asked, answer in answers if answer),
        "resident_bytes_per_group": round((after - before) / len(groups), 1),
        "joins_per_second": round(len(groups) / joined),
        "floods": floods,
    }


def _milliseconds(durations: Any) -> float | None:
    known = list(durations)
    return round(median(known) * 1000, 3) if known else None


def _answer(watcher: Watcher) -> tuple[float, list[Seen]]:
    """One query and its answer; then as long a rest as the rate limit needs to forget it."""
    asked = watcher.ask(0.0)
    seen = watcher.reports(_PATIENCE)
    time.sleep(len(seen) / _FLOOD_RATE)
    return asked, seen


def _flood(host: Responder, watcher: Watcher, delay: float, seconds: float) -> dict[str, Any]:
    """100 queries a second: the share of one CPU that the host's process takes."""
    queries = max(1, round(seconds * _FLOOD_RATE))
    before, begin = host.cpu_seconds(), time.monotonic()
    for number in range(queries):
        watcher.ask(delay)
        time.sleep(max(0.0, begin + (number + 1) / _FLOOD_RATE - time.monotonic()))
    used, passed = host.cpu_seconds() - before, time.monotonic() - begin
    packets = len(watcher.reports(0.05))
    return {"delay": delay, "queries": queries, "packets": packets, "cpu_share": round(used / passed, 4)}


def _resident(host: Responder) -> int:
    return int(Path("/proc", str(host.pid), "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
