"""Address resolution and unreachability detection on the link, to the millisecond: RFC 4861 7.2.2, 7.3."""

import pytest

from stack.errors import RefusedError, UsageError
from stack.icmp6.echo import EchoError
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Play,
    Sent,
    advertisement,
    echo_request,
    group_mac,
    ip,
    lladdr_option,
    packet,
    solicitation,
)

NS, REQUEST, REPLY = 135, 128, 129
PEER_GROUP = "ff02::1:ff00:2"
NEW_MAC = bytes.fromhex("020070000099")
ADDRESS_UNREACHABLE = (1, 3)  # RFC 4443 3.1


def ready(**settings: int) -> Play:
    return Play(**settings).start()


def reachable(**settings: int) -> Play:
    """A host that has just heard from the neighbour, as it was asked to."""
    play = ready(**settings)
    play.ping()
    play.receive(advertisement(PEER_LINK_LOCAL))
    play.sent()
    return play


def stale(**settings: int) -> Play:
    play = reachable(**settings)
    play.run(play.now + 45.0)  # 6.3.2: no reachable time is longer than 1.5 times 30 s
    assert play.neighbour(PEER_LINK_LOCAL) == "STALE"
    return play


def sequences(frames: list[Sent]) -> list[int]:
    """Sequence numbers of the echo requests among the frames."""
    return [int.from_bytes(each.message[6:8], "big") for each in frames if each.kind == REQUEST]


def pings(play: Play, *numbers: int) -> list[object]:
    """One echo request for each sequence number; what their session hears."""
    heard: list[object] = []
    session = play.host.echoes.open(play.interface, ip(PEER_LINK_LOCAL), heard.append)
    for number in numbers:
        session.send(number, play.now)
    play.settle()
    return heard


# -- resolution


def test_the_solicitation() -> None:
    """4.3, 7.2.2: to the solicited-node group, with our link-layer address, from the prompting packet's source."""
    play = ready()
    play.ping()
    (asked,) = play.sent()
    assert (asked.kind, asked.source, asked.destination, asked.target) == (
        NS,
        OUR_LINK_LOCAL,
        PEER_GROUP,
        PEER_LINK_LOCAL,
    )
    assert (asked.hop_limit, asked.to) == (255, group_mac(ip(PEER_GROUP)))
    assert asked.message[1] == 0 and asked.message[4:8] == bytes(4)
    assert asked.message[24:] == bytes((1, 1)) + OUR_MAC
    assert asked.checksum_is_right()


@pytest.mark.parametrize("source", ["2001:db8::1", "2001:db8::2", OUR_LINK_LOCAL])
def test_the_prompting_packets_source_is_the_solicitations(source: str) -> None:
    """7.2.2: if it is one of ours it SHOULD be the source of the solicitation."""
    play = ready()
    play.add_address("2001:db8::1", nodad=True)
    play.add_address("2001:db8::2", nodad=True)
    play.sent()
    session = play.host.echoes.open(play.interface, ip("2001:db8::9"), lambda heard: None, source=ip(source))
    session.send(1, play.now)
    play.run(play.now + 2.5)
    assert [each.source for each in play.sent(NS)] == [source] * 3


@pytest.mark.parametrize(("solicitations", "retrans"), [(3, 1000), (1, 1000), (5, 200)])
def test_a_neighbour_that_does_not_answer(solicitations: int, retrans: int) -> None:
    """7.2.2: RetransTimer apart, then, RetransTimer after the last, address unreachable and no entry (7.3.3)."""
    play = ready(mcast_solicit=solicitations, retrans_time_ms=retrans)
    begin, step = play.now, retrans / 1000
    heard = play.ping()
    end = begin + solicitations * step
    play.run(end - 0.000_1)
    assert [each.time for each in play.sent(NS)] == pytest.approx([begin + step * n for n in range(solicitations)])
    assert heard == [] and play.neighbour(PEER_LINK_LOCAL) == "INCOMPLETE"
    play.run(end + 0.000_1)
    (error,) = heard
    assert isinstance(error, EchoError) and (error.type, error.code) == ADDRESS_UNREACHABLE
    assert play.neighbour(PEER_LINK_LOCAL) is None
    play.run(end + 60.0)
    assert play.sent() == []


def test_every_waiting_packet_gets_its_error() -> None:
    """7.2.2: for each packet queued awaiting address resolution."""
    play = ready()
    heard = pings(play, 1, 2, 3)
    play.run(play.now + 3.0)
    assert [(error.sequence, error.type, error.code) for error in heard] == [  # type: ignore[attr-defined]
        (number, *ADDRESS_UNREACHABLE) for number in (1, 2, 3)
    ]


