"""The default router list and learnt routes: RFC 4861 6.3.4 to 6.3.6, 7.2.5, 7.3.3; RFC 4191 2 and 3."""

import pytest

from stack.events import RouteChanged, RouterChanged
from stack.ip6.routes import next_hop
from tests.nd.advertising import (
    FOREVER,
    HIGH,
    LOW,
    MEDIUM,
    NS,
    OTHER_ROUTER,
    RESERVED,
    ROUTER,
    ROUTER_MAC,
    THIRD_ROUTER,
    hears,
    mac_of,
    ready,
    route_option,
)
from tests.playbook import OUR_LINK_LOCAL, Play, icmp, ip, lladdr_option, packet, solicitation, text
from tests.playbook import advertisement as neighbour_advertisement

DESTINATION = "2001:db8:ffff::1"
PACKET = packet(OUR_LINK_LOCAL, DESTINATION, icmp(OUR_LINK_LOCAL, DESTINATION, 128, 0, bytes(4)))


def listed(play: Play) -> list[str]:
    """The default routers in order of arrival."""
    return [text(each) for each in play.interface.routers.table]


def selected(play: Play) -> str | None:
    chosen = play.interface.routers.select(play.now)
    play.settle()
    return None if chosen is None else text(chosen)


def routed(play: Play, destination: str = DESTINATION) -> str | None:
    """The router that a packet goes to."""
    chosen = next_hop(play.interface, ip(destination), play.now, PACKET)
    play.settle()
    return None if chosen is None else text(chosen)


def with_routers(*routers: str, **fields: int) -> Play:
    """A host that knows these routers and their link-layer addresses; none has been sent anything."""
    play = ready()
    for router in routers:
        hears(play, router=router, lifetime=9000, **fields)
    return play


def fails(play: Play, *routers: str) -> None:
    """Each router is sent something and does not answer, until its neighbour entry is given up (7.3.3)."""
    for router in routers:
        play.ping(router)
    play.run(play.now + 5.0 + 3.0 + 0.001)
    assert all(play.neighbour(router) is None for router in routers), "how this test prepares the host"
    play.sent()


def answers(play: Play, router: str, flags: str = "RSO") -> None:
    play.receive(neighbour_advertisement(router, flags=flags, mac=mac_of(router)))


# -- 6.3.4, 6.3.5: the list


def test_a_router_is_listed_for_its_lifetime() -> None:
    """6.3.4: created with a non-zero Router Lifetime; 6.3.5: discarded when that is over."""
    play = hears(ready(), lifetime=1800)
    since = play.now
    assert listed(play) == [ROUTER] and selected(play) == ROUTER
    play.run(since + 1799.9)
    assert listed(play) == [ROUTER]
    play.run(since + 1800.0)
    assert listed(play) == [] and selected(play) is None
    assert play.told("router") == [RouterChanged(ip(ROUTER), "medium"), RouterChanged(ip(ROUTER), None)]


@pytest.mark.parametrize("lifetime", [1, 9000, 9001, 65535])
def test_any_lifetime(lifetime: int) -> None:
    """4.2: receivers should handle any value up to 65535."""
    play = hears(ready(), lifetime=lifetime)
    since = play.now
    play.run(since + lifetime - 0.001)
    assert listed(play) == [ROUTER]
    play.run(since + lifetime)
    assert listed(play) == []


def test_a_later_advertisement_resets_the_lifetime() -> None:
    """6.3.4: the invalidation timer is reset to the newly received lifetime, a shorter one too."""
    play = hears(ready(), lifetime=1800)
    play.run(play.now + 1000.0)
    hears(play, lifetime=1800)
    play.run(play.now + 1799.0)
    assert listed(play) == [ROUTER]
    hears(play, lifetime=10)
    play.run(play.now + 10.0)
    assert listed(play) == []


def test_a_lifetime_of_zero_ends_it_at_once() -> None:
    """6.3.4: if the received Router Lifetime is zero, immediately time-out the entry."""
    play = with_routers(ROUTER, OTHER_ROUTER)
    hears(play, lifetime=0)
    assert listed(play) == [OTHER_ROUTER] and selected(play) == OTHER_ROUTER


