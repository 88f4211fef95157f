"""Responders side by side: each in turn gets the same load, round after round, and is compared within its round."""

from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from tools.benchmark.exchange import KINDS
from tools.benchmark.frames import Station
from tools.benchmark.load import Load, open_load
from tools.benchmark.responder import Responder

_WARM_UP = 500


class Terms(NamedTuple):
    """What each responder gets in a round: `requests` of a kind with `size` octets, `window` in flight."""

    kind: str
    size: int
    window: int
    requests: int
    rounds: int


class Sample(NamedTuple):
    """One responder in one round: replies per second, CPU time per request in microseconds, requests lost and wrong."""

    rate: float
    cpu: float
    lost: int
    wrong: int


def contest(responders: Mapping[str, Responder], peer: Station, terms: Terms, program: Path | None) -> dict[str, Any]:
    """All rounds; the first responder is what the others are compared with."""
    names = list(responders)
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    with ExitStack() as stack:
        loads: dict[str, Load] = {}
        for name, each in responders.items():
            exchange = KINDS[terms.kind](peer, each.station, terms.size, 2 * terms.window)
            loads[name] = stack.enter_context(closing(open_load(each.name, exchange, program)))
            loads[name].run(_WARM_UP)
        for number in range(terms.rounds):
            # Nobody always comes first.
            for name in names[number % len(names) :] + names[: number % len(names)]:
                samples[name].append(_sample(responders[name], loads[name], terms.requests))
    return {
        "kind": terms.kind,
        "size": terms.size,
        "window": terms.window,
        "count": terms.requests,
        "rounds": terms.rounds,
        "responders": {name: _summary(samples[name], samples[names[0]]) for name in names},
    }


def _sample(responder: Responder, load: Load, count: int) -> Sample:
    before = responder.cpu_seconds()
    result = load.run(count)
    used = responder.cpu_seconds() - before
    rate = result.replies / result.seconds if result.seconds else 0.0
    return Sample(rate, used / count * 1e6, result.lost, result.wrong)


def _summary(samples: list[Sample], yardstick: list[Sample]) -> dict[str, Any]:
    rates = [each.rate for each in samples]
    ratios = [each.rate / other.rate for each, other in zip(samples, yardstick, strict=True) if other.rate]
    return {
        "replies_per_second": round(median(rates)),
        "spread": [round(min(rates)), round(max(rates))],
        "cpu_us_per_packet": round(median(each.cpu for each in samples), 2),
        "ratio": round(median(ratios), 3) if ratios else None,
        "lost": sum(each.lost for each in samples),
        "wrong": sum(each.wrong for each in samples),
    }


def show(document: dict[str, Any]) -> None:
    """The table for a human."""
    print(
        f"\n{document['kind']}, {document['size']} octets of data, {document['window']} in flight:"
        f" medians of {document['rounds']} rounds of {document['count']:,}"
    )
    print(f"{'':24} {'replies/s':>10} {'from':>9} {'to':>9} {'ratio':>6} {'CPU us':>7} {'lost':>5} {'wrong':>6}")
    for name, each in document["responders"].items():
        low, high = each["spread"]
        print(
            f"{name:24} {each['replies_per_second']:>10,} {low:>9,} {high:>9,} {each['ratio'] or 0:>6.3f}"
            f" {each['cpu_us_per_packet']:>7.2f} {each['lost']:>5} {each['wrong']:>6}"
        )


def failed(document: dict[str, Any]) -> bool:
    """Whether a reply was lost or wrong."""
    return any(each["lost"] or each["wrong"] for each in document["responders"].values())