def test_more_packets_do_not_hasten_solicitations() -> None:
    """7.2.2: MUST be limited to one solicitation per neighbour every RetransTimer."""
    play = ready()
    begin = play.now
    session = play.host.echoes.open(play.interface, ip(PEER_LINK_LOCAL), lambda heard: None)
    for tick in range(29):
        play.run(begin + tick / 10)
        session.send(tick, play.now)
        play.settle()
    assert [each.time for each in play.sent(NS)] == pytest.approx([begin, begin + 1.0, begin + 2.0])


@pytest.mark.parametrize("length", [1, 3, 5])
def test_the_new_arrival_replaces_the_oldest(length: int) -> None:
    """7.2.2: a small queue; the packets leave in order once the address is known."""
    play = ready(unres_qlen=length)
    discards = play.host.counters.out_discards
    pings(play, *range(1, 9))
    assert play.sent(REQUEST) == []
    play.receive(advertisement(PEER_LINK_LOCAL))
    frames = play.sent()
    assert sequences(frames) == list(range(9 - length, 9))
    assert {each.to for each in frames} == {PEER_MAC}
    assert play.host.counters.limits["unres_qlen"] == 8 - length
    assert play.host.counters.out_discards - discards == 8 - length


def test_a_neighbour_that_asks_us_is_resolved_by_that() -> None:
    """Appendix C: INCOMPLETE, NS received: record the address, send what waits; unproven, so it is verified (7.3.3)."""
    play = ready()
    play.ping()
    play.sent()
    begin = play.now
    play.receive(solicitation(OUR_LINK_LOCAL))
    assert [(each.kind, each.to) for each in play.sent()] == [(REQUEST, PEER_MAC), (136, PEER_MAC)]
    assert play.neighbour(PEER_LINK_LOCAL) == "DELAY"
    play.run(begin + 5.0)
    assert [(each.time, each.to, each.destination) for each in play.sent(NS)] == [
        (begin + 5.0, PEER_MAC, PEER_LINK_LOCAL)
    ]


@pytest.mark.parametrize("asked", [1, 2, 3])
def test_what_was_sent_before_is_not_counted_among_the_probes(asked: int) -> None:
    """7.3.3: MAX_UNICAST_SOLICIT (3) probes, however many multicast solicitations it took to learn the address."""
    play = ready()
    play.ping()
    play.run(play.now + asked - 0.5)
    assert len(play.sent(NS)) == asked
    play.receive(solicitation(OUR_LINK_LOCAL))
    play.run(play.now + 60.0)
    assert [each.to for each in play.sent(NS)] == [PEER_MAC] * 3


def test_an_answer_to_the_last_solicitation_is_in_time() -> None:
    play = ready()
    heard = play.ping()
    play.run(play.now + 2.999)
    play.sent()
    play.receive(advertisement(PEER_LINK_LOCAL))
    assert sequences(play.sent()) == [1]
    play.run(play.now + 10.0)
    assert heard == [] and play.neighbour(PEER_LINK_LOCAL) == "REACHABLE"


def test_whoever_sends_again_on_the_error_starts_a_new_resolution() -> None:
    """7.3.3: the entry is deleted, so that subsequent traffic resolves again; also from within the error's delivery."""
    play = ready()
    errors: list[float] = []

    def again(heard: object) -> None:
        errors.append(play.now)
        session.send(2, play.now)

    session = play.host.echoes.open(play.interface, ip(PEER_LINK_LOCAL), again)
    begin = play.now
    session.send(1, begin)
    play.settle()
    play.run(begin + 3.0)
    assert errors == [begin + 3.0]
    assert [each.time for each in play.sent(NS)] == [begin, begin + 1.0, begin + 2.0, begin + 3.0]
    play.receive(advertisement(PEER_LINK_LOCAL))
    assert sequences(play.sent()) == [2], "what was sent from within the error is not lost"


def test_what_waits_when_an_address_goes_is_not_sent_from_it() -> None:
    """RFC 4862 5.5.4: an address that is not valid is no source; the solicitation comes from one that is."""
    play = ready()
    play.add_address("2001:db8::1", nodad=True)
    play.sent()
    session = play.host.echoes.open(play.interface, ip(PEER_LINK_LOCAL), lambda heard: None, source=ip("2001:db8::1"))
    session.send(1, play.now)
    play.remove_address("2001:db8::1")
    play.run(play.now + 1.0)
    assert [each.source for each in play.sent(NS)] == ["2001:db8::1", OUR_LINK_LOCAL]
    discards = play.host.counters.out_discards
    play.receive(advertisement(PEER_LINK_LOCAL))
    assert play.sent() == []
    assert play.host.counters.out_discards == discards + 1


