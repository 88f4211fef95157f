"""What broke the multicast listeners of other stacks."""

import pytest

from stack.discard import Discard, Verdict
from tests.known_bugs.rows import discarded, row, still_answers
from tests.mld.common import DONE, GROUP, QUERY, REPORT, joined, kinds, query, ready
from tests.mld.version2 import ask, joined2, many, query_frame, ready2, said
from tests.playbook import IS_EX, OUR_LINK_LOCAL, TO_IN, Play, frame, icmp, ip, mld_message, packet


@row("thousands of queries and reports, valid or not", "memory stays flat: every table and the timers are as before")
def test_a_stream_of_listener_messages_leaves_nothing_behind() -> None:
    play = joined2(GROUP)
    frames = [
        *(query_frame(), query_frame(GROUP, "2001:db8::1", count=9), mld_message(REPORT, GROUP)),
        *(mld_message(REPORT, GROUP, alert=False), mld_message(130, "::", hop_limit=64), mld_message(DONE, GROUP)),
    ]
    for number in range(3_000):
        play.receive(frames[number % len(frames)])
    play.run(play.now + 400)
    assert len(play.interface.listener.groups.records) == 2 + 1
    assert len(play.host.timers) < 10
    still_answers(play)


@row(
    "a link-local query while the link takes no frame", "the report is lost and counted, and the next query is answered"
)
def test_a_report_that_cannot_be_sent() -> None:
    play = joined(GROUP)
    play.host.settings.tx_queue_len = 1
    query(play, delay=0)
    play.sent()
    play.host.settings.tx_queue_len = 100
    query(play, delay=0)
    assert kinds(play.sent()) == [REPORT]


@row("a version 2 query that claims more sources than it has octets", "discarded as too short")
def test_a_query_with_sources_beyond_its_end() -> None:
    play = joined2(GROUP)
    discarded(play, query_frame(GROUP, "2001:db8::1", count=2), Discard.MLD_TRUNCATED)
    discarded(play, query_frame(GROUP, count=65_535), Discard.MLD_TRUNCATED)


@row("a query with a maximum response code of 0", "one report, at once; no division and no empty range")
def test_maximum_response_code_0() -> None:
    play = joined(GROUP)
    query(play, GROUP, delay=0)
    assert kinds(play.sent()) == [REPORT]


@row("a query with a maximum response code of 8000 to ffff", "read as mantissa and exponent: at most 8,387,584 ms")
@pytest.mark.parametrize(("code", "milliseconds"), [(0x8000, 32_768), (0xFFFF, 8_387_584), (0x7FFF, 32_767)])
def test_a_floating_maximum_response_code(code: int, milliseconds: int) -> None:
    play = joined2(GROUP)
    ask(play, GROUP, code=code)
    assert said(play.sent()) == []
    play.run(play.now + milliseconds / 1000)
    assert [kind for kind, _, _ in said(play.sent())] == [IS_EX]


@row("a general query to a host in a thousand groups", "one walk over the groups: linear work, and it ends")
def test_a_general_query_to_many_groups_costs_linear_work() -> None:
    def steps(count: int) -> int:
        import sys

        play = joined2(*many(count))
        counted = 0

        def count_one(*_: object) -> None:
            nonlocal counted
            counted += 1

        sys.setprofile(count_one)
        try:
            ask(play, code=0)
        finally:
            sys.setprofile(None)
        return counted

    assert steps(800) < 8.8 * steps(100)


@row("the last reporter of a group leaves it", "version 1 says Done, version 2 a change to include nothing")
def test_leaving_as_the_last_reporter() -> None:
    play = ready()
    membership = play.join(GROUP)
    play.run(play.now + 11)
    play.sent()
    play.leave(membership)
    assert kinds(play.sent()) == [DONE]
    play = ready2()
    membership = play.join(GROUP)
    play.run(play.now + 5)
    play.sent()
    play.leave(membership)
    play.run(play.now + 5)
    assert {kind for kind, _, _ in said(play.sent())} == {TO_IN}


