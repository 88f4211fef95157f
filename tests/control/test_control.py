"""The control socket: what a running host answers, in one process with it over a device without a kernel."""

import json
import socket
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trio

from stack.control import client, protocol
from stack.control.server import ControlSocket, default_path
from stack.errors import RefusedError, UsageError
from stack.host import Host
from stack.multicast_filter import FilterPlan
from stack.runtime import Runtime
from stack.settings import Settings
from tests.device import KERNEL_MAC, PairDevice
from tests.playbook import (
    ALLOW,
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    PEER_MAC,
    TO_EX,
    TO_IN,
    Sent,
    record_types,
    solicitation,
)


class Served:
    """A host over a PairDevice with its control socket; `plans` is what the driver was given."""

    def __init__(self, path: Path) -> None:
        self.device = PairDevice()
        self.plans: list[FilterPlan] = []
        self.refuse = False
        self.host = Host(Random(1), Settings(dad_transmits=0))
        self.interface = self.host.attach("t0", OUR_MAC, index=7, program=self._program)
        self.runtime = Runtime(self.host, self.interface, self.device, lambda line: None)
        self.control = ControlSocket(path)

    def _program(self, plan: FilterPlan) -> None:
        if self.refuse:
            raise OSError(22, "Invalid argument")
        self.plans.append(plan)

    def close(self) -> None:
        self.control.close()
        self.device.close()

    async def ask(self, command: str, **arguments: Any) -> Any:
        """One question, put from another thread as a client does."""
        return await trio.to_thread.run_sync(lambda: client.ask(self.control.path, command, **arguments))

    async def refuses(self, command: str, error: type[Exception] = RefusedError, **arguments: Any) -> str:
        """The one line of a question that is refused."""
        with pytest.raises(error) as caught:
            await self.ask(command, **arguments)
        line = str(caught.value)
        assert line
        assert "\n" not in line
        return line

    async def addresses(self) -> dict[str, Any]:
        return {each["local"]: each for each in (await self.ask("addr show"))[0]["addr_info"]}

    async def groups(self) -> dict[str, Any]:
        return {each["address"]: each for each in (await self.ask("maddr show"))[0]["maddr"]}

    def sent(self, kind: int) -> list[Sent]:
        return [each for each in (Sent(0.0, frame) for frame in self.device.frames()) if each.kind == kind]


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[Served]:
    with closing(Served(folder / "t0.sock")) as served:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(served.runtime.run)
            nursery.start_soon(served.control.serve, served.runtime)
            await until(lambda: served.interface.up)
            yield served
            nursery.cancel_scope.cancel()


async def until(condition: Callable[[], object]) -> None:
    with trio.fail_after(20):
        while not condition():
            await trio.sleep(0.005)


