"""Receives datagrams to a multicast group, from some sources or from all; written against trio's sockets alone.

    python multicast_receiver.py GROUP PORT INTERFACE COUNT [SOURCE...]

It runs on the kernel's sockets, and on those of a sixtap host, without a change.
"""

import socket
import struct
import sys

import trio

# Python has no name for it; Linux's number.
MCAST_JOIN_SOURCE_GROUP = 46


def storage(address: str) -> bytes:
    """A sockaddr_storage with an IPv6 address."""
    octets = socket.inet_pton(socket.AF_INET6, address)
    return struct.pack("=HHI16sI", socket.AF_INET6, 0, 0, octets, 0).ljust(128, b"\0")


async def main(group: str, port: int, interface: str, count: int, sources: list[str]) -> None:
    """Join, print `count` datagrams, leave."""
    # The scope id of any address of this link is the interface's index.
    entries = await trio.socket.getaddrinfo(f"fe80::1%{interface}", port, socket.AF_INET6, socket.SOCK_DGRAM)
    index = entries[0][4][3]
    with trio.socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        await receiver.bind(("::", port))
        if not sources:
            request = socket.inet_pton(socket.AF_INET6, group) + struct.pack("=I", index)
            receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)
        for source in sources:
            value = struct.pack("@I0P", index) + storage(group) + storage(source)
            receiver.setsockopt(socket.IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, value)
        for _ in range(count):
            data, ancillary, _, sender = await receiver.recvmsg(2000, 200)
            values = {kind: value for _, kind, value in ancillary}
            to = socket.inet_ntop(socket.AF_INET6, values[socket.IPV6_PKTINFO][:16])
            (hop_limit,) = struct.unpack("=i", values[socket.IPV6_HOPLIMIT])
            whence, service = await trio.socket.getnameinfo(sender, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)
            print(f"{data.decode()} from {whence} port {service} to {to}, hop limit {hop_limit}", flush=True)


if __name__ == "__main__":
    words = sys.argv[1:]
    trio.run(main, words[0], int(words[1]), words[2], int(words[3]), words[4:])
