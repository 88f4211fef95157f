"""What passes through both kinds of socket: sending, receiving, waiting, and errors that come back.

A call that finds what it wants does not give way to other tasks: what a socket has
queued is bounded, and who only sends gives way now and then.
"""

import errno
import os
import socket
from typing import Any, NamedTuple

import trio

from stack.address import UNSPECIFIED
from stack.errors import StackError, UnavailableError
from stack.interface import Interface
from stack.sockets import ancillary, options
from stack.sockets.base import BaseSocket
from stack.sockets.names import Peer, SocketAddress, as_os_error, errno_of, failure, needs_scope, resolve, written
from stack.udp.datagram import PLAIN, Datagram, DatagramError, Sending

Buffer = Any
# As plain numbers: an operation on Python's own flags takes longer than the rest of a call.
_MORE, _CONFIRM, _OOB = int(socket.MSG_MORE), int(socket.MSG_CONFIRM), int(socket.MSG_OOB)
_PEEK, _ERRQUEUE, _TRUNC = int(socket.MSG_PEEK), int(socket.MSG_ERRQUEUE), int(socket.MSG_TRUNC)
# Datagrams sent before other tasks have their turn.
_TURN = 64
# What is received after shutdown.
_NOTHING = Datagram(b"", UNSPECIFIED, 0, UNSPECIFIED, 0, 0, None, 0.0)  # type: ignore[arg-type]


class Sender(NamedTuple):
    """Whom a datagram came from, as a program has it and as we do."""

    written: SocketAddress
    peer: Peer
    interface: Interface
    how: Sending


