"""The command line's side of a control socket: find the host, ask, read the answer.

Plain blocking sockets, and nothing imported that a command does not need: a
script may call it a hundred times.
"""

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from stack.control import protocol
from stack.errors import RefusedError, StackError, UsageError


def find(device: str | None, control: str | None) -> Path:
    """The socket of the host that is meant; with one host running neither needs to be given.

    Raises UsageError when several run and none was named, RefusedError when none does.
    """
    if control is not None:
        return Path(control)
    if device is not None:
        for folder in protocol.folders():
            path = folder / protocol.socket_name(device)
            if _answers(path):
                return path
        raise RefusedError(f"no host is running on {device} (sixtap run --tap {device} starts one)")
    running = [path for path in protocol.live_candidates() if _answers(path)]
    if not running:
        raise RefusedError("no host is running (sixtap run starts one)")
    if len(running) > 1:
        names = ", ".join(protocol.device_of(path) for path in running)
        raise UsageError(f"several hosts are running: {names}; name one with -d")
    return running[0]


class Request:
    """One request under way; iterate over its events, then take `result`."""

    def __init__(self, path: Path, command: str, arguments: dict[str, Any]) -> None:
        self.result: Any = None
        self._socket = _connect(path)
        self._socket.sendall(protocol.encode({"command": command, "arguments": arguments}))
        self._lines = self._socket.makefile("rb")

    def events(self) -> Iterator[dict[str, Any]]:
        """The events of the answer as they come; raises what the host refused with."""
        while True:
            line = self._lines.readline(protocol.LINE_MAX)
            if not line.endswith(b"\n"):
                raise RefusedError("the host went away")
            answer = protocol.decode(line)
            if "event" in answer:
                yield answer["event"]
            elif "error" in answer:
                raise _refusal(answer)
            else:
                self.result = answer.get("result")
                return

    def end(self) -> None:
        """No further answer is wanted: what has come already can be read, then `events` says that the host is gone."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Hang up; the host ends what it does for this request."""
        self._lines.close()
        self._socket.close()


def ask(path: Path, command: str, **arguments: Any) -> Any:
    """The result of one request that has no events. Raises what the host refused with."""
    request = Request(path, command, arguments)
    try:
        for _ in request.events():
            continue
        return request.result
    except OSError as error:
        raise RefusedError(f"the host went away: {error.strerror}") from error
    finally:
        request.close()


def _connect(path: Path) -> socket.socket:
    protocol.check_path(path)
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        channel.connect(str(path))
    except PermissionError:
        channel.close()
        raise RefusedError(f"no permission to use {path}: run as the user who started the host, or as root") from None
    except OSError as error:
        channel.close()
        raise RefusedError(f"no host answers on {path}: {error.strerror}") from error
    return channel


def _answers(path: Path) -> bool:
    """Whether somebody listens on a socket; one that we may not use counts."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
        try:
            channel.connect(str(path))
        except PermissionError:
            return path.exists()
        except OSError:
            return False
    return True


def _refusal(answer: dict[str, Any]) -> StackError:
    text = str(answer["error"])
    return UsageError(text) if answer.get("status") == 2 else RefusedError(text)
