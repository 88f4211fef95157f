"""On a snooping Linux bridge with its querier on: what it believes of our port and of a Linux host's is the same."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.multicast import LinuxListener
from tests.live.netns import Namespace, wait_until
from tests.live.running import SIXTAP, Running, eventually

S1, S2, S3 = (f"2001:db8::{number}" for number in range(1, 4))
Entry = tuple[str | None, str | None, frozenset[str], tuple[str, ...]]


def groups(number: int) -> tuple[str, str]:
    """A group for us and one for Linux: in version 1 listeners to the same group suppress each other's Done."""
    return f"ff05::1:{number}", f"ff05::2:{number}"


class Rig:
    """A bridge that snoops and asks, our host and a Linux host on it."""

    def __init__(self, namespace: Namespace, folder: Path, version: int) -> None:
        self.namespace = namespace
        self.version = version
        self.bridge = namespace.bridge(mld_version=version)
        self.linux = namespace.linux_host(self.bridge)
        self.listener = LinuxListener(self.linux)
        self.host = Running(namespace, folder, "--bridge", self.bridge)
        self._ask()

    def _ask(self) -> None:
        """Turn the querier on, and wait until its first query has been heard and answered."""

        def usable() -> bool:
            shown = self.namespace.ip("-6", "addr", "show", "dev", self.bridge, "scope", "link", "-tentative")
            return any(each.get("addr_info") for each in shown or [])

        wait_until(usable, "valid address on the bridge")
        options = ("mcast_query_response_interval", "100", "mcast_last_member_interval", "20", "mcast_querier", "1")
        self.namespace.run("ip", "link", "set", self.bridge, "type", "bridge", *options)
        wait_until(lambda: self.host.json("stats")["Icmp6InGroupMembQueries"], "query")
        wait_until(lambda: all(each["timer"] is None for each in self.host.groups().values()), "quiet listener")

    def close(self) -> None:
        self.host.end()
        self.listener.close()

    def database(self, port: str, group: str) -> set[Entry]:
        """What `bridge -d mdb` has of a group on a port, but for the group itself and the running times."""
        shown = json.loads(self.namespace.run("bridge", "-j", "-d", "mdb", "show", "dev", self.bridge).stdout)
        return {
            (
                entry.get("src"),
                entry.get("filter_mode"),
                frozenset(each["address"] for each in entry.get("source_list", [])),
                tuple(entry.get("flags", [])),
            )
            for document in shown
            for entry in document.get("mdb", [])
            if entry["port"] == port and entry["grp"] == group
        }

    def agrees(self, number: int, *, present: bool = True) -> None:
        """The bridge has the same of our group of that number as of Linux's, something or nothing."""
        ours, theirs = groups(number)

        def same() -> bool:
            mine, linux = self.database("t0", ours), self.database(self.linux.port, theirs)
            return mine == linux and bool(mine) == present

        eventually(same, f"agreement about {ours} and {theirs}")

    def listen(self, group: str, mode: str, *sources: str) -> None:
        self.host.ask("maddr", "listen", "s", group, mode, *([",".join(sources)] if sources else []))


@pytest.fixture(params=[1, 2], ids=["version 1", "version 2"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    with Namespace() as namespace:
        rig = Rig(namespace, tmp_path, request.param)
        try:
            yield rig
        finally:
            rig.close()


def test_joins_filters_and_leaves_stand_in_the_database_as_linux_has_them(rig: Rig) -> None:
    (any1, any2), (some1, some2), (but1, but2) = (groups(number) for number in (1, 2, 3))
    rig.listener.join(any2)
    rig.listen(any1, "exclude")
    rig.listener.allow(some2, S1)
    rig.listen(some1, "include", S1)
    rig.listener.join(but2)
    rig.listener.filter(but2, "exclude", [S2, S3])
    rig.listen(but1, "exclude", S2, S3)
    for number in (1, 2, 3):
        rig.agrees(number)
    rig.listener.filter(any2, "include", [S1])
    rig.listen(any1, "include", S1)
    rig.listener.allow(some2, S2)
    rig.listen(some1, "include", S1, S2)
    rig.listener.filter(but2, "exclude", [S3])
    rig.listen(but1, "exclude", S3)
    for number in (1, 2, 3):
        rig.agrees(number)
    for number in (1, 2, 3):
        rig.listener.leave(groups(number)[1])
        rig.listen(groups(number)[0], "include")
    for number in (1, 2, 3):
        rig.agrees(number, present=False)


def test_groups_outlast_the_removal_and_return_of_addresses(rig: Rig) -> None:
    """SEED section 5: no leave while addresses go, the filter stays, and a report when one is back."""
    group = "ff05::77"
    rig.listen(group, "exclude")
    eventually(lambda: rig.database("t0", group), "group in the database")
    rig.host.ask("addr", "add", "2001:db8:1::1/64", "--nodad")
    rig.host.ask("addr", "del", rig.host.address)
    assert rig.host.groups()[group]["ifaddr"] == "2001:db8:1::1"
    rig.host.ask("addr", "del", "2001:db8:1::1")
    assert [each["address"] for each in rig.host.json("maddr", "saved")[0]["maddr"]] == [group]
    assert rig.host.json("get", "net.inet6.multicast_kludge") == [{"group": group, "refcount": 1}]
    assert "33:33:00:00:00:77" in rig.host.json("maddr", "filter")["exact"]
    assert rig.database("t0", group), "no leave was sent"
    # The bridge forgets the port, as one that lost its state would.
    rig.namespace.run("bridge", "mdb", "del", "dev", rig.bridge, "port", "t0", "grp", group)
    assert not rig.database("t0", group)
    rig.host.ask("addr", "add", "fe80::77/64")
    eventually(lambda: rig.database("t0", group), "group reported again from the address that has returned")
    assert rig.host.groups()[group]["ifaddr"] == "fe80::77"
    assert rig.host.json("maddr", "saved")[0]["maddr"] == []


def test_data_arrives_only_for_what_was_joined(rig: Rig) -> None:
    """The source gate of RFC 3810 4.2 with a real sender, whose every datagram is counted."""
    for address in (S1, S2):
        rig.linux.run("ip", "addr", "add", f"{address}/64", "dev", rig.linux.dev, "nodad")
    rig.host.ask("addr", "add", "2001:db8::77/64", "--nodad")
    command = ("udp", "recv", "7919", "-j", "-c", "3", "--join", f"ff05::77,include,{S1}", "--join", "ff05::78")
    process = rig.namespace.popen(SIXTAP, "--control", str(rig.host.control), *command)
    for group in ("ff05::77", "ff05::78"):
        eventually(lambda group=group: rig.database("t0", group), f"{group} in the database")  # type: ignore[misc]
    with rig.linux.enter():
        index = socket.if_nametoindex(rig.linux.dev)
    sent = [
        ("ff05::77", S2, b"an excluded source"),
        ("ff05::79", S1, b"another group"),
        ("ff05::77", S1, b"one"),
        ("ff05::78", S2, b"two"),
        ("ff05::78", S1, b"three"),
    ]
    for group, source, data in sent:
        with rig.linux.enter():
            sender = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        with sender:
            sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            sender.bind((source, 0))
            sender.sendto(data, (group, 7919))
        time.sleep(0.05)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    document = json.loads(output)
    assert document["received"] == 3
    assert [(each["from"], each["bytes"]) for each in document["datagrams"]] == [(S1, 3), (S2, 3), (S1, 5)]
    wait_until(lambda: "ff05::77" not in rig.host.groups(), "end of the memberships with their socket")
