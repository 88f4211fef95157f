"""`sixtap swarm` in memory: what it prints, that seeds repeat, and the words that it refuses."""

import json
from pathlib import Path
from typing import Any

import dpkt
import pytest

from stack.cli.main import main


def summary(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["swarm", "-j", *words]) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_all_come_up(capsys: pytest.CaptureFixture[str]) -> None:
    document = summary(capsys, "--hosts", "20", "--groups", "3")
    assert (document["hosts"], document["up"], document["duplicates"]) == (20, 20, 0)
    # Three groups, the solicited-node group and ff02::1 each
    assert document["groups"] == 100
    # RFC 4862 5.4.2, 5.4: a random delay of at most 1 s, and 1 s for an answer
    assert 1.0 <= document["seconds"] <= 2.1
    assert document["kinds"] == {"v2": 20}
    assert document["cpu_seconds"] >= 0 and document["wall_seconds"] >= 0 and document["memory_bytes"] > 0


def test_the_seed_decides(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--hosts", "10", "--groups", "1", "--churn", "20", "--seconds", "10")
    first, again, other = (summary(capsys, *words, "--seed", seed) for seed in ("3", "3", "4"))
    assert first["digest"] == again["digest"] != other["digest"]
    assert first["joins"] > 100


def test_a_querier_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    document = summary(capsys, "--hosts", "10", "--querier", "60", "--mix", "v1=20,v2=70,netbsd=10")
    (answers,) = document["answers"]
    assert (answers["hosts"], answers["late"], answers["delay"], answers["version"]) == (10, 0, 10.0, 2)
    assert answers["time"] == 60.0
    assert document["kinds"] == {"v1": 2, "v2": 7, "netbsd": 1}


def test_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["swarm", "--hosts", "5", "--querier", "10", "--churn", "10"]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[0].startswith("5 of 5 hosts up after ")
    assert lines[1] == "v2 5"
    assert any("5 of 5 hosts answered" in line for line in lines)
    assert any(" MB, " in line for line in lines)
    assert any("joins" in line for line in lines)
    assert captured.err.splitlines()[-1] == "sixtap: 5 of 5 hosts are up"


def test_a_trace_of_the_link(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "swarm.pcapng"
    document = summary(capsys, "--hosts", "5", "--groups", "1", "--trace", str(path))
    with path.open("rb") as file:
        frames = list(dpkt.pcapng.Reader(file))
    assert len(frames) == document["frames"]["sent"]
    assert float(frames[-1][0]) <= document["seconds"]
    assert main(["swarm", "--hosts", "1", "--trace", str(tmp_path / "no" / "where")]) == 2


@pytest.mark.parametrize("words", [("--mld-version", "1"), ("--personality", "netbsd"), ("--mix", "v1=1")])
def test_of_one_kind(capsys: pytest.CaptureFixture[str], words: tuple[str, str]) -> None:
    # Version 1 has one report for each group, version 2 one for all of them.
    own = summary(capsys, "--hosts", "4", "--groups", "5", *words, "--querier", "20")["answers"][0]
    other = summary(capsys, "--hosts", "4", "--groups", "5", "--querier", "20")["answers"][0]
    assert (own["hosts"], own["reports"]) == (4, 4 * 6)
    assert (other["hosts"], other["reports"]) == (4, 4)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--hosts"),
        (("--hosts", "0"), "from 1 to 65535"),
        (("--hosts", "70000"), "from 1 to 65535"),
        (("--hosts", "2", "--bridge", "br0"), "--bridge needs --tap"),
        (("--hosts", "2", "--mix", "v1=1", "--personality", "netbsd"), "--mix"),
        (("--hosts", "2", "--mix", "fast=1"), "'fast=1'"),
        (("--hosts", "2", "--mac-base", "01:00:00:00:00:00"), "cannot be the MAC"),
        (("--hosts", "2", "--mac-base", "02:ff:ff:ff:ff:ff"), "not so many MACs"),
        (("--hosts", "2", "--mac-base", "x"), "not a MAC"),
        (("--hosts", "2", "--tap", "t0", "--querier", "5"), "--querier"),
        (("--hosts", "2", "--tap", "a/b"), "a/b"),
        (("--hosts", "2", "--churn", "-1"), "-1"),
    ],
)
def test_words_that_cannot_be(capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str) -> None:
    try:
        status = main(["swarm", *words])
    except SystemExit as exit_:
        status = exit_.code  # type: ignore[assignment]
    assert status == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert complaint.count("\n") == 1
