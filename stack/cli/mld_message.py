"""What `sixtap mld send` does: a message built from the words of the command line, and sent."""

import argparse
from collections.abc import Callable
from typing import NamedTuple

import trio

from stack.address import (
    ALL_MLDV2_ROUTERS,
    ALL_NODES,
    ALL_ROUTERS,
    LINK_LOCAL_PREFIX,
    UNSPECIFIED,
    IPv6Address,
    MacAddress,
    eui64_identifier,
    parse_address,
    parse_mac,
)
from stack.cli import tapping
from stack.cli.fields import OCTET, addresses
from stack.errors import LinkError, UsageError
from stack.explain import frame as explain
from stack.link.tap import TapLink, check_name
from stack.wire import icmpv6, mld, mldpacket, mldv2
from stack.wire.checksum import with_checksum

KINDS = {name.lower(): number for number, name in mldv2.RECORD_NAMES.items()}

# RFC 3810 9.1, 9.2, 9.3 and 9.8
ROBUSTNESS = 2
QUERY_INTERVAL = 125
RESPONSE_DELAY = 10_000
LAST_LISTENER_RESPONSE_DELAY = 1_000


class Order(NamedTuple):
    """A message as it was ordered, checked, and complete but for what the TAP device gives."""

    message: bytes
    destination: IPv6Address
    source: IPv6Address | None
    hop_limit: int
    router_alert: bool
    bad_checksum: bool

    def frame(self, mac: MacAddress) -> bytes:
        """The frame from a station with this MAC."""
        source = LINK_LOCAL_PREFIX + eui64_identifier(mac) if self.source is None else self.source
        message = self.message
        if len(message) >= icmpv6.HEADER.size:
            message = with_checksum(source, self.destination, message)
            if self.bad_checksum:
                message = message[:2] + bytes((message[2] ^ 0x55, message[3])) + message[4:]
        return mldpacket.frame(
            message, source, self.destination, mac, hop_limit=self.hop_limit, router_alert=self.router_alert
        )


def order(arguments: argparse.Namespace) -> Order:
    """The message that the words ask for; raises UsageError."""
    kind = TYPES[arguments.type]
    for option in ("record", "group", "sources", "max_response", "code_field", "qrv", "qqic", "s_flag"):
        if getattr(arguments, option) is not None and option not in kind.takes:
            raise UsageError(f"mld send {arguments.type} takes no --{option.replace('_', '-')}")
    if kind.needs_group and arguments.group is None:
        raise UsageError(f"mld send {arguments.type} needs --group")
    group = UNSPECIFIED if arguments.group is None else parse_address(arguments.group)
    message = kind.build(arguments, group)
    if arguments.length is not None:
        message = message[: arguments.length] + bytes(max(0, arguments.length - len(message)))
    return Order(
        message,
        kind.destination(group) if arguments.dst is None else parse_address(arguments.dst),
        None if arguments.src is None else parse_address(arguments.src),
        arguments.hop_limit,
        not arguments.no_alert,
        arguments.bad_checksum,
    )


# -- the messages


def _query_1(arguments: argparse.Namespace, group: IPv6Address) -> bytes:
    return _version_1(icmpv6.MLD_QUERY, arguments, group, _delay(arguments, group))


def _report_1(arguments: argparse.Namespace, group: IPv6Address) -> bytes:
    return _version_1(icmpv6.MLD_REPORT, arguments, group, 0)


def _done(arguments: argparse.Namespace, group: IPv6Address) -> bytes:
    return _version_1(icmpv6.MLD_DONE, arguments, group, 0)


def _version_1(number: int, arguments: argparse.Namespace, group: IPv6Address, delay: int) -> bytes:
    """RFC 2710 3: the delay is a plain number in 16 bits."""
    if arguments.code_field is not None:
        delay = arguments.code_field
    elif arguments.max_response is not None:
        delay = arguments.max_response
    if delay > 0xFFFF:
        raise UsageError(f"a version 1 message has room for 65535 ms, not for {delay}")
    return mld.HEADER.pack(number, arguments.code or 0, 0, delay, 0, group)


