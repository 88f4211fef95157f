"""sixtap: a complete IPv6 host in Python that lives on a Linux TAP device.

The protocols are sans-IO: frames and the time go in; frames, filter plans and
events come out. docs/design.md is the map of what is where, docs/sockets.md says
how a program has a host of its own. What it offers is imported when it is used,
since a command's start-up time counts.
"""

# As typing has it; importing that costs more than all the rest.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from stack.hosting import RunningHost, RunningInterface, open_host
    from stack.link.frame_link import FrameLink
    from stack.link.tap import TapLink
    from stack.links import CaptureLink, Switch

__version__ = "0.1.0"
__all__ = [
    "CaptureLink",
    "FrameLink",
    "RunningHost",
    "RunningInterface",
    "Switch",
    "TapLink",
    "open_host",
]


def __getattr__(name: str) -> object:
    home: object
    if name in ("RunningHost", "RunningInterface", "open_host"):
        from stack import hosting as home
    elif name in ("CaptureLink", "Switch"):
        from stack import links as home
    elif name == "FrameLink":
        from stack.link import frame_link as home
    elif name == "TapLink":
        from stack.link import tap as home
    else:
        raise AttributeError(f"module 'stack' has no attribute {name!r}")
    return getattr(home, name)
