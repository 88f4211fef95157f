"""Whole links with routers: hosts configure themselves, reach what is beyond, and change over when a router is gone."""

import itertools
from random import Random

import pytest

from stack.errors import RefusedError
from stack.icmp6.echo import EchoAnswer
from stack.settings import Settings
from stack.sim import router as sim
from stack.sim.router import AdvertisingRouter, RouterVariables
from stack.sim.world import Seat, Station, World
from tests.playbook import Sent, ip, text

FIRST_MAC = bytes.fromhex("0200000000a1")
SECOND_MAC = bytes.fromhex("0200000000a2")
HOST_MAC = bytes.fromhex("020000000001")
PREFIX = "2001:db8:1::"
HOST_ADDRESS = "2001:db8:1::ff:fe00:1"
BEYOND = "2001:db8:ffff::1"
RS, RA = 133, 134


class Link(World):
    """One or two routers and a host; every frame as it leaves."""

    def __init__(self, *variables: RouterVariables, seed: int = 1, **settings: int) -> None:
        super().__init__(seed)
        self.sent: list[Sent] = []
        self.watchers.append(self._note)
        self.routers: list[AdvertisingRouter] = []
        self.seats: list[Seat] = []
        for number, (mac, own) in enumerate(zip((FIRST_MAC, SECOND_MAC), variables, strict=False)):
            self.routers.append(AdvertisingRouter(mac, Random(f"{seed}/{number}"), own))
            self.seats.append(self.add_node(f"router{number}", self.routers[-1]))
        self.host: Station = self.add_host("host", HOST_MAC, Settings(**settings))

    def _note(self, now: float, port: object, frame: bytes, outcome: object) -> None:
        if outcome is None:
            self.sent.append(Sent(now, frame))

    def up(self, number: int = 0) -> "Link":
        self.routers[number].start(self.now)
        self.settle(self.seats[number])
        return self

    def down(self, number: int = 0, *, quietly: bool = False) -> None:
        self.routers[number].stop(self.now, quietly=quietly)
        self.settle(self.seats[number])

    def host_up(self, seconds: float = 10.0) -> "Link":
        self.start(self.host)
        self.run_until(self.now + seconds)
        return self

    def ping(self, address: str = BEYOND, seconds: float = 3.0) -> bool:
        heard: list[object] = []
        host = self.host.host
        session = host.echoes.open(self.host.interface, ip(address), heard.append)
        session.send(1, self.now)
        self.settle(self.host)
        self.run_until(self.now + seconds)
        session.close()
        return any(isinstance(each, EchoAnswer) for each in heard)

    def addresses(self) -> dict[str, str]:
        return {text(each.address): each.state.value for each in self.host.interface.addresses.table.values()}


