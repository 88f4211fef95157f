"""The prefix list and what is on-link: RFC 4861 6.3.4, 6.3.5; RFC 5942 (text not read: 3 and 4)."""

import pytest

from stack.events import PrefixChanged
from tests.nd.advertising import (
    FOREVER,
    NS,
    OTHER_ROUTER,
    OUR_ADDRESS,
    PREFIX,
    ROUTER,
    addresses,
    advertisement,
    hears,
    prefix_option,
    ready,
)
from tests.playbook import OUR_LINK_LOCAL, Play, ip, solicitation, text

NEIGHBOUR = "2001:db8:1::9"


def on_link(play: Play, address: str = NEIGHBOUR) -> bool:
    return play.interface.prefixes.is_on_link(ip(address))


def only_l(prefix: str = PREFIX, length: int = 64, **fields: int) -> bytes:
    return prefix_option(prefix, length, flags="L", **fields)


def test_on_link_for_its_valid_lifetime() -> None:
    """6.3.4: an entry with the Valid Lifetime; 6.3.5: discarded when that is over. The preferred one says nothing."""
    play = hears(ready(), only_l(valid=600, preferred=0))
    since = play.now
    assert on_link(play) and not on_link(play, "2001:db8:2::9")
    play.run(since + 599.9)
    assert on_link(play)
    play.run(since + 600.0)
    assert not on_link(play)
    assert play.told("prefix") == [PrefixChanged(ip(PREFIX), 64, True), PrefixChanged(ip(PREFIX), 64, False)]


def test_an_on_link_prefix_alone_makes_no_address() -> None:
    play = hears(ready(), only_l())
    play.run(play.now + 10.0)
    assert on_link(play) and addresses(play) == []


def test_an_address_alone_makes_nothing_on_link() -> None:
    """RFC 5942 4: an address says nothing of its neighbours; without L they are reached by a router."""
    play = hears(ready(), prefix_option(flags="A"))
    play.run(play.now + 10.0)
    assert play.address(OUR_ADDRESS) == "preferred"
    assert not on_link(play) and not play.interface.addresses.on_link(ip(NEIGHBOUR))


def test_the_prefix_of_an_address_that_the_user_gave() -> None:
    """RFC 5942 4: manual configuration may say so, and it stays apart from the list."""
    play = ready()
    play.add_address("2001:db8:5::1", 48)
    play.run(play.now + 5.0)
    assert play.interface.addresses.on_link(ip("2001:db8:5:9::1"))
    assert not on_link(play, "2001:db8:5:9::1") and play.interface.prefixes.listing(play.now) == []


def test_sending_to_an_on_link_neighbour() -> None:
    """5.2: an on-link destination is its own next hop, and is resolved."""
    play = hears(ready(), only_l())
    play.ping(NEIGHBOUR)
    (sent,) = play.sent(NS)
    assert sent.target == NEIGHBOUR


@pytest.mark.parametrize("valid", [3600, 100, 10])
def test_a_later_advertisement_resets_the_lifetime(valid: int) -> None:
    """6.3.4: the invalidation timer is reset to the new value; there is no two-hour rule here."""
    play = hears(ready(), only_l(valid=86_400))
    play.run(play.now + 50.0)
    hears(play, only_l(valid=valid))
    play.run(play.now + valid - 0.1)
    assert on_link(play)
    play.run(play.now + 0.2)
    assert not on_link(play)


def test_a_lifetime_of_zero() -> None:
    """6.3.4: times the prefix out at once; for an unknown prefix the option is ignored."""
    play = hears(ready(), only_l(valid=0))
    assert not on_link(play) and play.told("prefix") == []
    hears(play, only_l())
    hears(play, only_l(valid=0))
    assert not on_link(play)


def test_a_lifetime_of_all_ones() -> None:
    """4.6.2: infinity; and it can be ended by any later value."""
    play = hears(ready(), only_l(valid=FOREVER))
    play.run(play.now + 2.0 * FOREVER)
    assert on_link(play)
    assert play.interface.prefixes.listing(play.now)[0].expires is None
    hears(play, only_l(valid=60))
    play.run(play.now + 60.0)
    assert not on_link(play)


def test_no_statement_without_the_flag() -> None:
    """6.3.4: L 0 conveys nothing; it MUST NOT be taken to mean off-link, not even with a lifetime of zero."""
    play = hears(ready(), only_l())
    hears(play, prefix_option(flags="A", valid=0, preferred=0))
    hears(play, prefix_option(flags=""))
    assert on_link(play)


LINK_LOCAL = {"fe80::/64": ("fe80::", 64), "fe80::/10": ("fe80::", 10), "fe80:1::/64": ("fe80:1::", 64)}


