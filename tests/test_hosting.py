"""`open_host`: hosts for a program's own use, on links in memory and in virtual time."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

import stack
from stack.errors import LinkGoneError, RefusedError, UsageError
from stack.icmp6.echo import EchoAnswer, EchoError
from stack.link.frame_link import FrameLink
from tests.playbook import OUR_LINK_LOCAL, OUR_MAC, TO_EX, TO_IN, Sent, echo_request, ip, records, solicitation

GROUP = "ff05::77"
OURS = OUR_MAC.hex(":")


@pytest.fixture
def clock() -> MockClock:
    """Time passes when nobody has anything to do."""
    return MockClock(autojump_threshold=0)


@asynccontextmanager
async def two_hosts(**options: object) -> AsyncIterator[tuple[stack.RunningHost, stack.RunningHost]]:
    switch = stack.Switch()
    async with (
        stack.open_host(switch.add_port("a"), seed=1, **options) as one,  # type: ignore[arg-type]
        stack.open_host(switch.add_port("b"), seed=2, **options) as other,  # type: ignore[arg-type]
    ):
        yield one, other


def reported(frames: list[bytes], group: str) -> list[int]:
    """The types of the records of a group in version 2 reports."""
    found = []
    for frame in frames:
        sent = Sent(0.0, frame)
        if sent.packet[6] == 0 and sent.kind == 143:
            found += [kind for kind, each, _ in records(sent) if each == group]
    return found


class Listening(FrameLink):
    """A link that keeps what the host sends."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        super().__init__("t0", index=3, sent=self._keep)

    def _keep(self, frame: bytes) -> bool:
        self.frames.append(frame)
        return True


class TestLife:
    async def test_it_has_its_address_when_the_block_begins(self, clock: MockClock) -> None:
        async with stack.open_host(Listening(), mac=OURS) as host:
            assert host.interface.addresses == [OUR_LINK_LOCAL]
            assert (host.interface.name, host.interface.index, host.interface.mac) == ("t0", 3, OURS)
            assert host.interface.link_local == OUR_LINK_LOCAL
            # RFC 4862 5.4: a delay of up to 1 s, then RetransTimer.
            assert 1.0 <= trio.current_time() <= 2.1

    async def test_without_waiting(self, clock: MockClock) -> None:
        async with stack.open_host(Listening(), mac=OURS, wait=False) as host:
            assert host.interface.addresses == []
            with pytest.raises(RefusedError, match="no link-local address yet"):
                _ = host.interface.link_local
            await host.ready()
            assert host.interface.addresses == [OUR_LINK_LOCAL]

    async def test_addresses_and_settings(self, clock: MockClock) -> None:
        async with stack.open_host(
            Listening(), addresses=["2001:db8::5/64"], settings={"hop_limit": 9, "addr_gen_mode": 1}
        ) as host:
            assert host.interface.addresses == ["2001:db8::5"]
            assert host.core.settings.hop_limit == 9
            host.set("hop_limit", 10)
            assert host.core.settings.hop_limit == 10
            host.interface.add_address("2001:db8::6/64", nodad=True)
            assert host.interface.addresses == ["2001:db8::5", "2001:db8::6"]
            host.interface.remove_address("2001:db8::5")
            assert host.interface.addresses == ["2001:db8::6"]

    @pytest.mark.parametrize(
        "words", [{"mac": "33:33:00:00:00:01"}, {"addresses": ["2001:db8::g"]}, {"settings": {"hop_limit": 256}}]
    )
    async def test_bad_words(self, words: dict[str, object]) -> None:
        link = Listening()
        with pytest.raises(UsageError):
            async with stack.open_host(link, **words):  # type: ignore[arg-type]
                raise AssertionError
        assert not link.carrier, "the link is closed whatever happens"

    async def test_a_duplicate_address(self, clock: MockClock) -> None:
        """RFC 4862 5.4.5: an address made from the MAC that is in use already."""
        switch = stack.Switch()
        async with stack.open_host(switch.add_port("a"), mac=OURS):
            with pytest.raises(RefusedError, match="in use on this link already"):
                async with stack.open_host(switch.add_port("b"), mac=OURS):
                    raise AssertionError

    async def test_groups_are_left_at_the_end(self, clock: MockClock) -> None:
        """The issue's `leaves whatever happens`: one record for each group, in one report."""
        link = Listening()
        with pytest.raises(ValueError, match="of the block"):
            async with stack.open_host(link, mac=OURS):
                await trio.sleep(30)
                link.frames.clear()
                raise ValueError("of the block")
        assert reported(link.frames, "ff02::1:ff00:1") == [TO_IN]

    async def test_cancelled(self, clock: MockClock) -> None:
        link = Listening()
        with trio.move_on_after(30) as scope:
            async with stack.open_host(link, mac=OURS):
                await trio.sleep_forever()
        assert scope.cancelled_caught
        assert reported(link.frames, "ff02::1:ff00:1")[-1] == TO_IN

    async def test_a_device_that_goes_away(self) -> None:
        from tests.device import PairDevice

        class Device(PairDevice):
            def program(self, plan: object) -> None:
                return

        device = Device()
        with pytest.raises(LinkGoneError, match="t0 was deleted"):
            async with stack.open_host(device, settings={"dad_transmits": 0}):
                device.deleted = True
                device.peer.send(b"wakes the loop")
                await trio.sleep(10)

    async def test_the_same_seed_is_the_same_host(self, clock: MockClock) -> None:
        sent = []
        for _ in range(2):
            link = Listening()
            async with stack.open_host(link, seed=5):
                await trio.sleep(20)
            sent.append(link.frames)
        assert sent[0] and sent[0] == sent[1]


