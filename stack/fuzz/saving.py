"""What a finding leaves: its frames as a capture, the case as JSON, and a test that fails until it is mended."""

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

from stack import __version__
from stack.capture import files
from stack.capture.writing import pcap
from stack.errors import UsageError
from stack.fuzz.bundles import material
from stack.fuzz.campaign import Finding, new_laboratory
from stack.fuzz.on_sequence import Planned
from stack.replay.play import nobody_hears

# The host that the case began with, if it came from a bundle.
_BUNDLE = "host.bundle"
_NANOSECONDS = 1_000_000_000

_TEST = '''"""Found by sixtap replay --mutate: {signature}.

{details}
"""

from pathlib import Path

from stack.fuzz.saving import failures


def test_{name}() -> None:
    assert failures(Path(__file__).with_name("min.pcap"), seed={seed}, cold={cold}, start={start!r}) == []
'''


def save(folder: Path, finding: Finding, seed: int, *, cold: bool, captures: Sequence[Path]) -> Path:
    """Write a finding into a folder of its own under `folder`, and give that; raises UsageError if it cannot be."""
    name = re.sub(r"[^a-z0-9]+", "_", finding.signature.lower()).strip("_")[:60]
    target = folder / name
    case = {
        "version": __version__,
        "signature": finding.signature,
        "details": finding.details,
        "seed": seed,
        "case": finding.number,
        "cold": cold,
        "start": finding.start,
        "captures": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in captures},
        "frames": [{"gap": each.gap, "octets": each.octets.hex()} for each in finding.frames],
    }
    details = finding.details.replace("\\", "/").replace('"', "'")
    test = _TEST.format(
        signature=finding.signature, details=details, name=name, seed=seed, cold=cold, start=finding.start
    )
    try:
        target.mkdir(parents=True, exist_ok=True)
        (target / "min.pcap").write_bytes(pcap((each.gap, each.octets) for each in finding.frames))
        for path in captures:
            if str(path) == finding.start:
                (target / _BUNDLE).write_bytes(path.read_bytes())
        (target / "case.json").write_text(json.dumps(case, indent=2) + "\n", encoding="utf-8")
        (target / f"test_{name}.py").write_text(test, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}") from error
    return target


def failures(capture: Path, *, seed: int, cold: bool = False, start: str = "") -> list[str]:
    """What goes wrong when the frames of a saved case are fed to the host that it began with; nothing is best."""
    frames = []
    before = 0
    for frame in files.frames(capture, nobody_hears):
        frames.append(Planned((frame.time - before) / _NANOSECONDS, frame.octets, frame.octets))
        before = frame.time
    bundle = capture.with_name(_BUNDLE)
    starts = {start: material(bundle)[0]} if bundle.exists() else None
    return list(new_laboratory(seed, cold=cold, starts=starts).run(frames, start, every=1).signatures)
