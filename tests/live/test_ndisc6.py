"""ndisc6, rdisc6 and ping(8) on a Linux host: they see of our host what they see of another Linux host."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.netns import Namespace
from tests.live.router import Router, prefix
from tests.live.running import Running, eventually

OURS, LINUXS = "2001:db8:1::77", "2001:db8:1::88"
NOBODYS = "2001:db8:1::1:0:77"  # of the same solicited-node group as ours
NO_RESPONSE = 2  # exit status of both tools


class Rig:
    """Somebody who asks, our host and a Linux host on one bridge."""

    def __init__(self, namespace: Namespace, folder: Path) -> None:
        self.namespace = namespace
        self.folder = folder
        self.bridge = namespace.bridge(ipv6=False)
        self.asker = namespace.linux_host(self.bridge)
        self.linux = namespace.linux_host(self.bridge)
        self.asker.run("ip", "addr", "add", "2001:db8:1::99/64", "dev", self.asker.dev, "nodad")
        self.linux.run("ip", "addr", "add", f"{LINUXS}/64", "dev", self.linux.dev, "nodad")
        # It asks no more routers on its own account when the counters are read.
        self.host = Running(namespace, folder, "--bridge", self.bridge, "--set", "router_solicitations=0")
        self.host.ask("addr", "add", f"{OURS}/64", "--nodad")
        self.mac = self.host.json("link")[0]["address"]

    def ask(self, *command: str, status: int = 0) -> str:
        """What a tool says on the asker; "host" for the address and "mac" for the MAC that it asked about or found."""
        done = self.asker.run(*command, check=False)
        assert done.returncode == status, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        text = done.stdout + done.stderr
        for address in (self.host.address, self.linux.link_local, OURS, LINUXS):
            text = text.replace(address, "host")
        for mac in (self.mac, self.linux.mac.hex(":")):
            text = text.replace(mac.upper(), "mac")
        return text

    def counted(self, before: dict[str, int], *names: str) -> list[int]:
        """By how much our counters have grown."""
        now = self.host.json("stats")
        return [now[name] - before[name] for name in names]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Namespace() as namespace:
        rig = Rig(namespace, tmp_path)
        try:
            yield rig
        finally:
            rig.host.end()


def test_ndisc6_finds_the_host(rig: Rig) -> None:
    """RFC 4861 7.2.4: one solicited advertisement with our link-layer address for each solicitation."""
    for ours, theirs in ((rig.host.address, rig.linux.link_local), (OURS, LINUXS)):
        before = rig.host.json("stats")
        # -m: all that answer, not only the first
        said = rig.ask("ndisc6", "-m", ours, rig.asker.dev)
        assert rig.counted(before, "Icmp6InNeighborSolicits", "Icmp6OutNeighborAdvertisements") == [1, 1]
        assert said.count("Target link-layer address: mac") == said.count("from host") == 1
        assert said == rig.ask("ndisc6", "-m", theirs, rig.asker.dev)
    assert rig.ask("ndisc6", "-q", OURS, rig.asker.dev) == "mac\n"


def test_ndisc6_does_not_find_what_is_not_ours(rig: Rig) -> None:
    """RFC 4861 7.2.3: an address whose solicited-node group is ours, so that the solicitation arrives."""
    before = rig.host.json("stats")
    said = rig.ask("ndisc6", "-r", "1", "-w", "500", NOBODYS, rig.asker.dev, status=NO_RESPONSE)
    assert "No response" in said
    grown = rig.counted(before, "DiscardNdTargetNotOurs", "Icmp6OutNeighborAdvertisements")
    assert grown == [1, 0]


def test_rdisc6_is_answered_by_routers_only(rig: Rig) -> None:
    """RFC 4861 6.2.6: a host discards a router solicitation, even one that was sent to itself."""
    before = rig.host.json("stats")
    options = ("-r", "1", "-w", "500")
    ours = rig.ask("rdisc6", *options, rig.host.address, rig.asker.dev, status=NO_RESPONSE)
    assert rig.counted(before, "DiscardIcmpRoutersOnly", "Icmp6InRouterSolicits", "FramesOut")[:2] == [1, 1]
    assert "No response" in ours
    assert ours == rig.ask("rdisc6", *options, rig.linux.link_local, rig.asker.dev, status=NO_RESPONSE)
    assert "No response" in rig.ask("rdisc6", *options, rig.asker.dev, status=NO_RESPONSE)
    assert "Icmp6OutRouterAdvertisements" not in {name for name, count in rig.host.json("stats").items() if count}
    # Where there is a router, it alone answers.
    router = Router(rig.namespace, rig.folder, rig.bridge, rig.namespace.bridge("br1", ipv6=False))
    router.start(prefix("2001:db8:1::/64"))
    eventually(lambda: "default" in {each["dst"] for each in rig.host.json("route")}, "default route")
    said = rig.ask("rdisc6", "-1", rig.asker.dev)
    assert re.findall(r"from (\S+)", said) == [router.link_local]
    assert "2001:db8:1::/64" in said


def test_ping_to_all_nodes_lists_the_host(rig: Rig) -> None:
    """RFC 4443 4.2: every node answers each request once, from an address of its own."""
    said = rig.ask("ping", "-6", "-n", "-c", "4", "-i", "0.3", f"ff02::1%{rig.asker.dev}")
    replies = re.findall(rf"from (\S+?)%{rig.asker.dev}: icmp_seq=(\d) ttl=(\d+)", said)
    # ping leaves when the last request has its first reply.
    asked = [each for each in replies if each[1] != "4"]
    found = {rig.asker.link_local: 3, "host": 6}
    assert {address: [each[0] for each in asked].count(address) for address, _, _ in asked} == found, said
    assert {hops for _, _, hops in asked} == {"64"}


def test_ping_to_all_routers_is_not_for_hosts(rig: Rig) -> None:
    """RFC 4291 2.8: a host does not belong to ff02::2."""
    before = rig.host.json("stats")
    rig.ask("ping", "-6", "-c", "2", "-i", "0.3", "-W", "1", f"ff02::2%{rig.asker.dev}", status=1)
    assert rig.counted(before, "Icmp6InEchos", "Icmp6OutEchoReplies") == [0, 0]
