"""Answers to version 2 queries (RFC 3810 6.2, 6.3), and which queries are believed (5.1, 6.2)."""

import struct
from typing import NamedTuple

import pytest

from stack.discard import Discard, Outcome, Verdict
from stack.mld.filters import SourceFilter
from tests.mld.common import (
    DONE,
    GROUP,
    OTHER_GROUP,
    OUR_LINK_LOCAL,
    REPORT,
    V2_REPORT,
    Play,
    ip,
    mld_message,
    no_timer,
)
from tests.mld.version2 import (
    A,
    B,
    C,
    Chance,
    D,
    Record,
    ask,
    exclude,
    include,
    joined2,
    listen,
    listening,
    of,
    query_frame,
    quiet,
    ready2,
    said,
    told,
)
from tests.playbook import IS_EX, IS_IN, Sent, records

# Half of every delay: a query of code 10,000 is answered after 5 s.
HALF = 0.5


def half(play: Play) -> Play:
    play.host.rng = Chance(HALF)
    return play


def after(play: Play, start: float, seconds: float = 60.0) -> list[tuple[float, Record]]:
    """What is said about the group, in seconds from `start`."""
    play.run(start + seconds)
    return [(pytest.approx(time - start), record) for time, record in told(play.sent())]


# -- rules 1 to 5 of 6.2, in order. Each query is (seconds from the start, group, sources, seconds to its answer).


class Asked(NamedTuple):
    at: float
    group: str
    sources: tuple[str, ...]
    delay: float


FULL = of(IS_EX)


def asked(at: float, group: str, delay: float, *sources: str) -> Asked:
    return Asked(at, group, sources, delay)


RULES = [
    pytest.param([asked(0, "::", 2), asked(0, "::", 5)], [(2, FULL)], id="6.2-1-general-due-sooner-than-general"),
    pytest.param([asked(0, "::", 2), asked(0, GROUP, 5)], [(2, FULL)], id="6.2-1-general-due-sooner-than-specific"),
    pytest.param(
        [asked(0, "::", 2), asked(0, GROUP, 5, A)], [(2, FULL)], id="6.2-1-general-due-sooner-than-source-specific"
    ),
    pytest.param([asked(0, "::", 5), asked(0, "::", 2)], [(2, FULL)], id="6.2-2-general-replaces-a-later-one"),
    pytest.param([asked(0, "::", 5), asked(4, "::", 2)], [(5, FULL)], id="6.2-1-the-time-that-remains-counts"),
    pytest.param([asked(0, GROUP, 3)], [(3, FULL)], id="6.2-3-specific"),
    pytest.param([asked(0, GROUP, 3, A)], [(3, of(IS_IN, A))], id="6.2-3-source-specific"),
    pytest.param(
        [asked(0, "::", 5), asked(0, GROUP, 2)], [(2, FULL), (5, FULL)], id="6.2-3-specific-before-a-later-general"
    ),
    pytest.param([asked(0, GROUP, 2), asked(0, "::", 5)], [(2, FULL), (5, FULL)], id="6.2-2-general-after-specific"),
    pytest.param([asked(0, GROUP, 2), asked(0, GROUP, 5)], [(2, FULL)], id="6.2-4-the-earlier-of-two"),
    pytest.param([asked(0, GROUP, 5), asked(0, GROUP, 2)], [(2, FULL)], id="6.2-4-the-earlier-of-two-is-the-new"),
    pytest.param([asked(0, GROUP, 5, A), asked(0, GROUP, 2)], [(2, FULL)], id="6.2-4-specific-clears-the-sources"),
    pytest.param([asked(0, GROUP, 2, A), asked(0, GROUP, 5)], [(2, FULL)], id="6.2-4-and-keeps-the-earlier-time"),
    pytest.param([asked(0, GROUP, 5), asked(0, GROUP, 2, A)], [(2, FULL)], id="6.2-4-an-empty-list-stays-empty"),
    pytest.param(
        [asked(0, GROUP, 5, A), asked(0, GROUP, 2), asked(0, GROUP, 3, B)], [(2, FULL)], id="6.2-4-cleared-stays-so"
    ),
    pytest.param([asked(0, GROUP, 2, A), asked(0, GROUP, 5, B)], [(2, of(IS_IN, A, B))], id="6.2-5-sources-are-added"),
    pytest.param([asked(0, GROUP, 5, A), asked(0, GROUP, 2, B)], [(2, of(IS_IN, A, B))], id="6.2-5-and-hastened"),
    pytest.param([asked(0, GROUP, 5, A), asked(1, GROUP, 1, A, B)], [(2, of(IS_IN, A, B))], id="6.2-5-counted-once"),
    pytest.param(
        # 6.3: "the source lists associated with any reported multicast addresses are cleared"; the timer is not.
        [asked(0, GROUP, 5, A), asked(0, "::", 2)],
        [(2, FULL), (5, FULL)],
        id="6.3-lists-are-cleared-by-a-general-answer",
    ),
    pytest.param([asked(0, GROUP, 2, A), asked(3, GROUP, 2, B)], [(2, of(IS_IN, A)), (5, of(IS_IN, B))], id="6.3-anew"),
    pytest.param([asked(0, OTHER_GROUP, 2)], [], id="6.2-no-state-for-the-group"),
]