def test_a_router_that_is_no_default_router() -> None:
    """6.3.4: an address that is not listed is not listed with a lifetime of zero either."""
    play = hears(ready(), lifetime=0)
    assert listed(play) == [] and play.told("router") == []


def test_zero_and_not_zero_in_turn() -> None:
    """A router that comes and goes with every advertisement leaves nothing behind."""
    play = ready()
    before = len(play.host.timers)
    for _ in range(500):
        hears(play, route_option("2001:db8:7::", 48), lifetime=1800)
        hears(play, route_option("2001:db8:7::", 48, lifetime=0), lifetime=0)
    assert listed(play) == [] and len(play.interface.routers.routes) == 0
    assert len(play.host.timers) == before


def test_each_router_has_its_own_lifetime() -> None:
    """6.3.4: information of one advertisement invalidates nothing of another one."""
    play = hears(ready(), lifetime=100)
    hears(play, router=OTHER_ROUTER, lifetime=200)
    play.run(play.now + 150.0)
    assert listed(play) == [OTHER_ROUTER]


# -- 6.3.6: choosing


def test_among_equals_the_first_stays_chosen() -> None:
    """6.3.6: routers that are probably reachable (STALE) are used, and the choice does not wander."""
    play = with_routers(ROUTER, OTHER_ROUTER)
    assert [selected(play) for _ in range(5)] == [ROUTER] * 5


def test_unreachable_routers_are_not_preferred() -> None:
    """6.3.6 1: reachable or probably reachable ones before those whose reachability is suspect."""
    play = with_routers(ROUTER, OTHER_ROUTER)
    fails(play, ROUTER)
    assert [selected(play) for _ in range(3)] == [OTHER_ROUTER] * 3
    assert listed(play) == [ROUTER, OTHER_ROUTER], "7.3.3: the entry of the neighbour falls, not that of the router"


def test_a_router_under_resolution_is_suspect() -> None:
    """6.3.6 1: INCOMPLETE is the one state that does not count as probably reachable."""
    play = ready()
    hears(play, lladdr=False, lifetime=9000)
    hears(play, router=OTHER_ROUTER, lifetime=9000)
    play.ping(ROUTER)
    assert play.neighbour(ROUTER) == "INCOMPLETE" and selected(play) == OTHER_ROUTER


def test_one_that_is_known_before_one_of_which_nothing_is() -> None:
    """6.3.6 1: no neighbour cache entry is less than one in any state but INCOMPLETE."""
    play = hears(ready(), lladdr=False, lifetime=9000)
    assert selected(play) == ROUTER, "RFC 4191 3.2: without information it is assumed to be reachable"
    hears(play, router=OTHER_ROUTER, lifetime=9000)
    assert selected(play) == OTHER_ROUTER


def test_round_robin_when_none_answers() -> None:
    """6.3.6 2: subsequent requests do not return the same router until all other routers have been selected."""
    routers = [ROUTER, OTHER_ROUTER, THIRD_ROUTER]
    play = with_routers(*routers)
    fails(play, *routers)
    turns = [selected(play) for _ in range(7)]
    assert sorted(turns[:3]) == sorted(turns[3:6]) == sorted(routers)
    assert turns[:3] == turns[3:6] and turns[6] == turns[0]


def test_round_robin_goes_on_when_a_router_leaves() -> None:
    routers = [ROUTER, OTHER_ROUTER, THIRD_ROUTER]
    play = with_routers(*routers)
    fails(play, *routers)
    assert [selected(play), selected(play)] == [ROUTER, OTHER_ROUTER]
    hears(play, router=OTHER_ROUTER, lifetime=0, lladdr=False)
    assert [selected(play), selected(play)] == [THIRD_ROUTER, ROUTER], "the next in turn is neither left out nor twice"


