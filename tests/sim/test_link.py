"""Whole links in virtual time: hosts configure themselves, find and ping each other, and share their groups."""

from collections import Counter

import pytest

from stack.icmp6.echo import EchoAnswer, EchoError, EchoSession
from stack.settings import Settings
from stack.sim.world import Station, World
from tests.mld.common import DONE, QUERY, REPORT, SOLICITATION, is_mld
from tests.playbook import Sent, ip, mld_message, text

GROUP = "ff05::99"


class Link(World):
    """Hosts on a switch, a port for a querier, and all frames as they leave."""

    def __init__(self, count: int, seed: int = 0) -> None:
        super().__init__(seed)
        self.sent: list[Sent] = []
        self.watchers.append(self._note)
        for number in range(1, count + 1):
            # Version 1, in which hosts hear and suppress each other's reports; there is no router to be asked for.
            own = Settings(force_mld_version=1, router_solicitations=0)
            self.add_host(f"host{number}", bytes.fromhex(f"0200000000{number:02x}"), own)
        self.querier = self.switch.add_port("querier")

    def _note(self, now: float, port: object, frame: bytes, outcome: object) -> None:
        if outcome is None and port is not self.querier:
            self.sent.append(Sent(now, frame))

    def up(self) -> "Link":
        """Start all hosts at once and let start-up pass."""
        for station in self.stations:
            self.start(station)
        self.run_until(self.now + 30)
        return self

    def taken(self, kind: int | None = None) -> list[Sent]:
        """The frames since the last such call."""
        frames, self.sent = self.sent, []
        return [each for each in frames if kind is None or each.kind == kind]

    def query(self, group: str = "::", delay: int = 10_000) -> None:
        self.send(mld_message(QUERY, group, delay=delay), self.querier)

    def join(self, station: Station, group: str = GROUP) -> object:
        token = station.interface.listener.join(ip(group), self.now)
        self.settle(station)
        return token

    def leave(self, station: Station, token: object) -> None:
        station.interface.listener.leave(token, self.now)  # type: ignore[arg-type]
        self.settle(station)


class Ping:
    """Echo requests from a host, and what became of them."""

    def __init__(self, world: World, station: Station, destination: str, data: bytes = b"x" * 56) -> None:
        self.answers: list[EchoAnswer] = []
        self.errors: list[EchoError] = []
        self.world = world
        self.station = station
        self.session: EchoSession = station.host.echoes.open(station.interface, ip(destination), self._heard, data=data)

    def _heard(self, what: EchoAnswer | EchoError) -> None:
        if isinstance(what, EchoAnswer):
            self.answers.append(what)
        else:
            self.errors.append(what)

    def send(self, sequence: int = 1) -> "Ping":
        self.session.send(sequence, self.world.now)
        self.world.settle(self.station)
        return self


def link_local(number: int) -> str:
    """RFC 4291 appendix A: the universal bit of 02:00:00:00:00:NN inverted, ff:fe in the middle."""
    return text(bytes.fromhex(f"fe80000000000000000000fffe0000{number:02x}"))


def address_of(station: Station) -> str | None:
    valid = station.interface.addresses.link_local()
    return text(valid) if valid is not None else None


@pytest.mark.parametrize("count", [2, 50])
def test_hosts_configure_themselves(count: int) -> None:
    link = Link(count).up()
    assert [address_of(station) for station in link.stations] == [link_local(n) for n in range(1, count + 1)]
    frames = link.taken()
    assert {each.kind for each in frames} == {REPORT, SOLICITATION}
    probes = [each for each in frames if each.kind == SOLICITATION]
    assert [each.source for each in probes] == ["::"] * count
    assert sorted(each.target for each in probes) == sorted(link_local(n) for n in range(1, count + 1))
    # The join's two reports, and one more once the address is valid (RFC 3590 4).
    assert Counter(each.target for each in frames if each.kind == REPORT) == {
        f"ff02::1:ff00:{number:x}": 3 for number in range(1, count + 1)
    }


@pytest.mark.parametrize("count", [2, 50])
def test_hosts_find_and_ping_each_other(count: int) -> None:
    link = Link(count).up()
    link.taken()
    pings = [
        Ping(link, station, link_local(number % count + 1)).send()
        for number, station in enumerate(link.stations, start=1)
    ]
    link.run_until(link.now + 1)
    for ping in pings:
        (answer,) = ping.answers
        assert answer.intact
        assert ping.errors == []
    # RFC 4861 7.2.2: each asks once, to the solicited-node group; what is known already need not be asked.
    asked = [each for each in link.taken(SOLICITATION) if each.destination.startswith("ff02::1:ff00:")]
    assert 1 <= len(asked) <= count


