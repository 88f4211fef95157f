"""Temporary addresses: RFC 8981 3.3 to 3.8 (text not read), and rule 7 of RFC 6724 5 (text not read)."""

import pytest

from tests.nd.advertising import (
    FOREVER,
    NS,
    OUR_ADDRESS,
    PREFIX,
    addresses,
    hears,
    prefix_option,
    ready,
)
from tests.playbook import Play, ip, text
from tests.playbook import advertisement as neighbour_advertisement

DAY = 86_400.0
# 3.8 with the defaults: 2 + TEMP_IDGEN_RETRIES * DupAddrDetectTransmits * RetransTimer / 1000
REGEN_ADVANCE = 2.0 + 3 * 1 * 1.0
LONG = prefix_option(valid=30 * 86_400, preferred=7 * 86_400)


def temporaries(play: Play) -> list[str]:
    """The temporary addresses, the newest last."""
    return [text(entry.address) for entry in play.interface.addresses.table.values() if entry.temporary]


def ends(play: Play, address: str) -> tuple[float, float]:
    """What remains of the preferred and the valid lifetime."""
    entry = play.interface.addresses.get(ip(address))
    assert entry is not None and entry.preferred_until is not None and entry.valid_until is not None
    return entry.preferred_until - play.now, entry.valid_until - play.now


def configured(option: bytes = LONG, seed: int = 1, **settings: int) -> Play:
    return hears(Play(seed, **({"use_tempaddr": 2} | settings)).start(), option)


def conflict(play: Play, address: str) -> None:
    play.receive(neighbour_advertisement(address, destination="ff02::1", flags="O"))


def renew(play: Play, until: float, option: bytes = LONG, every: float = 1000.0) -> None:
    """Advertisements up to a time."""
    while play.now < until:
        play.run(min(until, play.now + every))
        hears(play, option)


# -- which there are


@pytest.mark.parametrize(("use_tempaddr", "count"), [(-1, 0), (0, 0), (1, 1), (2, 1)])
def test_use_tempaddr(use_tempaddr: int, count: int) -> None:
    """The setting: off below 1; 1 and 2 make one beside the stable address of each prefix."""
    play = configured(use_tempaddr=use_tempaddr)
    assert len(temporaries(play)) == count
    assert text(ip(OUR_ADDRESS)) in addresses(play)


def test_random_identifiers() -> None:
    """3.3: another one for each prefix and each host, not derived from the MAC, none that RFC 5453 reserves."""
    identifiers = set()
    for seed in range(20):
        play = configured(prefix_option() + prefix_option("2001:db8:2::"), seed)
        identifiers |= {ip(each)[8:] for each in temporaries(play)}
    assert len(identifiers) == 40 and ip(OUR_ADDRESS)[8:] not in identifiers


def test_tested_before_it_is_used() -> None:
    """3.4 step 6: duplicate address detection is performed on it, after the delay that its advertisement asks for."""
    play = configured()
    (address,) = temporaries(play)
    since = play.now
    assert play.address(address) == "tentative"
    play.run(since + 1.0)
    assert [each.target for each in play.sent(NS)].count(address) == 1
    play.run(since + 2.0)
    assert play.address(address) == "preferred"


def test_never_link_local() -> None:
    play = configured(prefix_option("fe80::"))
    assert temporaries(play) == []


@pytest.mark.parametrize("flags", ["L", ""])
def test_only_for_autonomous_prefixes(flags: str) -> None:
    assert temporaries(configured(prefix_option(flags=flags))) == []


def test_without_a_stable_address() -> None:
    """Mode 1 makes no stable identifier; temporary addresses need none."""
    play = Play(addr_gen_mode=1, use_tempaddr=2).start()
    play.add_address("fe80::5", nodad=True)
    hears(play, LONG)
    assert len(temporaries(play)) == len(addresses(play)) == 1


# -- lifetimes


def test_lifetimes_at_creation() -> None:
    """3.4 step 4: at most temp_valid_lft, and temp_prefered_lft less a random time below 0.4 of it."""
    drawn = set()
    for seed in range(40):
        play = configured(seed=seed)
        preferred, valid = ends(play, temporaries(play)[0])
        assert valid == pytest.approx(2 * DAY)
        assert 0.6 * DAY <= preferred <= DAY
        drawn.add(preferred)
    assert len(drawn) == 40 and min(drawn) < 0.7 * DAY and max(drawn) > 0.9 * DAY


