"""The command line as it is promised: every command and verb, as text, as JSON, and with words that are wrong.

Each row is run through the real executable against a running host. What needs a
device, a terminal or a capture is named in ELSEWHERE with the tests that run it.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from stack.cli.outline import whole
from tests.cli.test_commands import plain, sixtap
from tests.control.test_control import Served, serving
from tests.playbook import OUR_LINK_LOCAL, PEER_LINK_LOCAL, PEER_MAC

ROOT = Path(__file__).resolve().parents[2]
_GROUP = "ff05::7"
_CAPTURE = ROOT / "tests/corpus/zeek__icmp_icmp6-neighbor-solicit.pcap"


class Row(NamedTuple):
    """Words that work: keys that each object of the JSON document has, those at `inner` of each object in it."""

    words: str
    keys: str = ""
    inner: str = ""
    inner_keys: str = ""
    status: int = 0
    text_alone: bool = False
    silent: bool = False  # a change that has nothing to say in text, but in JSON


class Wrong(NamedTuple):
    """Words that do not, with the exit status: 1 the host says no, 2 the words are wrong."""

    words: str
    status: int


_MADDR = ("ifname maddr", "maddr", "address ifaddr refcount mode sources state last_reporter timer")
_PING = "transmitted received rtt replies errors"
# In this order, one after the other, on one host for each command; ID is that of the last `join`.
ROWS: dict[str, list[Row | Wrong]] = {
    "link": [
        Row("link", "ifindex ifname flags mtu operstate address"),
        Row("link show", "ifindex ifname flags mtu operstate address"),
        Row("link set mtu 1400"),
        Row("link set address 02:00:5e:10:00:0a"),
        Row("link down"),
        Row("link up"),
        Wrong("link set mtu 1279", 2),
        Wrong("link set mtu", 2),
        Wrong("link set address 33:33:00:00:00:01", 2),
        Wrong("link sideways", 2),
    ],
    "addr": [
        Row("addr add 2001:db8::5/64 --preferred-lft 100 --valid-lft 200"),
        Row("addr add 2001:db8::6 --nodad"),
        Row("addr add 2001:db8::7/64 --anycast"),
        Row("addr", "ifname", "addr_info", "local prefixlen scope valid_life_time preferred_life_time state"),
        Row("addr show", "ifname", "addr_info", "local prefixlen scope valid_life_time preferred_life_time state"),
        Row("addr del 2001:db8::5"),
        Wrong("addr del 2001:db8::55", 1),
        Wrong("addr add ff02::1/64", 2),
        Wrong("addr add 2001:db8::5/64 --valid-lft soon", 2),
    ],
    "maddr": [
        Row("maddr join ff05::8 --exclude 2001:db8::1 --delay 0.5", "id group"),
        Row(f"maddr join {_GROUP}", "id group"),
        Row(f"maddr join {_GROUP} --include 2001:db8::1,2001:db8::2", "id group"),
        Row("maddr listen s1 ff05::9 include 2001:db8::1", "id group mode sources", silent=True),
        Row("maddr", *_MADDR),
        Row("maddr show", *_MADDR),
        Row("maddr saved", *_MADDR),
        Row("maddr filter", "unicast exact hashed allmulti off"),
        Row(f"maddr leave {_GROUP} --id ID"),
        Row("maddr leave ff05::8"),
        Wrong("maddr leave ff05::8", 1),
        Wrong("maddr join fe80::1", 2),
        Wrong(f"maddr join {_GROUP} --include 2001:db8::1 --exclude 2001:db8::1", 2),
        Wrong(f"maddr leave {_GROUP} --id x", 2),
        Wrong(f"maddr listen s1 {_GROUP} maybe", 2),
    ],
    "get": [
        Row("get net.inet6.multicast", "ifaddr group refcount"),
        Row("get net.inet6.multicast.7", "ifaddr group refcount"),
        Row("get net.inet6.multicast_kludge", "group refcount"),
        Row("get net.inet6.multicast_kludge.7", "group refcount"),
        Wrong("get net.inet6.multicast.99", 1),
        Wrong("get net.inet6.unicast", 2),
        Wrong("get", 2),
    ],
    "neigh": [
        Row(f"neigh add {PEER_LINK_LOCAL} lladdr {PEER_MAC.hex(':')}"),
        Row("neigh", "dst dev lladdr state"),
        Row("neigh show", "dst dev lladdr state"),
        Row(f"neigh del {PEER_LINK_LOCAL}"),
        Row("neigh flush"),
        Wrong(f"neigh del {PEER_LINK_LOCAL}", 1),
        Wrong("neigh add ff02::1 lladdr 02:00:5e:10:00:09", 2),
        Wrong("neigh add fe80::9 lladdr ff:ff:ff:ff:ff:ff", 2),
    ],
    "route": [
        Row(f"route add 2001:db8:9::/48 via {PEER_LINK_LOCAL}"),
        Row(f"route add default via {PEER_LINK_LOCAL}"),
        Row("route", "dst dev protocol metric"),
        Row("route show", "dst dev protocol metric"),
        Row("route show --cache", "dst dev metrics"),
        Row("route del default"),
        Wrong("route del default", 1),
        Wrong("route add 2001:db8::/200 via fe80::1", 2),
    ],
    "ping": [
        Row("ping ::1 -c 2 -i 0.01 -s 100 -t 9 -W 1", _PING),
        Row(f"ping {OUR_LINK_LOCAL} -c 1 -I {OUR_LINK_LOCAL}", _PING),
        Row("ping fe80::77 -c 1 -W 0.2", _PING, status=1),
        Wrong("ping nowhere", 2),
        Wrong("ping ff05::1 -c x", 2),
    ],
    "udp": [
        Row("udp send ::1 9 --size 10 -c 1", status=1),  # port unreachable comes back
        Row(f"udp send {OUR_LINK_LOCAL} 9 --text hello -c 1 -I {OUR_LINK_LOCAL}", status=1),
        Wrong("udp send ::1 65536", 2),
        Wrong("udp recv x", 2),
        Wrong("udp echo", 2),
    ],
    "stats": [
        Row("stats", "Ip6InReceives Icmp6OutMsgs FramesIn"),
        Row("stats --nonzero", "FramesOut"),
        Wrong("stats --zero", 2),
    ],
    "top": [
        Row("top --count 1 --interval 0.1", "time link totals addresses groups neighbours routes counters frames"),
        Row("top --count 1 --plain --filter fe80", "time link totals"),
        Wrong("top --interval 0", 2),
    ],
    "set": [
        Row("set", "hop_limit mld_personality"),
        Row("set hop_limit=9 retrans_time_ms=500", "hop_limit retrans_time_ms", silent=True),
        Wrong("set hop_limit", 2),
        Wrong("set hop_limit=0", 2),
        Wrong("set nosuch=1", 2),
    ],
    "why-not": [
        Row("why-not ::1", "subject summary against findings"),
        Row(f"why-not {_GROUP}", "subject summary against findings"),
        Wrong("why-not", 2),
        Wrong("why-not nosuch", 2),
    ],
    "why": [Wrong("why x", 2), Wrong("why 1 2", 2)],
    "record": [Wrong("record", 2), Wrong("record surplus words", 2)],
    "monitor": [Wrong("monitor now", 2)],
    "doctor": [Wrong("doctor --interval 0", 2), Wrong("doctor now", 2)],
    "restart": [Row("restart"), Wrong("restart now", 2)],
}
# Without a host; a demo's document is one object, a querier's one a line.
ALONE: dict[str, list[Row | Wrong]] = {
    "demo": [
        Row("demo --list", "name title summary"),
        Row("demo --seed 3", "scenario seed steps frames time"),
        Row("demo done --compare standard,netbsd", "scenario frames differences"),
        Wrong("demo --compare standard", 2),
        Wrong("demo --step --list", 2),
        Wrong("demo nosuch", 2),
    ],
    "querier": [Row("querier --count 1 --interval 5"), Wrong("querier --bridge br0", 2)],
    "mld": [Wrong("mld send query", 2), Wrong("mld send nosuch --tap t9", 2), Wrong("mld", 2)],
    "run": [Wrong("run --mtu 1279", 2), Wrong("run --addr x", 2)],
    "lab": [Wrong("lab surplus", 2)],
    "rude": [Wrong("rude", 2), Wrong("rude deny", 2), Wrong("rude sulk --tap x0", 2)],
    "swarm": [Row("swarm --hosts 3 --groups 1", "hosts"), Wrong("swarm", 2), Wrong("swarm --hosts 0", 2)],
    "explain": [Row(f"explain {_CAPTURE}", text_alone=True), Wrong("explain nosuch.pcap", 2), Wrong("explain", 2)],
    "replay": [
        Row(f"replay {_CAPTURE}", "frames outcomes sent violations exceptions tables seed digest"),
        Wrong("replay nosuch.pcap", 2),
        Wrong("replay", 2),
    ],
    "completion": [Wrong("completion", 2), Wrong("completion ksh", 2)],
}
# What no row can run: its tests.
ELSEWHERE = {
    "run": "tests/live/test_host.py",
    "lab": "tests/live/test_lab.py",
    "mld send": "tests/cli/test_mld_send.py",
    "udp recv": "tests/live/test_udp.py",
    "udp echo": "tests/live/test_udp.py",
    "querier": "tests/live/test_querier.py",
    "completion": "tests/cli/test_completion.py",
    "doctor": "tests/live/test_doctor.py",
    "rude": "tests/live/test_rude.py",
    "monitor": "tests/cli/test_monitor.py",
    "record": "tests/live/test_recorder.py",
    "why": "tests/recorder/test_why.py",
}


def has(document: Any, keys: str) -> None:
    """Every object of a document, one or a list, has these keys."""
    for each in document if isinstance(document, list) else [document]:
        assert set(keys.split()) <= set(each), f"{sorted(each)} lacks one of {keys}"


def check(row: Row, text: str, document: str) -> None:
    parsed = json.loads(document)
    assert document.count("\n") == 1, "one document on one line"
    has(parsed, row.keys)
    if row.inner:
        for each in parsed:
            has(each[row.inner], row.inner_keys)
    if row.keys and parsed:
        assert bool(text) is not row.silent


async def put(served: Served, row: Row | Wrong) -> Any:
    """One row, as text and as JSON, or where that would be two changes as JSON alone; the document."""
    words = row.words.split()
    if isinstance(row, Wrong):
        # `sixtap` itself holds it to one line without a traceback.
        assert await sixtap(served, *words, status=row.status) == ""
        assert await sixtap(served, *words, "-j", status=row.status) == ""
        return None
    twice = bool(row.keys) and not row.words.startswith("maddr join")
    text = await sixtap(served, *words, status=row.status) if twice else "id" * bool(row.keys)
    document = await sixtap(served, *words, "-j", status=row.status)
    check(row, text, document)
    return json.loads(document)


@pytest.mark.parametrize("command", ROWS)
async def test_commands_that_ask_a_host(tmp_path: Path, command: str) -> None:
    async with serving(tmp_path) as served:
        served.host.settings.retrans_time_ms = 10
        identifier = "0"
        for row in ROWS[command]:
            document = await put(served, row._replace(words=row.words.replace("ID", identifier)))
            if isinstance(document, dict) and row.words.startswith("maddr join"):
                identifier = str(document["id"])


@pytest.mark.parametrize("row", [row for rows in ALONE.values() for row in rows], ids=lambda row: row.words)
def test_commands_that_need_no_host(row: Row | Wrong) -> None:
    done = plain(*row.words.split())
    assert done.returncode == row.status, done.stderr
    if isinstance(row, Wrong):
        assert (done.stdout, done.stderr.count("\n")) == ("", 1)
        return
    assert done.stdout != ""
    assert "Traceback" not in done.stderr
    if row.text_alone:
        return
    shown = plain(*row.words.split(), "-j").stdout
    try:
        documents = [json.loads(shown)]
    except ValueError:  # an object a line
        documents = [json.loads(line) for line in shown.splitlines()]
    for each in documents:
        has(each, row.keys)


def test_no_command_and_no_verb_is_left_out() -> None:
    said = [row.words for table in (ROWS, ALONE) for rows in table.values() for row in rows if isinstance(row, Row)]
    missing = []
    for each in whole().every():
        place = " ".join(each.path[1:])
        if each.verbs or not place:
            continue
        run = any(f"{words} ".startswith(f"{place} ") for words in said)
        if not run and place not in ELSEWHERE:
            missing.append(place)
    assert not missing, f"give these a row, or name their tests: {missing}"


@pytest.mark.parametrize("place", ELSEWHERE)
def test_what_is_tested_elsewhere_is(place: str) -> None:
    text = (ROOT / ELSEWHERE[place]).read_text(encoding="utf-8")
    assert f'"{place.split()[-1]}"' in text or "Running(" in text


@pytest.mark.parametrize("each", list(whole().every()), ids=lambda each: " ".join(each.path))
def test_help_of_every_verb(each: Any) -> None:
    done = plain(*each.path[1:], "--help")
    assert (done.returncode, done.stderr) == (0, "")
    for option in each.options:
        assert all(flag in done.stdout for flag in option.flags)
