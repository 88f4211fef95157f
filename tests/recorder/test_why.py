"""`sixtap why`: the chain of causes behind a frame, from the recorder run again with the journal on."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from stack.errors import RefusedError
from stack.recorder.bundle import pack, unpack
from stack.recorder.history import History, history
from stack.recorder.ring import Recorder
from stack.recorder.why import latest, why, why_text
from tests.playbook import OUR_LINK_LOCAL, PEER_LINK_LOCAL, Play, echo_request, mld_message, solicitation

SIXTAP = str(Path(sys.executable).with_name("sixtap"))


def told(play: Play, recorder: Recorder) -> History:
    return history(unpack(pack(recorder.stretch(), play.now, 0.0, wanted_up=True, device_up=True)))


def number_of(told: History, text: str, *, inbound: bool) -> int:
    """The last frame that says so."""
    return [
        seen.number
        for seen in told.frames.values()
        if seen.inbound is inbound and text in why_text(told, seen.number).split("\n")[0]
    ][-1]


@pytest.fixture
def play() -> Play:
    return Play()


def test_an_answer_is_told_with_the_question_and_the_decisions(play: Play) -> None:
    recorder = Recorder(play.host)
    play.start().meet()
    play.receive(echo_request())
    play.run(play.now + 2)
    all_told = told(play, recorder)
    reply = number_of(all_told, "echo reply", inbound=False)
    lines = why_text(all_told, reply).splitlines()
    assert re.match(rf"frame {reply} out, 2\.000 s ago: {OUR_LINK_LOCAL} -> {PEER_LINK_LOCAL}: echo reply", lines[0])
    assert re.match(rf"  because of frame {reply - 1}: {PEER_LINK_LOCAL} -> .*: echo request.*, 2\.000 s ago", lines[1])
    assert any("[RFC 4443 4.2]" in line for line in lines[2:])
    document = why(all_told, reply)
    assert document["direction"] == "out"
    (cause,) = document["causes"]
    assert cause["frame"] == reply - 1
    assert {"layer", "what", "clause", "before", "after"} == set(cause["decisions"][0])
    request = why(all_told, reply - 1)
    assert [each["frame"] for each in request["sent"]] == [reply]


def test_a_chain_leads_over_a_timer_to_what_armed_it(play: Play) -> None:
    """A report is an answer that waited: the timer, and the query behind it (RFC 2710 4)."""
    recorder = Recorder(play.host)
    play.start()
    play.join("ff05::77")
    play.run(play.now + 30)
    play.receive(mld_message(130, "ff05::77", delay=8000))
    play.run(play.now + 20)
    all_told = told(play, recorder)
    query = number_of(all_told, "query", inbound=True)
    (report,) = [each["frame"] for each in why(all_told, query)["sent"]]
    causes = why(all_told, report)["causes"]
    assert [each["cause"] for each in causes] == ["timer: report of ff05::77", f"frame {query}"]
    assert causes[0]["ago"] < causes[1]["ago"]
    text = why_text(all_told, report)
    assert "  because of timer: report of ff05::77, " in text
    assert f"  armed by frame {query}: " in text


def test_a_call_is_named_with_its_arguments(play: Play) -> None:
    recorder = Recorder(play.host)
    play.start()
    play.join("ff05::77")
    all_told = told(play, recorder)
    report = number_of(all_told, "ff05::77", inbound=False)
    assert "because of call listener 3 join ff05::77" in why_text(all_told, report)


def test_a_discarded_frame_says_why_and_that_nothing_came_of_it(play: Play) -> None:
    recorder = Recorder(play.host)
    play.start()
    play.receive(solicitation(OUR_LINK_LOCAL, hop_limit=254))
    all_told = told(play, recorder)
    (number,) = (seen.number for seen in all_told.frames.values() if seen.inbound)
    assert "host: discarded: neighbour discovery with a hop limit other than 255 [RFC 4861 7.1]" in why_text(
        all_told, number
    )
    assert why(all_told, number)["sent"] == []


def test_a_frame_that_is_not_there_is_refused_with_what_there_is(play: Play) -> None:
    recorder = Recorder(play.host)
    with pytest.raises(RefusedError, match="holds no frame yet"):
        why(told(play, recorder), 1)
    play.start()
    all_told = told(play, recorder)
    last = latest(all_told)[-1].number
    with pytest.raises(RefusedError, match=rf"frame 999 is not in the recorder, which holds frames 1 to {last}"):
        why(all_told, 999)


def test_the_command_takes_a_bundle(play: Play, tmp_path: Path) -> None:
    recorder = Recorder(play.host)
    play.start().meet()
    path = tmp_path / "a.bundle"
    path.write_bytes(pack(recorder.stretch(), play.now, 0.0))

    def sixtap(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [SIXTAP, "why", "--bundle", str(path), *words], capture_output=True, text=True, check=False
        )

    listed = sixtap().stdout.splitlines()
    assert listed[0].startswith("frame ")
    assert len(json.loads(sixtap("-j").stdout)) == len(listed)
    number = listed[-1].split()[1]
    assert sixtap(number).stdout.startswith(f"frame {number} ")
    assert json.loads(sixtap(number, "-j").stdout)["frame"] == int(number)
    refused = sixtap("12345")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    path.write_bytes(b"nothing")
    refused = sixtap("1")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert str(path) in refused.stderr
    assert sixtap("x").returncode == 2
    path.unlink()
    assert sixtap("1").returncode == 2