def test_never_longer_than_the_prefix() -> None:
    """3.4 step 4: the lower of the prefix's lifetime and its own."""
    play = configured(prefix_option(valid=3_000, preferred=1_000))
    assert ends(play, temporaries(play)[0]) == (pytest.approx(1_000.0), pytest.approx(3_000.0))


def test_lifetimes_are_settings() -> None:
    play = configured(temp_valid_lft=5_000, temp_prefered_lft=1_000)
    preferred, valid = ends(play, temporaries(play)[0])
    assert valid == pytest.approx(5_000.0) and 600.0 <= preferred <= 1_000.0


def test_a_prefix_that_lasts_for_ever() -> None:
    """RFC 4861 4.6.2: infinity of the prefix leaves the address its own limits."""
    play = configured(prefix_option(valid=FOREVER, preferred=FOREVER))
    preferred, valid = ends(play, temporaries(play)[0])
    assert valid == pytest.approx(2 * DAY) and preferred <= DAY


@pytest.mark.parametrize(("preferred", "count"), [(0, 0), (1, 0), (5, 0), (6, 1)])
def test_not_if_it_would_be_deprecated_before_its_successor(preferred: int, count: int) -> None:
    """3.4 step 5: only if the preferred lifetime is greater than REGEN_ADVANCE (5 s), and never with one of zero."""
    assert len(temporaries(configured(prefix_option(valid=10_000, preferred=preferred)))) == count


@pytest.mark.parametrize("seed", range(10))
def test_the_random_time_leaves_enough(seed: int) -> None:
    """3.8: DESYNC_FACTOR is not above TEMP_PREFERRED_LIFETIME - REGEN_ADVANCE: here 2 s, where 0.4 of it is 2.8 s."""
    play = configured(seed=seed, temp_prefered_lft=7)
    assert len(temporaries(play)) == 1 and 5.0 < ends(play, temporaries(play)[0])[0] <= 7.0


def test_advertisements_extend_it_within_its_limits() -> None:
    """3.4 step 1: lifetimes follow the prefix's, but never beyond those limits since its creation."""
    play = configured(prefix_option(valid=3_000, preferred=1_000))
    (address,) = temporaries(play)
    play.run(play.now + 500.0)
    hears(play, prefix_option(valid=3_000, preferred=1_000))
    assert ends(play, address) == (pytest.approx(1_000.0), pytest.approx(3_000.0))
    hears(play, LONG)
    preferred, valid = ends(play, address)
    assert valid == pytest.approx(2 * DAY - 500.0) and 0.6 * DAY - 500.0 <= preferred <= DAY - 500.0
    hears(play, prefix_option(valid=10_000, preferred=0))
    assert play.address(address) == "deprecated"


def test_the_two_hour_rule_protects_it() -> None:
    """3.4 step 1: the prefix is processed as RFC 4862 5.5.3 has it."""
    play = configured()
    (address,) = temporaries(play)
    play.run(play.now + 10.0)
    hears(play, prefix_option(valid=0, preferred=0))
    assert ends(play, address)[1] == pytest.approx(7_200.0)


# -- regeneration


def test_a_successor_before_it_is_deprecated() -> None:
    """3.5: a new one is made REGEN_ADVANCE before the preferred lifetime of the old one ends."""
    play = configured()
    (first,) = temporaries(play)
    since = play.now
    preferred, _ = ends(play, first)
    hears(play, prefix_option(valid=30 * 86_400, preferred=7 * 86_400))
    play.run(since + preferred - REGEN_ADVANCE - 0.001)
    assert temporaries(play) == [first]
    play.run(since + preferred - REGEN_ADVANCE)
    old, new = temporaries(play)
    assert old == first and play.address(new) == "tentative"
    assert 0.6 * DAY <= ends(play, new)[0] <= DAY
    play.run(since + preferred - 0.001)
    assert (play.address(old), play.address(new)) == ("preferred", "preferred"), "there is always a preferred one"
    play.run(since + preferred)
    assert (play.address(old), play.address(new)) == ("deprecated", "preferred")


