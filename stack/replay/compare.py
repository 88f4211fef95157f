"""What a node sent in a capture beside what our host sent in its place.

Two frames are the same if they say the same in plain words to the same node: the
words leave out what two stacks may choose freely, such as identifiers.
"""

from typing import NamedTuple

from stack.explain.frame import account
from stack.replay.play import Sent

# Delays are random in many places, the longest of them that of an answer to an MLD query.
_WINDOW = 12.0


class Row(NamedTuple):
    """Frames that are the same, or one that the other side has not (None)."""

    theirs: Sent | None
    ours: Sent | None

    @property
    def mark(self) -> str:
        """`=` both, `<` only the capture, `>` only our host."""
        if self.theirs is None:
            return ">"
        return "<" if self.ours is None else "="

    @property
    def time(self) -> float:
        """When it was sent in the capture, else by our host."""
        sent = self.theirs or self.ours
        return sent.time if sent is not None else 0.0


def compare(theirs: list[Sent], ours: list[Sent]) -> list[Row]:
    """The frames of both sides in pairs, in order of time."""
    waiting: dict[tuple[str, str], list[Sent]] = {}
    for sent in ours:
        waiting.setdefault(_key(sent.frame), []).append(sent)
    rows = []
    for sent in theirs:
        candidates = waiting.get(_key(sent.frame), [])
        match = next((each for each in candidates if abs(each.time - sent.time) <= _WINDOW), None)
        if match is not None:
            candidates.remove(match)
        rows.append(Row(sent, match))
    rows += [Row(None, sent) for rest in waiting.values() for sent in rest]
    return sorted(rows, key=lambda row: row.time)


def _key(frame: bytes) -> tuple[str, str]:
    parts = account(frame)
    return parts.receiver(), parts.text
