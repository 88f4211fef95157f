"""The multicast address list of a running host.

Each group hangs on an address of the interface and is counted: it is left with
its last membership. `join` prints the id of the new membership, which
`leave --id` takes; without an id the newest of the user's goes.

example: sixtap maddr join ff05::1:3
"""

import argparse
from typing import Any

from stack.cli.asking import add_verb, add_verbs, ask, done, print_json, table

ASKS_A_HOST = True


def configure(parser: argparse.ArgumentParser) -> None:
    """The verbs."""
    verbs = add_verbs(parser)
    add_verb(verbs, "show", "all groups with their state", aliases=("list", "ls"))
    add_verb(verbs, "saved", "the groups saved while the interface has no address")
    add_verb(verbs, "filter", "the link layer's multicast filter as last handed to the driver")
    join = add_verb(verbs, "join", "listen to a group")
    join.add_argument("group", metavar="GROUP")
    join.add_argument("--include", metavar="SRC,…", help="only from these sources")
    join.add_argument("--exclude", metavar="SRC,…", help="from all sources but these")
    join.add_argument("--delay", type=float, metavar="S", help="seconds until the first report")
    leave = add_verb(verbs, "leave", "end a membership")
    leave.add_argument("group", metavar="GROUP")
    leave.add_argument("--id", type=int, metavar="N", help="the membership that join gave this id")
    listen = add_verb(verbs, "listen", "a named socket's mode and sources for a group, in one step")
    listen.add_argument("socket", metavar="SOCKET", help="any word; made at first use")
    listen.add_argument("group", metavar="GROUP")
    listen.add_argument("mode", choices=["include", "exclude"], metavar="include|exclude")
    listen.add_argument("sources", nargs="?", metavar="SRC,…", help="include without any ends it")


def run(arguments: argparse.Namespace) -> int:
    """Show or change."""
    if arguments.verb == "join":
        names = ("group", "include", "exclude", "delay")
        document = ask(arguments, "maddr join", **{name: getattr(arguments, name) for name in names})
        if arguments.json:
            print_json(document)
        else:
            print(document["id"])
        return 0
    if arguments.verb == "leave":
        ask(arguments, "maddr leave", group=arguments.group, id=arguments.id)
        return done(arguments)
    if arguments.verb == "listen":
        names = ("socket", "group", "mode", "sources")
        document = ask(arguments, "maddr listen", **{name: getattr(arguments, name) for name in names})
        return done(arguments, document)
    document = ask(arguments, f"maddr {arguments.verb}")
    if arguments.json:
        print_json(document)
    elif arguments.verb == "filter":
        print(_filter_text(document))
    else:
        print("\n".join(_groups_text(interface) for interface in document))
    return 0


def _groups_text(interface: dict[str, Any]) -> str:
    rows = [["GROUP", "ON", "REFS", "MODE", "STATE", "LAST", "TIMER"]]
    for group in interface["maddr"]:
        rows.append(
            [
                group["address"],
                group["ifaddr"] or "saved",
                str(group["refcount"]),
                ",".join([group["mode"], *group["sources"]]),
                group["state"],
                "us" if group["last_reporter"] else "-",
                "-" if group["timer"] is None else f"{group['timer']:.3f}",
            ]
        )
    if len(rows) == 1:
        return f"{interface['ifname']}: none"
    return f"{interface['ifname']}:\n" + table(rows)


def _filter_text(plan: dict[str, Any]) -> str:
    if plan["off"]:
        return "off: every frame passes"
    rows = [["unicast", mac] for mac in plan["unicast"]]
    if plan["allmulti"]:
        rows.append(["allmulti", "every multicast frame passes"])
    rows += [[kind, mac] for kind in ("exact", "hashed") for mac in plan[kind]]
    return table(rows)
