"""Many hosts on one link, each with a MAC and groups of its own: for trying what serves them, at scale.

A crowd lives in a world, so it is the same for the same seed. Who drives the world,
in virtual or in real time, is the caller. `AnswerWatch` measures how the crowd answers
general queries (RFC 3810 5.1.3: within the maximum response delay).
"""

import hashlib
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from stack.address import (
    UNSPECIFIED,
    IPv6Address,
    MacAddress,
    is_multicast_mac,
)
from stack.discard import Outcome
from stack.errors import UsageError
from stack.interface import ALL_NODES_MAC
from stack.link.switch import Port
from stack.mld.groups import Membership
from stack.settings import Settings
from stack.sim.world import Station, World
from stack.wire import icmpv6, mldpacket, mldv2

# ff15::HOST:NUMBER: transient, site-local; each has a MAC of its own (RFC 2464 7).
_GROUP_PREFIX = bytes.fromhex("ff15") + bytes(10)

# What a host of each kind is set to.
KINDS: dict[str, dict[str, str]] = {
    "v1": {"force_mld_version": "1"},
    "v2": {},
    "netbsd": {"mld_personality": "netbsd"},
}
_LONGEST_WAIT = 0.2  # seconds by which the last answer may come after the delay, on its way through the link


def parse_mix(text: str) -> list[tuple[str, int]]:
    """`v1=20,v2=70,netbsd=10` as kinds with their shares; raises UsageError."""
    mix: list[tuple[str, int]] = []
    for part in text.split(","):
        kind, equals, share = part.partition("=")
        if kind not in KINDS or not equals or not (share.isascii() and share.isdigit() and len(share) < 8):
            raise UsageError(f"{part!r} is no share of a mix (KIND=SHARE, KIND one of {', '.join(KINDS)})")
        if kind in (known for known, _ in mix):
            raise UsageError(f"{kind} is in the mix twice")
        mix.append((kind, int(share)))
    if not any(share for _, share in mix):
        raise UsageError("a mix needs a share that is not 0")
    return mix


def deal(mix: Sequence[tuple[str, int]], count: int) -> list[str]:
    """The kind of each of `count` hosts; the shares hold for the first hosts as well as for all, as near as can be."""
    total = sum(share for _, share in mix)
    dealt: Counter[str] = Counter()
    kinds = []
    for number in range(1, count + 1):
        # Whoever is furthest behind its share is next.
        kind, _ = max(mix, key=lambda each: (each[1] * number / total - dealt[each[0]], each[1]))
        dealt[kind] += 1
        kinds.append(kind)
    return kinds


def mac_of(base: MacAddress, number: int) -> MacAddress:
    """The MAC of host `number`, counted up from `base`; raises UsageError where there is none."""
    value = int.from_bytes(base, "big") + number
    if value >> 48 or value >> 40 != base[0]:
        raise UsageError(f"there are not so many MACs after {base.hex(':')}")
    return value.to_bytes(6, "big")


def group_of(number: int, index: int) -> IPv6Address:
    """Group `index` of host `number`, nobody else's."""
    return _GROUP_PREFIX + number.to_bytes(2, "big") + index.to_bytes(2, "big")


@dataclass(frozen=True, slots=True)
class CrowdPlan:
    """How many hosts with how many groups each, MACs counted up from `mac_base`, and of what kinds.

    `settings` are set in every host, before those of its kind. `churn` is joins per second in all
    of the crowd once it is up, each with the leave of an older one.
    """

    hosts: int
    groups: int = 0
    mac_base: MacAddress = b"\x02\x5c\x00\x00\x00\x00"
    mix: tuple[tuple[str, int], ...] = (("v2", 1),)
    settings: tuple[tuple[str, str], ...] = ()
    churn: float = 0.0

    def check(self) -> None:
        """Raises UsageError if there can be no such crowd."""
        if is_multicast_mac(self.mac_base) or self.mac_base == bytes(6):
            raise UsageError(f"{self.mac_base.hex(':')} cannot be the MAC of a host")
        mac_of(self.mac_base, self.hosts - 1)


