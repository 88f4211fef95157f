"""A host for a program's own use: `async with open_host(link) as host`.

The host lives as long as the block: it is started, has its addresses when the
block begins, and leaves its groups when it ends. Everything else of it runs
beside, in tasks of its own. Sockets are `stack.sockets`'.
"""

import logging
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from random import Random
from socket import AF_INET6, SOCK_DGRAM
from typing import Any

import trio

from stack.address import (
    IPv6Address,
    format_address,
    format_mac,
    is_link_local,
    parse_address,
    parse_address_with_length,
    parse_mac,
)
from stack.errors import LinkError, RefusedError, UsageError
from stack.host import Host
from stack.icmp6.echo import EchoAnswer, EchoError
from stack.interface import Interface
from stack.link.identity import default_mac
from stack.mld.filters import FilterMode, SourceFilter
from stack.mld.groups import Membership
from stack.runtime import Device, Runtime
from stack.settings import Settings
from stack.sockets.factory import HostResolver, HostSocketFactory
from stack.sockets.host_socket import HostSocket

_log = logging.getLogger("sixtap")
# How often it is looked whether an address is there (seconds).
_POLL = 0.01
_PING_DATA = bytes(range(56))


@asynccontextmanager
async def open_host(
    link: Device,
    *,
    mac: str | None = None,
    addresses: Iterable[str] = (),
    settings: Mapping[str, int | str] | None = None,
    seed: int | None = None,
    wait: bool = True,
) -> AsyncIterator["RunningHost"]:
    """A host on `link` (a TapLink, a port of a Switch, a CaptureLink, any FrameLink), which is closed at the end.

    `addresses` are `ADDRESS/PREFIXLEN`, `settings` those of `sixtap set`; `seed`
    makes every random choice repeatable. Unless `wait` is false the block begins
    when the host has an address. Raises UsageError for bad words, RefusedError if
    the address is a duplicate, LinkError for a link that fails; inside the block, and ending it, too.
    """
    try:
        running = RunningHost(_built(link, mac, addresses, settings, seed), link)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(running.runtime.run)
                if wait:
                    await running.ready()
                play = getattr(link, "play", None)
                if play is not None:
                    nursery.start_soon(play)
                try:
                    yield running
                finally:
                    running.close()
                    nursery.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            _raise_the_one(group)
    finally:
        link.close()


def _raise_the_one(group: BaseExceptionGroup[BaseException]) -> None:
    """What the block or a task of the host raised, if it is one alone, as itself."""
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup) and len(found.exceptions) == 1:
        found = found.exceptions[0]
    raise found from None


def _built(
    link: Device,
    mac: str | None,
    addresses: Iterable[str],
    settings: Mapping[str, int | str] | None,
    seed: int | None,
) -> Interface:
    own = Settings()
    for name, value in (settings or {}).items():
        own.set_text(name, str(value))
    own.mtu = link.mtu
    rng = Random(secrets.randbits(64) if seed is None else seed)
    kernel_mac = getattr(link, "kernel_mac", b"")
    if mac is not None:
        octets = parse_mac(mac)
    elif kernel_mac:
        octets = default_mac(link.name, kernel_mac)
    else:
        # IEEE 802: locally administered, and no group.
        octets = b"\x02" + bytes(int(rng.random() * 256) for _ in range(5))
    if octets == kernel_mac:
        raise UsageError(f"{format_mac(octets)} is the MAC of the kernel's side of {link.name}")
    interface = Host(rng, own).attach(
        link.name, octets, index=link.index, mtu=link.mtu, vlan=getattr(link, "vlan", None), program=link.program
    )
    for text in addresses:
        address, length = parse_address_with_length(text)
        interface.addresses.add(address, length, 0.0)
    return interface