@pytest.mark.parametrize("how", ["advertisement with its address", "answer to a solicitation", "solicitation"])
def test_a_router_is_back(how: str) -> None:
    """7.3.3, 6.3.6: once its link-layer address is known anew it is in a state other than INCOMPLETE."""
    play = with_routers(ROUTER, OTHER_ROUTER)
    fails(play, ROUTER)
    if how == "advertisement with its address":
        hears(play, lifetime=9000)
    elif how == "solicitation":
        play.receive(solicitation("fe80::6eff:fe00:1", source=ROUTER, mac=ROUTER_MAC))
    else:
        play.ping(ROUTER)
        assert play.neighbour(ROUTER) == "INCOMPLETE" and selected(play) == OTHER_ROUTER
        answers(play, ROUTER)
    assert selected(play) == ROUTER


def test_an_advertisement_without_an_address_says_nothing_of_reachability() -> None:
    """7.3.1: an advertisement of a router only shows that its packets come here."""
    play = with_routers(ROUTER, OTHER_ROUTER)
    fails(play, ROUTER)
    hears(play, lladdr=False, lifetime=9000)
    assert selected(play) == OTHER_ROUTER


# -- RFC 4191: preference

PREFERENCES = {
    "high before medium": ((MEDIUM, HIGH), 1),
    "high before low": ((LOW, HIGH), 1),
    "medium before low": ((LOW, MEDIUM), 1),
    "reserved is medium: before low": ((LOW, RESERVED), 1),
    "reserved is medium: behind high": ((RESERVED, HIGH), 1),
    "reserved is medium: as medium": ((MEDIUM, RESERVED), 0),
}


@pytest.mark.parametrize(("preferences", "chosen"), PREFERENCES.values(), ids=PREFERENCES)
def test_preference(preferences: tuple[int, int], chosen: int) -> None:
    """RFC 4191 2.1, 2.2, 3.2."""
    routers = (ROUTER, OTHER_ROUTER)
    play = ready()
    for router, preference in zip(routers, preferences, strict=True):
        hears(play, router=router, preference=preference)
    assert selected(play) == routers[chosen]


def test_reachability_before_preference() -> None:
    """RFC 4191 3.2: primarily reachable routers over non-reachable ones, secondarily the preference."""
    play = hears(ready(), preference=HIGH, lifetime=9000)
    hears(play, router=OTHER_ROUTER, preference=LOW, lifetime=9000)
    assert selected(play) == ROUTER
    fails(play, ROUTER)
    assert selected(play) == OTHER_ROUTER


def test_no_information_is_reachable() -> None:
    """RFC 4191 3.2: a host without information about a router's reachability assumes that it is reachable."""
    play = hears(ready(), preference=HIGH, lladdr=False)
    hears(play, router=OTHER_ROUTER, preference=MEDIUM)
    assert selected(play) == ROUTER


def test_a_changed_preference_counts_at_once() -> None:
    """RFC 4191 3.1: the preference is updated if the route is already present; it is an event."""
    play = with_routers(ROUTER, OTHER_ROUTER)
    hears(play, router=OTHER_ROUTER, preference=HIGH, lifetime=9000)
    assert selected(play) == OTHER_ROUTER
    assert play.told("router")[-1] == RouterChanged(ip(OTHER_ROUTER), "high")
    count = len(play.told("router"))
    hears(play, router=OTHER_ROUTER, preference=HIGH, lifetime=9000)
    assert len(play.told("router")) == count, "a renewal is no news"


def test_a_better_router_that_is_passed_over_is_asked_once_a_minute() -> None:
    """RFC 4191 3.5: a single solicitation to each, with useful traffic only, and no more than one a minute."""
    play = hears(ready(), preference=HIGH, lifetime=9000)
    hears(play, router=OTHER_ROUTER, preference=LOW, lifetime=9000)
    fails(play, ROUTER)
    play.run(play.now + 600.0)
    assert play.sent(NS) == [], "not in the absence of traffic"
    since = play.now
    for _ in range(125):
        assert selected(play) == OTHER_ROUTER
        play.run(play.now + 1.0)
    asked = [each.time - since for each in play.sent(NS) if each.target == ROUTER]
    assert asked == pytest.approx([0.0, 60.0, 120.0])


