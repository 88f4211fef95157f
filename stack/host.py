"""The node: the four calls of the sans-IO core.

Frames and the time go in through `receive` and `advance`, what is due next is
`next_deadline`, what is to be sent comes out of `output`. The host reads no clock
and draws only from the generator handed in, so equal inputs give equal outputs.
"""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

from stack.address import IPv6Address, MacAddress
from stack.bucket import TokenBucket
from stack.calls import CallRecorder, recorded
from stack.counters import Counters
from stack.discard import Discard, Outcome, Verdict
from stack.errors import RefusedError
from stack.events import Event
from stack.icmp6 import errors
from stack.icmp6.echo import Echoes
from stack.icmp6.raw_socket import RawSockets
from stack.interface import Interface, Program
from stack.ip6.fragmentation import Identifications
from stack.ip6.known import Delivery
from stack.ip6.reassembly import Reassembler
from stack.journal import Journal
from stack.settings import Settings
from stack.snapshot import Snapshot
from stack.timers import Timers
from stack.udp.ports import Ports

# An attribute of an enumeration takes longer to read than all that is done with it.
_DELIVERED, _QUEUE_FULL = Verdict.DELIVERED, Discard.UDP_QUEUE_FULL


@recorded("recorder", "attach", "confirm", "detach", "set_setting")
class Host:
    """One IPv6 host with any number of interfaces.

    `rng` is its only source of randomness; `settings` are its own from now on.
    Times are seconds on one clock of the caller's, which never goes back.
    """

    def __init__(self, rng: Random, settings: Settings | None = None) -> None:
        self.rng = rng
        self.settings = settings if settings is not None else Settings()
        self.journal = Journal()
        self.timers = Timers(self.journal)
        self.counters = Counters()
        self.error_bucket = TokenBucket()
        self.identifications = Identifications(self)
        self.reassembler = Reassembler(self)
        self.echoes = Echoes(self)
        self.udp = Ports(self)
        self.raw = RawSockets(self)
        self.interfaces: dict[int, Interface] = {}
        self.listeners: list[Callable[[Event], None]] = []
        # Told of all that comes in and goes out, if there is one (stack.recorder).
        self.recorder: CallRecorder | None = None
        self._output: deque[tuple[Interface, bytes]] = deque()

    # -- the four calls

    def receive(self, frame: bytes, now: float, interface: Interface | None = None) -> Outcome:
        """Take one Ethernet frame from a link (the only one if none is named); its one outcome."""
        if interface is None:
            interface = next(iter(self.interfaces.values()), None)
        recorder = self.recorder
        if recorder is not None:
            recorder.receive(frame, now, interface.index if interface is not None else 0)
        counters = self.counters
        counters.frames_in += 1
        if self.journal.on:
            number = counters.frames_in + counters.frames_out
            self.journal.begin_frame(number, interface.index if interface is not None else 0, frame, now)
        outcome = interface.receive(frame, now) if interface is not None else Discard.INTERFACE_DOWN
        counters.outcomes[outcome] += 1
        if self.journal.on:
            self._note_outcome(outcome, now)
            self.journal.end()
        if recorder is not None:
            recorder.busy = False
        return outcome

    def receive_batch(self, frames: list[bytes], now: float, interface: Interface) -> None:
        """As `receive` for each of `frames` in order; less work where frames are like those before them."""
        known = interface.known
        if self.journal.on:
            for frame in frames:
                self.receive(frame, now, interface)
            return
        recorder = self.recorder
        if recorder is not None:
            recorder.ready(now)
        # Those that are answered at once, one after the other, and their answers.
        quick: list[bytes] = []
        answers: list[bytes] = []
        known.revise()
        output, limit = self._output, self.settings.tx_queue_len
        for frame in frames:
            answer = known.answer(frame, now) if len(output) < limit else None
            if answer is not None:
                if recorder is not None:
                    quick.append(frame)
                    answers.append(answer)
                output.append((interface, answer))
                continue
            if quick and recorder is not None:
                recorder.answered(quick, answers, now, interface.index)
                quick, answers = [], []
            delivery = known.datagram(frame, now)
            if delivery is not None:
                self._deliver(delivery, frame)
            else:
                known.settle()
                self.receive(frame, now, interface)
            known.revise()
        if quick and recorder is not None:
            recorder.answered(quick, answers, now, interface.index)
        known.settle()

    def _deliver(self, delivery: Delivery, frame: bytes) -> None:
        """A datagram goes to the socket that it was found to be for."""
        socket, datagram = delivery
        recorder = self.recorder
        if recorder is not None:
            recorder.receive(frame, datagram.time, datagram.interface.index)
        self.counters.outcomes[_DELIVERED if socket.put(datagram) else _QUEUE_FULL] += 1
        if recorder is not None:
            recorder.busy = False

    def advance(self, now: float) -> None:
        """Run every timer that is due at `now`."""
        deadline = self.timers.next_deadline()
        if deadline is None or deadline > now:
            return
        recorder = self.recorder
        if recorder is None:
            self.timers.advance(now)
            return
        recorder.advance(now)
        self.timers.advance(now)
        recorder.busy = False

    def next_deadline(self) -> float | None:
        """When `advance` wants to be called next, or None."""
        return self.timers.next_deadline()

    def output(self) -> list[tuple[Interface, bytes]]:
        """The frames to be sent since the last call, in order, each with its interface."""
        if not self._output:
            return []
        frames = list(self._output)
        self._output.clear()
        if self.recorder is not None:
            self.recorder.drained()
        return frames

    # -- copies

    def snapshot(self) -> Snapshot:
        """The whole state at this moment, frames that wait for `output` included; `restore` makes hosts from it."""
        for interface in self.interfaces.values():
            interface.known.settle()
        return Snapshot.of(self)

    @classmethod
    def restore(cls, snapshot: Snapshot, program: Program | None = None) -> "Host":
        """A new host that goes on from a snapshot as the first one did, given the same calls.

        It shares nothing with any other. Listeners, and who waits for sockets and
        echoes, are not restored; `program` becomes that of every interface. Raises
        RefusedError for what is no snapshot of a host.
        """
        host = snapshot.thing()
        if not isinstance(host, cls):
            raise RefusedError("this is no snapshot of a host")
        for interface in host.interfaces.values():
            interface.program = program
        return host

    def __getstate__(self) -> dict[str, Any]:
        # What listens belongs to the edge (stack.edge).
        return {**self.__dict__, "listeners": [], "recorder": None}

    def confirm(self, destination: IPv6Address, now: float, interface: Interface | None = None) -> None:
        """An upper layer has an answer to what it sent to `destination` (RFC 4861 7.3.1); the link as in `receive`."""
        if interface is None:
            interface = next(iter(self.interfaces.values()), None)
        if interface is not None:
            interface.confirm(destination, now)

    # -- links and settings

    def attach(
        self,
        name: str,
        mac: MacAddress,
        *,
        index: int | None = None,
        mtu: int | None = None,
        vlan: int | None = None,
        program: Program | None = None,
    ) -> Interface:
        """Add a link; it is down until `Interface.start`. `program` hands a filter plan to the driver.

        `mtu` is in octets of IPv6 packet, `vlan` an 802.1Q identifier. Raises RefusedError for an index that is taken,
        UsageError for a MAC or an MTU that cannot be.
        """
        if index is None:
            index = max(self.interfaces, default=0) + 1
        if index in self.interfaces:
            raise RefusedError(f"there is an interface with index {index} already")
        mtu = self.settings.mtu if mtu is None else mtu
        interface = Interface(self, name, index, mac, mtu=mtu, vlan=vlan, program=program)
        for each in self.interfaces.values():
            each.changed()
        self.interfaces[index] = interface
        return interface

    def detach(self, interface: Interface, now: float) -> None:
        """Remove a link: it goes down, its groups are purged, and calls on it are refused from now on."""
        if self.interfaces.get(interface.index) is interface:
            del self.interfaces[interface.index]
            interface.detach(now)

    def set_setting(self, name: str, text: str) -> None:
        """Another value for a setting; raises UsageError for an unknown name or a value out of range."""
        before = str(self.settings.as_dict().get(name, ""))
        self.settings.set_text(name, text)
        for interface in self.interfaces.values():
            interface.changed()
        if self.journal.on:
            self.journal.note(self.journal.time, "host", f"setting {name}", "", before, text)

    # -- what the layers use

    def holder(self, address: IPv6Address, interface: Interface) -> Interface | None:
        """The interface that has an address as a valid one of ours, `interface` first, or None.

        Every interface has the loopback address.
        """
        if interface.is_assigned(address):
            return interface
        if len(self.interfaces) == 1:
            return None
        return next((each for each in self.interfaces.values() if each.is_assigned(address)), None)

    def queue_frame(self, interface: Interface, frame: bytes) -> bool:
        """Queue a frame for `output`; false when too many wait already."""
        if len(self._output) >= self.settings.tx_queue_len:
            self.counters.limit_hit("tx_queue_len")
            return False
        self._output.append((interface, frame))
        counters = self.counters
        counters.frames_out += 1
        if self.recorder is not None:
            self.recorder.sent(interface.index, frame)
        if self.journal.on:
            self.journal.sent(counters.frames_in + counters.frames_out, interface.index, frame)
        return True

    def undeliverable(self, interface: Interface, packet: bytes, now: float) -> None:
        """A packet whose neighbour cannot be found: tell whoever sent it (RFC 4861 7.2.2)."""
        self.counters.out_discards += 1
        errors.undeliverable(interface, packet, now)

    def emit(self, event: Event) -> None:
        """Tell the listeners; callers test `listeners` before they make an event.

        A listener may add and remove listeners, itself too; those that it adds hear of the next event.
        """
        for listener in tuple(self.listeners):
            listener(event)

    def random_bytes(self, count: int) -> bytes:
        """`count` octets from the host's generator."""
        return bytes(int(self.rng.random() * 256) for _ in range(count))

    def _note_outcome(self, outcome: Outcome, now: float) -> None:
        if isinstance(outcome, Discard):
            self.journal.note(now, "host", f"discarded: {outcome.text}", outcome.clause)
        else:
            self.journal.note(now, "host", outcome.value)
