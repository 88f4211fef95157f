"""What the load sends and what it must get: requests told apart by a number, and the reply to each."""

import struct
from typing import NamedTuple

from tools.benchmark import frames
from tools.benchmark.frames import Station

ECHO_PORT = 7
_PEER_PORT = 50_000


class Exchange(NamedTuple):
    """`requests[i]` is answered by `replies[i]`, all of one length each; `at` is where i stands in a reply, 2 octets.

    `advertisement` answers a neighbour solicitation of the host.
    """

    requests: list[bytes]
    replies: list[bytes]
    at: int
    advertisement: bytes


def echo(peer: Station, target: Station, size: int, slots: int) -> Exchange:
    """Echo requests with `size` octets of data (RFC 4443 4)."""
    requests = [frames.echo(frames.ECHO_REQUEST, peer, target, each, size) for each in range(slots)]
    replies = [frames.echo(frames.ECHO_REPLY, target, peer, each, size) for each in range(slots)]
    return Exchange(requests, replies, frames.ICMP + 6, frames.advertisement(peer, target))


def udp(peer: Station, target: Station, size: int, slots: int) -> Exchange:
    """Datagrams to the echo port, which come back as they are."""
    requests, replies = [], []
    for each in range(slots):
        data = struct.pack("!H", each) + bytes(max(0, size - 2))
        requests.append(frames.udp(peer, target, _PEER_PORT, ECHO_PORT, data))
        replies.append(frames.udp(target, peer, ECHO_PORT, _PEER_PORT, data))
    return Exchange(requests, replies, frames.ICMP + 8, frames.advertisement(peer, target))


def solicitation(peer: Station, target: Station, size: int, slots: int) -> Exchange:
    """Neighbour solicitations for the target, each from an address of its own at the peer's MAC; `size` is unused."""
    requests, replies = [], []
    for each in range(slots):
        asking = Station(peer.mac, peer.address[:14] + struct.pack("!H", each))
        requests.append(frames.solicitation(asking, target))
        replies.append(frames.advertisement(target, asking))
    return Exchange(requests, replies, frames.ETHERNET + frames.IPV6 - 2, frames.advertisement(peer, target))


KINDS = {"echo": echo, "udp": udp, "solicitation": solicitation}
