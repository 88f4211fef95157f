"""Writes the manual page docs/sixtap.1 from the parsers, the help texts and the settings.

`python tools/draw_manual.py` writes it; with `--check` it writes nothing and exits
with status 1 if the page is not what it would write.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from stack import settings
from stack.cli.outline import Argument, Option, Outline, whole
from stack.settings import Settings

FILE = Path(__file__).resolve().parents[1] / "docs" / "sixtap.1"

_ABOUT = """\
.SH NAME
sixtap \\- a complete IPv6 host on a TAP device
.SH SYNOPSIS
.B sixtap
[\\fB\\-d\\fR \\fINAME\\fR | \\fB\\-\\-control\\fR \\fIPATH\\fR] [\\fB\\-j\\fR] \\fICOMMAND\\fR ...
.SH DESCRIPTION
.B sixtap run
is an IPv6 host on a TAP device, with addresses, neighbours and multicast groups of its own.
The other commands ask it and change it, as
.BR ip (8)
does with the kernel, or work without a device: in memory, or on captured frames.
"""
_AFTER = """\
.SH EXIT STATUS
0 is success, 1 that the system or the host said no, 2 that the command line was wrong, 130 that it was interrupted.
An error is one line on standard error.
.SH ENVIRONMENT
.TP
.B XDG_RUNTIME_DIR
where control sockets are without write access to /run/sixtap
.TP
.B NO_COLOR
no colours on a terminal
.TP
.BR LAB_HOST ", " LAB_LINUX ", " LAB_BRIDGE
in a lab: link\\-local addresses of the virtual host and of the Linux host, and the bridge
.SH FILES
.TP
.I /run/sixtap/NAME.sock
control socket of the host on the TAP device NAME; only its owner may use it
.SH SEE ALSO
.BR ip (8),
.BR bridge (8),
.BR radvd (8)
"""
# Every command that asks a running host has these, each verb too; they are told once.
_COMMON = ("--dev", "--control", "--json")


def document() -> str:
    """The whole page, in the macros of man(7)."""
    top = whole()
    parts = [
        '.\\" Made by tools/draw_manual.py: change the help texts in stack/cli/, not this file.',
        ".TH SIXTAP 1",
        _ABOUT.rstrip(),
        ".SH OPTIONS",
        "Those of all commands that ask a running host, before the command word or after it.",
        *_items(top.options),
        ".SH COMMANDS",
        *(line for command in top.verbs for line in _command(command)),
        ".SH SETTINGS",
        "What",
        ".B sixtap set",
        "and",
        ".B run \\-\\-set",
        "take, with the default.",
        *_settings(),
        _AFTER.rstrip(),
        "",
    ]
    return "\n".join(parts)


def _command(command: Outline) -> Iterator[str]:
    yield f".SS sixtap {escape(command.path[-1])}"
    yield from _text(command.text)
    for each in command.every():
        yield from _usage(each)
        if each is not command:
            yield escape(_sentence(each.summary))
        yield from _items([option for option in each.options if not _is_common(option)], each.arguments)


def _usage(outline: Outline) -> Iterator[str]:
    yield ".PP"
    words = [f"\\fB{escape(' '.join(outline.path))}\\fR"]
    for option in outline.options:
        if not _is_common(option):
            words.append(f"[{_spelled(option.flags[-1:], option.value)}]")
    words += [_argument(each) for each in outline.arguments]
    if outline.verbs:
        words.append("\\fIVERB\\fR ...")
    yield " ".join(words)
    yield ".br"


def _items(options: list[Option] | tuple[Option, ...], arguments: tuple[Argument, ...] = ()) -> Iterator[str]:
    for argument in arguments:
        if argument.about:
            yield from (".TP", f"\\fI{escape(argument.name)}\\fR", escape(argument.about))
    for option in options:
        yield from (".TP", _spelled(option.flags, option.value), escape(option.about))


def _settings() -> Iterator[str]:
    for name, default in Settings().as_dict().items():
        shown = f" ({default})" if default != "" else ""
        yield from (".TP", f"\\fB{escape(name)}\\fR{escape(shown)}", escape(settings.about(name)))


def _is_common(option: Option) -> bool:
    return option.flags[-1] in _COMMON


def _spelled(flags: tuple[str, ...], value: str) -> str:
    spelled = ", ".join(f"\\fB{escape(flag)}\\fR" for flag in flags)
    return f"{spelled} \\fI{escape(value)}\\fR" if value else spelled


def _argument(argument: Argument) -> str:
    name = f"\\fI{escape(argument.name)}\\fR"
    return {"?": f"[{name}]", "*": f"[{name}...]", "+": f"{name}..."}.get(argument.many, name)


def _text(text: str) -> Iterator[str]:
    """Paragraphs of a docstring; examples keep their lines."""
    for paragraph in text.split("\n\n"):
        yield ".PP"
        head, colon, rest = paragraph.partition("example:")
        if colon and not head.strip():
            lines = [line.strip() for line in rest.strip().splitlines()]
            yield from ("Example:", ".PP", ".EX", *(f"    {escape(line)}" for line in lines), ".EE")
        else:
            yield escape(" ".join(line.strip() for line in paragraph.splitlines()))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def escape(text: str) -> str:
    """Text as roff reads it: backslashes and dashes as themselves, `code` bold, no line that begins like a request."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    escaped = re.sub("`([^`]+)`", r"\\fB\1\\fR", escaped)
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped


def main() -> int:
    parser = argparse.ArgumentParser(description="write docs/sixtap.1")
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if the page is not fresh")
    text = document()
    if parser.parse_args().check:
        fresh = FILE.exists() and FILE.read_text(encoding="utf-8") == text
        if not fresh:
            print("docs/sixtap.1 is not fresh: python tools/draw_manual.py", file=sys.stderr)
        return int(not fresh)
    FILE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
