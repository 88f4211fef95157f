"""The two personalities of the listener: what the RFCs ask, and what revision 1.61.2.7 of NetBSD's mld6.c does.

Each difference is a named flag with the row of docs/seed.md that tells of it, or
a row of the tables in `stack.mld.states`.
"""

from dataclasses import dataclass

from stack.mld.states import NETBSD_TRANSITIONS, TRANSITIONS, Transitions


@dataclass(frozen=True, slots=True)
class Personality:
    """One way of being a listener; true is what `standard` does."""

    name: str
    # S21, S47, S48, S83
    transitions: Transitions
    # S04: an assigned link-local address is used even if another one, still tentative, comes first.
    finds_valid_source: bool
    # S05: without any link-local address reports leave from ::.
    reports_from_unspecified: bool
    # S06, S72, S83: groups are reported anew once that makes sense again.
    reports_anew: bool
    # S19: what did not leave was not reported.
    knows_what_left: bool
    # S29, S27: the number of reports and the Done of everybody are settings.
    is_configurable: bool
    # S32, S33, S45, S85: queries and reports are checked as RFC 3810 asks.
    checks_input: bool
    # S41: a query is answered in the order of joining, not newest first.
    answers_in_join_order: bool
    # S55: joining is possible while there is no address.
    joins_without_address: bool
    # S61: leaving one of several references leaves the timer alone.
    keeps_timer_while_referenced: bool
    # Only version 1 is spoken.
    is_version_1_only: bool


STANDARD = Personality(
    name="standard",
    transitions=TRANSITIONS,
    finds_valid_source=True,
    reports_from_unspecified=True,
    reports_anew=True,
    knows_what_left=True,
    is_configurable=True,
    checks_input=True,
    answers_in_join_order=True,
    joins_without_address=True,
    keeps_timer_while_referenced=True,
    is_version_1_only=False,
)

NETBSD = Personality(
    name="netbsd",
    transitions=NETBSD_TRANSITIONS,
    finds_valid_source=False,
    reports_from_unspecified=False,
    reports_anew=False,
    knows_what_left=False,
    is_configurable=False,
    checks_input=False,
    answers_in_join_order=False,
    joins_without_address=False,
    keeps_timer_while_referenced=False,
    is_version_1_only=True,
)

PERSONALITIES = {each.name: each for each in (STANDARD, NETBSD)}
