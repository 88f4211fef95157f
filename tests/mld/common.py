"""What the tests of the multicast listener share: message numbers, and short words for what happens on the link."""

from random import Random

from stack.discard import Outcome
from stack.host import Host
from stack.interface import Interface
from stack.mld.groups import GroupRecord, Membership
from stack.settings import Settings
from tests.playbook import OUR_LINK_LOCAL, PEER_LINK_LOCAL, Play, Sent, ip, mld_message, packet, text

QUERY, REPORT, DONE, V2_REPORT, SOLICITATION = 130, 131, 132, 143, 135

GROUP = "ff05::99"
OTHER_GROUP = "ff05::98"
GLOBAL = "2001:db8::5:6"
OUR_SOLICITED_NODE = "ff02::1:ff00:1"

V2_TAIL = bytes(4)  # S flag and QRV, QQIC, number of sources (RFC 3810 5.1)


def ready(seed: int = 1, **settings: int | str) -> Play:
    """A host whose link-local address is valid and whose start-up reports are over."""
    return Play(seed, **settings).start()


def joined(*groups: str, seed: int = 1, **settings: int | str) -> Play:
    """The same in groups, with their first reports over: each idle, and the last that reported."""
    play = ready(seed, **settings)
    for group in groups or (GROUP,):
        play.join(group)
    play.run(play.now + 11)
    play.sent()
    play.plans.clear()
    play.log.clear()
    play.events.clear()
    return play


def without_address(seed: int = 1) -> Play:
    """A host whose interface is up and has no address."""
    return Play(seed, addr_gen_mode=1).start()


def query(play: Play, group: str = "::", delay: int = 1000, **options: object) -> Outcome:
    """A query from the peer, the delay in milliseconds."""
    return play.receive(mld_message(QUERY, group, delay=delay, **options))  # type: ignore[arg-type]


def heard(play: Play, group: str = GROUP, **options: object) -> Outcome:
    """The peer's report."""
    return play.receive(mld_message(REPORT, group, **options))  # type: ignore[arg-type]


def record(play: Play, group: str = GROUP) -> GroupRecord:
    """The record of a group that is joined."""
    return play.interface.listener.groups.records[ip(group)]


def membership(play: Play, group: str = GROUP) -> Membership:
    """The newest membership of a group."""
    return list(record(play, group).memberships.values())[-1]


def about(frames: list[Sent], group: str = GROUP) -> list[tuple[float, int, str]]:
    """Time, type and source of the listener messages that name a group."""
    return [(each.time, each.kind, each.source) for each in frames if is_mld(each) and each.target == group]


def kinds(frames: list[Sent], group: str = GROUP) -> list[int]:
    """The types of the listener messages that name a group."""
    return [kind for _, kind, _ in about(frames, group)]


def is_mld(sent: Sent) -> bool:
    """Whether a frame of ours is a report or a Done."""
    return sent.packet[6] == 0 and sent.kind in (REPORT, DONE, V2_REPORT)


def state(play: Play, group: str = GROUP) -> str:
    """The word for a group's state."""
    return record(play, group).state.value


def no_timer(play: Play) -> bool:
    """Whether nothing is due any more."""
    return play.host.next_deadline() is None


class TwoLinks:
    """A host on two links, each with a link-local address that is valid."""

    MACS = (bytes.fromhex("02006e000001"), bytes.fromhex("02006e000002"))

    def __init__(self) -> None:
        self.now = 0.0
        self.host = Host(Random(4), Settings())
        self.links = [self.host.attach(f"t{number}", mac) for number, mac in enumerate(self.MACS)]
        for interface in self.links:
            interface.start(self.now)
        self.run(20)

    def run(self, until: float) -> list[tuple[Interface, Sent]]:
        """Let time pass; what was sent, with its interface."""
        frames = self._collect()
        while (deadline := self.host.next_deadline()) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            self.host.advance(self.now)
            frames += self._collect()
        self.now = until
        return frames

    def receive(self, octets: bytes, interface: Interface) -> Outcome:
        """A frame from one of the links."""
        return self.host.receive(octets, self.now, interface)

    def _collect(self) -> list[tuple[Interface, Sent]]:
        return [(interface, Sent(self.now, octets)) for interface, octets in self.host.output()]


__all__ = [
    "DONE",
    "GLOBAL",
    "GROUP",
    "OTHER_GROUP",
    "OUR_LINK_LOCAL",
    "OUR_SOLICITED_NODE",
    "PEER_LINK_LOCAL",
    "QUERY",
    "REPORT",
    "SOLICITATION",
    "V2_REPORT",
    "V2_TAIL",
    "Play",
    "Sent",
    "TwoLinks",
    "about",
    "heard",
    "ip",
    "is_mld",
    "joined",
    "kinds",
    "membership",
    "mld_message",
    "no_timer",
    "packet",
    "query",
    "ready",
    "record",
    "state",
    "text",
    "without_address",
]
