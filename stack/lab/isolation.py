"""Namespaces that end with the process in them, without privilege where the system has user namespaces.

`run_isolated` starts a first process in new namespaces for users (unless root needs
none), mounts, host name, network and processes. Whatever that process starts ends
with it, whatever way it ends, and its devices, mounts and files in /run go with
them: the kernel sees to it (pid_namespaces(7), network_namespaces(7)).
"""

import contextlib
import ctypes
import errno
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

from stack.errors import RefusedError

# linux/sched.h, linux/mount.h, linux/prctl.h
_NEW_MOUNTS = 0x0002_0000
_NEW_HOST_NAME = 0x0400_0000
_NEW_USERS = 0x1000_0000
_NEW_PROCESSES = 0x2000_0000
_NEW_NETWORK = 0x4000_0000
_NAMESPACES = _NEW_MOUNTS | _NEW_HOST_NAME | _NEW_PROCESSES | _NEW_NETWORK
_MOUNT_RECURSIVE_PRIVATE = 0x4000 | 0x4_0000
_MOUNT_PLAIN = 0x2 | 0x4 | 0x8  # nosuid, nodev, noexec
_DEATH_SIGNAL = 1

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_NOT_PERMITTED = (errno.EPERM, errno.EACCES)
_libc = ctypes.CDLL(None, use_errno=True)


class Ended(BaseException):
    """A signal has told the first process to end; `number` is which."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def run_isolated(work: Callable[[], int], host_name: str, *, terminal: bool = False) -> int:
    """The exit status of `work`, run as the first process of new namespaces.

    With `terminal` it has the caller's terminal. `work` may raise StackError; a signal
    to end raises Ended in it. Returns in two processes: in the first one of the
    namespaces with what `work` says, in the caller with the status of that process,
    or 128 and the number of the signal that ended it. Raises RefusedError where the
    system allows no namespaces.
    """
    _enter()
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(writing)
        _die_with_the_caller(reading)
        _furnish(host_name)
        if terminal:
            # A shell wants to hand the terminal back to a group that it can see.
            os.setpgid(0, 0)
            _own_terminal()
        return _first(work)
    os.close(reading)
    try:
        return _wait(process)
    finally:
        os.close(writing)
        if terminal:
            _own_terminal()


def exit_status(status: int) -> int:
    """What a shell would say of a process that ended with the wait status `status`."""
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def _enter() -> None:
    """Give the caller new namespaces, and to its next child those for processes."""
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        try:
            _unshare(_NAMESPACES)
            return
        except OSError as error:
            if error.errno not in _NOT_PERMITTED:
                raise RefusedError(f"no namespaces can be made: {error.strerror}") from error
    try:
        _unshare(_NEW_USERS | _NAMESPACES)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    except OSError as error:
        raise RefusedError(_why_not(error)) from error


def _why_not(error: OSError) -> str:
    if error.errno in _NOT_PERMITTED:
        remedy = "sysctl kernel.unprivileged_userns_clone=1 or kernel.apparmor_restrict_unprivileged_userns=0"
        return f"this system allows user namespaces to root alone (use root; or, as root: {remedy})"
    if error.errno in (errno.ENOSPC, errno.EUSERS):
        return "this system has no user namespace left (use root; or, as root: sysctl user.max_user_namespaces=10000)"
    return f"this system has no user namespaces: {error.strerror} (use root)"


def _die_with_the_caller(reading: int) -> None:
    """SIGKILL when the caller dies, even of SIGKILL itself, so that nothing is left."""
    _libc.prctl(_DEATH_SIGNAL, signal.SIGKILL)
    os.set_blocking(reading, False)
    try:
        # Its other end is closed only if the caller has died before.
        if os.read(reading, 1) == b"":
            os._exit(1)
    except BlockingIOError:
        return


def _furnish(host_name: str) -> None:
    """Private mounts: /run is empty, /proc shows the processes of the namespace where that is allowed."""
    try:
        _mount("none", "/", None, _MOUNT_RECURSIVE_PRIVATE)
        _mount("tmpfs", "/run", "tmpfs", 0)
    except OSError as error:
        raise RefusedError(_why_not(error)) from error
    with contextlib.suppress(OSError):
        # A container that hides parts of /proc may not show them anew.
        _mount("proc", "/proc", "proc", _MOUNT_PLAIN)
    with contextlib.suppress(OSError):
        socket.sethostname(host_name)


def _own_terminal() -> None:
    """Make the caller's process group the one that is typed to."""
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        os.tcsetpgrp(0, os.getpgrp())
    except OSError as error:
        raise RefusedError(f"the terminal cannot be handed over: {error.strerror}") from error
    finally:
        signal.signal(signal.SIGTTOU, before)


def _first(work: Callable[[], int]) -> int:
    if os.getpid() != 1:
        raise RefusedError("this system has no process namespaces")
    for number in _SIGNALS:
        signal.signal(number, _end)
    try:
        return work()
    except Ended as ended:
        return 128 + ended.number


def _end(number: int, frame: FrameType | None) -> NoReturn:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise Ended(number)


def _wait(process: int) -> int:
    """Wait for the first process; a signal is handed to it, and is the answer."""
    received: list[int] = []

    def hand_on(number: int, frame: FrameType | None) -> None:
        received.append(number)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, number)

    before = {number: signal.signal(number, hand_on) for number in _SIGNALS}
    try:
        _, status = os.waitpid(process, 0)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 + received[0] if received else exit_status(status)


def _unshare(flags: int) -> None:
    if _libc.unshare(flags) != 0:
        _fail()


def _mount(source: str, target: str, kind: str | None, flags: int) -> None:
    type_name = None if kind is None else kind.encode()
    if _libc.mount(source.encode(), target.encode(), type_name, ctypes.c_ulong(flags), None) != 0:
        _fail()


def _fail() -> NoReturn:
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number))