def advertised(**fields: object) -> RouterVariables:
    return RouterVariables(options=(sim.prefix_option(ip(PREFIX)),), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("unicast", [False, True], ids=["answers to all", "answers to one"])
def test_a_host_is_there_within_seconds(unicast: bool) -> None:
    """RFC 4861 6.3.7, 6.2.6; RFC 4862 5.5: solicited, advertised, configured, tested."""
    link = Link(advertised(unicast_answers=unicast)).up()
    link.run_until(100.0)
    link.sent.clear()
    link.host_up(6.0)
    assert link.addresses() == {"fe80::ff:fe00:1": "preferred", HOST_ADDRESS: "preferred"}
    solicited = [each for each in link.sent if each.kind == RS]
    answers = [each for each in link.sent if each.kind == RA and each.time >= solicited[0].time]
    assert len(solicited) == 1 and answers[0].destination == ("fe80::ff:fe00:1" if unicast else "ff02::1")


def test_what_is_beyond_answers() -> None:
    """RFC 4861 5.2: an off-link destination by the default router, from the address of its prefix."""
    link = Link(advertised()).up().host_up()
    assert link.ping()
    assert link.routers[0].forwarded == [ip(BEYOND)]
    with pytest.raises(RefusedError, match="no route"):
        Link(advertised()).host_up().ping()


def test_a_router_that_ceases() -> None:
    """6.2.5, 6.3.4: with a lifetime of 0 the host changes over at once."""
    link = Link(advertised(), advertised(preference=-1)).up(0).up(1).host_up()
    assert link.ping() and link.routers[0].forwarded
    link.down(0)
    link.run_until(link.now + 0.1)
    assert link.ping() and link.routers[1].forwarded == [ip(BEYOND)]


def test_a_router_that_is_gone_without_a_word() -> None:
    """7.3.3, 6.3.6: unreachability detection notices within seconds, and the other router is used."""
    link = Link(advertised(), advertised(preference=-1)).up(0).up(1).host_up()
    assert link.ping()
    link.down(0, quietly=True)
    since = link.now
    answered = False
    while not answered and link.now < since + 120.0:
        answered = link.ping(seconds=1.0)
    assert link.routers[1].forwarded
    # RFC 4861 10: REACHABLE at most 1.5 * 30 s, DELAY_FIRST_PROBE_TIME, three probes.
    assert link.now - since <= 45.0 + 5.0 + 3.0 + 2.0


def test_it_comes_back() -> None:
    """RFC 4191 3.5: the preferred router is asked once a minute while its traffic goes elsewhere."""
    link = Link(advertised(), advertised(preference=-1)).up(0).up(1).host_up()
    assert link.ping()
    link.down(0, quietly=True)
    while not link.routers[1].forwarded:
        link.ping(seconds=1.0)
    link.routers[0].running = True
    before = len(link.routers[0].forwarded)
    since = link.now
    while len(link.routers[0].forwarded) == before and link.now < since + 200.0:
        link.ping(seconds=1.0)
    assert link.now - since <= 62.0


def test_two_hosts_on_one_prefix_are_neighbours() -> None:
    """RFC 5942 4: with the L flag straight to the neighbour, without it by the router."""
    for on_link in (True, False):
        options = (sim.prefix_option(ip(PREFIX), on_link=on_link),)
        link = Link(RouterVariables(options=options)).up()
        other = link.add_host("other", bytes.fromhex("020000000002"))
        link.start(other)
        link.host_up()
        assert link.ping("2001:db8:1::ff:fe00:2")
        assert link.routers[0].forwarded == ([] if on_link else [ip("2001:db8:1::ff:fe00:2")])


def test_another_prefix() -> None:
    """RFC 4862 5.5.3 e: the old prefix is deprecated, the new one used; renumbering as RFC 4192 has it."""
    link = Link(advertised()).up().host_up()
    new = "2001:db8:2::"
    old = sim.prefix_option(ip(PREFIX), preferred=0, valid=7200)
    link.routers[0].variables.options = (old, sim.prefix_option(ip(new)))
    link.run_until(link.now + 700.0)
    states = link.addresses()
    assert (states[HOST_ADDRESS], states["2001:db8:2::ff:fe00:1"]) == ("deprecated", "preferred")
    assert link.host.interface.source_for(ip(BEYOND)) == ip("2001:db8:2::ff:fe00:1")


def test_a_route_that_only_one_router_has() -> None:
    """RFC 4191 3.2: more specific routes before default routers."""
    own = RouterVariables(lifetime=0, options=(sim.route_option(ip("2001:db8:ffff::"), 48),))
    link = Link(advertised(), own).up(0).up(1).host_up()
    assert link.ping() and link.ping("2001:db8:eeee::1")
    assert link.routers[1].forwarded == [ip(BEYOND)]
    assert link.routers[0].forwarded == [ip("2001:db8:eeee::1")]


def test_link_variables() -> None:
    """6.3.4: hop limit, times, MTU, DNS, flags."""
    options = (sim.mtu_option(1400), sim.servers_option(ip("2001:db8::53")))
    own = RouterVariables(
        options=options, hop_limit=33, reachable_time_ms=60_000, retrans_timer_ms=2_000, managed=True, other=True
    )
    link = Link(own).up().host_up()
    interface = link.host.interface
    variables = interface.variables
    assert (variables.hop_limit, variables.base_reachable_time_ms, variables.retrans_time_ms) == (33, 60_000, 2_000)
    assert interface.mtu == 1400 and interface.dns.servers.values() == ("2001:db8::53",)
    assert interface.discovery.managed and interface.discovery.other


def test_any_frame_at_all() -> None:
    """The router takes whatever comes."""
    own = AdvertisingRouter(FIRST_MAC, Random(1))
    own.start(0.0)
    rng = Random(2)
    for size in range(120):
        frame = FIRST_MAC + HOST_MAC + b"\x86\xdd" + rng.randbytes(size)
        own.receive(frame, 0.0)
        own.receive(frame[:20] + b"\x3a\xff" + frame[22:], 0.0)
        own.receive(frame[:18] + b"\0\0\x3a\xff" + frame[22:], 0.0)
    own.output()


def test_equal_seeds_give_equal_links() -> None:
    def frames(seed: int) -> list[Sent]:
        link = Link(advertised(), seed=seed, use_tempaddr=2).up().host_up(60.0)
        link.ping()
        return link.sent

    assert frames(3) == frames(3) != frames(4)


def test_advertisements_are_as_the_rfc_has_them() -> None:
    """4.2, 6.2.4: from its link-local address, hop limit 255, to ff02::1, three soon and then between 0.33 and 1."""
    link = Link(advertised(max_interval=100.0)).up()
    link.run_until(10_000.0)
    assert all(each.kind == RA and each.hop_limit == 255 and each.checksum_is_right() for each in link.sent)
    assert {(each.source, each.destination) for each in link.sent} == {("fe80::ff:fe00:a1", "ff02::1")}
    times = [each.time for each in link.sent]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(gap <= 16.0 for gap in gaps[:2]) and all(33.0 <= gap <= 100.0 for gap in gaps[2:])
