"""Scenarios with a real host: our stack on a TAP device, or the Linux kernel. The simulator plays everybody else.

The real host is on a port of a bridge. What it sends is read from that port and
given to the simulated link; what the others send enters at the bridge itself. So
the simulated link runs in real time, and the scenario's own stage sees all of it.
"""

import select
import socket
import subprocess
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from stack.control import client
from stack.discard import Outcome, Verdict
from stack.errors import StackError
from stack.sim.beside import Run
from stack.sim.play import Play
from stack.sim.scenarios import actions
from stack.sim.scenarios.actions import Action
from stack.sim.scenarios.expectations import View, path_mtus
from stack.sim.scenarios.vocabulary import LINUX, TAP, Host, Role, Scenario
from stack.sim.stage import SimulatedStage
from tests.live.multicast import LinuxListener, PortWatch
from tests.live.netns import LinuxHost, Namespace, wait_until
from tests.live.running import Running, mdb_groups

# Seconds between two looks at the state of a real host, which costs a process each.
GLANCE = 0.1


class Wire:
    """A node whose frames come from a bridge's port and go into the bridge; the world drives it as any other."""

    def __init__(self, namespace: Namespace, bridge: str) -> None:
        self._watch: PortWatch | None = None
        with namespace.enter():
            self._raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._raw.bind((bridge, 0))

    def watch(self, watch: PortWatch) -> None:
        """Its frames come from here; what has come before does not count."""
        watch.frames()
        self._watch = watch

    def wait(self, seconds: float) -> None:
        """Until there is a frame, or so long."""
        if self._watch is not None:
            select.select([self._watch], [], [], max(0.0, seconds))

    def receive(self, frame: bytes, now: float) -> Outcome:
        self._raw.send(frame)
        return Verdict.DELIVERED

    def advance(self, now: float) -> None: ...

    def next_deadline(self) -> float | None:
        return None

    def output(self) -> Sequence[tuple[None, bytes]]:
        return [] if self._watch is None else [(None, octets) for octets in self._watch.frames()]

    def close(self) -> None:
        self._raw.close()
        if self._watch is not None:
            self._watch.close()


class LiveStage(SimulatedStage):
    """A stage whose first player is real; use it in a `with` statement. Its clock starts with the first step."""

    patience = 15.0

    def __init__(self, scenario: Scenario, folder: Path) -> None:
        self.folder = folder
        self._cleanup = ExitStack()
        self.namespace = self._cleanup.enter_context(Namespace())
        self.bridge = self.namespace.bridge(snooping=scenario.snooping, ipv6=False)
        self._wire = Wire(self.namespace, self.bridge)
        self._cleanup.callback(self._wire.close)
        self._started: float | None = None
        super().__init__(scenario)

    def __enter__(self) -> "LiveStage":
        return self

    def __exit__(self, *details: object) -> None:
        self._cleanup.close()

    def enter_subject(self, role: Role) -> None:
        """The real one takes its seat; the simulator has no host for it."""
        if not isinstance(role, Host):
            raise TypeError(f"{role.name} is no host")
        self._seat = self.world.add_node(role.name, self._wire)
        self.port = self.appear(role)
        self._wire.watch(PortWatch(self.namespace, self.port))

    def wait(self, enough: Callable[[], bool], until: float) -> bool:
        """Let real time pass, and the simulated link with it."""
        if self._started is None:
            self._started = time.monotonic()
        looked = -GLANCE
        while True:
            now = time.monotonic() - self._started
            self.world.run_until(now)
            fresh = len(self.seen)
            self.world.settle(self._seat)
            if (len(self.seen) > fresh or now - looked >= GLANCE) and enough():
                return True
            looked = now if now - looked >= GLANCE else looked
            if now >= until:
                return False
            following = self.world.next_time()
            self._wire.wait(min(until, looked + GLANCE, until if following is None else following) - now)

    def perform(self, who: str, action: Action) -> None:
        if who == self.scenario.subject.name and not isinstance(action, actions.Lose):
            self.act(action)
        else:
            super().perform(who, action)

    def view(self, who: str) -> View:
        return self.own_view() if who == self.scenario.subject.name else super().view(who)

    @abstractmethod
    def appear(self, role: Host) -> str:
        """Make the host, switched off; its port of the bridge."""

    @abstractmethod
    def act(self, action: Action) -> None:
        """The host does something."""

    @abstractmethod
    def own_view(self) -> View:
        """The host's states."""


