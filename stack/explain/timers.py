"""What a timer was running for, in the RFCs' words: of its callback, and of what that is about."""

from collections.abc import Callable
from typing import Any

from stack.address import format_address

# By the callback's qualified name; `{}` is the address that it is about, if there is one.
WORDS = {
    "AddressTable._expired": "valid lifetime of {}",
    "AddressTable._no_longer_preferred": "preferred lifetime of {}",
    "Autoconfiguration._expired": "valid lifetime of the prefix {}",
    "Compatibility._expired": "older version querier present",
    "DefaultRouterList._expired": "lifetime of the router {}",
    "DnsConfiguration._expired": "lifetime of DNS configuration",
    "Detection._timeout": "duplicate address detection of {}",
    "Interface.receive_own": "a packet of ours to ourselves",
    "LearntRoutes._expired": "lifetime of the route {}",
    "Notifier._due": "new address to be told to routers",
    "PrefixList._expired": "lifetime of the on-link prefix {}",
    "Reassembler._expired": "reassembly of a fragmented packet",
    "Resolver._timeout": "neighbour {}",
    "Responses._answer": "response to a query about {}",
    "Responses._answer_general": "response to a general query",
    "Responses._answer_part": "next part of the response to a general query",
    "Routes.path_mtu_expired": "path MTU to {}",
    "RouterSolicitor._due": "router solicitation",
    "TemporaryAddresses._regenerate": "regeneration of the temporary address {}",
    "Version1._timeout": "report of {}",
    "Version2._delay_over": "delayed first report of {}",
    "Version2._transmit": "state change report",
    "_delay_over": "advertisement put off for the anycast address {}",
}

_SUBJECTS = ("address", "group", "prefix", "router")


def timer_words(callback: Callable[..., None], arguments: tuple[Any, ...]) -> str:
    """A timer in a few words."""
    name = getattr(callback, "__qualname__", type(callback).__name__)
    words = WORDS.get(name)
    if words is None:
        return name.replace(".", " ").replace("_", " ")
    return words.format(_subject(getattr(callback, "__self__", None), arguments)) if "{}" in words else words


def _subject(holder: Any, arguments: tuple[Any, ...]) -> str:
    for each in (*arguments, holder):
        if isinstance(each, bytes) and len(each) == 16:
            return format_address(each)
        for name in _SUBJECTS:
            address = getattr(each, name, None)
            if isinstance(address, bytes) and len(address) == 16:
                return format_address(address)
    return "one unknown"
