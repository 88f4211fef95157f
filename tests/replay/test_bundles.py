"""A recorder's bundle is repeated by `sixtap replay`."""

import json
from pathlib import Path

import pytest

from stack.cli.main import main
from stack.recorder import replaying
from stack.recorder.bundle import pack
from tests.recorder.test_replaying import recorded_life


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    life, recorder = recorded_life(3)
    life.lead(200)
    path = tmp_path / "host.bundle"
    path.write_bytes(pack(recorder.stretch(), life.now, 0.0))
    return path


def test_a_bundle_goes_as_it_went(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--json", str(bundle)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["frames"] > 20
    assert sum(document["outcomes"].values()) == document["frames"]
    assert document["sent"] > 10
    assert document["violations"] == document["exceptions"] == []


def test_a_difference_is_a_finding(
    bundle: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying.Replayed, "equal", property(lambda self: False))
    monkeypatch.setattr(replaying.Replayed, "difference", lambda self: "frame 1 out differs")
    assert main(["replay", "--json", str(bundle)]) == 1
    assert json.loads(capsys.readouterr().out)["violations"][0]["what"] == "frame 1 out differs"


def test_a_damaged_bundle_is_one_line_and_exit_status_2(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle.write_bytes(bundle.read_bytes()[:-200])
    assert main(["replay", str(bundle)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
