"""The trio edge over a device that is one end of a socket pair: frames, deadlines, calls, and the device's changes."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from random import Random

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from stack.errors import LinkError, LinkGoneError, RefusedError
from stack.host import Host
from stack.multicast_filter import FilterPlan
from stack.runtime import BATCH, Runtime
from stack.settings import Settings
from tests.device import PairDevice
from tests.playbook import (
    OUR_LINK_LOCAL,
    OUR_MAC,
    PEER_MAC,
    TO_EX,
    TO_IN,
    Sent,
    echo_request,
    ip,
    record_types,
    records,
    solicitation,
)


class Stage:
    """A host over a PairDevice; `told` are the lines for the user, `plans` what the driver was given."""

    def __init__(self, **settings: int) -> None:
        self.device = PairDevice()
        self.told: list[str] = []
        self.plans: list[FilterPlan] = []
        self.refuse = False
        self.host = Host(Random(1), Settings(**({"dad_transmits": 0} | settings)))
        self.interface = self.host.attach("t0", OUR_MAC, index=self.device.index, program=self._program)
        self.runtime = Runtime(self.host, self.interface, self.device, self.told.append)

    def _program(self, plan: FilterPlan) -> None:
        if self.refuse:
            raise OSError(22, "Invalid argument")
        self.plans.append(plan)

    def close(self) -> None:
        self.device.close()

    def sent(self, kind: int) -> list[Sent]:
        found = [Sent(0.0, frame) for frame in self.device.frames()]
        return [each for each in found if each.kind == kind]


@asynccontextmanager
async def running(**settings: int) -> AsyncIterator[Stage]:
    with closing(Stage(**settings)) as stage:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stage.runtime.run)
            await until(lambda: stage.interface.up)
            yield stage
            nursery.cancel_scope.cancel()


async def until(condition: Callable[[], object]) -> None:
    """Let the other tasks run until it is so."""
    with trio.fail_after(20):
        while not condition():
            await trio.sleep(0.005)


async def test_frames_are_answered() -> None:
    async with running() as stage:
        stage.device.frames()
        stage.device.peer.send(solicitation(OUR_LINK_LOCAL))
        stage.device.peer.send(echo_request())
        replies: list[Sent] = []
        await until(lambda: replies.extend(stage.sent(129)) or replies)
        assert replies[0].to == PEER_MAC


async def test_more_than_a_batch_loses_nothing() -> None:
    async with running() as stage:
        stage.device.peer.send(solicitation(OUR_LINK_LOCAL))
        stage.device.frames()
        answered = 0
        sent = 0
        while answered < 3 * BATCH:
            while sent < 3 * BATCH:
                try:
                    stage.device.peer.send(echo_request(sequence=sent))
                except BlockingIOError:
                    break
                sent += 1
            await trio.lowlevel.checkpoint()
            answered += len(stage.sent(129))
        assert stage.host.counters.frames_in == 3 * BATCH + 1


async def test_deadlines_are_kept_without_any_frame() -> None:
    """Duplicate address detection runs from its timers alone."""
    async with running(dad_transmits=1, retrans_time_ms=20) as stage:
        await until(lambda: stage.interface.addresses.link_local() is not None)
        assert [each.kind for each in map(Sent, [0.0] * 9, stage.device.frames())].count(135) == 1


async def test_a_call_brings_the_next_deadline_forward() -> None:
    """The loop sleeps until its deadline; a call that arms an earlier timer wakes it in time."""
    async with running() as stage:
        await until(lambda: stage.runtime.call(lambda now: stage.host.next_deadline()) is not None)
        fired: list[float] = []
        stage.runtime.call(lambda now: stage.host.timers.at(now + 0.01, fired.append))
        await until(lambda: fired)


async def test_what_a_call_sends_leaves_at_once() -> None:
    async with running() as stage:
        stage.device.frames()
        stage.runtime.call(lambda now: stage.interface.listener.join(ip("ff05::7"), now))
        assert record_types(stage.sent(143), "ff05::7") == [TO_EX]


async def test_what_is_sent_soon_leaves_though_it_was_asked_for_before_the_start() -> None:
    frame = bytes(range(60))
    with closing(Stage(router_solicitations=0)) as stage:
        stage.runtime.end_soon(stage.runtime.begin("early"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stage.runtime.run)
            await until(lambda: stage.interface.up)
            for _ in range(2):
                await wait_all_tasks_blocked()
                stage.device.frames()
                now = stage.runtime.begin("send")
                stage.host.queue_frame(stage.interface, frame)
                stage.runtime.end_soon(now)
                await wait_all_tasks_blocked()
                assert frame in stage.device.frames()
            nursery.cancel_scope.cancel()


async def test_a_driver_that_refuses_is_one_error_and_no_membership() -> None:
    async with running() as stage:
        stage.refuse = True
        with pytest.raises(LinkError, match="t0: the driver refuses the multicast filter: Invalid argument"):
            stage.runtime.call(lambda now: stage.interface.listener.join(ip("ff05::7"), now))
        assert ip("ff05::7") not in stage.interface.listener.groups


@pytest.mark.parametrize("version", [1, 2])
async def test_stop_takes_back_each_reported_group_once(version: int) -> None:
    async with running(force_mld_version=version) as stage:
        stage.runtime.call(lambda now: stage.interface.listener.join(ip("ff05::7"), now))
        stage.device.frames()
        stage.runtime.stop()
        if version == 1:
            assert sorted(each.target for each in stage.sent(132)) == ["ff02::1:ff00:1", "ff05::7"]
        else:
            (report,) = stage.sent(143)
            assert sorted(records(report)) == [(TO_IN, "ff02::1:ff00:1", ()), (TO_IN, "ff05::7", ())]
        assert stage.runtime.call(lambda now: len(stage.interface.listener.groups)) == 0


async def test_frames_that_the_device_refuses_are_counted() -> None:
    async with running() as stage:
        before = stage.host.counters.out_discards
        stage.device.up = False
        stage.runtime.call(lambda now: stage.interface.listener.join(ip("ff05::7"), now))
        assert stage.host.counters.out_discards == before + 1


async def test_link_down_and_up() -> None:
    async with running() as stage:
        stage.runtime.call(lambda now: stage.interface.listener.join(ip("ff05::7"), now))
        stage.device.frames()
        stage.runtime.take_down()
        stage.runtime.take_down()
        assert (stage.device.carrier, stage.interface.up) == (False, False)
        assert stage.device.frames() == [], "no leaves"
        with pytest.raises(RefusedError, match="t0 is down"):
            stage.runtime.restart()
        stage.runtime.bring_up()
        stage.runtime.bring_up()
        assert (stage.device.carrier, stage.interface.up) == (True, True)
        await until(lambda: ip("ff05::7") in stage.interface.listener.groups)
        assert record_types(stage.sent(143), "ff05::7") == [TO_EX]


class TestDevice:
    """What others do to the device: followed, and told in one line."""

    async def test_down_and_up(self) -> None:
        async with running() as stage:
            self.change(stage, up=False)
            assert stage.told == ["t0 is down; the host waits until it is up"]
            assert not stage.interface.up
            with pytest.raises(RefusedError, match="as root: ip link set t0 up"):
                stage.runtime.bring_up()
            self.change(stage, up=True)
            assert stage.interface.up
            assert len(stage.told) == 1

    async def test_up_again_after_the_user_took_the_link_down(self) -> None:
        async with running() as stage:
            stage.runtime.take_down()
            self.change(stage, up=False)
            self.change(stage, up=True)
            assert not stage.interface.up, "the user's word stands"

    async def test_mtu(self) -> None:
        async with running() as stage:
            self.change(stage, mtu=1400)
            assert (stage.interface.mtu, stage.told) == (1400, ["t0 has an MTU of 1400 bytes now"])
            self.change(stage, mtu=1000)
            assert stage.interface.mtu == 1280
            assert stage.told[1] == "t0 has an MTU of 1000 bytes now; IPv6 needs 1280, and keeps it"

    async def test_bridge(self) -> None:
        async with running() as stage:
            self.change(stage, master=7)
            self.change(stage, master=None)
            assert stage.told == ["t0 is a port of another bridge now", "t0 is no longer a port of a bridge"]

    async def test_the_kernels_mac_becomes_ours(self) -> None:
        async with running() as stage:
            self.change(stage, mac=OUR_MAC)
            assert len(stage.told) == 1
            assert "the host's own MAC" in stage.told[0]

    async def test_nothing_new_is_nothing_told(self) -> None:
        async with running() as stage:
            self.change(stage)
            assert stage.told == []

    async def test_deleted(self) -> None:
        async with running() as stage:
            with pytest.raises(LinkGoneError, match="t0 was deleted"):
                stage.runtime.follow(None)

    async def test_deleted_and_therefore_down(self) -> None:
        """The kernel takes down first what it deletes: that is one line and not two."""
        async with running() as stage:
            stage.device.deleted = True
            with pytest.raises(LinkGoneError):
                self.change(stage, up=False)
            assert stage.told == []
            stage.device.deleted = False

    def change(self, stage: Stage, **changes: object) -> None:
        """The kernel says that the device is another now."""
        said = stage.device.described(**changes)
        for name, value in changes.items():
            setattr(stage.device, "kernel_mtu" if name == "mtu" else name, value)
        stage.runtime.follow(said)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with closing(Stage()) as stage:
        yield stage


async def test_a_deleted_device_ends_the_run(stage: Stage) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stage.runtime.run)
            await until(lambda: stage.interface.up)
            stage.device.deleted = True
            stage.device.peer.send(b"wakes the loop")
    assert caught.group_contains(LinkGoneError, match="t0 was deleted")


async def test_a_device_that_is_gone_before_the_start(stage: Stage) -> None:
    stage.device.deleted = True
    with pytest.raises(LinkGoneError):
        await stage.runtime.run()


async def test_a_device_that_is_down_at_the_start_is_waited_for(stage: Stage) -> None:
    stage.device.up = False
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stage.runtime.run)
        await wait_all_tasks_blocked()
        assert not stage.interface.up
        stage.device.up = True
        stage.runtime.follow(stage.device.state())
        assert stage.interface.up
        nursery.cancel_scope.cancel()


async def test_no_descriptor_is_left_open() -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    async with running():
        pass
    assert len(list(Path("/proc/self/fd").iterdir())) == before
