"""Other stacks in Python, which are run by an interpreter that has them.

python -m venv ENV; ENV/bin/pip install PyTCP scapy; tools/bench --peers ENV/bin/python
"""

import subprocess
import sys
from pathlib import Path

from stack.address import format_mac
from tools.benchmark.responder import Responder, station_of

_HERE = Path(__file__).parent


def start_pytcp(name: str, python: Path) -> Responder:
    """PyTCP, its log turned off. It opens the device itself."""
    for command in (f"tuntap add dev {name} mode tap", f"link set {name} up"):
        subprocess.run(["ip", *command.split()], check=True)
    station = station_of(name)
    return Responder(name, [str(python), str(_HERE / "peer_pytcp.py"), name, format_mac(station.mac)], station)


def start_scapy(name: str, python: Path) -> Responder:
    """A loop of scapy's layers; it answers whatever the address."""
    command = [sys.executable, "-m", "tools.benchmark.handover", name, str(python), str(_HERE / "peer_scapy.py"), name]
    return Responder(name, command, station_of(name))
