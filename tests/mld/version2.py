"""What the tests of version 2 share: hosts, queries with every field, filters, and chance that is written down."""

import struct
from collections.abc import Iterable
from random import Random

from stack.discard import Outcome
from stack.mld.filters import NOTHING, FilterMode, SourceFilter
from stack.mld.groups import Membership
from tests.mld.common import GROUP, QUERY, V2_REPORT, Play, ip, joined, mld_message, ready
from tests.playbook import Sent, records

A, B, C, D, E, F = (f"2001:db8::{letter}" for letter in "abcdef")
SSM = "ff3e::99"

Record = tuple[int, str, tuple[str, ...]]


class Chance(Random):
    """A generator whose numbers are written down; the last one stays."""

    def __init__(self, *numbers: float) -> None:
        super().__init__(0)
        self.numbers = list(numbers)

    def random(self) -> float:
        """The next number."""
        return self.numbers.pop(0) if len(self.numbers) > 1 else self.numbers[0]


def include(*sources: str) -> SourceFilter:
    """INCLUDE of these."""
    return SourceFilter(FilterMode.INCLUDE, frozenset(map(ip, sources)))


def exclude(*sources: str) -> SourceFilter:
    """EXCLUDE of these."""
    return SourceFilter(FilterMode.EXCLUDE, frozenset(map(ip, sources)))


def ready2(seed: int = 1, **settings: int | str) -> Play:
    """A host that speaks version 2, its start-up over."""
    return ready(seed, **{"force_mld_version": 0} | settings)


def joined2(*groups: str, seed: int = 1, **settings: int | str) -> Play:
    """The same in groups, with nothing pending."""
    return joined(*groups, seed=seed, **{"force_mld_version": 0} | settings)


def listening(wanted: SourceFilter, group: str = GROUP, **settings: int | str) -> Play:
    """A host whose one socket has this filter, with nothing pending."""
    play = ready2(**settings)
    listen(play, wanted, group)
    quiet(play)
    return play


def quiet(play: Play, seconds: float = 30.0) -> None:
    """Let everything pending pass, and forget it."""
    play.run(play.now + seconds)
    play.sent()
    play.plans.clear()
    play.log.clear()
    play.events.clear()


def listen(play: Play, wanted: SourceFilter, group: str = GROUP, owner: str = "s1") -> Membership | None:
    """IPv6MulticastListen (RFC 3810 3)."""
    membership = play.interface.listener.listen(owner, ip(group), wanted, play.now)
    play.settle()
    return membership


def stop_listening(play: Play, group: str = GROUP, owner: str = "s1") -> None:
    """IPv6MulticastListen of INCLUDE {}."""
    listen(play, NOTHING, group, owner)


def query_frame(
    group: str = "::",
    *sources: str,
    code: int = 1000,
    suppress: bool = False,
    qrv: int = 0,
    qqic: int = 0,
    count: int | None = None,
    data: bytes = b"",
    **options: object,
) -> bytes:
    """A frame with a version 2 query by the picture in 5.1; `count` belies the number of sources."""
    number = len(sources) if count is None else count
    tail = struct.pack("!BBH", suppress << 3 | qrv, qqic, number) + b"".join(map(ip, sources)) + data
    return mld_message(QUERY, group, delay=code, extra=tail, **options)  # type: ignore[arg-type]


def ask(play: Play, group: str = "::", *sources: str, **fields: object) -> Outcome:
    """The frame, received."""
    return play.receive(query_frame(group, *sources, **fields))  # type: ignore[arg-type]


def told(frames: Iterable[Sent], *groups: str) -> list[tuple[float, Record]]:
    """Every record about the groups (about GROUP if none is named), with the time of its report."""
    return [
        (each.time, record)
        for each in frames
        if each.kind == V2_REPORT
        for record in records(each)
        if record[1] in (groups or (GROUP,))
    ]


def said(frames: Iterable[Sent], *groups: str) -> list[Record]:
    """The same without times."""
    return [record for _, record in told(frames, *groups)]


def of(kind: int, *sources: str, group: str = GROUP) -> Record:
    """A record that is expected; sources in the order of the octets."""
    return kind, group, tuple(sorted(sources, key=ip))


def many(count: int) -> list[str]:
    """Groups without end."""
    return [f"ff05::1:{number:x}" for number in range(count)]


def sources_of(count: int, start: int = 0) -> list[str]:
    """Sources without end, in the order of their octets."""
    return [f"2001:db8:1::{number:x}" for number in range(start + 1, start + count + 1)]
