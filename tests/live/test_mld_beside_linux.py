"""Side by side with the Linux kernel's listener: one script of joins, leaves and queries for both, and who said what.

Each has a link of its own, so that neither hears the other. What they say of the
group is compared message by message: types, sources, counts, destinations, hop
limits, router alert. Where they differ the row says why, with the clause.
"""

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.live.multicast import LinuxListener, Said, watching
from tests.live.netns import Namespace, wait_until
from tests.live.running import Running
from tests.playbook import ip, mld_message

GROUP = "ff05::77"
S1, S2, S3, S4 = (f"2001:db8::{number}" for number in range(1, 5))
INTERVAL_MS = 100
QUIET_SECONDS = 0.5  # a repeat comes within INTERVAL_MS, an answer within the delay of its query
QUERIER_MAC = bytes.fromhex("02005e1000f0")
QUERY_DELAY_MS = 100


class Pair:
    """Our host and a Linux host, each alone on a bridge, both speaking one version."""

    def __init__(self, namespace: Namespace, folder: Path, version: int) -> None:
        self.namespace = namespace
        self.version = version
        bridges = [namespace.bridge(name, snooping=False, ipv6=False) for name in ("br0", "br1")]
        self.linux = namespace.linux_host(bridges[1])
        options: list[str] = []
        for each in (1, 2):
            self.linux.sysctl(f"net/ipv6/conf/{self.linux.dev}/mldv{each}_unsolicited_report_interval", INTERVAL_MS)
            options += ["--set", f"mldv{each}_unsolicited_report_interval={INTERVAL_MS}"]
        self.linux.sysctl(f"net/ipv6/conf/{self.linux.dev}/force_mld_version", version)
        options += ["--set", f"force_mld_version={version}"]
        self.host = Running(namespace, folder, "--bridge", bridges[0], *options)
        self.listener = LinuxListener(self.linux)
        self._queriers = []
        with namespace.enter():
            for bridge in bridges:
                raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
                raw.bind((bridge, 0))
                self._queriers.append(raw)

    def close(self) -> None:
        self.host.end()
        self.listener.close()
        for raw in self._queriers:
            raw.close()

    # -- what both do

    def join(self, name: str = "s") -> None:
        self.listener.join(GROUP, name)
        self._listen("exclude", (), name)

    def leave(self, name: str = "s") -> None:
        self.listener.leave(GROUP, name)
        self._listen("include", (), name)

    def include_first(self, source: str) -> None:
        self.listener.allow(GROUP, source)
        self._listen("include", (source,), "s")

    def include_no_more(self, source: str) -> None:
        self.listener.disallow(GROUP, source)
        self._listen("include", (), "s")

    def filter(self, mode: str, *sources: str, name: str = "s") -> None:
        self.listener.filter(GROUP, mode, sources, name)
        self._listen(mode, sources, name)

    def join_excluding(self, name: str, source: str) -> None:
        """Linux needs a membership before it can have a filter: two steps for it, one for us."""
        self.listener.join(GROUP, name)
        self.listener.filter(GROUP, "exclude", (source,), name)
        self._listen("exclude", (source,), name)

    def query(self, group: str = "::", sources: Sequence[str] = ()) -> None:
        extra = b""
        if self.version == 2:
            extra = bytes((2, 125)) + len(sources).to_bytes(2, "big") + b"".join(map(ip, sources))
        octets = mld_message(130, group, delay=QUERY_DELAY_MS, extra=extra, mac=QUERIER_MAC)
        for raw in self._queriers:
            raw.send(octets)

    def _listen(self, mode: str, sources: Sequence[str], name: str) -> None:
        words = [",".join(sources)] if sources else []
        self.host.ask("maddr", "listen", name, GROUP, mode, *words)


Step = tuple[str, Callable[[Pair], None]]

