"""The command line itself: the real executable against a host in this process, and what it says to wrong words."""

import json
import signal
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trio

from stack.cli.main import COMMANDS
from stack.cli.ping import Tally, describe_error
from stack.wire.icmpv6 import ECHO_REPLY
from tests.control.test_control import Served, serving
from tests.playbook import OUR_LINK_LOCAL, OUR_MAC, PEER_LINK_LOCAL, PEER_MAC, frame, icmp, ip, packet

SIXTAP = str(Path(sys.executable).with_name("sixtap"))


def plain(*words: str) -> "subprocess.CompletedProcess[str]":
    """One command without any host running that it could find."""
    return subprocess.run([SIXTAP, *words], capture_output=True, text=True, timeout=60, check=False)


async def sixtap(served: Served, *words: str, status: int = 0) -> str:
    """One command put to the host; its standard output."""
    command = [SIXTAP, "--control", str(served.control.path), *words]
    done = await trio.run_process(command, capture_stdout=True, capture_stderr=True, check=False)
    assert done.returncode == status, done.stdout.decode() + done.stderr.decode()
    if status:
        assert done.stderr.count(b"\n") == 1 or not done.stderr
        assert b"Traceback" not in done.stderr
    return done.stdout.decode()


async def as_json(served: Served, *words: str) -> Any:
    return json.loads(await sixtap(served, *words, "-j"))


