"""The link layer's multicast filter as the host wants it: counted MACs, and the plan made from them.

RFC 2464 7 maps groups onto MACs, and groups whose low 32 bits agree share one:
entries are counted per MAC (SEED row S60). A plan is what the driver is given:
the first `EXACT_SLOTS` addresses are matched exactly, each later one sets one of
64 hash bits, and when too many bits would be set the driver is asked for all
multicast instead. How a plan reaches a driver is the link's business.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stack.address import MacAddress

EXACT_SLOTS = 8
HASH_BITS = 64


@dataclass(frozen=True, slots=True)
class FilterPlan:
    """What a driver's filter is to hold; every address is a 6-byte MAC.

    `unicast` and `exact` share the exact slots, `hashed` are passed by their hash
    bit, `allmulti` passes every multicast frame, `off` passes everything.
    """

    unicast: tuple[MacAddress, ...] = ()
    exact: tuple[MacAddress, ...] = ()
    hashed: tuple[MacAddress, ...] = ()
    allmulti: bool = False
    off: bool = False


def hash_bit(mac: MacAddress) -> int:
    """The bit (0 to 63) that Linux's tun driver sets for a MAC: the top six bits of its Ethernet CRC."""
    crc = zlib.crc32(mac) ^ 0xFFFFFFFF
    return int(f"{crc & 0x3F:06b}"[::-1], 2)


def make_plan(unicast: Sequence[MacAddress], groups: Iterable[MacAddress], allmulti_bits: int) -> FilterPlan:
    """The plan that passes `unicast` (own MACs first) and the multicast MACs `groups`.

    A unicast address beyond the exact slots cannot be filtered for, so the filter
    is then off. `allmulti_bits` is the most hash bits worth setting.
    """
    if len(unicast) > EXACT_SLOTS:
        return FilterPlan(unicast=tuple(unicast), off=True)
    ordered = tuple(groups)
    room = EXACT_SLOTS - len(unicast)
    exact, hashed = ordered[:room], ordered[room:]
    if len({hash_bit(mac) for mac in hashed}) > allmulti_bits:
        return FilterPlan(unicast=tuple(unicast), allmulti=True)
    return FilterPlan(tuple(unicast), exact, hashed)


class MulticastMacs:
    """The multicast MACs in use on an interface, each counted, in the order in which they came.

    Also keeps how many of them fall on each hash bit, so that a plan for
    thousands of groups is recognised as `allmulti` without listing them.
    """

    __slots__ = ("_bits", "counts")

    def __init__(self) -> None:
        self.counts: dict[MacAddress, int] = {}
        self._bits = [0] * HASH_BITS

    def __contains__(self, mac: MacAddress) -> bool:
        return mac in self.counts

    def add(self, mac: MacAddress) -> bool:
        """Count one more user of `mac`; true if it is new in the set."""
        count = self.counts.get(mac, 0)
        self.counts[mac] = count + 1
        if count == 0:
            self._bits[hash_bit(mac)] += 1
        return count == 0

    def remove(self, mac: MacAddress) -> bool:
        """Count one user less of `mac`; true if it has left the set."""
        count = self.counts[mac]
        if count > 1:
            self.counts[mac] = count - 1
            return False
        del self.counts[mac]
        self._bits[hash_bit(mac)] -= 1
        return True

    def plan(self, own: MacAddress, allmulti_bits: int) -> FilterPlan:
        """The plan for a host whose MAC is `own`, alone on its link."""
        if self._surely_allmulti(allmulti_bits):
            return FilterPlan(unicast=(own,), allmulti=True)
        return make_plan((own,), self.counts, allmulti_bits)

    def _surely_allmulti(self, allmulti_bits: int) -> bool:
        # The exact slots can take at most EXACT_SLOTS - 1 bits off those counted here.
        used = sum(1 for count in self._bits if count)
        return used - (EXACT_SLOTS - 1) > allmulti_bits
