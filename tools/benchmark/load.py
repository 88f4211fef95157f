"""The load: a window of echo requests kept in flight on the kernel's side of a TAP device, each reply checked once."""

import socket
import time
from typing import NamedTuple

from tools.benchmark import frames
from tools.benchmark.frames import Station

ALL_PROTOCOLS = 3
PATIENCE = 2.0  # seconds without a reply before the requests in flight are given up
_BUFFER = 1 << 22
_MAXIMUM = 4_096
# In what we compare, the word with the flow label is left out: a host may choose one.
_FLOW = slice(frames.ETHERNET, frames.ETHERNET + 4)


class Round(NamedTuple):
    """What one round gave: `replies` right ones in `seconds`, `wrong` frames, requests `lost`."""

    replies: int
    seconds: float
    wrong: int
    lost: int


class Load:
    """Echo requests from `peer` to `target` through the device `name`, of `size` bytes of data each."""

    def __init__(self, name: str, peer: Station, target: Station, size: int, window: int) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._socket.bind((name, ALL_PROTOCOLS))
        self._socket.settimeout(PATIENCE)
        self._window = window
        self._advertisement = frames.advertisement(peer, target)
        self._requests = [frames.echo(frames.ECHO_REQUEST, peer, target, each, size) for each in range(2 * window)]
        replies = [frames.echo(frames.ECHO_REPLY, target, peer, each, size) for each in range(2 * window)]
        self._waiting_for = {_compared(reply): sequence for sequence, reply in enumerate(replies)}

    def close(self) -> None:
        self._socket.close()

    def run(self, count: int) -> Round:
        """Send `count` requests, at most a window of them unanswered at any time."""
        requests, waiting_for, send = self._requests, self._waiting_for, self._socket.send
        in_flight = bytearray(len(requests))
        sent = replies = wrong = 0
        begin = time.perf_counter()
        for sequence in range(min(self._window, count)):
            in_flight[sequence] = 1
            send(requests[sequence])
            sent += 1
        end = begin
        while replies < sent:
            frame = self._receive()
            if frame is None:
                break
            sequence = waiting_for.get(_compared(frame), -1)
            if sequence < 0 or not in_flight[sequence]:
                wrong += self._other(frame)
                continue
            in_flight[sequence] = 0
            replies += 1
            end = time.perf_counter()
            if sent < count:
                # Of these two only one is ever in flight: a late copy of a reply is told from a right one.
                following = (sequence + self._window) % len(requests)
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
            self._socket.send(self._advertisement)
        return int(kind == frames.ECHO_REPLY)


def _compared(frame: bytes) -> bytes:
    return frame[: _FLOW.start] + frame[_FLOW.stop :]
