"""UDP between a Linux host and ours on a snooping bridge: what was joined arrives, and errors reach the other side."""

import json
import signal
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.live.netns import LinuxHost, Namespace, wait_until
from tests.live.running import SIXTAP, Running, eventually

GROUP = "ff05::1:3"
OTHER_GROUP = "ff05::1:4"
PORT = 5000
GLOBAL = "2001:db8::7"


class Rig:
    """A bridge with our host and a Linux host on it, which has a second address."""

    def __init__(self, namespace: Namespace, folder: Path, *, snooping: bool = True) -> None:
        self.namespace = namespace
        self.folder = folder
        self.bridge = namespace.bridge(snooping=snooping)
        self.linux: LinuxHost = namespace.linux_host(self.bridge)
        self.linux.run("ip", "addr", "add", f"{GLOBAL}/64", "dev", self.linux.dev, "nodad")
        with self.linux.enter():
            self.index = socket.if_nametoindex(self.linux.dev)

    def host(self) -> Running:
        return Running(self.namespace, self.folder, "--bridge", self.bridge)

    def socket(self, source: str = "") -> socket.socket:
        """A datagram socket of the Linux host, bound to one of its addresses."""
        with self.linux.enter():
            made = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, self.index)
        made.bind((source or self.linux.link_local, 0, 0, self.index if not source else 0))
        made.settimeout(20)
        return made

    def to(self, address: str, port: int = PORT) -> tuple[str, int, int, int]:
        """Where the Linux host sends to."""
        return address, port, 0, self.index if address.startswith(("fe80", "ff")) else 0


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Namespace() as namespace:
        yield Rig(namespace, tmp_path)


