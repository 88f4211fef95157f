"""Twins: the same host twice, one of which remembers no header and no path, told the same step by step."""

import struct
from collections.abc import Callable

from hypothesis import strategies as st

from stack.errors import StackError
from stack.udp.datagram import Sending
from tests.nd import advertising
from tests.playbook import (
    OUR_LINK_LOCAL,
    PEER_LINK_LOCAL,
    Play,
    advertisement,
    echo_request,
    frame,
    icmp,
    ip,
    lladdr_option,
    packet,
    solicitation,
)
from tests.udp.common import datagram, message

OUR_GLOBAL, PEER_GLOBAL, FAR = "2001:db8:1::1", "2001:db8:1::9", "2001:db8:9::9"
OTHER_MAC = bytes.fromhex("020072000007")
PORT = 5000
PEERS = (PEER_LINK_LOCAL, PEER_GLOBAL, FAR)
SIZES = (0, 1, 8, 9, 1000, 1452)

Step = Callable[[Play], object]


class Twins:
    """The same host twice: `quick` remembers headers, `plain` does not."""

    def __init__(self, **options: int) -> None:
        self.quick = self._host(**options)
        self.plain = self._host(**{**options, "max_known_headers": 0})

    @staticmethod
    def _host(**options: int) -> Play:
        play = Play(dad_transmits=0, **options).start(2.0)
        play.add_address(OUR_GLOBAL)
        play.receive(advertising.advertisement())
        play.meet()
        play.meet(PEER_GLOBAL)
        play.receive(advertisement(advertising.ROUTER, flags="RSO", mac=advertising.ROUTER_MAC))
        open_socket(play)
        play.sent()
        return play

    def do(self, step: Step) -> None:
        """The same step on both, and the same must be seen: frames out, counters, neighbours."""
        said = []
        for play in (self.quick, self.plain):
            said.append(step(play))
            play.settle()
        # Objects that a step gives are of one host each.
        if isinstance(said[0], str):
            assert said[0] == said[1]
        assert self.quick.sent() == self.plain.sent()
        assert self.quick.host.counters.as_dict() == self.plain.host.counters.as_dict()
        assert neighbours(self.quick) == neighbours(self.plain)
        assert destinations(self.quick) == destinations(self.plain)
        assert heard(self.quick) == heard(self.plain)
        assert self.quick.interface.silent == self.plain.interface.silent

    @property
    def known(self) -> int:
        """How many headers are remembered."""
        return len(self.quick.interface.known.table)


def neighbours(play: Play) -> list[tuple[bytes, bytes | None, str, float]]:
    """What the neighbour cache says, each entry in its turn of eviction."""
    cache = play.interface.resolver.cache
    turns = (cache._claims, cache._idle, cache._wanted, cache._in_use)
    entries = [entry for turn in turns for entry in turn.values()]
    entries += [entry for entry in cache.entries.values() if entry.turn is None]
    return [(entry.address, entry.mac, entry.state.value, entry.used_at) for entry in entries]


def open_socket(play: Play) -> None:
    """A socket at the port of `datagram`, with room for few."""
    socket = play.host.udp.open()
    socket.receive_limit = 5_000
    socket.bind(None, PORT)


def toggle_socket(play: Play) -> None:
    """The socket is closed, or a new one opened."""
    for socket in list(play.host.udp.sockets.values()):
        socket.close(play.now)
        return
    open_socket(play)


def heard(play: Play) -> list[tuple[object, ...]]:
    """What the sockets have got, which is taken."""
    found: list[tuple[object, ...]] = []
    for socket in play.host.udp.sockets.values():
        while (each := socket.receive()) is not None:
            found.append((*each[:6], each.time))
    return found


def data(source: str = PEER_LINK_LOCAL, size: int = 8) -> bytes:
    """A datagram to the address of ours that has the scope of its source."""
    ours = OUR_LINK_LOCAL if source == PEER_LINK_LOCAL else OUR_GLOBAL
    return datagram(bytes(size), source=source, destination=ours, port=PORT)


def marked(octets: bytes) -> bytes:
    """The same frame with a congestion mark (RFC 3168 5), which no checksum covers."""
    return damaged(octets, 15, 0x30)


def destinations(play: Play) -> list[tuple[object, ...]]:
    """The destination cache in its turns of eviction."""
    cache = play.interface.routes.destinations
    turns = (cache._claims, cache._plain, cache._kept)
    entries = [entry for turn in turns for entry in turn.values()]
    return [(entry.address, entry.mtu, entry.longest, entry.used_at) for entry in entries]


def take(*frames: bytes) -> Step:
    """These frames arrive in one batch."""
    return lambda play: play.host.receive_batch(list(frames), play.now, play.interface)


def request(source: str = PEER_LINK_LOCAL, size: int = 8, sequence: int = 1, code: int = 0) -> bytes:
    """An echo request to the address of ours that has the scope of its source."""
    ours = OUR_LINK_LOCAL if source == PEER_LINK_LOCAL else OUR_GLOBAL
    data = bytes(index & 0xFF for index in range(size))
    return echo_request(ours, source=source, data=data, sequence=sequence, code=code)


def damaged(octets: bytes, at: int, value: int) -> bytes:
    """One octet is another."""
    at %= len(octets)
    return octets[:at] + bytes((octets[at] ^ value,)) + octets[at + 1 :]


