"""What `sixtap querier` does: asks on a TAP device, or in memory beside two hosts, and prints what it learns."""

import argparse
import json
import math
from collections.abc import Callable
from typing import Any

import trio

from stack.address import UNSPECIFIED, IPv6Address, MacAddress, format_address, format_mac, parse_address, parse_mac
from stack.cli import tapping
from stack.cli.fields import addresses, group
from stack.errors import UsageError
from stack.link.tap import TapLink, check_name
from stack.sim.querier import GroupChange, Listening, Querier, QueryFields, RoleChange, Variables, Warned
from stack.sim.querier.rehearsal import ROUTER_MAC, Did, Event, Rehearsal, Said

REHEARSED_GROUP = parse_address("ff15::cafe")
# In memory: the first query, the second of the start, and one a whole interval later.
REHEARSED_QUERIES = 3

# RFC 2710 3.4: version 1 has no exponential code.
_VERSION_1_MILLISECONDS = 0xFFFF


class Plan:
    """The command line's words, checked before anything is touched; raises UsageError."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        if arguments.tap is not None:
            check_name(arguments.tap)
        elif arguments.bridge is not None:
            raise UsageError("--bridge needs --tap")
        if arguments.sources is not None and arguments.group is None:
            raise UsageError("--sources needs --group")
        self.group: IPv6Address = UNSPECIFIED if arguments.group is None else group(arguments.group)
        self.sources = addresses(arguments.sources or "")
        self.address = None if arguments.source is None else parse_address(arguments.source)
        if arguments.mac is not None:
            parse_mac(arguments.mac)
        if arguments.version == 1:
            _check_version_1(arguments)
        self.count: int | None = arguments.count
        self.variables = _variables(arguments)
        self.fields = QueryFields(
            code=arguments.code,
            hop_limit=arguments.hop_limit,
            router_alert=not arguments.no_alert,
            destination=None if arguments.dst is None else parse_address(arguments.dst),
            interval_code=arguments.qqic,
            robustness=arguments.qrv,
            suppress=arguments.s_flag,
        )

    def querier(self, mac: MacAddress, mtu: int = 1500, *, listens: bool = False) -> Querier:
        """The router that was asked for."""
        return Querier(
            mac,
            address=self.address,
            variables=self.variables,
            fields=self.fields,
            subject=(self.group, self.sources),
            query_limit=self.count,
            mtu=mtu,
            listens=listens,
        )


def _check_version_1(arguments: argparse.Namespace) -> None:
    for option in ("sources", "qrv", "qqic", "s_flag"):
        if getattr(arguments, option) is not None:
            raise UsageError(f"a version 1 query has no --{option.replace('_', '-')}")
    if (arguments.max_response or 0) > _VERSION_1_MILLISECONDS:
        raise UsageError(f"a version 1 query has room for 65535 ms, not for {arguments.max_response}")


def _variables(arguments: argparse.Namespace) -> Variables:
    variables = Variables(version=arguments.version, robustness=arguments.robustness, query_interval=arguments.interval)
    if arguments.max_response is not None and arguments.group is None:
        variables.query_response_interval = arguments.max_response / 1000
    elif arguments.max_response is not None:
        variables.last_listener_query_interval = arguments.max_response / 1000
    return variables


def run_querier(arguments: argparse.Namespace) -> int:
    """Ask until interrupted, or in memory until the course is over."""
    plan = Plan(arguments)
    show = _show_json if arguments.json else _show_text
    if arguments.tap is None:
        mac = ROUTER_MAC if arguments.mac is None else parse_mac(arguments.mac)
        subject = REHEARSED_GROUP if plan.group == UNSPECIFIED else plan.group
        queries = REHEARSED_QUERIES if plan.count is None else plan.count
        Rehearsal(plan.querier(mac), subject, show, queries=queries, seed=arguments.seed).play()
        return 0
    with tapping.opened_unfiltered(arguments.tap, arguments.bridge) as link:
        mac = tapping.station_mac(arguments.mac, link)
        querier = plan.querier(mac, link.mtu, listens=True)
        tapping.tell(f"{link.name} {format_mac(mac)} {format_address(querier.address)} asks")
        tapping.run_until_signal(lambda: _serve(querier, link, show, plan.count))
    return 0


async def _serve(querier: Querier, link: TapLink, show: Callable[[Event], None], count: int | None) -> None:
    """Carry frames and time between the querier and the device; times told are since the start."""
    await tapping.until_forwarding(link)
    querier.watchers.append(show)
    try:
        await _carry(querier, link, count)
    finally:
        querier.stop()
        for _, octets in querier.output():
            link.write(octets)


async def _carry(querier: Querier, link: TapLink, count: int | None) -> None:
    began = trio.current_time()
    querier.start(0.0)
    end = math.inf
    while True:
        now = trio.current_time() - began
        frames = link.read()
        for frame in frames:
            querier.receive(frame, now)
        querier.advance(now)
        for _, octets in querier.output():
            link.write(octets)
        if count is not None and querier.queries_sent >= count and end == math.inf:
            end = now + querier.answer_time
        if now >= end:
            return
        if frames:
            await trio.lowlevel.checkpoint()
            continue
        deadline = querier.next_deadline()
        until = min(end, math.inf if deadline is None else deadline)
        with trio.CancelScope(deadline=began + until):
            await trio.lowlevel.wait_readable(link.fileno())


# -- printing


def _show_text(event: Event) -> None:
    print(f"{event.time:10.3f}  {_text(event)}", flush=True)


def _show_json(event: Event) -> None:
    print(json.dumps({"time": round(event.time, 6), **_document(event)}), flush=True)


def _text(event: Event) -> str:
    if isinstance(event, GroupChange):
        name = format_address(event.group)
        if event.listening is None:
            return f"{name} gone"
        listed = ",".join(map(format_address, event.listening.sources))
        return f"{name} {event.listening.mode.value} {listed}".rstrip()
    if isinstance(event, RoleChange):
        return f"{event.role.value}: {format_address(event.querier)} asks"
    if isinstance(event, Warned):
        return f"warning: {event.text} ({event.clause})"
    return f"{event.sender} {event.text}" if isinstance(event, Said) else f"{event.host} {event.text}"


def _document(event: Event) -> dict[str, Any]:
    if isinstance(event, GroupChange):
        return {"event": "listeners", "group": format_address(event.group), **_listening(event.listening)}
    if isinstance(event, RoleChange):
        return {"event": "role", "role": event.role.value, "querier": format_address(event.querier)}
    if isinstance(event, Warned):
        return {"event": "warning", "text": event.text, "clause": event.clause}
    if isinstance(event, Did):
        return {"event": "host", "host": event.host, "text": event.text}
    return {"event": "frame", "from": event.sender, "text": event.text}


def _listening(listening: Listening | None) -> dict[str, Any]:
    if listening is None:
        return {"mode": None, "sources": [], "requested": [], "version": None}
    return {
        "mode": listening.mode.value,
        "sources": [format_address(each) for each in listening.sources],
        "requested": [format_address(each) for each in listening.requested],
        "version": 1 if listening.version_1 else 2,
    }
