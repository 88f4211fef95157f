"""A host made from a snapshot goes on as the first one did: equal frames at equal times, and equal state."""

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from stack.errors import RefusedError
from stack.host import Host
from stack.multicast_filter import FilterPlan
from stack.snapshot import Snapshot
from tests.playbook import OUR_LINK_LOCAL, PEER_LINK_LOCAL, Play, echo_request, ip
from tests.recorder.lives import GROUPS, Life, lives, new_host

# What all the lives together have done, by the counters of it.
EVENTFUL = (
    *("Icmp6OutMLDv2Reports", "Icmp6OutNeighborSolicits", "Icmp6OutNeighborAdvertisements", "Icmp6OutRouterSolicits"),
    *("Icmp6OutEchos", "Icmp6OutEchoReplies", "Udp6InDatagrams", "Udp6OutDatagrams"),
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("seed", range(8))
def test_a_restored_host_does_the_same_at_the_same_times(seed: int) -> None:
    (first,) = lives(range(seed, seed + 1))
    (second,) = lives(range(seed, seed + 1))
    for _ in range(6):
        first.lead(40)
        second.lead(40)
        second.host = Host.restore(second.host.snapshot())
        assert second.lead(60) == first.lead(60)
    assert second.host.counters.as_dict() == first.host.counters.as_dict()
    assert second.host.rng.getstate() == first.host.rng.getstate()


def test_the_lives_of_these_tests_are_eventful() -> None:
    counters: dict[str, int] = {}
    for life in lives(range(8)):
        life.lead(600)
        for name, value in life.host.counters.as_dict().items():
            counters[name] = counters.get(name, 0) + value
    for name in EVENTFUL:
        assert counters[name] > 5, name


def test_many_hosts_of_one_snapshot_share_nothing() -> None:
    (life,) = lives(range(1))
    life.lead(100)
    snapshot = life.host.snapshot()
    life.host = Host.restore(snapshot)
    before = life.host.snapshot().octets
    other = Life(Host.restore(snapshot), 7)
    other.now = life.now
    other.lead(100)
    assert life.host.snapshot().octets == before
    assert other.host.snapshot().octets != before


_ELSEWHERE = """
import hashlib, sys
from stack.host import Host
from stack.snapshot import Snapshot
from tests.recorder.lives import Life
life = Life(Host.restore(Snapshot(sys.stdin.buffer.read())), int(sys.argv[1]))
life.now = float(sys.argv[2])
print(hashlib.sha256(repr(life.lead(300)).encode()).hexdigest())
"""


def test_another_process_does_the_same() -> None:
    """Nothing may hang on the order of a set, which is another one in every process."""
    digests = set()
    (life,) = lives(range(3, 4))
    life.lead(150)
    octets = life.host.snapshot().octets
    for hash_seed in ("1", "2", "3"):
        digests.add(
            subprocess.run(
                [sys.executable, "-c", _ELSEWHERE, "5", repr(life.now)],
                input=octets,
                capture_output=True,
                check=True,
                cwd=ROOT,
                env={"PYTHONHASHSEED": hash_seed},
            ).stdout
        )
    assert len(digests) == 1


def test_frames_that_wait_to_be_sent_are_in_it() -> None:
    play = Play().start().meet()
    play.host.receive(echo_request(), play.now)
    waiting = [frame for _, frame in Host.restore(play.host.snapshot()).output()]
    assert waiting
    assert waiting == [frame for _, frame in play.host.output()]


def test_the_edge_is_cut_off_and_the_first_host_keeps_it() -> None:
    play = Play().start()
    heard: list[object] = []
    play.host.journal.listen(heard.append)
    socket = play.host.udp.open(play.interface, heard=lambda: heard.append("socket"))
    session = play.host.echoes.open(play.interface, ip(PEER_LINK_LOCAL), heard.append)
    copy = Host.restore(play.host.snapshot())
    assert copy.listeners == []
    assert not copy.journal.on
    assert copy.interfaces[3].program is None
    assert copy.udp.sockets[socket.number].heard is None
    assert copy.echoes.sessions[session.identifier].heard is None
    assert play.host.journal.on
    assert play.host.listeners == [play.events.append]
    assert play.interface.program is not None
    assert socket.heard is not None


def test_a_program_is_given_to_every_interface() -> None:
    plans: list[FilterPlan] = []
    copy = Host.restore(Play().start().host.snapshot(), program=plans.append)
    copy.interfaces[3].listener.join(ip(GROUPS[0]), 30.0)
    assert len(plans) == 1


def test_a_restored_host_answers_for_its_addresses() -> None:
    copy = Host.restore(Play().start().host.snapshot())
    assert copy.interfaces[3].is_assigned(ip(OUR_LINK_LOCAL))


class Trap:
    """Unpickled as it stands, it would run a program."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("true",)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not a snapshot", id="text"),
        pytest.param(new_host().snapshot().octets[:-40], id="cut"),
        pytest.param(pickle.dumps({"a": 1}), id="something else"),
        pytest.param(pickle.dumps(Trap()), id="a program to run"),
        pytest.param(b"cstack.host\nHost.receive\n.", id="a name in a class"),
        pytest.param(b"cstack.snapshot\npickle\n.", id="a module that was imported"),
        pytest.param(b"cstack.link.tap\nTapLink\n.", id="a class of the edge"),
        pytest.param(b"cbuiltins\ngetattr\n(cstack.host\nHost\nV__init__\ntR.", id="a way out through a method"),
        pytest.param(b"cbuiltins\ngetattr\n(cbuiltins\nset\nVadd\ntR.", id="a method of no host"),
    ],
)
def test_what_is_no_snapshot_is_refused_and_runs_nothing(octets: bytes) -> None:
    with pytest.raises(RefusedError, match="snapshot"):
        Host.restore(Snapshot(octets))