def _query(arguments: argparse.Namespace, group: IPv6Address) -> bytes:
    code = arguments.code_field
    if code is None:
        code = mldv2.maximum_response_code(_delay(arguments, group))
    return mldv2.query(
        group,
        addresses(arguments.sources or ""),
        response_code=code,
        suppress=bool(arguments.s_flag),
        robustness=ROBUSTNESS if arguments.qrv is None else arguments.qrv,
        interval_code=QUERY_INTERVAL if arguments.qqic is None else arguments.qqic,
        code=arguments.code or 0,
    )


def _report(arguments: argparse.Namespace, group: IPv6Address) -> bytes:
    return mldv2.report([_record(text) for text in arguments.record or ()], code=arguments.code or 0)


def _delay(arguments: argparse.Namespace, group: IPv6Address) -> int:
    if arguments.max_response is not None:
        return int(arguments.max_response)
    return RESPONSE_DELAY if group == UNSPECIFIED else LAST_LISTENER_RESPONSE_DELAY


def _record(text: str) -> mldv2.Record:
    word, _, rest = text.partition(",")
    kind = KINDS.get(word.lower())
    if kind is None:
        try:
            kind = OCTET(word)
        except argparse.ArgumentTypeError:
            raise UsageError(f"--record {text}: {word!r} is none of {', '.join(KINDS)}, nor a number to 255") from None
    if not rest:
        raise UsageError(f"--record {text}: a record is KIND,GROUP,SOURCE,...")
    group, *sources = addresses(rest)
    return mldv2.Record(kind, group, tuple(sources))


def _to_group(group: IPv6Address) -> IPv6Address:
    return ALL_NODES if group == UNSPECIFIED else group


def _to_routers(group: IPv6Address) -> IPv6Address:
    return ALL_ROUTERS


def _to_version_2_routers(group: IPv6Address) -> IPv6Address:
    return ALL_MLDV2_ROUTERS


class _Type(NamedTuple):
    """How a message is built, where it goes (RFC 2710 8, RFC 3810 5.1.15, 5.2.14), which options it takes."""

    build: Callable[[argparse.Namespace, IPv6Address], bytes]
    destination: Callable[[IPv6Address], IPv6Address]
    takes: tuple[str, ...]
    needs_group: bool = False


_DELAY = ("max_response", "code_field")
TYPES = {
    "query1": _Type(_query_1, _to_group, ("group", *_DELAY)),
    "query": _Type(_query, _to_group, ("group", "sources", "qrv", "qqic", "s_flag", *_DELAY)),
    "report1": _Type(_report_1, _to_group, ("group", *_DELAY), needs_group=True),
    "done": _Type(_done, _to_routers, ("group", *_DELAY), needs_group=True),
    "report": _Type(_report, _to_version_2_routers, ("record",)),
}


# -- sending


def send(arguments: argparse.Namespace) -> int:
    """Send it, once or more often; what was sent is printed."""
    check_name(arguments.tap)
    ordered = order(arguments)
    if arguments.mac is not None:
        parse_mac(arguments.mac)
    sent = 0

    async def work() -> None:
        nonlocal sent
        await tapping.until_forwarding(link)
        while True:
            _send(link, octets)
            sent += 1
            if sent == arguments.count:
                return
            await trio.sleep(arguments.interval)

    with tapping.opened_unfiltered(arguments.tap, arguments.bridge) as link:
        octets = ordered.frame(tapping.station_mac(arguments.mac, link))
        tapping.run_until_signal(work)
    return 0 if sent else 1


def _send(link: TapLink, octets: bytes) -> None:
    if not link.write(octets):
        raise LinkError(f"{link.name} does not take the frame (is it up? ip link show {link.name})")
    print(explain.describe(octets), flush=True)
