"""The journal: nothing while nobody listens; then each decision with its clause, its cause and its frame number."""

import pytest

from stack.discard import Discard, Verdict
from stack.journal import Journal, Record
from tests.playbook import (
    OUR_LINK_LOCAL,
    PEER_LINK_LOCAL,
    Play,
    advertisement,
    echo_request,
    frame,
    ip,
    mld_message,
    packet,
    solicitation,
)

FRAMES = {
    "runt": b"\0" * 5,
    "not for us": echo_request()[6:12] + echo_request()[6:],
    "version": echo_request()[:14] + b"\x40" + echo_request()[15:],
    "checksum": echo_request()[:56] + b"\0\0" + echo_request()[58:],
    "tentative or absent": echo_request("fe80::dead"),
    "hop limit": solicitation(OUR_LINK_LOCAL, hop_limit=254),
    "next header": frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, b"", next_header=253)),
    "unknown group": mld_message(131, "ff02::1:ff00:1", hop_limit=1, source="2001:db8::1"),
    "echo": echo_request(),
    "solicitation": solicitation(OUR_LINK_LOCAL),
    "advertisement": advertisement(PEER_LINK_LOCAL),
    "query": mld_message(130, "::"),
    "no next header": frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, b"", next_header=59)),
}


@pytest.fixture
def play() -> Play:
    play = Play().start()
    play.receive(solicitation(OUR_LINK_LOCAL))
    play.sent()
    return play


def test_off_builds_no_record(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """STYLE: no log call per packet; off, the journal costs one test of a flag."""

    def called(*_: object, **__: object) -> None:
        raise AssertionError("the journal was called while it is off")

    monkeypatch.setattr(Journal, "note", called)
    monkeypatch.setattr(Journal, "begin", called)
    assert play.host.journal.on is False
    for octets in FRAMES.values():
        play.receive(octets)
    membership = play.join("ff02::99")
    play.leave(membership)
    play.run(100.0)


@pytest.mark.parametrize("octets", FRAMES.values(), ids=FRAMES)
def test_each_frame_has_its_outcome_with_a_clause(play: Play, octets: bytes) -> None:
    """DESIGN rule 5: the journal shows every frame's one outcome; a record carries its clause and its cause."""
    records: list[Record] = []
    play.host.journal.listen(records.append)
    outcome = play.host.receive(octets, play.now)
    number = play.host.counters.frames_in
    final = [record for record in records if record.layer == "host"]
    assert len(final) == 1
    assert final[0] is records[-1]
    assert all((record.frame, record.cause, record.time) == (number, f"frame {number}", play.now) for record in records)
    if isinstance(outcome, Discard):
        assert outcome.text in final[0].what
        assert final[0].clause == outcome.clause != ""
    else:
        assert isinstance(outcome, Verdict)
        assert any(record.clause for record in records), "a delivered frame names no clause at all"


def test_frames_are_numbered_as_they_are_counted(play: Play) -> None:
    records: list[Record] = []
    play.host.journal.listen(records.append)
    first = play.host.counters.frames_in
    for octets in FRAMES.values():
        play.receive(octets)
    numbers = [record.frame for record in records if record.layer == "host"]
    assert numbers == list(range(first + 1, first + 1 + len(FRAMES)))


def test_a_transition_names_both_states_and_its_clause(play: Play) -> None:
    """Our answer put the peer into DELAY (7.3.3); its solicited advertisement makes it REACHABLE (RFC 4861 7.2.5)."""
    records: list[Record] = []
    play.host.journal.listen(records.append)
    play.receive(advertisement(PEER_LINK_LOCAL, flags="SO"))
    moved = [record for record in records if record.layer == "nd"]
    assert [(record.before, record.after) for record in moved] == [("DELAY", "REACHABLE")]
    assert moved[0].clause.startswith("RFC 4861 7.2.5")
    assert PEER_LINK_LOCAL in moved[0].what


def test_what_a_timer_does_is_caused_by_a_timer(play: Play) -> None:
    """The reachable time is over: no frame did it."""
    records: list[Record] = []
    play.receive(advertisement(PEER_LINK_LOCAL, flags="SO"))
    play.host.journal.listen(records.append)
    play.run(play.now + 60.0)
    moved = [record for record in records if record.layer == "nd"]
    assert [(record.before, record.after) for record in moved] == [("REACHABLE", "STALE")]
    assert [(record.cause, record.frame) for record in moved] == [("timer", None)]


def test_what_a_call_does_is_not_laid_to_the_last_frame(play: Play) -> None:
    """`frame` is the number of the received frame that caused a record, or None: a join by the user has none."""
    records: list[Record] = []
    play.host.journal.listen(records.append)
    play.host.receive(echo_request(), play.now)
    records.clear()
    play.interface.listener.join(ip("ff02::99"), play.now)
    assert records
    assert {record.frame for record in records} == {None}


def test_unlistened_is_off_again(play: Play) -> None:
    journal, records = play.host.journal, []
    journal.listen(records.append)
    assert journal.on
    journal.unlisten(records.append)
    journal.unlisten(print)
    assert not journal.on
    play.receive(echo_request())
    assert records == []


def test_all_listeners_hear_all_records() -> None:
    journal = Journal()
    one: list[Record] = []
    other: list[Record] = []
    journal.listen(one.append)
    journal.listen(other.append)
    journal.begin("frame 7", 7)
    journal.note(1.5, "nd", "something", "RFC 4861 7.2.5", "STALE", "DELAY")
    assert one == other == [Record(1.5, 7, "frame 7", "nd", "something", "RFC 4861 7.2.5", "STALE", "DELAY")]


def test_listening_changes_nothing_on_the_link() -> None:
    """The same run with and without a listener sends the same octets at the same times."""

    def run(listen: bool) -> list[tuple[float, bytes]]:
        play = Play(seed=9)
        if listen:
            play.host.journal.listen(lambda record: None)
        play.start(until=None)
        for number, octets in enumerate(FRAMES.values()):
            play.run(number * 1.0)
            play.receive(octets)
        play.run(60.0)
        return [(each.time, each.frame) for each in play.sent()]

    assert run(True) == run(False)
