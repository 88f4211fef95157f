"""The routes of a running host: on-link prefixes, routers, and routes that the user gives.

A route that is added stays until it is deleted, through `link down` and `restart`.
Its next hop is on this link: a link-local address, or one in an on-link prefix.
`--cache` shows what was learnt of single destinations: redirects and path MTUs.

example: sixtap route add 2001:db8:9::/48 via fe80::1
         sixtap route add default via 2001:db8::1
"""

import argparse
from typing import Any

from stack.cli.asking import add_verb, add_verbs, ask, done, print_json
from stack.errors import UsageError

ASKS_A_HOST = True

# What may follow a route's words, each with one word behind it, as with ip.
_WORDS = ("via", "dev", "metric")


def configure(parser: argparse.ArgumentParser) -> None:
    """The verbs."""
    parser.add_argument("--cache", action="store_true", help="redirects and path MTUs instead")
    verbs = add_verbs(parser)
    show = add_verb(verbs, "show", "all routes", aliases=("list", "ls"))
    show.add_argument("--cache", action="store_true", default=argparse.SUPPRESS, help="redirects and path MTUs instead")
    add = add_verb(verbs, "add", "a route that stays until it is deleted")
    add.add_argument("prefix", metavar="PREFIX", help="ADDRESS/LEN, a single address, or default")
    add.add_argument("words", metavar="via ADDRESS", nargs="+", help="the next hop; also: metric N, dev NAME")
    remove = add_verb(verbs, "del", "remove a route that the user gave", aliases=("delete",))
    remove.add_argument("prefix", metavar="PREFIX")
    remove.add_argument("words", metavar="via ADDRESS", nargs="*", help="which of several; also: metric N, dev NAME")


def run(arguments: argparse.Namespace) -> int:
    """Show or change."""
    if arguments.verb in ("add", "del"):
        ask(arguments, f"route {arguments.verb}", prefix=arguments.prefix, **_pairs(arguments.words))
        return done(arguments)
    document = ask(arguments, "route show", cache=arguments.cache)
    if arguments.json:
        print_json(document)
    else:
        for route in document:
            print(_text(route))
    return 0


def _pairs(words: list[str]) -> dict[str, Any]:
    """`via ADDRESS metric N` by name; raises UsageError."""
    pairs: dict[str, Any] = {}
    for at in range(0, len(words), 2):
        name = words[at]
        if name not in _WORDS or name in pairs:
            raise UsageError(f"{name!r}: behind the prefix stands {', '.join(_WORDS)}, each once with its value")
        if at + 1 == len(words):
            raise UsageError(f"{name} needs a value behind it")
        pairs[name] = words[at + 1]
    return pairs


def _text(route: dict[str, Any]) -> str:
    """A route in ip's words."""
    words = [route["dst"]]
    if "gateway" in route:
        words += ["via", route["gateway"]]
    words += ["dev", route["dev"]]
    if "protocol" in route:
        words += ["proto", route["protocol"]]
    words += ["metric", str(route["metric"])]
    if "expires" in route:
        words += ["expires", f"{route['expires']}sec"]
    for metrics in route.get("metrics", ()):
        words += [word for name, value in metrics.items() for word in (name, str(value))]
    return " ".join([*words, "pref", route["pref"]])
