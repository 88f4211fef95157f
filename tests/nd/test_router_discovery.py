"""Router solicitations and what their answers say of the link: RFC 4861 6.3.2, 6.3.4, 6.3.7; RFC 7559."""

import itertools

import pytest

from stack.events import ConfigurationFlags, LinkMtuChanged, NoRouters
from tests.nd.advertising import (
    NS,
    PREFIX,
    REPORT,
    ROUTER,
    ROUTER_MAC,
    RS,
    advertisement,
    hears,
    mtu_option,
    prefix_option,
    ready,
)
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    Play,
    Sent,
    echo_request,
    ip,
    lladdr_option,
    solicitation,
)
from tests.playbook import advertisement as neighbour_advertisement

ALL_ROUTERS_MAC = bytes.fromhex("333300000002")


def started(seed: int = 1, **settings: int | str) -> Play:
    """A host at the moment its interface comes up, which solicits as by default unless told otherwise."""
    return Play(seed, **({"router_solicitations": 3} | settings)).start(until=None)


def solicitations(play: Play) -> list[Sent]:
    return play.sent(RS)


def times(play: Play) -> list[float]:
    return [each.time for each in solicitations(play)]


def valid_at(play: Play) -> float:
    """When the link-local address becomes valid: one second after its only probe."""
    while play.address() != "preferred":
        deadline = play.host.next_deadline()
        assert deadline is not None
        play.run(deadline)
    return play.now


# -- 6.3.7: what is sent


def test_the_solicitation() -> None:
    """4.1: to ff02::2, hop limit 255, code 0, reserved 0, and from an address with our link-layer address."""
    play = started()
    play.run(3.0)
    (sent,) = solicitations(play)
    assert (sent.source, sent.destination, sent.hop_limit) == (OUR_LINK_LOCAL, "ff02::2", 255)
    assert sent.to == ALL_ROUTERS_MAC
    assert sent.message[1] == 0 and sent.message[4:8] == bytes(4)
    assert sent.message[8:] == lladdr_option(1, OUR_MAC)
    assert sent.checksum_is_right()


def test_without_an_address_there_is_no_link_layer_address_in_it() -> None:
    """4.1: from :: the source link-layer address option must not be there."""
    play = started(addr_gen_mode=1)
    play.run(1.0)
    (sent,) = solicitations(play)
    assert (sent.source, sent.destination, sent.hop_limit) == ("::", "ff02::2", 255)
    assert sent.message[4:] == bytes(4)


def test_reports_then_probes_then_solicitations() -> None:
    """Start-up in its order: the group is reported, the address tested, and from the valid address the router asked."""
    play = started()
    play.run(3.0)
    frames = [(each.kind, each.source) for each in play.sent()]
    assert frames[:4] == [(REPORT, "::"), (NS, "::"), (REPORT, OUR_LINK_LOCAL), (RS, OUR_LINK_LOCAL)], "RFC 3590 4"


# -- 6.3.7: when


@pytest.mark.parametrize("seed", range(5))
def test_at_once_when_the_address_is_valid(seed: int) -> None:
    """6.3.7: no need to delay again, since there was a random delay before duplicate address detection."""
    play = started(seed)
    at = valid_at(play)
    assert 1.0 <= at < 2.0
    assert times(play) == [at]


def test_three_of_them_four_seconds_apart() -> None:
    """6.3.7, 10: up to MAX_RTR_SOLICITATIONS, each separated by at least RTR_SOLICITATION_INTERVAL."""
    play = started()
    at = valid_at(play)
    play.run(3600.0)
    assert times(play) == pytest.approx([at, at + 4.0, at + 8.0])


@pytest.mark.parametrize(("count", "interval"), [(1, 4), (5, 1), (2, 30)])
def test_count_and_interval_are_settings(count: int, interval: int) -> None:
    play = started(router_solicitations=count, router_solicitation_interval=interval)
    at = valid_at(play)
    play.run(3600.0)
    assert times(play) == pytest.approx([at + n * interval for n in range(count)])


@pytest.mark.parametrize("settings", [{"router_solicitations": 0}, {"accept_ra": 0}], ids=str)
def test_none_where_none_are_wanted(settings: dict[str, int]) -> None:
    play = started(**settings)
    play.run(60.0)
    assert solicitations(play) == []


