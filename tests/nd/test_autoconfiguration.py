"""Addresses from advertised prefixes: RFC 4862 5.4.2, 5.5.3, 5.5.4; RFC 7217 (text not read: 5 and 6)."""

import hashlib

import pytest

from stack.discard import Discard
from stack.events import AddressChanged
from tests.nd.advertising import (
    FOREVER,
    NS,
    OUR_ADDRESS,
    PREFIX,
    REPORT,
    addresses,
    advertisement,
    hears,
    lifetimes,
    prefix_option,
    ready,
)
from tests.playbook import (
    OUR_LINK_LOCAL,
    PEER_LINK_LOCAL,
    PEER_MAC,
    Play,
    echo_request,
    ip,
    lladdr_option,
    solicitation,
    text,
)
from tests.playbook import advertisement as neighbour_advertisement

HOUR = 3600.0
OUR_GROUP = "ff02::1:ff00:1"


def configured(play: Play | None = None, **fields: int) -> Play:
    """A host with an address from PREFIX, past duplicate address detection."""
    play = ready() if play is None else play
    hears(play, prefix_option(**fields))
    play.run(play.now + 5.0)
    play.sent()
    return play


def ensuring(play: Play, valid: int, preferred: int) -> tuple[float | None, float | None]:
    """The lifetimes after one more advertisement."""
    hears(play, prefix_option(valid=valid, preferred=preferred))
    return lifetimes(play)


# -- 5.5.3 a to d: which options make an address


def test_the_address() -> None:
    """5.5.3 d: the prefix and the interface identifier (RFC 2464 4), with the lifetimes of the option."""
    play = hears(ready(), prefix_option(valid=86_400, preferred=14_400))
    assert addresses(play) == [text(ip(OUR_ADDRESS))]
    assert lifetimes(play) == (14_400.0, 86_400.0)
    entry = play.interface.addresses.get(ip(OUR_ADDRESS))
    assert entry is not None and entry.prefix_length == 64 and entry.learnt and not entry.by_user


IGNORED = {
    "a: no autonomous flag": prefix_option(flags="L"),
    "a: no flag at all": prefix_option(flags=""),
    "b: the link-local prefix": prefix_option("fe80::"),
    "b: another link-local prefix": prefix_option("fe80:1::"),
    "c: preferred longer than valid": prefix_option(valid=100, preferred=101),
    "c: preferred for ever, valid not": prefix_option(valid=86_400, preferred=FOREVER),
    "d: 63 bits": prefix_option(length=63),
    "d: 65 bits": prefix_option(length=65),
    "d: 48 bits": prefix_option(length=48),
    "d: 0 bits": prefix_option(length=0),
    "d: 128 bits": prefix_option(length=128),
    "d: a valid lifetime of 0": prefix_option(valid=0, preferred=0),
    "a multicast prefix": prefix_option("ff0e::"),
}


@pytest.mark.parametrize("option", IGNORED.values(), ids=IGNORED)
def test_ignored(option: bytes) -> None:
    """5.5.3: silently ignore the option; the next one in the message counts."""
    play = hears(ready(), option, prefix_option("2001:db8:2::"))
    play.run(play.now + 5.0)
    assert addresses(play) == ["2001:db8:2::6eff:fe00:1"]


def test_autoconf_off() -> None:
    """5.5: creation of global addresses should be locally configurable; by default it is on."""
    assert addresses(hears(ready(autoconf=0), prefix_option())) == []


def test_an_address_that_the_user_gave() -> None:
    """5.5.3 d: one that happens to be there already is the user's and stays so."""
    play = ready()
    play.add_address(OUR_ADDRESS, 48)
    hears(play, prefix_option(valid=600, preferred=300))
    play.run(play.now + HOUR)
    entry = play.interface.addresses.get(ip(OUR_ADDRESS))
    assert entry is not None and entry.by_user and (entry.prefix_length, entry.valid_until) == (48, None)


def test_several_prefixes() -> None:
    play = hears(ready(), prefix_option(), prefix_option("2001:db8:2::"), prefix_option("fd00:1::"))
    assert len(addresses(play)) == 3


