"""What `sixtap swarm` says: how many are up while they come up, and at the end what became of them and what it cost."""

import resource
import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from stack.address import format_address
from stack.cli import tapping
from stack.sim.crowd import Answers, CrowdPlan


@dataclass(slots=True)
class Summary:
    """What became of a swarm; `seconds` until all were up (virtual ones in memory), None if they were not.

    `lag` is the longest time, in seconds, by which a frame left after it was due; None in virtual time.
    """

    plan: CrowdPlan
    up: int
    duplicates: int
    groups: int
    joins: int
    kinds: Counter[str]
    seconds: float | None
    frames: dict[str, int]
    answers: list[Answers]
    costs: "Costs"
    digest: str | None = None
    lag: float | None = None

    def document(self) -> dict[str, Any]:
        """For -j."""
        return {
            "hosts": self.plan.hosts,
            "up": self.up,
            "duplicates": self.duplicates,
            "groups": self.groups,
            "joins": self.joins,
            "kinds": dict(self.kinds),
            "seconds": None if self.seconds is None else round(self.seconds, 6),
            "frames": self.frames,
            "answers": [_answer_document(each) for each in self.answers],
            "digest": self.digest,
            "lag": None if self.lag is None else round(self.lag, 6),
            **self.costs.document(),
        }

    def text(self) -> str:
        """The same for reading."""
        when = "" if self.seconds is None else f" after {self.seconds:.2f} s"
        duplicates = f", {self.duplicates} found a duplicate" if self.duplicates else ""
        lines = [
            f"{self.up} of {self.plan.hosts} hosts up{when}{duplicates}; {self.groups} groups",
            ", ".join(f"{kind} {count}" for kind, count in self.kinds.items()),
            "frames: " + ", ".join(f"{count} {name}" for name, count in self.frames.items()),
        ]
        if self.joins:
            lines.append(f"{self.joins} joins on the way")
        lines += [answer_text(each, self.plan.hosts) for each in self.answers]
        if self.lag is not None:
            lines.append(f"at most {self.lag * 1000:.0f} ms behind the clock")
        lines.append(self.costs.text())
        if self.digest is not None:
            lines.append(f"digest {self.digest}")
        return "\n".join(lines)


class Costs:
    """Memory and processor time of this process since it was made."""

    def __init__(self) -> None:
        self._cpu = time.process_time()
        self._wall = time.monotonic()

    def document(self) -> dict[str, Any]:
        """Seconds of processor and of wall time, and the most memory that was in use at once."""
        return {
            "cpu_seconds": round(time.process_time() - self._cpu, 3),
            "wall_seconds": round(time.monotonic() - self._wall, 3),
            "memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }

    def text(self) -> str:
        """The same in a line."""
        spent = self.document()
        share = 100 * spent["cpu_seconds"] / max(spent["wall_seconds"], 1e-3)
        memory = spent["memory_bytes"] / 1e6
        cpu, wall = spent["cpu_seconds"], spent["wall_seconds"]
        return f"{memory:.0f} MB, {cpu:.2f} s of processor time in {wall:.2f} s ({share:.0f} %)"


class Progress:
    """How many are up, on standard error: over and over in one line on a terminal, else a line when it has changed."""

    def __init__(self, hosts: int) -> None:
        self._hosts = hosts
        self._told = -1
        self._terminal = sys.stderr.isatty()

    def tell(self, up: int) -> None:
        """Say it if it is new."""
        if up == self._told:
            return
        self._told = up
        if self._terminal:
            end = "\n" if up == self._hosts else ""
            print(f"\rsixtap: {up} of {self._hosts} hosts are up", end=end, file=sys.stderr, flush=True)
        else:
            tapping.tell(f"{up} of {self._hosts} hosts are up")


def answer_text(answers: Answers, hosts: int) -> str:
    """One query and how it was answered, in a line."""
    late = f", {answers.late} reports too late" if answers.late else ""
    return (
        f"query of {format_address(answers.querier)} (version {answers.version}, {answers.delay:g} s):"
        f" {answers.hosts} of {hosts} hosts answered, the last after {answers.last:.3f} s{late}"
    )


def _answer_document(answers: Answers) -> dict[str, Any]:
    return {
        "time": round(answers.time, 6),
        "querier": format_address(answers.querier),
        "version": answers.version,
        "delay": answers.delay,
        "hosts": answers.hosts,
        "reports": answers.reports,
        "last": round(answers.last, 6),
        "late": answers.late,
    }
