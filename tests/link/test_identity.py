"""The default MAC address: locally administered, unicast, stable, and never the kernel's."""

from pathlib import Path

import pytest

from stack.link import identity
from stack.link.identity import default_mac

KERNEL_MAC = bytes.fromhex("02dd60d8986b")


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    paths = (tmp_path / "first", tmp_path / "second")
    monkeypatch.setattr(identity, "_SOURCES", paths)
    return paths


def test_locally_administered_and_unicast() -> None:
    macs = [default_mac(f"tap{number}", KERNEL_MAC) for number in range(300)]
    assert all(len(mac) == 6 and mac[0] & 0x03 == 0x02 for mac in macs)
    assert len(set(macs)) == len(macs)


def test_the_same_on_every_start() -> None:
    assert default_mac("sixtap0", KERNEL_MAC) == default_mac("sixtap0", bytes(6))


def test_golden_value(sources: tuple[Path, Path]) -> None:
    """The derivation is part of what users see: changing it would change every host's addresses."""
    sources[0].write_text("0123456789abcdef0123456789abcdef\n")
    assert default_mac("sixtap0", KERNEL_MAC).hex(":") == "7e:d7:5e:4c:2c:d2"


def test_never_the_kernels_mac() -> None:
    taken = default_mac("sixtap0", KERNEL_MAC)
    other = default_mac("sixtap0", taken)
    assert other != taken
    assert other[0] & 0x03 == 0x02


def test_machines_differ(sources: tuple[Path, Path]) -> None:
    sources[0].write_text("a" * 32)
    one = default_mac("sixtap0", KERNEL_MAC)
    sources[0].write_text("b" * 32)
    assert default_mac("sixtap0", KERNEL_MAC) != one


@pytest.mark.parametrize("first", ["", "\n", "uninitialized\n", None])
def test_an_unset_id_is_passed_over(sources: tuple[Path, Path], first: str | None) -> None:
    if first is not None:
        sources[0].write_text(first)
    sources[1].write_text("second-id\n")
    assert identity.machine_id() == b"second-id"


def test_without_any_id_the_hosts_name_serves(sources: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "printer")
    assert identity.machine_id() == b"no machine id\0printer"
