"""Errors that reach a caller or a user, as opposed to what arrives from the link.

Nothing received from the link raises: it ends in a discard reason
(`stack.discard`). These exceptions are for calls that cannot be carried out.
"""


class StackError(Exception):
    """A request that the stack refuses; the text is one clear line for a user."""


class UsageError(StackError):
    """The request itself is wrong: a bad name, address or value (exit status 2)."""


class RefusedError(StackError):
    """The request is well formed but the state or the system says no (exit status 1)."""


class AddressInUseError(RefusedError):
    """The port, or the membership, is taken already."""


class UnavailableError(RefusedError):
    """An address, a membership or a source that is not there, or is there already."""


class NoRouteError(RefusedError):
    """Nothing leads to the destination, or no address of ours can reach it."""


class TooLongError(RefusedError):
    """More octets than a packet holds."""


class LimitError(RefusedError):
    """A table is full; the text names the setting that bounds it."""


class InternalError(StackError):
    """A defect of the host; the text says where, and what was kept of it (exit status 1)."""


class LinkError(RefusedError):
    """A link layer that cannot be opened or used; the text says what to do about it."""


class LinkGoneError(LinkError):
    """The device under the link was deleted."""
