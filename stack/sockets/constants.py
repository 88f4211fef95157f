"""Option numbers of Linux that Python's `socket` has no names for, and the structures of RFC 3493, 3542 and 3678.

The structures are in the machine's own octet order, as a program hands them over.
"""

import struct

# linux/in6.h
IPV6_MTU_DISCOVER = 23
IPV6_MTU = 24
IPV6_RECVERR = 25
IPV6_MULTICAST_ALL = 29
# linux/in.h; RFC 3678 5 (protocol-independent)
MCAST_JOIN_GROUP = 42
MCAST_BLOCK_SOURCE = 43
MCAST_UNBLOCK_SOURCE = 44
MCAST_LEAVE_GROUP = 45
MCAST_JOIN_SOURCE_GROUP = 46
MCAST_LEAVE_SOURCE_GROUP = 47
MCAST_MSFILTER = 48
MCAST_EXCLUDE, MCAST_INCLUDE = 0, 1
# linux/icmpv6.h
ICMP6_FILTER = 1
# linux/errqueue.h
SO_EE_ORIGIN_ICMP6 = 3

INT = struct.Struct("=i")
# RFC 3493 5.2: the group, the interface's index.
IPV6_MREQ = struct.Struct("=16sI")
# RFC 3542 6.1: the address, the interface's index.
IN6_PKTINFO = struct.Struct("=16sI")
# Family, port (network order, so taken as octets), flow information, address, scope id.
SOCKADDR_IN6 = struct.Struct("=H2sI16sI")
SOCKADDR_STORAGE = 128
# The interface's index stands before an aligned sockaddr_storage.
GROUP_OFFSET = struct.calcsize("@I0P")
GROUP_REQ = GROUP_OFFSET + SOCKADDR_STORAGE
GROUP_SOURCE_REQ = GROUP_REQ + SOCKADDR_STORAGE
# Mode and number of sources stand behind the group.
FILTER_COUNTS = struct.Struct("=II")
GROUP_FILTER = GROUP_REQ + FILTER_COUNTS.size
ICMP6_FILTER_SIZE = 32
SOCK_EXTENDED_ERR = struct.Struct("=IBBBBII")
