"""SEED section 6: what the two sysctls of mld6.c list, repaired; sending never disturbs a list that is walked."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from stack.control.arguments import Arguments
from stack.control.commands import HANDLERS
from stack.errors import RefusedError, UsageError
from stack.interface import Interface
from stack.runtime import Runtime
from tests.mld.common import (
    DONE,
    GROUP,
    OTHER_GROUP,
    OUR_LINK_LOCAL,
    Play,
    TwoLinks,
    ip,
    joined,
    kinds,
    membership,
    query,
)

MULTICAST = "net.inet6.multicast"
KLUDGE = "net.inet6.multicast_kludge"

personalities = pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"force_mld_version": 0}, id="standard"),
        pytest.param({"mld_personality": "netbsd"}, id="netbsd"),
    ],
)


def get(interface: Interface, name: str) -> Any:
    """`sixtap get NAME`, which asks for nothing of a runtime but its interface."""
    runtime = cast(Runtime, SimpleNamespace(interface=interface))
    return HANDLERS["get"](runtime, Arguments({"name": name}), 0.0)


def named(play: Play, name: str) -> Any:
    return get(play.interface, name)


@personalities
def test_S76_saved_groups_of_this_interface(settings: dict[str, Any]) -> None:
    """The file lists every interface except the one that is asked for."""
    play = joined(GROUP, OTHER_GROUP, **settings)
    assert named(play, KLUDGE) == []
    play.remove_address(OUR_LINK_LOCAL)
    assert named(play, KLUDGE) == [{"group": GROUP, "refcount": 1}, {"group": OTHER_GROUP, "refcount": 1}]
    assert named(play, MULTICAST) == []


def test_S76_not_those_of_another_interface() -> None:
    """Two links, one of them without an address: each has its own."""
    two = TwoLinks()
    for link in two.links:
        link.listener.join(ip(GROUP), two.now)
    bare, whole = two.links
    for address in list(bare.addresses.table):
        bare.addresses.remove(address, two.now)
    assert [each["group"] for each in get(bare, KLUDGE)] == [GROUP]
    assert get(whole, KLUDGE) == []


@personalities
def test_S77_the_list_is_complete(settings: dict[str, Any]) -> None:
    """The file stops when the caller's buffer is full and reports success: 20 octets for each group."""
    groups = [f"ff05::1:{number:x}" for number in range(3000)]
    play = joined(*groups, **settings)
    assert [each["group"] for each in named(play, MULTICAST)][2:] == groups
    play.remove_address(OUR_LINK_LOCAL)
    assert [each["group"] for each in named(play, KLUDGE)] == groups


@personalities
def test_S78_group_address_and_count(settings: dict[str, Any]) -> None:
    """(interface address, group, count) of each record."""
    play = joined(**settings)
    play.join(GROUP)
    assert {"ifaddr": OUR_LINK_LOCAL, "group": GROUP, "refcount": 2} in named(play, MULTICAST)
    assert len(named(play, MULTICAST)) == 3


@pytest.mark.parametrize("name", [MULTICAST, KLUDGE])
def test_S78_unknown_interface_is_an_error_of_its_own(name: str) -> None:
    """ENODEV for an index that is not there, EINVAL for what is none; its own index is answered."""
    play = joined()
    assert named(play, f"{name}.3") == named(play, name)
    with pytest.raises(RefusedError, match="no interface 4"):
        named(play, f"{name}.4")
    with pytest.raises(UsageError, match="index"):
        named(play, f"{name}.x")


def test_S80_standard_answers_to_the_names() -> None:
    """`sixtap get net.inet6.multicast`; and nothing under names that the file has not."""
    play = joined()
    assert isinstance(named(play, MULTICAST), list)
    assert isinstance(named(play, KLUDGE), list)
    for name in ("net.inet6", "net.inet6.multicastx", ""):
        with pytest.raises(UsageError):
            named(play, name)


def test_S80_netbsd_answers_to_the_names_with_the_same() -> None:
    """The lists are the host's, whichever personality speaks."""
    standard, netbsd = joined(), joined(mld_personality="netbsd")
    for name in (MULTICAST, KLUDGE):
        assert named(standard, name) == named(netbsd, name)
    assert named(netbsd, MULTICAST) != []


@pytest.mark.parametrize("version", [1, 2])
def test_S81_what_is_set_off_may_change_the_list(version: int) -> None:
    """The file releases its references before it sends: whoever is told of one group may leave all the others."""
    groups = [f"ff05::1:{number:x}" for number in range(20)]
    play = joined(*groups, force_mld_version=version)
    tokens = [membership(play, group) for group in groups]

    def leave_everything(note: object) -> None:
        while tokens:
            play.interface.listener.leave(tokens.pop(), play.now)

    play.host.journal.listen(leave_everything)
    query(play, delay=0, extra=bytes(4 * (version == 2)))
    play.interface.restart(play.now)
    play.run(play.now + 60)
    assert tokens == []
    assert [group for group in groups if ip(group) in play.interface.listener.groups] == []
    assert version == 2 or kinds(play.sent(), groups[-1]).count(DONE) == 1


@pytest.mark.parametrize("version", [1, 2])
def test_S81_owed_reports_and_a_list_that_changes(version: int) -> None:
    """The same while what is owed leaves: who was left meanwhile is not reported, and comes into no list."""
    play = joined(addr_gen_mode=1, force_mld_version=version)
    groups = [f"ff05::1:{number:x}" for number in range(5)]
    tokens = [play.join(group) for group in groups]
    owed = groups[0]

    def leave_the_last(note: object) -> None:
        # Told of the first, so that the others are on the list that is walked.
        if tokens and owed in getattr(note, "what", ""):
            play.interface.listener.leave(tokens.pop(), play.now)

    play.host.journal.listen(leave_the_last)
    play.add_address("fe80::1", nodad=True)
    play.run(play.now + 30)
    assert ip(groups[-1]) not in play.interface.listener.groups
    assert ip(groups[-1]) not in play.interface.listener.answerable
    octets = b"".join(each.frame for each in play.sent())
    assert ip(owed) in octets
    assert ip(groups[-1]) not in octets, "what was never announced is not withdrawn either (S28)"
