"""The yardstick: a TAP device and a loop that reads a frame, turns it round and writes it, and knows nothing else.

Started as a process of its own: `python -m tools.benchmark.bare NAME`.
"""

import os
import sys

from stack.link.tap import TapLink

_ECHO_REQUEST = 0x80
_TYPE = 54
_CHECKSUM = 56


def turn(frame: bytes) -> bytes:
    """The reply to an echo request: MACs and addresses swapped, type 129, the checksum lessened by what that adds."""
    # RFC 1624: the type's word grows by 0x0100, so the checksum shrinks by it, in one's complement.
    checksum = (int.from_bytes(frame[_CHECKSUM : _CHECKSUM + 2], "big") - 0x0100) % 0xFFFF
    return b"".join(
        (
            *(frame[6:12], frame[:6], frame[12:22], frame[38:54], frame[22:38], b"\x81"),
            *(frame[_TYPE + 1 : _CHECKSUM], checksum.to_bytes(2, "big"), frame[_CHECKSUM + 2 :]),
        )
    )


def main(name: str) -> None:
    link = TapLink.open(name)
    os.set_blocking(link.fileno(), True)
    descriptor = link.fileno()
    print(f"bare: {name} ready", file=sys.stderr, flush=True)
    while True:
        frame = os.read(descriptor, 65_600)
        if len(frame) > _TYPE and frame[_TYPE] == _ECHO_REQUEST:
            os.write(descriptor, turn(frame))


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except KeyboardInterrupt:
        sys.exit(0)
