"""Settings: the protocol constants are the RFCs' by default, a user's words are checked, changes act at once."""

from dataclasses import fields

import pytest

from stack.errors import UsageError
from stack.settings import Settings, about, split_assignment
from tests.playbook import Play, echo_request, solicitation

ALL_NAMES = [each.name for each in fields(Settings)]
NUMBERS = [each.name for each in fields(Settings) if "low" in each.metadata]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("dad_transmits", 1),  # RFC 4862 5.1 DupAddrDetectTransmits
        ("enhanced_dad", 1),  # RFC 7527 3
        ("idgen_retries", 3),  # RFC 7217 7 IDGEN_RETRIES
        ("base_reachable_time_ms", 30_000),  # RFC 4861 10 REACHABLE_TIME
        ("retrans_time_ms", 1_000),  # RFC 4861 10 RETRANS_TIMER
        ("delay_first_probe_time", 5),  # RFC 4861 10 DELAY_FIRST_PROBE_TIME
        ("mcast_solicit", 3),  # RFC 4861 10 MAX_MULTICAST_SOLICIT
        ("ucast_solicit", 3),  # RFC 4861 10 MAX_UNICAST_SOLICIT
        ("hop_limit", 64),  # IANA, "Current Recommended Default TTL"
        ("mtu", 1_500),  # RFC 2464 2
        ("icmp_ratelimit", 100),  # RFC 4443 2.4 (f): N = 10/s
        ("mldv1_unsolicited_report_interval", 10_000),  # RFC 2710 7.10
        ("mld_qrv", 2),  # RFC 2710 7.1
        ("mldv1_done_always", 0),
        ("router_solicitations", 3),  # RFC 4861 10 MAX_RTR_SOLICITATIONS
        ("router_solicitation_interval", 4),  # RFC 4861 10 RTR_SOLICITATION_INTERVAL
        ("router_solicitation_delay", 1),  # RFC 4861 10 MAX_RTR_SOLICITATION_DELAY
        ("mldv2_unsolicited_report_interval", 1_000),  # RFC 3810 9.11
        ("mld_query_interval", 125),  # RFC 3810 9.2
        ("mld_query_response_interval", 10_000),  # RFC 3810 9.3
        ("ip6frag_time", 60),  # RFC 8200 4.5
    ],
)
def test_defaults_are_the_rfcs(name: str, value: int) -> None:
    """Each protocol constant has the value that its RFC gives it."""
    assert getattr(Settings(), name) == value


@pytest.mark.parametrize("name", NUMBERS)
def test_range(name: str) -> None:
    """Both ends are taken, what lies beyond is refused and changes nothing; the default is inside."""
    settings = Settings()
    spec = next(each.metadata for each in fields(Settings) if each.name == name)
    default = getattr(settings, name)
    assert spec["low"] <= default <= spec["high"]
    for value in (spec["low"], spec["high"]):
        settings.set_text(name, str(value))
        assert getattr(settings, name) == value
    for value in (spec["low"] - 1, spec["high"] + 1):
        with pytest.raises(UsageError):
            settings.set_text(name, str(value))
    assert getattr(settings, name) == spec["high"]


@pytest.mark.parametrize(
    "text",
    ["", " ", "1 ", " 1", "1.0", "1e3", "0x10", "+1", "--1", "-", "one", "٣", "²", "1\n", "9" * 5000],
    ids=repr,
)
def test_what_is_no_whole_number(text: str) -> None:
    with pytest.raises(UsageError):
        Settings().set_text("hop_limit", text)


@pytest.mark.parametrize("name", ["", "no_such_setting", "Hop_Limit", "set_text", "__class__", "_SPECS"])
def test_unknown_names_are_refused(name: str) -> None:
    """Only settings can be set, whatever else the object has."""
    with pytest.raises(UsageError):
        Settings().set_text(name, "1")


def test_text_settings_take_any_text() -> None:
    settings = Settings()
    settings.set_text("stable_secret", "a secret = with anything")
    assert settings.stable_secret == "a secret = with anything"


def test_as_dict_lists_all_by_name() -> None:
    settings = Settings()
    settings.set_text("hop_limit", "7")
    table = settings.as_dict()
    assert list(table) == sorted(ALL_NAMES)
    assert table["hop_limit"] == 7


def test_two_hosts_share_nothing() -> None:
    one, other = Settings(), Settings()
    one.set_text("hop_limit", "7")
    assert other.hop_limit == 64


@pytest.mark.parametrize("name", ALL_NAMES)
def test_each_says_what_it_is(name: str) -> None:
    """`sixtap set` lists them with a line each."""
    assert about(name)


@pytest.mark.parametrize(
    ("text", "pair"),
    [("a=b", ("a", "b")), ("a=", ("a", "")), ("a=b=c", ("a", "b=c"))],
)
def test_assignment(text: str, pair: tuple[str, str]) -> None:
    assert split_assignment(text) == pair


@pytest.mark.parametrize("text", ["", "a", "=b", "="])
def test_no_assignment(text: str) -> None:
    with pytest.raises(UsageError):
        split_assignment(text)


def test_a_change_acts_from_then_on() -> None:
    """A value is read where it is used: the next packet has the new hop limit."""
    play = Play().start()
    play.receive(solicitation("fe80::6eff:fe00:1"))
    for hop_limit in (64, 1, 255):
        play.sent()
        play.host.settings.set_text("hop_limit", str(hop_limit))
        play.receive(echo_request())
        assert [each.hop_limit for each in play.sent(129)] == [hop_limit]