def redirect(target: str = "fe80::b1") -> bytes:
    """The router says that there is a better first hop to FAR (RFC 4861 4.5)."""
    body = bytes(4) + ip(target) + ip(FAR) + lladdr_option(2, OTHER_MAC)
    message = icmp(advertising.ROUTER, OUR_GLOBAL, 137, 0, body)
    return frame(packet(advertising.ROUTER, OUR_GLOBAL, message), mac=advertising.ROUTER_MAC)


def send(to: str = PEER_LINK_LOCAL, size: int = 8, port: int = 7, times: int = 1, **how: object) -> Step:
    """The first socket sends a datagram, or several; what it is told if it cannot."""

    def step(play: Play) -> str:
        octets = bytes(index * 7 & 0xFF for index in range(size))
        for socket in play.host.udp.sockets.values():
            try:
                for _ in range(times):
                    socket.send(octets, ip(to), port, play.now, Sending(**how))  # type: ignore[arg-type]
            except StackError as error:
                return f"{type(error).__name__}: {error}"
            break
        return ""

    return step


def too_big(mtu: int, to: str = FAR) -> Step:
    """A router says that a datagram to `to` was too long (RFC 4443 3.2)."""
    sent = message(OUR_GLOBAL, to, PORT, 7, bytes(1_400))
    quote = packet(OUR_GLOBAL, to, sent, next_header=17)[:1_232]
    octets = icmp(advertising.ROUTER, OUR_GLOBAL, 2, 0, struct.pack("!I", mtu) + quote)
    return take(frame(packet(advertising.ROUTER, OUR_GLOBAL, octets, hop_limit=60), mac=advertising.ROUTER_MAC))


def option(name: str, value: object) -> Step:
    """The first socket's option is another."""

    def step(play: Play) -> None:
        for socket in play.host.udp.sockets.values():
            setattr(socket, name, value)
            break

    return step


def later(seconds: float) -> Step:
    """Time passes."""
    return lambda play: play.run(play.now + seconds)


requests = st.builds(request, st.sampled_from(PEERS), st.sampled_from(SIZES), st.integers(0, 65_535), st.just(0))
datagrams = st.builds(data, st.sampled_from(PEERS), st.sampled_from(SIZES))
odd_requests = st.one_of(
    st.builds(damaged, datagrams, st.integers(0, 69), st.integers(1, 255)),
    st.builds(damaged, datagrams, st.integers(0, 2_000), st.integers(1, 255)),
    st.builds(lambda octets, behind: octets + bytes(behind), datagrams, st.integers(1, 30)),
    st.builds(request, st.sampled_from(PEERS), st.sampled_from(SIZES), st.just(1), st.integers(1, 255)),
    st.builds(damaged, requests, st.integers(0, 69), st.integers(1, 255)),
    st.builds(damaged, requests, st.integers(0, 2_000), st.integers(1, 255)),
    st.builds(lambda octets, behind: octets + bytes(behind), requests, st.integers(1, 30)),
    st.builds(lambda octets, cut: octets[:-cut], requests, st.integers(1, 70)),
)
others = st.sampled_from(
    (
        datagram(),
        solicitation(OUR_LINK_LOCAL),
        solicitation(OUR_LINK_LOCAL, mac=OTHER_MAC),
        advertisement(PEER_LINK_LOCAL, mac=OTHER_MAC),
        advertisement(PEER_LINK_LOCAL, flags="", mac=OTHER_MAC),
        advertisement(PEER_GLOBAL),
        advertisement(advertising.ROUTER, flags="SO", mac=advertising.ROUTER_MAC),
        advertising.advertisement(hop_limit=33),
        redirect(),
        redirect("fe80::b2"),
        advertising.advertisement(lifetime=0),
        advertising.advertisement(router=advertising.OTHER_ROUTER, preference=advertising.HIGH),
        echo_request("ff02::1"),
    )
)
batches = st.lists(st.one_of(requests, requests, datagrams, odd_requests, others), min_size=1, max_size=6).map(
    lambda frames: take(*frames)
)


def toggle_address(address: str) -> Step:
    """An address of ours comes, or goes."""

    def step(play: Play) -> None:
        if play.address(address) is None:
            play.add_address(address)
        else:
            play.remove_address(address)

    return step


def delete_neighbour(address: str) -> Step:
    return lambda play: play.neighbour(address) and play.interface.resolver.delete(ip(address), play.now)


def toggle_link(play: Play) -> None:
    if play.interface.up:
        play.interface.stop(play.now)
    else:
        play.interface.start(play.now)


def set_one(name: str, value: int) -> Step:
    return lambda play: play.host.settings.set_text(name, str(value))


changes: st.SearchStrategy[Step] = st.one_of(
    st.floats(0.01, 40.0).map(later),
    st.sampled_from((OUR_GLOBAL, PEER_LINK_LOCAL, PEER_GLOBAL)).map(toggle_address),
    st.sampled_from((PEER_LINK_LOCAL, PEER_GLOBAL, advertising.ROUTER)).map(delete_neighbour),
    st.integers(1, 255).map(lambda hops: set_one("hop_limit", hops)),
    st.sampled_from((1, 2, 3, 4_096)).map(lambda limit: set_one("tx_queue_len", limit)),
    st.sampled_from((1_280, 1_500)).map(lambda mtu: lambda play: play.interface.set_mtu(mtu)),
    st.just(lambda play: play.interface.set_mac(bytes.fromhex("02006e0000ff"), play.now)),
    st.just(lambda play: play.interface.disable(play.now)),
    st.just(toggle_link),
    st.just(toggle_socket),
    st.just(lambda play: play.interface.resolver.add_permanent(ip(PEER_LINK_LOCAL), OTHER_MAC, play.now)),
)
