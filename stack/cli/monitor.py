"""Events of a running host as they happen, a line each, until interrupted; with -j an object a line.

Addresses, groups and their sources, MLD version and querier, neighbours, routers,
routes, redirects, and the driver's filter. The time is the local one, in JSON
seconds since 1970.

example: sixtap monitor
         sixtap -j monitor | jq 'select(.event == "neighbour")'
"""

import argparse
import json
import time
from typing import Any

from stack.cli.asking import until_interrupted
from stack.control import client

ASKS_A_HOST = True


def configure(parser: argparse.ArgumentParser) -> None:
    """Nothing of its own."""


def run(arguments: argparse.Namespace) -> int:
    """Print them as they come."""
    request = client.Request(client.find(arguments.device, arguments.control), "monitor", {})
    try:
        for event in until_interrupted(request):
            # The start is for those who wait for it: on standard output there are events alone.
            if event["event"] != "start":
                print(json.dumps(event, ensure_ascii=False) if arguments.json else line(event), flush=True)
    finally:
        request.close()
    return 0


def line(event: dict[str, Any]) -> str:
    """An event as a line."""
    at = event["time"]
    return f"{time.strftime('%H:%M:%S', time.localtime(at))}.{int(at % 1 * 1000):03} {event['text']}"
