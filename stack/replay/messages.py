"""The rules for senders of ICMPv6, message by message (RFC 4443 2.4, RFC 4861 4 and 7, RFC 2710, RFC 3810).

Read from the pictures and shared with nothing of the stack. Each function says
what is wrong and the clause, or None.
"""

Verdict = tuple[str, str] | None

UNSPECIFIED = bytes(16)
_ALL_NODES = bytes.fromhex("ff020000000000000000000000000001")
_ALL_ROUTERS = bytes.fromhex("ff020000000000000000000000000002")
_ALL_MLDV2_ROUTERS = bytes.fromhex("ff020000000000000000000000000016")
_SOLICITED = bytes.fromhex("ff0200000000000000000001ff")
_REPORTS_MAY_COME_FROM_UNSPECIFIED = "RFC 3590 4"
_MINIMUM_MTU = 1280


def checksum(source: bytes, destination: bytes, protocol: int, message: bytes) -> int:
    """What the checksum field of a message, itself included, comes to: 0 if it is right (RFC 1071)."""
    octets = source + destination + len(message).to_bytes(4, "big") + bytes((0, 0, 0, protocol)) + message
    return int.from_bytes(octets + b"\0" * (len(octets) & 1), "big") % 0xFFFF


def ip_options(octets: bytes) -> list[tuple[int, bytes]] | None:
    """Type and data of the options in an options header; None if they do not end where it ends."""
    found = []
    while octets:
        if octets[0] == 0:
            octets = octets[1:]
            continue
        if len(octets) < 2 or len(octets) < 2 + octets[1]:
            return None
        found.append((octets[0], octets[2 : 2 + octets[1]]))
        octets = octets[2 + octets[1] :]
    return found


def _nd_options(octets: bytes) -> dict[int, bytes] | None:
    found = {}
    while octets:
        if len(octets) < 8 or not octets[1] or len(octets) < 8 * octets[1]:
            return None
        found[octets[0]] = octets[2 : 8 * octets[1]]
        octets = octets[8 * octets[1] :]
    return found


def neighbour_discovery(source: bytes, destination: bytes, hop_limit: int, message: bytes) -> Verdict:
    """A host sends solicitations of both kinds and advertisements of neighbours."""
    kind = message[0]
    if hop_limit != 255:
        return "neighbour discovery with a hop limit other than 255", "RFC 4861 4"
    if message[1]:
        return "neighbour discovery with a code other than 0", "RFC 4861 4"
    if kind in (134, 137):
        return "a message that only routers send", "RFC 4861 6.2"
    options = _nd_options(message[8 if kind == 133 else 24 :])
    if options is None:
        return "options that do not end with the message", "RFC 4861 4.6"
    if any(len(options[each]) != 6 or options[each][0] & 1 for each in (1, 2) if each in options):
        return "a link-layer address that no station has", "RFC 4861 4.6.1"
    if kind == 133:
        return _router_solicitation(source, destination, options)
    target = message[8:24]
    if len(message) < 24 or target[0] == 0xFF or target == UNSPECIFIED:
        return "a target that is no unicast address", "RFC 4861 4.3"
    if kind == 135:
        return _solicitation(source, destination, target, options)
    return _advertisement(destination, message, options)


def _router_solicitation(source: bytes, destination: bytes, options: dict[int, bytes]) -> Verdict:
    if destination != _ALL_ROUTERS:
        return "a router solicitation not to all routers", "RFC 4861 6.3.7"
    if source == UNSPECIFIED and 1 in options:
        return "a link-layer address of ::", "RFC 4861 4.1"
    return None


def _solicitation(source: bytes, destination: bytes, target: bytes, options: dict[int, bytes]) -> Verdict:
    group = _SOLICITED + target[13:]
    if destination not in (group, target):
        return "a solicitation to neither its target nor the target's group", "RFC 4861 4.3"
    if source == UNSPECIFIED and (destination != group or 1 in options):
        return "a solicitation from :: to no group, or with a link-layer address", "RFC 4861 4.3"
    if source != UNSPECIFIED and destination == group and 1 not in options:
        return "a multicast solicitation without our link-layer address", "RFC 4861 4.3"
    return None


