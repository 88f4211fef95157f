"""The token bucket of RFC 4443 2.4 (f): burst B, average rate N, on the caller's clock."""

import pytest

from stack.bucket import TokenBucket


def taken(bucket: TokenBucket, now: float, tries: int, rate: float = 10, burst: float = 10) -> int:
    return sum(bucket.take(now, rate, burst) for _ in range(tries))


def test_starts_full() -> None:
    """2.4 (f): up to B messages may be transmitted in a burst."""
    assert taken(TokenBucket(), 1000.0, 50) == 10


@pytest.mark.parametrize(
    ("pause", "tokens"),
    [(0.0, 0), (0.09, 0), (0.101, 1), (0.25, 2), (0.951, 9), (1.01, 10), (3600.0, 10)],
)
def test_refills_at_its_rate_up_to_the_burst(pause: float, tokens: int) -> None:
    """N = 10 a second, B = 10: a tenth of a second each, never more than the burst."""
    bucket = TokenBucket()
    assert taken(bucket, 5.0, 20) == 10
    assert taken(bucket, 5.0 + pause, 20) == tokens


def test_the_long_term_average_holds() -> None:
    """2.4 (f): tried a thousand times a second for a minute, N * t + B pass."""
    bucket = TokenBucket()
    passed = sum(bucket.take(count / 1000, 10, 10) for count in range(60_000))
    assert 608 <= passed <= 610


def test_fractions_are_not_lost() -> None:
    """Refused tries do not reset the refill."""
    bucket = TokenBucket()
    taken(bucket, 0.0, 10)
    assert [bucket.take(step / 100, 10, 10) for step in range(1, 12)].count(True) == 1


def test_a_smaller_burst_acts_at_once() -> None:
    """Both numbers come with each call: of a burst of three, one is gone."""
    bucket = TokenBucket()
    assert bucket.take(0.0, 10, 10)
    assert taken(bucket, 0.0, 20, burst=3) == 2


def test_a_small_burst_takes_nothing_from_a_large_one() -> None:
    """One packet in between does not cost a burst of a hundred: that is put off by just this one packet."""
    bucket = TokenBucket()
    assert bucket.reserve(0.0, 1, 1) == 0.0
    assert bucket.reserve(0.0, 1, 100, 100) == pytest.approx(1.0)


def test_what_is_given_back_can_be_taken_again() -> None:
    """As if it had never been reserved; more than was taken is not there to be had."""
    bucket = TokenBucket()
    bucket.reserve(0.0, 10, 5, 25)
    bucket.give_back(20)
    assert bucket.reserve(0.0, 10, 5) == pytest.approx(0.1)
    bucket.give_back(1000)
    assert taken(bucket, 0.0, 20, burst=5) == 5


def test_reservations_are_spaced_by_the_rate() -> None:
    """What may not be sent now is sent later, in turn, at the rate."""
    bucket = TokenBucket()
    times = [bucket.reserve(2.0, 10, 2) for _ in range(5)]
    assert times == pytest.approx([2.0, 2.0, 2.1, 2.2, 2.3])


def test_reservations_and_time() -> None:
    """What is reserved is paid back first."""
    bucket = TokenBucket()
    for _ in range(4):
        bucket.reserve(0.0, 10, 2)
    assert bucket.reserve(0.1, 10, 2) == pytest.approx(0.3)
    assert bucket.reserve(10.0, 10, 2) == 10.0
