"""Who makes room in the tables of what routers said: the choice, and what it costs while a flood lasts."""

from collections.abc import Iterator

from stack.nd.learnt_routes import LearntRoute
from stack.nd.standing import victim
from tests.nd.advertising import ROUTER, ROUTER_MAC, hears, ready
from tests.playbook import Play, advertisement, ip

STRANGER = ip("fe80::5:1")


class Counted:
    """A table's entries in order of arrival, which counts how many of them are looked at."""

    def __init__(self, entries: list[LearntRoute]) -> None:
        self.entries = entries
        self.seen = 0

    def __reversed__(self) -> Iterator[LearntRoute]:
        for entry in reversed(self.entries):
            self.seen += 1
            yield entry


def with_a_router() -> Play:
    """Packets of ours go to ROUTER, which answers."""
    play = hears(ready(), lifetime=9_000)
    play.ping(ROUTER)
    play.receive(advertisement(ROUTER, flags="RSO", mac=ROUTER_MAC))
    return play


def route(number: int, router: bytes, *, repeated: bool = False) -> LearntRoute:
    entry = LearntRoute(ip(f"2001:db8:{number:x}::"), 48, router)
    entry.repeated = repeated
    return entry


def test_the_last_of_those_that_count_least() -> None:
    play = with_a_router()
    honest, loose = ip(ROUTER), ip("fe80::5:2")
    table = [
        route(1, honest, repeated=True),
        route(2, loose, repeated=True),
        route(3, loose),
        route(4, loose),
        route(5, honest),
        route(6, loose, repeated=True),
    ]
    order = []
    while (entry := victim(play.interface, table, honest)) is not None:
        order.append(entry.prefix[5])
        table.remove(entry)
    assert order == [4, 3, 6, 2, 5, 1]


def test_what_counts_for_more_stays() -> None:
    play = with_a_router()
    table = [route(number, ip(ROUTER)) for number in range(5)]
    assert victim(play.interface, table, STRANGER) is None


def test_a_flood_finds_what_it_brought_last_at_once() -> None:
    """However long the table is, and whatever is of more worth in it."""
    play = with_a_router()
    table = [route(number, ip(ROUTER), repeated=True) for number in range(1_000)]
    table.append(route(1_000, STRANGER))
    counted = Counted(table)
    assert victim(play.interface, counted, STRANGER) is table[-1]
    assert counted.seen == 1
