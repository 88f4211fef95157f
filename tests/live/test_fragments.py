"""Fragments, path MTU and errors beside the Linux kernel: every size of ping, traceroute, a narrow path."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.netns import LinuxHost, Namespace
from tests.live.running import Running, eventually

OURS, LINUXS = "2001:db8::77", "2001:db8::88"
FAR = "2001:db8:9::9"

# Every edge of the packets and fragments of a link with an MTU of 1500, and a spread between them.
EDGES = (0, 1, 7, 8, 1231, 1232, 1233, 1440, 1447, 1448, 1449, 1452, 1453, 2887, 2888, 2889, 2896, 65_000)
SIZES = sorted({*EDGES, *range(0, 65_000, 2_999)})


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    with Namespace() as namespace:
        yield namespace


def linux_host(namespace: Namespace, bridge: str) -> LinuxHost:
    linux = namespace.linux_host(bridge)
    linux.sysctl(f"net/ipv6/conf/{linux.dev}/accept_ra", 0)
    linux.run("ip", "addr", "add", f"{LINUXS}/64", "dev", linux.dev, "nodad")
    return linux


def host_on(namespace: Namespace, bridge: str, folder: Path, *options: str) -> Running:
    host = Running(namespace, folder, "--bridge", bridge, "--addr", f"{OURS}/64", *options)
    eventually(lambda: host.addresses()[OURS]["state"] == "preferred", "valid global address")
    return host


def test_ping_of_every_size_from_linux(namespace: Namespace, tmp_path: Path) -> None:
    """RFC 4443 4.2, RFC 8200 4.5: all answered, whole, counted; ours of the longest as well."""
    bridge = namespace.bridge()
    linux = linux_host(namespace, bridge)
    with host_on(namespace, bridge, tmp_path) as host:
        linux.run("ping", "-6", "-c", "1", OURS)
        unanswered = []
        for size in SIZES:
            done = linux.run("ping", "-6", "-c", "1", "-W", "5", "-s", str(size), OURS, check=False)
            if f"{size + 8} bytes from {OURS}" not in done.stdout or "wrong data" in done.stdout:
                unanswered.append(size)
        assert unanswered == []
        longer = [size for size in SIZES if size > 1_452]
        stats = host.json("stats")
        assert stats["Icmp6OutEchoReplies"] == len(SIZES) + 1
        assert (stats["Ip6ReasmOKs"], stats["Ip6FragOKs"]) == (len(longer), len(longer))
        assert stats["Ip6ReasmFails"] == stats["Ip6FragFails"] == 0
        for size in (0, 1_453, 65_527):
            document = host.json("ping", "-c", "2", "-i", "0.2", "-s", str(size), LINUXS)
            assert document["received"] == 2
            assert [reply["bytes"] for reply in document["replies"]] == [size + 8] * 2


def test_traceroute_ends_with_us(namespace: Namespace, tmp_path: Path) -> None:
    """RFC 4443 3.1: port unreachable ends it, at the first hop since no router lies between."""
    bridge = namespace.bridge()
    linux = linux_host(namespace, bridge)
    with host_on(namespace, bridge, tmp_path) as host:
        done = linux.run("traceroute", "-6", "-U", "-n", "-q", "2", "-w", "3", OURS)
        hops = done.stdout.splitlines()[1:]
        assert len(hops) == 1
        assert re.fullmatch(rf" 1  {OURS}(  [0-9.]+ ms){{2}}", hops[0]), done.stdout
        assert host.json("stats")["Icmp6OutDestUnreachs"] >= 2


def test_a_narrow_path(namespace: Namespace, tmp_path: Path) -> None:
    """RFC 8201: a Linux router with a narrow link says so, what we send becomes shorter, and the cache shows it."""
    bridge = namespace.bridge()
    router = linux_host(namespace, bridge)
    router.run("ip", "link", "add", "narrow", "type", "veth", "peer", "name", "sink")
    router.run("ip", "link", "set", "sink", "up")
    router.run("ip", "link", "set", "narrow", "mtu", "1400", "up")
    router.sysctl("net/ipv6/conf/all/forwarding", 1)
    router.run("ip", "addr", "add", "2001:db8:9::1/64", "dev", "narrow", "nodad")
    router.run("ip", "neigh", "add", FAR, "lladdr", "02:00:00:00:00:09", "dev", "narrow")
    with host_on(namespace, bridge, tmp_path) as host:
        host.ask("route", "add", "default", "via", router.link_local)
        assert host.json("route", "show", "--cache") == []
        document = host.json("ping", "-c", "1", "-W", "1", "-s", "1452", FAR, status=1)
        assert [(error["from"], error["type"], error["code"]) for error in document["errors"]] == [(LINUXS, 2, 0)]
        (entry,) = host.json("route", "show", "--cache")
        assert (entry["dst"], entry["metrics"]) == (FAR, [{"mtu": 1400}])
        assert 590 <= entry["expires"] <= 600
        assert "mtu 1400" in host.ask("route", "show", "--cache")
        # What is sent now fits, and is not refused.
        before = host.json("stats")
        assert host.json("ping", "-c", "1", "-W", "1", "-s", "1452", FAR, status=1)["errors"] == []
        after = host.json("stats")
        assert after["Ip6FragCreates"] - before["Ip6FragCreates"] == 2


# What atk6-implementation6 prints of us and of Linux (docs/attacks.md has the clauses).
REPLY, SILENCE = "we got a reply", "no reply"
HEADERS = {
    8: (SILENCE, REPLY),
    26: ("error reply [4:1]", "error reply [4:1]"),
    43: (REPLY, SILENCE),
    47: ("error reply [4:2]", "error reply [4:0]"),
    48: ("error reply [4:0]", "error reply [4:0]"),
}
# Echo replies and parameter problems that atk6-fragmentation6 gets from us and from Linux.
FRAGMENTS = {3: (0, 0, 1, 0), 9: (1, 0, 1, 0), 10: (0, 1, 0, 1), 25: (0, 1, 0, 0)}


def sent_by(linux: LinuxHost) -> tuple[int, int]:
    """Echo replies and parameter problems that the kernel has sent."""
    table = dict(line.split() for line in linux.run("cat", "/proc/net/snmp6").stdout.splitlines())
    return int(table["Icmp6OutEchoReplies"]), int(table["Icmp6OutParmProblems"])


def sent_by_us(host: Running) -> tuple[int, int]:
    stats = host.json("stats")
    return stats["Icmp6OutEchoReplies"], stats["Icmp6OutParmProblems"]


def test_thc_ipv6_beside_linux(namespace: Namespace, tmp_path: Path) -> None:
    """Where we differ a clause says why, and nowhere else."""
    bridge = namespace.bridge()
    attacker, linux = namespace.linux_host(bridge), linux_host(namespace, bridge)
    linux.sysctl("net/ipv6/icmp/ratelimit", 0)
    attacker.run("ip", "addr", "add", "2001:db8::99/64", "dev", attacker.dev, "nodad")
    with host_on(namespace, bridge, tmp_path, "--set", "icmp_ratelimit=0") as host:
        for address in (OURS, LINUXS):
            attacker.run("ping", "-6", "-c", "1", address)
        for case, expected in HEADERS.items():
            said = []
            for address in (OURS, LINUXS):
                done: subprocess.CompletedProcess[str] = attacker.run(
                    "atk6-implementation6", "-p", attacker.dev, address, str(case), check=False
                )
                said += re.findall(rf"^Test +{case}: .*(?:PASSED|FAILED) - (.*)$", done.stdout, re.MULTILINE)
            assert tuple(said) == expected, case
        for number, counts in FRAGMENTS.items():
            before = (*sent_by_us(host), *sent_by(linux))
            for address in (OURS, LINUXS):
                attacker.run("atk6-fragmentation6", "-p", attacker.dev, address, str(number), check=False)
            after = (*sent_by_us(host), *sent_by(linux))
            assert tuple(b - a for a, b in zip(before, after, strict=True)) == counts, number
