"""What the describers of ICMPv6 messages are given: one message with what surrounds it."""

from collections.abc import Callable
from typing import NamedTuple

from stack.address import IPv6Address


class Message(NamedTuple):
    """One ICMPv6 message; `octets` begin with its type. `quote` describes a packet that the message carries."""

    source: IPv6Address
    destination: IPv6Address
    octets: bytes
    quote: Callable[[bytes], str]


Describer = Callable[[Message], str]
