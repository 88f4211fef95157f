"""A querier on a bench: reports built by hand from the RFC's pictures go in, queries come out taken apart by hand."""

import struct
from typing import NamedTuple

from stack.discard import Outcome
from stack.mld.filters import FilterMode
from stack.sim.querier import Change, GroupChange, Listening, Querier, QueryFields, Variables
from tests.playbook import ROUTER_ALERT_HEADER, Sent, frame, icmp, ip, packet, text

ROUTER_MAC = bytes.fromhex("020000000001")
ROUTER = "fe80::ff:fe00:1"
LISTENER = "fe80::70ff:fe00:2"
# Interface identifiers below and above the router's.
LOWER = "fe80::1"
HIGHER = "fe80::ffff:0:0:1"
GROUP = "ff05::1:3"
IS_IN, IS_EX, TO_IN, TO_EX, ALLOW, BLOCK = range(1, 7)
INCLUDE, EXCLUDE = FilterMode.INCLUDE, FilterMode.EXCLUDE


def source(number: int) -> str:
    """One of the senders."""
    return f"2001:db8::{number:x}"


def sources(*numbers: int) -> tuple[bytes, ...]:
    """Some of them, as bytes."""
    return tuple(ip(source(number)) for number in numbers)


def mld_frame(
    kind: int,
    body: bytes,
    *,
    sender: str = LISTENER,
    to: str = "ff02::16",
    hop_limit: int = 1,
    alert: bool = True,
    code: int = 0,
    mac: bytes = bytes.fromhex("020070000002"),
) -> bytes:
    """A frame around an MLD message; `body` is what follows the checksum."""
    message = icmp(sender, to, kind, code, body)
    if alert:
        octets = packet(sender, to, ROUTER_ALERT_HEADER + message, next_header=0, hop_limit=hop_limit)
    else:
        octets = packet(sender, to, message, hop_limit=hop_limit)
    return frame(octets, mac=mac)


def record(kind: int, group: str = GROUP, *numbers: int, auxiliary: bytes = b"") -> bytes:
    """RFC 3810 5.2.4."""
    head = struct.pack("!BBH", kind, len(auxiliary) // 4, len(numbers)) + ip(group)
    return head + b"".join(sources(*numbers)) + auxiliary


def report(*records: bytes, **options: object) -> bytes:
    """RFC 3810 5.2."""
    body = struct.pack("!HH", 0, len(records)) + b"".join(records)
    return mld_frame(143, body, **options)  # type: ignore[arg-type]


def version_1(kind: int, group: str = GROUP, delay: int = 0, **options: object) -> bytes:
    """RFC 2710 3; a query goes to where it asks, a report to its group, Done to all routers."""
    to = {132: "ff02::2"}.get(kind, "ff02::1" if group == "::" else group)
    return mld_frame(kind, struct.pack("!HH", delay, 0) + ip(group), **{"to": to, **options})  # type: ignore[arg-type]


def query(
    group: str = "::",
    *numbers: int,
    sender: str = LOWER,
    delay: int = 10_000,
    suppress: bool = False,
    qrv: int = 2,
    qqic: int = 125,
    **options: object,
) -> bytes:
    """RFC 3810 5.1."""
    body = struct.pack("!HH", delay, 0) + ip(group)
    body += struct.pack("!BBH", suppress << 3 | qrv, qqic, len(numbers)) + b"".join(sources(*numbers))
    to = "ff02::1" if group == "::" else group
    return mld_frame(130, body, **{"to": to, "sender": sender, **options})  # type: ignore[arg-type]


class Asked(NamedTuple):
    """A query of the router's."""

    time: float
    group: str
    sources: tuple[bytes, ...] = ()
    suppress: bool = False


class Bench:
    """A querier in virtual time; it starts at 0 unless told otherwise."""

    def __init__(
        self,
        version: int = 2,
        *,
        start: bool = True,
        fields: QueryFields | None = None,
        mtu: int = 1500,
        **variables: float,
    ) -> None:
        self.now = 0.0
        self.changes: list[Change] = []
        self._sent: list[Sent] = []
        self.querier = Querier(
            ROUTER_MAC,
            variables=Variables(version=version, **variables),  # type: ignore[arg-type]
            fields=fields,
            mtu=mtu,
        )
        self.querier.watchers.append(self.changes.append)
        if start:
            self.querier.start(0.0)
            self._settle()

    def _settle(self) -> None:
        self.querier.advance(self.now)
        self._sent += [Sent(self.now, octets) for _, octets in self.querier.output()]

    def run(self, until: float) -> "Bench":
        """Let time pass up to `until`, timer by timer."""
        while (deadline := self.querier.next_deadline()) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            self._settle()
        self.now = max(self.now, until)
        return self

    def hear(self, octets: bytes) -> Outcome:
        """One frame from the link, now."""
        outcome = self.querier.receive(octets, self.now)
        self._settle()
        return outcome

    def sent(self) -> list[Sent]:
        """The frames sent since the last such call."""
        frames, self._sent = self._sent, []
        return frames

    def asked(self, *, specific: bool = True) -> list[Asked]:
        """The queries sent since the last such call; only the specific ones unless told otherwise."""
        found = []
        for each in self.sent():
            assert each.checksum_is_right()
            assert each.kind == 130
            message = each.message
            suppress, listed = False, ()
            if len(message) >= 28:
                suppress = bool(message[24] & 8)
                number = int.from_bytes(message[26:28], "big")
                listed = tuple(message[28 + 16 * n : 44 + 16 * n] for n in range(number))
            if each.target != "::" or not specific:
                found.append(Asked(each.time, each.target, listed, suppress))
        return found

    def listening(self, group: str = GROUP) -> Listening | None:
        """The router's record of a group."""
        return self.querier.listeners().get(ip(group))

    def state(self, group: str = GROUP) -> tuple[FilterMode, set[bytes], set[bytes]] | None:
        """Mode, Include or Requested List, Exclude List."""
        found = self.listening(group)
        if found is None:
            return None
        if found.mode is INCLUDE:
            return INCLUDE, set(found.sources), set()
        return EXCLUDE, set(found.requested), set(found.sources)

    def timers(self, group: str = GROUP) -> dict[int, float]:
        """Deadlines of running source timers by number of the source."""
        found = self.listening(group)
        return {} if found is None else {int.from_bytes(each[12:], "big"): at for each, at in found.timers}

    def told(self) -> list[tuple[float, str, str]]:
        """The changes of groups since the last such call, in words."""
        words = []
        for each in self.changes:
            if isinstance(each, GroupChange):
                listening = each.listening
                what = "gone" if listening is None else f"{listening.mode.value} {len(listening.sources)}"
                words.append((each.time, text(each.group), what))
        self.changes.clear()
        return words
