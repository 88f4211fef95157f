"""Addresses, routers and neighbours under any course of events, optimistic and temporary addresses among them."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from stack.errors import RefusedError
from stack.nd.interface_address import AddressState
from stack.nd.states import NeighborState
from tests.nd.advertising import HIGH, LOW, MEDIUM, advertisement, mac_of, prefix_option
from tests.playbook import Play, ip, solicitation, text
from tests.playbook import advertisement as neighbour_advertisement

ROUTERS = ["fe80::a1", "fe80::a2", "fe80::a3"]
PREFIXES = ["2001:db8:1::", "2001:db8:2::", "2001:db8:3::"]
FAR = "2001:db8:ffff::1"
NEAR = "2001:db8:1::77"

routers = st.sampled_from(ROUTERS)


class ConfigurationMachine(RuleBasedStateMachine):
    """A host that has optimistic and temporary addresses and tells of new ones, and three routers."""

    def __init__(self) -> None:
        super().__init__()
        self.play = Play(
            optimistic_dad=1, use_tempaddr=2, ndisc_notify=1, router_solicitations=3, max_addresses=6, ra_ratelimit=0
        ).start()

    def an_address(self, pick: int) -> str | None:
        table = list(self.play.interface.addresses.table)
        return text(table[pick % len(table)]) if table else None

    @rule(
        router=routers,
        prefix=st.sampled_from(PREFIXES),
        flags=st.sampled_from(["L", "A", "LA"]),
        lifetime=st.sampled_from([0, 30, 9_000]),
        preferred=st.sampled_from([0, 20, 7_300]),
        preference=st.sampled_from([LOW, MEDIUM, HIGH]),
        lladdr=st.booleans(),
    )
    def advertised(  # type: ignore[no-untyped-def]
        self, router: str, prefix: str, flags: str, lifetime: int, preferred: int, preference: int, lladdr: bool
    ):
        option = prefix_option(prefix, flags=flags, valid=preferred, preferred=preferred)
        self.play.receive(advertisement(option, router=router, lifetime=lifetime, preference=preference, lladdr=lladdr))

    @rule(router=routers, flags=st.sampled_from(["RSO", "SO", "R", "O"]))
    def router_answers(self, router: str, flags: str) -> None:
        self.play.receive(neighbour_advertisement(router, flags=flags, mac=mac_of(router)))

    @rule(pick=st.integers(0, 9), probe=st.booleans())
    def asked(self, pick: int, probe: bool) -> None:
        address = self.an_address(pick)
        if address is not None:
            self.play.receive(solicitation(address, **({"source": "::"} if probe else {})))

    @rule(pick=st.integers(0, 9))
    def taken(self, pick: int) -> None:
        address = self.an_address(pick)
        if address is not None and not address.startswith("fe80"):
            self.play.receive(neighbour_advertisement(address, destination="ff02::1", flags="O"))

    @rule(destination=st.sampled_from([FAR, NEAR, *ROUTERS]), pick=st.integers(0, 9))
    def ping(self, destination: str, pick: int) -> None:
        source = self.an_address(pick)
        echoes = self.play.host.echoes
        try:
            session = echoes.open(
                self.play.interface, ip(destination), None, source=None if source is None else ip(source)
            )
            session.send(1, self.play.now)
        except RefusedError:
            pass
        echoes.sessions.clear()
        self.play.settle()

    @rule(pick=st.integers(0, 9))
    def remove(self, pick: int) -> None:
        address = self.an_address(pick)
        if address is not None:
            self.play.remove_address(address)

    @rule(seconds=st.sampled_from([0.001, 0.3, 1.0, 3.0, 10.0, 50.0, 7_200.0]))
    def wait(self, seconds: float) -> None:
        self.play.run(self.play.now + seconds)

    @rule()
    def down_and_up(self) -> None:
        self.play.interface.restart(self.play.now)
        self.play.settle()

    @invariant()
    def an_address_under_test_is_tentative_or_optimistic(self) -> None:
        for entry in self.play.interface.addresses.table.values():
            testing = entry.state in (AddressState.TENTATIVE, AddressState.OPTIMISTIC)
            disabled = self.play.interface.disabled
            assert disabled or testing is (entry.detection is not None)
            assert entry.held is None or (entry.optimistic and len(entry.held) <= 3)

    @invariant()
    def no_optimistic_address_solicits_or_overrides(self) -> None:
        """RFC 4429 3.2, 3.3."""
        optimistic = {text(each.address) for each in self.play.interface.addresses.table.values() if each.optimistic}
        now = self.play.now
        for sent in self.play.sent():
            if sent.time == now and sent.kind == 135:
                assert sent.source not in optimistic
            if sent.time == now and sent.kind == 136 and sent.target in optimistic:
                assert not sent.message[4] & 0x20

    @invariant()
    def limits_hold(self) -> None:
        interface = self.play.interface
        assert len(interface.autoconfiguration) <= 6
        count = sum(max(1, len(each.entries)) for each in interface.autoconfiguration.table.values())
        assert len(interface.autoconfiguration) == count

    @invariant()
    def a_router_that_is_unreachable_is_not_chosen_before_one_that_is(self) -> None:
        routers, cache = self.play.interface.routers, self.play.interface.resolver.cache
        reachable = [router for router in routers.table if routers.is_reachable(router)]
        chosen = self.play.interface.routes.first_hop(ip(FAR))
        entry = None if chosen is None else cache.get(chosen)
        failed = entry is not None and entry.state is NeighborState.UNREACHABLE
        assert not (failed and reachable), "RFC 4861 6.3.6"

    def teardown(self) -> None:
        self.play.interface.stop(self.play.now)
        assert len(self.play.host.timers) == 0, "nothing runs on while the interface is down"


ConfigurationMachine.TestCase.settings = settings(
    max_examples=50, stateful_step_count=40, derandomize=True, deadline=None, database=None
)
TestConfigurationMachine = ConfigurationMachine.TestCase
