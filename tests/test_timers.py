"""The timer heap: order, cancelling (at the exact deadline too, SEED S22), compaction, arming from a callback."""

from random import Random

import pytest

from stack.timers import Timers


class Bell:
    """Writes down who rang, and when."""

    def __init__(self) -> None:
        self.timers = Timers()
        self.rung: list[tuple[str, float]] = []

    def ring(self, name: str, now: float) -> None:
        self.rung.append((name, now))

    def at(self, deadline: float, name: str):  # type: ignore[no-untyped-def]
        return self.timers.at(deadline, self.ring, name)


@pytest.fixture
def bell() -> Bell:
    return Bell()


def names(bell: Bell) -> list[str]:
    return [name for name, _ in bell.rung]


def test_earlier_deadlines_fire_first(bell: Bell) -> None:
    for deadline, name in ((3.0, "c"), (1.0, "a"), (2.0, "b")):
        bell.at(deadline, name)
    assert bell.timers.next_deadline() == 1.0
    bell.timers.advance(3.0)
    assert names(bell) == ["a", "b", "c"]


def test_equal_deadlines_fire_in_the_order_of_arming(bell: Bell) -> None:
    """A run is a function of its inputs: ties are broken by sequence."""
    for name in "abcdefgh":
        bell.at(1.0, name)
    bell.timers.advance(1.0)
    assert names(bell) == list("abcdefgh")


def test_nothing_fires_early_and_the_deadline_itself_is_due(bell: Bell) -> None:
    bell.at(1.0, "a")
    bell.timers.advance(0.999999)
    assert bell.rung == []
    bell.timers.advance(1.0)
    assert bell.rung == [("a", 1.0)]


def test_the_callback_hears_the_time_of_the_call_not_its_deadline(bell: Bell) -> None:
    bell.at(1.0, "late")
    bell.timers.advance(7.5)
    assert bell.rung == [("late", 7.5)]


def test_fires_once(bell: Bell) -> None:
    timer = bell.at(1.0, "a")
    assert timer.active
    bell.timers.advance(1.0)
    bell.timers.advance(2.0)
    assert names(bell) == ["a"]
    assert not timer.active
    assert len(bell.timers) == 0
    assert bell.timers.next_deadline() is None


def test_cancelled_is_silent(bell: Bell) -> None:
    timer = bell.at(1.0, "a")
    bell.at(2.0, "b")
    timer.cancel()
    timer.cancel()
    assert not timer.active
    assert len(bell.timers) == 1
    assert bell.timers.next_deadline() == 2.0
    bell.timers.advance(3.0)
    assert names(bell) == ["b"]


def test_cancelled_at_its_deadline_by_an_earlier_one(bell: Bell) -> None:
    """SEED S22: two timers due at the same instant; the first takes the second back, and it stays back."""
    victims = []

    def first(now: float) -> None:
        bell.ring("first", now)
        victims[0].cancel()

    bell.timers.at(1.0, first)
    victims.append(bell.at(1.0, "second"))
    bell.timers.advance(1.0)
    assert names(bell) == ["first"]
    assert len(bell.timers) == 0


def test_cancelling_in_its_own_callback_is_harmless(bell: Bell) -> None:
    own = []

    def callback(now: float) -> None:
        own[0].cancel()
        bell.ring("own", now)

    own.append(bell.timers.at(1.0, callback))
    bell.at(2.0, "next")
    bell.timers.advance(2.0)
    assert names(bell) == ["own", "next"]
    assert len(bell.timers) == 0


def test_cancelling_after_it_fired_is_harmless(bell: Bell) -> None:
    timer = bell.at(1.0, "a")
    bell.at(2.0, "b")
    bell.timers.advance(1.0)
    timer.cancel()
    assert len(bell.timers) == 1
    bell.timers.advance(2.0)
    assert names(bell) == ["a", "b"]


def test_arming_from_a_callback(bell: Bell) -> None:
    """What is armed on the way and due already fires in the same call, in its place."""

    def again(count: int, now: float) -> None:
        bell.ring(f"again {count}", now)
        if count:
            bell.timers.at(now, again, count - 1)

    bell.timers.at(1.0, again, 2)
    bell.at(1.0, "other")
    bell.timers.advance(1.0)
    assert names(bell) == ["again 2", "other", "again 1", "again 0"]


def test_rearming_for_later_waits(bell: Bell) -> None:
    def periodic(now: float) -> None:
        bell.ring("tick", now)
        bell.timers.at(now + 1.0, periodic)

    bell.timers.at(1.0, periodic)
    for now in (1.0, 1.5, 2.0, 2.5, 3.0):
        bell.timers.advance(now)
    assert bell.rung == [("tick", 1.0), ("tick", 2.0), ("tick", 3.0)]
    assert len(bell.timers) == 1


def test_cancelled_timers_do_not_pile_up(bell: Bell) -> None:
    """A table that is armed and cancelled for ever does not grow."""
    bell.at(1_000_000.0, "last")
    for count in range(10_000):
        bell.at(10.0 + count, "never").cancel()
    assert len(bell.timers) == 1
    assert len(bell.timers._heap) < 200
    bell.timers.advance(1_000_000.0)
    assert names(bell) == ["last"]


def test_compaction_inside_a_callback_loses_nothing(bell: Bell) -> None:
    """Cancelling hundreds from a callback rebuilds the heap under the running call."""
    victims = []

    def massacre(now: float) -> None:
        bell.ring("massacre", now)
        for timer in victims:
            timer.cancel()
        bell.at(now, "armed after")

    bell.timers.at(1.0, massacre)
    victims.extend(bell.at(1.0 + count / 1000, "victim") for count in range(500))
    bell.at(1.25, "survivor")
    bell.timers.advance(2.0)
    assert names(bell) == ["massacre", "survivor", "armed after"]
    assert len(bell.timers) == 0


@pytest.mark.parametrize("seed", range(20))
def test_against_a_sorted_list(seed: int) -> None:
    """Any mix of arming, cancelling and advancing fires what a sorted list of the live ones would."""
    rng, bell = Random(seed), Bell()
    live: dict[str, tuple[float, int]] = {}
    handles = {}
    now, expected = 0.0, []
    for step in range(600):
        choice = rng.random()
        if choice < 0.5:
            deadline = now + rng.choice((0.0, 0.5, 1.0, rng.random() * 5))
            live[str(step)] = (deadline, step)
            handles[str(step)] = bell.at(deadline, str(step))
        elif choice < 0.85 and live:
            name = rng.choice(sorted(live))
            del live[name]
            handles[name].cancel()
        else:
            now += rng.choice((0.0, 0.5, 1.0))
            due = sorted((when, name) for name, when in live.items() if when[0] <= now)
            expected += [(name, now) for _, name in due]
            for _, name in due:
                del live[name]
            bell.timers.advance(now)
        assert bell.rung == expected
        assert len(bell.timers) == len(live)
        assert bell.timers.next_deadline() == min((when[0] for when in live.values()), default=None)
