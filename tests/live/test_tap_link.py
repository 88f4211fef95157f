"""TapLink on real devices: created, attached to, left as found, and every way in which the system says no."""

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from stack.errors import LinkError, LinkGoneError, UsageError
from stack.link import rtnetlink
from stack.link.rtnetlink import LinkDeleted, LinkMonitor, LinkState, get_link
from stack.link.tap import TapLink
from stack.multicast_filter import FilterPlan
from tests.live.netns import Namespace, wait_until

pytestmark = pytest.mark.live

ROOT = Path(__file__).resolve().parents[2]
OWN = bytes.fromhex("02005e100001")
NOBODY = "65534"
ETHERTYPE = bytes.fromhex("88b5")  # IEEE 802 local experimental
QUIET_SECONDS = 2.5  # duplicate address detection and the first reports start within 1 s


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    with Namespace() as made, made.enter():
        yield made


@contextmanager
def opened(name: str = "tap0", **options: Any) -> Iterator[TapLink]:
    link = TapLink(name, **options)
    try:
        yield link
    finally:
        link.close()


@contextmanager
def packet_socket(device: str) -> Iterator[socket.socket]:
    """The kernel's side of the device: what is sent here comes out of the descriptor, and the reverse."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as raw:
        raw.bind((device, 3))
        raw.settimeout(10.0)
        yield raw


def snapshot(namespace: Namespace, device: str) -> dict[str, object]:
    shown = namespace.link(device)
    conf = Path("/proc/sys/net/ipv6/conf", device, "disable_ipv6")
    return {
        "up": "UP" in shown["flags"],
        "master": shown.get("master"),
        "mtu": shown["mtu"],
        "disable_ipv6": conf.read_text().strip() if conf.exists() else None,
        "mac": shown["address"],
    }


def prepare(namespace: Namespace, *, up: bool, mtu: int = 1500, master: str | None = None, quiet: bool = False) -> None:
    namespace.run("ip", "tuntap", "add", "dev", "tap0", "mode", "tap")
    namespace.run("ip", "link", "set", "tap0", "mtu", str(mtu))
    if quiet:
        namespace.sysctl("net/ipv6/conf/tap0/disable_ipv6", 1)
    if master:
        namespace.run("ip", "link", "set", "tap0", "master", master)
    if up:
        namespace.run("ip", "link", "set", "tap0", "up")


def refusal(name: str, **options: Any) -> str:
    """The one line of the LinkError that opening ends in."""
    with pytest.raises(LinkError) as caught:
        TapLink(name, **options)
    text = str(caught.value)
    assert "\n" not in text
    return text


class TestCreated:
    def test_it_is_up_and_quiet_and_its_descriptor_is_private(self, namespace: Namespace) -> None:
        with opened() as link:
            state = link.state()
            assert state == get_link("tap0")
            assert state is not None
            assert (state.up, state.lower_up, state.tun_type, state.persistent) == (True, True, "tap", False)
            assert (link.name, link.index, link.kernel_mac) == ("tap0", state.index, state.mac)
            assert (link.created, link.mtu, link.vlan, link.warnings) == (True, 1500, None, [])
            assert namespace.sysctl("net/ipv6/conf/tap0/disable_ipv6") == "1"
            assert not os.get_blocking(link.fileno())
            assert not os.get_inheritable(link.fileno())

    def test_it_vanishes_at_close(self, namespace: Namespace) -> None:
        link = TapLink("tap0")
        link.close()
        link.close()
        assert link.fileno() == -1
        assert get_link("tap0") is None
        assert link.warnings == []

    def test_as_a_port_with_an_mtu_and_a_vlan(self, namespace: Namespace) -> None:
        bridge = namespace.bridge()
        with opened(bridge=bridge, mtu=9000, vlan=4094) as link:
            shown = namespace.link("tap0")
            assert (shown["master"], shown["mtu"]) == (bridge, 9000)
            assert (link.mtu, link.vlan) == (9000, 4094)

    def test_a_bridge_that_is_down_is_a_warning(self, namespace: Namespace) -> None:
        bridge = namespace.bridge()
        namespace.run("ip", "link", "set", bridge, "down")
        with opened(bridge=bridge) as link:
            assert link.warnings == ["tap0: the bridge br0 is down (as root: ip link set br0 up)"]

    def test_the_kernels_side_says_nothing(self, namespace: Namespace) -> None:
        """A TAP speaks IPv6 as soon as it is up, unless it is told not to before."""
        bridge = namespace.bridge(ipv6=False, snooping=False)  # a bridge that snoops joins groups itself
        with opened("tap0") as alone, opened("tap1", bridge=bridge) as port:
            time.sleep(QUIET_SECONDS)
            assert alone.read() == []
            assert port.read() == []


class TestFound:
    @pytest.mark.parametrize("up", [False, True], ids=["down", "up"])
    @pytest.mark.parametrize("quiet", [False, True], ids=["speaking", "quiet"])
    @pytest.mark.parametrize("master", [None, "br1"])
    @pytest.mark.parametrize("mtu", [1500, 1000])
    def test_left_exactly_as_found(
        self, namespace: Namespace, up: bool, quiet: bool, master: str | None, mtu: int
    ) -> None:
        for name in ("br0", "br1"):
            namespace.bridge(name)
        prepare(namespace, up=up, mtu=mtu, master=master, quiet=quiet and mtu >= 1280)
        before = snapshot(namespace, "tap0")
        with opened(bridge="br0", mtu=2000) as link:
            assert not link.created
            during = snapshot(namespace, "tap0")
            assert during == before | {"up": True, "master": "br0", "mtu": 2000, "disable_ipv6": "1"}
            link.program(FilterPlan(unicast=(OWN,)))
            link.set_carrier(False)
            link.set_mtu(3000)
        assert snapshot(namespace, "tap0") == before
        assert link.warnings == []

    def test_filter_and_carrier_are_as_new_for_the_next_one(self, namespace: Namespace) -> None:
        prepare(namespace, up=True)
        with opened() as link:
            link.program(FilterPlan(unicast=(OWN,)))
            link.set_carrier(False)
        with opened() as link, packet_socket("tap0") as raw:
            state = link.state()
            assert state is not None
            assert state.lower_up
            link.read()  # what the kernel's side said between the two
            raw.send(b"\x02foreign"[:6] + OWN + ETHERTYPE + bytes(46))
            assert select.select([link], [], [], 10.0)[0]

    def test_what_was_changed_meanwhile_is_undone_too(self, namespace: Namespace) -> None:
        prepare(namespace, up=True, master=namespace.bridge())
        before = snapshot(namespace, "tap0")
        with opened():
            namespace.run("ip", "link", "set", "tap0", "down", "nomaster")
        assert snapshot(namespace, "tap0") == before

    def test_a_renamed_device_is_restored_under_its_new_name(self, namespace: Namespace) -> None:
        prepare(namespace, up=False)
        with opened():
            namespace.run("ip", "link", "set", "tap0", "down", "name", "other0")
        assert snapshot(namespace, "other0")["disable_ipv6"] == "0"

    def test_what_cannot_be_restored_is_a_warning(self, namespace: Namespace) -> None:
        prepare(namespace, up=True, master=namespace.bridge("br1"))
        namespace.bridge("br0")
        with opened(bridge="br0") as link:
            namespace.run("ip", "link", "del", "br1")
        assert link.warnings == ["tap0: its bridge could not be restored: Invalid argument"]

    def test_one_that_is_gone_at_close_is_no_trouble(self, namespace: Namespace) -> None:
        prepare(namespace, up=True)
        with opened() as link:
            namespace.run("ip", "link", "del", "tap0")
        assert link.warnings == []

    def test_a_failure_half_way_leaves_it_as_it_was(
        self, namespace: Namespace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        prepare(namespace, up=False)
        before = snapshot(namespace, "tap0")
        set_link = rtnetlink.set_link

        def refuse_up(index: int, **changes: Any) -> None:
            if changes.get("up"):
                raise PermissionError(1, "Operation not permitted")
            set_link(index, **changes)

        monkeypatch.setattr(rtnetlink, "set_link", refuse_up)
        assert refusal("tap0", bridge=namespace.bridge(), mtu=2000) == (
            "tap0 is down and cannot be set up: Operation not permitted (as root: ip link set tap0 up)"
        )
        assert snapshot(namespace, "tap0") == before
        namespace.run("ip", "tuntap", "del", "dev", "tap0", "mode", "tap")


class TestRefused:
    def test_a_device_in_use(self, namespace: Namespace) -> None:
        with opened():
            assert refusal("tap0") == "another process has tap0 open; choose another with --tap"

    def test_names_of_other_devices(self, namespace: Namespace) -> None:
        namespace.bridge()
        namespace.run("ip", "tuntap", "add", "dev", "tun0", "mode", "tun")
        namespace.run("ip", "tuntap", "add", "dev", "multi0", "mode", "tap", "multi_queue")
        assert refusal("lo") == "lo is a device that exists and not a TAP; choose another with --tap"
        assert refusal("br0") == "br0 is a bridge device and not a TAP; choose another with --tap"
        assert refusal("tun0") == "tun0 is a TUN device and not a TAP; choose another with --tap"
        assert refusal("multi0") == "multi0 is a TAP device with several queues; choose another with --tap"

    def test_a_bridge_that_is_none_leaves_nothing_behind(self, namespace: Namespace) -> None:
        assert refusal("tap0", bridge="br7").startswith("there is no bridge br7 (as root: ip link add br7 type bridge")
        assert refusal("tap0", bridge="lo") == "lo is not a bridge; name one with --bridge"
        assert refusal("tap0", bridge="").startswith("there is no bridge")
        assert get_link("tap0") is None

    def test_an_mtu_too_small_for_ipv6(self, namespace: Namespace) -> None:
        prepare(namespace, up=True, mtu=1000)
        assert refusal("tap0").startswith("tap0 has an MTU of 1000 bytes and IPv6 needs 1280 (--mtu,")
        assert snapshot(namespace, "tap0")["mtu"] == 1000

    @pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a b", "tap%d", "a:b", "all", "sixteen-letters-", "tàp"])
    def test_a_bad_name(self, name: str) -> None:
        with pytest.raises(UsageError):
            TapLink(name)

    @pytest.mark.parametrize("options", [{"vlan": 0}, {"vlan": 4095}, {"mtu": 1279}, {"mtu": 65522}], ids=str)
    def test_a_bad_number(self, options: dict[str, int]) -> None:
        with pytest.raises(UsageError):
            TapLink("tap0", **options)  # type: ignore[arg-type]


class TestFrames:
    def test_frames_come_and_go_unchanged(self, namespace: Namespace) -> None:
        tagged = OWN + OWN[::-1] + bytes.fromhex("81000064") + ETHERTYPE + b"tagged".ljust(46, b".")
        plain = OWN + b"\x02sixta" + ETHERTYPE + b"plain".ljust(46, b".")
        with opened() as link, packet_socket("tap0") as raw:
            raw.send(plain)
            raw.send(tagged)
            assert wait_for_frames(link, 2) == [plain, tagged]
            assert link.write(plain)
            assert raw.recv(2000) == plain

    def test_the_longest_frame_is_not_truncated(self, namespace: Namespace) -> None:
        frame = OWN + b"\x02sixta" + ETHERTYPE + os.urandom(65521)
        with opened(mtu=65521) as link, packet_socket("tap0") as raw:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            raw.send(frame)
            assert wait_for_frames(link, 1) == [frame]

    def test_a_batch_is_bounded(self, namespace: Namespace) -> None:
        with opened() as link, packet_socket("tap0") as raw:
            for number in range(100):
                raw.send(OWN + b"\x02sixta" + ETHERTYPE + bytes([number]).ljust(46, b"."))
            batches = [link.read(), link.read(), link.read(5)]
        assert [len(batch) for batch in batches] == [64, 36, 0]
        assert [frame[14] for batch in batches for frame in batch] == list(range(100))

    def test_what_the_device_does_not_take(self, namespace: Namespace) -> None:
        with opened() as link:
            assert not link.write(bytes(13)), "shorter than an Ethernet header"
            namespace.run("ip", "link", "set", "tap0", "down")
            assert not link.write(OWN + OWN + ETHERTYPE + bytes(46)), "down"
            assert link.read() == []

    def test_a_deleted_device_wakes_who_waits_and_says_so(self, namespace: Namespace) -> None:
        with opened() as link:
            namespace.run("ip", "link", "del", "tap0")
            assert select.select([link], [], [], 10.0)[0]
            with pytest.raises(LinkGoneError, match="tap0 was deleted"):
                link.read()
            with pytest.raises(LinkGoneError):
                link.write(OWN + OWN + ETHERTYPE + bytes(46))
            with pytest.raises(LinkGoneError):
                link.set_carrier(True)
            with pytest.raises(LinkError):
                link.set_mtu(1400)
            assert link.state() is None

    def test_carrier_and_mtu_reach_the_kernels_side(self, namespace: Namespace) -> None:
        with opened() as link:
            for on in (False, True):
                link.set_carrier(on)
                state = link.state()
                assert state is not None
                assert state.lower_up is on
            link.set_mtu(1280)
            assert (link.mtu, namespace.link("tap0")["mtu"]) == (1280, 1280)


class TestMonitor:
    def test_down_up_and_deletion_are_seen(self, namespace: Namespace) -> None:
        bridge = namespace.bridge()
        monitor = LinkMonitor()
        try:
            with opened(bridge=bridge) as link:
                wait_for_event(monitor, link, lambda event: isinstance(event, LinkState) and event.up)
                namespace.run("ip", "link", "set", "tap0", "nomaster")
                namespace.run("ip", "link", "set", "tap0", "down")
                seen = wait_for_event(monitor, link, lambda event: isinstance(event, LinkState) and not event.up)
                assert not any(isinstance(event, LinkDeleted) for event in seen), "leaving a bridge is no deletion"
                namespace.run("ip", "link", "set", "tap0", "up")
                wait_for_event(monitor, link, lambda event: isinstance(event, LinkState) and event.up)
                namespace.run("ip", "link", "del", "tap0")
                wait_for_event(monitor, link, lambda event: event == LinkDeleted(link.index, "tap0"))
        finally:
            monitor.close()


UNPRIVILEGED = """
import json, sys
from stack.errors import LinkError
from stack.link.tap import TapLink
try:
    link = TapLink("tap0", **json.loads(sys.argv[1]))
