"""A multicast router as a listener itself: of ff02::16 and ff02::2, where listeners send to (RFC 3810 5.2.14).

Switches that snoop send reports to where they hear queries; a router that was not
elected does not ask, and has to report like any node to go on hearing them.
"""

from collections.abc import Callable
from random import Random

from stack.address import ALL_MLDV2_ROUTERS, ALL_ROUTERS, UNSPECIFIED, IPv6Address, MacAddress
from stack.sim.querier.variables import Variables
from stack.timers import Timer, Timers
from stack.wire import icmpv6, mld, mldpacket, mldv2
from stack.wire.checksum import with_checksum

GROUPS: tuple[IPv6Address, ...] = (ALL_ROUTERS, ALL_MLDV2_ROUTERS)
# RFC 3810 9.11; RFC 2710 7.10 has 10 s.
UNSOLICITED_REPORT_INTERVAL = {1: 10.0, 2: 1.0}


class OwnListening:
    """The listener of one router; `send` takes its frames. Its delays are drawn from a generator of its own."""

    def __init__(
        self,
        mac: MacAddress,
        address: IPv6Address,
        variables: Variables,
        timers: Timers,
        send: Callable[[bytes], None],
    ) -> None:
        self._mac = mac
        self._address = address
        self._variables = variables
        self._timers = timers
        self._send = send
        self._rng = Random(mac.hex())
        self._answer: Timer | None = None

    def start(self, now: float) -> None:
        """Report at once, and again until it was said [Robustness Variable] times (6.1)."""
        self._change(mldv2.CHANGE_TO_EXCLUDE_MODE, self._variables.robustness, now)

    def stop(self) -> None:
        """Say once that nobody listens any more."""
        if self._answer is not None:
            self._answer.cancel()
        self._report(mldv2.CHANGE_TO_INCLUDE_MODE, icmpv6.MLD_DONE)

    def queried(self, group: IPv6Address, delay: float, now: float) -> None:
        """Another router asks, for everything or for one of the groups: an answer within the delay (6.2)."""
        if group != UNSPECIFIED and group not in GROUPS:
            return
        deadline = now + delay * self._rng.random()
        if self._answer is not None and self._answer.active and self._answer.deadline <= deadline:
            return
        if self._answer is not None:
            self._answer.cancel()
        self._answer = self._timers.at(deadline, self._tell_state)

    def _change(self, kind: int, left: int, now: float) -> None:
        self._report(kind, icmpv6.MLD_REPORT)
        if left > 1:
            interval = UNSOLICITED_REPORT_INTERVAL[self._variables.version]
            self._timers.at(now + interval * self._rng.random(), self._change, kind, left - 1)

    def _tell_state(self, now: float) -> None:
        self._report(mldv2.MODE_IS_EXCLUDE, icmpv6.MLD_REPORT)

    def _report(self, kind: int, version_1_type: int) -> None:
        if self._variables.version == 2:
            octets = mldv2.report(mldv2.Record(kind, group) for group in GROUPS)
            message = with_checksum(self._address, ALL_MLDV2_ROUTERS, octets)
            self._send(mldpacket.frame(message, self._address, ALL_MLDV2_ROUTERS, self._mac))
            return
        # A version 1 router knows no ff02::16.
        to = ALL_ROUTERS
        self._send(mldpacket.frame(mld.message(version_1_type, self._address, to, to), self._address, to, self._mac))
