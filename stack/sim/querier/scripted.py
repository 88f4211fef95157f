"""A router's multicast side, as much of it as a scenario needs: it asks when it is told to, and hears nothing."""

from stack.address import (
    ALL_NODES,
    LINK_LOCAL_PREFIX,
    UNSPECIFIED,
    IPv6Address,
    MacAddress,
    eui64_identifier,
)
from stack.sim.world import World
from stack.wire import icmpv6, mld, mldpacket

# RFC 2710 7.3 and 7.8, in milliseconds
QUERY_RESPONSE_INTERVAL = 10_000
LAST_LISTENER_QUERY_INTERVAL = 1_000


class ScriptedQuerier:
    """A version 1 querier with a port of its own on the switch of a world."""

    def __init__(self, world: World, name: str, mac: MacAddress) -> None:
        self.name = name
        self.mac = mac
        self.address: IPv6Address = LINK_LOCAL_PREFIX + eui64_identifier(mac)
        self._world = world
        self._port = world.switch.add_port(name)

    def general_query(self, *, hop_limit: int = 1) -> None:
        """RFC 2710 3: ask all nodes for all groups."""
        self._send(ALL_NODES, UNSPECIFIED, QUERY_RESPONSE_INTERVAL, hop_limit)

    def query(self, group: IPv6Address) -> None:
        """RFC 2710 3: ask the listeners of one group whether there are any."""
        self._send(group, group, LAST_LISTENER_QUERY_INTERVAL, 1)

    def _send(self, destination: IPv6Address, group: IPv6Address, delay: int, hop_limit: int) -> None:
        message = mld.message(icmpv6.MLD_QUERY, self.address, destination, group, delay)
        frame = mldpacket.frame(message, self.address, destination, self.mac, hop_limit=hop_limit)
        self._world.send(frame, self._port)
