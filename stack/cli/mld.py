"""MLD messages by hand: `mld send` puts one on the link, every field as it is written, legal or not.

TYPE is `query1`, `report1` or `done` (version 1, RFC 2710), `query` or `report`
(version 2, RFC 3810). What is not written is what the RFC asks for. A record of
a report is KIND,GROUP,SOURCE,...; KIND is is_in, is_ex, to_in, to_ex, allow,
block, or a number. The TAP device is the message's own: another process cannot
have it open.

example: sixtap mld send report --record to_ex,ff05::1:3 --tap t9 --bridge br0
"""

import argparse

from stack.cli.fields import LONGEST_DELAY, OCTET, WORD, seconds, whole
from stack.cli.main import Parser

TYPES = ("query1", "query", "report1", "done", "report")

_LONGEST_MESSAGE = 60_000


def configure(parser: argparse.ArgumentParser) -> None:
    """The verb and the fields."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Parser)
    send: Parser = verbs.add_parser(
        "send",
        help="one message as written",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    send.add_argument("type", metavar="TYPE", choices=TYPES, help=", ".join(TYPES))
    send.add_argument("--tap", metavar="NAME", required=True, help="TAP device to send through")
    send.add_argument("--bridge", metavar="BRIDGE", help="make it a port of this bridge")
    _add_fields(send)
    _add_envelope(send)
    send.add_argument("-c", dest="count", type=whole(1, 1_000_000), default=1, metavar="N", help="how many (1)")
    send.add_argument(
        "-i", dest="interval", type=seconds(0, 3600), default=1.0, metavar="S", help="seconds between (1)"
    )


def _add_fields(send: argparse.ArgumentParser) -> None:
    fields = send.add_argument_group("the message")
    fields.add_argument("--record", action="append", metavar="KIND,GROUP[,SOURCE...]", help="of a report; repeatable")
    fields.add_argument("--group", metavar="GROUP", help="multicast address field (a query: ::, a general one)")
    fields.add_argument("--sources", metavar="SOURCE,...", help="sources of a version 2 query")
    delay = fields.add_mutually_exclusive_group()
    delay.add_argument("--max-response", type=whole(0, LONGEST_DELAY), metavar="MS", help="maximum response delay")
    delay.add_argument("--code-field", type=WORD, metavar="N", help="maximum response code, as it is sent")
    fields.add_argument("--code", type=OCTET, metavar="N", help="ICMPv6 code (0)")
    fields.add_argument("--qrv", type=whole(0, 7), metavar="N", help="querier's robustness variable (2)")
    fields.add_argument("--qqic", type=OCTET, metavar="N", help="querier's query interval code (125)")
    fields.add_argument("--s-flag", action="store_true", default=None, help="suppress router-side processing")
    fields.add_argument(
        "--length", type=whole(0, _LONGEST_MESSAGE), metavar="N", help="cut the message, or fill it up, to N octets"
    )
    fields.add_argument("--bad-checksum", action="store_true", help="a checksum that is wrong")


def _add_envelope(send: argparse.ArgumentParser) -> None:
    envelope = send.add_argument_group("the packet around it")
    envelope.add_argument("--src", metavar="ADDRESS", help="source (the link-local address made from the MAC)")
    envelope.add_argument("--dst", metavar="ADDRESS", help="destination (what the RFC has for the message)")
    envelope.add_argument("--mac", metavar="MAC", help="source MAC (derived from NAME and the machine's id)")
    envelope.add_argument("--hop-limit", type=OCTET, default=1, metavar="N", help="hop limit (1)")
    envelope.add_argument("--no-alert", action="store_true", help="no router alert option")


def run(arguments: argparse.Namespace) -> int:
    """Send it, once or more often; what was sent is printed."""
    # The messages, which --help does without.
    from stack.cli.mld_message import send

    return send(arguments)
