"""RFC 4861, sections 2 to 5, 9 and 10: messages, options, the data structures and the sending algorithm."""

from tests.conformance.clauses import (
    MUST,
    MUST_NOT,
    RULE,
    SHOULD,
    SHOULD_NOT,
    met,
    not_applicable,
    not_met,
)

VALIDATION = "nd/test_validation.py"
RA = "nd/test_ra_validation.py"
DISCOVERY = "nd/test_router_discovery.py"
RESOLUTION = "nd/test_resolution.py"
ADVERTISE = "nd/test_advertise.py"
REDIRECT = "nd/test_redirect.py"
PREFIXES = "nd/test_prefixes.py"
NOTIFY = "nd/test_notify.py"
HERE = "conformance/test_rfc4861.py"

SECTIONS = {
    "2.3": "Addresses",
    "4.1": "Router solicitation",
    "4.2": "Router advertisement",
    "4.3": "Neighbour solicitation",
    "4.4": "Neighbour advertisement",
    "4.5": "Redirect",
    "4.6": "Options",
    "4.6.1": "Source and target link-layer address",
    "4.6.2": "Prefix information",
    "4.6.3": "Redirected header",
    "4.6.4": "MTU",
    "5.1": "Data structures",
    "5.2": "Sending",
    "5.3": "Garbage collection and timeouts",
    "9": "Option processing",
    "10": "Constants",
}

_PARSE = "wire.nd.parse_options"
_SOLICITATION_IN = "nd.input.neighbor_solicitation"
_ADVERTISEMENT_IN = "nd.input.neighbor_advertisement"
_RA_IN = "nd.router_discovery.router_advertisement"
_RS_OUT = "nd.router_solicitation.RouterSolicitor"
_NS_OUT = "nd.resolution.Resolver wire.nd.neighbor_solicitation"
_NOTIFY = "nd.notify.Notifier"
_NA_OUT = "nd.input.advertise"

