"""The four calls of the sans-IO core: frames and time in, frames and the next deadline out, all of it repeatable."""

import random
from random import Random

import pytest

from stack.discard import Discard, Verdict
from stack.errors import RefusedError, UsageError
from stack.host import Host
from stack.settings import Settings
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    Play,
    advertisement,
    echo_request,
    mld_message,
    solicitation,
)

SECOND_MAC = bytes.fromhex("02006e000009")


def run(host: Host, until: float) -> None:
    while (deadline := host.next_deadline()) is not None and deadline <= until:
        host.advance(deadline)


def test_host_without_a_link() -> None:
    """DESIGN rule 5: a frame has an outcome whatever the state; nothing is due and nothing to be sent."""
    host = Host(Random(1))
    assert host.receive(echo_request(), 0.0) is Discard.INTERFACE_DOWN
    assert host.counters.outcomes[Discard.INTERFACE_DOWN] == host.counters.frames_in == 1
    assert host.next_deadline() is None
    host.advance(1e9)
    assert host.output() == []


def test_link_that_was_not_started() -> None:
    host = Host(Random(1))
    host.attach("t0", OUR_MAC)
    assert host.receive(echo_request(), 0.0) is Discard.INTERFACE_DOWN
    assert (host.next_deadline(), host.output()) == (None, [])


def test_output_is_handed_out_once_in_order() -> None:
    host = Host(Random(1))
    interface = host.attach("t0", OUR_MAC)
    first, second = bytes(14), b"\1" * 14
    assert host.queue_frame(interface, first)
    assert host.queue_frame(interface, second)
    assert host.output() == [(interface, first), (interface, second)]
    assert host.output() == []


def test_output_is_bounded() -> None:
    """DESIGN rule 6: tx_queue_len, and a counter for what it cost."""
    host = Host(Random(1), Settings(tx_queue_len=2))
    interface = host.attach("t0", OUR_MAC)
    assert [host.queue_frame(interface, bytes(14)) for _ in range(4)] == [True, True, False, False]
    assert len(host.output()) == 2
    assert (host.counters.frames_out, host.counters.as_dict()["Limit_tx_queue_len"]) == (2, 2)
    assert host.queue_frame(interface, bytes(14))


def test_interfaces_are_numbered() -> None:
    host = Host(Random(1))
    assert host.attach("a", OUR_MAC).index == 1
    assert host.attach("b", SECOND_MAC, index=7).index == 7
    assert host.attach("c", SECOND_MAC).index == 8
    with pytest.raises(RefusedError):
        host.attach("d", SECOND_MAC, index=7)
    assert sorted(host.interfaces) == [1, 7, 8]


@pytest.mark.parametrize("mac", ["01005e000001", "333300000001", "ffffffffffff", "000000000000"])
def test_mac_of_a_station(mac: str) -> None:
    """IEEE 802: a group address is no station's."""
    host = Host(Random(1))
    with pytest.raises(UsageError):
        host.attach("t0", bytes.fromhex(mac))
    assert host.interfaces == {}


def test_each_link_answers_for_itself() -> None:
    """The frame belongs to the link that it came by: addresses and neighbours are an interface's."""
    host = Host(Random(1))
    one, other = host.attach("a", OUR_MAC), host.attach("b", SECOND_MAC)
    for interface in (one, other):
        interface.start(0.0)
    run(host, 20.0)
    host.output()
    assert host.receive(solicitation(OUR_LINK_LOCAL), 20.0, other) is not Verdict.ANSWERED
    assert host.receive(solicitation(OUR_LINK_LOCAL), 20.0, one) is Verdict.ANSWERED
    run(host, 20.0)
    assert [interface for interface, _ in host.output()] == [one]
    assert len(one.resolver.cache) == 1
    assert len(other.resolver.cache) == 0


def test_nothing_is_due_before_the_next_deadline() -> None:
    """What `next_deadline` says is when something happens, and not before."""
    play = Play().start(until=None)
    deadline = play.host.next_deadline()
    assert deadline is not None
    play.sent()
    play.host.advance(deadline - 1e-6)
    assert play.host.output() == []
    play.host.advance(deadline)
    assert play.host.output() != []


def story(seed: int) -> list[tuple[float, bytes]]:
    play = Play(seed=seed).start(until=None)
    for number, octets in enumerate(
        (
            solicitation(OUR_LINK_LOCAL),
            advertisement(PEER_LINK_LOCAL),
            echo_request(),
            mld_message(130, "::", delay=9000),
        )
    ):
        play.run(5.0 + number)
        play.receive(octets)
    play.run(100.0)
    return [(sent.time, sent.frame) for sent in play.sent()]


def test_equal_inputs_give_equal_outputs() -> None:
    """DESIGN rule 1: every run can be repeated bit for bit from its seed; another seed gives other delays."""
    assert story(4) == story(4)
    assert [time for time, _ in story(4)] != [time for time, _ in story(5)]


def test_the_global_generator_is_not_touched() -> None:
    """DESIGN rule 1: nothing draws from it."""
    state = random.getstate()
    story(6)
    assert random.getstate() == state


def test_settings_are_the_hosts_own() -> None:
    one, other = Host(Random(1)), Host(Random(1))
    one.settings.set_text("hop_limit", "9")
    assert other.settings.hop_limit == Settings().hop_limit != 9


@pytest.mark.parametrize("count", [0, 1, 6, 16])
def test_random_octets(count: int) -> None:
    """As many as asked for, from the host's generator alone."""
    assert len(Host(Random(1)).random_bytes(count)) == count
    assert Host(Random(1)).random_bytes(16) == Host(Random(1)).random_bytes(16) != Host(Random(2)).random_bytes(16)
