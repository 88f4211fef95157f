"""`sixtap demo`: scenarios on an in-memory switch in virtual time, told frame by frame in plain words.

It needs no privilege and no device. The text is a function of scenario and seed;
nothing of the machine, its clock or its load is in it. With --step it stops after
each frame and shows the states of the hosts before and after it; with --ask it
first asks what the host will do. Enter goes on, q ends.
"""

import argparse

from stack.errors import UsageError


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `sixtap demo`."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="the scenario; without one, the first of the list")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--list", action="store_true", help="list the scenarios")
    how.add_argument(
        "--compare",
        metavar="ONE,OTHER",
        help="run it in two personalities (standard,netbsd) and show the frames that differ, with their SEED row",
    )
    how.add_argument("--step", action="store_true", help="stop after each frame, with the states before and after it")
    parser.add_argument("--ask", action="store_true", help="ask what the host will do before it does it")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another run: other delays, another order")
    parser.add_argument("-j", "--json", action="store_true", help="print one JSON document instead of the text")
    parser.epilog = "example:\n  sixtap demo duplicate --seed 3\n  sixtap demo done --compare standard,netbsd"


def run(arguments: argparse.Namespace) -> int:
    """Tell one scenario, or list them; the exit status. Raises UsageError for an unknown name."""
    interactive = arguments.step or arguments.ask
    if interactive and (arguments.json or arguments.list or arguments.compare):
        raise UsageError("--step and --ask tell one scenario, in text, to somebody who reads along")
    # The list does without the scenarios, and --help without either.
    if arguments.list:
        from stack.cli import demo_list

        return demo_list.run(as_json=arguments.json)
    from stack.cli import demo_tell

    return demo_tell.run(arguments)