def test_the_users_removal_holds_until_the_next_advertisement() -> None:
    play = configured()
    play.remove_address(OUR_ADDRESS)
    assert addresses(play) == []
    hears(play, prefix_option(valid=600, preferred=300))
    assert lifetimes(play) == (300.0, 600.0), "formed anew, with what the option says"


# -- 5.4.2: duplicate address detection


@pytest.mark.parametrize("seed", range(3))
def test_delayed_after_a_multicast_advertisement(seed: int) -> None:
    """5.4.2: SHOULD delay joining by 0 to MAX_RTR_SOLICITATION_DELAY, though it is not the first message sent."""
    play = ready(addr_gen_mode=3)
    since = play.now
    for _ in range(seed):
        play.host.rng.random()
    play.receive(advertisement(prefix_option()))
    assert play.sent() == []
    play.run(since + 1.0)
    frames = play.sent()
    (address,) = addresses(play)
    group = text(ip(OUR_GROUP)[:13] + ip(address)[13:])
    assert [(each.kind, each.target) for each in frames[:2]] == [(REPORT, group), (NS, address)]
    assert since < frames[0].time == frames[1].time < since + 1.0, "the report is delayed with the probe"


def test_the_delays_are_spread() -> None:
    delays = []
    for seed in range(40):
        play = Play(seed).start()
        play.receive(advertisement(prefix_option()))
        since = play.now
        play.run(since + 1.0)
        delays.append(play.sent(NS)[0].time - since)
    assert len(set(delays)) == 40 and min(delays) < 0.2 and max(delays) > 0.8


def test_not_delayed_after_a_unicast_advertisement() -> None:
    """5.4.2: the delay is for what many configure by the same multicast message."""
    play = ready()
    play.receive(advertisement(prefix_option(), destination=OUR_LINK_LOCAL))
    assert [(each.time, each.target) for each in play.sent(NS)] == [(play.now, text(ip(OUR_ADDRESS)))]


def test_its_groups_are_listened_to_during_the_delay() -> None:
    """5.4.2: the interface must receive what is sent to the solicited-node group during the delay period."""
    play = ready(addr_gen_mode=3)
    play.receive(advertisement(prefix_option()))
    (address,) = addresses(play)
    assert play.receive(solicitation(address, source="::")) is not Discard.NOT_FOR_US
    assert play.address(address) is None or play.address(address) == "duplicated"


def test_tested_like_any_other() -> None:
    """5.4: MUST be performed on all unicast addresses, one that shares its identifier with the link-local one too."""
    play = hears(ready(), prefix_option())
    assert play.address(OUR_ADDRESS) == "tentative"
    assert play.receive(echo_request(OUR_ADDRESS)) is Discard.ADDRESS_TENTATIVE
    play.run(play.now + 2.0)
    assert play.address(OUR_ADDRESS) == "preferred"


def test_a_duplicate_with_eui64_is_no_address() -> None:
    """5.4.5: not assigned; it stays listed, so that the advertisements that follow do not have it tried again."""
    play = hears(ready(), prefix_option())
    play.receive(neighbour_advertisement(OUR_ADDRESS, destination="ff02::1", flags="O"))
    assert play.address(OUR_ADDRESS) == "duplicated" and not play.interface.disabled
    play.sent()
    for _ in range(5):
        hears(play, prefix_option())
        play.run(play.now + 10.0)
        assert play.sent(NS) == []
    assert play.address(OUR_ADDRESS) == "duplicated"
    assert play.address(OUR_LINK_LOCAL) == "preferred"
    play.run(play.now + 90_000.0)
    assert addresses(play) == [], "it goes with its prefix"


# -- 5.5.3 e: lifetimes of an address that is there

