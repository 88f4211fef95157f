"""Echo (RFC 4443 4.1, 4.2): answering requests, and the sessions of our own pings."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from stack.address import IPv6Address, format_address, is_multicast
from stack.calls import recorded
from stack.discard import Discard, Outcome, Verdict
from stack.edge import state_without
from stack.errors import RefusedError
from stack.ip6 import output
from stack.ip6.received import Received
from stack.wire import icmpv6, ipv6

if TYPE_CHECKING:
    from stack.host import Host
    from stack.interface import Interface

HEADER_LENGTH = 8
SEQUENCE_NUMBERS = 1 << 16


def request(interface: "Interface", received: Received, now: float) -> Outcome:
    """Answer with the data unchanged and code 0, from the address asked or, for a group, a chosen one (4.2)."""
    payload = received.payload
    if len(payload) < HEADER_LENGTH:
        return Discard.ICMP_TRUNCATED
    source = received.destination
    entry = interface.addresses.table.get(source)
    if entry is None or entry.anycast:
        chosen = interface.source_for(received.source)
        if chosen is None:
            return Discard.ADDRESS_TENTATIVE
        source = chosen
    _, _, _, identifier, sequence = icmpv6.ECHO_HEADER.unpack_from(payload)
    message = icmpv6.echo(icmpv6.ECHO_REPLY, source, received.source, identifier, sequence, payload[HEADER_LENGTH:])
    hop_limit = interface.variables.hop_limit
    packet = ipv6.packet(source, received.source, ipv6.ICMPV6, hop_limit, message)
    interface.host.counters.icmp_out[icmpv6.ECHO_REPLY] += 1
    sent = output.send(interface, packet, now)
    interface.host.counters.icmp_out_errors += not sent
    if sent:
        interface.known.learn(received, source)
    if interface.host.journal.on:
        what = f"echo reply from {format_address(source)} to {format_address(received.source)}"
        interface.host.journal.note(now, "icmp6", what if sent else f"{what}: no way there", "RFC 4443 4.2")
    return Verdict.ANSWERED if sent else Verdict.DELIVERED


def reply(interface: "Interface", received: Received, now: float) -> Outcome:
    """Hand a reply to the session that asked (4.2)."""
    payload = received.payload
    if len(payload) < HEADER_LENGTH:
        return Discard.ICMP_TRUNCATED
    _, _, _, identifier, sequence = icmpv6.ECHO_HEADER.unpack_from(payload)
    session = interface.host.echoes.sessions.get(identifier)
    if session is None or not session.expects(sequence):
        return Discard.ECHO_REPLY_UNCLAIMED
    if interface.host.journal.on:
        interface.host.journal.note(now, "icmp6", f"echo reply {sequence} for ping {identifier}", "RFC 4443 4.2")
    if received.source == session.destination and session.first_answer(sequence):
        # RFC 4861 7.3.1: it proves that our request arrived.
        interface.confirm(session.destination, now)
    session.answered(
        EchoAnswer(
            sequence, received.source, len(payload), received.hop_limit, now, payload[HEADER_LENGTH:] == session.data
        )
    )
    return Verdict.DELIVERED


class EchoAnswer(NamedTuple):
    """A reply: its sequence number, sender, ICMPv6 octets, hop limit and time; whether the data came back whole."""

    sequence: int
    source: IPv6Address
    octets: int
    hop_limit: int
    time: float
    intact: bool


class EchoError(NamedTuple):
    """An ICMPv6 error about one of our requests (RFC 4443 3): sender, type, code, and the MTU or the pointer."""

    sequence: int
    source: IPv6Address
    type: int
    code: int
    time: float
    parameter: int = 0


@recorded("_interface.host.recorder", "send", "forget", "close")
class EchoSession:
    """One ping: requests to one destination under one identifier.

    `heard`, if there is one, is called with each EchoAnswer and EchoError.
    """

    __slots__ = ("_interface", "_outstanding", "data", "destination", "heard", "hop_limit", "identifier", "source")

    def __init__(
        self,
        interface: "Interface",
        identifier: int,
        destination: IPv6Address,
        data: bytes,
        hop_limit: int | None,
        source: IPv6Address | None,
        heard: Callable[[EchoAnswer | EchoError], None] | None,
    ) -> None:
        self._interface = interface
        # Each with whether it has been answered.
        self._outstanding: dict[int, bool] = {}
        self.identifier = identifier
        self.destination = destination
        self.data = data
        self.hop_limit = hop_limit
        self.source = source
        self.heard = heard

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        return state_without(self, "heard")

    def send(self, sequence: int, now: float) -> None:
        """Send one request; raises RefusedError if there is no source address or no way."""
        interface = self._interface
        source = self.source or interface.source_for(self.destination)
        if source is None:
            raise RefusedError(f"no address of ours can reach {format_address(self.destination)} yet")
        if not interface.is_assigned(source):
            raise RefusedError(f"{format_address(source)} is no valid address of this host any more")
        sequence %= SEQUENCE_NUMBERS
        message = icmpv6.echo(icmpv6.ECHO_REQUEST, source, self.destination, self.identifier, sequence, self.data)
        self._outstanding[sequence] = False
        packet = ipv6.packet(source, self.destination, ipv6.ICMPV6, self._hop_limit(), message)
        host = interface.host
        host.counters.icmp_out[icmpv6.ECHO_REQUEST] += 1
        if host.journal.on:
            what = f"echo request {sequence} of ping {self.identifier} to {format_address(self.destination)}"
            host.journal.note(now, "icmp6", what, "RFC 4443 4.1")
        if not output.send(interface, packet, now):
            self.forget(sequence)
            raise RefusedError(f"there is no route to {format_address(self.destination)}")

    def _hop_limit(self) -> int:
        if self.hop_limit is not None:
            return self.hop_limit
        # RFC 3493 5.2: a group is reached with 1 unless the caller says otherwise.
        return 1 if is_multicast(self.destination) else self._interface.variables.hop_limit

    def expects(self, sequence: int) -> bool:
        """Whether a reply with this sequence number is waited for.

        Its source does not matter: an anycast address, which looks like any
        other, is answered from a unicast one (4.2). The answer tells it.
        """
        return sequence in self._outstanding

    def first_answer(self, sequence: int) -> bool:
        """Whether no reply with this sequence number has come before: one that is sent again proves nothing anew."""
        first = not self._outstanding[sequence]
        self._outstanding[sequence] = True
        return first

    def answered(self, answer: EchoAnswer) -> None:
        """A reply arrived."""
        if self.heard is not None:
            self.heard(answer)

    def failed(self, error: EchoError) -> bool:
        """An error about one of the requests arrived, or arose here; false if that request is not waited for."""
        if error.sequence not in self._outstanding:
            return False
        if self.heard is not None:
            self.heard(error)
        return True

    def forget(self, sequence: int) -> None:
        """No answer to this request is waited for any longer."""
        self._outstanding.pop(sequence % SEQUENCE_NUMBERS, None)

    def close(self) -> None:
        """End the session; later replies are unclaimed."""
        self._interface.host.echoes.sessions.pop(self.identifier, None)


@recorded("_host.recorder", "open")
class Echoes:
    """The echo sessions of a host, by identifier."""

    __slots__ = ("_host", "sessions")

    def __init__(self, host: "Host") -> None:
        self._host = host
        self.sessions: dict[int, EchoSession] = {}

    def open(
        self,
        interface: "Interface",
        destination: IPv6Address,
        heard: Callable[[EchoAnswer | EchoError], None] | None,
        *,
        data: bytes = b"",
        hop_limit: int | None = None,
        source: IPv6Address | None = None,
    ) -> EchoSession:
        """A session with an identifier of its own. Raises RefusedError at the limit or for a foreign source."""
        limit = self._host.settings.max_echo_sessions
        if len(self.sessions) >= limit:
            raise RefusedError(f"{limit} pings are under way already (max_echo_sessions)")
        if source is not None and not interface.is_assigned(source):
            raise RefusedError(f"{format_address(source)} is no valid address of this host")
        identifier = int(self._host.rng.random() * SEQUENCE_NUMBERS)
        while identifier in self.sessions:
            identifier = (identifier + 1) % SEQUENCE_NUMBERS
        session = EchoSession(interface, identifier, destination, data, hop_limit, source, heard)
        self.sessions[identifier] = session
        return session
