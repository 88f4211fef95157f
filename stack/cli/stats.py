"""The counters of a running host, named as in Linux's /proc/net/snmp6 where it has them.

example: sixtap stats --nonzero
         sixtap stats --prometheus >/var/lib/node_exporter/sixtap.prom
"""

import argparse

from stack.cli.asking import ask, print_json
from stack.cli.metrics import exposition

ASKS_A_HOST = True


def configure(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--nonzero", action="store_true", help="only counters that have counted something")
    parser.add_argument(
        "--prometheus", action="store_true", help="in the text format of Prometheus; docs/metrics.md lists the names"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print them."""
    counters: dict[str, int] = ask(arguments, "stats")
    if arguments.nonzero:
        counters = {name: value for name, value in counters.items() if value}
    if arguments.prometheus:
        device = ask(arguments, "link show")[0]["ifname"]
        print(exposition(counters, device), end="")
    elif arguments.json:
        print_json(counters)
    else:
        for name, value in counters.items():
            print(f"{name:<32}{value}")
    return 0
