"""What is held against a host while frames are fed to it, beyond that nothing raises.

Every frame that it sends is legal (`legality`), errors keep their rate, nothing is
amplified, each table stays within its limit, a discarded frame changes nothing but
counters, and a frame costs a bounded number of steps. What is dear is done on a
sample: the digest of the whole state, and the counting of steps.
"""

import sys
from types import FrameType
from typing import Any, NamedTuple

from stack.capture.dissect import Dissection
from stack.discard import Discard, Outcome
from stack.host import Host
from stack.replay import tables
from stack.replay.legality import MLD, ND, Sender, illegal
from stack.replay.subject import Subject, digest

# Each of these discards is about a frame that the RFC has the host learn something from all the same.
WITH_EFFECT = frozenset(
    name
    for name in (
        "ND_TARGET_TENTATIVE",  # RFC 4862 5.4.3: somebody else tests the address that we test
        "ND_OWN_PROBE",  # RFC 7527 4.2: probing goes on
        "ND_NO_LLADDR",  # RFC 4861 7.2.5
        "SOURCE_OURS",  # RFC 4862 5.4.3: a conflict is told
        "OWN_FRAME",
        "FRAGMENT_OVERLAP",  # RFC 5722 4: the key is remembered
        "FRAGMENT_ECN",  # the same
        "FRAGMENT_NO_ROOM",
        "REDIRECT_NO_ROOM",
        "UDP_QUEUE_FULL",
    )
)
# RFC 4443 2.4 (f): what the bucket holds; how fast it fills is a setting.
_BURST = 10
# Frames that the host owes for what was before the first: its own pings, what a snapshot had under way.
_OWED = 32
STEPS, STEPS_PER_OCTET = 20_000, 40
_CACHE = 50_000


class Violation(NamedTuple):
    """A rule that was broken: which oracle says so, at which frame fed (0: before the first), what, and the clause.

    `key` is the part of `what` that is the same for the same defect, or empty if all of it is.
    """

    oracle: str
    frame: int
    what: str
    clause: str
    key: str = ""


