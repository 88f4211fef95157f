"""What `sixtap top` shows of a sample, as rows of text; the screen and the plain form are made from the same."""

from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

from stack.cli.asking import lifetime

Sample = dict[str, Any]
# Steps back that are kept, and frames on the screen.
HISTORY = 600
FRAMES = 200
# Rates worth a line of their own: the counter, and what it is called.
RATES = (
    ("FramesIn", "frames in"),
    ("FramesOut", "frames out"),
    ("Ip6InReceives", "packets in"),
    ("Ip6OutRequests", "packets out"),
    ("Icmp6InMsgs", "ICMPv6 in"),
    ("Icmp6OutMsgs", "ICMPv6 out"),
    ("Udp6InDatagrams", "UDP in"),
    ("Udp6OutDatagrams", "UDP out"),
)


class Table(NamedTuple):
    """A titled table: its columns, its rows, and how many rows there are in all."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    total: int


class History:
    """The samples so far, the last ones; one of them is looked at. `live` follows the newest, `paused` stays."""

    def __init__(self) -> None:
        self._samples: deque[tuple[Sample, Sample | None, list[dict[str, Any]]]] = deque(maxlen=HISTORY)
        self._frames: deque[dict[str, Any]] = deque(maxlen=FRAMES)
        self.back = 0
        self.paused = False

    def take(self, sample: Sample) -> None:
        """One more; whoever looks at an older one goes on looking at it."""
        previous = self._samples[-1][0] if self._samples else None
        self._frames.extend(sample["frames"])
        self._samples.append((sample, previous, list(self._frames)))
        if self.paused or self.back:
            self.back = min(self.back + 1, len(self._samples) - 1)

    def recall(self, earlier: list[Sample]) -> None:
        """Samples of before the first one, oldest first, as far as there is room."""
        frames: deque[dict[str, Any]] = deque(maxlen=FRAMES)
        previous: Sample | None = None
        entries = []
        for each in earlier:
            frames.extend(each["frames"])
            entries.append((each, previous, list(frames)))
            previous = each
        room = HISTORY - len(self._samples)
        for entry in reversed(entries[len(entries) - room :] if room < len(entries) else entries):
            self._samples.appendleft(entry)

    @property
    def oldest(self) -> float | None:
        """The time of the first sample if it is the one looked at, else None."""
        at_the_end = bool(self._samples) and self.back == len(self._samples) - 1
        return float(self._samples[0][0]["time"]) if at_the_end else None

    def step(self, samples: int) -> None:
        """Look at one that is so many further back (negative: further on)."""
        self.back = max(0, min(self.back + samples, len(self._samples) - 1))

    def follow(self) -> None:
        """Look at the newest again, from now on."""
        self.back, self.paused = 0, False

    def seen(self) -> tuple[Sample, Sample | None, list[dict[str, Any]]] | None:
        """The sample that is looked at, the one before it, and the frames up to it."""
        return self._samples[-1 - self.back] if self._samples else None


def title(sample: Sample) -> str:
    """The interface in a line."""
    link = sample["link"]
    return f"{link['ifname']}  {link['address']}  mtu {link['mtu']}  {link['operstate']}"


def tables(sample: Sample, before: Sample | None, frames: list[dict[str, Any]], wanted: str) -> list[Table]:
    """Everything; of each table the rows that have the text `wanted` in them."""
    totals = sample["totals"]
    found = [
        Table("addresses", ("address", "state", "valid", "preferred"), _addresses(sample), totals["addresses"]),
        Table("groups", ("group", "refs", "mode", "state", "timer"), _groups(sample), totals["groups"]),
        Table("neighbours", ("address, (R) a router", "MAC", "state"), _neighbours(sample), totals["neighbours"]),
        Table("routes", ("destination", "via", "expires"), _routes(sample), totals["routes"]),
        Table("rates", ("per second", "now", "in all"), rates(sample, before), len(RATES)),
        Table("frames", ("time", "way", "frame", "outcome"), _frames(frames), len(frames)),
    ]
    return [_filtered(each, wanted) if each.title != "rates" else each for each in found]


def _filtered(table: Table, wanted: str) -> Table:
    low = wanted.lower()
    return table._replace(rows=[row for row in table.rows if any(low in cell.lower() for cell in row)])


def _addresses(sample: Sample) -> list[tuple[str, ...]]:
    return [
        (
            f"{each['local']}/{each['prefixlen']}",
            each["state"],
            lifetime(each["valid_life_time"]),
            lifetime(each["preferred_life_time"]),
        )
        for each in sample["addresses"]
    ]


def _groups(sample: Sample) -> list[tuple[str, ...]]:
    return [
        (
            each["address"],
            str(each["refcount"]),
            ",".join([each["mode"], *each["sources"]]),
            each["state"],
            "-" if each["timer"] is None else f"{each['timer']:.1f} s",
        )
        for each in sample["groups"]
    ]


def _neighbours(sample: Sample) -> list[tuple[str, ...]]:
    return [
        (
            each["dst"] + (" (R)" if "router" in each else ""),
            each.get("lladdr", "-"),
            " ".join(each["state"]),
        )
        for each in sample["neighbours"]
    ]


def _routes(sample: Sample) -> list[tuple[str, ...]]:
    return [
        (
            each["dst"],
            each.get("gateway", "on this link"),
            f"{each['expires']} s" if each.get("expires") is not None else "-",
        )
        for each in sample["routes"]
    ]


def rates(sample: Sample, before: Sample | None) -> list[tuple[str, ...]]:
    """Counters that matter most: per second since the sample before, and in all."""
    rows: list[tuple[str, ...]] = []
    for counter, words in RATES:
        value = sample["counters"].get(counter, 0)
        rate = "-"
        if before is not None and sample["time"] > before["time"]:
            change = value - before["counters"].get(counter, 0)
            rate = f"{change / (sample['time'] - before['time']):.1f}"
        rows.append((words, rate, str(value)))
    return rows


def _frames(frames: Iterable[dict[str, Any]]) -> list[tuple[str, ...]]:
    """The newest first."""
    rows: list[tuple[str, ...]]
    rows = [(f"{each['time']:.3f}", each["direction"], each["text"], each["outcome"]) for each in frames]
    return rows[::-1]
