"""The driver's multicast filter: counted MACs, seven exact ones behind our own, hash bits, all multicast."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stack.multicast_filter import EXACT_SLOTS, FilterPlan, MulticastMacs, hash_bit, make_plan
from tests.playbook import OUR_MAC, Play, group_mac, ip

GROUP_MACS = st.binary(min_size=4, max_size=4).map(lambda tail: b"\x33\x33" + tail)


def ether_crc(octets: bytes) -> int:
    """Linux's ether_crc: CRC-32, polynomial 0x04c11db7, most significant bit first, octets lowest bit first."""
    crc = 0xFFFFFFFF
    for octet in octets:
        for bit in range(8):
            top = crc >> 31 ^ (octet >> bit & 1)
            crc = crc << 1 & 0xFFFFFFFF
            if top:
                crc ^= 0x04C11DB7
    return crc


def tun_bit(mac: bytes) -> int:
    """drivers/net/tun.c, addr_hash_set: ether_crc(ETH_ALEN, addr) >> 26."""
    return ether_crc(mac) >> 26


def mac(number: int) -> bytes:
    return b"\x33\x33" + number.to_bytes(4, "big")


def macs_on_distinct_bits() -> list[bytes]:
    """One group MAC for each of the 64 hash bits, in the order of the bits."""
    found: dict[int, bytes] = {}
    number = 0
    while len(found) < 64:
        found.setdefault(tun_bit(mac(number)), mac(number))
        number += 1
    return [found[bit] for bit in range(64)]


def test_the_reference_itself() -> None:
    """The CRC-32 check value: 0xcbf43926 for "123456789", reflected and inverted."""
    assert int(f"{ether_crc(b'123456789') ^ 0xFFFFFFFF:032b}"[::-1], 2) == 0xCBF43926


@settings(max_examples=300, deadline=None, database=None)
@given(st.binary(min_size=6, max_size=6))
def test_hash_bit(octets: bytes) -> None:
    """The driver sets and tests bit ether_crc >> 26: a wrong bit would lose frames."""
    assert hash_bit(octets) == tun_bit(octets)


def test_own_mac_is_first_then_seven_exact_then_hash_bits() -> None:
    """The driver's eight exact slots hold our own MAC and the first seven groups, in order of joining."""
    groups = [mac(number) for number in range(20)]
    plan = make_plan((OUR_MAC,), groups, 48)
    assert plan == FilterPlan((OUR_MAC,), tuple(groups[:7]), tuple(groups[7:]))


@pytest.mark.parametrize("count", [0, 1, 6, 7])
def test_up_to_seven_groups_are_all_exact(count: int) -> None:
    groups = tuple(mac(number) for number in range(count))
    assert make_plan((OUR_MAC,), groups, 0) == FilterPlan((OUR_MAC,), groups)


@pytest.mark.parametrize(("hosts", "exact", "off"), [(1, 7, False), (7, 1, False), (8, 0, False), (9, 0, True)])
def test_more_own_macs_take_exact_slots(hosts: int, exact: int, off: bool) -> None:
    """A unicast address beyond the eight cannot be filtered for: the filter is off and says so."""
    own = tuple(bytes((2, 0, 0, 0, 0, number)) for number in range(hosts))
    plan = make_plan(own, [mac(number) for number in range(10)], 48)
    assert (plan.unicast, len(plan.exact), plan.off) == (own, exact, off)


@pytest.mark.parametrize(("bits", "allmulti"), [(47, False), (48, False), (49, True), (57, True)])
def test_allmulti_above_the_setting(bits: int, allmulti: bool) -> None:
    """`filter_allmulti_bits` is the most hash bits worth setting: at 48 they are set, above all multicast is asked."""
    spread = macs_on_distinct_bits()
    exact, hashed = spread[:7], spread[7 : 7 + bits]
    plan = make_plan((OUR_MAC,), exact + hashed, 48)
    assert plan.allmulti is allmulti
    assert plan.hashed == (() if allmulti else tuple(hashed))
    assert plan.unicast == (OUR_MAC,)


def test_many_groups_on_one_bit_need_no_allmulti() -> None:
    """Bits are counted, not addresses."""
    same = [mac(number) for number in range(20_000) if tun_bit(mac(number)) == 5][:100]
    plan = make_plan((OUR_MAC,), same, 1)
    assert not plan.allmulti
    assert len(plan.hashed) == 93


def test_macs_are_counted() -> None:
    """RFC 2464 7, SEED S60: groups that share a MAC; it is in the set until the last of them is gone."""
    macs = MulticastMacs()
    assert macs.add(mac(1)) is True
    assert macs.add(mac(1)) is False
    assert macs.remove(mac(1)) is False
    assert mac(1) in macs
    assert macs.remove(mac(1)) is True
    assert mac(1) not in macs
    assert macs.plan(OUR_MAC, 48) == FilterPlan((OUR_MAC,))


def test_the_place_of_a_mac_is_that_of_its_first_user() -> None:
    """A second user of an exact MAC moves nothing; one that left and came back goes to the end."""
    macs = MulticastMacs()
    for number in (1, 2, 3, 1):
        macs.add(mac(number))
    assert macs.plan(OUR_MAC, 48).exact == (mac(1), mac(2), mac(3))
    macs.remove(mac(2))
    macs.add(mac(2))
    assert macs.plan(OUR_MAC, 48).exact == (mac(1), mac(3), mac(2))


@settings(max_examples=100, deadline=None, database=None)
@given(st.lists(GROUP_MACS, max_size=120), st.integers(0, 64), st.data())
def test_the_counted_set_plans_as_the_plain_list_does(groups: list[bytes], limit: int, data: st.DataObject) -> None:
    """The short cut for thousands of groups gives the plan that listing them would."""
    macs = MulticastMacs()
    for group in groups:
        macs.add(group)
    for group in data.draw(st.lists(st.sampled_from(groups), unique=True)) if groups else ():
        macs.remove(group)
    assert macs.plan(OUR_MAC, limit) == make_plan((OUR_MAC,), list(macs.counts), limit)


@pytest.mark.parametrize("limit", [0, 1, 48, 64])
def test_the_plan_passes_every_group(limit: int) -> None:
    """Whatever the plan is, the driver's rule lets every joined group through and our own MAC."""
    rng = Random(limit)
    for count in (1, 7, 8, 40, 300):
        groups = list({mac(rng.getrandbits(32)) for _ in range(count)})
        plan = make_plan((OUR_MAC,), groups, limit)
        bits = {tun_bit(each) for each in plan.hashed}
        assert len(plan.unicast) + len(plan.exact) <= EXACT_SLOTS
        for group in groups:
            assert plan.allmulti or group in plan.exact or tun_bit(group) in bits


def test_groups_sharing_a_mac_program_the_driver_once() -> None:
    """SEED S60: two groups with equal low 32 bits: leaving one leaves the filter alone, leaving both clears it."""
    play = Play().start()
    one = play.join("ff02::1:2:3")
    other = play.join("ff05::1:2:3")
    assert ip("ff02::1:2:3")[12:] == ip("ff05::1:2:3")[12:]
    shared = group_mac(ip("ff05::1:2:3"))
    assert [shared in plan.exact for plan in play.plans] == [True]
    play.leave(one)
    assert shared in play.interface.plan.exact
    assert len(play.plans) == 1
    play.leave(other)
    assert shared not in play.plans[-1].exact
