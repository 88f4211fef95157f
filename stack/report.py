"""What a running host tells its user: the few lines that scripts wait for, and the log."""

import logging
from collections.abc import Callable

from stack.address import format_address, format_mac, is_link_local
from stack.events import AddressChanged, Event, InterfaceDisabled, InterfaceUp
from stack.interface import Interface
from stack.journal import Record
from stack.nd.interface_address import AddressState

_log = logging.getLogger("sixtap")


class Reporter:
    """Turns events into the lines `NAME MAC up`, `NAME ready ADDRESS` and `NAME duplicate ADDRESS`.

    `ready` comes once for every start: with the link-local address, or where there
    is none to wait for, with the first address that is valid.
    """

    def __init__(self, interface: Interface, tell: Callable[[str], None]) -> None:
        self._interface = interface
        self._tell = tell
        self._waiting = False

    def heard(self, event: Event) -> None:
        """Take one event of the host."""
        name = self._interface.name
        if isinstance(event, InterfaceUp):
            self._waiting = True
            self._tell(f"{name} {format_mac(event.mac)} up")
        elif isinstance(event, InterfaceDisabled):
            self._tell(f"{name} {event.text()}")
        elif isinstance(event, AddressChanged):
            if event.state == AddressState.DUPLICATED.value:
                self._tell(f"{name} duplicate {format_address(event.address)}")
            if self._waiting:
                self._look()

    def _look(self) -> None:
        """Say that the host is ready, if it is."""
        entries = self._interface.addresses.table.values()
        assigned = [entry.address for entry in entries if entry.assigned]
        link_local = [address for address in assigned if is_link_local(address)]
        awaited = any(entry.state is AddressState.TENTATIVE and is_link_local(entry.address) for entry in entries)
        ready = link_local if link_local or awaited else assigned
        if ready and not self._interface.disabled:
            self._waiting = False
            self._tell(f"{self._interface.name} ready {format_address(ready[0])}")


def log_events(event: Event) -> None:
    """An event as a line of the log."""
    _log.info("%s", event.text())


def log_journal(record: Record) -> None:
    """A decision as a line of the log, with its clause."""
    change = f" ({record.before} -> {record.after})" if record.before != record.after else ""
    clause = f" [{record.clause}]" if record.clause else ""
    _log.debug("%s: %s: %s%s%s", record.cause, record.layer, record.what, change, clause)
