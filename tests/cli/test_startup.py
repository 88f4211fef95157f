"""Start-up: no command imports what it does not use. Modules are counted with importtime; no clock judges."""

import argparse
import subprocess
import sys

import pytest

from stack.cli import fields, mld, mld_message, querier, replay
from stack.cli.main import COMMANDS, command_parser
from stack.replay.play import Mode
from stack.sim.querier.variables import QUERY_INTERVAL, ROBUSTNESS
from stack.sim.scenarios.listing import LISTING
from stack.wire import mldv2
from tools.startup import LIMIT, SIXTAP, imported

# What costs, or would not be there: each command may import of these what its line below says, and no more.
HEAVY = {
    *("trio", "construct", "dpkt", "pytun", "asyncio", "ssl", "ctypes", "subprocess", "logging", "random"),
    *("dataclasses", "inspect", "rich", "multiprocessing", "email", "importlib.metadata", "http"),
    *("stack.host", "stack.interface", "stack.wire", "stack.sim.world", "stack.explain", "stack.nd", "stack.mld"),
}
_TABLES = {"dataclasses", "inspect"}
_HOST = {*_TABLES, "construct", "random", "stack.host", "stack.interface", "stack.wire", "stack.nd", "stack.mld"}
_SIMULATED = {*_HOST, "stack.sim.world", "stack.explain"}
_LIVE = {*_SIMULATED, "trio", "ssl", "subprocess", "ctypes", "pytun", "logging"}
_REPLAY = {*_HOST, "stack.explain", "dpkt"}
# Words that work, or fail only after the command's own modules are in use, and what these may be.
WORDS: dict[str, tuple[str, set[str]]] = {
    "top": ("--count 1", set()),
    "get": ("net.inet6.multicast", set()),
    "why": ("1", set()),
    "why-not": ("::1", set()),
    "record": ("nosuchfile", set()),
    # A tally of answers; the meanings of settings.
    "ping": ("::1", _TABLES),
    "udp": ("echo 7", _TABLES),
    "set": ("hop_limit=3", _TABLES),
    "completion": ("bash", _TABLES),
    "demo": ("first", _SIMULATED),
    "explain": ("nosuchfile", _REPLAY),
    "replay": ("nosuchfile", _REPLAY),
    "run": ("--tap x/y", _LIVE),
    "querier": ("--count 1", _LIVE),
    "swarm": ("--hosts 1", {*_LIVE, "dpkt"}),
    "rude": ("deny --tap x/y", _LIVE),
    "mld": (
        "send done --tap t0",
        _LIVE - {"stack.host", "stack.interface", "stack.nd", "stack.mld", "stack.sim.world"},
    ),
}
# They do something to the machine; no words of theirs fail late.
NOT_RUN = {"lab"}
# Their verbs and words keep a tally in a dataclass, which is made with the module.
HELP = {"ping": _TABLES, "udp": _TABLES}


def heavy(command: list[str]) -> set[str]:
    return {name for name in imported(command) if name in HEAVY or name.split(".")[0] in HEAVY}


def check(words: list[str], allowed: set[str]) -> None:
    surplus = {name for name in heavy([SIXTAP, *words]) if name not in allowed and name.split(".")[0] not in allowed}
    surplus = {name for name in surplus if not any(name.startswith(f"{each}.") for each in allowed)}
    assert not surplus, f"sixtap {' '.join(words)} imports {sorted(surplus)}"


@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in NOT_RUN])
def test_a_command_imports_what_it_uses(command: str) -> None:
    words, allowed = WORDS.get(command, ("", set()))
    asks = command_parser(command)[0].__dict__.get("ASKS_A_HOST", False)
    check([*(["-d", "nosuchtap"] if asks else []), command, *words.split()], allowed)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_needs_none_of_what_it_does(command: str) -> None:
    check([command, "--help"], HELP.get(command, set()))


def test_the_list_of_scenarios_needs_none_of_them() -> None:
    check(["demo", "--list"], set())
    check(["mld", "send", "--help"], set())


def test_one_scenario_needs_no_other() -> None:
    code = "import sys; from stack.cli.main import main; main(['demo', 'done']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    scenarios = {f"stack.sim.scenarios.{each.name.replace('-', '_')}" for each in LISTING}
    assert scenarios & set(done.stderr.split()) == {"stack.sim.scenarios.done"}


def test_what_stands_in_the_help_is_what_the_modules_mean() -> None:
    """Numbers and words that are written once more so that the help need not import their owner."""
    assert mldv2.maximum_response_delay(0xFFFF) == fields.LONGEST_DELAY
    assert set(mld.TYPES) == set(mld_message.TYPES)
    assert tuple(mode.value for mode in Mode) == replay.MODES
    asked = argparse.ArgumentParser()
    querier.configure(asked)
    default = asked.parse_args([])
    assert (default.interval, default.robustness) == (QUERY_INTERVAL, ROBUSTNESS)


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
