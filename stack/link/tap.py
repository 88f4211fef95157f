"""A TAP device as a link: opened or attached to, made quiet, read and written frame by frame, and left as found.

Frames are Ethernet frames as the device gives and takes them; VLAN tags are in
them and nothing is added or removed. Waiting for the descriptor is the caller's
business, and so is watching the device go down and up (`rtnetlink.LinkMonitor`).
"""

import errno
import fcntl
import os
import re
import struct
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stack.errors import LinkError, LinkGoneError, UsageError
from stack.link import rtnetlink, txfilter
from stack.link.rtnetlink import NAME_MAX, LinkState
from stack.multicast_filter import FilterPlan

TUNSETCARRIER = 0x400454E2

MTU_MIN = 1280  # RFC 8200 5
MTU_MAX = 65521  # the driver's: 65535 less an Ethernet header
VLAN_MIN, VLAN_MAX = 1, 4094

_BATCH = 64
# The longest frame is the largest MTU, an Ethernet header and VLAN tags; a shorter buffer truncates in silence.
_READ_SIZE = 65600
_NAME = re.compile(r"[!-~]+")
_NAME_FORBIDDEN = frozenset("/:%")  # a path, an alias, a template that the kernel fills in
_NAME_RESERVED = (".", "..", "all", "default")  # the last two are not devices in net.ipv6.conf
_NO_DRIVER = (errno.ENOENT, errno.ENODEV, errno.ENXIO)
_NOT_PERMITTED = (errno.EPERM, errno.EACCES, errno.EROFS)
_REFUSALS = (errno.EIO, errno.EAGAIN, errno.EINVAL, errno.ENOBUFS, errno.ENOMEM, errno.EMSGSIZE)
_QUIET = "1"


@dataclass(frozen=True, slots=True)
class _Found:
    """What a device that existed was like; `disable_ipv6` is None where the kernel has no IPv6 on it."""

    up: bool
    master: int
    mtu: int
    disable_ipv6: str | None


