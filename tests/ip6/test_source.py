"""Source address selection: the examples of RFC 6724 10.1 and its rules one by one."""

import pytest

from stack.ip6.source import label
from tests.nd.advertising import HIGH, LOW, MEDIUM, OTHER_ROUTER, ROUTER, hears, prefix_option, ready
from tests.playbook import OUR_LINK_LOCAL, Play, echo_request, frame, icmp, ip, packet, solicitation, text

# destination, candidates ("!" marks a deprecated one), result; link-local candidates are added by hand
SECTION_10_1 = {
    "appropriate scope: global": ("2001:db8:1::1", ("2001:db8:3::1", "fe80::1"), "2001:db8:3::1"),
    "appropriate scope: site-local group": ("ff05::1", ("2001:db8:3::1", "fe80::1"), "2001:db8:3::1"),
    "same address, although deprecated": ("2001:db8:1::1", ("!2001:db8:1::1", "2001:db8:2::1"), "2001:db8:1::1"),
    "appropriate scope before deprecation": ("fe80::1", ("!fe80::2", "2001:db8:1::1"), "fe80::2"),
    "longest matching prefix": ("2001:db8:1::1", ("2001:db8:1::2", "2001:db8:3::2"), "2001:db8:1::2"),
    "matching label: 6to4": ("2002:c633:6401::1", ("2002:c633:6401::d5e3", "2001:db8:1::2"), "2002:c633:6401::d5e3"),
}

RULES = {
    "rule 2: smallest scope that reaches": ("ff02::1", ("2001:db8:1::1", "fec0::1", "fe80::1"), "fe80::1"),
    "rule 2: site-local reaches a site": ("fec0:0:0:1::9", ("2001:db8:1::1", "fec0::1", "fe80::1"), "fec0::1"),
    "rule 2: none reaches, the widest": ("ff0e::1", ("fe80::1", "fec0::1"), "fec0::1"),
    "rule 3: not the deprecated one": ("2001:db8:1::9", ("!2001:db8:1::1", "2001:db8:2::1"), "2001:db8:2::1"),
    "rule 3 before 8": ("2001:db8:1::9", ("!2001:db8:1::8", "2001:db8:ffff::1"), "2001:db8:ffff::1"),
    "rule 6: ULA to ULA": ("fd00:1::9", ("2001:db8:1::1", "fd99::1"), "fd99::1"),
    "rule 6: global to global": ("2001:db8:9::9", ("fd00::1", "2001:db8:1::1"), "2001:db8:1::1"),
    "rule 6: Teredo to Teredo": ("2001:0:9::9", ("2001:db8:1::1", "2001:0:1::1"), "2001:0:1::1"),
    "rule 6 before 8": ("2002:db8::9", ("2003:db8::1", "2002:ffff::1"), "2002:ffff::1"),
    "only deprecated ones": ("2001:db8:1::9", ("!2001:db8:1::1",), "2001:db8:1::1"),
    "link-local is all there is": ("2001:db8:1::9", ("fe80::1",), "fe80::1"),
}


def host_with(candidates: tuple[str, ...]) -> Play:
    """A host with exactly these addresses, all past duplicate address detection, the deprecated ones deprecated."""
    play = Play(addr_gen_mode=1).start()
    for candidate in candidates:
        if candidate.startswith("!"):
            play.add_address(candidate[1:], preferred_lifetime=60.0, valid_lifetime=3600.0)
        else:
            play.add_address(candidate)
    play.run(play.now + 120.0)
    return play


def chosen(play: Play, destination: str) -> str | None:
    source = play.interface.source_for(ip(destination))
    return None if source is None else text(source)


@pytest.mark.parametrize(("destination", "candidates", "result"), SECTION_10_1.values(), ids=SECTION_10_1)
def test_examples_of_section_10_1(destination: str, candidates: tuple[str, ...], result: str) -> None:
    """RFC 6724 10.1, in either order of configuration."""
    assert chosen(host_with(candidates), destination) == result
    assert chosen(host_with(candidates[::-1]), destination) == result


@pytest.mark.parametrize(("destination", "candidates", "result"), RULES.values(), ids=RULES)
def test_rules(destination: str, candidates: tuple[str, ...], result: str) -> None:
    """RFC 6724 5, in either order of configuration."""
    assert chosen(host_with(candidates), destination) == result
    assert chosen(host_with(candidates[::-1]), destination) == result


def test_rule_8_counts_no_further_than_the_prefix() -> None:
    """RFC 6724 2.2: CommonPrefixLen stops at the prefix of the source: within one subnet the first one wins."""
    play = host_with(("2001:db8:1::1", "2001:db8:1::8000"))
    assert chosen(play, "2001:db8:1::8001") == "2001:db8:1::1"


def test_rule_1_to_ourselves() -> None:
    """RFC 6724 5 rule 1: to an address of ours, from it."""
    play = host_with(("2001:db8:1::1", "2001:db8:2::1", "fe80::1"))
    assert chosen(play, "2001:db8:2::1") == "2001:db8:2::1"


def test_no_address_no_source() -> None:
    assert chosen(host_with(()), "2001:db8::1") is None


def test_tentative_addresses_are_no_candidates() -> None:
    """RFC 4862 5.4: a tentative address is not assigned."""
    play = host_with(("fe80::1",))
    play.add_address("2001:db8:1::1")
    assert chosen(play, "2001:db8:1::9") == "fe80::1"
    play.run(play.now + 10.0)
    assert chosen(play, "2001:db8:1::9") == "2001:db8:1::1"