class _RealView:
    """What all real hosts have in common."""

    def __init__(self, stage: LiveStage) -> None:
        self._stage = stage

    def snooped(self) -> frozenset[str]:
        return frozenset(mdb_groups(self._stage.namespace, self._stage.bridge, self._stage.port))

    def received(self, program: str) -> int:
        raise NotImplementedError("datagrams are counted in the simulator only")


# -- our stack


class TapStage(LiveStage):
    """`sixtap run` on a TAP device, driven by its control socket."""

    name = TAP

    def appear(self, role: Host) -> str:
        settings = [word for name, value in role.settings for word in ("--set", f"{name}={value}")]
        self._outcomes: dict[str, str] = {}
        self._host = Running(
            self.namespace, self.folder, "--bridge", self.bridge, "--mac", role.mac, *settings, ready=False
        )
        self._cleanup.callback(self._host.end)
        self._host.wait_for(" up")
        wait_until(lambda: self._host.control.exists(), "control socket")
        self.ask("link down")
        return self._host.tap

    def ask(self, command: str, **arguments: Any) -> Any:
        """One command to the host."""
        return client.ask(self._host.control, command, **arguments)

    def act(self, action: Action) -> None:
        if isinstance(action, actions.SwitchOn):
            self.ask("link up")
        elif isinstance(action, actions.SwitchOff):
            self.ask("link down")
        elif isinstance(action, actions.AddAddress):
            self.ask("addr add", address=f"{action.address}/{action.length}")
        elif isinstance(action, actions.RemoveAddress):
            self.ask("addr del", address=action.address)
        elif isinstance(action, actions.SetMac):
            self.ask("link set address", mac=action.mac)
        elif isinstance(action, actions.Listen):
            sources = ",".join(action.sources) or None
            self.ask("maddr listen", socket=action.program, group=action.group, mode=action.mode, sources=sources)
        elif isinstance(action, actions.Ping):
            self._outcomes[action.destination] = ""
            threading.Thread(target=self._ping, args=(action,), daemon=True).start()
        else:
            raise NotImplementedError(action)

    def _ping(self, action: actions.Ping) -> None:
        arguments = {"address": action.destination, "count": 1, "size": action.size, "wait": 10}
        request = client.Request(self._host.control, "ping", arguments)
        try:
            for event in request.events():
                if event["kind"] in ("reply", "error"):
                    self._outcomes[action.destination] = "answered" if event["kind"] == "reply" else "failed"
        except (StackError, OSError) as error:
            self._outcomes[action.destination] = f"refused: {error}"
        finally:
            request.close()

    def outcome(self, destination: str) -> str:
        """What became of a ping."""
        return self._outcomes.get(destination, "")

    def own_view(self) -> View:
        return _TapView(self)


class _TapView(_RealView):
    _stage: TapStage

    def addresses(self) -> Mapping[str, Mapping[str, Any]]:
        return {each["local"]: each for each in self._stage.ask("addr show")[0]["addr_info"]}

    def neighbours(self) -> Mapping[str, str]:
        return {each["dst"]: each["state"][0] for each in self._stage.ask("neigh show")}

    def routes(self) -> Sequence[Mapping[str, Any]]:
        return self._stage.ask("route show")  # type: ignore[no-any-return]

    def path_mtus(self) -> Mapping[str, int]:
        return path_mtus(self._stage.ask("route show", cache=True))

    def groups(self) -> frozenset[str]:
        return frozenset(each["address"] for each in self._stage.ask("maddr show")[0]["maddr"])

    def ping_outcome(self, destination: str) -> str:
        return self._stage.outcome(destination)


# -- the Linux kernel


