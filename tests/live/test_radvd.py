"""Routers with radvd on our link, a Linux host beside ours: both make the same of what is advertised, and use it."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.netns import Namespace
from tests.live.router import (
    FOREVER,
    Agreement,
    Router,
    linux_addresses,
    linux_routes,
    our_addresses,
    our_routes,
    prefix,
)
from tests.live.running import Running, eventually

ONE, TWO, THREE, FOUR = (f"2001:db8:{number}::/64" for number in range(1, 5))
FAR = "2001:db8:f::9"
PLAIN = ("AdvDefaultLifetime 1800;", prefix(ONE))


class Rig:
    """Our host and a Linux host on one bridge, a host behind the routers on another one."""

    def __init__(self, namespace: Namespace, folder: Path) -> None:
        self.namespace = namespace
        self.folder = folder
        self.bridge = namespace.bridge(ipv6=False)
        self._behind = namespace.bridge("br1", ipv6=False)
        self.far = namespace.linux_host(self._behind)
        self.far.run("ip", "addr", "add", f"{FAR}/64", "dev", self.far.dev, "nodad")
        self.router = self.another_router(1)
        self.back_through(1)
        self.linux = namespace.linux_host(self.bridge, dad=True)
        # Linux takes no route from a router unless it is told to; CLI and RFC 4191 2.3 have it otherwise.
        self.linux.sysctl(f"net/ipv6/conf/{self.linux.dev}/accept_ra_rt_info_max_plen", 128)
        self.host = Running(namespace, folder, "--bridge", self.bridge)
        self.agreement = Agreement(self.host, self.linux)

    def another_router(self, number: int) -> Router:
        return Router(self.namespace, self.folder, self.bridge, self._behind, number)

    def back_through(self, number: int) -> None:
        """The way from the host behind the routers to our link."""
        self.far.run("ip", "-6", "route", "replace", "2001:db8::/32", "via", f"2001:db8:f::{number}")

    def default_routes(self) -> dict[str | None, dict[str, Any]]:
        """Ours, by gateway."""
        return {gateway: route for (to, gateway), route in our_routes(self.host).items() if to == "default"}

    def linux_default_routes(self) -> dict[str | None, dict[str, Any]]:
        return {gateway: route for (to, gateway), route in linux_routes(self.linux).items() if to == "default"}

    def both(self, condition: Callable[[dict[Any, dict[str, Any]]], bool], what: str) -> None:
        """A condition on the addresses by prefix, which first Linux meets, then our host; then they agree on all."""
        eventually(lambda: condition(linux_addresses(self.linux)), f"{what} on Linux")
        eventually(lambda: condition(our_addresses(self.host)), what)
        self.agreement.wait()

    def configured(self, *prefixes: str) -> None:
        """Both hosts have a tested address in each prefix."""

        def there(addresses: dict[Any, dict[str, Any]]) -> bool:
            return all((each, False) in addresses and not addresses[each, False]["tentative"] for each in prefixes)

        self.both(there, f"addresses in {prefixes}")

    def reaches(self, count: int = 3) -> None:
        """Our host and Linux both reach the host behind the routers."""
        answer = self.host.json("ping", "-c", str(count), "-i", "0.1", FAR)
        assert (answer["received"], answer["errors"]) == (count, [])
        assert {each["from"] for each in answer["replies"]} == {FAR}
        assert f"{count} received" in self.linux.run("ping", "-6", "-c", str(count), "-i", "0.1", FAR).stdout


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Namespace() as namespace:
        rig = Rig(namespace, tmp_path)
        try:
            yield rig
        finally:
            rig.host.end()


def test_all_that_a_router_says(rig: Rig) -> None:
    rig.router.start(
        "AdvDefaultLifetime 900; AdvDefaultPreference high; AdvLinkMTU 1400; AdvCurHopLimit 61;",
        prefix(ONE),
        prefix(TWO, "infinity", "infinity"),
        prefix(THREE, 7200, 0, "AdvOnLink off"),
        prefix(FOUR, 7200, 3600, "AdvAutonomous off"),
        "route 2001:db8:f0::/44 { AdvRouteLifetime 600; AdvRoutePreference low; };",
        "RDNSS 2001:db8:1::53 2001:db8:1::54 { AdvRDNSSLifetime 300; };",
        "DNSSL example.org lan.example.org { AdvDNSSLLifetime 200; };",
    )
    rig.configured(ONE, TWO, THREE)
    addresses, routes = our_addresses(rig.host), our_routes(rig.host)
    assert {network for network, _ in addresses} == {"fe80::/64", ONE, TWO, THREE}
    # RFC 4862 5.5.3 d: the advertised lifetimes, which run
    assert 3590 <= addresses[ONE, False]["valid_life_time"] <= 3600
    assert 1790 <= addresses[ONE, False]["preferred_life_time"] <= 1800
    assert addresses[TWO, False]["valid_life_time"] == addresses[TWO, False]["preferred_life_time"] == FOREVER
    assert addresses[THREE, False]["deprecated"]
    # RFC 4861 6.3.4, RFC 4191 2.2: and a prefix is on-link if it says so, an address in it or not
    gateway = rig.router.link_local
    assert {to for to, _ in routes} == {"fe80::/64", ONE, TWO, FOUR, "2001:db8:f0::/44", "default"}
    assert routes["default", gateway]["pref"] == "high"
    assert 890 <= routes["default", gateway]["expires"] <= 900
    assert routes["2001:db8:f0::/44", gateway]["pref"] == "low"
    # MTU option
    link = rig.host.json("link")[0]
    assert link["mtu"] == int(rig.linux.sysctl(f"net/ipv6/conf/{rig.linux.dev}/mtu")) == 1400
    # RFC 8106 5: in the order of the option, with the option's lifetime
    servers, search = link["dns"]["servers"], link["dns"]["search"]
    assert [each["value"] for each in servers] == ["2001:db8:1::53", "2001:db8:1::54"]
    assert [each["value"] for each in search] == ["example.org", "lan.example.org"]
    assert {each["router"] for each in servers + search} == {gateway}
    assert all(290 <= each["expires"] <= 300 for each in servers)
    assert all(190 <= each["expires"] <= 200 for each in search)
    # CurHopLimit: both hosts send with it
    answer = rig.host.json("ping", "-c", "1", rig.linux.link_local)
    assert [each["hoplimit"] for each in answer["replies"]] == [61]
    pong = rig.linux.run("ping", "-6", "-c", "1", f"{rig.host.address}%{rig.linux.dev}").stdout
    assert "ttl=61" in pong
    before = rig.router.forwarded()
    rig.reaches()
    assert rig.router.forwarded() - before == 12, "three requests and three replies of each host"


def test_a_router_takes_its_leave_and_comes_back(rig: Rig) -> None:
    rig.router.start(*PLAIN, "RDNSS 2001:db8:1::53 { };")
    rig.configured(ONE)
    assert list(rig.default_routes()) == [rig.router.link_local]
    rig.router.stop()
    # RFC 4861 6.3.4: a lifetime of 0 ends the default route at once, and nothing else
    eventually(lambda: not rig.default_routes() and not rig.linux_default_routes(), "end of the default route")
    eventually(lambda: not rig.host.json("link")[0]["dns"]["servers"], "end of the DNS server")
    rig.agreement.wait()
    assert (ONE, False) in our_addresses(rig.host)
    assert (ONE, None) in our_routes(rig.host)
    answer = rig.host.json("ping", "-c", "1", "2001:db8:1::1")
    assert answer["received"] == 1, "the router is a neighbour still"
    assert rig.host.run("ping", "-c", "1", "-W", "1", FAR).returncode == 1
    rig.router.start(*PLAIN)
    eventually(rig.default_routes, "default route")
    eventually(rig.linux_default_routes, "default route on Linux")
    rig.agreement.wait()
    rig.reaches()


def test_a_router_falls_silent(rig: Rig) -> None:
    """RFC 4861 6.3.5, RFC 4862 5.5.4: what it said runs out: first the address is deprecated, then it is gone."""
    rig.router.start("AdvDefaultLifetime 5;", prefix(ONE, 12, 5))
    rig.configured(ONE)
    rig.router.kill()
    rig.both(lambda addresses: addresses[ONE, False]["deprecated"], "deprecated address")
    eventually(lambda: not rig.default_routes() and not rig.linux_default_routes(), "end of the default route")
    rig.both(lambda addresses: (ONE, False) not in addresses, "end of the address")
    assert {to for to, _ in our_routes(rig.host)} == {"fe80::/64"}


def test_a_prefix_is_deprecated(rig: Rig) -> None:
    lifetime = "AdvDefaultLifetime 1800;"
    rig.router.start(lifetime, prefix(ONE, 86400, 14400), prefix(TWO, 86400, 14400))
    rig.configured(ONE, TWO)
    mine = next(each for each in rig.host.addresses() if each.startswith("2001:db8:1:"))
    rig.router.say(lifetime, prefix(ONE, 86400, 0), prefix(TWO, 86400, 14400))
    rig.both(lambda addresses: addresses[ONE, False]["deprecated"], "deprecated address")
    entry = our_addresses(rig.host)[ONE, False]
    assert entry["preferred_life_time"] == 0 and entry["valid_life_time"] > 86390
    assert not our_addresses(rig.host)[TWO, False]["deprecated"]
    # RFC 4862 5.5.4: it is still answered.
    assert "1 received" in rig.linux.run("ping", "-6", "-c", "1", mine).stdout
    # 5.5.3 e: nobody shortens an address's life to less than two hours; that the prefix is on-link ends as told.
    rig.router.say(lifetime, prefix(ONE, 60, 0), prefix(TWO, 86400, 14400))
    rig.both(lambda addresses: addresses[ONE, False]["valid_life_time"] <= 7200, "shortened life")
    assert our_addresses(rig.host)[ONE, False]["valid_life_time"] > 7180
    assert our_routes(rig.host)[ONE, None]["expires"] <= 60
    rig.router.say(lifetime, prefix(ONE, 86400, 14400), prefix(TWO, 86400, 14400, "DeprecatePrefix on"))
    rig.both(lambda addresses: not addresses[ONE, False]["deprecated"], "preferred address")
    # radvd's farewell to a prefix: deprecated, with a life a little longer than two hours
    rig.router.stop()
    rig.both(lambda addresses: addresses[TWO, False]["deprecated"], "deprecated address")
    assert 7180 < our_addresses(rig.host)[TWO, False]["valid_life_time"] < 7300


def test_two_routers_of_different_preference(rig: Rig) -> None:
    """RFC 4191 3.2: the preferred one has all the packets, until the preferences change or it goes."""
    other = rig.another_router(2)
    high, low = "AdvDefaultPreference high;", "AdvDefaultPreference low;"
    rig.router.start(high, *PLAIN)
    other.start(low, *PLAIN)
    eventually(lambda: len(rig.default_routes()) == 2, "two default routes")
    rig.configured(ONE)
    gateways = rig.router.link_local, other.link_local
    assert [rig.default_routes()[each]["pref"] for each in gateways] == ["high", "low"]

    def share() -> tuple[int, int]:
        """How many of three requests of ours each router forwards; the replies take the second one's way."""
        rig.back_through(2)
        before = rig.router.forwarded(), other.forwarded()
        assert rig.host.json("ping", "-c", "3", "-i", "0.1", FAR)["received"] == 3
        return rig.router.forwarded() - before[0], other.forwarded() - before[1] - 3

    assert share() == (3, 0)
    rig.router.say(low, *PLAIN)
    other.say(high, *PLAIN)
    eventually(lambda: rig.default_routes()[gateways[1]]["pref"] == "high", "new preference of the second router")
    eventually(lambda: rig.default_routes()[gateways[0]]["pref"] == "low", "new preference of the first router")
    rig.agreement.wait()
    assert share() == (0, 3)
    other.stop()
    eventually(lambda: list(rig.default_routes()) == [gateways[0]], "one default route")
    rig.agreement.wait()
    assert share() == (3, 0)


