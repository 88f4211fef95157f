"""tools/bench: how fast the host is beside others that do the same in the same run.

All run as processes of their own in a network namespace made for the run. In each
round they get the same load one after the other; rates and CPU times are medians
over the rounds, and so are the ratios, each taken within its round. The ratio is
the figure: it says what the stack costs, whatever the machine.
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
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from socket import AF_INET6, inet_pton
from typing import Any, NamedTuple

from tools.benchmark import bridge, contest, inmemory, mld_report, native, peers, soak, startup
from tools.benchmark.contest import Terms
from tools.benchmark.frames import Station
from tools.benchmark.responder import Responder, start_host, start_hosting, start_loop, start_reference, start_udp_echo

PEER = Station(bytes.fromhex("0262656e63ff"), inet_pton(AF_INET6, "fe80::62:65ff:fe6e:63ff"))
_INSIDE = "SIXTAP_BENCH_NAMESPACE"
_SIZE_MAX = 1_500 - 40 - 8
_GROUPS_MAX = 16_000  # mld_max_groups, and room for the host's own
_WINDOW_MAX = 400  # the queue of a TAP device holds 500 frames
_FULL = 10_000
_SOAK = 600
# Requests in a round with peers of which some are slow.
_SLOW = 2_000


class Run(NamedTuple):
    """What every section needs: the options, a folder, and the load compiled, or None."""

    options: argparse.Namespace
    folder: Path
    load: Path | None

    def contest(self, starts: dict[str, Callable[[], Responder]], kind: str, size: int) -> dict[str, Any]:
        """The responders started, loaded in turn and ended."""
        options = self.options
        with ExitStack() as stack:
            responders = {name: stack.enter_context(closing(start())) for name, start in starts.items()}
            terms = Terms(kind, size, options.window, options.count, options.rounds)
            return contest.contest(responders, PEER, terms, self.load)

    def reference(self) -> dict[str, Callable[[], Responder]]:
        """The responder in C, where there is a compiler."""
        program = native.build("reference", self.folder)
        return {} if program is None else {"C": lambda: start_reference("bench0", program)}


class Section(NamedTuple):
    """A part of the benchmark: what it says of itself, its measurement and its print; whether it needs a device."""

    about: str
    measure: Callable[[Run], Any]
    show: Callable[[Any], None]
    live: bool = True


def _echo(run: Run) -> list[dict[str, Any]]:
    starts = {
        **run.reference(),
        "bare trio loop": lambda: start_loop("bench1"),
        "sixtap": lambda: start_host("bench2", run.folder),
        "sixtap --no-record": lambda: start_host("bench3", run.folder, "--no-record"),
    }
    return [run.contest(starts, "echo", size) for size in run.options.size or [56, 1_400]]


def _peers(run: Run) -> list[dict[str, Any]]:
    python = Path(run.options.peers).absolute()
    starts = {
        **run.reference(),
        "sixtap": lambda: start_host("bench2", run.folder),
        "PyTCP, no log": lambda: peers.start_pytcp("bench10", python),
        "scapy": lambda: peers.start_scapy("bench11", python),
    }
    slow = run._replace(options=argparse.Namespace(**{**vars(run.options), "count": min(run.options.count, _SLOW)}))
    return [slow.contest(starts, "echo", 56)]


def _udp(run: Run) -> list[dict[str, Any]]:
    starts = {
        "bare trio loop": lambda: start_loop("bench1"),
        "sixtap socket": lambda: start_udp_echo("bench2"),
    }
    return [run.contest(starts, "udp", size) for size in run.options.size or [56, 1_400]]


def _solicitations(run: Run) -> list[dict[str, Any]]:
    return [run.contest({"sixtap": lambda: start_host("bench2", run.folder)}, "solicitation", 0)]


def _scale(run: Run) -> list[dict[str, Any]]:
    many = run.options.full
    few = max(1, many // 10)
    full = [f"--groups={many}", f"--neighbours={many}", f"--sockets={few}"]
    starts = {
        "empty tables": lambda: start_hosting("bench4"),
        f"{many:,} groups": lambda: start_hosting("bench5", full[0]),
        f"{many:,} neighbours": lambda: start_hosting("bench6", full[1]),
        f"{few:,} sockets": lambda: start_hosting("bench7", full[2]),
        "all of them": lambda: start_hosting("bench8", *full),
    }
    return [run.contest(starts, "echo", 56)]


def _bridge(run: Run) -> dict[str, Any]:
    bridge.make_bridge()
    with ExitStack() as stack:
        responders = {
            "bare trio loop": stack.enter_context(closing(start_loop("bench1"))),
            "sixtap": stack.enter_context(closing(start_host("bench2", run.folder))),
        }
        for each in responders.values():
            bridge.attach(each)
        return bridge.measure(responders, run.options.count, run.options.rounds)


def _startup(run: Run) -> dict[str, Any]:
    return startup.measure(PEER, run.folder, run.load, run.options.rounds)


def _memory(run: Run) -> dict[str, Any]:
    return inmemory.measure(PEER, run.options.count, run.options.rounds)


def _soak(run: Run) -> dict[str, Any]:
    with closing(start_hosting("bench9", "--timers")) as responder:
        return soak.measure(responder, PEER, run.options.soak or _SOAK, run.load)


def _mld(run: Run) -> dict[str, Any]:
    options = run.options
    live = options.live
    return mld_report.measure(PEER, options.groups or [1_000, 10_000], options.rounds, options.seconds, live=live)


def _show_contests(documents: list[dict[str, Any]]) -> None:
    for each in documents:
        contest.show(each)


SECTIONS = {
    "echo": Section("echo replies on a TAP device, beside C and a bare trio loop", _echo, _show_contests),
    "udp": Section("datagrams that a program on trio sockets sends back", _udp, _show_contests),
    "solicitations": Section("answers to neighbour solicitations from many addresses", _solicitations, _show_contests),
    "scale": Section("echo replies with full tables", _scale, _show_contests),
    "bridge": Section("ping -6 -f through a bridge", _bridge, bridge.show),
    "startup": Section("start-up of commands, and of a host to its first answer", _startup, startup.show),
    "memory": Section("without a device: calls, simulation, insertions, memory", _memory, inmemory.show, live=False),
    "mld": Section("the multicast listener", _mld, mld_report.show, live=False),
}
# Not part of --all: the one takes as long as it is told to, the others have to be got first.
_PEERS = Section("PyTCP and scapy", _peers, _show_contests)
_SOAKING = Section("minutes at full load", _soak, soak.show)


def _number(low: int, high: int) -> Any:
    def check(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is not within {low} to {high}")
        return value

    check.__name__ = "number"
    return check


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options; `sections` are the names of what is to be measured."""
    parser = argparse.ArgumentParser(
        prog="tools/bench", description="the speed of the host beside others; without a section: --echo"
    )
    for name, section in SECTIONS.items():
        parser.add_argument(f"--{name}", action="append_const", dest="sections", const=name, help=section.about)
    parser.add_argument("--all", action="store_true", help="all of these")
    parser.add_argument(
        "--soak", type=_number(1, 86_400), nargs="?", const=_SOAK, metavar="SECONDS", help=f"{_SOAKING.about} ({_SOAK})"
    )
    parser.add_argument("--peers", metavar="PYTHON", help=f"{_PEERS.about}, by an interpreter that has them")
    parser.add_argument("--count", type=_number(1, 10_000_000), default=50_000, help="requests in a round (50000)")
    parser.add_argument("--window", type=_number(1, _WINDOW_MAX), default=64, help="requests in flight (64)")
    parser.add_argument("--rounds", type=_number(1, 1_000), default=5, help="rounds (5)")
    parser.add_argument(
        "--size", type=_number(0, _SIZE_MAX), action="append", help="bytes of echo data, may be repeated (56, 1400)"
    )
    parser.add_argument(
        "--groups",
        type=_number(1, _GROUPS_MAX),
        action="append",
        help="with --mld: groups that are joined, may be repeated (1000, 10000)",
    )
    parser.add_argument(
        "--full",
        type=_number(1, 100_000),
        default=_FULL,
        help=f"with --scale: groups and neighbours, and a tenth as many sockets ({_FULL})",
    )
    parser.add_argument("--seconds", type=_number(1, 3_600), default=5, help="with --mld: length of a flood (5)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(arguments)
    named = list(SECTIONS) if options.all else options.sections or []
    options.sections = named or ([] if options.soak or options.peers else ["echo"])
    options.live = sys.platform == "linux" and os.geteuid() == 0
    return options


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


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "kernel": platform.release(),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "compiler": native.compiler() is not None,
    }


def _failed(results: dict[str, Any]) -> bool:
    contests = [each for name in ("echo", "udp", "solicitations", "scale") for each in results.get(name, ())]
    return any(map(contest.failed, contests)) or bool(results.get("soak", {}).get("wrong"))


def main() -> int:
    options = parse(sys.argv[1:])
    chosen = {name: SECTIONS[name] for name in options.sections}
    if options.peers:
        chosen["peers"] = _PEERS
    if options.soak:
        chosen["soak"] = _SOAKING
    if options.live or any(section.live for section in chosen.values()):
        enter_namespace()
    # The responders must not outlive us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    document = machine()
    if not options.json:
        print(f"Python {document['python']}, Linux {document['kernel']}, {document['cpus']} CPUs")
        if not document["compiler"]:
            print("no C compiler: the load is in Python and slower than what it measures can be")
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="sixtap-bench-") as name:
        folder = Path(name)
        run = Run(options, folder, native.build("load", folder) if options.live else None)
        for name, section in chosen.items():
            results[name] = section.measure(run)
            if not options.json:
                section.show(results[name])
    if options.json:
        print(json.dumps({**document, "sections": results}, indent=2))
    return int(_failed(results))


if __name__ == "__main__":
    sys.exit(main())
