"""Captures for tests: written by hand, so that nothing of the stack has a hand in them."""

import struct
from collections.abc import Iterable
from pathlib import Path


def write(path: Path, frames: Iterable[object], *, start: float = 1_700_000_000.0, gap: float = 0.1) -> Path:
    """A pcap file of scapy's frames or of octets, `gap` seconds apart."""
    octets = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for number, frame in enumerate(frames):
        data = bytes(frame)  # type: ignore[call-overload]
        seconds, fraction = divmod(round((start + number * gap) * 1_000_000), 1_000_000)
        octets += struct.pack("<IIII", seconds, fraction, len(data), len(data)) + data
    path.write_bytes(octets)
    return path
