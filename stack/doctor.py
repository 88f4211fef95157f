"""Why a snooping switch forgets a port, or will: findings from what a host and its bridge say (RFC 4541, RFC 3810 6.2).

A switch learns the groups of a port from reports, and keeps them as long as a
querier has them repeated. So there must be a querier; its queries must be believed
and answered; and the switch must have room and see the reports. Each is looked at. This
module only reads the document of `stack.control.doctor`.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

PROBLEM, WARNING, FINE = "problem", "warning", "fine"

# RFC 3810 9.1 to 9.4: what is used where nobody has said anything else.
ROBUSTNESS, QUERY_INTERVAL, RESPONSE_INTERVAL = 2, 125.0, 10.0
LISTENING_INTERVAL = ROBUSTNESS * QUERY_INTERVAL + RESPONSE_INTERVAL
# Reports need a moment to arrive, seconds.
_MOMENT = 2.0
_NAMED = 3  # groups named in a line
_FORWARDING = 3
_ALWAYS = 2
_NEARLY_FULL = 0.9
# Discards that cost nobody anything: what we sent ourselves, or what no listener would answer.
_HARMLESS = ("MldOwnMessage", "MldSourceSpecific")


class Finding(NamedTuple):
    """One thing that is wrong, may become so, or is as it should be.

    `seconds` is when the first of `groups` will be forgotten, 0 if it has been, None where that is not the question.
    """

    severity: str
    code: str
    text: str
    advice: str = ""
    groups: tuple[str, ...] = ()
    seconds: float | None = None


def examine(facts: dict[str, Any]) -> list[Finding]:
    """Everything that there is to say, problems first."""
    found = list(_interface(facts))
    if not found:
        found = [*_querier(facts), *_discarded(facts), *_reports(facts), *_bridge(facts)]
    order = (PROBLEM, WARNING, FINE)
    return sorted(found, key=lambda each: order.index(each.severity))


def _interface(facts: dict[str, Any]) -> Iterator[Finding]:
    name = facts["ifname"]
    if not facts["up"]:
        yield Finding(PROBLEM, "down", f"{name} is down: nothing is reported", "sixtap link up")
    elif facts["disabled"]:
        text = f"{name} has found its hardware address in use: it says nothing any more (RFC 4862 5.4.5)"
        yield Finding(PROBLEM, "disabled", text, "give it another MAC: sixtap link set address MAC")
    elif not facts["addresses"]:
        text = f"{name} has no address: its groups are saved, and none is reported"
        yield Finding(PROBLEM, "no-address", text, "sixtap addr add ADDRESS/LEN")


# -- who asks


def _querier(facts: dict[str, Any]) -> Iterator[Finding]:
    last, since = facts["queries"]["last"], facts["since"]
    if last is None:
        if since < QUERY_INTERVAL + RESPONSE_INTERVAL:
            text = f"no query in the {since:.0f} s since {facts['ifname']} came up; one is due every 125 s"
            yield Finding(WARNING, "no-query-yet", text)
            return
        text = f"there is no querier on the link: not one query in {since:.0f} s"
        yield _forgetting(facts, "no-querier", text)
        return
    interval = last["interval"] or QUERY_INTERVAL
    lifetime = (last["robustness"] or ROBUSTNESS) * interval + last["delay"] / 2
    who = f"the querier {last['source']}"
    if last["age"] > lifetime:
        text = f"{who} is gone: it asked every {interval:g} s, the last time {last['age']:.0f} s ago (RFC 3810 9.5)"
        yield _forgetting(facts, "querier-gone", text)
    elif last["age"] > interval + last["delay"]:
        text = f"{who} is late: it asks every {interval:g} s, the last query came {last['age']:.0f} s ago"
        yield _forgetting(facts, "query-late", text, WARNING)
    else:
        text = f"{who} asks every {interval:g} s in version {last['version']}, the last time {last['age']:.0f} s ago"
        yield Finding(FINE, "querier", text)
    if facts["older_querier"] is not None:
        text = f"version 1 is spoken for another {facts['older_querier']:.0f} s: a version 1 querier was heard"
        yield Finding(FINE, "version-1", text + " (RFC 3810 8.2.1); sources cannot be told")


def _forgetting(facts: dict[str, Any], code: str, text: str, severity: str = PROBLEM) -> Finding:
    """Nobody has the reports repeated: when the groups are forgotten."""
    left = {each["address"]: _left(facts, each) for each in facts["groups"]}
    known = {group: seconds for group, seconds in left.items() if seconds is not None}
    gone = tuple(group for group, seconds in known.items() if seconds <= 0)
    if gone:
        text += f"; a switch that snoops has forgotten {_names(gone)} by now"
        return Finding(severity, code, text, _A_QUERIER, gone, 0.0)
    if not known:
        return Finding(severity, code, text, _A_QUERIER)
    first = min(known, key=lambda group: known[group])
    text += f"; a switch that snoops forgets {first} in {known[first]:.0f} s"
    return Finding(severity, code, text, _A_QUERIER, (first,), round(known[first], 1))


_A_QUERIER = "a multicast router, sixtap querier, or on a Linux bridge: ip link set BRIDGE type bridge mcast_querier 1"


def _left(facts: dict[str, Any], group: dict[str, Any]) -> float | None:
    """How long a group is kept: by the bridge's own word, else by the last report and the querier's times."""
    bridge = facts["bridge"] or {}
    kept = bridge.get("groups", {})
    if group["address"] in kept:
        seconds: float | None = kept[group["address"]]
        return seconds
    if group["reported"] is None:
        return None
    last = facts["queries"]["last"] or {}
    robustness, interval = last.get("robustness") or ROBUSTNESS, last.get("interval") or QUERY_INTERVAL
    listening = robustness * interval + last.get("delay", RESPONSE_INTERVAL)
    return float(bridge.get("membership_interval") or listening) - float(group["reported"])


def _discarded(facts: dict[str, Any]) -> Iterator[Finding]:
    last = facts["queries"]["last"]
    for each in facts["queries"]["discarded"]:
        text = f"{_count(each['count'], 'query', 'queries')} discarded, the last from {each['source']}"
        text += f" {each['age']:.0f} s ago: {each['text']} ({each['clause']})"
        believed_since = last is not None and last["age"] < each["age"]
        if each["reason"] in _HARMLESS:
            yield Finding(FINE, "queries-discarded", text)
        elif believed_since:
            yield Finding(WARNING, "queries-discarded", f"{text}; others were believed since")
        else:
            advice = "who asks so is not answered, and forgets the groups: mend the querier"
            yield Finding(PROBLEM, "queries-discarded", text, advice)


# -- what was said


def _reports(facts: dict[str, Any]) -> Iterator[Finding]:
    silent = tuple(
        each["address"] for each in facts["groups"] if each["reported"] is None and each["state"] != "pending"
    )
    if silent:
        early = facts["since"] is not None and facts["since"] < _MOMENT
        text = f"{_names(silent)} never reported since {facts['ifname']} came up"
        yield Finding(WARNING if early else PROBLEM, "unreported", text, groups=silent)
    last = facts["queries"]["last"]
    # In version 1 another listener's report speaks for ours (RFC 2710 4).
    if last is not None and facts["version"] == 2 and last["age"] > last["delay"] + _MOMENT:
        owed = tuple(
            each["address"]
            for each in facts["groups"]
            if each["reported"] is not None and each["reported"] > last["age"] + _MOMENT
        )
        if owed:
            text = f"{_names(owed)} not reported since the query of {last['age']:.0f} s ago"
            yield Finding(PROBLEM, "unanswered", text, groups=owed)
    if facts["groups"] and not silent:
        yield Finding(FINE, "reports", f"{_count(len(facts['groups']), 'group')} reported")


# -- the bridge


def _bridge(facts: dict[str, Any]) -> Iterator[Finding]:
    bridge, name = facts["bridge"], facts["ifname"]
    if bridge is None:
        text = f"{name} is no port of a Linux bridge here: what a switch beyond it keeps is not seen"
        yield Finding(FINE, "no-bridge", text)
        return
    if "error" in bridge:
        yield Finding(WARNING, "bridge-unread", f"the bridge of {name} cannot be asked: {bridge['error']}")
        return
    if not bridge["up"] or bridge["port_state"] not in (None, _FORWARDING):
        why = "spanning tree holds the port" if bridge["up"] else "it is down"
        text = f"{bridge['name']} does not forward what {name} sends: {why}"
        yield Finding(PROBLEM, "port-blocked", text, f"ip -d link show {name}")
    if bridge["netfilter"]:
        text = "netfilter sees what bridges forward: a rule can drop MLD, and malformed packets are swallowed"
        yield Finding(WARNING, "netfilter", text, "sysctl -w net.bridge.bridge-nf-call-ip6tables=0")
    if not bridge["snooping"]:
        yield _without_snooping(bridge)
        return
    yield from _bridge_querier(bridge)
    yield from _database(facts, bridge)


def _without_snooping(bridge: dict[str, Any]) -> Finding:
    name, most = bridge["name"], bridge["hash_max"]
    if most and bridge["total"] >= most:
        # Linux: a group too many turns the snooping off.
        text = f"{name} does not snoop any more: {bridge['total']} groups reached mcast_hash_max {most}; it floods"
        advice = f"ip link set {name} type bridge mcast_hash_max {_power(2 * most)} mcast_snooping 1"
        return Finding(WARNING, "hash-max", text, advice)
    return Finding(FINE, "no-snooping", f"{name} does not snoop: it floods multicast and forgets nothing")


def _power(number: int) -> int:
    """The next power of two: mcast_hash_max takes no other number."""
    return 1 << (number - 1).bit_length()


def _bridge_querier(bridge: dict[str, Any]) -> Iterator[Finding]:
    name = bridge["name"]
    if bridge["querier"] and not bridge["ipv6"]:
        text = f"{name} should ask (mcast_querier 1) and cannot: it has no IPv6 of its own"
        yield Finding(PROBLEM, "bridge-querier-mute", text, f"sysctl -w net.ipv6.conf.{name}.disable_ipv6=0")
    elif not bridge["querier"] and bridge["seen"] is None:
        kept = {group: seconds for group, seconds in bridge["groups"].items() if seconds is not None}
        text = f"{name} snoops, does not ask itself (mcast_querier 0) and hears no querier"
        advice = f"ip link set {name} type bridge mcast_querier 1, or a multicast router on the link"
        if not kept:
            yield Finding(PROBLEM, "bridge-no-querier", text, advice)
            return
        first = min(kept, key=lambda group: kept[group])
        text += f": it forgets {first} in {kept[first]:.0f} s; until a querier comes it floods"
        yield Finding(PROBLEM, "bridge-no-querier", text, advice, (first,), round(kept[first], 1))


def _database(facts: dict[str, Any], bridge: dict[str, Any]) -> Iterator[Finding]:
    name, total, most = bridge["name"], bridge["total"], bridge["hash_max"]
    if bridge["port_router"] == _ALWAYS:
        text = f"{facts['ifname']} counts as a router's port (multicast_router 2): it gets every group, reported or not"
        yield Finding(FINE, "router-port", text)
    missing = [
        each
        for each in facts["groups"]
        if each["reported"] is not None and each["reported"] >= _MOMENT and each["address"] not in bridge["groups"]
    ]
    if most and total >= _NEARLY_FULL * most:
        text = f"{name} has {total} groups, and room for {most} (mcast_hash_max); one more and it snoops no longer"
        advice = f"ip link set {name} type bridge mcast_hash_max {_power(2 * most)}"
        yield Finding(PROBLEM if total >= most else WARNING, "hash-max", text, advice)
    if missing:
        yield _missing(facts, bridge, missing)
    elif facts["groups"]:
        yield Finding(FINE, "database", f"{name} has every reported group on {facts['ifname']}")


def _missing(facts: dict[str, Any], bridge: dict[str, Any], missing: list[dict[str, Any]]) -> Finding:
    names = tuple(each["address"] for each in missing)
    oldest = max(each["reported"] for each in missing)
    kept = bridge["membership_interval"]
    text = f"{bridge['name']} does not have {_names(names)} on {facts['ifname']}"
    if kept is not None and oldest > kept:
        text += f": reported {oldest:.0f} s ago, kept for {kept:.0f} s, and nobody has asked since"
        return Finding(PROBLEM, "forgotten", text, _A_QUERIER, names, 0.0)
    text += f", though reported {oldest:.0f} s ago"
    advice = "was the device made a port, or the database flushed, after the report? sixtap restart reports anew"
    return Finding(PROBLEM, "not-in-database", text, advice, names, 0.0)


def _names(groups: tuple[str, ...]) -> str:
    shown = ", ".join(groups[:_NAMED])
    more = len(groups) - _NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
