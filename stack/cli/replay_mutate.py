"""`sixtap replay --mutate`: cases made from the captures, what they found, and how to see it again."""

import argparse
import json
import shlex
import sys
import time
from collections.abc import Callable
from typing import Any

from stack.cli import replay_text
from stack.errors import UsageError
from stack.fuzz.campaign import Campaign, Finding, Summary
from stack.fuzz.cases import Corpus
from stack.fuzz.coverage import every_pair, uncovered
from stack.fuzz.saving import save
from stack.replay.play import label


def run(arguments: argparse.Namespace) -> int:
    """Run the cases; the exit status."""
    if arguments.pace or arguments.verbose:
        raise UsageError("--pace and --verbose go with a plain replay, not with --mutate")
    corpus = Corpus()
    for path in arguments.captures:
        corpus.add(path, replay_text.warn)
    if not corpus.frames:
        raise UsageError("there is not a single frame in these captures")
    began, worked = time.monotonic(), time.process_time()
    alone: int | None = arguments.case
    progress = replay_text.Progress(arguments.iterations if alone is None else 1)
    campaign = Campaign(corpus, arguments.seed, cold=arguments.cold, told=lambda summary: progress.tell(summary.frames))
    if alone is None:
        campaign.run(arguments.iterations)
    else:
        campaign.run_case(alone)
    summary = campaign.summary
    _tell_rate(summary, time.monotonic() - began, time.process_time() - worked)
    _save(arguments, summary)
    _conclude(arguments, summary)
    return 1 if summary.findings else 0


def _tell_rate(summary: Summary, seconds: float, worked: float) -> None:
    """How fast it was is not part of the result, which is the same for the same run."""
    rate, own = (summary.frames / max(each, 1e-9) for each in (seconds, worked))
    replay_text.warn(f"{summary.frames} frames in {seconds:.1f} s: {rate:,.0f} frames/s, {own:,.0f} a second of CPU")


def _save(arguments: argparse.Namespace, summary: Summary) -> None:
    if arguments.save is None:
        return
    for finding in summary.findings.values():
        where = save(arguments.save, finding, arguments.seed, cold=arguments.cold, captures=arguments.captures)
        replay_text.warn(f"{finding.signature}: kept in {where}")


def _command(arguments: argparse.Namespace, case: int | None) -> str:
    """What repeats the run, or one case of it."""
    words = ["sixtap", "replay", "--mutate", *map(str, arguments.captures), "--seed", str(arguments.seed)]
    words += ["--iterations", str(arguments.iterations)] if case is None else ["--case", str(case)]
    return shlex.join(words + ["--cold"] * arguments.cold)


def _conclude(arguments: argparse.Namespace, summary: Summary) -> None:
    command = _command(arguments, arguments.case)
    if arguments.json:
        print(json.dumps(_document(arguments, summary), indent=2))
        _list_uncovered(arguments, summary, replay_text.warn)
        print(command, file=sys.stderr)
        return
    print(f"{summary.cases} cases, {summary.frames} frames fed, {summary.sent} sent")
    for outcome, count in summary.outcomes.most_common():
        print(f"  {count:>8}  {label(outcome)}")
    for name, size in summary.tables.items():
        print(f"  {name}: {size.peak} of at most {size.limit}")
    pairs = every_pair()
    print(f"{len(summary.pairs)} of {len(pairs)} pairs of state and event, {len(summary.outcomes)} outcomes")
    _list_uncovered(arguments, summary, print)
    for finding in summary.findings.values():
        times = summary.times[finding.signature]
        print(f"found {finding.signature}: in {times} cases, {len(finding.frames)} frames are enough")
        print(f"  {finding.details}")
        print(f"  {_command(arguments, finding.number)}")
    print("something was found" if summary.findings else "nothing found")
    print(f"digest {summary.digest}")
    print(command)


def _list_uncovered(arguments: argparse.Namespace, summary: Summary, tell: Callable[[str], None]) -> None:
    if arguments.uncovered:
        for each in uncovered(summary.pairs, set(summary.outcomes)):
            tell(f"never reached: {each}")


def _document(arguments: argparse.Namespace, summary: Summary) -> dict[str, Any]:
    outcomes = {label(outcome): count for outcome, count in summary.outcomes.most_common()}
    raised = summary.frames - sum(outcomes.values())
    if raised:
        outcomes["exception"] = raised
    return {
        "frames": summary.frames,
        "outcomes": outcomes,
        "sent": summary.sent,
        "violations": [_finding(each) for each in summary.findings.values() if not each.raised],
        "exceptions": [_finding(each) for each in summary.findings.values() if each.raised],
        "tables": {name: size._asdict() for name, size in summary.tables.items()},
        "seed": arguments.seed,
        "digest": summary.digest,
        "cases": summary.cases,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    frames = [each.octets.hex() for each in finding.frames]
    return {"what": finding.signature, "details": finding.details, "case": finding.number, "frames": frames}
