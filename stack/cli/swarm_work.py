"""What `sixtap swarm` does: the hosts in memory or behind a TAP device, and the summary at the end."""

import argparse
import json
import secrets
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import trio

from stack.address import format_mac, parse_mac
from stack.capture.writing import CaptureWriter
from stack.cli import tapping
from stack.cli.swarm_summary import Costs, Progress, Summary, answer_text
from stack.cli.tracing import TraceFile
from stack.errors import UsageError
from stack.link.switch import Switch
from stack.link.tap import TapLink, check_name
from stack.multicast_filter import EXACT_SLOTS
from stack.realtime import RealTime, TapPort
from stack.sim.crowd import (
    Answers,
    AnswerWatch,
    Crowd,
    CrowdPlan,
    Digest,
    mac_of,
    parse_mix,
)
from stack.sim.querier import Querier
from stack.sim.wiretap import WireTap
from stack.sim.world import World

# In memory nothing keeps a host from its address for longer.
BOOT_LIMIT = 60.0
_STEP = 0.1
_TELL_EVERY = 1.0
_DEFAULT_BASE = CrowdPlan(1).mac_base
_KEPT_ANSWERS = 64


def run_swarm(arguments: argparse.Namespace) -> int:
    """Bring them up, and say what came of it; exit status 1 if some did not come up."""
    plan = _plan(arguments)
    trace = None if arguments.trace is None else TraceFile(Path(arguments.trace), tapping.tell)
    try:
        if arguments.tap is None:
            summary = _in_memory(arguments, plan, trace)
        else:
            with tapping.opened_unfiltered(arguments.tap, arguments.bridge) as link:
                summary = _behind(link, arguments, plan, trace)
    finally:
        if trace is not None:
            trace.close()
    print(json.dumps(summary.document()) if arguments.json else summary.text(), flush=True)
    return 0 if summary.up == summary.plan.hosts else 1


def _plan(arguments: argparse.Namespace) -> CrowdPlan:
    if arguments.tap is not None:
        check_name(arguments.tap)
        for option in ("querier", "seconds"):
            if getattr(arguments, option) is not None:
                raise UsageError(f"--{option} is for a link in memory (on a real one: sixtap querier --tap)")
    elif arguments.bridge is not None:
        raise UsageError("--bridge needs --tap")
    if arguments.mix is not None and (arguments.personality is not None or arguments.mld_version is not None):
        raise UsageError("--mix says what each host is: it goes without --personality and --mld-version")
    settings: list[tuple[str, str]] = []
    if arguments.personality is not None:
        settings.append(("mld_personality", arguments.personality))
    if arguments.mld_version is not None:
        settings.append(("force_mld_version", str(arguments.mld_version)))
    mix = parse_mix(arguments.mix) if arguments.mix is not None else [("v2", 1)]
    base = _DEFAULT_BASE if arguments.mac_base is None else parse_mac(arguments.mac_base)
    plan = CrowdPlan(arguments.hosts, arguments.groups, base, tuple(mix), tuple(settings), arguments.churn)
    plan.check()
    return plan


# -- in memory


def _in_memory(arguments: argparse.Namespace, plan: CrowdPlan, trace: TraceFile | None) -> Summary:
    costs, answers, seed = Costs(), list[Answers](), arguments.seed or 0
    world = World(seed, switch=Switch(snooping=True), filtering=True)
    digest = Digest(world)
    _tap(world, trace)
    crowd = Crowd(world, plan, seed)
    AnswerWatch(crowd, answers.append)
    progress = Progress(plan.hosts)
    crowd.start()
    while (up := crowd.up()) < plan.hosts and world.now < BOOT_LIMIT:
        progress.tell(up)
        world.run_until(world.now + _STEP)
    progress.tell(up)
    came_up = world.now if up == plan.hosts else None
    crowd.begin_churn()
    if arguments.querier is not None:
        _with_querier(world, arguments.querier, answers)
    if arguments.seconds is not None:
        world.run_until(arguments.seconds)
    frames = {"sent": digest.frames, "received": sum(each.host.counters.frames_in for each in crowd.stations)}
    return _summary(crowd, came_up, frames, answers, costs, digest.hexdigest())


def _tap(world: World, trace: TraceFile | None, epoch: float = 0.0) -> None:
    if trace is not None:
        WireTap(world, CaptureWriter(trace), epoch=epoch)


def _with_querier(world: World, start: float, answers: list[Answers]) -> None:
    """A querier appears; the run goes on until its first query is answered."""
    querier = Querier(b"\x02\x5b\x00\x00\x00\x01")
    seat = world.add_node("querier", querier)
    world.run_until(max(start, world.now))
    querier.start(world.now)
    world.settle(seat)
    world.run_while(lambda: not answers, limit=2 * querier.answer_time)


