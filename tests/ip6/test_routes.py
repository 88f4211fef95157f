"""Static routes and next-hop determination: RFC 4861 5.2, 6.3.6 and 7.3.3, RFC 4191 3."""

import itertools
from random import Random

import pytest

from stack.errors import RefusedError, StackError, UsageError
from stack.host import Host
from stack.icmp6.echo import EchoError
from stack.ip6 import output
from stack.ip6.routes import next_hop
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    Play,
    advertisement,
    echo_request,
    icmp,
    ip,
    packet,
    text,
)

OUR_GLOBAL = "2001:db8:1::1"
ON_LINK_GATEWAY = "2001:db8:1::fe"
FAR = "2001:db8:9::1"
R1, R2, R3, R4, R5 = (f"fe80::{n}:1" for n in range(1, 6))


def mac_of(router: str) -> bytes:
    return b"\x02\x00\x72\x00\x00" + ip(router)[13:14]


@pytest.fixture
def play() -> Play:
    play = Play().start()
    play.add_address(OUR_GLOBAL)
    play.run(30.0)
    play.sent()
    return play


def add(play: Play, prefix: str, gateway: str, metric: int = 1024) -> None:
    address, _, length = prefix.partition("/")
    play.interface.routes.add(ip(address), int(length), ip(gateway), metric)


def delete(play: Play, prefix: str, **which: object) -> None:
    address, _, length = prefix.partition("/")
    play.interface.routes.delete(ip(address), int(length), **which)  # type: ignore[arg-type]


def hop(play: Play, destination: str) -> str | None:
    found = next_hop(play.interface, ip(destination), play.now)
    return None if found is None else text(found)


def answer(play: Play, router: str) -> None:
    """The router answers what it was asked."""
    play.receive(advertisement(router, mac=mac_of(router), flags="RSO"))


def send(play: Play, destination: str) -> bool:
    """One echo request that nobody waits for the answer to."""
    octets = packet(OUR_GLOBAL, destination, icmp(OUR_GLOBAL, destination, 128, 0, bytes(4)), hop_limit=64)
    sent = output.send(play.interface, octets, play.now)
    play.settle()
    return sent


def goes_through(play: Play, destination: str = FAR) -> str | None:
    """Send an echo request; the router whose MAC the frame has, or the one that is asked for its MAC."""
    play.sent()
    send(play, destination)
    sent = play.sent()
    for each in sent:
        if each.kind == 128:
            return next(router for router in (R1, R2, R3, R4, R5) if mac_of(router) == each.to)
    return sent[-1].target if sent else None


# -- which route

ROUTES = {
    "::/0": R1,
    "2001:db8:9::/48": R2,
    "2001:db8:9:1::/64": R3,
    "2001:db8:9:1::5/128": R4,
    "2001:db8:1::80/121": R5,
}
NEXT_HOPS = {
    "nothing but the default": ("2001:db9::1", R1),
    "the address above a prefix": ("2001:db8:a::", R1),
    "the last address of a prefix": ("2001:db8:9:ffff:ffff:ffff:ffff:ffff", R2),
    "a longer prefix": ("2001:db8:9:1::4", R3),
    "the first address of the longer prefix": ("2001:db8:9:1::", R3),
    "the address below the longer prefix": ("2001:db8:9:0:ffff:ffff:ffff:ffff", R2),
    "a single address": ("2001:db8:9:1::5", R4),
    "on-link (5.2)": ("2001:db8:1::7f", "2001:db8:1::7f"),
    "on-link, and the user says otherwise of less": ("2001:db8:1::80", R5),
    "the last of those": ("2001:db8:1::ff", R5),
    "on-link again": ("2001:db8:1::100", "2001:db8:1::100"),
    "link-local (RFC 4291 2.5.6)": ("fe80::99", "fe80::99"),
    "link-local to the end of fe80::/10": ("febf::99", "febf::99"),
    "site-local": ("fec0::99", R1),
    "unique local": ("fd00::99", R1),
}


@pytest.mark.parametrize(("destination", "expected"), NEXT_HOPS.values(), ids=NEXT_HOPS)
@pytest.mark.parametrize("order", [1, -1], ids=["longest last", "longest first"])
def test_the_longest_prefix_decides(play: Play, destination: str, expected: str, order: int) -> None:
    """RFC 4191 3.2, in either order of configuration; 5.2: what is on-link goes to no router."""
    for prefix, router in list(ROUTES.items())[::order]:
        add(play, prefix, router)
    assert hop(play, destination) == expected


