"""The neighbour cache of a running host, with the state of RFC 4861 7.3.2 of each entry.

example: sixtap neigh add 2001:db8::9 lladdr 02:00:5e:10:00:09
"""

import argparse
from typing import Any

from stack.cli.asking import add_verb, add_verbs, ask, done, print_json

ASKS_A_HOST = True


def configure(parser: argparse.ArgumentParser) -> None:
    """The verbs."""
    verbs = add_verbs(parser)
    add_verb(verbs, "show", "all entries", aliases=("list", "ls"))
    add = add_verb(verbs, "add", "an entry that stays until it is deleted")
    add.add_argument("address", metavar="ADDRESS")
    add.add_argument("keyword", choices=["lladdr"], metavar="lladdr")
    add.add_argument("mac", metavar="MAC")
    remove = add_verb(verbs, "del", "remove an entry", aliases=("delete",))
    remove.add_argument("address", metavar="ADDRESS")
    add_verb(verbs, "flush", "forget every learnt entry")


def run(arguments: argparse.Namespace) -> int:
    """Show or change."""
    if arguments.verb == "add":
        ask(arguments, "neigh add", address=arguments.address, lladdr=arguments.mac)
        return done(arguments)
    if arguments.verb == "del":
        ask(arguments, "neigh del", address=arguments.address)
        return done(arguments)
    if arguments.verb == "flush":
        ask(arguments, "neigh flush")
        return done(arguments)
    document = ask(arguments, "neigh show")
    if arguments.json:
        print_json(document)
    else:
        for entry in document:
            print(_text(entry))
    return 0


def _text(entry: dict[str, Any]) -> str:
    lladdr = f" lladdr {entry['lladdr']}" if "lladdr" in entry else ""
    router = " router" if "router" in entry else ""
    return f"{entry['dst']} dev {entry['dev']}{lladdr}{router} {' '.join(entry['state'])}"
