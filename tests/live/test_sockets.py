"""Sockets beside those of Linux: the same programs on both, and what comes of them."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from tests.live.netns import LinuxHost, Namespace
from tests.sockets import misuse

ADDRESS = "2001:db8::5"
RECORDED = Path(misuse.__file__).with_name("linux.json")


@pytest.fixture
def linux() -> Iterator[LinuxHost]:
    """A Linux host with a global address, on a bridge."""
    with Namespace() as namespace:
        host = namespace.linux_host(namespace.bridge())
        host.run("ip", "addr", "add", f"{ADDRESS}/64", "dev", host.dev, "nodad")
        yield host


def test_this_kernel_says_what_was_recorded(linux: LinuxHost) -> None:
    """`tests/sockets/test_misuse.py` holds our sockets to this table."""
    with linux.enter():
        place = misuse.Place(socket.if_nametoindex(linux.dev), linux.dev, linux.link_local, ADDRESS)
        found = trio.run(misuse.outcomes, place)
    assert found == json.loads(RECORDED.read_text())
