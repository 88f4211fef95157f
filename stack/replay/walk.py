"""A capture walked through a host: for each frame what it says, each decision about it, and what was sent."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from stack.capture import files
from stack.capture.readdress import cast
from stack.capture.reading import Complain
from stack.discard import Discard, Outcome
from stack.explain.frame import FrameAccount, account, describe
from stack.journal import Record
from stack.replay.guard import Guard
from stack.replay.play import new_readdresser, nobody_hears, text, timed
from stack.replay.subject import SETTLED, Subject, new_subject, nobody


class Decision(NamedTuple):
    """One decision: the layer, what was decided, the clause, and how a state changed (or empty)."""

    layer: str
    what: str
    clause: str
    change: str = ""


class Step(NamedTuple):
    """One frame of the capture. `by_us` says that the node which the host plays has sent it: it is not fed.

    `decisions` are those about it, `meanwhile` those of timers since the frame before; `sent` are frames in words.
    """

    number: int
    time: float
    octets: bytes
    parts: FrameAccount
    words: str
    by_us: bool
    meanwhile: tuple[Decision, ...]
    decisions: tuple[Decision, ...]
    outcome: str
    taken: bool
    sent: tuple[str, ...]


def walk(path: Path, seed: int, complain: Complain) -> Iterator[Step]:
    """The steps of a capture, re-addressed to a host of ours; raises UsageError if it cannot be read."""
    readdresser = new_readdresser(cast(frame.octets for frame in files.frames(path, nobody_hears)))
    subject = new_subject(f"{seed}/host", nobody, readdresser)
    subject.advance(SETTLED)
    records: list[Record] = []
    sent: list[str] = []
    subject.host.journal.listen(records.append)
    subject.sent = lambda time, frame: sent.append(describe(frame))
    for number, (time, frame) in enumerate(timed(files.frames(path, complain)), 1):
        octets = readdresser.frame(frame.octets)
        records.clear()
        sent.clear()
        subject.advance(time)
        meanwhile = _decisions(records)
        by_us = readdresser.is_own(frame.octets)
        outcome = None if by_us else _receive(subject, octets)
        decided = () if by_us else _decisions(records[len(meanwhile) :])
        words = "sent by the node that the host plays: not fed" if by_us else text(outcome)
        taken = not (by_us or outcome is None or isinstance(outcome, Discard))
        yield Step(
            number,
            time - SETTLED,
            octets,
            account(octets),
            describe(octets),
            by_us,
            meanwhile,
            decided,
            words,
            taken,
            tuple(sent),
        )


def _receive(subject: Subject, octets: bytes) -> Outcome | None:
    with Guard():
        return subject.receive(octets)
    return None


def _decisions(records: list[Record]) -> tuple[Decision, ...]:
    return tuple(_decision(each) for each in records)


def _decision(record: Record) -> Decision:
    change = f"{record.before or 'nothing'} -> {record.after}" if record.after and record.after != record.before else ""
    return Decision(record.layer, record.what, record.clause, change)


def layers(step: Step) -> list[Decision]:
    """What each layer found in a frame, from the link upwards, and then the decisions of the host about it."""
    parts = step.parts
    vlan = "" if parts.vlan is None else f", VLAN {parts.vlan}"
    found = [Decision("ethernet", f"{_mac(parts.source_mac)} -> {_mac(parts.destination_mac)}{vlan}", "RFC 2464 3")]
    if parts.source is not None:
        found.append(Decision("ipv6", f"{parts.sender()} -> {parts.receiver()}", "RFC 8200 3"))
    found += [Decision("headers", header, "RFC 8200 4") for header in parts.headers]
    found.append(Decision("message", parts.text, ""))
    found += [Decision("flaw", flaw, "") for flaw in parts.flaws]
    return found + list(step.decisions)


def _mac(mac: bytes) -> str:
    return mac.hex(":") or "nobody"