# received valid, after how long, remaining before, what remains then (all in seconds), and which rule
TWO_HOURS = {
    "e 1: longer than two hours": (86_400, 7_300, 7_300.0),
    "e 1: longer than what remains, below two hours": (600, 700, 700.0),
    "e 1: by one second": (7_200, 7_201, 7_201.0),
    "e 1: two hours and one second": (86_400, 7_201, 7_201.0),
    "e 1: infinity": (600, FOREVER, None),
    "e 2: shorter, and two hours remain": (7_200, 600, 7_200.0),
    "e 2: shorter, and less remains": (3_600, 600, 3_600.0),
    "e 2: zero, and less remains": (3_600, 0, 3_600.0),
    "e 2: as long as what remains": (3_600, 3_600, 3_600.0),
    "e 3: shorter, and more remains": (86_400, 600, 7_200.0),
    "e 3: zero, and more remains": (86_400, 0, 7_200.0),
    "e 3: exactly two hours": (86_400, 7_200, 7_200.0),
    "e 3: one second more than two hours remains": (7_201, 1, 7_200.0),
    "e 3: infinity remains": (FOREVER, 600, 7_200.0),
}


@pytest.mark.parametrize(("first", "then", "remaining"), TWO_HOURS.values(), ids=TWO_HOURS)
def test_the_two_hour_rule(first: int, then: int, remaining: float | None) -> None:
    """5.5.3 e 1 to 3: no unauthenticated advertisement ends an address within two hours."""
    play = hears(ready(), prefix_option(valid=first, preferred=min(first, 600)))
    preferred, valid = ensuring(play, then, 0)
    assert valid == remaining
    assert preferred == 0.0, "the preferred lifetime is always reset, whatever becomes of the valid one"


@pytest.mark.parametrize("preferred", [0, 1, 600, 86_400])
def test_the_preferred_lifetime_is_always_reset(preferred: int) -> None:
    """5.5.3 e."""
    play = configured()
    assert ensuring(play, 86_400, preferred)[0] == float(preferred)


def test_never_to_expiry_by_zeros() -> None:
    """5.5.3 e: advertisements with short lifetimes, as often as you like, leave two hours after the last long one."""
    play = configured(valid=86_400)
    since = play.now
    for _ in range(700):
        hears(play, prefix_option(valid=0, preferred=0))
        play.run(play.now + 10.0)
    assert play.now < since + 2 * HOUR
    assert play.address(OUR_ADDRESS) == "deprecated"
    play.run(since + 2 * HOUR)
    assert play.address(OUR_ADDRESS) is None


def test_an_ignored_option_changes_no_lifetime() -> None:
    """5.5.3 c: preferred above valid: ignored as a whole, for an address that is there as well."""
    play = configured()
    before = lifetimes(play)
    assert ensuring(play, 8_000, 9_000) == before


def test_only_the_address_of_the_prefix() -> None:
    """5.5.3 e: an address of a prefix that is equal."""
    play = hears(ready(), prefix_option(), prefix_option("2001:db8:2::"))
    hears(play, prefix_option("2001:db8:2::", valid=10_000, preferred=50))
    assert lifetimes(play) == (14_400.0, 86_400.0)
    assert lifetimes(play, "2001:db8:2::6eff:fe00:1") == (50.0, 10_000.0)


# -- 5.5.4: deprecation and expiry


def test_deprecation_and_expiry() -> None:
    """5.5.4: deprecated when the preferred lifetime is over, gone with its groups when the valid one is."""
    play = hears(ready(addr_gen_mode=3), prefix_option(valid=10_000, preferred=5_000))
    since = play.now
    (address,) = addresses(play)
    play.run(since + 4_999.9)
    assert play.address(address) == "preferred"
    play.run(since + 5_000.0)
    assert play.address(address) == "deprecated"
    play.receive(echo_request(address))
    play.receive(neighbour_advertisement(PEER_LINK_LOCAL, destination=address))
    assert len(play.sent(129)) == 1, "5.5.4: what is sent to a deprecated address MUST still be taken"
    play.run(since + 9_999.9)
    group = ip(OUR_GROUP)[:13] + ip(address)[13:]
    assert group in play.interface.listener.groups.records
    play.run(since + 10_000.0)
    assert play.address(address) is None and group not in play.interface.listener.groups.records
    assert play.receive(echo_request(address)) is Discard.ADDRESS_NOT_OURS
    states = [each.state for each in play.told("address") if each.address == ip(address)]  # type: ignore[attr-defined]
    assert states == ["tentative", "preferred", "deprecated", "deleted"]
    assert len(play.interface.autoconfiguration.table) == 0


