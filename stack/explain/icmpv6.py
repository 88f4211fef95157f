"""ICMPv6 messages in plain words (RFC 4443), each type by its describer; unknown types stay named as such."""

from stack.explain import mld, nd
from stack.explain.message import Describer, Message
from stack.explain.words import count
from stack.wire import icmpv6, multipart

# RFC 4443 3.1; codes 8 and following are IANA's (RFC 6550, RFC 8883)
_UNREACHABLE = {
    0: "no route",
    1: "administratively prohibited",
    2: "beyond the scope of the source address",
    3: "address unreachable",
    4: "port unreachable",
    5: "source address failed the policy",
    6: "route rejected",
}
_EXCEEDED = {0: "hop limit reached 0", 1: "fragments missing"}
_PROBLEM = {
    0: "erroneous header field",
    1: "unrecognised next header",
    2: "unrecognised option",
    3: "incomplete header chain in the first fragment",
}


def _code(message: Message, words: dict[int, str]) -> str:
    code = message.octets[1]
    return words.get(code, f"code {code}")


def _about(message: Message) -> str:
    """The packet in error, as much of it as the message carries (RFC 4443 2.4 c)."""
    if len(message.octets) < icmpv6.ERROR_HEADER.size:
        return message.quote(b"")
    quote, objects = multipart.split(message.octets)
    if not objects:
        return message.quote(quote)
    words = ", ".join(_OBJECTS.get(each.class_num, f"class {each.class_num}") for each in objects)
    return f"{message.quote(quote)}, with {count(len(objects), 'extension object')} ({words})"


# Classes of extension objects (RFC 4884 8, RFC 4950, RFC 5837).
_OBJECTS = {1: "MPLS label stack", 2: "interface information", 3: "interface identification"}


def _parameter(message: Message) -> int:
    return int.from_bytes(message.octets[4:8], "big")


def _error(name: str, words: dict[int, str]) -> Describer:
    def describe(message: Message) -> str:
        return f"{name} ({_code(message, words)}), about {_about(message)}"

    return describe


def _too_big(message: Message) -> str:
    return f"packet too big (the MTU is {_parameter(message)}), about {_about(message)}"


def _problem(message: Message) -> str:
    return f"parameter problem ({_code(message, _PROBLEM)} at octet {_parameter(message)}), about {_about(message)}"


def _echo(name: str) -> Describer:
    def describe(message: Message) -> str:
        if len(message.octets) < icmpv6.ECHO_HEADER.size:
            return f"{name}, cut short"
        sequence = icmpv6.ECHO_HEADER.unpack_from(message.octets)[4]
        data = len(message.octets) - icmpv6.ECHO_HEADER.size
        return f"{name} {sequence} with {count(data, 'octet')} of data"

    return describe


_DESCRIBERS: dict[int, Describer] = {
    icmpv6.DESTINATION_UNREACHABLE: _error("destination unreachable", _UNREACHABLE),
    icmpv6.PACKET_TOO_BIG: _too_big,
    icmpv6.TIME_EXCEEDED: _error("time exceeded", _EXCEEDED),
    icmpv6.PARAMETER_PROBLEM: _problem,
    icmpv6.ECHO_REQUEST: _echo("echo request"),
    icmpv6.ECHO_REPLY: _echo("echo reply"),
    icmpv6.MLD_QUERY: mld.query,
    icmpv6.MLD_REPORT: mld.report,
    icmpv6.MLD_DONE: mld.done,
    icmpv6.ROUTER_SOLICITATION: nd.router_solicitation,
    icmpv6.ROUTER_ADVERTISEMENT: nd.router_advertisement,
    icmpv6.NEIGHBOR_SOLICITATION: nd.neighbor_solicitation,
    icmpv6.NEIGHBOR_ADVERTISEMENT: nd.neighbor_advertisement,
    icmpv6.REDIRECT: nd.redirect,
    icmpv6.MLDV2_REPORT: mld.report_v2,
}

_KINDS = {
    icmpv6.DESTINATION_UNREACHABLE: "destination unreachable",
    icmpv6.PACKET_TOO_BIG: "packet too big",
    icmpv6.TIME_EXCEEDED: "time exceeded",
    icmpv6.PARAMETER_PROBLEM: "parameter problem",
    icmpv6.ECHO_REQUEST: "echo request",
    icmpv6.ECHO_REPLY: "echo reply",
    icmpv6.MLD_QUERY: "MLD query",
    icmpv6.MLD_REPORT: "MLD version 1 report",
    icmpv6.MLD_DONE: "MLD version 1 Done",
    icmpv6.ROUTER_SOLICITATION: "router solicitation",
    icmpv6.ROUTER_ADVERTISEMENT: "router advertisement",
    icmpv6.NEIGHBOR_SOLICITATION: "neighbour solicitation",
    icmpv6.NEIGHBOR_ADVERTISEMENT: "neighbour advertisement",
    icmpv6.REDIRECT: "redirect",
    icmpv6.MLDV2_REPORT: "MLD version 2 report",
}

# The hop limit that a message must have to be believed: RFC 4861 4, RFC 2710 3, RFC 3810 5.
EXPECTED_HOP_LIMITS: dict[int, int] = {
    **dict.fromkeys(
        (
            icmpv6.ROUTER_SOLICITATION,
            icmpv6.ROUTER_ADVERTISEMENT,
            icmpv6.NEIGHBOR_SOLICITATION,
            icmpv6.NEIGHBOR_ADVERTISEMENT,
            icmpv6.REDIRECT,
        ),
        255,
    ),
    **dict.fromkeys((icmpv6.MLD_QUERY, icmpv6.MLD_REPORT, icmpv6.MLD_DONE, icmpv6.MLDV2_REPORT), 1),
}


def kind(octets: bytes) -> str:
    """The name of a message's type, for counting and sorting."""
    if not octets:
        return "ICMPv6"
    return _KINDS.get(octets[0], f"ICMPv6 type {octets[0]}")


def describe(message: Message) -> str:
    """One ICMPv6 message in words, of any length and type."""
    if len(message.octets) < icmpv6.HEADER.size:
        return f"ICMPv6, cut short ({count(len(message.octets), 'octet')})"
    number, code = message.octets[:2]
    describer = _DESCRIBERS.get(number)
    if describer is not None:
        return describer(message)
    sort = "message" if number >= icmpv6.FIRST_INFORMATIONAL else "error"
    return f"ICMPv6 {sort} of unknown type {number}, code {code}"
