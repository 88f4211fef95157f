"""The counters of a running host, named as in Linux's /proc/net/snmp6 where it has them.

example: sixtap stats --nonzero
"""

import argparse
import re

from stack.cli.asking import ask, print_json

ASKS_A_HOST = True


def configure(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--nonzero", action="store_true", help="only counters that have counted something")
    parser.add_argument("--prometheus", action="store_true", help="in the Prometheus text format")


def run(arguments: argparse.Namespace) -> int:
    """Print them."""
    counters: dict[str, int] = ask(arguments, "stats")
    if arguments.nonzero:
        counters = {name: value for name, value in counters.items() if value}
    if arguments.json:
        print_json(counters)
    elif arguments.prometheus:
        for name, value in counters.items():
            metric = metric_name(name)
            print(f"# TYPE {metric} counter\n{metric} {value}")
    else:
        for name, value in counters.items():
            print(f"{name:<32}{value}")
    return 0


def metric_name(counter: str) -> str:
    """`Ip6InReceives` as `sixtap_ip6_in_receives_total`."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|[0-9]+", counter)
    return "sixtap_" + "_".join(word.lower() for word in words) + "_total"
