"""What `sixtap top` shows of the time before it began: the flight recorder, replayed with a sample now and then."""

import base64
from pathlib import Path
from typing import Any

from stack.control import client
from stack.control.watching import Frames, sample
from stack.errors import StackError
from stack.host import Host
from stack.journal import FrameSeen, Record
from stack.recorder.bundle import Bundle, unpack
from stack.recorder.replaying import Replay

Sample = dict[str, Any]


def recall(path: Path, before: float, interval: float) -> list[Sample]:
    """Samples from the recorder up to a time on the host's clock, oldest first; none of a host that records nothing."""
    try:
        return samples(unpack(base64.b64decode(client.ask(path, "record")["bundle"])), before, interval)
    except StackError:
        return []


def samples(bundle: Bundle, before: float, interval: float) -> list[Sample]:
    """The same of a bundle. Raises RefusedError for what is none."""
    sampler = _Sampler(before, interval)
    Replay(bundle.stretch, sampler.follow).run()
    return sampler.samples


class _Sampler:
    """Watches the journal of a host that is replayed, and takes a sample at the first event of each interval."""

    def __init__(self, before: float, interval: float) -> None:
        self.samples: list[Sample] = []
        self._before = before
        self._interval = interval
        self._next = 0.0
        self._frames = Frames()
        self._host: Host | None = None

    def follow(self, host: Host) -> None:
        """Listen to this host."""
        self._host = host
        host.journal.watch(self)

    def record(self, record: Record) -> None:
        """A decision."""
        self._frames.record(record)

    def frame(self, seen: FrameSeen) -> None:
        """A frame."""
        self._frames.frame(seen)

    def end(self) -> None:
        """What was under way is done with: the tables are as it left them."""
        self._frames.end()
        host = self._host
        if host is None or not self._next <= host.journal.time < self._before:
            return
        interface = next(iter(host.interfaces.values()))
        self._next = host.journal.time + self._interval
        self.samples.append(sample(interface, self._frames, host.journal.time, carrier=interface.up))