class Crowd:
    """The hosts of a plan in a world; they are there at once and come up with `start`."""

    def __init__(self, world: World, plan: CrowdPlan, seed: int = 0) -> None:
        plan.check()
        self.world = world
        self.plan = plan
        self.kinds = deal(plan.mix, plan.hosts)
        self.stations: list[Station] = []
        self.joins = 0
        self._rng = Random(f"{seed}/churn")
        self._churned: dict[int, tuple[int, Membership]] = {}
        self._up = 0
        for number, kind in enumerate(self.kinds):
            settings = Settings()
            for name, value in (*plan.settings, *KINDS[kind].items()):
                settings.set_text(name, value)
            self.stations.append(world.add_host(f"host{number}", mac_of(plan.mac_base, number), settings))
        self._waiting = list(self.stations)

    def start(self) -> None:
        """Switch all of them on, one after the other at one moment."""
        for number, station in enumerate(self.stations):
            for index in range(self.plan.groups):
                station.interface.listener.join(group_of(number, index), self.world.now)
            self.world.start(station)

    def up(self) -> int:
        """How many have a link-local address that is valid."""
        self._waiting = [each for each in self._waiting if each.interface.addresses.link_local() is None]
        return len(self.stations) - len(self._waiting)

    def duplicates(self) -> int:
        """How many have found their address on the link."""
        return sum(1 for each in self._waiting if each.interface.disabled)

    def begin_churn(self) -> None:
        """From now on `churn` times a second somebody joins a new group and leaves the one it joined before."""
        if self.plan.churn:
            self.world.at(self.world.now + 1 / self.plan.churn, self._churn)

    def _churn(self) -> None:
        number = int(self._rng.random() * len(self.stations))
        station, now = self.stations[number], self.world.now
        # Behind the groups that it keeps; two places, used in turn.
        place, old = self._churned.get(number, (self.plan.groups, None))
        membership = station.interface.listener.join(group_of(number, place), now)
        if old is not None:
            station.interface.listener.leave(old, now)
        self._churned[number] = (2 * self.plan.groups + 1 - place, membership)
        self.joins += 1
        self.world.settle(station)
        self.begin_churn()

    def leave(self) -> None:
        """All of them say that they are going."""
        for station in self.stations:
            station.interface.listener.leave_all(self.world.now)
            self.world.settle(station)

    @property
    def memberships(self) -> int:
        """How many groups are listened to, those of addresses among them, each host's on its own."""
        return sum(len(each.interface.listener.groups) for each in self.stations)


class Digest:
    """What was said on a link, in one number: every frame that entered a switch, with its time and its port."""

    def __init__(self, world: World) -> None:
        self.frames = 0
        self._hash = hashlib.sha256()
        world.watchers.append(self._watch)

    def _watch(self, now: float, port: Port, frame: bytes, outcome: Outcome | None) -> None:
        if outcome is None:
            self.frames += 1
            self._hash.update(struct.pack("!dII", now, port.number, len(frame)) + frame)

    def hexdigest(self) -> str:
        """The digest of the frames so far."""
        return self._hash.hexdigest()


@dataclass(slots=True)
class Answers:
    """One general query: when it came, from whom, how long there was to answer (seconds), and what was answered.

    `last` is how long after the query the last report was sent, `late` how many reports came too late.
    """

    time: float
    querier: IPv6Address
    version: int
    delay: float
    hosts: int = 0
    reports: int = 0
    last: float = 0.0
    late: int = 0


class AnswerWatch:
    """Follows the general queries on a link, and tells `tell` of each when its time to answer is over."""

    def __init__(self, crowd: Crowd, tell: Callable[[Answers], None]) -> None:
        self._crowd = crowd
        self._tell = tell
        self._own = {station.port for station in crowd.stations}
        self._current: Answers | None = None
        self._answered: set[Port] = set()
        crowd.world.watchers.append(self._watch)

    def _watch(self, now: float, port: Port, frame: bytes, outcome: Outcome | None) -> None:
        if outcome is not None or frame[:2] != b"\x33\x33":
            return
        if port in self._own:
            if self._current is not None:
                self._said(self._current, now, port, frame)
        elif frame[:6] == ALL_NODES_MAC and self._current is None:
            self._query(now, frame)

    def _query(self, now: float, frame: bytes) -> None:
        packet = mldpacket.parse(frame)
        if packet is None or packet.message[0] != icmpv6.MLD_QUERY or not packet.intact:
            return
        query = mldv2.parse_query(packet.message)
        if query is None or query.group != UNSPECIFIED:
            return
        self._current = Answers(now, packet.source, query.version, query.delay / 1000)
        self._answered = set()
        world = self._crowd.world
        world.at(now + self._current.delay + _LONGEST_WAIT, self._close)

    def _said(self, current: Answers, now: float, port: Port, frame: bytes) -> None:
        packet = mldpacket.parse(frame)
        if packet is None or not _is_answer(packet.message):
            return
        current.reports += 1
        self._answered.add(port)
        current.last = now - current.time
        # A host hears the query a little later than it was sent, and has all of the delay from then.
        if current.last > current.delay + 2 * self._crowd.world.latency + 1e-9:
            current.late += 1

    def _close(self) -> None:
        current, self._current = self._current, None
        if current is not None:
            current.hosts = len(self._answered)
            self._tell(current)


def _is_answer(message: bytes) -> bool:
    """A version 1 report, or a report of the current state: changes of state answer nothing (RFC 3810 5.2.12)."""
    if message[0] == icmpv6.MLD_REPORT:
        return True
    if message[0] != icmpv6.MLDV2_REPORT:
        return False
    records = mldv2.parse_report(message) or ()
    return any(each.type in (mldv2.MODE_IS_INCLUDE, mldv2.MODE_IS_EXCLUDE) for each in records)