def test_the_answer_takes_the_time_of_the_wire() -> None:
    link = Link(2).up()
    first, _ = link.stations
    Ping(link, first, link_local(2)).send()
    link.run_until(link.now + 1)
    start = link.now
    ping = Ping(link, first, link_local(2)).send()
    link.run_until(link.now + 1)
    assert ping.answers[0].time == pytest.approx(start + 2 * 0.000_05)


def test_nobody_there_is_told_after_three_solicitations() -> None:
    # RFC 4861 7.2.2, 10: MAX_MULTICAST_SOLICIT, RetransTimer apart; then address unreachable.
    link = Link(2).up()
    link.taken()
    ping = Ping(link, link.stations[0], link_local(9)).send()
    start = link.now
    link.run_until(start + 10)
    assert [each.time - start for each in link.taken(SOLICITATION)] == pytest.approx([0.0, 1.0, 2.0])
    assert (ping.answers, [(each.type, each.code) for each in ping.errors]) == ([], [(1, 3)])


def test_ping_to_all_nodes_is_answered_by_all() -> None:
    link = Link(10).up()
    ping = Ping(link, link.stations[0], "ff02::1").send()
    link.run_until(link.now + 5)
    assert sorted(text(each.source) for each in ping.answers) == sorted(link_local(n) for n in range(2, 11))


def test_large_data_up_to_the_mtu_comes_back_whole() -> None:
    link = Link(2).up()
    data = bytes(number % 251 for number in range(1500 - 40 - 8))
    ping = Ping(link, link.stations[0], link_local(2), data).send()
    link.run_until(link.now + 1)
    assert [each.intact for each in ping.answers] == [True]


def test_a_ping_a_second_for_ten_minutes_loses_nothing() -> None:
    # Reachability expires and is confirmed many times on the way (RFC 4861 7.3).
    link = Link(2).up()
    ping = Ping(link, link.stations[0], link_local(2))
    for sequence in range(600):
        ping.send(sequence)
        link.run_until(link.now + 1)
    assert [each.sequence for each in ping.answers] == list(range(600))


# -- duplicates


def twins(seed: int, second_starts: float) -> Link:
    """Two hosts with one MAC, and so with one address; a third that watches."""
    link = Link(1, seed)
    for name in ("twin1", "twin2"):
        link.add_host(name, bytes.fromhex("0200000000aa"))
    link.at(second_starts, lambda: link.start(link.stations[2]))
    link.start(link.stations[0])
    link.start(link.stations[1])
    link.run_until(40)
    return link


@pytest.mark.parametrize("seed", range(10))
def test_one_of_two_equal_addresses_is_never_used(seed: int) -> None:
    link = twins(seed, second_starts=0.0)
    valid = [address_of(station) for station in link.stations[1:]]
    assert valid.count(link_local(0xAA)) <= 1, "RFC 4862 5.4: at most one of them"
    for station in link.stations[1:]:
        if address_of(station) is None:
            assert station.interface.disabled, "RFC 4862 5.4.5: made from the MAC"
    assert address_of(link.stations[0]) == link_local(1)


def test_a_latecomer_with_an_address_in_use_is_refused() -> None:
    link = twins(0, second_starts=20.0)
    assert address_of(link.stations[1]) == link_local(0xAA)
    assert address_of(link.stations[2]) is None
    assert link.stations[2].interface.disabled


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("apart", [0.0, 0.3, 5.0])
def test_an_address_given_to_two_hosts(seed: int, apart: float) -> None:
    link = Link(2, seed).up()
    for station, at in zip(link.stations, (link.now, link.now + apart), strict=True):

        def add(station: Station = station) -> None:
            station.interface.addresses.add(ip("2001:db8::7"), 64, link.now)
            link.settle(station)

        link.at(at, add)
    link.run_until(link.now + 20)
    states = [station.interface.addresses.table[ip("2001:db8::7")].state.value for station in link.stations]
    assert states.count("preferred") <= 1
    assert states.count("duplicated") >= 1
    if apart > 2:
        assert states == ["preferred", "duplicated"]
    assert [address_of(station) for station in link.stations] == [link_local(1), link_local(2)], "the others stay"


