"""Write the flight recorder of a running host as a bundle: what came in and went out lately, from a snapshot on.

`sixtap replay FILE` repeats it bit for bit on any machine; `sixtap why` and
`sixtap why-not` take it with --bundle.

example: sixtap record /tmp/odd.bundle
"""

import argparse
import base64
from pathlib import Path

from stack.cli.asking import ask, print_json
from stack.cli.private_file import write_privately
from stack.errors import UsageError

ASKS_A_HOST = True


def configure(parser: argparse.ArgumentParser) -> None:
    """The file."""
    parser.add_argument("file", type=Path, metavar="FILE", help="written anew if it is there, readable for its owner")


def run(arguments: argparse.Namespace) -> int:
    """Ask for it and write it."""
    document = ask(arguments, "record")
    path: Path = arguments.file
    try:
        write_privately(path, base64.b64decode(document.pop("bundle")))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    if arguments.json:
        print_json({"file": str(path), **document})
    else:
        counted = f"{document['frames_in']} frames in, {document['frames_out']} out"
        print(f"{path}: {counted}, of the last {document['seconds']:.1f} s")
    return 0
