"""`sixtap doctor` of a host on a Linux bridge: without a querier, with one, when it has gone; what else it finds."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.netns import Namespace, wait_until
from tests.live.running import SIXTAP, Running, eventually, mdb_groups

GROUP = "ff05::1:3"
QUERIER = "fe80::1"


class Rig:
    """A host with a group on a bridge that snoops and does not ask."""

    def __init__(self, namespace: Namespace, folder: Path) -> None:
        self.namespace = namespace
        self.folder = folder
        self.bridge = namespace.bridge(ipv6=False)
        self.host = Running(namespace, folder, "--bridge", self.bridge, "--join", GROUP)

    def set(self, *words: str) -> None:
        self.namespace.run("ip", "link", "set", self.bridge, "type", "bridge", *words)

    def examine(self) -> tuple[bool, dict[str, Any]]:
        """Whether all is well, and the findings by their code."""
        done = self.host.run("doctor", "-j")
        document = json.loads(done.stdout)
        assert done.returncode == (0 if document["healthy"] else 1), done.stderr
        return document["healthy"], {each["code"]: each for each in document["findings"]}

    def reported(self, group: str) -> float:
        """How long ago the host has reported a group, seconds."""
        facts = json.loads(self.host.run("doctor", "-j").stdout)["facts"]
        ages = {each["address"]: each["reported"] for each in facts["groups"]}
        return float(ages[group] or 0.0)

    def finds(self, code: str, severity: str) -> dict[str, Any]:
        """The finding of that code and weight, once it is there."""

        def look() -> dict[str, Any] | None:
            found = self.examine()[1].get(code)
            return found if found is not None and found["severity"] == severity else None

        found: dict[str, Any] = wait_until(look, f"{severity} {code}")
        return found

    def querier(self, *options: str) -> "subprocess.Popen[str]":
        """One that asks every second."""
        pace = ("--interval", "1", "--max-response", "200", "--robustness", "1")
        return self.namespace.popen(
            *(SIXTAP, "querier", "--tap", "q0", "--bridge", self.bridge, "--source", QUERIER, *pace, *options),
            stdout=subprocess.DEVNULL,
        )


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Namespace() as namespace:
        rig = Rig(namespace, tmp_path)
        yield rig
        rig.host.end()


def test_no_querier_then_one_then_it_is_gone(rig: Rig) -> None:
    eventually(lambda: GROUP in mdb_groups(rig.namespace, rig.bridge, "t0"), "the group in the database")
    healthy, found = rig.examine()
    assert not healthy
    assert found["no-query-yet"]["severity"] == "warning"
    missed = found["bridge-no-querier"]
    # The bridge's default, 260 s since the reports of a moment ago, and its own word for it
    assert 200 < missed["seconds"] <= 260
    assert "mcast_querier 1" in missed["advice"]
    assert found["database"]["severity"] == "fine"

    asking = rig.querier()
    assert QUERIER in rig.finds("querier", "fine")["text"]
    eventually(lambda: rig.examine()[0], "a healthy link")
    asking.terminate()
    asking.wait(20.0)

    # RFC 3810 9.5 with its values: 1 * 1 s + 0.2 s / 2
    gone = rig.finds("querier-gone", "problem")
    assert QUERIER in gone["text"]
    assert GROUP in gone["groups"] or gone["seconds"] is not None


def test_queries_that_are_discarded(rig: Rig) -> None:
    rig.querier("--hop-limit", "64")
    found = rig.finds("queries-discarded", "problem")
    assert QUERIER in found["text"] and "hop limit" in found["text"] and "RFC 3810 6.2" in found["text"]
    text = rig.host.run("doctor")
    assert text.returncode == 1
    assert text.stdout.startswith("t0: ") and "problem" in text.stdout and "  -> " in text.stdout


def test_a_group_that_the_bridge_has_lost(rig: Rig) -> None:
    # The repeats of the first report are over.
    eventually(lambda: rig.reported(GROUP) > 3.0, "a group that is quiet")
    rig.namespace.run("bridge", "mdb", "del", "dev", rig.bridge, "port", "t0", "grp", GROUP)
    lost = rig.finds("not-in-database", "problem")
    assert GROUP in lost["groups"]
    rig.namespace.run("ip", "link", "set", "t0", "type", "bridge_slave", "mcast_router", "2")
    assert rig.finds("router-port", "fine")


def test_the_bridge_is_full(rig: Rig) -> None:
    rig.set("mcast_hash_max", "4")
    for number in range(6):
        rig.host.ask("maddr", "join", f"ff05::77:{number}")
    assert "mcast_hash_max" in rig.finds("hash-max", "warning")["text"]


def test_the_bridge_should_ask_and_cannot(rig: Rig) -> None:
    rig.set("mcast_querier", "1")
    assert rig.finds("bridge-querier-mute", "problem")
    rig.set("mcast_snooping", "0")
    assert rig.finds("no-snooping", "fine")


def test_watching(rig: Rig) -> None:
    log = rig.folder / "watch.log"
    with log.open("w") as out:
        watching = rig.namespace.popen(
            *(SIXTAP, "--control", str(rig.host.control), "doctor", "--watch", "--interval", "0.2", "-j"), stdout=out
        )

    def changes(code: str) -> list[str]:
        lines = [json.loads(line) for line in log.read_text().split("\n")[:-1]]
        return [each["change"] for each in lines if each["code"] == code]

    eventually(lambda: changes("bridge-no-querier") == ["problem"], "the problem")
    asking = rig.querier()
    eventually(lambda: changes("querier") == ["fine"], "the querier")
    asking.terminate()
    eventually(lambda: "over" in changes("querier"), "its end")
    eventually(lambda: "problem" in changes("querier-gone"), "its absence")
    os.kill(watching.pid, signal.SIGINT)
    assert watching.wait(20.0) == 1


def test_without_a_bridge(tmp_path: Path) -> None:
    with Namespace() as namespace, Running(namespace, tmp_path) as host:
        done = host.run("doctor", "-j")
        codes = {each["code"] for each in json.loads(done.stdout)["findings"]}
        assert "no-bridge" in codes
        assert done.returncode == 0
        host.ask("link", "down")
        done = host.run("doctor")
        assert done.returncode == 1 and "is down" in done.stdout