def test_deprecated_and_preferred_again() -> None:
    """5.5.3 e: the preferred lifetime is reset, so a router can have an address preferred again."""
    play = configured(valid=10_000, preferred=100)
    play.run(play.now + 200.0)
    assert play.address(OUR_ADDRESS) == "deprecated"
    hears(play, prefix_option(valid=10_000, preferred=100))
    assert play.address(OUR_ADDRESS) == "preferred"
    assert play.events[-1] == AddressChanged(ip(OUR_ADDRESS), "preferred")


def test_never_preferred() -> None:
    """A prefix with a preferred lifetime of 0: an address that is deprecated from the beginning."""
    play = configured(valid=10_000, preferred=0)
    assert play.address(OUR_ADDRESS) == "deprecated"


def test_for_ever() -> None:
    """RFC 4861 4.6.2: all ones are infinity for both lifetimes."""
    play = configured(valid=FOREVER, preferred=FOREVER)
    play.run(play.now + 2.0 * FOREVER)
    assert play.address(OUR_ADDRESS) == "preferred" and lifetimes(play) == (None, None)


def test_expiry_in_the_middle_of_detection() -> None:
    play = hears(ready(dad_transmits=10), prefix_option(valid=3, preferred=1))
    play.run(play.now + 20.0)
    assert addresses(play) == [] and len(play.interface.autoconfiguration.table) == 0


def test_a_source_that_is_gone_is_no_source() -> None:
    """5.5.4: an invalid address MUST NOT be used as a source."""
    play = configured(valid=100, preferred=100)
    assert play.interface.source_for(ip("2001:db8:9::1")) == ip(OUR_ADDRESS)
    play.run(play.now + 100.0)
    assert play.interface.source_for(ip("2001:db8:9::1")) == ip(OUR_LINK_LOCAL)


# -- identifiers


def opaque(prefix: str, counter: int, secret: bytes, name: str = "t0") -> str:
    """RFC 7217 5 by hand: F is SHA-256 over prefix, interface name, counter and secret."""
    material = ip(prefix)[:8] + name.encode() + b"\0" + counter.to_bytes(4, "big") + secret
    return text(ip(prefix)[:8] + hashlib.sha256(material).digest()[:8])


def test_mode_1_makes_none() -> None:
    """addr_gen_mode 1: no identifier, so no address."""
    play = ready(addr_gen_mode=1)
    play.add_address("fe80::5", nodad=True)
    hears(play, prefix_option())
    assert play.interface.prefixes.is_on_link(ip(PREFIX + "9")), "it is heard"
    assert addresses(play) == [] and len(play.interface.autoconfiguration.table) == 0


def test_stable_identifiers() -> None:
    """RFC 7217 5 (text not read): the same for the same prefix at every start, another one for another prefix."""
    play = ready(addr_gen_mode=2, stable_secret="of the host")
    hears(play, prefix_option(), prefix_option("2001:db8:2::"))
    expected = [opaque(PREFIX, 0, b"of the host"), opaque("2001:db8:2::", 0, b"of the host")]
    assert addresses(play) == expected
    play.interface.restart(play.now)
    assert addresses(play) == []
    play.run(play.now + 10.0)
    hears(play, prefix_option("2001:db8:2::"), prefix_option())
    assert addresses(play) == expected[::-1]


def test_a_random_secret_lasts_as_long_as_the_interface() -> None:
    """RFC 7217 5 (text not read): addr_gen_mode 3 draws its secret once."""
    play = hears(ready(addr_gen_mode=3), prefix_option())
    before = addresses(play)
    play.interface.restart(play.now)
    play.run(play.now + 10.0)
    hears(play, prefix_option())
    assert addresses(play) == before
    assert addresses(hears(Play(2, addr_gen_mode=3).start(), prefix_option())) != before