def test_the_preferred_router_dies(rig: Rig) -> None:
    """RFC 4861 6.3.6, 7.3.3: it does not answer, so the other one has the packets, while both are on the list."""
    other = rig.another_router(2)
    quick = "AdvRetransTimer 300; AdvReachableTime 2000;"
    rig.router.start("AdvDefaultPreference high;", quick, *PLAIN)
    other.start("AdvDefaultPreference low;", quick, *PLAIN)
    eventually(lambda: len(rig.default_routes()) == 2, "two default routes")
    rig.configured(ONE)
    rig.reaches()
    rig.back_through(2)
    rig.router.unplug()
    eventually(lambda: rig.host.run("ping", "-c", "1", "-W", "1", FAR).returncode == 0, "answer through the other one")
    before = other.forwarded()
    rig.host.json("ping", "-c", "5", "-i", "0.1", FAR)
    assert other.forwarded() - before == 10
    assert set(rig.default_routes()) == {rig.router.link_local, other.link_local}


def test_a_router_changes_its_address(rig: Rig) -> None:
    """The new one is another router to every host, the old one is gone when it does not answer."""
    rig.router.start("AdvRetransTimer 300; AdvReachableTime 2000;", *PLAIN)
    rig.configured(ONE)
    rig.reaches()
    old, new = rig.router.link_local, "fe80::7e"
    rig.router.host.run("ip", "addr", "add", f"{new}/64", "dev", "eth0", "nodad")
    rig.router.host.run("ip", "addr", "del", f"{old}/64", "dev", "eth0")
    eventually(lambda: new in rig.default_routes(), "route through the new address")
    eventually(lambda: new in rig.linux_default_routes(), "the same on Linux")
    rig.agreement.wait()
    assert our_routes(rig.host)[ONE, None]["expires"] > 3590
    eventually(lambda: rig.host.run("ping", "-c", "1", "-W", "1", FAR).returncode == 0, "answer through the new one")


