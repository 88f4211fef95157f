"""Specific queries of a version 2 querier: built, sent at once and repeated (RFC 3810 7.6.3)."""

from collections.abc import Callable, Iterable

from stack.address import IPv6Address
from stack.sim.querier.changes import Ask
from stack.sim.querier.record import AddressRecord
from stack.sim.querier.variables import Variables
from stack.timers import Timers

Lower = Callable[[AddressRecord, IPv6Address | None, float], None]


class SpecificQueries:
    """Sends what the tables ask for. `lower` lowers a timer of a record, `ask` sends one query."""

    def __init__(
        self, timers: Timers, variables: Variables, is_querier: Callable[[], bool], ask: Ask, lower: Lower
    ) -> None:
        self._timers = timers
        self._variables = variables
        self._is_querier = is_querier
        self._ask = ask
        self._lower = lower

    def address(self, record: AddressRecord, now: float) -> None:
        """7.6.3.1, `Send Q(MA)`: every router lowers the filter timer, the querier asks.

        A query of that kind which is still to be repeated is the same query: the
        two are merged (7.4.2), and nothing more is sent.
        """
        self._lower(record, None, self._limit(now))
        if self._is_querier() and not record.group_queries:
            record.group_queries = self._variables.last_listener_query_count
            self._repeat_address(record, now)

    def sources(self, record: AddressRecord, sources: Iterable[IPv6Address], now: float) -> None:
        """7.6.3.2, `Send Q(MA,X)`: for the sources of X with timers above LLQT, by the querier."""
        if not self._is_querier():
            return
        limit = self._limit(now)
        found = False
        for source in sorted(sources):
            timer = record.sources.get(source)
            if timer is None or timer.deadline <= limit:
                continue
            self._lower(record, source, limit)
            record.source_queries[source] = self._variables.last_listener_query_count
            found = True
        if found:
            self._repeat_sources(record, now)

    def _limit(self, now: float) -> float:
        return now + self._variables.last_listener_query_time

    def _repeat_address(self, record: AddressRecord, now: float) -> None:
        """One of the address-specific queries; its S flag is set if a report has restarted the filter timer."""
        record.group_query_timer = None
        if record.group_queries <= 0:
            return
        record.group_queries -= 1
        timer = record.filter_timer
        self._ask(record.group, (), timer is not None and timer.deadline > self._limit(now), now)
        if record.group_queries:
            again = now + self._variables.last_listener_query_interval
            record.group_query_timer = self._timers.at(again, self._repeat_address, record)

    def _repeat_sources(self, record: AddressRecord, now: float) -> None:
        """The sources of the Retransmission List in two queries: first those heard of again, with the S flag."""
        if record.source_query_timer is not None:
            record.source_query_timer.cancel()
            record.source_query_timer = None
        limit = self._limit(now)
        again: list[IPv6Address] = []
        unheard: list[IPv6Address] = []
        for source in sorted(record.source_queries):
            timer = record.sources.get(source)
            (again if timer is not None and timer.deadline > limit else unheard).append(source)
        # The note of 7.6.3.2: an address-specific query at the same moment makes the one with the S flag needless.
        if again and not self._address_query_due(record, now):
            self._ask(record.group, tuple(again), True, now)
        if unheard:
            self._ask(record.group, tuple(unheard), False, now)
        record.source_queries = {source: left - 1 for source, left in record.source_queries.items() if left > 1}
        if record.source_queries:
            at = now + self._variables.last_listener_query_interval
            record.source_query_timer = self._timers.at(at, self._repeat_sources, record)

    def _address_query_due(self, record: AddressRecord, now: float) -> bool:
        timer = record.group_query_timer
        return timer is not None and timer.deadline <= now
