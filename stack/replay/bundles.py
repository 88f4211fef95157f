"""A recorder's bundle played: the stretch is told again to a host from its snapshot, and has to go as it went."""

from pathlib import Path

from stack.discard import Outcome
from stack.errors import RefusedError, UsageError
from stack.recorder.bundle import is_bundle, replay_bundle
from stack.replay import tables
from stack.replay.guard import Fault
from stack.replay.oracles import Violation
from stack.replay.play import Report, label

__all__ = ["is_bundle", "play_bundle"]


def play_bundle(path: Path, report: Report) -> None:
    """Add to `report` what comes of a bundle; raises UsageError if it cannot be read."""
    try:
        result = replay_bundle(path)
    except RefusedError as error:
        raise UsageError(str(error)) from error
    report.frames += result.frames
    outcomes: list[Outcome | None] = [*result.outcomes]
    # The frame that something raised at has no outcome.
    outcomes += [None] * (result.frames - len(outcomes))
    report.outcomes.update(label(each) for each in outcomes)
    for sent in result.sent:
        report.count_sent(sent.time, sent.frame)
    if result.error is not None:
        fault = Fault(type(result.error).__name__, str(result.error), "as recorded")
        report.exceptions.append((report.frames, fault))
    if not result.equal:
        report.violations.append(Violation("recorder", report.frames, result.difference(), "equal runs are equal"))
    for interface in result.host.interfaces.values():
        now = tables.sizes(result.host, interface)
        rows = zip(tables.NAMES, now, tables.limits(result.host.settings), strict=True)
        report.merge_tables({name: tables.Size(size, size, limit) for name, size, limit in rows})
