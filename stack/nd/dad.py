"""Duplicate address detection (RFC 4862 5.4) with the nonce of RFC 7527, as one table and its driver.

One `Detection` runs for one tentative address. It sends the probes and judges
what the link says about the address; what becomes of the address is decided by
`stack.nd.addresses`, which is told once: unique or duplicate.
"""

from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from stack.address import UNSPECIFIED, IPv6Address, MacAddress, format_address, solicited_node
from stack.timers import Timer
from stack.wire import nd as wire

if TYPE_CHECKING:
    from stack.interface import Interface

# RFC 4861 10, used by RFC 7527 4.1 for the probes that follow a looped-back one.
MAX_MULTICAST_SOLICIT = 3
# More than are sent before the first come back; a link that loops for ever would fill any list.
_NONCES_KEPT = 256


class DadState(Enum):
    """WAITING: the random delay before the first probe runs; PROBING: probes are out."""

    WAITING = "waiting"
    PROBING = "probing"
    UNIQUE = "unique"
    DUPLICATE = "duplicate"

    __hash__ = object.__hash__


class DadEvent(Enum):
    """What may happen to an address under test."""

    DELAY_OVER = "random delay over"
    TIMEOUT_MORE = "retransmit timeout, probes left to send"
    TIMEOUT_LOOPED = "retransmit timeout, all probes sent, some of them looped back"
    TIMEOUT_LAST = "retransmit timeout, all probes sent"
    PROBE_BY_OTHER = "another node's probe for the address"
    ADVERTISEMENT = "advertisement of the address"
    OWN_PROBE = "own probe looped back"

    __hash__ = object.__hash__


class DadAction(Enum):
    """What a transition has done."""

    SEND_PROBE = "send NS from ::, start retransmit timer"
    NOTE_LOOP = "note that the link loops"
    PROBE_ON = "set out for MAX_MULTICAST_SOLICIT more probes"
    CONCLUDE = "stop, tell the verdict"

    __hash__ = object.__hash__


class DadTransition(NamedTuple):
    """The new state, the actions in order, and the clause."""

    state: DadState
    actions: tuple[DadAction, ...]
    clause: str


_S = DadState
_E = DadEvent
_A = DadAction

_EVIDENCE = {
    _E.PROBE_BY_OTHER: DadTransition(_S.DUPLICATE, (_A.CONCLUDE,), "RFC 4862 5.4.3"),
    _E.ADVERTISEMENT: DadTransition(_S.DUPLICATE, (_A.CONCLUDE,), "RFC 4862 5.4.4"),
}

TRANSITIONS: dict[DadState, dict[DadEvent, DadTransition]] = {
    _S.WAITING: {
        **_EVIDENCE,
        _E.DELAY_OVER: DadTransition(_S.PROBING, (_A.SEND_PROBE,), "RFC 4862 5.4.2"),
    },
    _S.PROBING: {
        **_EVIDENCE,
        _E.TIMEOUT_MORE: DadTransition(_S.PROBING, (_A.SEND_PROBE,), "RFC 4862 5.4.2"),
        # For as long as the link loops: the address is assigned once it has been seen not to.
        _E.TIMEOUT_LOOPED: DadTransition(_S.PROBING, (_A.PROBE_ON, _A.SEND_PROBE), "RFC 7527 4.1"),
        _E.TIMEOUT_LAST: DadTransition(_S.UNIQUE, (_A.CONCLUDE,), "RFC 4862 5.4"),
        _E.OWN_PROBE: DadTransition(_S.PROBING, (_A.NOTE_LOOP,), "RFC 7527 4.2"),
    },
    _S.UNIQUE: {},
    _S.DUPLICATE: {},
}


