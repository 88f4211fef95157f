"""What the sysctls of NetBSD's mld6.c list: the groups of an interface, and those saved while it has no address.

example: sixtap get net.inet6.multicast
"""

import argparse

from stack.cli.asking import ask, print_json, table

ASKS_A_HOST = True


def configure(parser: argparse.ArgumentParser) -> None:
    """The argument."""
    parser.add_argument(
        "name",
        metavar="NAME[.IFINDEX]",
        help="net.inet6.multicast or net.inet6.multicast_kludge",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the list."""
    document = ask(arguments, "get", name=arguments.name)
    if arguments.json:
        print_json(document)
    elif document:
        print(table([[str(value) for value in entry.values()] for entry in document]))
    return 0
