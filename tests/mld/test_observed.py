"""What a listener remembers of queries and of its own reports; nothing of the protocol rests on it."""

import pytest

from stack.discard import Discard
from stack.mld.observed import Observed
from stack.settings import Settings
from stack.sim.world import Station, World
from tests.playbook import ip
from tests.sim.querying import GROUP, LOWER, query, version_1

HOST_MAC = bytes.fromhex("020000000001")


class Watched(World):
    """A host on a link, and a port for whoever asks."""

    def __init__(self) -> None:
        super().__init__(1)
        self.host: Station = self.add_host("ada", HOST_MAC, Settings(router_solicitations=0))
        self.peer = self.switch.add_port("peer")
        self.start(self.host)
        self.run_until(10.0)

    @property
    def observed(self) -> Observed:
        return self.host.interface.listener.observed

    def ask(self, octets: bytes) -> None:
        self.send(octets, self.peer)
        self.run_until(self.now + 1.0)

    def reported(self, group: str) -> float | None:
        return self.host.interface.listener.groups.records[ip(group)].reported_at


def test_a_query_that_is_believed() -> None:
    link = Watched()
    assert (link.observed.since, link.observed.heard, link.observed.last) == (0.0, 0, None)
    link.ask(query(qrv=3, qqic=20, delay=4000))
    last = link.observed.last
    assert last is not None
    assert (last.source, last.version, last.delay, last.robustness, last.interval) == (ip(LOWER), 2, 4.0, 3, 20)
    assert last.time == pytest.approx(10.0, abs=0.001)


def test_a_query_for_a_group_counts_and_says_nothing_of_the_pace() -> None:
    link = Watched()
    link.ask(query(GROUP, to="ff02::1"))
    assert (link.observed.heard, link.observed.last, link.observed.discarded) == (1, None, {})


def test_version_1() -> None:
    link = Watched()
    link.ask(version_1(130, "::", delay=1000, sender=LOWER))
    last = link.observed.last
    assert last is not None and (last.version, last.interval) == (1, 0)


def test_queries_that_are_discarded_are_counted_by_reason() -> None:
    link = Watched()
    for _ in range(3):
        link.ask(query(hop_limit=64))
    link.ask(query(alert=False))
    link.ask(query(sender="2001:db8::1"))
    counts = {reason: (each.count, each.source) for reason, each in link.observed.discarded.items()}
    assert counts == {
        Discard.MLD_HOP_LIMIT: (3, ip(LOWER)),
        Discard.MLD_ROUTER_ALERT: (1, ip(LOWER)),
        Discard.MLD_SOURCE: (1, ip("2001:db8::1")),
    }
    assert (link.observed.heard, link.observed.last) == (0, None)


@pytest.mark.parametrize("version", [1, 2])
def test_when_a_group_was_reported(version: int) -> None:
    link = Watched()
    link.host.host.settings.force_mld_version = version
    link.host.interface.listener.follow_version(link.now)
    link.host.interface.listener.join(ip(GROUP), link.now)
    link.settle(link.host)
    assert link.reported(GROUP) == link.now
    link.run_until(link.now + 20)
    before = link.reported(GROUP)
    asked = link.now
    link.ask(version_1(130, "::", delay=500, sender=LOWER) if version == 1 else query(delay=500))
    after = link.reported(GROUP)
    assert before is not None and after is not None
    assert before < asked <= after <= asked + 0.51


def test_an_interface_that_starts_over_has_seen_nothing() -> None:
    link = Watched()
    link.ask(query())
    link.ask(query(hop_limit=2))
    link.host.interface.stop(link.now)
    link.start(link.host)
    assert (link.observed.since, link.observed.heard, link.observed.last) == (link.now, 0, None)
    assert link.observed.discarded == {}
