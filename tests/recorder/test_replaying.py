"""What was recorded is repeated: the same frames at the same times, byte for byte, from the bundle alone."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stack.discard import Outcome
from stack.errors import RefusedError, UsageError
from stack.explain.timers import timer_words
from stack.host import Host
from stack.ip6 import input as ip6_input
from stack.recorder.bundle import is_bundle, pack, read_bundle, replay_bundle, unpack
from stack.recorder.replaying import Replay, Replayed
from stack.recorder.ring import Recorder
from stack.recorder.story import CALL
from tests.playbook import OUR_LINK_LOCAL, PEER_LINK_LOCAL, Play, echo_request, ip, solicitation
from tests.recorder.lives import Life, Sent, lives, new_host

ROOT = Path(__file__).resolve().parents[2]


def replayed(recorder: Recorder) -> Replayed:
    return Replay(unpack(pack(recorder.stretch(), 0.0, 0.0)).stretch).run()


def as_sent(result: Replayed) -> Sent:
    return [(each.time, result.host.interfaces[each.interface].name, each.frame) for each in result.sent]


def recorded_life(seed: int, **settings: int) -> tuple[Life, Recorder]:
    """A life with a recorder from before its start."""
    life = Life(new_host(seed, use_tempaddr=2, **settings), seed)
    recorder = Recorder(life.host)
    life.start()
    return life, recorder


def state(host: Host) -> object:
    """The generator, the counters, and every timer with what it is about."""
    heap = sorted(host.timers._heap, key=lambda each: each[:2])
    timers = [(each[0], timer_words(each[2]._callback, each[2]._arguments)) for each in heap if each[2]._callback]
    return host.rng.getstate(), host.counters.as_dict(), timers


@pytest.mark.parametrize("seed", range(10))
def test_a_life_is_repeated_byte_for_byte_and_ends_in_the_same_state(seed: int) -> None:
    life, recorder = recorded_life(seed)
    sent = life.lead(400)
    result = replayed(recorder)
    assert result.error is None
    assert result.difference() == ""
    assert result.equal
    assert as_sent(result) == sent
    assert result.frames > 50
    assert result.calls > 20
    assert state(result.host) == state(life.host)


def test_only_what_the_ring_holds_is_repeated_and_that_is_the_end_of_it() -> None:
    life, recorder = recorded_life(3, record_limit=65_536)
    sent = life.lead(3000)
    result = replayed(recorder)
    assert result.equal
    assert 20 < len(result.sent) < len(sent)
    assert as_sent(result) == sent[-len(result.sent) :]
    assert result.host.rng.getstate() == life.host.rng.getstate()


def test_the_ring_stays_within_its_limit() -> None:
    life, recorder = recorded_life(4, record_limit=200_000)
    sizes = []
    for _ in range(40):
        life.lead(100)
        sizes.append(len(pack(recorder.stretch(), 0.0, 0.0)))
        entries = recorder.stretch().entries
        assert sum(len(each) for entry in entries for each in entry if isinstance(each, bytes)) <= 200_000
        assert len(entries) < 200_000 / 160 * 2
    assert len(replayed(recorder).sent) > 20


def test_recording_changes_nothing() -> None:
    life, _ = recorded_life(5)
    (plain,) = lives(range(5, 6))
    assert life.lead(300) == plain.lead(300)


def test_a_recorder_that_is_begun_late_knows_what_it_has_seen() -> None:
    (life,) = lives(range(6, 7))
    life.lead(200)
    recorder = Recorder(life.host)
    sent = life.lead(200)
    assert as_sent(replayed(recorder)) == sent


def test_a_recorder_that_is_stopped_hears_no_more() -> None:
    life, recorder = recorded_life(7)
    life.lead(50)
    recorder.stop()
    before = len(recorder.stretch().entries)
    life.lead(50)
    assert len(recorder.stretch().entries) == before


def test_a_driver_that_refuses_refuses_again() -> None:
    play = Play()
    recorder = Recorder(play.host)
    play.start()
    play.refuse_filter = True
    with pytest.raises(OSError, match="refused"):
        play.join("ff05::77")
    play.refuse_filter = False
    play.join("ff05::78")
    play.run(play.now + 30)
    result = replayed(recorder)
    assert result.equal
    assert ip("ff05::77") not in result.host.interfaces[3].listener.groups.records
    assert ip("ff05::78") in result.host.interfaces[3].listener.groups.records


def test_options_of_sockets_and_refused_calls_are_part_of_it() -> None:
    play = Play().start().meet()
    recorder = Recorder(play.host)
    socket = play.host.udp.open(play.interface)
    socket.reuse = True
    socket.unicast_hops = 7
    socket.bind(None, 5000)
    other = play.host.udp.open(play.interface)
    with pytest.raises(RefusedError):
        other.bind(None, 5000)
    socket.send(b"one", ip(PEER_LINK_LOCAL), 9, play.now)
    socket.close(play.now)
    with pytest.raises(RefusedError):
        socket.send(b"two", ip(PEER_LINK_LOCAL), 9, play.now)
    play.settle()
    result = replayed(recorder)
    assert result.equal
    (sent,) = result.sent
    assert sent.frame[21] == 7
    assert list(result.host.udp.sockets) == [other.number]


def test_frames_that_are_answered_in_batches_are_repeated_one_by_one() -> None:
    """Echo requests of known headers take a short way, which leaves what the long one leaves."""
    play = Play().start().meet()
    play.host.set_setting("record_limit", "65536")
    recorder = Recorder(play.host)
    sent: list[bytes] = []
    for number in range(60):
        play.host.receive_batch([echo_request(sequence=number)] * 9, play.now + number, play.interface)
        sent += [frame for _, frame in play.host.output()]
    result = replayed(recorder)
    assert result.equal
    assert 100 < len(result.sent) < len(sent) == 540, "the ring has moved on"
    found = [each.frame for each in result.sent]
    assert found[-50:] == sent[-50:]
    rest = iter(sent)
    assert all(frame in rest for frame in found), "what is left is in its order"
    assert state(result.host) == state(play.host)


def test_a_membership_is_ended_by_its_name() -> None:
    play = Play().start()
    recorder = Recorder(play.host)
    kept, ended = play.join("ff05::77"), play.join("ff05::77")
    play.leave(ended)
    play.leave(ended)
    play.run(play.now + 30)
    result = replayed(recorder)
    assert result.equal
    assert result.host.interfaces[3].listener.groups.records[ip("ff05::77")].memberships.keys() == {kept.id}


def test_what_cannot_be_told_again_begins_a_new_stretch() -> None:
    """Something that is no data went into the host: what came before explains nothing any more."""
    play = Play().start()
    recorder = Recorder(play.host)
    play.receive(echo_request())
    with pytest.raises(TypeError):
        play.interface.addresses.add(object(), 64, play.now)  # type: ignore[arg-type]
    assert recorder.stretch().entries == []
    play.receive(solicitation(OUR_LINK_LOCAL))
    result = replayed(recorder)
    assert result.frames == 1
    assert result.equal


def test_every_call_is_one_that_exists() -> None:
    """A bundle that names another method than the recorded ones calls nothing."""
    play = Play().start()
    recorder = Recorder(play.host)
    play.join("ff05::77")
    stretch = recorder.stretch()
    (number,) = (n for n, entry in enumerate(stretch.entries) if entry[0] == CALL)
    entry = stretch.entries[number]
    stretch.entries[number] = (*entry[:3], "purge", (), {})
    result = Replay(stretch).run()
    assert result.calls == 1
    assert ip("ff05::77") not in result.host.interfaces[3].listener.groups.records
    assert not result.equal
    assert result.difference() == "0 frames went out, and 1 were recorded"


_ELSEWHERE = """
import sys
from pathlib import Path
from typing import Any
from stack.recorder.bundle import replay_bundle
result = replay_bundle(Path(sys.argv[1]))
print(result.equal, len(result.sent), result.difference())
"""


def test_another_process_repeats_the_file(tmp_path: Path) -> None:
    life, recorder = recorded_life(8)
    sent = life.lead(400)
    path = tmp_path / "a.bundle"
    path.write_bytes(pack(recorder.stretch(), life.now, 0.0))
    assert is_bundle(path)
    done = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE, str(path)],
        capture_output=True,
        check=True,
        cwd=ROOT,
        env={"PYTHONHASHSEED": "77"},
        text=True,
    )
    assert done.stdout == f"True {len(sent)} \n"


def test_an_internal_error_is_repeated_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The frame at which the host broke is the last of the story, and breaks its copy in the same way."""
    play = Play().start()
    recorder = Recorder(play.host)
    play.receive(solicitation(OUR_LINK_LOCAL))

    sound = ip6_input.receive

    def broken(*arguments: Any, **named: Any) -> Outcome:
        if b"abcdefgh" in arguments[1]:
            raise ZeroDivisionError("a defect")
        return sound(*arguments, **named)

    monkeypatch.setattr("stack.ip6.input.receive", broken)
    with pytest.raises(ZeroDivisionError):
        play.host.receive(echo_request(), play.now)
    result = replayed(recorder)
    assert isinstance(result.error, ZeroDivisionError)
    assert result.equal


