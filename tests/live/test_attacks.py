"""thc-ipv6 against our host and against a Linux host: docs/attacks.md has the table that these tests hold.

Every tool runs in a namespace of its own on a bridge of its own, and is ended by
the test that started it.
"""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.live.netns import LinuxHost, Namespace, wait_until
from tests.live.running import Running, eventually

OURS, LINUXS = "2001:db8::77", "2001:db8::88"
MAC = "02:00:5e:10:00:77"
LINK_LOCAL = "fe80::5eff:fe10:77"
FLOOD = 5.0  # seconds


class Tool:
    """A tool of thc-ipv6 that runs on a host and listens to its device; `said` are its lines so far."""

    def __init__(self, host: LinuxHost, folder: Path, *words: str) -> None:
        self._ended = False
        self._output = folder / "tool.txt"
        with self._output.open("w") as output:
            self._process = host.popen("stdbuf", "-oL", *words, stdout=output, stderr=subprocess.STDOUT)

    @property
    def said(self) -> list[str]:
        return self._output.read_text().split("\n")[:-1]

    def listening(self, host: LinuxHost) -> None:
        """Wait until it has its packet socket."""
        wait_until(lambda: host.run("cat", "/proc/net/packet").stdout.count("\n") > 1, "packet socket of the tool")

    def addresses(self, text: str) -> list[str]:
        """The addresses in lines that begin with a text, as they came."""
        return [line.removeprefix(text).strip() for line in self.said if line.startswith(text)]

    def end(self) -> None:
        if self._ended:
            return
        self._ended = True
        assert self._process.poll() is None, self.said
        self._process.terminate()
        self._process.wait(20.0)


class Rig:
    """A bridge with an attacker on it, who believes no router."""

    def __init__(self, namespace: Namespace, folder: Path) -> None:
        self.namespace = namespace
        self.folder = folder
        self.bridge = namespace.bridge(ipv6=False)
        self.attacker = self.bystander()

    def bystander(self) -> LinuxHost:
        host = self.namespace.linux_host(self.bridge)
        host.sysctl(f"net/ipv6/conf/{host.dev}/accept_ra", 0)
        return host

    @contextmanager
    def tool(self, *words: str) -> Iterator[Tool]:
        tool = Tool(self.attacker, self.folder, *words)
        try:
            yield tool
        finally:
            tool.end()

    def host(self, *options: str, ready: bool = False) -> Running:
        return Running(self.namespace, self.folder, "--bridge", self.bridge, "--mac", MAC, *options, ready=ready)

    def linux(self, **settings: int) -> LinuxHost:
        """A Linux host that is quiet until `comes_up`."""
        host = self.namespace.linux_host(self.bridge, dad=True, ipv6=False)
        for name, value in settings.items():
            host.sysctl(f"net/ipv6/conf/{host.dev}/{name}", value)
        return host


def comes_up(linux: LinuxHost) -> None:
    linux.sysctl(f"net/ipv6/conf/{linux.dev}/disable_ipv6", 0)
    linux.run("ip", "addr", "add", f"{LINUXS}/64", "dev", linux.dev)


def shown(linux: LinuxHost) -> dict[str, dict[str, object]]:
    """The addresses of a Linux host by their text."""
    document = linux.ip("-6", "addr", "show", "dev", linux.dev) or [{}]
    return {each["local"]: each for each in document[0].get("addr_info", [])}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Namespace() as namespace:
        yield Rig(namespace, tmp_path)


class TestNewAddresses:
    def test_detect_new_ip6_sees_both_alike(self, rig: Rig) -> None:
        """RFC 4862 5.4: every address is probed for once, whichever host it is on."""
        linux = rig.linux()
        with rig.tool("atk6-detect-new-ip6", "eth0") as tool:
            tool.listening(rig.attacker)
            comes_up(linux)
            eventually(lambda: not any(each.get("tentative") for each in shown(linux).values()), "valid addresses")
            with rig.host("--addr", f"{OURS}/64", ready=True) as host:
                eventually(lambda: host.addresses()[OURS]["state"] == "preferred", "valid global address")
                detected = tool.addresses("Detected new ip6 address:")
                assert sorted(detected) == sorted([LINK_LOCAL, OURS, *shown(linux)])
                assert len(shown(linux)) == 2

    @pytest.mark.parametrize(("options", "says"), [((), "existing ip6"), (("-S",), "colliding NS query")])
    def test_dos_new_ip6_keeps_both_off_the_link(self, rig: Rig, options: tuple[str, ...], says: str) -> None:
        """RFC 4862 5.4.3, 5.4.4: whoever claims an address under test has it; without secrets nothing helps.

        5.4.5: on a duplicate that was made from the MAC, IPv6 SHOULD be disabled on
        the interface. We do that, Linux if accept_dad is 2; by default it is 1.
        """
        usual, strict = rig.linux(), rig.linux(accept_dad=2)
        with rig.tool("atk6-dos-new-ip6", *options, "eth0") as tool:
            tool.listening(rig.attacker)
            spoofed = f"Spoofed packet for {says} as"
            with rig.host("--addr", f"{OURS}/64") as host:
                host.wait_for("IPv6 disabled")
                assert host.addresses()[LINK_LOCAL]["state"] == "duplicated"
                assert host.json("link")[0]["disabled"]
                eventually(lambda: set(tool.addresses(spoofed)) == {LINK_LOCAL, OURS}, "both of our addresses")
                comes_up(usual)
                eventually(
                    lambda: len(shown(usual)) == 2 and all(each.get("dadfailed") for each in shown(usual).values()),
                    "failed addresses of Linux",
                )
                assert usual.sysctl("net/ipv6/conf/eth0/disable_ipv6") == "0"
                assert sorted(tool.addresses(spoofed)) == sorted([LINK_LOCAL, OURS, *shown(usual)])
                strict.sysctl("net/ipv6/conf/eth0/disable_ipv6", 0)
                eventually(lambda: strict.sysctl("net/ipv6/conf/eth0/disable_ipv6") == "1", "disabled Linux")
                tool.end()
                # When the attacker is gone a word of the user is enough.
                said = len(host.lines)
                host.ask("restart")
                host.wait_for(f"ready {LINK_LOCAL}", after=said)
                eventually(lambda: host.addresses()[OURS]["state"] == "preferred", "valid global address")

    def test_dos_new_ip6_outlasts_identifiers_that_are_not_from_the_mac(self, rig: Rig) -> None:
        """RFC 7217 6: three more are tried (IDGEN_RETRIES), then none; 5.4.5 asks for nothing more."""
        linux = rig.linux(addr_gen_mode=3)
        with rig.tool("atk6-dos-new-ip6", "eth0") as tool:
            tool.listening(rig.attacker)
            spoofed = "Spoofed packet for existing ip6 as"
            with rig.host("--set", "addr_gen_mode=3") as host:
                eventually(lambda: len(tool.addresses(spoofed)) == 4, "four identifiers")
                ours = tool.addresses(spoofed)
                eventually(
                    lambda: [each["state"] for each in host.addresses().values()] == ["duplicated"] * 4,
                    "four duplicates",
                )
                assert sorted(host.addresses()) == sorted(ours)
                assert not host.json("link")[0]["disabled"]
                linux.sysctl("net/ipv6/conf/eth0/disable_ipv6", 0)
                eventually(lambda: len(tool.addresses(spoofed)) == 8, "four identifiers of Linux")
                assert set(shown(linux)) <= set(tool.addresses(spoofed)) - set(ours)


