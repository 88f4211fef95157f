"""SIGINT and SIGTERM kept waiting while a device is opened, changed or given back, so that none of it is half done.

A signal that waits is not lost: it ends the host as soon as that listens, which
is before it sends anything of its own accord.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

ENDING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def held() -> Iterator[None]:
    """Whoever sends one waits; what still waits at the end of this has been obeyed by then."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        if not before.intersection(ENDING):
            while signal.sigtimedwait(ENDING, 0) is not None:
                continue
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def taken() -> Iterator[None]:
    """Within `held`: the handlers that there are now are called, for what has waited too."""
    before = signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