class HostSocket(BaseSocket):
    """A socket of a running host."""

    # Who answers does so to the address that it was given: it need not be read again.
    _last_sender: Sender | None = None

    def _send_core(self, data: bytes, peer: Peer | None, now: float, how: Sending) -> None:
        raise NotImplementedError

    # -- told by the core

    def heard(self) -> None:
        """Something was put into the queue."""
        errors = self.core.errors()
        if errors:
            self._look_at(errors[-1], len(errors))
        if self._waiting:
            self._waiting.unpark()
        if self._event >= 0:
            os.eventfd_write(self._event, 1)

    def _look_at(self, error: DatagramError, count: int) -> None:
        """Linux's rule: without IPV6_RECVERR a connected socket is told of errors that end it, and no other."""
        asked = self.values.get(options.RECVERR, 0)
        number, final = errno_of(error.type, error.code)
        if count > self._known_errors and (asked or (final and self.core.remote is not None)):
            self._error = number
        if not asked:
            while self.core.take_error() is not None:
                continue
        self._known_errors = len(self.core.errors())

    # -- sending

    def _may_send(self) -> None:
        self._check_open()
        if self._error:
            raise failure(self.take_error())
        if self._no_more_out:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    async def _turn(self) -> None:
        """A checkpoint that gives way once in a while: what is sent arrives only when others run."""
        self._sent += 1
        if self._sent % _TURN:
            await trio.lowlevel.checkpoint_if_cancelled()
        else:
            await trio.lowlevel.checkpoint()

    async def send(self, data: Buffer, flags: int = 0) -> int:
        """Send to the connected peer; how many bytes."""
        await self._turn()
        return self._transmit(bytes(data), None, flags, PLAIN)

    async def sendto(self, *args: Any) -> int:
        """`sendto(data, address)` or `sendto(data, flags, address)`; how many bytes."""
        if len(args) not in (2, 3):
            raise TypeError(f"sendto() takes 2 or 3 arguments ({len(args)} given)")
        await self._turn()
        self._check_open()
        last, address = self._last_sender, args[-1]
        if last is not None and address is last.written and not last.interface.detached:
            peer, how = last.peer, last.how
        else:
            peer, how = await resolve(self.runtime.host, address, self._kind, local=False), PLAIN
        return self._transmit(bytes(args[0]), peer, args[1] if len(args) == 3 else 0, how)

    async def sendmsg(self, buffers: Any, ancdata: Any = (), flags: int = 0, address: Any = None, /) -> int:
        """Send with ancillary data: IPV6_PKTINFO, IPV6_HOPLIMIT, IPV6_TCLASS (RFC 3542 6)."""
        await self._turn()
        self._check_open()
        peer = None if address is None else await resolve(self.runtime.host, address, self._kind, local=False)
        return self._transmit(
            b"".join(bytes(each) for each in buffers), peer, flags, ancillary.sending(self.runtime.host, ancdata)
        )

    def _transmit(self, data: bytes, peer: Peer | None, flags: int, how: Sending) -> int:
        self._may_send()
        self._check_flags(flags)
        if flags & _MORE:
            raise failure(errno.EOPNOTSUPP)
        if peer is not None:
            peer = self._reachable(peer)
            how = self._with_scope(peer, how)
        elif self.core.remote is None:
            raise failure(errno.EDESTADDRREQ)
        if flags & _CONFIRM:
            how = how._replace(confirm=True)
        if self.sticky_source is not None and how.source is None:
            how = how._replace(source=self.sticky_source)
        now = self.runtime.begin("socket send")
        try:
            self._send_core(data, peer, now, how)
        except StackError as error:
            if isinstance(error, UnavailableError) and how.source is not None:
                # Linux: a source that a program names for one datagram is an argument as any other.
                raise failure(errno.EINVAL) from error
            raise as_os_error(error) from error
        finally:
            self.runtime.end_soon(now)
        return len(data)

    def _check_flags(self, flags: int) -> None:
        """Linux: there is no data out of band; UDP does not look whether it is asked for."""
        if flags & _OOB and self._kind == socket.SOCK_RAW:
            raise failure(errno.EOPNOTSUPP)

    def _with_scope(self, peer: Peer, how: Sending) -> Sending:
        """The interface that the destination, the ancillary data or an option names; as on Linux none need."""
        bound = self.core.interface
        named = peer.interface or how.interface or self.sticky_interface
        if named is not None and bound is not None and named is not bound:
            raise failure(errno.EINVAL)
        if named is None or named is bound or named is how.interface:
            return how
        return how._replace(interface=named)

    # -- receiving

    async def _take(self, flags: int) -> Datagram:
        """The next datagram; an empty one after shutdown. Raises the error that waits first."""
        self._check_open()
        self._check_flags(flags)
        await trio.lowlevel.checkpoint_if_cancelled()
        core = self.core
        while True:
            if self._error:
                raise failure(self.take_error())
            datagram = core.peek() if flags & _PEEK else core.receive()
            if datagram is not None:
                if self._event >= 0:
                    self._quieten()
                return datagram
            if self._no_more_in:
                return _NOTHING
            await self._wait()

    async def _wait(self) -> None:
        await self._waiting.park()
        if self._closed:
            raise trio.ClosedResourceError("another task closed this socket")

    def _quieten(self) -> None:
        """The descriptor says no longer that there is something, if there is nothing."""
        if not self.is_readable():
            try:
                os.eventfd_read(self._event)
            except BlockingIOError:
                return

    def is_readable(self) -> bool:
        """Whether receiving would not wait."""
        self._check_open()
        return bool(self._error) or self._no_more_in or self.core.peek() is not None

    async def wait_writable(self) -> None:
        """A datagram can always be sent."""
        await trio.lowlevel.checkpoint()
        self._check_open()

    def _from(self, datagram: Datagram) -> SocketAddress:
        source, port, interface = datagram.source, datagram.port, datagram.interface
        last = self._last_sender
        if last is None or port != last.peer.port or source != last.peer.address or interface is not last.interface:
            scope = interface if needs_scope(source) else None
            peer, how = Peer(source, port, scope), Sending(interface=scope)
            last = Sender(written(source, port, interface), peer, interface, how)
            self._last_sender = last
        return last.written

    async def recv(self, buflen: int, flags: int = 0, /) -> bytes:
        """The data of the next datagram, its first `buflen` bytes."""
        if buflen < 0:
            raise ValueError("negative buffersize in recv")
        return (await self._take(flags)).data[:buflen]

    async def recvfrom(self, bufsize: int, flags: int = 0, /) -> tuple[bytes, SocketAddress]:
        """The same, with the sender's address."""
        if bufsize < 0:
            raise ValueError("negative buffersize in recvfrom")
        datagram = await self._take(flags)
        return datagram.data[:bufsize], self._from(datagram)

    async def recv_into(self, buffer: Buffer, nbytes: int = 0, flags: int = 0) -> int:
        """The same, into a buffer; how many bytes."""
        return _into(buffer, nbytes, (await self._take(flags)).data, flags)

    async def recvfrom_into(self, buffer: Buffer, nbytes: int = 0, flags: int = 0) -> tuple[int, SocketAddress]:
        """The same, with the sender's address."""
        datagram = await self._take(flags)
        return _into(buffer, nbytes, datagram.data, flags), self._from(datagram)

    async def recvmsg(
        self, bufsize: int, ancbufsize: int = 0, flags: int = 0, /
    ) -> tuple[bytes, list[tuple[int, int, bytes]], int, SocketAddress]:
        """Data, ancillary data, flags and address; with MSG_ERRQUEUE of the next error (IPV6_RECVERR)."""
        if bufsize < 0 or ancbufsize < 0:
            raise ValueError("negative buffer size in recvmsg")
        if flags & _ERRQUEUE:
            return ancillary.of_error(await self._take_error(), bufsize, ancbufsize)
        datagram = await self._take(flags)
        if datagram is _NOTHING:
            return b"", [], 0, self._from(datagram)
        extra, told = ancillary.received(self.values, datagram, ancbufsize)
        if len(datagram.data) > bufsize:
            told |= _TRUNC
        return datagram.data[:bufsize], extra, told, self._from(datagram)

    async def recvmsg_into(
        self, buffers: Any, ancbufsize: int = 0, flags: int = 0, /
    ) -> tuple[int, list[tuple[int, int, bytes]], int, SocketAddress]:
        """The same, into buffers one after the other; how many bytes."""
        views = [memoryview(each).cast("B") for each in buffers]
        data, extra, told, address = await self.recvmsg(sum(map(len, views)), ancbufsize, flags)
        left = data
        for view in views:
            view[: len(left)] = left[: len(view)]
            left = left[len(view) :]
        return len(data), extra, told, address

    async def _take_error(self) -> DatagramError:
        self._check_open()
        await trio.lowlevel.checkpoint_if_cancelled()
        while (error := self.core.take_error()) is None:
            await self._wait()
        left = self.core.errors()
        self._known_errors = len(left)
        # Linux: what waits for the next call is the next error in the queue, if there is one.
        self._error = errno_of(left[0].type, left[0].code)[0] if left else 0
        return error


def _into(buffer: Buffer, nbytes: int, data: bytes, flags: int) -> int:
    if nbytes < 0:
        raise ValueError("negative buffersize in recv_into")
    view = memoryview(buffer).cast("B")
    size = min(len(data), nbytes or len(view), len(view))
    view[:size] = data[:size]
    return len(data) if flags & _TRUNC else size
