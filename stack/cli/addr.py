"""The unicast addresses of a running host.

`add` returns at once and duplicate address detection goes on; `show` tells the
state: tentative, optimistic, preferred, deprecated or duplicated.

example: sixtap addr add 2001:db8::5/64 --valid-lft 3600
"""

import argparse
from typing import Any

from stack.cli.asking import add_verb, add_verbs, ask, done, lifetime, print_json
from stack.cli.link import header

ASKS_A_HOST = True


def configure(parser: argparse.ArgumentParser) -> None:
    """The verbs."""
    verbs = add_verbs(parser)
    add_verb(verbs, "show", "all addresses with their states", aliases=("list", "ls"))
    add = add_verb(verbs, "add", "give the interface an address")
    add.add_argument("address", metavar="ADDRESS/LEN", help="without LEN it is 64")
    add.add_argument("--preferred-lft", metavar="S", help="seconds for which it is preferred, or forever")
    add.add_argument("--valid-lft", metavar="S", help="seconds for which it is valid, or forever")
    add.add_argument("--nodad", action="store_true", help="use it without duplicate address detection")
    add.add_argument("--anycast", action="store_true", help="an anycast address: never a source, no detection")
    remove = add_verb(verbs, "del", "take an address away", aliases=("delete",))
    remove.add_argument("address", metavar="ADDRESS")


def run(arguments: argparse.Namespace) -> int:
    """Show or change."""
    if arguments.verb == "add":
        ask(
            arguments,
            "addr add",
            address=arguments.address,
            preferred_lft=arguments.preferred_lft,
            valid_lft=arguments.valid_lft,
            nodad=arguments.nodad,
            anycast=arguments.anycast,
        )
        return done(arguments)
    if arguments.verb == "del":
        ask(arguments, "addr del", address=arguments.address)
        return done(arguments)
    document = ask(arguments, "addr show")
    if arguments.json:
        print_json(document)
    else:
        print("\n".join(_text(link) for link in document))
    return 0


# In the order of ip(8).
_WORDS = (
    *("tentative", "optimistic", "dadfailed", "deprecated"),
    *("dynamic", "temporary", "mngtmpaddr", "anycast", "nodad"),
)


def _text(link: dict[str, Any]) -> str:
    lines = [header(link)]
    for address in link["addr_info"]:
        words = "".join(f" {word}" for word in _WORDS if address.get(word))
        lines.append(f"    inet6 {address['local']}/{address['prefixlen']} scope {address['scope']}{words}")
        valid, preferred = lifetime(address["valid_life_time"]), lifetime(address["preferred_life_time"])
        lines.append(f"       valid_lft {valid} preferred_lft {preferred}")
    return "\n".join(lines)