EARLY = (
    met(
        "2.3",
        MUST,
        "an interface has a link-local address",
        "nd.addresses.AddressTable.start",
        "nd/test_addresses.py::test_eui64",
        note="unless the user wants none (addr_gen_mode 1)",
    ),
    # -- 4.1
    met(
        "4.1",
        MUST,
        "RS: reserved field sent as zero",
        "wire.nd.router_solicitation",
        f"{DISCOVERY}::test_the_solicitation",
    ),
    met(
        "4.1",
        MUST_NOT,
        "RS from ::: no source link-layer address option",
        _RS_OUT,
        f"{DISCOVERY}::test_without_an_address_there_is_no_link_layer_address_in_it",
    ),
    met("4.1", SHOULD, "RS from an address: with the option", _RS_OUT, f"{DISCOVERY}::test_the_solicitation"),
    met(
        "4.1",
        RULE,
        "RS: hop limit 255, code 0, to the all-routers group",
        _RS_OUT,
        f"{DISCOVERY}::test_the_solicitation",
    ),
    not_applicable(
        "4.1",
        MUST,
        "RS received: reserved field and unknown options ignored",
        "a host discards every solicitation of routers (6.1.1)",
        "icmp6.dispatch",
        f"{HERE}::test_6_1_1_router_solicitations_leave_no_trace",
    ),
    # -- 4.2
    met(
        "4.2",
        MUST,
        "RA: reserved bits ignored",
        _RA_IN,
        f"{RA}::test_what_must_not_matter[reserved bits]",
        note="two of them are the preference of RFC 4191",
    ),
    met(
        "4.2",
        SHOULD_NOT,
        "a router with lifetime 0 is not on the default router list",
        "nd.routers.DefaultRouterList.advertised",
        "nd/test_routers.py::test_a_router_that_is_no_default_router",
        "nd/test_routers.py::test_a_lifetime_of_zero_ends_it_at_once",
    ),
    met(
        "4.2",
        RULE,
        "a router lifetime of any value up to 65535 is handled",
        "nd.routers.DefaultRouterList.advertised",
        "nd/test_routers.py::test_any_lifetime",
    ),
    met(
        "4.2",
        RULE,
        "the router lifetime does not concern the other information in the message",
        "nd.prefixes.PrefixList nd.learnt_routes.LearntRoutes",
        f"{PREFIXES}::test_a_prefix_outlives_its_router",
        "nd/test_routers.py::test_the_routers_lifetime_has_nothing_to_do_with_it",
    ),
    met(
        "4.2",
        RULE,
        "the M and O flags are made known",
        "nd.router_discovery.RouterDiscovery.flags",
        f"{DISCOVERY}::test_flags_are_events_when_they_change",
    ),
    met(
        "4.2",
        MUST,
        "RA: unknown options ignored, the message processed",
        _RA_IN,
        f"{RA}::test_what_must_not_matter[an unknown option]",
    ),
    # -- 4.3
    met(
        "4.3",
        MUST,
        "NS: reserved field sent as zero",
        "wire.nd.neighbor_solicitation",
        f"{RESOLUTION}::test_the_solicitation",
        "nd/test_dad.py::test_the_probe",
    ),
    met(
        "4.3",
        MUST,
        "NS: reserved field ignored when received",
        _SOLICITATION_IN,
        f"{VALIDATION}::test_a_solicitation_with_what_must_be_ignored",
    ),
    met(
        "4.3",
        MUST_NOT,
        "NS: the target is never a group",
        "ip6.output.send",
        "ip6/test_output.py::test_groups_need_no_next_hop",
        "ip6/test_routes.py::test_groups_go_to_no_router",
    ),
    met(
        "4.3",
        MUST_NOT,
        "NS from ::: no source link-layer address option",
        "nd.dad.Detection",
        "nd/test_dad.py::test_the_probe",
    ),
    met("4.3", MUST, "NS to a group: with the option", _NS_OUT, f"{RESOLUTION}::test_the_solicitation"),
    met(
        "4.3",
        SHOULD,
        "NS to one node: with the option",
        _NS_OUT,
        f"{RESOLUTION}::test_a_stale_neighbour_is_used_then_probed",
    ),
    met(
        "4.3",
        MUST,
        "NS: unknown options ignored, the message processed",
        _SOLICITATION_IN,
        f"{VALIDATION}::test_a_solicitation_with_what_must_be_ignored",
    ),
    # -- 4.4
    met("4.4", MUST_NOT, "NA to a group: S is not set", _NA_OUT, f"{ADVERTISE}::test_the_answer[7.2.4, from ::]"),
    met("4.4", MUST_NOT, "unsolicited NA: S is not set", _NOTIFY, f"{NOTIFY}::test_the_advertisement"),
    met(
        "4.4",
        SHOULD_NOT,
        "NA for an anycast address: O is not set",
        _NA_OUT,
        f"{ADVERTISE}::test_for_an_anycast_address",
    ),
    not_applicable("4.4", SHOULD_NOT, "proxy NA: O is not set", "a host is no proxy (7.2.8)"),
    met("4.4", SHOULD, "other solicited NA: O is set", _NA_OUT, f"{ADVERTISE}::test_the_answer"),
    not_met(
        "4.4",
        SHOULD,
        "unsolicited NA: O is set",
        "RFC 9131 has it 0 where a new address is told of (ndisc_notify 1): an entry that is there is not overridden",
        _NOTIFY,
        f"{NOTIFY}::test_the_advertisement",
    ),
    met(
        "4.4",
        MUST,
        "NA: reserved field sent as zero",
        "wire.nd.neighbor_advertisement",
        f"{ADVERTISE}::test_the_answer",
    ),
    met(
        "4.4",
        MUST,
        "NA: reserved field ignored when received",
        _ADVERTISEMENT_IN,
        f"{VALIDATION}::test_an_advertisement_with_what_must_be_ignored",
    ),
    met(
        "4.4",
        MUST_NOT,
        "NA: the target is never a group",
        _NA_OUT,
        f"{VALIDATION}::test_invalid_solicitation[target multicast]",
        f"{ADVERTISE}::test_the_answer",
    ),
    met(
        "4.4",
        MUST,
        "NA in answer to a multicast solicitation: with the target link-layer address option",
        _NA_OUT,
        f"{ADVERTISE}::test_the_answer[7.2.4: to the group]",
    ),
    met(
        "4.4",
        SHOULD,
        "NA in answer to a unicast solicitation: with the option",
        _NA_OUT,
        f"{ADVERTISE}::test_the_answer[7.2.4: to our address, a reachability probe]",
    ),
    met(
        "4.4",
        MUST,
        "NA: unknown options ignored, the message processed",
        _ADVERTISEMENT_IN,
        f"{VALIDATION}::test_an_advertisement_with_what_must_be_ignored",
    ),
    # -- 4.5
    met(
        "4.5",
        MUST,
        "redirect: reserved field ignored",
        "nd.redirect.redirect",
        f"{REDIRECT}::test_a_valid_one_is_followed[reserved field set]",
    ),
    # -- 4.6
    met(
        "4.6",
        MUST,
        "a message with an option of length 0 is silently discarded",
        _PARSE,
        f"{VALIDATION}::test_invalid_solicitation[an option of length 0]",
        f"{VALIDATION}::test_invalid_advertisement[an option of length 0]",
        f"{RA}::test_each_check_alone[an option of length 0]",
        f"{REDIRECT}::test_an_invalid_one_changes_nothing[option of length 0]",
    ),
    met(
        "4.6",
        RULE,
        "options of ours end on 64-bit boundaries",
        "wire.nd.option_bytes",
        f"{HERE}::test_9_what_is_sent_fits_any_link",
    ),
    # -- 4.6.1
    met(
        "4.6.1",
        MUST,
        "the source option is ignored where it does not belong (NA, redirect)",
        "nd.input.link_layer_address",
        f"{HERE}::test_4_6_options_in_messages_that_they_are_not_for[source link-layer address]",
        f"{HERE}::test_4_6_1_one_option_does_not_stand_in_for_the_other[source option]",
    ),
    met(
        "4.6.1",
        MUST,
        "the target option is ignored where it does not belong (NS, RA)",
        "nd.input.link_layer_address",
        f"{HERE}::test_4_6_options_in_messages_that_they_are_not_for[target link-layer address]",
        f"{HERE}::test_4_6_1_one_option_does_not_stand_in_for_the_other[target option]",
    ),
    # -- 4.6.2
    met(
        "4.6.2",
        MUST_NOT,
        "L 0: an address of the prefix is not concluded to be off-link",
        "nd.router_discovery.Advertisement",
        f"{HERE}::test_6_3_4_no_statement_without_the_on_link_flag",
    ),
    met(
        "4.6.2",
        MUST_NOT,
        "L 0: an earlier indication of on-link stays",
        "nd.router_discovery.Advertisement",
        f"{HERE}::test_6_3_4_no_statement_without_the_on_link_flag",
    ),
    met(
        "4.6.2",
        MUST,
        "both reserved fields are ignored",
        "nd.router_discovery.Advertisement",
        f"{RA}::test_what_must_not_matter[reserved bits]",
        f"{HERE}::test_4_6_2_the_second_reserved_field",
    ),
    met(
        "4.6.2",
        RULE,
        "a prefix length is from 0 to 128",
        "nd.router_discovery.Advertisement",
        f"{PREFIXES}::test_any_length",
        f"{RA}::test_a_malformed_option_is_passed_over_alone[prefix length 129]",
    ),
    met(
        "4.6.2",
        RULE,
        "a lifetime of all ones is infinity",
        "wire.router.seconds",
        f"{PREFIXES}::test_a_lifetime_of_all_ones",
        "nd/test_autoconfiguration.py::test_for_ever",
    ),
    met(
        "4.6.2",
        MUST_NOT,
        "a preferred lifetime above the valid one: no address is preferred by it",
        "nd.autoconfiguration.Autoconfiguration.advertised",
        "nd/test_autoconfiguration.py::test_ignored[c: preferred longer than valid]",
    ),
    met(
        "4.6.2",
        MUST,
        "bits behind the prefix length are ignored",
        "nd.router_discovery.Advertisement",
        f"{PREFIXES}::test_bits_behind_the_length_are_ignored",
    ),
    met(
        "4.6.2",
        SHOULD,
        "the link-local prefix is ignored",
        "nd.prefixes.PrefixList.advertised nd.autoconfiguration.Autoconfiguration.advertised",
        f"{PREFIXES}::test_the_link_local_prefix_is_ignored",
        "conformance/test_rfc4862.py::test_5_5_3_b_the_link_local_prefix",
    ),
    met(
        "4.6.2",
        MUST,
        "the option is silently ignored in other messages than RA",
        _SOLICITATION_IN,
        f"{HERE}::test_4_6_options_in_messages_that_they_are_not_for[prefix information]",
    ),
    # -- 4.6.3
    met(
        "4.6.3", MUST, "reserved fields are ignored", "nd.redirect.redirect", f"{HERE}::test_4_6_3_the_reserved_fields"
    ),
    met(
        "4.6.3",
        MUST,
        "the option is silently ignored in other messages than redirects",
        _SOLICITATION_IN,
        f"{HERE}::test_4_6_options_in_messages_that_they_are_not_for[redirected header]",
    ),
    # -- 4.6.4
    met(
        "4.6.4",
        MUST,
        "the reserved field is ignored",
        "nd.router_discovery.Advertisement",
        f"{HERE}::test_4_6_4_the_reserved_field",
    ),
    met(
        "4.6.4",
        MUST,
        "the option is silently ignored in other messages than RA",
        _SOLICITATION_IN,
        f"{HERE}::test_4_6_options_in_messages_that_they_are_not_for[MTU]",
    ),
    # -- 5
    met(
        "5.1",
        RULE,
        "an infinite prefix lifetime lasts until a finite one is received",
        "nd.prefixes.PrefixList.advertised",
        f"{PREFIXES}::test_a_lifetime_of_all_ones",
    ),
    met(
        "5.1",
        RULE,
        "the link-local prefix is always on-link",
        "nd.prefixes.PrefixList.is_on_link",
        f"{PREFIXES}::test_the_link_local_prefix_is_ignored",
    ),
    met(
        "5.1",
        SHOULD_NOT,
        "no RA changes the lifetime of the link-local prefix",
        "nd.prefixes.PrefixList.advertised",
        f"{PREFIXES}::test_the_link_local_prefix_is_ignored",
    ),
    met(
        "5.1",
        RULE,
        "all destinations behind a router share its neighbour entry",
        "ip6.output.send",
        f"{HERE}::test_5_1_one_entry_for_all_destinations_behind_a_router",
    ),
    met(
        "5.2",
        RULE,
        "an on-link destination is its own next hop, another goes to a default router",
        "ip6.routes.Routes.determine",
        "ip6/test_output.py::test_next_hop",
        f"{PREFIXES}::test_sending_to_an_on_link_neighbour",
        f"{HERE}::test_5_2_off_link_goes_to_a_default_router",
    ),
    met(
        "5.2",
        RULE,
        "a multicast destination is on-link",
        "ip6.output.send",
        "ip6/test_output.py::test_groups_need_no_next_hop",
    ),
    met(
        "5.2",
        RULE,
        "next-hop determination is done again when a neighbour fails",
        "nd.resolution.Resolver ip6.routes.Routes.neighbour_failed",
        "ip6/test_routes.py::test_another_router_is_tried_when_resolution_fails",
        "ip6/test_routes.py::test_another_router_is_tried_when_one_falls_silent",
    ),
    met(
        "5.3",
        RULE,
        "collecting entries leaves room for those in use",
        "nd.cache.NeighborCache.victim",
        "nd/test_cache.py::test_a_flood_does_not_evict_who_is_in_use",
    ),
    met(
        "5.3",
        RULE,
        "routers and prefixes are kept for their lifetimes unless memory is short",
        "nd.routers.DefaultRouterList nd.prefixes.PrefixList",
        "nd/test_routers.py::test_a_router_is_listed_for_its_lifetime",
        f"{PREFIXES}::test_on_link_for_its_valid_lifetime",
    ),
    met(
        "5.3",
        RULE,
        "when a default router is removed, destinations through it determine their next hop again",
        "ip6.routes.next_hop nd.routers.DefaultRouterList.touch",
        f"{HERE}::test_6_3_5_destinations_of_a_router_that_goes",
    ),
)

