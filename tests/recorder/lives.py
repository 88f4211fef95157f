"""Eventful lives: a function of the seed and of nothing else, to be led by several hosts alike.

A step is a frame, a call or time that passes. Nothing of the host is kept between
steps: what a step needs it finds by names and numbers, so that a host that was made
from another's snapshot can take over at any step.
"""

from collections.abc import Iterator
from contextlib import suppress
from random import Random

from stack.errors import RefusedError, UsageError
from stack.host import Host
from stack.interface import Interface
from stack.mld.filters import FilterMode, SourceFilter
from stack.settings import Settings
from tests.nd.advertising import advertisement as router_advertisement
from tests.nd.advertising import prefix_option
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    advertisement,
    echo_request,
    ip,
    mld_message,
    solicitation,
)
from tests.udp.common import datagram

Sent = list[tuple[float, str, bytes]]

GROUPS = ("ff05::1:3", "ff05::77", "ff3e::8000:1", "ff02::fb")
SOURCES = frozenset(ip(f"2001:db8::{number}") for number in range(1, 9))


def new_host(seed: int = 1, **settings: int | str) -> Host:
    """A host on one link `t0`, not started."""
    host = Host(Random(seed), Settings())
    for name, value in settings.items():
        host.settings.set_text(name, str(value))
    host.attach("t0", OUR_MAC, index=3)
    return host


class Life:
    """Leads a host's life; `host` may be changed for another between two steps."""

    def __init__(self, host: Host, seed: int) -> None:
        self.host = host
        self.now = 0.0
        self.sent: Sent = []
        self._rng = Random(f"life {seed}")

    def lead(self, steps: int) -> Sent:
        """So many steps; what was sent in them."""
        self.sent = []
        for _ in range(steps):
            self._step()
        return self.sent

    @property
    def _interface(self) -> Interface:
        return self.host.interfaces[3]

    def _step(self) -> None:
        step = self._rng.choice(_STEPS)
        with suppress(RefusedError, UsageError):
            step(self)
        self.host.advance(self.now)
        self._collect()

    def _collect(self) -> None:
        self.sent += [(self.now, interface.name, frame) for interface, frame in self.host.output()]

    def _receive(self, frame: bytes) -> None:
        self.host.receive(frame, self.now, self._interface)

    # -- the steps

    def start(self) -> None:
        self._interface.start(self.now)

    def wait(self) -> None:
        until = self.now + self._rng.expovariate(0.3)
        while (deadline := self.host.next_deadline()) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            self.host.advance(self.now)
            self._collect()
        self.now = until

    def hear_neighbour(self) -> None:
        peer = self._rng.choice((PEER_LINK_LOCAL, "fe80::1", "fe80::2", "2001:db8::9"))
        frames = (
            solicitation(OUR_LINK_LOCAL, source=peer),
            advertisement(peer),
            echo_request(source=peer, sequence=self._rng.randrange(9)),
            echo_request("ff02::1", source=peer),
            solicitation(OUR_LINK_LOCAL, source="::", options=b""),
        )
        self._receive(self._rng.choice(frames))

    def hear_router(self) -> None:
        option = prefix_option("2001:db8::", valid=self._rng.choice((0, 20, 9000)), preferred=10)
        self._receive(router_advertisement(option, lifetime=self._rng.choice((0, 30, 1800))))

    def hear_query(self) -> None:
        group = self._rng.choice(("::", *GROUPS))
        version_2 = bytes((0x02, 20, 0, 0)) if self._rng.random() < 0.7 else b""
        self._receive(mld_message(130, group, delay=self._rng.choice((0, 1000, 8000)), extra=version_2))

    def hear_nonsense(self) -> None:
        frame = bytearray(echo_request())
        for _ in range(3):
            frame[self._rng.randrange(len(frame))] = self._rng.randrange(256)
        self._receive(bytes(frame))

    def listen(self) -> None:
        wanted = frozenset(self._rng.sample(sorted(SOURCES), self._rng.randrange(6)))
        mode = self._rng.choice((FilterMode.INCLUDE, FilterMode.EXCLUDE))
        group = ip(self._rng.choice(GROUPS))
        owner = f"socket {self._rng.randrange(3)}"
        self._interface.listener.listen(owner, group, SourceFilter(mode, wanted), self.now)

    def change_address(self) -> None:
        address = ip(f"2001:db8::7:{self._rng.randrange(4)}")
        if self._interface.addresses.get(address) is None:
            self._interface.addresses.add(address, 64, self.now)
        else:
            self._interface.addresses.remove(address, self.now)

    def use_sockets(self) -> None:
        sockets = self.host.udp.sockets
        if len(sockets) < 4:
            socket = self.host.udp.open(self._interface, heard=lambda: None)
            socket.bind(None, self._rng.choice((0, 5000 + len(sockets))))
            return
        socket = sockets[self._rng.choice(sorted(sockets))]
        what = self._rng.randrange(4)
        if what == 0:
            socket.close(self.now)
        elif what == 1:
            socket.send(b"data", ip(PEER_LINK_LOCAL), 9, self.now)
        elif what == 2:
            self._receive(datagram(port=socket.port))
        else:
            socket.receive()

    def ping(self) -> None:
        sessions = self.host.echoes.sessions
        if len(sessions) < 2:
            self.host.echoes.open(self._interface, ip(PEER_LINK_LOCAL), lambda answer: None, data=b"12345678")
        sessions[self._rng.choice(sorted(sessions))].send(self._rng.randrange(5), self.now)

    def begin_anew(self) -> None:
        if self._rng.random() < 0.2 or self._interface.disabled:
            self._interface.restart(self.now)


_STEPS = (
    *(Life.wait, Life.wait, Life.wait, Life.hear_neighbour, Life.hear_neighbour, Life.hear_router, Life.hear_query),
    *(Life.hear_nonsense, Life.listen, Life.change_address, Life.use_sockets, Life.ping, Life.begin_anew),
)


def lives(seeds: range) -> Iterator[Life]:
    """Hosts that have just started, each with its life before it."""
    for seed in seeds:
        life = Life(new_host(seed, use_tempaddr=2), seed)
        life.start()
        yield life
