"""What the doctor makes of facts: each way in which a switch forgets a port, and what is said about it."""

from typing import Any

import pytest

from stack.doctor import FINE, PROBLEM, WARNING, Finding, examine

GROUP, OTHER = "ff05::1:3", "ff02::1:ff00:1"


def bridge(**changes: Any) -> dict[str, Any]:
    """A bridge that snoops, asks, and has both groups."""
    whole = {
        "name": "br0",
        "up": True,
        "snooping": True,
        "querier": True,
        "router": 1,
        "mld_version": 2,
        "hash_max": 4096,
        "membership_interval": 260.0,
        "querier_interval": 255.0,
        "query_interval": 125.0,
        "netfilter": False,
        "ipv6": True,
        "seen": None,
        "port_state": 3,
        "port_router": 1,
        "port_flood": True,
        "total": 5,
        "groups": {GROUP: 200.0, OTHER: 210.0},
    }
    return whole | changes


def group(address: str, reported: float | None, state: str = "idle") -> dict[str, Any]:
    return {"address": address, "reported": reported, "sources": 0, "state": state}


def query(age: float = 50.0, **changes: Any) -> dict[str, Any]:
    whole = {"age": age, "source": "fe80::1", "version": 2, "delay": 10.0, "robustness": 2, "interval": 125}
    return whole | changes


def facts(**changes: Any) -> dict[str, Any]:
    """A host on whose link all is well; `last` and `discarded` are of its queries."""
    last, discarded = changes.pop("last", query()), changes.pop("discarded", [])
    whole = {
        "ifname": "t0",
        "up": True,
        "disabled": False,
        "addresses": 1,
        "version": 2,
        "older_querier": None,
        "since": 1000.0,
        "queries": {"heard": 3, "last": last, "discarded": discarded},
        "groups": [group(GROUP, 45.0), group(OTHER, 44.0)],
        "bridge": bridge(),
    }
    return whole | changes


def by_code(found: list[Finding]) -> dict[str, Finding]:
    assert len({each.code for each in found}) == len(found)
    return {each.code: each for each in found}


def one(code: str, **changes: Any) -> Finding:
    """The finding of that code."""
    found = by_code(examine(facts(**changes)))
    assert code in found, found
    return found[code]


def problems(**changes: Any) -> list[str]:
    return [each.code for each in examine(facts(**changes)) if each.severity == PROBLEM]


def test_all_is_well() -> None:
    found = examine(facts())
    assert {each.severity for each in found} == {FINE}
    assert {each.code for each in found} == {"querier", "reports", "database"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"up": False, "since": None}, "down"), ({"disabled": True}, "disabled"), ({"addresses": 0}, "no-address")],
)
def test_a_host_that_says_nothing(changes: dict[str, Any], code: str) -> None:
    (found,) = examine(facts(**changes))
    assert (found.severity, found.code) == (PROBLEM, code)
    assert found.advice


class TestQuerier:
    def test_not_yet(self) -> None:
        found = one("no-query-yet", last=None, since=30.0)
        assert found.severity == WARNING
        assert "30 s" in found.text

    def test_none(self) -> None:
        # By the bridge's own word GROUP goes first.
        found = one("no-querier", last=None, bridge=bridge(groups={GROUP: 12.0, OTHER: 100.0}))
        assert (found.severity, found.groups, found.seconds) == (PROBLEM, (GROUP,), 12.0)
        assert "in 12 s" in found.text and found.advice

    def test_none_and_no_bridge_to_ask(self) -> None:
        # RFC 3810 9.4: 2 * 125 s + 10 s after the last report
        found = one("no-querier", last=None, bridge=None, groups=[group(GROUP, 100.0), group(OTHER, 90.0)])
        assert (found.groups, found.seconds) == ((GROUP,), 160.0)

    def test_forgotten_by_now(self) -> None:
        found = one("no-querier", last=None, bridge=None, groups=[group(GROUP, 300.0), group(OTHER, 20.0)])
        assert (found.groups, found.seconds) == ((GROUP,), 0.0)
        assert "has forgotten" in found.text

    def test_nothing_to_forget(self) -> None:
        found = one("no-querier", last=None, bridge=None, groups=[])
        assert (found.groups, found.seconds) == ((), None)

    def test_gone(self) -> None:
        # RFC 3810 9.5: 2 * 20 s + 4 s / 2
        asked = {"interval": 20, "delay": 4.0}
        reported = [group(GROUP, 40.0)]
        assert one("query-late", last=query(41.9, **asked), bridge=None, groups=reported).severity == WARNING
        found = one("querier-gone", last=query(42.1, **asked), bridge=None, groups=reported)
        assert found.severity == PROBLEM
        assert "fe80::1" in found.text and "42 s ago" in found.text
        # 9.4 with its values: 2 * 20 s + 4 s after the report
        assert found.seconds == 4.0

    def test_zeros_stand_for_the_defaults(self) -> None:
        assert "querier" in by_code(examine(facts(last=query(100.0, interval=0, robustness=0), groups=[])))

    def test_version_1_is_spoken(self) -> None:
        found = one("version-1", version=1, older_querier=77.0)
        assert found.severity == FINE and "77 s" in found.text