def test_anycast_addresses_are_no_candidates() -> None:
    """RFC 6724 4: anycast addresses must not be in a candidate set."""
    play = host_with(("fe80::1",))
    play.add_address("2001:db8:1::1", anycast=True)
    play.run(play.now + 10.0)
    assert chosen(play, "2001:db8:1::9") == "fe80::1"


@pytest.mark.parametrize(
    ("address", "value"),
    [
        ("::1", 0),
        ("2001:db8::1", 1),
        ("fe80::1", 1),
        ("::ffff:192.0.2.1", 4),
        ("2002:c633:6401::1", 2),
        ("2001:0:1::1", 5),
        ("fc00::1", 13),
        ("fdff::1", 13),
        ("::2", 3),
        ("fec0::1", 11),
        ("3ffe::1", 12),
    ],
)
def test_labels(address: str, value: int) -> None:
    """RFC 6724 2.1: the default policy table."""
    assert label(ip(address)) == value


def test_an_echo_to_a_group_is_answered_by_the_rules() -> None:
    """RFC 4443 4.2 with RFC 6724 5: the source is chosen for the asker, not for the group."""
    play = Play().start()
    play.add_address("2001:db8:1::1")
    play.run(play.now + 10.0)
    for source in ("2001:db8:1::2", "fe80::70ff:fe00:2"):
        play.receive(solicitation(OUR_LINK_LOCAL, source=source))
        play.sent()
        message = icmp(source, "ff02::1", 128, 0, bytes(4))
        play.receive(frame(packet(source, "ff02::1", message, hop_limit=1)))
        expected = "2001:db8:1::1" if source.startswith("2001") else OUR_LINK_LOCAL
        assert [each.source for each in play.sent(129)] == [expected]


def test_an_echo_to_one_address_is_answered_from_it() -> None:
    """To one address of ours the reply comes from it, the rules do not apply (RFC 4443 4.2)."""
    play = Play().start()
    play.add_address("2001:db8:1::1")
    play.run(play.now + 10.0)
    play.receive(solicitation(OUR_LINK_LOCAL))
    play.sent()
    play.receive(echo_request("2001:db8:1::1"))
    assert [each.source for each in play.sent(129)] == ["2001:db8:1::1"]


# -- rule 5.5

BY_ONE, BY_OTHER = "2001:db8:1:0:0:6eff:fe00:1", "2001:db8:2:0:0:6eff:fe00:1"


def between_two_routers(*, first: int = MEDIUM, second: int = MEDIUM) -> Play:
    """Each of two default routers of these preferences advertises a prefix of its own."""
    play = ready()
    hears(play, prefix_option("2001:db8:1::"), router=ROUTER, preference=first, lifetime=9_000)
    hears(play, prefix_option("2001:db8:2::"), router=OTHER_ROUTER, preference=second, lifetime=9_000)
    play.run(play.now + 5.0)
    return play


@pytest.mark.parametrize("destination", ["2001:db8:2:ffff::1", "2001:db8:1:ffff::1", "2003:db8::1"])
@pytest.mark.parametrize(("first", "second", "result"), [(HIGH, LOW, BY_ONE), (LOW, HIGH, BY_OTHER)])
def test_rule_5_5(first: int, second: int, result: str, destination: str) -> None:
    """RFC 6724 5: an address in a prefix that the next hop advertises, before labels and matching bits."""
    play = between_two_routers(first=first, second=second)
    assert chosen(play, destination) == text(ip(result))


def test_rule_5_5_follows_a_route() -> None:
    play = between_two_routers(first=HIGH, second=LOW)
    play.interface.routes.add(ip("2001:db8:7::"), 48, ip(OTHER_ROUTER))
    assert chosen(play, "2001:db8:7::1") == text(ip(BY_OTHER))
    assert chosen(play, "2001:db8:8::1") == text(ip(BY_ONE))
    assert play.interface.routes.redirect(ip("2001:db8:8::1"), ip(OTHER_ROUTER), ip(ROUTER))
    assert chosen(play, "2001:db8:8::1") == text(ip(BY_OTHER)), "the next hop is the target of the redirect"


def test_rule_5_5_with_a_prefix_of_both() -> None:
    """A prefix that both advertise is the next hop's as well, whoever advertised it last."""
    play = between_two_routers(first=HIGH, second=LOW)
    before = play.interface.routes.generation
    hears(play, prefix_option("2001:db8:1::"), router=OTHER_ROUTER, preference=LOW, lifetime=9_000)
    assert play.interface.routes.generation > before, "what was chosen before is chosen anew"
    assert chosen(play, "2001:db8:2:ffff::1") == text(ip(BY_ONE))


def test_rule_5_5_after_deprecation() -> None:
    """Rule 3 comes before it."""
    play = between_two_routers(first=HIGH, second=LOW)
    hears(play, prefix_option("2001:db8:1::", preferred=0), router=ROUTER, preference=HIGH, lifetime=9_000)
    assert chosen(play, "2001:db8:1:ffff::1") == text(ip(BY_OTHER))


def test_rule_5_5_does_not_matter_on_the_link() -> None:
    """A neighbour is its own next hop, and advertises nothing."""
    play = between_two_routers(first=HIGH, second=LOW)
    assert chosen(play, "2001:db8:2::77") == text(ip(BY_OTHER))


def test_routers_of_a_prefix_are_limited() -> None:
    play = ready(max_routers=4)
    for number in range(1, 50):
        hears(play, prefix_option("2001:db8:1::"), router=f"fe80::1:{number:x}", lifetime=0)
    (record,) = play.interface.autoconfiguration.table.values()
    assert list(record.routers) == [ip(f"fe80::1:{number:x}") for number in range(46, 50)]
