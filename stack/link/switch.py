"""An Ethernet switch in memory: it learns where MACs are and floods what it does not know (IEEE 802.1D 7.8).

It has no clock of its own and moves no frame itself: `forward` says which ports a
frame goes to. Who carries it there, and when, is `stack.sim.world`. With MLD
snooping it sends a group's packets only to where they are wanted.
"""

from collections import OrderedDict

from stack.address import MacAddress
from stack.link.snooping import SnoopingTable
from stack.wire import ethernet

LEARNING_LIMIT = 4096


class Port:
    """One port of a switch; `up` is its link state."""

    __slots__ = ("name", "number", "up")

    def __init__(self, number: int, name: str) -> None:
        self.number = number
        self.name = name
        self.up = True


class Switch:
    """Ports, and which MAC was last seen on which of them (at most `LEARNING_LIMIT`, oldest forgotten).

    With `snooping` it has a `snooping` table; `flood_unknown` and `fast_leave` are
    that table's. Times are seconds on the caller's clock.
    """

    def __init__(self, *, snooping: bool = False, flood_unknown: bool = True, fast_leave: bool = False) -> None:
        self.ports: list[Port] = []
        self.snooping: SnoopingTable | None = None
        if snooping:
            self.snooping = SnoopingTable(flood_unknown=flood_unknown, fast_leave=fast_leave)
        self._seen: OrderedDict[MacAddress, Port] = OrderedDict()

    def add_port(self, name: str) -> Port:
        """One more port, up."""
        port = Port(len(self.ports), name)
        self.ports.append(port)
        return port

    def forward(self, frame: bytes, source: Port, now: float = 0.0) -> list[Port]:
        """The ports that a frame from `source` leaves by; none for a runt or from a port that is down.

        `now` matters to snooping alone.
        """
        if not source.up or len(frame) < ethernet.HEADER_LENGTH:
            return []
        self._learn(frame[6:12], source)
        destination = frame[:6]
        if destination[0] & 1:
            wanted = None if self.snooping is None else self.snooping.ports(frame, source.number, now)
            return [
                port
                for port in self.ports
                if port is not source and port.up and (wanted is None or port.number in wanted)
            ]
        known = self._seen.get(destination)
        # What was learnt on a port that is down no longer counts: the station may be elsewhere.
        if known is not None and known.up:
            return [known] if known is not source else []
        return [port for port in self.ports if port is not source and port.up]

    def _learn(self, mac: MacAddress, port: Port) -> None:
        if mac[0] & 1:
            return
        self._seen[mac] = port
        self._seen.move_to_end(mac)
        if len(self._seen) > LEARNING_LIMIT:
            self._seen.popitem(last=False)
