"""A script that makes a shell complete the commands, verbs, options and settings of sixtap.

It is made once and holds all words itself: while you type no Python is started.
Names of running hosts are looked up in their folder.

example: sixtap completion bash >~/.local/share/bash-completion/completions/sixtap
         sixtap completion zsh >~/.zfunc/_sixtap
         sixtap completion fish >~/.config/fish/completions/sixtap.fish
"""

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """The argument."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="which shell it is for")


def run(arguments: argparse.Namespace) -> int:
    """Print it."""
    # Every command's options, which --help does without.
    from stack.cli.completion_scripts import SCRIPTS
    from stack.cli.outline import whole

    print(SCRIPTS[arguments.shell](whole()), end="")
    return 0
