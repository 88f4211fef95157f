"""Floods of router advertisements: bounded work, bounded tables, and what was in use before is in use after."""

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stack.discard import Discard, Verdict
from stack.ip6.routes import next_hop
from tests.nd import advertising
from tests.nd.advertising import (
    OTHER_ROUTER,
    OUR_ADDRESS,
    PREFIX,
    ROUTER,
    ROUTER_MAC,
    addresses,
    advertisement,
    hears,
    lifetimes,
    mac_of,
    mtu_option,
    prefix_option,
    route_option,
    search_option,
    servers_option,
)
from tests.playbook import Play, frame, icmp, ip, packet, text
from tests.playbook import advertisement as neighbour_advertisement

pytestmark = pytest.mark.long

COUNT = 20_000
SERVER = "2001:db8::53"


def ready(**settings: int) -> Play:
    """A host that takes every advertisement: what its tables do is the question here, not what a rate limit spares."""
    return advertising.ready(ra_ratelimit=0, **settings)


def tables(play: Play) -> dict[str, int]:
    interface = play.interface
    return {
        "max_routers": len(interface.routers),
        "max_learnt_routes": len(interface.routers.routes),
        "max_prefixes": len(interface.prefixes),
        "max_addresses": len(interface.autoconfiguration),
        "max_dns_servers": len(interface.dns.servers),
        "max_dns_domains": len(interface.dns.search),
        "gc_thresh3": len(interface.resolver.cache),
    }


def within_limits(play: Play) -> None:
    settings = play.host.settings.as_dict()
    for name, size in tables(play).items():
        assert size <= int(settings[name]), name
    # A timer for each entry and its parts at the most: nothing of what was replaced runs on.
    assert len(play.host.timers) <= 4 * sum(tables(play).values()) + 50
    assert len(play.host.timers._heap) <= 2 * len(play.host.timers) + 200
    assert len(play.interface.listener.groups.records) <= 4 + len(play.interface.addresses)


def in_use(**settings: int) -> Play:
    """A host with a router that it has sent packets to and that answered: its router, prefix, route, address, DNS."""
    play = ready(**settings)
    options = (prefix_option(), route_option("2001:db8:7::", 48), servers_option(SERVER), search_option("example.org"))
    hears(play, *options, lifetime=9000)
    play.run(play.now + 5.0)
    play.ping(ROUTER)
    play.run(play.now + 5.0)
    play.receive(neighbour_advertisement(ROUTER, flags="RSO", mac=ROUTER_MAC))
    assert play.neighbour(ROUTER) == "REACHABLE", "how this test prepares the host"
    play.sent()
    return play


def still_in_use(play: Play) -> None:
    interface = play.interface
    assert interface.routers.select(play.now) == ip(ROUTER)
    assert next_hop(interface, ip("2001:db8:7::1"), play.now) == ip(ROUTER)
    assert interface.prefixes.is_on_link(ip(PREFIX + "9"))
    assert play.address(OUR_ADDRESS) == "preferred"
    assert SERVER in interface.dns.servers.values() and "example.org" in interface.dns.search.values()
    assert play.neighbour(ROUTER) is not None


# The octets of one advertisement, in which a flood writes other values: everything ever new, or one router's address.
def template(router: str) -> bytes:
    options = (
        prefix_option("2001:db8:0:1::"),
        route_option("2001:db8:0:1::", 64),
        servers_option("2001:db8:0:1::53"),
        search_option("abcdefgh.example"),
    )
    return advertisement(*options, router=router, lifetime=9000)


def flood(router: str, count: int, seed: int = 1, *, new_routers: bool) -> list[bytes]:
    """Frames with ever new prefixes, routes, servers and domains, and from ever new routers if so asked."""
    rng = random.Random(seed)
    base = template(router)
    message = base[54:]
    prefix = ip("2001:db8:0:1::")[:8]
    frames = []
    for number in range(count):
        source = ip(router)
        head = bytearray(base[:54])
        body = message.replace(prefix, struct.pack("!II", 0x20010DBA, number))
        body = body.replace(b"abcdefgh", b"%08x" % number)
        if new_routers:
            source = ip("fe80::")[:8] + rng.randbytes(8)
            head[22:38] = source
            mac = b"\x02" + source[11:]
            head[6:12] = mac
            body = body.replace(b"\x01\x01" + base[6:12], b"\x01\x01" + mac)
        frames.append(bytes(head) + icmp(text(source), "ff02::1", 134, 0, body[4:]))
    return frames


