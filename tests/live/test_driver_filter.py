"""The driver's filter at the descriptor: a real sender behind a real bridge, counted on both sides.

What the driver drops is judged by what never comes out of the descriptor and by
the device's `tx_dropped`, and not by time: each batch ends with a sentinel that
is listed, and is read up to it.
"""

import errno
import os
import select
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from stack.address import BROADCAST_MAC, multicast_mac, parse_address
from stack.link.tap import TapLink
from stack.link.txfilter import program
from stack.multicast_filter import EXACT_SLOTS, FilterPlan, hash_bit, make_plan
from tests.live.netns import LinuxHost, Namespace, wait_until

pytestmark = pytest.mark.live

OWN = bytes.fromhex("02005e100001")
FOREIGN = bytes.fromhex("02005e1000ff")
ETHERTYPE = 0x88B5  # IEEE 802 local experimental: only the sender here uses it
PORT = 7919
REPEATS = 20
PATIENCE = 30.0  # seconds that a sentinel may take before the test gives up


class Rig:
    """A TAP and a Linux host on a bridge that floods all multicast, and the sockets the host sends from."""

    def __init__(self, namespace: Namespace, host: LinuxHost, tap: TapLink) -> None:
        self.namespace = namespace
        self.tap = tap
        self._host = host
        self._sentinels = 0
        with host.enter():
            self.udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            self.raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            self._index = socket.if_nametoindex(host.dev)
            self.raw.bind((host.dev, 0))

    def close(self) -> None:
        self.udp.close()
        self.raw.close()

    def send_to_group(self, group: bytes, text: bytes, times: int = 1) -> None:
        """The host's kernel makes UDP, IPv6 and Ethernet headers, as for any multicast sender."""
        for _ in range(times):
            self.udp.sendto(text, (socket.inet_ntop(socket.AF_INET6, group), PORT, 0, self._index))

    def send_frame(self, destination: bytes, text: bytes, times: int = 1) -> None:
        frame = destination + self._host.mac + ETHERTYPE.to_bytes(2, "big") + text.ljust(50, b".")
        for _ in range(times):
            self.raw.send(frame)

    def dropped(self) -> int:
        return int(self.namespace.link(self.tap.name)["stats64"]["tx"]["dropped"])

    def received(self, sentinel_mac: bytes = OWN) -> Counter[bytes]:
        """The texts read from the descriptor up to a sentinel that is sent now."""
        self._sentinels += 1
        sentinel = b"sentinel-%d-" % self._sentinels
        self.send_frame(sentinel_mac, sentinel)
        texts: Counter[bytes] = Counter()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            select.select([self.tap], [], [], 1.0)
            for frame in self.tap.read():
                if sentinel in frame:
                    return texts
                texts.update(word for word in WORDS if word in frame)
        pytest.fail(f"the sentinel did not arrive in {PATIENCE:g} s")

    def drain(self) -> None:
        """Frames already queued pass a new filter: leave none behind."""
        self.received()


WORDS = (b"unlisted", b"collides", b"foreign", b"own", b"broadcast", *(b"listed-%03d" % n for n in range(40)))


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with ExitStack() as stack:
        # A veth pair keeps the order of frames only as long as they are sent from one processor.
        processors = os.sched_getaffinity(0)
        stack.callback(os.sched_setaffinity, 0, processors)
        os.sched_setaffinity(0, {min(processors)})
        namespace = stack.enter_context(Namespace())
        bridge = namespace.bridge(snooping=False, ipv6=False)
        host = namespace.linux_host(bridge)
        stack.enter_context(namespace.enter())
        tap = TapLink("filtered0", bridge=bridge)
        stack.callback(tap.close)
        made = Rig(namespace, host, tap)
        stack.callback(made.close)
        yield made


def group(number: int) -> bytes:
    return parse_address(f"ff15::db8:{number:x}")


def unlisted_group(plan: FilterPlan) -> bytes:
    """A group that no entry of the plan passes: not exact, and its hash bit not set."""
    bits = {hash_bit(mac) for mac in plan.hashed}
    candidates = (group(number) for number in range(0x1000, 0x2000))
    return next(one for one in candidates if hash_bit(multicast_mac(one)) not in bits)


@pytest.mark.parametrize("count", [1, 7, 8, 40])
def test_an_unlisted_group_stops_at_the_kernel_and_listed_ones_arrive(rig: Rig, count: int) -> None:
    groups = [group(number) for number in range(1, count + 1)]
    plan = make_plan((OWN,), [multicast_mac(one) for one in groups], allmulti_bits=64)
    assert len(plan.exact) == min(count, EXACT_SLOTS - 1)
    assert len(plan.hashed) == count - len(plan.exact)
    assert not plan.allmulti
    unlisted = unlisted_group(plan)

    rig.tap.program(FilterPlan(off=True))
    rig.send_to_group(unlisted, b"unlisted", REPEATS)
    assert rig.received()[b"unlisted"] == REPEATS, "without a filter the group reaches the descriptor"

    rig.tap.program(plan)
    rig.drain()
    before = rig.dropped()
    rig.send_to_group(unlisted, b"unlisted", REPEATS)
    for number, one in enumerate(groups):
        rig.send_to_group(one, b"listed-%03d" % number)
    # All that was sent is accounted for before the sentinel goes out.
    wait_until(lambda: rig.dropped() - before >= REPEATS, "rise of tx_dropped", PATIENCE)
    got = rig.received()

    assert got[b"unlisted"] == 0
    assert {word: got[word] for word in got} == {b"listed-%03d" % number: 1 for number in range(count)}