class TestDiscarded:
    ONE = {"reason": "MldHopLimit", "text": "query with a hop limit other than 1", "clause": "RFC 3810 6.2"}

    def discarded(self, age: float, **changes: Any) -> list[dict[str, Any]]:
        return [self.ONE | {"count": 3, "age": age, "source": "fe80::9"} | changes]

    def test_the_last_one_was(self) -> None:
        found = one("queries-discarded", discarded=self.discarded(10.0))
        assert found.severity == PROBLEM
        assert all(part in found.text for part in ("3 queries", "fe80::9", "10 s ago", "hop limit", "RFC 3810 6.2"))

    def test_others_were_believed_since(self) -> None:
        assert one("queries-discarded", discarded=self.discarded(60.0)).severity == WARNING

    def test_none_was_ever_believed(self) -> None:
        found = problems(last=None, discarded=self.discarded(60.0))
        assert found == ["no-querier", "queries-discarded"]

    def test_our_own(self) -> None:
        assert one("queries-discarded", discarded=self.discarded(1.0, reason="MldOwnMessage")).severity == FINE


class TestReports:
    def test_never_reported(self) -> None:
        found = one("unreported", groups=[group(GROUP, None), group(OTHER, 4.0)])
        assert (found.severity, found.groups) == (PROBLEM, (GROUP,))
        assert one("unreported", since=1.0, groups=[group(GROUP, None)]).severity == WARNING
        assert "unreported" not in by_code(examine(facts(groups=[group(GROUP, None, "pending")])))

    def test_not_since_the_last_query(self) -> None:
        found = one("unanswered", groups=[group(GROUP, 180.0), group(OTHER, 45.0)])
        assert (found.severity, found.groups) == (PROBLEM, (GROUP,))

    def test_there_is_time_left_to_answer(self) -> None:
        assert problems(last=query(9.0), groups=[group(GROUP, 140.0)]) == []

    def test_somebody_else_may_have_answered_in_version_1(self) -> None:
        assert problems(version=1, groups=[group(GROUP, 180.0)]) == []


class TestBridge:
    def test_none_here(self) -> None:
        assert one("no-bridge", bridge=None).severity == FINE

    def test_it_cannot_be_asked(self) -> None:
        found = one("bridge-unread", bridge={"error": "Operation not permitted"})
        assert found.severity == WARNING and "not permitted" in found.text

    def test_it_does_not_snoop(self) -> None:
        assert one("no-snooping", bridge=bridge(snooping=False, groups={})).severity == FINE

    def test_it_hears_nobody_and_does_not_ask(self) -> None:
        found = one("bridge-no-querier", bridge=bridge(querier=False, groups={GROUP: 77.0, OTHER: 99.0}))
        assert (found.severity, found.groups, found.seconds) == (PROBLEM, (GROUP,), 77.0)
        assert "mcast_querier 1" in found.advice
        assert one("bridge-no-querier", bridge=bridge(querier=False, groups={}), groups=[]).seconds is None

    def test_it_hears_one(self) -> None:
        seen = {"address": "fe80::1", "expires": 200.0}
        assert problems(bridge=bridge(querier=False, seen=seen)) == []

    def test_it_cannot_ask(self) -> None:
        assert problems(bridge=bridge(ipv6=False)) == ["bridge-querier-mute"]

    def test_a_group_is_not_in_its_database(self) -> None:
        found = one("not-in-database", bridge=bridge(groups={OTHER: 5.0}))
        assert (found.severity, found.groups) == (PROBLEM, (GROUP,))

    def test_a_report_may_be_on_its_way(self) -> None:
        assert problems(bridge=bridge(groups={}), groups=[group(GROUP, 1.0)], last=query(5.0)) == []

    def test_forgotten(self) -> None:
        found = one("forgotten", bridge=bridge(groups={}), last=None, groups=[group(GROUP, 300.0)])
        assert (found.groups, found.seconds) == ((GROUP,), 0.0)
        assert "300 s ago" in found.text and "260 s" in found.text

    def test_many_are_not_all_named(self) -> None:
        many = [group(f"ff05::{number:x}", 40.0) for number in range(1, 11)]
        found = one("not-in-database", bridge=bridge(groups={}), groups=many)
        assert "and 7 more" in found.text
        assert len(found.groups) == 10

    @pytest.mark.parametrize(("total", "severity"), [(3687, WARNING), (4096, PROBLEM), (9999, PROBLEM)])
    def test_its_table_is_full(self, total: int, severity: str) -> None:
        found = one("hash-max", bridge=bridge(total=total))
        assert found.severity == severity
        assert "mcast_hash_max 8192" in found.advice

    def test_there_is_room(self) -> None:
        assert "hash-max" not in by_code(examine(facts(bridge=bridge(total=3600))))

    def test_it_snoops_no_longer(self) -> None:
        assert one("hash-max", bridge=bridge(snooping=False, total=4096)).severity == WARNING

    def test_the_port_counts_as_a_routers(self) -> None:
        assert one("router-port", bridge=bridge(port_router=2)).severity == FINE

    def test_netfilter(self) -> None:
        found = one("netfilter", bridge=bridge(netfilter=True))
        assert found.severity == WARNING and "bridge-nf-call-ip6tables=0" in found.advice

    @pytest.mark.parametrize("changes", [{"up": False}, {"port_state": 0}, {"port_state": 4}])
    def test_the_port_does_not_forward(self, changes: dict[str, Any]) -> None:
        assert problems(bridge=bridge(**changes)) == ["port-blocked"]


def test_problems_come_first() -> None:
    found = examine(facts(last=None, bridge=bridge(netfilter=True, querier=False)))
    order = [each.severity for each in found]
    assert order == sorted(order, key=(PROBLEM, WARNING, FINE).index)
