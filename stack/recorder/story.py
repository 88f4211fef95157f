"""What comes in and what goes out of a host, as plain data that can be told again to another host.

An entry is a tuple that begins with its kind. Objects of the host that a call is
made on or given are replaced by names, which mean the same to the other host.
"""

from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from stack.errors import RefusedError
from stack.host import Host
from stack.icmp6.echo import Echoes, EchoSession
from stack.icmp6.raw_socket import RawSocket, RawSockets
from stack.interface import Interface
from stack.ip6.routes import Routes
from stack.mld.afterlife import Afterlives
from stack.mld.filters import SourceFilter
from stack.mld.groups import Membership
from stack.mld.listener import MulticastListener
from stack.nd.addresses import AddressTable
from stack.nd.resolution import Resolver
from stack.udp.datagram import Sending
from stack.udp.ports import Ports
from stack.udp.udp_socket import UdpSocket

# (FRAME, time, interface, octets): a frame from the link.
FRAME = "frame"
# (ANSWERED, time, interface, frames, answers): many of them, each of which was answered with one frame.
ANSWERED = "answered"
# (PASSED, number, octets): so many of these with so many octets of packets in, that are not kept.
PASSED = "passed"
# (ADVANCE, time): timers that were due have run.
ADVANCE = "advance"
# (CALL, time, object, method, arguments, named arguments).
CALL = "call"
# (SENT, interface, octets): what the host sent because of the entry before.
SENT = "sent"
# (DRAINED,): what waited to be sent was taken.
DRAINED = "drained"
# (REFUSED, attempt, errno): the driver refused the attempt-th filter that it was given.
REFUSED = "refused"

Entry = tuple[Any, ...]


class Name(NamedTuple):
    """An object of a host: its kind, and what tells it from others of the kind."""

    kind: str
    key: tuple[Any, ...] = ()

    def words(self) -> str:
        """For the eye."""
        return " ".join((self.kind, *(each.hex() if isinstance(each, bytes) else str(each) for each in self.key)))


class NoNameError(Exception):
    """Something that was handed to a call is nothing that could be told again."""


_PARTS: dict[type, str] = {
    AddressTable: "addresses",
    Afterlives: "afterlives",
    MulticastListener: "listener",
    Resolver: "resolver",
    Routes: "routes",
}
_LISTS = (tuple, list, frozenset)
_PLAIN = (bytes, int, float, str, type(None), Enum)


def named(thing: Any, host: Host) -> Any:
    """`thing` as plain data: itself, or its name. A program that waits is nothing (None). Raises NoNameError."""
    if isinstance(thing, _PLAIN):
        return thing
    if isinstance(thing, bytearray | memoryview):
        return bytes(thing)
    if isinstance(thing, SourceFilter):
        return thing
    if type(thing) in _LISTS:
        return type(thing)(named(each, host) for each in thing)
    if isinstance(thing, Sending):
        return Sending(*(named(each, host) for each in thing))
    name = _name(thing, host)
    if name is not None:
        return name
    if callable(thing):
        return None
    raise NoNameError(f"{type(thing).__name__} cannot be recorded")


def _name(thing: Any, host: Host) -> Name | None:
    if isinstance(thing, Interface):
        return Name("interface", (thing.index,))
    if isinstance(thing, UdpSocket):
        return Name("socket", (thing.number,))
    if isinstance(thing, RawSocket):
        return Name("raw socket", (thing.number,))
    if isinstance(thing, EchoSession):
        return Name("echo", (thing.identifier,))
    if isinstance(thing, Membership):
        return _membership_name(thing, host)
    part = _PARTS.get(type(thing))
    if part is not None:
        index = next((each.index for each in host.interfaces.values() if getattr(each, part) is thing), None)
        return None if index is None else Name(part, (index,))
    whole = {Host: "host", Ports: "udp", RawSockets: "raw", Echoes: "echoes"}.get(type(thing))
    return None if whole is None else Name(whole)


def _membership_name(membership: Membership, host: Host) -> Name | None:
    for interface in host.interfaces.values():
        record = interface.listener.groups.records.get(membership.group)
        if record is not None and record.memberships.get(membership.id) is membership:
            return Name("membership", (interface.index, membership.group, membership.id))
    # One that has ended: whatever is done with it does nothing.
    return Name("ended membership", (membership.id, membership.group, membership.owner))


def thing_of(name: Any, host: Host) -> Any:
    """What `named` has made plain, in another host. Raises RefusedError if that host has no such thing."""
    if isinstance(name, Name):
        try:
            return _FINDERS[name.kind](host, *name.key)
        except (LookupError, AttributeError, TypeError) as error:
            raise RefusedError(f"the bundle speaks of {name.words()}, which the host does not have") from error
    if type(name) in _LISTS:
        return type(name)(thing_of(each, host) for each in name)
    if isinstance(name, Sending):
        return Sending(*(thing_of(each, host) for each in name))
    return name


def _ended_membership(host: Host, number: int, group: bytes, owner: str) -> Membership:
    return Membership(number, group, owner, active=False)


def _membership(host: Host, index: int, group: bytes, number: int) -> Membership:
    return host.interfaces[index].listener.groups.records[group].memberships[number]


def _part_finder(part: str) -> Callable[..., Any]:
    def find(host: Host, index: int) -> Any:
        return getattr(host.interfaces[index], part)

    return find


_FINDERS: dict[str, Callable[..., Any]] = {
    "host": lambda host: host,
    "udp": lambda host: host.udp,
    "raw": lambda host: host.raw,
    "raw socket": lambda host, number: host.raw.sockets[number],
    "echoes": lambda host: host.echoes,
    "interface": lambda host, index: host.interfaces[index],
    "socket": lambda host, number: host.udp.sockets[number],
    "echo": lambda host, identifier: host.echoes.sessions[identifier],
    "membership": _membership,
    "ended membership": _ended_membership,
    **{part: _part_finder(part) for part in _PARTS.values()},
}
