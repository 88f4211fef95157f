"""Host Compatibility Mode (RFC 3810 8.2): which version of MLD an interface speaks, and what the last querier said."""

from typing import TYPE_CHECKING

from stack.mld.personality import PERSONALITIES, Personality
from stack.timers import Timer

if TYPE_CHECKING:
    from stack.mld.listener import MulticastListener


class Compatibility:
    """The mode of one interface; `listener` is told when it changes.

    `robustness` and `query_interval` (seconds) are those of the last version 2
    query, or the settings' where it said 0 or none came (5.1.8, 5.1.9).
    """

    __slots__ = ("_listener", "_querier_timer", "_querier_until", "_query_interval", "_robustness")

    def __init__(self, listener: "MulticastListener") -> None:
        self._listener = listener
        self._robustness = 0
        self._query_interval = 0
        # Running: Older Version Querier Present. It is armed again when it fires before its time, not at each query.
        self._querier_timer: Timer | None = None
        self._querier_until = 0.0

    @property
    def personality(self) -> Personality:
        """The personality that the settings ask for."""
        return PERSONALITIES[self._listener.settings.mld_personality]

    @property
    def version(self) -> int:
        """The version spoken now, 1 or 2."""
        if self.personality.is_version_1_only:
            return 1
        forced = self._listener.settings.force_mld_version
        return forced or (1 if self._querier_timer is not None else 2)

    @property
    def robustness(self) -> int:
        """The Robustness Variable: at least 1."""
        return self._robustness or self._listener.settings.mld_qrv

    @property
    def query_interval(self) -> int:
        """The Query Interval, seconds."""
        return self._query_interval or self._listener.settings.mld_query_interval

    @property
    def older_querier_timeout(self) -> float:
        """9.12: how long a version 1 querier counts as present after its last query, seconds."""
        response_interval = self._listener.settings.mld_query_response_interval / 1000
        return self.robustness * self.query_interval + response_interval

    @property
    def older_querier_until(self) -> float | None:
        """When version 2 returns if no more version 1 query comes; None while no such querier is present."""
        return None if self._querier_timer is None else self._querier_until

    def version_1_query_heard(self, now: float) -> None:
        """8.2.1: a version 1 querier is present, and the timer runs anew; of no interest where the version is fixed."""
        if self._listener.settings.force_mld_version:
            return
        self._querier_until = now + self.older_querier_timeout
        if self._querier_timer is None or self._querier_timer.deadline > self._querier_until:
            self._arm()
        self._listener.follow_version(now)

    def version_2_query_heard(self, robustness: int, query_interval: int) -> None:
        """Remember what the querier says of itself; 0 is the default."""
        self._robustness = robustness
        self._query_interval = query_interval

    def forget(self) -> None:
        """The link is down: whoever asked there may not be there any more."""
        if self._querier_timer is not None:
            self._querier_timer.cancel()
            self._querier_timer = None
        self._robustness = self._query_interval = 0

    def _arm(self) -> None:
        if self._querier_timer is not None:
            self._querier_timer.cancel()
        self._querier_timer = self._listener.at(self._querier_until, self._expired)

    def _expired(self, now: float) -> None:
        self._querier_timer = None
        if now < self._querier_until:
            self._arm()
            return
        self._listener.follow_version(now)
