"""`sixtap route` as its users type it, and what it prints: ip's words."""

from pathlib import Path

import pytest

from tests.cli.test_commands import as_json, plain, sixtap
from tests.control.test_control import serving, until
from tests.ip6.test_next_hop import redirect

R1, R2 = "fe80::1:1", "fe80::2:1"
LINK_LOCAL = "fe80::/64 dev t0 proto kernel metric 256 pref medium"


async def test_added_shown_and_removed(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        assert await sixtap(served, "route", "add", "2001:db8:9::/48", "via", R1) == ""
        assert await sixtap(served, "route", "add", "default", "via", R1) == ""
        assert await sixtap(served, "route", "add", "2001:db8:a::7", "via", R2, "dev", "t0", "metric", "9") == ""
        expected = [
            f"2001:db8:9::/48 via {R1} dev t0 proto static metric 1024 pref medium",
            f"2001:db8:a::7 via {R2} dev t0 proto static metric 9 pref medium",
            LINK_LOCAL,
            f"default via {R1} dev t0 proto static metric 1024 pref medium",
        ]
        for words in (("route",), ("route", "show"), ("route", "list"), ("route", "ls")):
            assert (await sixtap(served, *words)).splitlines() == expected
        assert await sixtap(served, "route", "del", "2001:db8:9::/48") == ""
        assert await as_json(served, "route", "delete", "2001:db8:a::7", "via", R2) == {}
        assert await sixtap(served, "route", "del", "default", "metric", "1024") == ""
        assert (await sixtap(served, "route")).splitlines() == [LINK_LOCAL]


async def test_a_lifetime(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await sixtap(served, "addr", "add", "2001:db8:1::5/64", "--nodad", "--valid-lft", "1000")
        words = (await sixtap(served, "route")).splitlines()[0].split()
        assert words[:8] == ["2001:db8:1::/64", "dev", "t0", "proto", "kernel", "metric", "256", "expires"]
        assert 900 < int(words[8].removesuffix("sec")) <= 1000
        assert words[9:] == ["pref", "medium"]


async def test_the_cache(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await sixtap(served, "route", "add", "default", "via", R1)
        assert await sixtap(served, "route", "--cache") == ""
        served.device.peer.send(redirect(R1, R2, "2001:db8:9::1"))
        await until(lambda: len(served.interface.routes.destinations))
        (entry,) = served.interface.routes.destinations.entries.values()
        entry.mtu = 1300
        line = f"2001:db8:9::1 via {R2} dev t0 proto redirect metric 1024 mtu 1300 pref medium\n"
        for words in (("route", "--cache"), ("route", "show", "--cache"), ("route", "--cache", "show")):
            assert await sixtap(served, *words) == line
        (document,) = await as_json(served, "route", "show", "--cache")
        assert (document["dst"], document["gateway"], document["metrics"]) == ("2001:db8:9::1", R2, [{"mtu": 1300}])


async def test_json_has_the_keys_of_ip(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await sixtap(served, "route", "add", "default", "via", R1)
        first, second = await as_json(served, "route")
        assert list(first) == ["dst", "dev", "protocol", "metric", "flags", "pref"]
        assert list(second) == ["dst", "gateway", "dev", "protocol", "metric", "flags", "pref"]


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("add",), 2),
        (("add", "default"), 2),
        (("add", "default", "via"), 2),
        (("add", "default", R1), 2),
        (("add", "default", "via", R1, "via", R1), 2),
        (("add", "default", "via", R1, "metric"), 2),
        (("add", "default", "via", R1, "metric", "x"), 2),
        (("add", "default", "dev", "t0"), 2),
        (("add", "2001:db8:9::/x", "via", R1), 2),
        (("add", "default", "via", "2001:db8:5::1"), 1),
        (("add", "default", "via", R1, "dev", "eth7"), 1),
        (("del",), 2),
        (("del", "default"), 1),
        (("del", "default", "metric"), 2),
        (("flush",), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
async def test_wrong_words(tmp_path: Path, words: tuple[str, ...], status: int) -> None:
    """One line on standard error, and the status: 2 for the command line, 1 where the host says no."""
    async with serving(tmp_path) as served:
        assert await sixtap(served, "route", *words, status=status) == ""
        assert (await sixtap(served, "route")).splitlines() == [LINK_LOCAL]


async def test_a_ping_without_a_route(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await sixtap(served, "ping", "-c", "1", "2001:db8:9::1", status=1)
        await sixtap(served, "udp", "send", "2001:db8:9::1", "9", "--text", "x", status=1)
        assert served.sent(128) == []


def test_its_help_has_an_example() -> None:
    done = plain("route", "--help")
    assert done.returncode == 0
    assert "sixtap route add 2001:db8:9::/48 via fe80::1" in done.stdout
