"""Neighbour and router discovery in plain words (RFC 4861 4), the options with them."""

from collections.abc import Callable

from stack.address import UNSPECIFIED, format_address, format_mac
from stack.explain.message import Message
from stack.explain.words import addresses, count, lifetime, readable, seconds
from stack.wire import nd, router

_FLAGS = ((nd.FLAG_ROUTER, "router"), (nd.FLAG_SOLICITED, "solicited"), (nd.FLAG_OVERRIDE, "override"))


def _options(octets: bytes, *quiet: int) -> list[str]:
    """The options in words, in order, those of the types `quiet` left out."""
    parsed = nd.parse_options(octets)
    if parsed is None:
        return ["options malformed"]
    return [_option(each) for each in parsed if each.type not in quiet]


def _in_brackets(words: list[str]) -> str:
    return f" ({', '.join(words)})" if words else ""


def _first_mac(octets: bytes, option_type: int) -> str | None:
    options = nd.parse_options(octets) or ()
    data = next((each.data for each in options if each.type == option_type), None)
    return format_mac(data) if data is not None and len(data) == 6 else None


def router_solicitation(message: Message) -> str:
    """4.1"""
    return "router solicitation: is there a router?" + _in_brackets(_options(message.octets[8:]))


def router_advertisement(message: Message) -> str:
    """4.2, with the preference of RFC 4191 2.2."""
    octets = message.octets
    if len(octets) < router.ADVERTISEMENT.size:
        return "router advertisement, cut short"
    _, _, _, hop_limit, flags, duration, reachable, retrans = router.ADVERTISEMENT.unpack_from(octets)
    words = [f"default router for {duration} s" if duration else "not a default router"]
    preference = router.PREFERENCES[flags & router.PREFERENCE_MASK]
    if preference != "medium":
        words.append(f"preference {preference}")
    if hop_limit:
        words.append(f"use hop limit {hop_limit}")
    if flags & router.FLAG_MANAGED:
        words.append("addresses by DHCPv6")
    if flags & router.FLAG_OTHER:
        words.append("other settings by DHCPv6")
    if reachable:
        words.append(f"reachable time {seconds(reachable)}")
    if retrans:
        words.append(f"retransmission timer {seconds(retrans)}")
    words += _options(octets[router.ADVERTISEMENT.size :])
    return f"router advertisement: {', '.join(words)}"


def neighbor_solicitation(message: Message) -> str:
    """4.3; from the unspecified address it is a probe of duplicate address detection (RFC 4862 5.4.2)."""
    octets = message.octets
    if len(octets) < nd.FIXED_LENGTH:
        return "neighbour solicitation, cut short"
    target, rest = format_address(octets[8:24]), octets[nd.FIXED_LENGTH :]
    if message.source == UNSPECIFIED:
        return f"neighbour solicitation: does anybody have {target}?{_in_brackets(_options(rest))}"
    mac = _first_mac(rest, nd.SOURCE_LINK_LAYER_ADDRESS)
    asker = f" I am at {mac}" if mac else ""
    quiet = (nd.SOURCE_LINK_LAYER_ADDRESS,) if mac else ()
    return f"neighbour solicitation: who has {target}?{asker}{_in_brackets(_options(rest, *quiet))}"


def neighbor_advertisement(message: Message) -> str:
    """4.4"""
    octets = message.octets
    if len(octets) < nd.FIXED_LENGTH:
        return "neighbour advertisement, cut short"
    _, _, _, bits, target = nd.FIXED.unpack_from(octets)
    rest = octets[nd.FIXED_LENGTH :]
    mac = _first_mac(rest, nd.TARGET_LINK_LAYER_ADDRESS)
    quiet = (nd.TARGET_LINK_LAYER_ADDRESS,) if mac else ()
    words = [word for bit, word in _FLAGS if bits & bit] or ["no flags"]
    words += _options(rest, *quiet)
    where = f"is at {mac}" if mac else "is here"
    return f"neighbour advertisement: {format_address(target)} {where}{_in_brackets(words)}"


