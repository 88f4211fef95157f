"""`sixtap swarm` behind one TAP device of a snooping Linux bridge: all are there, for a Linux host and a querier."""

import errno
import json
import os
import signal
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from stack.address import eui64_identifier, format_address, multicast_mac, solicited_node
from stack.multicast_filter import hash_bit
from stack.sim.crowd import group_of, mac_of
from tests.live.netns import LinuxHost, Namespace, wait_until
from tests.live.running import SIXTAP, eventually, mdb_groups
from tests.playbook import ip

HOSTS, GROUPS = 200, 10
BASE = bytes.fromhex("025c00000100")
_ECHO_REQUEST, _ECHO_REPLY = 128, 129
_BATCH = 50


class Swarm:
    """`sixtap swarm` in a namespace; use it in a `with` statement, and `end` it for its summary."""

    def __init__(self, namespace: Namespace, folder: Path, *options: str) -> None:
        self._log = folder / "swarm.log"
        self._out = folder / "swarm.json"
        with self._log.open("w") as log, self._out.open("w") as out:
            self.process = namespace.popen(SIXTAP, "swarm", "-j", *options, stdout=out, stderr=log)

    @property
    def lines(self) -> list[str]:
        return self._log.read_text().split("\n")[:-1]

    def wait_for(self, text: str, timeout: float = 60.0) -> str:
        def look() -> str | None:
            if self.process.poll() is not None:
                raise AssertionError(f"it ended with {self.process.returncode}: {self.lines}")
            return next((line for line in self.lines if text in line), None)

        found: str = wait_until(look, f"line with {text!r}", timeout)
        return found

    def end(self) -> dict[str, Any]:
        """SIGINT; the summary."""
        os.kill(self.process.pid, signal.SIGINT)
        status = self.process.wait(20.0)
        assert status == 0, self.lines
        document: dict[str, Any] = json.loads(self._out.read_text())
        return document


@contextmanager
def swarm(namespace: Namespace, folder: Path, *options: str) -> Iterator[Swarm]:
    running = Swarm(namespace, folder, *options)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait(20.0)


def address_of(number: int) -> str:
    """RFC 4291 appendix A."""
    return format_address(bytes.fromhex("fe80000000000000") + eui64_identifier(mac_of(BASE, number)))


def ping_all(linux: LinuxHost, addresses: list[str], timeout: float = 20.0) -> set[str]:
    """Those that answer an echo request from the Linux host, each asked until it does."""
    with linux.enter():
        index = socket.if_nametoindex(linux.dev)
        raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    answered: set[str] = set()
    deadline = time.monotonic() + timeout
    with raw:
        raw.settimeout(0.2)
        while len(answered) < len(addresses) and time.monotonic() < deadline:
            # In portions: the kernel keeps few packets for neighbours that it is still asking for.
            for address in [each for each in addresses if each not in answered][:_BATCH]:
                request = struct.pack("!BBHHH", _ECHO_REQUEST, 0, 0, 0x517A, 1) + b"swarm"
                raw.sendto(request, (address, 0, 0, index))
            answered |= _replies(raw)
    return answered & set(addresses)


def _replies(raw: socket.socket) -> set[str]:
    found: set[str] = set()
    while True:
        try:
            octets, sender = raw.recvfrom(2048)
        except TimeoutError:
            return found
        if octets[0] == _ECHO_REPLY and octets[8:] == b"swarm":
            found.add(sender[0].partition("%")[0])


@pytest.mark.alone
def test_two_hundred_hosts_behind_one_device(tmp_path: Path) -> None:
    with Namespace() as namespace:
        bridge = namespace.bridge()
        linux = namespace.linux_host(bridge)
        options = ("mcast_hash_max", "16384", "mcast_query_response_interval", "300")
        namespace.run("ip", "link", "set", bridge, "type", "bridge", *options)
        words = ("--hosts", str(HOSTS), "--groups", str(GROUPS), "--mac-base", BASE.hex(":"))
        with swarm(namespace, tmp_path, *words, "--tap", "t0", "--bridge", bridge) as running:
            assert "filter is off" in running.wait_for("MACs")
            ready = running.wait_for("ready")
            assert f"{HOSTS} hosts" in ready and "MB" in ready and "processor time" in ready
            addresses = [address_of(number) for number in range(HOSTS)]
            assert ping_all(linux, addresses) == set(addresses)
            wanted = {format_address(group_of(number, index)) for number in range(HOSTS) for index in range(GROUPS)}
            eventually(lambda: mdb_groups(namespace, bridge, "t0") >= wanted, "every group in the database")
            namespace.run("ip", "link", "set", bridge, "type", "bridge", "mcast_querier", "1")
            answered = running.wait_for("query of")
            assert f"{HOSTS} of {HOSTS} hosts answered" in answered
            assert "too late" not in answered
            assert mdb_groups(namespace, bridge, "t0") >= wanted
            assert ping_all(linux, addresses[:20]) == set(addresses[:20])
            summary = running.end()
    assert (summary["up"], summary["duplicates"]) == (HOSTS, 0)
    assert summary["groups"] == HOSTS * (GROUPS + 2)
    (answers, *_) = summary["answers"]
    assert (answers["delay"], answers["hosts"], answers["late"]) == (3.0, HOSTS, 0)
    assert 0 < answers["last"] <= 3.0 + 0.001
    assert summary["lag"] >= 0.0, "how much later than that the clock had it"
    assert summary["cpu_seconds"] > 0 and summary["memory_bytes"] > 1_000_000


