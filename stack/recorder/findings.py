"""What `why-not` finds: facts about an interface, an address or a group, and which of them keep something out."""

from typing import Any, NamedTuple

from stack.address import MacAddress, format_mac
from stack.discard import Discard
from stack.explain.frame import account
from stack.interface import Interface
from stack.journal import FrameSeen
from stack.recorder.history import History, ago


class Finding(NamedTuple):
    """One fact; `against` says that it keeps out what is asked about. `frame` is the number of one, or None."""

    what: str
    clause: str = ""
    against: bool = False
    frame: int | None = None

    def line(self) -> str:
        """For the eye."""
        clause = f" [{self.clause}]" if self.clause else ""
        frame = f" (frame {self.frame})" if self.frame is not None else ""
        return f"{'-' if self.against else ' '} {self.what}{frame}{clause}"

    def document(self) -> dict[str, Any]:
        """For programs."""
        return self._asdict()


def about_link(interface: Interface, about: dict[str, Any]) -> list[Finding]:
    """Whether anything comes in at all; `about` is what a bundle says of the device."""
    if not about.get("wanted_up", True):
        return [Finding("the interface is down: sixtap link up brings it up", "", True)]
    if not about.get("device_up", True):
        return [Finding(f"the device {interface.name} is down (as root: ip link set {interface.name} up)", "", True)]
    if not interface.up:
        return [Finding("the interface is down", Discard.INTERFACE_DOWN.clause, True)]
    if interface.disabled:
        what = "IPv6 is disabled on the interface: another node has the address that is made from the MAC"
        return [Finding(what, Discard.INTERFACE_DISABLED.clause, True)]
    return []


def about_filter(interface: Interface, mac: MacAddress) -> Finding:
    """Whether the driver's filter lets frames for a MAC through."""
    plan = interface.plan
    word = format_mac(mac)
    if plan.off:
        return Finding("the driver's filter is off: everything comes in")
    if mac in plan.unicast or mac in plan.exact:
        return Finding(f"the driver's filter passes {word}, by an exact entry", "RFC 2464 7")
    if mac in plan.hashed:
        return Finding(f"the driver's filter passes {word}, by its hash bit", "RFC 2464 7")
    if plan.allmulti and mac[0] & 1:
        return Finding("the driver's filter passes every multicast frame")
    return Finding(f"the driver's filter drops frames for {word}", "RFC 2464 7", True)


class Met(NamedTuple):
    """Frames of one kind that met one outcome: how many, and the last of them."""

    times: int
    last: FrameSeen
    what: str
    clause: str


def met(history: History, frames: list[FrameSeen]) -> list[Met]:
    """What came of frames from the link, by what they are and what came of them; the latest last."""
    found: dict[tuple[str, str], Met] = {}
    for seen in frames:
        outcome = history.outcome(seen)
        parts = account(seen.frame)
        what, clause = ("nothing", "") if outcome is None else (outcome.what, outcome.clause)
        if parts.flaws and clause:
            what += f" ({', '.join(parts.flaws)})"
        key = parts.kind, what
        times = found.pop(key).times if key in found else 0
        found[key] = Met(times + 1, seen, f"{parts.kind}: {what}", clause)
    return list(found.values())


def came_in(history: History, frames: list[FrameSeen], subject: str) -> list[Finding]:
    """The same as findings; with none it says so, and since when."""
    if not frames:
        if not history.frames:
            return [Finding("nothing is recorded yet, so what came in is not known")]
        return [Finding(f"no frame for {subject} came in the last {history.reaches_back:.0f} s")]
    findings = []
    for each in met(history, frames):
        frames_word = "frame" if each.times == 1 else f"{each.times} frames, the last"
        what = f"{frames_word} {ago(history.now, each.last.time)}, {each.what}"
        findings.append(Finding(what, each.clause, bool(each.clause), each.last.number))
    return findings