def test_all_addresses_go_during_resolution() -> None:
    """No solicitation without a source: from :: it would be a duplicate address probe (7.2.2, RFC 4862 5.4.2)."""
    play = ready()
    play.ping()
    play.remove_address(OUR_LINK_LOCAL)
    play.sent()
    play.run(play.now + 60.0)
    assert play.sent() == []
    assert play.neighbour(PEER_LINK_LOCAL) is None
    assert len(play.host.timers) == 0


@pytest.mark.parametrize("how", ["stop", "restart"])
def test_the_interface_goes_down_during_resolution(how: str) -> None:
    play = ready()
    heard = play.ping()
    discards = play.host.counters.out_discards
    getattr(play.interface, how)(play.now)
    assert play.neighbour(PEER_LINK_LOCAL) is None
    assert play.host.counters.out_discards == discards + 1, "the packet that waited is counted"
    play.run(play.now + 20.0)
    play.sent()
    play.interface.start(play.now)
    play.run(play.now + 20.0)
    play.sent()
    begin = play.now
    play.ping()
    play.run(begin + 5.0)
    assert [each.time for each in play.sent(NS)] == [begin, begin + 1.0, begin + 2.0], "all of it anew"
    assert heard == []


@pytest.mark.parametrize("how", ["stop", "disable"])
def test_nothing_is_resolved_on_a_link_that_is_not_there(how: str) -> None:
    """What somebody sends all the same is dropped and counted; no entry, no timer."""
    play = ready()
    getattr(play.interface, how)(play.now)
    timers, discards = len(play.host.timers), play.host.counters.out_discards
    play.interface.resolver.send(ip(PEER_LINK_LOCAL), packet(OUR_LINK_LOCAL, PEER_LINK_LOCAL, b""), play.now)
    assert play.neighbour(PEER_LINK_LOCAL) is None and len(play.host.timers) == timers
    assert play.host.counters.out_discards == discards + 1


# -- unreachability detection


def test_a_stale_neighbour_is_used_then_probed() -> None:
    """7.3.3: the packet leaves at once; DELAY_FIRST_PROBE_TIME (5 s) later three unicast probes.

    Then it is UNREACHABLE (RFC 7048 3), and asked by multicast; packets leave for the address that is known.
    """
    play = stale()
    begin = play.now
    heard = play.ping()
    (sent,) = play.sent()
    assert (sent.kind, sent.to) == (REQUEST, PEER_MAC)
    play.run(begin + 7.999)
    probes = play.sent()
    assert [(each.kind, each.time) for each in probes] == [(NS, begin + 5.0), (NS, begin + 6.0), (NS, begin + 7.0)]
    for probe in probes:
        assert (probe.to, probe.source, probe.destination, probe.target, probe.hop_limit) == (
            PEER_MAC,
            OUR_LINK_LOCAL,
            PEER_LINK_LOCAL,
            PEER_LINK_LOCAL,
            255,
        ), "unicast to the cached link-layer address"
        assert probe.message[24:] == bytes((1, 1)) + OUR_MAC, "7.2.2: SHOULD be included"
    assert play.neighbour(PEER_LINK_LOCAL) == "PROBE"
    play.run(begin + 8.0)
    assert play.neighbour(PEER_LINK_LOCAL) == "UNREACHABLE"
    assert heard == [], "nothing waited, so there is nothing to report"
    assert [(each.kind, each.destination, each.time) for each in play.sent()] == [(NS, PEER_GROUP, begin + 8.0)]
    play.ping()
    assert [(each.kind, each.to) for each in play.sent()] == [(REQUEST, PEER_MAC)]


@pytest.mark.parametrize(("delay", "count", "retrans"), [(2, 1, 1000), (0, 2, 500)])
def test_the_probes_follow_the_settings(delay: int, count: int, retrans: int) -> None:
    play = stale()
    play.host.settings.delay_first_probe_time = delay
    play.host.settings.ucast_solicit = count
    play.host.settings.retrans_time_ms = retrans
    begin = play.now
    play.ping()
    play.run(begin + 20.0)
    assert [each.time for each in play.sent(NS)] == pytest.approx(
        [begin + delay + n * retrans / 1000 for n in range(count + 1)]
    )
    assert play.neighbour(PEER_LINK_LOCAL) == "UNREACHABLE"


