"""What the journal says of the listener in version 2: each decision, with the rule of RFC 3810 that made it."""

import pytest

from stack.journal import Record
from stack.mld.filters import FilterMode, SourceFilter
from tests.mld.common import GROUP, OTHER_GROUP, QUERY, query, ready
from tests.playbook import Play, ip, mld_message

ONE, OTHER = "2001:db8::1", "2001:db8::2"


class Notes:
    """The listener's notes of a host that is ready, as what and clause."""

    def __init__(self, **settings: int | str) -> None:
        self.play = ready(**{"force_mld_version": 0, **settings})
        self._records: list[Record] = []
        self.play.host.journal.listen(self._records.append)

    def taken(self) -> list[tuple[str, str]]:
        """Those since the last call."""
        found = [(each.what, each.clause) for each in self._records if each.layer == "mld"]
        self._records.clear()
        return found

    def listen(self, mode: FilterMode, *sources: str) -> None:
        wanted = SourceFilter(mode, frozenset(map(ip, sources)))
        self.play.interface.listener.listen("s", ip(GROUP), wanted, self.play.now)
        self.play.settle()

    def ask(self, group: str = "::", *sources: str, delay: int = 1000) -> None:
        tail = b"\x02\x7d" + len(sources).to_bytes(2, "big") + b"".join(map(ip, sources))
        self.play.receive(mld_message(QUERY, group, delay=delay, extra=tail))


def test_a_state_change_names_its_record_and_what_is_to_follow() -> None:
    notes = Notes()
    notes.listen(FilterMode.INCLUDE, ONE)
    notes.play.run(notes.play.now + 2)
    notes.listen(FilterMode.EXCLUDE)
    notes.listen(FilterMode.INCLUDE)
    notes.play.run(notes.play.now + 2)
    changes = [(what, clause) for what, clause in notes.taken() if "state change" in what]
    assert changes == [
        (f"group {GROUP}: state change ALLOW ({{{ONE}}}), 1 to follow", "RFC 3810 6.1"),
        (f"group {GROUP}: state change ALLOW ({{{ONE}}}), 0 to follow", "RFC 3810 6.1"),
        (f"group {GROUP}: state change TO_EX ({{}}), 1 to follow", "RFC 3810 6.1"),
        (f"group {GROUP}: state change TO_IN ({{}}), 1 to follow", "RFC 3810 6.1"),
        (f"group {GROUP}: state change TO_IN ({{}}), 0 to follow", "RFC 3810 6.1"),
    ]


def clauses(notes: Notes) -> list[str]:
    return [clause for _, clause in notes.taken()]


def test_a_query_names_the_rule_of_6_2() -> None:
    notes = Notes()
    notes.listen(FilterMode.INCLUDE, ONE)
    notes.play.run(notes.play.now + 5)
    notes.taken()
    notes.ask(GROUP, ONE, delay=8000)
    notes.ask(GROUP, OTHER, delay=8000)
    notes.ask(GROUP, delay=8000)
    notes.ask(GROUP, ONE, delay=8000)
    notes.ask()
    notes.ask(delay=0x7FFF)
    assert clauses(notes) == [f"RFC 3810 6.2 rule {rule}" for rule in (3, 5, 4, 4, 2, 1)]


def test_an_answer_names_the_rule_of_6_3() -> None:
    notes = Notes()
    notes.listen(FilterMode.INCLUDE, ONE)
    notes.play.run(notes.play.now + 5)
    notes.taken()
    for group, sources in ((GROUP, (ONE, OTHER)), (GROUP, (OTHER,)), (GROUP, ()), ("::", ())):
        notes.ask(group, *sources)
        notes.play.run(notes.play.now + 5)
    answers = [(what, clause) for what, clause in notes.taken() if "6.3" in clause]
    assert answers == [
        (f"group {GROUP}: current state IS_IN ({{{ONE}}})", "RFC 3810 6.3 rule 3"),
        (f"group {GROUP}: nothing to answer", "RFC 3810 6.3 rule 3"),
        (f"group {GROUP}: current state IS_IN ({{{ONE}}})", "RFC 3810 6.3 rule 2"),
        ("all groups: current state of 2 groups", "RFC 3810 6.3 rule 1"),
    ]


def test_a_spread_answer_says_what_is_to_follow() -> None:
    notes = Notes(mld_spread_answers=1)
    for number in range(90):
        notes.play.join(f"ff05::1:{number:x}")
    notes.play.run(notes.play.now + 5)
    notes.taken()
    notes.ask()
    notes.play.run(notes.play.now + 5)
    told = [what for what, clause in notes.taken() if "6.3" in clause]
    assert told == [
        "all groups: current state of 46 groups, 45 to follow",
        "all groups: current state of 45 groups, 0 to follow",
    ]


def test_versions_come_and_go() -> None:
    notes = Notes(mld_query_interval=10)
    query(notes.play)
    assert ("version 1 from now on", "RFC 3810 8.2.1") in notes.taken()
    notes.play.run(notes.play.now + 31)
    assert ("version 2 from now on", "RFC 3810 8.2.1") in notes.taken()


@pytest.mark.parametrize("version", [0, 1])
def test_where_a_group_hangs(version: int) -> None:
    """SEED rows S69, S70, S72."""
    notes = Notes(force_mld_version=version)
    play: Play = notes.play
    play.join(GROUP)
    play.add_address("fe80::5")
    play.run(play.now + 20)
    first = next(iter(play.interface.addresses.table))
    notes.taken()
    play.interface.addresses.remove(first, play.now)
    assert (f"group {GROUP}: hangs on fe80::5", "mld6.c 854") in notes.taken()
    play.remove_address("fe80::5")
    assert (f"group {GROUP}: saved, there is no address", "mld6.c 854") in notes.taken()
    play.join(OTHER_GROUP)
    what = "start listening while nothing may be said: no address, or interface down"
    assert (f"group {OTHER_GROUP}: {what}", "RFC 3590 4") in notes.taken()
    play.add_address("fe80::5")
    play.run(play.now + 3)
    told = notes.taken()
    assert (f"group {GROUP}: hangs on fe80::5", "mld6.c 892") in told
    assert (f"group {GROUP}: link-local address valid", "RFC 3590 4" if version else "RFC 3810 5.2.13") in told
