"""RFC 4861, sections 8 and 11: redirects, and the security considerations."""

from tests.conformance.clauses import MUST, MUST_NOT, RULE, SHOULD, met, not_applicable

REDIRECT = "nd/test_redirect.py"
HERE = "conformance/test_rfc4861.py"

SECTIONS = {
    "8.1": "Validation of redirects",
    "8.3": "Host specification",
}
LATE_SECTIONS = {"11.2": "Securing messages"}

_IN = "nd.redirect.redirect"
_ROUTE = "ip6.routes.Routes.redirect"
_RESOLVER = "nd.resolution.Resolver.redirected"
_BAD = f"{REDIRECT}::test_an_invalid_one_changes_nothing"
_GOOD = f"{REDIRECT}::test_a_valid_one_is_followed"

ROWS = (
    met("8.1", MUST, "discarded: source not link-local", _IN, f"{_BAD}[source global]", f"{_BAD}[source unspecified]"),
    met("8.1", MUST, "discarded: hop limit not 255", _IN, f"{_BAD}[hop limit 254]"),
    met("8.1", MUST, "discarded: wrong checksum", "icmp6.dispatch.receive", f"{_BAD}[checksum]"),
    met("8.1", MUST, "discarded: code not 0", _IN, f"{_BAD}[code 1]"),
    met("8.1", MUST, "discarded: shorter than 40 octets", _IN, f"{_BAD}[length 39]"),
    met(
        "8.1",
        MUST,
        "discarded: not from the first-hop router of the destination",
        _IN,
        f"{_BAD}[another router than the first-hop router]",
        f"{REDIRECT}::test_the_target_may_send_one_itself",
    ),
    met("8.1", MUST, "discarded: destination a group", _IN, f"{_BAD}[destination multicast]"),
    met(
        "8.1",
        MUST,
        "discarded: target neither link-local nor the destination",
        _IN,
        f"{_BAD}[target global and not the destination]",
    ),
    met(
        "8.1",
        MUST,
        "discarded: an option of length 0",
        _IN,
        f"{_BAD}[option of length 0]",
        f"{_BAD}[option of length 0 after a good one]",
    ),
    met("8.1", MUST, "reserved field ignored", _IN, f"{_GOOD}[reserved field set]"),
    met("8.1", MUST, "unknown options ignored", _IN, f"{_GOOD}[unknown option]"),
    met(
        "8.1",
        MUST,
        "options of other messages ignored, the rest processed as normal",
        _IN,
        f"{_GOOD}[an option that is not for redirects]",
        f"{HERE}::test_4_6_options_in_messages_that_they_are_not_for[prefix information]",
    ),
    met(
        "8.1",
        MUST_NOT,
        "a target outside the link's prefixes is no reason to discard",
        _IN,
        f"{REDIRECT}::test_the_target_need_not_be_in_a_prefix",
    ),
    # -- 8.3
    met(
        "8.3",
        SHOULD,
        "the destination cache is updated: packets go to the target",
        _ROUTE,
        f"{REDIRECT}::test_packets_go_to_the_target[in use]",
        note="unless the user wants no redirects (accept_redirects 0)",
    ),
    met(
        "8.3",
        SHOULD,
        "an entry is made for a destination that has none",
        _ROUTE,
        f"{REDIRECT}::test_packets_go_to_the_target[never sent to]",
        note="within max_destinations; redirects in use do not make room",
    ),
    met(
        "8.3",
        RULE,
        "the target's link-layer address makes or updates its neighbour entry",
        _RESOLVER,
        f"{REDIRECT}::test_an_entry_is_made",
        f"{REDIRECT}::test_an_entry_is_updated",
    ),
    met("8.3", MUST, "an entry made for the target is STALE", _RESOLVER, f"{REDIRECT}::test_an_entry_is_made"),
    met(
        "8.3",
        MUST,
        "an entry updated with another link-layer address is STALE",
        _RESOLVER,
        f"{REDIRECT}::test_an_entry_is_updated[another address]",
    ),
    met(
        "8.3",
        RULE,
        "with the same address the state stays",
        _RESOLVER,
        f"{REDIRECT}::test_an_entry_is_updated[same address]",
    ),
    met(
        "8.3",
        MUST,
        "a target that is the destination is on-link",
        "ip6.routes.Routes.is_on_link",
        f"{REDIRECT}::test_packets_go_straight_to_the_destination",
    ),
    met(
        "8.3",
        MUST,
        "IsRouter is TRUE for a target that is not the destination",
        _RESOLVER,
        f"{REDIRECT}::test_an_entry_is_made[a router]",
        f"{REDIRECT}::test_an_entry_is_updated[a router]",
        f"{REDIRECT}::test_without_an_address_none_is_made",
    ),
    met(
        "8.3",
        RULE,
        "for one that is, FALSE in a new entry, unchanged in another",
        _RESOLVER,
        f"{REDIRECT}::test_an_entry_is_made[the destination itself]",
        f"{REDIRECT}::test_is_router_stays_as_it_is_for_the_destination_itself",
    ),
    met(
        "8.3",
        RULE,
        "a redirect is for all flows to its destination",
        _ROUTE,
        f"{HERE}::test_8_3_all_flows_to_the_destination",
    ),
    met(
        "8.3",
        MUST_NOT,
        "a host sends no redirects",
        "icmp6.dispatch",
        f"{HERE}::test_6_2_4_and_8_3_what_a_host_never_sends",
    ),
)

LATE = (
    not_applicable(
        "11.2",
        MUST,
        "messages under IPsec are verified, and discarded if that fails",
        "there is no IPsec here; a packet with AH or ESP ends as one with an unknown next header",
        "ip6.input.receive",
        f"{HERE}::test_11_2_messages_under_ipsec_are_not_taken",
    ),
)
