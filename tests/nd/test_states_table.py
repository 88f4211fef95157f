"""RFC 4861 appendix C and RFC 7048 3 against `stack.nd.states`: row by row on the table, then on a live host.

The rows below were copied from the RFC, not from the code. Where 7.2.5's text and
the appendix differ, the row says so and the text is followed. Those of UNREACHABLE
follow RFC 7048, from memory of its text.
"""

from typing import NamedTuple

import pytest

from stack.nd.states import TRANSITIONS, Action, NeighborEvent, NeighborState, advertised, heard
from tests.playbook import (
    OUR_LINK_LOCAL,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Play,
    Sent,
    advertisement,
    echo_request,
    ip,
    lladdr_option,
    solicitation,
)

S, E, A = NeighborState, NeighborEvent, Action

CACHED = (S.REACHABLE, S.STALE, S.DELAY, S.PROBE)  # "!INCOMPLETE" in the appendix
KNOWN = (*CACHED, S.UNREACHABLE)


class Row(NamedTuple):
    """A row of appendix C; `to` None is "unchanged"; actions without the stopping of a timer that no longer counts."""

    states: tuple[NeighborState, ...]
    event: NeighborEvent
    to: NeighborState | None
    actions: tuple[Action, ...]
    clause: str


RECORD, ROUTER, QUEUE = A.RECORD_ADDRESS, A.UPDATE_ROUTER, A.SEND_QUEUE
CONFIRM = (ROUTER, A.START_REACHABLE_TIMER)

