"""Recorder's bundles as material: the frames of the stretch, and the host at its end, which cases begin with."""

from pathlib import Path

from stack.errors import RefusedError, UsageError
from stack.fuzz.on_sequence import Planned
from stack.fuzz.trial import Start
from stack.recorder.bundle import is_bundle, read_bundle
from stack.recorder.replaying import Replay
from stack.recorder.story import ANSWERED, FRAME, Entry

__all__ = ["is_bundle", "material"]

_LONGEST_GAP = 2.0


def material(path: Path) -> tuple[Start, list[Planned]]:
    """The host of a bundle as it was when that was taken, and the frames that it had been sent.

    Raises UsageError if the bundle cannot be read or its host is not one with a
    single link without a tag: the oracles judge such hosts only.
    """
    try:
        bundle = read_bundle(path)
        host = Replay(bundle.stretch).run().host
    except RefusedError as error:
        raise UsageError(str(error)) from error
    if [each.vlan for each in host.interfaces.values()] != [None]:
        raise UsageError(f"{path}: --mutate takes a bundle of a host with one interface without a VLAN")
    return Start(host.snapshot(), bundle.now), _frames(bundle.stretch.entries, bundle.stretch.began)


def _frames(entries: list[Entry], before: float) -> list[Planned]:
    found: list[Planned] = []
    for entry in entries:
        if entry[0] not in (FRAME, ANSWERED):
            continue
        for octets in (entry[3],) if entry[0] == FRAME else entry[3]:
            found.append(Planned(min(max(entry[1] - before, 0.0), _LONGEST_GAP), octets, octets))
            before = entry[1]
    return found