class TapLink:
    """One TAP device, held open.

    `name`, `index` and `kernel_mac` (6 bytes) are those of the kernel's side, `mtu`
    the largest payload in bytes, `vlan` the VLAN id that the host is to use or
    None, `created` whether the device was made here and goes with the descriptor.
    `warnings` are lines for the user about what could not be set.
    """

    __slots__ = ("_device", "_fd", "_found", "created", "index", "kernel_mac", "mtu", "name", "vlan", "warnings")

    def __init__(
        self, name: str, *, bridge: str | None = None, vlan: int | None = None, mtu: int | None = None
    ) -> None:
        """Create the TAP device `name` or attach to it, make it a port of `bridge`, quiet, and up.

        `mtu` is in bytes, by default what the device has. What is right already is
        not set again. Raises UsageError for a bad argument and LinkError when the
        system says no; nothing is then left behind.
        """
        check_name(name)
        check_vlan(vlan)
        check_mtu(mtu)
        port_of = None if bridge is None else _find_bridge(bridge)
        with ExitStack() as undo:
            device = _attach(name)
            undo.callback(device.close)
            os.set_blocking(device.fileno(), False)
            os.set_inheritable(device.fileno(), False)
            state = _ask(name)
            self._take_over(device, state, vlan)
            undo.callback(self.close)
            self._configure(state, port_of, mtu)
            undo.pop_all()

    def _take_over(self, device: Any, state: LinkState, vlan: int | None) -> None:
        self._device = device
        self._fd: int = device.fileno()
        self._found: _Found | None = None
        self.name = state.name
        self.index = state.index
        self.kernel_mac = state.mac
        self.mtu = state.mtu
        self.vlan = vlan
        # Not persistent and free to attach to: only this descriptor keeps it alive.
        self.created = state.persistent is False
        self.warnings: list[str] = []
        if not self.created:
            self._found = _Found(state.up, state.master or 0, state.mtu, _read_disable_ipv6(state.name))

    def fileno(self) -> int:
        """The descriptor to wait on; -1 once closed."""
        return self._fd

    def read(self, limit: int = _BATCH) -> list[bytes]:
        """Up to `limit` frames that are waiting, oldest first; empty when none is.

        Raises LinkGoneError when the device was deleted, LinkError for anything else.
        """
        frames: list[bytes] = []
        while len(frames) < limit:
            try:
                frames.append(os.read(self._fd, _READ_SIZE))
            except BlockingIOError:
                break
            except OSError as error:
                if frames:  # not to lose them: the next call meets the same error
                    break
                raise self._failure(error) from error
        return frames

    def write(self, frame: bytes) -> bool:
        """Send one frame; False when the device does not take it (down, no memory, under 14 bytes).

        The driver takes frames longer than the MTU. Raises LinkGoneError when the
        device was deleted, LinkError for anything else.
        """
        try:
            os.write(self._fd, frame)
        except OSError as error:
            if error.errno in _REFUSALS:
                return False
            raise self._failure(error) from error
        return True

    def program(self, plan: FilterPlan) -> None:
        """Give the plan to the driver's filter; raises OSError when the driver refuses it."""
        txfilter.program(self._fd, plan)

    def set_carrier(self, on: bool) -> None:
        """Let the kernel's side, and a bridge it is a port of, see the link up or down; raises LinkError."""
        try:
            fcntl.ioctl(self._fd, TUNSETCARRIER, struct.pack("=i", on))
        except OSError as error:
            raise self._failure(error) from error

    def set_mtu(self, mtu: int) -> None:
        """Set the device's MTU in bytes (1280 to 65521); raises UsageError or LinkError."""
        check_mtu(mtu)
        try:
            rtnetlink.set_link(self.index, mtu=mtu)
        except OSError as error:
            raise LinkError(f"{self.name}: the MTU cannot be set to {mtu}: {error.strerror}") from error
        self.mtu = mtu

    def state(self) -> LinkState | None:
        """The device as it is now, None when it was deleted; raises OSError."""
        return rtnetlink.get_link(self.index)

    def close(self) -> None:
        """Give the descriptor back: a created device vanishes, any other is left as it was found.

        What cannot be restored is added to `warnings`. May be called again.
        """
        if self._fd < 0:
            return
        try:
            if self._found is not None:
                self._restore(self._found)
        finally:
            self._fd = -1
            self._device.close()

    def _failure(self, error: OSError) -> LinkError:
        if error.errno == errno.EBADFD:
            return LinkGoneError(f"{self.name} was deleted")
        return LinkError(f"{self.name}: {error.strerror}")

    def _configure(self, state: LinkState, port_of: LinkState | None, mtu: int | None) -> None:
        problems: list[str] = []
        self._make_quiet(problems)
        self._join_bridge(state, port_of, problems)
        self._set_first_mtu(mtu, problems)
        # Below 1280 the kernel has no IPv6 on a device, and gets it with the larger MTU.
        if state.mtu < MTU_MIN:
            self._make_quiet(problems)
        self._bring_up(state)
        if problems:
            self.warnings.append(f"{self.name}: " + "; ".join(problems))

    def _make_quiet(self, problems: list[str]) -> None:
        if _read_disable_ipv6(self.name) in (None, _QUIET):
            return
        try:
            _disable_ipv6_path(self.name).write_text(_QUIET)
        except OSError:
            problems.append(
                f"the kernel's own IPv6 stays on (as root: sysctl -w net/ipv6/conf/{self.name}/disable_ipv6=1)"
            )

    def _join_bridge(self, state: LinkState, port_of: LinkState | None, problems: list[str]) -> None:
        if port_of is None:
            return
        if not port_of.up:
            problems.append(f"the bridge {port_of.name} is down (as root: ip link set {port_of.name} up)")
        if state.master == port_of.index:
            return
        try:
            rtnetlink.set_link(self.index, master=port_of.index)
        except OSError as error:
            raise LinkError(
                f"{self.name} cannot be made a port of {port_of.name}: {error.strerror}"
                f" (as root: ip link set {self.name} master {port_of.name})"
            ) from error

    def _set_first_mtu(self, mtu: int | None, problems: list[str]) -> None:
        if mtu is not None and mtu != self.mtu:
            try:
                rtnetlink.set_link(self.index, mtu=mtu)
                self.mtu = mtu
            except OSError as error:
                if error.errno not in _NOT_PERMITTED:
                    raise LinkError(f"{self.name}: the MTU cannot be set to {mtu}: {error.strerror}") from error
                problems.append(f"the MTU stays {self.mtu} (as root: ip link set {self.name} mtu {mtu})")
                self.mtu = min(mtu, self.mtu)
        if self.mtu < MTU_MIN:
            raise LinkError(
                f"{self.name} has an MTU of {self.mtu} bytes and IPv6 needs {MTU_MIN}"
                f" (--mtu, or as root: ip link set {self.name} mtu 1500)"
            )

    def _bring_up(self, state: LinkState) -> None:
        if state.up:
            return
        try:
            rtnetlink.set_link(self.index, up=True)
        except OSError as error:
            raise LinkError(
                f"{self.name} is down and cannot be set up: {error.strerror} (as root: ip link set {self.name} up)"
            ) from error

    def _restore(self, found: _Found) -> None:
        """Undo in an order in which the kernel's side says nothing: down first, IPv6 while it is down, up last.

        The descriptor is still open, so that no other process attaches in between;
        what the kernel sends meanwhile ends in it and reaches nobody.
        """
        try:
            now = self.state()
        except OSError as error:
            self.warnings.append(f"{self.name} could not be restored: {error.strerror}")
            return
        if now is None:  # the device is gone, and with it all there is to restore
            return
        self._restore_step("filter", True, lambda: self.program(FilterPlan(off=True)))
        self._restore_step("up state", now.up and not found.up, lambda: rtnetlink.set_link(self.index, up=False))
        self._restore_step(
            "bridge", (now.master or 0) != found.master, lambda: rtnetlink.set_link(self.index, master=found.master)
        )
        self._restore_step("MTU", now.mtu != found.mtu, lambda: rtnetlink.set_link(self.index, mtu=found.mtu))
        self._restore_disable_ipv6(now.name, found.disable_ipv6)
        self._restore_step("up state", found.up and not now.up, lambda: rtnetlink.set_link(self.index, up=True))

    def _restore_disable_ipv6(self, name: str, value: str | None) -> None:
        if value is not None:
            differs = _read_disable_ipv6(name) not in (None, value)
            self._restore_step("disable_ipv6", differs, lambda: _disable_ipv6_path(name).write_text(value))

    def _restore_step(self, what: str, differs: bool, step: Callable[[], object]) -> None:
        if not differs:
            return
        try:
            step()
        except OSError as error:
            self.warnings.append(f"{self.name}: its {what} could not be restored: {error.strerror}")


