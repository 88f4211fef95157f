"""Opens a TAP device and becomes a program that has it as its standard input.

Started as `python -m tools.benchmark.handover NAME PROGRAM [ARGUMENT...]`.
"""

import os
import sys

from stack.link.tap import TapLink


def main(name: str, program: str, *arguments: str) -> None:
    link = TapLink(name)
    os.dup2(link.fileno(), 0)
    os.set_blocking(0, True)
    print(f"reference: {name} ready", file=sys.stderr, flush=True)
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    main(*sys.argv[1:])
