"""A simulated link in real time, with a device without a kernel as one of its ports."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from stack.address import multicast_mac, solicited_node
from stack.errors import LinkError, LinkGoneError
from stack.multicast_filter import FilterPlan
from stack.realtime import RealTime, TapPort
from stack.settings import Settings
from stack.sim.player import CapturePlayer
from stack.sim.world import Station, World
from tests.device import PairDevice
from tests.playbook import OUR_LINK_LOCAL, OUR_MAC, PEER_LINK_LOCAL, PEER_MAC, Sent, frame, icmp, ip, packet

GROUP = "ff05::1:3"


class Device(PairDevice):
    """With a filter; `plans` is what it was given."""

    def __init__(self) -> None:
        super().__init__("tap")
        self.plans: list[FilterPlan] = []
        self.refuse = False

    def program(self, plan: FilterPlan) -> None:
        if self.refuse:
            raise OSError(22, "Invalid argument")
        self.plans.append(plan)


class Link:
    """Hosts behind one device; `heard` is what has come out of it."""

    def __init__(self, hosts: int = 1) -> None:
        self.device = Device()
        self.world = World(1, filtering=True)
        self.real = RealTime(self.world)
        self.port: TapPort = self.real.add_tap(self.device)
        own = Settings(dad_transmits=0, router_solicitations=0)
        first = int.from_bytes(OUR_MAC, "big")
        self.hosts: list[Station] = [
            self.world.add_host(f"host{number}", (first + 256 * number).to_bytes(6, "big"), own)
            for number in range(hosts)
        ]
        self.heard: list[Sent] = []

    def kinds(self) -> list[int]:
        self.heard += [Sent(0.0, octets) for octets in self.device.frames()]
        return [each.kind for each in self.heard]

    def up(self) -> None:
        for host in self.hosts:
            self.world.start(host)
        self.real.catch_up()


@asynccontextmanager
async def running(link: Link) -> AsyncIterator[Link]:
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(link.real.run)
            await trio.testing.wait_all_tasks_blocked()
            yield link
            nursery.cancel_scope.cancel()
    finally:
        link.device.close()


async def until(condition: Callable[[], object]) -> None:
    with trio.fail_after(20):
        while not condition():
            await trio.sleep(0.005)


def echo_request(to: bytes, destination: str) -> bytes:
    octets = icmp(PEER_LINK_LOCAL, destination, 128, 0, bytes(12))
    return frame(packet(PEER_LINK_LOCAL, destination, octets, hop_limit=64), mac=PEER_MAC, to=to)


async def test_what_hosts_say_leaves_by_the_device() -> None:
    async with running(Link()) as link:
        link.up()
        await until(lambda: 143 in link.kinds())
        assert link.port.sent >= 1
        assert link.port.refused == 0


async def test_what_the_device_hears_reaches_the_host_that_it_is_for() -> None:
    async with running(Link(3)) as link:
        link.up()
        await until(lambda: link.port.sent)
        link.device.peer.send(echo_request(OUR_MAC, OUR_LINK_LOCAL))
        # The host asks who that is, and is told.
        await until(lambda: 135 in link.kinds())
        assert link.port.received == 1
        counts = [host.host.counters.icmp_in[128] for host in link.hosts]
        assert counts == [1, 0, 0]
        assert all(host.host.counters.frames_in == 0 for host in link.hosts[1:]), "it cost them nothing"


async def test_timers_run() -> None:
    async with running(Link()) as link:
        link.up()
        # The state change is repeated within a second (RFC 3810 9.11): nothing else happens meanwhile.
        await until(lambda: link.kinds().count(143) >= 2)


async def test_the_filter_is_there_before_the_report() -> None:
    # SEED row S57, for all hosts together
    async with running(Link(2)) as link:
        link.up()
        await until(lambda: link.port.sent)
        plan = link.device.plans[-1]
        assert set(plan.unicast) == {host.interface.mac for host in link.hosts}
        assert multicast_mac(solicited_node(ip(OUR_LINK_LOCAL))) in plan.exact
        link.hosts[1].interface.listener.join(ip(GROUP), link.world.now)
        link.world.settle(link.hosts[1])
        link.real.catch_up()
        assert multicast_mac(ip(GROUP)) in link.device.plans[-1].exact + link.device.plans[-1].hashed
        programmed = len(link.device.plans)
        link.hosts[0].interface.listener.join(ip(GROUP), link.world.now)
        link.world.settle(link.hosts[0])
        link.real.catch_up()
        assert len(link.device.plans) == programmed, "it lets the group through already"


async def test_more_hosts_than_the_device_can_match() -> None:
    async with running(Link(9)) as link:
        link.up()
        await until(lambda: link.port.sent)
        assert link.device.plans[-1].off


async def test_somebody_who_takes_everything() -> None:
    link = Link(2)
    world, player = link.world, CapturePlayer([])
    async with running(link):
        link.up()
        await until(lambda: link.port.sent)
        assert not link.device.plans[-1].off
        world.add_node("somebody", player)
        link.hosts[0].interface.listener.join(ip(GROUP), world.now)
        world.settle(link.hosts[0])
        link.real.catch_up()
        assert link.device.plans[-1].off, "the device must not keep frames from them"


async def test_a_filter_that_is_refused() -> None:
    link = Link()
    link.device.refuse = True
    with pytest.raises(BaseExceptionGroup) as caught:
        async with running(link):
            link.up()
    assert caught.group_contains(LinkError, match="tap: the driver refuses the filter")


async def test_a_device_that_is_down_takes_nothing() -> None:
    async with running(Link()) as link:
        link.device.up = False
        link.up()
        await until(lambda: link.port.refused)
        assert link.port.sent == 0


async def test_a_device_that_is_deleted() -> None:
    link = Link()
    with pytest.raises(BaseExceptionGroup) as caught:
        async with running(link):
            link.device.deleted = True
            link.device.peer.send(bytes(60))
            await trio.sleep(20)
    assert caught.group_contains(LinkGoneError)


async def test_a_burst_is_read_in_batches() -> None:
    async with running(Link()) as link:
        link.up()
        await until(lambda: link.port.sent)
        for _ in range(150):
            link.device.peer.send(echo_request(OUR_MAC, OUR_LINK_LOCAL))
        await until(lambda: link.port.received == 150)
        assert link.hosts[0].host.counters.icmp_in[128] == 150