@contextmanager
def serving(rig: Rig, host: Running, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """A command that goes on until it is interrupted."""
    process = rig.namespace.popen(SIXTAP, "--control", str(host.control), "udp", *words)
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    process.wait(20)


def next_line(process: "subprocess.Popen[str]") -> str:
    """The next line that it says; the first comes when it is ready."""
    assert process.stdout is not None
    return process.stdout.readline()


def received(process: "subprocess.Popen[str]") -> list[dict[str, Any]]:
    """The datagrams of a `recv -j` that has ended by itself or is interrupted now."""
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, output + errors
    found: list[dict[str, Any]] = json.loads(output)["datagrams"]
    return found


class TestReceive:
    def test_only_what_was_joined_at_the_right_port(self, rig: Rig) -> None:
        """RFC 3810 4.2: of unicast and multicast data, what the socket asked for; RFC 768: the port decides."""
        joins = ("--join", GROUP, "--join", f"{OTHER_GROUP},include,{GLOBAL}")
        with rig.host() as host, rig.socket() as here, rig.socket(GLOBAL) as there:
            host.ask("maddr", "join", "ff05::1:5")
            with serving(rig, host, "recv", str(PORT), *joins, "-c", "4", "-j") as process:
                eventually(lambda: {GROUP, OTHER_GROUP} <= set(host.groups()), "groups joined")
                here.sendto(b"not joined at this socket", rig.to("ff05::1:5"))
                here.sendto(b"not joined at all", rig.to("ff05::1:6"))
                here.sendto(b"another port", rig.to(GROUP, PORT + 1))
                here.sendto(b"not an included source", rig.to(OTHER_GROUP))
                here.sendto(b"1", rig.to(GROUP))
                there.sendto(b"2", rig.to(GROUP))
                there.sendto(b"3", rig.to(OTHER_GROUP))
                here.sendto(b"4", rig.to(host.address))
                found = received(process)
            assert {(each["text"], each["from"], each["to"]) for each in found} == {
                ("1", rig.linux.link_local, GROUP),
                ("2", GLOBAL, GROUP),
                ("3", GLOBAL, OTHER_GROUP),
                ("4", rig.linux.link_local, host.address),
            }
            assert {each["port"] for each in found} == {here.getsockname()[1], there.getsockname()[1]}
            eventually(lambda: GROUP not in host.groups(), "group left")
            counters = host.json("stats", "--nonzero")
            assert counters["Udp6InDatagrams"] == 4
            assert counters["DiscardUdpNoMember"] == 2
            assert counters["DiscardUdpSourceFiltered"] == 1

    def test_interrupted_it_leaves(self, rig: Rig) -> None:
        with rig.host() as host, rig.socket() as linux:
            with serving(rig, host, "recv", str(PORT), "--join", GROUP) as process:
                assert next_line(process) == f"listening at port {PORT}\n"
                assert GROUP in host.groups()
                linux.sendto(b"hello", rig.to(GROUP))
                line = next_line(process)
                assert line.startswith(f"5 bytes from {rig.linux.link_local} port ")
                assert line.endswith(": hello\n")
            assert process.returncode == 0
            eventually(lambda: GROUP not in host.groups(), "group left")

    def test_what_a_link_carries_after_the_leave(self, tmp_path: Path) -> None:
        """A bridge that does not snoop goes on; the driver's filter lets it pass for as long as it is looked for."""
        with Namespace() as namespace:
            rig = Rig(namespace, tmp_path, snooping=False)
            with rig.host() as host, rig.socket() as linux:
                with serving(rig, host, "recv", str(PORT), "--join", GROUP, "-c", "1", "-j") as process:
                    eventually(lambda: GROUP in host.groups(), "group joined")
                    linux.sendto(b"1", rig.to(GROUP))
                    eventually(lambda: GROUP not in host.groups(), "group left")
                    for _ in range(5):
                        linux.sendto(b"late", rig.to(GROUP))
                    output, _ = process.communicate(timeout=60)
                document = json.loads(output)
                assert (document["received"], document["after_leave"]) == (1, 5)
                assert 0 < document["leave_to_last"] < 10
                assert host.json("maddr", "filter")["exact"].count("33:33:00:01:00:03") == 0

    def test_large_and_empty_ones(self, rig: Rig) -> None:
        sizes = (0, 1, 1451, 1452)
        with rig.host() as host, rig.socket() as linux:
            with serving(rig, host, "recv", str(PORT), "-c", str(len(sizes))) as process:
                next_line(process)
                for size in sizes:
                    linux.sendto(bytes(size), rig.to(host.address))
                lines = [next_line(process).partition(" from ")[0] for _ in sizes]
            assert lines == ["0 bytes", "1 byte", "1451 bytes", "1452 bytes"]


class TestErrors:
    def test_linux_is_told_that_nobody_listens(self, rig: Rig) -> None:
        """RFC 4443 3.1: a connected socket of the kernel learns it as a refused connection."""
        with rig.host() as host, rig.socket() as linux:
            linux.connect(rig.to(host.address))
            linux.send(b"hello")
            with pytest.raises(ConnectionRefusedError):
                linux.recv(100)
            assert host.json("stats")["Udp6NoPorts"] == 1

    def test_nobody_is_told_about_a_group(self, rig: Rig) -> None:
        """RFC 4443 2.4 (e.3)."""
        with rig.host() as host, rig.socket() as linux:
            host.ask("maddr", "join", GROUP)
            before = host.json("stats")["Icmp6OutDestUnreachs"]
            linux.sendto(b"hello", rig.to(GROUP))
            eventually(lambda: host.json("stats")["DiscardUdpNoMember"] == 1, "datagram to the group")
            assert host.json("stats")["Icmp6OutDestUnreachs"] == before

    def test_we_are_told_that_nobody_listens_there(self, rig: Rig) -> None:
        with rig.host() as host:
            document = host.json("udp", "send", rig.linux.link_local, str(PORT), "--text", "hello", status=1)
            assert document["errors"] == [{"from": rig.linux.link_local, "type": 1, "code": 4}]


class TestSend:
    def test_to_linux(self, rig: Rig) -> None:
        with rig.host() as host, rig.socket() as linux:
            port = linux.getsockname()[1]
            document = host.json("udp", "send", rig.linux.link_local, str(port), "--text", "hello")
            data, sender = linux.recvfrom(100)
            assert (data, sender[:2]) == (b"hello", (host.address, document["from_port"]))

    def test_a_group_that_linux_listens_to(self, rig: Rig) -> None:
        with rig.linux.enter():
            member = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        with rig.host() as host, member:
            member.bind(("::", PORT))
            group = socket.inet_pton(socket.AF_INET6, GROUP) + struct.pack("=I", rig.index)
            member.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
            member.settimeout(20)
            host.ask("udp", "send", GROUP, str(PORT), "--size", "100", "-c", "3")
            assert [len(member.recv(200)) for _ in range(3)] == [100] * 3


class TestEcho:
    def test_round_trip(self, rig: Rig) -> None:
        with rig.host() as host, rig.socket() as linux, serving(rig, host, "echo", "7") as process:
            assert next_line(process) == "listening at port 7\n"
            linux.connect(rig.to(host.address, 7))
            for size in (0, 1, 512, 1452):
                data = bytes(range(256)) * 6
                linux.send(data[:size])
                assert linux.recv(2000) == data[:size]

    def test_many(self, rig: Rig) -> None:
        """A window of datagrams, all of which come back once."""
        with rig.host() as host, rig.socket() as linux, serving(rig, host, "echo", "7") as process:
            next_line(process)
            linux.connect(rig.to(host.address, 7))
            for start in range(0, 1000, 50):
                sent = [number.to_bytes(4, "big") for number in range(start, start + 50)]
                for each in sent:
                    linux.send(each)
                assert sorted(linux.recv(100) for _ in sent) == sent
            wait_until(lambda: host.json("stats")["Udp6OutDatagrams"] == 1000, "a thousand echoes")