APPENDIX_C = (
    Row((S.ABSENT,), E.PACKET_TO_SEND, S.INCOMPLETE, (A.MULTICAST_SOLICIT,), "7.2.2"),
    Row((S.INCOMPLETE,), E.PACKET_TO_SEND, None, (), "7.2.2: the packet waits"),
    Row((S.INCOMPLETE,), E.RETRANSMIT, None, (A.MULTICAST_SOLICIT,), "7.2.2"),
    Row((S.INCOMPLETE,), E.RETRANSMIT_LAST, S.ABSENT, (A.REPORT_UNREACHABLE, A.DISCARD_ENTRY), "7.2.2"),
    # NA in INCOMPLETE: Override is ignored (7.2.5)
    Row((S.INCOMPLETE,), E.UNSOLICITED_OVERRIDE, S.STALE, (RECORD, ROUTER, QUEUE), "7.2.5"),
    Row((S.INCOMPLETE,), E.UNSOLICITED_DIFFERENT, S.STALE, (RECORD, ROUTER, QUEUE), "7.2.5"),
    Row((S.INCOMPLETE,), E.SOLICITED_OVERRIDE, S.REACHABLE, (RECORD, *CONFIRM, QUEUE), "7.2.5"),
    Row((S.INCOMPLETE,), E.SOLICITED_DIFFERENT, S.REACHABLE, (RECORD, *CONFIRM, QUEUE), "7.2.5"),
    # 7.2.5 "silently discard" where the appendix would update IsRouter
    Row((S.INCOMPLETE,), E.SOLICITED_BARE, None, (), "7.2.5, not the appendix: silently discarded"),
    Row((S.INCOMPLETE,), E.UNSOLICITED_BARE, None, (), "7.2.5, not the appendix: silently discarded"),
    # NA elsewhere
    Row(KNOWN, E.SOLICITED_SAME, S.REACHABLE, CONFIRM, "7.2.5 II"),
    Row(KNOWN, E.SOLICITED_BARE, S.REACHABLE, CONFIRM, "7.2.5 II, not the appendix: S=1 confirms without an option"),
    Row(KNOWN, E.SOLICITED_OVERRIDE, S.REACHABLE, (RECORD, *CONFIRM), "7.2.5 II"),
    Row((S.REACHABLE,), E.SOLICITED_DIFFERENT, S.STALE, (), "7.2.5 I a"),
    Row((S.STALE, S.DELAY, S.PROBE), E.SOLICITED_DIFFERENT, None, (), "7.2.5 I b"),
    Row(CACHED, E.UNSOLICITED_SAME, None, (ROUTER,), "7.2.5 II"),
    Row(KNOWN, E.UNSOLICITED_BARE, None, (ROUTER,), "7.2.5 II"),
    Row(KNOWN, E.UNSOLICITED_OVERRIDE, S.STALE, (RECORD, ROUTER), "7.2.5 II"),
    Row((S.REACHABLE,), E.UNSOLICITED_DIFFERENT, S.STALE, (), "7.2.5 I a, not the appendix: whatever S is"),
    Row((S.STALE, S.DELAY, S.PROBE, S.UNREACHABLE), E.UNSOLICITED_DIFFERENT, None, (), "7.2.5 I b"),
    # confirmation and time
    Row(KNOWN, E.CONFIRMED, S.REACHABLE, (A.START_REACHABLE_TIMER,), "7.3.1"),
    Row((S.REACHABLE,), E.REACHABLE_TIMEOUT, S.STALE, (), "7.3.3"),
    Row((S.STALE,), E.PACKET_TO_SEND, S.DELAY, (A.START_DELAY_TIMER,), "7.3.3"),
    Row((S.REACHABLE, S.DELAY, S.PROBE), E.PACKET_TO_SEND, None, (), "7.3.3"),
    Row((S.DELAY,), E.DELAY_TIMEOUT, S.PROBE, (A.UNICAST_SOLICIT,), "7.3.3"),
    Row((S.PROBE,), E.RETRANSMIT, None, (A.UNICAST_SOLICIT,), "7.3.3"),
    Row((S.PROBE,), E.RETRANSMIT_LAST, S.UNREACHABLE, (A.MULTICAST_SOLICIT,), "7.3.3, and RFC 7048 3 in its place"),
    Row((S.PROBE,), E.NEVER_ANSWERED, S.ABSENT, (A.DISCARD_ENTRY,), "7.3.3"),
    # RFC 7048 3
    Row((S.UNREACHABLE,), E.PACKET_TO_SEND, None, (A.MULTICAST_SOLICIT,), "RFC 7048 3"),
    Row((S.UNREACHABLE,), E.RETRANSMIT, None, (A.MULTICAST_SOLICIT,), "RFC 7048 3"),
    Row((S.UNREACHABLE,), E.UNUSED, None, (), "RFC 7048 3: no solicitations without packets"),
    Row((S.UNREACHABLE,), E.SOLICITED_DIFFERENT, S.REACHABLE, (RECORD, *CONFIRM), "as from INCOMPLETE (7.2.5)"),
    Row((S.UNREACHABLE,), E.UNSOLICITED_SAME, S.STALE, (ROUTER,), "as from no entry (7.2.3): there, and not verified"),
    Row((S.UNREACHABLE,), E.HEARD_SAME, S.STALE, (), "as from no entry (7.2.3): there, and not verified"),
    # NS, RS, RA, Redirect
    Row((S.ABSENT,), E.HEARD_DIFFERENT, S.STALE, (RECORD,), "7.2.3"),
    Row((S.INCOMPLETE,), E.HEARD_DIFFERENT, S.STALE, (RECORD, QUEUE), "appendix C"),
    Row((S.INCOMPLETE,), E.HEARD_BARE, None, (), "appendix C"),
    Row(KNOWN, E.HEARD_DIFFERENT, S.STALE, (RECORD,), "7.2.3"),
    Row(CACHED, E.HEARD_SAME, None, (), "appendix C"),
    Row(KNOWN, E.HEARD_BARE, None, (), "7.2: must not update"),
)

CELLS = {(state, row.event): row for row in APPENDIX_C for state in row.states}

TIMERS = frozenset((E.RETRANSMIT, E.RETRANSMIT_LAST, E.NEVER_ANSWERED, E.UNUSED, E.REACHABLE_TIMEOUT, E.DELAY_TIMEOUT))

