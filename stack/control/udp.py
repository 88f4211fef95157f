"""`sixtap udp` on the host's side: datagrams sent, received and echoed, told to the client as they come.

Each service has a socket of its own, which ends with its memberships when the
service is done or the client hangs up. What waits for a slow client waits in the
socket, within its bound.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import trio

from stack.address import IPv6Address, format_address
from stack.control.arguments import Arguments, parse_listening
from stack.control.commands import zones
from stack.control.protocol import Tell
from stack.errors import LinkError, RefusedError, UsageError
from stack.mld.afterlife import Afterlife
from stack.mld.filters import NOTHING
from stack.runtime import Runtime
from stack.udp.datagram import Datagram, Sending
from stack.udp.udp_socket import UdpSocket
from stack.wire import udp

DEFAULT_SIZE = 56
# Longer than a neighbour on the link takes to be resolved: the queue for it is short.
DEFAULT_INTERVAL = 0.01
MINIMUM_INTERVAL = 0.0001
# How long an error about the last datagram is waited for (seconds).
ERROR_PATIENCE = 1.0
MAXIMUM_JOINS = 4096
# A group that was left is waited for until nothing has come for so long, and no longer than the other (seconds).
QUIET = 1.0
MAXIMUM_AFTERLIFE = 10.0
_LOOK = 0.1
# Datagrams echoed between two looks at what else is to be done.
_BATCH = 64

# What a datagram of ours begins with, if it has room for it: a mark and its number, counted from 1.
_NUMBERED = struct.Struct("!4sI")
_MARK = b"6tap"


class _Bell:
    """Wakes the task that waits for a socket."""

    def __init__(self) -> None:
        self._event = trio.Event()

    def ring(self) -> None:
        """Something is there."""
        self._event.set()

    async def wait(self) -> None:
        """Until it has rung since the last time."""
        await self._event.wait()
        self._event = trio.Event()


@contextmanager
def _open(runtime: Runtime, bell: _Bell) -> Iterator[UdpSocket]:
    """A socket of the host's interface, closed whatever happens."""
    socket = runtime.host.udp.open(runtime.interface, bell.ring)
    try:
        yield socket
    finally:
        # A device that is gone has nobody who could be told that the groups are left.
        with suppress(LinkError):
            runtime.call(socket.close, "udp close")


# -- send


async def send(runtime: Runtime, arguments: Arguments, tell: Tell) -> None:
    """Send datagrams, then wait a moment for errors about them."""
    destination = arguments.address("address", zones(runtime))
    port = _port(arguments)
    count = arguments.whole("count", 1, 1 << 32) or 1
    interval = arguments.seconds("interval", MINIMUM_INTERVAL) or DEFAULT_INTERVAL
    source = arguments.optional_address("source", zones(runtime))
    text = arguments.optional_text("text")
    size = arguments.whole("size", 0, udp.MAXIMUM_DATA)
    if text is not None and size is not None:
        raise UsageError("a datagram has either a text or a size")
    given = None if text is None else _encoded(text)
    bell = _Bell()
    with _open(runtime, bell) as socket:
        if source is not None:
            runtime.call(lambda now: socket.bind(source, 0), "udp send")
        runtime.call(lambda now: socket.connect(destination, port), "udp send")
        length = DEFAULT_SIZE if size is None else size
        await tell(
            {
                "kind": "start",
                "from": format_address(socket.local or b""),
                "from_port": socket.port,
                "to": format_address(destination),
                "port": port,
                "bytes": length if given is None else len(given),
            }
        )
        started = trio.current_time()
        errors = 0
        for number in range(count):
            errors += await _tell_errors(socket, bell, tell, started + number * interval, None)
            data = numbered(number + 1, length) if given is None else given
            runtime.call(partial(socket.send, data, None, 0), "udp send")
            await tell({"kind": "sent"})
        await _tell_errors(socket, bell, tell, trio.current_time() + ERROR_PATIENCE, count - errors)


def _encoded(text: str) -> bytes:
    """The octets that the user's words are; those of the command line need not be UTF-8."""
    try:
        octets = text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        raise UsageError("a text of a datagram is made of characters, not of halves") from None
    if len(octets) > udp.MAXIMUM_DATA:
        raise UsageError(f"a datagram holds {udp.MAXIMUM_DATA} octets at most, not {len(octets)}")
    return octets


async def _tell_errors(socket: UdpSocket, bell: _Bell, tell: Tell, until: float, wanted: int | None) -> int:
    """Tell the errors that come up to a time, or until there were as many as wanted; how many there were."""
    told = 0
    while wanted is None or told < wanted:
        # Who answers is not asked; answers only take room.
        while socket.receive() is not None:
            continue
        error = socket.take_error()
        if error is not None:
            told += 1
            await tell({"kind": "error", "from": format_address(error.source), "type": error.type, "code": error.code})
            continue
        with trio.move_on_at(until):
            await bell.wait()
            continue
        break
    return told


def numbered(number: int, size: int) -> bytes:
    """`size` octets that begin with our mark and a number, and count up behind it."""
    head = _NUMBERED.pack(_MARK, number & 0xFFFFFFFF) if size >= _NUMBERED.size else b""
    return head + bytes(at & 0xFF for at in range(len(head), size))


