"""Netlink (netlink(7)) as far as this project needs it: a request and its answer, a dump, messages and attributes.

It speaks to the network namespace that the calling thread is in, over a plain
AF_NETLINK socket. What the messages mean is the business of who asks.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterator

NLM_F_REQUEST = 0x01
NLM_F_ACK = 0x04
NLM_F_DUMP = 0x300

_NLMSG_ERROR = 2
_NLMSG_DONE = 3
_ATTRIBUTE_TYPE_MASK = 0x3FFF  # above it are the "nested" and "network byte order" flags

_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_ATTRIBUTE = struct.Struct("=HH")  # rtattr: length, type
_U32 = struct.Struct("=I")
_S32 = struct.Struct("=i")

_SEQUENCE = 1
RECEIVE_SIZE = 1 << 16
_ANSWER_TIMEOUT = 5.0  # seconds; the kernel answers before sendto returns


def request(kind: int, flags: int, payload: bytes) -> bytes:
    """Send one request and return the body of its answer (empty for a bare acknowledgement); raises OSError."""
    for answer, body in _answers(kind, flags, payload):
        return _checked(answer, body)
    return b""


def dump(kind: int, payload: bytes) -> list[bytes]:
    """The bodies of all messages that answer one dump request; raises OSError."""
    bodies: list[bytes] = []
    for answer, body in _answers(kind, NLM_F_DUMP, payload):
        if answer == _NLMSG_DONE:
            break
        bodies.append(_checked(answer, body))
    return bodies


def _answers(kind: int, flags: int, payload: bytes) -> Iterator[tuple[int, bytes]]:
    """Send one request; the messages that answer it, each as its type and body, for as long as they are asked for."""
    header = _HEADER.pack(_HEADER.size + len(payload), kind, flags | NLM_F_REQUEST, _SEQUENCE, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as channel:
        channel.settimeout(_ANSWER_TIMEOUT)
        channel.bind((0, 0))
        channel.sendto(header + payload, (0, 0))
        while True:
            data, sender = channel.recvfrom(RECEIVE_SIZE)
            if sender[0] != 0:
                continue
            for answer, sequence, body in messages(data):
                if sequence == _SEQUENCE:
                    yield answer, body


def _checked(answer: int, body: bytes) -> bytes:
    if answer != _NLMSG_ERROR:
        return body
    if len(body) < _S32.size:
        raise OSError(errno.EPROTO, os.strerror(errno.EPROTO))
    code = -_S32.unpack_from(body)[0]
    if code:
        raise OSError(code, os.strerror(code))
    return b""


def messages(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Type, sequence number and body of each whole message of a datagram."""
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, _, sequence, _ = _HEADER.unpack_from(data, offset)
        if length < _HEADER.size or offset + length > len(data):
            return
        yield kind, sequence, data[offset + _HEADER.size : offset + length]
        offset += _aligned(length)


def attributes(data: bytes) -> dict[int, bytes]:
    """The whole attributes of a block by type, the last of each; a damaged tail ends the list."""
    return dict(listed(data))


def listed(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The same in order, where a type may come again."""
    offset = 0
    while offset + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < _ATTRIBUTE.size or offset + length > len(data):
            break
        yield kind & _ATTRIBUTE_TYPE_MASK, data[offset + _ATTRIBUTE.size : offset + length]
        offset += _aligned(length)


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded."""
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + bytes(_aligned(length) - length)


def _aligned(length: int) -> int:
    return (length + 3) & ~3


def number(value: bytes | None) -> int | None:
    """A value of 32 bits."""
    if value is None or len(value) != _U32.size:
        return None
    number: int = _U32.unpack(value)[0]
    return number


def text(value: bytes | None) -> str | None:
    """A string up to its zero octet."""
    return None if value is None else os.fsdecode(value.partition(b"\0")[0])
