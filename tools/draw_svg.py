"""A state machine as an SVG picture: states in a column, an arrow for each pair of states, what takes it beneath.

Arrows down the column are on its right, those up it on its left, each in a lane of
its own, with a number; the list below says which events a number stands for.
"""

from html import escape
from typing import NamedTuple

_BOX_WIDTH, _BOX_HEIGHT, _STEP = 170, 44, 92
_LANE, _MARGIN, _LINE = 26, 24, 19
_CHARACTER = 7.2  # width of one at 13 pixels, about
_STYLE = (
    "text{font:13px sans-serif;fill:#222}.state{fill:#eef4fb;stroke:#3b6ea5;stroke-width:1.5}"
    ".end{fill:#f4f4f4;stroke:#777;stroke-width:1.5}.arrow{fill:none;stroke:#555;stroke-width:1.3}"
    ".badge{fill:#fff;stroke:#555}.name{font-weight:600;text-anchor:middle}.number{font-size:11px;text-anchor:middle}"
)


class Edge(NamedTuple):
    """An arrow from one state to another (by their places in the column), with the events that take it."""

    start: int
    end: int
    events: tuple[str, ...]


class _Routed(NamedTuple):
    edge: Edge
    number: int
    lane: int
    leaves: float
    arrives: float


def picture(title: str, states: list[str], final: set[int], edges: list[Edge]) -> str:
    """The whole file."""
    routed = _routed(edges)
    left = _MARGIN + _LANE * (1 + max((each.lane for each in routed if not _is_right(each.edge)), default=-1))
    lanes = 1 + max((each.lane for each in routed if _is_right(each.edge)), default=-1)
    right = left + _BOX_WIDTH
    legend = [(each.number, _legend(states, each.edge)) for each in routed]
    bottom = _MARGIN + _STEP * (len(states) - 1) + _BOX_HEIGHT
    lines = sum(len(words) for _, words in legend)
    widest = max((len(line) for _, words in legend for line in words), default=0)
    width = max(right + _LANE * lanes + _MARGIN, 2 * _MARGIN + 26 + widest * _CHARACTER)
    height = bottom + _MARGIN + _LINE * lines + _MARGIN
    body = [_box(left, place, name, place in final) for place, name in enumerate(states)]
    body += [_arrow(each, left, right) for each in routed]
    body += _told(legend, bottom + _MARGIN)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img">\n<title>{escape(title)}</title>\n'
        f'<style>{_STYLE}</style>\n<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="#555"/></marker></defs>\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n{chr(10).join(body)}\n</svg>\n'
    )


def _is_right(edge: Edge) -> bool:
    return edge.start <= edge.end


def _routed(edges: list[Edge]) -> list[_Routed]:
    """A number, a lane and two places on its boxes for each arrow; short arrows get the inner lanes."""
    placed: list[_Routed] = []
    ports: dict[tuple[int, bool], list[tuple[int, bool]]] = {}
    for number, edge in enumerate(edges):
        for place, leaves in ((edge.start, True), (edge.end, False)):
            ports.setdefault((place, _is_right(edge)), []).append((number, leaves))
    for number, edge in sorted(enumerate(edges), key=lambda pair: (abs(pair[1].end - pair[1].start), pair[0])):
        low, high = sorted((edge.start, edge.end))
        taken = {
            other.lane
            for other in placed
            if _is_right(other.edge) == _is_right(edge)
            and low <= max(other.edge.start, other.edge.end)
            and min(other.edge.start, other.edge.end) <= high
        }
        lane = next(each for each in range(len(edges)) if each not in taken)
        start = _port(ports[edge.start, _is_right(edge)], (number, True), edge.start)
        end = _port(ports[edge.end, _is_right(edge)], (number, False), edge.end)
        placed.append(_Routed(edge, number + 1, lane, start, end))
    return sorted(placed, key=lambda each: each.number)


def _port(ports: list[tuple[int, bool]], wanted: tuple[int, bool], place: int) -> float:
    """The height at which an arrow meets its box: the arrows of a side are spread over it."""
    share = (ports.index(wanted) + 1) / (len(ports) + 1)
    return _MARGIN + _STEP * place + _BOX_HEIGHT * share


def _box(left: float, place: int, name: str, final: bool) -> str:
    y = _MARGIN + _STEP * place
    return (
        f'<rect class="{"end" if final else "state"}" x="{left:g}" y="{y}" width="{_BOX_WIDTH}" '
        f'height="{_BOX_HEIGHT}" rx="8"/><text class="name" x="{left + _BOX_WIDTH / 2:g}" y="{y + 27}">'
        f"{escape(name)}</text>"
    )


def _arrow(routed: _Routed, left: float, right: float) -> str:
    side, way = (right, 1) if _is_right(routed.edge) else (left, -1)
    x = side + way * _LANE * (routed.lane + 1)
    middle = (routed.leaves + routed.arrives) / 2
    way_along = f"M{side:g} {routed.leaves:.1f}H{x:g}V{routed.arrives:.1f}H{side:g}"
    return (
        f'<path class="arrow" marker-end="url(#head)" d="{way_along}"/>'
        f'<circle class="badge" cx="{x:g}" cy="{middle:.1f}" r="9"/>'
        f'<text class="number" x="{x:g}" y="{middle + 4:.1f}">{routed.number}</text>'
    )


def _legend(states: list[str], edge: Edge) -> list[str]:
    head = f"{states[edge.start]} → {states[edge.end]}: "
    return [head + edge.events[0], *(f"    or {event}" for event in edge.events[1:])]


def _told(legend: list[tuple[int, list[str]]], top: float) -> list[str]:
    told, y = [], top
    for number, words in legend:
        told.append(f'<text x="{_MARGIN}" y="{y:g}">{number}</text>')
        for line in words:
            told.append(f'<text x="{_MARGIN + 26}" y="{y:g}" xml:space="preserve">{escape(line)}</text>')
            y += _LINE
    return told
