"""`sixtap ping` on the host's side: requests at their interval, replies and errors told as they come.

Every event is a small object for the client, which draws lines and sums from
them; the session ends with the last answer, when the patience is over, or when
the client hangs up.
"""

from functools import partial
from typing import Any

import trio

from stack.address import format_address, is_multicast
from stack.control.arguments import Arguments
from stack.control.commands import zones
from stack.control.protocol import Tell
from stack.errors import RefusedError, UsageError
from stack.icmp6.echo import SEQUENCE_NUMBERS, EchoAnswer, EchoError, EchoSession
from stack.runtime import Runtime

DEFAULT_SIZE = 56
MAXIMUM_SIZE = 65_527
MINIMUM_INTERVAL = 0.001
# ping(8): how long the last requests are waited for when nothing at all has answered.
PATIENCE = 10.0
# Everybody in a group may answer, so its replies are collected for a while.
GROUP_PATIENCE = 1.0
_BACKLOG = 4096


async def ping(runtime: Runtime, arguments: Arguments, tell: Tell) -> None:
    """Serve one ping; raises UsageError or RefusedError before anything is sent."""
    session = _Ping(runtime, arguments)
    try:
        await session.run(tell)
    finally:
        session.close()


class _Ping:
    """One echo session with its schedule; times are seconds on trio's clock."""

    def __init__(self, runtime: Runtime, arguments: Arguments) -> None:
        interface = runtime.interface
        self._runtime = runtime
        self._destination = arguments.address("address", zones(runtime))
        if not any(self._destination):
            raise UsageError(":: is not the address of a host")
        self._count = arguments.whole("count", 1, 1 << 40)
        self._interval = arguments.seconds("interval", MINIMUM_INTERVAL) or 1.0
        self._patience = arguments.seconds("wait")
        size = arguments.whole("size", 0, MAXIMUM_SIZE)
        self._data = _pattern(DEFAULT_SIZE if size is None else size)
        self._hop_limit = arguments.whole("hop_limit", 0, 255)
        self._send, self._receive = trio.open_memory_channel[EchoAnswer | EchoError](_BACKLOG)
        self._session: EchoSession = interface.host.echoes.open(
            interface,
            self._destination,
            self._heard,
            data=self._data,
            hop_limit=self._hop_limit,
            source=arguments.optional_address("source", zones(runtime)),
        )
        self._sent_at: dict[int, float] = {}
        self._unanswered: set[int] = set()
        self._answers = 0
        self._longest = 0.0

    def close(self) -> None:
        """End the session: later replies are nobody's."""
        self._session.close()
        self._send.close()
        self._receive.close()

    def _heard(self, answer: EchoAnswer | EchoError) -> None:
        try:
            self._send.send_nowait(answer)
        except trio.WouldBlock:
            self._runtime.host.counters.limit_hit("ping_backlog")

    async def run(self, tell: Tell) -> None:
        await tell({"kind": "start", "address": format_address(self._destination), "bytes": len(self._data)})
        started = trio.current_time()
        sequence = 0
        while self._count is None or sequence < self._count:
            await self._listen(tell, started + sequence * self._interval, until_all=False)
            sequence += 1
            await self._request(sequence, tell)
        await self._listen_to_the_last(tell)

    async def _request(self, sequence: int, tell: Tell) -> None:
        number = sequence % SEQUENCE_NUMBERS
        try:
            self._runtime.call(partial(self._send_request, number), "ping")
        except RefusedError as error:
            if sequence == 1:
                raise
            # The address may come back: ping(8) says so and goes on.
            await tell({"kind": "unsent", "seq": sequence, "text": str(error)})
            return
        finally:
            self._unanswered.add(number)
        self._forget_old(number)
        await tell({"kind": "sent", "seq": number})

    def _send_request(self, number: int, now: float) -> None:
        # As ping(8), from before it is sent: a peer on the same machine may have answered when all of it is written.
        self._sent_at[number] = now
        self._session.send(number, now)

    def _forget_old(self, number: int) -> None:
        """A reply that is half the sequence numbers late is no reply any more."""
        old = (number - SEQUENCE_NUMBERS // 2) % SEQUENCE_NUMBERS
        self._session.forget(old)
        self._sent_at.pop(old, None)
        self._unanswered.discard(old)

    async def _listen_to_the_last(self, tell: Tell) -> None:
        now = trio.current_time()
        if is_multicast(self._destination):
            await self._listen(tell, now + (self._patience or GROUP_PATIENCE), until_all=False)
            return
        if self._patience is not None:
            await self._listen(tell, now + self._patience, until_all=True)
            return
        await self._listen(tell, now + PATIENCE, until_all=True, until_any=True)
        if self._unanswered:
            await self._listen(tell, now + max(1.0, 2 * self._longest), until_all=True)

    async def _listen(self, tell: Tell, until: float, *, until_all: bool, until_any: bool = False) -> None:
        """Tell what is heard up to a time; sooner if all requests have their answer, or any has one."""
        while not (until_all and not self._unanswered) and not (until_any and self._answers):
            with trio.move_on_at(until):
                await self._tell_one(tell, await self._receive.receive())
                continue
            return

    async def _tell_one(self, tell: Tell, heard: EchoAnswer | EchoError) -> None:
        number = heard.sequence
        first = number in self._unanswered
        self._unanswered.discard(number)
        event: dict[str, Any] = {"seq": number, "from": format_address(heard.source)}
        if isinstance(heard, EchoError):
            about = {"type": heard.type, "code": heard.code, "parameter": heard.parameter}
            await tell(event | {"kind": "error"} | about)
            return
        taken = max(0.0, heard.time - self._sent_at.get(number, heard.time))
        self._answers += 1
        self._longest = max(self._longest, taken)
        event |= {"kind": "reply", "bytes": heard.octets, "hoplimit": heard.hop_limit, "time": round(taken, 6)}
        event |= {"duplicate": not first, "intact": heard.intact}
        await tell(event)


def _pattern(size: int) -> bytes:
    """`size` octets that count up, as ping(8) sends."""
    return bytes(number & 0xFF for number in range(size))
