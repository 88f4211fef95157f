"""Without a device: the host's calls in a loop, two hosts on a simulated link, tables that grow, and their memory."""

import gc
import struct
import time
import tracemalloc
from collections.abc import Callable
from random import Random
from statistics import median
from typing import Any

from stack.host import Host
from stack.interface import Interface
from stack.settings import Settings
from stack.sim.world import Station as Seat
from stack.sim.world import World
from tools.benchmark import frames
from tools.benchmark.frames import Station

_MAC = bytes.fromhex("0262656e6301")
_OTHER_MAC = bytes.fromhex("0262656e6302")
_SIZE = 56
_BATCH = 64
_ROOM = 1 << 20
_QUIET = 5.0


def new_host() -> tuple[Host, Interface]:
    """A host that is up, with room for whatever is put into its tables."""
    settings = Settings(
        dad_transmits=0,
        router_solicitations=0,
        gc_thresh3=_ROOM,
        max_static_neighbours=_ROOM,
        max_static_routes=_ROOM,
        mld_max_groups=_ROOM,
    )
    host = Host(Random(1), settings)
    interface = host.attach("bench", _MAC)
    interface.start(0.0)
    while (due := host.next_deadline()) is not None and due <= _QUIET:
        host.advance(due)
    host.output()
    return host, interface


def station_of(interface: Interface) -> Station:
    """Its MAC and its link-local address."""
    return Station(interface.mac, next(iter(interface.addresses.table)))


def receive_rates(peer: Station, count: int) -> dict[str, float]:
    """Echo requests per second through `receive` and `output`, one at a time, and through `receive_batch`."""
    host, interface = new_host()
    target = station_of(interface)
    interface.resolver.add_permanent(peer.address, peer.mac, _QUIET)
    requests = [frames.echo(frames.ECHO_REQUEST, peer, target, each, _SIZE) for each in range(_BATCH)]

    def singly() -> None:
        for each in requests:
            host.receive(each, _QUIET, interface)
            host.output()

    def together() -> None:
        host.receive_batch(requests, _QUIET, interface)
        host.output()

    return {"receive": _rate(singly, count), "receive_batch": _rate(together, count)}


def _rate(action: Callable[[], None], count: int) -> float:
    action()
    begin = time.perf_counter()
    for _ in range(count // _BATCH):
        action()
    return round(count // _BATCH * _BATCH / (time.perf_counter() - begin))


def simulation_rate(count: int) -> float:
    """Frames per second of wall time between two hosts on a switch in virtual time that ping each other."""
    world = World(1)
    one, other = (
        world.add_host(name, mac, Settings(dad_transmits=0, router_solicitations=0))
        for name, mac in (("one", _MAC), ("other", _OTHER_MAC))
    )
    for seat in (one, other):
        seat.interface.start(world.now)
        world.settle(seat)
    world.run_until(_QUIET)
    requests = count // 2
    _flood(world, one, other, 100)
    begin = time.perf_counter()
    answered = _flood(world, one, other, requests)
    seconds = time.perf_counter() - begin
    if answered != requests:
        raise SystemExit(f"bench: {requests - answered} of {requests} pings on the simulated link got no answer")
    return round(2 * requests / seconds)


def _flood(world: World, one: Seat, other: Seat, count: int) -> int:
    """Pings in windows, as fast as the link is; how many were answered."""
    heard: list[object] = []
    target = next(iter(other.interface.addresses.table))
    session = one.host.echoes.open(one.interface, target, heard.append, data=bytes(_SIZE))
    for first in range(0, count, _BATCH):
        for number in range(first, min(count, first + _BATCH)):
            session.send(number, world.now)
        world.settle(one)
        world.run_until(world.now + 0.01)
        for number in range(first, min(count, first + _BATCH)):
            session.forget(number)
    session.close()
    return len(heard)


def insertion_rate(peer: Station, count: int) -> float:
    """Neighbour entries made per second by solicitations from as many addresses."""
    host, interface = new_host()
    target = station_of(interface)
    requests = [
        frames.solicitation(Station(peer.mac, peer.address[:12] + struct.pack("!I", each)), target)
        for each in range(count)
    ]
    begin = time.perf_counter()
    for each in requests:
        host.receive(each, _QUIET, interface)
        host.output()
    rate = count / (time.perf_counter() - begin)
    if len(interface.resolver.cache) < count:
        raise SystemExit("bench: not every solicitation made an entry")
    return round(rate)


def octets_each(count: int) -> dict[str, int]:
    """What one neighbour, group, route and host takes, in octets as tracemalloc counts them."""
    hosts: list[object] = []

    def neighbours(interface: Interface, number: int) -> None:
        address = b"\xfe\x80" + bytes(10) + struct.pack("!I", number)
        interface.resolver.add_permanent(address, b"\x02\x01" + struct.pack("!I", number), _QUIET)

    def groups(interface: Interface, number: int) -> None:
        interface.listener.join(b"\xff\x05" + bytes(10) + struct.pack("!I", 1 << 16 | number), _QUIET)

    def routes(interface: Interface, number: int) -> None:
        prefix = b"\x20\x01\x0d\xb8" + struct.pack("!I", number) + bytes(8)
        interface.routes.add(prefix, 64, b"\xfe\x80" + bytes(13) + b"\x01")

    def whole_hosts(interface: Interface, number: int) -> None:
        hosts.append(new_host())

    tables = {"neighbour": neighbours, "group": groups, "route": routes}
    found = {name: _octets(action, count) for name, action in tables.items()}
    return {**found, "host": _octets(whole_hosts, 20)}


def _octets(add: Callable[[Interface, int], None], count: int) -> int:
    host, interface = new_host()
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(count):
        add(interface, number)
    # Reports and their repeats are over.
    while (due := host.next_deadline()) is not None and due <= 4 * _QUIET:
        host.advance(due)
        host.output()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return round((after - before) / count)


def measure(peer: Station, count: int, rounds: int) -> dict[str, Any]:
    """Everything; rates are frames or entries per second, medians, taken in turn."""
    rates: dict[str, list[float]] = {}
    for _ in range(rounds):
        found = receive_rates(peer, count)
        found["simulation"] = simulation_rate(count)
        found["insertions"] = insertion_rate(peer, count // 4)
        for name, rate in found.items():
            rates.setdefault(name, []).append(rate)
    ratios = [each / other for each, other in zip(rates["simulation"], rates["receive"], strict=True)]
    return {
        "rounds": rounds,
        "count": count,
        "rates": {name: median(found) for name, found in rates.items()},
        "simulation_ratio": round(median(ratios), 3),
        "octets": octets_each(min(count, 2_000)),
    }


_RATES = {
    "receive": "echo requests/s through Host.receive and Host.output, one at a time",
    "receive_batch": "echo requests/s through Host.receive_batch",
    "simulation": "frames/s between two hosts on a simulated link",
    "insertions": "neighbour entries/s, each made by a solicitation",
}


def show(document: dict[str, Any]) -> None:
    """The table for a human."""
    print(f"\nin memory: medians of {document['rounds']} rounds of {document['count']:,}")
    for name, text in _RATES.items():
        print(f"{document['rates'][name]:>12,.0f} {text}")
    print(f"{document['simulation_ratio']:>12.2f} the simulated link's rate by that of Host.receive")
    for name, octets in document["octets"].items():
        print(f"{octets:>12,} octets for a {name}")
