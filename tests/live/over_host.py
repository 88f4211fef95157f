"""Runs a program written for trio over a virtual host: `over_host.py TAP BRIDGE ADDRESS PROGRAM WORDS...`.

The program is a file whose last lines are `trio.run(main, ...)`; it is run as it stands.
"""

import runpy
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import trio

import stack

really_run = trio.run


async def over_host(tap: str, bridge: str, address: str, main: Callable[..., Awaitable[Any]], *words: Any) -> None:
    async with stack.open_host(stack.TapLink(tap, bridge=bridge), addresses=[address]) as host:
        with host.installed():
            await main(*words)


if __name__ == "__main__":
    tap, bridge, address, program, *rest = sys.argv[1:]
    sys.argv = [program, *rest]
    trio.run = partial(really_run, over_host, tap, bridge, address)  # type: ignore[assignment]
    runpy.run_path(program, run_name="__main__")
