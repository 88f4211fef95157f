"""A bundle: a stretch of the flight recorder as a file, from which anybody can repeat it bit for bit.

It is a zip archive: `about.json` for the eye, `host` (the snapshot) and `story`
(the entries). Reading one runs nothing that is in it (`stack.snapshot`).
"""

import io
import json
import platform
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from stack import __version__
from stack.errors import RefusedError, UsageError
from stack.host import Host
from stack.recorder.replaying import Replay, Replayed
from stack.recorder.ring import Stretch
from stack.recorder.story import ANSWERED, FRAME, SENT, Entry
from stack.snapshot import Snapshot

_FORMAT = 1
# No part of a bundle is larger (bytes); more is not what a recorder writes.
_PART_MAX = 1 << 30
# The first octets of a zip archive.
MAGIC = b"PK\x03\x04"


class Bundle(NamedTuple):
    """A stretch, with `about` it: what the host is, when it was recorded, and what was said about the device."""

    stretch: Stretch
    about: dict[str, Any]

    @property
    def now(self) -> float:
        """The time of the bundle, in seconds on the host's clock."""
        return float(self.about["now"])

    @property
    def epoch(self) -> float:
        """What makes the host's clock seconds since 1970."""
        return float(self.about["epoch"])


def pack(stretch: Stretch, now: float, epoch: float, **about: Any) -> bytes:
    """The octets of a bundle that was taken at `now`, with more to be said `about` it."""
    entries = stretch.entries
    document = {
        "format": _FORMAT,
        "version": __version__,
        "python": platform.python_version(),
        "began": stretch.began,
        "now": now,
        "epoch": epoch,
        "frames_in": _count(entries, FRAME),
        "frames_out": _count(entries, SENT),
        **about,
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("about.json", json.dumps(document, indent=2))
        archive.writestr("host", stretch.snapshot.octets)
        archive.writestr("story", Snapshot.of(entries).octets)
    return file.getvalue()


def _count(entries: list[Entry], kind: str) -> int:
    quick = [entry[3] for entry in entries if entry[0] == ANSWERED]
    return sum(map(len, quick)) + sum(1 for entry in entries if entry[0] == kind)


def unpack(octets: bytes) -> Bundle:
    """The bundle in octets. Raises RefusedError if there is none, or one that is damaged or of another version."""
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            about = json.loads(_part(archive, "about.json"))
            host, story = Snapshot(_part(archive, "host")), Snapshot(_part(archive, "story"))
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise RefusedError(f"this is no bundle of a flight recorder, or it is damaged: {error}") from error
    if not isinstance(about, dict) or about.get("format") != _FORMAT or about.get("version") != __version__:
        wrote = about.get("version", "unknown") if isinstance(about, dict) else "unknown"
        raise RefusedError(f"the bundle was written by version {wrote}, and this is {__version__}: use that one")
    entries = story.thing()
    numbers = (about.get("began"), about.get("now"), about.get("epoch"))
    if not isinstance(entries, list) or not all(isinstance(each, tuple) and each for each in entries):
        raise RefusedError("the bundle is damaged: its story is no list of entries")
    if not all(isinstance(each, int | float) for each in numbers):
        raise RefusedError("the bundle is damaged: it does not say when it was recorded")
    return Bundle(Stretch(host, entries, float(about["began"])), about)


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > _PART_MAX:
        raise RefusedError(f"the bundle is damaged: its part {name!r} is too large")
    return archive.read(name)


def read_bundle(path: Path) -> Bundle:
    """The bundle in a file. Raises UsageError if the file cannot be read, RefusedError if it holds none."""
    try:
        octets = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    try:
        return unpack(octets)
    except RefusedError as error:
        raise RefusedError(f"{path}: {error}") from error


def is_bundle(path: Path) -> bool:
    """Whether a file begins as bundles do; false for what cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def replay_bundle(path: Path, prepare: Callable[[Host], None] | None = None) -> Replayed:
    """Repeat what a bundle holds; `prepare(host)` may listen from the start. Raises as `read_bundle` does."""
    return Replay(read_bundle(path).stretch, prepare).run()