def test_without_a_route(play: Play) -> None:
    """RFC 4191 3.2: the packet is discarded, and whoever sends it is told."""
    add(play, "2001:db8:9::/48", R1)
    with pytest.raises(RefusedError, match=r"there is no route to 2001:db8:a::1"):
        play.ping("2001:db8:a::1")
    socket = play.host.udp.open()
    with pytest.raises(RefusedError, match=r"there is no route to 2001:db8:a::1"):
        socket.send(b"x", ip("2001:db8:a::1"), 9, play.now)
    assert play.sent() == []
    assert play.host.counters.as_dict()["Ip6OutNoRoutes"] == 2


@pytest.mark.parametrize("group", ["ff02::1", "ff05::9", "ff0e::9"])
def test_groups_go_to_no_router(play: Play, group: str) -> None:
    """5.2: multicast packets are on-link, whatever the routes are."""
    add(play, "::/0", R1)
    play.ping(group)
    (sent,) = play.sent()
    assert sent.to == b"\x33\x33" + ip(group)[12:]


def test_the_packet_goes_to_the_routers_address(play: Play) -> None:
    """5.2, 7.2.2: the router is resolved, and the packet is sent to it unchanged."""
    add(play, "::/0", R1)
    play.ping(FAR)
    assert [(each.kind, each.target) for each in play.sent()] == [(135, R1)]
    answer(play, R1)
    (sent,) = play.sent()
    assert (sent.kind, sent.to, sent.source, sent.destination) == (128, mac_of(R1), OUR_GLOBAL, FAR)
    assert play.neighbour(FAR) is None


def test_an_answer_takes_the_same_way(play: Play) -> None:
    """5.2: the way back is determined as any other, whoever brought the request."""
    add(play, "::/0", R1)
    play.receive(echo_request(OUR_GLOBAL, source=FAR))
    assert [(each.kind, each.target) for each in play.sent()] == [(135, R1)]
    answer(play, R1)
    assert [(each.kind, each.to, each.destination) for each in play.sent()] == [(129, mac_of(R1), FAR)]


# -- several routes to one prefix


def test_the_lower_metric_first(play: Play) -> None:
    add(play, "::/0", R1, 2048)
    add(play, "::/0", R2, 1024)
    add(play, "2001:db8:9::/48", R3, 4096)
    assert hop(play, "2001:db9::1") == R2
    assert hop(play, FAR) == R3, "the longer prefix, whatever the metric"
    delete(play, "::/0")
    assert hop(play, "2001:db9::1") == R1


@pytest.mark.parametrize(
    ("which", "left"),
    [({}, R2), ({"metric": 2048}, R1), ({"gateway": ip(R2)}, R1), ({"gateway": ip(R1), "metric": 1024}, R2)],
    ids=["the preferred one", "by metric", "by next hop", "by both"],
)
def test_which_one_is_deleted(play: Play, which: dict[str, object], left: str) -> None:
    add(play, "::/0", R1, 1024)
    add(play, "::/0", R2, 2048)
    delete(play, "::/0", **which)
    assert hop(play, FAR) == left


# -- what can be a route

REFUSED = {
    "a group": ("ff05::/16", R1, UsageError),
    "all groups": ("ff00::/8", R1, UsageError),
    "link-local": ("fe80::/64", R1, UsageError),
    "all of link-local": ("fe80::/10", R1, UsageError),
    "the unspecified address": ("::/128", R1, UsageError),
    "loopback": ("::1/128", R1, UsageError),
    "IPv4-mapped": ("::ffff:0:0/96", R1, UsageError),
    "through a group": ("2001:db8:9::/48", "ff02::2", UsageError),
    "through nobody": ("2001:db8:9::/48", "::", UsageError),
    "through ourselves": ("2001:db8:9::/48", OUR_LINK_LOCAL, RefusedError),
    "through our global address": ("2001:db8:9::/48", OUR_GLOBAL, RefusedError),
    "through somebody far away": ("2001:db8:9::/48", "2001:db8:2::1", RefusedError),
    "through somebody just outside the prefix": ("2001:db8:9::/48", "2001:db8:1:1::1", RefusedError),
}