except LinkError as error:
    print(json.dumps({"error": str(error)}))
else:
    print(json.dumps({"warnings": link.warnings, "mtu": link.mtu, "created": link.created,
                      "written": link.write(bytes(64)), "up": link.state().up}))
    link.close()
    print(json.dumps(link.warnings))
"""
# A device node that everybody may open, in a mount namespace of its own; or none at all.
OPEN_NODE = "mount -t tmpfs none /dev/net && mknod -m 666 /dev/net/tun c 10 200"
NO_NODE = "mount -t tmpfs none /dev/net"
AS_NOBODY = f"exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups --no-new-privs"


class TestUnprivileged:
    def open_elsewhere(self, namespace: Namespace, shell: str, **options: Any) -> dict[str, Any]:
        """What opening tap0 came to in another process, after the shell's preparations."""
        script = shell + ' "$@"'
        done = namespace.run(
            *("unshare", "--mount", "sh", "-c", script, "sh", sys.executable, "-B", "-c", UNPRIVILEGED),
            json.dumps(options),
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            cwd="/",
            check=False,
        )
        if "Permission denied" in done.stderr:
            pytest.skip("an unprivileged user cannot read this interpreter or this source")
        assert done.returncode == 0, done.stderr
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[0])
        return result

    def prepare(self, namespace: Namespace, *commands: str) -> None:
        namespace.run("ip", "tuntap", "add", "dev", "tap0", "mode", "tap", "user", NOBODY)
        for command in commands:
            namespace.run(*command.split())

    def as_nobody(self, namespace: Namespace, **options: Any) -> dict[str, Any]:
        return self.open_elsewhere(namespace, f"{OPEN_NODE} && {AS_NOBODY}", **options)

    def test_a_device_prepared_in_full_needs_nothing(self, namespace: Namespace) -> None:
        bridge = namespace.bridge()
        namespace.run("ip", "tuntap", "add", "dev", "tap0", "mode", "tap", "user", NOBODY)
        namespace.sysctl("net/ipv6/conf/tap0/disable_ipv6", 1)
        namespace.run("ip", "link", "set", "tap0", "mtu", "1400", "master", bridge, "up")
        before = snapshot(namespace, "tap0")
        result = self.as_nobody(namespace, bridge=bridge, mtu=1400)
        assert result == {"warnings": [], "mtu": 1400, "created": False, "written": True, "up": True}
        assert snapshot(namespace, "tap0") == before

    def test_what_cannot_be_set_is_one_warning(self, namespace: Namespace) -> None:
        self.prepare(namespace, "ip link set tap0 up")
        result = self.as_nobody(namespace, mtu=1400)
        assert result["warnings"] == [
            "tap0: the kernel's own IPv6 stays on (as root: sysctl -w net/ipv6/conf/tap0/disable_ipv6=1);"
            " the MTU stays 1500 (as root: ip link set tap0 mtu 1400)"
        ]
        assert (result["mtu"], result["written"]) == (1400, True)

    def test_a_bridge_that_may_not_be_joined_is_an_error(self, namespace: Namespace) -> None:
        bridge = namespace.bridge()
        self.prepare(namespace, "ip link set tap0 up")
        assert self.as_nobody(namespace, bridge=bridge)["error"] == (
            "tap0 cannot be made a port of br0: Operation not permitted (as root: ip link set tap0 master br0)"
        )

    def test_a_device_that_is_down_is_an_error(self, namespace: Namespace) -> None:
        self.prepare(namespace)
        assert self.as_nobody(namespace)["error"] == (
            "tap0 is down and cannot be set up: Operation not permitted (as root: ip link set tap0 up)"
        )

    def test_no_permission_to_create(self, namespace: Namespace) -> None:
        text = self.as_nobody(namespace)["error"]
        assert text.startswith("no permission to open the TAP device tap0: run as root, or let root prepare it")
        assert "ip tuntap add dev tap0 mode tap user $USER" in text

    def test_somebody_elses_device(self, namespace: Namespace) -> None:
        prepare(namespace, up=True)
        namespace.run("ip", "tuntap", "del", "dev", "tap0", "mode", "tap")
        namespace.run("ip", "tuntap", "add", "dev", "tap0", "mode", "tap", "user", "1")
        assert self.as_nobody(namespace)["error"].startswith("no permission to open the TAP device tap0")

    def test_no_driver(self, namespace: Namespace) -> None:
        text = self.open_elsewhere(namespace, f"{NO_NODE} && exec")["error"]
        assert text == "there is no /dev/net/tun (as root: modprobe tun; in a container: give it the device)"


