"""The load: a window of requests kept in flight on the kernel's side of a TAP device, each reply checked once.

With a compiler it is a program in C (load.c), which no responder is as fast as;
without one the same in Python.
"""

import socket
import subprocess
import time
from pathlib import Path
from typing import NamedTuple, Protocol

from tools.benchmark import frames
from tools.benchmark.exchange import Exchange
from tools.benchmark.frames import Station

ALL_PROTOCOLS = 3
PATIENCE = 2.0  # seconds without a reply before the requests in flight are given up
_BUFFER = 1 << 22
_MAXIMUM = 4_096
# In what we compare, flow label and hop limit are left out: a host may choose them.
_FLOW = slice(frames.ETHERNET, frames.ETHERNET + 4)
_HOP_LIMIT = frames.ETHERNET + 7


class Round(NamedTuple):
    """What one round gave: `replies` right ones in `seconds`, `wrong` frames, requests `lost`."""

    replies: int
    seconds: float
    wrong: int
    lost: int


class Load(Protocol):
    """Whoever sends a number of requests; `exchange.requests` are twice as many as are in flight."""

    def run(self, count: int) -> Round: ...
    def close(self) -> None: ...


def open_load(name: str, exchange: Exchange, program: Path | None) -> Load:
    """A load on the device `name`; `program` is load.c compiled."""
    if program is None:
        return PythonLoad(name, exchange)
    return NativeLoad(name, exchange, program)


class NativeLoad:
    """load.c as a process."""

    def __init__(self, name: str, exchange: Exchange, program: Path) -> None:
        requests, replies = exchange.requests, exchange.replies
        numbers = (len(requests[0]), len(replies[0]), len(requests), len(requests) // 2, exchange.at)
        command = [str(program), name, *map(str, numbers)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._write(b"".join((exchange.advertisement, *requests, *replies)))

    def _write(self, octets: bytes) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(octets)
            self._process.stdin.flush()

    def run(self, count: int) -> Round:
        """Send `count` requests, at most a window of them unanswered at any time."""
        self._write(b"%d\n" % count)
        line = b"" if self._process.stdout is None else self._process.stdout.readline()
        if not line:
            raise SystemExit(f"bench: the load ended with exit status {self._process.wait()}")
        replies, nanoseconds, wrong, lost = map(int, line.split())
        return Round(replies, nanoseconds / 1e9, wrong, lost)

    def close(self) -> None:
        """End the process."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.wait()


class PythonLoad:
    """The same as load.c."""

    def __init__(self, name: str, exchange: Exchange) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._socket.bind((name, ALL_PROTOCOLS))
        self._socket.settimeout(PATIENCE)
        self._exchange = exchange
        self._window = len(exchange.requests) // 2
        self._waiting_for = {_compared(reply): number for number, reply in enumerate(exchange.replies)}

    def close(self) -> None:
        self._socket.close()

    def run(self, count: int) -> Round:
        """Send `count` requests, at most a window of them unanswered at any time."""
        requests, waiting_for, send = self._exchange.requests, self._waiting_for, self._socket.send
        in_flight = bytearray(len(requests))
        sent = replies = wrong = 0
        begin = time.perf_counter()
        for number in range(min(self._window, count)):
            in_flight[number] = 1
            send(requests[number])
            sent += 1
        end = begin
        while replies < sent:
            frame = self._receive()
            if frame is None:
                break
            number = waiting_for.get(_compared(frame), -1)
            if number < 0 or not in_flight[number]:
                wrong += self._other(frame)
                continue
            in_flight[number] = 0
            replies += 1
            end = time.perf_counter()
            if sent < count:
                # Of these two only one is ever in flight: a late copy of a reply is told from a right one.
                following = (number + self._window) % len(requests)
                in_flight[following] = 1
                send(requests[following])
                sent += 1
        return Round(replies, end - begin, wrong, sent - replies)

    def _receive(self) -> bytes | None:
        try:
            return self._socket.recv(_MAXIMUM)
        except TimeoutError:
            return None

    def _other(self, frame: bytes) -> int:
        """A frame that is no reply we wait for: 1 if it should not be there."""
        kind = frame[frames.ICMP] if len(frame) > frames.ICMP else 0
        if kind == frames.SOLICITATION:
            self._socket.send(self._advertisement(frame[62:78]))
        return int(len(frame) == len(self._exchange.replies[0]) and kind != frames.SOLICITATION)

    def _advertisement(self, target: bytes) -> bytes:
        """The peer has every address that it is asked for."""
        like = self._exchange.advertisement
        asked, asking = Station(like[6:12], target), Station(like[:6], like[38:54])
        return frames.advertisement(asked, asking)


def _compared(frame: bytes) -> bytes:
    return frame[: _FLOW.start] + frame[_FLOW.stop : _HOP_LIMIT] + frame[_HOP_LIMIT + 1 :]
