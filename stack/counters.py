"""Counters of a host, named as in Linux's `/proc/net/snmp6` where it has the counter.

The hot paths add to plain integers and lists; names are given when somebody asks
(`as_dict`). ICMPv6 is counted by type, as RFC 4293 has it; outcomes of frames are
counted once per frame.
"""

from stack.discard import Discard, Outcome, Verdict

ICMP_NAMES = {
    1: "DestUnreachs",
    2: "PktTooBigs",
    3: "TimeExcds",
    4: "ParmProblems",
    128: "Echos",
    129: "EchoReplies",
    130: "GroupMembQueries",
    131: "GroupMembResponses",
    132: "GroupMembReductions",
    133: "RouterSolicits",
    134: "RouterAdvertisements",
    135: "NeighborSolicits",
    136: "NeighborAdvertisements",
    137: "Redirects",
    143: "MLDv2Reports",
}


class Counters:
    """The numbers of one host; all are totals since it was made."""

    __slots__ = (
        "delivers_in",
        "ecn_in",
        "filter_errors",
        "filter_programs",
        "frag_creates",
        "frag_fails",
        "frag_oks",
        "frames_in",
        "frames_out",
        "icmp_errors_limited",
        "icmp_in",
        "icmp_out",
        "icmp_out_errors",
        "icmp_unread_in",
        "limits",
        "looped",
        "mcast_in",
        "mcast_octets_in",
        "mcast_octets_out",
        "mcast_out",
        "mld_delayed",
        "octets_in",
        "octets_out",
        "out_discards",
        "out_no_routes",
        "outcomes",
        "packets_in",
        "packets_out",
        "reassembly_fails",
        "reassembly_oks",
        "reassembly_requests",
        "reassembly_timeouts",
        "udp_in",
        "udp_out",
        "udp_receive_buffer_errors",
    )

    def __init__(self) -> None:
        self.frames_in = 0
        self.frames_out = 0
        self.packets_in = 0
        self.packets_out = 0
        self.delivers_in = 0
        self.octets_in = 0
        self.octets_out = 0
        self.mcast_in = 0
        self.mcast_out = 0
        self.mcast_octets_in = 0
        self.mcast_octets_out = 0
        # By the two bits of RFC 3168 5; the packets without any (0) are all the rest.
        self.ecn_in = [0] * 4
        self.out_discards = 0
        self.out_no_routes = 0
        self.frag_creates = 0
        self.frag_fails = 0
        self.frag_oks = 0
        self.reassembly_requests = 0
        self.reassembly_oks = 0
        self.reassembly_timeouts = 0
        # Packets given up; fragments that were discarded are counted by their outcome.
        self.reassembly_fails = 0
        self.filter_programs = 0
        self.filter_errors = 0
        self.icmp_errors_limited = 0
        self.mld_delayed = 0
        # ICMPv6 messages whose type was not read: too short, or a wrong checksum.
        self.icmp_unread_in = 0
        self.icmp_in = [0] * 256
        self.icmp_out = [0] * 256
        # Errors and replies that there was no way for.
        self.icmp_out_errors = 0
        self.udp_in = 0
        self.udp_out = 0
        self.udp_receive_buffer_errors = 0
        self.outcomes: dict[Outcome, int] = dict.fromkeys((*Verdict, *Discard), 0)
        # The same of our own packets to ourselves, which are no frames.
        self.looped: dict[Outcome, int] = dict.fromkeys((*Verdict, *Discard), 0)
        self.limits: dict[str, int] = {}

    def limit_hit(self, setting: str) -> None:
        """Count what a bound cost, under the name of the setting that sets it."""
        self.limits[setting] = self.limits.get(setting, 0) + 1

    def as_dict(self) -> dict[str, int]:
        """Every counter by name: Linux's names first, ours after them."""
        table = self._ip6()
        table.update(self._icmp6("In", self.icmp_in))
        # RFC 4293: InMsgs includes the messages in error, and those with a wrong checksum are in InErrors too.
        table["Icmp6InMsgs"] += self.icmp_unread_in
        table.update(self._icmp6("Out", self.icmp_out))
        table["Icmp6OutErrors"] = self.icmp_out_errors
        table["Icmp6OutRateLimitHost"] = self.icmp_errors_limited
        table.update(self._udp6())
        for reason in Discard:
            if reason.counter is not None:
                table[reason.counter] = table.get(reason.counter, 0) + self._total(reason)
        table["Icmp6InErrors"] += self._total(Discard.ICMP_CHECKSUM)
        table["Udp6InErrors"] += self._total(Discard.UDP_CHECKSUM) + self._total(Discard.UDP_NO_CHECKSUM)
        table.update(self._ours())
        return table

    def _total(self, reason: Discard) -> int:
        return self.outcomes[reason] + self.looped[reason]

    def _udp6(self) -> dict[str, int]:
        """RFC 4113, Linux's way: a datagram that finds no room in a socket's queue is an error too."""
        return {
            "Udp6InDatagrams": self.udp_in,
            "Udp6OutDatagrams": self.udp_out,
            "Udp6InErrors": self.udp_receive_buffer_errors,
            "Udp6RcvbufErrors": self.udp_receive_buffer_errors,
        }

    def _ip6(self) -> dict[str, int]:
        return {
            "Ip6InReceives": self.packets_in,
            "Ip6InDelivers": self.delivers_in,
            "Ip6InOctets": self.octets_in,
            "Ip6InMcastPkts": self.mcast_in,
            "Ip6InMcastOctets": self.mcast_octets_in,
            "Ip6InNoECTPkts": self.packets_in - sum(self.ecn_in),
            "Ip6InECT1Pkts": self.ecn_in[1],
            "Ip6InECT0Pkts": self.ecn_in[2],
            "Ip6InCEPkts": self.ecn_in[3],
            "Ip6OutRequests": self.packets_out,
            "Ip6OutOctets": self.octets_out,
            "Ip6OutMcastPkts": self.mcast_out,
            "Ip6OutMcastOctets": self.mcast_octets_out,
            # Of a packet in fragments each is one.
            "Ip6OutTransmits": self.packets_out - self.frag_oks + self.frag_creates,
            "Ip6OutDiscards": self.out_discards,
            "Ip6OutNoRoutes": self.out_no_routes,
            "Ip6FragOKs": self.frag_oks,
            "Ip6FragFails": self.frag_fails,
            "Ip6FragCreates": self.frag_creates,
            "Ip6ReasmReqds": self.reassembly_requests,
            "Ip6ReasmOKs": self.reassembly_oks,
            "Ip6ReasmTimeout": self.reassembly_timeouts,
            "Ip6ReasmFails": self.reassembly_fails,
        }

    def _icmp6(self, direction: str, by_type: list[int]) -> dict[str, int]:
        table = {f"Icmp6{direction}Msgs": sum(by_type)}
        for number, name in ICMP_NAMES.items():
            table[f"Icmp6{direction}{name}"] = by_type[number]
        for number, count in enumerate(by_type):
            if count:
                table[f"Icmp6{direction}Type{number}"] = count
        return table

    def _ours(self) -> dict[str, int]:
        table = {
            "FramesIn": self.frames_in,
            "FramesOut": self.frames_out,
            "FilterPrograms": self.filter_programs,
            "FilterErrors": self.filter_errors,
            "IcmpErrorsLimited": self.icmp_errors_limited,
            "MldReportsDelayed": self.mld_delayed,
        }
        for reason in Discard:
            table[f"Discard{reason.label}"] = self.outcomes[reason]
        for setting, count in sorted(self.limits.items()):
            table[f"Limit_{setting}"] = count
        return table