def check_name(name: str) -> None:
    """Raise UsageError unless `name` can be the name of a TAP device."""
    if len(name) > NAME_MAX:
        raise UsageError(f"{name!r} is too long for a device name ({NAME_MAX} characters at most)")
    if not _NAME.fullmatch(name) or _NAME_FORBIDDEN & set(name) or name in _NAME_RESERVED:
        raise UsageError(f"{name!r} is not a device name (1 to {NAME_MAX} printable characters without space, / : %)")


def check_vlan(vlan: int | None) -> None:
    """Raise UsageError unless `vlan` is None or a VLAN id (IEEE 802.1Q: 1 to 4094)."""
    if vlan is not None and not VLAN_MIN <= vlan <= VLAN_MAX:
        raise UsageError(f"{vlan} is not a VLAN id ({VLAN_MIN} to {VLAN_MAX})")


def check_mtu(mtu: int | None) -> None:
    """Raise UsageError unless `mtu` is None or a size in bytes that both IPv6 and a TAP device allow."""
    if mtu is not None and not MTU_MIN <= mtu <= MTU_MAX:
        raise UsageError(f"{mtu} is not an MTU ({MTU_MIN} to {MTU_MAX} bytes)")


def _attach(name: str) -> Any:
    """pytun's device for `name`, created unless it exists; raises LinkError."""
    try:
        # Here, so that what needs no TAP also runs where there is no such library.
        from pytun import IFF_NO_PI, IFF_TAP, TunTapDevice
    except ImportError as error:
        raise LinkError("TAP devices need the library python-pytun (pip install python-pytun)") from error
    try:
        return TunTapDevice(name=name, flags=IFF_TAP | IFF_NO_PI)
    except OSError as error:
        raise LinkError(_why_not_attached(name, error)) from error


def _why_not_attached(name: str, error: OSError) -> str:
    if error.errno in _NO_DRIVER:
        return "there is no /dev/net/tun (as root: modprobe tun; in a container: give it the device)"
    if error.errno in _NOT_PERMITTED:
        return (
            f"no permission to open the TAP device {name}: run as root, or let root prepare it"
            f" (ip tuntap add dev {name} mode tap user $USER; ip link set {name} up)"
        )
    if error.errno == errno.EBUSY:
        return f"another process has {name} open; choose another with --tap"
    if error.errno == errno.EINVAL:
        return f"{name} is {_what_it_is(name)}; choose another with --tap"
    return f"the TAP device {name} cannot be opened: {error.strerror or error}"


def _what_it_is(name: str) -> str:
    try:
        state = rtnetlink.get_link(name)
    except OSError:
        state = None
    if state is None:
        return "not a name that the kernel takes"
    if state.tun_type == "tap":
        return "a TAP device with several queues"
    kind = "TUN" if state.kind == "tun" else state.kind
    return f"a {kind} device and not a TAP" if kind else "a device that exists and not a TAP"


def _find_bridge(name: str) -> LinkState:
    """The bridge of that name; raises LinkError."""
    try:
        state = rtnetlink.get_link(name)
    except OSError as error:
        raise LinkError(f"the bridge {name} cannot be looked up: {error.strerror}") from error
    if state is None:
        raise LinkError(f"there is no bridge {name} (as root: ip link add {name} type bridge; ip link set {name} up)")
    if state.kind != "bridge":
        raise LinkError(f"{name} is not a bridge; name one with --bridge")
    return state


def _ask(name: str) -> LinkState:
    """The device just attached to; raises LinkError."""
    try:
        state = rtnetlink.get_link(name)
    except OSError as error:
        raise LinkError(f"{name} cannot be looked up: {error.strerror}") from error
    if state is None:
        raise LinkGoneError(f"{name} was deleted")
    return state


def _disable_ipv6_path(name: str) -> Path:
    # The kernel resolves it in the network namespace of the thread that opens it.
    return Path("/proc/sys/net/ipv6/conf", name, "disable_ipv6")


def _read_disable_ipv6(name: str) -> str | None:
    try:
        return _disable_ipv6_path(name).read_text(encoding="ascii").strip()
    except OSError:
        return None
