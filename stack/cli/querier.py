"""The router's side of MLD: asks who listens, is elected or not, and prints its table of listeners as it changes.

With --tap on a real link until interrupted. Without it on a link in memory, in
virtual time, beside two hosts, ada and bob, which join a group and leave it;
that needs no privilege and is the same for the same words. With --group the
periodic queries ask for this group, with --sources for these sources of it.
Every field can be set, legal or not.

A line is the time, the group, and what is forwarded of it: `exclude` and the
sources that nobody wants, `include` and those that somebody wants, or `gone`.

example: sixtap querier --tap q0 --bridge br0 --version 2 --interval 20
"""

import argparse

from stack.cli.fields import LONGEST_DELAY, OCTET, seconds, whole

_LONGEST_INTERVAL = 1_000_000.0


def configure(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--tap", metavar="NAME", help="TAP device (without one: a link in memory)")
    parser.add_argument("--bridge", metavar="BRIDGE", help="make the device a port of this bridge")
    parser.add_argument("--version", type=whole(1, 2), default=2, metavar="1|2", help="of MLD (2)")
    parser.add_argument("-j", "--json", action="store_true", help="print one JSON object a line")
    parser.add_argument("--count", type=whole(1, 10**9), metavar="N", help="end after N queries and their answers")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="in memory: other delays of the hosts")
    times = parser.add_argument_group("times and counts (RFC 3810 9)")
    times.add_argument(
        "--interval",
        type=seconds(0.001, _LONGEST_INTERVAL),
        default=125.0,
        metavar="S",
        help="query interval (125)",
    )
    times.add_argument(
        "--max-response",
        type=whole(0, LONGEST_DELAY),
        metavar="MS",
        help="maximum response delay (10000; with --group 1000)",
    )
    times.add_argument("--robustness", type=whole(1, 255), default=2, metavar="N", help="robustness variable (2)")
    fields = parser.add_argument_group("the queries")
    fields.add_argument("--group", metavar="GROUP", help="ask for this group")
    fields.add_argument("--sources", metavar="SOURCE,...", help="and for these sources of it")
    fields.add_argument("--source", metavar="ADDRESS", help="source address (link-local, made from the MAC)")
    fields.add_argument("--mac", metavar="MAC", help="source MAC (derived from NAME and the machine's id)")
    fields.add_argument("--dst", metavar="ADDRESS", help="destination (ff02::1, or the group that is asked for)")
    fields.add_argument("--hop-limit", type=OCTET, default=1, metavar="N", help="hop limit (1)")
    fields.add_argument("--no-alert", action="store_true", help="no router alert option")
    fields.add_argument("--code", type=OCTET, default=0, metavar="N", help="ICMPv6 code (0)")
    fields.add_argument("--qrv", type=whole(0, 7), metavar="N", help="robustness field (the robustness variable)")
    fields.add_argument("--qqic", type=OCTET, metavar="N", help="query interval code (of the query interval)")
    fields.add_argument("--s-flag", action="store_true", default=None, help="suppress router-side processing")


def run(arguments: argparse.Namespace) -> int:
    """Ask until interrupted, or in memory until the course is over."""
    # The router, which --help does without.
    from stack.cli.querier_work import run_querier

    return run_querier(arguments)