@pytest.mark.parametrize(("queries", "expected"), RULES)
def test_6_2_rules(queries: list[Asked], expected: list[tuple[float, Record]]) -> None:
    """6.2: "the rules are considered in order and only the first matching rule is applied"."""
    play = half(joined2())
    start = play.now
    for each in queries:
        play.run(start + each.at)
        # The code is in milliseconds, and chance takes half of it.
        ask(play, each.group, *each.sources, code=int(each.delay * 2000), destination="ff02::1")
    assert after(play, start) == expected
    assert no_timer(play)


@pytest.mark.parametrize("kind", ["general", "specific", "source-specific"])
def test_6_2_delay_is_drawn_from_the_whole_range(kind: str) -> None:
    """6.2: "randomly selected in the range (0, [Maximum Response Delay])", not at once and not later."""
    delays = []
    for seed in range(150):
        play = listening(include(A), seed=seed)
        start = play.now
        ask(play, "::" if kind == "general" else GROUP, *([A] if kind == "source-specific" else []), code=4000)
        play.run(start + 10)
        ((time, _),) = told(play.sent())
        delays.append(time - start)
    assert 0 <= min(delays) < 0.2
    assert 3.8 < max(delays) <= 4.0
    assert abs(sum(delays) / len(delays) - 2.0) < 0.25, "uniform"


# -- 6.3: what the answer says

TABLE_6_3 = [
    pytest.param(include(A, B), (B, C), [of(IS_IN, B)], id="6.3-3-INCLUDE(A)-A*B"),
    pytest.param(include(A, B), (A, B), [of(IS_IN, A, B)], id="6.3-3-INCLUDE(A)-all-of-it"),
    pytest.param(include(A, B), (C, D), [], id="6.3-3-INCLUDE(A)-empty"),
    pytest.param(exclude(A, B), (B, C), [of(IS_IN, C)], id="6.3-3-EXCLUDE(A)-B-A"),
    pytest.param(exclude(), (B, C), [of(IS_IN, B, C)], id="6.3-3-EXCLUDE()-B"),
    pytest.param(exclude(A, B), (A, B), [], id="6.3-3-EXCLUDE(A)-empty"),
    pytest.param(include(A, B), (), [of(IS_IN, A, B)], id="6.3-2-INCLUDE(A)"),
    pytest.param(exclude(A, B), (), [of(IS_EX, A, B)], id="6.3-2-EXCLUDE(A)"),
    pytest.param(exclude(), (), [of(IS_EX)], id="6.3-2-EXCLUDE()"),
]


@pytest.mark.parametrize(("state", "sources", "expected"), TABLE_6_3)
def test_6_3_table(state: SourceFilter, sources: tuple[str, ...], expected: list[Record]) -> None:
    """6.3 rules 2 and 3; an empty record is not sent."""
    play = listening(state)
    ask(play, GROUP, *sources)
    play.run(play.now + 10)
    frames = play.sent()
    assert [records(each) for each in frames] == ([expected] if expected else [])


def test_6_3_1_one_record_for_each_group_all_together() -> None:
    """6.3 rule 1: IS_IN or IS_EX with the sources, of every group with listening state, packed."""
    play = listening(include(A, B))
    play.join(OTHER_GROUP)
    listen(play, exclude(C), "ff05::97")
    quiet(play)
    ask(play)
    play.run(play.now + 5)
    (sent,) = play.sent()
    assert sorted(records(sent)) == sorted(
        [
            of(IS_IN, A, B),
            of(IS_EX, group=OTHER_GROUP),
            of(IS_EX, C, group="ff05::97"),
            of(IS_EX, group="ff02::1:ff00:1"),
        ]
    )


