"""Interface identifiers of formed addresses, as `addr_gen_mode` asks (RFC 4862 5.3, RFC 7217; RFC 8981 3.3)."""

from typing import TYPE_CHECKING

from stack.address import eui64_identifier, is_reserved_identifier, opaque_identifier

if TYPE_CHECKING:
    from stack.interface import Interface

LENGTH = 8
# RFC 7217 7: within how many seconds another identifier is tried in place of a duplicate.
IDGEN_DELAY = 1.0

EUI64 = 0
NONE = 1
STABLE_SECRET = 2


class Identifiers:
    """Makes the identifiers of one interface; a random secret lasts as long as the interface does."""

    __slots__ = ("_interface", "_secret")

    def __init__(self, interface: "Interface") -> None:
        self._interface = interface
        self._secret: bytes | None = None

    @property
    def opaque(self) -> bool:
        """Whether a duplicate can be followed by another identifier (RFC 7217 6)."""
        return self._interface.host.settings.addr_gen_mode not in (EUI64, NONE)

    def stable(self, prefix: bytes, dad_counter: int) -> bytes | None:
        """The 8-byte identifier for an 8-byte prefix, the same at every start; None if none is asked for."""
        host = self._interface.host
        mode = host.settings.addr_gen_mode
        if mode == NONE:
            return None
        if mode == EUI64:
            return eui64_identifier(self._interface.mac)
        secret = host.settings.stable_secret.encode() if mode == STABLE_SECRET else b""
        if not secret:
            if self._secret is None:
                self._secret = host.random_bytes(16)
            secret = self._secret
        return opaque_identifier(prefix, self._interface.name, dad_counter, secret)

    def random(self) -> bytes:
        """An 8-byte identifier that nobody can foretell and RFC 5453 does not reserve (RFC 8981 3.3.1)."""
        while True:
            identifier = self._interface.host.random_bytes(LENGTH)
            if not is_reserved_identifier(identifier):
                return identifier
