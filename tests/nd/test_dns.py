"""DNS servers and search domains from routers: RFC 8106 5 (text not read; RFC 6106 5 and 6 is what was read)."""

import struct

import pytest

from stack import documents
from stack.events import DnsChanged
from tests.nd.advertising import (
    FOREVER,
    OTHER_ROUTER,
    ROUTER,
    encoded,
    hears,
    ready,
    search_octets,
    search_option,
    servers_option,
)
from tests.playbook import Play, ip
from tests.playbook import advertisement as neighbour_advertisement

ONE, TWO, THREE = "2001:db8::51", "2001:db8::52", "2001:db8::53"


def servers(play: Play) -> tuple[str, ...]:
    return play.interface.dns.servers.values()


def search(play: Play) -> tuple[str, ...]:
    return play.interface.dns.search.values()


def rdnss(units: int, octets: bytes, lifetime: int = 1200) -> bytes:
    """An RDNSS option of any length."""
    return (struct.pack("!BBHI", 25, units, 0, lifetime) + octets)[: 8 * units].ljust(8 * units, b"\0")


# -- servers


def test_servers_in_the_order_of_the_option() -> None:
    """RFC 6106 6.2 d: the first address in the option is the first in the list, and each is what was sent."""
    play = hears(ready(), servers_option(ONE, TWO, THREE))
    assert servers(play) == (ONE, TWO, THREE)
    assert play.told("dns") == [DnsChanged((ONE, TWO, THREE), ())]


def test_a_later_option_comes_first() -> None:
    """RFC 6106 6.2 d: a new address is inserted in front; 5.3.1: the latest received is more preferred."""
    play = hears(ready(), servers_option(ONE))
    hears(play, servers_option(TWO, THREE))
    assert servers(play) == (TWO, THREE, ONE)
    hears(play, servers_option(ONE))
    assert servers(play) == (TWO, THREE, ONE), "6.2 c: one that is there only has its lifetime updated"


def test_for_the_lifetime_of_the_option() -> None:
    """5.1: at most for the lifetime; an event when it is over."""
    play = hears(ready(), servers_option(ONE, lifetime=600), servers_option(TWO, lifetime=900))
    since = play.now
    play.run(since + 599.9)
    assert servers(play) == (TWO, ONE)
    play.run(since + 600.0)
    assert servers(play) == (TWO,)
    play.run(since + 900.0)
    assert servers(play) == ()
    assert [each.servers for each in play.told("dns")] == [(TWO, ONE), (TWO,), ()]  # type: ignore[attr-defined]


def test_a_lifetime_of_zero_ends_it() -> None:
    """5.1: a value of zero means that the address MUST no longer be used."""
    play = hears(ready(), servers_option(ONE, TWO))
    hears(play, servers_option(ONE, THREE, lifetime=0))
    assert servers(play) == (TWO,)


def test_a_lifetime_of_all_ones() -> None:
    """5.1: infinity, as long as the router's own lifetime is renewed."""
    play = hears(ready(), servers_option(ONE, lifetime=FOREVER), lifetime=9000)
    for _ in range(100):
        play.run(play.now + 8000.0)
        hears(play, lifetime=9000)
    assert servers(play) == (ONE,)


def test_not_longer_than_its_router() -> None:
    """RFC 6106 5.2, note: MUST be used only as long as both the Router Lifetime and the option's have not expired."""
    play = hears(
        ready(), servers_option(ONE, lifetime=10_000), search_option("example.org", lifetime=10_000), lifetime=100
    )
    play.run(play.now + 99.9)
    assert servers(play) == (ONE,) and search(play) == ("example.org",)
    play.run(play.now + 0.1)
    assert servers(play) == () == search(play)


def test_a_router_that_ceases_takes_its_servers_along() -> None:
    """The same, with a Router Lifetime of zero; what another router says stays."""
    play = hears(ready(), servers_option(ONE, TWO))
    hears(play, servers_option(TWO), router=OTHER_ROUTER)
    hears(play, lifetime=0)
    assert servers(play) == (TWO,)
    assert [each.router for each in play.interface.dns.servers.listing(play.now)] == [ip(OTHER_ROUTER)]


def test_each_router_speaks_for_itself() -> None:
    """RFC 4861 6.3.4: what one router says invalidates nothing that another one said; each server is used once."""
    play = hears(ready(), servers_option(ONE))
    hears(play, servers_option(ONE), router=OTHER_ROUTER)
    assert servers(play) == (ONE,) and len(play.interface.dns.servers) == 2
    hears(play, servers_option(ONE, lifetime=0))
    assert servers(play) == (ONE,)
    hears(play, servers_option(ONE, lifetime=0), router=OTHER_ROUTER)
    assert servers(play) == ()


def test_a_renewal_is_no_news() -> None:
    play = hears(ready(), servers_option(ONE), search_option("example.org"))
    count = len(play.told("dns"))
    for _ in range(3):
        hears(play, servers_option(ONE), search_option("example.org"))
    assert len(play.told("dns")) == count == 1


WRONG_SERVERS = {
    "length 1": rdnss(1, b""),
    "length 2": rdnss(2, bytes(8)),
    "length 4: half an address left": rdnss(4, ip(ONE) + ip(TWO)[:8]),
    "length 6": rdnss(6, ip(ONE) + ip(TWO) + bytes(8)),
}


@pytest.mark.parametrize("option", WRONG_SERVERS.values(), ids=WRONG_SERVERS)
def test_a_malformed_option_of_servers(option: bytes) -> None:
    """5.1, 5.3.1; CVE-2020-16898: the length is odd and at least 3, or the option is discarded; the walk goes on."""
    play = hears(ready(), option, servers_option(THREE))
    assert servers(play) == (THREE,)


