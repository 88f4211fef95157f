"""The timers and counters of a multicast router (RFC 3810 9, RFC 2710 7), and what is written into its queries.

Times are in seconds. The derived values follow whatever they are derived from,
so that what a router adopts from the querier (5.1.8, 5.1.9) acts at once.
"""

from dataclasses import dataclass, field

from stack.address import IPv6Address, MacAddress

ROBUSTNESS = 2
QUERY_INTERVAL = 125.0
QUERY_RESPONSE_INTERVAL = 10.0
LAST_LISTENER_QUERY_INTERVAL = 1.0


@dataclass(slots=True)
class Variables:
    """Section 9 with its defaults, and the limits of the tables.

    What is None has the default that the RFC derives. `group_limit` counts groups,
    `source_limit` the sources of one group, `total_source_limit` those of all,
    `output_limit` the frames that wait to be fetched.
    """

    version: int = 2
    robustness: int = ROBUSTNESS
    query_interval: float = QUERY_INTERVAL
    query_response_interval: float = QUERY_RESPONSE_INTERVAL
    last_listener_query_interval: float = LAST_LISTENER_QUERY_INTERVAL
    startup_interval: float | None = None
    startup_count: int | None = None
    last_listener_count: int | None = None
    group_limit: int = 4_096
    source_limit: int = 1_024
    total_source_limit: int = 65_536
    output_limit: int = 4_096
    _configured_robustness: int = field(init=False, repr=False)
    _configured_interval: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._configured_robustness = self.robustness
        self._configured_interval = self.query_interval

    def adopt_robustness(self, robustness: int) -> None:
        """5.1.8: every router takes the querier's value; a query that says 0 leaves it what was configured."""
        self.robustness = robustness or self._configured_robustness

    def adopt_interval(self, interval: float) -> None:
        """5.1.9: a router that is not the querier takes the querier's value; 0 leaves it what was configured."""
        self.query_interval = interval or self._configured_interval

    def resume(self) -> None:
        """A querier asks at its own interval again."""
        self.query_interval = self._configured_interval

    @property
    def listening_interval(self) -> float:
        """9.4, MALI; RFC 2710 7.4."""
        return self.robustness * self.query_interval + self.query_response_interval

    @property
    def other_querier_timeout(self) -> float:
        """9.5; RFC 2710 7.5."""
        return self.robustness * self.query_interval + self.query_response_interval / 2

    @property
    def startup_query_interval(self) -> float:
        """9.6; RFC 2710 7.6."""
        return self.query_interval / 4 if self.startup_interval is None else self.startup_interval

    @property
    def startup_query_count(self) -> int:
        """9.7; RFC 2710 7.7."""
        return self.robustness if self.startup_count is None else self.startup_count

    @property
    def last_listener_query_count(self) -> int:
        """9.9; RFC 2710 7.9."""
        return self.robustness if self.last_listener_count is None else self.last_listener_count

    @property
    def last_listener_query_time(self) -> float:
        """9.10, LLQT."""
        return self.last_listener_query_interval * self.last_listener_query_count

    @property
    def older_host_timeout(self) -> float:
        """9.13."""
        return self.listening_interval


@dataclass(slots=True)
class QueryFields:
    """What stands in a query, legal or not; None is what the RFC asks for.

    `response_code` is the field as it is sent, `interval_code` the QQIC,
    `robustness` the QRV (0 to 7).
    """

    code: int = 0
    hop_limit: int = 1
    router_alert: bool = True
    destination: IPv6Address | None = None
    destination_mac: MacAddress | None = None
    response_code: int | None = None
    interval_code: int | None = None
    robustness: int | None = None
    suppress: bool | None = None