def test_a_delay_of_its_own_where_nothing_was_delayed() -> None:
    """6.3.7: a random time between 0 and MAX_RTR_SOLICITATION_DELAY (1 s) before an initial solicitation."""
    first = []
    for seed in range(40):
        play = started(seed, dad_transmits=0)
        assert play.address() == "preferred" and times(play) == []
        play.run(1.0)
        (at,) = times(play)
        first.append(at)
    assert len(set(first)) == 40 and all(0 <= at < 1 for at in first)
    assert min(first) < 0.2 and max(first) > 0.8, "spread over the whole second"


def test_the_longest_delay_is_a_setting() -> None:
    play = started(dad_transmits=0, router_solicitation_delay=0)
    play.settle()
    assert times(play) == [0.0]
    late = []
    for seed in range(20):
        play = started(seed, dad_transmits=0, router_solicitation_delay=10)
        play.run(10.0)
        late.append(times(play)[0])
    assert max(late) > 5.0 and max(late) < 10.0


def test_from_nowhere_once_the_address_is_a_duplicate() -> None:
    """6.3.7: the source may be ::; where the link-local address turns out to be another's there is no other."""
    play = started(addr_gen_mode=3, idgen_retries=0)
    play.run(1.0)
    tentative = next(iter(play.interface.addresses.table))
    target = f"fe80::{tentative[8:].hex(':', 2)}"
    play.receive(neighbour_advertisement(target, destination="ff02::1", flags="O"))
    play.settle()
    (sent,) = solicitations(play)
    assert sent.source == "::" and sent.time == play.now


def test_the_next_identifier_is_waited_for() -> None:
    """RFC 7217 6: after a duplicate another address is tested; the solicitation comes from that one."""
    play = started(addr_gen_mode=3)
    play.run(1.0)
    tentative = next(iter(play.interface.addresses.table))
    play.receive(neighbour_advertisement(f"fe80::{tentative[8:].hex(':', 2)}", destination="ff02::1", flags="O"))
    assert solicitations(play) == []
    play.run(4.0)
    sent = solicitations(play)[0]
    assert sent.source != "::" and ip(sent.source) == play.interface.addresses.link_local()


def test_nothing_from_a_disabled_interface() -> None:
    """RFC 4862 5.4.5: the duplicate of a hardware-derived address ends IPv6 here, solicitations too."""
    play = started()
    play.run(1.0)
    play.receive(neighbour_advertisement(OUR_LINK_LOCAL, destination="ff02::1", flags="O"))
    assert play.interface.disabled
    play.run(60.0)
    assert solicitations(play) == [] and len(play.host.timers) == 0


# -- 6.3.7: when no more


def test_an_answer_ends_them() -> None:
    """6.3.7: once one was sent and a valid advertisement with a non-zero lifetime came, the host MUST desist."""
    play = started()
    valid_at(play)
    assert len(solicitations(play)) == 1
    play.receive(advertisement(destination=OUR_LINK_LOCAL))
    play.run(60.0)
    assert solicitations(play) == [] and play.told("router") == [
        each for each in play.told("router") if each != NoRouters()
    ]


def test_one_is_sent_though_a_router_was_heard_before() -> None:
    """6.3.7: SHOULD send at least one where an advertisement is received prior to it; an answer may say more."""
    play = started()
    play.run(0.5)
    play.receive(advertisement())
    at = valid_at(play)
    play.run(60.0)
    assert times(play) == [at]


def test_one_is_sent_though_a_router_was_heard_while_it_was_delayed() -> None:
    """6.3.7: the same where the delay is the solicitation's own."""
    play = started(dad_transmits=0)
    play.receive(advertisement())
    play.run(60.0)
    assert len(times(play)) == 1


KEEPS_ASKING = {
    "a router that is no default router": {"lifetime": 0},
    "an invalid one": {"received_hop_limit": 64},
}


@pytest.mark.parametrize("fields", KEEPS_ASKING.values(), ids=KEEPS_ASKING)
def test_what_does_not_end_them(fields: dict[str, int]) -> None:
    """6.3.7: only a valid advertisement with a non-zero router lifetime does."""
    play = started()
    valid_at(play)
    play.receive(advertisement(**fields))  # type: ignore[arg-type]
    play.run(60.0)
    assert len(solicitations(play)) == 3


