"""`sixtap querier` in memory: what it tells is so, the same for the same words; and what it says to wrong words."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stack.address import parse_mac
from stack.cli import querier, querier_work
from stack.cli.main import COMMANDS, Parser
from stack.errors import UsageError
from stack.sim.querier import Querier
from tests.playbook import Sent, ip

SIXTAP = str(Path(sys.executable).with_name("sixtap"))
MAC = parse_mac("02:00:00:00:00:01")


def sixtap(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([SIXTAP, "querier", *words], capture_output=True, text=True, timeout=60, check=False)


def told(*words: str) -> list[dict[str, Any]]:
    """What the command prints with -j."""
    done = sixtap("-j", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def plan(*words: str) -> querier_work.Plan:
    """The words as the command takes them."""
    parser = Parser()
    querier.configure(parser)
    return querier_work.Plan(parser.parse_args(words))


def asked(*words: str, until: float = 0.0) -> list[Sent]:
    """The frames of a querier that is alone on its link."""
    router: Querier = plan(*words).querier(MAC)
    router.start(0.0)
    while (deadline := router.next_deadline()) is not None and deadline <= until:
        router.advance(deadline)
    return [Sent(0.0, octets) for _, octets in router.output()]


def states(events: list[dict[str, Any]], group: str) -> list[str | None]:
    return [each["mode"] for each in events if each["event"] == "listeners" and each["group"] == group]


class TestInMemory:
    @pytest.mark.parametrize("version", ["1", "2"])
    @pytest.mark.parametrize("seed", ["0", "1", "2"])
    def test_the_group_comes_and_goes(self, version: str, seed: str) -> None:
        events = told("--version", version, "--seed", seed)
        assert events[0] == {"time": 0, "event": "role", "role": "querier", "querier": "fe80::ff:fe00:1"}
        assert states(events, "ff15::cafe") == ["exclude", None]
        # bob leaves at 0.7 of 125 s; the last listener is asked for twice, in one second each
        gone = events[[each.get("mode", "") for each in events].index(None)]
        assert 87.5 + 2 <= gone["time"] <= 87.5 + 2.1
        # The hosts' own groups are still there.
        assert states(events, "ff02::1:ff00:a") == states(events, "ff02::1:ff00:b") == ["exclude"]
        asked = [each["time"] for each in events if "which groups" in each.get("text", "")]
        assert asked == [0, 31.25, 156.25]
        assert events[-1]["time"] <= 166.25

    def test_it_is_the_same_for_the_same_words(self) -> None:
        one, other = sixtap("--seed", "5"), sixtap("--seed", "5")
        assert one.stdout == other.stdout
        assert one.stdout != sixtap("--seed", "6").stdout

    def test_the_text(self) -> None:
        lines = sixtap().stdout.splitlines()
        assert lines[0] == "     0.000  querier: fe80::ff:fe00:1 asks"
        assert lines[1].startswith("     0.000  router --> all nodes (ff02::1): MLD version 2 query: which groups have")
        assert "    12.500  ada joins ff15::cafe" in lines
        assert "    12.501  ff15::cafe exclude" in lines
        assert any(line.endswith("  ff15::cafe gone") for line in lines)

    def test_a_group_of_ones_own(self) -> None:
        events = told("--group", "ff05::9", "--interval", "20", "--count", "5")
        assert "exclude" in states(events, "ff05::9")
        queries = [each for each in events if each["event"] == "frame" and each["from"] == "router"]
        assert all("who listens to ff05::9" in each["text"] for each in queries)

    def test_the_hosts_answer_no_query_that_breaks_the_rules(self) -> None:
        # RFC 3810 6.2: hop limit 1
        answered = [each for each in told() if 31.25 < each["time"] < 42 and each.get("from") in ("ada", "bob")]
        ignored = told("--hop-limit", "64")
        assert answered
        assert not [each for each in ignored if 31.25 < each["time"] < 42 and each.get("from") in ("ada", "bob")]
        assert "[hop limit 64 instead of 1]" in json.dumps(ignored)

    def test_the_interval_sets_the_pace(self) -> None:
        assert told("--interval", "1000000", "--count", "1")[-1]["time"] > 700_000
        assert told("--interval", "0.5", "--count", "4", "--max-response", "100")[-1]["time"] < 5


class TestFields:
    """Every field is settable; the offsets are those of RFC 3810 5.1."""

    def test_a_query_as_the_rfc_has_it(self) -> None:
        (sent,) = asked()
        assert sent.message[4:] == bytes.fromhex("27100000") + bytes(16) + bytes.fromhex("027d0000")

    def test_the_message(self) -> None:
        words = "--code 7 --qrv 5 --qqic 0x81 --s-flag --max-response 32770 --interval 60 --robustness 3"
        (sent,) = asked(*words.split())
        assert sent.message[1] == 7
        assert sent.message[4:6] == bytes.fromhex("8000")
        assert sent.message[24:26] == bytes.fromhex("0d81")
        assert sent.checksum_is_right()

    def test_the_packet(self) -> None:
        words = "--source 2001:db8::1 --dst fe80::7 --hop-limit 0 --no-alert"
        (sent,) = asked(*words.split())
        assert (sent.source, sent.destination, sent.hop_limit, sent.packet[6]) == ("2001:db8::1", "fe80::7", 0, 58)
        assert sent.checksum_is_right()

    def test_specific_queries(self) -> None:
        (sent,) = asked("--group", "ff05::9")
        assert (sent.destination, sent.message[4:6]) == ("ff05::9", bytes.fromhex("03e8"))
        assert sent.message[8:] == ip("ff05::9") + bytes.fromhex("027d0000")
        (sent,) = asked("--group", "ff05::9", "--sources", "fe80::1,fe80::2", "--max-response", "500")
        assert sent.message[4:6] == bytes.fromhex("01f4")
        assert sent.message[26:] == bytes.fromhex("0002") + ip("fe80::1") + ip("fe80::2")

    def test_version_1(self) -> None:
        (sent,) = asked("--version", "1", "--max-response", "65535", "--group", "ff05::9")
        assert sent.message[4:] == bytes.fromhex("ffff0000") + ip("ff05::9")

    def test_the_count(self) -> None:
        assert len(asked("--count", "3", "--interval", "1", until=100.0)) == 3
        assert len(asked("--interval", "20", "--robustness", "4", until=16.0)) == 4


@pytest.mark.parametrize(
    "words",
    [
        ("--version", "3"),
        ("--interval", "0"),
        ("--interval", "nan"),
        ("--interval", "x"),
        ("--max-response", "8387585"),
        ("--max-response", "-1"),
        ("--robustness", "0"),
        ("--count", "0"),
        ("--hop-limit", "256"),
        ("--qrv", "8"),
        ("--qqic", "0x100"),
        ("--code", "1e1"),
        ("--group", "fe80::1"),
        ("--group", "x"),
        ("--group", "ff05::9", "--sources", "fe80::1,"),
        ("--sources", "fe80::1"),
        ("--source", "x"),
        ("--mac", "x"),
        ("--bridge", "br0"),
        ("--tap", "a/b"),
        ("--version", "1", "--qqic", "1"),
        ("--version", "1", "--s-flag"),
        ("--version", "1", "--max-response", "65536"),
        ("surplus",),
    ],
)
def test_wrong_words(words: tuple[str, ...]) -> None:
    done = sixtap(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("sixtap")


def test_wrong_words_raise_before_anything_is_touched() -> None:
    with pytest.raises(UsageError):
        plan("--tap", "t0", "--group", "2001:db8::1")


def test_it_is_a_command() -> None:
    assert "querier" in COMMANDS
    done = subprocess.run([SIXTAP, "querier", "--help"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0
    assert "example: sixtap querier" in done.stdout
