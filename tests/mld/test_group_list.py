"""The list's own books: references one by one, however few or many a group has (SEED section 4)."""

import pytest

from stack.mld.groups import GroupList, Membership
from tests.playbook import ip

GROUP = ip("ff05::99")


@pytest.mark.parametrize("number", [1, 2, 3, 5])
@pytest.mark.parametrize("newest_first", [False, True])
def test_references_come_and_go_in_any_order(number: int, newest_first: bool) -> None:
    groups = GroupList()
    record = groups.create(GROUP, None)
    held: list[Membership] = []
    for _ in range(number):
        held.append(groups.refer(record, "user"))
        assert list(record.memberships.values()) == held, "in order of joining"
        assert list(record.memberships) == [each.id for each in held]
        assert record.refcount == groups.membership_count == len(held)
    while held:
        gone = held.pop(-1 if newest_first else 0)
        assert groups.release(gone) is record
        assert groups.release(gone) is None, "once is enough (S66)"
        assert not gone.active
        assert list(record.memberships.values()) == held
        assert record.refcount == groups.membership_count == len(held)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_purge_ends_every_membership(number: int) -> None:
    groups = GroupList()
    record = groups.create(GROUP, None)
    held = [groups.refer(record, "user") for _ in range(number)]
    assert groups.purge() == [record]
    assert not any(each.active for each in held)
    assert (record.memberships, record.refcount, len(groups), groups.membership_count) == ({}, 0, 0, 0)


def test_a_number_of_another_list_is_no_reference() -> None:
    """Numbers are given by each interface: the same one elsewhere is another membership."""
    one, other = GroupList(), GroupList()
    mine = one.refer(one.create(GROUP, None), "user")
    theirs = other.refer(other.create(GROUP, None), "user")
    assert mine.id == theirs.id
    assert one.release(theirs) is None
    assert mine.active and theirs.active
