"""An echo service over `stack.sockets`, as a program for trio has it: `python -m tools.benchmark.udp_echo NAME MAC`."""

import signal
import sys

import trio

from stack.hosting import open_host
from stack.link.tap import TapLink
from tools.benchmark.exchange import ECHO_PORT

_LONGEST = 65_535


async def serve(name: str, mac: str) -> None:
    """Send every datagram back to where it came from, until cancelled."""
    async with open_host(TapLink(name), mac=mac, settings={"dad_transmits": 0}) as host:
        with host.socket() as socket:
            await socket.bind(("::", ECHO_PORT))
            print(f"udp: {name} ready", file=sys.stderr, flush=True)
            while True:
                data, sender = await socket.recvfrom(_LONGEST)
                await socket.sendto(data, sender)


if __name__ == "__main__":
    # An interrupt ends the run in an orderly way, whoever started us.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        trio.run(serve, sys.argv[1], sys.argv[2])
    except KeyboardInterrupt:
        sys.exit(0)
