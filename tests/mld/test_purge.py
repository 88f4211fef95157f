"""SEED row S75: the interface is detached while groups are held, saved or not, in every state and both versions."""

import pytest

from stack.errors import RefusedError
from stack.events import GroupChanged
from stack.mld.groups import Membership
from stack.udp.memberships import Memberships
from tests.mld.common import GROUP, OTHER_GROUP, OUR_LINK_LOCAL, Play, ip, no_timer, query, ready
from tests.mld.version2 import A, B, ask, exclude, include, listen

SPOKEN = [
    pytest.param({"force_mld_version": 1}, id="version-1"),
    pytest.param({"force_mld_version": 0}, id="version-2"),
    pytest.param({"mld_personality": "netbsd"}, id="netbsd"),
]
spoken = pytest.mark.parametrize("settings", SPOKEN)


def holding(settings: dict[str, int | str]) -> tuple[Play, list[Membership]]:
    """A host in groups by several references, with something of everything pending."""
    play = ready(**settings)
    tokens = [play.join(GROUP), play.join(GROUP, owner="socket 1"), play.join("ff01::7")]
    tokens.append(play.join(OTHER_GROUP, delay=50.0))
    listened = listen(play, include(A), "ff05::7", owner="socket 1")
    assert listened is not None
    tokens.append(listened)
    ask(play, code=30_000)
    ask(play, GROUP, A, code=20_000)
    play.sent()
    return play, tokens


def detach(play: Play) -> None:
    play.host.detach(play.interface, play.now)
    play.settle()


@spoken
@pytest.mark.parametrize("saved", [False, True], ids=["listed", "saved"])
def test_S75_everything_is_gone(settings: dict[str, int | str], saved: bool) -> None:
    """S75: with two references the file leaves the record linked to freed memory; here nothing is left of it."""
    play, tokens = holding(settings)
    if saved:
        play.remove_address(OUR_LINK_LOCAL)
        assert ip(GROUP) in {each.group for each in play.interface.listener.groups.saved()}
        play.sent()
    listener = play.interface.listener
    detach(play)
    assert len(listener.groups) == listener.groups.membership_count == 0
    assert listener.answerable == {}
    assert dict(play.interface.macs.counts) == {}
    assert not any(token.active for token in tokens)
    play.run(play.now + 100)
    assert play.sent() == [], "nothing is said"
    assert no_timer(play)


@spoken
def test_S75_a_token_of_before_does_no_harm(settings: dict[str, int | str]) -> None:
    """S63, S66: leaving it is a no-op, in whatever order and however often."""
    play, tokens = holding(settings)
    detach(play)
    play.events.clear()
    for token in (*reversed(tokens), *tokens):
        play.leave(token)
    assert (play.sent(), play.events) == ([], [])


@spoken
def test_S75_calls_get_a_clear_error(settings: dict[str, int | str]) -> None:
    """Joining and listening anew are refused with the reason; ending is not."""
    play, _ = holding(settings)
    listener = play.interface.listener
    detach(play)
    for group in (GROUP, "ff05::1234"):
        with pytest.raises(RefusedError, match="detached"):
            listener.join(ip(group), play.now)
        with pytest.raises(RefusedError, match="detached"):
            listener.listen("socket 1", ip(group), exclude(), play.now)
        assert listener.listen("socket 1", ip(group), include(), play.now) is None
    assert len(listener.groups) == 0
    assert dict(play.interface.macs.counts) == {}


def test_S75_sockets_memberships_are_closed_without_an_error() -> None:
    """A socket that outlives the interface can still be closed."""
    play = ready(force_mld_version=0)
    held = Memberships("udp socket 7")
    held.listen(play.interface, ip(GROUP), include(A, B), play.now)
    held.listen(play.interface, ip(OTHER_GROUP), exclude(), play.now)
    detach(play)
    with pytest.raises(RefusedError, match="detached"):
        held.listen(play.interface, ip("ff05::55"), exclude(), play.now)
    held.close(play.now)
    assert held.filters == {}
    assert no_timer(play)


@spoken
def test_S75_each_group_is_told_of_once(settings: dict[str, int | str]) -> None:
    """One event for each group, and one change of the driver's filter for each MAC."""
    play, _ = holding(settings)
    play.events.clear()
    play.plans.clear()
    macs = len(play.interface.macs.counts)
    groups = set(play.interface.listener.groups.records)
    detach(play)
    gone = [event.group for event in play.events if isinstance(event, GroupChanged) and not event.joined]
    assert sorted(gone) == sorted(groups)
    assert len(play.plans) == macs


def test_S75_driver_that_is_gone_already() -> None:
    """The device was deleted: its refusals are counted (S64), and nothing stays."""
    play, _ = holding({"force_mld_version": 0})
    macs = len(play.interface.macs.counts)
    play.refuse_filter = True
    detach(play)
    assert play.host.counters.filter_errors == macs
    assert len(play.interface.listener.groups) == 0


def test_S75_while_a_version_1_querier_is_there() -> None:
    """Its timer goes as well."""
    play = ready(force_mld_version=0)
    play.join(GROUP)
    query(play, delay=60_000)
    detach(play)
    assert no_timer(play)


def test_S75_another_interface_is_not_touched() -> None:
    """Two links: only what belongs to the one goes."""
    play = ready(force_mld_version=0)
    other = play.host.attach("t1", bytes.fromhex("02006e000002"), index=9)
    other.start(play.now)
    play.run(play.now + 5)
    token = other.listener.join(ip(GROUP), play.now)
    play.join(GROUP)
    detach(play)
    assert token.active
    assert ip(GROUP) in other.listener.groups
    other.listener.leave(token, play.now)
    assert not token.active
