"""Asks a DNS server for the addresses of a name, with dnspython's back end for trio.

python resolve.py SERVER NAME
"""

import sys

import dns.asyncresolver
import trio


async def main(server: str, name: str) -> None:
    """Print the addresses in order."""
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [server]
    answer = await resolver.resolve(name, "AAAA")
    for address in sorted(each.to_text() for each in answer):
        print(address)


if __name__ == "__main__":
    trio.run(main, *sys.argv[1:])
