"""What a bridge says over rtnetlink, from messages built by hand from linux/if_bridge.h and if_link.h."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from stack.link import bridge, netlink
from tests.playbook import ip

GROUP, SOURCE = ip("ff05::1:3"), ip("2001:db8::1")


def attribute(kind: int, value: bytes) -> bytes:
    """rtattr: length, type, value, padding to four octets."""
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def entry(
    group: bytes = GROUP,
    *,
    port: int = 7,
    state: int = 0,
    protocol: int = 0x86DD,
    timer: int | None = 20_000,
    more: bytes = b"",
) -> bytes:
    """MDBA_MDB_ENTRY_INFO: struct br_mdb_entry and the attributes of the entry."""
    head = struct.pack("=IBBH16s", port, state, 0, 0, group.ljust(16, b"\0")) + struct.pack("!H", protocol) + bytes(2)
    assert len(head) == 28
    return attribute(1, head + (attribute(1, struct.pack("=I", timer)) if timer is not None else b"") + more)


def database(*entries: bytes) -> bytes:
    """MDBA_MDB with one MDBA_MDB_ENTRY for each group."""
    return attribute(1, b"".join(attribute(1, each) for each in entries))


def test_entries() -> None:
    octets = database(entry() + entry(port=8, timer=100), entry(ip("ff15::1"), state=1, timer=0))
    assert bridge.parse_database(octets) == [
        (7, bridge.MdbEntry(GROUP, None, 200.0)),
        (8, bridge.MdbEntry(GROUP, None, 1.0)),
        (7, bridge.MdbEntry(ip("ff15::1"), None, None)),
    ]


def test_entries_by_source() -> None:
    octets = database(entry(more=attribute(4, SOURCE)), entry(more=attribute(4, SOURCE[:4])))
    assert [each.source for _, each in bridge.parse_database(octets)] == [SOURCE, None]


def test_groups_of_other_protocols_are_left_out() -> None:
    assert bridge.parse_database(database(entry(bytes(4), protocol=0x0800), entry(timer=None))) == [
        (7, bridge.MdbEntry(GROUP, None, None))
    ]


def test_router_ports_are_no_entries() -> None:
    assert bridge.parse_database(attribute(2, attribute(1, bytes(8)))) == []


def test_the_querier() -> None:
    octets = attribute(5, ip("fe80::1")) + attribute(6, struct.pack("=I", 9)) + attribute(7, struct.pack("=Q", 25_500))
    assert bridge.parse_querier(octets) == (ip("fe80::1"), 9, 255.0)
    assert bridge.parse_querier(attribute(5, ip("fe80::1"))) == (ip("fe80::1"), None, None)
    assert bridge.parse_querier(attribute(5, bytes(16))) is None
    assert bridge.parse_querier(attribute(5, bytes(4))) is None
    assert bridge.parse_querier(b"") is None


@given(st.binary(max_size=200), st.integers(0, 120), st.binary(max_size=4))
def test_any_octets(octets: bytes, at: int, damage: bytes) -> None:
    bridge.parse_querier(octets)
    bridge.parse_database(octets)
    whole = database(entry(), entry(more=attribute(4, SOURCE)))
    bridge.parse_database(whole[:at] + damage + whole[at + len(damage) :])
    list(netlink.listed(octets))


def test_a_device_that_is_no_port() -> None:
    assert bridge.read(1) is None, "the loopback device"
    assert bridge.read(0) is None