LATE = (
    # -- 9
    met(
        "9",
        MUST,
        "unknown options are silently ignored in every message",
        _PARSE,
        f"{VALIDATION}::test_a_solicitation_with_what_must_be_ignored",
        f"{VALIDATION}::test_an_advertisement_with_what_must_be_ignored",
        f"{RA}::test_what_must_not_matter[an unknown option]",
        f"{REDIRECT}::test_a_valid_one_is_followed[unknown option]",
    ),
    met(
        "9",
        MUST,
        "all options of the RFC are recognised",
        "nd.router_discovery.Advertisement nd.redirect.redirect",
        f"{RA}::test_the_whole_of_it",
        f"{RESOLUTION}::test_an_answer_to_the_last_solicitation_is_in_time",
        f"{REDIRECT}::test_a_valid_one_is_followed[as a router sends it]",
    ),
    met(
        "9",
        MUST_NOT,
        "valid options are not ignored because of unknown ones beside them",
        _PARSE,
        f"{HERE}::test_9_options_in_any_order",
    ),
    met(
        "9",
        MUST_NOT,
        "nothing follows from the absence of an option",
        "nd.router_discovery.Advertisement",
        f"{HERE}::test_9_the_absence_of_an_option_means_nothing",
    ),
    met(
        "9",
        MUST,
        "options are processed in whatever order they come",
        "nd.router_discovery.Advertisement",
        f"{HERE}::test_9_options_in_any_order",
    ),
    met(
        "9",
        RULE,
        "an option may be there several times",
        "nd.router_discovery.Advertisement",
        f"{PREFIXES}::test_many_in_one_message",
    ),
    met(
        "9",
        MUST_NOT,
        "options never make a message of ours longer than the link's MTU",
        "interface.Interface.send_nd",
        f"{HERE}::test_9_what_is_sent_fits_any_link",
    ),
    # -- 10
    met(
        "10",
        RULE,
        "host and node constants",
        "settings.Settings nd.router_solicitation nd.input nd.resolution",
        f"{HERE}::test_10_constants",
        note="those that Linux lets a user set are settings, with these values by default",
    ),
    not_applicable("10", RULE, "MAX_NEIGHBOR_ADVERTISEMENT", "no advertisement is repeated (7.2.6)"),
)
