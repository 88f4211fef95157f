"""A device without a kernel behind it: one end of a socket pair, the other end being the link."""

import socket
from dataclasses import replace
from typing import Any

from stack.errors import LinkGoneError
from stack.link.rtnetlink import LinkState

KERNEL_MAC = bytes.fromhex("02006e0000ff")


class PairDevice:
    """What `stack.runtime` needs of a link; `peer` is the far end, one datagram a frame."""

    def __init__(self, name: str = "t0") -> None:
        self.name = name
        self.index = 1 << 30  # no device of this machine has it
        self.mtu = self.kernel_mtu = 1500
        self.up = True
        self.carrier = True
        self.master: int | None = None
        self.deleted = False
        self.mac = KERNEL_MAC
        self._near, self.peer = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for end in (self._near, self.peer):
            end.setblocking(False)

    def fileno(self) -> int:
        return self._near.fileno()

    def read(self, limit: int = 64) -> list[bytes]:
        if self.deleted:
            raise LinkGoneError(f"{self.name} was deleted")
        frames: list[bytes] = []
        while len(frames) < limit:
            try:
                frames.append(self._near.recv(70_000))
            except BlockingIOError:
                break
        return frames

    def write(self, frame: bytes) -> bool:
        if not self.up:
            return False
        try:
            self._near.send(frame)
        except BlockingIOError:
            return False
        return True

    def set_carrier(self, on: bool) -> None:
        self.carrier = on

    def set_mtu(self, mtu: int) -> None:
        self.mtu = self.kernel_mtu = mtu

    def state(self) -> LinkState | None:
        return None if self.deleted else self.described()

    def described(self, **changes: Any) -> LinkState:
        """As the kernel would describe it, some of it changed."""
        state = LinkState(self.index, self.name, self.up, self.up, self.kernel_mtu, self.mac, self.master, "tun")
        return replace(state, **changes)

    def close(self) -> None:
        self._near.close()
        self.peer.close()

    def frames(self) -> list[bytes]:
        """What the host has sent and nobody has read yet."""
        found: list[bytes] = []
        while True:
            try:
                found.append(self.peer.recv(70_000))
            except BlockingIOError:
                return found
