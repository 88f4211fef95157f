"""Captures on a real link: tcpreplay onto the host's TAP, and `sixtap replay --to-tap` through one of its own.

With SIXTAP_CAPTURES every capture of that folder is sent, else those of tests/corpus.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.capture import files
from stack.capture.readdress import Readdresser, cast
from stack.capture.writing import pcap
from tests.live.netns import LinuxHost, Namespace
from tests.live.running import SIXTAP, Running, eventually
from tests.playbook import ip

pytestmark = pytest.mark.live

MAC, ADDRESS, LINK_LOCAL = "02:00:5e:10:00:77", "2001:db8:64::77", "fe80::5eff:fe10:77"
FOLDER = Path(os.environ.get("SIXTAP_CAPTURES", Path(__file__).parents[1] / "corpus"))


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    with Namespace() as made:
        yield made


def answers(peer: LinuxHost) -> bool:
    done = peer.run("ping", "-6", "-c", "1", "-W", "2", "-I", peer.dev, LINK_LOCAL, check=False)
    return done.returncode == 0


def as_captured(path: Path) -> bytes:
    """A capture as Ethernet frames, which is all that tcpreplay sends, one after the other."""
    return pcap((0.0, frame.octets) for frame in files.frames(path, print) if 14 <= len(frame.octets) <= 9_000)


def for_the_host(path: Path, *, own: bool = True) -> bytes:
    """A capture re-addressed to the host; without what its node sent itself unless `own`."""
    frames = [frame.octets for frame in files.frames(path, print)]
    mac = bytes.fromhex(MAC.replace(":", ""))
    readdresser = Readdresser(cast(frames), mac, ip(LINK_LOCAL), ip(ADDRESS)[:8], only=ip(ADDRESS))
    again = (readdresser.frame(each) for each in frames if own or not readdresser.is_own(each))
    return pcap((0.0, each) for each in again if 14 <= len(each) <= 9_000)


def test_tcpreplay_of_captures_leaves_the_host_answering(namespace: Namespace, tmp_path: Path) -> None:
    bridge = namespace.bridge(ipv6=False)
    peer = namespace.linux_host(bridge)
    captures = []
    for path in sorted(FOLDER.glob("*.pcap*")):
        # As captured they are for others; re-addressed they are for the host.
        for made in (as_captured, for_the_host):
            captures.append(tmp_path / f"{made.__name__}_{path.name}.pcap")
            captures[-1].write_bytes(made(path))
    options = ("--bridge", bridge, "--mac", MAC, "--addr", f"{ADDRESS}/64", "--mtu", "9000")
    with Running(namespace, tmp_path, *options) as host:
        eventually(lambda: answers(peer), "an answer before")
        eventually(lambda: host.addresses()[ADDRESS]["state"] == "preferred", "the address of the captures")
        # Whatever else the machine does meanwhile, the device keeps every frame until the host has read it.
        namespace.run("ip", "link", "set", host.tap, "txqueuelen", "50000")
        words = ("tcpreplay", "--pps", "4000", "-q", "-i", host.tap, *map(str, captures))
        done = namespace.run(*words, check=False)
        assert "Actual:" in done.stdout, done.stdout + done.stderr
        eventually(lambda: answers(peer), "an answer after the captures")
        assert host.process.poll() is None
        # The driver keeps back what is for others.
        counters = host.json("stats")
        assert counters["FramesIn"] > 250
        assert counters["DiscardUnknownNextHeader"] > 0


def test_frames_leave_through_a_tap_and_the_target_lives(namespace: Namespace, tmp_path: Path) -> None:
    bridge = namespace.bridge(ipv6=False)
    namespace.run("ip", "tuntap", "add", "dev", "t9", "mode", "tap")
    namespace.run("ip", "link", "set", "t9", "master", bridge, "up")
    path = tmp_path / "for_the_host.pcap"
    # A frame with the host's MAC from another port would make the bridge look for the host there.
    path.write_bytes(for_the_host(Path(__file__).parents[1] / "corpus" / "zeek__icmp_icmp6-ping.pcap", own=False))
    with Running(namespace, tmp_path, "--bridge", bridge, "--mac", MAC, "--addr", f"{ADDRESS}/64") as host:
        before = host.json("stats")["FramesIn"]
        words = (SIXTAP, "replay", "--to-tap", "t9", "--alive", LINK_LOCAL, str(path))
        done = namespace.run(*words, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.splitlines()[-1] == f"sixtap replay --to-tap t9 --alive {LINK_LOCAL} {path}"
        assert "4 frames sent, 0 not taken" in done.stdout
        assert host.json("stats")["FramesIn"] >= before + 4
    done = namespace.run(SIXTAP, "replay", "--to-tap", "t9", "--alive", "fe80::dead", str(path), check=False)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
