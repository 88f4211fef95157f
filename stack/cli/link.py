"""The interface of a running host: its state, MTU and MAC; taking it down and up.

`down` sends nothing (no leaves) and lets the TAP's carrier follow, so that a
bridge sees it; what was learnt is forgotten. `up` starts over: reports, then
duplicate address detection.

example: sixtap link set mtu 1400
"""

import argparse
from typing import Any

from stack.cli.asking import add_verb, add_verbs, ask, done, print_json
from stack.cli.main import Parser, add_common

ASKS_A_HOST = True


def configure(parser: argparse.ArgumentParser) -> None:
    """The verbs."""
    verbs = add_verbs(parser)
    add_verb(verbs, "show", "the interface's state", aliases=("list", "ls"))
    add_verb(verbs, "up", "start over: reports, then duplicate address detection")
    add_verb(verbs, "down", "nothing in or out, no leaves; the carrier follows")
    change = add_verb(verbs, "set", "another MTU or MAC")
    kinds = change.add_subparsers(dest="what", metavar="WHAT", required=True, parser_class=Parser)
    mtu = kinds.add_parser("mtu", help="another MTU", description="another MTU; the TAP's kernel side follows")
    mtu.add_argument("value", metavar="BYTES", help="1280 to 65521")
    mac = kinds.add_parser("address", help="another MAC", description="another MAC; the host starts over with it")
    mac.add_argument("value", metavar="MAC")
    for each in (mtu, mac):
        add_common(each)


def run(arguments: argparse.Namespace) -> int:
    """Show or change."""
    if arguments.verb in ("up", "down"):
        ask(arguments, f"link {arguments.verb}")
        return done(arguments)
    if arguments.verb == "set":
        name = "mtu" if arguments.what == "mtu" else "mac"
        ask(arguments, f"link set {arguments.what}", **{name: arguments.value})
        return done(arguments)
    document = ask(arguments, "link show")
    if arguments.json:
        print_json(document)
    else:
        print("\n".join(header(each) for each in document))
    return 0


def header(link: dict[str, Any]) -> str:
    """The lines of `ip link show` for one interface."""
    flags = ",".join(link["flags"])
    vlan = f" vlan {link['vlan']}" if link["vlan"] is not None else ""
    disabled = " IPv6 disabled (duplicate)" if link["disabled"] else ""
    first = (
        f"{link['ifindex']}: {link['ifname']}: <{flags}> mtu {link['mtu']} state {link['operstate']}{vlan}{disabled}"
    )
    return f"{first}\n    link/ether {link['address']} brd {link['broadcast']}"
