"""`sixtap demo --list`: what there is, without a scenario being imported."""

import json

from stack.sim.scenarios.listing import LISTING


def run(*, as_json: bool) -> int:
    """Print the list; the exit status."""
    if as_json:
        print(json.dumps([each._asdict() for each in LISTING], indent=2))
        return 0
    width = max(len(each.name) for each in LISTING)
    for each in LISTING:
        print(f"{each.name:<{width}}  {each.summary}")
    return 0
