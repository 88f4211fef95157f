"""The commands of README.md as they stand, in a fresh place, and what it says of each.

Those without root as an ordinary user; those with root in network, process and
mount namespaces of their own, where /run is empty.
"""

import os
import re
import shlex
import subprocess
from pathlib import Path

from tests.live.running import SIXTAP
from tests.live.test_lab import as_nobody
from tests.live.test_pages import agrees, commands, outputs_of, script

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
_FRESH = ("unshare", "--net", "--pid", "--mount", "--fork", "--kill-child", "sh", "-c")


def part(heading: str) -> str:
    """A section of the README, or what a paragraph with that bold beginning is about."""
    _, found, after = README.partition(heading)
    assert found, f"README.md has no {heading!r} any more"
    return re.split(r"^## |^\*\*With", after, flags=re.MULTILINE)[0]


def place(folder: Path) -> Path:
    """A folder that looks like the checkout to who types the commands; `tools/run` is the installed command."""
    there = folder / "checkout"
    (there / "tools").mkdir(parents=True)
    run = there / "tools" / "run"
    run.write_text(f'#!/bin/sh\n[ $# -gt 0 ] || set -- demo\nexec "{SIXTAP}" "$@"\n')
    run.chmod(0o755)
    (there / "tests").symlink_to(ROOT / "tests")
    for each in (folder, there):
        each.chmod(0o755)
    return there


def check(text: str, folder: Path, *before: str) -> None:
    typed = commands(text)
    assert typed
    done = subprocess.run(
        [*before, f"exec 2>&1\n{script(typed)}"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    for each, (output, status) in zip(typed, outputs_of(done.stdout, len(typed)), strict=True):
        assert status == 0, f"$ {each.typed}\n{output}"
        assert agrees(each.expected, output), f"$ {each.typed}\n{output}\nREADME.md says:\n{each.expected}"


def test_without_root(tmp_path: Path) -> None:
    there = place(tmp_path)
    mounts = tmp_path / "mounts"
    mounts.mkdir()
    check(part("**Without root**"), there, *as_nobody(mounts, "sh", "-c"))


def test_the_first_ping_as_root(tmp_path: Path) -> None:
    text = README.partition("**With root**")[2].partition("\n## ")[0]
    check(text, place(tmp_path), *_FRESH)


def test_a_virtual_host_on_a_bridge(tmp_path: Path) -> None:
    text = "```console\n$ mount -t tmpfs none /run && ip link set lo up\n```\n" + part("## A virtual host on a bridge")
    text = text.partition("Creating a TAP")[0]
    check(text, place(tmp_path), *_FRESH)


def test_a_tap_that_root_has_prepared_needs_no_privilege(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.mkdir()
    there = place(tmp_path)
    host = shlex.join(as_nobody(mounts, "env", "XDG_RUNTIME_DIR=/run/own", SIXTAP, "run", "--tap", "t0"))
    (there / "host").write_text(f"exec {host}\n")
    text = """```console
$ sh ./host 2>said & until grep ready said; do kill -0 $! || exit; sleep 0.1; done
sixtap: t0 ready fe80::...
$ kill $!; wait
...
```
"""
    before = "```console\n$ export USER=nobody; mount -t tmpfs none /run; install -d -o nobody /run/own\n```\n"
    check(before + part("Creating a TAP needs root") + text, there, *_FRESH)
    assert (there / "said").read_text().splitlines()[0].endswith(" up")


def test_the_two_commands_are_there() -> None:
    typed = re.findall(r"^    (tools/\w+)", part("## Try it"), flags=re.MULTILINE)
    assert typed == ["tools/run", "tools/test"]
    assert all(os.access(ROOT / each, os.X_OK) for each in typed)
    done = subprocess.run([ROOT / "tools/run"], cwd="/", capture_output=True, text=True, timeout=180, check=True)
    assert done.stdout.startswith("A host meets its link")


def test_every_command_is_in_the_list() -> None:
    from stack.cli.main import COMMANDS

    listed = part("## Commands")
    assert [name for name in COMMANDS if not re.search(rf"^\|.*`{name}( send)?`.*\|", listed, re.MULTILINE)] == []
