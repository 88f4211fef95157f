"""What all tests share: which tests run where, and that none can fail by the clock."""

import functools
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no reason to fail, and a run can be repeated.
settings.register_profile(
    "sixtap", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("sixtap")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--part",
        choices=("plain", "long", "live", "alone"),
        help="run only one part: what needs no device, what of that searches and floods for long, what sleeps on real"
        " devices, what floods and starves others",
    )


def pytest_configure() -> None:
    # A shell that starts us in the background has SIGINT ignored, and what ignores a signal hands that on to every
    # program it starts: those that tests interrupt would never end.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def part_of(item: pytest.Item) -> str:
    """The part of the suite that a test belongs to; each is run with as many workers as it can have."""
    if item.get_closest_marker("alone") is not None:
        return "alone"
    if item.get_closest_marker("long") is not None:
        return "long"
    return "live" if item.get_closest_marker("live") is not None else "plain"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    choice = config.getoption("--part")
    if choice is None:
        return
    kept = [item for item in items if part_of(item) == choice]
    config.hook.pytest_deselected(items=[item for item in items if part_of(item) != choice])
    items[:] = kept


# What live tests run, and the Debian package that has it.
_COMMANDS = {
    "ip": "iproute2",
    "bridge": "iproute2",
    "ping": "iputils-ping",
    "radvd": "radvd",
    "ndisc6": "ndisc6",
    "rdisc6": "ndisc6",
    "atk6-detect-new-ip6": "thc-ipv6",
    "atk6-flood_router26": "thc-ipv6",
}


@functools.cache
def why_not_live() -> str | None:
    """What a test on real devices lacks on this machine, None if nothing."""
    if sys.platform != "linux":
        return "needs Linux"
    if os.geteuid() != 0:
        return "needs root"
    if not Path("/dev/net/tun").is_char_device():
        return "needs /dev/net/tun (modprobe tun)"
    for command, package in _COMMANDS.items():
        if shutil.which(command) is None:
            return f"needs the command {command} (apt-get install {package})"
    if subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode != 0:
        return "needs the right to make network namespaces"
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("live") is None:
        return
    reason = why_not_live()
    if reason is None:
        return
    if sys.platform == "linux" and os.geteuid() == 0:
        # Root can have all of it: a test that silently did not run would hide that.
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
