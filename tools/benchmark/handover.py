"""Opens a TAP device and becomes a program that is given its descriptor.

Started as `python -m tools.benchmark.handover NAME PROGRAM`.
"""

import os
import sys

from stack.link.tap import TapLink


def main(name: str, program: str) -> None:
    link = TapLink(name)
    descriptor = link.fileno()
    os.set_blocking(descriptor, True)
    os.set_inheritable(descriptor, True)
    print(f"reference: {name} ready", file=sys.stderr, flush=True)
    os.execv(program, [program, str(descriptor)])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
