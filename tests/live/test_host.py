"""The whole host beside the Linux kernel on a snooping bridge, as its users run it."""

import json
import os
import re
import select
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.multicast import Said, said
from tests.live.netns import LinuxHost, Namespace, wait_until
from tests.live.running import SIXTAP, Running, eventually, mdb_groups

GROUP = "ff05::1:3"
# packet(7) and linux/if_packet.h; Python has no names for them
_SOL_PACKET = 263
_PACKET_ADD_MEMBERSHIP = 1
_PACKET_MR_PROMISC = 1
_PACKET_AUXDATA = 8
_PACKET_OUTGOING = 4
_TP_STATUS_VLAN_VALID = 0x10
_AUXDATA = struct.Struct("=I12xH2x")  # struct tpacket_auxdata: status, lengths and offsets, tag, protocol


class Rig:
    """A namespace with a bridge and a Linux host on it."""

    def __init__(self, namespace: Namespace, folder: Path, **bridge: bool) -> None:
        self.namespace = namespace
        self.folder = folder
        self.bridge = namespace.bridge(**bridge)
        self.linux: LinuxHost = namespace.linux_host(self.bridge)

    def host(self, *options: str, ready: bool = True, tap: str = "t0") -> Running:
        return Running(self.namespace, self.folder, "--bridge", self.bridge, *options, ready=ready, tap=tap)

    def ping(self, address: str, *options: str, status: int = 0) -> str:
        """ping(8) on the Linux host."""
        done = self.linux.run("ping", "-6", *options, f"{address}%{self.linux.dev}", check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def groups_on_port(self, port: str = "t0") -> set[str]:
        return mdb_groups(self.namespace, self.bridge, port)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Namespace() as namespace:
        yield Rig(namespace, tmp_path)


@contextmanager
def sniffer(linux: LinuxHost) -> Iterator[socket.socket]:
    """Every frame that reaches the Linux host, whoever it is for; not what it sends itself."""
    with linux.enter():
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    with raw:
        raw.bind((linux.dev, 3))
        promiscuous = struct.pack("=iHH8x", _index(linux), _PACKET_MR_PROMISC, 0)
        raw.setsockopt(_SOL_PACKET, _PACKET_ADD_MEMBERSHIP, promiscuous)
        raw.setsockopt(_SOL_PACKET, _PACKET_AUXDATA, 1)
        raw.setblocking(False)
        yield raw


def _index(linux: LinuxHost) -> int:
    with linux.enter():
        return socket.if_nametoindex(linux.dev)


def tagged_frames(raw: socket.socket) -> list[tuple[bytes, int | None]]:
    """All frames that wait, each with its VLAN id: the kernel takes the tag off and hands it over beside the frame."""
    found = []
    while select.select([raw], [], [], 0)[0]:
        octets, extra, _, (_, _, direction, *_) = raw.recvmsg(70_000, 256)
        if direction == _PACKET_OUTGOING:
            continue
        status, tag = _AUXDATA.unpack_from(extra[0][2])
        found.append((octets, tag & 0xFFF if status & _TP_STATUS_VLAN_VALID else None))
    return found


def frames(raw: socket.socket) -> list[bytes]:
    """All frames that wait."""
    return [octets for octets, _ in tagged_frames(raw)]


def told(raw: socket.socket, group: str) -> list[Said]:
    """What listeners have said about a group since the last call."""
    return [each for octets in frames(raw) for each in said(octets) if each.group == group]


def solicited_node(address: str) -> str:
    low = socket.inet_pton(socket.AF_INET6, address)[13:]
    return socket.inet_ntop(socket.AF_INET6, bytes.fromhex("ff0200000000000000000001ff") + low)


class TestNeighbours:
    def test_linux_pings_it_and_it_pings_linux(self, rig: Rig) -> None:
        with rig.host() as host:
            assert "5 received, 0% packet loss" in rig.ping(host.address, "-c", "5", "-i", "0.2")
            answer = host.json("ping", "-c", "4", "-i", "0.1", rig.linux.link_local)
            assert (answer["transmitted"], answer["received"]) == (4, 4)
            assert [reply["seq"] for reply in answer["replies"]] == [1, 2, 3, 4]
            assert {reply["from"] for reply in answer["replies"]} == {rig.linux.link_local}
            assert {(reply["bytes"], reply["hoplimit"]) for reply in answer["replies"]} == {(64, 64)}
            assert 0 < answer["rtt"]["min"] <= answer["rtt"]["avg"] <= answer["rtt"]["max"]
            assert answer["errors"] == []

    def test_each_is_in_the_neighbour_cache_of_the_other(self, rig: Rig) -> None:
        with rig.host("--mac", "02:00:5e:10:00:07") as host:
            rig.ping(host.address, "-c", "1")
            mine = {each["dst"]: each for each in host.json("neigh")}
            entry = mine[rig.linux.link_local]
            assert (entry["dev"], entry["lladdr"]) == ("t0", rig.linux.mac.hex(":"))
            assert entry["state"][0] in ("STALE", "DELAY", "REACHABLE", "PROBE")
            theirs = {each["dst"]: each for each in rig.linux.ip("-6", "neigh", "show", "dev", rig.linux.dev)}
            assert theirs[host.address]["lladdr"] == "02:00:5e:10:00:07"
            assert theirs[host.address]["state"] == ["REACHABLE"]

    def test_every_size_up_to_the_mtu(self, rig: Rig) -> None:
        with rig.host() as host:
            for size in ("0", "1", "1451", "1452"):
                assert "2 received" in rig.ping(host.address, "-c", "2", "-i", "0.1", "-s", size, "-M", "do")

    def test_echo_to_all_nodes_is_answered_from_its_own_address(self, rig: Rig) -> None:
        with rig.host() as host:
            assert f"from {host.address}%" in rig.ping("ff02::1", "-c", "2", "-i", "0.3")

    @pytest.mark.alone
    def test_a_flood_loses_nothing(self, rig: Rig) -> None:
        with rig.host() as host:
            output = rig.ping(host.address, "-f", "-q", "-c", "20000")
            assert "20000 packets transmitted, 20000 received, 0% packet loss" in output

    def test_a_static_address_in_both_directions(self, rig: Rig) -> None:
        rig.linux.run("ip", "addr", "add", "2001:db8::1/64", "dev", rig.linux.dev, "nodad")
        with rig.host("--addr", "2001:db8::2/64") as host:
            eventually(lambda: host.addresses()["2001:db8::2"]["state"] == "preferred", "valid global address")
            done = rig.linux.run("ping", "-6", "-c", "3", "-i", "0.2", "2001:db8::2")
            assert "3 received" in done.stdout
            answer = host.json("ping", "-c", "2", "-i", "0.1", "-I", "2001:db8::2", "2001:db8::1")
            assert answer["received"] == 2

    def test_an_address_that_nobody_has(self, rig: Rig) -> None:
        """RFC 4861 7.2.2: three solicitations to the solicited-node group, then address unreachable."""
        with rig.host() as host, sniffer(rig.linux) as raw:
            frames(raw)
            answer = host.json("ping", "-c", "1", "fe80::dead:beef", status=1)
            assert (answer["transmitted"], answer["received"], answer["rtt"]) == (1, 0, None)
            assert [(each["seq"], each["type"], each["code"]) for each in answer["errors"]] == [(1, 1, 3)]
            asked = [each for each in frames(raw) if each[:6] == bytes.fromhex("3333ffadbeef")]
            assert [each[54] for each in asked] == [135, 135, 135]


class TestDuplicates:
    def test_linux_has_the_address_already(self, rig: Rig) -> None:
        rig.linux.run("ip", "addr", "add", "2001:db8::7/64", "dev", rig.linux.dev, "nodad")
        with rig.host("--addr", "2001:db8::7/64") as host:
            host.wait_for("sixtap: t0 duplicate 2001:db8::7")
            address = host.addresses()["2001:db8::7"]
            assert (address["state"], address["dadfailed"]) == ("duplicated", True)
            assert "1 received" in rig.ping(host.address, "-c", "1")
            # It stays Linux's, and is none of ours to ask with.
            assert host.run("ping", "-c", "1", "-I", "2001:db8::7", rig.linux.link_local).returncode == 1
            assert rig.linux.ip("-6", "addr", "show", "dev", rig.linux.dev, "dadfailed") in (None, [], [{}])

    def test_linux_learns_that_it_is_ours(self, rig: Rig) -> None:
        with rig.host("--addr", "2001:db8::8/64") as host:
            eventually(lambda: host.addresses()["2001:db8::8"]["state"] == "preferred", "valid global address")
            rig.linux.sysctl(f"net/ipv6/conf/{rig.linux.dev}/accept_dad", 1)
            rig.linux.run("ip", "addr", "add", "2001:db8::8/64", "dev", rig.linux.dev)

            def failed() -> bool:
                shown = rig.linux.ip("-6", "addr", "show", "dev", rig.linux.dev, "dadfailed")
                return any(each.get("local") == "2001:db8::8" for link in shown or [] for each in link["addr_info"])

            eventually(failed, "failed duplicate address detection of Linux")
            assert host.addresses()["2001:db8::8"]["state"] == "preferred"

    def test_the_hardware_address_is_used_twice(self, rig: Rig) -> None:
        """RFC 4862 5.4.5: a duplicate made from the MAC means duplicate hardware, and IPv6 stops on the interface."""
        rig.linux.run("ip", "addr", "add", "fe80::5eff:fe10:9/64", "dev", rig.linux.dev, "nodad")
        with rig.host("--mac", "02:00:5e:10:00:09", ready=False) as host:
            host.wait_for("sixtap: t0 duplicate fe80::5eff:fe10:9")
            host.wait_for("IPv6 disabled")
            assert host.json("link")[0]["disabled"] is True
            assert host.process.poll() is None
            assert not any("ready" in line for line in host.lines)


class TestGroups:
    def test_the_bridge_lists_them_and_forgets_them(self, rig: Rig) -> None:
        with rig.host("--join", GROUP) as host:
            mine = solicited_node(host.address)
            eventually(lambda: {GROUP, mine} <= rig.groups_on_port(), "groups in the bridge's database")
            number = host.json("maddr", "join", "ff05::99")
            assert number["group"] == "ff05::99"
            eventually(lambda: "ff05::99" in rig.groups_on_port(), "joined group in the bridge's database")
            host.ask("maddr", "leave", "ff05::99", "--id", str(number["id"]))
            host.ask("maddr", "leave", GROUP)
            eventually(lambda: not {GROUP, "ff05::99"} & rig.groups_on_port(), "groups gone from the database")
            assert mine in rig.groups_on_port()

    def test_a_membership_is_counted(self, rig: Rig) -> None:
        with rig.host() as host, sniffer(rig.linux) as raw:
            first = host.json("maddr", "join", GROUP)["id"]
            second = host.json("maddr", "join", GROUP)["id"]
            assert first != second
            assert host.groups()[GROUP]["refcount"] == 2
            host.ask("maddr", "leave", GROUP)
            assert host.groups()[GROUP]["refcount"] == 1
            assert {each.what for each in told(raw, GROUP)} == {"TO_EX"}
            host.ask("maddr", "leave", GROUP)
            assert GROUP not in host.groups()
            last = told(raw, GROUP)[-1]
            assert (last.what, last.sources, last.destination, last.hop_limit) == ("TO_IN", (), "ff02::16", 1)
            assert host.run("maddr", "leave", GROUP).returncode == 1

    @pytest.mark.parametrize(
        ("version", "counter", "answers"), [(1, "Icmp6OutGroupMembResponses", 2), (2, "Icmp6OutMLDv2Reports", 1)]
    )
    def test_the_querier_of_the_bridge_is_answered(self, rig: Rig, version: int, counter: str, answers: int) -> None:
        """RFC 2710 4: a general query is answered once for every group but ff02::1; RFC 3810 6.3: all in one report."""
        rig.namespace.run("ip", "link", "set", rig.bridge, "type", "bridge", "mcast_mld_version", str(version))

        def usable() -> bool:
            shown = rig.namespace.ip("-6", "addr", "show", "dev", rig.bridge, "scope", "link", "-tentative")
            return any(each.get("addr_info") for each in shown or [])

        with rig.host("--join", GROUP, "--set", "mld_qrv=1") as host:
            wait_until(usable, "valid address on the bridge")
            eventually(lambda: all(each["timer"] is None for each in host.groups().values()), "quiet listener")
            before = host.json("stats")
            options = ("mcast_query_response_interval", "50", "mcast_querier", "1")
            rig.namespace.run("ip", "link", "set", rig.bridge, "type", "bridge", *options)

            def more(counter: str) -> int:
                return int(host.json("stats")[counter]) - int(before[counter])

            eventually(lambda: more("Icmp6InGroupMembQueries"), "query")
            eventually(lambda: all(each["timer"] is None for each in host.groups().values()), "answers")
            assert (more("Icmp6InGroupMembQueries"), more(counter)) == (1, answers)
            assert {GROUP, solicited_node(host.address)} <= rig.groups_on_port()

    def test_the_filter_follows(self, rig: Rig) -> None:
        with rig.host("--mac", "02:00:5e:10:00:07") as host:
            host.ask("maddr", "join", GROUP)
            plan = host.json("maddr", "filter")
            assert plan["unicast"] == ["02:00:5e:10:00:07"]
            assert "33:33:00:01:00:03" in plan["exact"]
            assert (plan["allmulti"], plan["off"]) == (False, False)
            dropped = rig.namespace.link("t0")["stats64"]["tx"]["dropped"]
            with rig.linux.enter():
                sender = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
                sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, _index(rig.linux))
            rig.namespace.run("ip", "link", "set", rig.bridge, "type", "bridge", "mcast_snooping", "0")
            with sender:
                for _ in range(10):
                    sender.sendto(b"not for us", ("ff05::1:ffff", 9))
            eventually(lambda: rig.namespace.link("t0")["stats64"]["tx"]["dropped"] >= dropped + 10, "drops")
            assert host.json("stats")["DiscardNotForUs"] == 0


