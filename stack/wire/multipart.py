"""Multi-part ICMPv6 messages (RFC 4884): where the quoted packet ends, and the objects of the extension structure.

Destination unreachable and time exceeded have the length of the quote, in units of
8 octets, in the first octet behind the checksum (4.4, 4.5); 0 says that nothing
follows it.
"""

from typing import NamedTuple

from construct import Bytes, Int8ub, Int16ub, Struct, this

from stack.wire import icmpv6, ipv6
from stack.wire.checksum import ones_sum
from stack.wire.declare import derive

# 7; `version_and_reserved` has the version in its four highest bits.
EXTENSION = Struct("version_and_reserved" / Int16ub, "checksum" / Int16ub)
VERSION = 2

# 8; the length counts these four octets.
OBJECT = Struct(
    "length" / Int16ub, "class_num" / Int8ub, "c_type" / Int8ub, "payload" / Bytes(this.length - 4 & 0xFFFF)
)

HEADER = derive(EXTENSION)
OBJECT_HEADER = derive(Struct(*OBJECT.subcons[:-1]))

# 4: the quote is filled up to this, so that those who know nothing of this find what they need.
MINIMUM_QUOTE = 128
_UNIT = 8
_LENGTH_FIELD = 4


class ExtensionObject(NamedTuple):
    """An object by class and type, with its payload."""

    class_num: int
    c_type: int
    payload: bytes


def split(message: bytes) -> tuple[bytes, tuple[ExtensionObject, ...]]:
    """The packet that an error of 8 octets at least quotes, without padding, and its extension objects.

    A length that no such message can have is taken for no length, and a structure
    that is not sound for none (5.4, 5.5).
    """
    body = message[icmpv6.ERROR_HEADER.size :]
    length = _UNIT * message[_LENGTH_FIELD]
    extensible = message[0] in (icmpv6.DESTINATION_UNREACHABLE, icmpv6.TIME_EXCEEDED)
    if not extensible or not MINIMUM_QUOTE <= length <= len(body):
        return body, ()
    end = ipv6.HEADER_LENGTH + int.from_bytes(body[4:6], "big")
    return body[: min(length, end)], _objects(body[length:])


def _objects(structure: bytes) -> tuple[ExtensionObject, ...]:
    if len(structure) < HEADER.size:
        return ()
    version, checksum = HEADER.unpack_from(structure)
    # 7: a checksum of zero was not computed.
    if version >> 12 != VERSION or (checksum and ones_sum(structure)):
        return ()
    found: list[ExtensionObject] = []
    at = HEADER.size
    while at < len(structure):
        if at + OBJECT_HEADER.size > len(structure):
            return ()
        length, class_num, c_type = OBJECT_HEADER.unpack_from(structure, at)
        if not OBJECT_HEADER.size <= length <= len(structure) - at:
            return ()
        found.append(ExtensionObject(class_num, c_type, structure[at + OBJECT_HEADER.size : at + length]))
        at += length
    return tuple(found)
