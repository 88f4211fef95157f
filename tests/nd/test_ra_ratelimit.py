"""A flood of router advertisements: how many are taken, and that a router in use is heard through it."""

import struct

from stack.discard import Discard, Verdict
from stack.nd.router_discovery import BURST
from tests.playbook import OUR_LINK_LOCAL, PEER_LINK_LOCAL, PEER_MAC, Play, frame, icmp, ip, lladdr_option, packet

ELSEWHERE = "2001:db8:99::1"


def advertisement(source: str, mac: bytes = PEER_MAC, hop_limit: int = 64) -> bytes:
    """RFC 4861 4.2, with a lifetime of half an hour and the router's link-layer address."""
    body = struct.pack("!BBHII", hop_limit, 0, 1800, 0, 0) + lladdr_option(1, mac)
    return frame(packet(source, "ff02::1", icmp(source, "ff02::1", 134, 0, body)), mac=mac)


def stranger(number: int) -> bytes:
    """The advertisement of a router of its own for each number."""
    return advertisement(f"fe80::bad:{number:x}", b"\x02\x0b\xad" + number.to_bytes(3, "big"))


def flooded(play: Play, count: int = 3 * BURST) -> list[object]:
    """What becomes of each advertisement of a flood at one moment."""
    return [play.receive(stranger(number)) for number in range(count)]


def use(play: Play) -> None:
    """Our packets go through the router, and it answers."""
    play.ping(ELSEWHERE)
    body = struct.pack("!B3x", 0xE0) + ip(PEER_LINK_LOCAL) + lladdr_option(2)
    message = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 136, 0, body)
    play.run(play.now + 6.0)
    play.receive(frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, message)))


def test_a_burst_is_taken_and_the_rest_of_a_flood_is_not() -> None:
    """RFC 4861 6.2.6: a router sends one in three seconds, so these are more than a link has routers."""
    play = Play().start()
    outcomes = flooded(play)
    assert outcomes == [Verdict.DELIVERED] * BURST + [Discard.RA_TOO_MANY] * (2 * BURST)
    assert len(play.interface.routers) == play.host.settings.max_routers


def test_a_new_router_is_heard_a_moment_after_a_flood() -> None:
    play = Play().start()
    flooded(play)
    play.run(play.now + 1.0)
    assert play.receive(advertisement(PEER_LINK_LOCAL)) is Verdict.DELIVERED
    assert play.interface.routers.is_router(ip(PEER_LINK_LOCAL))


def test_as_many_are_taken_in_a_second_as_the_setting_says() -> None:
    play = Play(ra_ratelimit=7).start()
    flooded(play)
    play.run(play.now + 1.0)
    assert flooded(play, 20).count(Verdict.DELIVERED) == 7


def test_a_router_in_use_is_heard_in_the_midst_of_a_flood() -> None:
    play = Play().start()
    play.receive(advertisement(PEER_LINK_LOCAL))
    use(play)
    flooded(play)
    assert play.receive(advertisement(PEER_LINK_LOCAL, hop_limit=99)) is Verdict.DELIVERED
    assert play.interface.variables.hop_limit == 99


def test_a_flood_in_the_name_of_a_router_in_use_is_limited_too() -> None:
    play = Play().start()
    play.receive(advertisement(PEER_LINK_LOCAL))
    use(play)
    outcomes = [play.receive(advertisement(PEER_LINK_LOCAL)) for _ in range(2 * BURST)]
    assert outcomes.count(Verdict.DELIVERED) == BURST


def test_without_the_limit_all_are_taken() -> None:
    play = Play(ra_ratelimit=0).start()
    assert set(flooded(play)) == {Verdict.DELIVERED}
