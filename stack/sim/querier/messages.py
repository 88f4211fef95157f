"""Queries as a router sends them (RFC 2710 3, RFC 3810 5.1): which destination, which codes, in how many frames."""

from collections.abc import Iterator, Sequence

from stack.address import ALL_NODES, UNSPECIFIED, IPv6Address, MacAddress
from stack.sim.querier.variables import QueryFields, Variables
from stack.wire import icmpv6, ipv6, mld, mldpacket, mldv2
from stack.wire.checksum import with_checksum

_HOP_BY_HOP_LENGTH = 8
_ADDRESS = 16
# RFC 2710 3.4: a plain number of milliseconds in 16 bits.
_LONGEST_DELAY = 0xFFFF


def query_frames(
    variables: Variables,
    fields: QueryFields,
    source: IPv6Address,
    mac: MacAddress,
    group: IPv6Address,
    sources: Sequence[IPv6Address],
    *,
    delay: float,
    suppress: bool,
    mtu: int = 1500,
) -> Iterator[bytes]:
    """The frames of one query; `delay` is the maximum response delay in seconds, `group` zeros for a general one.

    5.1.10: the MTU limits how many sources there are in one query.
    """
    destination = fields.destination or (ALL_NODES if group == UNSPECIFIED else group)
    for part in _parts(sources, mtu):
        message = _message(variables, fields, group, part, delay, suppress)
        yield mldpacket.frame(
            with_checksum(source, destination, message),
            source,
            destination,
            mac,
            hop_limit=fields.hop_limit,
            router_alert=fields.router_alert,
            destination_mac=fields.destination_mac,
        )


def _parts(sources: Sequence[IPv6Address], mtu: int) -> Iterator[Sequence[IPv6Address]]:
    room = max(1, (mtu - ipv6.HEADER_LENGTH - _HOP_BY_HOP_LENGTH - mld.V2_QUERY_LENGTH) // _ADDRESS)
    for start in range(0, max(1, len(sources)), room):
        yield sources[start : start + room]


def _message(
    variables: Variables,
    fields: QueryFields,
    group: IPv6Address,
    sources: Sequence[IPv6Address],
    delay: float,
    suppress: bool,
) -> bytes:
    milliseconds = round(delay * 1000)
    if variables.version == 1:
        # RFC 3810 8.3.1: 24 octets, and no exponential code.
        linear = min(milliseconds, _LONGEST_DELAY) if fields.response_code is None else fields.response_code
        return mld.HEADER.pack(icmpv6.MLD_QUERY, fields.code, 0, linear, 0, group)
    code = mldv2.maximum_response_code(milliseconds) if fields.response_code is None else fields.response_code
    interval = fields.interval_code
    if interval is None:
        interval = mldv2.query_interval_code(int(variables.query_interval))
    return mldv2.query(
        group,
        sources,
        response_code=code,
        suppress=suppress if fields.suppress is None else fields.suppress,
        robustness=variables.robustness if fields.robustness is None else fields.robustness,
        interval_code=interval,
        code=fields.code,
    )
