"""The processes that are measured: each answers echo requests on a TAP device of its own."""

import os
import re
import select
import subprocess
import sys
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from socket import AF_INET6, inet_pton

from stack.address import eui64_identifier, format_address, format_mac
from tools.benchmark.frames import Station

START_TIMEOUT = 30.0


class Responder:
    """A process that says `... NAME ready [ADDRESS]` on standard error and then answers on the device NAME."""

    def __init__(self, name: str, command: Sequence[str], station: Station | None, mac: bytes = b"") -> None:
        self.name = name
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            address = self._wait_until_ready()
        except BaseException:
            self.close()
            raise
        self.station = station if station is not None else Station(mac, inet_pton(AF_INET6, address))

    def _wait_until_ready(self) -> str:
        stream = self._process.stderr
        said = b""
        deadline = time.monotonic() + START_TIMEOUT
        while stream is not None and select.select([stream], [], [], max(0.0, deadline - time.monotonic()))[0]:
            piece = os.read(stream.fileno(), 4_096)
            if not piece:
                break
            said += piece
            ready = re.search(rf"\b{self.name} ready ?(\S*)\n", said.decode())
            if ready is not None:
                return ready[1]
        raise SystemExit(f"bench: {self.name} was not ready within {START_TIMEOUT:g} s: {said.decode().strip()}")

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def cpu_seconds(self) -> float:
        """User and system time of the process so far, in nanosecond steps."""
        return sum(int(each.read_text().split()[0]) for each in self._schedule()) / 1e9

    def _schedule(self) -> list[Path]:
        return [each / "schedstat" for each in Path("/proc", str(self._process.pid), "task").iterdir()]

    def finish(self) -> str:
        """End the process; what it said after `ready`."""
        self._process.terminate()
        stream = self._process.stderr
        said = b"" if stream is None else stream.read()
        self.close()
        return said.decode()

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()


def start_host(name: str, folder: Path, *options: str) -> Responder:
    """The host as a user runs it, with more options of `sixtap run`; `folder` is for its control socket."""
    command = [sys.executable, "-m", "stack.cli.main", "run", "--tap", name, "--mac", format_mac(_mac(name))]
    # There is nobody else on the link.
    command += ["--set", "dad_transmits=0"]
    control = ["--control", str(folder / f"{name}.sock")]
    return Responder(name, [*command, *control, *options], None, _mac(name))


def start_hosting(name: str, *options: str) -> Responder:
    """The host with much in its tables (`tools.benchmark.hosting`)."""
    command = [sys.executable, "-m", "tools.benchmark.hosting", name, format_mac(_mac(name)), *options]
    return Responder(name, command, station_of(name))


def start_udp_echo(name: str) -> Responder:
    """The echo service over `stack.sockets`."""
    command = [sys.executable, "-m", "tools.benchmark.udp_echo", name, format_mac(_mac(name))]
    return Responder(name, command, station_of(name))


def start_loop(name: str) -> Responder:
    """The bare trio loop."""
    station = station_of(name)
    address = format_address(station.address)
    return Responder(name, [sys.executable, "-m", "tools.benchmark.loop", name, station.mac.hex(), address], station)


def start_reference(name: str, program: Path) -> Responder:
    """reference.c, compiled; it answers whatever the address."""
    return Responder(name, [sys.executable, "-m", "tools.benchmark.handover", name, str(program)], station_of(name))


def _mac(name: str) -> bytes:
    """A locally administered MAC for each name."""
    return b"\x02\x62" + zlib.crc32(name.encode()).to_bytes(4, "big")


def station_of(name: str) -> Station:
    """The MAC and the link-local address of the responder of that name."""
    mac = _mac(name)
    return Station(mac, b"\xfe\x80" + bytes(6) + eui64_identifier(mac))