class RunningHost:
    """A host that runs; `core` is the sans-IO host, `runtime` drives it.

    `factory` and `resolver` are for trio's `set_custom_socket_factory` and
    `set_custom_hostname_resolver`; `installed` sets both for a while.
    """

    def __init__(self, interface: Interface, link: Device) -> None:
        self.core = interface.host
        self.runtime = Runtime(self.core, interface, link, _log.warning)
        self.interface = RunningInterface(self.runtime)
        self.factory = HostSocketFactory(self.runtime)
        self.resolver = HostResolver(self.core)

    def socket(self, family: int = AF_INET6, type: int = SOCK_DGRAM, proto: int = 0) -> HostSocket:
        """A socket of this host: datagrams, or raw ICMPv6 (SOCK_RAW, IPPROTO_ICMPV6). OSError as of socket(2)."""
        return self.factory.host_socket(family, type, proto)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Within, `trio.socket` makes sockets of this host, for every task of the program."""
        factory = trio.socket.set_custom_socket_factory(self.factory)
        resolver = trio.socket.set_custom_hostname_resolver(self.resolver)
        try:
            yield
        finally:
            trio.socket.set_custom_socket_factory(factory)
            trio.socket.set_custom_hostname_resolver(resolver)

    async def ready(self) -> None:
        """Until the host has an address: the link-local one, or where none is made, any.

        Raises RefusedError if the link-local address turns out to be a duplicate.
        """
        await self.interface.ready()

    async def ping(self, address: str, *, timeout: float = 1.0, data: bytes = _PING_DATA) -> EchoAnswer | EchoError:
        """One echo request; the answer or the error that came back.

        Raises trio.TooSlowError if neither comes within `timeout` seconds, RefusedError if it cannot be sent.
        """
        send, receive = trio.open_memory_channel[EchoAnswer | EchoError](1)
        destination = parse_address(address.partition("%")[0])
        session = self.core.echoes.open(self.runtime.interface, destination, partial(_take, send), data=data)
        try:
            self.runtime.call(partial(session.send, 1), "ping")
            with trio.fail_after(timeout):
                return await receive.receive()
        finally:
            session.close()

    def counters(self) -> dict[str, int]:
        """All counters by name, as `sixtap stats` has them."""
        return self.core.counters.as_dict()

    def set(self, name: str, value: int | str) -> None:
        """Change a setting; raises UsageError for an unknown one or a value out of range."""
        self.core.set_setting(name, str(value))

    def close(self) -> None:
        """One report or Done for each group; sockets are closed. `open_host` calls it."""
        self.factory.close()
        try:
            self.runtime.stop()
        except LinkError as error:
            _log.info("%s", error)


def _take(channel: trio.MemorySendChannel[Any], item: EchoAnswer | EchoError) -> None:
    try:
        channel.send_nowait(item)
    except (trio.WouldBlock, trio.BrokenResourceError):
        # The first answer counts.
        return


class RunningInterface:
    """The link of a running host; `core` is the sans-IO interface. Addresses are text."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.core = runtime.interface

    @property
    def name(self) -> str:
        """Its name, that of the TAP device; a zone behind an address."""
        return self.core.name

    @property
    def index(self) -> int:
        """Its number, that of the TAP device in the kernel; the scope id of its sockets' addresses."""
        return self.core.index

    @property
    def mac(self) -> str:
        """The host's own MAC."""
        return format_mac(self.core.mac)

    @property
    def addresses(self) -> list[str]:
        """The valid unicast addresses."""
        return [format_address(each.address) for each in self.core.addresses.table.values() if each.assigned]

    @property
    def link_local(self) -> str:
        """The link-local address; raises RefusedError while there is no valid one."""
        address = self.core.addresses.link_local()
        if address is None:
            raise RefusedError(f"{self.name} has no link-local address yet")
        return format_address(address)

    async def ready(self) -> None:
        """As `RunningHost.ready`."""
        while not self._is_ready():
            await trio.sleep(_POLL)

    def _is_ready(self) -> bool:
        entries = self.core.addresses.table.values()
        duplicate = next((each for each in entries if each.another_nodes and is_link_local(each.address)), None)
        if duplicate is not None or self.core.disabled:
            which = "" if duplicate is None else f" {format_address(duplicate.address)}"
            raise RefusedError(f"{self.name}: the address{which} is in use on this link already")
        if self.core.addresses.link_local() is not None:
            return True
        awaited = any(is_link_local(each.address) for each in entries)
        return self.core.up and not awaited and any(each.assigned for each in entries)

    def add_address(self, text: str, *, nodad: bool = False) -> None:
        """Add `ADDRESS/PREFIXLEN`; duplicate address detection goes on. Raises UsageError, RefusedError."""
        address, length = parse_address_with_length(text)
        self._runtime.call(partial(self._add, address, length, nodad), "add address")

    def _add(self, address: IPv6Address, length: int, nodad: bool, now: float) -> None:
        self.core.addresses.add(address, length, now, nodad=nodad)

    def remove_address(self, text: str) -> None:
        """Remove an address. Raises RefusedError if it is not there."""
        self._runtime.call(partial(self.core.addresses.remove, parse_address(text)), "remove address")

    @asynccontextmanager
    async def joined(
        self, group: str, *, include: Iterable[str] | None = None, exclude: Iterable[str] = ()
    ) -> AsyncIterator[Membership]:
        """The host is a member of a group inside the block, and leaves it whatever happens there.

        With `include` only these sources are asked for, with `exclude` all but these. Sockets bound to the port, or
        to the group, are given the data unless they are members themselves. Raises UsageError, RefusedError at a limit.
        """
        membership = self._runtime.call(partial(self._join, parse_address(group), _filter(include, exclude)), "join")
        try:
            await trio.lowlevel.checkpoint()
            yield membership
        finally:
            self._runtime.call(partial(self.core.listener.leave, membership), "leave")

    def _join(self, group: IPv6Address, source_filter: SourceFilter, now: float) -> Membership:
        return self.core.listener.join(group, now, owner="program", source_filter=source_filter)


def _filter(include: Iterable[str] | None, exclude: Iterable[str]) -> SourceFilter:
    excluded = frozenset(parse_address(each) for each in exclude)
    if include is None:
        return SourceFilter(FilterMode.EXCLUDE, excluded)
    included = frozenset(parse_address(each) for each in include)
    if excluded or not included:
        raise UsageError("a membership includes one source or more, or excludes some")
    return SourceFilter(FilterMode.INCLUDE, included)