# What cannot happen in a state, and why.
IMPOSSIBLE = {
    # No entry: an NA makes none (7.2.5), nor does a message without an address (7.2), nor advice (7.3.3); nothing runs.
    S.ABSENT: frozenset(E) - {E.PACKET_TO_SEND, E.HEARD_DIFFERENT},
    # No address is cached that another could equal; advice has no effect (7.3.3); only retransmission runs.
    S.INCOMPLETE: frozenset(
        (E.SOLICITED_SAME, E.UNSOLICITED_SAME, E.HEARD_SAME, E.CONFIRMED, *TIMERS - {E.RETRANSMIT, E.RETRANSMIT_LAST})
    ),
    # One timer each, none while STALE.
    S.REACHABLE: TIMERS - {E.REACHABLE_TIMEOUT},
    S.STALE: TIMERS,
    S.DELAY: TIMERS - {E.DELAY_TIMEOUT},
    S.PROBE: TIMERS - {E.RETRANSMIT, E.RETRANSMIT_LAST, E.NEVER_ANSWERED},
    S.UNREACHABLE: TIMERS - {E.RETRANSMIT, E.UNUSED},
    S.PERMANENT: TIMERS,
}


@pytest.mark.parametrize(("state", "event"), CELLS, ids=[f"{state.value}: {event.value}" for state, event in CELLS])
def test_row_of_appendix_c(state: NeighborState, event: NeighborEvent) -> None:
    row = CELLS[state, event]
    transition = TRANSITIONS[state][event]
    assert transition.state is (row.to or state), f"RFC 4861 {row.clause}: new state"
    actions = [action for action in transition.actions if action is not A.STOP_TIMER]
    assert sorted(actions, key=list(A).index) == sorted(row.actions, key=list(A).index), (
        f"RFC 4861 {row.clause}: actions"
    )


@pytest.mark.parametrize("state", S, ids=lambda state: state.value)
def test_impossible_pairs_are_absent_and_no_pair_is_forgotten(state: NeighborState) -> None:
    """Every pair is either a row of the appendix, a permanent entry's, or in the list of the impossible."""
    listed = {event for event in E if (state, event) in CELLS}
    if state is S.PERMANENT:
        listed = set(E) - TIMERS
    assert listed | IMPOSSIBLE[state] == set(E) and not listed & IMPOSSIBLE[state], "this test's own lists disagree"
    assert set(TRANSITIONS[state]) == listed, "the table has other pairs than RFC 4861 appendix C"


def test_a_permanent_entry_is_moved_by_nothing() -> None:
    for event, transition in TRANSITIONS[S.PERMANENT].items():
        assert (transition.state, transition.actions) == (S.PERMANENT, ()), event.value


def test_no_timer_outlives_its_state() -> None:
    """7.3.2: STALE has no timer; whatever leads there from a state with one stops it, unless it is what fired."""
    for (state, event), row in CELLS.items():
        timed = state in (S.INCOMPLETE, S.REACHABLE, S.DELAY, S.PROBE, S.UNREACHABLE)
        if timed and row.to is S.STALE and event not in TIMERS:
            assert A.STOP_TIMER in TRANSITIONS[state][event].actions, f"{state.value}: {event.value}"


def test_queued_packets_leave_after_the_address_is_recorded_and_errors_before_the_entry_goes() -> None:
    for transitions in TRANSITIONS.values():
        for event, transition in transitions.items():
            order = [action for action in transition.actions if action in (RECORD, QUEUE, A.REPORT_UNREACHABLE)]
            assert order in ([], [RECORD], [RECORD, QUEUE], [A.REPORT_UNREACHABLE]), event.value
            if A.DISCARD_ENTRY in transition.actions:
                assert transition.actions[-1] is A.DISCARD_ENTRY, f"{event.value}: the entry goes last"


def test_every_transition_names_its_clause() -> None:
    for state, transitions in TRANSITIONS.items():
        for event, transition in transitions.items():
            assert transition.clause, f"{state.value}: {event.value}"


ONE, OTHER = b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x02"

