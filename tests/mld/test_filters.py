"""Source filters (RFC 3810 3, 4.1, 4.2): the RFC's examples, a socket's state, the merge by brute force."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.errors import RefusedError, UsageError
from stack.mld.filters import EVERYTHING, NOTHING, FilterMode, SourceFilter, merge
from stack.mld.groups import GroupList, GroupRecord
from tests.mld.common import GROUP, Play, ip, ready, record
from tests.mld.version2 import A, B, C, D, E, F, exclude, include, listen, ready2, sources_of, stop_listening

# The three sockets, the fourth, and the two-socket introduction of 4.2, letter by letter.
EXAMPLES = [
    pytest.param([include(A, B, C), include(B, C, D)], include(A, B, C, D), id="4.2-two-includes"),
    pytest.param(
        [exclude(A, B, C, D), exclude(B, C, D, E), include(D, E, F)],
        exclude(B, C),
        id="4.2-intersection-less-included",
    ),
    pytest.param(
        [exclude(A, B, C, D), exclude(B, C, D, E), include(D, E, F), exclude()], exclude(), id="4.2-fourth-socket"
    ),
    pytest.param(
        [include(A, B, C), include(B, C, D), include(E, F)], include(A, B, C, D, E, F), id="4.2-union-of-includes"
    ),
    pytest.param([], include(), id="4.1-no-socket"),
    pytest.param([exclude(A)], exclude(A), id="4.2-one-socket"),
    pytest.param([exclude(A), include(A)], exclude(), id="4.2-excluded-by-one-included-by-another"),
    pytest.param([exclude(A, B), exclude(C)], exclude(), id="4.2-nothing-in-common"),
]


@pytest.mark.parametrize(("sockets", "expected"), EXAMPLES)
def test_4_2_examples(sockets: list[SourceFilter], expected: SourceFilter) -> None:
    """4.2: the general rules for deriving the per-interface state, in either order of the sockets."""
    assert merge(sockets) == expected
    assert merge(reversed(sockets)) == expected


@pytest.mark.parametrize(("sockets", "expected"), EXAMPLES)
def test_4_2_examples_on_an_interface(sockets: list[SourceFilter], expected: SourceFilter) -> None:
    """4.2: the same, socket after socket on a live interface, and back to nothing."""
    play = ready2()
    for number, wanted in enumerate(sockets):
        listen(play, wanted, owner=f"s{number}")
    assert play.interface.listener.current(ip(GROUP)) == expected
    for number in range(len(sockets)):
        stop_listening(play, owner=f"s{number}")
    assert ip(GROUP) not in play.interface.listener.groups


UNIVERSE = [ip(each) for each in (A, B, C, D)]
filters = st.builds(SourceFilter, st.sampled_from(FilterMode), st.frozensets(st.sampled_from(UNIVERSE)))


@given(st.lists(filters, max_size=5))
def test_4_2_merge_is_what_each_source_by_itself_says(sockets: list[SourceFilter]) -> None:
    """4.2: data of a source has to reach the interface if, and only if, some socket is to have it."""
    merged = merge(sockets)
    for source in (*UNIVERSE, ip(F)):
        assert merged.passes(source) == any(each.passes(source) for each in sockets)
    # "MUST NOT use an EXCLUDE interface record if all sockets are in INCLUDE state"; EXCLUDE if any is.
    assert (merged.mode is FilterMode.EXCLUDE) == any(each.mode is FilterMode.EXCLUDE for each in sockets)


@given(st.lists(filters, min_size=1, max_size=5), filters, st.data())
def test_4_2_one_less_and_one_more(sockets: list[SourceFilter], extra: SourceFilter, data: st.DataObject) -> None:
    """What a change would make of the filter is what the remaining and the new one make together."""
    groups = GroupList()
    each = groups.create(ip(GROUP), None)
    held = [groups.refer(each, "s", wanted) for wanted in sockets]
    gone = data.draw(st.integers(0, len(held) - 1))
    rest = sockets[:gone] + sockets[gone + 1 :]
    assert each.merged() == merge(sockets)
    assert each.merged(held[gone]) == merge(rest)
    assert each.merged(held[gone], (extra,)) == merge([*rest, extra])


@pytest.mark.parametrize(
    ("wanted", "source", "passes"),
    [
        (include(A), A, True),
        (include(A), B, False),
        (exclude(A), A, False),
        (exclude(A), B, True),
        (NOTHING, A, False),
        (EVERYTHING, A, True),
    ],
)
def test_4_2_source_gate(wanted: SourceFilter, source: str, passes: bool) -> None:
    """3: only from the sources of the list, or from all except these."""
    assert wanted.passes(ip(source)) == passes


@pytest.mark.parametrize(("wanted", "listens"), [(NOTHING, False), (EVERYTHING, True), (include(A), True)])
def test_4_1_include_of_nothing_is_no_entry(wanted: SourceFilter, listens: bool) -> None:
    """4.1: requested INCLUDE and an empty list means no entry."""
    assert wanted.listens == listens


def sockets_of(play: Play) -> dict[str, SourceFilter]:
    found: GroupRecord | None = play.interface.listener.groups.records.get(ip(GROUP))
    return {} if found is None else {each.owner: each.filter for each in found.memberships.values()}


def test_4_1_entry_is_created_changed_and_deleted() -> None:
    """4.1, 3: "each subsequent request completely replaces any earlier request" of the same socket."""
    play = ready2()
    first = listen(play, include(A))
    assert sockets_of(play) == {"s1": include(A)}
    assert listen(play, exclude(B, C)) is first
    assert sockets_of(play) == {"s1": exclude(B, C)}
    listen(play, include(D), owner="s2")
    assert sockets_of(play) == {"s1": exclude(B, C), "s2": include(D)}
    stop_listening(play)
    assert sockets_of(play) == {"s2": include(D)}
    assert first is not None
    assert not first.active


def test_4_1_deleting_what_is_not_there_has_no_effect() -> None:
    """4.1: "If no such entry is present, the request has no effect." """
    play = ready2()
    stop_listening(play)
    assert (sockets_of(play), play.sent(), play.plans) == ({}, [], [])


@pytest.mark.parametrize("version", [1, 2])
def test_3_start_and_stop_listening_are_exclude_and_include_of_nothing(version: int) -> None:
    """3: the operations of version 1 in terms of the new one; the incremental call does the same."""
    play = ready(force_mld_version=version)
    play.join(GROUP)
    assert record(play).filter == exclude()
    listen(play, exclude(), owner="s1")
    assert sockets_of(play) == {"user": exclude(), "s1": exclude()}


REFUSED = [
    pytest.param({"mld_max_msf": 2}, include(A, B, C), RefusedError, "mld_max_msf", id="3-list-too-long"),
    pytest.param(
        {"mld_max_interface_sources": 2}, include(A, B, C), RefusedError, "mld_max_interface_sources", id="4.2-limit"
    ),
    pytest.param({}, include("ff0e::1"), UsageError, "cannot be a source", id="3-source-is-a-group"),
    pytest.param({}, exclude("::"), UsageError, "cannot be a source", id="3-source-is-unspecified"),
]


@pytest.mark.parametrize(("settings", "wanted", "error", "words"), REFUSED)
@pytest.mark.parametrize("present", [False, True], ids=["new", "changed"])
def test_3_an_error_changes_nothing(
    settings: dict[str, int], wanted: SourceFilter, error: type[Exception], words: str, present: bool
) -> None:
    """3, 4.2: what cannot be is refused by name, before the list, the driver or the link has heard of it."""
    play = ready2(**settings)
    if present:
        listen(play, include(A))
        play.run(play.now + 5)
        play.sent()
    play.plans.clear()
    before = sockets_of(play)
    with pytest.raises(error, match=words):
        listen(play, wanted)
    assert (sockets_of(play), play.sent(), play.plans) == (before, [], [])
    assert play.interface.listener.current(ip(GROUP)) == (include(A) if present else NOTHING)
    if words.startswith("mld_"):
        assert play.host.counters.limits[words] == 1
    play.run(play.now + 5)
    assert play.sent() == []


def test_4_2_sum_of_sockets_over_the_limit() -> None:
    """4.2: "an error MUST be returned to the application which requested the operation"; the others keep theirs."""
    play = ready2(mld_max_interface_sources=10)
    listen(play, include(*sources_of(6)), owner="s1")
    with pytest.raises(RefusedError, match="mld_max_interface_sources"):
        listen(play, include(*sources_of(6, start=6)), owner="s2")
    assert sockets_of(play) == {"s1": include(*sources_of(6))}
    listen(play, include(*sources_of(4, start=6)), owner="s2")
    assert len(record(play).filter.sources) == 10


def test_limits_of_nothing_still_allow_whole_groups() -> None:
    """Both limits may be 0: then there is no filtering, but listening."""
    play = ready2(mld_max_msf=0, mld_max_interface_sources=0)
    play.join(GROUP)
    with pytest.raises(RefusedError, match="mld_max_msf"):
        listen(play, include(A))
    assert record(play).filter == exclude()


def test_4_2_no_change_of_the_interface_no_change_of_the_driver() -> None:
    """Filters are the IP layer's: the driver hears of the group once, whatever becomes of its sources."""
    play = ready2()
    play.plans.clear()
    for wanted in (include(A), exclude(B), exclude(), include(C, D)):
        listen(play, wanted)
        listen(play, wanted, owner="s2")
    assert len(play.plans) == 1
    stop_listening(play)
    stop_listening(play, owner="s2")
    assert len(play.plans) == 2
