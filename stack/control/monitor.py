"""The service `monitor`: every event of the host as it happens, with its time, until the client hangs up."""

import time
from dataclasses import fields
from typing import Any

import trio

from stack import documents
from stack.address import format_address, format_mac
from stack.control.arguments import Arguments
from stack.control.protocol import Tell
from stack.events import Event
from stack.multicast_filter import FilterPlan
from stack.runtime import Runtime

# Events that wait for a client who reads slowly; what is more is counted, and told as lost.
WAITING_MAX = 4_096


async def monitor(runtime: Runtime, arguments: Arguments, tell: Tell) -> None:
    """Tell each event as an object; the first is `start`, when it is certain that none is missed from now on."""
    send, receive = trio.open_memory_channel[dict[str, Any]](WAITING_MAX)
    lost = 0

    def heard(event: Event) -> None:
        nonlocal lost
        try:
            send.send_nowait(describe(event, time.time()))
        except trio.WouldBlock:
            lost += 1

    listeners = runtime.host.listeners
    listeners.append(heard)
    try:
        await tell({"event": "start", "time": round(time.time(), 6), "text": f"{runtime.interface.name} is watched"})
        async for each in receive:
            await tell(each)
            if lost:
                text = f"{lost} events lost: they are not read as fast as they happen"
                await tell({"event": "lost", "time": round(time.time(), 6), "count": lost, "text": text})
                lost = 0
    finally:
        listeners.remove(heard)


def describe(event: Event, at: float) -> dict[str, Any]:
    """An event as an object: its kind, when it happened (seconds since 1970), its text, and what it holds."""
    held = {each.name: _plain(getattr(event, each.name)) for each in fields(event)}
    return {"event": event.kind, "time": round(at, 6), "text": event.text(), **held}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return format_address(value) if len(value) == 16 else format_mac(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return documents.multicast_filter(value) if isinstance(value, FilterPlan) else value
