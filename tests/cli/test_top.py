"""`sixtap top`: samples, text without a terminal, and the keys on one."""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest
import trio

from stack.cli.top_recall import recall
from stack.cli.top_tables import FRAMES, HISTORY, History, rates, tables
from stack.control import watching
from stack.journal import Cause, FrameSeen, Journal
from stack.recorder.ring import Recorder
from tests.cli.test_commands import SIXTAP, sixtap
from tests.control.test_control import serving
from tests.playbook import OUR_LINK_LOCAL, PEER_LINK_LOCAL, frame, icmp, packet

GROUP = "ff05::7"
_ECHO = frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 128, 0, bytes(4))))


def sample(number: int, **more: Any) -> dict[str, Any]:
    """A small one, as the host sends it."""
    empty = {"addresses": [], "groups": [], "neighbours": [], "routes": []}
    return {
        "time": float(number),
        "link": {"ifname": "t0", "address": "02:00:00:00:00:01", "mtu": 1500, "operstate": "UP"},
        "totals": dict.fromkeys(empty, 0),
        "counters": {"FramesIn": number * number},
        "frames": [{"time": number, "direction": "in", "text": f"frame {number}", "outcome": "answered"}],
        **empty,
        **more,
    }


class TestHistory:
    def test_the_newest_is_looked_at_until_it_is_paused(self) -> None:
        history = History()
        assert history.seen() is None
        for number in range(5):
            history.take(sample(number))
        assert history.seen()[0]["time"] == 4
        history.paused = True
        history.take(sample(5))
        assert history.seen()[0]["time"] == 4
        history.step(2)
        now, before, frames = history.seen()
        assert (now["time"], before["time"], len(frames)) == (2, 1, 3)
        history.step(-1)
        assert history.seen()[0]["time"] == 3
        history.step(99)
        assert history.seen()[0]["time"] == 0
        history.follow()
        assert history.seen()[0]["time"] == 5

    def test_it_is_bounded(self) -> None:
        history = History()
        for number in range(HISTORY + 50):
            history.take(sample(number))
        history.step(HISTORY * 2)
        assert history.seen()[0]["time"] == 50
        history.follow()
        assert len(history.seen()[2]) == FRAMES

    def test_rates_are_per_second_since_the_sample_before(self) -> None:
        assert rates(sample(4), sample(2))[0] == ("frames in", "6.0", "16")
        assert rates(sample(4), None)[0] == ("frames in", "-", "16")

    def test_the_filter_takes_rows_of_every_table_and_says_how_many(self) -> None:
        neighbours = [{"dst": f"fe80::{n}", "lladdr": "02:00:00:00:00:09", "state": ["STALE"]} for n in (1, 2)]
        full = sample(1, neighbours=neighbours, totals={**sample(1)["totals"], "neighbours": 2})
        shown = {each.title: each for each in tables(full, None, full["frames"], "FE80::2")}
        assert [row[0] for row in shown["neighbours"].rows] == ["fe80::2"]
        assert shown["neighbours"].total == 2
        assert shown["frames"].rows == []
        assert len(shown["rates"].rows) > 1


class TestFrames:
    def test_a_frame_in_has_its_outcome_and_what_it_caused_comes_after_it(self) -> None:
        frames, journal = watching.Frames(), Journal()
        journal.watch(frames)
        journal.begin_frame(1, 7, _ECHO, 1.0)
        journal.sent(2, 7, _ECHO)
        journal.note(1.0, "host", "answered")
        journal.end()
        journal.begin_frame(3, 7, _ECHO, 2.0)
        journal.note(2.0, "host", "discarded: too odd", "RFC 4443 2.4")
        journal.end()
        taken = frames.taken()
        assert [(each["number"], each["direction"], each["outcome"]) for each in taken] == [
            (1, "in", "answered"),
            (2, "out", "because of frame 1"),
            (3, "in", "discarded: too odd [RFC 4443 2.4]"),
        ]
        assert frames.taken() == []

    def test_of_a_flood_the_last_are_kept_and_the_rest_counted(self) -> None:
        frames = watching.Frames()
        for number in range(watching.FRAMES + 9):
            frames.frame(FrameSeen(1.0, number, 7, False, _ECHO, Cause("call", 1.0)))
        assert frames.missed == 9
        assert frames.taken()[0]["number"] == 9


