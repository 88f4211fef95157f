"""Start-up: no command imports what it does not use. Modules are counted with importtime; no clock judges."""

import sys

import pytest

from stack.cli.main import COMMANDS
from tools.startup import LIMIT, SIXTAP, imported

# What costs, or would not be there: each command may import of these what its line below says, and no more.
HEAVY = {
    *("trio", "construct", "dpkt", "pytun", "asyncio", "ssl", "ctypes", "subprocess", "logging", "random"),
    *("dataclasses", "inspect", "rich", "multiprocessing", "email", "importlib.metadata", "http"),
    *("stack.host", "stack.interface", "stack.wire", "stack.sim", "stack.explain", "stack.nd", "stack.mld"),
}
_TABLES = {"dataclasses", "inspect"}
_HOST = {*_TABLES, "construct", "random", "stack.host", "stack.interface", "stack.wire", "stack.nd", "stack.mld"}
_SIMULATED = {*_HOST, "stack.sim", "stack.explain", "logging"}
_LIVE = {*_SIMULATED, "trio", "dpkt", "pytun", "ssl", "ctypes", "subprocess"}
MAY_IMPORT = {
    "run": set(),  # its --help; the host comes with run_host
    "querier": _LIVE,
    "swarm": _LIVE,
    "rude": _LIVE,
    "mld": _LIVE,
    "demo": _SIMULATED,
    "replay": {*_SIMULATED, "dpkt"} - {"stack.sim"},
    "explain": {*_SIMULATED, "dpkt"} - {"stack.sim"},
    "lab": {"ctypes", "subprocess"},
    "completion": _LIVE,  # every command's options, when the script is made
    # A tally of answers; the meanings of settings.
    "ping": _TABLES,
    "udp": _TABLES,
    "set": _TABLES,
    "doctor": set(),
}
# Words that do not fail before the command's own modules are in use; the other commands take none.
WORDS = {
    "top": ["--count", "1"],
    "ping": ["::1"],
    "udp": ["echo", "7"],
    "get": ["net.inet6.multicast"],
    "completion": ["bash"],
    "demo": ["--list"],
    "replay": ["--help"],
    "explain": ["--help"],
    "mld": ["--help"],
    "run": ["--help"],
    "querier": ["--help"],
    "swarm": ["--help"],
    "rude": ["--help"],
    "lab": ["--help"],
}


def heavy(command: list[str]) -> set[str]:
    return {name for name in imported(command) if name in HEAVY or name.split(".")[0] in HEAVY}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_imports_what_it_uses(command: str) -> None:
    allowed = MAY_IMPORT.get(command, set())
    before = [] if command in MAY_IMPORT and command not in ("ping", "udp", "set") else ["-d", "nosuchtap"]
    found = heavy([SIXTAP, *before, command, *WORDS.get(command, [])])
    surplus = {name for name in found if name not in allowed and name.split(".")[0] not in allowed}
    assert not surplus, f"sixtap {command} imports {sorted(surplus)}"


@pytest.mark.parametrize("words", [["--help"], ["--version"], [], ["nosuchcommand"]])
def test_what_no_command_does_imports_nothing_of_the_stack(words: list[str]) -> None:
    command = [SIXTAP, *words]
    assert not heavy(command)
    assert {name for name in imported(command) if name.startswith("stack")} == {
        *("stack", "stack.cli", "stack.cli.main", "stack.errors")
    }


def test_help_costs_at_most_three_times_argparse() -> None:
    bare = len(imported([sys.executable, "-c", "pass"]))
    argparse = len(imported([sys.executable, "-c", "import argparse"])) - bare
    assert len(imported([SIXTAP, "--help"])) - bare <= LIMIT * argparse


def test_the_measure_sees_an_import() -> None:
    assert "json.decoder" in imported([sys.executable, "-c", "import json"])
