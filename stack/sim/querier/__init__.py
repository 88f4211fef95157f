"""The other side of MLD: `Querier` is a router of either version, `ScriptedQuerier` does what a scenario says."""

from stack.sim.querier.changes import Change, GroupChange, Listening, RoleChange, Warned
from stack.sim.querier.router import Querier
from stack.sim.querier.scripted import ScriptedQuerier
from stack.sim.querier.states import Role
from stack.sim.querier.variables import QueryFields, Variables

__all__ = [
    "Change",
    "GroupChange",
    "Listening",
    "Querier",
    "QueryFields",
    "Role",
    "RoleChange",
    "ScriptedQuerier",
    "Variables",
    "Warned",
]
