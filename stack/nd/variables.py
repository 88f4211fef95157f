"""The host variables of an interface (RFC 4861 6.3.2): what a router said last, or else the setting.

A router's value holds until another router gives one, the user changes the
setting, or the interface goes down. A value of 0 is none (6.3.4): it never brings
the default back. DupAddrDetectTransmits (RFC 4862 5.1) is beside them, which no
router says anything of.
"""

from typing import TYPE_CHECKING

from stack.errors import UsageError

if TYPE_CHECKING:
    from stack.interface import Interface

HOP_LIMIT = "hop_limit"
BASE_REACHABLE_TIME = "base_reachable_time_ms"
RETRANS_TIMER = "retrans_time_ms"
MAXIMUM_DAD_TRANSMITS = 255


class HostVariables:
    """CurHopLimit, BaseReachableTime, RetransTimer (ms) and the advertised part of LinkMTU of one interface."""

    __slots__ = ("_dad_transmits", "_interface", "_learnt", "link_mtu")

    def __init__(self, interface: "Interface") -> None:
        self._interface = interface
        # By the name of the setting: what was learnt, and the setting as it was then.
        self._learnt: dict[str, tuple[int, int]] = {}
        # LinkMTU as a router gives it; what the link layer takes limits it still.
        self.link_mtu: int | None = None
        self._dad_transmits: int | None = None

    @property
    def hop_limit(self) -> int:
        """CurHopLimit, of unicast packets."""
        return self._value(HOP_LIMIT)

    @property
    def base_reachable_time_ms(self) -> int:
        """BaseReachableTime in milliseconds."""
        return self._value(BASE_REACHABLE_TIME)

    @property
    def retrans_time_ms(self) -> int:
        """RetransTimer in milliseconds."""
        return self._value(RETRANS_TIMER)

    @property
    def dad_transmits(self) -> int:
        """DupAddrDetectTransmits (RFC 4862 5.1): the interface's own number, or else the host's setting."""
        own = self._dad_transmits
        return self._interface.host.settings.dad_transmits if own is None else own

    def set_dad_transmits(self, count: int | None) -> None:
        """A number of probes for this interface alone, from 0 to 255; None: as the setting says from now on.

        Raises UsageError for any other number. Tests that have begun go on as they began.
        """
        if count is not None and not 0 <= count <= MAXIMUM_DAD_TRANSMITS:
            raise UsageError(f"dad_transmits: {count} is not a whole number from 0 to {MAXIMUM_DAD_TRANSMITS}")
        self._dad_transmits = count

    def learn(self, name: str, value: int) -> bool:
        """A router gave a value; whether it is another than the one in use."""
        changed = value != self._value(name)
        self._learnt[name] = (value, self._setting(name))
        return changed

    def forget(self) -> None:
        """The settings hold again: the interface goes down."""
        self._learnt.clear()
        self.link_mtu = None

    def _value(self, name: str) -> int:
        setting = self._setting(name)
        learnt = self._learnt.get(name)
        # The most recent word counts (6.3.4), the user's too.
        return learnt[0] if learnt is not None and learnt[1] == setting else setting

    def _setting(self, name: str) -> int:
        value: int = getattr(self._interface.host.settings, name)
        return value