CHANGES: list[Step] = [
    ("join", lambda pair: pair.join()),
    ("another socket joins", lambda pair: pair.join("s2")),
    ("the other socket leaves", lambda pair: pair.leave("s2")),
    ("EXCLUDE () to EXCLUDE (S1)", lambda pair: pair.filter("exclude", S1)),
    ("EXCLUDE (S1) to EXCLUDE (S2, S3)", lambda pair: pair.filter("exclude", S2, S3)),
    ("EXCLUDE (S2, S3) to INCLUDE (S1)", lambda pair: pair.filter("include", S1)),
    ("INCLUDE (S1) to INCLUDE (S1, S2)", lambda pair: pair.filter("include", S1, S2)),
    ("INCLUDE (S1, S2) to INCLUDE (S3)", lambda pair: pair.filter("include", S3)),
    ("another socket excludes S3, which this one includes", lambda pair: pair.join_excluding("s2", S3)),
    ("the other socket leaves again", lambda pair: pair.leave("s2")),
    ("INCLUDE (S3) to EXCLUDE (S4)", lambda pair: pair.filter("exclude", S4)),
    ("leave", lambda pair: pair.leave()),
    ("join with a source", lambda pair: pair.include_first(S1)),
    ("leave it", lambda pair: pair.include_no_more(S1)),
]

QUERIES: list[Step] = [
    ("general query, not joined", lambda pair: pair.query()),
    ("join", lambda pair: pair.join()),
    ("general query", lambda pair: pair.query()),
    ("query for the group", lambda pair: pair.query(GROUP)),
    ("query for another group", lambda pair: pair.query("ff05::78")),
    ("query for sources, EXCLUDE ()", lambda pair: pair.query(GROUP, (S1, S2))),
    ("EXCLUDE (S1)", lambda pair: pair.filter("exclude", S1)),
    ("general query, EXCLUDE (S1)", lambda pair: pair.query()),
    ("query for the group, EXCLUDE (S1)", lambda pair: pair.query(GROUP)),
    ("query for sources, EXCLUDE (S1)", lambda pair: pair.query(GROUP, (S1, S2))),
    ("query for the excluded source alone", lambda pair: pair.query(GROUP, (S1,))),
    ("INCLUDE (S1, S2)", lambda pair: pair.filter("include", S1, S2)),
    ("general query, INCLUDE (S1, S2)", lambda pair: pair.query()),
    ("query for sources, INCLUDE (S1, S2)", lambda pair: pair.query(GROUP, (S2, S3))),
    ("query for sources that are not included", lambda pair: pair.query(GROUP, (S3,))),
    ("leave", lambda pair: pair.leave()),
    ("query for the group, left", lambda pair: pair.query(GROUP)),
]

# (version, step): what Linux says instead, and why ours is right.
_RULE_3 = "RFC 3810 6.3 rule 3: EXCLUDE (A) asked for B answers IS_IN (B-A); Linux sends its whole state"
DIFFERENT: dict[tuple[int, str], tuple[list[tuple[str, tuple[str, ...]]], str]] = {
    (2, "query for sources, EXCLUDE ()"): ([("IS_EX", ())], _RULE_3),
    (2, "query for sources, EXCLUDE (S1)"): ([("IS_EX", (S1,))], _RULE_3),
}


@pytest.fixture(params=[1, 2], ids=["version 1", "version 2"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    with Namespace() as namespace:
        pair = Pair(namespace, tmp_path, request.param)
        try:
            yield pair
        finally:
            pair.close()


@pytest.mark.parametrize("script", [CHANGES, QUERIES], ids=["changes", "queries"])
def test_the_same_script_is_answered_alike(pair: Pair, script: list[Step]) -> None:
    rows: list[tuple[str, list[Said], list[Said]]] = []
    with watching(pair.namespace, "t0", pair.linux.port) as (ours, theirs):
        wait_until(lambda: all(each["timer"] is None for each in pair.host.groups().values()), "quiet listener")
        time.sleep(QUIET_SECONDS)
        for watch in (ours, theirs):
            watch.frames()
        for name, step in script:
            step(pair)
            time.sleep(QUIET_SECONDS)
            rows.append((name, ours.said(GROUP), theirs.said(GROUP)))
    for name, mine, linux in rows:
        different = DIFFERENT.get((pair.version, name))
        if different is None:
            assert sorted(mine) == sorted(linux), name
        else:
            assert sorted((each.what, each.sources) for each in linux) == sorted(different[0]), name
            assert sorted(mine) != sorted(linux), f"{name}: no difference any more"
