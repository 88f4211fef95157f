"""Whole hosts in virtual time: equal seeds give equal frames, several links do not touch one another, events."""

from random import Random

from stack.discard import Discard, Verdict
from stack.host import Host
from stack.settings import Settings
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_LINK_LOCAL,
    Play,
    advertisement,
    echo_request,
    group_mac,
    ip,
    mld_message,
    solicitation,
)

SECOND_MAC = bytes.fromhex("02006e000002")
SECOND_LINK_LOCAL = "fe80::6eff:fe00:2"


def run(host: Host, until: float) -> list[tuple[float, str, bytes]]:
    """Let time pass; every frame with its time and its interface's name."""
    frames = []
    while (deadline := host.next_deadline()) is not None and deadline <= until:
        host.advance(deadline)
        frames += [(deadline, interface.name, frame) for interface, frame in host.output()]
    return frames


# -- determinism


def story(seed: int) -> tuple[list[tuple[float, bytes]], list[str], dict[str, int]]:
    """An eventful life: duplicates, queries, floods, a restart; frames with times, events and counters."""
    play = Play(seed, gc_thresh3=8, addr_gen_mode=3)
    play.add_address("2001:db8::77")
    play.add_address("2001:db8::a", anycast=True)
    play.start(until=None)
    for second in range(1, 40):
        play.run(float(second))
        play.receive(solicitation("2001:db8::a", source=f"fe80::{second}"))
        play.receive(solicitation("2001:db8::77", source="::" if second % 7 == 0 else PEER_LINK_LOCAL))
        play.receive(mld_message(130, "::", delay=500))
        if second == 5:
            play.join("ff05::99")
            play.ping("2001:db8::9")
        if second == 20:
            play.interface.restart(play.now)
    play.run(120.0)
    frames = [(each.time, each.frame) for each in play.sent()]
    return frames, [event.text() for event in play.events], play.host.counters.as_dict()


def test_equal_seeds_give_equal_frames_byte_for_byte() -> None:
    for seed in range(3):
        first, again = story(seed), story(seed)
        assert first == again
        assert len(first[0]) > 100


def test_different_seeds_differ() -> None:
    assert len({tuple(story(seed)[0]) for seed in range(5)}) == 5


def test_how_often_time_is_told_changes_nothing() -> None:
    """`advance` at more moments than asked for gives the same frames at the same times."""
    seldom, often = Play(5), Play(5)
    seldom.start(until=None)
    often.start(until=None)
    seldom.run(30.0)
    for tick in range(3000):
        often.run(tick / 100)
        often.settle()
    often.run(30.0)
    assert seldom.sent() == often.sent()


# -- the four calls


def test_what_waits_for_the_link_is_bounded() -> None:
    """tx_queue_len: beyond it a frame is dropped and counted; once it was taken out there is room again."""
    play = Play(tx_queue_len=16).start()
    play.receive(solicitation(OUR_LINK_LOCAL))
    play.host.output()
    counters = play.host.counters
    discards, frames_out = counters.out_discards, counters.frames_out
    for _ in range(50):
        play.host.receive(echo_request(), play.now)
    assert len(play.host.output()) == 16
    assert counters.limits["tx_queue_len"] == 34
    assert counters.out_discards - discards == 34
    assert counters.frames_out - frames_out == 16
    play.host.receive(echo_request(), play.now)
    assert len(play.host.output()) == 1


def test_every_frame_has_one_outcome() -> None:
    play = Play().start()
    before = play.host.counters.frames_in, sum(play.host.counters.outcomes.values())
    frames = [
        b"",
        bytes(60),
        echo_request(),
        echo_request(hop_limit=0),
        solicitation(OUR_LINK_LOCAL),
        solicitation(OUR_LINK_LOCAL, code=1),
        advertisement(PEER_LINK_LOCAL),
        mld_message(130, "::"),
    ]
    outcomes = [play.receive(frame) for frame in frames]
    assert play.host.counters.frames_in - before[0] == len(frames)
    assert sum(play.host.counters.outcomes.values()) - before[1] == len(frames)
    assert all(isinstance(outcome, Verdict | Discard) for outcome in outcomes)


