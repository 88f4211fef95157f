"""A host on a virtual clock: what is fed to it, what it sends, and a digest of all that it knows."""

import hashlib
import io
import pickle
from collections.abc import Callable
from random import Random
from typing import Any

from stack.address import LINK_LOCAL_PREFIX, IPv6Address, MacAddress, eui64_identifier
from stack.bucket import TokenBucket
from stack.capture.readdress import Readdresser
from stack.counters import Counters
from stack.discard import Outcome
from stack.errors import RefusedError
from stack.host import Host
from stack.interface import Interface
from stack.mld.observed import Observed
from stack.settings import Settings
from stack.timers import Timers

OUR_MAC: MacAddress = bytes.fromhex("02006e000064")
OUR_LINK_LOCAL: IPv6Address = LINK_LOCAL_PREFIX + eui64_identifier(OUR_MAC)
# RFC 3849: for documentation.
OUR_PREFIX = bytes.fromhex("20010db800640000")
OUR_ADDRESS: IPv6Address = OUR_PREFIX + eui64_identifier(OUR_MAC)
ROUTER: IPv6Address = LINK_LOCAL_PREFIX + bytes.fromhex("00000000000000fe")
# By then the start is over: addresses are valid and the first reports are out.
SETTLED = 5.0

Sent = Callable[[float, bytes], None]


class Subject:
    """`host` with its one `interface` at the time `now` (seconds); `sent(time, frame)` is told of each frame.

    `moved` is set when a timer has run.
    """

    __slots__ = ("host", "interface", "moved", "now", "sent")

    def __init__(self, host: Host, now: float, sent: Sent) -> None:
        self.host = host
        self.interface: Interface = next(iter(host.interfaces.values()))
        self.now = now
        self.sent = sent
        self.moved = True

    def advance(self, to: float) -> None:
        """Let time pass, timer by timer."""
        host = self.host
        while (deadline := host.next_deadline()) is not None and deadline <= to:
            self.now = max(self.now, deadline)
            self.moved = True
            host.advance(self.now)
            self.collect()
        self.now = max(self.now, to)

    def receive(self, frame: bytes) -> Outcome:
        """One frame, now; what it makes the host send is collected."""
        outcome = self.host.receive(frame, self.now)
        self.collect()
        return outcome

    def collect(self) -> None:
        """Take what waits to be sent."""
        for _, frame in self.host.output():
            self.sent(self.now, frame)


def nobody(time: float, frame: bytes) -> None:
    """Lets a frame go unseen."""


def new_subject(
    seed: str, sent: Sent, readdresser: Readdresser | None = None, settings: Settings | None = None
) -> Subject:
    """A host that has just started, with the addresses and groups that the capture wants of it.

    It is a function of its arguments; `seed` is any text.
    """
    host = Host(Random(seed), settings)
    interface = host.attach("replay0", OUR_MAC)
    subject = Subject(host, 0.0, sent)
    interface.start(0.0)
    addresses = (OUR_ADDRESS,) if readdresser is None else readdresser.addresses
    for address in dict.fromkeys((OUR_ADDRESS, *addresses)):
        if address not in interface.addresses.table:
            interface.addresses.add(address, 64, 0.0)
    subject.collect()
    if readdresser is not None:
        _follow(subject, readdresser)
    return subject


def _follow(subject: Subject, readdresser: Readdresser) -> None:
    """Join the groups of the capture, and reach what is elsewhere through its router."""
    interface = subject.interface
    for group in readdresser.cast.groups:
        try:
            interface.listener.join(group, 0.0, owner="replay")
        except RefusedError:
            # A group that nobody may join, such as one of a scope that stays inside a node.
            continue
    if readdresser.cast.router is not None:
        interface.routes.add(bytes(16), 0, ROUTER)
        interface.resolver.add_permanent(ROUTER, readdresser.cast.router, 0.0)
    subject.collect()


class _Digester(pickle.Pickler):
    """Pickles a host without its counters, its notes for the doctor, its buckets and cancelled timers."""

    def reducer_override(self, thing: Any) -> Any:
        """What changes without being state is left out."""
        if isinstance(thing, Counters | Observed | TokenBucket):
            return type(thing), ()
        if isinstance(thing, Timers):
            return _armed, (tuple(entry[:2] for entry in sorted(thing._heap, key=_order) if entry[2].active),)
        return NotImplemented


def _order(entry: tuple[float, int, Any]) -> tuple[float, int]:
    return entry[:2]


def _armed(deadlines: tuple[Any, ...]) -> tuple[Any, ...]:
    return deadlines


def digest(host: Host) -> str:
    """The state of a host but for its counters, in hexadecimal; equal states of one run have equal digests."""
    octets = io.BytesIO()
    _Digester(octets, 5).dump(host)
    return hashlib.sha256(octets.getvalue()).hexdigest()