class Detection:
    """The test of one tentative address (16 bytes); `concluded(address, unique, now)` is called once."""

    __slots__ = (
        "_concluded",
        "_interface",
        "_looped",
        "_nonces",
        "_timer",
        "_to_send",
        "address",
        "state",
    )

    def __init__(
        self,
        interface: "Interface",
        address: IPv6Address,
        concluded: Callable[[IPv6Address, bool, float], None],
    ) -> None:
        self._interface = interface
        self._concluded = concluded
        self._nonces: deque[bytes] = deque(maxlen=_NONCES_KEPT)
        self._to_send = interface.variables.dad_transmits
        self._looped = False
        self._timer: Timer | None = None
        self.address = address
        self.state = DadState.WAITING

    def start(self, delay: float, now: float) -> None:
        """Send the first probe after `delay` seconds, from the timer so that a report armed before goes first."""
        self._timer = self._interface.host.timers.at(now + delay, self._timeout)

    def begin(self, now: float) -> None:
        """Send the first probe now: an optimistic address is used from then on (RFC 4429 3.3)."""
        self._apply(DadEvent.DELAY_OVER, now)

    def stop(self) -> None:
        """Give the test up: the address was removed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def solicitation(self, nonce: bytes | None, source_mac: MacAddress, now: float) -> bool:
        """A valid probe (source ::) for the address was received; False if it is our own, looped back."""
        own = self._is_own(nonce, source_mac)
        self._apply(DadEvent.OWN_PROBE if own else DadEvent.PROBE_BY_OTHER, now)
        return not own

    def _is_own(self, nonce: bytes | None, source_mac: MacAddress) -> bool:
        # 5.4.3: before one of ours is sent, every probe is another node's.
        if self.state is DadState.WAITING:
            return False
        # RFC 7527 4.2: a probe that differs in having a nonce or none is not ours, whatever MAC sent it.
        if nonce is not None or self._nonces:
            return nonce in self._nonces
        return source_mac == self._interface.mac

    def advertisement(self, now: float) -> None:
        """A valid advertisement of the address was received (5.4.4)."""
        self._apply(DadEvent.ADVERTISEMENT, now)

    def _timeout(self, now: float) -> None:
        self._timer = None
        if self.state is DadState.WAITING:
            self._apply(DadEvent.DELAY_OVER, now)
        elif self._to_send:
            self._apply(DadEvent.TIMEOUT_MORE, now)
        else:
            self._apply(DadEvent.TIMEOUT_LOOPED if self._looped else DadEvent.TIMEOUT_LAST, now)

    def _apply(self, event: DadEvent, now: float) -> None:
        before = self.state
        transition = TRANSITIONS[before].get(event)
        if transition is None:
            return
        self.state = transition.state
        journal = self._interface.host.journal
        if journal.on:
            what = f"address {format_address(self.address)}: {event.value}"
            journal.note(now, "dad", what, transition.clause, before.value, transition.state.value)
        for action in transition.actions:
            self._do(action, now)

    def _do(self, action: DadAction, now: float) -> None:
        if action is DadAction.SEND_PROBE:
            self._send_probe(now)
        elif action is DadAction.NOTE_LOOP:
            self._looped = True
        elif action is DadAction.PROBE_ON:
            self._looped = False
            self._to_send = MAX_MULTICAST_SOLICIT
        else:
            self.stop()
            self._concluded(self.address, self.state is DadState.UNIQUE, now)

    def _send_probe(self, now: float) -> None:
        interface = self._interface
        self._timer = interface.host.timers.at(now + interface.variables.retrans_time_ms / 1000, self._timeout)
        destination = solicited_node(self.address)
        message = wire.neighbor_solicitation(UNSPECIFIED, destination, self.address, self._nonce_option())
        if interface.send_nd(UNSPECIFIED, destination, message):
            # 5.4.2: DupAddrDetectTransmits are to be sent; one that the link did not take is none.
            self._to_send -= 1

    def _nonce_option(self) -> bytes:
        # RFC 7527 4.1: a fresh nonce in every probe, so that each is recognised.
        if not self._interface.host.settings.enhanced_dad:
            return b""
        nonce = self._interface.host.random_bytes(wire.NONCE_LENGTH)
        self._nonces.append(nonce)
        return wire.option_bytes(wire.NONCE, nonce)