def test_packets_leave_at_once_while_the_neighbour_is_probed() -> None:
    """7.3.3: a node continues sending packets to the neighbour using the cached link-layer address."""
    play = stale()
    session = play.host.echoes.open(play.interface, ip(PEER_LINK_LOCAL), lambda heard: None)
    begin = play.now
    for tick in range(16):
        play.run(begin + tick / 2)
        session.send(tick, play.now)
        play.settle()
        frames = [each for each in play.sent() if each.kind == REQUEST]
        assert [(each.time, each.to) for each in frames] == [(play.now, PEER_MAC)]
    assert play.neighbour(PEER_LINK_LOCAL) == "PROBE"


def test_without_traffic_there_are_no_probes() -> None:
    """7.3.3: if no traffic is sent to a neighbour, no probes are sent."""
    play = stale()
    play.run(play.now + 86_400.0)
    assert play.sent() == [] and play.neighbour(PEER_LINK_LOCAL) == "STALE"


def test_received_traffic_is_no_confirmation() -> None:
    """7.3.1: only that packets reach the neighbour counts. An unsolicited NA, an NS, or an echo request does not."""
    play = stale()
    begin = play.now
    play.ping()
    for second in range(1, 5):
        play.run(begin + second)
        play.receive(advertisement(PEER_LINK_LOCAL, destination="ff02::1", flags="O"))
        play.receive(solicitation(OUR_LINK_LOCAL))
        play.receive(echo_request())
    play.sent()
    play.run(begin + 5.0)
    assert [each.kind for each in play.sent()] == [NS]


def test_a_solicited_advertisement_confirms_in_delay_and_probe() -> None:
    for wait in (1.0, 5.0, 6.5, 7.9):
        play = stale()
        play.ping()
        play.run(play.now + wait)
        play.sent()
        play.receive(advertisement(PEER_LINK_LOCAL, options=b""))
        assert play.neighbour(PEER_LINK_LOCAL) == "REACHABLE"
        play.run(play.now + 14.9)
        assert play.sent() == []


def seconds_until_stale(play: Play) -> float:
    begin = play.now
    while play.neighbour(PEER_LINK_LOCAL) == "REACHABLE":
        deadline = play.host.next_deadline()
        assert deadline is not None
        play.run(deadline)
    return play.now - begin


def confirm(play: Play) -> None:
    play.interface.resolver.confirm(ip(PEER_LINK_LOCAL), play.now)
    assert play.neighbour(PEER_LINK_LOCAL) == "REACHABLE"


def test_reachable_time_is_random() -> None:
    """6.3.2, 10: uniform between MIN_RANDOM_FACTOR 0.5 and MAX_RANDOM_FACTOR 1.5 times BaseReachableTime."""
    times = []
    for seed in range(200):
        play = Play(seed).start()
        play.receive(solicitation(OUR_LINK_LOCAL))
        confirm(play)
        times.append(seconds_until_stale(play))
    assert 15.0 <= min(times) < 17.0 and 43.0 < max(times) <= 45.0
    assert 28.0 < sum(times) / len(times) < 32.0
    assert len(set(times)) == 200


def test_reachable_time_is_drawn_anew_when_its_base_changes() -> None:
    """6.3.2: when BaseReachableTime changes; until then one value holds for all neighbours."""
    play = reachable()
    first = seconds_until_stale(play)
    confirm(play)
    assert seconds_until_stale(play) == pytest.approx(first)
    play.host.settings.base_reachable_time_ms = 10_000
    confirm(play)
    second = seconds_until_stale(play)
    assert 5.0 <= second <= 15.0
    play.host.settings.base_reachable_time_ms = 30_000
    confirm(play)
    third = seconds_until_stale(play)
    assert 15.0 <= third <= 45.0 and third != pytest.approx(first)


def test_reachable_time_is_drawn_anew_every_few_hours() -> None:
    """6.3.2: at least every few hours, even if the base stays."""
    play = reachable()
    drawn = set()
    for _ in range(5):
        play.run(play.now + 3 * 3600.0)
        confirm(play)
        drawn.add(round(seconds_until_stale(play), 6))
    assert len(drawn) == 5


# -- entries given by the user


def with_static() -> Play:
    play = ready()
    play.interface.resolver.add_permanent(ip(PEER_LINK_LOCAL), PEER_MAC, play.now)
    return play


def test_a_static_neighbour_is_never_asked_for() -> None:
    play = with_static()
    for _ in range(100):
        play.ping()
        play.run(play.now + 30.0)
        play.host.echoes.sessions.clear()
    assert {(each.kind, each.to) for each in play.sent()} == {(REQUEST, PEER_MAC)}


