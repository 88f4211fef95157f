"""Why a frame was sent, or what was made of one that came in: causes and decisions, with their RFC clauses.

The host's flight recorder is run again with the journal on. Frames in and out are
numbered together from the start of the host, as in the file of `run --trace`.
Without FRAME the last frames are listed with their numbers.

example: sixtap why 57
"""

import argparse

from stack.cli.asking import print_json
from stack.cli.bundles import add_bundle_option, take

ASKS_A_HOST = True


def configure(parser: argparse.ArgumentParser) -> None:
    """The frame."""
    parser.add_argument("frame", type=int, nargs="?", metavar="FRAME", help="a number; without it the last are listed")
    add_bundle_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Replay and tell."""
    bundle = take(arguments)
    from stack.recorder import why
    from stack.recorder.history import frame_line, history

    told = history(bundle)
    if arguments.frame is None:
        frames = why.latest(told)
        if arguments.json:
            print_json([why.summary(each, told.now) for each in frames])
        else:
            print("\n".join(frame_line(each, told.now) for each in frames) or "no frame yet")
    elif arguments.json:
        print_json(why.why(told, arguments.frame))
    else:
        print(why.why_text(told, arguments.frame))
    return 0
