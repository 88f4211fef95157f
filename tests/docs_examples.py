"""The examples of a page of docs/: blocks of Python, each with what it prints below it."""

import re
import textwrap
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

DOCS = Path(__file__).resolve().parents[1] / "docs"
_BLOCK = re.compile(r"^```python ?(\w*)\n(.*?)^```\n(?:```\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    """One block: the line it begins at, the word behind `python`, its code, and what it prints."""

    line: int
    mark: str
    code: str
    output: str

    def function(self) -> Callable[[], Awaitable[None]]:
        """The code as a function to be awaited."""
        namespace: dict[str, Any] = {}
        body = textwrap.indent(self.code, "    ")
        exec(compile("async def example():\n" + body, f"docs, line {self.line}", "exec"), namespace)
        found: Callable[[], Awaitable[None]] = namespace["example"]
        return found


def examples(page: str) -> list[Example]:
    """Those of a page, in order."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return [
        Example(text.count("\n", 0, found.start()) + 2, found[1], found[2], found[3] or "")
        for found in _BLOCK.finditer(text)
    ]