def test_regen_advance_depends_on_detection() -> None:
    """3.8: 2 s + TEMP_IDGEN_RETRIES * DupAddrDetectTransmits * RetransTimer."""
    play = configured(dad_transmits=4, retrans_time_ms=2_000)
    (first,) = temporaries(play)
    since = play.now
    preferred, _ = ends(play, first)
    play.run(since + preferred - 26.0 - 0.001)
    assert len(temporaries(play)) == 1
    play.run(since + preferred - 26.0)
    assert len(temporaries(play)) == 2


def test_no_successor_once_the_prefix_is_going() -> None:
    """3.4 step 5: what remains of the prefix's preferred lifetime bounds the successor, which is then none."""
    play = configured(prefix_option(valid=100_000, preferred=1_000))
    play.run(play.now + 99_000.0)
    assert len(temporaries(play)) == 1 and play.address(temporaries(play)[0]) == "deprecated"


def test_one_anew_when_the_prefix_is_preferred_again() -> None:
    """3.4 step 3: a prefix without a temporary address gets one with an advertisement."""
    play = configured(prefix_option(valid=300_000, preferred=1_000))
    play.run(play.now + 1.1 * DAY)
    hears(play, LONG)
    old, new = temporaries(play)
    assert play.address(old) == "deprecated", "its own limit is over"
    assert ends(play, new)[0] >= 0.6 * DAY


def test_a_week() -> None:
    """3.5: every moment has a preferred one, and no more than the lifetimes allow are there."""
    play = configured()
    seen: set[str] = set()
    end = play.now + 7 * DAY
    play.run(play.now + 10.0)
    while play.now < end:
        renew(play, play.now + 3600.0, every=1800.0)
        there = temporaries(play)
        assert any(play.address(each) == "preferred" for each in there)
        assert len(there) <= 4, "2 days of validity, one in at least 0.6 days"
        seen |= set(there)
    assert 7 <= len(seen) <= 12
    assert len(play.interface.listener.groups.records) == 2 + len(temporaries(play))


def test_the_setting_turned_off() -> None:
    """The ones that are there run out; none follow."""
    play = configured()
    (address,) = temporaries(play)
    play.host.settings.set_text("use_tempaddr", "0")
    renew(play, play.now + 2 * DAY - 10.0, every=3600.0)
    assert temporaries(play) == [address]
    renew(play, play.now + 3600.0)
    assert temporaries(play) == []


def test_all_end_with_their_prefix() -> None:
    play = configured(prefix_option(valid=3_000, preferred=1_000))
    play.run(play.now + 3_000.0)
    assert addresses(play) == [] and len(play.interface.autoconfiguration.table) == 0


# -- conflicts


def test_another_identifier_after_a_conflict() -> None:
    """3.4 step 6: a new identifier for the same prefix, with the lifetimes that remain; the duplicate is gone."""
    play = configured()
    (first,) = temporaries(play)
    conflict(play, first)
    (second,) = temporaries(play)
    assert second != first and ip(second)[:8] == ip(PREFIX)[:8]
    play.run(play.now + 2.0)
    assert play.address(second) == "preferred" and play.address(first) is None


def test_three_retries_and_no_more() -> None:
    """3.4 step 6: TEMP_IDGEN_RETRIES is 3; after that none for this prefix as long as the host is attached."""
    play = configured(prefix_option() + prefix_option("2001:db8:2::"))
    tried = []
    while mine := [each for each in temporaries(play) if ip(each)[:8] == ip(PREFIX)[:8]]:
        tried += mine
        conflict(play, mine[0])
    assert len(tried) == len(set(tried)) == 4
    assert len(temporaries(play)) == 1, "another prefix is another matter"
    for _ in range(5):
        play.run(play.now + 1000.0)
        hears(play, prefix_option())
    assert len(temporaries(play)) == 1
    play.interface.restart(play.now)
    play.run(play.now + 10.0)
    hears(play, prefix_option())
    assert len(temporaries(play)) == 1, "attached anew"


