"""Why a frame was sent, or what was made of one: the chain of causes behind it, with each decision on the way."""

from typing import Any

from stack.capture.host_trace import record_words
from stack.errors import RefusedError
from stack.explain.frame import describe
from stack.journal import Cause, FrameSeen, Record
from stack.recorder.history import History, ago, frame_line

# How many frames are listed where none is named.
LISTED = 20


def why(history: History, number: int) -> dict[str, Any]:
    """The document about frame `number`. Raises RefusedError if it is not in the recorder."""
    seen = history.frames.get(number)
    if seen is None:
        raise RefusedError(f"frame {number} is not in the recorder{_range(history)}")
    document = summary(seen, history.now)
    document["causes"] = [_cause(each, history) for each in seen.because.chain()]
    if seen.inbound:
        document["sent"] = [
            summary(each, history.now)
            for each in history.frames.values()
            if not each.inbound and _behind(each.because, seen.because)
        ]
    return document


def _range(history: History) -> str:
    if not history.frames:
        return ", which holds no frame yet"
    return f", which holds frames {min(history.frames)} to {max(history.frames)}"


def _behind(cause: Cause, frame: Cause) -> bool:
    return any(each == frame for each in cause.chain())


def summary(seen: FrameSeen, now: float) -> dict[str, Any]:
    """A frame as an object."""
    return {
        "frame": seen.number,
        "direction": "in" if seen.inbound else "out",
        "ago": round(now - seen.time, 6),
        "text": describe(seen.frame),
    }


def _cause(cause: Cause, history: History) -> dict[str, Any]:
    told = history.decisions.get(cause, [])
    seen = None if cause.frame is None else history.frames.get(cause.frame)
    return {
        "cause": cause.text,
        "ago": round(history.now - cause.time, 6),
        "frame": cause.frame,
        "text": None if seen is None else describe(seen.frame),
        "decisions": [_decision(each) for each in told],
    }


def _decision(record: Record) -> dict[str, Any]:
    return {
        "layer": record.layer,
        "what": record.what,
        "clause": record.clause,
        "before": record.before,
        "after": record.after,
    }


def why_text(history: History, number: int) -> str:
    """The same for the eye."""
    document = why(history, number)
    seen = history.frames[number]
    lines = [frame_line(seen, history.now)]
    for depth, cause in enumerate(seen.because.chain()):
        if cause.frame != number or not seen.inbound:
            lines.append(_cause_line(cause, history, first=depth == 0))
        lines += [f"    {record_words(each)}" for each in history.decisions.get(cause, [])]
    if seen.because.chain()[-1].text.startswith("timer"):
        lines.append("  armed before the recorder's first snapshot")
    lines += [f"  so: frame {each['frame']} out: {each['text']}" for each in document.get("sent", [])]
    return "\n".join(lines)


def _cause_line(cause: Cause, history: History, *, first: bool) -> str:
    word = "because of" if first else "armed by"
    seen = None if cause.frame is None else history.frames.get(cause.frame)
    told = cause.text if seen is None else f"{cause.text}: {describe(seen.frame)}"
    return f"  {word} {told}, {ago(history.now, cause.time)}"


def latest(history: History) -> list[FrameSeen]:
    """The last frames, the newest last."""
    return list(history.frames.values())[-LISTED:]
