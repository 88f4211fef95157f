"""Static routes and redirects beside Linux routers: kernels that forward, redirect, answer, and fall silent."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.live.netns import LinuxHost, Namespace
from tests.live.running import Running, eventually

OURS = "2001:db8:1::5"
FAR = ("2001:db8:2::9", "2001:db8:3::9")


class Behind:
    """A link with one Linux host, FAR[number], and a router between it and the link of our host."""

    def __init__(self, switch: Namespace, bridge: str, number: int) -> None:
        self.net = f"2001:db8:{number + 2}::/64"
        self.bridge = switch.bridge(f"br{number + 1}", ipv6=False)
        self.host = switch.linux_host(self.bridge)
        self.host.run("ip", "addr", "add", f"{FAR[number]}/64", "dev", self.host.dev, "nodad")
        self.router = switch.linux_host(bridge)
        self.address = f"2001:db8:1::{number + 1}"
        self._switch = switch
        self.router.sysctl("net/ipv6/conf/all/forwarding", 1)
        self.router.run("ip", "addr", "add", f"{self.address}/64", "dev", self.router.dev, "nodad")
        self.connect(self.router, number + 2, 1)
        self.host.run("ip", "-6", "route", "add", "default", "via", f"2001:db8:{number + 2}::1")

    def connect(self, router: LinuxHost, net: int, last: int) -> None:
        """Give a router a second link, here."""
        port = f"{self.bridge}p{last}"
        self._switch.run("ip", "link", "add", port, "type", "veth", "peer", "name", "eth1", "netns", router.name)
        self._switch.sysctl(f"net/ipv6/conf/{port}/disable_ipv6", 1)
        self._switch.run("ip", "link", "set", port, "master", self.bridge, "up")
        router.run("ip", "link", "set", "eth1", "up")
        router.run("ip", "addr", "add", f"2001:db8:{net}::{last}/64", "dev", "eth1", "nodad")


def counter(linux: LinuxHost, name: str) -> int:
    lines = linux.run("cat", "/proc/net/snmp6").stdout.splitlines()
    return next(int(line.split()[1]) for line in lines if line.split()[0] == name)


class Rig:
    """Our host on a bridge with two Linux routers, each with a link behind it."""

    def __init__(self, namespace: Namespace, folder: Path) -> None:
        self.namespace = namespace
        self.folder = folder
        self.bridge = namespace.bridge(ipv6=False)
        self.one, self.two = (Behind(namespace, self.bridge, number) for number in range(2))

    @contextmanager
    def host(self, *options: str, length: int = 64) -> Iterator[Running]:
        address = f"{OURS}/{length}"
        with Running(self.namespace, self.folder, "--bridge", self.bridge, "--addr", address, *options) as host:
            eventually(lambda: host.addresses()[OURS]["state"] == "preferred", "valid global address")
            yield host


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Namespace() as namespace:
        yield Rig(namespace, tmp_path)


def answers(host: Running, destination: str) -> None:
    """Sooner or later: the kernels share their neighbour table and backlog with whatever else is tested."""
    eventually(lambda: host.run("ping", "-c", "1", "-W", "1", destination).returncode == 0, "answer")


def reaches(host: Running, destination: str, count: int = 3) -> None:
    """Every request is answered, once the way is known."""
    answers(host, destination)
    answer = host.json("ping", "-c", str(count), "-i", "0.1", destination)
    assert (answer["received"], answer["errors"]) == (count, [])
    assert {each["from"] for each in answer["replies"]} == {destination}


def cache(host: Running) -> dict[str, Any]:
    return {each["dst"]: each for each in host.json("route", "--cache")}


class TestStatic:
    @pytest.mark.parametrize("by", ["link-local address", "global address"])
    def test_both_ways_through_a_router(self, rig: Rig, by: str) -> None:
        gateway = rig.one.router.link_local if by == "link-local address" else rig.one.address
        with rig.host() as host:
            refused = host.run("ping", "-c", "1", FAR[0])
            assert (refused.returncode, refused.stderr) == (1, f"sixtap: there is no route to {FAR[0]}\n")
            host.ask("route", "add", rig.one.net, "via", gateway)
            answers(host, FAR[0])
            before = counter(rig.one.router, "Ip6OutForwDatagrams")
            reaches(host, FAR[0])
            assert counter(rig.one.router, "Ip6OutForwDatagrams") >= before + 6
            assert "3 received" in rig.one.host.run("ping", "-6", "-c", "3", "-i", "0.1", OURS).stdout
            host.ask("route", "del", rig.one.net)
            assert host.run("ping", "-c", "1", FAR[0]).returncode == 1

    def test_the_longest_prefix(self, rig: Rig) -> None:
        with rig.host() as host:
            host.ask("route", "add", "default", "via", rig.one.router.link_local)
            host.ask("route", "add", rig.two.net, "via", rig.two.router.link_local)
            before = counter(rig.two.router, "Ip6OutForwDatagrams")
            reaches(host, FAR[0])
            assert counter(rig.two.router, "Ip6OutForwDatagrams") == before
            reaches(host, FAR[1])
            assert counter(rig.two.router, "Ip6OutForwDatagrams") >= before + 6

    def test_shown_as_linux_shows_them(self, rig: Rig) -> None:
        """The same addresses and routes in a Linux host beside ours: the same document but for names."""
        linux = rig.namespace.linux_host(rig.bridge)
        linux.run("ip", "addr", "add", "2001:db8:1::6/64", "dev", linux.dev, "nodad")
        lifetimes = ("valid_lft", "1000", "preferred_lft", "500")
        linux.run("ip", "addr", "add", "2001:db8:7::6/64", "dev", linux.dev, "nodad", *lifetimes)
        with rig.host() as host:
            host.ask("addr", "add", "2001:db8:7::5/64", "--valid-lft", "1000", "--preferred-lft", "500", "--nodad")
            routes = (
                ("default", "via", rig.one.router.link_local),
                (rig.two.net, "via", rig.two.address),
                ("2001:db8:9::7", "via", rig.two.router.link_local, "metric", "50"),
            )
            for words in routes:
                host.ask("route", "add", *words)
                linux.run("ip", "-6", "route", "add", *words, "dev", linux.dev, "proto", "static")

            def described(routes: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
                shown = [each | {"dev": None, "expires": "expires" in each} for each in routes]
                return sorted(tuple(each.items()) for each in shown)

            assert described(host.json("route")) == described(linux.ip("-6", "route", "show"))

    def test_kept_through_down_up_and_restart(self, rig: Rig) -> None:
        with rig.host() as host:
            host.ask("route", "add", rig.one.net, "via", rig.one.address)
            for commands in (("restart",), ("link down", "link up")):
                for command in commands:
                    host.ask(*command.split())
                eventually(lambda: host.addresses()[OURS]["state"] == "preferred", "valid global address")
                reaches(host, FAR[0])

    def test_another_router_when_one_falls_silent(self, rig: Rig) -> None:
        """RFC 4861 7.3.3: once its reachable time, the delay before the first probe and three probes are over."""
        quick = ("base_reachable_time_ms=500", "delay_first_probe_time=1", "retrans_time_ms=200")
        with rig.host(*(word for each in quick for word in ("--set", each))) as host:
            second = rig.namespace.linux_host(rig.bridge)
            second.sysctl("net/ipv6/conf/all/forwarding", 1)
            second.run("ip", "addr", "add", "2001:db8:1::3/64", "dev", second.dev, "nodad")
            rig.one.connect(second, 2, 2)
            host.ask("route", "add", rig.one.net, "via", rig.one.router.link_local)
            host.ask("route", "add", rig.one.net, "via", second.link_local, "metric", "2048")
            reaches(host, FAR[0])
            rig.namespace.run("ip", "link", "set", rig.one.router.port, "nomaster")
            rig.one.host.run("ip", "-6", "route", "replace", "default", "via", "2001:db8:2::2")
            reaches(host, FAR[0])
            rig.namespace.run("ip", "link", "set", rig.one.router.port, "master", rig.bridge)


class TestRedirects:
    def test_to_a_better_router(self, rig: Rig) -> None:
        """RFC 4861 8: the first packets go through the first router, which says so; the others do not."""
        rig.one.router.run(
            "ip", "-6", "route", "add", rig.two.net, "via", rig.two.router.link_local, "dev", rig.one.router.dev
        )
        with rig.host() as host:
            host.ask("route", "add", "default", "via", rig.one.router.link_local)
            reaches(host, FAR[1])
            eventually(lambda: FAR[1] in cache(host), "redirect")
            assert cache(host)[FAR[1]]["gateway"] == rig.two.router.link_local
            assert host.json("stats")["Icmp6InRedirects"] >= 1
            before = counter(rig.one.router, "Ip6OutForwDatagrams")
            reaches(host, FAR[1], 5)
            assert counter(rig.one.router, "Ip6OutForwDatagrams") == before
            neighbours = {each["dst"]: each for each in host.json("neigh")}
            better = neighbours[rig.two.router.link_local]
            assert (better["lladdr"], "router" in better) == (rig.two.router.mac.hex(":"), True)
            # Only that destination: what is behind the first router is reached as before.
            reaches(host, FAR[0])
            host.ask("restart")
            assert cache(host) == {}
            assert [each["dst"] for each in host.json("route")][-1] == "default"

    def test_to_a_destination_on_the_link(self, rig: Rig) -> None:
        """8.3: the target is the destination, which is a neighbour then although no prefix says so."""
        linux = rig.namespace.linux_host(rig.bridge)
        linux.run("ip", "addr", "add", "2001:db8:1::9/64", "dev", linux.dev, "nodad")
        with rig.host(length=128) as host:
            host.ask("route", "add", "default", "via", rig.one.router.link_local)
            reaches(host, "2001:db8:1::9")
            eventually(lambda: "2001:db8:1::9" in cache(host), "redirect")
            assert "gateway" not in cache(host)["2001:db8:1::9"]
            before = counter(rig.one.router, "Ip6OutForwDatagrams")
            reaches(host, "2001:db8:1::9", 5)
            assert counter(rig.one.router, "Ip6OutForwDatagrams") == before

    def test_not_accepted(self, rig: Rig) -> None:
        rig.one.router.run(
            "ip", "-6", "route", "add", rig.two.net, "via", rig.two.router.link_local, "dev", rig.one.router.dev
        )
        with rig.host("--set", "accept_redirects=0") as host:
            host.ask("route", "add", "default", "via", rig.one.router.link_local)
            reaches(host, FAR[1])
            eventually(lambda: host.json("stats")["DiscardRedirectNotAccepted"] >= 1, "redirect that is not taken")
            assert cache(host) == {}
            reaches(host, FAR[1])
