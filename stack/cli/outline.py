"""The command line as data, read off the parsers: what shell completion and the manual page are made from."""

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass

from stack.cli.main import ALIASES, COMMANDS, command_parser, top_parser
from stack.settings import Settings


@dataclass(frozen=True, slots=True)
class Option:
    """An option: its spellings, the word for its value (empty if it takes none), the values if they are few."""

    flags: tuple[str, ...]
    value: str
    choices: tuple[str, ...]
    about: str


@dataclass(frozen=True, slots=True)
class Argument:
    """A word without a dash: its name, argparse's `nargs` (empty for exactly one), the values if they are few."""

    name: str
    many: str
    choices: tuple[str, ...]
    about: str


@dataclass(frozen=True, slots=True)
class Outline:
    """A command or verb: `path` is all of its words from `sixtap` on, `text` what its help says before the options."""

    path: tuple[str, ...]
    aliases: tuple[str, ...]
    summary: str
    text: str
    options: tuple[Option, ...]
    arguments: tuple[Argument, ...]
    verbs: tuple["Outline", ...]

    def every(self) -> Iterator["Outline"]:
        """This one and all below it."""
        yield self
        for verb in self.verbs:
            yield from verb.every()


def whole() -> Outline:
    """`sixtap` with all its commands; imports every one of them."""
    top = top_parser()
    commands = tuple(
        _outline(("sixtap", name), command_parser(name)[1], tuple(a for a, of in ALIASES.items() if of == name), about)
        for name, about in COMMANDS.items()
    )
    return Outline(("sixtap",), (), "", top.description or "", _options(top), (), commands)


def _outline(path: tuple[str, ...], parser: argparse.ArgumentParser, aliases: tuple[str, ...], summary: str) -> Outline:
    texts = (parser.description, parser.epilog)
    return Outline(
        path,
        aliases,
        summary,
        "\n\n".join(text.strip() for text in texts if text),
        _options(parser),
        tuple(_argument(each) for each in _plain(parser) if not each.option_strings),
        tuple(_verbs(path, parser)),
    )


def _plain(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The actions that are neither the help nor the verbs, and not hidden."""
    for action in parser._actions:
        hidden = isinstance(action, argparse._HelpAction | argparse._SubParsersAction)
        if not hidden and action.help != argparse.SUPPRESS:
            yield action


def _verbs(path: tuple[str, ...], parser: argparse.ArgumentParser) -> Iterator[Outline]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            abouts = {each.dest: each.help or "" for each in action._choices_actions}
            for name, about in abouts.items():
                child = action.choices[name]
                aliases = tuple(a for a, of in action.choices.items() if of is child and a != name)
                yield _outline((*path, name), child, aliases, about)


def _options(parser: argparse.ArgumentParser) -> tuple[Option, ...]:
    return tuple(_option(each) for each in _plain(parser) if each.option_strings)


def _option(action: argparse.Action) -> Option:
    value = "" if action.nargs == 0 else _value(action)
    return Option(tuple(action.option_strings), value, _choices(action), _about(action))


def _argument(action: argparse.Action) -> Argument:
    return Argument(_value(action), str(action.nargs or ""), _choices(action), _about(action))


def _value(action: argparse.Action) -> str:
    if isinstance(action.metavar, tuple):
        return " ".join(action.metavar)
    if action.metavar is None and action.choices is not None:
        return "|".join(_choices(action))
    return action.metavar or action.dest.upper()


def _choices(action: argparse.Action) -> tuple[str, ...]:
    """The values that an action takes if they are few; a setting's name can always be told."""
    if action.choices is not None:
        return tuple(str(each) for each in action.choices)
    if action.metavar == "KEY=VALUE":
        return tuple(f"{name}=" for name in Settings().as_dict())
    return ()


def _about(action: argparse.Action) -> str:
    return re.sub(r"\s+", " ", (action.help or "").replace("%%", "%"))