def quiet(rig: Rig) -> str:
    return rig.namespace.sysctl("net/ipv6/conf/t0/disable_ipv6")


def device(rig: Rig) -> dict[str, object]:
    """What of the device a host could leave changed."""
    shown = rig.namespace.link("t0")
    names = ("ifindex", "mtu", "address", "operstate", "flags")
    return {name: shown[name] for name in names} | {"master": shown.get("master"), "quiet": quiet(rig)}


def holds_back(pid: int, number: int) -> bool:
    """proc_pid_status(5): whether the process blocks this signal."""
    (mask,) = re.findall(r"^SigBlk:\s+(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return bool(int(mask, 16) >> number - 1 & 1)


class TestEnd:
    @pytest.mark.parametrize("number", ["TERM", "INT"])
    def test_it_leaves_nothing_behind(self, rig: Rig, number: str) -> None:
        """One report leaves every group, no repeats; no device, no socket, no group on the bridge."""
        with rig.host("--join", GROUP) as host, sniffer(rig.linux) as raw:
            mine = solicited_node(host.address)
            assert host.control.is_socket()
            frames(raw)
            subprocess.run(["kill", f"-{number}", str(host.process.pid)], check=True)
            assert host.process.wait(1.0) == 0
            assert not host.control.exists()
            assert host.lines[-1] == f"sixtap: t0 ready {host.address}"
            assert "t0" not in [each["ifname"] for each in rig.namespace.ip("link")]
            time.sleep(0.3)
            left = [each for octets in frames(raw) for each in said(octets) if each.what == "TO_IN"]
            assert sorted(each.group for each in left) == sorted([GROUP, mine])

    def test_a_device_that_it_found_is_as_it_was(self, rig: Rig) -> None:
        rig.namespace.run("ip", "tuntap", "add", "dev", "t0", "mode", "tap")
        found = device(rig)
        with rig.host("--mtu", "1400") as host:
            assert device(rig) != found
            assert host.end() == 0
        assert device(rig) == found

    @pytest.mark.parametrize("after", ["the command is known", "the device is changed"])
    def test_a_device_that_it_found_is_as_it_was_however_early_the_end(self, rig: Rig, after: str) -> None:
        """A signal before the host is up ends it in order too."""
        rig.namespace.run("ip", "tuntap", "add", "dev", "t0", "mode", "tap")
        found = device(rig)
        with rig.host("--mtu", "1400", ready=False) as host:
            if after == "the device is changed":
                wait_until(lambda: quiet(rig) != found["quiet"], after, interval=0.001)
            else:
                wait_until(lambda: holds_back(host.process.pid, signal.SIGTERM), after, interval=0.001)
            assert host.end() == 0
            assert not any("ready" in line or "Traceback" in line for line in host.lines)
            assert not host.control.exists()
        assert device(rig) == found

    def test_the_same_mac_on_every_start(self, rig: Rig) -> None:
        seen = []
        for _ in range(2):
            with rig.host() as host:
                seen.append(host.json("link")[0]["address"])
                kernel = rig.namespace.link("t0")["address"]
                assert seen[-1] != kernel
        assert seen[0] == seen[1]
        assert int(seen[0][:2], 16) & 3 == 2, "locally administered, one station"


class TestDevice:
    def test_down_and_up(self, rig: Rig) -> None:
        """The host waits while its TAP is down, without spinning, and starts over."""
        with rig.host("--join", GROUP) as host, sniffer(rig.linux) as raw:
            said = len(host.lines)
            rig.namespace.run("ip", "link", "set", "t0", "down")
            host.wait_for("sixtap: t0 is down; the host waits until it is up", after=said)
            before = cpu_ticks(host.process.pid)
            time.sleep(1.0)
            assert cpu_ticks(host.process.pid) - before < 20
            frames(raw)
            rig.namespace.run("ip", "link", "set", "t0", "up")
            host.wait_for(f"sixtap: t0 ready {host.address}", after=said)
            kinds = [icmp_type(each) for each in frames(raw) if each[6:12] == own_mac(host)]
            assert kinds.index(143) < kinds.index(135), "the report comes before duplicate address detection"
            assert "1 received" in rig.ping(host.address, "-c", "1")
            assert len(host.lines) == said + 3, "one line each: down, up, ready"

    def test_deleted(self, rig: Rig) -> None:
        with rig.host() as host:
            said = len(host.lines)
            rig.namespace.run("ip", "link", "del", "t0")
            assert host.process.wait(5.0) == 1
            assert host.lines[said:] == ["sixtap: t0 was deleted"]
            assert not host.control.exists()

    def test_link_down_and_up_by_command(self, rig: Rig) -> None:
        with rig.host() as host, sniffer(rig.linux) as raw:
            said = len(host.lines)
            eventually(lambda: all(each["timer"] is None for each in host.groups().values()), "quiet listener")
            frames(raw)
            host.ask("link", "down")
            assert "NO-CARRIER" in rig.namespace.link("t0")["flags"]
            assert host.json("link")[0]["operstate"] == "DOWN"
            assert host.json("neigh") == []
            mac = own_mac(host)
            assert [each for each in frames(raw) if each[6:12] == mac] == [], "no leaves"
            host.ask("link", "up")
            host.wait_for("ready", after=said)
            assert "NO-CARRIER" not in rig.namespace.link("t0")["flags"]
            assert "1 received" in rig.ping(host.address, "-c", "1")

    def test_restart(self, rig: Rig) -> None:
        with rig.host("--join", GROUP, "--addr", "2001:db8::2/64") as host:
            rig.ping(host.address, "-c", "1")
            said = len(host.lines)
            host.ask("restart")
            assert host.json("neigh") == []
            host.wait_for(f"sixtap: t0 ready {host.address}", after=said)
            assert GROUP in host.groups()
            assert "2001:db8::2" in host.addresses()

    def test_another_mac(self, rig: Rig) -> None:
        with rig.host() as host:
            said = len(host.lines)
            host.ask("link", "set", "address", "02:00:5e:10:00:0a")
            address = host.wait_for("ready", after=said).split()[-1]
            assert address == "fe80::5eff:fe10:a"
            assert "1 received" in rig.ping(address, "-c", "1")
            kernel = rig.namespace.link("t0")["address"]
            assert host.run("link", "set", "address", kernel).returncode == 1

    def test_another_mtu(self, rig: Rig) -> None:
        with rig.host() as host:
            host.ask("link", "set", "mtu", "1300")
            assert (rig.namespace.link("t0")["mtu"], host.json("link")[0]["mtu"]) == (1300, 1300)
            said = len(host.lines)
            rig.namespace.run("ip", "link", "set", "t0", "mtu", "1400")
            host.wait_for("t0 has an MTU of 1400 bytes now", after=said)
            assert host.json("link")[0]["mtu"] == 1400
            for bad in ("1279", "65522", "x", "-1"):
                assert host.run("link", "set", "mtu", bad).returncode == 2


class TestVlan:
    def test_all_frames_are_tagged_and_no_others_taken(self, rig: Rig) -> None:
        """Two hosts on VLAN 5 reach each other; an untagged one on the same bridge reaches neither."""
        macs = [f"02:00:5e:10:00:{number:02x}" for number in (0x51, 0x52, 0x53)]
        with (
            sniffer(rig.linux) as raw,
            rig.host("--vlan", "5", "--mac", macs[0], tap="t1") as one,
            rig.host("--vlan", "5", "--mac", macs[1], tap="t2") as two,
            rig.host("--mac", macs[2], tap="t3") as untagged,
        ):
            assert one.json("ping", "-c", "2", "-i", "0.1", two.address)["received"] == 2
            assert one.json("ping", "-c", "1", "-W", "5", untagged.address, status=1)["received"] == 0
            assert untagged.json("ping", "-c", "1", "-W", "5", one.address, status=1)["received"] == 0
            assert "1 received" in rig.ping(untagged.address, "-c", "1")
            assert rig.ping(one.address, "-c", "1", "-W", "1", status=1)
            assert one.json("stats")["DiscardWrongVlan"] > 0
            assert untagged.json("stats")["DiscardWrongVlan"] > 0
            assert one.json("link")[0]["vlan"] == 5
            seen = {(octets[6:12].hex(":"), tag) for octets, tag in tagged_frames(raw) if octets[6:12].hex(":") in macs}
            assert seen == {(macs[0], 5), (macs[1], 5), (macs[2], None)}


class TestRefused:
    def refused(self, namespace: Namespace, *options: str, status: int = 1) -> str:
        """The one line of a start that fails."""
        done = namespace.run(SIXTAP, "run", *options, check=False, timeout=60.0)
        assert (done.returncode, done.stdout) == (status, "")
        assert done.stderr.count("\n") == 1, done.stderr
        return done.stderr.strip()

    def test_twice_on_one_tap(self, rig: Rig) -> None:
        with rig.host() as host:
            text = self.refused(rig.namespace, "--tap", "t0", "--control", str(host.control))
            assert text == "sixtap: another process has t0 open; choose another with --tap"
            assert "1 received" in rig.ping(host.address, "-c", "1")

    def test_twice_on_one_control_socket(self, rig: Rig) -> None:
        with rig.host() as host:
            text = self.refused(rig.namespace, "--tap", "t1", "--control", str(host.control))
            assert "--control" in text
            assert "t1" not in [each["ifname"] for each in rig.namespace.ip("link")]
            assert host.json("link")[0]["ifname"] == "t0"

    def test_a_bridge_that_is_not_there(self, rig: Rig) -> None:
        assert "no bridge br9" in self.refused(rig.namespace, "--tap", "t9", "--bridge", "br9")
        assert "t9" not in [each["ifname"] for each in rig.namespace.ip("link")]

    def test_the_kernels_mac(self, rig: Rig) -> None:
        rig.namespace.run("ip", "tuntap", "add", "dev", "t9", "mode", "tap")
        kernel = rig.namespace.link("t9")["address"]
        assert "--mac" in self.refused(rig.namespace, "--tap", "t9", "--mac", kernel, status=2)

    def test_without_privilege(self, rig: Rig, tmp_path: Path) -> None:
        words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", SIXTAP, "run", "--tap", "t9"]
        done = rig.namespace.run(*words, check=False, cwd="/")
        if "Permission denied" in done.stderr and "sixtap:" not in done.stderr:
            # The checkout belongs to root alone; the same program, started by root, gives its rights up itself.
            code = (
                "import os,sys; from stack.cli.main import main; os.setgid(65534); os.setuid(65534); sys.exit(main())"
            )
            python = str(Path(SIXTAP).with_name("python"))
            done = rig.namespace.run(python, "-c", code, "run", "--tap", "t9", check=False, cwd="/")
        assert done.returncode == 1, done.stderr
        assert done.stderr.count("\n") == 1
        assert re.search("no permission to open the TAP device t9: run as root, or let root prepare it", done.stderr)


def cpu_ticks(pid: int) -> int:
    """Clock ticks of user and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def own_mac(host: Running) -> bytes:
    return bytes.fromhex(host.json("link")[0]["address"].replace(":", ""))


def icmp_type(octets: bytes) -> int:
    """The ICMPv6 type of a frame, behind a hop-by-hop header of eight octets if there is one."""
    return octets[62] if octets[20] == 0 else octets[54]


def test_the_default_socket_is_found(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one host running neither -d nor --control is needed; /run/sixtap/NAME.sock is the default path."""
    name = f"t{os.getpid() % 10**8}"
    process = rig.namespace.popen(SIXTAP, "run", "--tap", name)
    path = Path("/run/sixtap", f"{name}.sock")
    wait_until(path.is_socket, "control socket")
    assert path.stat().st_mode & 0o777 == 0o600
    done = rig.namespace.run(SIXTAP, "-d", name, "link", "-j")
    assert json.loads(done.stdout)[0]["ifname"] == name
    process.terminate()
    assert process.wait(5.0) == 0
    assert not path.exists()
    gone = rig.namespace.run(SIXTAP, "-d", name, "link", check=False)
    assert (gone.returncode, gone.stderr.count("\n")) == (1, 1)
