"""What `sixtap rude` does: the neighbour on its TAP device, until it is over."""

import argparse

import trio

from stack.address import format_address, format_mac, parse_address, parse_mac
from stack.cli import tapping
from stack.cli.rude import FLOODS
from stack.errors import UsageError
from stack.link.tap import TapLink, check_name
from stack.realtime import RealTime
from stack.sim.rude import RudeNeighbour
from stack.sim.world import Seat, World

_LINGER = 0.1


def run_rude(arguments: argparse.Namespace) -> int:
    """Be rude until it is over."""
    check_name(arguments.tap)
    claims = [parse_address(text) for text in arguments.address]
    if bool(claims) != (arguments.action == "claim"):
        raise UsageError("claim needs addresses, and nothing else takes any")
    if arguments.mac is not None:
        parse_mac(arguments.mac)
    with tapping.opened_unfiltered(arguments.tap, arguments.bridge) as link:
        mac = tapping.station_mac(arguments.mac, link)
        world = World()
        real = RealTime(world)
        real.add_tap(link)
        rude = RudeNeighbour(mac, world.generator("rude"), denies=arguments.action == "deny")
        rude.claims.update(claims)
        seat = world.add_node("rude", rude)
        tapping.tell(f"{link.name} {format_mac(mac)} {format_address(rude.address)}: {arguments.action}")
        tapping.run_until_signal(lambda: _serve(arguments, link, real, rude, seat))
        for address in rude.denied:
            print(f"denied {format_address(address)}")
    return 0


async def _serve(arguments: argparse.Namespace, link: TapLink, real: RealTime, rude: RudeNeighbour, seat: Seat) -> None:
    await tapping.until_forwarding(link)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(real.run)
        await trio.lowlevel.checkpoint()
        _begin(arguments, real, rude)
        real.world.settle(seat)
        real.catch_up()
        if arguments.action in FLOODS:
            await trio.sleep(arguments.count / arguments.rate + _LINGER)
            nursery.cancel_scope.cancel()


def _begin(arguments: argparse.Namespace, real: RealTime, rude: RudeNeighbour) -> None:
    count, rate, now = arguments.count, arguments.rate, real.world.now
    if arguments.action == "routers":
        rude.flood_advertisements(count, rate, now)
    elif arguments.action == "neighbours":
        rude.flood_false_neighbours(count, rate, now)
    elif arguments.action == "queries":
        rude.flood_queries(count, rate, 0.0, now)
    for address in rude.claims:
        rude.advertise_falsely(address)
