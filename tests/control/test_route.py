"""Routes over the control socket: shown as `ip -6 -j route` shows them, added and removed at the user's word."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from stack.errors import RefusedError, UsageError
from tests.control.test_control import Served, serving, until
from tests.ip6.test_next_hop import HIGH, LOW, prefix, redirect, route
from tests.playbook import OUR_LINK_LOCAL, frame, icmp, ip, packet

R1, R2 = "fe80::1:1", "fe80::2:1"
LINK_LOCAL = {
    "dst": "fe80::/64",
    "dev": "t0",
    "protocol": "kernel",
    "metric": 256,
    "flags": [],
    "pref": "medium",
}


async def routes(served: Served) -> dict[str, Any]:
    """The routes by destination, without that to the link-local prefix."""
    shown = await served.ask("route show")
    assert LINK_LOCAL in shown
    return {each["dst"]: each for each in shown if each != LINK_LOCAL}


def advertisement(router: str, *options: bytes, preference: int = 0, lifetime: int = 1800) -> bytes:
    """A frame with a router advertisement (RFC 4861 4.2)."""
    body = bytes((64, preference)) + lifetime.to_bytes(2, "big") + bytes(8) + b"".join(options)
    return frame(packet(router, "ff02::1", icmp(router, "ff02::1", 134, 0, body)))


class TestShown:
    """The shapes are those that iproute2 prints for the same state, key by key and in its order."""

    async def test_static(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await served.ask("route add", prefix="2001:db8:9::/48", via=R1)
            shown = (await routes(served))["2001:db8:9::/48"]
            assert shown == {
                "dst": "2001:db8:9::/48",
                "gateway": R1,
                "dev": "t0",
                "protocol": "static",
                "metric": 1024,
                "flags": [],
                "pref": "medium",
            }
            assert list(shown) == ["dst", "gateway", "dev", "protocol", "metric", "flags", "pref"]

    @pytest.mark.parametrize(
        ("given", "shown"),
        [
            ("default", "default"),
            ("::/0", "default"),
            ("2001:DB8:9:0::/48", "2001:db8:9::/48"),
            ("2001:db8:9::7/48", "2001:db8:9::/48"),
            ("2001:db8:9::7", "2001:db8:9::7"),
            ("2001:db8:9::7/128", "2001:db8:9::7"),
        ],
    )
    async def test_destinations_as_ip_writes_them(self, tmp_path: Path, given: str, shown: str) -> None:
        async with serving(tmp_path) as served:
            await served.ask("route add", prefix=given, via=f"{R1}%t0", dev="t0", metric="7")
            assert {dst: each["metric"] for dst, each in (await routes(served)).items()} == {shown: 7}
            await served.ask("route del", prefix=given)
            assert await routes(served) == {}

    async def test_prefixes_of_our_addresses(self, tmp_path: Path) -> None:
        """RFC 5942 4: what the user gave with an address is on-link; it ends with the address."""
        async with serving(tmp_path) as served:
            await served.ask("addr add", address="2001:db8:1::5/64", nodad=True)
            await served.ask("addr add", address="2001:db8:2::5/64", nodad=True, valid_lft="200", preferred_lft="100")
            await served.ask("addr add", address="2001:db8:2::6/64", nodad=True, valid_lft="300", preferred_lft="100")
            shown = await routes(served)
            kernel = LINK_LOCAL | {"dst": "2001:db8:1::/64"}
            assert shown["2001:db8:1::/64"] == kernel
            expires = shown["2001:db8:2::/64"].pop("expires")
            assert 295 <= expires <= 300
            assert shown["2001:db8:2::/64"] == LINK_LOCAL | {"dst": "2001:db8:2::/64"}

    async def test_what_routers_advertise(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            for octets in (
                advertisement(R1, prefix("2001:db8:5::"), route("2001:db8:77::", 48, HIGH, 600)),
                advertisement(R2, preference=LOW, lifetime=900),
            ):
                served.device.peer.send(octets)
            await until(lambda: len(served.interface.routers) == 2)
            shown = await served.ask("route show")
            assert [(each["dst"], each.get("gateway")) for each in shown] == [
                ("2001:db8:5::/64", None),
                ("2001:db8:77::/48", R1),
                ("fe80::/64", None),
                ("default", R1),
                ("default", R2),
            ]
            seconds = [each.pop("expires", None) for each in shown]
            ours = {"dev": "t0", "protocol": "ra", "metric": 1024, "flags": []}
            assert shown[0] == LINK_LOCAL | {"dst": "2001:db8:5::/64"}
            assert shown[1] == {"dst": "2001:db8:77::/48", "gateway": R1, "pref": "high"} | ours
            assert shown[3] == {"dst": "default", "gateway": R1, "pref": "medium"} | ours
            assert shown[4] == {"dst": "default", "gateway": R2, "pref": "low"} | ours
            assert seconds[2] is None
            for given, left in zip((3600, 600, 1800, 900), seconds[:2] + seconds[3:], strict=True):
                assert given - 5 <= left <= given

    async def test_the_cache(self, tmp_path: Path) -> None:
        """Redirects and path MTUs; what only remembers a next hop is not shown."""
        async with serving(tmp_path) as served:
            await served.ask("route add", prefix="default", via=R1)
            assert await served.ask("route show", cache=True) == []
            for target, destination in ((R2, "2001:db8:9::1"), ("2001:db8:9::2", "2001:db8:9::2")):
                served.device.peer.send(redirect(R1, target, destination))
            await until(lambda: len(served.interface.routes.destinations) == 2)
            redirected = {"dev": "t0", "protocol": "redirect", "metric": 1024, "flags": [], "pref": "medium"}
            first = {"dst": "2001:db8:9::1", "gateway": R2} | redirected
            second = {"dst": "2001:db8:9::2"} | redirected
            assert await served.ask("route show", cache=True) == [first, second]
            entry = served.interface.routes.destinations.get(ip("2001:db8:9::1"))
            assert entry is not None
            runtime = served.runtime
            expiry = partial(served.interface.routes.destinations.set_mtu, entry, 1300)
            runtime.call(lambda now: expiry(runtime.host.timers.at(now + 600.5, print)))
            shown = (await served.ask("route show", cache=True))[0]
            assert 590 <= shown.pop("expires") <= 600
            assert shown == first | {"metrics": [{"mtu": 1300}]}
            assert [each["dst"] for each in await served.ask("route show")] == ["fe80::/64", "default"]


class TestChanged:
    async def test_kept_through_down_and_restart(self, tmp_path: Path) -> None:
        """Given by the user: they stay; redirects go."""
        async with serving(tmp_path) as served:
            await served.ask("route add", prefix="2001:db8:9::/48", via=R1)
            for commands in (("restart",), ("link down", "link up")):
                served.device.peer.send(redirect(R1, R2, "2001:db8:9::1"))
                await until(lambda: len(served.interface.routes.destinations) == 1)
                for command in commands:
                    await served.ask(command)
                assert await served.ask("route show", cache=True) == []
                assert list(await routes(served)) == ["2001:db8:9::/48"]

    async def test_shown_while_the_link_is_down(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await served.ask("route add", prefix="2001:db8:9::/48", via=R1)
            await served.ask("link down")
            assert [each["dst"] for each in await served.ask("route show")] == ["2001:db8:9::/48"]

    async def test_several_metrics(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await served.ask("route add", prefix="default", via=R1)
            await served.ask("route add", prefix="default", via=R2, metric="2048")
            shown = [each for each in await served.ask("route show") if each["dst"] == "default"]
            assert [(each["gateway"], each["metric"]) for each in shown] == [(R1, 1024), (R2, 2048)]
            await served.ask("route del", prefix="default", via=R2)
            assert [each["gateway"] for each in (await routes(served)).values()] == [R1]

    @pytest.mark.parametrize(
        ("arguments", "error", "says"),
        [
            ({"via": R1}, UsageError, "prefix"),
            ({"prefix": "2001:db8:9::/48"}, UsageError, "via"),
            ({"prefix": "2001:db8:9::/129", "via": R1}, UsageError, "prefix length"),
            ({"prefix": "2001:db8:9::/x", "via": R1}, UsageError, "prefix length"),
            ({"prefix": "2001:db8:9::/", "via": R1}, UsageError, "prefix length"),
            ({"prefix": "192.0.2.0/24", "via": R1}, UsageError, "IPv6"),
            ({"prefix": "all", "via": R1}, UsageError, "IPv6"),
            ({"prefix": "default", "via": "x"}, UsageError, "IPv6"),
            ({"prefix": "default", "via": "fe80::1%eth7"}, UsageError, "eth7"),
            ({"prefix": "default", "via": "ff02::2"}, UsageError, "ff02::2"),
            ({"prefix": "ff05::/16", "via": R1}, UsageError, "ff05::/16"),
            ({"prefix": "fe80::/64", "via": R1}, UsageError, "fe80::/64"),
            ({"prefix": "default", "via": R1, "dev": "eth7"}, RefusedError, "eth7"),
            ({"prefix": "default", "via": R1, "metric": "0"}, UsageError, "metric"),
            ({"prefix": "default", "via": R1, "metric": "4294967296"}, UsageError, "metric"),
            ({"prefix": "default", "via": R1, "metric": "9" * 5000}, UsageError, "metric"),
            ({"prefix": "default", "via": R1, "metric": 5}, UsageError, "metric"),
            ({"prefix": "default", "via": "2001:db8:5::1"}, RefusedError, "2001:db8:5::1 is not on this link"),
            ({"prefix": "default", "via": OUR_LINK_LOCAL}, RefusedError, "this host"),
            ({"prefix": "2001:db8:a::/48", "via": R2}, RefusedError, R1),
        ],
        ids=lambda value: str(value)[:60] if isinstance(value, dict) else "",
    )
    async def test_what_is_no_route(
        self, tmp_path: Path, arguments: dict[str, Any], error: type[Exception], says: str
    ) -> None:
        async with serving(tmp_path) as served:
            await served.ask("route add", prefix="2001:db8:a::/48", via=R1)
            assert says in await served.refuses("route add", error, **arguments)
            assert list(await routes(served)) == ["2001:db8:a::/48"]

    @pytest.mark.parametrize(
        "arguments",
        [
            {"prefix": "default"},
            {"prefix": "2001:db8:a::/47"},
            {"prefix": "2001:db8:a::/48", "via": R2},
            {"prefix": "2001:db8:a::/48", "metric": "7"},
            {"prefix": "fe80::/64"},
        ],
        ids=str,
    )
    async def test_there_is_none_to_remove(self, tmp_path: Path, arguments: dict[str, Any]) -> None:
        async with serving(tmp_path) as served:
            await served.ask("route add", prefix="2001:db8:a::/48", via=R1)
            assert "no static route" in await served.refuses("route del", **arguments)
            assert list(await routes(served)) == ["2001:db8:a::/48"]

    async def test_what_a_router_advertised_is_not_the_users(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            served.device.peer.send(advertisement(R1))
            await until(lambda: len(served.interface.routers))
            await served.refuses("route del", prefix="default")
            assert list(await routes(served)) == ["default"]


async def test_a_ping_says_that_there_is_no_route(tmp_path: Path) -> None:
    """RFC 4191 3.2: no route to destination is told to whoever sends."""
    async with serving(tmp_path) as served:
        with pytest.raises(RefusedError, match="there is no route to 2001:db8:9::1"):
            await served.ask("ping", address="2001:db8:9::1", count=1)