def test_what_was_learnt_is_forgotten_and_asked_for_again(rig: Rig) -> None:
    """RFC 4861 6.3.7: an interface that comes up asks, and the answer configures it as before."""
    rig.router.start(*PLAIN)
    rig.configured(ONE)
    for word in (("restart",), ("link", "down")):
        asked = rig.host.json("stats")["Icmp6OutRouterSolicits"]
        rig.host.ask(*word)
        if word == ("link", "down"):
            assert not rig.default_routes()
            assert (ONE, False) not in our_addresses(rig.host)
            rig.host.ask("link", "up")
        rig.configured(ONE)
        assert rig.host.json("stats")["Icmp6OutRouterSolicits"] > asked
        rig.reaches(1)


def test_optimistic_addresses(rig: Rig) -> None:
    """RFC 4429: shown as Linux shows them, and used from the first moment; detection takes ten seconds here."""
    rig.linux.sysctl(f"net/ipv6/conf/{rig.linux.dev}/optimistic_dad", 1)
    rig.host.ask("set", "optimistic_dad=1")
    rig.router.start("AdvRetransTimer 10000;", *PLAIN)
    rig.both(lambda addresses: (ONE, False) in addresses and addresses[ONE, False]["optimistic"], "optimistic address")
    answer = rig.host.json("ping", "-c", "1", FAR)
    assert answer["received"] == 1, "3.3: available for use immediately"
    assert our_addresses(rig.host)[ONE, False]["optimistic"], "while it is tested"
    rig.configured(ONE)
    rig.reaches()