@pytest.mark.parametrize(("prefix", "gateway", "error"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_route(play: Play, prefix: str, gateway: str, error: type[StackError]) -> None:
    with pytest.raises(error) as caught:
        add(play, prefix, gateway)
    assert "\n" not in str(caught.value)
    assert len(play.interface.routes.static) == 0
    assert hop(play, FAR) is None


@pytest.mark.parametrize("prefix", ["::/0", "8000::/1", "fe00::/9", "fec0::/10", "2001:db8:9::5/128"])
def test_what_is_one(play: Play, prefix: str) -> None:
    """A prefix that holds more than groups and link-local addresses has destinations that a router is for."""
    add(play, prefix, R1)
    assert len(play.interface.routes.static) == 1


def test_twice(play: Play) -> None:
    add(play, "2001:db8:9::/48", R1)
    with pytest.raises(RefusedError, match=R1):
        add(play, "2001:db8:9:7::1/48", R2)
    assert hop(play, FAR) == R1


def test_bits_behind_the_length_do_not_count(play: Play) -> None:
    add(play, "2001:db8:9:7::1/48", R1)
    assert hop(play, "2001:db8:9:8::2") == R1
    delete(play, "2001:db8:9::ffff/48")
    assert hop(play, "2001:db8:9:8::2") is None


@pytest.mark.parametrize("prefix", ["2001:db8:9::/48", "2001:db8:9::/65", "::/0", "2001:db8:a::/64"])
def test_there_is_none_to_delete(play: Play, prefix: str) -> None:
    add(play, "2001:db8:9::/64", R1)
    with pytest.raises(RefusedError, match="no static route"):
        delete(play, prefix)
    assert hop(play, FAR) == R1


def test_they_are_limited(play: Play) -> None:
    play.host.settings.max_static_routes = 2
    add(play, "2001:db8:9::/48", R1)
    add(play, "2001:db8:a::/48", R1)
    with pytest.raises(RefusedError, match="max_static_routes"):
        add(play, "2001:db8:b::/48", R1)
    delete(play, "2001:db8:a::/48")
    add(play, "2001:db8:b::/48", R1)


# -- a next hop with a global address


def test_a_next_hop_in_a_prefix_of_the_link(play: Play) -> None:
    add(play, "::/0", ON_LINK_GATEWAY)
    assert hop(play, FAR) == ON_LINK_GATEWAY


def test_it_is_accepted_while_our_address_is_tested(play: Play) -> None:
    """RFC 4862 5.4: the prefix is in use once the address is."""
    play.add_address("2001:db8:3::1")
    add(play, "::/0", "2001:db8:3::fe")
    assert hop(play, FAR) is None
    play.run(play.now + 5.0)
    assert hop(play, FAR) == "2001:db8:3::fe"


def test_it_is_of_no_use_without_its_prefix(play: Play) -> None:
    """A router that is not on-link cannot be the first hop; the next best route is taken."""
    add(play, "2001:db8:9::/48", ON_LINK_GATEWAY)
    add(play, "::/0", R1)
    play.remove_address(OUR_GLOBAL)
    assert hop(play, FAR) == R1
    play.add_address(OUR_GLOBAL)
    play.run(play.now + 5.0)
    assert hop(play, FAR) == ON_LINK_GATEWAY


# -- life


def test_they_survive_down_and_up(play: Play) -> None:
    """Given by the user: kept through down, up and restart."""
    add(play, "2001:db8:9::/48", R1)
    add(play, "::/0", ON_LINK_GATEWAY)
    play.interface.stop(play.now)
    play.interface.start(play.now)
    play.run(play.now + 10.0)
    assert (hop(play, FAR), hop(play, "2001:db9::1")) == (R1, ON_LINK_GATEWAY)
    play.interface.restart(play.now)
    play.run(play.now + 10.0)
    assert (hop(play, FAR), hop(play, "2001:db9::1")) == (R1, ON_LINK_GATEWAY)


def test_they_can_be_given_while_the_interface_is_down(play: Play) -> None:
    play.interface.stop(play.now)
    add(play, "::/0", ON_LINK_GATEWAY)
    play.interface.start(play.now)
    play.run(play.now + 10.0)
    assert hop(play, FAR) == ON_LINK_GATEWAY


# -- routers that do not answer


def test_another_router_is_tried_when_resolution_fails(play: Play) -> None:
    """7.2.2: what waited is reported unreachable; 7.3.3: the next packet invokes next-hop determination again."""
    add(play, "::/0", R1)
    add(play, "::/0", R2, 2048)
    heard = play.ping(FAR)
    play.run(play.now + 2.9)
    assert {each.target for each in play.sent(135)} == {R1}
    assert heard == []
    play.run(play.now + 0.2)
    assert [(each.type, each.code) for each in heard if isinstance(each, EchoError)] == [(1, 3)]
    assert goes_through(play) == R2
    answer(play, R2)
    assert [each.to for each in play.sent(128)] == [mac_of(R2)]


def test_whoever_is_told_and_sends_again_finds_the_other_router(play: Play) -> None:
    """7.3.3: the failure is known before it is reported."""
    add(play, "::/0", R1)
    add(play, "::/0", R2, 2048)
    session = play.host.echoes.open(play.interface, ip(FAR), lambda heard: session.send(2, heard.time))
    session.send(1, play.now)
    play.run(play.now + 2.9)
    assert {each.target for each in play.sent(135)} == {R1}
    play.run(play.now + 0.2)
    assert R2 in [each.target for each in play.sent(135)]
    answer(play, R2)
    assert [each.to for each in play.sent(128)] == [mac_of(R2)]


def test_another_router_is_tried_when_one_falls_silent(play: Play) -> None:
    """7.3.3: packets go on to the cached address while it is probed, none is lost or reported; then the other one."""
    add(play, "::/0", R1)
    add(play, "::/0", R2, 2048)
    for router in (R2, R1):
        play.ping(router)
        answer(play, router)
    heard = play.ping(FAR)
    play.run(play.now + 60.0)
    began = play.now
    while play.now < began + 7.9:
        assert goes_through(play) == R1
        play.run(play.now + 1.0)
    play.run(began + 8.1)
    assert play.neighbour(R1) == "UNREACHABLE"
    assert goes_through(play) == R2
    assert heard == []


def test_a_router_that_answers_again_is_used_again(play: Play) -> None:
    """RFC 4191 3.5: with traffic that it would get it is asked once a minute at the most, by one solicitation."""
    add(play, "::/0", R1)
    add(play, "::/0", R2, 2048)
    play.ping(FAR)
    play.run(play.now + 4.0)
    play.sent()
    asked: list[float] = []
    send(play, FAR)
    answer(play, R2)
    began = play.now
    while play.now < began + 130.0:
        send(play, FAR)
        play.run(play.now + 0.5)
        sent = play.sent()
        asked += [each.time for each in sent if each.kind == 135 and each.target == R1]
        if any(each.kind == 135 and each.target == R2 for each in sent):
            answer(play, R2)
    assert len(asked) == 3
    assert asked[0] == began
    assert all(later - earlier >= 60.0 for earlier, later in itertools.pairwise(asked))
    play.run(play.now + 60.0)
    send(play, FAR)
    answer(play, R1)
    assert goes_through(play) == R1


def test_nobody_is_asked_without_traffic(play: Play) -> None:
    """RFC 4191 3.5: no probe in the absence of traffic that the router would get."""
    add(play, "::/0", R1)
    add(play, "::/0", R2, 2048)
    play.ping(FAR)
    play.run(play.now + 4.0)
    play.sent()
    play.run(play.now + 600.0)
    assert play.sent(135) == []


def test_a_packet_for_a_router_that_is_being_probed_waits_its_full_time(play: Play) -> None:
    """7.2.2: MAX_MULTICAST_SOLICIT solicitations before a packet is given up, whatever went before."""
    add(play, "::/0", R1)
    add(play, "::/0", R2, 2048)
    play.ping(FAR)
    play.run(play.now + 4.0)
    play.ping(FAR)
    play.run(play.now + 0.5)
    play.sent()
    heard = play.ping(R1)
    play.run(play.now + 2.4)
    assert (len([each for each in play.sent(135) if each.target == R1]), heard) == (2, [])
    answer(play, R1)
    assert [each.destination for each in play.sent(128)] == [R1]


def test_the_best_of_those_that_do_not_answer(play: Play) -> None:
    """RFC 4191 3.6: if no router answers, the best one is used while the others are asked."""
    add(play, "2001:db8:9::/48", R1)
    add(play, "2001:db8::/32", R2)
    for _ in range(2):
        play.ping(FAR)
        play.run(play.now + 4.0)
    play.sent()
    play.ping(FAR)
    assert hop(play, FAR) == R1
    assert R1 in {each.target for each in play.sent(135)}


def test_a_next_hop_that_is_a_destination_too(play: Play) -> None:
    """5.2: an on-link destination that does not answer is not looked for behind a router."""
    add(play, "2001:db8:9::/48", ON_LINK_GATEWAY)
    add(play, "::/0", R1)
    play.ping(FAR)
    play.run(play.now + 4.0)
    assert hop(play, FAR) == R1
    assert hop(play, ON_LINK_GATEWAY) == ON_LINK_GATEWAY


def test_nobody_listens_unless_asked_to() -> None:
    """Next hops follow the addresses without any event: a host that nobody listens to builds none."""
    host = Host(Random(1))
    host.attach("t0", OUR_MAC)
    assert host.listeners == []