@pytest.mark.parametrize("sources", [(), (A,)], ids=["6.3-2", "6.3-3"])
def test_6_3_left_before_the_answer_is_due(sources: tuple[str, ...]) -> None:
    """6.3: "if, and only if, the interface has listening state for that multicast address"."""
    play = joined2(mld_qrv=1)
    ask(play, GROUP, *sources, code=10_000)
    ask(play, code=10_000)
    play.leave(next(iter(play.interface.listener.groups.records[ip(GROUP)].memberships.values())))
    play.sent()
    play.run(play.now + 20)
    assert said(play.sent()) == []


def test_6_3_left_and_joined_again_before_the_answer_is_due() -> None:
    """What was pending for the group went with it; the join speaks for itself."""
    play = half(joined2(mld_qrv=1))
    ask(play, GROUP, A, code=10_000)
    play.leave(next(iter(play.interface.listener.groups.records[ip(GROUP)].memberships.values())))
    play.join(GROUP)
    play.sent()
    play.run(play.now + 20)
    assert said(play.sent()) == []


@pytest.mark.parametrize(
    ("group", "sources", "expected"),
    [
        pytest.param("::", (), of(IS_IN, B, C), id="6.3-1"),
        pytest.param(GROUP, (), of(IS_IN, B, C), id="6.3-2"),
        pytest.param(GROUP, (A, B), of(IS_IN, B), id="6.3-3"),
    ],
)
def test_6_3_state_when_the_answer_leaves(group: str, sources: tuple[str, ...], expected: Record) -> None:
    """6.3: contents are determined when the timer expires, not when the query came."""
    play = listening(include(A), mld_qrv=1)
    ask(play, group, *sources, code=8000)
    listen(play, include(B, C))
    play.sent()
    play.run(play.now + 10)
    assert said(play.sent()) == [expected]


def test_6_3_answers_and_changes_go_side_by_side() -> None:
    """An answer does not count as a transmission of a change, and does not cancel one (6.1, 6.3)."""
    play = ready2(mld_qrv=3)
    play.join(GROUP)
    ask(play, GROUP, code=0)
    ask(play, code=0)
    play.run(play.now + 20)
    kinds = [kind for kind, _, _ in said(play.sent())]
    assert sorted(kinds) == [IS_EX, IS_EX, 4, 4, 4]


def test_6_3_no_more_sources_than_are_worth_remembering() -> None:
    """A pending list is bounded by mld_max_msf: beyond it the whole state, which answers any of them, is sent."""
    play = half(joined2(mld_max_msf=3))
    for source in (A, B, C):
        ask(play, GROUP, source, code=4000)
    assert play.host.counters.limits.get("mld_max_msf", 0) == 0
    ask(play, GROUP, D, code=4000)
    assert play.host.counters.limits["mld_max_msf"] == 1
    play.run(play.now + 10)
    assert said(play.sent()) == [FULL]


# -- codes

CODES = [
    (0, 0),
    (1, 1),
    (1000, 1000),
    (0x7FFF, 32_767),
    (0x8000, 32_768),
    (0x8001, 32_776),
    (0x8FFF, 65_528),
    (0x9000, 65_536),
    (0xA123, 0x1123 << 5),
    (0xFFFF, 8_387_584),
]


@pytest.mark.parametrize(("code", "milliseconds"), CODES, ids=[f"5.1.3-{code:#06x}" for code, _ in CODES])
@pytest.mark.parametrize("group", ["::", GROUP])
def test_5_1_3_maximum_response_code(code: int, milliseconds: int, group: str) -> None:
    """5.1.3: (mant | 0x1000) << (exp + 3) from 32768 on; half of it here."""
    play = half(joined2())
    start = play.now
    ask(play, group, code=code)
    assert after(play, start, 5000) == [(milliseconds / 2000, FULL)]


def test_5_1_3_code_0_is_now_and_once() -> None:
    """5.1.3: a delay of 0 ms; "a burst of two" queries is answered twice at most, never by a loop."""
    play = joined2()
    ask(play, code=0)
    assert len(said(play.sent())) == 1
    assert no_timer(play)


