"""Why a snooping switch forgets the port of a running host, or will.

It looks at the queries that came and those that were discarded, at the host's own
reports and, where the device is a port of a Linux bridge, at the bridge's settings and
its multicast database. Exit status 0 if nothing is wrong, 1 if something is. With
--watch it goes on looking until interrupted, and prints what changes.

example: sixtap doctor --watch
"""

import argparse
import json
import time
from typing import Any

from stack import doctor
from stack.cli.asking import ask, print_json
from stack.cli.fields import seconds
from stack.doctor import FINE, PROBLEM, Finding

ASKS_A_HOST = True

_SHORTEST = 0.1


def configure(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--watch", action="store_true", help="go on until interrupted, and print what changes")
    parser.add_argument(
        "--interval", type=seconds(_SHORTEST, 3600.0), default=1.0, metavar="S", help="seconds between two looks (1)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Look once, or again and again."""
    if arguments.watch:
        return _watch(arguments)
    facts = ask(arguments, "doctor")
    findings = doctor.examine(facts)
    if arguments.json:
        print_json(_document(facts, findings))
    else:
        print(_text(facts, findings))
    return _status(findings)


def _status(findings: list[Finding]) -> int:
    return 1 if any(each.severity == PROBLEM for each in findings) else 0


def _document(facts: dict[str, Any], findings: list[Finding]) -> dict[str, Any]:
    return {
        "ifname": facts["ifname"],
        "healthy": not _status(findings),
        "findings": [_finding_document(each) for each in findings],
        "facts": facts,
    }


def _finding_document(finding: Finding) -> dict[str, Any]:
    return finding._asdict() | {"groups": list(finding.groups)}


def _text(facts: dict[str, Any], findings: list[Finding]) -> str:
    problems = sum(1 for each in findings if each.severity == PROBLEM)
    verdict = {0: "nothing is wrong", 1: "1 problem"}.get(problems, f"{problems} problems")
    return "\n".join([f"{facts['ifname']}: {verdict}", *(_lines(each) for each in findings)])


def _lines(finding: Finding) -> str:
    text = f"{finding.severity:8} {finding.text}"
    return f"{text}\n{'':8} -> {finding.advice}" if finding.advice and finding.severity != FINE else text


# -- watching


def _watch(arguments: argparse.Namespace) -> int:
    """A line for each finding that comes or goes; numbers that only run on are no change."""
    known: dict[tuple[str, str], Finding] = {}
    began = time.monotonic()
    try:
        while True:
            findings = doctor.examine(ask(arguments, "doctor"))
            now = {(each.code, each.severity): each for each in findings}
            at = time.monotonic() - began
            for key in known.keys() - now.keys():
                _tell(arguments, at, "over", known[key])
            for key in now.keys() - known.keys():
                _tell(arguments, at, now[key].severity, now[key])
            known = now
            time.sleep(arguments.interval)
    except KeyboardInterrupt:
        return _status(list(known.values()))


def _tell(arguments: argparse.Namespace, at: float, what: str, finding: Finding) -> None:
    if arguments.json:
        print(json.dumps({"time": round(at, 3), "change": what} | _finding_document(finding)), flush=True)
    else:
        print(f"{at:10.1f}  {what:8} {finding.text if what != 'over' else finding.code}", flush=True)