class TestShown:
    """What a person reads."""

    async def test_addresses(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            assert await sixtap(served, "addr", "add", "2001:db8::5/64", "--valid-lft", "100", "--nodad") == ""
            lines = (await sixtap(served, "addr")).splitlines()
            assert lines[0].startswith("7: t0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP")
            assert lines[1] == f"    link/ether {OUR_MAC.hex(':')} brd ff:ff:ff:ff:ff:ff"
            assert lines[2] == f"    inet6 {OUR_LINK_LOCAL}/64 scope link"
            assert lines[3] == "       valid_lft forever preferred_lft forever"
            assert lines[4] == "    inet6 2001:db8::5/64 scope global dynamic nodad"
            assert lines[5].startswith("       valid_lft ")
            assert (await sixtap(served, "address", "list")).splitlines()[:5] == lines[:5]

    async def test_an_autoconfigured_address(self, tmp_path: Path) -> None:
        """ip-address(8): what temporary addresses are made beside is mngtmpaddr, in the text as in the document."""
        # RFC 4861 4.2, 4.6.2: a prefix on the link and for autoconfiguration, for an hour.
        prefix = struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 3600, 3600, 0) + ip("2001:db8:1::")
        body = struct.pack("!BBHII", 64, 0, 0, 0, 0) + prefix
        octets = frame(packet(PEER_LINK_LOCAL, "ff02::1", icmp(PEER_LINK_LOCAL, "ff02::1", 134, 0, body)))
        async with serving(tmp_path) as served:
            served.host.receive(octets, trio.current_time())
            text = await sixtap(served, "addr")
            (shown,) = [each for each in text.splitlines() if "inet6 2001:db8:1:" in each]
            assert shown.endswith("/64 scope global dynamic mngtmpaddr")
            (link,) = await as_json(served, "addr")
            (entry,) = [each for each in link["addr_info"] if each["local"].startswith("2001:db8:1:")]
            assert entry["mngtmpaddr"] is True

    async def test_link(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await sixtap(served, "link", "set", "mtu", "1400")
            await sixtap(served, "link", "down")
            assert "NO-CARRIER" in await sixtap(served, "link")
            assert "mtu 1400 state DOWN" in await sixtap(served, "link", "show")
            await sixtap(served, "link", "up")
            await sixtap(served, "link", "set", "address", "02:00:5e:10:00:0a")
            assert "02:00:5e:10:00:0a" in await sixtap(served, "link")

    async def test_groups(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            # The repeat is to be still due when the list is shown, however slow that is.
            served.host.settings.mldv2_unsolicited_report_interval = 3_600_000
            number = (await sixtap(served, "maddr", "join", "ff05::7")).strip()
            rows = {line.split()[0]: line.split() for line in (await sixtap(served, "maddr")).splitlines()}
            assert rows["GROUP"] == ["GROUP", "ON", "REFS", "MODE", "STATE", "LAST", "TIMER"]
            assert rows["ff05::7"][1:6] == [OUR_LINK_LOCAL, "1", "exclude", "delaying", "us"]
            assert "exact" in await sixtap(served, "maddr", "filter")
            await sixtap(served, "maddr", "leave", "ff05::7", "--id", number)
            assert "ff05::7" not in await sixtap(served, "maddr")
            await sixtap(served, "maddr", "leave", "ff05::7", status=1)
            assert await sixtap(served, "maddr", "saved") == "t0: none\n"
            await sixtap(served, "set", "filter_allmulti_bits=0")
            for last in range(9):
                await served.ask("maddr join", group=f"ff05::{0x100 + last:x}")
            assert "every multicast frame passes" in await sixtap(served, "maddr", "filter")

    async def test_source_filters(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await sixtap(served, "maddr", "join", "ff05::7", "--include", "2001:db8::1,2001:db8::2")
            assert "include,2001:db8::1,2001:db8::2" in await sixtap(served, "maddr")
            await sixtap(served, "maddr", "listen", "s1", "ff05::8", "exclude", "2001:db8::3")
            assert "exclude,2001:db8::3" in await sixtap(served, "maddr")
            document = await as_json(served, "maddr", "listen", "s1", "ff05::8", "include")
            assert document == {"id": None, "group": "ff05::8", "mode": "include", "sources": []}
            await sixtap(served, "maddr", "listen", "s1", "ff05::8", "maybe", status=2)
            await sixtap(served, "maddr", "join", "ff35::7", status=2)

    async def test_sysctls(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            text = await sixtap(served, "get", "net.inet6.multicast")
            assert [OUR_LINK_LOCAL, "ff02::1", "1"] in [line.split() for line in text.splitlines()]
            listed = await as_json(served, "get", "net.inet6.multicast.7")
            assert {"ifaddr": OUR_LINK_LOCAL, "group": "ff02::1", "refcount": 1} in listed
            assert await sixtap(served, "get", "net.inet6.multicast_kludge") == ""
            await sixtap(served, "get", "net.inet6.multicast.99", status=1)
            await sixtap(served, "get", "net.inet6.unicast", status=2)

    async def test_neighbours(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await sixtap(served, "neigh", "add", "fe80::9", "lladdr", "02:00:5e:10:00:09")
            assert await sixtap(served, "neigh") == "fe80::9 dev t0 lladdr 02:00:5e:10:00:09 PERMANENT\n"
            await sixtap(served, "neigh", "flush")
            await sixtap(served, "neigh", "del", "fe80::9")
            assert await sixtap(served, "neighbour", "show") == ""
            await sixtap(served, "neigh", "add", "fe80::9", "mac", "02:00:5e:10:00:09", status=2)

    async def test_settings(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            listed = {line.split()[0]: line.split()[1] for line in (await sixtap(served, "set")).splitlines()}
            assert listed["hop_limit"] == "64"
            assert await sixtap(served, "set", "hop_limit=9", "retrans_time_ms=500") == ""
            assert await as_json(served, "set", "hop_limit=10") == {"hop_limit": 10}
            assert (await as_json(served, "set"))["retrans_time_ms"] == 500
            await sixtap(served, "set", "hop_limit=0", status=2)
            await sixtap(served, "set", "hop_limit", status=2)

    async def test_counters(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            every = await as_json(served, "stats")
            some = await as_json(served, "stats", "--nonzero")
            # The host goes on between the two questions: its counters only grow.
            assert {name for name, value in every.items() if value} <= set(some) < set(every)
            assert all(some.values())
            assert f"{'Ip6InReceives':<32}0\n" in await sixtap(served, "stats")
            assert "Ip6InReceives" not in await sixtap(served, "stats", "--nonzero")

    async def test_restart(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            before = served.interface.addresses.get(served.interface.addresses.first() or b"")
            assert await sixtap(served, "restart") == ""
            assert served.interface.addresses.get(served.interface.addresses.first() or b"") is not before

    async def test_json_goes_before_or_after_the_command(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            texts = [
                await sixtap(served, *words)
                for words in (("-j", "addr"), ("addr", "-j"), ("addr", "show", "--json"), ("addr", "-j", "show"))
            ]
            assert len({json.dumps(json.loads(text)) for text in texts}) == 1

    async def test_changes_are_silent_and_an_empty_document_in_json(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            assert await as_json(served, "addr", "add", "2001:db8::5/64") == {}
            assert await as_json(served, "addr", "del", "2001:db8::5") == {}


class TestOutput:
    """Where nothing can be written: one line, and never a traceback."""

    @pytest.mark.parametrize("words", [("demo", "--list"), ("demo", "first"), ("completion", "bash")])
    def test_on_a_full_disk(self, words: tuple[str, ...]) -> None:
        with Path("/dev/full").open("w") as full:
            done = subprocess.run([SIXTAP, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert (done.returncode, done.stderr) == (1, "sixtap: standard output: No space left on device\n")

    @pytest.mark.parametrize("words", [("demo", "--list"), ("demo", "first"), ("completion", "bash")])
    def test_closed(self, words: tuple[str, ...]) -> None:
        command = ["sh", "-c", 'exec "$0" "$@" >&-', SIXTAP, *words]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


async def answering(served: Served, *, kind: int = ECHO_REPLY) -> None:
    """The peer at the other end: it answers every echo request of the host."""
    await served.ask("neigh add", address=PEER_LINK_LOCAL, lladdr=PEER_MAC.hex(":"))
    while True:
        await trio.sleep(0.005)
        for sent in served.sent(128):
            body = sent.message[4:]
            reply = packet(
                PEER_LINK_LOCAL, OUR_LINK_LOCAL, icmp(PEER_LINK_LOCAL, OUR_LINK_LOCAL, kind, 0, body), hop_limit=60
            )
            served.device.peer.send(frame(reply))


class TestPing:
    async def test_answered(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served, trio.open_nursery() as nursery:
            nursery.start_soon(answering, served)
            document = await as_json(served, "ping", "-c", "3", "-i", "0.01", "-s", "100", f"{PEER_LINK_LOCAL}%t0")
            text = await sixtap(served, "ping", "-c", "2", "-i", "0.01", PEER_LINK_LOCAL)
            nursery.cancel_scope.cancel()
        assert (document["transmitted"], document["received"], document["errors"]) == (3, 3, [])
        first = document["replies"][0]
        assert first.pop("time") > 0
        assert first == {"seq": 1, "from": PEER_LINK_LOCAL, "bytes": 108, "hoplimit": 60}
        lines = text.splitlines()
        assert lines[0] == f"PING {PEER_LINK_LOCAL} 56 data bytes"
        assert lines[1].startswith(f"64 bytes from {PEER_LINK_LOCAL}: icmp_seq=1 ttl=60 time=")
        assert lines[-3:-1] == [
            f"--- {PEER_LINK_LOCAL} ping statistics ---",
            "2 packets transmitted, 2 received, 0% packet loss",
        ]
        assert lines[-1].startswith("rtt min/avg/max/mdev = ")

    async def test_interrupted_it_still_sums_up(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served, trio.open_nursery() as nursery:
            nursery.start_soon(answering, served)
            command = [SIXTAP, "--control", str(served.control.path), "ping", "-j", "-i", "0.01", PEER_LINK_LOCAL]
            process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE)
            while served.host.counters.icmp_in[ECHO_REPLY] < 3:
                await trio.sleep(0.01)
            process.send_signal(signal.SIGINT)
            assert process.stdout is not None
            document = json.loads(b"".join([part async for part in process.stdout]))
            assert await process.wait() == 0
            assert 3 <= document["received"] <= document["transmitted"]
            while served.host.echoes.sessions:
                await trio.sleep(0.01)
            nursery.cancel_scope.cancel()

    async def test_nobody_answers(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            served.host.settings.retrans_time_ms = 10
            text = await sixtap(served, "ping", "-c", "1", "fe80::77", status=1)
            assert f"From {OUR_LINK_LOCAL} icmp_seq=1 Destination unreachable: Address unreachable" in text
            assert "1 packets transmitted, 0 received, +1 errors, 100% packet loss" in text

    async def test_silence(self, tmp_path: Path) -> None:
        async with serving(tmp_path) as served:
            await served.ask("neigh add", address=PEER_LINK_LOCAL, lladdr=PEER_MAC.hex(":"))
            text = await sixtap(served, "ping", "-c", "2", "-i", "0.01", "-W", "0.05", PEER_LINK_LOCAL, status=1)
            assert "2 packets transmitted, 0 received, 100% packet loss" in text

    @pytest.mark.parametrize(
        ("words", "status"),
        [
            (("::",), 2),
            (("x",), 2),
            (("fe80::1%eth9",), 2),
            (("-c", "0", PEER_LINK_LOCAL), 2),
            (("-c", "x", PEER_LINK_LOCAL), 2),
            (("-s", "65528", PEER_LINK_LOCAL), 2),
            (("-i", "0", PEER_LINK_LOCAL), 2),
            (("-t", "256", PEER_LINK_LOCAL), 2),
            (("-W", "nan", PEER_LINK_LOCAL), 2),
            (("-I", "fe80::5", PEER_LINK_LOCAL), 1),
            (("2001:db8::1",), 1),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
    )
    async def test_refused_before_anything_is_sent(self, tmp_path: Path, words: tuple[str, ...], status: int) -> None:
        async with serving(tmp_path) as served:
            served.device.frames()
            await sixtap(served, "ping", *words, status=status)
            assert served.sent(128) == []
            assert served.host.echoes.sessions == {}

    def test_duplicates_and_damage_are_marked(self) -> None:
        tally = Tally()
        tally.take({"kind": "start", "address": "fe80::1", "bytes": 8})
        tally.take({"kind": "sent", "seq": 1})
        reply = {"kind": "reply", "seq": 1, "from": "fe80::1", "bytes": 16, "hoplimit": 64, "time": 0.002}
        assert not tally.take(reply | {"duplicate": False, "intact": True}).endswith(")")
        assert tally.take(reply | {"duplicate": True, "intact": False}).endswith("(DIFFERENT DATA!) (DUP!)")
        document = tally.document()
        assert (document["transmitted"], document["received"], len(document["replies"])) == (1, 1, 2)
        assert "1 received, +1 duplicates, 0% packet loss" in tally.summary()

    @pytest.mark.parametrize(
        ("kind", "code", "text"),
        [
            (1, 3, "Destination unreachable: Address unreachable"),
            (1, 9, "Destination unreachable: code 9"),
            (2, 0, "Packet too big"),
            (3, 0, "Time exceeded: Hop limit"),
            (3, 1, "Time exceeded: Defragmentation failure"),
            (4, 1, "Parameter problem: code 1"),
            (99, 5, "ICMPv6 error type 99 code 5"),
        ],
    )
    def test_errors_in_words(self, kind: int, code: int, text: str) -> None:
        assert describe_error(kind, code) == text

    def test_the_mtu_of_a_packet_too_big(self) -> None:
        """As ping(8) says it."""
        told = Tally().take({"kind": "error", "seq": 7, "from": "fe80::9", "type": 2, "code": 0, "parameter": 1400})
        assert told == "From fe80::9 icmp_seq=7 Packet too big: mtu=1400"


class TestWrongWords:
    @pytest.mark.parametrize(
        "words",
        [
            (),
            ("nothing",),
            ("--nothing",),
            ("addr", "nothing"),
            ("addr", "add"),
            ("addr", "add", "2001:db8::1", "--vali", "5"),
            ("link", "set"),
            ("link", "set", "colour", "red"),
            ("maddr", "join"),
            ("maddr", "join", "ff05::1", "--delay", "soon"),
            ("neigh", "add", "fe80::1"),
            ("-j", "run"),
            ("-d",),
            ("run", "--vlan", "0"),
            ("run", "--vlan", "4095"),
            ("run", "--vlan", "x"),
            ("run", "--tap", "a/b"),
            ("run", "--tap", ""),
            ("run", "--tap", "sixteen-letters-"),
            ("run", "--mtu", "1279"),
            ("run", "--mac", "33:33:00:00:00:01"),
            ("run", "--mac", "00:00:00:00:00:00"),
            ("run", "--mac", "x"),
            ("run", "--addr", "ff02::1/64"),
            ("run", "--addr", "2001:db8::1/129"),
            ("run", "--addr", "x"),
            ("run", "--join", "fe80::1"),
            ("run", "--join", "x"),
            ("run", "--join", "ff05::7,include"),
            ("run", "--join", "ff05::7,some,2001:db8::1"),
            ("run", "--join", "ff05::7,include,ff02::1"),
            ("run", "--set", "mld_personality=openbsd"),
            ("run", "--set", "nothing=1"),
            ("run", "--set", "hop_limit=0"),
            ("run", "--set", "hop_limit"),
            ("run", "--seed", "x"),
            ("run", "--log", "loud"),
            ("run", "surplus"),
        ],
        ids=" ".join,
    )
    def test_one_line_and_exit_status_2(self, words: tuple[str, ...]) -> None:
        done = plain(*words)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("sixtap")
        assert done.stderr.count("\n") == 1, done.stderr

    def test_no_host_on_that_device(self) -> None:
        done = plain("-d", "nosuchtap", "addr")
        assert (done.returncode, done.stderr) == (
            1,
            "sixtap: no host is running on nosuchtap (sixtap run --tap nosuchtap starts one)\n",
        )

    def test_a_control_path_where_nothing_is(self, tmp_path: Path) -> None:
        done = plain("--control", str(tmp_path / "none"), "addr")
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "no host answers on" in done.stderr


class TestHelp:
    @pytest.mark.parametrize("command", COMMANDS)
    def test_every_command_explains_itself_with_an_example(self, command: str) -> None:
        done = plain(command, "--help")
        assert (done.returncode, done.stderr) == (0, "")
        assert "example" in done.stdout

    def test_the_list_of_commands(self) -> None:
        done = plain("--help")
        assert done.returncode == 0
        assert all(f"\n  {name} " in done.stdout for name in COMMANDS)

    def test_version(self) -> None:
        assert plain("--version").stdout.startswith("sixtap 0.")


def test_a_closed_pipe_is_no_traceback() -> None:
    done = subprocess.run(["sh", "-c", f"'{SIXTAP}' demo | head -1"], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