@pytest.mark.parametrize("how", ["flush", "restart", "down and up", "another MAC", "disabled"])
def test_a_static_neighbour_outlives(how: str) -> None:
    play = with_static()
    play.receive(solicitation(OUR_LINK_LOCAL, source="fe80::5", mac=NEW_MAC))
    assert play.neighbour("fe80::5") == "DELAY"
    interface = play.interface
    if how == "flush":
        interface.resolver.flush()
    elif how == "restart":
        interface.restart(play.now)
    elif how == "another MAC":
        interface.set_mac(NEW_MAC, play.now)
    elif how == "disabled":
        interface.disable(play.now)
    else:
        interface.stop(play.now)
        interface.start(play.now)
    assert play.neighbour(PEER_LINK_LOCAL) == "PERMANENT"
    assert play.neighbour("fe80::5") is None, "what was learnt is forgotten"


def test_a_static_entry_sends_what_waited() -> None:
    play = ready()
    pings(play, 1, 2)
    play.sent()
    play.interface.resolver.add_permanent(ip(PEER_LINK_LOCAL), PEER_MAC, play.now)
    assert sequences(play.sent()) == [1, 2]
    play.run(play.now + 60.0)
    assert play.sent() == []


def test_a_static_entry_replaces_another() -> None:
    play = with_static()
    play.interface.resolver.add_permanent(ip(PEER_LINK_LOCAL), NEW_MAC, play.now)
    play.ping()
    assert [each.to for each in play.sent()] == [NEW_MAC]
    play.interface.resolver.delete(ip(PEER_LINK_LOCAL), play.now)
    assert play.neighbour(PEER_LINK_LOCAL) is None and play.interface.resolver.cache.permanent == 0


def test_the_number_of_static_entries_is_limited() -> None:
    play = ready(max_static_neighbours=2)
    resolver = play.interface.resolver
    resolver.add_permanent(ip("fe80::1"), PEER_MAC, play.now)
    resolver.add_permanent(ip("fe80::2"), PEER_MAC, play.now)
    resolver.add_permanent(ip("fe80::2"), NEW_MAC, play.now)
    with pytest.raises(RefusedError, match="max_static_neighbours"):
        resolver.add_permanent(ip("fe80::3"), PEER_MAC, play.now)
    assert play.neighbour("fe80::3") is None
    resolver.delete(ip("fe80::1"), play.now)
    resolver.add_permanent(ip("fe80::3"), PEER_MAC, play.now)


@pytest.mark.parametrize(
    ("address", "mac"),
    [
        ("ff02::1", PEER_MAC),
        ("::", PEER_MAC),
        ("::1", PEER_MAC),
        (PEER_LINK_LOCAL, bytes(6)),
        (PEER_LINK_LOCAL, b"\xff" * 6),
        (PEER_LINK_LOCAL, bytes.fromhex("333300000001")),
    ],
    ids=["a group", "unspecified", "loopback", "MAC of zeros", "broadcast MAC", "group MAC"],
)
def test_what_no_neighbour_can_be(address: str, mac: bytes) -> None:
    play = ready()
    with pytest.raises(UsageError):
        play.interface.resolver.add_permanent(ip(address), mac, play.now)
    assert len(play.interface.resolver.cache) == 0


def test_deleting_an_entry_ends_what_goes_on_for_it() -> None:
    play = ready()
    heard = play.ping()
    play.sent()
    play.interface.resolver.delete(ip(PEER_LINK_LOCAL), play.now)
    play.run(play.now + 60.0)
    assert play.sent() == [] and heard == []
    with pytest.raises(RefusedError):
        play.interface.resolver.delete(ip(PEER_LINK_LOCAL), play.now)


def test_the_router_flag_of_a_new_entry() -> None:
    """7.2.3: IsRouter is FALSE in an entry made by an NS and not modified by one; 7.2.5: an NA sets it."""
    play = ready()
    play.receive(solicitation(OUR_LINK_LOCAL))
    entry = play.interface.resolver.cache.get(ip(PEER_LINK_LOCAL))
    assert entry is not None and entry.is_router is False
    play.receive(advertisement(PEER_LINK_LOCAL, flags="RSO"))
    assert entry.is_router is True
    play.receive(solicitation(OUR_LINK_LOCAL, options=lladdr_option(1, NEW_MAC)))
    assert (entry.mac, entry.is_router) == (NEW_MAC, True)