# -- which queries are believed

VALID: list[tuple[str, dict[str, object]]] = [
    ("5.1.1-code", {"code_field": 7}),
    ("5.1.4-reserved", {"reserved": 0xFFFF}),
    ("5.1.7-S-flag", {"suppress": True}),
    ("5.1.12-additional-data", {"data": b"\xff" * 9}),
    ("5.1.15-to-our-address", {"destination": OUR_LINK_LOCAL}),
    ("5.1.15-to-all-nodes", {"destination": "ff02::1"}),
    ("5.1.15-to-another-group-of-ours", {"destination": OTHER_GROUP}),
]


def with_code(fields: dict[str, object], group: str, *sources: str) -> bytes:
    """The frame; `code_field` is the code of the ICMPv6 message, which is not the maximum response code."""
    rest = dict(fields)
    code = rest.pop("code_field", 0)
    frame = bytearray(query_frame(group, *sources, code=0, **rest))  # type: ignore[arg-type]
    if code:
        at = 14 + 40 + 8
        frame[at + 1] = int(code)  # type: ignore[call-overload]
        (value,) = struct.unpack_from("!H", frame, at + 2)
        # RFC 1624: the checksum of a message in which one word has grown.
        total = (value ^ 0xFFFF) + int(code)  # type: ignore[call-overload]
        struct.pack_into("!H", frame, at + 2, ((total & 0xFFFF) + (total >> 16)) ^ 0xFFFF)
    return bytes(frame)


@pytest.mark.parametrize("fields", [each for _, each in VALID], ids=[name for name, _ in VALID])
@pytest.mark.parametrize(("group", "sources"), [("::", ()), (GROUP, ()), (GROUP, (A,))], ids=["gq", "maq", "massq"])
def test_5_1_what_does_not_matter(fields: dict[str, object], group: str, sources: tuple[str, ...]) -> None:
    """5.1: ignored by receivers, or legal: the query is answered as ever."""
    play = joined2(GROUP, OTHER_GROUP)
    assert play.receive(with_code(fields, group, *sources)) is Verdict.DELIVERED
    assert len(said(play.sent())) == 1


INVALID: list[tuple[str, dict[str, object], Outcome]] = [
    ("6.2-hop-limit-2", {"hop_limit": 2}, Discard.MLD_HOP_LIMIT),
    ("6.2-hop-limit-255", {"hop_limit": 255}, Discard.MLD_HOP_LIMIT),
    ("6.2-hop-limit-0", {"hop_limit": 0}, Discard.MLD_HOP_LIMIT),
    ("6.2-no-router-alert", {"alert": False}, Discard.MLD_ROUTER_ALERT),
    ("5.1.14-from-unspecified", {"source": "::"}, Discard.MLD_SOURCE),
    ("5.1.14-from-global", {"source": "2001:db8::1"}, Discard.MLD_SOURCE),
    ("5.1.14-from-our-own", {"source": OUR_LINK_LOCAL}, Discard.MLD_OWN_MESSAGE),
    ("5.1.10-more-sources-than-octets", {"count": 3}, Discard.MLD_TRUNCATED),
    ("5.1.10-65535-sources", {"count": 0xFFFF}, Discard.MLD_TRUNCATED),
    ("8.1-25-octets", {"cut": 25}, Discard.MLD_LENGTH),
    ("8.1-27-octets", {"cut": 27}, Discard.MLD_LENGTH),
]


@pytest.mark.parametrize(("fields", "reason"), [each[1:] for each in INVALID], ids=[each[0] for each in INVALID])
@pytest.mark.parametrize("group", ["::", GROUP])
def test_6_2_checks(fields: dict[str, object], reason: Outcome, group: str) -> None:
    """6.2: "if any of these checks fails, the packet is dropped": no answer, and nothing of it is believed."""
    play = joined2()
    sources = () if group == "::" and "count" not in fields else (A,)
    assert ask(play, group, *sources, code=0, qrv=7, qqic=200, **fields) is reason
    assert no_timer(play)
    assert play.sent() == []
    assert play.interface.listener.robustness == 2, "nor is its robustness variable"
    assert play.host.counters.outcomes[reason] == 1


