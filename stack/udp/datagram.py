"""What passes through a socket: datagrams, ICMPv6 errors about what it sent, the queue of both, and how to send."""

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from stack.address import IPv6Address

if TYPE_CHECKING:
    from stack.interface import Interface

# What an entry costs beside its data, in octets: an empty datagram takes room too.
OVERHEAD = 256


class Sending(NamedTuple):
    """What is said about one message that is sent (RFC 3542 6); None is what the socket, or else the host, has.

    `confirm` says that the peer is known to answer (RFC 4861 7.3.1): its neighbour entry is reachable then.
    """

    source: IPv6Address | None = None
    interface: "Interface | None" = None
    hop_limit: int | None = None
    traffic_class: int | None = None
    confirm: bool = False


PLAIN = Sending()


class Datagram(NamedTuple):
    """One received datagram: data, whence (address of 16 bytes, port), to which address of ours or group, and how."""

    data: bytes
    source: IPv6Address
    port: int
    destination: IPv6Address
    hop_limit: int
    traffic_class: int
    interface: "Interface"
    time: float


class DatagramError(NamedTuple):
    """An ICMPv6 error about a datagram of ours (RFC 4443 3).

    `source` says so (an address of ours where the error arose here); the datagram
    went to `destination` and `port`; `parameter` is the MTU or the pointer, by type;
    `data` is as much of the datagram's data as was quoted.
    """

    source: IPv6Address
    destination: IPv6Address
    port: int
    type: int
    code: int
    parameter: int
    data: bytes
    interface: "Interface"
    time: float


class ReceiveQueue:
    """Datagrams and errors in order of arrival, within a number of octets; one datagram always has room.

    `errors` is for looking at; they are taken with `take_error`.
    """

    __slots__ = ("_datagrams", "errors", "octets")

    def __init__(self) -> None:
        self._datagrams: deque[Datagram] = deque()
        self.errors: deque[DatagramError] = deque()
        self.octets = 0

    def __len__(self) -> int:
        return len(self._datagrams) + len(self.errors)

    def put(self, item: Datagram | DatagramError, limit: int) -> bool:
        """Add one; false if the queue would hold more than `limit` octets then."""
        cost = _cost(item)
        if self.octets and self.octets + cost > limit:
            return False
        self.octets += cost
        if isinstance(item, Datagram):
            self._datagrams.append(item)
        else:
            self.errors.append(item)
        return True

    def take_datagram(self) -> Datagram | None:
        """The oldest datagram, or None."""
        if not self._datagrams:
            return None
        self.octets -= _cost(self._datagrams[0])
        return self._datagrams.popleft()

    def first_datagram(self) -> Datagram | None:
        """The oldest datagram, left where it is, or None."""
        return self._datagrams[0] if self._datagrams else None

    def take_error(self) -> DatagramError | None:
        """The oldest error, or None."""
        if not self.errors:
            return None
        self.octets -= _cost(self.errors[0])
        return self.errors.popleft()

    def clear(self) -> None:
        """Forget everything."""
        self._datagrams.clear()
        self.errors.clear()
        self.octets = 0


def _cost(item: Datagram | DatagramError) -> int:
    return OVERHEAD + len(item.data)
