"""Start a running host over, as a reboot does: nothing is sent first and what was learnt is dropped.

Addresses, neighbours, groups and settings given by the user stay.

example: sixtap restart
"""

import argparse

from stack.cli.asking import ask, done

ASKS_A_HOST = True


def configure(parser: argparse.ArgumentParser) -> None:
    """Nothing of its own."""


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    ask(arguments, "restart")
    return done(arguments)
