"""The end of tools/test: skipped tests by name and reason, then the total over all runs of pytest.

The exit status is 1 if a test failed, if there was none, or if one was skipped
as root on Linux, where nothing may be.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree


class Result(NamedTuple):
    """One test: how pytest names it, what became of it, and why."""

    name: str
    outcome: str
    reason: str


def read(path: Path) -> Iterator[Result]:
    """The tests of one JUnit file (family xunit1), one result each."""
    worst: dict[str, Result] = {}
    for case in ElementTree.parse(path).iter("testcase"):
        result = _result(case)
        # A test that passes and fails again in its teardown has two entries.
        if result.name not in worst or result.outcome == "failed":
            worst[result.name] = result
    yield from worst.values()


def _result(case: ElementTree.Element) -> Result:
    name = _name(case)
    if case.find("failure") is not None or case.find("error") is not None:
        return Result(name, "failed", "")
    skipped = case.find("skipped")
    if skipped is not None:
        return Result(name, "skipped", skipped.get("message", "no reason given"))
    return Result(name, "passed", "")


def _name(case: ElementTree.Element) -> str:
    """`tests/nd/test_cache.py::TestClass::test_name[case]`, as on the command line."""
    file = case.get("file")
    if file is None:
        return "::".join(filter(None, (case.get("classname"), case.get("name"))))
    module = file.removesuffix(".py").replace("/", ".")
    classes = case.get("classname", "").removeprefix(module).strip(".")
    return "::".join((file, *filter(None, classes.split(".")), case.get("name", "")))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", nargs="*", type=Path)
    parser.add_argument("--failures", default="", help="names of the steps that failed")
    arguments = parser.parse_args()
    results = [result for path in arguments.reports if path.exists() for result in read(path)]
    by_outcome = {word: [each for each in results if each.outcome == word] for word in ("passed", "failed", "skipped")}
    _list_skipped(by_outcome["skipped"])
    for result in by_outcome["failed"]:
        print(f"failed: {result.name}")
    if arguments.failures:
        print(f"not passed: {arguments.failures}")
    forbidden = bool(by_outcome["skipped"]) and sys.platform == "linux" and os.geteuid() == 0
    if forbidden:
        print("as root on Linux no test may be skipped: that is a failure")
    if not results:
        print("no test was selected")
    print(", ".join(f"{len(found)} {word}" for word, found in by_outcome.items()))
    return int(forbidden or bool(by_outcome["failed"]) or not results)


def _list_skipped(skipped: list[Result]) -> None:
    for reason in sorted({each.reason for each in skipped}):
        print(f"skipped: {reason}")
        for each in skipped:
            if each.reason == reason:
                print(f"  {each.name}")


if __name__ == "__main__":
    sys.exit(main())
