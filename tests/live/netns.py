"""Network namespaces for live tests: made with a name of their own, filled with bridges and Linux hosts, removed again.

Everything hangs on one `Namespace`: leaving it ends the processes that it
started, closes the Linux hosts attached to it and deletes its name, after a
failure too. Nothing outside these namespaces is touched. Root is needed.
"""

import ctypes
import itertools
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

_CLONE_NEWNET = 0x40000000
_NAMES = Path("/run/netns")
_GRACE = 2.0  # seconds from SIGTERM to SIGKILL
_COMMAND_TIMEOUT = 60.0
_libc = ctypes.CDLL(None, use_errno=True)
_counter = itertools.count()


def wait_until(condition: Callable[[], Any], what: str, timeout: float = 20.0, interval: float = 0.02) -> Any:
    """The first true value of `condition()`; raises TimeoutError naming `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {timeout:g} s: no {what}")
        time.sleep(interval)


class Namespace:
    """A network namespace of a unique name; use it in a `with` statement.

    `name` is what `ip netns` calls it. Commands started with `run` and `popen` are
    in it, and so is the thread inside `with namespace.enter():`.
    """

    def __init__(self) -> None:
        self.name = f"sixtap-{os.getpid()}-{next(_counter)}"
        self._cleanup = ExitStack()
        self._ports = itertools.count()
        self._processes: list[subprocess.Popen[str]] = []
        _check(["ip", "netns", "add", self.name])
        self._cleanup.callback(_check, ["ip", "netns", "del", self.name])
        self._cleanup.callback(self._end_processes)
        try:
            self.run("ip", "link", "set", "lo", "up")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Namespace":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End what was started and delete the namespace; may be called again."""
        self._cleanup.close()

    def run(
        self, *command: str, check: bool = True, timeout: float = _COMMAND_TIMEOUT, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the namespace with its output captured as text.

        With `check` a failure raises AssertionError that shows what the command said.
        """
        return _check(self._command(command), check=check, timeout=timeout, **options)

    def popen(self, *command: str, **options: Any) -> "subprocess.Popen[str]":
        """Start a command in the namespace, in a session of its own; it is ended with the namespace."""
        defaults: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process: subprocess.Popen[str] = subprocess.Popen(
            self._command(command), text=True, start_new_session=True, **(defaults | options)
        )
        self._processes.append(process)
        return process

    def ip(self, *arguments: str) -> Any:
        """`ip -j ...` in the namespace, its JSON parsed (None when it says nothing)."""
        output = self.run("ip", "-j", *arguments).stdout
        return json.loads(output) if output.strip() else None

    def link(self, device: str) -> Any:
        """The object that `ip -d -s -j link show` has for one device, statistics included."""
        return self.ip("-d", "-s", "link", "show", "dev", device)[0]

    def sysctl(self, key: str, value: object | None = None) -> str:
        """Set (unless `value` is None) and read one sysctl, `key` with slashes: `net/ipv6/conf/eth0/accept_ra`."""
        path = Path("/proc/sys", key)
        with self.enter():
            if value is not None:
                path.write_text(str(value))
            return path.read_text().strip()

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Move the calling thread into the namespace and back.

        Sockets, TAP devices and /proc/sys/net opened inside belong to the namespace
        and stay usable after it. Threads and processes started inside inherit it.
        """
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            here = os.open(_NAMES / self.name, os.O_RDONLY)
            try:
                _setns(here)
            finally:
                os.close(here)
            try:
                yield
            finally:
                _setns(before)
        finally:
            os.close(before)

    def bridge(
        self,
        name: str = "br0",
        *,
        snooping: bool = True,
        querier: bool = False,
        mld_version: int = 2,
        ipv6: bool = True,
        vlan_filtering: bool = False,
    ) -> str:
        """Make a bridge, up and forwarding at once, and return its name.

        `querier` makes it send MLD queries, which needs `ipv6`, the kernel's own IPv6
        on the bridge. Netfilter does not see what it forwards.
        """
        options = {
            "forward_delay": "0",
            "mcast_snooping": str(int(snooping)),
            "mcast_querier": str(int(querier)),
            "mcast_mld_version": str(mld_version),
        }
        if vlan_filtering:  # even 0 is refused by a kernel built without it
            options["vlan_filtering"] = "1"
        words = [word for option in options.items() for word in option]
        self.run("ip", "link", "add", name, "type", "bridge", *words)
        # The default of 1 makes the bridge swallow malformed IPv6 and trim trailers.
        if Path("/proc/sys/net/bridge/bridge-nf-call-ip6tables").exists():
            self.sysctl("net/bridge/bridge-nf-call-ip6tables", 0)
        if not ipv6:
            self.sysctl(f"net/ipv6/conf/{name}/disable_ipv6", 1)
        self.run("ip", "link", "set", name, "up")
        return name

    def linux_host(self, bridge: str, *, dad: bool = False, ipv6: bool = True, mac: str | None = None) -> "LinuxHost":
        """A Linux host on the other end of a veth pair whose near end is a port of `bridge`.

        Without `dad` its link-local address is usable at once. It ends with this
        namespace; `close` ends it sooner.
        """
        host = LinuxHost(self, f"veth{next(self._ports)}", bridge, dad=dad, ipv6=ipv6, mac=mac)
        self._cleanup.callback(host.close)
        return host

    def _command(self, command: Sequence[str]) -> list[str]:
        return ["ip", "netns", "exec", self.name, *command]

    def _end_processes(self) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in self._processes:
                if process.poll() is None:
                    # Its own session: the group holds only what it started itself.
                    os.killpg(process.pid, number)
            deadline = time.monotonic() + _GRACE
            while time.monotonic() < deadline and any(process.poll() is None for process in self._processes):
                time.sleep(0.01)
        for process in self._processes:
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        self._processes.clear()


class LinuxHost(Namespace):
    """A namespace with one Ethernet device on somebody's bridge: the kernel as a peer.

    `dev` is that device, `mac` its 6 bytes, `link_local` the text of its link-local
    address (empty without IPv6), `port` the bridge port at the other end.
    """

    dev = "eth0"

    def __init__(
        self, switch: Namespace, port: str, bridge: str, *, dad: bool = False, ipv6: bool = True, mac: str | None = None
    ) -> None:
        super().__init__()
        self.port = port
        try:
            self._attach(switch, bridge, dad, ipv6, mac)
            self.mac = bytes.fromhex(self.link(self.dev)["address"].replace(":", ""))
            self.link_local = self._wait_for_link_local() if ipv6 else ""
        except BaseException:
            self.close()
            raise

    def _attach(self, switch: Namespace, bridge: str, dad: bool, ipv6: bool, mac: str | None) -> None:
        address = ["address", mac] if mac else []
        switch.run(
            *("ip", "link", "add", self.port, "type", "veth", "peer", "name", self.dev),
            *(*address, "netns", self.name),
        )
        switch.sysctl(f"net/ipv6/conf/{self.port}/disable_ipv6", 1)
        switch.run("ip", "link", "set", self.port, "master", bridge, "up")
        if not dad:
            self.sysctl(f"net/ipv6/conf/{self.dev}/accept_dad", 0)
        if not ipv6:
            self.sysctl(f"net/ipv6/conf/{self.dev}/disable_ipv6", 1)
        self.run("ip", "link", "set", self.dev, "up")

    def _wait_for_link_local(self) -> str:
        def address() -> str:
            shown = self.ip("-6", "addr", "show", "dev", self.dev, "scope", "link", "-tentative")
            return next((entry["local"] for link in shown or [] for entry in link.get("addr_info", [])), "")

        found: str = wait_until(address, f"link-local address on {self.dev} of {self.name}")
        return found


def _setns(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _check(
    command: Sequence[str], *, check: bool = True, timeout: float = _COMMAND_TIMEOUT, **options: Any
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done
