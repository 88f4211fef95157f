"""Why nothing comes in for an address of the host, from a neighbour, or for a group: by its state and its recorder."""

from typing import Any, NamedTuple

from stack.address import IPv6Address, format_address, is_multicast, multicast_mac, solicited_node
from stack.interface import Interface
from stack.journal import FrameSeen
from stack.nd.interface_address import AddressState, InterfaceAddress
from stack.nd.states import NeighborState
from stack.recorder.findings import Finding, about_filter, about_link, came_in
from stack.recorder.history import History, message_of, packet_of
from stack.recorder.why_not_group import about_group
from stack.wire import icmpv6

_UNRESOLVED = (NeighborState.INCOMPLETE, NeighborState.UNREACHABLE)


class Answer(NamedTuple):
    """All findings about what was asked."""

    subject: str
    findings: list[Finding]

    def summary(self) -> str:
        """One line: what stands in the way, or that nothing is known to."""
        against = [each for each in self.findings if each.against]
        if not against:
            return f"{self.subject}: nothing is known to keep it out"
        return f"{self.subject}: " + "; ".join(
            f"{each.what}{f', {each.clause}' if each.clause else ''}" for each in against
        )

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {
            "subject": self.subject,
            "summary": self.summary(),
            "against": any(each.against for each in self.findings),
            "findings": [each.document() for each in self.findings],
        }

    def text(self) -> str:
        """For the eye: the summary, then every finding, those that stand in the way with a dash."""
        return "\n".join((self.summary(), *(each.line() for each in self.findings)))


def why_not(history: History, interface: Interface, address: IPv6Address, about: dict[str, Any]) -> Answer:
    """The answer about an address or a group on an interface of the replayed host."""
    findings = about_link(interface, about)
    if is_multicast(address):
        findings += about_group(history, interface, address)
    elif (entry := interface.addresses.get(address)) is not None:
        findings += _about_own(history, interface, entry)
    else:
        findings += _about_other(history, interface, address)
    return Answer(format_address(address), findings)


# -- an address of ours


def _about_own(history: History, interface: Interface, entry: InterfaceAddress) -> list[Finding]:
    address = entry.address
    group = solicited_node(address)
    findings = [_state(history, entry), about_filter(interface, interface.mac)]
    if interface.listener.groups.records.get(group) is None:
        findings.append(Finding(f"{format_address(group)} is not joined: nobody resolves it", "RFC 4861 7.2.1", True))
    else:
        findings.append(about_filter(interface, multicast_mac(group)))
    inbound = [each for each in history.frames.values() if each.inbound]
    findings += came_in(history, [each for each in inbound if _is_for(each, address)], format_address(address))
    return findings + _ways_back(history, interface, inbound, address)


def _state(history: History, entry: InterfaceAddress) -> Finding:
    address = entry.address
    told = next(
        (
            each
            for decisions in reversed(history.decisions.values())
            for each in reversed(decisions)
            if each.layer == "dad" and format_address(address) in each.what and each.before != each.after
        ),
        None,
    )
    since = "" if told is None else f", for {history.now - told.time:.0f} s"
    if entry.state is AddressState.DUPLICATED:
        said = "" if told is None else f" ({told.what.partition(': ')[2]}, {told.cause})"
        return Finding(f"another node has the address: it is a duplicate{since}{said}", "RFC 4862 5.4.5", True)
    if entry.state is AddressState.TENTATIVE:
        return Finding(f"duplicate address detection is not through: it is tentative{since}", "RFC 4862 5.4", True)
    return Finding(f"an address of this host, {entry.state.value}{since}")


def _is_for(seen: FrameSeen, address: IPv6Address) -> bool:
    """Whether a frame is for an address, or asks who has it."""
    packet = packet_of(seen.frame)
    if packet[24:40] == address:
        return True
    message = message_of(packet) if packet else b""
    return message[:1] == bytes((icmpv6.NEIGHBOR_SOLICITATION,)) and message[8:24] == address


def _ways_back(history: History, interface: Interface, inbound: list[FrameSeen], address: IPv6Address) -> list[Finding]:
    """What came in but cannot be answered: the neighbours that are silent."""
    senders = {packet_of(each.frame)[8:24] for each in inbound if packet_of(each.frame)[24:40] == address}
    return [finding for sender in sorted(senders) for finding in _neighbour(interface, sender)]


def _neighbour(interface: Interface, address: IPv6Address) -> list[Finding]:
    entry = interface.resolver.cache.get(address)
    if entry is None or entry.state not in _UNRESOLVED:
        return []
    what = f"neighbour {format_address(address)} does not answer ({entry.state.value}): what is for it cannot leave"
    return [Finding(what, "RFC 4861 7.2.2", True)]


# -- somebody else's


def _about_other(history: History, interface: Interface, address: IPv6Address) -> list[Finding]:
    word = format_address(address)
    findings = [Finding(f"{word} is no address of this host: packets for it are not taken", "RFC 8200 3", True)]
    entry = interface.resolver.cache.get(address)
    if entry is not None:
        findings.append(Finding(f"it is a neighbour, {entry.state.value}"))
        findings += _neighbour(interface, address)
    elif not interface.routes.is_on_link(address) and not interface.routes.leads_to(address):
        findings.append(Finding(f"no route leads to {word}, so answers to it cannot leave", "RFC 4861 5.2", True))
    inbound = [each for each in history.frames.values() if each.inbound]
    to_it = [each for each in inbound if _is_for(each, address)]
    from_it = [each for each in inbound if packet_of(each.frame)[8:24] == address]
    if to_it:
        findings += came_in(history, to_it, word)
    if from_it or not to_it:
        findings += came_in(history, from_it, f"this host from {word}")
    return findings
