"""An Ethernet switch in memory: it learns where MACs are and floods what it does not know (IEEE 802.1D 7.8).

It has no clock of its own and moves no frame itself: `forward` says which ports a
frame goes to. Who carries it there, and when, is `stack.sim.world`.
"""

from collections import OrderedDict

from stack.address import MacAddress
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
    """Ports, and which MAC was last seen on which of them (at most `LEARNING_LIMIT`, oldest forgotten)."""

    def __init__(self) -> None:
        self.ports: list[Port] = []
        self._seen: OrderedDict[MacAddress, Port] = OrderedDict()

    def add_port(self, name: str) -> Port:
        """One more port, up."""
        port = Port(len(self.ports), name)
        self.ports.append(port)
        return port

    def forward(self, frame: bytes, source: Port) -> list[Port]:
        """The ports that a frame from `source` leaves by; none for a runt or from a port that is down."""
        if not source.up or len(frame) < ethernet.HEADER_LENGTH:
            return []
        self._learn(frame[6:12], source)
        destination = frame[:6]
        known = None if destination[0] & 1 else self._seen.get(destination)
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