NAMES = {
    "S=1, same": ((True, True, ONE, ONE), E.SOLICITED_SAME),
    "S=1, O=0, same": ((True, False, ONE, ONE), E.SOLICITED_SAME),
    "S=1, none": ((True, True, ONE, None), E.SOLICITED_BARE),
    "S=1, O=1, another": ((True, True, ONE, OTHER), E.SOLICITED_OVERRIDE),
    "S=1, O=0, another": ((True, False, ONE, OTHER), E.SOLICITED_DIFFERENT),
    "S=0, same": ((False, True, ONE, ONE), E.UNSOLICITED_SAME),
    "S=0, O=0, same": ((False, False, ONE, ONE), E.UNSOLICITED_SAME),
    "S=0, none": ((False, False, ONE, None), E.UNSOLICITED_BARE),
    "S=0, O=1, another": ((False, True, ONE, OTHER), E.UNSOLICITED_OVERRIDE),
    "S=0, O=0, another": ((False, False, ONE, OTHER), E.UNSOLICITED_DIFFERENT),
    "S=1, O=0, first address": ((True, False, None, ONE), E.SOLICITED_DIFFERENT),
    "S=0, O=1, first address": ((False, True, None, ONE), E.UNSOLICITED_OVERRIDE),
    "S=1, nothing at all": ((True, True, None, None), E.SOLICITED_BARE),
}


@pytest.mark.parametrize(("given", "event"), NAMES.values(), ids=NAMES)
def test_which_event_an_advertisement_is(
    given: tuple[bool, bool, bytes | None, bytes | None], event: NeighborEvent
) -> None:
    assert advertised(*given) is event, "RFC 4861 7.2.5"


@pytest.mark.parametrize(
    ("known", "given", "event"),
    [
        (ONE, ONE, E.HEARD_SAME),
        (ONE, OTHER, E.HEARD_DIFFERENT),
        (None, ONE, E.HEARD_DIFFERENT),
        (ONE, None, E.HEARD_BARE),
        (None, None, E.HEARD_BARE),
    ],
    ids=["same", "another", "first", "none", "none and unknown"],
)
def test_which_event_another_message_is(known: bytes | None, given: bytes | None, event: NeighborEvent) -> None:
    assert heard(known, given) is event, "RFC 4861 appendix C"


# -- the same on a live host


NEW_MAC = bytes.fromhex("020070000099")
ANYCAST = "fe80::a:0:0:1"
PING = echo_request()


def entry_in(state: str, **settings: int) -> Play:
    """A host whose entry for the peer was brought into `state` by frames and time alone."""
    play = Play(**settings).start()
    play.add_address(ANYCAST, anycast=True)
    if state == "PERMANENT":
        play.interface.resolver.add_permanent(ip(PEER_LINK_LOCAL), PEER_MAC, play.now)
    elif state != "ABSENT":
        play.receive(PING)
    if state in ("REACHABLE", "STALE", "DELAY", "PROBE", "UNREACHABLE"):
        play.receive(advertisement(PEER_LINK_LOCAL))
    if state in ("STALE", "DELAY", "PROBE", "UNREACHABLE"):
        play.run(play.now + 45.0)  # no ReachableTime is longer (6.3.2)
    if state in ("DELAY", "PROBE", "UNREACHABLE"):
        play.receive(PING)
    if state in ("PROBE", "UNREACHABLE"):
        play.run(play.now + 5.0)
    if state == "UNREACHABLE":
        play.run(play.now + 3.0)
    assert (play.neighbour(PEER_LINK_LOCAL) or "ABSENT") == state, "how this test prepares the entry"
    play.sent()
    return play


def mac_of(play: Play) -> bytes | None:
    entry = play.interface.resolver.cache.get(ip(PEER_LINK_LOCAL))
    return entry.mac if entry is not None else None


