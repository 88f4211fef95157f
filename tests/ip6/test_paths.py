"""Known paths: whatever is sent and whatever changes, a host that remembers paths does what one without them does."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from stack.udp.endpoint import Endpoint
from tests.ip6.twins import (
    FAR,
    OTHER_MAC,
    OUR_GLOBAL,
    PEER_GLOBAL,
    PEERS,
    SIZES,
    Step,
    Twins,
    batches,
    changes,
    delete_neighbour,
    later,
    option,
    redirect,
    send,
    set_one,
    take,
    toggle_address,
    toggle_link,
    too_big,
)
from tests.nd import advertising
from tests.playbook import OUR_LINK_LOCAL, OUR_MAC, PEER_LINK_LOCAL, Play, advertisement, ip, solicitation
from tests.udp.common import datagrams

NOWHERE = "fe80::dead"
ANYBODY = (*PEERS, NOWHERE, "ff02::77", "::1", OUR_GLOBAL)

sendings = st.one_of(
    st.builds(send, st.sampled_from(PEERS), st.sampled_from(SIZES)),
    st.builds(send, st.sampled_from(ANYBODY), st.sampled_from((0, 8, 1_500, 3_000))),
    st.builds(send, st.sampled_from(PEERS), port=st.sampled_from((0, 1, 65_535, 65_536))),
    st.builds(send, st.sampled_from(PEERS), hop_limit=st.sampled_from((None, 0, 1, 255))),
    st.builds(send, st.sampled_from(PEERS), traffic_class=st.sampled_from((None, 0, 3, 0xB8))),
    st.builds(send, st.sampled_from(PEERS), confirm=st.booleans()),
    st.builds(send, st.sampled_from(PEERS), source=st.sampled_from((OUR_LINK_LOCAL, OUR_GLOBAL, "::1", FAR)).map(ip)),
)
told = st.one_of(
    st.builds(too_big, st.sampled_from((1_200, 1_280, 1_300, 1_499, 1_500))),
    st.sampled_from(
        (
            option("unicast_hops", 9),
            option("unicast_hops", None),
            option("traffic_class", 7),
            option("traffic_class", 0),
            option("dont_fragment", True),
            option("interface", None),
        )
    ),
)


@pytest.mark.long
@settings(max_examples=250, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.one_of(sendings, sendings, sendings, batches, changes, told), min_size=1, max_size=14))
@example([send(), send(), set_one("hop_limit", 5), send()])
@example([send(FAR), send(FAR), take(advertising.advertisement(lifetime=0)), send(FAR)])
@example([send(FAR), send(FAR), take(redirect()), send(FAR), send(FAR)])
@example([send(FAR, 1_400), send(FAR, 1_400), too_big(1_300), send(FAR, 1_400), send(FAR, 1_200)])
@example([send(), later(31.0), send(), send(), later(6.0), send()])
@example([send(), send(), take(advertisement(PEER_LINK_LOCAL, mac=OTHER_MAC)), send(), send()])
@example([send(PEER_GLOBAL), toggle_address(PEER_GLOBAL), send(PEER_GLOBAL)])
@example([toggle_address(PEER_GLOBAL), send(PEER_GLOBAL), toggle_address(PEER_GLOBAL), send(PEER_GLOBAL)])
@example([send(), delete_neighbour(PEER_LINK_LOCAL), send(), send()])
@example([send(), toggle_link, send(), toggle_link, send(), send()])
@example([set_one("tx_queue_len", 2), send(), send(times=4)])
def test_nobody_can_tell_whether_paths_are_remembered(steps: list[Step]) -> None:
    twins = Twins()
    for step in steps:
        twins.do(step)
    assert not twins.plain.interface.paths.table


def whole_ways(play: Play, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The packets that take the whole way from now on."""
    packets: list[bytes] = []
    transmit = Endpoint.transmit

    def counted(self, interface, packet, now):  # type: ignore[no-untyped-def]
        packets.append(packet)
        transmit(self, interface, packet, now)

    monkeypatch.setattr(Endpoint, "transmit", counted)
    return packets


