"""The trace of a host: every frame in and out, each with what the host decided about it and why.

It watches the journal. What one cause brought about is held until the cause is
done with, since a decision may follow the frame that it made; then the frames are
written in their order.
"""

from stack.capture.writing import CaptureWriter
from stack.explain.frame import describe
from stack.host import Host
from stack.journal import Cause, FrameSeen, Record

# What is said of one frame is cut behind so many decisions.
_DECISIONS_MAX = 24


class Trace:
    """Writes what `host` sees and does to `writer`; its times are the host's plus `epoch` (seconds since 1970).

    The interfaces are those that the host has now.
    """

    def __init__(self, host: Host, writer: CaptureWriter, epoch: float) -> None:
        self._host = host
        self._writer = writer
        self._epoch = epoch
        self._frames: list[FrameSeen] = []
        self._records: list[Record] = []
        self._numbers = {each.index: writer.add_interface(each.name, each.mac) for each in host.interfaces.values()}
        host.journal.watch(self)

    def close(self) -> None:
        """Write what is held; nothing follows."""
        self._host.journal.unwatch(self)
        self.end()

    # -- for the journal

    def record(self, record: Record) -> None:
        """A decision."""
        if self._frames or len(self._records) < _DECISIONS_MAX:
            self._records.append(record)

    def frame(self, seen: FrameSeen) -> None:
        """A frame came in or goes out."""
        self._frames.append(seen)

    def end(self) -> None:
        """The cause of what is held is done with."""
        if self._frames:
            for seen in self._frames:
                self._write(seen)
            self._writer.flush()
            self._frames.clear()
        self._records.clear()

    def _write(self, seen: FrameSeen) -> None:
        said = [record_words(record) for record in self._records if record.because == seen.because]
        if len(said) > _DECISIONS_MAX:
            said[_DECISIONS_MAX:] = [f"and {len(said) - _DECISIONS_MAX} more decisions"]
        comment = "\n".join((frame_words(seen), *said))
        interface = self._numbers.get(seen.interface)
        if interface is None:
            interface = self._add_interface(seen.interface)
        time = seen.time + self._epoch
        self._writer.write(seen.frame, time, interface=interface, inbound=seen.inbound, comments=(comment,))

    def _add_interface(self, index: int) -> int:
        """One that was attached later, or the one of frames that came for no interface."""
        link = self._host.interfaces.get(index)
        name, mac = ("none", bytes(6)) if link is None else (link.name, link.mac)
        self._numbers[index] = number = self._writer.add_interface(name, mac)
        return number


def frame_words(seen: FrameSeen) -> str:
    """`frame NUMBER in: what it says`, and of a frame out the causes."""
    if seen.inbound:
        return f"frame {seen.number} in: {describe(seen.frame)}"
    return f"frame {seen.number} out: {describe(seen.frame)}\ncause: {chain_words(seen.because)}"


def chain_words(cause: Cause) -> str:
    """A cause and what was behind it, newest first, in a line; the time that lay between in seconds."""
    words = [cause.text]
    later = cause
    for earlier in cause.chain()[1:]:
        words.append(f"armed {later.time - earlier.time:.3f} s before by {earlier.text}")
        later = earlier
    return ", ".join(words)


def record_words(record: Record) -> str:
    """A decision in a line: layer, what, change of state, clause."""
    change = f" ({record.before or 'none'} -> {record.after or 'none'})" if record.before != record.after else ""
    clause = f" [{record.clause}]" if record.clause else ""
    return f"{record.layer}: {record.what}{change}{clause}"
