"""RFC 5722; RFC 3168, 6946, 7112 and 8201, whose texts were not read but for what a note says: from memory of them."""

from tests.conformance.clauses import MUST, MUST_NOT, RULE, SHOULD, met

_PARTS = "ip6/test_reassembly.py"
_OUT = "ip6/test_fragmentation.py"
_MTU = "ip6/test_path_mtu.py"
_REASSEMBLER = "ip6.reassembly.Reassembler"
_UNREAD = "text not read"

SECTIONS_3168 = {"5.3": "Fragmentation"}
ROWS_3168 = (
    met(
        "5.3",
        MUST_NOT,
        "reassembly loses no indication of congestion: CE if any fragment has it",
        "ip6.reassembly.Incomplete.whole",
        f"{_PARTS}::test_congestion_of_a_fragment_is_that_of_the_packet",
        note=_UNREAD,
    ),
    met(
        "5.3",
        MUST_NOT,
        "CE is not set if another fragment has Not-ECT: the packet is dropped",
        "ip6.reassembly.Incomplete.refusal",
        f"{_PARTS}::test_congestion_of_a_packet_that_is_not_capable_of_it",
        note=_UNREAD,
    ),
    met(
        "5.3",
        MUST_NOT,
        "a codepoint that all fragments have is not changed",
        "ip6.reassembly.Incomplete.whole",
        f"{_PARTS}::test_a_codepoint_that_all_fragments_have_stays",
        note=_UNREAD,
    ),
)

SECTIONS_5722 = {"4": "Node behavior"}
ROWS_5722 = (
    met(
        "4",
        MUST_NOT,
        "no overlapping fragments are created",
        "ip6.fragmentation.pieces",
        f"{_OUT}::test_a_packet_is_divided_when_it_does_not_fit",
    ),
    met(
        "4",
        MUST,
        "a packet with an overlapping fragment is discarded in silence, the fragments not yet received too",
        _REASSEMBLER,
        f"{_PARTS}::test_overlap_discards_all_of_it",
        f"{_PARTS}::test_overlap_is_remembered_for_the_rest_of_the_time",
        f"{_PARTS}::test_a_malformed_fragment_of_a_packet_that_was_given_up",
    ),
)

SECTIONS_6946 = {"4": "Updating RFC 2460 and RFC 5722"}
ROWS_6946 = (
    met(
        "4",
        MUST,
        "an atomic fragment is processed in isolation from fragments of the same identification",
        "ip6.chain.walk",
        f"{_PARTS}::test_an_atomic_fragment_touches_no_reassembly",
        note=_UNREAD,
    ),
    met(
        "4",
        MUST,
        "fragments of the same identification are as if the atomic one had not come",
        "ip6.chain.walk",
        f"{_PARTS}::test_an_atomic_fragment_touches_no_reassembly",
        f"{_PARTS}::test_an_atomic_fragment_of_a_packet_that_was_given_up",
        note=_UNREAD,
    ),
)

SECTIONS_7112 = {"3": "Terminology", "5": "Updates to RFC 2460"}
ROWS_7112 = (
    met(
        "3",
        RULE,
        "the chain ends with the upper layer's header; of ICMPv6 with its first 4 octets",
        _REASSEMBLER,
        f"{_PARTS}::test_complete_header_chain",
        note=_UNREAD,
    ),
    met(
        "5",
        MUST,
        "the first fragment that is sent has the entire chain",
        "ip6.fragmentation.pieces",
        f"{_OUT}::test_a_packet_is_divided_when_it_does_not_fit",
        note=_UNREAD,
    ),
    met(
        "5",
        SHOULD,
        "a first fragment without it is discarded, and reported by parameter problem code 3",
        _REASSEMBLER,
        f"{_PARTS}::test_incomplete_header_chain",
        note=_UNREAD,
    ),
)

SECTIONS_8201 = {"3": "Protocol overview", "4": "Protocol requirements", "5": "Implementation issues"}
ROWS_8201 = (
    met(
        "3",
        RULE,
        "the path MTU begins as that of the first hop's link",
        "ip6.routes.Routes.path_mtu",
        f"{_MTU}::test_the_smaller_of_path_and_link",
        note=_UNREAD,
    ),
    met(
        "4",
        MUST,
        "a packet too big reduces the estimate for its path, and packets become as short",
        "ip6.path_mtu.too_big",
        f"{_MTU}::test_packets_become_as_short_as_the_path_wants",
        f"{_MTU}::test_twice_smaller",
        note=_UNREAD,
    ),
    met(
        "4",
        MUST,
        "one that reports less than 1280 is discarded",
        "icmp6.errors.received",
        f"{_MTU}::test_below_the_minimum",
        note="read as quoted elsewhere",
    ),
    met(
        "4",
        MUST_NOT,
        "the estimate is not reduced below 1280",
        "ip6.path_mtu.too_big",
        f"{_MTU}::test_below_the_minimum",
        f"{_MTU}::test_the_minimum",
        note="read as quoted elsewhere",
    ),
    met(
        "4",
        MUST_NOT,
        "the contents of a packet too big do not increase the estimate",
        "ip6.path_mtu.too_big",
        f"{_MTU}::test_it_never_raises",
        f"{_MTU}::test_an_mtu_above_that_of_the_link",
        note=_UNREAD,
    ),
    met(
        "4",
        SHOULD,
        "a packet too big is validated by what it quotes",
        "ip6.path_mtu.too_big",
        f"{_MTU}::test_what_quotes_nothing_of_ours",
        f"{_MTU}::test_before_anything_long_was_sent",
        note=_UNREAD,
    ),
    met(
        "4",
        MUST_NOT,
        "no attempt to find an increase within five minutes of a packet too big",
        "ip6.path_mtu.too_big",
        f"{_MTU}::test_the_time_is_a_setting_of_five_minutes_at_least",
        f"{_MTU}::test_each_message_starts_the_time_anew",
        note=_UNREAD,
    ),
    met(
        "4",
        RULE,
        "the path to a group has an MTU too, the least that is reported",
        "ip6.path_mtu.too_big",
        f"{_MTU}::test_a_group",
        note=_UNREAD,
    ),
    met(
        "5",
        SHOULD,
        "what was learnt is forgotten after ten minutes",
        "ip6.routes.Routes.path_mtu_expired",
        f"{_MTU}::test_it_is_forgotten_after_ten_minutes",
        note=_UNREAD,
    ),
    met(
        "5",
        RULE,
        "the upper layer is told",
        "icmp6.errors.received",
        f"{_MTU}::test_a_socket_is_told_the_mtu",
        note=_UNREAD,
    ),
)
