"""`sixtap querier` and `sixtap mld send` on a real bridge, beside a virtual host and the Linux kernel as listeners."""

import itertools
import json
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from tests.live.netns import LinuxHost, Namespace, wait_until
from tests.live.running import SIXTAP, eventually, mdb_groups
from tests.live.test_host import Rig, frames, sniffer, solicited_node
from tests.playbook import ip

GROUP = "ff05::1:3"
LINUX_GROUP = "ff15::cafe"
SOURCE = "2001:db8::1"
_MCAST_JOIN_SOURCE_GROUP = 46  # linux/in.h
_counter = itertools.count()

Lines = list[dict[str, Any]]


class Asking:
    """`sixtap querier` on a TAP device of the rig's bridge; use it in a `with` statement."""

    def __init__(self, rig: Rig, *options: str, tap: str = "q0") -> None:
        self._log = rig.folder / f"{tap}.{next(_counter)}.json"
        with self._log.open("w") as log:
            self.process = rig.namespace.popen(
                *(SIXTAP, "querier", "-j", "--tap", tap, "--bridge", rig.bridge, *options),
                stdout=log,
                stderr=subprocess.PIPE,
            )

    def __enter__(self) -> "Asking":
        self.wait_for(lambda lines: lines, "first line")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> int:
        """SIGTERM, and its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(20.0)

    @property
    def lines(self) -> Lines:
        return [json.loads(line) for line in self._log.read_text().split("\n")[:-1]]

    def table(self) -> dict[str, tuple[str, list[str]]]:
        """Mode and sources by group, as the lines so far make it."""
        table = {}
        for each in self.lines:
            if each["event"] == "listeners":
                table[each["group"]] = (each["mode"], each["sources"])
        return {group: state for group, state in table.items() if state[0] is not None}

    def wait_for(self, condition: Callable[[Lines], Any], what: str) -> None:
        def look() -> Any:
            if self.process.poll() is not None and not condition(self.lines):
                raise AssertionError(f"it ended with {self.process.returncode}: {self.lines}")
            return condition(self.lines)

        wait_until(look, what)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Namespace() as namespace:
        yield Rig(namespace, tmp_path)


@contextmanager
def member(linux: LinuxHost, group: str, source: str | None = None) -> Iterator[None]:
    """A socket of the Linux host that listens to a group, from one source only if one is named."""
    with linux.enter(), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        index = socket.if_nametoindex(linux.dev)
        if source is None:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, ip(group) + struct.pack("=I", index))
        else:
            request = struct.pack("=I4x", index) + _storage(group) + _storage(source)
            sock.setsockopt(socket.IPPROTO_IPV6, _MCAST_JOIN_SOURCE_GROUP, request)
        yield


def _storage(address: str) -> bytes:
    """struct sockaddr_storage with a sockaddr_in6 in it."""
    return (struct.pack("=HHI", socket.AF_INET6, 0, 0) + ip(address) + bytes(4)).ljust(128, b"\0")


@pytest.mark.parametrize("version", ["1", "2"])
def test_its_table_is_what_both_hosts_listen_to(rig: Rig, version: str) -> None:
    options = ("--version", version, "--interval", "2", "--max-response", "300")
    with (
        Asking(rig, *options) as querier,
        rig.host("--join", GROUP) as host,
        member(rig.linux, LINUX_GROUP),
    ):
        expected = {GROUP, LINUX_GROUP, solicited_node(host.address), solicited_node(rig.linux.link_local)}
        eventually(lambda: expected <= querier.table().keys(), "all groups in the table")
        assert all(state == ("exclude", []) for state in querier.table().values())
        # Asked again and again, they stay: for longer than what was not confirmed would.
        began = time.monotonic()
        eventually(lambda: time.monotonic() > began + 5, "five seconds")
        assert expected <= querier.table().keys()
        host.ask("maddr", "leave", GROUP)
        eventually(lambda: GROUP not in querier.table(), "the virtual host's group gone")
        assert LINUX_GROUP in querier.table()
        assert querier.end() == 0


@pytest.mark.parametrize("version", ["1", "2"])
def test_linux_leaves(rig: Rig, version: str) -> None:
    with Asking(rig, "--version", version, "--interval", "2", "--max-response", "300") as querier:
        # In version 1 a listener has to have heard such a query before it speaks version 1.
        eventually(lambda: solicited_node(rig.linux.link_local) in querier.table(), "an answer")
        with member(rig.linux, LINUX_GROUP):
            eventually(lambda: LINUX_GROUP in querier.table(), "the group")
        eventually(lambda: LINUX_GROUP not in querier.table(), "the group gone")


def test_sources_of_linux(rig: Rig) -> None:
    with Asking(rig, "--interval", "2", "--max-response", "300") as querier:
        with member(rig.linux, LINUX_GROUP, SOURCE):
            eventually(lambda: querier.table().get(LINUX_GROUP) == ("include", [SOURCE]), "the source")
            with member(rig.linux, LINUX_GROUP):
                eventually(lambda: querier.table().get(LINUX_GROUP) == ("exclude", []), "all sources")
            eventually(lambda: querier.table().get(LINUX_GROUP) == ("include", [SOURCE]), "the source again")
        eventually(lambda: LINUX_GROUP not in querier.table(), "the group gone")


def test_two_elect_one(rig: Rig) -> None:
    options = ("--interval", "1", "--max-response", "200")
    with (
        Asking(rig, "--source", "fe80::1", *options) as lower,
        Asking(rig, "--source", "fe80::2", *options, tap="q1") as higher,
    ):
        silenced = {"event": "role", "role": "non-querier", "querier": "fe80::1"}
        higher.wait_for(lambda lines: any(silenced.items() <= each.items() for each in lines), "election")
        assert [each["role"] for each in lower.lines if each["event"] == "role"] == ["querier"]
        # 9.5: twice the interval and half the response, then it takes over
        lower.end()
        higher.wait_for(
            lambda lines: [each["role"] for each in lines if each["event"] == "role"][2:] == ["querier"], "takeover"
        )


def test_it_ends_after_its_queries_and_leaves_nothing_behind(rig: Rig) -> None:
    words = ("querier", "--tap", "q0", "--bridge", rig.bridge, "--count", "2", "--interval", "0.4")
    done = rig.namespace.run(SIXTAP, *words, "--max-response", "100")
    assert "querier: fe80::" in done.stdout
    assert rig.namespace.run("ip", "link", "show", "q0", check=False).returncode != 0


def test_a_device_that_existed_is_left_as_it_was(rig: Rig) -> None:
    rig.namespace.run("ip", "tuntap", "add", "dev", "q0", "mode", "tap")
    with Asking(rig) as querier:
        assert rig.namespace.link("q0")["master"] == rig.bridge
        assert querier.end() == 0
    shown = rig.namespace.link("q0")
    assert "master" not in shown
    assert "UP" not in shown["flags"]


def test_a_device_that_is_deleted_under_it(rig: Rig) -> None:
    with Asking(rig) as querier:
        rig.namespace.run("ip", "link", "del", "q0")
        assert querier.process.wait(20.0) == 1
        assert querier.process.stderr is not None
        assert querier.process.stderr.read().splitlines()[-1] == "sixtap: q0 was deleted"


class TestSend:
    def command(self, rig: Rig, *words: str, tap: str = "m0") -> tuple[str, ...]:
        return (SIXTAP, "mld", "send", *words, "--tap", tap, "--bridge", rig.bridge)

    def test_a_report_is_in_the_database_of_the_bridge(self, rig: Rig) -> None:
        records = ("--record", f"is_ex,{GROUP}", "--record", f"allow,ff15::7,{SOURCE}")
        process = rig.namespace.popen(*self.command(rig, "report", *records, "-c", "1000", "-i", "0.1"))
        eventually(lambda: {GROUP, "ff15::7"} <= mdb_groups(rig.namespace, rig.bridge, "m0"), "both groups")
        process.terminate()
        output, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
        assert f"MLD version 2 report: listens to {GROUP}; listens to ff15::7 also from {SOURCE}" in output

    def test_a_version_1_report_and_done(self, rig: Rig) -> None:
        with Asking(rig, "--version", "1", "--interval", "20", "--max-response", "300") as querier:
            rig.namespace.run(*self.command(rig, "report1", "--group", GROUP))
            eventually(lambda: GROUP in querier.table(), "the group")
            rig.namespace.run(*self.command(rig, "done", "--group", GROUP))
            eventually(lambda: GROUP not in querier.table(), "the group gone")

    def test_one_frame_as_written_and_that_is_all(self, rig: Rig) -> None:
        words = ("query", "--group", "ff05::9", "--src", "2001:db8::9", "--dst", "ff02::1", "--hop-limit", "64")
        with sniffer(rig.linux) as raw:
            done = rig.namespace.run(*self.command(rig, *words, "--no-alert", "--mac", "02:00:5e:10:00:07"))
            seen: list[bytes] = []

            def arrived() -> bool:
                seen.extend(each for each in frames(raw) if each[6:12] == bytes.fromhex("02005e100007"))
                return bool(seen)

            eventually(arrived, "frame at the Linux host")
        (octets,) = seen
        assert octets[12:14] == bytes.fromhex("86dd")
        assert (octets[20], octets[21]) == (58, 64)
        assert octets[22:38] == ip("2001:db8::9")
        assert octets[58:62] == bytes.fromhex("03e80000")
        assert octets[62:78] == ip("ff05::9")
        assert "hop limit 64 instead of 1" in done.stdout
        assert rig.namespace.run("ip", "link", "show", "m0", check=False).returncode != 0

    @pytest.mark.parametrize(("words", "believed"), [((), True), (("--hop-limit", "64"), False)])
    def test_linux_answers_a_query_that_keeps_the_rules(self, rig: Rig, words: tuple[str, ...], believed: bool) -> None:
        def counted(name: str) -> int:
            lines = rig.linux.run("cat", "/proc/net/snmp6").stdout.splitlines()
            return int(next(line.split()[1] for line in lines if line.split()[0] == name))

        def start_is_over() -> bool:
            # Its own first reports: each of them comes at least twice.
            before = counted("Icmp6OutMLDv2Reports")
            time.sleep(2.5)
            return counted("Icmp6OutMLDv2Reports") == before > 1

        eventually(start_is_over, "quiet Linux host")
        heard, said = counted("Icmp6InGroupMembQueries"), counted("Icmp6OutMLDv2Reports")
        rig.namespace.run(*self.command(rig, "query", "--max-response", "100", *words))
        eventually(lambda: counted("Icmp6InGroupMembQueries") == heard + 1, "query at the Linux host")
        if believed:
            eventually(lambda: counted("Icmp6OutMLDv2Reports") == said + 1, "report of the Linux host")
        else:
            time.sleep(0.5)
            assert counted("Icmp6OutMLDv2Reports") == said

    def test_it_waits_until_the_port_forwards(self, rig: Rig) -> None:
        # Two seconds listening, two learning (802.1D); what is sent before is lost.
        rig.namespace.run("ip", "link", "set", rig.bridge, "type", "bridge", "stp_state", "1", "forward_delay", "200")
        with sniffer(rig.linux) as raw:
            began = time.monotonic()
            rig.namespace.run(*self.command(rig, "query", "--mac", "02:00:5e:10:00:07"))
            assert time.monotonic() - began > 3.5
            eventually(
                lambda: any(each[6:12] == bytes.fromhex("02005e100007") for each in frames(raw)), "frame at the host"
            )

    @pytest.mark.parametrize(
        ("prepare", "text"),
        [
            ((), "there is no bridge br9"),
            (("ip", "link", "add", "br9", "type", "bridge"), "does not forward"),
        ],
    )
    def test_what_the_system_refuses_is_one_line(self, rig: Rig, prepare: tuple[str, ...], text: str) -> None:
        if prepare:
            rig.namespace.run(*prepare)
        done = rig.namespace.run(SIXTAP, "mld", "send", "query", "--tap", "m0", "--bridge", "br9", check=False)
        assert done.returncode == 1
        assert text in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr

    def test_a_device_that_another_process_has(self, rig: Rig) -> None:
        with Asking(rig):
            done = rig.namespace.run(*self.command(rig, "query", tap="q0"), check=False)
        assert done.returncode == 1
        assert done.stderr == "sixtap: another process has q0 open; choose another with --tap\n"
