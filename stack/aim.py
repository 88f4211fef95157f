"""Captures aimed at a link: frames leave through a TAP device in real time, and a target is watched meanwhile.

A host of ours on the same device pings the target every so many frames. When it
falls silent, what was sent since its last answer is sent again in ever smaller
parts, for as long as it comes back between them.
"""

import select
import time
from collections.abc import Callable, Iterable, Sequence
from random import Random

from stack.address import IPv6Address, format_address, is_link_local
from stack.capture.linktypes import Frame
from stack.errors import LinkError, RefusedError
from stack.host import Host
from stack.icmp6.echo import EchoAnswer, EchoError
from stack.link.tap import TapLink
from stack.settings import Settings

EVERY = 64
_MAC = bytes.fromhex("02006e000065")
_IDENTIFIER = bytes.fromhex("00006efffe000065")
_PATIENCE = 1.0
_TRIES = 3
_RECOVERY = 10.0
# A TAP's queue is emptied by whoever is behind it; frames that it refuses are tried again for so long.
_REFUSED_FOR = 1.0
_NANOSECONDS = 1_000_000_000


class Prober:
    """A host on the device that asks `target` (16 bytes) whether it is there."""

    def __init__(self, link: TapLink, target: IPv6Address) -> None:
        self._link = link
        self._target = target
        self.host = Host(Random("prober"), Settings(dad_transmits=0, router_solicitations=0))
        self._interface = self.host.attach(link.name, _MAC)
        self._interface.start(time.monotonic())
        if not is_link_local(target):
            self._interface.addresses.add(target[:8] + _IDENTIFIER, 64, time.monotonic())
        self._pump(_PATIENCE)

    def is_alive(self, tries: int = _TRIES) -> bool:
        """Whether the target answers one of so many pings. Raises LinkError if none can be sent."""
        heard: list[EchoAnswer | EchoError] = []
        session = self.host.echoes.open(self._interface, self._target, heard.append)
        try:
            for sequence in range(tries):
                # Asked for anew: frames sent with the target's own MAC have told every bridge that it is here, and
                # only what the target itself sends tells them better.
                self._interface.resolver.flush()
                session.send(sequence, time.monotonic())
                self._pump(_PATIENCE, lambda: any(isinstance(each, EchoAnswer) for each in heard))
                if any(isinstance(each, EchoAnswer) for each in heard):
                    return True
        except RefusedError as error:
            raise LinkError(f"{format_address(self._target)} cannot be pinged from here: {error}") from error
        finally:
            session.close()
        return False

    def comes_back(self) -> bool:
        """Whether the target answers within a while."""
        end = time.monotonic() + _RECOVERY
        while time.monotonic() < end:
            if self.is_alive(1):
                return True
        return False

    def _pump(self, seconds: float, enough: Callable[[], bool] = lambda: False) -> None:
        """Take what arrives and send what is due, for so long or until it is enough."""
        end = time.monotonic() + seconds
        while True:
            now = time.monotonic()
            self.host.advance(now)
            for _, frame in self.host.output():
                self._link.write(frame)
            if enough() or now >= end:
                return
            deadline = self.host.next_deadline()
            wait = min(end, deadline if deadline is not None else end) - now
            if select.select([self._link.fileno()], [], [], max(0.0, wait))[0]:
                for frame in self._link.read():
                    self.host.receive(frame, time.monotonic())


class Aim:
    """Sends frames through `link`; `culprits` are those that silenced the target, if it fell silent.

    `told` hears a line about what is going on.
    """

    def __init__(self, link: TapLink, prober: Prober | None, told: Callable[[str], None]) -> None:
        self._link = link
        self._prober = prober
        self._told = told
        self.sent = 0
        self.refused = 0
        self.culprits: list[bytes] = []

    def send(self, frames: Iterable[Frame]) -> bool:
        """Send a capture with its own times; false once the target is silent."""
        start: tuple[float, int] | None = None
        suspects: list[bytes] = []
        for frame in frames:
            if start is None:
                start = (time.monotonic(), frame.time)
            due = start[0] + max(0, frame.time - start[1]) / _NANOSECONDS
            time.sleep(max(0.0, due - time.monotonic()))
            self._write(frame.octets)
            suspects.append(frame.octets)
            if len(suspects) >= EVERY:
                if not self._still_there(suspects):
                    return False
                suspects.clear()
        return self._still_there(suspects)

    def _write(self, octets: bytes) -> None:
        end = time.monotonic() + _REFUSED_FOR
        # A runt is refused for what it is.
        while not self._link.write(octets):
            if len(octets) < 14 or time.monotonic() >= end:
                self.refused += 1
                return
            time.sleep(0.001)
        self.sent += 1

    def _still_there(self, suspects: Sequence[bytes]) -> bool:
        if self._prober is None or self._prober.is_alive():
            return True
        self._told(f"the target is silent after {self.sent} frames")
        self.culprits = self._bisect(list(suspects))
        return False

    def _bisect(self, frames: list[bytes]) -> list[bytes]:
        """The smaller part that silences the target too; all of it if no half alone does, or if it stays silent."""
        prober = self._prober
        if prober is None or len(frames) <= 1:
            return frames
        half = len(frames) // 2
        for part in (frames[:half], frames[half:]):
            if not prober.comes_back():
                self._told("the target does not come back; these frames could not be told apart further")
                return frames
            for octets in part:
                self._write(octets)
            if not prober.is_alive():
                return self._bisect(part)
        return frames
