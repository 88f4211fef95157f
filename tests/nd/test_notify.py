"""Routers are told of a new address (RFC 9131, text not read; RFC 4861 7.2.6)."""

import itertools

import pytest

from tests.nd.advertising import NA, OUR_ADDRESS, hears, prefix_option
from tests.playbook import OUR_MAC, Play, Sent, ip, lladdr_option, text

GIVEN = "2001:db8:5::1"


def advertisements(play: Play, seconds: float = 5.0) -> list[Sent]:
    play.run(play.now + seconds)
    return play.sent(NA)


def test_the_advertisement() -> None:
    """RFC 9131 6.1: to ff02::2, from and about the new address, S, R and O 0, with our link-layer address."""
    play = Play(ndisc_notify=1).start()
    hears(play, prefix_option())
    since = play.now
    (sent,) = advertisements(play)
    address = text(ip(OUR_ADDRESS))
    assert (sent.source, sent.destination, sent.target, sent.hop_limit) == (address, "ff02::2", address, 255)
    assert sent.message[4:8] == bytes(4) and sent.message[24:] == lladdr_option(2, OUR_MAC)
    assert sent.checksum_is_right()
    assert sent.time >= since + 1.0, "not before duplicate address detection is through"


@pytest.mark.parametrize(("setting", "count"), [(0, 0), (1, 1)])
def test_the_setting(setting: int, count: int) -> None:
    play = Play(ndisc_notify=setting).start()
    play.add_address(GIVEN)
    assert len(advertisements(play)) == count


def test_not_for_every_kind_of_address() -> None:
    """No router is on the way to a link-local address; an anycast address is advertised in answers alone (7.2.7)."""
    play = Play(ndisc_notify=1)
    play.interface.start(play.now)
    assert advertisements(play, 10.0) == []
    play.add_address("fe80::77")
    play.add_address("2001:db8:5::9", anycast=True)
    assert advertisements(play) == []


def test_a_renewal_is_no_new_address() -> None:
    play = Play(ndisc_notify=1).start()
    hears(play, prefix_option(preferred=10))
    assert len(advertisements(play)) == 1
    play.run(play.now + 30.0)
    hears(play, prefix_option(preferred=1_000))
    assert play.address(OUR_ADDRESS) == "preferred" and advertisements(play) == []


def test_several_at_one_moment_have_a_gap_between() -> None:
    """RFC 4861 7.2.6: a small delay between the advertisements of several addresses, none of them lost by it."""
    play = Play(ndisc_notify=1).start()
    prefixes = [f"2001:db8:{number}::" for number in range(1, 6)]
    hears(play, *(prefix_option(prefix) for prefix in prefixes))
    sent = advertisements(play)
    assert sorted(each.target for each in sent) == sorted(text(each) for each in map(made_from, prefixes))
    gaps = [later.time - earlier.time for earlier, later in itertools.pairwise(sent)]
    assert all(0.05 <= gap <= 0.5 for gap in gaps), "RFC 4861 7.2.6"


def made_from(prefix: str) -> bytes:
    return ip(prefix)[:8] + ip(OUR_ADDRESS)[8:]


@pytest.mark.parametrize("how", ["removed", "down"])
def test_what_goes_meanwhile_is_told_no_more(how: str) -> None:
    play = Play(ndisc_notify=1, dad_transmits=0).start()
    for last in range(1, 5):
        play.interface.addresses.add(ip(f"2001:db8:5::{last}"), 64, play.now)
    if how == "down":
        play.interface.stop(play.now)
    else:
        for last in range(2, 5):
            play.remove_address(f"2001:db8:5::{last}")
    assert [each.target for each in advertisements(play)] == ["2001:db8:5::1"]
    assert how == "removed" or len(play.host.timers) == 0
