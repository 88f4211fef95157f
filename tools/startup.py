"""Prints what starting `sixtap` costs: time and modules, beside a Python that imports argparse alone.

`python tools/startup.py [-n ROUNDS]`. The time is the shortest of all rounds: what
the machine does besides only adds. `sixtap --help` is to cost at most three times
argparse; tests/cli/test_startup.py counts the modules, which no load changes.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

SIXTAP = str(Path(sys.executable).with_name("sixtap"))
LIMIT = 3.0
_ARGPARSE = [sys.executable, "-c", "import argparse"]
_COMMANDS = (
    ("sixtap --help", [SIXTAP, "--help"]),
    ("sixtap addr (no host)", [SIXTAP, "-d", "nosuchtap", "addr"]),
    ("sixtap stats (no host)", [SIXTAP, "-d", "nosuchtap", "stats"]),
    ("sixtap demo --list", [SIXTAP, "demo", "--list"]),
    ("sixtap run --help", [SIXTAP, "run", "--help"]),
)


def imported(command: list[str]) -> list[str]:
    """The modules that a Python script imports, by -X importtime."""
    words = command[1:] if command[0] == sys.executable else command
    # A measurement of coverage imports its own modules into every process.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    command = [sys.executable, "-X", "importtime", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=plain)
    marked = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return [line.rpartition("|")[2].strip() for line in marked[1:]]


def shortest(command: list[str], rounds: int) -> float:
    """Seconds that a command takes when nothing is in its way."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run(command, capture_output=True, check=False)
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> int:
    parser = argparse.ArgumentParser(description="what starting sixtap costs")
    parser.add_argument("-n", "--rounds", type=int, default=20)
    rounds: int = parser.parse_args().rounds
    base = shortest(_ARGPARSE, rounds)
    print(f"{'python -c import argparse':<28}{base * 1000:6.1f} ms {len(imported(_ARGPARSE)):4} modules")
    for name, command in _COMMANDS:
        seconds = shortest(command, rounds)
        print(f"{name:<28}{seconds * 1000:6.1f} ms {len(imported(command)):4} modules  {seconds / base:.1f} times")
    return 0


if __name__ == "__main__":
    sys.exit(main())
