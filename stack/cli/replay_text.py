"""What `sixtap replay` prints: frames as they go by, the summary in words or as JSON, both sides of a comparison."""

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from stack.explain.frame import describe
from stack.replay.compare import compare
from stack.replay.play import Fed, Report, Sent, text

_WIDTH = 58
_PROGRESS = 5.0


def warn(line: str) -> None:
    """A line for the user that is not part of the result."""
    print(f"sixtap: {line}", file=sys.stderr, flush=True)


def show(fed: Fed, sent: Sequence[Sent]) -> None:
    """One frame, and what was sent since the one before."""
    print(f"{fed.number:>6} {fed.time:12.6f}  {describe(fed.frame)}\n{'':21}{text(fed.outcome)}")
    for each in sent:
        print(f"{'':7}{each.time:12.6f}  > {describe(each.frame)}")


def conclude(report: Report, seed: int, *, as_json: bool, command: str) -> None:
    """The result; the last line repeats the run (on standard error if standard output is a JSON document)."""
    if as_json:
        print(json.dumps(document(report, seed), indent=2))
        print(command, file=sys.stderr)
        return
    for path, owed, produced in report.owed:
        print(f"{path.name}: the node in the capture (left) and our host")
        for row in compare(owed, produced):
            theirs, ours = _cell(row.theirs), _cell(row.ours)
            print(f"{row.time:12.6f} {theirs:<{_WIDTH}} {row.mark} {ours}".rstrip())
    print(f"{report.frames} frames fed, {report.sent} sent")
    for name, count in report.outcomes.most_common():
        print(f"  {count:>8}  {name}")
    for name, size in report.tables.items():
        if size.peak:
            print(f"  {name}: {size.peak} of at most {size.limit}")
    for each in report.violations:
        print(f"violation at frame {each.frame}: {each.what} ({each.oracle}; {each.clause})")
    for number, fault in report.exceptions:
        print(f"exception at frame {number}: {fault.type} in {fault.where}: {fault.text}")
    print("nothing found" if report.clean else "something was found")
    print(f"digest {report.digest}")
    print(command)


def _cell(sent: Sent | None) -> str:
    if sent is None:
        return ""
    words = describe(sent.frame)
    return words if len(words) <= _WIDTH else words[: _WIDTH - 3] + "..."


def document(report: Report, seed: int) -> dict[str, Any]:
    """The summary as a JSON document."""
    return {
        "frames": report.frames,
        "outcomes": dict(report.outcomes.most_common()),
        "sent": report.sent,
        "violations": [
            {"oracle": each.oracle, "frame": each.frame, "what": each.what, "clause": each.clause}
            for each in report.violations
        ],
        "exceptions": [{"frame": number, **fault._asdict()} for number, fault in report.exceptions],
        "tables": {name: size._asdict() for name, size in report.tables.items()},
        "seed": seed,
        "digest": report.digest,
    }


class Progress:
    """A line on standard error every few seconds of a long run."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._told = self._began = time.monotonic()

    def tell(self, frames: int) -> None:
        """One more capture (or case) is done."""
        self._done += 1
        now = time.monotonic()
        if now - self._told >= _PROGRESS:
            self._told = now
            rate = frames / (now - self._began)
            warn(f"{self._done} of {self._total} done, {frames} frames, {rate:,.0f} frames/s")