class TestAddresses:
    async def test_shown_as_ip_shows_them(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            document = await served.ask("addr show")
            assert document[0] | {"flags": None} == {
                "ifindex": 7,
                "ifname": "t0",
                "flags": None,
                "mtu": 1500,
                "operstate": "UP",
                "link_type": "ether",
                "address": OUR_MAC.hex(":"),
                "broadcast": "ff:ff:ff:ff:ff:ff",
                "disabled": False,
                "vlan": None,
                "dns": {"servers": [], "search": []},
                "addr_info": [
                    {
                        "family": "inet6",
                        "local": OUR_LINK_LOCAL,
                        "prefixlen": 64,
                        "scope": "link",
                        "state": "preferred",
                        "valid_life_time": 4294967295,
                        "preferred_life_time": 4294967295,
                    }
                ],
            }
            assert {"UP", "LOWER_UP", "MULTICAST"} <= set(document[0]["flags"])

    async def test_added_and_removed(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await served.ask("addr add", address="2001:db8::5/48", preferred_lft="100", valid_lft="200", nodad=True)
            shown = (await served.addresses())["2001:db8::5"]
            assert (shown["prefixlen"], shown["scope"], shown["state"]) == (48, "global", "preferred")
            assert shown["nodad"] is True
            assert 190 < shown["valid_life_time"] <= 200
            assert 90 < shown["preferred_life_time"] <= 100
            assert "48" in await served.refuses("addr del", address="2001:db8::5/64")
            await served.ask("addr del", address="2001:db8::5")
            assert list(await served.addresses()) == [OUR_LINK_LOCAL]

    async def test_flags_are_there_only_when_true(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await served.ask("addr add", address="2001:db8::6", anycast=True)
            await served.ask("addr add", address="2001:db8::7", preferred_lft="0", valid_lft="forever")
            await served.ask("set", assignment="dad_transmits=1")
            await served.ask("addr add", address="2001:db8::8")
            shown = await served.addresses()
            assert shown["2001:db8::6"]["anycast"] is True
            assert (shown["2001:db8::7"]["state"], shown["2001:db8::7"]["deprecated"]) == ("deprecated", True)
            assert (shown["2001:db8::8"]["state"], shown["2001:db8::8"]["tentative"]) == ("tentative", True)
            assert not {"tentative", "deprecated", "dadfailed", "nodad", "anycast"} & set(shown[OUR_LINK_LOCAL])

    @pytest.mark.parametrize(
        "address", ["ff02::1/64", "::1", "::", "::ffff:1.2.3.4", "fe80::1/129", "x", "", "fe80::1%t0"]
    )
    async def test_what_is_no_address(self, tmp_path: Path, address: str) -> None:
        async with serving(tmp_path) as served:
            await served.refuses("addr add", UsageError, address=address)

    @pytest.mark.parametrize("lifetime", ["-1", "x", "1.5", "4294967296", "٣", "", "9" * 5000])
    async def test_what_is_no_lifetime(self, tmp_path: Path, lifetime: str) -> None:
        async with serving(tmp_path) as served:
            await served.refuses("addr add", UsageError, address="2001:db8::5", valid_lft=lifetime)
            assert list(await served.addresses()) == [OUR_LINK_LOCAL]

    async def test_twice_and_never(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await served.refuses("addr add", address=OUR_LINK_LOCAL)
            await served.refuses("addr del", address="fe80::9")

    async def test_a_driver_that_refuses_its_group(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            served.refuse = True
            assert "refuses the multicast filter" in await served.refuses("addr add", address="2001:db8::5")
            served.refuse = False
            assert list(await served.addresses()) == [OUR_LINK_LOCAL]


class TestGroups:
    async def test_join_and_leave(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            # The repeat is to be still due when the list is shown, however slow that is.
            served.host.settings.mldv2_unsolicited_report_interval = 3_600_000
            served.device.frames()
            joined = await served.ask("maddr join", group="FF05:0::7")
            assert joined["group"] == "ff05::7"
            shown = (await served.groups())["ff05::7"]
            timer = shown.pop("timer")
            assert 0 < timer <= 3600
            assert shown == {
                "address": "ff05::7",
                "ifaddr": OUR_LINK_LOCAL,
                "refcount": 1,
                "mode": "exclude",
                "sources": [],
                "state": "delaying",
                "last_reporter": True,
            }
            assert record_types(served.sent(143), "ff05::7") == [TO_EX]
            await served.ask("maddr leave", group="ff05::7", id=joined["id"])
            assert "ff05::7" not in await served.groups()
            assert record_types(served.sent(143), "ff05::7")[:1] == [TO_IN]

    async def test_leave_ends_the_newest(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            first = (await served.ask("maddr join", group="ff05::7"))["id"]
            second = (await served.ask("maddr join", group="ff05::7"))["id"]
            await served.ask("maddr leave", group="ff05::7")
            await served.refuses("maddr leave", group="ff05::7", id=second)
            await served.ask("maddr leave", group="ff05::7", id=first)
            await served.refuses("maddr leave", group="ff05::7")

    async def test_the_groups_of_addresses_are_not_the_users(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            group = "ff02::1:ff00:1"
            (number,) = served.interface.listener.groups.records[socket.inet_pton(socket.AF_INET6, group)].memberships
            await served.refuses("maddr leave", group=group)
            await served.refuses("maddr leave", group=group, id=number)
            assert group in await served.groups()

    async def test_a_delay_postpones_the_report(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            served.device.frames()
            await served.ask("maddr join", group="ff05::7", delay=30.0)
            shown = (await served.groups())["ff05::7"]
            assert shown["state"] == "pending"
            assert 29 < shown["timer"] <= 30
            assert served.device.frames() == []

    @pytest.mark.parametrize(
        "arguments", [{"group": "fe80::1"}, {"group": "x"}, {}, {"group": 5}, {"group": None}], ids=str
    )
    async def test_what_is_no_group(self, tmp_path: Path, arguments: dict[str, Any]) -> None:
        async with serving(tmp_path) as served:
            await served.refuses("maddr join", UsageError, **arguments)

    @pytest.mark.parametrize("delay", [-1, float("nan"), float("inf"), "1", True], ids=str)
    async def test_what_is_no_delay(self, tmp_path: Path, delay: Any) -> None:
        async with serving(tmp_path) as served:
            await served.refuses("maddr join", UsageError, group="ff05::7", delay=delay)

    async def test_saved_while_there_is_no_address(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await served.ask("maddr join", group="ff05::7")
            assert (await served.ask("maddr saved"))[0]["maddr"] == []
            await served.ask("addr del", address=OUR_LINK_LOCAL)
            saved = (await served.ask("maddr saved"))[0]["maddr"]
            assert [(each["address"], each["ifaddr"]) for each in saved] == [("ff05::7", None)]
            assert list(await served.groups()) == ["ff05::7"]

    async def test_the_filter(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            # ff05::1 shares the MAC of ff02::1; with the solicited-node group that is eight.
            for number in range(1, 8):
                await served.ask("maddr join", group=f"ff05::{number}")
            plan = await served.ask("maddr filter")
            assert plan["unicast"] == [OUR_MAC.hex(":")]
            assert len(plan["exact"]) == 7
            assert plan["hashed"] == ["33:33:00:00:00:07"]
            assert (plan["allmulti"], plan["off"]) == (False, False)
            await served.ask("set", assignment="filter_allmulti_bits=0")
            assert (await served.ask("maddr filter"))["allmulti"] is True

    async def test_the_setting_stays_when_the_driver_refuses_it(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            served.refuse = True
            await served.refuses("set", assignment="filter_allmulti_bits=0")
            assert (await served.ask("set"))["filter_allmulti_bits"] == 48


class TestSourceFilters:
    """RFC 3810 3.1 and 4.2 from outside: memberships with sources, and the service call of a named socket."""

    async def test_memberships_are_merged(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await served.ask("maddr join", group="ff05::7", include="2001:db8::1,2001:db8::2")
            await served.ask("maddr join", group="ff05::7", include="2001:db8::2,2001:db8::3")
            shown = (await served.groups())["ff05::7"]
            assert (shown["mode"], shown["refcount"]) == ("include", 2)
            assert shown["sources"] == ["2001:db8::1", "2001:db8::2", "2001:db8::3"]
            await served.ask("maddr join", group="ff05::7", exclude="2001:db8::3,2001:db8::4")
            shown = (await served.groups())["ff05::7"]
            assert (shown["mode"], shown["sources"]) == ("exclude", ["2001:db8::4"])
            await served.ask("maddr leave", group="ff05::7")
            assert (await served.groups())["ff05::7"]["mode"] == "include"

    async def test_a_socket_listens_in_one_step(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            served.device.frames()
            told = await served.ask("maddr listen", socket="s1", group="ff05::7", mode="include", sources="2001:db8::1")
            assert (told["mode"], told["sources"]) == ("include", ["2001:db8::1"])
            await served.ask("maddr listen", socket="s1", group="ff05::7", mode="exclude")
            shown = (await served.groups())["ff05::7"]
            assert (shown["mode"], shown["sources"], shown["refcount"]) == ("exclude", [], 1)
            assert record_types(served.sent(143), "ff05::7") == [ALLOW, TO_EX]
            # It is the socket's, not the user's.
            await served.refuses("maddr leave", group="ff05::7")
            ended = await served.ask("maddr listen", socket="s1", group="ff05::7", mode="include")
            assert ended["id"] is None
            assert "ff05::7" not in await served.groups()
            await served.ask("maddr listen", socket="s1", group="ff05::7", mode="include")

    async def test_two_sockets_are_two(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            for name, source in (("s1", "2001:db8::1"), ("s2", "2001:db8::2")):
                await served.ask("maddr listen", socket=name, group="ff05::7", mode="include", sources=source)
            assert (await served.groups())["ff05::7"]["sources"] == ["2001:db8::1", "2001:db8::2"]

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            ({"group": "ff05::7", "include": ""}, UsageError),
            ({"group": "ff05::7", "include": "ff02::1"}, UsageError),
            ({"group": "ff05::7", "include": "::"}, UsageError),
            ({"group": "ff05::7", "include": "x"}, UsageError),
            ({"group": "ff05::7", "include": "2001:db8::1", "exclude": "2001:db8::2"}, UsageError),
            ({"group": "ff05::7,exclude", "include": "2001:db8::1"}, UsageError),
            ({"group": "ff35::7"}, UsageError),
            ({"group": "ff35::7", "exclude": "2001:db8::1"}, UsageError),
            ({"group": "ff05::7", "include": ",".join(f"2001:db8::{n:x}" for n in range(1, 1026))}, RefusedError),
        ],
        ids=["none", "group", "unspecified", "word", "both", "two modes", "ssm", "ssm exclude", "too many"],
    )
    async def test_what_is_no_filter(self, tmp_path: Path, arguments: dict[str, str], error: type[Exception]) -> None:
        async with serving(tmp_path) as served:
            before = await served.groups()
            await served.refuses("maddr join", error, **arguments)
            assert list(await served.groups()) == list(before)

    @pytest.mark.parametrize(
        "arguments",
        [
            {"socket": "s1", "group": "ff05::7", "mode": "both"},
            {"socket": "s1", "group": "fe80::1", "mode": "exclude"},
            {"socket": "s1", "group": "ff05::7", "mode": "include", "sources": ","},
            {"group": "ff05::7", "mode": "exclude"},
            {"socket": "s1", "group": "ff35::7", "mode": "exclude"},
        ],
        ids=str,
    )
    async def test_what_is_no_listening(self, tmp_path: Path, arguments: dict[str, str]) -> None:
        async with serving(tmp_path) as served:
            await served.refuses("maddr listen", UsageError, **arguments)


class TestSysctls:
    """SEED rows S76 to S80."""

    async def test_S78_groups_with_the_address_they_hang_on(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await served.ask("maddr join", group="ff05::7")
            await served.ask("maddr join", group="ff05::7")
            for name in ("net.inet6.multicast", "net.inet6.multicast.7"):
                assert {"ifaddr": OUR_LINK_LOCAL, "group": "ff05::7", "refcount": 2} in await served.ask(
                    "get", name=name
                )
            assert await served.ask("get", name="net.inet6.multicast_kludge") == []

    async def test_S76_saved_groups_of_this_interface(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await served.ask("maddr join", group="ff05::7")
            await served.ask("addr del", address=OUR_LINK_LOCAL)
            for name in ("net.inet6.multicast_kludge", "net.inet6.multicast_kludge.7"):
                assert await served.ask("get", name=name) == [{"group": "ff05::7", "refcount": 1}]
            assert await served.ask("get", name="net.inet6.multicast") == []

    @pytest.mark.parametrize("name", ["net.inet6.multicast.8", "net.inet6.multicast_kludge.99"])
    async def test_S78_unknown_index(self, tmp_path: Path, name: str) -> None:
        async with serving(tmp_path) as served:
            assert "No such device" in await served.refuses("get", name=name)

    @pytest.mark.parametrize(
        "name", ["", "net", "net.inet6.multicast.", "net.inet6.multicast.x", "net.inet6.multicastx"]
    )
    async def test_S80_other_names(self, tmp_path: Path, name: str) -> None:
        async with serving(tmp_path) as served:
            await served.refuses("get", UsageError, name=name)


class TestNeighbours:
    async def test_learnt_added_and_removed(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            served.device.peer.send(solicitation(OUR_LINK_LOCAL))
            await until(lambda: len(served.interface.resolver.cache))
            await served.ask("neigh add", address="fe80::9%t0", lladdr="02-00-5E-10-00-09")
            shown = {each["dst"]: each for each in await served.ask("neigh show")}
            assert shown["fe80::9"] == {
                "dst": "fe80::9",
                "dev": "t0",
                "lladdr": "02:00:5e:10:00:09",
                "state": ["PERMANENT"],
            }
            assert shown[PEER_LINK_LOCAL]["lladdr"] == PEER_MAC.hex(":")
            await served.ask("neigh flush")
            assert [each["dst"] for each in await served.ask("neigh show")] == ["fe80::9"]
            await served.ask("neigh del", address="fe80::9")
            assert await served.ask("neigh show") == []
            await served.refuses("neigh del", address="fe80::9")

    @pytest.mark.parametrize(
        ("address", "lladdr"),
        [
            ("ff02::1", "02:00:5e:10:00:09"),
            ("::", "02:00:5e:10:00:09"),
            ("fe80::9%eth7", "02:00:5e:10:00:09"),
            ("fe80::9", "33:33:00:00:00:01"),
            ("fe80::9", "00:00:00:00:00:00"),
            ("fe80::9", "x"),
        ],
    )
    async def test_what_is_no_neighbour(self, tmp_path: Path, address: str, lladdr: str) -> None:
        async with serving(tmp_path) as served:
            await served.refuses("neigh add", UsageError, address=address, lladdr=lladdr)

    async def test_an_address_of_ours_is_none(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await served.refuses("neigh add", address=OUR_LINK_LOCAL, lladdr="02:00:5e:10:00:09")


class TestLink:
    async def test_down_and_up(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await served.ask("link down")
            assert "NO-CARRIER" in (await served.ask("link show"))[0]["flags"]
            await served.refuses("restart")
            await served.ask("link up")
            assert (await served.ask("link show"))[0]["operstate"] == "UP"
            await served.ask("restart")

    async def test_mtu_in_both_ways(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await served.ask("link set mtu", mtu="1400")
            assert (served.device.mtu, (await served.ask("set"))["mtu"]) == (1400, 1400)
            await served.ask("set", assignment="mtu=1280")
            assert (served.device.mtu, (await served.ask("link show"))[0]["mtu"]) == (1280, 1280)
            for bad in ("1279", "65522", "", "x", "9" * 5000):
                await served.refuses("link set mtu", UsageError, mtu=bad)

    async def test_mac(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await served.ask("link set address", mac="02:00:5e:10:00:0a")
            assert (await served.ask("link show"))[0]["address"] == "02:00:5e:10:00:0a"
            assert served.plans[-1].unicast == (bytes.fromhex("02005e10000a"),)
            await served.refuses("link set address", mac=KERNEL_MAC.hex(":"))
            for bad in ("33:33:00:00:00:01", "00:00:00:00:00:00", "x"):
                await served.refuses("link set address", UsageError, mac=bad)


class TestSettings:
    async def test_all_and_one(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            assert (await served.ask("set"))["hop_limit"] == 64
            assert await served.ask("set", assignment="hop_limit=5") == {"hop_limit": 5}
            assert served.host.settings.hop_limit == 5

    @pytest.mark.parametrize("assignment", ["hop_limit", "=5", "hop_limit=", "hop_limit=0", "nothing=1", "hop_limit=x"])
    async def test_what_is_no_setting(self, tmp_path: Path, assignment: str) -> None:
        async with serving(tmp_path) as served:
            await served.refuses("set", UsageError, assignment=assignment)
            assert served.host.settings.hop_limit == 64


async def test_stats(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        counters = await served.ask("stats")
        assert counters["Icmp6OutMLDv2Reports"] >= 1
        assert all(isinstance(value, int) for value in counters.values())


class TestProtocol:
    @pytest.mark.parametrize(
        "line",
        [
            b"\n",
            b"x\n",
            b"[]\n",
            b"5\n",
            b"{}\n",
            b'{"command":5}\n',
            b'{"command":"x"}\n',
            b"\xff\xfe\n",
            b'{"a":' * 2000 + b"\n",
            b'{"command":"set","arguments":5}\n',
            b'{"command":["set"]}\n',
        ],
        ids=lambda line: repr(line[:20]),
    )
    async def test_a_malformed_request_is_refused_and_the_host_lives(self, tmp_path: Path, line: bytes) -> None:
        async with serving(tmp_path) as served:
            stream = await trio.open_unix_socket(str(served.control.path))
            async with stream:
                await stream.send_all(line)
                answer = json.loads(await stream.receive_some(65536))
            assert answer["status"] == 2
            assert "\n" not in answer["error"]
            assert await served.ask("set")

    async def test_a_client_that_hangs_up_half_way(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            async with await trio.open_unix_socket(str(served.control.path)) as stream:
                await stream.send_all(b'{"command":')
            assert await served.ask("set")

    async def test_a_request_without_end_is_cut_off(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            async with await trio.open_unix_socket(str(served.control.path)) as stream:
                with pytest.raises(trio.BrokenResourceError):
                    for _ in range(64):
                        await stream.send_all(b"x" * 65536)
            assert await served.ask("set")


class TestSocketFile:
    def test_only_its_user_may_open_it(self, tmp_path: Path) -> None:
        with closing(ControlSocket(tmp_path / "a.sock")) as control:
            mode = control.path.stat().st_mode
            assert (stat.S_ISSOCK(mode), stat.S_IMODE(mode)) == (True, 0o600)
        assert list(tmp_path.iterdir()) == []

    def test_a_dead_one_is_replaced(self, tmp_path: Path) -> None:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(tmp_path / "a.sock"))
        with closing(ControlSocket(tmp_path / "a.sock")) as control:
            assert client._answers(control.path)

    def test_a_live_one_is_left_alone(self, tmp_path: Path) -> None:
        with closing(ControlSocket(tmp_path / "a.sock")) as control:
            with pytest.raises(RefusedError, match="--control"):
                ControlSocket(control.path)
            assert client._answers(control.path)

    def test_a_file_that_is_no_socket_is_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "a.sock"
        path.write_text("precious")
        with pytest.raises(RefusedError, match="no socket"):
            ControlSocket(path)
        assert path.read_text() == "precious"

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(RefusedError, match="--control"):
            ControlSocket(tmp_path / "no" / "a.sock")

    def test_a_path_that_is_too_long(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="too long"):
            ControlSocket(tmp_path / ("x" * 120))

    def test_somebody_elses_socket_of_that_name_is_not_removed(self, tmp_path: Path) -> None:
        control = ControlSocket(tmp_path / "a.sock")
        control.path.unlink()
        with closing(ControlSocket(tmp_path / "a.sock")) as other:
            control.close()
            assert other.path.exists()


class TestFinding:
    @pytest.fixture(autouse=True)
    def folders(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(protocol, "_SYSTEM_FOLDER", tmp_path / "run")
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

    def test_none(self) -> None:
        with pytest.raises(RefusedError, match="sixtap run"):
            client.find(None, None)
        with pytest.raises(RefusedError, match="t0"):
            client.find("t0", None)

    def test_the_only_one(self) -> None:
        with closing(ControlSocket(default_path("t0"))) as control:
            assert client.find(None, None) == client.find("t0", None) == control.path

    def test_several(self, tmp_path: Path) -> None:
        (tmp_path / "sixtap").mkdir()
        paths = [default_path("t0"), tmp_path / "sixtap" / "t1.sock"]
        with closing(ControlSocket(paths[0])), closing(ControlSocket(paths[1])):
            with pytest.raises(UsageError, match="t0, t1; name one with -d"):
                client.find(None, None)
            assert client.find("t1", None) == paths[1]

    def test_a_dead_one_does_not_count(self) -> None:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(default_path("t0")))
        with pytest.raises(RefusedError):
            client.find(None, None)

    def test_a_named_path_where_nobody_answers(self, tmp_path: Path) -> None:
        with pytest.raises(RefusedError, match="no host answers on"):
            client.ask(client.find(None, str(tmp_path / "x")), "set")

    def test_without_write_access_it_is_the_users_own_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(protocol, "_SYSTEM_FOLDER", Path("/proc/sixtap"))
        assert default_path("t0") == tmp_path / "sixtap" / "t0.sock"
        monkeypatch.delenv("XDG_RUNTIME_DIR")
        with pytest.raises(RefusedError, match="--control"):
            default_path("t0")
