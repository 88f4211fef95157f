"""The incremental calls of RFC 3678 (text not read; as Linux's ip(7) and ipv6(7) have them) beside RFC 3810 3's."""

import pytest

from stack.errors import RefusedError, UsageError
from stack.mld.filters import NOTHING, SourceCall, SourceFilter, changed
from tests.mld.common import GROUP, V2_REPORT, ip
from tests.mld.version2 import SSM, A, B, exclude, include, ready2
from tests.playbook import ALLOW, BLOCK, TO_EX, TO_IN, records

JOIN, LEAVE, BLOCKED, UNBLOCKED = SourceCall

ALLOWED = {
    "no member, join a source": (NOTHING, JOIN, include(A)),
    "INCLUDE, join another": (include(B), JOIN, include(A, B)),
    "INCLUDE, leave one of two": (include(A, B), LEAVE, include(B)),
    "INCLUDE, leave the last": (include(A), LEAVE, NOTHING),
    "EXCLUDE, block": (exclude(B), BLOCKED, exclude(A, B)),
    "EXCLUDE, unblock": (exclude(A, B), UNBLOCKED, exclude(B)),
    "EXCLUDE, unblock the last": (exclude(A), UNBLOCKED, exclude()),
}

REFUSED = {
    "INCLUDE, join again (EADDRNOTAVAIL)": (include(A), JOIN, RefusedError),
    "INCLUDE, leave another (EADDRNOTAVAIL)": (include(B), LEAVE, RefusedError),
    "no member, leave (EADDRNOTAVAIL)": (NOTHING, LEAVE, RefusedError),
    "EXCLUDE, block again (EADDRNOTAVAIL)": (exclude(A), BLOCKED, RefusedError),
    "EXCLUDE, unblock another (EADDRNOTAVAIL)": (exclude(B), UNBLOCKED, RefusedError),
    "EXCLUDE, join a source (EINVAL)": (exclude(), JOIN, UsageError),
    "EXCLUDE, leave a source (EINVAL)": (exclude(A), LEAVE, UsageError),
    "INCLUDE, block (EINVAL)": (include(A), BLOCKED, UsageError),
    "INCLUDE, unblock (EINVAL)": (include(A), UNBLOCKED, UsageError),
    "no member, block (EINVAL)": (NOTHING, BLOCKED, UsageError),
}


@pytest.mark.parametrize(("before", "call", "after"), ALLOWED.values(), ids=ALLOWED)
def test_what_a_call_makes_of_a_filter(before: SourceFilter, call: SourceCall, after: SourceFilter) -> None:
    assert changed(before, call, ip(A)) == after


@pytest.mark.parametrize(("before", "call", "error"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(before: SourceFilter, call: SourceCall, error: type[Exception]) -> None:
    with pytest.raises(error):
        changed(before, call, ip(A))


def test_each_call_is_one_change_on_the_link() -> None:
    """RFC 3810 6.1: a source more or less is ALLOW or BLOCK of it; what is refused says nothing."""
    play = ready2(mld_qrv=1)
    listener = play.interface.listener

    def told(group: str, call: SourceCall, source: str) -> list[tuple[int, str, tuple[str, ...]]]:
        listener.change_source("socket s", ip(group), call, ip(source), play.now)
        play.settle()
        return [record for report in play.sent(V2_REPORT) for record in records(report)]

    assert told(SSM, JOIN, A) == [(ALLOW, SSM, (A,))]
    assert told(SSM, JOIN, B) == [(ALLOW, SSM, (B,))]
    assert told(SSM, LEAVE, A) == [(BLOCK, SSM, (A,))]
    assert told(SSM, LEAVE, B) == [(BLOCK, SSM, (B,))]
    assert ip(SSM) not in listener.groups
    listener.listen("socket s", ip(GROUP), exclude(), play.now)
    play.settle()
    assert [record for report in play.sent(V2_REPORT) for record in records(report)] == [(TO_EX, GROUP, ())]
    assert told(GROUP, BLOCKED, A) == [(BLOCK, GROUP, (A,))]
    assert told(GROUP, UNBLOCKED, A) == [(ALLOW, GROUP, (A,))]
    with pytest.raises(UsageError):
        told(GROUP, JOIN, A)
    assert play.sent(V2_REPORT) == []
    listener.listen("socket s", ip(GROUP), NOTHING, play.now)
    play.settle()
    assert [record for report in play.sent(V2_REPORT) for record in records(report)] == [(TO_IN, GROUP, ())]


def test_a_udp_socket_has_them_with_its_source_gate() -> None:
    play = ready2()
    socket = play.host.udp.open(play.interface)
    socket.bind(None, 7919)
    socket.change_source(ip(GROUP), JOIN, ip(A), play.now)
    socket.change_source(ip(GROUP), JOIN, ip(B), play.now)
    assert socket.memberships.get(play.interface, ip(GROUP)) == include(A, B)
    assert play.interface.listener.current(ip(GROUP)) == include(A, B)
    with pytest.raises(RefusedError):
        socket.change_source(ip(GROUP), JOIN, ip(A), play.now)
    for source in (A, B):
        socket.change_source(ip(GROUP), LEAVE, ip(source), play.now)
    assert socket.memberships.get(play.interface, ip(GROUP)) is None
    assert ip(GROUP) not in play.interface.listener.groups
