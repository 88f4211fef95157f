"""A bundle recorded on a TAP device replays offline: the same frames out, byte for byte, at the same times."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.utils import RawPcapNgReader

from stack.recorder.bundle import read_bundle, replay_bundle
from tests.live.netns import Namespace
from tests.live.running import Running


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    with Namespace() as made:
        yield made


def test_a_bundle_repeats_what_happened(namespace: Namespace, tmp_path: Path) -> None:
    bridge = namespace.bridge(querier=True)
    linux = namespace.linux_host(bridge)
    options = ("--bridge", bridge, "--addr", "2001:db8::5/64", "--join", "ff05::1:3")
    trace = tmp_path / "trace.pcapng"
    with Running(namespace, tmp_path, *options, "--trace", str(trace)) as host:
        host.ask("set", "hop_limit=33")
        done = linux.run("ping", "-6", "-c", "3", "-i", "0.2", f"{host.address}%{linux.dev}", check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        host.ask("maddr", "join", "ff05::77", "--exclude", "2001:db8::1")
        host.ask("maddr", "leave", "ff05::77")
        host.ask("addr", "add", "2001:db8::6/64")
        host.ask("addr", "add", "ff02::1/64", status=2)
        host.ask("ping", host.address, "-c", "1")
        host.ask("ping", "fe80::dead", "-c", "1", "-W", "1", status=1)
        host.ask("udp", "send", host.address, "9", "--text", "hello", status=1)
        host.ask("link", "down")
        host.ask("link", "up")
        host.ask("neigh", "add", "fe80::77", "lladdr", "02:00:00:00:00:77")
        host.ask("restart")
        path = tmp_path / "live.bundle"
        said = host.json("record", str(path))
        mac = bytes.fromhex(host.json("link")[0]["address"].replace(":", ""))
    assert said["file"] == str(path)
    # From the start of the host on, whose clock began long before (trio's does not begin with 0).
    assert said["seconds"] < 1000
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    result = replay_bundle(path)
    assert result.error is None
    assert result.difference() == ""
    assert result.equal
    assert len(result.sent) == said["frames_out"] > 20
    # The trace was written while it happened, and knows nothing of the recorder.
    with RawPcapNgReader(str(trace)) as reader:
        seen = [(octets, meta.tshigh << 32 | meta.tslow) for octets, meta in reader if octets[6:12] == mac]
    assert [each.frame for each in result.sent] == [octets for octets, _ in seen[: len(result.sent)]]
    epoch = read_bundle(path).epoch
    assert max(abs(e.time + epoch - at / 1e9) for e, (_, at) in zip(result.sent, seen, strict=False)) < 0.1
    # Three echo requests and the solicitation before them are the least.
    assert result.frames == said["frames_in"] >= 4
    kinds = {each.frame[54] for each in result.sent if each.frame[20] == 58}
    assert {129, 135, 136} <= kinds
    assert {each.frame[21] for each in result.sent} >= {1, 33, 255}
    times = [each.time for each in result.sent]
    assert times == sorted(times)
    assert read_bundle(path).now >= times[-1]


def test_no_record_records_nothing(namespace: Namespace, tmp_path: Path) -> None:
    with Running(namespace, tmp_path, "--no-record") as host:
        done = host.run("record", str(tmp_path / "b"))
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "--no-record" in done.stderr
        assert not (tmp_path / "b").exists()
