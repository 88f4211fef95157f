"""What a ping measures, on a clock of its own."""

from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from stack.control.arguments import Arguments
from stack.control.ping import ping
from stack.wire.icmpv6 import ECHO_REPLY
from tests.control.test_control import Served, serving
from tests.playbook import OUR_LINK_LOCAL, PEER_LINK_LOCAL, PEER_MAC, Sent, frame, icmp, ip, packet

_ECHO_REQUEST = 128
_WRITING = 0.25  # seconds


@pytest.fixture
def clock() -> MockClock:
    return MockClock(autojump_threshold=0.01)


def answer_while_written(served: Served, clock: MockClock) -> None:
    """A frame takes its time to be written, and its answer is there before the write returns, as on one machine."""

    def write(octets: bytes) -> bool:
        sent = Sent(0.0, octets)
        if sent.kind == _ECHO_REQUEST:
            clock.jump(_WRITING)
            reply = icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, ECHO_REPLY, 0, sent.message[4:])
            served.device.peer.send(frame(packet(PEER_LINK_LOCAL, OUR_LINK_LOCAL, reply)))
        return True

    served.device.write = write  # type: ignore[method-assign]


async def test_the_time_of_a_request_is_before_it_is_written(tmp_path: Path, clock: MockClock) -> None:
    """As ping(8) has it: the time in which the packet, or its fragments, are written is part of the round trip."""
    events: list[dict[str, Any]] = []

    async def tell(event: dict[str, Any]) -> None:
        events.append(event)

    async with serving(tmp_path) as served:
        served.interface.resolver.add_permanent(ip(PEER_LINK_LOCAL), PEER_MAC, trio.current_time())
        answer_while_written(served, clock)
        await ping(served.runtime, Arguments({"address": PEER_LINK_LOCAL, "count": 1}), tell)
    (reply,) = (event for event in events if event["kind"] == "reply")
    assert reply["time"] >= _WRITING