def test_what_would_not_be_used_is_not_asked() -> None:
    """RFC 4191 3.5: only a router that the host would have used were it reachable."""
    play = hears(ready(), preference=HIGH, lifetime=9000)
    hears(play, router=OTHER_ROUTER, preference=LOW, lifetime=9000)
    fails(play, OTHER_ROUTER)
    assert selected(play) == ROUTER
    assert play.sent(NS) == []


# -- 7.2.5, 7.3.3: routers that are hosts now


def test_a_router_that_became_a_host() -> None:
    """7.2.5: IsRouter from TRUE to FALSE by an advertisement: the node MUST remove it from the Default Router List."""
    play = with_routers(ROUTER, OTHER_ROUTER)
    hears(play, route_option("2001:db8:7::", 48), lifetime=9000)
    play.ping(ROUTER)
    answers(play, ROUTER, "SO")
    assert listed(play) == [OTHER_ROUTER]
    assert not play.interface.routers.is_router(ip(ROUTER)), "its routes are gone with it"
    assert routed(play, "2001:db8:7::1") == OTHER_ROUTER


@pytest.mark.parametrize("flags", ["O", ""])
def test_unsolicited_too(flags: str) -> None:
    """7.3.3: the R flag of all received advertisements is compared with the entry's."""
    play = with_routers(ROUTER)
    play.receive(neighbour_advertisement(ROUTER, destination="ff02::1", flags=flags, mac=ROUTER_MAC))
    assert listed(play) == []


def test_an_advertisement_that_is_to_be_ignored_takes_nothing_off() -> None:
    """7.2.5 I: with O 0 and another link-layer address it must not update the entry in any other way."""
    play = with_routers(ROUTER)
    play.receive(neighbour_advertisement(ROUTER, destination="ff02::1", flags="", mac=bytes.fromhex("020000000666")))
    assert listed(play) == [ROUTER]


def test_a_router_with_the_flag_stays() -> None:
    play = with_routers(ROUTER)
    play.ping(ROUTER)
    answers(play, ROUTER, "RSO")
    assert listed(play) == [ROUTER]


def test_a_router_resolved_after_its_advertisement() -> None:
    """Appendix D: what its advertisement said holds for an entry that is made later: 1 to 0 is seen there, too."""
    play = hears(ready(), lladdr=False)
    play.ping(ROUTER)
    answers(play, ROUTER, "SO")
    assert listed(play) == []


def test_it_may_be_a_router_again() -> None:
    play = with_routers(ROUTER)
    play.receive(neighbour_advertisement(ROUTER, destination="ff02::1", flags="O", mac=ROUTER_MAC))
    hears(play)
    assert listed(play) == [ROUTER]


# -- RFC 4191: routes


def test_a_route_for_its_lifetime() -> None:
    """RFC 4191 2.3, 3.1: added with a non-zero lifetime, gone after it."""
    play = hears(ready(), route_option("2001:db8:7::", 48, lifetime=600), lifetime=0)
    since = play.now
    assert routed(play, "2001:db8:7:1::1") == ROUTER and routed(play, "2001:db8:8::1") is None
    assert play.interface.routers.is_router(ip(ROUTER)) and selected(play) is None, "no default router by it"
    play.run(since + 599.9)
    assert routed(play, "2001:db8:7:1::1") == ROUTER
    play.run(since + 600.0)
    assert routed(play, "2001:db8:7:1::1") is None and not play.interface.routers.is_router(ip(ROUTER))
    assert play.told("route") == [
        RouteChanged(ip("2001:db8:7::"), 48, ip(ROUTER), 0),
        RouteChanged(ip("2001:db8:7::"), 48, ip(ROUTER), None),
    ]


def test_a_lifetime_of_all_ones_is_for_ever() -> None:
    """RFC 4191 2.3: 0xffffffff represents infinity."""
    play = hears(ready(), route_option("2001:db8:7::", 48, lifetime=FOREVER), lifetime=0)
    play.run(play.now + 2.0 * FOREVER)
    assert routed(play, "2001:db8:7::1") == ROUTER
    assert play.interface.routers.listing(play.now)[0].expires is None