def test_again_when_the_interface_comes_up_again() -> None:
    """6.3.7: the events after which a host may solicit: reinitialised after being disabled by system management."""
    play = started()
    valid_at(play)
    play.receive(advertisement())
    play.run(30.0)
    play.sent()
    for again in (play.interface.restart, play.interface.stop, play.interface.start):
        again(play.now)
        play.settle()
    play.run(play.now + 60.0)
    assert len(solicitations(play)) == 3


def test_no_router_is_an_event() -> None:
    """6.3.7: after the last one and MAX_RTR_SOLICITATION_DELAY the host concludes that there are no routers."""
    play = started()
    at = valid_at(play)
    play.run(at + 8.0 + 0.999)
    assert NoRouters() not in play.events
    play.run(at + 8.0 + 1.0)
    assert play.events.count(NoRouters()) == 1
    play.receive(advertisement())
    assert play.interface.routers.is_router(ip(ROUTER)), "6.3.7: it continues to process advertisements"


# -- RFC 7559


@pytest.mark.parametrize("seed", range(10))
def test_backing_off_without_end(seed: int) -> None:
    """RFC 7559 2 (text not read): IRT 4 s, then doubled up to MRT 3600 s, each with up to a tenth more or less."""
    play = started(seed, router_solicitations=-1)
    at = valid_at(play)
    play.run(at + 86_400.0)
    sent = times(play)
    assert sent[0] == at
    gaps = [later - earlier for earlier, later in itertools.pairwise(sent)]
    assert 3.6 <= gaps[0] <= 4.4
    for before, after in itertools.pairwise(gaps):
        if after < 3240.0:
            assert 1.9 * before <= after + 1e-6 and after <= 2.1 * before + 1e-6
    assert all(3240.0 <= gap <= 3960.0 for gap in gaps[-10:])
    assert len(set(gaps[-10:])) == 10, "a new random factor each time"
    assert NoRouters() not in play.events


def test_backing_off_ends_with_an_answer() -> None:
    """RFC 7559 2.1 (text not read): until an advertisement that gives a default route."""
    play = started(router_solicitations=-1)
    play.run(1000.0)
    assert len(solicitations(play)) > 5
    play.receive(advertisement(lifetime=0))
    play.run(10_000.0)
    assert len(solicitations(play)) >= 2
    play.receive(advertisement())
    play.run(100_000.0)
    assert solicitations(play) == []


# -- 6.3.4: hop limit, reachable time, retransmission timer


def answered_hop_limit(play: Play) -> int:
    play.meet()
    play.receive(echo_request())
    return play.sent(129)[-1].hop_limit


@pytest.mark.parametrize(
    ("hop_limits", "expected"),
    [((15,), 15), ((15, 0), 15), ((15, 255), 255), ((0,), 64), ((255,), 255)],
    ids=str,
)
def test_current_hop_limit(hop_limits: tuple[int, ...], expected: int) -> None:
    """6.3.4: a non-zero value is used from then on; 0 is unspecified, and never means back to the default."""
    play = ready()
    for hop_limit in hop_limits:
        hears(play, hop_limit=hop_limit)
    assert answered_hop_limit(play) == expected


@pytest.mark.parametrize(
    ("floor", "advertised", "expected"),
    [(8, 7, 64), (8, 8, 8), (0, 1, 1), (1, 1, 1), (64, 32, 64), (255, 64, 64)],
)
def test_no_hop_limit_that_cuts_us_off(floor: int, advertised: int, expected: int) -> None:
    """CVE-2015-2922: values below accept_ra_min_hop_limit are not taken, whoever sends them."""
    play = hears(ready(accept_ra_min_hop_limit=floor), hop_limit=advertised)
    assert answered_hop_limit(play) == expected


def test_a_hop_limit_of_one_is_not_taken_by_default() -> None:
    """CVE-2015-2922: with it a host reaches nothing beyond the link."""
    assert answered_hop_limit(hears(ready(), hop_limit=1)) == 64


