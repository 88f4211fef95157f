"""A tap writes what passes as a capture, and a capture is played into another link."""

import io
import itertools
from pathlib import Path

import dpkt

from stack.capture.files import frames as read_frames
from stack.capture.writing import CaptureWriter
from stack.link.impairment import Impairment
from stack.sim.player import CapturePlayer
from stack.sim.wiretap import WireTap
from stack.sim.world import World
from tests.sim.test_links import frames, hosts, up


def captured(buffer: io.BytesIO) -> list[tuple[float, bytes]]:
    """By an independent reader."""
    buffer.seek(0)
    return [(float(time), octets) for time, octets in dpkt.pcapng.Reader(buffer)]


def test_the_whole_link_once() -> None:
    world, buffer = World(1), io.BytesIO()
    hosts(world, 3)
    tap, seen = WireTap(world, CaptureWriter(buffer), epoch=1000.0), frames(world)
    up(world)
    found = captured(buffer)
    assert [octets for _, octets in found] == [octets for _, _, octets in seen]
    assert [round(time - 1000.0, 6) for time, _ in found] == [round(time, 6) for time, _, _ in seen]
    assert tap.frames == len(seen) > 0
    tap.close()
    world.link_down(world.stations[0])
    world.link_up(world.stations[0])
    world.run_until(world.now + 10)
    assert captured(buffer) == found


def test_one_port_behind_its_line() -> None:
    world, buffer = World(1), io.BytesIO()
    first, second = hosts(world, 2)
    world.impair(second.port, outward=Impairment(loss=1.0))
    WireTap(world, CaptureWriter(buffer), second.port)
    up(world)
    assert {octets[6:12] for _, octets in captured(buffer)} == {second.interface.mac}, "nothing reaches it"
    world.impair(second.port)
    world.link_down(first)
    world.link_up(first)
    world.run_until(world.now + 10)
    assert {octets[6:12] for _, octets in captured(buffer)} == {first.interface.mac, second.interface.mac}


def test_what_was_captured_can_be_played(tmp_path: Path) -> None:
    world, path = World(1), tmp_path / "link.pcapng"
    hosts(world, 2)
    with path.open("wb") as file:
        WireTap(world, CaptureWriter(file), epoch=5_000.0)
        before = frames(world)
        up(world)
    other = World(2)
    seen = frames(other)
    player = CapturePlayer((frame.time / 1e9, frame.octets) for frame in read_frames(path, print))
    seat = other.add_node("capture", player)
    player.start(0.0)
    other.settle(seat)
    other.run_until(100.0)
    assert [octets for _, _, octets in seen] == [octets for _, _, octets in before]
    pauses = [later - first for (first, *_), (later, *_) in itertools.pairwise(before)]
    played = [later - first for (first, *_), (later, *_) in itertools.pairwise(seen)]
    assert all(abs(one - two) < 1e-6 for one, two in zip(pauses, played, strict=True))