STATES = ("ABSENT", "INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "UNREACHABLE", "PERMANENT")
OPTIONS = {"none": b"", "same": lladdr_option(2, PEER_MAC), "other": lladdr_option(2, NEW_MAC)}

# 7.2.5 in full: flags, link-layer address, then the new state from each of STATES; "=" unchanged, "*" new address
# recorded. From INCOMPLETE an unsolicited one leads to STALE and the queue that is sent then to DELAY (7.3.3).
ADVERTISEMENTS = """
    -   none   ABSENT INCOMPLETE = = = = = =
    O   none   ABSENT INCOMPLETE = = = = = =
    S   none   ABSENT INCOMPLETE REACHABLE REACHABLE REACHABLE REACHABLE REACHABLE =
    SO  none   ABSENT INCOMPLETE REACHABLE REACHABLE REACHABLE REACHABLE REACHABLE =
    -   same   ABSENT DELAY* = = = = STALE =
    O   same   ABSENT DELAY* = = = = STALE =
    S   same   ABSENT REACHABLE* REACHABLE REACHABLE REACHABLE REACHABLE REACHABLE =
    SO  same   ABSENT REACHABLE* REACHABLE REACHABLE REACHABLE REACHABLE REACHABLE =
    -   other  ABSENT DELAY* STALE = = = = =
    O   other  ABSENT DELAY* STALE* STALE* STALE* STALE* STALE* =
    S   other  ABSENT REACHABLE* STALE = = = REACHABLE* =
    SO  other  ABSENT REACHABLE* REACHABLE* REACHABLE* REACHABLE* REACHABLE* REACHABLE* =
"""

ADVERTISEMENT_CASES = [
    (flags.strip("-"), lladdr, state, new)
    for flags, lladdr, *columns in (line.split() for line in ADVERTISEMENTS.strip().splitlines())
    for state, new in zip(STATES, columns, strict=True)
]


@pytest.mark.parametrize(
    ("flags", "lladdr", "state", "new"),
    ADVERTISEMENT_CASES,
    ids=[f"{state}: NA {flags or 'no flags'} {lladdr} address" for flags, lladdr, state, _ in ADVERTISEMENT_CASES],
)
def test_advertisement_received(flags: str, lladdr: str, state: str, new: str) -> None:
    play = entry_in(state)
    before = mac_of(play)
    destination = OUR_LINK_LOCAL if "S" in flags else "ff02::1"
    play.receive(advertisement(PEER_LINK_LOCAL, destination=destination, flags=flags, options=OPTIONS[lladdr]))
    expected = state if new == "=" else new.rstrip("*")
    assert (play.neighbour(PEER_LINK_LOCAL) or "ABSENT") == expected, "RFC 4861 7.2.5: new state"
    given = {"none": None, "same": PEER_MAC, "other": NEW_MAC}[lladdr]
    assert mac_of(play) == (given if new.endswith("*") else before), "RFC 4861 7.2.5: recorded link-layer address"
    sent = play.sent()
    if state == "INCOMPLETE" and lladdr != "none":
        assert [(each.kind, each.to) for each in sent] == [(129, given)], "RFC 4861 7.2.5: queued packets are sent"
    else:
        assert sent == [], "RFC 4861 7.2.5: an advertisement is not answered"


# The router flag: what the advertisement says where it updates the entry, else what it was (7.2.5).
ROUTER_FLAG = {
    "II, no flags": ("R", "none", True),
    "II, same address": ("R", "same", True),
    "II, override": ("RO", "other", True),
    "II, solicited": ("RS", "same", True),
    "I: nothing else may change": ("R", "other", False),
    "I, solicited: nothing else may change": ("RS", "other", False),
}


@pytest.mark.parametrize("state", ["REACHABLE", "STALE", "DELAY", "PROBE"])
@pytest.mark.parametrize(("flags", "lladdr", "updated"), ROUTER_FLAG.values(), ids=ROUTER_FLAG)
def test_router_flag_follows_the_advertisement_only_where_it_updates(
    flags: str, lladdr: str, updated: bool, state: str
) -> None:
    play = entry_in(state)
    play.receive(advertisement(PEER_LINK_LOCAL, flags=flags, options=OPTIONS[lladdr]))
    entry = play.interface.resolver.cache.get(ip(PEER_LINK_LOCAL))
    assert entry is not None
    assert entry.is_router is updated, "RFC 4861 7.2.5: IsRouter"


# Solicitations for an anycast address are answered later, so what they do by themselves can be seen; then the
# answer leaves, which is a packet to send: "=" unchanged. State at once, address recorded, state after the answer.
SOLICITATIONS = {
    ("ABSENT", "same"): ("STALE", PEER_MAC, "DELAY"),
    ("ABSENT", "other"): ("STALE", NEW_MAC, "DELAY"),
    ("ABSENT", "none"): ("ABSENT", None, "INCOMPLETE"),
    # the queue leaves at once, and STALE with it
    ("INCOMPLETE", "same"): ("DELAY", PEER_MAC, "DELAY"),
    ("INCOMPLETE", "other"): ("DELAY", NEW_MAC, "DELAY"),
    ("INCOMPLETE", "none"): ("INCOMPLETE", None, "INCOMPLETE"),
    ("REACHABLE", "same"): ("REACHABLE", PEER_MAC, "REACHABLE"),
    ("REACHABLE", "other"): ("STALE", NEW_MAC, "DELAY"),
    ("REACHABLE", "none"): ("REACHABLE", PEER_MAC, "REACHABLE"),
    ("STALE", "same"): ("STALE", PEER_MAC, "DELAY"),
    ("STALE", "other"): ("STALE", NEW_MAC, "DELAY"),
    ("STALE", "none"): ("STALE", PEER_MAC, "DELAY"),
    ("DELAY", "same"): ("DELAY", PEER_MAC, "DELAY"),
    ("DELAY", "other"): ("STALE", NEW_MAC, "DELAY"),
    ("DELAY", "none"): ("DELAY", PEER_MAC, "DELAY"),
    ("PROBE", "same"): ("PROBE", PEER_MAC, "PROBE"),
    ("PROBE", "other"): ("STALE", NEW_MAC, "DELAY"),
    ("PROBE", "none"): ("PROBE", PEER_MAC, "PROBE"),
    ("UNREACHABLE", "same"): ("STALE", PEER_MAC, "DELAY"),
    ("UNREACHABLE", "other"): ("STALE", NEW_MAC, "DELAY"),
    ("UNREACHABLE", "none"): ("UNREACHABLE", PEER_MAC, "UNREACHABLE"),
    ("PERMANENT", "same"): ("PERMANENT", PEER_MAC, "PERMANENT"),
    ("PERMANENT", "other"): ("PERMANENT", PEER_MAC, "PERMANENT"),
    ("PERMANENT", "none"): ("PERMANENT", PEER_MAC, "PERMANENT"),
}


@pytest.mark.parametrize(
    ("state", "lladdr"), SOLICITATIONS, ids=[f"{state}: NS with {lladdr} address" for state, lladdr in SOLICITATIONS]
)
def test_solicitation_received(state: str, lladdr: str) -> None:
    at_once, mac, afterwards = SOLICITATIONS[state, lladdr]
    play = entry_in(state)
    options = {"none": b"", "same": lladdr_option(1, PEER_MAC), "other": lladdr_option(1, NEW_MAC)}[lladdr]
    play.receive(solicitation(ANYCAST, options=options))
    assert (play.neighbour(PEER_LINK_LOCAL) or "ABSENT") == at_once, "RFC 4861 7.2.3: new state"
    assert mac_of(play) == mac, "RFC 4861 7.2.3: recorded link-layer address"
    play.run(play.now + 0.999)
    assert play.neighbour(PEER_LINK_LOCAL) == afterwards, "RFC 4861 7.3.3: the answer is a packet sent"


@pytest.mark.parametrize(
    ("state", "new", "to"),
    [
        ("ABSENT", "INCOMPLETE", None),
        ("INCOMPLETE", "INCOMPLETE", None),
        ("REACHABLE", "REACHABLE", PEER_MAC),
        ("STALE", "DELAY", PEER_MAC),
        ("DELAY", "DELAY", PEER_MAC),
        ("PROBE", "PROBE", PEER_MAC),
        ("UNREACHABLE", "UNREACHABLE", PEER_MAC),
        ("PERMANENT", "PERMANENT", PEER_MAC),
    ],
)
def test_packet_to_send(state: str, new: str, to: bytes | None) -> None:
    play = entry_in(state)
    play.receive(PING)
    assert play.neighbour(PEER_LINK_LOCAL) == new, "RFC 4861 7.3.3: new state"
    sent = play.sent()
    if to is not None:
        assert [(each.kind, each.to) for each in sent] == [(129, to)], "RFC 4861 7.3.3: the packet leaves at once"
    else:
        expected = [135] if state == "ABSENT" else []
        assert [each.kind for each in sent] == expected, "RFC 4861 7.2.2: the packet waits"


@pytest.mark.parametrize("state", STATES)
def test_reachability_confirmation_from_above(state: str) -> None:
    play = entry_in(state)
    play.interface.resolver.confirm(ip(PEER_LINK_LOCAL), play.now)
    unmoved = ("ABSENT", "INCOMPLETE", "PERMANENT")
    expected = state if state in unmoved else "REACHABLE"
    assert (play.neighbour(PEER_LINK_LOCAL) or "ABSENT") == expected, "RFC 4861 7.3.1, 7.3.3"
    assert play.sent() == []


def kinds(frames: list[Sent]) -> list[int]:
    return [each.kind for each in frames]


# What time alone does: state, seconds, state then, solicitations sent meanwhile.
TIME = {
    "INCOMPLETE, N not reached": ("INCOMPLETE", 1.0, "INCOMPLETE", 1),
    "INCOMPLETE, before the last timeout": ("INCOMPLETE", 2.999, "INCOMPLETE", 2),
    "INCOMPLETE, N reached": ("INCOMPLETE", 3.0, "ABSENT", 2),
    "REACHABLE, before the shortest reachable time": ("REACHABLE", 14.9, "REACHABLE", 0),
    "REACHABLE, after the longest": ("REACHABLE", 45.0, "STALE", 0),
    "STALE, for a day": ("STALE", 86_400.0, "STALE", 0),
    "DELAY, before its end": ("DELAY", 4.999, "DELAY", 0),
    "DELAY, at its end": ("DELAY", 5.0, "PROBE", 1),
    "PROBE, N not reached": ("PROBE", 1.0, "PROBE", 1),
    "PROBE, before the last timeout": ("PROBE", 2.999, "PROBE", 2),
    "PROBE, N reached (RFC 7048 3)": ("PROBE", 3.0, "UNREACHABLE", 3),
    "UNREACHABLE and not used, for a day": ("UNREACHABLE", 86_400.0, "UNREACHABLE", 0),
    "PERMANENT, for a day": ("PERMANENT", 86_400.0, "PERMANENT", 0),
}


@pytest.mark.parametrize(("state", "seconds", "then", "solicitations"), TIME.values(), ids=TIME)
def test_time_passes(state: str, seconds: float, then: str, solicitations: int) -> None:
    play = entry_in(state)
    play.run(play.now + seconds)
    assert (play.neighbour(PEER_LINK_LOCAL) or "ABSENT") == then, "RFC 4861 7.3.3"
    assert kinds(play.sent()) == [135] * solicitations, "RFC 4861 7.2.2, 7.3.3: solicitations"


@pytest.mark.parametrize("event", ["NA, S=0, O=1", "NS"])
@pytest.mark.parametrize("state", ["REACHABLE", "DELAY", "PROBE", "UNREACHABLE"])
def test_stale_is_quiet_whatever_came_before(state: str, event: str) -> None:
    """7.3.2: while STALE no action takes place; nothing of the former state's timers is left."""
    play = entry_in(state)
    if event == "NS":
        play.interface.resolver.heard(ip(PEER_LINK_LOCAL), NEW_MAC, play.now)
    else:
        play.receive(advertisement(PEER_LINK_LOCAL, flags="O", options=lladdr_option(2, NEW_MAC)))
    play.run(play.now + 3_600.0)
    assert play.neighbour(PEER_LINK_LOCAL) == "STALE", "RFC 4861 7.3.2"
    assert play.sent() == [], "RFC 4861 7.3.3: if no traffic is sent, no probes are sent"


def test_a_confirmation_while_probing_ends_the_probes() -> None:
    play = entry_in("PROBE")
    play.run(play.now + 1.0)
    play.receive(advertisement(PEER_LINK_LOCAL, options=b""))
    play.sent()
    play.run(play.now + 14.0)
    assert play.sent() == [], "RFC 4861 7.3.3: retransmission lasts until reachability is confirmed"
    assert play.neighbour(PEER_LINK_LOCAL) == "REACHABLE"


def test_one_change_is_one_event() -> None:
    """A monitor hears of each state that is entered once."""
    play = entry_in("INCOMPLETE")
    play.events.clear()
    play.receive(advertisement(PEER_LINK_LOCAL, destination="ff02::1", flags="O"))
    states = [event.state for event in play.events if event.kind == "neighbour"]
    assert states == ["STALE", "DELAY"], "7.2.5, then 7.3.3: each once, in order"
