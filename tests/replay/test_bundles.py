"""A recorder's bundle is repeated by `sixtap replay`."""

import json
from pathlib import Path

import pytest

from stack.cli.main import main
from stack.fuzz.bundles import material
from stack.fuzz.saving import failures
from stack.host import Host
from stack.icmp6.dispatch import HANDLERS
from stack.recorder import replaying
from stack.recorder.bundle import pack, read_bundle
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


# -- mutated


def test_a_bundle_is_material_and_its_host_the_one_that_cases_begin_with(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["replay", "--mutate", str(bundle), "--iterations", "6", "--json"]
    documents = []
    for _ in range(2):
        assert main(words) == 0
        documents.append(json.loads(capsys.readouterr().out))
    assert documents[0] == documents[1]
    assert documents[0]["cases"] == 6
    start, frames = material(bundle)
    # It has lived through the stretch.
    host = Host.restore(start.snapshot)
    assert host.counters.frames_in == len(frames)
    assert start.now == read_bundle(bundle).now
    assert len(frames) > 20


def test_what_is_found_with_a_bundle_is_kept_with_its_host(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def careless(*_: object) -> None:
        raise IndexError("planted")

    with pytest.MonkeyPatch.context() as planted:
        planted.setitem(HANDLERS, 128, careless)
        folder = tmp_path / "found"
        assert main(["replay", "--mutate", str(bundle), "--iterations", "3", "--save", str(folder)]) == 1
        (minimal,) = folder.glob("*/min.pcap")
        assert minimal.with_name("host.bundle").read_bytes() == bundle.read_bytes()
        assert failures(minimal, seed=0, start=str(bundle))[0].startswith("IndexError")
    assert failures(minimal, seed=0, start=str(bundle)) == []


def test_a_damaged_bundle_to_be_mutated(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle.write_bytes(bundle.read_bytes()[:-200])
    assert main(["replay", "--mutate", str(bundle)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
