"""tools/bench: how the host compares with a bare read/write loop on a TAP device, in the same run.

Both run as processes of their own in a network namespace made for the run. In
each round one after the other answers the same load; rates and CPU times are
medians over the rounds, and so are the ratios, each taken within its round. The
ratio is the figure: it says what the stack costs, whatever the machine.

With `--mld` the multicast listener is measured instead, in memory and, as root,
on a TAP device.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from socket import AF_INET6, inet_pton
from statistics import median
from typing import Any

from tools.benchmark import mld_report
from tools.benchmark.frames import Station
from tools.benchmark.load import Load
from tools.benchmark.responder import Responder, start_bare, start_host

PEER = Station(bytes.fromhex("0262656e63ff"), inet_pton(AF_INET6, "fe80::62:65ff:fe6e:63ff"))
_INSIDE = "SIXTAP_BENCH_NAMESPACE"
_WARM_UP = 200
_SIZE_MAX = 1_500 - 40 - 8
_GROUPS_MAX = 16_000  # mld_max_groups, and room for the host's own
_WINDOW_MAX = 400  # the queue of a TAP device holds 500 frames


class Sample:
    """What one responder did in one round."""

    def __init__(self, responder: Responder, load: Load, count: int) -> None:
        before = responder.cpu_seconds()
        result = load.run(count)
        used = responder.cpu_seconds() - before
        self.lost, self.wrong = result.lost, result.wrong
        self.rate = result.replies / result.seconds if result.seconds else 0.0
        self.cpu = used / count * 1e6


def _number(low: int, high: int) -> Any:
    def check(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is not within {low} to {high}")
        return value

    check.__name__ = "number"
    return check


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools/bench",
        description="echo replies per second, beside a bare loop; with --mld the multicast listener",
    )
    parser.add_argument("--count", type=_number(1, 10_000_000), default=20_000, help="requests in a round (20000)")
    parser.add_argument("--window", type=_number(1, _WINDOW_MAX), default=64, help="requests in flight (64)")
    parser.add_argument("--rounds", type=_number(1, 1_000), default=5, help="rounds for each size (5)")
    parser.add_argument(
        "--size", type=_number(0, _SIZE_MAX), action="append", help="bytes of echo data, may be repeated (56, 1400)"
    )
    parser.add_argument("--mld", action="store_true", help="measure the multicast listener; --rounds is used")
    parser.add_argument(
        "--groups",
        type=_number(1, _GROUPS_MAX),
        action="append",
        help="with --mld: groups that are joined, may be repeated (1000, 10000)",
    )
    parser.add_argument("--seconds", type=_number(1, 3_600), default=5, help="with --mld: length of a flood (5)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args(arguments)


def enter_namespace() -> None:
    """Start over in a network namespace of our own, which vanishes with the last process in it."""
    if _INSIDE in os.environ:
        return
    if sys.platform != "linux" or os.geteuid() != 0:
        raise SystemExit("bench: a TAP device in a network namespace takes root on Linux")
    unshare = shutil.which("unshare")
    if unshare is None:
        raise SystemExit("bench: the command unshare is missing (apt-get install util-linux)")
    if subprocess.run([unshare, "--net", "true"], capture_output=True, check=False).returncode:
        raise SystemExit("bench: this root may not make a network namespace")
    os.environ[_INSIDE] = "1"
    os.execv(unshare, [unshare, "--net", sys.executable, "-m", "tools.benchmark", *sys.argv[1:]])


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All rounds, as the document that --json prints."""
    sizes = options.size or [56, 1_400]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sixtap-bench-")))
        responders = {"host": start_host("bench0", folder), "bare": start_bare("bench1")}
        for responder in responders.values():
            stack.enter_context(closing(responder))
        results = [measure_size(responders, size, options) for size in sizes]
    machine = {"kernel": platform.release(), "python": platform.python_version(), "cpus": os.cpu_count()}
    return {"count": options.count, "window": options.window, "rounds": options.rounds, **machine, "results": results}


def measure_size(responders: dict[str, Responder], size: int, options: argparse.Namespace) -> dict[str, Any]:
    """The rounds of one size: the responders take turns."""
    samples: dict[str, list[Sample]] = {word: [] for word in responders}
    with ExitStack() as stack:
        loads = {
            word: stack.enter_context(closing(Load(each.name, PEER, each.station, size, options.window)))
            for word, each in responders.items()
        }
        for load in loads.values():
            load.run(_WARM_UP)
        for _ in range(options.rounds):
            for word, responder in responders.items():
                samples[word].append(Sample(responder, loads[word], options.count))
    return {"size": size, **{word: _summary(each) for word, each in samples.items()}, **_ratios(samples)}


def _summary(samples: list[Sample]) -> dict[str, float]:
    return {
        "replies_per_second": round(median(each.rate for each in samples), 1),
        "cpu_us_per_packet": round(median(each.cpu for each in samples), 3),
        "lost": sum(each.lost for each in samples),
        "wrong": sum(each.wrong for each in samples),
    }


def _ratios(samples: dict[str, list[Sample]]) -> dict[str, float | None]:
    pairs = list(zip(samples["host"], samples["bare"], strict=True))
    rates = [host.rate / bare.rate for host, bare in pairs if bare.rate]
    costs = [host.cpu / bare.cpu for host, bare in pairs if bare.cpu]
    return {
        "rate_ratio": round(median(rates), 4) if rates else None,
        "cpu_ratio": round(median(costs), 3) if costs else None,
    }


def show(document: dict[str, Any]) -> None:
    """The table for a human."""
    print(
        f"Python {document['python']}, Linux {document['kernel']}, {document['cpus']} CPUs;"
        f" {document['rounds']} rounds of {document['count']} requests, {document['window']} in flight; medians"
    )
    print(f"{'bytes':>6} {'':6} {'replies/s':>10} {'CPU us/packet':>14} {'lost':>5} {'wrong':>6}")
    for result in document["results"]:
        for word in ("host", "bare"):
            figures = result[word]
            print(
                f"{result['size']:>6} {word:6} {figures['replies_per_second']:>10,.0f}"
                f" {figures['cpu_us_per_packet']:>14.1f} {figures['lost']:>5} {figures['wrong']:>6}"
            )
        print(f"{'':6} ratio  {result['rate_ratio'] or 0:>10.3f} {result['cpu_ratio'] or 0:>14.2f}")


def main() -> int:
    options = parse(sys.argv[1:])
    live = sys.platform == "linux" and os.geteuid() == 0
    if live or not options.mld:
        enter_namespace()
    # The responders must not outlive us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.mld:
        groups = options.groups or [1_000, 10_000]
        document = mld_report.measure(PEER, groups, options.rounds, options.seconds, live=live)
        if options.json:
            print(json.dumps(document, indent=2))
        else:
            mld_report.show(document)
        return 0
    document = measure(options)
    if options.json:
        print(json.dumps(document, indent=2))
    else:
        show(document)
    figures = [result[word] for result in document["results"] for word in ("host", "bare")]
    return int(any(each["lost"] or each["wrong"] for each in figures))


if __name__ == "__main__":
    sys.exit(main())
