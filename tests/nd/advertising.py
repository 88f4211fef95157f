"""Router advertisements drawn by hand from the pictures of RFC 4861 4.2 and 4.6, RFC 4191 2.3 and RFC 8106 5."""

import struct

from tests.playbook import OUR_MAC, Play, frame, icmp, ip, lladdr_option, packet, text

ROUTER_MAC = bytes.fromhex("0200700000a1")
ROUTER = "fe80::a1"
OTHER_ROUTER = "fe80::a2"
THIRD_ROUTER = "fe80::a3"
PREFIX = "2001:db8:1::"
# PREFIX with the identifier that RFC 4291 appendix A makes of our MAC.
OUR_ADDRESS = "2001:db8:1:0:0:6eff:fe00:1"
FOREVER = 0xFFFFFFFF

RS, RA, NS, NA, REPORT = 133, 134, 135, 136, 131

HIGH, MEDIUM, LOW, RESERVED = 0b01, 0b00, 0b11, 0b10


def mac_of(router: str) -> bytes:
    """A MAC for each router of these tests, by the last octets of its address."""
    return b"\x02\x00\x70" + ip(router)[13:]


def advertisement(
    *options: bytes,
    router: str = ROUTER,
    destination: str = "ff02::1",
    lifetime: int = 1800,
    hop_limit: int = 0,
    flags: str = "",
    preference: int = MEDIUM,
    reachable: int = 0,
    retrans: int = 0,
    lladdr: bool = True,
    reserved: int = 0,
    received_hop_limit: int = 255,
    code: int = 0,
    mac: bytes | None = None,
) -> bytes:
    """A frame with a router advertisement (4.2); `flags` are letters of M and O, `preference` the two bits of RFC 4191.

    A source link-layer address option comes first unless `lladdr` is false.
    """
    mac = mac_of(router) if mac is None else mac
    octet = sum({"M": 0x80, "O": 0x40}[letter] for letter in flags) | preference << 3 | reserved
    body = struct.pack("!BBHII", hop_limit, octet, lifetime, reachable, retrans)
    octets = (lladdr_option(1, mac) if lladdr else b"") + b"".join(options)
    message = icmp(router, destination, 134, code, body + octets)
    to = None if destination.startswith("ff") else OUR_MAC
    return frame(packet(router, destination, message, hop_limit=received_hop_limit), mac=mac, to=to)


def prefix_option(
    prefix: str = PREFIX,
    length: int = 64,
    *,
    flags: str = "LA",
    valid: int = 86_400,
    preferred: int = 14_400,
    reserved: int = 0,
) -> bytes:
    """Prefix information (4.6.2); `flags` are letters of L and A."""
    octet = sum({"L": 0x80, "A": 0x40}[letter] for letter in flags) | reserved
    return struct.pack("!BBBBIII", 3, 4, length, octet, valid, preferred, reserved) + ip(prefix)


def mtu_option(mtu: int, reserved: int = 0) -> bytes:
    """MTU (4.6.4)."""
    return struct.pack("!BBHI", 5, 1, reserved, mtu)


def route_option(
    prefix: str, length: int, *, lifetime: int = 1800, preference: int = MEDIUM, units: int | None = None
) -> bytes:
    """Route information (RFC 4191 2.3), as short as its prefix length allows unless `units` says otherwise."""
    if units is None:
        units = 1 if length == 0 else 2 if length <= 64 else 3
    octets = ip(prefix)[: 8 * (units - 1)].ljust(8 * (units - 1), b"\0")
    return struct.pack("!BBBBI", 24, units, length, preference << 3, lifetime) + octets


def servers_option(*servers: str, lifetime: int = 1200) -> bytes:
    """RDNSS (RFC 8106 5.1)."""
    return struct.pack("!BBHI", 25, 1 + 2 * len(servers), 0, lifetime) + b"".join(ip(each) for each in servers)


def encoded(*names: str) -> bytes:
    """Names as RFC 1035 3.1 has them, one behind the other."""
    return b"".join(
        b"".join(bytes((len(label),)) + label.encode() for label in name.split(".")) + b"\0" for name in names
    )


def search_octets(octets: bytes, lifetime: int = 1200) -> bytes:
    """A DNSSL option (RFC 8106 5.2) around these octets, zeros added up to a multiple of 8."""
    octets += bytes(-len(octets) % 8)
    return struct.pack("!BBHI", 31, 1 + len(octets) // 8, 0, lifetime) + octets


def search_option(*names: str, lifetime: int = 1200) -> bytes:
    """DNSSL with these names."""
    return search_octets(encoded(*names), lifetime)


def ready(**settings: int | str) -> Play:
    """A host long after its start, which has heard no router yet."""
    return Play(**settings).start()


def hears(play: Play, *options: bytes, **fields: object) -> Play:
    """The host takes an advertisement; what it sent before is gone from `sent`."""
    play.sent()
    play.receive(advertisement(*options, **fields))  # type: ignore[arg-type]
    return play


def addresses(play: Play) -> list[str]:
    """The addresses of the host that are not link-local, in order, as text."""
    return [text(each) for each in play.interface.addresses.table if each[:2] != b"\xfe\x80"]


def lifetimes(play: Play, address: str = OUR_ADDRESS) -> tuple[float | None, float | None]:
    """What remains of the preferred and the valid lifetime, in seconds."""
    entry = play.interface.addresses.get(ip(address))
    if entry is None:
        raise AssertionError(f"{address} is not there")
    preferred = None if entry.preferred_until is None else entry.preferred_until - play.now
    return preferred, None if entry.valid_until is None else entry.valid_until - play.now
