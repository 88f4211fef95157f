"""RFCs that a host follows beside RFC 4861 and 4862, whose text was not read: what is there, from memory of them."""

from tests.conformance.clauses import elsewhere

ROWS = (
    elsewhere(
        4429,
        "Optimistic duplicate address detection",
        "optimistic_dad 1: formed addresses are used at once if a router's link-layer address is known; no "
        "solicitation from them, O 0, and what goes to an unknown neighbour goes by a router or waits",
        "nd.optimistic.Optimism nd.addresses.AddressTable nd.input.advertise",
        "nd/test_optimistic.py::test_in_use_at_once",
        "nd/test_optimistic.py::test_which_addresses_are_optimistic",
        "nd/test_optimistic.py::test_a_solicitation_is_answered_without_override",
        "nd/test_optimistic.py::test_evidence_ends_it",
        "nd/test_optimistic.py::test_to_an_unknown_neighbour_by_way_of_the_router",
        "nd/test_optimistic.py::test_without_a_router_packets_wait_for_the_verdict",
        "nd/test_optimistic.py::test_it_stands_back_where_another_address_will_do",
    ),
    elsewhere(
        5942,
        "IPv6 subnet model",
        "an address says nothing of its neighbours; on-link are link-local addresses, advertised prefixes with "
        "the L flag, and the prefixes of addresses that the user gave",
        "nd.prefixes.PrefixList ip6.routes.Routes.is_on_link",
        "nd/test_prefixes.py::test_an_address_alone_makes_nothing_on_link",
        "nd/test_prefixes.py::test_the_prefix_of_an_address_that_the_user_gave",
    ),
    elsewhere(
        6583,
        "Operational neighbour discovery problems",
        "the neighbour cache is bounded; what others bring goes first, entries in use last",
        "nd.cache.NeighborCache",
        "nd/test_cache.py::test_a_flood_does_not_evict_who_is_in_use",
        "nd/test_cache.py::test_a_hundred_thousand_sources_leave_nothing_behind",
        "nd/test_cache.py::test_a_hundred_thousand_neighbours_that_do_not_exist",
        "nd/test_cache.py::test_a_sweep_of_ours_evicts_itself",
    ),
    elsewhere(
        6724,
        "Default address selection",
        "source address: rules 1 to 3 and 5.5 to 8 within one interface, the default policy table; "
        "no destination address selection",
        "ip6.source.select",
        "ip6/test_source.py::test_examples_of_section_10_1",
        "ip6/test_source.py::test_rules",
        "ip6/test_source.py::test_rule_5_5",
        "ip6/test_source.py::test_labels",
    ),
    elsewhere(
        6980,
        "Fragmentation with neighbour discovery",
        "a message behind a fragment header, an atomic one too, is discarded",
        "nd.input nd.router_discovery nd.redirect",
        "nd/test_validation.py::test_invalid_solicitation[RFC 6980 5: in a fragment header]",
        "nd/test_ra_validation.py::test_no_fragments",
        "nd/test_redirect.py::test_an_invalid_one_changes_nothing[RFC 6980 5: in a fragment header]",
    ),
    elsewhere(
        7048,
        "Unreachability detection is too impatient",
        "a neighbour that has answered before stays UNREACHABLE, is sent to, and asked by multicast ever more "
        "seldom for as long as it is; routes pass it over. One that never answered goes after three probes, as "
        "RFC 4861 7.3.3 has it",
        "nd.states.TRANSITIONS nd.resolution.Resolver nd.routers.DefaultRouterList.is_reachable",
        "nd/test_unreachable.py::test_asked_ever_more_seldom_while_packets_are_sent",
        "nd/test_unreachable.py::test_without_packets_nobody_is_asked",
        "nd/test_unreachable.py::test_it_comes_back",
        "nd/test_unreachable.py::test_one_that_never_answered_falls",
        "nd/test_unreachable.py::test_traffic_moves_to_another_router_and_back",
    ),
    elsewhere(
        7217,
        "Stable, opaque interface identifiers",
        "addr_gen_mode 2 and 3; another identifier after a duplicate, up to idgen_retries",
        "nd.identifiers.Identifiers address.opaque_identifier",
        "nd/test_addresses.py::test_a_stable_opaque_address",
        "nd/test_autoconfiguration.py::test_a_duplicate_is_followed_by_the_next_identifier",
    ),
    elsewhere(
        7527,
        "Enhanced duplicate address detection",
        "a nonce in every probe; one that comes back is no duplicate, and three more probes follow",
        "nd.dad.Detection",
        "nd/test_dad.py::test_own_probe_is_no_duplicate_and_three_more_follow",
        "nd/test_dad.py::test_probing_goes_on_while_the_link_loops",
    ),
    elsewhere(
        7559,
        "Resilient router solicitation",
        "router_solicitations -1: backing off without end",
        "nd.router_solicitation.RouterSolicitor",
        "nd/test_router_discovery.py::test_backing_off_without_end",
    ),
    elsewhere(
        8981,
        "Temporary addresses",
        "use_tempaddr 1 and 2: made, limited and replaced on their schedule",
        "nd.temporary.TemporaryAddresses",
        "nd/test_temporary.py::test_lifetimes_at_creation",
        "nd/test_temporary.py::test_a_week",
        "nd/test_temporary.py::test_three_retries_and_no_more",
    ),
    elsewhere(
        9131,
        "Gratuitous neighbour discovery",
        "ndisc_notify 1: routers are told of an address that has become valid",
        "nd.notify.Notifier",
        "nd/test_notify.py::test_the_advertisement",
        "nd/test_notify.py::test_not_for_every_kind_of_address",
    ),
)
