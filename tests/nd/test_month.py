"""A month of renewals in virtual time: it passes in seconds, and nothing is left that should be gone."""

import itertools

import pytest

from stack.ip6.routes import next_hop
from tests.nd.advertising import (
    OTHER_ROUTER,
    OUR_ADDRESS,
    PREFIX,
    ROUTER,
    RS,
    addresses,
    advertisement,
    mtu_option,
    prefix_option,
    ready,
    route_option,
    search_option,
    servers_option,
)
from tests.playbook import Play, ip, text

pytestmark = pytest.mark.long

DAY = 86_400.0
MONTH = 30 * DAY
# RFC 4861 6.2.1: MaxRtrAdvInterval 600 s; two routers, an advertisement every five minutes in all.
INTERVAL = 600.0
FIRST = advertisement(
    prefix_option(valid=86_400, preferred=14_400),
    mtu_option(1400),
    servers_option("2001:db8::53"),
    search_option("example.org"),
    lifetime=1800,
    flags="O",
)
SECOND = advertisement(
    prefix_option("2001:db8:2::", valid=7_200, preferred=1_800),
    route_option("2001:db8:7::", 48, lifetime=1800),
    servers_option("2001:db8:2::53"),
    router=OTHER_ROUTER,
    lifetime=1800,
    flags="O",
)


def temporaries(play: Play) -> list[bytes]:
    return [each.address for each in play.interface.addresses.table.values() if each.temporary]


def pass_time(play: Play, until: float, *frames: bytes) -> None:
    """Advertisements in turn, each router's every INTERVAL, and everything that is due in between."""
    for octets in itertools.cycle(frames):
        if play.now >= until:
            return
        play.run(play.now + INTERVAL / len(frames))
        play.receive(octets)
        play.sent()


def test_a_month() -> None:
    """Renewed, everything stays as it is; no longer renewed, everything goes, timers included."""
    play = ready(use_tempaddr=2, router_solicitations=3)
    before = len(play.host.timers)
    pass_time(play, play.now + INTERVAL, FIRST, SECOND)
    settled = len(play.host.timers)
    temporary = set(temporaries(play))
    events = len(play.events)
    for _ in range(30):
        pass_time(play, play.now + DAY, FIRST, SECOND)
        assert play.address(OUR_ADDRESS) == "preferred"
        assert play.address("2001:db8:2::6eff:fe00:1") == "preferred"
        assert play.interface.routers.select(play.now) == ip(ROUTER)
        assert next_hop(play.interface, ip("2001:db8:7::1"), play.now) == ip(OTHER_ROUTER)
        assert play.interface.prefixes.is_on_link(ip(PREFIX + "9"))
        assert play.interface.dns.servers.values() == ("2001:db8:2::53", "2001:db8::53")
        assert play.interface.mtu == 1400 and play.interface.discovery.other
        # Two days of validity, a new one after 0.6 to 1 days, for the first prefix; for the second, too,
        # each time for as long as its own lifetimes are extended.
        assert 2 <= len(temporaries(play)) <= 8
        assert len(addresses(play)) == 2 + len(temporaries(play))
        assert len(play.host.timers) <= settled + 3 * len(temporaries(play))
        temporary |= set(temporaries(play))
    assert play.now > MONTH
    assert 2 * 30 <= len(temporary) <= 2 * 30 / 0.6 + 4, "one or two a day for each prefix"
    kinds = {each.kind for each in play.events[events:]}
    assert kinds <= {"address", "group", "filter"}, "renewals are no news, temporary addresses are"
    # And then the routers fall silent.
    play.run(play.now + 2.1 * DAY)
    assert addresses(play) == []
    assert [text(each) for each in play.interface.addresses.table] == ["fe80::6eff:fe00:1"]
    assert len(play.interface.routers) == len(play.interface.routers.routes) == len(play.interface.prefixes) == 0
    assert play.interface.dns.servers.values() == () == play.interface.dns.search.values()
    assert len(play.interface.autoconfiguration.table) == 0
    assert len(play.interface.listener.groups.records) == 2, "ff02::1 and the group of the link-local address"
    assert len(play.host.timers) == before, "RFC 4861 6.3.7: nor is anybody asked for a router meanwhile"
    assert play.sent(RS) == []


def test_a_month_of_another_router_every_day() -> None:
    """A link whose router and prefix change every day: at no time more than those of two days."""
    play = ready()
    for day in range(30):
        prefix = f"2001:db8:{day + 1:x}::"
        octets = advertisement(prefix_option(prefix, valid=7_200, preferred=1_800), router=f"fe80::{day + 1:x}")
        pass_time(play, play.now + DAY, octets)
        assert addresses(play) == [f"{prefix}6eff:fe00:1"]
        assert len(play.interface.routers) == len(play.interface.prefixes) == 1
    play.run(play.now + 7_200.0)
    assert addresses(play) == [] and len(play.host.timers) == 0


def test_a_month_of_nothing() -> None:
    """RFC 7559: without a router a solicitation an hour, and no more than one timer for it."""
    play = Play(router_solicitations=-1).start(until=MONTH)
    assert len(play.host.timers) == 1
    play = Play(router_solicitations=-1)
    play.interface.start(play.now)
    play.run(MONTH)
    assert 30 * 24 / 1.1 - 1 <= len(play.sent(RS)) <= 30 * 24 / 0.9 + 12
