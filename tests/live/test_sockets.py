"""Sockets beside those of Linux: the same programs on both, and what comes of them."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import trio

from tests.docs_examples import examples
from tests.live import over_host as over_host_program
from tests.live.netns import Namespace, wait_until
from tests.live.running import mdb_groups
from tests.sockets.record import ADDRESS, RECORD, kernels_outcomes

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
OVER_HOST = Path(over_host_program.__file__)
OTHER = "2001:db8::6"


def test_this_kernel_says_what_was_recorded() -> None:
    """`tests/sockets/test_misuse.py` holds our sockets to this table."""
    assert kernels_outcomes() == json.loads(RECORD.read_text())


@pytest.fixture
def network() -> Iterator[Namespace]:
    """A namespace with a bridge that snoops."""
    with Namespace() as namespace:
        namespace.bridge()
        yield namespace


def over_host(network: Namespace, tap: str, program: Path, *words: str) -> "subprocess.Popen[str]":
    """A program over a virtual host on the bridge."""
    command = (sys.executable, str(OVER_HOST), tap, "br0", f"{ADDRESS}/64", str(program), *words)
    return network.popen(*command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})


def ended(process: "subprocess.Popen[str]") -> str:
    """What a program said, which ends well."""
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return output


class TestReceiver:
    """A multicast receiver written only against `trio.socket`, once on Linux's sockets and once on ours."""

    def test_the_same_output(self, network: Namespace) -> None:
        sender = network.linux_host("br0")
        linux = network.linux_host("br0")
        for last in (1, 2):
            sender.run("ip", "addr", "add", f"2001:db8::{last}/64", "dev", sender.dev, "nodad")
        linux.run("ip", "addr", "add", f"{OTHER}/64", "dev", linux.dev, "nodad")
        words = ("ff05::77", "5000", "eth0", "4", "2001:db8::1", sender.link_local)
        theirs = linux.popen(sys.executable, str(EXAMPLES / "multicast_receiver.py"), *words)
        ours = over_host(network, "eth0", EXAMPLES / "multicast_receiver.py", *words)
        wait_until(
            lambda: all("ff05::77" in mdb_groups(network, "br0", port) for port in (linux.port, "eth0")), "joins"
        )
        for number, source in enumerate(("2001:db8::1", "2001:db8::2", sender.link_local, "2001:db8::1", "::1")):
            scope = 0 if source != sender.link_local else 2
            with sender.enter(), closing(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) as sending:
                index = socket.if_nametoindex(sender.dev)
                sending.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
                sending.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 7)
                sending.bind((source if source != "::1" else "::", 6000, 0, index if scope else 0))
                for group in ("ff05::77", "ff05::78"):
                    sending.sendto(f"{number} to {group}".encode(), (group, 5000))
                for address in (ADDRESS, OTHER):
                    if source == "::1":
                        sending.sendto(b"unicast", (address, 5000))
        output = ended(ours)
        assert output.replace(ADDRESS, OTHER) == ended(theirs)
        assert output.splitlines() == [
            "0 to ff05::77 from 2001:db8::1 port 6000 to ff05::77, hop limit 7",
            f"2 to ff05::77 from {sender.link_local}%eth0 port 6000 to ff05::77, hop limit 7",
            "3 to ff05::77 from 2001:db8::1 port 6000 to ff05::77, hop limit 7",
            output.splitlines()[3],
        ]
        assert "unicast from 2001:db8::" in output.splitlines()[3]
        wait_until(lambda: "ff05::77" not in mdb_groups(network, "br0", "eth0"), "leave")


class TestDnspython:
    def test_a_name_is_resolved_over_the_virtual_host(self, network: Namespace) -> None:
        """dnspython's trio back end against dnsmasq, unchanged."""
        linux = network.linux_host("br0")
        linux.run("ip", "addr", "add", "2001:db8::53/64", "dev", linux.dev, "nodad")
        server = linux.popen(
            *("dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root"),
            *("--pid-file=", "--bind-interfaces", "--listen-address=2001:db8::53", "--except-interface=lo"),
            *("--host-record=www.example,2001:db8::80", "--host-record=www.example,2001:db8::81"),
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        wait_until(lambda: ":53" in linux.run("ss", "-6nul").stdout, "DNS server")
        output = ended(over_host(network, "t0", EXAMPLES / "resolve.py", "2001:db8::53", "www.example"))
        assert output == "2001:db8::80\n2001:db8::81\n"
        assert server.poll() is None


def test_the_example_with_a_tap_device(network: Namespace, capsys: pytest.CaptureFixture[str]) -> None:
    """docs/sockets.md, as it stands."""
    (example,) = (each for each in examples("sockets.md") if each.mark == "tap")
    with network.enter():
        trio.run(example.function())
    assert capsys.readouterr().out == example.output
