"""The parts of tools/bench that run in memory: their fields and packets. Nothing here is measured."""

import pytest

from tools.benchmark import inmemory, mld
from tools.benchmark.__main__ import PEER


@pytest.mark.parametrize(("groups", "packets"), [(10, 1), (71, 1), (72, 2), (200, 3)])
def test_an_answer_is_whole(groups: int, packets: int) -> None:
    """RFC 3810 5.2: 72 records in a report of 1500 octets, one of them for the host's own address."""
    figures = mld.measure(PEER, groups, 2)
    assert (figures["groups"], figures["packets"]) == (groups, packets)
    assert figures["octets"] == 20 * (groups + 1) + packets * (14 + 40 + 8 + 8)
    assert all(
        figures[name] > 0
        for name in ("query_ms", "answer_ms", "answer_ms_least", "bytes_per_group", "joins_per_second")
    )
    assert figures["leaves_per_second"] > 0


@pytest.mark.parametrize("delay", [0.0, 10.0])
def test_a_flood_is_answered_within_the_limit(delay: float) -> None:
    """mld_ratelimit: a burst, and 100 packets a second."""
    figures = mld.flood(PEER, 100, delay, 3)
    assert (figures["groups"], figures["delay"], figures["queries"]) == (100, delay, 300)
    assert 0 < figures["packets"] <= 100 + 300
    assert figures["cpu_share"] > 0


def test_the_figures_without_a_device() -> None:
    figures = inmemory.measure(PEER, 400, 1)
    assert set(figures["rates"]) == {"receive", "receive_batch", "simulation", "insertions"}
    assert all(rate > 0 for rate in figures["rates"].values())
    assert figures["simulation_ratio"] > 0
    assert set(figures["octets"]) == {"neighbour", "group", "route", "host"}
    assert all(octets > 100 for octets in figures["octets"].values())