class TestTogether:
    async def test_ping(self, clock: MockClock) -> None:
        async with two_hosts() as (one, other):
            answer = await one.ping(other.interface.link_local)
            assert isinstance(answer, EchoAnswer)
            assert answer.source == ip(other.interface.link_local)
            nobody = await one.ping("fe80::99", timeout=10)
            assert isinstance(nobody, EchoError)
            assert (nobody.type, nobody.code) == (1, 3)
            with pytest.raises(trio.TooSlowError):
                await one.ping("ff02::9")
            own = await one.ping("::1")
            assert isinstance(own, EchoAnswer)
            assert one.core.echoes.sessions == {}

    async def test_a_simulated_hour_takes_a_moment(self, clock: MockClock) -> None:
        async with two_hosts() as (one, _):
            await trio.sleep(3600)
            assert trio.current_time() > 3600
            assert one.counters()["Icmp6OutMLDv2Reports"] > 0

    async def test_a_cable_that_is_pulled(self, clock: MockClock) -> None:
        async with two_hosts() as (one, other):
            address = other.interface.link_local
            other.runtime.take_down()
            with pytest.raises(trio.TooSlowError):
                await one.ping(address, timeout=0.5)
            other.runtime.bring_up()
            await other.ready()
            # What was asked while it was gone has found nobody by then.
            await trio.sleep(5)
            assert isinstance(await one.ping(address), EchoAnswer)


