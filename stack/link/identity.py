"""The MAC address that a host takes when it is given none: the same on every start, another on every machine.

It is derived from the machine's id and the TAP's name, so two hosts of one TAP
name on one link, on different machines, differ. It does not look at the link
and keeps no state.
"""

import hashlib
import socket
from pathlib import Path

from stack.address import MacAddress

_PURPOSE = b"sixtap default MAC\0"
_SOURCES = (
    Path("/etc/machine-id"),
    Path("/var/lib/dbus/machine-id"),
    Path("/sys/class/dmi/id/product_uuid"),
)
_UNSET = ("", "uninitialized")  # machine-id(5): what an image holds before its first boot


def machine_id() -> bytes:
    """Bytes that name this machine and stay the same; never empty.

    The first of machine-id(5), D-Bus's and the firmware's id that can be read,
    else a fixed text with the host's name.
    """
    for source in _SOURCES:
        try:
            text = source.read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            continue
        if text not in _UNSET:
            return text.encode()
    return b"no machine id\0" + socket.gethostname().encode()


def default_mac(name: str, kernel_mac: MacAddress) -> MacAddress:
    """A locally administered unicast MAC (6 bytes) for the host on the TAP device `name`.

    Never `kernel_mac`, the MAC of the device's kernel side: a bridge would deliver
    the host's frames to the kernel.
    """
    material = _PURPOSE + machine_id() + b"\0" + name.encode(errors="surrogateescape")
    attempt = 0
    while True:
        digest = hashlib.sha256(material + attempt.to_bytes(4, "big")).digest()
        mac = bytes((digest[0] & 0xFC | 0x02,)) + digest[1:6]
        if mac != kernel_mac:
            return mac
        attempt += 1
