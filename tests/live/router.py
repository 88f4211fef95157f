"""A Linux router with radvd, what it says, and what two hosts on its link make of it."""

import json
import subprocess
from collections.abc import Iterable
from ipaddress import IPv6Interface
from pathlib import Path
from typing import Any

from tests.live.netns import LinuxHost, Namespace, wait_until
from tests.live.running import Running

FOREVER = 0xFFFFFFFF
# radvd takes no longer interval than 1800 s and no shorter one than these.
_INTERVALS = "AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4;"
# "within two seconds": of lifetimes that run while the one is asked after the other.
_TOLERANCE = 2


def prefix(text: str, valid: object = 3600, preferred: object = 1800, *more: str) -> str:
    """radvd's words for a prefix, with its lifetimes in seconds or `infinity`."""
    words = [f"AdvValidLifetime {valid}", f"AdvPreferredLifetime {preferred}", *more]
    return f"prefix {text} {{ {' '.join(f'{each};' for each in words)} }};"


class Router:
    """A Linux host with two links, `eth0` on `bridge` and `eth1` on `far`, that forwards between them.

    Its addresses are `number` in 2001:db8:1::/64 to 2001:db8:4::/64, and in
    2001:db8:f::/64 on the far side. radvd speaks on `eth0` once `start` is called;
    what it is told is kept in `folder`.
    """

    def __init__(self, switch: Namespace, folder: Path, bridge: str, far: str, number: int = 1) -> None:
        self.host: LinuxHost = switch.linux_host(bridge)
        self.link_local = self.host.link_local
        self._switch = switch
        self._configuration = folder / f"radvd{number}.conf"
        self._pid_file = folder / f"radvd{number}.pid"
        self._log = folder / f"radvd{number}.log"
        self._process: subprocess.Popen[str] | None = None
        port = f"far{number}"
        switch.run("ip", "link", "add", port, "type", "veth", "peer", "name", "eth1", "netns", self.host.name)
        switch.sysctl(f"net/ipv6/conf/{port}/disable_ipv6", 1)
        switch.run("ip", "link", "set", port, "master", far, "up")
        self.host.sysctl("net/ipv6/conf/all/forwarding", 1)
        self.host.run("ip", "link", "set", "eth1", "up")
        self.host.run("ip", "addr", "add", f"2001:db8:f::{number}/64", "dev", "eth1", "nodad")
        for each in range(1, 5):
            self.host.run("ip", "addr", "add", f"2001:db8:{each}::{number}/64", "dev", "eth0", "nodad")

    def start(self, *words: str) -> None:
        """Start radvd with these words about its interface."""
        self._write(words)
        with self._log.open("a") as log:
            command = ("radvd", "-C", str(self._configuration), "-p", str(self._pid_file), "-n", "-m", "stderr")
            self._process = self.host.popen(*command, stdout=subprocess.DEVNULL, stderr=log)

        def there() -> bool:
            assert self._process is not None
            if self._process.poll() is not None:
                raise AssertionError(f"radvd ended with {self._process.returncode}: {self._log.read_text()}")
            return self._pid_file.exists()

        wait_until(there, "radvd")

    def say(self, *words: str) -> None:
        """Other words from now on, without a farewell to the old ones."""
        self._write(words)
        assert self._process is not None
        self._process.send_signal(1)

    def stop(self) -> None:
        """radvd takes its leave: a last advertisement with a lifetime of 0 (RFC 4861 6.2.5)."""
        assert self._process is not None
        self._process.terminate()
        assert self._process.wait(20.0) == 0, self._log.read_text()

    def kill(self) -> None:
        """radvd is silent from now on."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(20.0)
        self._pid_file.unlink()

    def unplug(self) -> None:
        """Nothing reaches it any more, and nobody is told."""
        self._switch.run("ip", "link", "set", self.host.port, "nomaster")

    def forwarded(self) -> int:
        """How many packets it has forwarded."""
        text = self.host.run("cat", "/proc/net/snmp6").stdout
        return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Ip6OutForwDatagrams"))

    def _write(self, words: Iterable[str]) -> None:
        self._configuration.write_text(f"interface eth0 {{ {_INTERVALS} {' '.join(words)} }};\n")


# Told by both kinds of host in the same words.
_FLAGS = ("tentative", "optimistic", "dadfailed", "deprecated", "dynamic", "temporary", "mngtmpaddr")
Addresses = dict[tuple[str, bool], dict[str, Any]]
Routes = dict[tuple[str, str | None], dict[str, Any]]


def _addresses(document: list[dict[str, Any]]) -> Addresses:
    """The addresses by prefix, temporary ones apart: flags and lifetimes."""
    found: Addresses = {}
    for entry in document[0]["addr_info"]:
        key = str(IPv6Interface(f"{entry['local']}/{entry['prefixlen']}").network), bool(entry.get("temporary"))
        assert key not in found, f"two addresses of one kind: {document}"
        times = {name: entry[name] for name in ("scope", "valid_life_time", "preferred_life_time")}
        found[key] = {name: entry.get(name, False) for name in _FLAGS} | times
    return found


def _routes(document: list[dict[str, Any]]) -> Routes:
    """The routes by destination and gateway, each with all that `ip` has but the device and the path's metrics."""
    found: Routes = {}
    for route in document:
        # The kernel leaves what is over in its table until somebody looks for it.
        if route.get("expires", 1) <= 0:
            continue
        key = route["dst"], route.get("gateway")
        assert key not in found, f"two routes of one kind: {document}"
        found[key] = {name: value for name, value in route.items() if name not in ("dev", "metrics")}
    return found


def our_addresses(host: Running) -> Addresses:
    return _addresses(host.json("addr"))


def linux_addresses(linux: LinuxHost) -> Addresses:
    return _addresses(linux.ip("-6", "addr", "show", "dev", linux.dev))


def our_routes(host: Running) -> Routes:
    return _routes(host.json("route"))


def linux_routes(linux: LinuxHost) -> Routes:
    return _routes(linux.ip("-6", "route", "show", "dev", linux.dev))


def differences(ours: dict[Any, dict[str, Any]], theirs: dict[Any, dict[str, Any]]) -> list[str]:
    """Where two tables disagree; times may be two seconds apart, but for ever is for ever."""
    found = [f"only ours: {each}" for each in ours.keys() - theirs.keys()]
    found += [f"only Linux's: {each}" for each in theirs.keys() - ours.keys()]
    for key in ours.keys() & theirs.keys():
        mine, other = ours[key], theirs[key]
        for name in mine.keys() | other.keys():
            one, two = mine.get(name), other.get(name)
            running = name.endswith("life_time") or name == "expires"
            if running and one is not None and two is not None and FOREVER not in (one, two):
                same = abs(one - two) <= _TOLERANCE
            else:
                same = one == two
            if not same:
                found.append(f"{key}: {name} is {one} here and {two} on Linux")
    return found


class Agreement:
    """Our host and a Linux host on one link, and whether they make the same of it."""

    def __init__(self, host: Running, linux: LinuxHost) -> None:
        self.host = host
        self.linux = linux

    def wait(self) -> None:
        """Until both have the same addresses and routes; AssertionError that says where they disagree."""
        last: list[str] = []

        def agree() -> bool:
            last[:] = differences(our_addresses(self.host), linux_addresses(self.linux))
            last.extend(differences(our_routes(self.host), linux_routes(self.linux)))
            return not last

        try:
            wait_until(agree, "agreement", interval=0.2)
        except TimeoutError:
            raise AssertionError(json.dumps(last, indent=1)) from None
