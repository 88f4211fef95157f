"""Clauses of RFC 8200 that no other test shows."""

import struct

from stack.discard import Discard
from stack.wire import udp
from tests.playbook import OUR_LINK_LOCAL, PEER_LINK_LOCAL, Play, chain, checksum, frame, ip, options, packet


def test_4_hop_by_hop_options_behind_another_header() -> None:
    """4: a next header of 0 in any header but the IPv6 header is unrecognised."""
    play = Play().start().meet()
    headers = (options(60, "0104 00000000"), options(0, "0104 00000000"))
    first, payload = chain(headers, 59, b"")
    octets = frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, payload, next_header=first))
    assert play.receive(octets) is Discard.HOP_BY_HOP_NOT_FIRST
    (sent,) = play.sent()
    assert (sent.kind, sent.message[1], struct.unpack("!I", sent.message[4:8])) == (4, 1, (40,))


def test_8_1_a_checksum_of_zero_is_sent_as_ffff() -> None:
    """8.1: if the computation yields zero, it is changed to hex FFFF."""
    source, destination = ip(OUR_LINK_LOCAL), ip(PEER_LINK_LOCAL)
    plain = struct.pack("!HHHH", 1, 2, 10, 0)
    data = struct.pack("!H", checksum(source, destination, 17, plain + b"\0\0"))
    assert udp.datagram(source, destination, 1, 2, data)[6:8] == b"\xff\xff"
