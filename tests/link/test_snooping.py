"""MLD snooping of the in-memory switch: who learns what from which message, where packets go, and when it ages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.link.snooping import GROUPS_PER_PORT, LISTENING_INTERVAL, ROUTER_TIMEOUT, SnoopingTable
from stack.link.switch import Switch
from tests.playbook import echo_request, frame, icmp, ip, packet
from tests.sim.querying import (
    ALLOW,
    BLOCK,
    GROUP,
    IS_EX,
    IS_IN,
    LISTENER,
    ROUTER,
    TO_EX,
    TO_IN,
    mld_frame,
    query,
    record,
    report,
    version_1,
)

OTHER = "ff15::cafe"


def data(group: str = GROUP) -> bytes:
    """A packet of a sender to a group."""
    return frame(packet("2001:db8::1", group, icmp("2001:db8::1", group, 128, 0, bytes(8)), hop_limit=64))


class Rig:
    """A switch with a router on port 0 and hosts on ports 1 to 3."""

    def __init__(self, *, router: bool = True, **options: bool) -> None:
        self.switch = Switch(snooping=True, **options)
        self.ports = [self.switch.add_port(name) for name in ("router", "ada", "bob", "eve")]
        if router:
            self.send(query(sender=ROUTER), 0)

    def send(self, octets: bytes, port: int, now: float = 0.0) -> list[int]:
        """The numbers of the ports it leaves by."""
        return [each.number for each in self.switch.forward(octets, self.ports[port], now)]

    @property
    def table(self) -> SnoopingTable:
        assert self.switch.snooping is not None
        return self.switch.snooping

    def members(self, now: float = 0.0) -> list[tuple[bytes, int]]:
        return [(each.group, each.port) for each in self.table.members(now)]


def test_a_plain_switch_floods() -> None:
    switch = Switch()
    ports = [switch.add_port(str(number)) for number in range(3)]
    assert switch.snooping is None
    assert switch.forward(report(record(IS_EX)), ports[0], 0.0) == ports[1:]
    assert switch.forward(data(), ports[0], 0.0) == ports[1:]


class TestForwarding:
    def test_reports_go_to_routers_alone(self) -> None:
        rig = Rig()
        assert rig.send(report(record(IS_EX)), 1) == [0]
        assert rig.send(version_1(131), 2) == [0]
        assert rig.send(version_1(132), 2) == [0]
        # Not back to where it came from.
        assert rig.send(report(record(IS_EX)), 0) == []

    def test_queries_go_everywhere(self) -> None:
        rig = Rig()
        rig.send(report(record(IS_EX)), 1)
        assert rig.send(query(sender=ROUTER), 0) == [1, 2, 3]
        assert rig.send(query(GROUP, sender=ROUTER), 0) == [1, 2, 3]

    def test_data_goes_to_listeners_and_routers(self) -> None:
        rig = Rig()
        rig.send(report(record(IS_EX)), 1)
        rig.send(version_1(131), 2)
        assert rig.send(data(), 3) == [0, 1, 2]
        assert rig.send(data(), 1) == [0, 2]
        assert rig.send(data(), 0) == [1, 2]

    def test_groups_of_one_mac_are_told_apart(self) -> None:
        # RFC 2464 7: the low 32 bits are the same
        rig = Rig(flood_unknown=False)
        rig.send(report(record(IS_EX, "ff05::1:3")), 1)
        rig.send(report(record(IS_EX, "ff15::1:3")), 2)
        assert rig.send(data("ff05::1:3"), 3) == [0, 1]
        assert rig.send(data("ff15::1:3"), 3) == [0, 2]

    @pytest.mark.parametrize(("flood", "ports"), [(True, [0, 1, 2]), (False, [0])])
    def test_a_group_that_nobody_reported(self, flood: bool, ports: list[int]) -> None:
        rig = Rig(flood_unknown=flood)
        assert rig.send(data(), 3) == ports

    @pytest.mark.parametrize("group", ["ff02::1", "ff01::1"])
    def test_what_nobody_reports_goes_everywhere(self, group: str) -> None:
        # RFC 3810 6
        rig = Rig(flood_unknown=False)
        assert rig.send(data(group), 3) == [0, 1, 2]

    def test_solicited_node_groups_are_groups_like_others(self) -> None:
        rig = Rig(flood_unknown=False)
        rig.send(report(record(IS_EX, "ff02::1:ff00:1")), 1)
        assert rig.send(data("ff02::1:ff00:1"), 3) == [0, 1]

    def test_without_a_router_all_goes_everywhere(self) -> None:
        rig = Rig(router=False, flood_unknown=False)
        assert rig.send(report(record(IS_EX)), 1) == []
        assert rig.send(data(), 3) == [0, 1, 2]
        assert rig.members() == [(ip(GROUP), 1)]

    def test_what_is_no_multicast_of_ipv6_is_not_its_business(self) -> None:
        rig = Rig(flood_unknown=False)
        arp = b"\xff" * 6 + bytes.fromhex("020070000002") + b"\x08\x06" + bytes(28)
        assert rig.send(arp, 3) == [0, 1, 2]
        tagged = data()[:12] + bytes.fromhex("81000005") + data()[12:]
        assert rig.send(tagged, 3) == [0, 1, 2]
        assert rig.send(data()[:30], 3) == [0, 1, 2]
        # To nobody that it knows: flooded as by any switch.
        assert rig.send(frame(echo_request()[14:], to=bytes.fromhex("020000000042")), 3) == [0, 1, 2]

    def test_a_port_that_is_down_gets_nothing(self) -> None:
        rig = Rig()
        rig.send(report(record(IS_EX)), 1)
        rig.ports[1].up = False
        assert rig.send(data(), 3) == [0]


class TestLearning:
    @pytest.mark.parametrize(
        ("octets", "learnt"),
        [
            (report(record(IS_EX)), True),
            (report(record(TO_EX, GROUP, 1)), True),
            (report(record(IS_IN, GROUP, 1)), True),
            (report(record(TO_IN, GROUP, 1)), True),
            (report(record(ALLOW, GROUP, 1)), True),
            (report(record(IS_IN)), False),
            (report(record(TO_IN)), False),
            (report(record(ALLOW)), False),
            (report(record(BLOCK, GROUP, 1)), False),
            (report(record(9, GROUP, 1)), False),
            (version_1(131), True),
            (version_1(132), False),
            # RFC 3810 5.2.13: no address yet
            (report(record(IS_EX), sender="::"), True),
            (version_1(131, sender="::"), True),
            # No node believes these.
            (report(record(IS_EX), sender="2001:db8::1"), False),
            (report(record(IS_EX), hop_limit=2), False),
            (report(record(IS_EX))[:-1] + b"\xff", False),
            (report(record(IS_EX, "ff02::1")), False),
            (report(record(IS_EX, "ff01::2")), False),
            (report(record(IS_EX, "2001:db8::1")), False),
            (mld_frame(131, bytes(4) + ip(GROUP)[:12], to=GROUP), False),
            (mld_frame(143, bytes.fromhex("00000002") + record(IS_EX)), False),
        ],
    )
    def test_groups(self, octets: bytes, learnt: bool) -> None:
        rig = Rig()
        rig.send(octets, 1)
        assert rig.members() == ([(ip(GROUP), 1)] if learnt else [])

    @pytest.mark.parametrize(
        ("octets", "learnt"),
        [
            (query(sender=ROUTER), True),
            (query(GROUP, 1, sender=ROUTER), True),
            (version_1(130, "::", sender=ROUTER), True),
            (query(sender="::"), False),
            (query(sender="2001:db8::1"), False),
            (query(sender=ROUTER, hop_limit=64), False),
            (query(sender=ROUTER, alert=False), False),
            (query(sender=ROUTER)[:-1] + b"\x09", False),
            (mld_frame(130, bytes(22), to="ff02::1", sender=ROUTER), False),
            (report(record(IS_EX)), False),
        ],
    )
    def test_routers(self, octets: bytes, learnt: bool) -> None:
        rig = Rig(router=False)
        rig.send(octets, 0)
        assert rig.table.routers(0.0) == ({0} if learnt else set())


class TestLeaving:
    """RFC 3810 7.6.1: the router's query lowers the timers, and an answer restarts them."""

    def listening(self, **options: bool) -> Rig:
        rig = Rig(**options)
        rig.send(report(record(IS_EX)), 1)
        rig.send(report(record(IS_EX)), 2)
        return rig

    def test_who_does_not_answer_is_gone(self) -> None:
        rig = self.listening()
        rig.send(report(record(TO_IN)), 1, 10.0)
        assert rig.send(data(), 3, 10.0) == [0, 1, 2]
        rig.send(query(GROUP, sender=ROUTER, delay=1000), 0, 10.0)
        rig.send(report(record(IS_EX)), 2, 10.5)
        assert rig.send(data(), 3, 11.9) == [0, 1, 2]
        assert rig.send(data(), 3, 12.0) == [0, 2]
        assert rig.members(12.0) == [(ip(GROUP), 2)]

    @pytest.mark.parametrize(
        "octets",
        [
            query(GROUP, 1, sender=ROUTER, delay=1000),
            query(GROUP, sender=ROUTER, delay=1000, suppress=True),
            query(GROUP, sender=ROUTER, delay=1000, hop_limit=2),
            query(sender=ROUTER),
            query(OTHER, sender=ROUTER, delay=1000),
        ],
        ids=["of sources", "with the S flag", "not valid", "general", "of another group"],
    )
    def test_queries_that_lower_nothing(self, octets: bytes) -> None:
        rig = self.listening()
        rig.send(octets, 0, 10.0)
        assert rig.send(data(), 3, 100.0) == [0, 1, 2]

    def test_a_query_never_raises_a_timer(self) -> None:
        rig = self.listening()
        rig.send(query(GROUP, sender=ROUTER, delay=10_000), 0, LISTENING_INTERVAL - 1)
        assert rig.members(LISTENING_INTERVAL) == []

    @pytest.mark.parametrize("octets", [report(record(TO_IN)), version_1(132)])
    def test_fast_leave(self, octets: bytes) -> None:
        rig = self.listening(fast_leave=True)
        rig.send(octets, 1, 10.0)
        rig.send(octets, 3, 10.0)
        assert rig.members(10.0) == [(ip(GROUP), 2)]