def test_prefixes_whose_addresses_were_all_taken_are_bounded() -> None:
    """They are remembered, so that nothing is tried again, but count like an address."""
    play = Play(addr_gen_mode=1, use_tempaddr=2, max_addresses=3).start()
    play.add_address("fe80::5", nodad=True)
    for number in range(1, 10):
        hears(play, prefix_option(f"2001:db8:{number:x}::"))
        while newest := [each for each in temporaries(play) if ip(each)[5] == number]:
            conflict(play, newest[0])
    assert len(play.interface.autoconfiguration.table) == 3 and temporaries(play) == []


def test_conflicts_are_counted_in_a_row() -> None:
    """3.4 step 6: consecutive attempts; a success in between starts the count anew."""
    play = configured()
    for _ in range(3):
        for _ in range(3):
            conflict(play, temporaries(play)[-1])
        newest = temporaries(play)[-1]
        play.run(play.now + 2.0)
        assert play.address(newest) == "preferred"
        preferred, _ = ends(play, newest)
        play.run(play.now + preferred - REGEN_ADVANCE)
        hears(play, LONG)
        assert temporaries(play)[-1] != newest


def test_a_successor_after_a_conflict_has_one_too() -> None:
    """3.5 holds for an address of the second attempt as well."""
    play = configured()
    conflict(play, temporaries(play)[0])
    (address,) = temporaries(play)
    preferred, _ = ends(play, address)
    play.run(play.now + preferred - REGEN_ADVANCE)
    assert len(temporaries(play)) == 2


# -- bounds, source selection, documents


def test_within_max_addresses() -> None:
    """The limit holds for stable and temporary addresses together."""
    play = configured(prefix_option() + prefix_option("2001:db8:2::"), max_addresses=3)
    assert len(addresses(play)) == 3
    assert play.host.counters.limits["max_addresses"] >= 1


@pytest.mark.parametrize(("use_tempaddr", "temporary"), [(1, False), (2, True)])
def test_rule_7(use_tempaddr: int, temporary: bool) -> None:
    """RFC 6724 5 rule 7 (text not read): temporary before public addresses; the setting 1 has it the other way."""
    play = configured(use_tempaddr=use_tempaddr)
    play.run(play.now + 5.0)
    chosen = play.interface.source_for(ip("2001:db8:ffff::1"))
    assert chosen == ip(temporaries(play)[0] if temporary else OUR_ADDRESS)


def test_rule_3_before_rule_7() -> None:
    """RFC 6724 5: a deprecated one is worse than a public one."""
    play = configured(prefix_option(valid=30 * 86_400, preferred=7 * 86_400), temp_prefered_lft=1_000)
    play.host.settings.set_text("use_tempaddr", "2")
    play.run(play.now + 5.0)
    play.host.settings.set_text("temp_prefered_lft", "0")
    play.run(play.now + 1_100.0)
    assert play.address(temporaries(play)[0]) == "deprecated"
    assert play.interface.source_for(ip("2001:db8:ffff::1")) == ip(OUR_ADDRESS)


def test_rule_8_after_rule_7() -> None:
    """RFC 6724 5: even where the public address shares more bits with the destination."""
    play = configured()
    play.run(play.now + 5.0)
    assert play.interface.source_for(ip("2001:db8:1:0:0:6eff:fe00:2")) == ip(temporaries(play)[0])


def test_shown() -> None:
    """CLI: `addr show -j` has ip's flags `dynamic` and `temporary` where they are true."""
    from stack import documents

    play = configured()
    play.add_address("2001:db8:5::1")
    (shown,) = documents.link(play.interface, play.now, carrier=True)
    flags = {each["local"]: (each.get("dynamic", False), each.get("temporary", False)) for each in shown["addr_info"]}
    assert flags.pop(temporaries(play)[0]) == (True, True)
    assert flags.pop(text(ip(OUR_ADDRESS))) == (True, False)
    assert set(flags.values()) == {(False, False)}


def test_ready_host_is_quiet_about_them() -> None:
    """Off by default: RFC 8981 3.7 leaves the default to the host; Linux's is 0."""
    assert temporaries(hears(ready(), LONG)) == []
