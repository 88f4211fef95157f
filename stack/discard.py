"""How a received frame ends: delivered, answered, or discarded for a reason with its RFC clause.

Every frame ends in exactly one of these. `counter` is the name under which
Linux counts the same fate in `/proc/net/snmp6`, where it has one.
"""

from enum import Enum


class Verdict(Enum):
    """A frame that was taken."""

    DELIVERED = "delivered"
    ANSWERED = "answered"

    __hash__ = object.__hash__


class Discard(Enum):
    """A frame that was not taken: what is wrong (`text`), the `clause`, and Linux's `counter` or None."""

    # Ethernet
    RUNT_FRAME = ("shorter than an Ethernet header", "IEEE 802.3 3.2.2", None)
    NOT_FOR_US = ("destination MAC is neither ours nor that of a joined group", "RFC 2464 7", None)
    NOT_IPV6 = ("another protocol than IPv6", "RFC 2464 3", None)
    WRONG_VLAN = ("not on our VLAN", "IEEE 802.1Q 6.9", None)
    OWN_FRAME = ("source MAC is our own: a frame that the network reflected", "RFC 4862 5.4.3", None)
    BAD_SOURCE_MAC = ("source MAC is a group address", "IEEE 802.3 3.2.3", None)
    INTERFACE_DOWN = ("the interface is down", "RFC 4861 6.2.1", "Ip6InDiscards")
    INTERFACE_DISABLED = (
        "IPv6 is disabled: the address made from the MAC is a duplicate",
        "RFC 4862 5.4.5",
        "Ip6InDiscards",
    )
    # IPv6
    TRUNCATED = ("shorter than its IPv6 header says", "RFC 8200 3", "Ip6InTruncatedPkts")
    BAD_VERSION = ("IP version is not 6", "RFC 8200 3", "Ip6InHdrErrors")
    SOURCE_MULTICAST = ("source address is multicast", "RFC 4291 2.7", "Ip6InAddrErrors")
    SOURCE_LOOPBACK = ("loopback address from the link", "RFC 4291 2.5.3", "Ip6InAddrErrors")
    SOURCE_MAPPED = ("IPv4-mapped address on the link", "RFC 4291 2.5.5.2", "Ip6InAddrErrors")
    SOURCE_OURS = ("source address is our own", "RFC 4862 5.4.3", "Ip6InAddrErrors")
    SOURCE_UNSPECIFIED = ("source address is unspecified", "RFC 4291 2.5.2", "Ip6InAddrErrors")
    DESTINATION_UNSPECIFIED = ("destination address is unspecified", "RFC 4291 2.5.2", "Ip6InAddrErrors")
    DESTINATION_SCOPE = ("multicast scope 0 or 1 on the link", "RFC 4291 2.7", "Ip6InAddrErrors")
    ADDRESS_NOT_OURS = ("destination address is not ours", "RFC 8200 3", "Ip6InAddrErrors")
    ADDRESS_TENTATIVE = ("destination address is tentative", "RFC 4862 5.4", "Ip6InAddrErrors")
    GROUP_NOT_JOINED = ("destination group is not joined", "RFC 3810 4.1", "Ip6InAddrErrors")
    # Extension headers
    HEADER_TRUNCATED = ("extension header runs past the packet", "RFC 8200 4", "Ip6InHdrErrors")
    OPTION_MALFORMED = ("option runs past its header", "RFC 8200 4.2", "Ip6InHdrErrors")
    OPTION_UNKNOWN = ("unknown option that asks for a discard", "RFC 8200 4.2", "Ip6InHdrErrors")
    HEADER_CHAIN_TOO_LONG = (
        "more extension headers than a host has to follow",
        "RFC 8504 5.3",
        "Ip6InHdrErrors",
    )
    JUMBOGRAM = ("payload length of 0, and hop-by-hop options", "RFC 2675 3", "Ip6InHdrErrors")
    HOP_BY_HOP_NOT_FIRST = ("hop-by-hop options header not first", "RFC 8200 4.1", "Ip6InHdrErrors")
    ROUTING_HEADER = ("routing header with segments left", "RFC 8200 4.4", "Ip6InHdrErrors")
    FRAGMENT_UNALIGNED = (
        "fragment, not the last, whose length is no multiple of 8 octets",
        "RFC 8200 4.5",
        "Ip6ReasmFails",
    )
    FRAGMENT_TOO_LONG = ("fragment of a packet longer than 65,535 octets", "RFC 8200 4.5", "Ip6ReasmFails")
    FRAGMENT_HEADERS = ("first fragment without the whole header chain", "RFC 7112 5", "Ip6ReasmFails")
    FRAGMENT_EMPTY = ("fragment without an octet of the packet", "RFC 8200 4.5", "Ip6ReasmFails")
    FRAGMENT_OVERLAP = ("fragment of a packet whose fragments overlap", "RFC 5722 4", "Ip6ReasmFails")
    FRAGMENT_ECN = ("fragments with and without ECN of a packet that met congestion", "RFC 3168 5.3", "Ip6ReasmFails")
    FRAGMENT_DUPLICATE = ("fragment that is there already", "RFC 8200 4.5", None)
    FRAGMENT_NESTED = ("fragment header within a fragmented packet", "RFC 8200 4.5", "Ip6InHdrErrors")
    FRAGMENT_NO_ROOM = ("no memory for this fragment", "RFC 8200 4.5", "Ip6ReasmFails")
    UNKNOWN_NEXT_HEADER = ("unknown next header", "RFC 8200 4", "Ip6InUnknownProtos")
    # ICMPv6
    ICMP_TRUNCATED = ("shorter than its ICMPv6 message", "RFC 4443 2.1", "Icmp6InErrors")
    ICMP_CHECKSUM = ("wrong ICMPv6 checksum", "RFC 4443 2.3", "Icmp6InCsumErrors")
    ICMP_UNKNOWN_TYPE = ("unknown informational type", "RFC 4443 2.4 (b)", None)
    PACKET_TOO_BIG_MINIMUM = ("packet too big for less than 1280 octets", "RFC 8201 4", None)
    ICMP_ERROR_UNCLAIMED = ("error about a packet that nobody here sent", "RFC 4443 2.4 (d)", None)
    ICMP_ROUTERS_ONLY = ("a message for routers", "RFC 4861 6.2.6", None)
    ECHO_REPLY_UNCLAIMED = ("echo reply that nobody waits for", "RFC 4443 4.2", None)
    # UDP
    UDP_TRUNCATED = ("shorter than a UDP header", "RFC 768", "Udp6InErrors")
    UDP_LENGTH = ("UDP length under 8, or past the packet", "RFC 768", "Udp6InErrors")
    UDP_NO_CHECKSUM = ("UDP checksum of zero", "RFC 8200 8.1", "Udp6InCsumErrors")
    UDP_CHECKSUM = ("wrong UDP checksum", "RFC 8200 8.1", "Udp6InCsumErrors")
    UDP_NO_PORT = ("no socket at the UDP port", "RFC 4443 3.1", "Udp6NoPorts")
    UDP_NO_MEMBER = ("no socket at the UDP port listens to the group", "RFC 3810 4.2", "Udp6IgnoredMulti")
    UDP_SOURCE_FILTERED = ("no socket wants this source's data to the group", "RFC 3810 4.2", "Udp6IgnoredMulti")
    # Sockets count this one themselves: of a datagram to a group some may have taken it.
    UDP_QUEUE_FULL = ("the socket's receive queue is full", "RFC 768", None)
    # Neighbour discovery
    ND_HOP_LIMIT = ("neighbour discovery with a hop limit other than 255", "RFC 4861 7.1", None)
    ND_CODE = ("neighbour discovery with a code other than 0", "RFC 4861 7.1", None)
    ND_TRUNCATED = ("neighbour discovery message too short", "RFC 4861 7.1", None)
    ND_OPTIONS = ("option of length 0, or past the message", "RFC 4861 4.6", None)
    ND_FRAGMENTED = ("neighbour discovery inside a fragment header", "RFC 6980 5", None)
    ND_TARGET_MULTICAST = ("target address is multicast", "RFC 4861 7.1", None)
    ND_UNSPECIFIED_DESTINATION = (
        "solicitation from :: not to a solicited-node group",
        "RFC 4861 7.1.1",
        None,
    )
    ND_UNSPECIFIED_LLADDR = ("solicitation from :: with a link-layer address", "RFC 4861 7.1.1", None)
    ND_SOLICITED_MULTICAST = ("solicited advertisement sent to a group", "RFC 4861 7.1.2", None)
    ND_LLADDR = ("link-layer address option that no neighbour can have", "RFC 2464 6", None)
    ND_TARGET_NOT_OURS = ("solicitation for an address that is not ours", "RFC 4861 7.2.3", None)
    ND_TARGET_TENTATIVE = ("resolution of an address that is tentative", "RFC 4862 5.4.3", None)
    ND_OWN_PROBE = ("our own probe, looped back", "RFC 7527 4.2", None)
    ND_NO_ENTRY = ("advertisement for a neighbour that nobody asked for", "RFC 4861 7.2.5", None)
    ND_NO_LLADDR = ("advertisement without the link-layer address it must have", "RFC 4861 7.2.5", None)
    ND_SOURCE_OFF_LINK = ("neighbour that is not on this link", "RFC 4861 7.2.3", None)
    REDIRECT_NOT_ACCEPTED = ("redirects are not accepted here (accept_redirects)", "RFC 4861 8.3", None)
    REDIRECT_SOURCE = ("redirect from no link-local address", "RFC 4861 8.1", None)
    REDIRECT_DESTINATION_MULTICAST = ("redirect for a group", "RFC 4861 8.1", None)
    REDIRECT_TARGET = ("redirect to neither a link-local address nor the destination", "RFC 4861 8.1", None)
    REDIRECT_TARGET_OURS = ("redirect to an address of our own", "RFC 4861 8.3", None)
    REDIRECT_NOT_FIRST_HOP = ("redirect from another than the first-hop router", "RFC 4861 8.1", None)
    REDIRECT_NO_ROOM = ("the destination cache is full of what is in use", "RFC 4861 5.3", None)
    ND_SOURCE_NOT_LINK_LOCAL = ("router's message from no link-local address", "RFC 4861 6.1.2", None)
    RA_NOT_TAKEN = ("router advertisements are not taken (accept_ra)", "RFC 4861 6.3.4", None)
    RA_TOO_MANY = ("more router advertisements than routers send (ra_ratelimit)", "RFC 4861 6.2.6", None)
    # Multicast listener discovery
    MLD_TRUNCATED = ("multicast listener message too short", "RFC 2710 3.7", None)
    MLD_LENGTH = ("query of 25 to 27 octets", "RFC 3810 8.1", None)
    MLD_SOURCE = ("multicast listener message from no link-local address", "RFC 2710 4", None)
    MLD_HOP_LIMIT = ("query with a hop limit other than 1", "RFC 3810 6.2", None)
    MLD_ROUTER_ALERT = ("query without the router alert option", "RFC 3810 6.2", None)
    MLD_NOT_MULTICAST = ("group address is not multicast", "RFC 2710 3.6", None)
    MLD_NO_ADDRESS = ("query while the interface has no address", "RFC 2710 4", None)
    MLD_OWN_MESSAGE = ("own message that the network reflected", "RFC 2710 4", None)
    MLD_UNKNOWN_GROUP = ("group that is not joined, or never reported", "RFC 2710 4", None)
    MLD_VERSION = ("version 1 query while only version 2 is spoken", "RFC 3810 8.2.1", None)
    MLD_SOURCE_SPECIFIC = ("version 1 message about a source-specific group", "RFC 4604 2", None)
    MLD_GENERAL_WITH_SOURCES = ("general query with sources", "RFC 3810 5.1.13", None)
    MLD_NOT_FOR_HOSTS = ("changes nothing in a host", "RFC 2710 4", None)

    __hash__ = object.__hash__

    def __init__(self, text: str, clause: str, counter: str | None) -> None:
        self.text = text
        self.clause = clause
        self.counter = counter

    @property
    def label(self) -> str:
        """The name in counters and in JSON: `NdHopLimit`."""
        return "".join(part.capitalize() for part in self.name.split("_"))


Outcome = Verdict | Discard
