"""What is said on a control socket, and where the socket is.

One request a connection: a line of JSON `{"command", "arguments"}`. The answer is
any number of lines `{"event": …}` and a last one, `{"result": …}` or
`{"error": TEXT, "status": 1 or 2}`. The protocol is private to one version of the
program; the command line is the interface.
"""

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from stack.errors import UsageError

# A request or an answer is one line, no longer than this (bytes).
LINE_MAX = 1 << 26
REQUEST_MAX = 1 << 20
# sockaddr_un holds 108 bytes, the last one a zero.
_PATH_MAX = 107
_SUFFIX = ".sock"
_SYSTEM_FOLDER = Path("/run/sixtap")

# How a service says something to its client: one event, which may have to wait for a slow one.
Tell = Callable[[dict[str, Any]], Awaitable[None]]


def encode(document: Any) -> bytes:
    """One line of JSON."""
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """The object in a line; raises ValueError if it holds anything else."""
    try:
        document = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(document, dict):
        raise ValueError("not an object")
    return document


def folders() -> list[Path]:
    """Where control sockets are looked for, the preferred place first."""
    found = [_SYSTEM_FOLDER]
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime:
        found.append(Path(runtime, "sixtap"))
    return found


def socket_name(device: str) -> str:
    """The file name of the socket of the host on `device`."""
    return device + _SUFFIX


def device_of(path: Path) -> str:
    """The device whose host a socket file is named after."""
    return path.name.removesuffix(_SUFFIX)


def check_path(path: Path) -> None:
    """Raises UsageError unless a Unix socket can have this path."""
    if len(os.fsencode(path)) > _PATH_MAX:
        raise UsageError(f"{path} is too long for a socket ({_PATH_MAX} bytes at most); choose another with --control")


def live_candidates() -> list[Path]:
    """The socket files in all folders; whether a host still answers on them is for the caller to try."""
    found: list[Path] = []
    for folder in folders():
        try:
            found += sorted(path for path in folder.iterdir() if path.suffix == _SUFFIX and path.is_socket())
        except OSError:
            continue
    return found
