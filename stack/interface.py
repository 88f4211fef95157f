"""One attached link of a host: its MAC, MTU, addresses, groups and neighbours; up, down, renumber.

Frames enter through `receive` and leave through `transmit`. The driver's filter is
programmed through the `program` call that the link handed in, before anything that
depends on it is said on the link (SEED row S57).
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from stack.address import ALL_NODES, LOOPBACK, IPv6Address, MacAddress, format_mac, is_multicast_mac, multicast_mac
from stack.calls import recorded
from stack.discard import Discard, Outcome
from stack.edge import state_without
from stack.errors import RefusedError, UsageError
from stack.events import Event, FilterChanged, InterfaceDown, InterfaceUp
from stack.ip6 import fragmentation, source
from stack.ip6 import input as ip6_input
from stack.ip6.known import KnownHeaders
from stack.ip6.paths import KnownPaths
from stack.ip6.routes import Routes, next_hop
from stack.mld.afterlife import Afterlives
from stack.mld.listener import MulticastListener
from stack.multicast_filter import FilterPlan, MulticastMacs
from stack.nd.addresses import AddressTable
from stack.nd.autoconfiguration import Autoconfiguration
from stack.nd.dns import DnsConfiguration
from stack.nd.prefixes import PrefixList
from stack.nd.resolution import Resolver
from stack.nd.router_discovery import RouterDiscovery
from stack.nd.routers import DefaultRouterList
from stack.nd.variables import HostVariables
from stack.wire import ethernet, ipv6, nd

if TYPE_CHECKING:
    from stack.host import Host

Program = Callable[[FilterPlan], None]

MAXIMUM_MTU = 65_521
ALL_NODES_MAC = multicast_mac(ALL_NODES)


@recorded("host.recorder", "confirm", "start", "stop", "restart", "set_mac", "set_mtu", "refresh_filter")
class Interface:
    """One link of `host`; made by `Host.attach`.

    `vlan` is None for an untagged link, else the 802.1Q identifier of all our
    frames. `plan` is the filter as last handed to the driver.
    """

    __slots__ = (
        "_header",
        "addresses",
        "afterlives",
        "autoconfiguration",
        "detached",
        "device_mtu",
        "disabled",
        "discovery",
        "dns",
        "epoch",
        "host",
        "index",
        "known",
        "listener",
        "mac",
        "macs",
        "name",
        "paths",
        "plan",
        "prefixes",
        "program",
        "resolver",
        "routers",
        "routes",
        "silent",
        "up",
        "variables",
        "vlan",
    )

    def __init__(
        self,
        host: "Host",
        name: str,
        index: int,
        mac: MacAddress,
        *,
        mtu: int = 1500,
        vlan: int | None = None,
        program: Program | None = None,
    ) -> None:
        check_station_mac(mac)
        check_mtu(mtu)
        self.host = host
        self.name = name
        self.index = index
        self.mac = mac
        # The longest packet that the link layer takes; a router may ask for shorter ones.
        self.device_mtu = mtu
        self.vlan = vlan
        self.program = program
        # What is remembered of packets in and out holds for one: it grows with all that addresses, next hops, the
        # path's MTU and whether the interface takes packets depend on.
        self.epoch = 0
        self.up = False
        # The host has let it go: nothing can be done with it any more.
        self.detached = False
        # RFC 4862 5.4.5: a duplicate of the hardware-derived address stops IPv6 here.
        self.disabled = False
        # RFC 4862 5.4.2: whether no message was sent yet since the interface came up.
        self.silent = True
        self.macs = MulticastMacs()
        self.afterlives = Afterlives(self)
        self.plan = FilterPlan(unicast=(mac,))
        self.variables = HostVariables(self)
        self.addresses = AddressTable(self)
        self.routers = DefaultRouterList(self)
        self.prefixes = PrefixList(self)
        self.autoconfiguration = Autoconfiguration(self)
        self.dns = DnsConfiguration(self)
        self.discovery = RouterDiscovery(self)
        self.routes = Routes(self)
        self.resolver = Resolver(self)
        self.listener = MulticastListener(self)
        self.known = KnownHeaders(self)
        self.paths = KnownPaths(self)
        self._header = b""
        self._make_header()

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        return state_without(self, "program")

    def _make_header(self) -> None:
        tag = ethernet.tag_bytes(self.vlan) if self.vlan is not None else b""
        self._header = self.mac + tag + ethernet.IPV6_TYPE

    # -- life

    def start(self, now: float) -> None:
        """Come up, or start over: reports, then duplicate address detection, then router solicitations.

        Raises OSError if the driver refuses the filter and RefusedError if a limit
        leaves no room for the groups of an address; the interface is down then.
        """
        if self.detached:
            raise RefusedError(f"the interface {self.name} is detached")
        if self.up:
            self.stop(now)
        self._listen_to_all_nodes(now)
        self.epoch += 1
        self.up = True
        self.disabled = False
        self.silent = True
        self.listener.observed.start(now)
        self._tell(InterfaceUp(self.mac), "RFC 4862 5.3", now)
        try:
            self.addresses.start(now)
        except (OSError, RefusedError):
            self.stop(now)
            raise
        self.discovery.start(now)

    def stop(self, now: float) -> None:
        """Go down: nothing in or out from now on, and no leaves; what was learnt is forgotten."""
        if not self.up:
            return
        self.epoch += 1
        self.up = False
        self.disabled = False
        # First, so that leaving the groups of addresses finds nothing to say.
        self.listener.interface_down(now)
        self.discovery.stop(now)
        self.addresses.stop(now)
        self.filter_remove(ALL_NODES_MAC, now)
        self.resolver.flush()
        self.routes.forget()
        self.host.reassembler.forget(self)
        self._tell(InterfaceDown(), "RFC 4861 6.3.6", now)

    def detach(self, now: float) -> None:
        """Let the link go for good: down, and every group and membership ends without a word (SEED row S75)."""
        self.stop(now)
        self.detached = True
        self.listener.purge(now)

    def changed(self) -> None:
        """What was remembered of packets holds no longer."""
        self.epoch += 1

    def restart(self, now: float) -> None:
        """As a reboot of the host: down and up without a word between."""
        self.start(now)

    def set_mac(self, mac: MacAddress, now: float) -> None:
        """Another MAC: the interface starts over with it if it was up.

        Raises UsageError for a MAC that no station may have, and OSError if the
        driver refuses it: nothing has changed then.
        """
        check_station_mac(mac)
        before, self.mac = self.mac, mac
        try:
            self._program(now)
        except OSError:
            self.mac = before
            raise
        self.epoch += 1
        self._make_header()
        if self.up:
            self.start(now)

    def set_mtu(self, mtu: int) -> None:
        """Another MTU, in octets of IPv6 packet; raises UsageError outside 1280 to 65521."""
        check_mtu(mtu)
        self.epoch += 1
        self.device_mtu = mtu
        self.host.settings.mtu = mtu

    @property
    def mtu(self) -> int:
        """LinkMTU (RFC 4861 6.3.2): the longest packet to be sent, in octets."""
        advertised = self.variables.link_mtu
        return self.device_mtu if advertised is None else min(advertised, self.device_mtu)

    def disable(self, now: float) -> None:
        """RFC 4862 5.4.5: no IPv6 packet in or out until the interface starts again."""
        self.epoch += 1
        self.disabled = True
        self.listener.interface_down(now)
        self.discovery.stop(now)
        self.addresses.suspend(now)
        self.resolver.flush()
        self.routes.forget()
        self.host.reassembler.forget(self)

    # -- the link layer's filter

    def _listen_to_all_nodes(self, now: float) -> None:
        """RFC 4861 7.2.1: an interface that comes up hears ff02::1, before it has any address; OSError as below."""
        self.macs.add(ALL_NODES_MAC)
        try:
            self._program(now)
        except OSError:
            self.macs.remove(ALL_NODES_MAC)
            raise

    def filter_add(self, mac: MacAddress, now: float) -> None:
        """One more group uses `mac`; OSError if the driver refuses, and nothing has changed then."""
        if not self.macs.add(mac):
            return
        try:
            self._program(now)
        except OSError:
            self.macs.remove(mac)
            raise

    def filter_remove(self, mac: MacAddress, now: float) -> None:
        """One group less uses `mac`; a driver that refuses is counted, the leave stands (SEED row S64)."""
        if not self.macs.remove(mac):
            return
        # The driver then passes more than is wanted, until it is programmed again.
        with suppress(OSError):
            self._program(now)

    def refresh_filter(self, now: float) -> None:
        """Plan and program the filter anew: a setting that it depends on has changed. OSError if the driver refuses."""
        self._program(now)

    def _program(self, now: float) -> None:
        plan = self.macs.plan(self.mac, self.host.settings.filter_allmulti_bits)
        if self.program is not None:
            try:
                self.program(plan)
            except OSError as error:
                counters = self.host.counters
                if self.host.recorder is not None:
                    self.host.recorder.refused(counters.filter_programs + counters.filter_errors, error.errno or 0)
                counters.filter_errors += 1
                raise
        self.host.counters.filter_programs += 1
        self.plan = plan
        self._tell(FilterChanged(plan), "RFC 2464 7", now)

    def _tell(self, event: Event, clause: str, now: float) -> None:
        host = self.host
        if host.journal.on:
            host.journal.note(now, "link", event.text(), clause)
        if host.listeners:
            host.emit(event)

    # -- in

    def receive(self, frame: bytes, now: float) -> Outcome:
        """One frame from the link: is it for us, and is it IPv6? (RFC 2464)"""
        if not self.up:
            return Discard.INTERFACE_DOWN
        if len(frame) < ethernet.HEADER_LENGTH:
            return Discard.RUNT_FRAME
        destination, sender = frame[:6], frame[6:12]
        if destination != self.mac and destination not in self.macs.counts:
            return Discard.NOT_FOR_US
        if sender[0] & 1:
            return Discard.BAD_SOURCE_MAC
        offset = ethernet.HEADER_LENGTH
        kind = frame[12:14]
        vlan = 0
        if kind == ethernet.VLAN_TYPE:
            if len(frame) < ethernet.HEADER_LENGTH + ethernet.TAG_LENGTH:
                return Discard.RUNT_FRAME
            vlan = int.from_bytes(frame[14:16], "big") & ethernet.VLAN_ID_MASK
            kind = frame[16:18]
            offset += ethernet.TAG_LENGTH
        # VLAN 0 only carries a priority: such a frame counts as untagged.
        if vlan != (self.vlan or 0):
            return Discard.WRONG_VLAN
        if kind != ethernet.IPV6_TYPE:
            return Discard.NOT_IPV6
        if self.disabled:
            return Discard.INTERFACE_DISABLED
        counters = self.host.counters
        counters.packets_in += 1
        counters.octets_in += len(frame) - offset
        return ip6_input.receive(self, frame[offset:], destination, sender, now)

    def receive_own(self, packet: bytes, now: float) -> None:
        """A packet of ours to an address of ours; it was never on the link, so ::1 needs none."""
        if (self.up and not self.disabled) or packet[24:40] == LOOPBACK:
            outcome = ip6_input.receive(self, packet, self.mac, self.mac, now, looped=True)
            self.host.counters.looped[outcome] += 1

    # -- out

    def transmit(self, mac: MacAddress, packet: bytes) -> bool:
        """Queue one packet for a MAC, in fragments if its path carries no such length; false if the link takes none."""
        if len(packet) > ipv6.MINIMUM_MTU and self.up:
            pieces = fragmentation.pieces(self, packet)
            if pieces:
                return self._transmit_fragments(mac, pieces)
        return self.transmit_frame(mac + self._header + packet, len(packet))

    def transmit_frame(self, frame: bytes, octets: int) -> bool:
        """Queue a frame with one whole packet of so many octets; false if the link takes none."""
        counters = self.host.counters
        if not self.up or self.disabled or not self.host.queue_frame(self, frame):
            counters.out_discards += 1
            return False
        self.silent = False
        counters.packets_out += 1
        counters.octets_out += octets
        return True

    def _transmit_fragments(self, mac: MacAddress, pieces: list[bytes]) -> bool:
        """Queue the fragments of one packet; false once the link takes one of them not."""
        counters = self.host.counters
        counters.packets_out += 1
        for piece in pieces:
            if self.disabled or not self.host.queue_frame(self, mac + self._header + piece):
                counters.out_discards += 1
                counters.frag_fails += 1
                return False
            counters.frag_creates += 1
            counters.octets_out += len(piece)
        counters.frag_oks += 1
        self.silent = False
        return True

    def transmit_multicast(self, packet: bytes) -> bool:
        """Queue one packet for the group that it is addressed to (RFC 2464 7)."""
        sent = self.transmit(multicast_mac(packet[24:40]), packet)
        if sent:
            self.host.counters.mcast_out += 1
            self.host.counters.mcast_octets_out += len(packet)
        return sent

    def send_nd(
        self,
        source_address: IPv6Address,
        destination: IPv6Address,
        message: bytes,
        mac: MacAddress | None = None,
        now: float | None = None,
    ) -> bool:
        """Send a neighbour discovery message: to a group, straight to `mac`, or to the neighbour at `now`.

        False if the link took it not.
        """
        packet = ipv6.packet(source_address, destination, ipv6.ICMPV6, nd.HOP_LIMIT, message)
        sent = True
        if destination[0] == 0xFF:
            sent = self.transmit_multicast(packet)
        elif mac is not None:
            sent = self.transmit(mac, packet)
        elif now is not None:
            self.resolver.send(destination, packet, now)
        if sent:
            self.host.counters.icmp_out[message[0]] += 1
        return sent

    def confirm(self, destination: IPv6Address, now: float) -> None:
        """What was sent to `destination` has arrived, as its answer shows: its neighbour is reachable (RFC 4861 7.3.1).

        The neighbour is whoever packets to `destination` go to first. For a group or an address of ours it is nobody.
        """
        if destination[0] == 0xFF or self.is_assigned(destination):
            return
        neighbour = next_hop(self, destination, now)
        if neighbour is not None:
            self.resolver.confirm(neighbour, now)

    # -- what protocols ask about addresses

    def is_assigned(self, address: IPv6Address) -> bool:
        """Whether `address` is a valid address of this interface, neither tentative nor a duplicate.

        The loopback address is of every interface, and known to no link (RFC 4291 2.5.3).
        """
        entry = self.addresses.table.get(address)
        return entry.assigned if entry is not None else address == LOOPBACK

    def source_for(self, destination: IPv6Address) -> IPv6Address | None:
        """The source address for a packet to `destination` (RFC 6724), or None."""
        if destination == LOOPBACK:
            return LOOPBACK
        return source.select(self.addresses, destination)


def check_station_mac(mac: MacAddress) -> None:
    """Raises UsageError unless a station may have this MAC."""
    if is_multicast_mac(mac) or not any(mac):
        raise UsageError(f"{format_mac(mac)} cannot be the MAC of a host: it is a group address or all zeros")


def check_mtu(mtu: int) -> None:
    """Raises UsageError unless the link may have this MTU (RFC 8200 5; Linux's TAP ends at 65521)."""
    if not ipv6.MINIMUM_MTU <= mtu <= MAXIMUM_MTU:
        raise UsageError(f"an MTU is a number from {ipv6.MINIMUM_MTU} to {MAXIMUM_MTU}, not {mtu}")
