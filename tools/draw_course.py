"""Fills the exchanges in docs/course/ from the simulator: frames and states as `sixtap demo` tells them.

A page says what it wants in a line such as `<!-- exchange: unreachable 2 -->`, the
second part of that scenario; the fenced block after it is written here.
`python tools/draw_course.py` writes the pages; with `--check` it writes nothing and
exits with status 1 if one is not what it would write.
"""

import argparse
import re
import sys
import textwrap
from pathlib import Path

from stack.cli import catalogue
from stack.sim.render import render
from stack.sim.storyteller import tell

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "course"
_PLACE = re.compile(r"(<!-- exchange: ([\w-]+) (\d+) -->\n)(```text\n.*?\n```\n)?", re.DOTALL)


def exchange(name: str, part: str) -> str:
    """The lines of an exchange; raises ValueError where there is no such part."""
    lines = render(tell(catalogue.find(name))[0]).splitlines()
    heads = [number for number, line in enumerate(lines) if re.match(r"\d+\. ", line)]
    begins = next((number for number in heads if lines[number].startswith(f"{part}. ")), None)
    if begins is None:
        raise ValueError(f"the demo {name} has no part {part}")
    ends = next((number for number in heads if number > begins), len(lines))
    # What is not indented is the scenario's prose.
    return textwrap.dedent("\n".join(line for line in lines[begins:ends] if line.startswith(" ")))


def document(text: str) -> str:
    """A page with its exchanges as they are now."""
    return _PLACE.sub(lambda found: f"{found[1]}```text\n{exchange(found[2], found[3])}\n```\n", text)


def stale() -> list[str]:
    """Names of the pages that are not what the simulator says."""
    pages = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))}
    return [name for name, text in pages.items() if document(text) != text]


def main() -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description="fill the exchanges in docs/course/")
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if a page is not fresh")
    if parser.parse_args().check:
        for name in stale():
            print(f"docs/course/{name} is not fresh: python tools/draw_course.py", file=sys.stderr)
        return int(bool(stale()))
    for path in FOLDER.glob("*.md"):
        path.write_text(document(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
