"""`sixtap rude` on a real bridge: what it does to our host, which lives on."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.live.netns import Namespace, wait_until
from tests.live.running import SIXTAP, Running, eventually


def rude(namespace: Namespace, *words: str) -> "subprocess.Popen[str]":
    return namespace.popen(SIXTAP, "rude", *words, "--tap", "x0", "--bridge", "br0")


def wait_for(process: "subprocess.Popen[str]") -> None:
    """Until it has begun."""
    assert process.stderr is not None
    assert "x0 " in process.stderr.readline()


def test_nobody_gets_an_address(tmp_path: Path) -> None:
    with Namespace() as namespace:
        namespace.bridge()
        process = rude(namespace, "deny")
        wait_for(process)
        with Running(namespace, tmp_path, "--bridge", "br0", ready=False) as host:
            assert "duplicate fe80::" in host.wait_for("duplicate")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert out.startswith("denied fe80::")


def test_an_address_is_claimed(tmp_path: Path) -> None:
    with Namespace() as namespace:
        namespace.bridge()
        with Running(namespace, tmp_path, "--bridge", "br0") as host:
            process = rude(namespace, "claim", "fe80::77", "--mac", "02:00:00:00:00:ee")
            wait_for(process)

            def believed() -> bool:
                host.run("ping", "-c", "1", "-W", "0.2", "fe80::77")
                return any(each.get("lladdr") == "02:00:00:00:00:ee" for each in host.json("neigh"))

            eventually(believed, "a neighbour that is not there")
            process.send_signal(signal.SIGTERM)
            assert process.wait(20.0) == 0


@pytest.mark.alone
@pytest.mark.parametrize(
    ("flood", "counter"),
    [
        ("routers", "Icmp6InRouterAdvertisements"),
        ("neighbours", "Icmp6InNeighborAdvertisements"),
        ("queries", "Icmp6InGroupMembQueries"),
    ],
)
def test_a_flood_is_lived_through(tmp_path: Path, flood: str, counter: str) -> None:
    with Namespace() as namespace:
        namespace.bridge(querier=False)
        linux = namespace.linux_host("br0")
        with Running(namespace, tmp_path, "--bridge", "br0") as host:
            process = rude(namespace, flood, "--count", "300", "--rate", "300")
            assert process.wait(20.0) == 0
            wait_until(lambda: host.json("stats")[counter] >= 250, "the flood")
            done = linux.run("ping", "-6", "-c", "2", "-W", "2", f"{host.address}%{linux.dev}", check=False)
            assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("words", [("deny", "fe80::1"), ("claim",), ("claim", "x"), ("shout",), ("deny", "--mac", "y")])
def test_words_that_cannot_be(words: tuple[str, ...]) -> None:
    done = subprocess.run([SIXTAP, "rude", *words, "--tap", "x0"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
