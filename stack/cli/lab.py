"""A network of its own to try things in: a bridge, a Linux host, a router if radvd is there, and a virtual host.

It lives in namespaces that end with it and leaves nothing behind; where the system
has user namespaces it needs no privilege. Inside is a shell, or COMMAND with
`sh -c`, whose exit status is handed on. The bridge snoops MLD and is its querier.
COMMAND finds the link-local addresses of the virtual host and of the Linux host in
$LAB_HOST and $LAB_LINUX; `ip netns exec linux` is on the Linux host.

example: sixtap lab --run 'ip netns exec linux ping -c 3 $LAB_HOST%eth0'
"""

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """The option."""
    parser.add_argument("--run", metavar="COMMAND", help="run this with sh -c instead of a shell to type in")


def run(arguments: argparse.Namespace) -> int:
    """Make the lab, and be in it."""
    # Namespaces and programs, which --help does without.
    from stack.cli.lab_shell import run_lab

    return run_lab(arguments)