# -- several interfaces


def two_links() -> Host:
    host = Host(Random(1), Settings())
    host.attach("t0", OUR_MAC).start(0.0)
    host.attach("t1", SECOND_MAC).start(0.0)
    return host


def test_each_link_has_its_own_addresses_and_tests() -> None:
    host = two_links()
    frames = run(host, 20.0)
    for interface, mac, address in zip(
        host.interfaces.values(), (OUR_MAC, SECOND_MAC), (OUR_LINK_LOCAL, SECOND_LINK_LOCAL), strict=True
    ):
        assert interface.addresses.link_local() == ip(address)
        mine = [frame for _, name, frame in frames if name == interface.name]
        assert {frame[6:12] for frame in mine} == {mac}
        probes = [frame for frame in mine if frame[54:55] == b"\x87"]
        assert [frame[62:78] for frame in probes] == [ip(address)]


def test_a_frame_belongs_to_the_link_it_came_from() -> None:
    """The same group, neighbours and addresses on two links are strangers to one another (RFC 4007)."""
    host = two_links()
    run(host, 20.0)
    first, second = host.interfaces.values()
    for interface in (first, second):
        interface.listener.join(ip("ff02::99"), 20.0)
    host.output()
    assert host.receive(solicitation(OUR_LINK_LOCAL), 20.0, second) is Discard.NOT_FOR_US
    assert host.receive(solicitation(OUR_LINK_LOCAL), 20.0, first) is Verdict.ANSWERED
    assert [interface for interface, _ in host.output()] == [first]
    assert len(first.resolver.cache) == 1 and len(second.resolver.cache) == 0
    probe = solicitation(SECOND_LINK_LOCAL, source="::")
    assert host.receive(probe, 20.0, second) is Verdict.ANSWERED
    first.stop(21.0)
    assert second.up and second.addresses.link_local() == ip(SECOND_LINK_LOCAL)
    assert host.receive(probe, 21.0, second) is Verdict.ANSWERED
    assert group_mac(ip("ff02::99")) in second.plan.exact


def test_a_duplicate_disables_one_interface_only() -> None:
    host = two_links()
    first, second = host.interfaces.values()
    host.receive(solicitation(OUR_LINK_LOCAL, source="::"), 0.0, first)
    assert first.disabled and not second.disabled
    assert {name for _, name, _ in run(host, 20.0)} == {"t1"}
    assert second.addresses.link_local() == ip(SECOND_LINK_LOCAL)


# -- listeners


def test_every_listener_hears_every_event() -> None:
    play = Play()
    more: list[object] = []
    play.host.listeners.append(more.append)
    play.start(until=None)
    play.run(5.0)
    assert more == play.events and len(more) > 3


def test_events_say_what_happened_in_plain_words() -> None:
    play = Play()
    play.start(until=None)
    play.run(5.0)
    play.receive(solicitation(OUR_LINK_LOCAL))
    play.receive(advertisement(OUR_LINK_LOCAL, destination="ff02::1", flags="O"))
    play.join("ff02::99")
    play.interface.stop(play.now)
    texts = [event.text() for event in play.events]
    for line in (
        "interface 02:00:6e:00:00:01 up",
        "address fe80::6eff:fe00:1 tentative",
        "address fe80::6eff:fe00:1 preferred",
        "neighbour fe80::70ff:fe00:2 at 02:00:70:00:00:02 STALE",
        "conflict: 02:00:70:00:00:02 claims fe80::6eff:fe00:1",
        "group ff02::99 joined",
        "filter: 3 exact, 0 hashed",
        "neighbour fe80::70ff:fe00:2 at 02:00:70:00:00:02 deleted",
        "address fe80::6eff:fe00:1 deleted",
        "interface down",
    ):
        assert line in texts
