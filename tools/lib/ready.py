"""Whether this interpreter's environment holds sixtap from a checkout and all that it needs: exit status 0 or 1.

`python tools/lib/ready.py ROOT EXTRAS`, with EXTRAS as tools/lib/venv.sh has them ("" or "[dev]").
"""

import importlib.metadata
import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from pip._vendor.packaging.requirements import Requirement


def needed(project: dict[str, object], extras: set[str]) -> Iterator[Requirement]:
    """What these extras of a project need, those of an extra that names others included."""
    optional = project.get("optional-dependencies", {})
    assert isinstance(optional, dict)
    lines = list(project.get("dependencies", []))  # type: ignore[call-overload]
    for extra in extras:
        lines += optional[extra]
    for line in lines:
        requirement = Requirement(line)
        if requirement.name == project["name"]:
            yield from needed(project, requirement.extras)
        elif requirement.marker is None or requirement.marker.evaluate():
            yield requirement


def is_ready(root: Path, extras: set[str]) -> bool:
    """Whether all of it is installed, in versions that will do, and sixtap from this folder."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    try:
        origin = importlib.metadata.distribution(project["name"]).read_text("direct_url.json")
        if json.loads(origin or "{}").get("url") != root.as_uri():
            return False
        return all(
            each.specifier.contains(importlib.metadata.version(each.name), prereleases=True)
            for each in needed(project, extras)
        )
    except importlib.metadata.PackageNotFoundError:
        return False


if __name__ == "__main__":
    wanted = set(filter(None, sys.argv[2].strip("[]").split(",")))
    sys.exit(not is_ready(Path(sys.argv[1]), wanted))
