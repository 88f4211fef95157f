"""The host's side of a control socket: a Unix stream socket that only its user may open.

Every connection carries one request. Calls run on the host between two frames;
the services take time, and end when their client hangs up.
"""

import fcntl
import os
import socket
import stat
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import trio

from stack.control import protocol, udp, watching
from stack.control.arguments import Arguments
from stack.control.commands import HANDLERS
from stack.control.monitor import monitor
from stack.control.ping import ping
from stack.control.protocol import Tell
from stack.errors import RefusedError, StackError, UsageError
from stack.runtime import Runtime

MAX_CLIENTS = 256
_BACKLOG = 128
# A client that asks nothing, or takes nothing, for so long is hung up on (seconds).
_REQUEST_TIMEOUT = 10.0
_ANSWER_TIMEOUT = 30.0
_MODE = 0o600

Service = Callable[[Runtime, Arguments, Tell], Awaitable[None]]

SERVICES: dict[str, Service] = {
    "monitor": monitor,
    "ping": ping,
    "udp send": udp.send,
    "udp recv": udp.receive,
    "udp echo": udp.echo,
    "top": watching.top,
}


class ControlSocket:
    """A listening control socket at `path`; the file goes with `close`."""

    def __init__(self, path: Path) -> None:
        """Listen; a dead socket file is replaced. Raises UsageError or RefusedError."""
        protocol.check_path(path)
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with _folder_lock(path):
                _remove_dead(path)
                _bind(self._socket, path)
            self._identity = _identity(path)
        except BaseException:
            self._socket.close()
            raise

    def close(self) -> None:
        """Stop listening and remove the file, unless it is somebody else's by now; may be called again."""
        self._socket.close()
        if _identity(self.path) == self._identity:
            self.path.unlink(missing_ok=True)

    async def serve(self, runtime: Runtime) -> None:
        """Answer requests until cancelled."""
        listener = trio.socket.from_stdlib_socket(self._socket)
        async with trio.open_nursery() as nursery:
            while True:
                try:
                    connection, _ = await listener.accept()
                except OSError:
                    # Out of descriptors, or the client has gone already: the others are still served.
                    await trio.sleep(0.1)
                    continue
                if len(nursery.child_tasks) >= MAX_CLIENTS:
                    connection.close()
                    continue
                nursery.start_soon(_serve_client, runtime, trio.SocketStream(connection))


def default_path(device: str) -> Path:
    """Where the socket of the host on `device` goes: the first folder that can be written. Raises RefusedError."""
    tried = []
    for folder in protocol.folders():
        try:
            folder.mkdir(mode=0o755, exist_ok=True)
        except OSError:
            tried.append(str(folder))
            continue
        if os.access(folder, os.W_OK | os.X_OK):
            return folder / protocol.socket_name(device)
        tried.append(str(folder))
    raise RefusedError(f"no control socket can be made in {' or '.join(tried)}; choose a path with --control")


@contextmanager
def _folder_lock(path: Path) -> Iterator[None]:
    """Only one process at a time looks at what is at the path and replaces it; no lock file is left."""
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror}; choose another path with --control") from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _remove_dead(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror}; choose another path with --control") from error
    if not stat.S_ISSOCK(mode):
        raise RefusedError(f"{path} is there and is no socket; choose another path with --control")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise RefusedError(f"{path}: {error.strerror}; choose another path with --control") from error
    raise RefusedError(f"another host answers on {path} already; choose another path with --control")


def _bind(listener: socket.socket, path: Path) -> None:
    before = os.umask(0o777 & ~_MODE)
    try:
        listener.bind(str(path))
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror}; choose another path with --control") from error
    finally:
        os.umask(before)
    listener.listen(_BACKLOG)
    listener.setblocking(False)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


async def _serve_client(runtime: Runtime, stream: trio.SocketStream) -> None:
    async with stream:
        try:
            line = await _read_line(stream)
            if line is not None:
                await _answer(runtime, stream, line)
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
            return


async def _read_line(stream: trio.SocketStream) -> bytes | None:
    line = bytearray()
    with trio.move_on_after(_REQUEST_TIMEOUT):
        while not line.endswith(b"\n") and len(line) <= protocol.REQUEST_MAX:
            data = await stream.receive_some(1 << 16)
            if not data:
                return None
            line += data
        return bytes(line)
    return None


async def _answer(runtime: Runtime, stream: trio.SocketStream, line: bytes) -> None:
    try:
        request = protocol.decode(line)
        command = request.get("command")
        arguments = Arguments(request.get("arguments", {}))
    except (ValueError, UsageError) as error:
        await _say(stream, {"error": f"malformed request: {error}", "status": 2})
        return
    try:
        result = await _perform(runtime, stream, command, arguments)
    except StackError as error:
        await _say(stream, {"error": str(error), "status": 2 if isinstance(error, UsageError) else 1})
    else:
        await _say(stream, {"result": result})


async def _perform(runtime: Runtime, stream: trio.SocketStream, command: Any, arguments: Arguments) -> Any:
    handler = HANDLERS.get(command) if isinstance(command, str) else None
    if handler is not None:
        return runtime.call(lambda now: handler(runtime, arguments, now), f"call {command}")
    service = SERVICES.get(command) if isinstance(command, str) else None
    if service is None:
        raise UsageError(f"the host knows no command {command!r}; is it of another version?")
    await _while_connected(stream, lambda tell: service(runtime, arguments, tell))
    return None


async def _while_connected(stream: trio.SocketStream, work: Callable[[Tell], Awaitable[None]]) -> None:
    """Do the work until it is done or the client hangs up."""
    failures: list[StackError] = []

    async def tell(event: dict[str, Any]) -> None:
        await _say(stream, {"event": event})

    async def watch(scope: trio.CancelScope) -> None:
        with suppress(trio.BrokenResourceError):
            while await stream.receive_some(1024):
                continue
        scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch, nursery.cancel_scope)
        with suppress(trio.BrokenResourceError, trio.TooSlowError):
            try:
                await work(tell)
            except StackError as error:
                failures.append(error)
        nursery.cancel_scope.cancel()
    if failures:
        raise failures[0]


async def _say(stream: trio.SocketStream, document: dict[str, Any]) -> None:
    with trio.fail_after(_ANSWER_TIMEOUT):
        await stream.send_all(protocol.encode(document))
