"""SEED section 3: queries, other listeners' reports, and what is not believed (RFC 2710 4, 5; RFC 3810 5.1, 6.2, 8)."""

import pytest

from stack.discard import Discard, Verdict
from tests.mld.common import (
    DONE,
    GLOBAL,
    GROUP,
    OTHER_GROUP,
    OUR_LINK_LOCAL,
    OUR_SOLICITED_NODE,
    QUERY,
    REPORT,
    V2_REPORT,
    V2_TAIL,
    Play,
    TwoLinks,
    about,
    heard,
    ip,
    joined,
    kinds,
    membership,
    mld_message,
    no_timer,
    query,
    ready,
    record,
    state,
    without_address,
)
from tests.mld.test_seed_2_timers import uniform_in_tenths
from tests.playbook import OUR_MAC, frame


def answers(play: Play, seconds: float = 20) -> list[int]:
    """Let the longest delay pass; what was said about the group."""
    play.run(play.now + seconds)
    return kinds(play.sent())


def counted(play: Play, reason: Discard) -> int:
    return play.host.counters.outcomes[reason]


@pytest.mark.parametrize("length", [4, 8, 23])
@pytest.mark.parametrize("kind", [QUERY, REPORT])
def test_S30_too_short(kind: int, length: int) -> None:
    play = joined()
    query(play, delay=5000)
    before = counted(play, Discard.MLD_TRUNCATED)
    outcome = play.receive(mld_message(kind, GROUP, cut=length, destination="ff02::1"))
    assert outcome is Discard.MLD_TRUNCATED
    assert counted(play, Discard.MLD_TRUNCATED) == before + 1
    assert answers(play) == [REPORT], "the answer to the valid query alone"
    assert play.sent() == []


def test_S30_no_answer_to_a_short_query() -> None:
    play = joined()
    query(play, delay=0, cut=23)
    play.run(play.now + 20)
    assert play.sent() == []


def test_S30_wrong_checksum() -> None:
    play = joined()
    octets = bytearray(mld_message(QUERY, "::", delay=0))
    octets[14 + 40 + 8 + 2] ^= 1
    assert play.receive(bytes(octets)) is Discard.ICMP_CHECKSUM
    assert answers(play) == []


@pytest.mark.parametrize("source", ["::", "2001:db8::1", "fec0::1"])
def test_S31_query_from_no_link_local_address(source: str) -> None:
    play = joined()
    assert query(play, delay=0, source=source) is Discard.MLD_SOURCE
    assert answers(play) == []


@pytest.mark.parametrize("source", ["::", "2001:db8::1"])
def test_S31_report_from_no_link_local_address_suppresses_nothing(source: str) -> None:
    play = joined()
    query(play, delay=5000)
    notes: list[object] = []
    play.host.journal.listen(notes.append)
    assert heard(play, source=source) is Discard.MLD_SOURCE
    assert any(Discard.MLD_SOURCE.text in getattr(note, "what", "") for note in notes), "K: with a trace event"
    assert answers(play) == [REPORT]


@pytest.mark.parametrize("hop_limit", [0, 2, 64, 255])
def test_S32_query_with_another_hop_limit(hop_limit: int) -> None:
    play = joined()
    assert query(play, delay=0, hop_limit=hop_limit) is Discard.MLD_HOP_LIMIT
    assert answers(play) == []


def test_S32_query_without_router_alert() -> None:
    play = joined()
    assert query(play, delay=0, alert=False) is Discard.MLD_ROUTER_ALERT
    assert answers(play) == []


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"code": 1}, id="code"),
        pytest.param({"code": 255}, id="code-255"),
        pytest.param({"reserved": 0xFFFF}, id="reserved"),
        pytest.param({"destination": OUR_LINK_LOCAL}, id="to-our-address"),
        pytest.param({"destination": OTHER_GROUP}, id="to-another-group-of-ours"),
        pytest.param({"destination": "ff02::1"}, id="to-all-nodes"),
    ],
)
@pytest.mark.parametrize("group", ["::", GROUP])
def test_S32_what_does_not_matter(group: str, options: dict[str, object]) -> None:
    play = joined(GROUP, OTHER_GROUP)
    assert query(play, group, delay=0, **({"destination": "ff02::1"} | options)) is Verdict.DELIVERED
    assert kinds(play.sent()) == [REPORT]


@pytest.mark.parametrize("extra", [V2_TAIL, V2_TAIL[:2] + b"\0\2" + bytes(32), bytes(1000)])
@pytest.mark.parametrize("group", ["::", GROUP])
def test_S33_version_2_query_is_answered_in_version_1(group: str, extra: bytes) -> None:
    play = joined()
    query(play, group, delay=1000, extra=extra)
    assert answers(play) == [REPORT]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_S33_length_between_the_versions(count: int) -> None:
    # RFC 3810 8.1: "Query messages that do not match any of the above conditions MUST be silently ignored."
    play = joined()
    assert query(play, delay=0, extra=bytes(count)) is Discard.MLD_LENGTH
    assert answers(play) == []