def test_the_users_later_word_counts() -> None:
    """6.3.4: the most recent information is authoritative, and the user's setting is information too."""
    play = hears(ready(), hop_limit=15)
    play.host.settings.set_text("hop_limit", "99")
    assert answered_hop_limit(play) == 99
    hears(play, hop_limit=16)
    assert answered_hop_limit(play) == 16


def reachable_for(play: Play, target: str = PEER_LINK_LOCAL) -> float:
    """How long a confirmed neighbour stays reachable."""
    play.receive(solicitation(OUR_LINK_LOCAL, source=target))
    play.receive(neighbour_advertisement(target))
    since = play.now
    while play.neighbour(target) == "REACHABLE":
        deadline = play.host.next_deadline()
        assert deadline is not None
        play.run(deadline)
    return play.now - since


def test_reachable_time() -> None:
    """6.3.2, 6.3.4: 0.5 to 1.5 times the advertised base, and drawn anew when the base changes."""
    play = ready()
    drawn = set()
    for number in range(20):
        base = 60_000 + number
        hears(play, reachable=base, lifetime=9000)
        time = reachable_for(play)
        assert 0.5 * base / 1000 <= time <= 1.5 * base / 1000
        drawn.add(round(time / base, 6))
    assert len(drawn) == 20


def test_an_equal_reachable_time_is_not_drawn_anew() -> None:
    """6.3.4: a new random value if the new value differs from the previous one."""
    play = hears(ready(), reachable=60_000, lifetime=9000)
    first = reachable_for(play)
    hears(play, reachable=60_000, lifetime=9000)
    hears(play, reachable=0, lifetime=9000)
    assert reachable_for(play) == pytest.approx(first)


@pytest.mark.parametrize("value", [3_600_001, 0x40000000, 0xFFFFFFFF])
def test_a_reachable_time_of_more_than_an_hour(value: int) -> None:
    """6.2.1: no router may send more than 3,600,000 ms; it is not taken, and the random factor never overflows."""
    play = hears(ready(), reachable=value)
    assert 15.0 <= reachable_for(play) <= 45.0, "the default of 30 s still"


def probe_gaps(play: Play) -> list[float]:
    """The times between the multicast solicitations of one resolution."""
    play.sent()
    play.ping("fe80::77")
    play.run(play.now + 200.0)
    sent = [each.time for each in play.sent(NS)]
    return [later - earlier for earlier, later in itertools.pairwise(sent)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((5_000,), 5.0),
        ((5_000, 0), 5.0),
        ((0,), 1.0),
        ((60_000,), 60.0),
        ((60_001,), 1.0),
        ((100,), 0.1),
        ((99,), 1.0),
        ((1,), 1.0),
    ],
)
def test_retransmission_timer(values: tuple[int, ...], expected: float) -> None:
    """6.3.4: copied if it is not zero; a minute and more, or no time to answer, would switch resolution off."""
    play = ready()
    for value in values:
        hears(play, retrans=value)
    assert probe_gaps(play) == pytest.approx([expected] * 2)


def test_detection_follows_the_retransmission_timer() -> None:
    """RFC 4862 5.4: RetransTimer is what an address waits after its last probe."""
    play = hears(ready(), retrans=3_000)
    play.add_address("2001:db8::77")
    since = play.now
    play.run(since + 2.999)
    assert play.address("2001:db8::77") == "tentative"
    play.run(since + 3.0)
    assert play.address("2001:db8::77") == "preferred"


# -- 6.3.4: source link-layer address


def is_router(play: Play, address: str = ROUTER) -> bool:
    entry = play.interface.resolver.cache.get(ip(address))
    assert entry is not None
    return entry.is_router


def test_the_routers_neighbour_entry() -> None:
    """6.3.4: created with its link-layer address, STALE, IsRouter TRUE; processing it sends nothing (7.3.3)."""
    play = hears(ready())
    entry = play.interface.resolver.cache.get(ip(ROUTER))
    assert entry is not None and entry.mac == ROUTER_MAC
    assert play.neighbour(ROUTER) == "STALE" and is_router(play)
    play.run(play.now + 60.0)
    assert play.neighbour(ROUTER) == "STALE" and play.sent() == []


