"""Any octets and any reports into a querier: nothing raises, its tables keep their bounds and are empty in the end."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.playbook import ip
from tests.sim.querying import HIGHER, LISTENER, LOWER, Bench, mld_frame, query, record, report, version_1

GROUPS, SOURCES, ALL_SOURCES, OUTPUT = 4, 3, 6, 8
GROUP = st.sampled_from([f"ff05::{last}" for last in range(1, 8)] + ["ff02::1", "2001:db8::1", "::"])
NUMBERS = st.lists(st.integers(1, 8), max_size=6)
RECORD = st.builds(lambda kind, group, numbers: record(kind, group, *numbers), st.integers(0, 8), GROUP, NUMBERS)
FRAME = st.one_of(
    st.lists(RECORD, max_size=5).map(lambda records: report(*records)),
    st.builds(lambda kind, group: version_1(kind, group), st.sampled_from([131, 132]), GROUP),
    st.builds(
        lambda group, numbers, sender, flag, qrv, qqic: query(
            group, *numbers, sender=sender, suppress=flag, qrv=qrv, qqic=qqic
        ),
        GROUP,
        NUMBERS,
        st.sampled_from([LOWER, HIGHER]),
        st.booleans(),
        st.integers(0, 3),
        st.integers(0, 140),
    ),
    st.builds(lambda kind, body: mld_frame(kind, body, sender=LISTENER), st.integers(128, 145), st.binary(max_size=60)),
    st.binary(max_size=100),
)
STEP = st.tuples(FRAME, st.floats(0, 300, allow_nan=False))


def bench(version: int) -> Bench:
    return Bench(
        version,
        group_limit=GROUPS,
        source_limit=SOURCES,
        total_source_limit=ALL_SOURCES,
        output_limit=OUTPUT,
        startup_interval=1,
    )


def check(router: Bench) -> None:
    """The bounds, and that no record is one of nobody."""
    listeners = router.querier.listeners()
    assert len(listeners) <= GROUPS
    counts = [len(each.sources) + len(each.requested) for each in listeners.values()]
    assert all(count <= SOURCES for count in counts)
    assert sum(counts) <= ALL_SOURCES
    for each in listeners.values():
        assert each.mode.value == "exclude" or each.sources
        assert (each.filter_timer is not None) == (each.mode.value == "exclude")
        assert all(at > router.now for _, at in each.timers)
    deadline = router.querier.next_deadline()
    assert deadline is not None
    assert deadline > router.now


@pytest.mark.parametrize("version", [1, 2])
@given(steps=st.lists(STEP, max_size=25))
def test_any_course_of_events(version: int, steps: list[tuple[bytes, float]]) -> None:
    router = bench(version)
    for frame, pause in steps:
        router.hear(frame)
        check(router)
        router.run(router.now + pause)
        check(router)
    # 7.2.3: what nobody confirms is gone; the longest interval that these queries make it adopt is 3 * 224 + 10 s.
    router.run(router.now + 2 * 682)
    assert router.querier.listeners() == {}


@given(data=st.data())
def test_damaged_frames(data: st.DataObject) -> None:
    router = bench(2)
    for _ in range(3):
        octets = bytearray(data.draw(FRAME))
        for _ in range(data.draw(st.integers(0, 3))):
            if octets:
                octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
        router.hear(bytes(octets[: data.draw(st.integers(0, len(octets)))]))
        check(router)


def test_equal_inputs_give_equal_outputs() -> None:
    def play() -> list[Any]:
        router = Bench()
        for number in range(200):
            kind, group = 1 + number * 7 % 6, f"ff05::{number % 9}"
            router.hear(report(record(kind, group, *range(number % 5, number % 11))))
            router.run(router.now + 0.3)
        return [*router.sent(), *router.told()]

    assert play() == play()


def test_a_report_that_asks_for_the_impossible() -> None:
    router = Bench()
    body = struct.pack("!HH", 0, 0xFFFF) + bytes(20) * 60
    assert router.hear(mld_frame(143, body)).value != "delivered"
    body = struct.pack("!HHBBH", 0, 1, 4, 0, 0xFFFF) + ip("ff05::1") + bytes(1000)
    router.hear(mld_frame(143, body))
    assert router.querier.listeners() == {}
