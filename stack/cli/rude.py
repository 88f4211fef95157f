"""A neighbour that breaks the peace of a link: for a lab, to see what hosts make of it, never for somebody's network.

deny     answers every probe of duplicate address detection: nobody gets an address
claim    says that the given addresses are its own, to whoever asks and at once to all
routers  floods router advertisements, each of another router with another prefix
neighbours  floods neighbour advertisements that nobody asked for
queries  floods general MLD queries that want their answers at once

The last three end after --count messages, --rate a second; the first two when interrupted.

example: sixtap rude deny --tap x0 --bridge br0
"""

import argparse

import trio

from stack.address import format_address, format_mac, parse_address, parse_mac
from stack.cli import tapping
from stack.cli.fields import seconds, whole
from stack.errors import UsageError
from stack.link.tap import TapLink, check_name
from stack.realtime import RealTime
from stack.sim.rude import RudeNeighbour
from stack.sim.world import Seat, World

FLOODS = ("routers", "neighbours", "queries")
_ACTIONS = ("deny", "claim", *FLOODS)
_LINGER = 0.1


def configure(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("action", choices=_ACTIONS, metavar="ACTION", help="deny, claim, routers, neighbours, queries")
    parser.add_argument("address", nargs="*", metavar="ADDRESS", help="what claim claims")
    parser.add_argument("--tap", metavar="NAME", required=True, help="TAP device")
    parser.add_argument("--bridge", metavar="BRIDGE", help="make the device a port of this bridge")
    parser.add_argument("--mac", metavar="MAC", help="its MAC (derived from NAME and the machine's id)")
    parser.add_argument("--count", type=whole(1, 10**7), default=1000, metavar="N", help="messages of a flood (1000)")
    parser.add_argument(
        "--rate", type=seconds(0.01, 100_000.0), default=100.0, metavar="N", help="messages of a flood per second (100)"
    )


def run(arguments: argparse.Namespace) -> int:
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
