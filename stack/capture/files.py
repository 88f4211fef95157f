"""Capture files by name, as Ethernet frames in the order of the file."""

from collections.abc import Iterator
from pathlib import Path

from stack.capture.linktypes import Frame, ethernet_frame
from stack.capture.reading import Complain, records
from stack.errors import UsageError


def frames(path: Path, complain: Complain) -> Iterator[Frame]:
    """The frames of a capture file, one at a time; `complain` is told what was left out, and why.

    Raises UsageError if the file cannot be opened or is no capture.
    """
    left_out: dict[int, int] = {}
    try:
        with path.open("rb") as stream:
            for record in records(stream, path.name, complain):
                frame = ethernet_frame(record)
                if frame is None:
                    left_out[record.link] = left_out.get(record.link, 0) + 1
                else:
                    yield frame
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    for link, count in sorted(left_out.items()):
        complain(f"{path.name}: {count} records of link type {link} hold no Ethernet frame and no IP packet")