def test_the_routers_lifetime_has_nothing_to_do_with_it() -> None:
    """4.2: the Router Lifetime applies only to its usefulness as a default router."""
    play = hears(ready(), route_option("2001:db8:7::", 48, lifetime=600), lifetime=30)
    play.run(play.now + 100.0)
    assert listed(play) == [] and routed(play, "2001:db8:7::1") == ROUTER


def test_removed_with_a_lifetime_of_zero() -> None:
    """RFC 4191 3.1: the route is located by prefix, length and router."""
    play = hears(ready(), route_option("2001:db8:7::", 48), lifetime=0)
    hears(play, route_option("2001:db8:7::", 48), router=OTHER_ROUTER, lifetime=0)
    hears(play, route_option("2001:db8:7::", 49, lifetime=0), lifetime=0)
    assert routed(play, "2001:db8:7::1") == ROUTER, "another length is another route"
    hears(play, route_option("2001:db8:7::", 48, lifetime=0), lifetime=0)
    assert routed(play, "2001:db8:7::1") == OTHER_ROUTER, "another router's is another route"


ORDER = {
    "the longest prefix": (("2001:db8:7::", 48, HIGH), ("2001:db8:7:1::", 64, LOW), 1),
    "the higher preference among equals": (("2001:db8:7::", 48, LOW), ("2001:db8:7::", 48, HIGH), 1),
    "the earlier one if all is equal": (("2001:db8:7::", 48, MEDIUM), ("2001:db8:7::", 48, MEDIUM), 0),
    "a host route": (("2001:db8:7:1::", 127, HIGH), ("2001:db8:7:1::1", 128, LOW), 1),
}


@pytest.mark.parametrize(("one", "other", "chosen"), ORDER.values(), ids=ORDER)
def test_which_route(one: tuple[str, int, int], other: tuple[str, int, int], chosen: int) -> None:
    """RFC 4191 3.2: the longest prefix that matches, with the preference as a tie-breaker."""
    play = ready()
    for router, (prefix, length, preference) in zip((ROUTER, OTHER_ROUTER), (one, other), strict=True):
        hears(play, route_option(prefix, length, preference=preference), router=router, lifetime=0)
    assert routed(play, "2001:db8:7:1::1") == (ROUTER, OTHER_ROUTER)[chosen]


def example_of_section_3_6() -> tuple[Play, dict[str, str]]:
    routers = {name: f"fe80::{number}" for name, number in zip("WXYZ", (0xB1, 0xB2, 0xB3, 0xB4), strict=True)}
    play = hears(ready(), router=routers["W"], preference=MEDIUM, lifetime=9000)
    for name, prefix, length, preference in (
        ("X", "2002::", 16, MEDIUM),
        ("Y", "2001:db8::", 32, HIGH),
        ("Z", "2001:db8::", 32, LOW),
    ):
        option = route_option(prefix, length, preference=preference, lifetime=9000)
        hears(play, option, router=routers[name], lifetime=0)
    return play, routers


@pytest.mark.parametrize(
    ("failed", "chosen", "asked"),
    [("", "Y", ""), ("Y", "Z", "Y"), ("YZ", "W", "YZ"), ("WYZ", "Y", "WZ"), ("X", "Y", ""), ("Z", "Y", "")],
)
def test_the_example(failed: str, chosen: str, asked: str) -> None:
    """RFC 4191 3.6: which router is used for 2001:db8::1, and which are probed meanwhile."""
    play, routers = example_of_section_3_6()
    if failed:
        fails(play, *(routers[name] for name in failed))
    play.sent()
    best = routed(play, "2001:db8::1")
    if best is None:
        best = selected(play)
    assert best == routers[chosen]
    if failed != "WYZ":
        assert sorted(each.target for each in play.sent(NS)) == sorted(routers[name] for name in asked)


