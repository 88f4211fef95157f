"""What still comes to a group that was left is counted where it is discarded, and the driver's filter lets it pass."""

import pytest
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6MLQuery,
    ICMPv6MLQuery2,
    ICMPv6MLReport,
    IPv6,
    IPv6ExtHdrHopByHop,
    PadN,
    RouterAlert,
)
from scapy.packet import Packet

from stack.discard import Discard, Verdict
from tests.playbook import PEER_LINK_LOCAL, Play, frame, group_mac, ip
from tests.udp.common import GROUP, bound, datagram, listen

MAC = group_mac(ip(GROUP))


@pytest.fixture
def play() -> Play:
    return Play().start().meet()


def macs(play: Play) -> set[bytes]:
    plan = play.interface.plan
    return {*plan.exact, *plan.hashed}


def test_counted_and_given_to_nobody(play: Play) -> None:
    socket = bound(play)
    membership = play.join(GROUP)
    watch = play.interface.afterlives.watch(ip(GROUP), play.now)
    assert play.receive(datagram(destination=GROUP)) is Discard.UDP_NO_MEMBER
    assert watch.count == 0, "it is not left yet"
    plans = len(play.plans)
    play.leave(membership)
    assert MAC in macs(play)
    assert len(play.plans) == plans, "the driver's filter stays as it is"
    play.run(play.now + 2.5)
    assert play.receive(datagram(destination=GROUP)) is Discard.GROUP_NOT_JOINED
    assert (watch.count, watch.last) == (1, play.now)
    play.interface.afterlives.unwatch(ip(GROUP), play.now)
    assert MAC not in macs(play)
    assert play.receive(datagram(destination=GROUP)) is Discard.NOT_FOR_US
    assert watch.count == 1
    assert socket.receive() is None


@pytest.mark.parametrize(
    "message",
    [
        # RFC 3810 5.1.15, RFC 2710 8: questions after a leave go to the group itself, as reports of version 1 are.
        ICMPv6MLQuery2(mladdr=GROUP, mrd=1000),
        ICMPv6MLQuery(mladdr=GROUP, mrd=1000),
        ICMPv6MLReport(mladdr=GROUP),
    ],
)
def test_what_is_said_about_the_group_is_none_of_its_packets(play: Play, message: Packet) -> None:
    watch = play.interface.afterlives.watch(ip(GROUP), play.now)
    alert = IPv6ExtHdrHopByHop(options=[RouterAlert(), PadN()])
    header = IPv6(src=PEER_LINK_LOCAL, dst=GROUP, hlim=1)
    assert play.receive(frame(bytes(header / alert / message))) is Discard.GROUP_NOT_JOINED
    assert watch.count == 0
    # Any other ICMPv6 message is one, with that option too.
    play.receive(frame(bytes(header / alert / ICMPv6EchoRequest())))
    assert watch.count == 1


def test_two_watchers_and_a_new_member(play: Play) -> None:
    afterlives = play.interface.afterlives
    watch = afterlives.watch(ip(GROUP), play.now)
    assert afterlives.watch(ip(GROUP), play.now) is watch
    play.receive(datagram(destination=GROUP))
    afterlives.unwatch(ip(GROUP), play.now)
    play.receive(datagram(destination=GROUP))
    assert watch.count == 2
    socket = bound(play)
    listen(play, socket)
    assert play.receive(datagram(destination=GROUP)) is Verdict.DELIVERED
    assert watch.count == 2
    for _ in range(2):
        afterlives.unwatch(ip(GROUP), play.now)
    assert afterlives.watched == {}
    assert MAC in macs(play), "the member's"


def test_a_driver_that_refuses(play: Play) -> None:
    play.refuse_filter = True
    with pytest.raises(OSError, match="refused"):
        play.interface.afterlives.watch(ip(GROUP), play.now)
    assert play.interface.afterlives.watched == {}
