"""A neighbour that breaks the peace of a link: for a lab, to see what hosts make of it, never for somebody's network.

deny     answers every probe of duplicate address detection: nobody gets an address
claim    says that the given addresses are its own, to whoever asks and at once to all
routers  floods router advertisements, each of another router with another prefix
neighbours  floods neighbour advertisements that nobody asked for
queries  floods general MLD queries that want their answers at once

The last three end after --count messages, --rate a second; the first two when interrupted.

example: sixtap rude deny --tap x0 --bridge br0
"""

import argparse

from stack.cli.fields import seconds, whole

FLOODS = ("routers", "neighbours", "queries")
_ACTIONS = ("deny", "claim", *FLOODS)


def configure(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("action", choices=_ACTIONS, metavar="ACTION", help="deny, claim, routers, neighbours, queries")
    parser.add_argument("address", nargs="*", metavar="ADDRESS", help="what claim claims")
    parser.add_argument("--tap", metavar="NAME", required=True, help="TAP device")
    parser.add_argument("--bridge", metavar="BRIDGE", help="make the device a port of this bridge")
    parser.add_argument("--mac", metavar="MAC", help="its MAC (derived from NAME and the machine's id)")
    parser.add_argument("--count", type=whole(1, 10**7), default=1000, metavar="N", help="messages of a flood (1000)")
    parser.add_argument(
        "--rate", type=seconds(0.01, 100_000.0), default=100.0, metavar="N", help="messages of a flood per second (100)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Be rude until it is over."""
    # The neighbour, which --help does without.
    from stack.cli.rude_work import run_rude

    return run_rude(arguments)