class TestJoined:
    async def test_for_as_long_as_the_block(self, clock: MockClock) -> None:
        link = Listening()
        async with stack.open_host(link, mac=OURS) as host:
            await trio.sleep(30)
            link.frames.clear()
            async with host.interface.joined(GROUP):
                assert ip(GROUP) in host.interface.core.listener.groups
            assert ip(GROUP) not in host.interface.core.listener.groups
            assert reported(link.frames, GROUP) == [TO_EX, TO_IN]

    @pytest.mark.parametrize("ends", ["raise", "cancel"])
    async def test_it_leaves_whatever_happens(self, clock: MockClock, ends: str) -> None:
        async with stack.open_host(Listening()) as host:
            groups = host.interface.core.listener.groups
            with trio.CancelScope() as scope:
                try:
                    async with host.interface.joined(GROUP, include=["2001:db8::9"]):
                        (membership,) = groups.records[ip(GROUP)].memberships.values()
                        assert membership.filter.sources == {ip("2001:db8::9")}
                        if ends == "raise":
                            raise ValueError
                        scope.cancel()
                        await trio.sleep_forever()
                except ValueError:
                    assert ends == "raise"
            assert ip(GROUP) not in groups

    async def test_of_two_the_other_stays(self, clock: MockClock) -> None:
        async with stack.open_host(Listening()) as host, host.interface.joined(GROUP):
            async with host.interface.joined(GROUP, exclude=["2001:db8::9"]):
                assert host.interface.core.listener.groups.records[ip(GROUP)].refcount == 2
            assert ip(GROUP) in host.interface.core.listener.groups

    @pytest.mark.parametrize(
        "words", [("fe80::1", {}), (GROUP, {"include": []}), (GROUP, {"include": ["::9"], "exclude": ["::8"]})]
    )
    async def test_bad_words(self, clock: MockClock, words: tuple[str, dict[str, list[str]]]) -> None:
        async with stack.open_host(Listening()) as host:
            with pytest.raises(UsageError):
                async with host.interface.joined(words[0], **words[1]):
                    raise AssertionError


class TestLinks:
    async def test_frames_that_a_program_feeds(self, clock: MockClock) -> None:
        link = Listening()
        async with stack.open_host(link, mac=OURS) as host:
            link.feed(solicitation(OUR_LINK_LOCAL))
            link.frames.clear()
            link.feed(echo_request())
            await trio.sleep(1)
            assert 129 in [Sent(0.0, each).kind for each in link.frames]
            assert link.plan is not None
            assert host.counters()["FramesIn"] == 2

    async def test_too_many_frames(self) -> None:
        link = FrameLink(limit=2)
        assert [link.feed(b"frame") for _ in range(3)] == [True, True, False]
        assert link.dropped == 1
        assert link.read(1) == [b"frame"]
        assert link.write(b"nobody looks")
        link.set_carrier(False)
        assert (link.feed(b"frame"), link.read(), link.write(b"frame")) == (False, [], False)

    async def test_a_capture(self, clock: MockClock, tmp_path: Path) -> None:
        """Its frames arrive as far apart as they were captured; what the host says to it is kept."""
        import dpkt

        path = tmp_path / "few.pcap"
        with path.open("wb") as file:
            writer = dpkt.pcap.Writer(file)
            for time, frame in ((1000.0, solicitation(OUR_LINK_LOCAL)), (1002.5, echo_request())):
                writer.writepkt(frame, ts=time)
        link = stack.CaptureLink(path)
        async with stack.open_host(link, mac=OURS) as host:
            began = trio.current_time()
            await link.finished.wait()
            assert trio.current_time() - began == pytest.approx(2.5)
            await trio.sleep(0.1)
            assert host.counters()["Icmp6InEchos"] == 1
        assert [Sent(0.0, each).kind for each in link.answers if each[20] == 58][-1] == 129

    async def test_what_is_no_capture(self, clock: MockClock, tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(b"no capture")
        with pytest.raises(UsageError):
            async with stack.open_host(stack.CaptureLink(tmp_path / "x")):
                await trio.sleep(5)

    async def test_a_switch_that_snoops(self, clock: MockClock) -> None:
        switch = stack.Switch(snooping=True)
        async with stack.open_host(switch.add_port("a")), stack.open_host(switch.add_port("b")):
            assert switch.core.snooping is not None


def test_importing_the_package_is_cheap() -> None:
    """A command's start-up time is part of its behaviour: nothing but the package itself."""
    code = (
        "import sys, stack; "
        "print(sorted(m for m in sys.modules if m.partition('.')[0] in ('stack', 'trio', 'typing', 'construct')))"
    )
    # A measurement of coverage imports its own modules into every process.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, env=plain)
    assert done.stdout == "['stack']\n"


def test_every_name_that_is_offered_is_there() -> None:
    assert all(getattr(stack, name).__name__ == name for name in stack.__all__)
    with pytest.raises(AttributeError, match="nothing"):
        _ = stack.nothing
