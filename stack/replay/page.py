"""A walk through a capture as one HTML page that needs nothing beside it."""

from collections.abc import Iterable, Iterator
from html import escape

from stack.replay.walk import Decision, Step, layers

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 72em; padding: 0 1em; color: #1c1c1c }
h1 { font-size: 1.4em } summary { cursor: pointer; padding: .3em .5em; border-left: .4em solid #888 }
details { border-bottom: 1px solid #ddd } details[open] { background: #fafafa }
.taken summary { border-color: #2a7d3c } .dropped summary { border-color: #b3541e }
.own summary { border-color: #5a6f9c }
.outcome { color: #555; display: block; padding-left: 4.2em; font-size: .92em } .n { color: #777; display: inline-block;
width: 3.6em; text-align: right; margin-right: .6em } table { border-collapse: collapse; margin: .4em 0 .8em 4.6em }
td { padding: .12em .9em .12em 0; vertical-align: top } td.layer { color: #5a6f9c } td.clause { color: #777 }
pre { margin: .4em 0 1em 4.6em; color: #555; overflow-x: auto } .sent { margin-left: 4.6em; color: #2a7d3c }
"""
_ROW = 16


def page(title: str, steps: Iterable[Step]) -> Iterator[str]:
    """The page in pieces, one for each frame."""
    yield (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>\n<h1>{escape(title)}</h1>\n"
        "<p>Each frame of the capture, re-addressed to a virtual host, with what the host decided about it, layer by "
        "layer, and the clause that says so. Green was taken, orange discarded, blue sent by the node that the host "
        "plays.</p>\n"
    )
    for step in steps:
        yield _frame(step)
    yield "</body></html>\n"


def _frame(step: Step) -> str:
    kind = "own" if step.by_us else "taken" if step.taken else "dropped"
    rows = "".join(_row(each) for each in layers(step))
    before = "".join(_row(each) for each in step.meanwhile)
    meanwhile = f"<table>{before}</table>" if before else ""
    sent = "".join(f'<p class="sent">sent: {escape(each)}</p>' for each in step.sent)
    return (
        f'<details class="{kind}"><summary><span class="n">{step.number}</span>{step.time:.6f} {escape(step.words)}'
        f'<span class="outcome">{escape(step.outcome)}</span></summary>\n{meanwhile}<table>{rows}</table>\n'
        f"{sent}<pre>{_hexadecimal(step.octets)}</pre></details>\n"
    )


def _row(decision: Decision) -> str:
    change = f" ({decision.change})" if decision.change else ""
    return (
        f'<tr><td class="layer">{escape(decision.layer)}</td><td>{escape(decision.what + change)}</td>'
        f'<td class="clause">{escape(decision.clause)}</td></tr>'
    )


def _hexadecimal(octets: bytes) -> str:
    return "\n".join(f"{at:04x}  {octets[at : at + _ROW].hex(' ')}" for at in range(0, len(octets), _ROW))