def conflict(play: Play, address: str) -> None:
    """Another node has the address under test."""
    play.receive(neighbour_advertisement(address, destination="ff02::1", flags="O"))


def test_a_duplicate_is_followed_by_the_next_identifier() -> None:
    """RFC 7217 6 (text not read): DAD_Counter is counted up to IDGEN_RETRIES, each after a random time up to 1 s."""
    secret = b"of the host"
    play = hears(ready(addr_gen_mode=2, stable_secret="of the host"), prefix_option())
    for counter in range(4):
        assert addresses(play) == [opaque(PREFIX, counter, secret)]
        assert play.address(addresses(play)[0]) == "tentative"
        conflict(play, addresses(play)[0])
        since = play.now
        play.settle()
        probes = play.sent(NS)
        if counter < 3:
            assert probes == [] or counter == 0
            play.run(since + 1.0)
            (probe,) = [each for each in play.sent(NS) if each.target != OUR_LINK_LOCAL]
            assert since < probe.time <= since + 1.0
    assert play.address(opaque(PREFIX, 3, secret)) == "duplicated"
    for _ in range(3):
        hears(play, prefix_option())
        play.run(play.now + 10.0)
    assert addresses(play) == [opaque(PREFIX, 3, secret)], "idgen_retries: it is given up"


def test_the_next_identifier_has_the_lifetimes_that_remain() -> None:
    play = hears(ready(addr_gen_mode=3), prefix_option(valid=10_000, preferred=5_000))
    since = play.now
    play.run(since + 0.9)
    conflict(play, addresses(play)[0])
    (address,) = addresses(play)
    assert lifetimes(play, address) == (pytest.approx(4_999.1), pytest.approx(9_999.1))
    play.run(since + 10_000.0)
    assert addresses(play) == []


def test_retries_are_a_setting() -> None:
    play = hears(ready(addr_gen_mode=3, idgen_retries=0), prefix_option())
    (address,) = addresses(play)
    conflict(play, address)
    play.run(play.now + 10.0)
    assert addresses(play) == [address] and play.address(address) == "duplicated"


# -- bounds


def test_max_addresses() -> None:
    """A flood of prefixes: so many addresses and no more; what was there first stays, what came last goes."""
    play = ready(max_addresses=3)
    for number in range(1, 21):
        hears(play, prefix_option(f"2001:db8:{number:x}::"))
    assert addresses(play) == [f"2001:db8:{number}::6eff:fe00:1" for number in ("1", "2", "14")]
    assert play.host.counters.limits["max_addresses"] == 17


def test_an_address_of_the_user_does_not_count() -> None:
    play = ready(max_addresses=1)
    for number in range(5):
        play.add_address(f"2001:db8:aa::{number + 1:x}")
    hears(play, prefix_option())
    assert text(ip(OUR_ADDRESS)) in addresses(play)


def test_a_driver_that_refuses_the_group() -> None:
    """Nobody called who could be told: there is no address then, and the next advertisement tries again."""
    play = ready(addr_gen_mode=3)
    play.refuse_filter = True
    play.receive(advertisement(prefix_option()))
    assert addresses(play) == [] and len(play.interface.autoconfiguration.table) == 0
    play.refuse_filter = False
    hears(play, prefix_option())
    assert len(addresses(play)) == 1


def test_an_address_is_no_longer_ours_while_down() -> None:
    play = configured()
    play.interface.stop(play.now)
    assert addresses(play) == []
    play.interface.start(play.now)
    play.run(play.now + 30.0)
    assert addresses(play) == []


def test_lladdr_of_a_stranger_is_no_conflict() -> None:
    """5.4.4 is about advertisements of the address, not about other frames from its node."""
    play = hears(ready(), prefix_option())
    play.receive(solicitation(OUR_LINK_LOCAL, options=lladdr_option(1, PEER_MAC)))
    play.run(play.now + 5.0)
    assert play.address(OUR_ADDRESS) == "preferred"