def test_S33_longer_report_suppresses() -> None:
    # RFC 2710 3.7: what is beyond the first 24 octets is ignored.
    play = joined()
    query(play, delay=5000)
    heard(play, extra=bytes(5))
    assert answers(play) == []


def test_S34_a_group_is_a_group_on_an_interface() -> None:
    two = TwoLinks()
    for interface in two.links:
        interface.listener.join(ip("ff02::99"), two.now)
    two.run(two.now + 20)
    first, second = two.links
    two.receive(mld_message(QUERY, "ff02::99", delay=0), first)
    frames = two.run(two.now + 20)
    assert [interface.name for interface, _ in frames] == [first.name]
    two.receive(mld_message(QUERY, "ff02::99", delay=5000), second)
    two.receive(mld_message(REPORT, "ff02::99"), first)
    frames = two.run(two.now + 20)
    assert [interface.name for interface, _ in frames] == [second.name], "the report was heard on the other link"


def test_S35_query_that_never_was_on_a_link() -> None:
    play = joined()
    octets = mld_message(QUERY, "::", delay=0, source=OUR_LINK_LOCAL, destination=OUR_LINK_LOCAL)[14:]
    play.interface.receive_own(octets, play.now)
    assert answers(play) == []


@pytest.mark.parametrize("group", ["fe80::99", "2001:db8::1", "::1", OUR_LINK_LOCAL])
def test_S36_query_for_no_group(group: str) -> None:
    play = joined()
    before = counted(play, Discard.MLD_NOT_MULTICAST)
    assert query(play, group, delay=0, destination="ff02::1") is Discard.MLD_NOT_MULTICAST
    assert counted(play, Discard.MLD_NOT_MULTICAST) == before + 1
    assert answers(play) == []


@pytest.mark.parametrize("destination", ["ff02::1", GROUP])
def test_S37_query_without_any_address(destination: str) -> None:
    play = joined()
    play.remove_address(OUR_LINK_LOCAL)
    play.sent()
    outcome = query(play, GROUP, delay=0, destination=destination)
    assert isinstance(outcome, Discard)
    play.run(play.now + 20)
    assert play.sent() == []


def test_S38_every_group_answers_once_whatever_it_hung_on() -> None:
    play = ready()
    play.join("ff05::1")
    play.add_address(GLOBAL)
    play.join("ff05::2")
    play.add_address("2001:db8::7:8")
    play.join("ff05::3")
    play.run(play.now + 20)
    play.remove_address(OUR_LINK_LOCAL)
    play.sent()
    query(play, delay=1000)
    play.run(play.now + 20)
    expected = ["ff02::1:ff05:6", "ff02::1:ff07:8", "ff05::1", "ff05::2", "ff05::3"]
    assert sorted(each.target for each in play.sent()) == expected


@pytest.mark.parametrize("delay", [0, 500])
@pytest.mark.parametrize("group", ["::", GROUP])
def test_S39_no_early_report_in_the_delay_of_the_join(group: str, delay: int) -> None:
    play = ready()
    start = play.now
    play.join(GROUP, delay=5.0)
    query(play, group, delay=delay)
    play.run(start + 40)
    times = [each - start for each, _, _ in about(play.sent())]
    assert times[0] == pytest.approx(5.0)
    assert len(times) == 2


def test_S40_query_for_one_group() -> None:
    play = joined(GROUP, OTHER_GROUP)
    query(play, OTHER_GROUP, delay=0)
    assert [each.target for each in play.sent()] == [OTHER_GROUP]


def test_S40_query_for_an_unknown_group() -> None:
    play = joined(OTHER_GROUP)
    assert query(play, GROUP, delay=0, destination="ff02::1") is Discard.MLD_UNKNOWN_GROUP
    play.run(play.now + 20)
    assert play.sent() == []


def test_S41_delay_0_is_now_in_the_order_of_joining() -> None:
    groups = [f"ff05::{number:x}" for number in range(1, 21)]
    play = joined(*groups)
    query(play, delay=0)
    assert [(each.time, each.target) for each in play.sent()] == [
        (play.now, group) for group in (OUR_SOLICITED_NODE, *groups)
    ]
    assert no_timer(play)


def test_S41_delay_0_cancels_the_repeat_and_sets_the_flag() -> None:
    play = ready()
    play.join(GROUP)
    heard(play)
    assert not record(play).last_reporter
    query(play, delay=5000)
    query(play, delay=0)
    assert kinds(play.sent()) == [REPORT, REPORT]
    assert record(play).last_reporter
    assert answers(play) == []


