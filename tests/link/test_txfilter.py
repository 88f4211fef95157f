"""The bytes of TUNSETTXFILTER, laid out as `struct tun_filter` in linux/if_tun.h."""

import errno
import fcntl
import sys
from pathlib import Path

import pytest

from stack.link import txfilter
from stack.multicast_filter import FilterPlan

OWN = bytes.fromhex("02005e100001")
OTHER = bytes.fromhex("02005e100002")
ALL_NODES = bytes.fromhex("333300000001")
GROUP = bytes.fromhex("333312345678")


def header(flags: int, count: int) -> bytes:
    return flags.to_bytes(2, sys.byteorder) + count.to_bytes(2, sys.byteorder)


CASES = {
    "unicast first, then exact, then hashed": (
        FilterPlan(unicast=(OWN,), exact=(ALL_NODES,), hashed=(GROUP,)),
        header(0, 3) + OWN + ALL_NODES + GROUP,
    ),
    "several hosts": (FilterPlan(unicast=(OWN, OTHER)), header(0, 2) + OWN + OTHER),
    "all multicast is the flag with the own addresses": (
        FilterPlan(unicast=(OWN,), allmulti=True),
        header(1, 1) + OWN,
    ),
    "off is a count of 0": (FilterPlan(unicast=(OWN,), off=True), header(0, 0)),
    "off wins over all multicast": (FilterPlan(unicast=(OWN,), allmulti=True, off=True), header(0, 0)),
    "nothing wanted is not off": (FilterPlan(), header(0, 1) + bytes(6)),
    "all multicast without an own address is not off": (FilterPlan(allmulti=True), header(1, 1) + bytes(6)),
}


@pytest.mark.parametrize("name", CASES)
def test_encode(name: str) -> None:
    plan, expected = CASES[name]
    encoded = txfilter.encode(plan)
    assert encoded == expected
    assert isinstance(encoded, bytearray), "the driver's answer is lost with bytes"


def test_too_many_addresses_are_an_oserror() -> None:
    plan = FilterPlan(hashed=tuple(b"\x33\x33" + number.to_bytes(4, "big") for number in range(0x10000)))
    with pytest.raises(OSError) as caught:
        txfilter.encode(plan)
    assert caught.value.errno == errno.E2BIG


@pytest.mark.parametrize(("count", "answer"), [(0, 0), (1, 1), (8, 8), (9, 8), (4000, 8)])
def test_the_drivers_answer_is_the_number_of_exact_entries(
    monkeypatch: pytest.MonkeyPatch, count: int, answer: int
) -> None:
    groups = tuple(b"\x33\x33" + number.to_bytes(4, "big") for number in range(count))
    seen: list[tuple[int, int, bool]] = []

    def ioctl(fd: int, request: int, data: bytearray, mutate: bool) -> int:
        seen.append((fd, request, mutate))
        assert len(data) == 4 + 6 * count
        return answer

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    txfilter.program(7, FilterPlan(exact=groups, off=not count))
    assert seen == [(7, 0x400454D1, True)]


@pytest.mark.parametrize("answer", [0, 1, 3, 9])
def test_any_other_answer_is_a_refusal(monkeypatch: pytest.MonkeyPatch, answer: int) -> None:
    monkeypatch.setattr(fcntl, "ioctl", lambda *_: answer)
    with pytest.raises(OSError, match=f"took {answer} of 2"):
        txfilter.program(7, FilterPlan(unicast=(OWN,), exact=(ALL_NODES,)))


def test_a_descriptor_that_is_no_tap_is_an_oserror() -> None:
    with Path("/dev/null").open("rb") as null, pytest.raises(OSError):
        txfilter.program(null.fileno(), FilterPlan(unicast=(OWN,)))