@pytest.mark.parametrize("to", PEERS)
@pytest.mark.parametrize("size", SIZES)
def test_the_second_datagram_takes_the_short_way(to: str, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    twins = Twins()
    twins.do(send(to))
    packets = whole_ways(twins.quick, monkeypatch)
    send(to, size)(twins.quick)
    (sent,) = datagrams(twins.quick)
    assert not packets
    assert (sent.destination, sent.port, len(sent.data)) == (to, 7, size)


def test_a_datagram_that_needs_fragments_takes_the_whole_way(monkeypatch: pytest.MonkeyPatch) -> None:
    twins = Twins()
    twins.do(send(FAR, 1_452))
    packets = whole_ways(twins.quick, monkeypatch)
    send(FAR, 1_453)(twins.quick)
    assert len(packets) == 1
    assert len(twins.quick.sent()) == 2


@pytest.mark.parametrize(
    "change",
    [
        toggle_address("2001:db8:7::7"),
        lambda play: play.interface.set_mtu(1_400),
        lambda play: play.interface.set_mac(OUR_MAC, play.now),
        lambda play: play.interface.routes.add(ip("2001:db8:8::"), 64, ip(PEER_LINK_LOCAL)),
        lambda play: play.receive(advertising.advertisement(router=advertising.OTHER_ROUTER)),
        lambda play: advertising.hears(play, advertising.mtu_option(1_400)),
        lambda play: play.receive(advertisement(PEER_LINK_LOCAL, mac=OTHER_MAC)),
        delete_neighbour(PEER_LINK_LOCAL),
        too_big(1_300),
        lambda play: play.host.attach("other", OTHER_MAC),
        lambda play: play.host.journal.listen(lambda record: None),
        option("traffic_class", 1),
        lambda play: play.host.set_setting("max_known_headers", "0"),
    ],
)
def test_after_a_change_the_whole_way_is_taken(change: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    play = Twins().quick
    # So that there is something too long for whoever says so.
    send(FAR, 1_400)(play)
    send()(play)
    change(play)
    play.settle()
    packets = whole_ways(play, monkeypatch)
    send()(play)
    assert len(packets) == 1


def test_an_address_of_another_interface_is_never_remembered() -> None:
    """With two interfaces a destination may become ours at any time, without this one being told."""
    play = Twins().quick
    other = play.host.attach("other", OTHER_MAC)
    other.start(play.now)
    play.settle()
    play.sent()
    send(PEER_GLOBAL)(play)
    assert len(datagrams(play)) == 1
    other.addresses.add(ip(PEER_GLOBAL), 64, play.now)
    play.settle()
    play.sent()
    send(PEER_GLOBAL)(play)
    assert not datagrams(play)
    assert not play.interface.paths.table


def test_a_neighbour_that_has_to_be_asked_is_not_remembered() -> None:
    twins = Twins()
    twins.do(send("2001:db8:1::77"))
    assert not twins.quick.interface.paths.table
    # RFC 4861 7.2.3: a solicitation tells of a neighbour, which is STALE: the first packet starts the delay.
    twins.do(take(solicitation(OUR_LINK_LOCAL, source="fe80::77", mac=OTHER_MAC)))
    twins.do(send("fe80::77"))
    assert twins.quick.neighbour("fe80::77") == "DELAY"


def test_the_table_is_bounded_and_the_oldest_goes() -> None:
    twins = Twins(max_known_headers=2)
    for to in (*PEERS, *PEERS):
        twins.do(send(to))
    assert list(twins.quick.interface.paths.table) == [ip(PEER_GLOBAL), ip(FAR)]
    assert not twins.plain.interface.paths.table


def test_our_own_address_is_not_remembered_whoever_else_has_it() -> None:
    twins = Twins()
    twins.do(lambda play: play.interface.resolver.add_permanent(ip(OUR_LINK_LOCAL), OTHER_MAC, play.now))
    twins.do(send(OUR_LINK_LOCAL))
    twins.do(send(OUR_LINK_LOCAL))
    assert not twins.quick.interface.paths.table


def test_a_checksum_of_zero_is_sent_in_its_other_form() -> None:
    """RFC 8200 8.1: zero would say that there is none."""
    play = Twins().quick
    (socket,) = play.host.udp.sockets.values()
    socket.send(bytes(2), ip(PEER_LINK_LOCAL), 7, play.now)
    (sent,) = play.sent()
    assert ip(PEER_LINK_LOCAL) in play.interface.paths.table
    # Data of the value that the checksum had bring the sum to all ones.
    socket.send(sent.packet[46:48], ip(PEER_LINK_LOCAL), 7, play.now)
    (sent,) = play.sent()
    assert sent.packet[46:48] == b"\xff\xff"


def test_a_socket_that_is_bound_elsewhere_has_its_own_source() -> None:
    """What one socket has left is not taken by one with another address."""
    play = Twins().quick
    send(PEER_GLOBAL)(play)
    socket = play.host.udp.open()
    socket.bind(ip(OUR_LINK_LOCAL), 6000)
    play.sent()
    for _ in range(2):
        socket.send(b"a", ip(PEER_GLOBAL), 7, play.now)
        (sent,) = datagrams(play)
        assert (sent.source, sent.source_port) == (OUR_LINK_LOCAL, 6000)
