"""`sixtap explain`: each frame of a capture walked through a virtual host, layer by layer.

It says what each layer found, what the host decided, which clause of which RFC
decided it, and what the host sent. The capture is re-addressed, so that the host
plays the node that the capture is about. Needs no privilege and no device.
"""

import argparse
from pathlib import Path


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `sixtap explain`."""
    parser.add_argument("capture", type=Path, metavar="CAPTURE", help="a pcap or pcapng file")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write one page for a browser instead of text")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the host's random choices (default 0)")
    parser.epilog = "example:\n  sixtap explain office.pcapng --html office.html"


def run(arguments: argparse.Namespace) -> int:
    """Explain a capture; the exit status."""
    # The host, which --help does without.
    from stack.cli.explain_text import run_explain

    return run_explain(arguments)
