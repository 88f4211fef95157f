"""Any fragments of any packets, shuffled, doubled and lost: the packet or nothing, within bounds of memory and time."""

from random import Random

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from stack.discard import Discard, Verdict
from tests.ip6.fragments import cut, part
from tests.playbook import OUR_LINK_LOCAL, PEER_LINK_LOCAL, Play, checksum, icmp, ip

pytestmark = pytest.mark.long

OURS, PEER = ip(OUR_LINK_LOCAL), ip(PEER_LINK_LOCAL)


def datagram(number: int, size: int) -> bytes:
    """A UDP datagram to port 9 whose data tells which it is."""
    data = number.to_bytes(2, "big") + Random(number).randbytes(size)
    plain = b"\x00\x07\x00\x09" + (8 + len(data)).to_bytes(2, "big") + b"\0\0" + data
    value = checksum(PEER, OURS, 17, plain) or 0xFFFF
    return plain[:6] + value.to_bytes(2, "big") + plain[8:]


def listening(**options: int) -> tuple[Play, list[bytes]]:
    """A host that collects what arrives at port 9."""
    play = Play(icmp_ratelimit=0, **options).start().meet()
    arrived: list[bytes] = []
    socket = play.host.udp.open()
    socket.bind(None, 9)

    def take() -> None:
        found = socket.receive()
        assert found is not None
        arrived.append(found.data)

    socket.heard = take
    return play, arrived


PIECES = st.lists(st.integers(1, 40), min_size=1, max_size=12)
SIZES = st.integers(0, 900)


@st.composite
def fragments(draw: st.DrawFn, number: int) -> list[tuple[int, bytes, bool]]:
    """A packet in parts of any lengths: start, octets, whether more follow."""
    octets = datagram(number, draw(SIZES))
    cuts = [8 * each for each in draw(PIECES)]
    found: list[tuple[int, bytes, bool]] = []
    at = 0
    while at < len(octets):
        length = cuts[len(found) % len(cuts)]
        found.append((at, octets[at : at + length], at + length < len(octets)))
        at += length
    return found


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_packet_or_nothing(data: st.DataObject) -> None:
    """Whatever the order, and whatever comes twice: with all of its parts a packet arrives, with less it does not."""
    play, arrived = listening()
    count = data.draw(st.integers(1, 4))
    packets = [data.draw(fragments(number)) for number in range(count)]
    every = [(number, each) for number, parts in enumerate(packets) for each in parts if len(parts) > 1]
    lost = set(data.draw(st.lists(st.integers(0, max(0, len(every) - 1)), max_size=3)))
    kept = [each for at, each in enumerate(every) if at not in lost]
    doubles = data.draw(st.lists(st.sampled_from(kept), max_size=6)) if kept else []
    sequence = data.draw(st.permutations(kept + doubles))
    for number, (start, octets, more) in sequence:
        play.receive(part(octets, start, more, identification=number, last=17))
    whole = {number: b"".join(octets for _, octets, _ in parts)[8:] for number, parts in enumerate(packets)}
    complete = {
        number for number, parts in enumerate(packets) if len(parts) > 1 and all((number, e) in kept for e in parts)
    }
    # One that came whole may come a second time, out of its doubles.
    assert set(arrived) == {whole[number] for number in complete}
    play.run(play.now + 61)
    assert len(play.host.reassembler) == play.host.reassembler.cost == 0


class Fragments(RuleBasedStateMachine):
    """Parts of few identifications that fit, overlap and disagree, from few sources, with time passing.

    Memory, number and time stay within their bounds, and every deadline is that of a packet that is there.
    """

    @initialize()
    def begin(self) -> None:
        self.play, self.arrived = listening(ip6frag_high_thresh=20_000, max_reassemblies=12, max_reassemblies_source=5)
        self.octets = [datagram(number, 60 + 20 * number) for number in range(4)]

    @rule(number=st.integers(0, 3), source=st.integers(1, 4), start=st.integers(0, 20), length=st.integers(0, 20))
    def honest(self, number: int, source: int, start: int, length: int) -> None:
        octets = self.octets[number]
        stop = min(len(octets), 8 * (start + length))
        self._part(octets[8 * start : stop], 8 * start, stop < len(octets), number, source)

    @rule(number=st.integers(0, 3), source=st.integers(1, 4), start=st.integers(0, 8191), octets=st.binary(max_size=64))
    def forged(self, number: int, source: int, start: int, octets: bytes) -> None:
        self._part(octets, 8 * start, True, number, source)
        self._part(octets, 8 * start, False, number, source)

    @rule(number=st.integers(0, 3), size=st.sampled_from([8, 16, 64]))
    def all_of_it(self, number: int, size: int) -> None:
        for each in cut(icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, 128, 0, bytes(100)), size):
            self.play.receive(each)

    @rule(seconds=st.floats(0, 70))
    def wait(self, seconds: float) -> None:
        self.play.run(self.play.now + seconds)

    def _part(self, octets: bytes, start: int, more: bool, number: int, source: int) -> None:
        outcome = self.play.receive(
            part(octets, start, more, source=f"fe80::{source:x}", identification=number, last=17)
        )
        assert outcome in Verdict or outcome in Discard

    @invariant()
    def bounded(self) -> None:
        if not hasattr(self, "play"):
            return
        reassembler = self.play.host.reassembler
        assert reassembler.cost <= 20_000
        assert len(reassembler) <= 12
        assert reassembler.cost == sum(each.cost for each in reassembler.packets.values())
        held = sum(len(octets) for each in reassembler.packets.values() for octets in each.parts.values())
        assert held <= reassembler.cost
        for each in reassembler.packets.values():
            assert each.timer.active
            assert each.timer.deadline <= self.play.now + 60


Fragments.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestFragments = Fragments.TestCase
