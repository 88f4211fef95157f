"""Many virtual hosts on one link, each with a MAC and groups of its own, for trying queriers and snooping switches.

With --tap they are all behind one TAP device until interrupted; without it on a
snooping switch in memory, in virtual time, until all are up (and the queries that
--querier asks for are answered), which needs no privilege and is the same for the
same seed. At the end there is a summary: who came up, how fast they answered
queries, and what it cost. --mix deals hosts out in shares: v1 speaks version 1 of
MLD only, v2 follows the querier, netbsd is of that personality.

example: sixtap swarm --hosts 500 --groups 4 --querier 60
"""

import argparse

from stack.cli.fields import seconds, whole
from stack.sim.limits import MOST_GROUPS, MOST_HOSTS

_LONGEST = 1e7


def configure(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("--hosts", type=whole(1, MOST_HOSTS), required=True, metavar="N", help="how many")
    parser.add_argument(
        "--groups", type=whole(0, MOST_GROUPS), default=0, metavar="M", help="groups that each joins (0)"
    )
    parser.add_argument("--tap", metavar="NAME", help="TAP device (without one: a switch in memory)")
    parser.add_argument("--bridge", metavar="BRIDGE", help="make the device a port of this bridge")
    parser.add_argument("--mac-base", metavar="MAC", help="the first host's MAC, the others count up from it")
    parser.add_argument("--seed", type=int, metavar="N", help="make every random choice repeatable (0 in memory)")
    parser.add_argument("--trace", metavar="FILE.pcapng", help="every frame on the link, once")
    parser.add_argument("-j", "--json", action="store_true", help="the summary as a JSON document")
    kinds = parser.add_argument_group("what they are")
    kinds.add_argument("--personality", choices=("standard", "netbsd"), help="of all hosts (standard)")
    kinds.add_argument("--mld-version", type=whole(1, 2), metavar="1|2", help="of all hosts, whatever the querier's")
    kinds.add_argument("--mix", metavar="KIND=SHARE,...", help="shares of v1, v2 and netbsd: v1=20,v2=70,netbsd=10")
    kinds.add_argument(
        "--churn",
        type=seconds(0.0, 100_000.0),
        default=0.0,
        metavar="JOINS/S",
        help="joins per second of them all once they are up, each with a leave",
    )
    memory = parser.add_argument_group("in memory")
    memory.add_argument("--querier", type=seconds(0.0, _LONGEST), metavar="S", help="a querier appears after S seconds")
    memory.add_argument("--seconds", type=seconds(0.0, _LONGEST), metavar="S", help="go on until S seconds are over")


def run(arguments: argparse.Namespace) -> int:
    """Bring them up, and say what came of it; exit status 1 if some did not come up."""
    # The hosts, which --help does without.
    from stack.cli.swarm_work import run_swarm

    return run_swarm(arguments)
