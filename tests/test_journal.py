"""The journal: nothing while nobody listens; then each decision with its clause, its cause and its frame number."""

import ast
from pathlib import Path

import pytest

from stack.discard import Discard, Verdict
from stack.explain.timers import WORDS
from stack.journal import CHAIN_MAX, Cause, FrameSeen, Journal, Record
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

ROOT = Path(__file__).resolve().parents[1]

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
    for name in ("begin_frame", "begin_timer", "begin_call", "end", "sent"):
        monkeypatch.setattr(Journal, name, called)
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
    number = records[-1].frame
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


class Watching:
    """All that a watcher is told, in order: records, frames, and "end"."""

    def __init__(self) -> None:
        self.told: list[Record | FrameSeen | str] = []

    def record(self, record: Record) -> None:
        self.told.append(record)

    def frame(self, seen: FrameSeen) -> None:
        self.told.append(seen)

    def end(self) -> None:
        self.told.append("end")

    @property
    def frames(self) -> list[FrameSeen]:
        return [each for each in self.told if isinstance(each, FrameSeen)]


def test_frames_in_and_out_are_numbered_together_in_their_order(play: Play) -> None:
    """A capture of the link from the start would give them the same numbers."""
    watching = Watching()
    play.host.journal.watch(watching)
    first = play.host.counters.frames_in + play.host.counters.frames_out
    play.receive(FRAMES["echo"])
    play.receive(FRAMES["runt"])
    play.receive(FRAMES["solicitation"])
    seen = [(each.number - first, each.inbound, each.frame) for each in watching.frames]
    sent = [each.frame for each in play.sent()]
    assert seen == [
        (1, True, FRAMES["echo"]),
        (2, False, sent[0]),
        (3, True, FRAMES["runt"]),
        (4, True, FRAMES["solicitation"]),
        (5, False, sent[1]),
    ]
    assert [each.because.frame for each in watching.frames if not each.inbound] == [first + 1, first + 4]


def test_a_watcher_is_told_where_a_cause_ends(play: Play) -> None:
    watching = Watching()
    play.host.journal.watch(watching)
    play.receive(FRAMES["runt"])
    kinds = [each if isinstance(each, str) else type(each).__name__ for each in watching.told]
    assert kinds == ["FrameSeen", "Record", "end"]
    play.host.journal.unwatch(watching)
    play.host.journal.unwatch(watching)
    assert not play.host.journal.on


def test_a_timer_remembers_what_it_was_armed_for(play: Play) -> None:
    """A ping makes the neighbour DELAY, its timer PROBE, and that one's timer another probe: one call behind it all."""
    records: list[Record] = []
    play.receive(advertisement(PEER_LINK_LOCAL, flags="SO"))
    play.run(play.now + 60.0)  # STALE by now
    play.host.journal.listen(records.append)
    play.host.journal.begin_call("call ping", play.now)
    play.ping(PEER_LINK_LOCAL)
    play.host.journal.end()
    play.run(play.now + 7.0)
    probing = [record for record in records if record.before == "DELAY"]
    causes = [cause.text for cause in probing[0].because.chain()]
    assert causes == [f"timer: neighbour {PEER_LINK_LOCAL}", "call ping"]
    assert records[-1].because.chain()[-1].text == "call ping"


def test_a_chain_of_causes_has_an_end(play: Play) -> None:
    """Timers that arm one another for ever keep no more than so many causes alive."""
    journal = play.host.journal
    journal.listen(lambda record: None)

    def again(name: str, now: float) -> None:
        play.host.timers.at(now + 1.0, again, "one" if name == "other" else "other")
        causes.append(journal.because)

    causes: list[Cause] = []
    play.host.timers.at(play.now, again, "one")
    play.run(play.now + 100.0)
    assert len(causes) > 90
    assert max(len(cause.chain()) for cause in causes) <= CHAIN_MAX


def test_every_timer_has_its_words() -> None:
    """What a timer was for is told in the RFCs' words, not by the name of a function."""
    missing = []
    for path in sorted((ROOT / "stack").rglob("*.py")):
        if path.relative_to(ROOT).parts[1] not in ("ip6", "icmp6", "nd", "mld", "udp", "interface.py"):
            continue
        for holder in ast.walk(tree := ast.parse(path.read_text(encoding="utf-8"))):
            for call in ast.walk(holder) if isinstance(holder, ast.ClassDef) or holder is tree else ():
                if isinstance(call, ast.Call) and ast.unparse(call.func).endswith((".at", "timers.at")):
                    missing += _without_words(call, holder)
    assert not missing


def _without_words(call: ast.Call, holder: ast.AST) -> list[str]:
    if len(call.args) < 2:
        return []
    name = ast.unparse(call.args[1])
    if name.startswith("self._") and isinstance(holder, ast.ClassDef):
        name = f"{holder.name}.{name.removeprefix('self.')}"
    elif name.startswith("self._") or name == "callback":
        return []
    elif name == "routes.path_mtu_expired":
        name = "Routes.path_mtu_expired"
    elif name.endswith(".receive_own"):
        name = "Interface.receive_own"
    return [] if name in WORDS else [name]


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
    assert [(record.cause, record.frame) for record in moved] == [(f"timer: neighbour {PEER_LINK_LOCAL}", None)]


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
    journal.begin_call("call 7", 1.0)
    journal.note(1.5, "nd", "something", "RFC 4861 7.2.5", "STALE", "DELAY")
    cause = Cause("call 7", 1.0)
    assert one == other == [Record(1.5, cause, "nd", "something", "RFC 4861 7.2.5", "STALE", "DELAY")]


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


def test_a_listener_may_want_some_layers_alone(play: Play) -> None:
    records: list[Record] = []
    play.host.journal.listen(records.append, "icmp6", "routes")
    play.receive(echo_request())
    play.join("ff02::99")
    assert {record.layer for record in records} == {"icmp6"}
    play.host.journal.unlisten(records.append)
    assert not play.host.journal.on
