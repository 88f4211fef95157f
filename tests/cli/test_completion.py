"""`sixtap completion`: what the shells themselves make of its scripts."""

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stack.cli.main import COMMANDS

SIXTAP = str(Path(sys.executable).with_name("sixtap"))

# After these words with the last one begun, exactly these complete it.
CASES = {
    "a command": (["ad"], ["addr"]),
    "a verb": (["addr", "d"], ["del"]),
    "an option of a verb": (["addr", "add", "--v"], ["--valid-lft"]),
    "an option of a command without verbs": (["run", "--br"], ["--bridge"]),
    "the value of an option": (["run", "--log", "w"], ["warning"]),
    "a setting": (["set", "mldv"], ["mldv1_done_always=", *(f"mldv{n}_unsolicited_report_interval=" for n in (1, 2))]),
    "a setting of a host to come": (["run", "--set", "use_"], ["use_tempaddr="]),
    "a word of few": (["completion", "z"], ["zsh"]),
    "iproute2's longer words": (["address", "add", "--any"], ["--anycast"]),
    "after an option with a value": (["-d", "addr", "ma"], ["maddr"]),
    "a value that reads like a verb": (["addr", "-d", "add", "d"], ["del"]),
}


def script(shell: str) -> str:
    if shutil.which(shell) is None:
        pytest.skip(f"needs the shell {shell}")
    return subprocess.run([SIXTAP, "completion", shell], capture_output=True, text=True, check=True).stdout


def said(*command: str, **options: str) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, **options)
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1]


def completed_by_bash(words: list[str]) -> list[str]:
    line = " ".join(map(shlex.quote, ["sixtap", *words]))
    ask = f'COMP_WORDS=({line}); COMP_CWORD={len(words)}; _sixtap 2>/dev/null; printf "%s\\n" "${{COMPREPLY[@]}}"'
    return said("bash", "--norc", "-c", script("bash") + ask)


def completed_by_zsh(words: list[str]) -> list[str]:
    """What the function hands to zsh's own completers, which show what begins with the word; they need a terminal."""
    stubs = """
        compdef() { }; _files() { }
        compadd() { while [[ $1 != -- ]]; do shift; done; shift; print -l -- "$@" }
        _describe() { print -l -- ${${(P)2}%%:*} }
    """
    line = " ".join(map(shlex.quote, ["sixtap", *words]))
    offered = said("zsh", "-f", "-c", f"{stubs}\n{script('zsh')}\nwords=({line}); CURRENT={len(words) + 1}; _sixtap")
    return [word for word in offered if word.startswith(words[-1])]


def completed_by_fish(words: list[str]) -> list[str]:
    line = " ".join(["sixtap", *words])
    shown = said("fish", "--no-config", "-c", f"{script('fish')}\ncomplete -C {shlex.quote(line)}")
    return [each.split("\t")[0] for each in shown]


SHELLS = {"bash": completed_by_bash, "zsh": completed_by_zsh, "fish": completed_by_fish}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("case", CASES)
def test_completed(shell: str, case: str) -> None:
    words, expected = CASES[case]
    assert sorted(SHELLS[shell](words)) == sorted(expected)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_is_offered(shell: str) -> None:
    assert set(COMMANDS) <= set(SHELLS[shell]([""]))


def test_files_are_left_to_the_shell() -> None:
    assert completed_by_bash(["run", "--control", "/t"]) == [""]
    assert completed_by_zsh(["run", "--control", "/t"]) == []


def test_fish_completes_files(tmp_path: Path) -> None:
    (tmp_path / "there.sock").touch()
    assert completed_by_fish(["run", "--control", f"{tmp_path}/th"]) == [f"{tmp_path}/there.sock"]


def test_another_shell_is_refused() -> None:
    done = subprocess.run([SIXTAP, "completion", "ksh"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (2, 1, "")
