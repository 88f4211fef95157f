"""atheris target: a warm host takes frames and time, and every oracle is held against it.

    python -m tools.fuzz --seeds FOLDER CAPTURE...                inputs from captures
    python -m tools.fuzz whole_host FOLDER -max_total_time=600    libFuzzer's options

An input that breaks something is left as `crash-*`; `python -m tools.fuzz whole_host crash-...` runs it again.
"""

from pathlib import Path

from stack.fuzz.campaign import new_laboratory
from stack.fuzz.cases import Corpus
from tools.fuzz import chunks

_LABORATORY = new_laboratory(0, cold=False)


class BrokenError(Exception):
    """A rule that was broken, or what was raised."""


def one_input(data: bytes) -> None:
    """Feed one input to a new copy of the host; raises BrokenError with what went wrong."""
    found = _LABORATORY.run(list(chunks.frames(data))).signatures
    if found:
        raise BrokenError("; ".join(found))


def write_seeds(folder: Path, captures: list[Path]) -> None:
    """One input for each capture, re-addressed to the host."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in captures:
        corpus = Corpus()
        corpus.add(path, print)
        if corpus.frames:
            (folder / f"{path.stem}.chunks").write_bytes(chunks.pack(corpus.first(chunks.MOST_FRAMES)))
