"""Router solicitations of a host: when they leave, and when no more do (RFC 4861 6.3.7, RFC 7559).

The first one leaves as soon as the link-local address is valid, after the reports
and probes of start-up, whose random delay serves for it as well (6.3.7). Where
there is no such address to wait for it leaves from :: after a delay of its own.
"""

from typing import TYPE_CHECKING

from stack.address import ALL_ROUTERS, UNSPECIFIED
from stack.events import NoRouters
from stack.timers import Timer
from stack.wire import nd as wire

if TYPE_CHECKING:
    from stack.interface import Interface

# RFC 4861 10
MAX_RTR_SOLICITATION_DELAY = 1.0
# RFC 7559 2 with RFC 8415 15: the longest interval in seconds, and the share by which each is drawn longer or shorter.
MAXIMUM_INTERVAL = 3600.0
_SPREAD = 0.1


class RouterSolicitor:
    """The solicitations of one interface; `sent` counts those since it came up."""

    __slots__ = ("_advertised", "_interface", "_interval", "_timer", "_waiting", "sent")

    def __init__(self, interface: "Interface") -> None:
        self._interface = interface
        self._timer: Timer | None = None
        self._waiting = False
        self._advertised = False
        self._interval = 0.0
        self.sent = 0

    def start(self, now: float) -> None:
        """The interface has come up (6.3.7): ask, now or as soon as there is an address to ask from."""
        self.stop()
        settings = self._interface.host.settings
        if not settings.accept_ra or not settings.router_solicitations:
            return
        self._waiting = self._interface.addresses.link_local_awaited()
        if not self._waiting:
            # Nothing that was tested has been delayed yet.
            self._arm(now + settings.router_solicitation_delay * self._interface.host.rng.random())

    def stop(self) -> None:
        """The interface goes down."""
        self._cancel()
        self._waiting = False
        self._advertised = False
        self._interval = 0.0
        self.sent = 0

    def link_local_settled(self, now: float) -> None:
        """The link-local address is valid, or it will be none: there is nothing more to wait for."""
        if self._waiting and not self._interface.addresses.link_local_awaited():
            self._waiting = False
            self._arm(now)

    def advertised(self) -> None:
        """A valid advertisement of a default router has come: no more is asked, but once at least (6.3.7)."""
        self._advertised = True
        if self.sent:
            self._cancel()

    def _arm(self, deadline: float) -> None:
        self._cancel()
        self._timer = self._interface.host.timers.at(deadline, self._due)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self, now: float) -> None:
        self._timer = None
        limit = self._interface.host.settings.router_solicitations
        if 0 <= limit <= self.sent:
            self._none_answered(now)
            return
        self._send(now)
        self.sent += 1
        if self._advertised:
            return
        # The last one is given its time to be answered, then there is no router.
        last = 0 < limit <= self.sent
        self._arm(now + (MAX_RTR_SOLICITATION_DELAY if last else self._next_interval(limit < 0)))

    def _next_interval(self, backing_off: bool) -> float:
        host = self._interface.host
        first = float(host.settings.router_solicitation_interval)
        if not backing_off:
            return first
        # RFC 7559 2: RT = 2 * RTprev + RAND * RTprev, from IRT + RAND * IRT up to MRT + RAND * MRT.
        spread = _SPREAD * (2 * host.rng.random() - 1)
        if not self._interval:
            self._interval = first + spread * first
        else:
            self._interval = 2 * self._interval + spread * self._interval
        if self._interval > MAXIMUM_INTERVAL:
            self._interval = MAXIMUM_INTERVAL + spread * MAXIMUM_INTERVAL
        return self._interval

    def _send(self, now: float) -> None:
        interface = self._interface
        source = interface.addresses.link_local()
        options = b""
        if source is not None:
            options = wire.LINK_LAYER.pack(wire.SOURCE_LINK_LAYER_ADDRESS, 1, interface.mac)
        # 4.1: from :: without a source link-layer address option.
        origin = UNSPECIFIED if source is None else source
        interface.send_nd(origin, ALL_ROUTERS, wire.router_solicitation(origin, ALL_ROUTERS, options))
        if interface.host.journal.on:
            interface.host.journal.note(now, "nd", f"router solicitation {self.sent + 1}", "RFC 4861 6.3.7")

    def _none_answered(self, now: float) -> None:
        host = self._interface.host
        if host.journal.on:
            host.journal.note(now, "nd", "no router has answered", "RFC 4861 6.3.7")
        if host.listeners:
            host.emit(NoRouters())