def test_the_default_route_as_an_option() -> None:
    """RFC 4191 3.1, its example: a ::/0 route overrides preference and lifetime of the header."""
    play = hears(ready(), route_option("::", 0, lifetime=200, preference=LOW), lifetime=100, preference=MEDIUM)
    (route,) = play.interface.routers.listing(play.now)
    assert (route.prefix, route.prefix_length, text(route.gateway)) == (bytes(16), 0, ROUTER)
    assert (route.preference, route.expires) == ("low", pytest.approx(200.0))
    play.run(play.now + 150.0)
    assert selected(play) == ROUTER


def test_the_default_route_by_an_option_alone() -> None:
    """RFC 4191 2.2: in addition to the header a ::/0 option may make a default route, and end it."""
    play = hears(ready(), route_option("::", 0, lifetime=FOREVER, preference=HIGH), lifetime=0)
    assert selected(play) == ROUTER
    play.run(play.now + 1e6)
    assert selected(play) == ROUTER
    hears(play, route_option("::", 0, lifetime=0), lifetime=1800)
    assert selected(play) is None


WRONG_ROUTES = {
    "a reserved preference": route_option("2001:db8:7::", 48, preference=RESERVED),
    "a length above 128": route_option("2001:db8:7::", 129),
    "a length of 255": route_option("2001:db8:7::", 255, units=3),
    "65 bits in 8 octets": route_option("2001:db8:7::", 65, units=2),
    "1 bit in no octets": route_option("2001:db8:7::", 1, units=1),
    "4 units": route_option("2001:db8:7::", 48, units=4),
}


@pytest.mark.parametrize("option", WRONG_ROUTES.values(), ids=WRONG_ROUTES)
def test_a_route_that_is_ignored(option: bytes) -> None:
    """RFC 4191 2.3: no length above 128, nor longer than its octets; the rest of the message counts."""
    play = hears(ready(), option, route_option("2001:db8:8::", 48))
    assert len(play.interface.routers.routes) == 1 and routed(play, "2001:db8:8::1") == ROUTER
    assert listed(play) == [ROUTER]


@pytest.mark.parametrize("units", [2, 3])
def test_more_octets_than_the_length_needs(units: int) -> None:
    """RFC 4191 2.3: with a length of up to 64 the option has 2 or 3 units; bits behind the length are ignored."""
    play = hears(ready(), route_option("2001:db8:7:ffff:ffff::1", 48, units=units), lifetime=0)
    assert routed(play, "2001:db8:7:1::1") == ROUTER
    assert play.interface.routers.listing(play.now)[0].prefix == ip("2001:db8:7::")


@pytest.mark.parametrize(
    ("limit", "length", "taken"), [(48, 48, True), (48, 49, False), (0, 16, False), (128, 128, True)]
)
def test_accept_ra_rt_info_max_plen(limit: int, length: int, taken: bool) -> None:
    """The setting: longer prefixes are not taken."""
    play = hears(ready(accept_ra_rt_info_max_plen=limit), route_option("2001:db8:7::", length), lifetime=0)
    assert (routed(play, "2001:db8:7::") == ROUTER) is taken


def test_generation() -> None:
    """RFC 4191 3.3: whoever remembers a next hop can tell by it that next hops are to be determined anew."""
    play = ready()
    seen = [play.interface.routers.generation]

    def changed() -> bool:
        seen.append(play.interface.routers.generation)
        return seen[-1] != seen[-2]

    hears(play, lifetime=9000)
    assert changed(), "a router"
    hears(play, lifetime=9000)
    assert not changed(), "a renewal"
    hears(play, lifetime=9000, preference=HIGH)
    assert changed(), "a preference"
    hears(play, route_option("2001:db8:7::", 48), lifetime=9000, preference=HIGH)
    assert changed(), "a route"
    fails(play, ROUTER)
    assert changed(), "a router that does not answer"
    play.receive(neighbour_advertisement(ROUTER, destination="ff02::1", flags="RO", mac=ROUTER_MAC))
    hears(play, lifetime=9000, preference=HIGH)
    assert changed(), "a router that is back"
    hears(play, lifetime=0)
    assert changed(), "a router that leaves"


