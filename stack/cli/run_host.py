"""What `sixtap run` does: checks the words, opens the TAP device, and runs the host with its control socket on it."""

import argparse
import logging
import secrets
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random

import trio

from stack import settings
from stack.address import IPv6Address, MacAddress, format_mac, parse_address_with_length
from stack.address import parse_mac as parse_mac_text
from stack.cli import tapping
from stack.cli.crash import CrashGuard
from stack.cli.tracing import TraceFile
from stack.control.arguments import parse_listening
from stack.control.server import ControlSocket, default_path
from stack.errors import LinkError, RefusedError, UsageError
from stack.host import Host
from stack.interface import Interface, check_station_mac
from stack.link.identity import default_mac
from stack.link.tap import TapLink, check_mtu, check_name, check_vlan
from stack.nd.interface_address import check_assignable
from stack.recorder.ring import Recorder
from stack.report import Reporter, log_events, log_journal
from stack.runtime import Runtime
from stack.settings import Settings


def run_host(arguments: argparse.Namespace) -> int:
    """Run the host until it is told to end."""
    plan = Plan(arguments)
    logging.basicConfig(stream=sys.stderr, level=arguments.log.upper(), format="sixtap: %(message)s")
    trace = None if plan.trace is None else TraceFile(plan.trace, tapping.tell)
    try:
        with (
            tapping.opened(arguments.tap, arguments.bridge, vlan=arguments.vlan, mtu=plan.mtu) as link,
            closing(ControlSocket(plan.control or default_path(link.name))) as control,
        ):
            _serve(plan, link, control, trace)
    finally:
        if trace is not None:
            trace.close()
    return 0


class Plan:
    """The command line's words, checked before anything is touched; raises UsageError."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        check_name(arguments.tap)
        check_vlan(arguments.vlan)
        check_mtu(arguments.mtu)
        self.settings = Settings()
        self.mtu: int | None = arguments.mtu
        for assignment in arguments.set:
            self._set(assignment)
        self.addresses = [_checked_address(text) for text in arguments.addr]
        self.groups = [parse_listening(text) for text in arguments.join]
        self.mac = None if arguments.mac is None else _checked_mac(arguments.mac)
        self.control = None if arguments.control is None else Path(arguments.control)
        self.trace = None if arguments.trace is None else Path(arguments.trace)
        self.seed = secrets.randbits(64) if arguments.seed is None else arguments.seed
        self.recording = not arguments.no_record
        self.journal = arguments.log == "debug"
        self.events = arguments.log in ("debug", "info")

    def _set(self, assignment: str) -> None:
        name, value = settings.split_assignment(assignment)
        self.settings.set_text(name, value)
        if name == "mtu" and self.mtu is None:
            self.mtu = self.settings.mtu


def _checked_address(text: str) -> tuple[IPv6Address, int]:
    address, length = parse_address_with_length(text)
    check_assignable(address)
    return address, length


def _checked_mac(text: str) -> MacAddress:
    mac = parse_mac_text(text)
    check_station_mac(mac)
    return mac


def _serve(plan: Plan, link: TapLink, control: ControlSocket, trace: TraceFile | None) -> None:
    mac = plan.mac or default_mac(link.name, link.kernel_mac)
    if mac == link.kernel_mac:
        raise UsageError(f"{format_mac(mac)} is the MAC of the kernel's side of {link.name}; choose another with --mac")
    host = Host(Random(plan.seed), plan.settings)
    interface = host.attach(link.name, mac, index=link.index, mtu=link.mtu, vlan=link.vlan, program=link.program)
    host.settings.mtu = link.mtu
    if plan.events:
        host.listeners.append(log_events)
    if plan.journal:
        host.journal.listen(log_journal)
    host.listeners.append(Reporter(interface, tapping.tell).heard)
    _prepare(plan, interface)
    if plan.recording:
        # Behind what is there before the clock runs, which has no time.
        Recorder(host)
    runtime = Runtime(host, interface, link, tapping.tell)
    tapping.run_until_signal(partial(_main, runtime, control, trace))


def _prepare(plan: Plan, interface: Interface) -> None:
    """What the user gives is there before the interface starts: addresses, then groups."""
    for address, length in plan.addresses:
        if interface.addresses.get(address) is None:
            interface.addresses.add(address, length, 0.0)
    for group, source_filter in plan.groups:
        try:
            interface.listener.join(group, 0.0, owner="run", source_filter=source_filter)
        except OSError as error:
            raise RefusedError(
                f"{interface.name}: the driver refuses the multicast filter: {error.strerror}"
            ) from error


async def _main(runtime: Runtime, control: ControlSocket, trace: TraceFile | None) -> None:
    """The host and its control socket, until cancelled."""
    if trace is not None:
        trace.start(runtime.host)
    guard = CrashGuard(runtime)
    try:
        with guard:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(control.serve, runtime)
                await runtime.run()
    finally:
        if not guard.crashed:
            _stop(runtime)


def _stop(runtime: Runtime) -> None:
    """One Done for each group; a device that is gone has nobody to tell."""
    try:
        runtime.stop()
    except LinkError:
        return
