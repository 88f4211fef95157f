"""Why nothing comes in for an address or a group: what the host, its filter and its flight recorder know about it.

The first line says what stands in the way; the lines below it are all that is
known, those that stand in the way with a dash.

example: sixtap why-not ff05::1:3
"""

import argparse

from stack.address import parse_address
from stack.cli.asking import print_json
from stack.cli.bundles import add_bundle_option, take
from stack.errors import RefusedError

ASKS_A_HOST = True


def configure(parser: argparse.ArgumentParser) -> None:
    """What is asked about."""
    parser.add_argument("address", metavar="ADDRESS|GROUP", help="of this host, of a neighbour, or of a group")
    add_bundle_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Replay and judge."""
    address = parse_address(arguments.address.partition("%")[0])
    bundle = take(arguments, state_alone=True)
    from stack.recorder.history import history
    from stack.recorder.why_not import why_not

    told = history(bundle)
    interface = next(iter(told.host.interfaces.values()), None)
    if interface is None:
        raise RefusedError("the host of the bundle has no interface")
    answer = why_not(told, interface, address, bundle.about)
    if arguments.json:
        print_json(answer.document())
    else:
        print(answer.text())
    return 0
