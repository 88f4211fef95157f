"""The settings of a running host, with Linux's names, units and meanings where Linux has the setting.

Without an argument all are listed; KEY=VALUE changes one from now on.

example: sixtap set mld_ratelimit=20
"""

import argparse

from stack.cli.asking import ask, print_json
from stack.errors import UsageError

ASKS_A_HOST = True


def configure(parser: argparse.ArgumentParser) -> None:
    """The argument."""
    parser.add_argument("assignments", nargs="*", metavar="KEY=VALUE")


def run(arguments: argparse.Namespace) -> int:
    """List or change."""
    if not arguments.assignments:
        document = ask(arguments, "set")
        if arguments.json:
            print_json(document)
        else:
            for name, value in document.items():
                print(f"{name:<36}{value:<12}{_about(name)}".rstrip())
        return 0
    from stack import settings

    for assignment in arguments.assignments:
        settings.split_assignment(assignment)
    changed = {}
    for assignment in arguments.assignments:
        changed.update(ask(arguments, "set", assignment=assignment))
    if arguments.json:
        print_json(changed)
    return 0


def _about(name: str) -> str:
    from stack import settings

    try:
        return settings.about(name)
    except (KeyError, UsageError):
        # The host is of another version and knows a setting that we do not.
        return ""