class Oracles:
    """Watches one subject; `violations` are what was found. `every` n-th frame is looked at closely, 0 none."""

    __slots__ = (
        *(
            "_errors",
            "_every",
            "_fed",
            "_legal",
            "_limits",
            "_owned",
            "_said",
            "_sender",
            "_sizes",
            "_spoken",
            "_subject",
            "_tokens",
            "_updated",
        ),
        *("answers", "peaks", "violations"),
    )

    def __init__(self, subject: Subject, every: int, legal: set[bytes] | None = None) -> None:
        self._subject = subject
        self._every = every
        self._fed = 0
        # Frames found legal before, but for whose source they have.
        self._legal: set[bytes] = set() if legal is None else legal
        self._limits = tables.limits(subject.host.settings)
        self._owned = set(subject.interface.addresses.table)
        interface = subject.interface
        self._sender = Sender(interface.mac, interface.device_mtu, self._owns)
        self._tokens, self._updated = float(_BURST), subject.now
        self._errors = errors_made(subject.host)
        self.answers = 0
        self._sizes = tables.sizes(subject.host, interface)
        self.peaks = list(self._sizes)
        self._spoken = _spoken(subject.host)
        self.violations: list[Violation] = []
        self._said: set[tuple[str, str]] = set()

    def receive(self, frame: bytes) -> Outcome:
        """Feed a frame to the subject, and judge what comes of it; raises what the host raises."""
        self._fed += 1
        subject = self._subject
        if self._every and self._fed % self._every == 0:
            return self._closely(frame)
        host, interface = subject.host, subject.interface
        timers = host.timers
        if subject.moved:
            # Timers have run since the last frame.
            self._bounded(tables.sizes(host, interface))
            self._spoken = _spoken(host)
            subject.moved = False
        before, spoken, armed = self._sizes, self._spoken, len(timers)
        outcome = subject.receive(frame)
        after = tables.sizes(host, interface)
        made = errors_made(host)
        counters = host.counters
        self._spoken = counters.frames_out + counters.reassembly_oks + made
        if made != self._errors:
            self._count_errors()
        if before != after:
            if isinstance(outcome, Discard) and spoken == self._spoken:
                self._changed(outcome, frame)
            self._bounded(after)
        elif armed != len(timers) and isinstance(outcome, Discard) and spoken == self._spoken:
            self._changed(outcome, frame)
        return outcome

    def sent(self, time: float, frame: bytes) -> None:
        """A frame left the subject."""
        kind = _kind(frame)
        if kind not in ND and kind not in MLD and not _continues(frame):
            self.answers += 1
            if self.answers > self._fed + _OWED:
                self._violated("amplification", "more datagrams sent than frames received", "RFC 4443 2.4 (f)")
        if frame not in self._legal or not self._owns(frame[22:38]):
            self._judge(frame)

    def _judge(self, frame: bytes) -> None:
        wrong = illegal(frame, self._sender)
        if wrong is not None:
            self._violated("legality", f"{wrong.what}: {frame[:96].hex()}", wrong.clause, key=wrong.what)
        elif len(self._legal) < _CACHE:
            self._legal.add(frame)

    def _owns(self, address: bytes) -> bool:
        """Whether an address is, or was, one of the host's: what it sends as it loses one is sent with it."""
        if address in self._owned or not any(address):
            return True
        self._owned.update(self._subject.interface.addresses.table)
        return address in self._owned

    def _count_errors(self) -> None:
        """Errors are counted when they are made: some wait for a neighbour's MAC, and leave together."""
        made = errors_made(self._subject.host)
        now = self._subject.now
        # What was made since the last count may have been made at any time since.
        interval = self._subject.host.settings.icmp_ratelimit
        gained = (now - self._updated) * 1_000 / interval if interval else float(made)
        left = self._tokens + gained - (made - self._errors)
        self._tokens, self._updated, self._errors = min(_BURST, left), now, made
        if left < -1e-6:
            self._violated("error rate", "more errors than the limit allows", "RFC 4443 2.4 (f)")

    def _bounded(self, sizes: tuple[int, ...]) -> None:
        self._sizes = sizes
        for n, size in enumerate(sizes):
            if size > self.peaks[n]:
                self.peaks[n] = size
                if size > self._limits[n]:
                    what = f"{tables.NAMES[n]}: {size} of at most {self._limits[n]}"
                    self._violated("bounds", what, "every table is bounded", key=tables.NAMES[n])

    def _changed(self, outcome: Discard, frame: bytes) -> None:
        # RFC 3810 8.2.1: a query for whatever group tells which version its querier speaks.
        told = outcome is Discard.MLD_UNKNOWN_GROUP and _is_query(frame)
        if outcome.name not in WITH_EFFECT and not told:
            self._violated("discard", f"a frame discarded ({outcome.text}) changed the state", outcome.clause)

    def _closely(self, frame: bytes) -> Outcome:
        host = self._subject.host
        spoken, before = _spoken(host), digest(host)
        outcome, steps = self._counted(frame)
        if isinstance(outcome, Discard) and spoken == _spoken(host) and digest(host) != before:
            self._changed(outcome, frame)
        if steps > STEPS + STEPS_PER_OCTET * len(frame):
            what = f"a frame of {len(frame)} octets took {steps} steps"
            self._violated("work", what, "work per frame is bounded", key="work")
        self._bounded(tables.sizes(host, self._subject.interface))
        self._spoken = _spoken(host)
        return outcome

    def _counted(self, frame: bytes) -> tuple[Outcome, int]:
        """Feed a frame and count the calls made, which are the same on every machine."""
        steps = 0

        def count(where: FrameType, event: str, argument: Any) -> None:
            nonlocal steps
            steps += 1

        before = sys.getprofile()
        sys.setprofile(count)
        try:
            outcome = self._subject.receive(frame)
        finally:
            sys.setprofile(before)
        return outcome, steps

    def _violated(self, oracle: str, what: str, clause: str, key: str = "") -> None:
        """Write down a violation, the first of its kind."""
        if (oracle, key or what) not in self._said:
            self._said.add((oracle, key or what))
            self.violations.append(Violation(oracle, self._fed, what, clause, key))

    def must_live(self) -> None:
        """The host has to answer a ping now (`alive`), unless it was told that its address is a duplicate."""
        problem = alive(self._subject)
        if problem is not None:
            self._violated("alive", problem, "RFC 4443 4.2")

    def sizes(self) -> dict[str, tables.Size]:
        """The tables now, with their peaks and limits."""
        now = tables.sizes(self._subject.host, self._subject.interface)
        rows = zip(tables.NAMES, now, self.peaks, self._limits, strict=True)
        return {name: tables.Size(size, peak, limit) for name, size, peak, limit in rows}