@pytest.mark.parametrize(("prefix", "length"), LINK_LOCAL.values(), ids=LINK_LOCAL)
def test_the_link_local_prefix_is_ignored(prefix: str, length: int) -> None:
    """6.3.4: silently ignore the option; link-local addresses are on-link whatever anybody says."""
    play = hears(ready(), only_l(prefix, length))
    assert len(play.interface.prefixes) == 0 and on_link(play, "fe80::9")
    hears(play, only_l(prefix, length, valid=0))
    assert on_link(play, "fe80::9")


def test_a_shorter_prefix_that_holds_the_link_local_one() -> None:
    """6.3.4: only the link-local prefix itself is ignored."""
    play = hears(ready(), only_l("fe80::", 9))
    assert on_link(play, "fec0::1")


@pytest.mark.parametrize(
    ("length", "inside", "outside"),
    [
        (0, "3fff::1", None),
        (1, "7fff::1", "8000::1"),
        (48, "2001:db8:1:ffff::1", "2001:db8:2::1"),
        (63, "2001:db8:1:1::1", "2001:db8:1:2::1"),
        (127, "2001:db8:1::1", "2001:db8:1::2"),
        (128, "2001:db8:1::", "2001:db8:1::1"),
    ],
)
def test_any_length(length: int, inside: str, outside: str | None) -> None:
    """4.6.2: from 0 to 128, and not only that of an interface identifier."""
    play = hears(ready(), only_l(length=length))
    assert on_link(play, inside)
    assert outside is None or not on_link(play, outside)


def test_bits_behind_the_length_are_ignored() -> None:
    """4.6.2: they are reserved: the same prefix with other bits behind is the same entry."""
    play = hears(ready(), only_l("2001:db8:1::dead:beef", 64))
    hears(play, only_l("2001:db8:1::1", 64))
    assert [(text(each.prefix), each.prefix_length) for each in play.interface.prefixes.listing(play.now)] == [
        (PREFIX, 64)
    ]


def test_two_lengths_are_two_prefixes() -> None:
    play = hears(ready(), only_l(length=48), only_l(length=64))
    hears(play, only_l(length=48, valid=0))
    assert on_link(play) and not on_link(play, "2001:db8:1:1::1")


def test_two_routers_say_the_same() -> None:
    """6.3.4: the most recently received information counts, whoever sent it; the listing names the sender."""
    play = hears(ready(), only_l(valid=600))
    hears(play, only_l(valid=100), router=OTHER_ROUTER)
    (entry,) = play.interface.prefixes.listing(play.now)
    assert (text(entry.router), entry.expires) == (OTHER_ROUTER, pytest.approx(100.0))


def test_a_prefix_outlives_its_router() -> None:
    """4.2: the Router Lifetime has nothing to do with other information of the message."""
    play = hears(ready(), only_l(valid=600), lifetime=10)
    play.run(play.now + 100.0)
    assert on_link(play)


def test_autoconf_off_leaves_prefixes() -> None:
    """The two functions are independent (6.3.4, note): `autoconf` 0 makes no addresses."""
    play = hears(ready(autoconf=0), prefix_option())
    assert on_link(play) and addresses(play) == []


def test_an_on_link_source_is_a_neighbour() -> None:
    """7.2.3: who asks from an on-link address gets an entry; before the prefix was on-link it had none."""
    play = ready()
    play.receive(solicitation(OUR_LINK_LOCAL, source=NEIGHBOUR))
    assert play.neighbour(NEIGHBOUR) is None
    hears(play, only_l())
    play.receive(solicitation(OUR_LINK_LOCAL, source=NEIGHBOUR))
    assert play.neighbour(NEIGHBOUR) is not None


def test_many_in_one_message() -> None:
    """Each option counts by itself."""
    options = [only_l(f"2001:db8:{number:x}::") for number in range(40)]
    play = ready()
    play.receive(advertisement(*options))
    assert len(play.interface.prefixes) == 40


def test_a_full_list() -> None:
    """`max_prefixes`: a newcomer replaces what came last, so what was there first stays."""
    play = ready(max_prefixes=3)
    for number in range(10):
        hears(play, only_l(f"2001:db8:{number:x}::"))
    kept = [text(each.prefix) for each in play.interface.prefixes.listing(play.now)]
    assert kept == ["2001:db8::", "2001:db8:1::", "2001:db8:9::"]
    assert play.host.counters.limits["max_prefixes"] == 7


def test_what_is_repeated_outlasts_what_is_not() -> None:
    """A flood never says anything twice; the prefix of an honest router that came late stays once it is repeated."""
    play = ready(max_prefixes=2)
    hears(play, only_l("2001:db8:aaaa::"))
    hears(play, only_l(PREFIX), router=ROUTER)
    hears(play, only_l(PREFIX), router=ROUTER)
    for number in range(10):
        hears(play, only_l(f"2001:db8:{number + 16:x}::"), router=f"fe80::{number + 1:x}")
    assert on_link(play)