def unwanted_group(hosts: int, groups: int) -> str:
    """A group whose MAC no bit of the device's hash lets through by accident."""
    wanted = [multicast_mac(group_of(number, index)) for number in range(hosts) for index in range(groups)]
    wanted += [multicast_mac(solicited_node(ip(address_of(number)))) for number in range(hosts)]
    wanted.append(multicast_mac(ip("ff02::1")))
    bits = {hash_bit(mac) for mac in wanted}
    return next(text for text in map("ff02::{:x}".format, range(0x1000, 0x2000)) if hash_bit(mac_for(text)) not in bits)


def mac_for(group: str) -> bytes:
    return multicast_mac(ip(group))


def test_few_hosts_have_the_device_filter(tmp_path: Path) -> None:
    with Namespace() as namespace:
        bridge = namespace.bridge()
        linux = namespace.linux_host(bridge)
        words = ("--hosts", "3", "--groups", "2", "--mac-base", BASE.hex(":"))
        with swarm(namespace, tmp_path, *words, "--tap", "t0", "--bridge", bridge) as running:
            running.wait_for("ready 3 hosts")
            assert "filter is off" not in "".join(running.lines)
            addresses = [address_of(number) for number in range(3)]
            assert ping_all(linux, addresses) == set(addresses)
            dropped = namespace.link("t0")["stats64"]["tx"]["dropped"]
            linux.run("ping", "-c", "2", "-W", "1", "-I", linux.dev, unwanted_group(3, 2), check=False)
            eventually(lambda: namespace.link("t0")["stats64"]["tx"]["dropped"] >= dropped + 2, "dropped frames")
            running.end()
        assert namespace.run("ip", "link", "show", "t0", check=False).returncode != 0


def test_churn(tmp_path: Path) -> None:
    with Namespace() as namespace:
        bridge = namespace.bridge()
        words = ("--hosts", "3", "--groups", "2", "--churn", "20", "--tap", "t0", "--bridge", bridge)
        with swarm(namespace, tmp_path, *words) as running:
            # What a host joins and leaves has two numbers behind those that it keeps.
            changing = {f"ff15::{host}{number}" for host in ("", "1:", "2:") for number in (2, 5)}
            eventually(lambda: changing & mdb_groups(namespace, bridge, "t0"), "churn")
            assert running.end()["joins"] >= 1


def received(raw: socket.socket) -> bytes:
    """The next frame. That the device has gone down is told once, before what is still queued."""
    try:
        return raw.recv(70_000)
    except OSError as error:
        if error.errno != errno.ENETDOWN:
            raise
        return raw.recv(70_000)


def test_the_devices_mtu_is_theirs(tmp_path: Path) -> None:
    with Namespace() as namespace:
        namespace.run("ip", "tuntap", "add", "dev", "t0", "mode", "tap")
        namespace.run("ip", "link", "set", "t0", "mtu", "1400")
        with swarm(namespace, tmp_path, "--hosts", "2", "--groups", "80", "--tap", "t0") as running:
            running.wait_for("ready 2 hosts")
            # 82 records of 20 octets are more than such a packet holds; the device would take them.
            assert namespace.link("t0")["mtu"] == 1400
            with namespace.enter():
                raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            with raw:
                raw.bind(("t0", 3))
                raw.settimeout(20.0)
                running.process.send_signal(signal.SIGINT)
                lengths = [len(received(raw)) for _ in range(4)]
            assert max(lengths) <= 14 + 1400
            assert running.process.wait(20.0) == 0


def test_a_device_that_is_deleted(tmp_path: Path) -> None:
    with Namespace() as namespace, swarm(namespace, tmp_path, "--hosts", "2", "--tap", "t0") as running:
        running.wait_for("ready 2 hosts")
        namespace.run("ip", "link", "del", "t0")
        assert running.process.wait(20.0) == 1
        assert running.lines[-1] == "sixtap: t0 was deleted"


def test_words_that_cannot_be(tmp_path: Path) -> None:
    with Namespace() as namespace:
        done = namespace.run(SIXTAP, "swarm", "--hosts", "2", "--tap", "t0", "--bridge", "none", check=False)
        assert done.returncode == 1 and "there is no bridge none" in done.stderr
        done = namespace.run(SIXTAP, "swarm", "--hosts", "2", "--tap", "t0", "--querier", "5", check=False)
        assert done.returncode == 2 and done.stderr.count("\n") == 1


def test_killed_it_leaves_nothing_behind(tmp_path: Path) -> None:
    with Namespace() as namespace, swarm(namespace, tmp_path, "--hosts", "2", "--tap", "t0") as running:
        running.wait_for("ready 2 hosts")
        running.process.send_signal(signal.SIGKILL)
        running.process.wait(20.0)
        eventually(lambda: namespace.run("ip", "link", "show", "t0", check=False).returncode != 0, "no device")
