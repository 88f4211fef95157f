"""A bare trio loop on a TAP device: every check that a host must make of an echo request or a datagram, and no host.

It knows one address and no neighbours: the answer goes to the MAC that the frame
came from. Started as a process of its own: `python -m tools.benchmark.loop NAME MAC ADDRESS`.
"""

import sys
from socket import AF_INET6, inet_pton

import trio

from stack.link.tap import TapLink

_BATCH = 64
_HEADERS = 54
_SHORTEST = 62
_TYPE = b"\x86\xdd"
_ICMPV6, _UDP = 58, 17
_ECHO_PORT = b"\0\x07"


class Loop:
    """What answers for one MAC (6 bytes) and one address (16 bytes)."""

    def __init__(self, mac: bytes, address: bytes) -> None:
        self._mac = mac
        self._address = address

    def answer(self, frame: bytes) -> bytes | None:
        """The reply to `frame`, or None if it is none that gets one."""
        if len(frame) < _SHORTEST or frame[:6] != self._mac or frame[12:14] != _TYPE or frame[38:54] != self._address:
            return None
        octets = int.from_bytes(frame[18:20], "big")
        source = frame[22:38]
        if frame[14] >> 4 != 6 or _HEADERS + octets > len(frame) or frame[6] & 1 or source[0] == 0xFF:
            return None
        if not any(source[:15]) or source == self._address or source[:12] == bytes(10) + b"\xff\xff":
            return None
        message = frame[_HEADERS : _HEADERS + octets]
        padded = message + b"\0" if octets & 1 else message
        next_header = frame[20]
        if (int.from_bytes(source + self._address + padded, "big") + octets + next_header) % 0xFFFF:
            return None
        if next_header == _ICMPV6 and message[0] == 128:
            # RFC 1624: the type's word grows by 0x0100.
            checksum = (int.from_bytes(message[2:4], "big") + 0xFEFF) % 0xFFFF
            turned = b"\x81\0" + checksum.to_bytes(2, "big") + message[4:]
        elif next_header == _UDP and message[2:4] == _ECHO_PORT and message[6:8] != b"\0\0":
            turned = message[2:4] + message[:2] + message[4:]
        else:
            return None
        return b"".join(
            (frame[6:12], self._mac, _TYPE, b"\x60\0\0\0", frame[18:21], b"\x40", self._address, source, turned)
        )


async def serve(name: str, loop: Loop) -> None:
    """Read, answer and write until cancelled."""
    link = TapLink(name)
    print(f"loop: {name} ready", file=sys.stderr, flush=True)
    while True:
        frames = link.read(_BATCH)
        for frame in frames:
            reply = loop.answer(frame)
            if reply is not None:
                link.write(reply)
        if len(frames) == _BATCH:
            await trio.lowlevel.checkpoint()
        else:
            await trio.lowlevel.wait_readable(link.fileno())


if __name__ == "__main__":
    try:
        trio.run(serve, sys.argv[1], Loop(bytes.fromhex(sys.argv[2]), inet_pton(AF_INET6, sys.argv[3])))
    except KeyboardInterrupt:
        sys.exit(0)
