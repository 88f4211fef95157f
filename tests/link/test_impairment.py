"""Bad lines: what each impairment does to frames, how often, and that it is the seed's doing alone."""

from random import Random

import pytest

from stack.errors import UsageError
from stack.link.impairment import REORDERING_GAP, Impairment, Line

FRAME = bytes(range(100))


def carried(
    impairment: Impairment, *, count: int = 1000, gap: float = 0.001, seed: int = 0
) -> list[tuple[float, bytes]]:
    """The arrivals of numbered frames that enter a line `gap` seconds apart, in order of arrival."""
    line = Line(impairment, Random(seed))
    arrivals: list[tuple[float, bytes]] = []
    for number in range(count):
        arrivals += line.carry(number.to_bytes(4, "big") + FRAME, number * gap)
    return sorted(arrivals, key=lambda each: each[0])


def numbers(arrivals: list[tuple[float, bytes]]) -> list[int]:
    return [int.from_bytes(octets[:4], "big") for _, octets in arrivals]


def test_a_line_that_does_nothing() -> None:
    assert carried(Impairment()) == [(n * 0.001, n.to_bytes(4, "big") + FRAME) for n in range(1000)]


def test_loss() -> None:
    assert carried(Impairment(loss=1.0)) == []
    assert 620 < len(carried(Impairment(loss=0.3))) < 780


def test_delay() -> None:
    assert [time for time, _ in carried(Impairment(delay=0.25), count=3)] == pytest.approx([0.25, 0.251, 0.252])


def test_jitter_keeps_the_order() -> None:
    arrivals = carried(Impairment(delay=0.1, jitter=0.05))
    assert numbers(arrivals) == list(range(1000))
    delays = [time - number * 0.001 for number, (time, _) in enumerate(arrivals)]
    assert min(delays) >= 0.05 and max(delays) <= 0.15 + 1e-9
    assert len(set(delays)) > 100


def test_jitter_never_makes_a_frame_arrive_before_it_was_sent() -> None:
    arrivals = carried(Impairment(jitter=1.0), gap=10.0)
    assert all(time >= number * 10.0 for number, (time, _) in enumerate(arrivals))


def test_duplicates() -> None:
    arrivals = carried(Impairment(duplicate=0.5))
    assert sorted(set(numbers(arrivals))) == list(range(1000))
    assert 1400 < len(arrivals) < 1600


def test_reordered_frames_come_behind_those_that_follow() -> None:
    arrivals = carried(Impairment(reorder=0.1), gap=REORDERING_GAP / 3)
    order = numbers(arrivals)
    assert sorted(order) == list(range(1000))
    overtaken = [n for n in range(1000) if order.index(n) > n]
    assert 60 < len(overtaken) < 150


def test_corruption_is_one_bit() -> None:
    arrivals = carried(Impairment(corrupt=1.0), count=50)
    for number, (_, octets) in enumerate(arrivals):
        sent = number.to_bytes(4, "big") + FRAME
        difference = int.from_bytes(octets, "big") ^ int.from_bytes(sent, "big")
        assert difference.bit_count() == 1
    assert len(Line(Impairment(corrupt=1.0), Random(0)).carry(b"", 0.0)) == 1


def test_rate_spaces_frames_and_the_queue_overflows() -> None:
    # 104 octets at 8320 bits per second take 0.1 s each.
    arrivals = carried(Impairment(rate=8320, queue=520), count=20, gap=0.0)
    assert [time for time, _ in arrivals] == pytest.approx([0.1 * n for n in range(1, len(arrivals) + 1)])
    assert numbers(arrivals) == list(range(6)), "one on the wire, five wait"
    line = Line(Impairment(rate=8320, queue=0), Random(0))
    assert (len(line.carry(bytes(104), 0.0)), line.carry(bytes(104), 0.05)) == (1, [])
    assert line.counts == {"queue_full": 1}
    assert len(line.carry(bytes(104), 0.2)) == 1


def test_counts() -> None:
    line = Line(Impairment(loss=0.5, duplicate=0.5, corrupt=0.5, reorder=0.5), Random(1))
    sent = sum(len(line.carry(FRAME, float(n))) for n in range(400))
    assert sent == 400 - line.counts["lost"] + line.counts["duplicated"]
    assert set(line.counts) == {"lost", "duplicated", "corrupted", "reordered"}


def test_the_seed_decides() -> None:
    everything = Impairment(loss=0.1, delay=0.1, jitter=0.1, duplicate=0.1, reorder=0.1, corrupt=0.1, rate=1e6)
    assert carried(everything, seed=1) == carried(everything, seed=1)
    assert carried(everything, seed=1) != carried(everything, seed=2)


@pytest.mark.parametrize("name", ["loss", "duplicate", "reorder", "corrupt", "delay", "jitter", "rate", "queue"])
def test_impossible_values(name: str) -> None:
    with pytest.raises(UsageError, match=name):
        Impairment(**{name: -1})
    if name in ("loss", "duplicate", "reorder", "corrupt"):
        with pytest.raises(UsageError, match=name):
            Impairment(**{name: 1.5})