def number_of(data: bytes) -> int | None:
    """The number in a datagram of ours, None in any other."""
    if len(data) < _NUMBERED.size or data[: len(_MARK)] != _MARK:
        return None
    number: int = _NUMBERED.unpack_from(data)[1]
    return number


# -- receive


async def receive(runtime: Runtime, arguments: Arguments, tell: Tell) -> None:
    """Tell every datagram that arrives at a port, from groups as they are listened to."""
    port = _port(arguments)
    count = arguments.whole("count", 1, 1 << 40)
    wanted = [parse_listening(text) for text in arguments.texts("join", MAXIMUM_JOINS)]
    bell = _Bell()
    with _open(runtime, bell) as socket:
        runtime.call(lambda now: socket.bind(None, port), "udp recv")
        started = trio.current_time()
        for group, source_filter in wanted:
            runtime.call(partial(socket.listen, group, source_filter), "udp recv")
        await tell({"kind": "start", "port": port})
        heard = 0
        while count is None or heard < count:
            datagram = socket.receive()
            while socket.take_error() is not None:
                continue
            if datagram is None:
                await bell.wait()
                continue
            heard += 1
            await tell(describe(datagram, started) | {"dropped": socket.dropped})
        if wanted:
            await _leave(runtime, socket, [group for group, _ in wanted], tell)


async def _leave(runtime: Runtime, socket: UdpSocket, groups: list[IPv6Address], tell: Tell) -> None:
    """Leave the groups, see what still comes to them until it is quiet, and tell that."""
    interface = runtime.interface
    watched: dict[IPv6Address, Afterlife] = {}

    def leave(now: float) -> float:
        for group in dict.fromkeys(groups):
            watched[group] = interface.afterlives.watch(group, now)
            socket.listen(group, NOTHING, now)
            if group in interface.listener.groups:
                # Others on this host listen to it still: it is not left.
                del watched[group]
                interface.afterlives.unwatch(group, now)
        return now

    before: dict[IPv6Address, int] = {}
    try:
        began = runtime.call(leave, "udp recv")
        before = {group: watch.count for group, watch in watched.items()}
        quiet_at = began + QUIET
        while watched and (now := trio.current_time()) < min(quiet_at, began + MAXIMUM_AFTERLIFE):
            await trio.sleep_until(min(quiet_at, now + _LOOK))
            quiet_at = max(watch.last or began for watch in watched.values()) + QUIET
    finally:
        for group in watched:
            runtime.call(partial(interface.afterlives.unwatch, group), "udp recv")
    after = {group: watch.count - before[group] for group, watch in watched.items()}
    last = max((watched[group].last or began for group, count in after.items() if count), default=None)
    if watched:
        late = None if last is None else round(last - began, 6)
        await tell({"kind": "left", "after": sum(after.values()), "last": late})


def describe(datagram: Datagram, started: float) -> dict[str, Any]:
    """The event for one datagram; its time is in seconds since `started`."""
    event: dict[str, Any] = {
        "kind": "datagram",
        "from": format_address(datagram.source),
        "port": datagram.port,
        "to": format_address(datagram.destination),
        "bytes": len(datagram.data),
        "hoplimit": datagram.hop_limit,
        "time": round(max(0.0, datagram.time - started), 6),
    }
    number = number_of(datagram.data)
    if number is not None:
        event["seq"] = number
    elif (text := _printable(datagram.data)) is not None:
        event["text"] = text
    return event


def _printable(data: bytes) -> str | None:
    """The text that the data is, None if a terminal should not be shown it."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return text if text and text.isprintable() else None


# -- echo


async def echo(runtime: Runtime, arguments: Arguments, tell: Tell) -> None:
    """Send every datagram back whence it came, until the client hangs up."""
    port = _port(arguments)
    bell = _Bell()
    with _open(runtime, bell) as socket:
        runtime.call(lambda now: socket.bind(None, port), "udp echo")
        await tell({"kind": "start", "port": port})
        while True:
            await bell.wait()
            while taken := _take(socket):
                echoed = runtime.call(partial(_send_back, socket, taken), "udp echo")
                await tell({"kind": "echoed", "datagrams": echoed, "unsent": len(taken) - echoed})


def _take(socket: UdpSocket) -> list[Datagram]:
    while socket.take_error() is not None:
        continue
    taken: list[Datagram] = []
    while len(taken) < _BATCH and (datagram := socket.receive()) is not None:
        taken.append(datagram)
    return taken


def _send_back(socket: UdpSocket, datagrams: list[Datagram], now: float) -> int:
    """Answer from the address that was asked; how many could be answered."""
    sent = 0
    for datagram in datagrams:
        # RFC 768: a source port of 0 says that no reply is wanted.
        if datagram.port == 0:
            continue
        with suppress(RefusedError, UsageError):
            socket.send(datagram.data, datagram.source, datagram.port, now, Sending(source=datagram.destination))
            sent += 1
    return sent


def _port(arguments: Arguments) -> int:
    port = arguments.whole("port", 1, udp.MAXIMUM_PORT)
    if port is None:
        raise UsageError("port is missing")
    return port