@pytest.mark.parametrize("address", ["::", "ff02::fb", "ff0e::1"])
def test_what_is_no_server(address: str) -> None:
    """RFC 4291 2.5.2, 2.7: nobody can be asked at the unspecified address or at a group."""
    assert servers(hears(ready(), servers_option(address, ONE))) == (ONE,)


def test_a_link_local_server() -> None:
    """RFC 8106 5.1 (text not read): a server's address may be link-local."""
    assert servers(hears(ready(), servers_option(ROUTER))) == (ROUTER,)


# -- search domains


def test_search_domains() -> None:
    """5.2: names as in RFC 1035 3.1, one behind the other, padded with zeros."""
    play = hears(ready(), search_option("example.org", "corp.Example.NET", "a"))
    assert search(play) == ("example.org", "corp.example.net", "a")


def test_search_domains_end() -> None:
    play = hears(ready(), search_option("example.org", lifetime=60), search_option("example.net"))
    hears(play, search_option("example.net", lifetime=0))
    assert search(play) == ("example.org",)
    play.run(play.now + 60.0)
    assert search(play) == ()


LABEL_63, LABEL_64 = "x" * 63, "y" * 64
LONGEST = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])

NAMES: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "without padding": (encoded("abc.de"), ("abc.de",)),
    "a label of 63 octets": (encoded(LABEL_63), (LABEL_63,)),
    "a name of 255 octets": (encoded(LONGEST), (LONGEST,)),
    "octets that are no letters": (b"\x03a\0b\x04x.y\xff\0", ("a\\000b.x\\046y\\255",)),
    "a hundred names": (encoded(*(f"n{n}.org" for n in range(10))), tuple(f"n{n}.org" for n in range(10))),
}


@pytest.mark.parametrize(("octets", "expected"), NAMES.values(), ids=NAMES)
def test_names(octets: bytes, expected: tuple[str, ...]) -> None:
    """RFC 1035 2.3.4, 3.1; other octets are written as RFC 1035 5.1 has them, so that a dot in a label is no dot."""
    assert search(hears(ready(), search_octets(octets))) == expected


WRONG_NAMES = {
    "no name at all": search_octets(bytes(8)),
    "length 1": struct.pack("!BBHI", 31, 1, 0, 1200),
    "a label that ends behind the option": search_octets(b"\x07example\x20org")[:24],
    "a name without its end": search_octets(b"\x07example\x07example"),
    "a compression pointer": search_octets(encoded("example.org") + b"\x01a\xc0\x00"),
    "a label of 64 octets": search_octets(b"\x40" + b"y" * 64 + b"\0"),
    "a label type that is reserved": search_octets(b"\x81" + b"y" * 127 + b"\0"),
    "a name of 256 octets": search_octets(encoded(LONGEST + "x")),
    "something behind the padding": search_octets(encoded("example.org") + b"\0\0\x01a\0"),
}


@pytest.mark.parametrize("option", WRONG_NAMES.values(), ids=WRONG_NAMES)
def test_a_malformed_option_of_names(option: bytes) -> None:
    """5.2, 5.3.1; CVE-2020-25577: every label is checked against the option's end; all of a bad option is discarded."""
    assert len(option) == 8 * option[1], "how this test is written"
    play = hears(ready(), option, search_option("example.net"))
    assert search(play) == ("example.net",)


# -- bounds, life, documents


def test_full() -> None:
    """A newcomer replaces what came last; not what expires first (RFC 6106 5.3.1, SHOULD), which a flood can choose."""
    play = ready(max_dns_servers=2)
    hears(play, servers_option(ONE, lifetime=300))
    hears(play, servers_option(TWO, lifetime=500))
    hears(play, servers_option(THREE, lifetime=400))
    assert servers(play) == (THREE, ONE)
    assert play.host.counters.limits["max_dns_servers"] == 1


def test_full_of_what_a_router_in_use_says() -> None:
    """A flood from routers that nobody uses replaces nothing that a router in use has said."""
    play = hears(ready(max_dns_servers=2, max_dns_domains=1), servers_option(ONE, TWO, lifetime=300), lifetime=9000)
    hears(play, search_option("example.org", lifetime=300), lifetime=9000)
    play.ping(ROUTER)
    play.receive(neighbour_advertisement(ROUTER, flags="RSO", mac=b"\x02\x00\x70\x00\x00\xa1"))
    for number in range(0xB0, 0xC0):
        server = f"2001:db8:bad::{number:x}"
        hears(play, servers_option(server, lifetime=9000), search_option("bad.example"), router=f"fe80::{number:x}")
    assert servers(play) == (ONE, TWO) and search(play) == ("example.org",)


def test_forgotten_when_down() -> None:
    play = hears(ready(), servers_option(ONE), search_option("example.org"))
    play.interface.stop(play.now)
    assert servers(play) == () == search(play)
    assert play.told("dns")[-1] == DnsChanged((), ())
    assert len(play.host.timers) == 0


def test_shown() -> None:
    """`link show -j` has them with the router that said so and the seconds that remain."""
    play = hears(ready(), servers_option(ONE, lifetime=600), search_option("example.org", lifetime=300))
    play.run(play.now + 100.0)
    (shown,) = documents.link(play.interface, play.now, carrier=True)
    assert shown["dns"] == {
        "servers": [{"value": ONE, "router": ROUTER, "expires": 500}],
        "search": [{"value": "example.org", "router": ROUTER, "expires": 200}],
    }
