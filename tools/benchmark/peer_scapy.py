"""scapy as a responder: each frame taken apart into its layers, and the reply built from layers. NAME MAC ADDRESS.

It is given an open TAP device as its standard input.
"""

import os
import sys

from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import Ether

_LONGEST = 65_600


def main(name: str) -> None:
    print(f"scapy: {name} ready", file=sys.stderr, flush=True)
    while True:
        frame = Ether(os.read(0, _LONGEST))
        request = frame.getlayer(ICMPv6EchoRequest)
        if request is None:
            continue
        reply = ICMPv6EchoReply(id=request.id, seq=request.seq, data=request.data)
        packet = IPv6(src=frame[IPv6].dst, dst=frame[IPv6].src, hlim=64) / reply
        os.write(0, bytes(Ether(src=frame.dst, dst=frame.src) / packet))


if __name__ == "__main__":
    main(sys.argv[1])
