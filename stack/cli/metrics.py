"""The counters of a host as metrics of Prometheus: names, labels and meanings, and the text format itself.

A metric's name and labels do not change once a version has been published with
them; docs/metrics.md lists them. The format is that of
https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from stack.counters import ICMP_NAMES


class Sample(NamedTuple):
    """One counter as a metric: its name, and the label that tells it from others of that name."""

    metric: str
    label: str
    value: str


# What a counter of its own counts; Linux's names are those of /proc/net/snmp6.
HELP = {
    "Ip6InReceives": "IPv6 packets received, whatever became of them",
    "Ip6InHdrErrors": "packets with an error in their IPv6 header",
    "Ip6InAddrErrors": "packets with an address that is none of ours or cannot be",
    "Ip6InUnknownProtos": "packets for a protocol that the host does not speak",
    "Ip6InTruncatedPkts": "packets shorter than their header says",
    "Ip6InDiscards": "packets that were in order and yet discarded",
    "Ip6InDelivers": "packets delivered to their protocol",
    "Ip6InOctets": "octets of IPv6 received",
    "Ip6InMcastPkts": "multicast packets received",
    "Ip6InMcastOctets": "octets of multicast packets received",
    "Ip6InNoECTPkts": "packets received without congestion bits (RFC 3168)",
    "Ip6InECT1Pkts": "packets received with ECT(1)",
    "Ip6InECT0Pkts": "packets received with ECT(0)",
    "Ip6InCEPkts": "packets received that met congestion",
    "Ip6OutRequests": "IPv6 packets sent",
    "Ip6OutMcastOctets": "octets of multicast packets sent",
    "Ip6OutTransmits": "packets and fragments given to the link",
    "Ip6OutOctets": "octets of IPv6 sent",
    "Ip6OutMcastPkts": "multicast packets sent",
    "Ip6OutDiscards": "packets that were to be sent and were discarded",
    "Ip6OutNoRoutes": "packets to send for which there was no route",
    "Ip6FragOKs": "packets too long for their path that were sent in fragments",
    "Ip6FragFails": "packets whose fragments could not all be sent",
    "Ip6FragCreates": "fragments sent",
    "Ip6ReasmReqds": "fragments received",
    "Ip6ReasmOKs": "packets reassembled",
    "Ip6ReasmTimeout": "packets given up because not all of their fragments came in time",
    "Ip6ReasmFails": "packets that could not be put together from their fragments",
    "Icmp6InMsgs": "ICMPv6 messages received, those with errors too",
    "Icmp6InErrors": "ICMPv6 messages received with an error",
    "Icmp6InCsumErrors": "ICMPv6 messages received with a wrong checksum",
    "Icmp6OutMsgs": "ICMPv6 messages sent",
    "Icmp6OutErrors": "ICMPv6 errors and replies for which there was no way",
    "Icmp6OutRateLimitHost": "ICMPv6 errors not sent because of icmp_ratelimit, by Linux's name",
    "Udp6InDatagrams": "UDP datagrams delivered",
    "Udp6NoPorts": "UDP datagrams to a port that nobody has",
    "Udp6InErrors": "UDP datagrams with an error, or without room in a socket",
    "Udp6OutDatagrams": "UDP datagrams sent",
    "Udp6RcvbufErrors": "UDP datagrams without room in a socket",
    "Udp6InCsumErrors": "UDP datagrams with a wrong checksum",
    "Udp6IgnoredMulti": "UDP datagrams to a group that no socket of the port listens to",
    "FramesIn": "Ethernet frames received",
    "FramesOut": "Ethernet frames sent",
    "FilterPrograms": "times that the driver's multicast filter was set",
    "FilterErrors": "times that the driver refused its multicast filter",
    "IcmpErrorsLimited": "ICMPv6 errors not sent because of icmp_ratelimit",
    "MldReportsDelayed": "MLD reports put off because of mld_ratelimit",
}
# Counters that are one metric with a label: the metric, the label, what it counts.
FAMILIES = {
    "Discard": ("sixtap_discards_total", "reason", "frames discarded, by reason (docs/metrics.md has the clauses)"),
    "Limit_": ("sixtap_limit_hits_total", "setting", "what did not fit a limit, by the setting that sets it"),
    "Icmp6InType": ("sixtap_icmp6_in_messages_total", "type", "ICMPv6 messages received, by type"),
    "Icmp6OutType": ("sixtap_icmp6_out_messages_total", "type", "ICMPv6 messages sent, by type"),
}
# Linux counts some types by name too; the metric has each once, by its number.
_BY_NAME = {
    f"Icmp6{way}{name}": f"Icmp6{way}Type{number}" for way in ("In", "Out") for number, name in ICMP_NAMES.items()
}
_AGAIN = frozenset(_BY_NAME.values())
_UNKNOWN = "counter %s of sixtap stats"


def sample(counter: str) -> Sample | None:
    """The metric that a counter is; None for one that is counted under its name already."""
    if counter in _AGAIN:
        return None
    counter = _BY_NAME.get(counter, counter)
    for prefix, (metric, label, _) in FAMILIES.items():
        if counter.startswith(prefix):
            return Sample(metric, label, counter.removeprefix(prefix))
    return Sample(metric_name(counter), "", "")


def metric_name(counter: str) -> str:
    """`Ip6InReceives` as `sixtap_ip6_in_receives_total`."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|[0-9]+", counter)
    return "sixtap_" + "_".join(word.lower() for word in words) + "_total"


def about(counter: str) -> str:
    """What a counter counts, for the HELP line of its metric."""
    for prefix, (_, _, text) in FAMILIES.items():
        if _BY_NAME.get(counter, counter).startswith(prefix):
            return text
    return HELP.get(counter, _UNKNOWN % counter)


def exposition(counters: Mapping[str, int], device: str) -> str:
    """All counters in the text format, each with the label `device`; ends with a line feed."""
    groups: dict[str, list[str]] = {}
    for counter, value in counters.items():
        found = sample(counter)
        if found is None:
            continue
        # All lines of a metric are one group, whatever order they were counted in.
        head = [f"# HELP {found.metric} {about(counter)}", f"# TYPE {found.metric} counter"]
        labels = f'device="{_escaped(device)}"' + (f',{found.label}="{_escaped(found.value)}"' if found.label else "")
        groups.setdefault(found.metric, head).append(f"{found.metric}{{{labels}}} {value}")
    return "".join(f"{line}\n" for group in groups.values() for line in group)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
