"""The multicast filter of Linux's tun driver, TUNSETTXFILTER: a filter plan as its bytes, and into the driver.

The driver matches the first eight addresses exactly and each later one by one
bit of a 64-bit hash. What belongs into the filter is decided elsewhere
(`stack.multicast_filter`); this module neither counts nor remembers anything.
"""

import errno
import fcntl
import os
import struct

from stack.address import MacAddress
from stack.multicast_filter import EXACT_SLOTS, FilterPlan

TUNSETTXFILTER = 0x400454D1

_FLAG_ALLMULTI = 1
_COUNT_MAX = 0xFFFF
_HEADER = struct.Struct("=HH")  # struct tun_filter: flags, count, then count addresses of 6 bytes
# No frame is sent to it. A filter with no entry at all would be off, whatever the flag.
_NOBODY: MacAddress = bytes(6)


def encode(plan: FilterPlan) -> bytearray:
    """The `struct tun_filter` for a plan: unicast first, then exact, then hashed; `off` is a count of 0.

    A bytearray because the driver's answer is lost with `bytes`. Raises OSError
    (E2BIG) for more addresses than the 16-bit count can say.
    """
    entries = _entries(plan)
    if len(entries) > _COUNT_MAX:
        raise OSError(errno.E2BIG, "more addresses than the driver's filter can be given")
    flags = _FLAG_ALLMULTI if plan.allmulti and not plan.off else 0
    return bytearray(_HEADER.pack(flags, len(entries)) + b"".join(entries))


def program(fd: int, plan: FilterPlan) -> None:
    """Put a plan into the filter of the TAP behind `fd`; raises OSError when the driver does not take it.

    The driver answers with the number of exact entries, and with 0 when it has
    given up filtering (a unicast address behind the exact slots): that is refused
    too, since the caller would believe in a filter that is not there.
    """
    request = encode(plan)
    _, count = _HEADER.unpack_from(request)
    answer = fcntl.ioctl(fd, TUNSETTXFILTER, request, True)
    if answer != min(count, EXACT_SLOTS):
        raise OSError(errno.EINVAL, f"{os.strerror(errno.EINVAL)}: the driver took {answer} of {count} addresses")


def _entries(plan: FilterPlan) -> tuple[MacAddress, ...]:
    if plan.off:
        return ()
    if plan.allmulti:
        return plan.unicast or (_NOBODY,)
    return plan.unicast + plan.exact + plan.hashed or (_NOBODY,)