class LinuxStage(LiveStage):
    """A Linux host, driven by `ip`, `ping` and sockets."""

    name = LINUX

    def appear(self, role: Host) -> str:
        self._host: LinuxHost = self.namespace.linux_host(self.bridge, dad=True, ipv6=False, mac=role.mac)
        self._pings: dict[str, subprocess.Popen[str]] = {}
        self._ip("link", "set", self._host.dev, "down")
        for name, value in role.settings:
            kind = "neigh" if Path(f"/proc/sys/net/ipv6/neigh/lo/{name}").exists() else "conf"
            self._host.sysctl(f"net/ipv6/{kind}/{self._host.dev}/{name}", value)
        self._host.sysctl(f"net/ipv6/conf/{self._host.dev}/disable_ipv6", 0)
        self._listener = LinuxListener(self._host)
        self._cleanup.callback(self._listener.close)
        self._wishes: set[tuple[str, str]] = set()
        return self._host.port

    def _ip(self, *words: str) -> None:
        self._host.run("ip", *words)

    def act(self, action: Action) -> None:
        device = self._host.dev
        if isinstance(action, actions.SwitchOn | actions.SwitchOff):
            self._ip("link", "set", device, "up" if isinstance(action, actions.SwitchOn) else "down")
        elif isinstance(action, actions.AddAddress):
            self._ip("addr", "add", f"{action.address}/{action.length}", "dev", device)
        elif isinstance(action, actions.RemoveAddress):
            self._ip("addr", "del", f"{action.address}/{action.length}", "dev", device)
        elif isinstance(action, actions.SetMac):
            self._ip("link", "set", device, "down")
            self._ip("link", "set", device, "address", action.mac)
            self._ip("link", "set", device, "up")
        elif isinstance(action, actions.Listen):
            self._change_membership(action)
        elif isinstance(action, actions.Ping):
            zone = f"%{device}" if action.destination.startswith(("fe80", "ff02")) else ""
            command = ("ping", "-6", "-c", "1", "-W", "10", "-s", str(action.size), f"{action.destination}{zone}")
            self._pings[action.destination] = self._host.popen(*command)
        else:
            raise NotImplementedError(action)

    def _change_membership(self, action: actions.Listen) -> None:
        """Linux has steps where RFC 3810 3.1 has one call: a membership has to be there before it can be changed."""
        key = action.program, action.group
        if action.mode == "include" and not action.sources:
            self._listener.leave(action.group, action.program)
            self._wishes.discard(key)
            return
        if key in self._wishes:
            self._listener.filter(action.group, action.mode, action.sources, action.program)
        elif action.mode == "include":
            for source in action.sources:
                self._listener.allow(action.group, source, action.program)
        else:
            self._listener.join(action.group, action.program)
            if action.sources:
                self._listener.filter(action.group, action.mode, action.sources, action.program)
        self._wishes.add(key)

    def ip(self, *words: str) -> Any:
        """What `ip -6 -j` says of the host's device."""
        return self._host.ip("-6", *words, "dev", self._host.dev) or []

    def outcome(self, destination: str) -> str:
        """What became of a ping."""
        process = self._pings.get(destination)
        status = None if process is None else process.poll()
        return "" if status is None else "failed" if status else "answered"

    def own_view(self) -> View:
        return _LinuxView(self)


class _LinuxView(_RealView):
    _stage: LinuxStage

    def addresses(self) -> Mapping[str, Mapping[str, Any]]:
        shown = self._stage.ip("addr", "show")
        return {each["local"]: each for link in shown for each in link.get("addr_info", [])}

    def neighbours(self) -> Mapping[str, str]:
        return {each["dst"]: each["state"][0] for each in self._stage.ip("neigh", "show") if each.get("state")}

    def routes(self) -> Sequence[Mapping[str, Any]]:
        return self._stage.ip("route", "show")  # type: ignore[no-any-return]

    def path_mtus(self) -> Mapping[str, int]:
        return path_mtus(self._stage.ip("route", "show", "cache"))

    def groups(self) -> frozenset[str]:
        shown = self._stage.ip("maddr", "show")
        return frozenset(each["address"] for link in shown for each in link["maddr"] if "address" in each)

    def ping_outcome(self, destination: str) -> str:
        return self._stage.outcome(destination)


# -- all three


def run_on(kind: type[TapStage] | type[LinuxStage], scenario: Scenario, folder: Path) -> Run:
    """Play a scenario with a real host; what is not met is found, not raised."""
    folder.mkdir(exist_ok=True)
    with kind(scenario, folder) as stage:
        return _played(stage)


def run_simulated(scenario: Scenario) -> Run:
    """The same in the simulator."""
    return _played(SimulatedStage(scenario))


def _played(stage: SimulatedStage) -> Run:
    findings = Play(stage.scenario, stage, strict=False).run()
    name = stage.scenario.subject.name
    return Run(findings, [each for each in stage.seen if each.who == name])