def _summary(
    crowd: Crowd,
    came_up: float | None,
    frames: dict[str, int],
    answers: list[Answers],
    costs: Costs,
    digest: str | None = None,
) -> Summary:
    return Summary(
        plan=crowd.plan,
        up=crowd.up(),
        duplicates=crowd.duplicates(),
        groups=crowd.memberships,
        joins=crowd.joins,
        kinds=Counter(crowd.kinds),
        seconds=came_up,
        frames=frames,
        answers=answers[-_KEPT_ANSWERS:],
        costs=costs,
        digest=digest,
    )


# -- behind a TAP device


def _behind(link: TapLink, arguments: argparse.Namespace, plan: CrowdPlan, trace: TraceFile | None) -> Summary:
    if arguments.mac_base is None:
        # The same on every start, another on every machine, with room for all of them.
        plan = replace(plan, mac_base=tapping.station_mac(None, link)[:3] + bytes(3))
        plan.check()
    _check_kernel_mac(link, plan)
    plan = replace(plan, settings=(*plan.settings, ("mtu", str(link.mtu))))
    seed = secrets.randbits(64) if arguments.seed is None else arguments.seed
    live = Live(link, plan, seed, trace)
    tapping.tell(
        f"{link.name} {plan.hosts} hosts, MACs {format_mac(plan.mac_base)} to"
        f" {format_mac(mac_of(plan.mac_base, plan.hosts - 1))}{_about_filter(plan.hosts)}"
    )
    tapping.run_until_signal(live.run)
    return live.summary()


def _check_kernel_mac(link: TapLink, plan: CrowdPlan) -> None:
    first = int.from_bytes(plan.mac_base, "big")
    if 0 <= int.from_bytes(link.kernel_mac, "big") - first < plan.hosts:
        mac = format_mac(link.kernel_mac)
        raise UsageError(f"{mac}, of the kernel's side of {link.name}, is among theirs; choose others with --mac-base")


def _about_filter(hosts: int) -> str:
    if hosts <= EXACT_SLOTS:
        return ""
    return f"; the device's filter is off: it matches {EXACT_SLOTS} addresses, and there are {hosts}"


class Live:
    """A swarm behind a TAP device."""

    def __init__(self, link: TapLink, plan: CrowdPlan, seed: int, trace: TraceFile | None) -> None:
        self._link = link
        self._costs = Costs()
        self._answers: list[Answers] = []
        self._came_up: float | None = None
        self._groups = 0
        self._lag = 0.0
        self._world = World(seed, filtering=True)
        _tap(self._world, trace, time.time())
        self._real = RealTime(self._world)
        self._port: TapPort = self._real.add_tap(link)
        self._crowd = Crowd(self._world, plan, seed)
        AnswerWatch(self._crowd, self._answered)

    async def run(self) -> None:
        """Until cancelled; then they take their leave."""
        await tapping.until_forwarding(self._link)
        try:
            async with trio.open_nursery() as nursery:
                self._crowd.start()
                nursery.start_soon(self._watch)
                await self._real.run()
        except* trio.Cancelled:
            self._real.catch_up()
            self._groups = self._crowd.memberships
            self._crowd.leave()
            self._real.catch_up()
            raise

    async def _watch(self) -> None:
        plan = self._crowd.plan
        progress = Progress(plan.hosts)
        while (up := self._crowd.up()) < plan.hosts:
            progress.tell(up)
            await trio.sleep(_TELL_EVERY)
        progress.tell(up)
        self._came_up = self._world.now
        tapping.tell(
            f"{self._link.name} ready {plan.hosts} hosts, {self._crowd.memberships} groups"
            f" after {self._came_up:.2f} s; {self._costs.text()}"
        )
        self._crowd.begin_churn()
        self._real.catch_up()

    def _answered(self, answers: Answers) -> None:
        self._answers.append(answers)
        del self._answers[:-_KEPT_ANSWERS]
        lag, self._port.lag = self._port.lag, 0.0
        self._lag = max(self._lag, lag)
        behind = f"at most {lag * 1000:.0f} ms behind the clock"
        tapping.tell(f"{answer_text(answers, self._crowd.plan.hosts)}, {behind}; {self._costs.text()}")

    def summary(self) -> Summary:
        """What became of it."""
        port = self._port
        frames = {"sent": port.sent, "received": port.received, "refused": port.refused}
        summary = _summary(self._crowd, self._came_up, frames, self._answers, self._costs)
        # They have left them by now.
        summary.groups = self._groups
        summary.lag = max(self._lag, port.lag)
        return summary
