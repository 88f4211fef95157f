"""A link without a device: frames are put in by calls, and what the host sends goes to a call.

It is the base of every link that the kernel knows nothing of: a port of a switch in
memory, a capture that is played, a test. `stack.runtime` sees whether there are
frames by `heard`, which it sets itself.
"""

from collections import deque
from collections.abc import Callable

from stack.link.rtnetlink import LinkState
from stack.multicast_filter import FilterPlan

_BATCH = 64
DEFAULT_MTU = 1500
# Frames that wait for the host; more are lost, as in a network card.
DEFAULT_LIMIT = 4096
_NO_MAC = bytes(6)


class FrameLink:
    """A link named `name`; `feed` puts a frame in, `sent` is given every frame that the host sends.

    `sent` says whether the frame was taken; without one all are, and nobody sees
    them. `dropped` counts the frames that found `limit` others waiting. `plan` is
    the multicast filter that the host asked for; frames are not filtered here.
    """

    def __init__(
        self,
        name: str = "frames0",
        *,
        index: int = 1,
        mtu: int = DEFAULT_MTU,
        limit: int = DEFAULT_LIMIT,
        sent: Callable[[bytes], bool] | None = None,
    ) -> None:
        self.name = name
        self.index = index
        self.mtu = mtu
        self.heard: Callable[[], None] | None = None
        self.plan: FilterPlan | None = None
        self.carrier = True
        self.dropped = 0
        self._sent = sent
        self._limit = limit
        self._frames: deque[bytes] = deque()

    def feed(self, frame: bytes) -> bool:
        """One Ethernet frame for the host; false, and counted, if too many wait or the carrier is off."""
        if not self.carrier or len(self._frames) >= self._limit:
            self.dropped += 1
            return False
        self._frames.append(frame)
        if self.heard is not None:
            self.heard()
        return True

    # -- what the runtime asks of a link

    def fileno(self) -> int:
        """There is no descriptor to wait for."""
        return -1

    def read(self, limit: int = _BATCH) -> list[bytes]:
        """Up to `limit` frames that wait, oldest first."""
        frames = self._frames
        return [frames.popleft() for _ in range(min(limit, len(frames)))]

    def write(self, frame: bytes) -> bool:
        """Send one frame; false if it was not taken."""
        if not self.carrier:
            return False
        return True if self._sent is None else self._sent(frame)

    def program(self, plan: FilterPlan) -> None:
        """The host's multicast filter from now on."""
        self.plan = plan

    def set_carrier(self, on: bool) -> None:
        """Whether frames pass at all."""
        self.carrier = on
        if not on:
            self._frames.clear()

    def set_mtu(self, mtu: int) -> None:
        """The longest packet, in octets."""
        self.mtu = mtu

    def state(self) -> LinkState | None:
        """As the kernel describes a device; it is up, and there is nothing on its other side."""
        return LinkState(self.index, self.name, True, self.carrier, self.mtu, _NO_MAC, None, None)

    def close(self) -> None:
        """The host is gone: nothing passes any more."""
        self.heard = None
        self.set_carrier(False)
