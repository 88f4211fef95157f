"""What `sixtap lab` does: makes the network, runs a shell or the command in it, and ends it."""

import argparse
import os
import sys

from stack.errors import RefusedError
from stack.lab.isolation import run_isolated
from stack.lab.network import BRIDGE, PREFIX, TAP, Lab, end_all

_HOST_NAME = "sixtap-lab"


def run_lab(arguments: argparse.Namespace) -> int:
    """Make the lab, and be in it."""
    if sys.platform != "linux":
        raise RefusedError("the lab needs Linux")
    command: str | None = arguments.run
    terminal = command is None and os.isatty(0)
    return run_isolated(lambda: _inside(command), _HOST_NAME, terminal=terminal)


def _inside(command: str | None) -> int:
    try:
        lab = Lab()
        if command is not None:
            return lab.run(["sh", "-c", command])
        print(_hints(lab), flush=True)
        return lab.run([os.environ.get("SHELL") or "sh"])
    finally:
        end_all()


def _hints(lab: Lab) -> str:
    router = f"radvd with {PREFIX}" if lab.router else "none: radvd is not installed"
    return f"""\
A network of its own; leaving this shell ends it and all that runs in it.

  {BRIDGE:<8} a bridge that snoops MLD and is its querier
  {TAP:<8} our host, {lab.host}
  linux    a Linux host, {lab.linux} on eth0
  router   {router}

try  sixtap addr
     sixtap ping -c 3 {lab.linux}
     ip netns exec linux ping -c 3 {lab.host}%eth0
     sixtap maddr join ff05::1:3; bridge mdb
     sixtap stats --nonzero
logs /run/lab/host.log, /run/lab/radvd.log
"""