def test_listing() -> None:
    """What `route show` asks for: default routes, then routes, with preference and remaining lifetime."""
    play = hears(ready(), route_option("2001:db8:7::", 48, lifetime=600, preference=LOW), preference=HIGH)
    play.run(play.now + 100.0)
    listing = [
        (text(each.prefix), each.prefix_length, text(each.gateway), each.preference, each.expires)
        for each in play.interface.routers.listing(play.now)
    ]
    assert listing == [
        ("::", 0, ROUTER, "high", pytest.approx(1700.0)),
        ("2001:db8:7::", 48, ROUTER, "low", pytest.approx(500.0)),
    ]


# -- bounds (6.3.4: at least two routers are kept)


def test_a_full_list_takes_the_newest_out() -> None:
    """A newcomer replaces what came last and was never used: neither those before it nor a later honest one lose."""
    play = ready(max_routers=2)
    for number in range(0xA1, 0xA8):
        hears(play, router=f"fe80::{number:x}")
    assert listed(play) == ["fe80::a1", "fe80::a7"]
    assert play.host.counters.limits["max_routers"] == 5


def test_a_router_in_use_is_never_replaced() -> None:
    """One that packets go to and that answers stays; so does the one before, if a newcomer finds none of less worth."""
    play = ready(max_routers=2)
    for router in (ROUTER, OTHER_ROUTER):
        hears(play, router=router, lifetime=9000)
        play.ping(router)
        play.run(play.now + 5.0)
        answers(play, router)
    for number in range(0xB0, 0xC0):
        hears(play, router=f"fe80::{number:x}", lifetime=9000)
    assert listed(play) == [ROUTER, OTHER_ROUTER]


def test_a_router_that_only_asks_and_answers_is_not_in_use() -> None:
    """Unreachability detection follows our answers, so whoever asks us can have themselves probed: that is no use."""
    play = ready(max_routers=2)
    hears(play, router=ROUTER, lifetime=9000)
    hears(play, router=OTHER_ROUTER, lifetime=9000)
    play.receive(solicitation("fe80::6eff:fe00:1", source=OTHER_ROUTER, options=lladdr_option(1, mac_of(OTHER_ROUTER))))
    play.run(play.now + 5.5)
    answers(play, OTHER_ROUTER)
    assert play.neighbour(OTHER_ROUTER) == "REACHABLE", "how this test prepares the host"
    hears(play, router=THIRD_ROUTER, lifetime=9000)
    assert listed(play) == [ROUTER, THIRD_ROUTER]


def test_a_full_table_of_routes() -> None:
    play = ready(max_learnt_routes=3)
    for number in range(10):
        hears(play, route_option(f"2001:db8:{number:x}::", 48), lifetime=0)
    kept = [text(each.prefix) for each in play.interface.routers.listing(play.now)]
    assert kept == ["2001:db8::", "2001:db8:1::", "2001:db8:9::"]
    assert play.host.counters.limits["max_learnt_routes"] == 7


def test_what_is_repeated_outlasts_what_is_not() -> None:
    """A flood of ever new routers and routes says nothing twice; an honest router that came last does."""
    play = ready(max_routers=2, max_learnt_routes=2)
    hears(play, route_option("2001:db8:1::", 48), router=OTHER_ROUTER)
    for _ in range(2):
        hears(play, route_option("2001:db8:7::", 48))
    for number in range(0xB0, 0xC0):
        hears(play, route_option(f"2001:db8:{number:x}::", 48), router=f"fe80::{number:x}")
    assert ROUTER in listed(play) and routed(play, "2001:db8:7::1") == ROUTER


def test_a_router_that_left_is_judged_anew() -> None:
    """RFC 4191 3.2: nothing is known of a router that comes anew, so it is assumed to be reachable."""
    play = hears(ready(), preference=HIGH, lifetime=9000)
    hears(play, router=OTHER_ROUTER, lifetime=9000)
    fails(play, ROUTER)
    hears(play, lifetime=0, lladdr=False)
    hears(play, preference=HIGH, lifetime=9000, lladdr=False)
    assert selected(play) == ROUTER