def _spoken(host: Host) -> int:
    """Changes when a discard is not all that happens: something is said, or a packet was whole with this fragment.

    An error may be said and wait for a neighbour's MAC.
    """
    counters = host.counters
    return counters.frames_out + counters.reassembly_oks + errors_made(host)


def errors_made(host: Host) -> int:
    """How many ICMPv6 errors the host has made, sent already or not."""
    made = host.counters.icmp_out
    return made[1] + made[2] + made[3] + made[4]


def _kind(frame: bytes) -> int:
    """The ICMPv6 type, 0 for anything else."""
    if frame[20] == 58:
        return frame[54]
    return frame[62] if frame[20] == 0 and frame[54] == 58 else 0


def _is_query(frame: bytes) -> bool:
    """Whether a frame fed, which may have a tag and any headers, holds an MLD query."""
    found = Dissection(frame)
    return found.protocol == 58 and frame[found.upper : found.upper + 1] == b"\x82"


def _continues(frame: bytes) -> bool:
    return frame[20] == 44 and bool(int.from_bytes(frame[56:58], "big") & 0xFFF8)


# A neighbour whom the host has never seen: it asks for the host's MAC, and tells its own when asked.
_PEER_MAC = bytes.fromhex("02006e00fade")
_PEER = bytes.fromhex("fe8000000000000000006efffe00fade")
_PATIENCE = 1.0


def alive(subject: Subject) -> str | None:
    """Let a new neighbour ping the host; what went wrong, or None. It may take a second, as RFC 4861 has it."""
    interface = subject.interface
    if interface.disabled or not interface.up:
        return None
    target = next((each.address for each in interface.addresses.table.values() if _answers(each)), None)
    if target is None:
        return None
    heard: list[bytes] = []
    before, subject.sent = subject.sent, lambda time, frame: heard.append(frame)
    try:
        subject.receive(_peer_frame(target, 135, bytes(4) + target + b"\1\1" + _PEER_MAC, 255, interface.mac))
        subject.receive(_peer_frame(target, 128, b"\0\1\0\1alive?", 64, interface.mac))
        end = subject.now + _PATIENCE
        for _ in range(8):
            if any(each[:6] == _PEER_MAC and each[38:54] == _PEER and _kind(each) == 129 for each in heard):
                return None
            subject.advance(min(end, subject.now + _PATIENCE / 8))
            if any(_kind(each) == 135 and each[62:78] == _PEER for each in heard):
                answer = b"\x60\0\0\0" + _PEER + b"\2\1" + _PEER_MAC
                subject.receive(_peer_frame(target, 136, answer, 255, interface.mac))
        return "a ping from a new neighbour is not answered"
    finally:
        for frame in heard:
            before(subject.now, frame)
        subject.sent = before


def _answers(entry: Any) -> bool:
    return bool(entry.assigned and not entry.anycast and entry.address[:2] == b"\xfe\x80")


def _peer_frame(target: bytes, kind: int, body: bytes, hop_limit: int, mac: bytes) -> bytes:
    message = bytes((kind, 0, 0, 0)) + body
    pseudo = _PEER + target + len(message).to_bytes(4, "big") + b"\0\0\0\x3a"
    value = -int.from_bytes(pseudo + message + b"\0" * (len(message) & 1), "big") % 0xFFFF
    message = message[:2] + value.to_bytes(2, "big") + message[4:]
    header = b"\x60\0\0\0" + len(message).to_bytes(2, "big") + bytes((58, hop_limit)) + _PEER + target
    return mac + _PEER_MAC + b"\x86\xdd" + header + message
