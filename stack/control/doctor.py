"""What a running host knows of who asks, what it has reported and what its bridge keeps: the facts for `sixtap doctor`.

Ages are seconds before now, times left seconds from now. What to make of them is
`stack.doctor`'s business.
"""

from typing import Any

from stack.address import format_address
from stack.control.arguments import Arguments
from stack.link import bridge as linux
from stack.mld.groups import GroupRecord, is_reportable
from stack.mld.listener import MulticastListener
from stack.mld.observed import Observed
from stack.runtime import Runtime


def facts(runtime: Runtime, arguments: Arguments, now: float) -> Any:
    """All of it as a document."""
    interface = runtime.interface
    listener = interface.listener
    until = listener.compatibility.older_querier_until
    return {
        "ifname": interface.name,
        "up": interface.up,
        "disabled": interface.disabled,
        "addresses": len(interface.addresses),
        "version": listener.version,
        "older_querier": None if until is None else _rounded(until - now),
        "since": _age(listener.observed.since, now) if interface.up else None,
        "queries": _queries(listener.observed, now),
        "groups": [_group(listener, record, now) for record in _reportable(listener)],
        "bridge": _bridge(runtime.link.index),
    }


def _reportable(listener: MulticastListener) -> list[GroupRecord]:
    return [record for record in listener.groups.records.values() if is_reportable(record.group)]


def _group(listener: MulticastListener, record: GroupRecord, now: float) -> dict[str, Any]:
    state, _ = listener.state_of(record)
    return {
        "address": format_address(record.group),
        "state": state.value,
        "reported": _age(record.reported_at, now) if record.reported else None,
        "sources": len(record.filter.sources),
    }


def _queries(observed: Observed, now: float) -> dict[str, Any]:
    last = observed.last
    return {
        "heard": observed.heard,
        "last": None
        if last is None
        else {
            "age": _age(last.time, now),
            "source": format_address(last.source),
            "version": last.version,
            "delay": last.delay,
            "robustness": last.robustness,
            "interval": last.interval,
        },
        "discarded": [
            {
                "reason": reason.label,
                "text": reason.text,
                "clause": reason.clause,
                "count": each.count,
                "age": _age(each.time, now),
                "source": format_address(each.source),
            }
            for reason, each in observed.discarded.items()
        ],
    }


def _bridge(index: int) -> dict[str, Any] | None:
    """The Linux bridge that the device is a port of, as far as it can be asked."""
    try:
        state = linux.read(index)
        if state is None:
            return None
        entries, total = linux.read_database(state.number, index)
    except OSError as error:
        return {"error": error.strerror or str(error)}
    seen = state.seen
    document = {name: value for name, value in state._asdict().items() if name not in ("seen", "number")}
    return document | {
        "seen": None if seen is None else {"address": format_address(seen.address), "expires": seen.expires},
        "total": total,
        "groups": _longest(entries),
    }


def _longest(entries: list[linux.MdbEntry]) -> dict[str, float | None]:
    """The seconds that each group is kept for; one that is kept by source has several entries: the last counts."""
    kept: dict[str, float | None] = {}
    for entry in entries:
        group = format_address(entry.group)
        known = kept.get(group, 0.0)
        kept[group] = None if known is None or entry.expires is None else max(known, entry.expires)
    return kept


def _age(then: float | None, now: float) -> float | None:
    return None if then is None else _rounded(now - then)


def _rounded(seconds: float) -> float:
    return round(max(0.0, seconds), 3)
