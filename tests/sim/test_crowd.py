"""A crowd of hosts on one switch: all come up, answer queries in time, and the same seed gives the same link."""

from collections import Counter
from random import Random

import pytest

from stack.errors import UsageError
from stack.link.snooping import LISTENING_INTERVAL
from stack.link.switch import AGEING_TIME, Switch
from stack.sim.crowd import Answers, AnswerWatch, Crowd, CrowdPlan, Digest, deal, group_of, mac_of, parse_mix
from stack.sim.querier import Querier
from stack.sim.world import World
from tests.playbook import text

pytestmark = pytest.mark.long

QUERIER_MAC = bytes.fromhex("0200000000fe")
QUERIER_AT = 60.0


class Show:
    """Hosts boot at 0, a querier appears after 60 s; snooping on, and no copy for whom the card would drop it."""

    def __init__(self, hosts: int, groups: int = 0, *, seed: int = 1, **plan: object) -> None:
        self.world = World(seed, switch=Switch(snooping=True), filtering=True)
        self.crowd = Crowd(self.world, CrowdPlan(hosts, groups, **plan), seed)  # type: ignore[arg-type]
        self.digest = Digest(self.world)
        self.answers: list[Answers] = []
        AnswerWatch(self.crowd, self.answers.append)
        self.querier = Querier(QUERIER_MAC)
        self.seat = self.world.add_node("querier", self.querier)
        self.world.at(QUERIER_AT, self._ask)
        self.crowd.start()

    def _ask(self) -> None:
        self.querier.start(self.world.now)
        self.world.settle(self.seat)

    def members(self) -> Counter[int]:
        """How many groups the switch has on each port."""
        assert self.world.switch.snooping is not None
        return Counter(each.port for each in self.world.switch.snooping.members(self.world.now))


def test_they_boot_a_querier_appears_and_the_table_ages() -> None:
    show = Show(500, 3)
    snooping = show.world.switch.snooping
    assert snooping is not None
    show.world.run_until(QUERIER_AT - 1)
    assert show.crowd.up() == 500
    # Three groups and the solicited-node group each, from the hosts' own reports.
    assert list(show.members().values()) == [4] * 500
    assert snooping.querier(show.world.now) is None
    show.world.run_until(QUERIER_AT + 11)
    (first,) = show.answers
    assert (first.hosts, first.late, first.delay, first.version) == (500, 0, 10.0, 2)
    assert 5.0 < first.last <= 10.0002
    assert {group for group, _ in show.querier.listeners().items()} >= {group_of(499, 2), group_of(0, 0)}
    assert len(show.querier.listeners()) == 2000
    # The querier goes: nobody refreshes the table.
    show.world.link_down(show.seat)
    show.world.run_until(QUERIER_AT + 12 + LISTENING_INTERVAL)
    assert show.members() == Counter()
    silent = show.crowd.stations[0].interface.mac
    assert show.world.switch.where(silent, QUERIER_AT + 12 + AGEING_TIME) is None


def digest_of(seed: int) -> tuple[int, str]:
    show = Show(40, 2, seed=seed, churn=5.0)
    show.world.run_until(20)
    show.crowd.begin_churn()
    show.world.run_until(QUERIER_AT + 60)
    assert show.crowd.joins > 300
    return show.digest.frames, show.digest.hexdigest()


def test_equal_seeds_are_equal_byte_for_byte_and_others_are_not() -> None:
    first = digest_of(7)
    assert digest_of(7) == first
    assert digest_of(8)[1] != first[1]


def test_a_frame_costs_what_its_receivers_cost() -> None:
    # Twice the hosts make twice the work, not four times: what is handed to hosts and looked at by the switch.
    given = []
    for hosts in (20, 40):
        show = Show(hosts)
        show.world.run_until(QUERIER_AT + 20)
        given.append(sum(each.host.counters.frames_in for each in show.crowd.stations))
    assert given[1] <= 2 * given[0] + 40


def test_a_mix() -> None:
    show = Show(20, 1, mix=(("v1", 20), ("v2", 70), ("netbsd", 10)))
    assert Counter(show.crowd.kinds) == {"v1": 4, "v2": 14, "netbsd": 2}
    show.world.run_until(QUERIER_AT + 11)
    versions = Counter(each.interface.listener.version for each in show.crowd.stations)
    assert versions == {1: 6, 2: 14}
    named = Counter(each.interface.listener.personality.name for each in show.crowd.stations)
    assert named == {"standard": 18, "netbsd": 2}
    (first,) = show.answers
    assert (first.hosts, first.late) == (20, 0)


def test_settings_of_all() -> None:
    show = Show(2, settings=(("force_mld_version", "1"), ("dad_transmits", "0")))
    assert show.crowd.up() == 2, "no duplicate address detection"
    assert [each.interface.listener.version for each in show.crowd.stations] == [1, 1]


def test_churn_leaves_what_it_joined() -> None:
    show = Show(4, 2, churn=10.0)
    show.world.run_until(20)
    show.crowd.begin_churn()
    show.world.run_until(50)
    assert show.crowd.joins == pytest.approx(300, abs=1)
    # Two groups, the solicited-node group, ff02::1, and the newest of the churn
    assert {len(each.interface.listener.groups) for each in show.crowd.stations} == {5}
    assert show.crowd.memberships == 20


def test_they_take_their_leave() -> None:
    show = Show(5, 1)
    show.world.run_until(20)
    before = show.digest.frames
    show.crowd.leave()
    assert show.digest.frames >= before + 5


def test_twins_are_told_apart() -> None:
    show = Show(2)
    show.world.run_until(5)
    late = show.world.add_host("late", show.crowd.stations[0].interface.mac)
    show.world.start(late)
    show.world.run_until(10)
    assert late.interface.disabled
    assert show.crowd.duplicates() == 0


class TestPlans:
    @pytest.mark.parametrize("words", ["", "v1", "v1=", "v3=5", "v1=x", "v1=1,v1=2", "v1=0,v2=0", "v1=-1", "v1=1,"])
    def test_no_mix(self, words: str) -> None:
        with pytest.raises(UsageError):
            parse_mix(words)

    def test_shares_hold_on_the_way(self) -> None:
        mix = parse_mix("v1=20,v2=70,netbsd=10")
        assert Counter(deal(mix, 100)) == {"v1": 20, "v2": 70, "netbsd": 10}
        for count in (10, 20, 50):
            assert Counter(deal(mix, count))["v1"] == count // 5
        assert deal([("v1", 0), ("v2", 1)], 5) == ["v2"] * 5

    def test_macs_and_groups(self) -> None:
        assert mac_of(bytes.fromhex("020000000ffe"), 3) == bytes.fromhex("020000001001")
        assert text(group_of(0x1234, 5)) == "ff15::1234:5"
        with pytest.raises(UsageError):
            mac_of(bytes.fromhex("02ffffffffff"), 1)

    @pytest.mark.parametrize("base", ["010000000000", "000000000000", "02fffffffff0"])
    def test_no_mac_base(self, base: str) -> None:
        with pytest.raises(UsageError):
            Crowd(World(), CrowdPlan(100, mac_base=bytes.fromhex(base)))

    def test_groups_of_hosts_differ_in_mac(self) -> None:
        rng = Random(0)
        groups = {group_of(rng.randrange(65536), rng.randrange(4096)) for _ in range(500)}
        assert len({group[12:] for group in groups}) == len(groups)
