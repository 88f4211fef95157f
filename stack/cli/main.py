"""`sixtap`: finds the command, imports it alone, and turns what it raises into one line and an exit status.

Exit status 0 is success, 1 that the system or the host said no, 2 that the
command line was wrong.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

from stack import __version__
from stack.errors import StackError, UsageError

# The commands in the order in which the help shows them; each is the module of its name, with its line there.
COMMANDS = {
    "run": "run a virtual host on a TAP device",
    "link": "the interface: show, up, down, MTU, MAC",
    "addr": "unicast addresses",
    "maddr": "the multicast address list, and the filter made from it",
    "neigh": "the neighbour cache",
    "route": "routes: on-link prefixes, routers, and those that the user gives; redirects",
    "ping": "ICMPv6 echo from the virtual host",
    "get": "the lists of mld6.c's sysctls",
    "udp": "datagrams from and to the virtual host: send, recv, echo",
    "stats": "counters",
    "doctor": "why a snooping switch forgets the port, or will",
    "top": "a live view: addresses, groups with their timers, neighbours, routers, rates, last frames",
    "set": "settings",
    "monitor": "events as they happen, one line each",
    "why": "the chain of causes behind a frame of the flight recorder",
    "why-not": "why nothing comes in for an address or a group",
    "record": "write the flight recorder's bundle, which replay repeats bit for bit",
    "restart": "start the host over, as a reboot does",
    "querier": "a multicast router: asks who listens, and shows the answers",
    "swarm": "many virtual hosts, behind one TAP device or on a switch in memory",
    "rude": "a neighbour that breaks the peace, for a lab: denies addresses, lies, floods",
    "mld": "one MLD message as written, legal or not",
    "lab": "a network of its own with a bridge, a Linux host and a virtual host; a shell in it",
    "demo": "scenarios on a link in memory, in plain words; needs no privilege",
    "explain": "walk the frames of a capture through a virtual host, layer by layer",
    "replay": "feed captures to a virtual host, and report what it did; --mutate fuzzes it",
    "completion": "a script that completes commands and options in a shell",
}

# iproute2 takes these words too.
ALIASES = {"address": "addr", "maddress": "maddr", "neighbor": "neigh", "neighbour": "neigh"}

_INTERRUPTED = 130


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is; exit status 2."""
        self.exit(2, f"{self.prog}: {message} ({self.prog} --help explains)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if sys.stdout is None:
        # Started with standard output closed (`>&-`): what is printed goes nowhere.
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
    try:
        status = _dispatch(words)
        sys.stdout.flush()
    except StackError as error:
        print(f"sixtap: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        _give_up_output()
        return 1
    except OSError as error:
        # What a command asks the system for it answers itself: what is left is the output, as on a full disk.
        _give_up_output()
        print(f"sixtap: {error.filename or 'standard output'}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    return status


def _give_up_output() -> None:
    """Nothing may be flushed at exit to where nothing can be written."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dispatch(words: list[str]) -> int:
    before, rest = _split(words)
    if not rest:
        top_parser().parse_args(before)
        raise UsageError(f"a command is needed: {', '.join(COMMANDS)} (sixtap --help explains)")
    name = ALIASES.get(rest[0], rest[0])
    if name not in COMMANDS:
        raise UsageError(f"there is no command {rest[0]!r} (sixtap --help lists them)")
    module, parser = command_parser(name)
    if before and not getattr(module, "ASKS_A_HOST", False):
        raise UsageError(f"sixtap {name} takes no {before[0]} before it (sixtap {name} --help explains)")
    defaults = argparse.Namespace(device=None, control=None, json=False)
    arguments = parser.parse_args([*before, *rest[1:]], defaults)
    status: int = module.run(arguments)
    return status


def command_parser(name: str) -> tuple[ModuleType, Parser]:
    """A command's module, imported now, and its parser."""
    module = importlib.import_module(f"stack.cli.{name.replace('-', '_')}")
    parser = Parser(
        prog=f"sixtap {name}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.configure(parser)
    if getattr(module, "ASKS_A_HOST", False):
        add_common(parser)
    return module, parser


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """The options before the command word, and the rest from that word on."""
    position = 0
    while position < len(words):
        word = words[position]
        if word in ("-d", "--dev", "--control"):
            position += 2
        elif word.startswith("-") and word != "-":
            position += 1
        else:
            break
    return words[:position], words[position:]


def add_common(parser: argparse.ArgumentParser) -> None:
    """The options that every question to a running host has."""
    group = parser.add_argument_group("which host, and how to show it")
    group.add_argument("-d", "--dev", dest="device", metavar="NAME", default=argparse.SUPPRESS, help="host on this TAP")
    group.add_argument("--control", metavar="PATH", default=argparse.SUPPRESS, help="host with this control socket")
    group.add_argument("-j", "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON document")


def top_parser() -> Parser:
    """The parser of what comes before the command word, whose help lists the commands."""
    width = max(len(name) for name in COMMANDS)
    lines = [f"  {name:<{width}}  {summary}" for name, summary in COMMANDS.items()]
    parser = Parser(
        prog="sixtap",
        usage="sixtap [-d NAME | --control PATH] [-j] COMMAND ...",
        description="A complete IPv6 host in Python on a Linux TAP device.",
        epilog="commands:\n" + "\n".join(lines) + "\n\n`sixtap COMMAND --help` explains one, with an example.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"sixtap {__version__}")
    add_common(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