def test_S42_a_shorter_delay_hastens() -> None:
    for seed in range(100):
        play = joined(seed=seed)
        start = play.now
        query(play, delay=10_000)
        query(play, delay=1000)
        play.run(start + 30)
        times = [each for each, _, _ in about(play.sent())]
        assert len(times) == 1
        assert times[0] <= start + 1


def test_S42_a_longer_delay_does_not_put_off() -> None:
    for seed in range(100):
        play = joined(seed=seed)
        start = play.now
        query(play, delay=1000)
        query(play, delay=10_000)
        play.run(start + 30)
        times = [each for each, _, _ in about(play.sent())]
        assert len(times) == 1
        assert times[0] <= start + 1


def test_S42_an_equal_delay_does_not_restart() -> None:
    play = joined()
    query(play, delay=1000)
    timer = record(play).timer
    assert timer is not None
    # A maximum that is exactly what remains (in binary, so that nothing is rounded).
    play.now = timer.deadline - 0.25
    query(play, delay=250)
    assert record(play).timer is timer


@pytest.mark.parametrize("maximum", [1, 100, 10_000])
def test_S43_delay_is_uniform_in_the_range(maximum: int) -> None:
    delays = []
    for seed in range(1000):
        play = joined(seed=seed)
        start = play.now
        query(play, GROUP, delay=maximum)
        play.run(start + 20)
        ((at, _, _),) = about(play.sent())
        delays.append(at - start)
    assert min(delays) >= 0
    assert max(delays) <= maximum / 1000 + 1e-9
    if maximum >= 100:
        assert uniform_in_tenths(delays, maximum / 1000)


@pytest.mark.parametrize(
    "extra",
    [
        # RFC 3810 8.2.1: "the full range of this field is linear".
        pytest.param(b"", id="24-octets"),
        # RFC 2710 3.7: a listener of version 1 sees the same in a query of version 2. Read as RFC 3810 5.1.3
        # has it, the code would mean 65,536 ms; the answer is never late.
        pytest.param(V2_TAIL, id="28-octets"),
    ],
)
def test_S44_code_of_32768_and_more_is_linear(extra: bytes) -> None:
    delays = []
    for seed in range(300):
        play = joined(seed=seed)
        start = play.now
        query(play, GROUP, delay=0x9000, extra=extra)
        play.run(start + 70)
        ((at, _, _),) = about(play.sent())
        delays.append(at - start)
    assert max(delays) <= 36.864
    assert max(delays) > 35.0


def test_S44_largest_code() -> None:
    play = joined()
    query(play, GROUP, delay=0xFFFF)
    timer = record(play).timer
    assert timer is not None
    assert timer.deadline <= play.now + 65.535


@pytest.mark.parametrize("mac", [OUR_MAC, None])
def test_S45_own_report_reflected(mac: bytes | None) -> None:
    play = ready()
    play.join(GROUP)
    (sent,) = play.sent(REPORT)
    timer = record(play).timer
    octets = sent.frame if mac else sent.frame[:6] + bytes.fromhex("0200700000ff") + sent.frame[12:]
    assert play.receive(octets) is Discard.MLD_OWN_MESSAGE
    assert record(play).timer is timer
    assert record(play).last_reporter
    assert answers(play) == [REPORT]


def test_S45_own_report_from_an_address_that_is_gone() -> None:
    # The frame comes back late: the source is ours no more, the MAC is.
    play = joined()
    query(play, GROUP, delay=5000)
    assert heard(play, source="fe80::77", mac=OUR_MAC) is Discard.MLD_OWN_MESSAGE
    assert answers(play) == [REPORT]


def test_S45_own_report_from_unspecified_reflected() -> None:
    play = Play().start(until=None)
    play.join(GROUP)
    (sent,) = play.sent(REPORT)
    assert sent.source == "::"
    play.receive(sent.frame)
    assert record(play).last_reporter
    play.run(play.now + 30)
    assert len(kinds(play.sent())) == 2


@pytest.mark.parametrize("destination", ["ff02::1", OUR_LINK_LOCAL, GROUP, OTHER_GROUP])
def test_S46_destination_of_a_report_need_not_be_the_group(destination: str) -> None:
    # RFC 3810 5.2.14: "a node MUST accept and process any version 1 Report whose IP Destination Address field
    # contains *any* of the IPv6 addresses (unicast or multicast) assigned to the interface".
    play = joined(GROUP, OTHER_GROUP)
    query(play, GROUP, delay=5000)
    assert heard(play, destination=destination) is Verdict.DELIVERED
    assert answers(play) == []


