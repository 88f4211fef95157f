"""What a stretch tells when it is replayed with the journal on: frames by number, and every decision with its cause."""

from typing import NamedTuple

from stack.explain.frame import describe
from stack.host import Host
from stack.journal import Cause, FrameSeen, Record
from stack.recorder.bundle import Bundle
from stack.recorder.replaying import Replay, Replayed
from stack.wire import ethernet, ipv6


class History(NamedTuple):
    """All that happened: `frames` by number, `decisions` by their cause, and the host as it is at the end."""

    frames: dict[int, FrameSeen]
    decisions: dict[Cause, list[Record]]
    replayed: Replayed
    now: float

    @property
    def host(self) -> Host:
        """As it is at the end."""
        return self.replayed.host

    @property
    def reaches_back(self) -> float:
        """How many seconds before the end the first frame was."""
        first = next(iter(self.frames.values()), None)
        return 0.0 if first is None else self.now - first.time

    def outcome(self, seen: FrameSeen) -> Record | None:
        """What came of a frame from the link."""
        return next((each for each in reversed(self.decisions.get(seen.because, [])) if each.layer == "host"), None)


class _Listener:
    """The watcher of the journal that fills a history."""

    def __init__(self) -> None:
        self.frames: dict[int, FrameSeen] = {}
        self.decisions: dict[Cause, list[Record]] = {}

    def record(self, record: Record) -> None:
        self.decisions.setdefault(record.because, []).append(record)

    def frame(self, seen: FrameSeen) -> None:
        self.frames[seen.number] = seen

    def end(self) -> None:
        """Nothing is held back."""


def history(bundle: Bundle) -> History:
    """Replay a bundle and listen. Raises RefusedError for what is none."""
    listener = _Listener()
    replayed = Replay(bundle.stretch, lambda host: host.journal.watch(listener)).run()
    return History(listener.frames, listener.decisions, replayed, bundle.now)


def packet_of(frame: bytes) -> bytes:
    """The IPv6 packet in a frame, empty if there is none; a VLAN tag is passed over."""
    offset = ethernet.HEADER_LENGTH
    if frame[12:14] == ethernet.VLAN_TYPE:
        offset += ethernet.TAG_LENGTH
    if frame[offset - 2 : offset] != ethernet.IPV6_TYPE or len(frame) < offset + ipv6.HEADER_LENGTH:
        return b""
    return frame[offset:]


def message_of(packet: bytes) -> bytes:
    """The ICMPv6 message in a packet, also behind hop-by-hop options; empty if there is none."""
    kind, offset = packet[6], ipv6.HEADER_LENGTH
    if kind == ipv6.HOP_BY_HOP and len(packet) > offset + 1:
        kind, offset = packet[offset], offset + 8 + 8 * packet[offset + 1]
    return packet[offset:] if kind == ipv6.ICMPV6 and len(packet) > offset else b""


def ago(now: float, time: float) -> str:
    """How long ago something was, in words."""
    seconds = max(0.0, now - time)
    return f"{seconds:.3f} s ago" if seconds < 10 else f"{seconds:.0f} s ago"


def frame_line(seen: FrameSeen, now: float) -> str:
    """A frame in a line."""
    return f"frame {seen.number} {'in' if seen.inbound else 'out'}, {ago(now, seen.time)}: {describe(seen.frame)}"