def resident(process: "subprocess.Popen[str]") -> int:
    """Memory in kB."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


@pytest.mark.alone
class TestFloods:
    @pytest.mark.parametrize(
        ("words", "counter", "evidence"),
        [
            (("atk6-flood_router26", "eth0"), "Icmp6InRouterAdvertisements", "DiscardRaTooMany"),
            (("atk6-flood_advertise6", "eth0"), "Icmp6InNeighborAdvertisements", "DiscardNdNoEntry"),
            (("atk6-flood_solicitate6", "eth0"), "Icmp6InNeighborSolicits", "DiscardNdTargetNotOurs"),
            (("atk6-flood_solicitate6", "eth0", LINK_LOCAL), "Icmp6InNeighborSolicits", "Limit_gc_thresh3"),
        ],
        ids=["router26", "advertise6", "solicitate6", "solicitate6 at us"],
    )
    def test_tables_stay_within_their_limits(
        self, rig: Rig, words: tuple[str, ...], counter: str, evidence: str
    ) -> None:
        friend, newcomer = rig.bystander(), rig.bystander()
        with rig.host(ready=True) as host:
            for each in (friend, newcomer):
                # A flood fills the kernel's neighbour table, too, which all namespaces share.
                each.run("ip", "neigh", "replace", LINK_LOCAL, "lladdr", MAC, "dev", each.dev, "nud", "permanent")
            assert host.json("ping", "-c", "1", friend.link_local)["received"] == 1
            limits = host.json("set")
            before, memory = host.json("stats"), resident(host.process)
            with rig.tool(*words) as tool:
                until = time.monotonic() + FLOOD
                while time.monotonic() < until:
                    within(host, limits)
                    assert friend.link_local in {each["dst"] for each in host.json("neigh")}, "an entry in use"
                    time.sleep(0.5)
                assert tool.said[0].startswith("Starting to flood")
            time.sleep(1.0)
            # Both ways: the neighbour in use, and one that was never met before.
            done = friend.run("ping", "-6", "-c", "1", "-W", "2", f"{LINK_LOCAL}%{friend.dev}", check=False)
            assert "1 received" in done.stdout, done.stdout
            for each in (friend, newcomer):
                assert host.json("ping", "-c", "1", "-W", "2", each.link_local)["received"] == 1
            within(host, limits)
            after = host.json("stats")
            # A reason is counted from its first time on.
            grown = {name: after[name] - before.get(name, 0) for name in after}
            assert grown[counter] > 1000, "what reached the host"
            assert grown.get(evidence, 0) > 1000, "what became of it"
            assert resident(host.process) - memory < 16 * 1024


def within(host: Running, limits: dict[str, int]) -> None:
    """The tables of a host, asked for by its commands, are within the settings that bound them."""
    assert len(host.json("neigh")) <= limits["gc_thresh3"]
    routes = [(each["dst"], each["protocol"]) for each in host.json("route")]
    assert len([to for to, by in routes if to == "default"]) <= limits["max_routers"]
    assert len([to for to, by in routes if by == "ra" and to != "default"]) <= limits["max_learnt_routes"]
    assert len([to for to, by in routes if by == "kernel" and to != "fe80::/64"]) <= limits["max_prefixes"]
    addresses = host.addresses()
    assert addresses[LINK_LOCAL]["state"] == "preferred"
    assert len(addresses) - 1 <= limits["max_addresses"]
    dns = host.json("link")[0]["dns"]
    assert len(dns["servers"]) <= limits["max_dns_servers"]
    assert len(dns["search"]) <= limits["max_dns_domains"]