class TestAgeing:
    def test_groups(self) -> None:
        rig = Rig(flood_unknown=False)
        rig.send(report(record(IS_EX)), 1, 5.0)
        rig.send(query(sender=ROUTER), 0, 200.0)
        assert rig.send(data(), 3, LISTENING_INTERVAL + 4.9) == [0, 1]
        assert rig.send(data(), 3, LISTENING_INTERVAL + 5.0) == [0]
        assert rig.members(LISTENING_INTERVAL + 5.0) == []

    def test_routers(self) -> None:
        rig = Rig()
        assert rig.table.routers(ROUTER_TIMEOUT - 0.1) == {0}
        assert rig.table.routers(ROUTER_TIMEOUT) == set()


class TestLimits:
    def test_a_port_fills_its_own_share_alone(self) -> None:
        rig = Rig(flood_unknown=False)
        rig.send(report(record(IS_EX, "ff05::77")), 2)
        for first in range(0, GROUPS_PER_PORT + 60, 60):
            rig.send(report(*(record(IS_EX, f"ff08::{first + n:x}") for n in range(60))), 1)
        counts = [port for _, port in rig.members()]
        assert (counts.count(1), counts.count(2)) == (GROUPS_PER_PORT, 1)
        assert rig.table.limits["groups_per_port"] == 60 * -(-(GROUPS_PER_PORT + 60) // 60) - GROUPS_PER_PORT
        rig.send(report(record(IS_EX, "ff05::78")), 2)
        assert rig.send(data("ff05::78"), 3) == [0, 2]

    def test_what_has_aged_makes_room(self) -> None:
        rig = Rig()
        for first in range(0, GROUPS_PER_PORT, 64):
            rig.send(report(*(record(IS_EX, f"ff08::{first + n:x}") for n in range(64))), 1)
        later = LISTENING_INTERVAL + 1
        rig.send(report(record(IS_EX)), 1, later)
        assert rig.members(later) == [(ip(GROUP), 1)]
        assert not rig.table.limits


FRAMES = st.one_of(
    st.binary(max_size=120),
    st.lists(
        st.builds(
            lambda kind, group, numbers: record(kind, group, *numbers),
            st.integers(0, 8),
            st.sampled_from([GROUP, OTHER, "ff02::1", "2001:db8::1"]),
            st.lists(st.integers(0, 5), max_size=3),
        ),
        max_size=4,
    ).map(lambda records: report(*records)),
    st.builds(lambda kind, body: mld_frame(kind, body, sender=LISTENER), st.integers(128, 145), st.binary(max_size=50)),
    st.builds(lambda group: query(group, sender=ROUTER), st.sampled_from(["::", GROUP, OTHER])),
    st.sampled_from([data(), data(OTHER), version_1(131), version_1(132)]),
)


@given(st.lists(st.tuples(FRAMES, st.integers(0, 3), st.integers(0, 400), st.integers(0, 200)), max_size=20))
def test_any_octets(steps: list[tuple[bytes, int, int, int]]) -> None:
    rig = Rig()
    now = 0.0
    for octets, port, pause, damage in steps:
        now += pause
        changed = bytearray(octets)
        if damage < len(changed):
            changed[damage] ^= 0x55
        ports = rig.send(bytes(changed), port, now)
        assert port not in ports
        assert set(ports) <= {0, 1, 2, 3}
        assert len(rig.members(now)) <= 4 * GROUPS_PER_PORT
