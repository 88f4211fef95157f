"""What the commands that sit on a TAP device share: opening it, waiting for its bridge, ending at a signal."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager

import trio

from stack.address import MacAddress, parse_mac
from stack.cli import signals
from stack.errors import LinkError, LinkGoneError, StackError
from stack.link import rtnetlink
from stack.link.identity import default_mac
from stack.link.tap import TapLink
from stack.multicast_filter import FilterPlan

# A port of a bridge that runs a spanning tree listens and learns for 15 seconds each before it forwards (802.1D).
FORWARDING_TIMEOUT = 40.0
_ENABLING_TIMEOUT = 3.0
_POLL = 0.05


def tell(text: str) -> None:
    """A line for the user."""
    print(f"sixtap: {text}", file=sys.stderr, flush=True)


@contextmanager
def opened(name: str, bridge: str | None, *, vlan: int | None = None, mtu: int | None = None) -> Iterator[TapLink]:
    """The TAP device, closed at the end; its warnings are told. Raises UsageError, LinkError.

    A signal is heard in `run_until_signal` alone, so that none leaves the device changed.
    """
    with signals.held():
        link = TapLink(name, bridge=bridge, vlan=vlan, mtu=mtu)
        try:
            for warning in link.warnings:
                tell(warning)
            yield link
        finally:
            told = len(link.warnings)
            link.close()
            for warning in link.warnings[told:]:
                tell(warning)


@contextmanager
def opened_unfiltered(name: str, bridge: str | None) -> Iterator[TapLink]:
    """As `opened`, with its filter off, for whoever wants every frame; that of a new device is off as it is."""
    with opened(name, bridge) as link:
        if not link.created:
            _unfilter(link)
        yield link


def _unfilter(link: TapLink) -> None:
    try:
        link.program(FilterPlan(off=True))
    except OSError as error:
        raise LinkError(f"{link.name}: the driver refuses to pass every frame: {error.strerror}") from error


def station_mac(text: str | None, link: TapLink) -> MacAddress:
    """The MAC that the user names, else the one that a host on this device would have."""
    return default_mac(link.name, link.kernel_mac) if text is None else parse_mac(text)


async def until_forwarding(link: TapLink) -> None:
    """Wait until the bridge that the device is a port of, if it is of any, forwards what comes from it.

    Raises LinkError if it does not.
    """
    began = trio.current_time()
    while True:
        try:
            state = link.state()
        except OSError as error:
            raise LinkError(f"{link.name} cannot be looked up: {error.strerror}") from error
        if state is None:
            raise LinkGoneError(f"{link.name} was deleted")
        if state.port_state in (None, rtnetlink.PORT_FORWARDING):
            return
        waited = trio.current_time() - began
        if waited > FORWARDING_TIMEOUT or (state.port_state == 0 and waited > _ENABLING_TIMEOUT):
            raise LinkError(
                f"the bridge does not forward what {link.name} sends (is it up? ip -d link show {link.name})"
            )
        await trio.sleep(_POLL)


def run_until_signal(work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` until it is done, or until SIGINT or SIGTERM; raises the StackError that it ends with."""
    failures: list[StackError] = []
    try:
        trio.run(_main, work)
    except* StackError as group:
        failures += _leaves(group)
    if failures:
        raise failures[0]


async def _main(work: Callable[[], Awaitable[None]]) -> None:
    with trio.open_signal_receiver(*signals.ENDING) as arriving, signals.taken():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_end_at_signal, arriving, nursery.cancel_scope)
            await work()
            nursery.cancel_scope.cancel()


async def _end_at_signal(arriving: AsyncIterator[int], scope: trio.CancelScope) -> None:
    async for _ in arriving:
        scope.cancel()
        return


def _leaves(group: BaseExceptionGroup[StackError]) -> list[StackError]:
    found: list[StackError] = []
    for each in group.exceptions:
        found += _leaves(each) if isinstance(each, BaseExceptionGroup) else [each]
    return found
