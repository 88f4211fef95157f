"""`sixtap lab`: what is in it, as root and as an ordinary user, what it hands on, and that nothing is left of it."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.netns import wait_until
from tests.live.running import SIXTAP

ROOT = Path(__file__).resolve().parents[2]
_TIMEOUT = 120.0
# In mounts of its own: a /dev/net/tun that everybody may open, as distributions have it, and the interpreter and the
# checkout where an ordinary user can reach them, wherever they are.
_PREPARE = """
set -e
mknod -m 666 "$1/tun" c 10 200
mount --bind "$1/tun" /dev/net/tun
"""


def as_nobody(folder: Path, *words: str) -> list[str]:
    """The command line that runs `words` as an ordinary user; `folder` is empty and for its mounts."""
    steps = [_PREPARE]
    for number, path in enumerate((Path(sys.base_prefix), Path(sys.prefix), ROOT)):
        closed = next((each for each in reversed(path.parents) if not each.stat().st_mode & 0o001), None)
        if closed is not None:
            here = f'"$1/{number}"'
            steps.append(f"mkdir {here}; mount --bind '{path}' {here}; mount -t tmpfs -o mode=755 none '{closed}'")
            steps.append(f"mkdir -p '{path}'; mount --bind {here} '{path}'")
    steps.append('shift; exec setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"')
    return ["unshare", "--mount", "sh", "-c", "\n".join(steps), "sh", str(folder), *words]


def lab(command: str, *before: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*before, SIXTAP, "lab", "--run", command], capture_output=True, text=True, timeout=_TIMEOUT, check=False
    )


def world() -> tuple[object, ...]:
    """What a lab must leave as it was: devices, namespaces, mounts, control sockets."""
    links = subprocess.run(["ip", "-j", "link"], capture_output=True, text=True, check=True).stdout
    names = sorted(each["ifname"] for each in json.loads(links))
    # Other tests name namespaces of their own meanwhile.
    mounts = [line for line in Path("/proc/self/mounts").read_text().splitlines() if "/run/netns/sixtap-" not in line]
    return names, Path("/proc/self/ns/net").readlink(), mounts


_TOUR = """
set -e
sixtap -j addr
ip netns exec linux ping -6 -q -c 2 "$LAB_HOST%eth0" >&2
sixtap ping -c 1 "$LAB_LINUX" >&2
sixtap maddr join ff05::1:3 >&2
until bridge mdb show dev "$LAB_BRIDGE" | grep -q 'port sixtap0 grp ff05::1:3'; do sleep 0.05; done
until sixtap route | grep -q 2001:db8:6::/64; do sleep 0.05; done
exit 7
"""


@pytest.mark.parametrize("user", ["root", "nobody"])
def test_a_virtual_host_beside_linux_on_a_bridge_that_snoops_and_a_router(user: str, tmp_path: Path) -> None:
    before = world()
    words = as_nobody(tmp_path) if user == "nobody" else []
    done = lab(_TOUR, *words)
    assert done.returncode == 7, done.stderr
    document = json.loads(done.stdout)
    assert document[0]["ifname"] == "sixtap0"
    assert document[0]["addr_info"][0]["state"] == "preferred"
    assert world() == before


def test_the_exit_status_is_the_commands(tmp_path: Path) -> None:
    assert lab("true").returncode == 0
    done = lab("kill -TERM $$")
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.SIGTERM, "", "")


# With a process in the background that would outlive its shell.
_LINGER = "sleep 1000 & echo up; sleep 1000"


def inside(namespace: Path) -> set[int]:
    """The processes in a network namespace."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "ns/net").readlink() == namespace:
                found.add(int(process.name))
        except OSError:
            continue
    return found


@pytest.fixture
def lingering() -> "Iterator[tuple[subprocess.Popen[str], Path]]":
    """A lab whose command does not end, and its network namespace."""
    process = subprocess.Popen(
        [SIXTAP, "lab", "--run", _LINGER], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process, Path(f"/proc/{process.pid}/ns/net").readlink()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_whatever_ends_it_nothing_is_left(
    lingering: "tuple[subprocess.Popen[str], Path]", number: signal.Signals
) -> None:
    process, namespace = lingering
    assert len(inside(namespace)) > 3
    process.send_signal(number)
    status = process.wait(_TIMEOUT)
    assert status == (-number if number == signal.SIGKILL else 128 + number)
    wait_until(lambda: not inside(namespace), "end of all processes in the lab")


def test_killing_the_shell_ends_it(lingering: "tuple[subprocess.Popen[str], Path]") -> None:
    process, namespace = lingering
    shell = next(each for each in inside(namespace) if _LINGER in _words(each) and _words(each)[0] == "sh")
    os.kill(shell, signal.SIGKILL)
    assert process.wait(_TIMEOUT) == 128 + signal.SIGKILL
    assert not inside(namespace)


def _words(process: int) -> list[str]:
    return Path(f"/proc/{process}/cmdline").read_bytes().decode().split("\0")


def test_without_a_command_there_is_a_shell_with_hints() -> None:
    before = world()
    process, terminal = pty.fork()
    if process == 0:
        os.execve(SIXTAP, [SIXTAP, "lab"], os.environ | {"SHELL": "/bin/sh", "PS1": "lab$ "})
    try:
        shown = _read_until(terminal, "lab$ ")
        assert "a Linux host, fe80::" in shown
        assert "sixtap addr" in shown
        os.write(terminal, b"sixtap addr >/run/addr; grep -c fe80: /run/addr; exit 3\n")
        assert _read_until(terminal, "").endswith("\r\n1\r\n")
    finally:
        _, status = os.waitpid(process, 0)
        os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 3
    assert world() == before


def _read_until(terminal: int, prompt: str) -> str:
    """What is written to a terminal up to a prompt; with none, up to its end."""
    text = ""
    while not prompt or prompt not in text:
        assert select.select([terminal], [], [], _TIMEOUT)[0], text
        try:
            text += os.read(terminal, 4096).decode()
        except OSError:  # the other end is closed
            break
    return text


class TestRefused:
    """Where the system says no: one line, status 1."""

    def refused(self, done: "subprocess.CompletedProcess[str]") -> str:
        assert done.returncode == 1, done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        assert done.stdout == ""
        return done.stderr

    def test_no_user_namespace_is_left(self) -> None:
        # Root of a user namespace that may have no other one, and without capabilities.
        script = 'echo 0 >/proc/sys/user/max_user_namespaces; exec setpriv --bounding-set=-all --inh-caps=-all "$@"'
        words = ["unshare", "--user", "--map-root-user", "sh", "-c", script, "sh"]
        assert "user.max_user_namespaces" in self.refused(lab("true", *words))

    def test_no_ip_command(self, tmp_path: Path) -> None:
        done = lab("true", "env", f"PATH={tmp_path}")
        assert "apt-get install iproute2" in self.refused(done)

    def test_no_tun_device(self, tmp_path: Path) -> None:
        words = ["unshare", "--mount", "sh", "-c", 'mount --bind /dev/null /dev/net/tun; exec "$@"', "sh"]
        assert "the lab's virtual host cannot run: " in self.refused(lab("true", *words))

    def test_a_shell_that_is_not_there(self) -> None:
        done = subprocess.run(
            ["env", "SHELL=/no/such/shell", SIXTAP, "lab"],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr == "sixtap: /no/such/shell cannot be run: No such file or directory\n"