def test_an_unlisted_group_on_a_bit_that_is_set_passes(rig: Rig) -> None:
    """Why the host still checks each group itself."""
    macs = [multicast_mac(group(number)) for number in range(1, 9)]
    plan = make_plan((OWN,), macs, allmulti_bits=64)
    bit = hash_bit(plan.hashed[0])
    same_bit = next(one for one in map(group, range(0x1000, 0x2000)) if hash_bit(multicast_mac(one)) == bit)
    rig.tap.program(plan)
    rig.drain()
    rig.send_to_group(same_bit, b"collides", REPEATS)
    assert rig.received()[b"collides"] == REPEATS


def test_own_unicast_passes_and_foreign_unicast_does_not(rig: Rig) -> None:
    rig.tap.program(make_plan((OWN,), [], allmulti_bits=64))
    rig.drain()
    before = rig.dropped()
    rig.send_frame(FOREIGN, b"foreign", REPEATS)
    rig.send_frame(BROADCAST_MAC, b"broadcast", REPEATS)
    rig.send_frame(OWN, b"own", REPEATS)
    wait_until(lambda: rig.dropped() - before >= 2 * REPEATS, "rise of tx_dropped", PATIENCE)
    assert rig.received() == {b"own": REPEATS}


def test_all_multicast_passes_every_group_and_no_foreign_unicast(rig: Rig) -> None:
    rig.tap.program(FilterPlan(unicast=(OWN,), allmulti=True))
    rig.drain()
    before = rig.dropped()
    rig.send_frame(FOREIGN, b"foreign", REPEATS)
    wait_until(lambda: rig.dropped() - before >= REPEATS, "rise of tx_dropped", PATIENCE)
    for number in range(40):
        rig.send_to_group(group(number), b"listed-%03d" % number)
    rig.send_frame(BROADCAST_MAC, b"broadcast")
    got = rig.received()
    assert got == {b"broadcast": 1} | {b"listed-%03d" % number: 1 for number in range(40)}


def test_off_passes_everything(rig: Rig) -> None:
    rig.tap.program(FilterPlan(unicast=(OWN,), off=True))
    rig.drain()
    before = rig.dropped()
    rig.send_frame(FOREIGN, b"foreign", REPEATS)
    rig.send_to_group(group(1), b"unlisted", REPEATS)
    assert rig.received(FOREIGN) == {b"foreign": REPEATS, b"unlisted": REPEATS}
    assert rig.dropped() == before


def test_a_plan_without_any_address_stops_everything(rig: Rig) -> None:
    rig.tap.program(FilterPlan())
    before = rig.dropped()
    rig.send_frame(OWN, b"own", REPEATS)
    wait_until(lambda: rig.dropped() - before >= REPEATS, "rise of tx_dropped", PATIENCE)
    rig.tap.program(FilterPlan(off=True))
    assert rig.received()[b"own"] == 0


def test_eight_hosts_have_their_unicast_and_share_the_groups(rig: Rig) -> None:
    macs = [bytes.fromhex("02005e1001") + bytes((number,)) for number in range(EXACT_SLOTS)]
    rig.tap.program(make_plan(macs, [multicast_mac(group(1))], allmulti_bits=64))
    before = rig.dropped()
    rig.send_frame(FOREIGN, b"foreign", REPEATS)
    wait_until(lambda: rig.dropped() - before >= REPEATS, "rise of tx_dropped", PATIENCE)
    for mac in macs:
        rig.send_frame(mac, b"own")
    rig.send_to_group(group(1), b"listed-001")
    assert rig.received(macs[-1]) == {b"own": EXACT_SLOTS, b"listed-001": 1}


def test_thousands_of_groups_are_taken(rig: Rig) -> None:
    """The kernel reads all of a long list: the last group of 4,000 arrives."""
    macs = [multicast_mac(group(number)) for number in range(4000)]
    rig.tap.program(FilterPlan(unicast=(OWN,), exact=tuple(macs[:7]), hashed=tuple(macs[7:])))
    rig.drain()
    rig.send_to_group(group(3999), b"listed-001")
    assert rig.received()[b"listed-001"] == 1


def test_the_driver_refuses_a_ninth_unicast_address(rig: Rig) -> None:
    macs = tuple(bytes.fromhex("02005e1001") + bytes((number,)) for number in range(EXACT_SLOTS + 1))
    with pytest.raises(OSError) as caught:
        rig.tap.program(FilterPlan(unicast=macs))
    assert caught.value.errno == errno.EINVAL
    rig.drain()
    rig.send_frame(FOREIGN, b"foreign")
    assert rig.received()[b"foreign"] == 1, "a refused filter is off: more than asked for comes, not less"


def test_a_filter_survives_down_and_up(rig: Rig) -> None:
    rig.tap.program(make_plan((OWN,), [], allmulti_bits=64))
    rig.namespace.run("ip", "link", "set", rig.tap.name, "down")
    rig.namespace.run("ip", "link", "set", rig.tap.name, "up")
    before = rig.dropped()
    rig.send_frame(FOREIGN, b"foreign", REPEATS)
    wait_until(lambda: rig.dropped() - before >= REPEATS, "rise of tx_dropped", PATIENCE)
    assert rig.received()[b"foreign"] == 0


def test_a_deleted_device_refuses() -> None:
    with Namespace() as namespace, namespace.enter():
        tap = TapLink("doomed0")
        namespace.run("ip", "link", "del", "doomed0")
        with pytest.raises(OSError) as caught:
            program(tap.fileno(), FilterPlan(unicast=(OWN,)))
        assert caught.value.errno == errno.EBADFD
        tap.close()
