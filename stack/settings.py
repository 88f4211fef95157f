"""The settings of a host: names, defaults, ranges and meanings.

Names, units and meanings are Linux's (`net.ipv6.conf.*`, `net.ipv6.neigh.*`,
`net.ipv6.*`) where Linux has the setting. Every table of the host is bounded by
one of them. A value is read where it is used, so a change acts from then on.
"""

from dataclasses import dataclass, field, fields
from typing import Any

from stack.errors import UsageError

_TABLE_LIMIT = 1 << 20


def _number(default: int, low: int, high: int, about: str) -> int:
    value: int = field(default=default, metadata={"low": low, "high": high, "about": about})
    return value


def _text(default: str, about: str) -> str:
    value: str = field(default=default, metadata={"about": about})
    return value


def _word(default: str, choices: tuple[str, ...], about: str) -> str:
    value: str = field(default=default, metadata={"choices": choices, "about": about})
    return value


@dataclass(slots=True)
class Settings:
    """One attribute per setting; `set_text` is the checked way in for a user's words."""

    # Addresses and duplicate address detection (RFC 4862, RFC 7217, RFC 7527)
    addr_gen_mode: int = _number(
        0,
        0,
        3,
        "interface identifiers: 0 EUI-64, 1 none, 2 RFC 7217 with stable_secret, 3 RFC 7217, random secret",
    )
    stable_secret: str = _text("", "secret of addr_gen_mode 2, any text")
    dad_transmits: int = _number(1, 0, 255, "solicitations sent by duplicate address detection; 0 = none")
    enhanced_dad: int = _number(1, 0, 1, "send and compare the nonce of RFC 7527")
    optimistic_dad: int = _number(0, 0, 1, "use formed addresses before detection is through (RFC 4429)")
    idgen_retries: int = _number(3, 0, 255, "new RFC 7217 identifiers tried after duplicates")
    use_tempaddr: int = _number(0, -1, 2, "temporary addresses (RFC 8981): 1 = make them, 2 = prefer them as source")
    temp_valid_lft: int = _number(172_800, 0, 0xFFFFFFFF, "valid lifetime of temporary addresses, s")
    temp_prefered_lft: int = _number(86_400, 0, 0xFFFFFFFF, "preferred lifetime of temporary addresses, s")
    autoconf: int = _number(1, 0, 1, "make addresses from advertised prefixes")
    max_addresses: int = _number(16, 1, 4_096, "limit of autoconfigured addresses, temporary ones among them")
    max_static_addresses: int = _number(256, 1, _TABLE_LIMIT, "limit of addresses given by the user")
    # Router discovery (RFC 4861 6.3, RFC 4191, RFC 7559, RFC 8106)
    accept_ra: int = _number(1, 0, 2, "1, 2 = take router advertisements")
    accept_ra_min_hop_limit: int = _number(8, 0, 255, "lowest hop limit taken from a router")
    accept_ra_rt_info_max_plen: int = _number(128, 0, 128, "longest route prefix taken from a router")
    router_solicitations: int = _number(3, -1, 255, "router solicitations; -1 = RFC 7559, without end")
    router_solicitation_interval: int = _number(4, 1, 3_600, "between router solicitations, s")
    router_solicitation_delay: int = _number(1, 0, 3_600, "longest delay of a first message, s")
    ra_ratelimit: int = _number(20, 0, 1_000_000, "router advertisements taken, per second; 0 = all")
    max_routers: int = _number(16, 2, 4_096, "limit of default routers")
    max_learnt_routes: int = _number(64, 0, 4_096, "limit of routes learnt from routers")
    max_prefixes: int = _number(64, 1, 4_096, "limit of on-link prefixes learnt from routers")
    max_dns_servers: int = _number(16, 0, 4_096, "limit of DNS servers learnt from routers")
    max_dns_domains: int = _number(16, 0, 4_096, "limit of DNS search domains learnt from routers")
    # Neighbours (RFC 4861 10)
    base_reachable_time_ms: int = _number(30_000, 1, 3_600_000, "mean time a neighbour counts as reachable, ms")
    retrans_time_ms: int = _number(1_000, 1, 3_600_000, "between solicitations, ms")
    delay_first_probe_time: int = _number(5, 0, 3_600, "from first use of a stale neighbour to its probe, s")
    mcast_solicit: int = _number(3, 1, 255, "multicast solicitations before a neighbour is unreachable")
    ucast_solicit: int = _number(3, 1, 255, "unicast probes before a neighbour entry falls")
    gc_thresh3: int = _number(1_024, 1, _TABLE_LIMIT, "limit of the neighbour cache")
    unres_qlen: int = _number(3, 1, 10_000, "packets held for one neighbour while it is resolved")
    max_static_neighbours: int = _number(1_024, 0, _TABLE_LIMIT, "limit of neighbours given by the user")
    accept_redirects: int = _number(1, 0, 1, "take redirects (RFC 4861 8)")
    max_static_routes: int = _number(256, 0, _TABLE_LIMIT, "limit of routes given by the user")
    max_destinations: int = _number(4_096, 1, _TABLE_LIMIT, "limit of the destination cache")
    ndisc_notify: int = _number(0, 0, 1, "tell routers of an address that appears (RFC 9131)")
    max_delayed_answers: int = _number(64, 0, _TABLE_LIMIT, "limit of advertisements put off for one anycast address")
    # Packets
    hop_limit: int = _number(64, 1, 255, "hop limit of unicast packets sent")
    mtu: int = _number(1_500, 1_280, 65_521, "largest IPv6 packet sent, bytes")
    icmp_ratelimit: int = _number(100, 0, 3_600_000, "ms between tokens for ICMPv6 errors (burst 10); 0 = no limit")
    max_echo_sessions: int = _number(64, 1, 65_536, "limit of pings under way at once")
    max_known_headers: int = _number(256, 0, _TABLE_LIMIT, "limit of headers remembered, of each kind; 0 = none")
    tx_queue_len: int = _number(32_768, 1, _TABLE_LIMIT, "frames waiting for the link")
    mtu_expires: int = _number(600, 300, 86_400, "time after which a path MTU is forgotten, s (RFC 8201)")
    # Fragments (RFC 8200 4.5)
    ip6frag_high_thresh: int = _number(4_194_304, 0, 1 << 40, "memory for fragments, bytes; half of it for one source")
    ip6frag_time: int = _number(60, 1, 3_600, "time for reassembly, s")
    max_reassemblies: int = _number(4_096, 0, _TABLE_LIMIT, "limit of packets in reassembly")
    max_reassemblies_source: int = _number(64, 0, _TABLE_LIMIT, "limit of packets in reassembly from one source")
    # UDP
    max_sockets: int = _number(1_024, 1, _TABLE_LIMIT, "limit of UDP sockets")
    rmem_max: int = _number(212_992, 2_304, 1 << 30, "most that SO_RCVBUF may ask for, bytes")
    rmem_default: int = _number(212_992, 2_304, 1 << 30, "received data held for one socket, bytes (256 more for each)")
    # Multicast listener discovery (RFC 2710, RFC 3810)
    mldv1_unsolicited_report_interval: int = _number(
        10_000, 0, 3_600_000, "the repeat of a version 1 report comes within this, ms"
    )
    mldv2_unsolicited_report_interval: int = _number(
        1_000, 0, 3_600_000, "a change is repeated in version 2 within this, ms"
    )
    force_mld_version: int = _number(0, 0, 2, "0 = follow the querier, 1 or 2 = speak this version only")
    mld_personality: str = _word("standard", ("standard", "netbsd"), "standard: the RFCs; netbsd: mld6.c 1.61.2.7")
    mld_query_interval: int = _number(125, 1, 3_600_000, "of a querier that does not say, s")
    mld_query_response_interval: int = _number(10_000, 0, 8_387_584, "of a version 1 querier, ms")
    mld_spread_answers: int = _number(0, 0, 1, "1 = spread the answer to a general query over its delay")
    mld_max_msf: int = _number(1_024, 0, _TABLE_LIMIT, "limit of sources in a filter")
    mld_max_interface_sources: int = _number(65_536, 0, _TABLE_LIMIT, "limit of sources of a group on an interface")
    mld_qrv: int = _number(2, 1, 7, "robustness: how often a first report is sent")
    mldv1_done_always: int = _number(0, 0, 1, "1 = Done on every leave, whoever reported last (RFC 2710 4)")
    mld_max_groups: int = _number(16_384, 1, _TABLE_LIMIT, "limit of groups on an interface")
    mld_max_memberships: int = _number(65_536, 1, _TABLE_LIMIT, "limit of memberships on an interface")
    mld_ratelimit: int = _number(100, 1, 1_000_000, "reports in answer to queries, packets per second")
    # The flight recorder
    record_limit: int = _number(4_194_304, 65_536, 1 << 30, "memory for the flight recorder's ring, bytes")
    # The driver's filter
    filter_allmulti_bits: int = _number(48, 0, 64, "hash bits worth setting before all multicast is asked for")

    def set_text(self, name: str, text: str) -> None:
        """Set `name` from a user's text; raises UsageError for an unknown name or a value out of range."""
        spec = _SPECS.get(name)
        if spec is None:
            raise UsageError(f"there is no setting {name!r}; `sixtap set` lists them")
        if "choices" in spec and text not in spec["choices"]:
            raise UsageError(f"{name}: {text!r} is not one of {', '.join(spec['choices'])}")
        if "low" not in spec:
            setattr(self, name, text)
            return
        low, high = spec["low"], spec["high"]
        value = _whole_number(text)
        if value is None or not low <= value <= high:
            raise UsageError(f"{name}: {text!r} is not a whole number from {low} to {high}")
        setattr(self, name, value)

    def as_dict(self) -> dict[str, int | str]:
        """All settings with their values, by name."""
        return {name: getattr(self, name) for name in sorted(_SPECS)}


def _whole_number(text: str) -> int | None:
    digits = text[1:] if text.startswith("-") else text
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 15:
        return None
    return int(text)


_SPECS: dict[str, Any] = {each.name: each.metadata for each in fields(Settings)}


def about(name: str) -> str:
    """What a setting means, in a line."""
    return str(_SPECS[name]["about"])


def split_assignment(text: str) -> tuple[str, str]:
    """`KEY=VALUE` in two; raises UsageError."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"{text!r} is not KEY=VALUE")
    return name, value
