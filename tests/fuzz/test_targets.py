"""The targets of tools/fuzz, as atheris calls them."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stack.fuzz.on_sequence import Planned
from stack.icmp6.dispatch import HANDLERS
from tools.fuzz import chunks, parsers, whole_host

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "tests" / "corpus"
RUN = settings(
    max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@RUN
@given(st.binary(max_size=400))
def test_any_octets_are_an_input(data: bytes) -> None:
    parsers.one_input(data)
    whole_host.one_input(data)


def test_inputs_from_captures(tmp_path: Path) -> None:
    captures = sorted(CORPUS.glob("own__*.pcap"))
    whole_host.write_seeds(tmp_path, captures)
    written = sorted(tmp_path.iterdir())
    assert len(written) > 20
    for path in written:
        whole_host.one_input(path.read_bytes())
    for path in sorted(CORPUS.glob("*.pcap*")):
        parsers.one_input(path.read_bytes())


def test_chunks_come_back_as_they_were() -> None:
    frames = [Planned(time, bytes(number), bytes(number)) for number, time in enumerate(chunks.TIMES)]
    assert list(chunks.frames(chunks.pack(frames))) == frames


def test_a_defect_breaks_the_target(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_: object) -> None:
        raise IndexError("planted")

    monkeypatch.setitem(HANDLERS, 128, broken)
    whole_host.write_seeds(tmp_path, [CORPUS / "zeek__icmp_icmp6-ping.pcap"])
    with pytest.raises(whole_host.BrokenError, match="IndexError"):
        whole_host.one_input((tmp_path / "zeek__icmp_icmp6-ping.chunks").read_bytes())


@pytest.mark.parametrize("words", [[], ["nosuch"], ["--seeds", "folder"]])
def test_without_a_target_it_says_what_is_needed(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.fuzz", *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "a target is needed: parsers, whole_host; or --seeds FOLDER CAPTURE...\n"
