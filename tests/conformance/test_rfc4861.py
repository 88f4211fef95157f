"""RFC 4861: clauses that no other test shows by itself, their section in each name; docs/conformance.md has all.

Messages are drawn by hand from the RFC's pictures (`tests/playbook.py`, `tests/nd/advertising.py`).
"""

import itertools
import struct
from collections.abc import Callable

import pytest

from stack.errors import UsageError
from stack.events import RouterChanged
from stack.ip6 import output
from stack.nd import input as nd_input
from stack.nd import resolution, router_solicitation
from stack.settings import Settings
from tests.nd.advertising import (
    HIGH,
    NS,
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
    ready,
    servers_option,
)
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Play,
    echo_request,
    frame,
    icmp,
    ip,
    lladdr_option,
    packet,
    solicitation,
    text,
)
from tests.playbook import advertisement as neighbour_advertisement

FAR, FAR_TOO = "2001:db8:9::1", "2001:db8:9::2"
STRANGE_MAC = bytes.fromhex("0200700000ee")
SOURCE, TARGET, PREFIX_INFORMATION, REDIRECTED_HEADER, MTU = 1, 2, 3, 4, 5


def option(kind: int, data: bytes) -> bytes:
    """An option of whole units of 8 octets (4.6)."""
    data += bytes(-(len(data) + 2) % 8)
    return bytes((kind, (len(data) + 2) // 8)) + data


def redirect(*options: bytes, target: str = OTHER_ROUTER, destination: str = FAR, router: str = ROUTER) -> bytes:
    """A redirect (4.5)."""
    body = bytes(4) + ip(target) + ip(destination) + b"".join(options)
    return frame(packet(router, OUR_LINK_LOCAL, icmp(router, OUR_LINK_LOCAL, 137, 0, body)), mac=mac_of(router))


def router_solicitation_from(source: str, options: bytes = b"", destination: str = "ff02::1") -> bytes:
    """A router solicitation (4.1), to a group that a host listens to."""
    return frame(packet(source, destination, icmp(source, destination, 133, 0, bytes(4) + options)))


def with_router(**settings: int | str) -> Play:
    """A host with an address of its own and a default router that has just answered."""
    play = ready(**settings)
    hears(play, prefix_option(), lifetime=9000)
    play.run(play.now + 5.0)
    answers(play, ROUTER)
    return play


def answers(play: Play, router: str, flags: str = "RSO") -> None:
    """The router is sent something and answers the solicitation."""
    play.ping(router)
    play.receive(neighbour_advertisement(router, mac=mac_of(router), flags=flags))
    play.sent()


def send(play: Play, destination: str = FAR, flow_label: int = 0) -> None:
    message = icmp(OUR_ADDRESS, destination, 128, 0, bytes(4))
    octets = bytearray(packet(OUR_ADDRESS, destination, message, hop_limit=64))
    octets[:4] = struct.pack("!I", 6 << 28 | flow_label)
    assert output.send(play.interface, bytes(octets), play.now)
    play.settle()


def went_to(play: Play) -> set[bytes]:
    """The MACs to which the requests to both far destinations have left since the last such call."""
    return {each.to for each in play.sent() if each.kind == 128 and each.destination in (FAR, FAR_TOO)}


# -- 4.6, 9: options

# Where each option is not to be used (4.6.1 to 4.6.4), with what it would say there.
MISPLACED = {
    "source link-layer address": (lladdr_option(SOURCE, STRANGE_MAC), ("NA", "redirect")),
    "target link-layer address": (lladdr_option(TARGET, STRANGE_MAC), ("NS", "RA")),
    "prefix information": (prefix_option("2001:db8:66::"), ("NS", "NA", "redirect")),
    "redirected header": (
        option(REDIRECTED_HEADER, bytes(6) + packet(OUR_LINK_LOCAL, FAR, bytes(8))),
        ("NS", "NA", "RA"),
    ),
    "MTU": (mtu_option(1300), ("NS", "NA", "redirect")),
}


@pytest.mark.parametrize(("misplaced", "kinds"), MISPLACED.values(), ids=MISPLACED)
def test_4_6_options_in_messages_that_they_are_not_for(misplaced: bytes, kinds: tuple[str, ...]) -> None:
    """4.6.1 to 4.6.4: each MUST be silently ignored in other messages, and what those say counts as ever."""
    for kind in kinds:
        play = with_router()
        play.ping()
        play.sent()
        if kind == "NS":
            play.receive(solicitation(OUR_LINK_LOCAL, options=misplaced + lladdr_option(SOURCE)))
        elif kind == "NA":
            play.receive(neighbour_advertisement(PEER_LINK_LOCAL, options=misplaced + lladdr_option(TARGET)))
        elif kind == "RA":
            play.receive(advertisement(misplaced, lifetime=9000))
        else:
            play.receive(redirect(misplaced, lladdr_option(TARGET, mac_of(OTHER_ROUTER))))
        interface = play.interface
        assert interface.mtu == 1500, kind
        assert [text(each.prefix) for each in interface.prefixes.listing(play.now)] == [PREFIX], kind
        assert addresses(play) == [text(ip(OUR_ADDRESS))], kind
        macs = {text(each.address): each.mac for each in interface.resolver.cache.entries.values()}
        assert macs[ROUTER] == ROUTER_MAC, kind
        expected = {"NS": PEER_MAC, "NA": PEER_MAC, "RA": None, "redirect": None}[kind]
        assert macs[PEER_LINK_LOCAL] == expected, kind
        assert macs.get(OTHER_ROUTER) == (mac_of(OTHER_ROUTER) if kind == "redirect" else None), kind
        assert FAR not in macs, kind
        send(play)
        assert went_to(play) == {mac_of(OTHER_ROUTER) if kind == "redirect" else ROUTER_MAC}, kind


@pytest.mark.parametrize(
    ("misplaced", "kinds"),
    [
        (lladdr_option(SOURCE, STRANGE_MAC), ("NA", "redirect")),
        (lladdr_option(TARGET, STRANGE_MAC), ("NS", "RA")),
    ],
    ids=["source option", "target option"],
)
def test_4_6_1_one_option_does_not_stand_in_for_the_other(misplaced: bytes, kinds: tuple[str, ...]) -> None:
    """4.6.1: a message with the wrong one alone is one without a link-layer address."""
    for kind in kinds:
        play = ready()
        play.ping()
        if kind == "NA":
            play.receive(neighbour_advertisement(PEER_LINK_LOCAL, options=misplaced))
        elif kind == "NS":
            play.receive(solicitation(OUR_LINK_LOCAL, options=misplaced))
        elif kind == "RA":
            play.receive(advertisement(misplaced, router=PEER_LINK_LOCAL, lladdr=False))
        else:
            hears(play, lifetime=9000)
            play.receive(redirect(misplaced, target=PEER_LINK_LOCAL))
        assert play.neighbour(PEER_LINK_LOCAL) == "INCOMPLETE", kind


def test_4_6_2_the_second_reserved_field() -> None:
    """4.6.2: Reserved2 MUST be ignored by the receiver."""
    plain = prefix_option()
    play = hears(ready(), plain[:12] + b"\xff\xff\xff\xff" + plain[16:])
    assert [text(each.prefix) for each in play.interface.prefixes.listing(play.now)] == [PREFIX]
    assert lifetimes(play) == (14_400.0, 86_400.0)


def test_4_6_3_the_reserved_fields() -> None:
    """4.6.3: both MUST be ignored by the receiver."""
    play = with_router()
    quoted = option(REDIRECTED_HEADER, b"\xff" * 6 + packet(OUR_ADDRESS, FAR, bytes(8)))
    play.receive(redirect(quoted, lladdr_option(TARGET, mac_of(OTHER_ROUTER))))
    send(play)
    assert went_to(play) == {mac_of(OTHER_ROUTER)}


def test_4_6_4_the_reserved_field() -> None:
    """4.6.4: MUST be ignored by the receiver."""
    assert hears(ready(), mtu_option(1400, reserved=0xFFFF)).interface.mtu == 1400


UNKNOWN = option(253, b"whatever it is")


@pytest.mark.parametrize(
    "order", list(itertools.permutations(range(4))), ids=lambda order: "".join("SPMU"[each] for each in order)
)
def test_9_options_in_any_order(order: tuple[int, ...]) -> None:
    """9: receivers MUST be prepared to process options in any order; unknown ones MUST NOT hide valid ones."""
    options = (lladdr_option(SOURCE, ROUTER_MAC), prefix_option(), mtu_option(1400), UNKNOWN)
    play = hears(ready(), *(options[each] for each in order), lladdr=False)
    entry = play.interface.resolver.cache.get(ip(ROUTER))
    assert entry is not None and (entry.mac, entry.is_router) == (ROUTER_MAC, True)
    assert play.interface.prefixes.is_on_link(ip(PREFIX + "9")) and lifetimes(play) == (14_400.0, 86_400.0)
    assert play.interface.mtu == 1400


def learnt(play: Play) -> tuple[object, ...]:
    """What an advertisement may have said."""
    interface = play.interface
    variables = interface.variables
    entry = interface.resolver.cache.get(ip(ROUTER))
    return (
        interface.mtu,
        (variables.hop_limit, variables.base_reachable_time_ms, variables.retrans_time_ms),
        [(text(each.prefix), each.prefix_length, each.expires) for each in interface.prefixes.listing(play.now)],
        lifetimes(play),
        None if entry is None else (entry.mac, entry.is_router),
        text(ROUTER_MAC.rjust(16, b"\0")),
        [text(each) for each in interface.routers.table],
    )


def informed() -> Play:
    """A host to which a router has said everything that it can say."""
    options = (prefix_option(), mtu_option(1400), servers_option("2001:db8::53"))
    return hears(ready(), *options, hop_limit=33, reachable=20_000, retrans=2_000, lifetime=9000)


def test_9_the_absence_of_an_option_means_nothing() -> None:
    """9: a receiver MUST NOT associate any action with the absence of an option in a particular packet."""
    play = informed()
    before = learnt(play)
    hears(play, lladdr=False, hop_limit=33, reachable=20_000, retrans=2_000, lifetime=9000)
    assert learnt(play) == before


def test_6_3_4_the_union_of_what_routers_say() -> None:
    """6.3.4: an RA MUST NOT invalidate what an earlier one or another source said; 0 means unspecified."""
    play = informed()
    before = learnt(play)
    hears(play, prefix_option("2001:db8:2::"), router=OTHER_ROUTER, lifetime=0)
    after = learnt(play)
    assert (after[0], after[1], after[3:]) == (before[0], before[1], before[3:])
    assert [each[0] for each in after[2]] == [PREFIX, "2001:db8:2::"]  # type: ignore[attr-defined]
    assert len(addresses(play)) == 2


def talkative() -> Play:
    """A host that has sent each neighbour discovery message that a host sends."""
    play = Play(router_solicitations=3, ndisc_notify=1).start(until=None)
    play.run(2.5)
    hears_all = (prefix_option(), mtu_option(1280))
    play.receive(advertisement(*hears_all, lifetime=9000))
    play.run(play.now + 5.0)
    for destination in (PEER_LINK_LOCAL, FAR):
        play.ping(destination)
    play.receive(solicitation(OUR_LINK_LOCAL, source=ROUTER, mac=ROUTER_MAC))
    play.run(play.now + 10.0)
    return play


def test_9_what_is_sent_fits_any_link() -> None:
    """9: options MUST NOT have a packet exceed the link's MTU, nor anything else; 4.6: in whole units of 8 octets."""
    frames = [each for each in talkative().sent() if 133 <= each.kind <= 137]
    assert {each.kind for each in frames} == {133, 135, 136}
    for each in frames:
        assert len(each.packet) <= 1280, "RFC 8200 5: the least MTU of any link"
        options = each.message[8 if each.kind == 133 else 24 :]
        while options:
            assert options[1] and len(options) >= 8 * options[1]
            options = options[8 * options[1] :]


# -- 5: the sending algorithm


def test_5_1_one_entry_for_all_destinations_behind_a_router() -> None:
    """5.1: it is critical that they share the router's entry, so that it is probed once for all of them."""
    play = with_router()
    play.run(play.now + 60.0)
    assert play.neighbour(ROUTER) == "STALE"
    play.sent()
    for number in range(1, 11):
        send(play, f"2001:db8:9::{number:x}")
    play.run(play.now + 5.5)
    assert [each.target for each in play.sent() if each.kind == NS] == [ROUTER]


def test_5_2_off_link_goes_to_a_default_router() -> None:
    """5.2: on-link is its own next hop; otherwise the sender selects a router from the list."""
    play = with_router()
    send(play, FAR)
    send(play, PREFIX + "9")
    sent = play.sent()
    assert [(each.to, each.destination) for each in sent if each.kind == 128] == [(ROUTER_MAC, FAR)]
    assert [each.target for each in sent if each.kind == NS] == [PREFIX + "9"]


# -- 6: routers


def test_6_1_1_router_solicitations_leave_no_trace() -> None:
    """6.1.1, 6.2.6: hosts MUST silently discard any; no entry, no answer, whatever is in them."""
    play = ready()
    for octets in (
        router_solicitation_from(PEER_LINK_LOCAL, lladdr_option(SOURCE)),
        router_solicitation_from(PEER_LINK_LOCAL, lladdr_option(SOURCE), destination=OUR_LINK_LOCAL),
        router_solicitation_from("::"),
        router_solicitation_from(PEER_LINK_LOCAL, bytes((SOURCE, 0))),
    ):
        play.receive(octets)
        play.run(play.now + 5.0)
        assert play.sent() == [] and len(play.interface.resolver.cache) == 0


def test_6_2_4_and_8_3_what_a_host_never_sends() -> None:
    """6.2.4: a host MUST NOT send router advertisements at any time; 8.3: nor redirects."""
    play = talkative()
    for source in ("::", PEER_LINK_LOCAL):
        play.receive(router_solicitation_from(source))
        play.receive(router_solicitation_from(source, destination="ff02::2"))
    # Packets that a router would forward, and tell their sender of a better way.
    for destination in (FAR, PREFIX + "9", PEER_LINK_LOCAL):
        play.receive(frame(echo_request(destination, source=PREFIX + "7")[14:], to=OUR_MAC))
    play.run(play.now + 1800.0)
    kinds = {each.kind for each in play.sent() if each.packet[6] in (0, 58)}
    assert not kinds & {134, 137}
    assert {133, 135, 136} <= kinds, "what this test is about has been sent"


def test_6_3_4_room_for_two_routers_at_least() -> None:
    """6.3.4: a host MUST retain at least two router addresses: no setting makes it one."""
    with pytest.raises(UsageError):
        Settings().set_text("max_routers", "1")
    play = ready(max_routers=2)
    for router in (ROUTER, OTHER_ROUTER):
        hears(play, router=router, lifetime=9000)
    assert [text(each) for each in play.interface.routers.table] == [ROUTER, OTHER_ROUTER]


def test_6_3_4_room_for_more_routers() -> None:
    """6.3.4: it SHOULD retain more."""
    play = ready()
    routers = [f"fe80::{number:x}" for number in range(0xA1, 0xA6)]
    for router in routers:
        hears(play, router=router, lifetime=9000)
    assert [text(each) for each in play.interface.routers.table] == routers


@pytest.mark.parametrize("lifetime", [10, 1800, 9000])
def test_6_3_4_the_lifetime_of_a_listed_router_is_reset(lifetime: int) -> None:
    """6.3.4: its invalidation timer is reset to the newly received value, longer or shorter."""
    play = hears(ready(), lifetime=1800)
    play.run(play.now + 5.0)
    hears(play, lifetime=lifetime)
    begin = play.now
    play.run(begin + lifetime - 0.1)
    assert play.interface.routers.is_router(ip(ROUTER))
    play.run(begin + lifetime)
    assert not play.interface.routers.is_router(ip(ROUTER))


@pytest.mark.parametrize("flags", ["A", ""], ids=["A 1", "A 0"])
@pytest.mark.parametrize("valid", [0, 60, 86_400])
def test_6_3_4_no_statement_without_the_on_link_flag(valid: int, flags: str) -> None:
    """6.3.4, 4.6.2: L 0 conveys nothing on on-link determination: no prefix comes or goes by it."""
    silent = prefix_option(flags=flags, valid=valid, preferred=0)
    play = hears(ready(), silent)
    assert play.interface.prefixes.listing(play.now) == []
    hears(play, prefix_option(flags="L", valid=3600))
    hears(play, silent)
    assert [each.expires for each in play.interface.prefixes.listing(play.now)] == [3600.0]


def test_6_3_6_a_router_that_is_being_resolved_is_not_preferred() -> None:
    """6.3.6 1: INCOMPLETE is suspect, so that even a higher preference (RFC 4191 3.2) does not make up for it."""
    play = hears(ready(), router=OTHER_ROUTER, lifetime=9000)
    hears(play, preference=HIGH, lladdr=False, lifetime=9000)
    assert play.interface.routers.select(play.now) == ip(ROUTER), "nothing is known of it yet"
    play.ping(ROUTER)
    assert play.neighbour(ROUTER) == "INCOMPLETE"
    assert play.interface.routers.select(play.now) == ip(OTHER_ROUTER)


def test_6_3_7_one_solicitation_whatever_came_before() -> None:
    """6.3.7: SHOULD send at least one where an advertisement came before, here within the delay of the first one."""
    play = Play(router_solicitations=3, dad_transmits=0).start(until=None)
    play.receive(advertisement(lifetime=9000))
    play.run(60.0)
    assert len(play.sent(133)) == 1


GONE: dict[str, Callable[[Play], object]] = {
    "its lifetime is 0": lambda play: hears(play, lifetime=0),
    "its lifetime is over": lambda play: play.run(play.now + 30.0),
    "it is a host now": lambda play: play.receive(
        neighbour_advertisement(ROUTER, destination="ff02::1", flags="O", mac=ROUTER_MAC)
    ),
}


@pytest.mark.parametrize("goes", GONE.values(), ids=GONE)
def test_6_3_5_destinations_of_a_router_that_goes(goes: Callable[[Play], object]) -> None:
    """6.3.5, 7.2.5, 7.3.3: they MUST determine their next hop again instead of going on to the removed router."""
    play = with_router()
    hears(play, router=OTHER_ROUTER, lifetime=9000)
    hears(play, lifetime=30)
    for destination in (FAR, FAR_TOO):
        send(play, destination)
    assert went_to(play) == {ROUTER_MAC}, "how this test prepares the host"
    play.events.clear()
    goes(play)
    assert RouterChanged(ip(ROUTER), None) in play.events
    for destination in (FAR, FAR_TOO):
        send(play, destination)
    assert went_to(play) == {mac_of(OTHER_ROUTER)}


# -- 7: neighbours


def test_7_2_2_a_queue_holds_one_packet_at_least() -> None:
    """7.2.2: the queue MUST hold at least one packet: no setting makes it none."""
    with pytest.raises(UsageError):
        Settings().set_text("unres_qlen", "0")


@pytest.mark.parametrize(("flags", "is_router"), [("S", False), ("RS", True), ("", False), ("R", True)])
def test_7_2_5_is_router_of_an_entry_that_is_resolved(flags: str, is_router: bool) -> None:
    """7.2.5: in INCOMPLETE the IsRouter flag is set based on the router flag received."""
    play = ready()
    play.ping()
    play.receive(neighbour_advertisement(PEER_LINK_LOCAL, flags=flags))
    entry = play.interface.resolver.cache.get(ip(PEER_LINK_LOCAL))
    assert entry is not None and entry.mac == PEER_MAC and entry.is_router is is_router


def test_7_2_6_nothing_is_advertised_unasked() -> None:
    """7.2.6: unsolicited advertisements are a MAY; none is sent for another MAC, another address or a start."""
    play = Play().start(until=None)
    play.run(20.0)
    play.add_address("2001:db8::1")
    play.run(30.0)
    play.interface.set_mac(bytes.fromhex("02006e000009"), play.now)
    play.run(60.0)
    assert [each.kind for each in play.sent() if each.kind == 136] == []


UNPROVEN: dict[str, Callable[[Play], object]] = {
    "NA, S=0": lambda play: play.receive(
        neighbour_advertisement(ROUTER, destination="ff02::1", flags="RO", mac=ROUTER_MAC)
    ),
    "RA": lambda play: play.receive(advertisement(lifetime=9000)),
    "NS": lambda play: play.receive(solicitation(OUR_LINK_LOCAL, source=ROUTER, mac=ROUTER_MAC)),
    "redirect that names it": lambda play: play.receive(
        redirect(lladdr_option(TARGET, ROUTER_MAC), target=ROUTER, router=OTHER_ROUTER)
    ),
    "redirect by it": lambda play: play.receive(redirect(lladdr_option(TARGET, mac_of(OTHER_ROUTER)))),
    "a frame from its MAC": lambda play: play.receive(
        frame(packet(FAR, OUR_ADDRESS, bytes(8), next_header=59), to=OUR_MAC, mac=ROUTER_MAC)
    ),
}


@pytest.mark.parametrize("message", UNPROVEN.values(), ids=UNPROVEN)
def test_7_3_1_what_is_no_confirmation(message: Callable[[Play], object]) -> None:
    """7.3.1: unsolicited messages MUST NOT be treated as confirmation; 7.3.3: nor what the link layer says."""
    play = with_router()
    hears(play, router=OTHER_ROUTER, lifetime=9000)
    play.run(play.now + 60.0)
    send(play)
    assert play.neighbour(ROUTER) == "DELAY", "how this test prepares the host"
    play.sent()
    begin = play.now
    play.run(begin + 2.0)
    message(play)
    assert play.neighbour(ROUTER) == "DELAY"
    play.run(begin + 5.0)
    assert [each.time for each in play.sent() if each.kind == NS and each.target == ROUTER] == [begin + 5.0]


MEANWHILE: dict[str, Callable[[Play], object]] = {
    "resolved by its own solicitation": lambda play: play.receive(solicitation(OUR_LINK_LOCAL)),
    "resolved by an unsolicited advertisement": lambda play: play.receive(
        neighbour_advertisement(PEER_LINK_LOCAL, destination="ff02::1", flags="O")
    ),
}


@pytest.mark.parametrize("meanwhile", MEANWHILE.values(), ids=MEANWHILE)
def test_7_3_3_solicitations_are_retrans_timer_apart_across_states(meanwhile: Callable[[Play], object]) -> None:
    """7.3.3: MUST NOT send solicitations to a neighbour more often than every RetransTimer, here 10 s."""
    play = hears(ready(), retrans=10_000)
    play.sent()
    begin = play.now
    play.ping()
    play.run(begin + 1.0)
    meanwhile(play)
    play.run(begin + 60.0)
    times = [each.time - begin for each in play.sent() if each.kind == NS and each.target == PEER_LINK_LOCAL]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert len(times) == 4, "one to the group, then MAX_UNICAST_SOLICIT probes"
    assert min(gaps) >= 10.0


def test_7_3_3_probes_of_a_changed_address_keep_their_distance() -> None:
    """7.3.3: the same where a probe is followed by another link-layer address, which starts the delay anew."""
    play = hears(ready(), retrans=10_000)
    play.meet()
    play.run(play.now + 60.0)
    play.ping()
    play.run(play.now + 5.0)
    assert play.neighbour(PEER_LINK_LOCAL) == "PROBE"
    play.run(play.now + 1.0)
    new = neighbour_advertisement(PEER_LINK_LOCAL, destination="ff02::1", flags="O", mac=STRANGE_MAC)
    play.receive(new)
    play.ping()
    play.run(play.now + 60.0)
    times = [each.time for each in play.sent() if each.kind == NS and each.target == PEER_LINK_LOCAL]
    assert len(times) >= 4
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= 10.0


# -- 8, 10, 11


def test_8_3_all_flows_to_the_destination() -> None:
    """8.3: a redirect applies to all flows to a destination, whatever flow label the quoted packet had."""
    play = with_router()
    quoted = bytearray(packet(OUR_ADDRESS, FAR, bytes(8)))
    quoted[:4] = struct.pack("!I", 6 << 28 | 0x12345)
    for label in (0, 0x12345, 0x54321):
        send(play, flow_label=label)
    assert went_to(play) == {ROUTER_MAC}
    play.receive(
        redirect(lladdr_option(TARGET, mac_of(OTHER_ROUTER)), option(REDIRECTED_HEADER, bytes(6) + bytes(quoted)))
    )
    for label in (0, 0x12345, 0x54321):
        send(play, flow_label=label)
    assert went_to(play) == {mac_of(OTHER_ROUTER)}


# 10, in its order, host constants first; and 6.3.2's CurHopLimit, which the assigned numbers have as 64.
CONSTANTS = {
    "MAX_RTR_SOLICITATION_DELAY": (router_solicitation.MAX_RTR_SOLICITATION_DELAY, 1.0),
    "MAX_RTR_SOLICITATION_DELAY, before the first": (Settings().router_solicitation_delay, 1),
    "RTR_SOLICITATION_INTERVAL": (Settings().router_solicitation_interval, 4),
    "MAX_RTR_SOLICITATIONS": (Settings().router_solicitations, 3),
    "MAX_MULTICAST_SOLICIT": (Settings().mcast_solicit, 3),
    "MAX_UNICAST_SOLICIT": (Settings().ucast_solicit, 3),
    "MAX_ANYCAST_DELAY_TIME": (nd_input.MAX_ANYCAST_DELAY_TIME, 1.0),
    "REACHABLE_TIME": (Settings().base_reachable_time_ms, 30_000),
    "RETRANS_TIMER": (Settings().retrans_time_ms, 1_000),
    "DELAY_FIRST_PROBE_TIME": (Settings().delay_first_probe_time, 5),
    "MIN_RANDOM_FACTOR": (resolution.MIN_RANDOM_FACTOR, 0.5),
    "MAX_RANDOM_FACTOR": (resolution.MAX_RANDOM_FACTOR, 1.5),
    "CurHopLimit": (Settings().hop_limit, 64),
    "LinkMTU (RFC 2464 2)": (Settings().mtu, 1500),
}


@pytest.mark.parametrize(("ours", "expected"), CONSTANTS.values(), ids=CONSTANTS)
def test_10_constants(ours: float, expected: float) -> None:
    assert ours == expected


@pytest.mark.parametrize("header", [51, 50], ids=["AH", "ESP"])
def test_11_2_messages_under_ipsec_are_not_taken(header: int) -> None:
    """11.2: what cannot be authenticated is discarded; without IPsec that is every such packet."""
    play = ready()
    octets = advertisement(prefix_option(), lifetime=9000)[14:]
    # AH (RFC 4302 2): next header, length in words less 2, reserved, SPI, sequence number, 12 octets of ICV.
    payload = struct.pack("!BBHII", 58, 4, 0, 256, 1) + bytes(12) + octets[40:]
    play.receive(frame(packet(ROUTER, "ff02::1", payload, next_header=header), mac=ROUTER_MAC))
    assert len(play.interface.routers) == 0 and len(play.interface.prefixes) == 0
    assert play.neighbour(ROUTER) is None
