"""`sixtap` as its users run it: the real executable in a namespace, with its lines, and questions put to it."""

import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.live.netns import Namespace, wait_until

_counter = itertools.count()
SIXTAP = str(Path(sys.executable).with_name("sixtap"))


class Running:
    """`sixtap run` on a TAP device of a namespace; use it in a `with` statement.

    `lines` are what it has said on standard error so far. Its control socket is in
    `folder`, so that hosts of the same device name in other tests do not meet it.
    """

    def __init__(self, namespace: Namespace, folder: Path, *options: str, tap: str = "t0", ready: bool = True) -> None:
        self.namespace = namespace
        self.tap = tap
        self.control = folder / f"{tap}.sock"
        self._log = folder / f"{tap}.{next(_counter)}.log"
        with self._log.open("w") as log:
            self.process = namespace.popen(
                *(SIXTAP, "run", "--tap", tap, "--control", str(self.control), *options),
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        if ready:
            self.address = self.wait_for("ready").split()[-1]

    def __enter__(self) -> "Running":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def lines(self) -> list[str]:
        """The lines on standard error, whole ones only."""
        return self._log.read_text().split("\n")[:-1]

    def wait_for(self, text: str, *, after: int = 0) -> str:
        """The first line with `text` in it, those before number `after` passed over."""

        def look() -> str | None:
            found = next((line for line in self.lines[after:] if text in line), None)
            if found is None and self.process.poll() is not None:
                raise AssertionError(f"it ended with {self.process.returncode}: {self.lines}")
            return found

        line: str = wait_until(look, f"line with {text!r}")
        return line

    def end(self, timeout: float = 20.0) -> int:
        """SIGTERM, and its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout)

    def ask(self, *words: str, status: int = 0) -> str:
        """One command put to this host; its output. AssertionError if it exits with another status."""
        done = self.run(*words)
        assert done.returncode == status, f"sixtap {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *words: str, status: int = 0) -> Any:
        """The same with -j, its document parsed."""
        return json.loads(self.ask(*words, "-j", status=status))

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """The same, whatever comes of it."""
        return self.namespace.run(SIXTAP, "--control", str(self.control), *words, check=False)

    def groups(self) -> dict[str, dict[str, Any]]:
        """The multicast address list by group."""
        return {each["address"]: each for each in self.json("maddr")[0]["maddr"]}

    def addresses(self) -> dict[str, dict[str, Any]]:
        """The addresses by their text."""
        return {each["local"]: each for each in self.json("addr")[0]["addr_info"]}


def mdb_groups(namespace: Namespace, bridge: str, port: str) -> set[str]:
    """The groups that a bridge's multicast database has on a port."""
    shown = json.loads(namespace.run("bridge", "-j", "mdb", "show", "dev", bridge).stdout)
    return {entry["grp"] for each in shown for entry in each.get("mdb", []) if entry.get("port") == port}


def eventually(condition: Callable[[], Any], what: str) -> None:
    """`wait_until` as an assertion."""
    assert wait_until(condition, what)
