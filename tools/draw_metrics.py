"""Writes the list of metrics in docs/metrics.md from the counters of a host.

`python tools/draw_metrics.py` writes it; with `--check` it writes nothing and exits
with status 1 if the page is not what it would write.
"""

import argparse
import sys
from pathlib import Path

from stack.cli.metrics import FAMILIES, HELP, about, sample
from stack.counters import ICMP_NAMES, Counters
from stack.discard import Discard

FILE = Path(__file__).resolve().parents[1] / "docs" / "metrics.md"
# What is after this line is made here, what is before it is not.
MARK = "<!-- From here on made by tools/draw_metrics.py. -->"


def document() -> str:
    """The whole page: what is written by hand, then the lists."""
    before, _, _ = FILE.read_text(encoding="utf-8").partition(MARK)
    return before + "\n".join((MARK, "", *_metrics(), *_reasons(), *_types(), ""))


def _metrics() -> list[str]:
    lines = ["## Metrics", "", "| metric | labels | what it counts | in `sixtap stats` |", "| --- | --- | --- | --- |"]
    for counter in Counters().as_dict():
        found = sample(counter)
        if found is not None and not found.label:
            lines.append(f"| `{found.metric}` | `device` | {about(counter)} | `{counter}` |")
    for prefix, (metric, label, text) in FAMILIES.items():
        lines.append(f"| `{metric}` | `device`, `{label}` | {text} | `{prefix}...` |")
    return [*lines, ""]


def _reasons() -> list[str]:
    lines = ["## Reasons", "", "Values of the label `reason`, in the order in which a frame is checked.", ""]
    lines += ["| reason | what is wrong | clause |", "| --- | --- | --- |"]
    return [*lines, *(f"| `{each.label}` | {each.text} | {each.clause} |" for each in Discard), ""]


def _types() -> list[str]:
    lines = [
        "## Types",
        "",
        "Values of the label `type` that have a name in Linux; others appear once they are seen.",
        "",
    ]
    lines += ["| type | in `sixtap stats` |", "| --- | --- |"]
    return [*lines, *(f"| `{number}` | `Icmp6In{name}`, `Icmp6Out{name}` |" for number, name in ICMP_NAMES.items())]


def undescribed() -> list[str]:
    """Counters of a host without a word on what they count."""
    named = [each for each in Counters().as_dict() if (found := sample(each)) is not None and not found.label]
    return [each for each in named if each not in HELP]


def main() -> int:
    parser = argparse.ArgumentParser(description="write the list in docs/metrics.md")
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if the page is not fresh")
    text = document()
    if parser.parse_args().check:
        fresh = FILE.read_text(encoding="utf-8") == text
        if not fresh:
            print("docs/metrics.md is not fresh: python tools/draw_metrics.py", file=sys.stderr)
        return int(not fresh)
    FILE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