class TestRecorder:
    def test_earlier_samples_come_before_the_first_and_no_more_than_there_is_room_for(self) -> None:
        history = History()
        for number in (7, 8):
            history.take(sample(number))
        assert history.oldest is None
        history.step(9)
        assert history.oldest == 7
        history.recall([sample(number) for number in (4, 5, 6)])
        history.step(1)
        now, before, frames = history.seen()
        assert (now["time"], before["time"], len(frames)) == (6, 5, 3)
        history.recall([sample(number) for number in range(HISTORY)])
        history.step(2 * HISTORY)
        assert history.seen()[0]["time"] == 5

    async def test_what_was_before_is_replayed(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            assert await trio.to_thread.run_sync(recall, served.control.path, 1e12, 0.001) == []
            Recorder(served.host)
            served.device.peer.send(_ECHO)
            while not served.host.counters.icmp_in[128]:
                await trio.sleep(0.005)
            samples = await trio.to_thread.run_sync(recall, served.control.path, 1e12, 0.001)
            assert await trio.to_thread.run_sync(recall, served.control.path, 0.0, 0.001) == []
        frames = [each for one in samples for each in one["frames"] if "echo request" in each["text"]]
        assert [(each["direction"], each["outcome"]) for each in frames] == [("in", "answered")]
        assert OUR_LINK_LOCAL in [each["local"] for each in samples[-1]["addresses"]]


class TestWithoutATerminal:
    async def test_text(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await sixtap(served, "maddr", "join", GROUP)
            text = await sixtap(served, "top", "--count", "2", "--interval", "0.1")
            assert text.count("-- addresses\n") == text.count("-- frames") == 2
            assert f"{OUR_LINK_LOCAL}/64" in text
            assert re.search(rf"{GROUP} +1 +exclude", text)
            only = await sixtap(served, "top", "--count", "1", "--filter", GROUP)
            assert OUR_LINK_LOCAL not in only
            assert GROUP in only
            assert not served.host.journal.on

    async def test_json_an_object_a_line_with_frames_and_outcomes(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            command = [SIXTAP, "--control", str(served.control.path), "top", "-j", "--interval", "0.1", "--count", "3"]
            process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE)
            while not served.host.journal.on:
                await trio.sleep(0.005)
            served.device.peer.send(_ECHO)
            assert process.stdout is not None
            lines = b"".join([part async for part in process.stdout]).decode().splitlines()
            assert await process.wait() == 0
        samples = [json.loads(line) for line in lines]
        assert len(samples) == 3
        frames = [each for one in samples for each in one["frames"] if "echo request" in each["text"]]
        assert [(each["direction"], each["outcome"]) for each in frames] == [("in", "answered")]
        assert {"time", "link", "addresses", "groups", "neighbours", "routes", "counters"} <= set(samples[0])

    async def test_a_picture(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            path = tmp_path / "top.svg"
            assert await sixtap(served, "top", "--count", "1", "--svg", str(path)) == ""
            assert path.read_text().startswith("<svg")
            assert "neighbours" in path.read_text()
            await sixtap(served, "top", "--count", "1", "--svg", str(tmp_path / "no" / "top.svg"), status=1)

    async def test_a_picture_needs_rich_and_a_screen_falls_back_to_text(self, tmp_path: Path) -> None:
        code = "import sys; sys.modules['rich'] = None; import importlib.util as u; u.find_spec = lambda name: None;"
        code += "from stack.cli.main import main; sys.exit(main())"
        async with serving(tmp_path) as served:
            words = ["--control", str(served.control.path), "top", "--count", "1", "--svg", "x"]
            done = await trio.run_process(
                [sys.executable, "-c", code, *words], capture_stdout=True, capture_stderr=True, check=False
            )
        assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
        assert b"pip install 'sixtap[top]'" in done.stderr

    @pytest.mark.parametrize("words", [("--interval", "0"), ("--interval", "x"), ("--count", "0"), ("surplus",)])
    async def test_wrong_words(self, tmp_path: Path, words: tuple[str, ...]) -> None:
        async with serving(tmp_path) as served:
            assert await sixtap(served, "top", *words, status=2) == ""


class Terminal:
    """A pseudo-terminal with `sixtap top` on it; what was drawn is kept without its colours."""

    def __init__(self, control: Path) -> None:
        self.near, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
        self.before = termios.tcgetattr(far)
        self.far = far
        command = [SIXTAP, "--control", str(control), "top", "--interval", "0.1"]
        environment = os.environ | {"TERM": "xterm-256color"}
        self.process = subprocess.Popen(command, stdin=far, stdout=far, stderr=far, env=environment)
        self.drawn = ""

    def read(self) -> None:
        if select.select([self.near], [], [], 0.05)[0]:
            text = os.read(self.near, 65536).decode(errors="replace")
            self.drawn += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)

    async def until(self, pattern: str) -> None:
        """Draw until the screen has this, from now on."""
        self.drawn = ""
        with trio.fail_after(30):
            while not re.search(pattern, self.drawn):
                await trio.to_thread.run_sync(self.read)

    def type(self, text: str) -> None:
        os.write(self.near, text.encode())

    async def end(self) -> int:
        with trio.fail_after(30):
            while self.process.poll() is None:
                await trio.to_thread.run_sync(self.read)
        return self.process.returncode

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.near)
        os.close(self.far)


async def test_on_a_terminal_keys_pause_step_filter_and_end(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await sixtap(served, "maddr", "join", GROUP)
        terminal = Terminal(served.control.path)
        try:
            await terminal.until(rf"groups(.|\n)*{GROUP}(.|\n)*space pause")
            terminal.type("/ff05:")
            await terminal.until(r"filter: ff05:_")
            terminal.type("\r")
            await terminal.until(r"groups 1 of \d(.|\n)*filter: ff05:  ")
            terminal.type("\x1b")
            await terminal.until(r"groups ─(.|\n)*   ←/→ step")
            terminal.type(" ")
            await terminal.until("paused")
            terminal.type("\x1b[D")
            await terminal.until(r"paused, \d+ samples back")
            terminal.type("\x1b[F")
            await terminal.until(r"╯\s+space pause")
            terminal.type("q")
            assert await terminal.end() == 0
            assert termios.tcgetattr(terminal.far)[3] == terminal.before[3]
            while served.host.journal.on:
                await trio.sleep(0.01)
        finally:
            terminal.close()