# -- groups


@pytest.mark.parametrize("count", [2, 50])
def test_one_report_speaks_for_all(count: int) -> None:
    link = Link(count).up()
    for station in link.stations:
        link.join(station)
    link.run_until(link.now + 20)
    link.taken()
    for _ in range(5):
        start = link.now
        link.query()
        link.run_until(start + 15)
        frames = [each for each in link.taken(REPORT) if each.target == GROUP]
        # RFC 2710 4: who hears a report stays silent. Two may only fall within one latency of each other.
        assert len(frames) == 1
        assert start <= frames[0].time <= start + 10.001


def test_repeats_are_suppressed_as_well() -> None:
    link = Link(20).up()
    link.taken()
    for station in link.stations:
        link.join(station)
    link.run_until(link.now + 20)
    # Twenty first reports at one moment; each host hears the others' while its repeat is due.
    assert len([each for each in link.taken(REPORT) if each.target == GROUP]) == 20


def test_only_the_last_reporter_says_done() -> None:
    link = Link(10).up()
    tokens = [link.join(station) for station in link.stations]
    link.run_until(link.now + 20)
    link.query()
    link.run_until(link.now + 15)
    reporter = [each for each in link.taken(REPORT) if each.target == GROUP][-1].source
    for station, token in zip(link.stations, tokens, strict=True):
        link.leave(station, token)
    dones = [each for each in link.taken(DONE) if each.target == GROUP]
    assert [each.source for each in dones] == [reporter]


def test_a_querier_that_asks_after_a_done_hears_who_is_left() -> None:
    link = Link(3).up()
    tokens = [link.join(station) for station in link.stations]
    link.run_until(link.now + 20)
    link.query(GROUP, 0)
    link.run_until(link.now + 1)
    for station, token in zip(link.stations[:2], tokens, strict=False):
        link.leave(station, token)
    link.taken()
    link.query(GROUP, 1000)
    link.run_until(link.now + 1.01)
    assert [each.source for each in link.taken(REPORT) if each.target == GROUP] == [link_local(3)]


def test_solicited_node_groups_are_reported_by_each() -> None:
    link = Link(10).up()
    link.taken()
    link.query()
    link.run_until(link.now + 11)
    assert Counter(each.target for each in link.taken(REPORT)) == {f"ff02::1:ff00:{n:x}": 1 for n in range(1, 11)}


def test_an_hour_with_a_querier() -> None:
    link = Link(10).up()
    for station in link.stations[:5]:
        link.join(station)
    link.run_until(100)
    link.taken()
    queries = 0
    while link.now < 3700:
        link.query()
        queries += 1
        link.run_until(link.now + 125)
    reports = Counter(each.target for each in link.taken(REPORT))
    assert reports == {GROUP: queries} | {f"ff02::1:ff00:{number:x}": queries for number in range(1, 11)}
    for station in link.stations:
        assert station.host.next_deadline() is None


def test_a_host_that_reboots_is_heard_of_again() -> None:
    link = Link(3).up()
    link.join(link.stations[0])
    link.run_until(link.now + 20)
    link.taken()
    link.stations[0].interface.restart(link.now)
    link.settle(link.stations[0])
    link.run_until(link.now + 20)
    frames = [each for each in link.taken() if is_mld(each) and each.target == GROUP]
    assert [each.kind for each in frames] == [REPORT] * 3
    assert address_of(link.stations[0]) == link_local(1)
    ping = Ping(link, link.stations[2], link_local(1)).send()
    link.run_until(link.now + 1)
    assert len(ping.answers) == 1


# -- repetition


def story(seed: int) -> list[Sent]:
    """All that is said on a link in some minutes of a varied life."""
    link = Link(8, seed).up()
    tokens = [link.join(station) for station in link.stations]
    for station in link.stations:
        Ping(link, station, link_local(1 + station.port.number % 8)).send()
    for step in range(8):
        link.query(delay=5000)
        link.run_until(link.now + 20)
        link.leave(link.stations[step], tokens[step])
    return link.taken()


def test_equal_seeds_give_equal_traffic_byte_for_byte() -> None:
    first = story(11)
    assert len(first) > 100
    assert story(11) == first


def test_other_seeds_give_other_traffic() -> None:
    assert story(11) != story(12)
