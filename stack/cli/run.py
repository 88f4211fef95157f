"""A virtual IPv6 host on a TAP device: it configures itself, resolves and is resolved, answers echo requests.

The device is created, or attached to if it exists, made a port of BRIDGE, and left
as it was found at the end. SIGINT or SIGTERM ends the host in order: it leaves
its groups, and leaves nothing behind.

example: sixtap run --tap t0 --bridge br0 --addr 2001:db8::5/64 --join ff05::1:3
"""

import argparse

from stack.cli import signals

DEFAULT_TAP = "sixtap0"
LEVELS = ("debug", "info", "warning", "error")


def configure(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--tap", metavar="NAME", default=DEFAULT_TAP, help=f"TAP device ({DEFAULT_TAP})")
    parser.add_argument("--bridge", metavar="BRIDGE", help="make the device a port of this bridge")
    parser.add_argument("--vlan", type=int, metavar="ID", help="tag all frames with this VLAN and take only its frames")
    parser.add_argument("--mac", metavar="MAC", help="the host's own MAC (derived from NAME and the machine's id)")
    parser.add_argument("--mtu", type=int, metavar="BYTES", help="1280 to 65521 (what the device has)")
    parser.add_argument("--addr", action="append", default=[], metavar="ADDRESS/PREFIXLEN", help="may be repeated")
    parser.add_argument(
        "--join", action="append", default=[], metavar="GROUP", help="GROUP[,include|exclude,SRC…]; may be repeated"
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting; may be repeated")
    parser.add_argument("--control", metavar="PATH", help="control socket (/run/sixtap/NAME.sock)")
    parser.add_argument("--trace", metavar="FILE.pcapng", help="every frame in and out, with what was decided about it")
    parser.add_argument("--no-record", action="store_true", help="no flight recorder (sixtap record, why)")
    parser.add_argument("--seed", type=int, metavar="N", help="make every random choice repeatable")
    parser.add_argument("--log", choices=LEVELS, default="warning", help="info: events; debug: every decision")


def run(arguments: argparse.Namespace) -> int:
    """Run the host until it is told to end."""
    with signals.held():
        # The whole stack, which --help does without.
        from stack.cli.run_host import run_host

        return run_host(arguments)