@pytest.fixture(scope="module")
def from_new_routers() -> list[bytes]:
    return flood(ROUTER, 20_000, new_routers=True)


def take(play: Play, frames: list[bytes], times: int = 1, every: float = 0.000_05) -> None:
    """All frames in a row, in virtual time."""
    for _ in range(times):
        for octets in frames:
            play.now += every
            assert play.host.receive(octets, play.now) is Verdict.DELIVERED
            play.host.advance(play.now)
    play.settle()


def test_twenty_thousand(from_new_routers: list[bytes]) -> None:
    """20,000 advertisements in a second, all from new routers with new prefixes, routes and servers.

    Tables and timers stay within their limits, and what was in use stays.
    """
    play = in_use()
    take(play, from_new_routers, times=COUNT // len(from_new_routers))
    within_limits(play)
    still_in_use(play)
    # What the flood brought goes with its lifetimes, and the host is as before.
    hears(play, prefix_option(), lifetime=9000)
    play.run(play.now + 9_000.0)
    assert len(play.interface.routers) <= 1


def test_under_the_address_of_the_router_in_use() -> None:
    """Whoever writes the router's address into new prefixes gains no place of those that were there before."""
    play = in_use()
    take(play, flood(ROUTER, 3_000, new_routers=False))
    within_limits(play)
    still_in_use(play)
    play.run(play.now + 2_000.0)
    assert play.address(OUR_ADDRESS) == "preferred"


def test_an_honest_router_after_the_flood(from_new_routers: list[bytes]) -> None:
    """A full table lets a new honest router through: it takes a place of what the flood brought."""
    play = ready()
    take(play, from_new_routers[:2_000])
    within_limits(play)
    options = (prefix_option(), route_option("2001:db8:7::", 48), servers_option(SERVER), search_option("example.org"))
    hears(play, *options, router=OTHER_ROUTER, preference=0b01)
    play.run(play.now + 5.0)
    assert play.interface.routers.select(play.now) == ip(OTHER_ROUTER), "of high preference"
    assert next_hop(play.interface, ip("2001:db8:7::1"), play.now) == ip(OTHER_ROUTER)
    assert play.interface.prefixes.is_on_link(ip(PREFIX + "9"))
    assert play.address(OUR_ADDRESS) == "preferred"
    assert play.interface.dns.servers.values()[0] == SERVER


def test_little_is_sent_because_of_it(from_new_routers: list[bytes]) -> None:
    """No flood of advertisements becomes a flood of reports and probes: at most a few frames for an address kept."""
    play = in_use()
    take(play, from_new_routers)
    play.run(play.now + 10.0)
    assert len(play.sent()) <= 10 * play.host.settings.max_addresses


def test_lifetimes_survive_it(from_new_routers: list[bytes]) -> None:
    """RFC 4862 5.5.3 e is about the own prefix; of others nothing is touched."""
    play = in_use()
    before = lifetimes(play)
    since = play.now
    take(play, from_new_routers[:1_000])
    assert lifetimes(play) == tuple(pytest.approx(each - (play.now - since)) for each in before if each is not None)


def test_one_message_full_of_options() -> None:
    """An advertisement of 1,500 octets has room for 45 prefixes or 90 routes."""
    play = in_use(max_prefixes=8, max_learnt_routes=8, max_addresses=4)
    for number in range(200):
        options = [prefix_option(f"2001:db9:{number:x}:{n:x}::") for n in range(44)]
        hears(play, *options, router=f"fe80::{number + 0x100:x}", lladdr=False)
        options = [route_option(f"2001:db9:{number:x}:{n:x}::", 64) for n in range(88)]
        hears(play, *options, router=f"fe80::{number + 0x100:x}", lladdr=False)
    within_limits(play)
    still_in_use(play)


def test_renewals_in_a_row() -> None:
    """The same advertisement 20,000 times: nothing grows."""
    play = ready(use_tempaddr=2)
    options = (prefix_option(), route_option("2001:db8:7::", 48), servers_option(SERVER), mtu_option(1400))
    octets = advertisement(*options)
    take(play, [octets], times=20_000)
    within_limits(play)
    assert tables(play) | {"gc_thresh3": 1} == {
        "max_routers": 1,
        "max_learnt_routes": 1,
        "max_prefixes": 1,
        "max_addresses": 2,
        "max_dns_servers": 1,
        "max_dns_domains": 0,
        "gc_thresh3": 1,
    }
    assert len(addresses(play)) == 2


def test_neighbour_entries_of_routers() -> None:
    """RFC 6583 2: the cache is bounded, and the router in use keeps its entry."""
    play = in_use(gc_thresh3=8)
    for number in range(200):
        hears(play, router=f"fe80::{number + 0x100:x}")
    assert len(play.interface.resolver.cache) <= 8 and play.neighbour(ROUTER) is not None


# -- any octets at all

UNITS = st.integers(0, 6)
OPTION = st.builds(
    lambda kind, units, data: bytes((kind, units)) + data[: max(0, 8 * units - 2)].ljust(max(0, 8 * units - 2), b"\0"),
    st.sampled_from((1, 2, 3, 4, 5, 14, 24, 25, 31, 38, 0, 255)),
    UNITS,
    st.binary(max_size=48),
)
PLAUSIBLE = st.one_of(
    st.builds(
        lambda prefix, length, flags, valid, preferred: (
            struct.pack("!BBBBIII", 3, 4, length, flags, valid, preferred, 0) + prefix
        ),
        st.sampled_from((ip(PREFIX), ip("fe80::"), ip("ff02::1"), bytes(16), ip("::ffff:1.2.3.4"), ip("2001:db8:2::"))),
        st.sampled_from((0, 10, 48, 64, 96, 128, 129, 255)),
        st.integers(0, 255),
        st.sampled_from((0, 1, 7200, 0xFFFFFFFE, 0xFFFFFFFF)),
        st.sampled_from((0, 1, 7200, 0xFFFFFFFE, 0xFFFFFFFF)),
    ),
    st.builds(
        lambda kind, units, lifetime, data: (
            struct.pack("!BBHI", kind, units, 0, lifetime) + data[: 8 * units - 8].ljust(8 * units - 8, b"\0")
        ),
        st.sampled_from((24, 25, 31)),
        st.integers(1, 6),
        st.sampled_from((0, 1, 600, 0xFFFFFFFF)),
        st.binary(max_size=40),
    ),
    OPTION,
)
SMALL = {
    "max_routers": 2,
    "max_learnt_routes": 2,
    "max_prefixes": 2,
    "max_addresses": 3,
    "max_dns_servers": 2,
    "max_dns_domains": 2,
    "gc_thresh3": 4,
}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(("fe80::a1", "fe80::a2", "fe80::a3", "fe80::a4")),
            st.binary(min_size=12, max_size=12),
            st.one_of(st.lists(PLAUSIBLE, max_size=6).map(b"".join), st.binary(max_size=80)),
            st.floats(0.0, 10_000.0),
        ),
        max_size=8,
    )
)
def test_any_octets(messages: list[tuple[str, bytes, bytes, float]]) -> None:
    """Nothing raises, every frame has its outcome, no table outgrows its limit, and all ends when the lifetimes do."""
    play = ready(**SMALL, use_tempaddr=2)
    for router, fixed, options, later in messages:
        message = icmp(router, "ff02::1", 134, 0, fixed + options)
        outcome = play.receive(frame(packet(router, "ff02::1", message), mac=mac_of(router)))
        assert outcome in (Verdict.DELIVERED, Discard.ND_OPTIONS)
        within_limits(play)
        play.run(play.now + later)
        within_limits(play)
    play.interface.stop(play.now)
    assert len(play.host.timers) == 0
    assert not any(tables(play).values())
