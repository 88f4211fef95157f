"""Captures aimed at a link: what silences a target is found, over a device that is a pipe to a host."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack import aim
from stack.aim import Aim, Prober
from stack.capture.linktypes import Frame
from stack.cli.main import main
from stack.replay.subject import OUR_LINK_LOCAL, new_subject, nobody
from tests.playbook import echo_request, text
from tests.udp.common import datagram

KILLER = datagram(b"x", port=666, destination=text(OUR_LINK_LOCAL))


class Device:
    """A device with a host behind it that is silent for a while after a certain frame, or for ever."""

    name = "pipe0"

    def __init__(self, silence: float) -> None:
        self._subject = new_subject("0/host", nobody)
        self._subject.advance(5.0)
        self._reading, self._writing = os.pipe()
        self._waiting: list[bytes] = []
        self._silence = silence
        self._silent_until = 0.0
        self.killed = 0
        self._subject.sent = self._sent

    def _sent(self, time_: float, frame: bytes) -> None:
        self._waiting.append(frame)
        os.write(self._writing, b"x")

    def fileno(self) -> int:
        return self._reading

    def read(self) -> list[bytes]:
        os.read(self._reading, 4096)
        frames, self._waiting = self._waiting, []
        return frames

    def write(self, frame: bytes) -> bool:
        if len(frame) < 14:
            return False
        if frame == KILLER:
            self.killed += 1
            self._silent_until = time.monotonic() + self._silence
        if time.monotonic() >= self._silent_until:
            self._subject.receive(frame)
        return True

    def close(self) -> None:
        os.close(self._reading)
        os.close(self._writing)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aim, "_PATIENCE", 0.05)
    monkeypatch.setattr(aim, "_RECOVERY", 2.0)


@pytest.fixture
def device(request: pytest.FixtureRequest) -> Iterator[Device]:
    made = Device(request.param)
    yield made
    made.close()


def capture(*octets: bytes) -> list[Frame]:
    return [Frame(n * 1_000, each, False) for n, each in enumerate(octets)]


@pytest.mark.parametrize("device", [0.4], indirect=True)
def test_the_frame_that_silences_the_target_is_found(device: Device) -> None:
    said: list[str] = []
    shot = Aim(device, Prober(device, OUR_LINK_LOCAL), said.append)  # type: ignore[arg-type]
    assert not shot.send(capture(*[echo_request()] * 70, KILLER, *[echo_request()] * 20))
    assert shot.culprits == [KILLER]
    assert device.killed > 2
    assert "silent" in said[0]


@pytest.mark.parametrize("device", [1_000.0], indirect=True)
def test_a_target_that_stays_silent_leaves_all_suspects(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aim, "_RECOVERY", 0.2)
    said: list[str] = []
    shot = Aim(device, Prober(device, OUR_LINK_LOCAL), said.append)  # type: ignore[arg-type]
    assert not shot.send(capture(echo_request(), KILLER, echo_request()))
    assert shot.culprits == [echo_request(), KILLER, echo_request()]
    assert "does not come back" in said[-1]


@pytest.mark.parametrize("device", [0.0], indirect=True)
def test_a_target_that_lives_is_sent_everything(device: Device) -> None:
    shot = Aim(device, Prober(device, OUR_LINK_LOCAL), print)  # type: ignore[arg-type]
    assert shot.send(capture(*[echo_request()] * 100, b"runt"))
    assert (shot.sent, shot.refused) == (100, 1)
    assert shot.culprits == []


@pytest.mark.parametrize(
    "words", [["--alive", "fe80::1"], ["--to-tap", "t0", "--mutate"], ["--to-tap", "t0", "--json"]]
)
def test_options_that_do_not_go_together(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(__file__).parents[1] / "corpus" / "own__redir6.pcap"
    assert main(["replay", str(path), *words]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
