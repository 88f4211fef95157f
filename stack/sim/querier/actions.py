"""What a router does with a record of a report: the tables of RFC 3810 7.4.1 and 7.4.2, in their own notation.

In INCLUDE (A) the report's sources are B; in EXCLUDE (X,Y), with X the Requested
and Y the Exclude List, they are A. `+` is union, `*` intersection, `-` removal
(5.2.12). All sets of a row are those before the record came.
"""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from stack.mld.filters import FilterMode
from stack.wire import mldv2

Sources = frozenset[bytes]
_Tree = str | tuple[str, "_Tree", "_Tree"]


class Expression:
    """A set expression such as `X+(A-Y)`, read from left to right."""

    __slots__ = ("_tree", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._tree, rest = _parse(text)
        if rest:
            raise ValueError(f"{text!r} ends at {rest!r}")

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def value(self, sets: Mapping[str, Sources]) -> Sources:
        """The set, each letter standing for the one of its name."""
        return _evaluate(self._tree, sets)


def _parse(text: str) -> tuple[_Tree, str]:
    tree, rest = _operand(text)
    while rest and rest[0] in "+*-":
        operator = rest[0]
        right, rest = _operand(rest[1:])
        tree = (operator, tree, right)
    return tree, rest


def _operand(text: str) -> tuple[_Tree, str]:
    if not text.startswith("("):
        return text[:1], text[1:]
    tree, rest = _parse(text[1:])
    if not rest.startswith(")"):
        raise ValueError(f"a bracket is not closed in {text!r}")
    return tree, rest[1:]


def _evaluate(tree: _Tree, sets: Mapping[str, Sources]) -> Sources:
    if isinstance(tree, str):
        return sets[tree]
    operator, left, right = tree
    one, other = _evaluate(left, sets), _evaluate(right, sets)
    if operator == "+":
        return one | other
    return one & other if operator == "*" else one - other


class TimerValue(Enum):
    """What source timers are set to."""

    LISTENING_INTERVAL = "MALI"
    FILTER_TIMER = "Filter Timer"
    ZERO = "0"

    __hash__ = object.__hash__


class SetSourceTimers(NamedTuple):
    """`(sources)=value`"""

    sources: Expression
    value: TimerValue


class SendSourceQuery(NamedTuple):
    """`Send Q(MA,sources)`; for no sources nothing is sent."""

    sources: Expression


class SendAddressQuery(NamedTuple):
    """`Send Q(MA)`"""


class RestartFilterTimer(NamedTuple):
    """`Filter Timer=MALI`"""


Action = SetSourceTimers | SendSourceQuery | SendAddressQuery | RestartFilterTimer


class Row(NamedTuple):
    """The new router state and the actions in order.

    `listed` is the Include List or the Requested List, `excluded` the Exclude List
    (None in INCLUDE mode). `Delete (...)` of the RFC's tables is what is in neither.
    """

    mode: FilterMode
    listed: Expression
    excluded: Expression | None
    actions: tuple[Action, ...]


def _include(listed: str, *actions: Action) -> Row:
    return Row(FilterMode.INCLUDE, Expression(listed), None, actions)


def _exclude(requested: str, excluded: str, *actions: Action) -> Row:
    return Row(FilterMode.EXCLUDE, Expression(requested), Expression(excluded), actions)


def _timers(sources: str, value: TimerValue) -> SetSourceTimers:
    return SetSourceTimers(Expression(sources), value)


def _query(sources: str) -> SendSourceQuery:
    return SendSourceQuery(Expression(sources))


_MALI = TimerValue.LISTENING_INTERVAL
_FILTER_TIMER = TimerValue.FILTER_TIMER
_ZERO = TimerValue.ZERO
_RESTART = RestartFilterTimer()
_QUERY_ADDRESS = SendAddressQuery()

ROWS: dict[FilterMode, dict[int, Row]] = {
    FilterMode.INCLUDE: {
        # 7.4.1
        mldv2.MODE_IS_INCLUDE: _include("A+B", _timers("B", _MALI)),
        mldv2.MODE_IS_EXCLUDE: _exclude("A*B", "B-A", _timers("B-A", _ZERO), _RESTART),
        # 7.4.2
        mldv2.ALLOW_NEW_SOURCES: _include("A+B", _timers("B", _MALI)),
        mldv2.BLOCK_OLD_SOURCES: _include("A", _query("A*B")),
        mldv2.CHANGE_TO_EXCLUDE_MODE: _exclude("A*B", "B-A", _timers("B-A", _ZERO), _query("A*B"), _RESTART),
        mldv2.CHANGE_TO_INCLUDE_MODE: _include("A+B", _timers("B", _MALI), _query("A-B")),
    },
    FilterMode.EXCLUDE: {
        # 7.4.1
        mldv2.MODE_IS_INCLUDE: _exclude("X+A", "Y-A", _timers("A", _MALI)),
        mldv2.MODE_IS_EXCLUDE: _exclude("A-Y", "Y*A", _timers("A-X-Y", _MALI), _RESTART),
        # 7.4.2
        mldv2.ALLOW_NEW_SOURCES: _exclude("X+A", "Y-A", _timers("A", _MALI)),
        mldv2.BLOCK_OLD_SOURCES: _exclude("X+(A-Y)", "Y", _timers("A-X-Y", _FILTER_TIMER), _query("A-Y")),
        mldv2.CHANGE_TO_EXCLUDE_MODE: _exclude("A-Y", "Y*A", _timers("A-X-Y", _FILTER_TIMER), _query("A-Y"), _RESTART),
        mldv2.CHANGE_TO_INCLUDE_MODE: _exclude("X+A", "Y-A", _timers("A", _MALI), _query("X-A"), _QUERY_ADDRESS),
    },
}


def names(mode: FilterMode, listed: Sources, excluded: Sources, reported: Sources) -> dict[str, Sources]:
    """The letters of a row of that mode."""
    if mode is FilterMode.INCLUDE:
        return {"A": listed, "B": reported}
    return {"X": listed, "Y": excluded, "A": reported}
