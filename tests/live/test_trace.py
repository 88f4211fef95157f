"""`sixtap run --trace` beside a Linux host: Wireshark's own reader shows a cause for every frame in and out."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.capture.test_writing import fields
from tests.live.netns import Namespace
from tests.live.running import SIXTAP, Running


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    with Namespace() as made:
        yield made


def test_every_frame_has_its_cause(namespace: Namespace, tmp_path: Path) -> None:
    bridge = namespace.bridge()
    linux = namespace.linux_host(bridge)
    path = tmp_path / "trace.pcapng"
    began = time.time()
    options = ("--bridge", bridge, "--trace", str(path), "--join", "ff05::1:3")
    with Running(namespace, tmp_path, *options) as host:
        done = linux.run("ping", "-6", "-c", "2", "-i", "0.2", f"{host.address}%{linux.dev}", check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        host.ask("maddr", "join", "ff05::1:4")
        assert fields(path, "frame.number"), "what has happened so far can be read while the host runs"
        assert host.end() == 0
    frames = fields(path, "frame.number", "frame.comment", "frame.time_epoch", "icmpv6.type")
    assert len(frames) > 10
    for each in frames:
        (comment,) = each["frame.comment"]
        assert comment.startswith(f"frame {each['frame.number'][0]} ")
        assert ("cause: " in comment) if " out: " in comment.split("\n")[0] else ("\nhost: " in comment)
        assert began - 1 <= float(each["frame.time_epoch"][0]) <= time.time() + 1
    said = [each["frame.comment"][0] for each in frames]
    assert sum("echo reply" in each and "cause: frame" in each for each in said) == 2
    assert any("cause: call maddr join" in each for each in said)
    assert any("cause: stop" in each for each in said)


def test_a_file_that_cannot_be_written_is_said_before_anything_is_touched(namespace: Namespace, tmp_path: Path) -> None:
    done = namespace.run(SIXTAP, "run", "--tap", "t0", "--trace", str(tmp_path / "no" / "t.pcapng"), check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("sixtap: ")
    assert done.stderr.count("\n") == 1
    assert "--trace" in done.stderr
    assert namespace.run("ip", "link", "show", "t0", check=False).returncode != 0


def test_a_full_disk_ends_the_trace_and_not_the_host(namespace: Namespace, tmp_path: Path) -> None:
    with Running(namespace, tmp_path, "--trace", "/dev/full") as host:
        line = host.wait_for("the trace in /dev/full ends here")
        assert "No space left" in line
        assert host.json("addr")[0]["addr_info"]
        host.process.send_signal(signal.SIGINT)
        assert host.process.wait(20) == 0