def _advertisement(destination: bytes, message: bytes, options: dict[int, bytes]) -> Verdict:
    solicited, override = message[4] & 0x40, message[4] & 0x20
    if message[4] & 0x80:
        return "a host says that it is a router", "RFC 4861 4.4"
    if destination[0] == 0xFF and solicited:
        return "a solicited advertisement to a group", "RFC 4861 7.2.4"
    if destination[0] == 0xFF and 2 not in options:
        return "an advertisement to a group without our link-layer address", "RFC 4861 7.2.4"
    if override and 2 not in options:
        return "an advertisement that overrides with nothing", "RFC 4861 7.2.4"
    return None


def listener_discovery(source: bytes, destination: bytes, hop_limit: int, alert: bool, message: bytes) -> Verdict:
    """Reports and Done of a listener."""
    if message[0] == 130:
        return "a query of a host", "RFC 3810 5.1"
    if hop_limit != 1:
        return "a listener's message with a hop limit other than 1", "RFC 2710 3"
    if not alert:
        return "a listener's message without router alert", "RFC 2710 3"
    if source != UNSPECIFIED and source[:2] != b"\xfe\x80":
        return "a listener's message from no link-local address", _REPORTS_MAY_COME_FROM_UNSPECIFIED
    if message[0] == 143:
        return _version_2_report(destination, message)
    group = message[8:24]
    if len(message) != 24 or _silent(group):
        return "a message about a group that is never reported", "RFC 2710 5"
    if destination != (_ALL_ROUTERS if message[0] == 132 else group):
        return "a message to the wrong group", "RFC 2710 4"
    return None


def _version_2_report(destination: bytes, message: bytes) -> Verdict:
    if destination != _ALL_MLDV2_ROUTERS:
        return "a report not to ff02::16", "RFC 3810 5.2.14"
    count, at = int.from_bytes(message[6:8], "big"), 8
    if not count:
        return "a report without records", "RFC 3810 5.2"
    for _ in range(count):
        if at + 20 > len(message):
            return "a record that is not there", "RFC 3810 5.2.3"
        if not 1 <= message[at] <= 6:
            return "a record of a type that there is not", "RFC 3810 5.2.12"
        if _silent(message[at + 4 : at + 20]):
            return "a record of a group that is never reported", "RFC 3810 6"
        at += 20 + 16 * int.from_bytes(message[at + 2 : at + 4], "big") + 4 * message[at + 1]
    return None if at == len(message) else ("octets behind the last record", "RFC 3810 5.2.11")


def _silent(group: bytes) -> bool:
    return group[0] != 0xFF or group == _ALL_NODES or group[1] & 0x0F < 2


def error(packet: bytes, message: bytes) -> Verdict:
    """RFC 4443 2.4 (c) and (e), judged by the packet that the error quotes."""
    destination, quote = packet[24:40], message[8:]
    if len(packet) > _MINIMUM_MTU:
        return "an error of more than 1280 octets", "RFC 4443 2.4 (c)"
    if destination[0] == 0xFF:
        return "an error to a group", "RFC 4443 2.4 (e)"
    if len(quote) < 40 or quote[8:24] != destination:
        return "an error that does not go to who sent the packet in it", "RFC 4443 2.2"
    excepted = message[0] == 2 or (message[0] == 4 and message[1] == 2)
    if quote[24] == 0xFF and not excepted:
        return "an error about a packet to a group", "RFC 4443 2.4 (e.3)"
    if message[0] == 4 and message[1] == 2 and quote[24] == 0xFF and not _asks_for_it(message, quote):
        return "an error about an option in a packet to a group that asks for none", "RFC 4443 2.4 (e.3)"
    if message[0] == 4 and int.from_bytes(message[4:8], "big") >= 40 + int.from_bytes(quote[4:6], "big"):
        return "a pointer behind the packet", "RFC 4443 3.4"
    if _is_error(quote):
        return "an error about an error or a redirect", "RFC 4443 2.4 (e.1)"
    return None


def _asks_for_it(message: bytes, quote: bytes) -> bool:
    pointer = int.from_bytes(message[4:8], "big")
    return pointer >= len(quote) or quote[pointer] >> 6 == 2


def _is_error(quote: bytes) -> bool:
    kind, at = quote[6], 40
    while kind in (0, 43, 44, 51, 60) and at + 8 <= len(quote):
        if kind == 44 and int.from_bytes(quote[at + 2 : at + 4], "big") & 0xFFF8:
            return False
        size = 8 if kind == 44 else 8 + (4 if kind == 51 else 8) * quote[at + 1]
        kind, at = quote[at], at + size
    return kind == 58 and at < len(quote) and (quote[at] < 128 or quote[at] == 137)