@pytest.mark.parametrize("cut", [0, 3, 100, 2000])
def test_a_damaged_bundle_is_one_line(tmp_path: Path, cut: int) -> None:
    life, recorder = recorded_life(9)
    life.lead(50)
    octets = pack(recorder.stretch(), 0.0, 0.0)
    path = tmp_path / "b"
    path.write_bytes(octets[:cut])
    with pytest.raises(RefusedError, match=r"b: this is no bundle"):
        replay_bundle(path)
    path.write_bytes(octets[:-3000] + bytes(16) + octets[-2984:])
    with pytest.raises(RefusedError, match="damaged"):
        read_bundle(path)
    with pytest.raises(UsageError, match="No such file"):
        read_bundle(tmp_path / "c")
    assert not is_bundle(tmp_path / "c")


def test_a_bundle_of_another_version_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    life, recorder = recorded_life(9)
    octets = pack(recorder.stretch(), life.now, 0.0)
    monkeypatch.setattr("stack.recorder.bundle.__version__", "99.0")
    with pytest.raises(RefusedError, match=r"written by version .*, and this is 99\.0"):
        unpack(octets)


def test_what_known_headers_answer_is_recorded_too() -> None:
    """A batch of requests, most of which do not go through the parser, is repeated like anything else."""
    play = Play(dad_transmits=0)
    recorder = Recorder(play.host)
    play.start(2.0)
    play.meet()
    requests = [echo_request(sequence=number, data=bytes(number % 3)) for number in range(20)]
    play.host.receive_batch(requests, play.now, play.interface)
    play.settle()
    replies = [each.frame for each in play.sent(129)]
    result = replayed(recorder)
    assert result.difference() == ""
    assert [each.frame for each in result.sent][-20:] == replies
    assert state(result.host) == state(play.host)


def test_a_flood_of_what_is_answered_at_once_takes_no_snapshots(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is passed over in the ring, and what comes after it is repeated, each frame with its number."""
    play = Play(dad_transmits=0, record_limit=200_000)
    recorder = Recorder(play.host)
    play.start(2.0)
    play.meet()
    taken = []
    snapshot = play.host.snapshot
    monkeypatch.setattr(play.host, "snapshot", lambda: taken.append(play.now) or snapshot())
    for number in range(300):
        requests = [echo_request(sequence=number, data=bytes(64)) for _ in range(64)]
        play.host.receive_batch(requests, play.now, play.interface)
        play.settle()
        if number % 100 == 50:
            play.join(f"ff05::{number}")
        play.now += 0.001
    play.sent()
    assert len(taken) <= 2
    assert sum(len(str(entry)) for entry in recorder.stretch().entries) < 20 * 200_000
    play.run(play.now + 20.0)
    late = [each.frame for each in play.sent()]
    result = replayed(recorder)
    assert result.difference() == ""
    assert [each.frame for each in result.sent][-len(late) :] == late
    assert len(late) > 3
    assert state(result.host) == state(play.host)
