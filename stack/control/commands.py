"""What a running host does for each command of its control socket.

A handler takes the runtime, the request's arguments and the time, and returns the
document that the command line shows. It raises UsageError or RefusedError with
the line for the user; nothing has changed then.
"""

import errno
import os
from collections.abc import Callable
from typing import Any

from stack import documents, route_documents, settings
from stack.address import format_address, parse_address_with_length, parse_mac
from stack.control import doctor, recording
from stack.control.arguments import Arguments, parse_listening, parse_prefix
from stack.errors import RefusedError, UsageError
from stack.ip6.static_routes import DEFAULT_METRIC
from stack.mld.filters import NOTHING, FilterMode, SourceFilter
from stack.runtime import Runtime

Handler = Callable[[Runtime, Arguments, float], Any]

# Whose memberships `maddr leave` may end: those of `maddr join` and of `run --join`.
USER_OWNERS = ("user", "run")


def link_show(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """The interface with its addresses: `link show` and `addr show`."""
    return documents.link(runtime.interface, now, carrier=runtime.wanted_up)


def link_up(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """Carrier on; the interface starts over if it was down."""
    runtime.bring_up()


def link_down(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """Nothing in or out, no leaves, carrier off."""
    runtime.take_down()


def link_set_mtu(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """The MTU of the interface and of the device."""
    _set_mtu(runtime, arguments.text("mtu"))


def link_set_address(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """Another MAC for the host: it starts over with it."""
    mac = parse_mac(arguments.text("mac"))
    state = runtime.link.state()
    if state is not None and state.mac == mac:
        raise RefusedError(f"{arguments.text('mac')} is the MAC of the kernel's side of {runtime.link.name}")
    runtime.interface.set_mac(mac, now)


def addr_add(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """An address that the user gives; duplicate address detection goes on behind it."""
    address, length = parse_address_with_length(arguments.text("address"))
    runtime.interface.addresses.add(
        address,
        length,
        now,
        nodad=arguments.flag("nodad"),
        anycast=arguments.flag("anycast"),
        preferred_lifetime=_lifetime(arguments, "preferred_lft"),
        valid_lifetime=_lifetime(arguments, "valid_lft"),
    )


def addr_del(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """An address goes; a prefix length behind it, if given, must be its own."""
    text = arguments.text("address")
    address, length = parse_address_with_length(text)
    entry = runtime.interface.addresses.get(address)
    if entry is not None and "/" in text and entry.prefix_length != length:
        raise RefusedError(f"{format_address(address)} has the prefix length {entry.prefix_length}, not {length}")
    runtime.interface.addresses.remove(address, now)


def maddr_show(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """The multicast address list."""
    return documents.groups(runtime.interface, now)


def maddr_saved(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """The groups saved while the interface has no address."""
    return documents.groups(runtime.interface, now, saved=True)


def maddr_filter(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """The link layer's filter as last handed to the driver."""
    return documents.multicast_filter(runtime.interface.plan)


def maddr_join(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """One more reference to a group, the user's until `maddr leave`."""
    group, source_filter = parse_listening(_listening_text(arguments))
    delay = arguments.seconds("delay") or 0.0
    membership = runtime.interface.listener.join(group, now, delay=delay, source_filter=source_filter)
    return {"id": membership.id, "group": format_address(membership.group)}


def _listening_text(arguments: Arguments) -> str:
    """The words of `--include` and `--exclude` as `--join` has them in one."""
    group = arguments.text("group")
    include, exclude = arguments.optional_text("include"), arguments.optional_text("exclude")
    if include is not None and exclude is not None:
        raise UsageError("a membership either includes sources or excludes them")
    if include is not None:
        return f"{group},include,{include}"
    return group if exclude is None else f"{group},exclude,{exclude}"


def maddr_listen(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """IPv6MulticastListen (RFC 3810 3): a named socket has exactly this filter from now on."""
    sources, mode = arguments.optional_text("sources") or "", arguments.text("mode")
    group = arguments.group("group")
    wanted = NOTHING if mode == FilterMode.INCLUDE.value and not sources else _filter(arguments, mode, sources)
    owner = f"socket {arguments.text('socket')}"
    membership = runtime.interface.listener.listen(owner, group, wanted, now)
    return {
        "id": None if membership is None else membership.id,
        "group": format_address(group),
        "mode": wanted.mode.value,
        "sources": [format_address(source) for source in sorted(wanted.sources)],
    }


def _filter(arguments: Arguments, mode: str, sources: str) -> SourceFilter:
    words = [arguments.text("group"), mode, *([sources] if sources else [])]
    return parse_listening(",".join(words))[1]


def get(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """What the two sysctls of mld6.c list (SEED rows S76 to S80)."""
    name = arguments.text("name")
    for base, listing in _SYSCTLS.items():
        if name == base:
            return listing(runtime.interface)
        if name.startswith(f"{base}."):
            _check_index(runtime, name.removeprefix(f"{base}."))
            return listing(runtime.interface)
    raise UsageError(f"there is no {name!r}: {', '.join(_SYSCTLS)}, each with .IFINDEX behind it or without")


_SYSCTLS = {
    "net.inet6.multicast": documents.multicast,
    "net.inet6.multicast_kludge": documents.multicast_kludge,
}


def _check_index(runtime: Runtime, text: str) -> None:
    if not (text.isascii() and text.isdigit()):
        raise UsageError(f"{text!r} is not the index of an interface")
    if text != str(runtime.interface.index):
        raise RefusedError(f"there is no interface {text}: {os.strerror(errno.ENODEV)}")


def maddr_leave(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """End a membership of the user's: the newest of the group, or the one named by its id."""
    group = arguments.group("group")
    number = arguments.whole("id", 1, 1 << 62)
    listener = runtime.interface.listener
    if number is None:
        membership = listener.groups.newest(group, USER_OWNERS)
        if membership is None:
            raise RefusedError(f"{format_address(group)}: no membership of the user's (maddr show lists the groups)")
    else:
        record = listener.groups.records.get(group)
        membership = None if record is None else record.memberships.get(number)
        if membership is None or membership.owner not in USER_OWNERS:
            raise RefusedError(f"{format_address(group)}: the user has no membership {number} in it")
    listener.leave(membership, now)


def neigh_show(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """The neighbour cache."""
    return documents.neighbours(runtime.interface)


def neigh_add(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """An entry that stays until it is deleted."""
    resolver = runtime.interface.resolver
    address = arguments.address("address", zones(runtime))
    resolver.check_unicast(address)
    if runtime.interface.addresses.get(address) is not None:
        raise RefusedError(f"{format_address(address)} is an address of this host")
    mac = parse_mac(arguments.text("lladdr"))
    if mac[0] & 1 or not any(mac):
        raise UsageError(f"{arguments.text('lladdr')} cannot be a neighbour's MAC: a group address or all zeros")
    resolver.add_permanent(address, mac, now)


def neigh_del(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """An entry goes, whatever its state."""
    runtime.interface.resolver.delete(arguments.address("address", zones(runtime)), now)


def neigh_flush(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """Every learnt entry goes; those given by the user stay, as with `ip neigh flush`."""
    runtime.interface.resolver.flush()


def route_show(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """On-link prefixes, routers, static routes; with `cache` what was learnt of single destinations instead."""
    if arguments.flag("cache"):
        return route_documents.destinations(runtime.interface, now)
    return route_documents.routes(runtime.interface, now)


def route_add(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """A route that stays until it is deleted."""
    prefix, length = parse_prefix(arguments.text("prefix"))
    _check_device(runtime, arguments)
    metric = _metric(arguments)
    gateway = arguments.address("via", zones(runtime))
    runtime.interface.routes.add(prefix, length, gateway, DEFAULT_METRIC if metric is None else metric)


def route_del(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """A route that the user gave goes."""
    prefix, length = parse_prefix(arguments.text("prefix"))
    _check_device(runtime, arguments)
    gateway = arguments.optional_address("via", zones(runtime))
    runtime.interface.routes.delete(prefix, length, gateway, _metric(arguments))


def _check_device(runtime: Runtime, arguments: Arguments) -> None:
    device = arguments.optional_text("dev")
    if device is not None and device != runtime.interface.name:
        raise RefusedError(f"this host has no interface {device!r}")


def _metric(arguments: Arguments) -> int | None:
    text = arguments.optional_text("metric")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or not 1 <= int(text) <= documents.FOREVER:
        raise UsageError(f"{text!r} is not a metric: a whole number from 1 to {documents.FOREVER}")
    return int(text)


def stats(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """All counters by name."""
    return runtime.host.counters.as_dict()


def set_setting(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """All settings; or one changed."""
    assignment = arguments.optional_text("assignment")
    if assignment is None:
        return runtime.host.settings.as_dict()
    name, text = settings.split_assignment(assignment)
    before = runtime.host.settings.as_dict().get(name)
    runtime.host.set_setting(name, text)
    try:
        if name == "mtu":
            runtime.set_mtu(runtime.host.settings.mtu)
        elif name == "filter_allmulti_bits":
            runtime.interface.refresh_filter(now)
        elif name in ("force_mld_version", "mld_personality"):
            runtime.interface.listener.follow_version(now)
    except (RefusedError, OSError) as error:
        runtime.host.set_setting(name, str(before))
        text = str(error.strerror) if isinstance(error, OSError) else str(error)
        raise RefusedError(f"{name}: {text}") from error
    return {name: runtime.host.settings.as_dict()[name]}


def restart(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """As a reboot of the host."""
    runtime.restart()


def _set_mtu(runtime: Runtime, text: str) -> None:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise UsageError(f"{text!r} is not an MTU (1280 to 65521 bytes)")
    runtime.set_mtu(int(text))


def _lifetime(arguments: Arguments, name: str) -> float | None:
    """A lifetime in seconds, None for ever (absent, `forever` or 4294967295)."""
    text = arguments.optional_text(name)
    if text is None or text == "forever":
        return None
    if not (text.isascii() and text.isdigit()) or not int(text[:11]) <= documents.FOREVER:
        raise UsageError(f"{text!r} is not a lifetime: whole seconds up to {documents.FOREVER}, or forever")
    return None if int(text) == documents.FOREVER else float(text)


def zones(runtime: Runtime) -> tuple[str, ...]:
    """What may stand behind a `%`: the interface's name and index."""
    return runtime.interface.name, str(runtime.interface.index)


HANDLERS: dict[str, Handler] = {
    "doctor": doctor.facts,
    "link show": link_show,
    "link up": link_up,
    "link down": link_down,
    "link set mtu": link_set_mtu,
    "link set address": link_set_address,
    "addr show": link_show,
    "addr add": addr_add,
    "addr del": addr_del,
    "maddr show": maddr_show,
    "maddr saved": maddr_saved,
    "maddr filter": maddr_filter,
    "maddr join": maddr_join,
    "maddr listen": maddr_listen,
    "maddr leave": maddr_leave,
    "neigh show": neigh_show,
    "neigh add": neigh_add,
    "neigh del": neigh_del,
    "neigh flush": neigh_flush,
    "route show": route_show,
    "route add": route_add,
    "route del": route_del,
    "get": get,
    "stats": stats,
    "set": set_setting,
    "restart": restart,
    "record": recording.record,
}