@pytest.mark.parametrize("group", ["fe80::99", "::", "2001:db8::99"])
def test_S46_report_of_no_group(group: str) -> None:
    play = joined()
    query(play, delay=5000)
    assert heard(play, group, destination="ff02::1") is Discard.MLD_NOT_MULTICAST
    assert answers(play) == [REPORT]


def test_S46_report_of_another_group() -> None:
    play = joined()
    query(play, delay=5000)
    assert heard(play, OTHER_GROUP, destination="ff02::1") is Discard.MLD_UNKNOWN_GROUP
    assert answers(play) == [REPORT]


@pytest.mark.parametrize("why", ["repeat", "answer"])
def test_S47_heard_while_delaying(why: str) -> None:
    if why == "repeat":
        play = ready()
        play.join(GROUP)
        play.sent()
    else:
        play = joined()
        query(play, GROUP, delay=5000)
    heard(play)
    assert state(play) == "idle"
    assert answers(play) == [], "suppressed"
    play.leave(membership(play))
    assert answers(play) == [], "not the last reporter"


def test_S47_heard_while_repeats_are_left() -> None:
    play = ready(mld_qrv=5)
    play.run(100)
    play.join(GROUP)
    play.sent()
    heard(play)
    query(play, GROUP, delay=1000)
    assert answers(play, 100) == [REPORT], "the repeats are over, the answer is one"


def test_S47_heard_when_idle() -> None:
    # RFC 2710 5: a report "is ignored in the Non-Listener or Idle Listener state"; the Done stays due.
    play = joined()
    heard(play)
    play.leave(membership(play))
    assert answers(play) == [DONE]


def test_S48_delayed_first_report_is_not_suppressed() -> None:
    # A switch that snoops would otherwise never learn that the group is on this port.
    play = ready()
    start = play.now
    play.join(GROUP, delay=1.0)
    play.run(start + 0.5)
    heard(play)
    assert state(play) == "pending"
    play.run(start + 60)
    times = [each - start for each, _, _ in about(play.sent())]
    assert times[0] == pytest.approx(1.0)
    assert len(times) == 2


@pytest.mark.parametrize(
    ("kind", "destination"), [(DONE, "ff02::1"), (DONE, GROUP), (V2_REPORT, "ff02::1"), (V2_REPORT, GROUP)]
)
@pytest.mark.parametrize("delay", [0, 5000])
def test_S49_done_and_version_2_reports_change_nothing(kind: int, destination: str, delay: int) -> None:
    play = joined()
    if delay:
        query(play, GROUP, delay=delay)
    before = state(play), record(play).timer, record(play).last_reporter
    assert play.receive(mld_message(kind, GROUP, destination=destination)) is Discard.MLD_NOT_FOR_HOSTS
    assert (state(play), record(play).timer, record(play).last_reporter) == before
    assert answers(play) == ([REPORT] if delay else [])


@pytest.mark.parametrize("flag", [True, False])
def test_S50_a_query_with_a_delay_changes_no_flag(flag: bool) -> None:
    play = joined()
    record(play).last_reporter = flag
    query(play, delay=5000)
    assert record(play).last_reporter is flag
    query(play, delay=0)
    assert record(play).last_reporter


@pytest.mark.parametrize("addresses", ["valid", "tentative"])
def test_S85_query_from_our_own_address(addresses: str) -> None:
    play = joined() if addresses == "valid" else Play().start(until=None)
    before = counted(play, Discard.MLD_OWN_MESSAGE)
    play.sent()
    assert query(play, delay=0, source=OUR_LINK_LOCAL) is Discard.MLD_OWN_MESSAGE
    assert counted(play, Discard.MLD_OWN_MESSAGE) == before + 1
    assert play.sent() == []


def test_query_for_a_group_that_shares_our_mac_is_not_for_us() -> None:
    play = joined("ff02::99")
    assert query(play, GROUP, delay=0) is Discard.GROUP_NOT_JOINED
    assert play.sent() == []


def test_query_while_there_is_only_a_tentative_address_is_answered_from_unspecified() -> None:
    play = Play().start(until=None)
    play.join(GROUP)
    play.sent()
    query(play, GROUP, delay=0)
    assert [each[1:] for each in about(play.sent())] == [(REPORT, "::")]


def test_frames_of_every_length_do_no_harm() -> None:
    whole = mld_message(QUERY, "::", delay=0, extra=V2_TAIL)[14:]
    for length in range(len(whole) + 1):
        play = joined()
        outcome = play.receive(frame(whole[:length], to=bytes.fromhex("333300000001")))
        assert (outcome is Verdict.DELIVERED) == (length == len(whole))


def test_no_address_then_one_again() -> None:
    play = without_address()
    play.join(GROUP)
    assert query(play, delay=0, destination=GROUP) is Discard.MLD_NO_ADDRESS
    play.add_address("fe80::1", nodad=True)
    assert kinds(play.sent()) == [REPORT]
