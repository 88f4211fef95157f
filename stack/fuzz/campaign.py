"""A run over many cases: what it reached, what it found, and a hash that is the same for the same run.

Cases that reach something new have others made from them. Every so many cases are
run twice: equal runs are equal.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from stack.discard import Outcome
from stack.fuzz.cases import GENERATION_BITS, Corpus, child, may_have_children
from stack.fuzz.chance import Chance
from stack.fuzz.coverage import Pair, watching
from stack.fuzz.on_sequence import Planned
from stack.fuzz.shrink import Shrinker
from stack.fuzz.trial import Laboratory, Start, Trial
from stack.fuzz.warm import COLD, WARM, warm_subject
from stack.replay.tables import Size

# A close look at one frame in so many: the digest of the whole state, and steps counted.
CLOSELY = 512
_AGAIN = 64
# One case in so many goes on from one that reached something new.
_FOLLOWING = 4
_MOST_FOLLOWED = 256
_MOST_FINDINGS = 20
UNEQUAL = "equal runs: differ"


class Finding(NamedTuple):
    """One defect: its signature, the case that showed it first and the host that it began with, the frames left of it.

    `details` is what was said; `raised` tells exceptions from broken rules.
    """

    signature: str
    number: int
    frames: tuple[Planned, ...]
    details: str
    raised: bool
    start: str


class Summary:
    """What came of a campaign."""

    __slots__ = ("_hash", "cases", "findings", "frames", "outcomes", "pairs", "sent", "tables", "times")

    def __init__(self) -> None:
        self.cases = 0
        self.frames = 0
        self.sent = 0
        self.outcomes: Counter[Outcome] = Counter()
        self.pairs: set[Pair] = set()
        self.tables: dict[str, Size] = {}
        self.findings: dict[str, Finding] = {}
        # In how many cases each signature showed.
        self.times: Counter[str] = Counter()
        self._hash = hashlib.sha256()

    @property
    def digest(self) -> str:
        """SHA-256 of every case's number, frames sent with their times, and outcomes."""
        return self._hash.hexdigest()

    def add(self, number: int, trial: Trial) -> None:
        """Count one case."""
        self.cases += 1
        self.frames += trial.fed
        self.sent += trial.sent
        self.outcomes.update(trial.outcomes)
        ends = " ".join(f"{end.name}={count}" for end, count in sorted(trial.outcomes.items(), key=_name))
        self._hash.update(f"{number} {trial.digest} {ends}\n".encode())
        for name, size in trial.tables.items():
            before = self.tables.get(name)
            if before is None or size.peak > before.peak:
                self.tables[name] = size


def _name(item: tuple[Outcome, int]) -> str:
    return item[0].name


class Campaign:
    """Cases of one seed over one corpus; with `cold` each begins with a host that just comes up.

    `told` hears the summary after each case.
    """

    def __init__(
        self, corpus: Corpus, seed: int, *, cold: bool = False, told: Callable[[Summary], None] | None = None
    ) -> None:
        self.summary = Summary()
        self._corpus = corpus
        self._seed = seed
        self._told = told
        self._laboratory = new_laboratory(seed, cold=cold, starts=corpus.starts)
        self._followed: list[int] = []
        self._reached: set[Pair | Outcome] = set()

    def run(self, iterations: int) -> None:
        """Run so many cases, from number 0 on."""
        self._run(self._numbers(iterations))

    def run_case(self, number: int) -> None:
        """Run one case."""
        self._run((number,))

    def _numbers(self, iterations: int) -> Iterator[int]:
        for index in range(iterations):
            if index % _FOLLOWING == _FOLLOWING - 1 and self._followed:
                yield child(self._followed[index // _FOLLOWING % len(self._followed)], index)
            else:
                yield index

    def _run(self, numbers: Iterable[int]) -> None:
        with watching() as pairs:
            for number in numbers:
                frames = self._corpus.build(self._seed, number)
                start = self._start(number)
                trial = self._laboratory.run(frames, start)
                self.summary.add(number, trial)
                self._follow(number, pairs, trial)
                for signature in self._signatures(frames, start, trial):
                    self._found(signature, number, frames, start, trial)
                if self._told is not None:
                    self._told(self.summary)
            self.summary.pairs = set(pairs)

    def _start(self, number: int) -> str:
        """The host that a case begins with; a case made from another has that one's."""
        while number >> GENERATION_BITS:
            number >>= GENERATION_BITS
        return Chance(f"{self._seed}/{number}/host").choice(self._laboratory.names)

    def _signatures(self, frames: list[Planned], start: str, trial: Trial) -> tuple[str, ...]:
        if self.summary.cases % _AGAIN or trial.signatures:
            return trial.signatures
        again = self._laboratory.run(frames, start)
        same = (again.digest, again.outcomes) == (trial.digest, trial.outcomes)
        return () if same else (UNEQUAL,)

    def _follow(self, number: int, pairs: set[Pair], trial: Trial) -> None:
        reached = len(self._reached)
        self._reached.update(pairs, trial.outcomes)
        if len(self._reached) > reached and may_have_children(number) and len(self._followed) < _MOST_FOLLOWED:
            self._followed.append(number)

    def _found(self, signature: str, number: int, frames: list[Planned], start: str, trial: Trial) -> None:
        self.summary.times[signature] += 1
        if signature in self.summary.findings or len(self.summary.findings) >= _MOST_FINDINGS:
            return
        shrunk = frames
        if signature != UNEQUAL:
            shrunk = Shrinker(self._laboratory, signature, start).shrink(frames)
        details = trial.fault.text if trial.fault else "; ".join(each.what for each in trial.violations)
        raised = trial.fault is not None
        self.summary.findings[signature] = Finding(signature, number, tuple(shrunk), details, raised, start)


def new_laboratory(seed: int, *, cold: bool, starts: Mapping[str, Start] | None = None) -> Laboratory:
    """Where the cases of a seed are run: with `starts`, else hosts of every warm kind, or one that just comes up."""
    if starts and not cold:
        return Laboratory(starts, CLOSELY)
    made: dict[str, Start] = {}
    for kind in (COLD,) if cold else WARM:
        subject = warm_subject(seed, kind)
        made[kind.name] = Start(subject.host.snapshot(), subject.now)
    return Laboratory(made, CLOSELY)
