"""A router's multicast side, as much of it as a scenario needs: it does what it is told to, and hears nothing."""

from stack.address import (
    LINK_LOCAL_PREFIX,
    UNSPECIFIED,
    IPv6Address,
    MacAddress,
    eui64_identifier,
    multicast_mac,
)
from stack.sim.querier.messages import query_frames
from stack.sim.querier.variables import QueryFields, Variables
from stack.sim.world import World
from stack.wire import ethernet, ipv6, udp

_HOP_LIMIT = 63


class ScriptedQuerier:
    """A querier of either version with a port of its own on the switch of a world."""

    def __init__(self, world: World, name: str, mac: MacAddress, version: int = 2) -> None:
        self.name = name
        self.mac = mac
        self._variables = Variables(version=version)
        self.address: IPv6Address = LINK_LOCAL_PREFIX + eui64_identifier(mac)
        self._world = world
        self._port = world.switch.add_port(name)

    def general_query(self, *, hop_limit: int = 1) -> None:
        """Ask all nodes for all groups."""
        self._ask(UNSPECIFIED, (), self._variables.query_response_interval, hop_limit)

    def query(self, group: IPv6Address, *sources: IPv6Address) -> None:
        """Ask for the listeners of one group, in version 2 perhaps only for those that listen to some sources."""
        self._ask(group, sources, self._variables.last_listener_query_interval, 1)

    def _ask(self, group: IPv6Address, sources: tuple[IPv6Address, ...], delay: float, hop_limit: int) -> None:
        fields = QueryFields(hop_limit=hop_limit)
        for frame in query_frames(
            self._variables, fields, self.address, self.mac, group, sources, delay=delay, suppress=False
        ):
            self._world.send(frame, self._port)

    def forward(self, source: IPv6Address, group: IPv6Address, port: int, data: bytes) -> None:
        """Pass on to the link what somebody elsewhere has sent to a group: one UDP datagram."""
        message = udp.datagram(source, group, port, port, data)
        packet = ipv6.packet(source, group, ipv6.UDP, _HOP_LIMIT, message)
        frame = ethernet.HEADER.pack(multicast_mac(group), self.mac, ethernet.ETHERTYPE_IPV6) + packet
        self._world.send(frame, self._port)
