"""A router's multicast side, as much of it as a scenario needs: it does what it is told to, and hears nothing."""

from collections.abc import Sequence

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
    """A querier of either version with a port of its own on the switch of a world; it gives `delay` seconds."""

    def __init__(self, world: World, name: str, mac: MacAddress, version: int = 2, *, delay: float = 10.0) -> None:
        self.name = name
        self.mac = mac
        self._variables = Variables(version=version, query_response_interval=delay)
        self.address: IPv6Address = LINK_LOCAL_PREFIX + eui64_identifier(mac)
        self._world = world
        self.port = world.switch.add_port(name)

    def ask(
        self,
        group: IPv6Address = UNSPECIFIED,
        sources: Sequence[IPv6Address] = (),
        *,
        delay: float | None = None,
        hop_limit: int = 1,
    ) -> None:
        """Ask all nodes for all groups, or for the listeners of one, in version 2 perhaps only to some sources.

        Without a `delay` (seconds) it gives what the RFC has for such a query.
        """
        if delay is None:
            variables = self._variables
            general = group == UNSPECIFIED
            delay = variables.query_response_interval if general else variables.last_listener_query_interval
        fields = QueryFields(hop_limit=hop_limit)
        for frame in query_frames(
            self._variables, fields, self.address, self.mac, group, sources, delay=delay, suppress=False
        ):
            self._world.send(frame, self.port)

    def forward(self, source: IPv6Address, group: IPv6Address, port: int, data: bytes) -> None:
        """Pass on to the link what somebody elsewhere has sent to a group: one UDP datagram."""
        message = udp.datagram(source, group, port, port, data)
        packet = ipv6.packet(source, group, ipv6.UDP, _HOP_LIMIT, message)
        frame = ethernet.HEADER.pack(multicast_mac(group), self.mac, ethernet.ETHERTYPE_IPV6) + packet
        self._world.send(frame, self.port)
