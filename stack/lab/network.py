"""What is in the lab: a bridge with MLD snooping and a querier, a Linux host, a router with radvd, and our host.

All of it is made with ip(8) in the namespaces of the calling process, which are to be
its own (`stack.lab.isolation`); nothing is ever taken down here, as it ends with them.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from stack.errors import RefusedError
from stack.lab.isolation import exit_status

BRIDGE = "br0"
TAP = "sixtap0"
PREFIX = "2001:db8:6::/64"
_ROUTER_ADDRESS = "2001:db8:6::1/64"
_FOLDER = Path("/run/lab")
_NET = Path("/proc/sys/net")
_POLL = 0.05
# Duplicate address detection takes two seconds at the most; the rest is for a busy machine.
_READY = 60.0
_GRACE = 2.0
_RADVD = f"""interface eth0 {{
    AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 10;
    prefix {PREFIX} {{ }};
}};
"""

T = TypeVar("T")


class Lab:
    """The network once it is up: `host` and `linux` are link-local addresses, `router` whether one is there."""

    def __init__(self) -> None:
        if shutil.which("ip") is None:
            raise RefusedError("the lab needs the command ip (Debian: apt-get install iproute2)")
        _FOLDER.mkdir()
        self.router = shutil.which("radvd") is not None
        self._make_bridge()
        self._make_linux("linux")
        if self.router:
            self._make_router()
        self._start_host()
        self.host = _until(self._host_ready, "the virtual host has no address")
        self.linux = _until(_linux_address, "the Linux host has no address")

    def run(self, command: list[str]) -> int:
        """Run a command in the lab, and everything that loses its parent meanwhile; its exit status.

        Raises RefusedError if it cannot be run.
        """
        environment = {
            **os.environ,
            "LAB_HOST": self.host,
            "LAB_LINUX": self.linux,
            "LAB_BRIDGE": BRIDGE,
            "PATH": f"{Path(sys.argv[0]).resolve().parent}:{os.environ.get('PATH', os.defpath)}",
        }
        try:
            shell = subprocess.Popen(command, env=environment)
        except OSError as error:
            raise RefusedError(f"{command[0]} cannot be run: {error.strerror}") from error
        while True:
            process, status = os.waitpid(-1, 0)
            if process == shell.pid:
                shell.returncode = exit_status(status)
                return shell.returncode

    def _make_bridge(self) -> None:
        _ip(
            "link set lo up",
            f"link add {BRIDGE} type bridge forward_delay 0 mcast_snooping 1 mcast_querier 1 mcast_mld_version 2"
            # The first queries come before the bridge has an address to ask from.
            " mcast_startup_query_interval 200 mcast_startup_query_count 5",
        )
        # The default of 1 makes the bridge swallow malformed IPv6 and trim trailers.
        swallowing = _NET / "bridge/bridge-nf-call-ip6tables"
        if swallowing.exists():
            swallowing.write_text("0")
        _ip(f"link set {BRIDGE} up")

    def _make_linux(self, name: str) -> None:
        """A network namespace NAME whose eth0 is on the bridge."""
        _ip(f"netns add {name}", f"link add {name}0 type veth peer name eth0 netns {name}")
        (_NET / f"ipv6/conf/{name}0/disable_ipv6").write_text("1")
        _ip(f"link set {name}0 master {BRIDGE} up")
        _ip("link set lo up", "link set eth0 up", namespace=name)

    def _make_router(self) -> None:
        self._make_linux("router")
        _checked(
            ["ip", "netns", "exec", "router", "sh", "-c", f"echo 1 >{_NET}/ipv6/conf/all/forwarding"], "forwarding"
        )
        _ip(f"addr add {_ROUTER_ADDRESS} dev eth0 nodad", namespace="router")
        configuration = _FOLDER / "radvd.conf"
        configuration.write_text(_RADVD)
        words = ["radvd", "-n", "-m", "stderr", "-C", str(configuration), "-p", str(_FOLDER / "radvd.pid")]
        self._start(["ip", "netns", "exec", "router", *words], "radvd")

    def _start_host(self) -> None:
        # -P: a folder named `stack` in the current one is not ours.
        words = [sys.executable, "-P", "-m", "stack.cli.main", "run", "--tap", TAP, "--bridge", BRIDGE]
        self._host = self._start(words, "host")

    def _start(self, command: list[str], name: str) -> "subprocess.Popen[bytes]":
        with (_FOLDER / f"{name}.log").open("wb") as log:
            try:
                # A session of its own: what is typed at the shell's terminal is not for it.
                return subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
            except OSError as error:
                raise RefusedError(f"{command[0]} cannot be run: {error.strerror}") from error

    def _host_ready(self) -> str | None:
        lines = (_FOLDER / "host.log").read_text().splitlines()
        for line in lines:
            if " ready " in line:
                return line.split()[-1]
        if self._host.poll() is not None:
            reason = lines[-1].removeprefix("sixtap: ") if lines else f"it ended with {self._host.returncode}"
            raise RefusedError(f"the lab's virtual host cannot run: {reason}")
        return None


def end_all() -> None:
    """End every other process of the lab in order, and leave those that do not to the kernel.

    To be called by the first process of the lab's namespaces only.
    """
    if os.getpid() != 1:
        raise RefusedError("only the first process of a lab ends it")
    for number in (signal.SIGHUP, signal.SIGTERM):
        try:
            os.kill(-1, number)
        except ProcessLookupError:
            return
    deadline = time.monotonic() + _GRACE
    while time.monotonic() < deadline:
        try:
            process, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if process == 0:
            time.sleep(_POLL)


def _linux_address() -> str | None:
    words = ["ip", "-j", "-6", "-n", "linux", "addr", "show", "dev", "eth0", "scope", "link", "-tentative"]
    shown = json.loads(_checked(words, "the Linux host") or "[]")
    # Where the filter leaves an address out, ip leaves an empty object.
    return next((each["local"] for link in shown for each in link.get("addr_info", []) if each), None)


def _until(look: Callable[[], T | None], complaint: str) -> T:
    deadline = time.monotonic() + _READY
    while time.monotonic() < deadline:
        found = look()
        if found is not None:
            return found
        time.sleep(_POLL)
    raise RefusedError(f"{complaint} after {_READY:g} seconds (is the machine very busy?)")


def _ip(*lines: str, namespace: str | None = None) -> None:
    """Commands of ip(8), as one batch."""
    where = [] if namespace is None else ["-n", namespace]
    _checked(["ip", *where, "-batch", "-"], lines[0], "\n".join(lines) + "\n")


def _checked(command: list[str], what: str, words: str = "") -> str:
    done = subprocess.run(command, input=words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise RefusedError(f"the lab cannot be made: {what}: {said[0]}")
    return done.stdout