def redirect(message: Message) -> str:
    """4.5; a target equal to the destination says that it is on this very link."""
    octets = message.octets
    if len(octets) < router.REDIRECT.size:
        return "redirect, cut short"
    target, destination = router.REDIRECT.unpack_from(octets)[4:]
    if target == destination:
        text = f"{format_address(destination)} is on this link"
    else:
        text = f"{format_address(destination)} is better reached through {format_address(target)}"
    return f"redirect: {text}{_in_brackets(_options(octets[router.REDIRECT.size :]))}"


# -- options


def _link_layer(whose: str) -> Callable[[bytes], str]:
    return lambda data: f"{whose} {format_mac(data)}"


def _prefix(data: bytes) -> str:
    length, flags, valid, preferred, _, prefix = router.PREFIX.unpack_from(data)
    uses = [
        word
        for bit, word in ((router.FLAG_ON_LINK, "on-link"), (router.FLAG_AUTONOMOUS, "make addresses"))
        if flags & bit
    ]
    uses += [f"valid {lifetime(valid)}", f"preferred {lifetime(preferred)}"]
    return f"prefix {format_address(prefix)}/{length} ({', '.join(uses)})"


def _mtu(data: bytes) -> str:
    return f"MTU {router.MTU.unpack_from(data)[1]}"


def _route(data: bytes) -> str:
    length, flags, duration = router.ROUTE.unpack_from(data)
    prefix = data[router.ROUTE.size :][:16].ljust(16, b"\0")
    preference = router.PREFERENCES[flags & router.PREFERENCE_MASK]
    return f"route to {format_address(prefix)}/{length} ({lifetime(duration)}, preference {preference})"


def _servers(data: bytes) -> str:
    return f"DNS servers {addresses(data[router.DNS.size :])} ({lifetime(router.DNS.unpack_from(data)[1])})"


def _search_list(data: bytes) -> str:
    names = ", ".join(_domain_names(data[router.DNS.size :])) or "none"
    return f"DNS search list {names} ({lifetime(router.DNS.unpack_from(data)[1])})"


def _domain_names(octets: bytes) -> list[str]:
    """RFC 8106 5.2: names as in RFC 1035 3.1, one after the other, padded with zeros; no compression."""
    names: list[str] = []
    labels: list[str] = []
    at = 0
    while at < len(octets):
        length = octets[at]
        label = octets[at + 1 : at + 1 + length]
        at += 1 + length
        if label:
            labels.append(readable(label))
        elif labels:
            names.append(".".join(labels))
            labels = []
    return names


def _redirected(data: bytes) -> str:
    return f"with {count(max(0, len(data) - 6), 'octet')} of the packet redirected"


# By type: how many octets its data has at least, and its words.
_OPTIONS: dict[int, tuple[int, Callable[[bytes], str]]] = {
    nd.SOURCE_LINK_LAYER_ADDRESS: (6, _link_layer("from")),
    nd.TARGET_LINK_LAYER_ADDRESS: (6, _link_layer("target at")),
    nd.PREFIX_INFORMATION: (router.PREFIX.size, _prefix),
    nd.REDIRECTED_HEADER: (6, _redirected),
    nd.MTU: (router.MTU.size, _mtu),
    nd.NONCE: (nd.NONCE_LENGTH, lambda data: f"nonce {data.hex()}"),
    router.ROUTE_INFORMATION: (router.ROUTE.size, _route),
    router.RECURSIVE_DNS_SERVER: (router.DNS.size + 16, _servers),
    router.DNS_SEARCH_LIST: (router.DNS.size, _search_list),
}


def _option(option: nd.Option) -> str:
    minimum, words = _OPTIONS.get(option.type, (0, None))
    if words is None:
        return f"option {option.type} ({count(len(option.data), 'octet')})"
    if len(option.data) < minimum:
        return f"option {option.type} too short"
    return words(option.data)
