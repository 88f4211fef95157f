"""PyTCP on a TAP device that is there already; run by an interpreter that has it: NAME MAC."""

import signal
import sys
import threading

from pytcp import TcpIpStack, config


def main(name: str, mac: str) -> None:
    # What it logs by default costs it more than the packets do.
    config.LOG_CHANEL.clear()
    stack = TcpIpStack(interface=name, mac_address=mac, ip4_address="192.0.2.7/24")
    stack.start()
    print(f"pytcp: {name} ready", file=sys.stderr, flush=True)
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    ended = threading.Event()
    ended.wait()
    stack.stop()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