def test_5_1_2_checksum() -> None:
    """5.1.2: "MUST be verified before processing it", the additional data included (5.1.12)."""
    play = joined2()
    frame = bytearray(query_frame(code=0, data=b"abcd"))
    frame[-1] ^= 1
    assert play.receive(bytes(frame)) is Discard.ICMP_CHECKSUM
    assert play.sent() == []


def test_5_1_13_general_query_with_sources() -> None:
    """5.1.13: "both the Multicast Address field and the Number of Sources field are zero": no such query exists."""
    play = joined2()
    assert ask(play, "::", A, code=0, qrv=7) is Discard.MLD_GENERAL_WITH_SOURCES
    assert (play.sent(), play.interface.listener.robustness) == ([], 2)


@pytest.mark.parametrize("address", ["fe80::1", "2001:db8::1", "::1"])
def test_5_1_5_a_group_or_nothing(address: str) -> None:
    """5.1.5: zero, or "the multicast address being queried"."""
    play = joined2()
    assert ask(play, address, code=0, destination="ff02::1") is Discard.MLD_NOT_MULTICAST
    assert play.sent() == []


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(mld_message(V2_REPORT, GROUP, destination="ff02::1"), id="report-2"),
        pytest.param(mld_message(REPORT, GROUP), id="report-1"),
        pytest.param(mld_message(DONE, GROUP, destination="ff02::1"), id="done"),
    ],
)
def test_6_other_messages_are_ignored(frame: bytes) -> None:
    """6: "Received MLD messages of types other than Query are silently ignored"; 8.2.2: MAY, and we do not."""
    play = half(joined2())
    start = play.now
    ask(play, code=4000)
    ask(play, GROUP, code=6000)
    play.receive(frame)
    assert after(play, start) == [(2, FULL)]


# -- what a query says of its sender


@pytest.mark.parametrize("qrv", range(8))
@pytest.mark.parametrize("group", ["::", GROUP, OTHER_GROUP])
def test_5_1_8_robustness_of_the_last_query(qrv: int, group: str) -> None:
    """5.1.8: the QRV of "the most recently received Query", of whatever kind; 0 is the setting."""
    play = joined2(mld_qrv=3)
    ask(play, qrv=5, code=0)
    ask(play, group, qrv=qrv, code=0, destination="ff02::1")
    quiet(play)
    play.join("ff05::55")
    play.run(play.now + 30)
    assert len(said(play.sent(), "ff05::55")) == (qrv or 3)


INTERVALS = [(0, 125), (1, 1), (127, 127), (0x80, 128), (0x81, 136), (0x8F, 248), (0x90, 256), (0xFF, 31_744)]


@pytest.mark.parametrize(("code", "seconds"), INTERVALS, ids=[f"5.1.9-{code:#04x}" for code, _ in INTERVALS])
def test_5_1_9_query_interval_of_the_last_query(code: int, seconds: int) -> None:
    """5.1.9: (mant | 0x10) << (exp + 3) from 128 on, 0 is the default; seen in 9.12's timeout."""
    play = joined2()
    ask(play, qqic=code, qrv=2, code=0)
    start = play.now
    play.receive(mld_message(130, "::", delay=0))
    until = play.interface.listener.compatibility.older_querier_until
    assert until is not None
    assert until - start == pytest.approx(2 * seconds + 10)


def test_S49_in_version_2_our_own_reports_come_back() -> None:
    """A report of ours that the network reflects changes nothing."""
    play = ready2()
    play.join(GROUP)
    sent: list[Sent] = play.sent()
    for each in sent:
        play.receive(each.frame)
    play.run(play.now + 10)
    assert len(said(play.sent())) == 1


def test_answer_after_all_groups_are_gone() -> None:
    """A general answer that has nothing to say says nothing."""
    play = ready2(addr_gen_mode=1)
    play.add_address("2001:db8::5", nodad=True)
    play.join(GROUP)
    quiet(play)
    half(play)
    assert ask(play, code=60_000) is Verdict.DELIVERED
    for each in list(play.interface.listener.groups.records.values()):
        for member in list(each.memberships.values()):
            if each.group != ip("ff02::1"):
                play.leave(member)
    quiet(play, 20)
    play.run(play.now + 60)
    assert play.sent() == []
    assert ask(play, code=0) is Discard.MLD_UNKNOWN_GROUP
