"""Asks this kernel what every wrong use ends with, and writes it down: `python -m tests.sockets.record`, as root."""

import json
import socket
from pathlib import Path

import trio

from tests.live.netns import Namespace
from tests.sockets.misuse import Place, outcomes

ADDRESS = "2001:db8::5"
RECORD = Path(__file__).with_name("linux.json")


def kernels_outcomes() -> dict[str, str]:
    """What Linux's sockets say in a namespace of their own, on a host with one link and a global address."""
    with Namespace() as namespace:
        linux = namespace.linux_host(namespace.bridge())
        linux.run("ip", "addr", "add", f"{ADDRESS}/64", "dev", linux.dev, "nodad")
        with linux.enter():
            place = Place(socket.if_nametoindex(linux.dev), linux.dev, linux.link_local, ADDRESS)
            found: dict[str, str] = trio.run(outcomes, place)
    return found


if __name__ == "__main__":
    RECORD.write_text(json.dumps(kernels_outcomes(), indent=1) + "\n")
