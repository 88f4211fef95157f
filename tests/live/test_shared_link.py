"""Simulated nodes and a real bridge share a link: a router and a host in memory, a TAP device as one of the ports."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from threading import Thread

import trio

from stack.link.switch import Switch
from stack.link.tap import TapLink
from stack.realtime import RealTime
from stack.sim.router import AdvertisingRouter, RouterVariables, prefix_option
from stack.sim.world import World
from tests.live.netns import LinuxHost, Namespace, wait_until
from tests.playbook import ip

PREFIX = "2001:db8:77::"
HOST_MAC = bytes.fromhex("02000000000a")
HOST = "2001:db8:77::ff:fe00:a"


@contextmanager
def running(real: RealTime) -> Iterator[None]:
    """The link, in a thread of its own with trio in it."""
    ready: list[tuple[trio.lowlevel.TrioToken, trio.CancelScope]] = []

    async def main() -> None:
        with trio.CancelScope() as scope:
            ready.append((trio.lowlevel.current_trio_token(), scope))
            await real.run()

    thread = Thread(target=trio.run, args=(main,))
    thread.start()
    token, scope = wait_until(lambda: ready[0] if ready else None, "running link")
    try:
        yield
    finally:
        token.run_sync_soon(scope.cancel)
        thread.join(20.0)


def address(linux: LinuxHost) -> str:
    """The address that Linux has made from the router's prefix."""
    shown = linux.ip("-6", "addr", "show", "dev", linux.dev, "scope", "global", "-tentative")
    found = [each["local"] for link in shown or [] for each in link.get("addr_info", []) if "local" in each]
    return next((each for each in found if each.startswith(PREFIX[:-1])), "")


def test_linux_is_configured_by_a_simulated_router_and_pings_a_simulated_host() -> None:
    with Namespace() as namespace:
        bridge = namespace.bridge()
        linux = namespace.linux_host(bridge)
        with namespace.enter():
            link = TapLink("t0", bridge=bridge)
        try:
            world = World(1, switch=Switch(snooping=True), filtering=True)
            real = RealTime(world)
            port = real.add_tap(link)
            router = AdvertisingRouter(
                bytes.fromhex("0200000000a1"), Random(1), RouterVariables(options=(prefix_option(ip(PREFIX)),))
            )
            seat = world.add_node("router", router)
            ada = world.add_host("ada", HOST_MAC)
            router.start(0.0)
            world.settle(seat)
            world.start(ada)
            with running(real):
                wait_until(lambda: address(linux), "an address of the simulated router's prefix")
                wait_until(lambda: ada.interface.is_assigned(ip(HOST)), "an address of the simulated host")
                done = linux.run("ping", "-6", "-c", "3", "-W", "2", HOST, check=False)
                assert done.returncode == 0, done.stdout
                # To the router itself: what is for it is not filtered away.
                done = linux.run("ping", "-6", "-c", "1", "-W", "2", f"fe80::ff:fe00:a1%{linux.dev}", check=False)
                assert done.returncode == 0, done.stdout
                routes = linux.ip("-6", "route", "show", "default")
                assert routes[0]["gateway"] == "fe80::ff:fe00:a1"
            assert port.received > 0 and port.sent > 0
            assert ada.host.counters.icmp_in[128] >= 3
        finally:
            link.close()