def wait_for_frames(link: TapLink, count: int) -> list[bytes]:
    frames: list[bytes] = []
    while len(frames) < count:
        assert select.select([link], [], [], 10.0)[0], f"{len(frames)} of {count} frames came"
        frames += link.read()
    return frames


def wait_for_event(monitor: LinkMonitor, link: TapLink, wanted: Any) -> list[rtnetlink.LinkEvent]:
    """All events about the link's device up to the first that is wanted."""
    seen: list[rtnetlink.LinkEvent] = []

    def found() -> bool:
        for event in monitor.read():
            if isinstance(event, LinkState | LinkDeleted) and event.index == link.index:
                seen.append(event)
        return any(wanted(event) for event in seen)

    wait_until(found, "event wanted")
    return seen


def test_processes_end_with_their_namespace() -> None:
    """The rig itself: nothing that a test started outlives it."""
    with Namespace() as namespace:
        process = namespace.popen("sleep", "1000")
        assert isinstance(process, subprocess.Popen)
        name = namespace.name
    assert process.returncode is not None
    assert not Path("/run/netns", name).exists()


def test_a_linux_host_is_a_peer_on_the_bridge() -> None:
    with Namespace() as namespace:
        bridge = namespace.bridge()
        one, other = namespace.linux_host(bridge), namespace.linux_host(bridge, dad=True)
        with other.enter():
            receiver = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            receiver.bind(("::", 7919))
        with one.enter():
            sender = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            scope = socket.if_nametoindex(one.dev)
        with receiver, sender:
            receiver.settimeout(10.0)
            sender.sendto(b"hello", (other.link_local, 7919, 0, scope))
            assert receiver.recv(100) == b"hello"
        assert one.mac != other.mac
        assert all(len(host.mac) == 6 for host in (one, other))
        name = other.name
    assert not Path("/run/netns", name).exists()