@row("a query with a hop limit other than 1", "discarded")
@pytest.mark.parametrize("hop_limit", [0, 2, 64, 255])
def test_a_query_from_further_away(hop_limit: int) -> None:
    discarded(joined(GROUP), mld_message(QUERY, GROUP, hop_limit=hop_limit), Discard.MLD_HOP_LIMIT)


@row("a query from a global address, or from ::", "discarded")
@pytest.mark.parametrize("source", ["2001:db8::1", "::"])
def test_a_query_from_no_link_local_address(source: str) -> None:
    discarded(joined(GROUP), mld_message(QUERY, GROUP, source=source), Discard.MLD_SOURCE)


@row("a query without the router alert option", "discarded")
def test_a_query_without_router_alert() -> None:
    discarded(joined(GROUP), mld_message(QUERY, GROUP, alert=False), Discard.MLD_ROUTER_ALERT)


@row("joins of ff02::1, and of groups of scope 0 and 1", "never reported, whoever asks")
@pytest.mark.parametrize("group", ["ff02::1", "ff01::1", "ff01::99"])
def test_groups_that_are_never_reported(group: str) -> None:
    play = ready()
    play.join(group)
    play.run(play.now + 20)
    query(play, delay=0)
    play.run(play.now + 20)
    assert kinds(play.sent(), group) == []


@row("a general query, which has no group", "a path of its own: every group is reported")
def test_a_general_query_has_no_group() -> None:
    play = joined(GROUP, "ff05::98")
    query(play, "::", delay=0)
    sent = play.sent()
    assert kinds(sent, GROUP) == kinds(sent, "ff05::98") == [REPORT]


@row("a query of 25 to 27 octets, of neither version", "discarded")
@pytest.mark.parametrize("extra", [1, 2, 3])
def test_a_query_between_the_versions(extra: int) -> None:
    discarded(joined(GROUP), mld_message(QUERY, GROUP, extra=bytes(extra)), Discard.MLD_LENGTH)


@row("a query, report or Done cut short in its group", "discarded")
@pytest.mark.parametrize("kind", [QUERY, REPORT])
@pytest.mark.parametrize("cut", [4, 8, 23])
def test_a_listener_message_cut_short(kind: int, cut: int) -> None:
    discarded(joined(GROUP), mld_message(kind, GROUP, cut=cut), Discard.MLD_TRUNCATED)


@row("a version 2 report whose records run past its end", "changes nothing in a host, however long it claims to be")
def test_a_report_that_lies_about_its_records() -> None:
    message = icmp("fe80::7", "ff02::16", 143, 0, b"\0\0\xff\xff" + b"\4\xff\xff\xff" + ip(GROUP))
    octets = packet("fe80::7", "ff02::16", bytes.fromhex("3a00050200000100") + message, next_header=0, hop_limit=1)
    play = joined2(GROUP)
    play.join("ff02::16")
    play.run(play.now + 10)
    discarded(play, frame(octets), Discard.MLD_NOT_FOR_HOSTS)


@row("a query for a group address that is none", "discarded")
def test_a_query_for_a_unicast_address() -> None:
    play: Play = joined(GROUP)
    octets = mld_message(QUERY, "2001:db8::1", destination="ff02::1")
    discarded(play, octets, Discard.MLD_NOT_MULTICAST)


@row("our own report, reflected by the link", "discarded: it suppresses nothing")
def test_our_own_report_reflected() -> None:
    play = joined(GROUP)
    query(play, GROUP, delay=5_000)
    outcome = play.receive(mld_message(REPORT, GROUP, source=OUR_LINK_LOCAL, mac=play.interface.mac))
    assert outcome is Discard.MLD_OWN_MESSAGE
    play.run(play.now + 6)
    assert kinds(play.sent()) == [REPORT]


@row("hundreds of queries with a maximum response code of 0", "answers keep to mld_ratelimit packets per second")
def test_a_flood_of_queries_does_not_become_a_flood_of_answers() -> None:
    play = joined(GROUP, mld_ratelimit=10)
    for _ in range(500):
        assert query(play, GROUP, delay=0) in (Verdict.ANSWERED, Verdict.DELIVERED)
    play.run(play.now + 5)
    assert len(kinds(play.sent())) <= 100