def test_another_link_layer_address_makes_it_stale() -> None:
    """6.3.4: an entry that is updated with a different link-layer address becomes STALE; with the same one it stays."""
    play = ready()
    play.meet(ROUTER)
    entry = play.interface.resolver.cache.get(ip(ROUTER))
    assert entry is not None and play.neighbour(ROUTER) == "REACHABLE" and not is_router(play)
    hears(play, mac=entry.mac)
    assert play.neighbour(ROUTER) == "REACHABLE" and is_router(play)
    hears(play, mac=ROUTER_MAC)
    assert play.neighbour(ROUTER) == "STALE" and entry.mac == ROUTER_MAC


def test_without_the_option() -> None:
    """6.3.4: no entry is created, but the IsRouter flag of one that exists is set."""
    play = hears(ready(), lladdr=False)
    assert play.neighbour(ROUTER) is None
    play.meet(ROUTER)
    hears(play, lladdr=False)
    assert play.neighbour(ROUTER) == "REACHABLE" and is_router(play)


# -- 6.3.4: MTU


@pytest.mark.parametrize(
    ("mtus", "expected"),
    [
        ((1280,), 1280),
        ((1499,), 1499),
        ((1500,), 1500),
        ((1279,), 1500),
        ((1501,), 1500),
        ((0,), 1500),
        ((0xFFFFFFFF,), 1500),
        ((1280, 1400), 1400),
        ((1400, 1200), 1400),
    ],
    ids=str,
)
def test_mtu_option(mtus: tuple[int, ...], expected: int) -> None:
    """6.3.4: copied if it is at least the minimum link MTU and at most what the link takes (RFC 2464 2: 1500)."""
    play = ready()
    for mtu in mtus:
        hears(play, mtu_option(mtu))
    assert play.interface.mtu == expected
    changes = [each.mtu for each in play.events if isinstance(each, LinkMtuChanged)]
    assert changes[-1:] == ([expected] if expected != 1500 else [])


def test_the_link_layers_own_mtu_limits_it() -> None:
    play = hears(ready(), mtu_option(1400))
    play.interface.set_mtu(1300)
    assert play.interface.mtu == 1300
    play.interface.set_mtu(9000)
    assert play.interface.mtu == 1400, "what the router asked for still holds"
    hears(play, mtu_option(8000))
    assert play.interface.mtu == 8000


# -- 4.2: M and O


def test_flags_are_events_when_they_change() -> None:
    """4.2: M: addresses by DHCPv6; O: other configuration by DHCPv6; nothing is done about either but to say so."""
    play = ready()
    for flags in ("", "O", "O", "MO", "M", "", ""):
        hears(play, flags=flags)
    told = [each for each in play.events if isinstance(each, ConfigurationFlags)]
    assert told == [
        ConfigurationFlags(False, True),
        ConfigurationFlags(True, True),
        ConfigurationFlags(True, False),
        ConfigurationFlags(False, False),
    ]
    assert not play.interface.discovery.managed and not play.interface.discovery.other


# -- down, up, restart


@pytest.mark.parametrize("how", ["stop", "restart", "disable"])
def test_what_was_learnt_is_forgotten(how: str) -> None:
    """6.3.2: the defaults are used while no router has said otherwise; nothing of an earlier link remains."""
    play = ready()
    options = (mtu_option(1400), prefix_option())
    hears(play, *options, hop_limit=15, reachable=60_000, retrans=5_000, flags="MO")
    play.run(play.now + 10.0)
    getattr(play.interface, how)(play.now)
    play.settle()
    interface = play.interface
    variables = interface.variables
    assert (variables.hop_limit, variables.base_reachable_time_ms, variables.retrans_time_ms) == (64, 30_000, 1_000)
    assert interface.mtu == 1500 and not interface.discovery.managed and not interface.discovery.other
    assert len(interface.routers) == len(interface.prefixes) == len(interface.autoconfiguration) == 0
    assert not interface.prefixes.is_on_link(ip(PREFIX + "9"))
    assert all(each[:2] == b"\xfe\x80" for each in interface.addresses.table)
    assert play.neighbour(ROUTER) is None


def test_nothing_of_it_runs_on_while_down() -> None:
    play = hears(ready(use_tempaddr=2), prefix_option())
    play.run(play.now + 10.0)
    play.interface.stop(play.now)
    assert len(play.host.timers) == 0
