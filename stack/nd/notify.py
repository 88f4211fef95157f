"""Telling routers of a new address before its first answer comes back to it (RFC 9131, `ndisc_notify`).

A router that has to resolve an address holds or loses what arrives for it
meanwhile. An unsolicited advertisement gives it an entry beforehand.
"""

from typing import TYPE_CHECKING

from stack.address import ALL_ROUTERS, IPv6Address, is_link_local
from stack.wire import nd as wire

if TYPE_CHECKING:
    from stack.interface import Interface


def address_assigned(interface: "Interface", address: IPv6Address, now: float) -> None:
    """Advertise an address that has become valid to all routers, if the setting asks for it.

    The Override flag is 0: an entry that is there already is left to be verified.
    """
    host = interface.host
    if not host.settings.ndisc_notify or is_link_local(address):
        return
    option = wire.LINK_LAYER.pack(wire.TARGET_LINK_LAYER_ADDRESS, 1, interface.mac)
    message = wire.neighbor_advertisement(address, ALL_ROUTERS, address, 0, option)
    interface.send_nd(address, ALL_ROUTERS, message)
    if host.journal.on:
        host.journal.note(now, "nd", "new address told to routers", "RFC 9131 6.1")