def test_temporary_addresses(rig: Rig) -> None:
    """RFC 8981 3.4: one beside each stable address, on both hosts with the same flags and lifetimes."""
    rig.host.ask("set", "use_tempaddr=2")
    rig.linux.sysctl(f"net/ipv6/conf/{rig.linux.dev}/use_tempaddr", 2)
    rig.router.start("AdvDefaultLifetime 1800;", prefix(ONE), prefix(TWO, 7200, 3600))
    keys = {(ONE, False), (ONE, True), (TWO, False), (TWO, True)}

    def there(addresses: dict[Any, dict[str, Any]]) -> bool:
        return keys < addresses.keys() and not any(each["tentative"] for each in addresses.values())

    rig.both(there, "temporary addresses")
    # RFC 6724 5, rule 7: both hosts speak from one of them.
    with rig.far.enter():
        receiver = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    with rig.linux.enter():
        sender = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    with receiver, sender:
        receiver.bind((FAR, 7919))
        receiver.settimeout(20.0)
        rig.host.ask("udp", "send", FAR, "7919", "--text", "ours")
        data, (source, *_) = receiver.recvfrom(100)
        assert data == b"ours" and rig.host.addresses()[source].get("temporary")
        sender.sendto(b"Linux's", (FAR, 7919))
        data, (source, *_) = receiver.recvfrom(100)
        shown = rig.linux.ip("-6", "addr", "show", "dev", rig.linux.dev)[0]["addr_info"]
        assert data == b"Linux's" and next(each for each in shown if each["local"] == source).get("temporary")
