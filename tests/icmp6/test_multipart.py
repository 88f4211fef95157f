"""Multi-part messages (RFC 4884): the quote ends where the length says, and the structure behind it is understood."""

import struct

import pytest

from stack.discard import Verdict
from stack.explain.frame import describe
from stack.journal import Record
from stack.udp.udp_socket import UdpSocket
from stack.wire import multipart
from stack.wire.multipart import ExtensionObject
from tests.playbook import OUR_LINK_LOCAL, OUR_MAC, PEER_LINK_LOCAL, Play, checksum, frame, icmp, ip, packet

ROUTER = "fe80::99"
# RFC 4950 3: one label stack entry.
MPLS = ExtensionObject(1, 1, bytes.fromhex("00010101"))
INTERFACE = ExtensionObject(2, 0x0A, bytes.fromhex("0000000700000005"))


def structure(*objects: ExtensionObject, version: int = 2, summed: bool = True) -> bytes:
    """RFC 4884 7, 8."""
    body = b"".join(struct.pack("!HBB", 4 + len(each.payload), *each[:2]) + each.payload for each in objects)
    plain = struct.pack("!HH", version << 12, 0) + body
    if not summed:
        return plain
    total = sum(struct.unpack(f"!{len(plain) // 2}H", plain))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return plain[:2] + struct.pack("!H", total ^ 0xFFFF) + plain[4:]


def message(quote: bytes, behind: bytes, *, kind: int = 3, length: int | None = None) -> bytes:
    """An error whose quote is padded with zeros to 128 octets at least, and to a multiple of 8 (4)."""
    padded = quote.ljust(128, b"\0")
    padded += bytes(-len(padded) % 8)
    field = len(padded) // 8 if length is None else length
    return icmp(ROUTER, OUR_LINK_LOCAL, kind, 0, bytes((field, 0, 0, 0)) + padded + behind)


def quoted(size: int = 21) -> bytes:
    data = bytes(range(1, 1 + size))
    plain = struct.pack("!HHHH", 5000, 9, 8 + size, 0) + data
    value = checksum(ip(OUR_LINK_LOCAL), ip(PEER_LINK_LOCAL), 17, plain)
    return packet(OUR_LINK_LOCAL, PEER_LINK_LOCAL, plain[:6] + struct.pack("!H", value) + data, next_header=17)


SOUND: dict[str, tuple[ExtensionObject, ...]] = {
    "one object": (MPLS,),
    "two objects": (MPLS, INTERFACE),
    "an object that nobody knows (8)": (ExtensionObject(200, 7, b""),),
    "no object": (),
}


@pytest.mark.parametrize("kind", [1, 3], ids=["destination unreachable", "time exceeded"])
@pytest.mark.parametrize("summed", [True, False], ids=["checksum", "no checksum (7)"])
@pytest.mark.parametrize("objects", SOUND.values(), ids=SOUND)
def test_the_quote_and_the_objects(objects: tuple[ExtensionObject, ...], summed: bool, kind: int) -> None:
    """RFC 4884 4.4, 4.5, 7, 8."""
    octets = message(quoted(), structure(*objects, summed=summed), kind=kind)
    assert multipart.split(octets) == (quoted(), objects)


def test_a_long_quote() -> None:
    """RFC 4884 4: in units of 8 octets."""
    long = quoted(200)[:240]
    assert multipart.split(message(long, structure(MPLS))) == (long, (MPLS,))


def damaged(octets: bytes, at: int, value: int) -> bytes:
    return octets[:at] + bytes((value,)) + octets[at + 1 :]


UNSOUND = {
    "nothing there": b"",
    "cut in the header": structure(MPLS)[:3],
    "another version": structure(MPLS, version=1),
    "wrong checksum": damaged(structure(MPLS), 2, 0x55),
    "object of length 0": damaged(structure(MPLS, summed=False), 5, 0),
    "object of length 3": damaged(structure(MPLS, summed=False), 5, 3),
    "object past the end": damaged(structure(MPLS, summed=False), 5, 9),
    "object past the end, far": damaged(structure(MPLS, summed=False), 4, 0xFF),
    "cut in the second object": structure(MPLS, INTERFACE, summed=False)[:-9],
}


@pytest.mark.parametrize("behind", UNSOUND.values(), ids=UNSOUND)
def test_a_structure_that_is_not_sound(behind: bytes) -> None:
    """It is passed over; the quote is what it is."""
    assert multipart.split(message(quoted(), behind)) == (quoted(), ())


PLAIN = {
    "length 0 (5.4)": (3, 0),
    "a quote of 120 octets": (3, 15),
    "longer than the message": (3, 255),
    "packet too big has no length": (2, 16),
    "parameter problem has no length": (4, 16),
}


@pytest.mark.parametrize(("kind", "length"), PLAIN.values(), ids=PLAIN)
def test_no_length_that_counts(kind: int, length: int) -> None:
    """RFC 4884 4.6, 5.4, 5.5: all of it is the quote."""
    octets = message(quoted(), structure(MPLS), kind=kind, length=length)
    assert multipart.split(octets) == (octets[8:], ())


@pytest.fixture
def play() -> Play:
    return Play().start().meet()


def socket_that_sent(play: Play) -> UdpSocket:
    socket = play.host.udp.open()
    socket.bind(None, 5000)
    return socket


def test_a_socket_is_told_without_the_padding(play: Play) -> None:
    """RFC 4443 2.4 (d): its own octets; 3.1: the unused field is no parameter."""
    socket = socket_that_sent(play)
    records: list[Record] = []
    play.host.journal.listen(records.append)
    octets = frame(packet(ROUTER, OUR_LINK_LOCAL, message(quoted(), structure(MPLS, INTERFACE))), to=OUR_MAC)
    assert play.receive(octets) is Verdict.DELIVERED
    error = socket.take_error()
    assert error is not None
    assert (error.type, error.code, error.parameter) == (3, 0, 0)
    assert error.data == bytes(range(1, 22))
    assert any("with 2 extension objects" in record.what for record in records)


def test_in_plain_words() -> None:
    """What a reader of the frame is told."""
    octets = frame(packet(ROUTER, OUR_LINK_LOCAL, message(quoted(), structure(MPLS, ExtensionObject(9, 1, b"")))))
    told = str(describe(octets))
    assert "with 2 extension objects (MPLS label stack, class 9)" in told
