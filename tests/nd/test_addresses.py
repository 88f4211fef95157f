"""Addresses and their life: RFC 4862 5.3 to 5.5.4, identifiers from the MAC (RFC 4291) or a secret (RFC 7217)."""

import pytest

from stack.errors import RefusedError, UsageError
from tests.playbook import (
    OUR_LINK_LOCAL,
    Play,
    echo_request,
    group_mac,
    ip,
    solicitation,
    text,
)

REPORT, DONE, NS = 131, 132, 135
GLOBAL = "2001:db8::77"
GLOBAL_GROUP = "ff02::1:ff00:77"


def own_link_local(play: Play) -> str | None:
    """The link-local address as it is now, tentative or not."""
    return next((text(address) for address in play.interface.addresses.table if address[:2] == b"\xfe\x80"), None)


def states(play: Play, address: str) -> list[str]:
    """What a listener was told about an address, in order."""
    return [event.state for event in play.told("address") if event.address == ip(address)]  # type: ignore[union-attr]


# -- the link-local address


@pytest.mark.parametrize(
    ("mac", "address"),
    [
        ("02006e000001", "fe80::6eff:fe00:1"),
        # RFC 2464 4: 34-56-78-9A-BC-DE makes 36-56-78-FF-FE-9A-BC-DE.
        ("3456789abcde", "fe80::3656:78ff:fe9a:bcde"),
        ("fe0000ffffff", "fe80::fc00:ff:feff:ffff"),
    ],
    ids=["ours", "RFC 2464 4", "all bits of the lower half"],
)
def test_eui64(mac: str, address: str) -> None:
    """5.3, RFC 2464 4 and 5: fe80::/64 and the EUI-64 of the MAC, its universal/local bit inverted."""
    play = Play()
    play.interface.set_mac(bytes.fromhex(mac), 0.0)
    play.start()
    assert own_link_local(play) == address
    assert play.address(address) == "preferred"
    entry = play.interface.addresses.get(ip(address))
    assert entry is not None and (entry.prefix_length, entry.by_user) == (64, False)


def test_no_link_local_address_if_none_is_wanted() -> None:
    play = Play(addr_gen_mode=1).start(until=None)
    play.run(60.0)
    assert len(play.interface.addresses) == 0 and play.sent() == []


def opaque(name: str = "t0", seed: int = 1, **settings: int | str) -> str:
    play = Play(seed, **settings)
    play.interface.name = name
    play.start()
    address = own_link_local(play)
    assert address is not None and play.address(address) == "preferred"
    return address


def test_a_stable_opaque_address() -> None:
    """RFC 7217 4, 5: the same for the same secret and interface, whatever else; another for another of either."""
    first = opaque(addr_gen_mode=2, stable_secret="one")
    assert first == opaque(addr_gen_mode=2, stable_secret="one", seed=99)
    assert first != opaque(addr_gen_mode=2, stable_secret="two")
    assert first != opaque("t1", addr_gen_mode=2, stable_secret="one")
    assert first != OUR_LINK_LOCAL


def test_an_opaque_address_does_not_follow_the_mac() -> None:
    """RFC 7217 4: it does not depend on the hardware address (Net_Iface is the name here)."""
    play = Play(addr_gen_mode=2, stable_secret="one").start()
    before = own_link_local(play)
    play.interface.set_mac(bytes.fromhex("020000000042"), play.now)
    assert own_link_local(play) == before


@pytest.mark.parametrize("settings", [{"addr_gen_mode": 3}, {"addr_gen_mode": 2}], ids=["mode 3", "no secret given"])
def test_a_random_secret_is_the_hosts_own(settings: dict[str, int]) -> None:
    """RFC 7217 5: the secret MUST NOT be known; it stays while the host runs, so that the address is stable."""
    assert len({opaque(seed=seed, **settings) for seed in range(10)}) == 10
    play = Play(**settings).start()
    before = own_link_local(play)
    play.interface.restart(play.now)
    assert own_link_local(play) == before


def fail(play: Play) -> str:
    """Show that the newest link-local address is a duplicate."""
    tentative = [text(each.address) for each in play.interface.addresses.table.values() if each.detection is not None]
    (address,) = tentative
    play.receive(solicitation(address, source="::"))
    assert play.address(address) == "duplicated"
    return address


def test_duplicates_of_an_opaque_address_lead_to_another() -> None:
    """RFC 7217 6: DAD_Counter counts on, up to IDGEN_RETRIES (3) new tries; then there is none."""
    play = Play(addr_gen_mode=2, stable_secret="one").start(until=None)
    tried = []
    for _ in range(4):
        tried.append(fail(play))
        play.run(play.now + 0.5)
    assert len(set(tried)) == 4
    play.sent()
    play.run(play.now + 60.0)
    assert play.sent(NS) == []
    assert [play.address(address) for address in tried] == ["duplicated"] * 4
    assert play.interface.addresses.link_local() is None


@pytest.mark.parametrize("duplicates", [0, 1, 2])
def test_the_try_that_succeeds_stays(duplicates: int) -> None:
    play = Play(addr_gen_mode=2, stable_secret="one").start(until=None)
    for _ in range(duplicates):
        fail(play)
    play.run(play.now + 5.0)
    valid = play.interface.addresses.link_local()
    assert valid is not None and play.address(text(valid)) == "preferred"
    again = Play(7, addr_gen_mode=2, stable_secret="one").start(until=None)
    for _ in range(duplicates):
        fail(again)
    again.run(again.now + 5.0)
    assert again.interface.addresses.link_local() == valid, "RFC 7217 5: DAD_Counter is part of the function"


def test_the_next_try_waits_for_a_random_time() -> None:
    """RFC 7217 6: between 0 and IDGEN_DELAY (1 s), to avoid lockstep; report and probe together, as ever."""
    delays = []
    for seed in range(40):
        play = Play(seed, addr_gen_mode=2, stable_secret="one").start(until=None)
        play.run(1.0)
        fail(play)
        play.sent()
        begin = play.now
        play.run(begin + 1.0)
        (probe,) = play.sent(NS)
        delays.append(probe.time - begin)
    assert 0 <= min(delays) < 0.2 and 0.8 < max(delays) < 1.0 and len(set(delays)) == 40


def test_a_refused_filter_ends_the_tries_and_raises_nowhere() -> None:
    """What was received never raises, whatever the driver says to what it leads to."""
    play = Play(addr_gen_mode=2, stable_secret="one").start(until=None)
    program = play.interface.program
    assert program is not None

    def refuse_new_groups(plan: object) -> None:
        if len(plan.exact) > 1:  # type: ignore[attr-defined]
            raise OSError(22, "refused")
        program(plan)  # type: ignore[arg-type]

    play.interface.program = refuse_new_groups
    address = fail(play)
    play.run(play.now + 5.0)
    assert list(play.interface.addresses.table) == [ip(address)]
    assert play.host.counters.filter_errors == 1
    assert list(play.interface.listener.groups.records) == []


# -- adding


def test_an_address_holds_its_two_groups() -> None:
    """RFC 4291 2.8, RFC 4862 5.4.2: ff02::1 and its solicited-node group, before it is tested."""
    play = Play().start()
    play.add_address(GLOBAL)
    records = play.interface.listener.groups.records
    assert records[ip("ff02::1")].refcount == 2
    assert records[ip(GLOBAL_GROUP)].refcount == 1
    assert play.address(GLOBAL) == "tentative"
    play.remove_address(GLOBAL)
    assert records[ip("ff02::1")].refcount == 1
    assert ip(GLOBAL_GROUP) not in records


def test_a_solicited_node_group_is_left_with_its_last_address() -> None:
    """RFC 4861 7.2.1: MUST NOT leave until all addresses corresponding to the group have been removed."""
    play = Play().start()
    play.add_address(GLOBAL)
    play.add_address("2001:db8:1::77")
    play.run(play.now + 20.0)
    play.sent()
    play.remove_address(GLOBAL)
    assert play.sent() == []
    assert ip(GLOBAL_GROUP) in play.interface.listener.groups.records
    play.remove_address("2001:db8:1::77")
    assert [(each.kind, each.target) for each in play.sent()] == [(DONE, GLOBAL_GROUP)]


def test_a_listener_hears_of_every_state() -> None:
    play = Play().start()
    play.add_address(GLOBAL, valid_lifetime=100.0, preferred_lifetime=50.0)
    play.run(play.now + 200.0)
    assert states(play, GLOBAL) == ["tentative", "preferred", "deprecated", "deleted"]


@pytest.mark.parametrize(
    "address", ["ff02::1", "ff05::99", "::", "::1", "::ffff:1.2.3.4", "::2"], ids=lambda address: address
)
def test_what_cannot_be_an_address_of_an_interface(address: str) -> None:
    """RFC 4291 2.5.2, 2.5.3, 2.5.5.2, 2.7."""
    play = Play().start()
    with pytest.raises(UsageError):
        play.add_address(address)
    assert ip(address) not in play.interface.addresses.table


@pytest.mark.parametrize(
    ("length", "options"),
    [
        (129, {}),
        (-1, {}),
        (64, {"valid_lifetime": 0.0}),
        (64, {"valid_lifetime": -5.0}),
        (64, {"preferred_lifetime": -1.0}),
        (64, {"valid_lifetime": 10.0, "preferred_lifetime": 11.0}),
        (64, {"valid_lifetime": float("nan")}),
    ],
    ids=[
        "/129",
        "/-1",
        "valid 0",
        "valid negative",
        "preferred negative",
        "preferred longer than valid",
        "not a number",
    ],
)
def test_what_an_address_cannot_be_like(length: int, options: dict[str, float]) -> None:
    play = Play().start()
    with pytest.raises(UsageError):
        play.add_address(GLOBAL, length, **options)
    assert play.address(GLOBAL) is None and len(play.interface.listener.groups) == 2


def test_an_address_twice_is_refused() -> None:
    play = Play().start()
    play.add_address(GLOBAL)
    with pytest.raises(RefusedError):
        play.add_address(GLOBAL)
    with pytest.raises(RefusedError):
        play.add_address(OUR_LINK_LOCAL)
    play.remove_address(GLOBAL)
    play.add_address(GLOBAL)


def test_an_address_that_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(RefusedError):
        Play().start().remove_address(GLOBAL)


def test_the_number_of_addresses_is_limited() -> None:
    play = Play(max_static_addresses=2).start()
    play.add_address("2001:db8::1")
    play.add_address("2001:db8::2")
    with pytest.raises(RefusedError, match="max_static_addresses"):
        play.add_address("2001:db8::3")
    play.remove_address("2001:db8::1")
    play.add_address("2001:db8::3")
    assert play.address() == "preferred", "the one made here does not count"


def test_a_refused_filter_undoes_the_address_wholly() -> None:
    """SEED row S57: the driver's error reaches the caller, nothing has changed and nothing was said."""
    play = Play(addr_gen_mode=1).start()
    program, calls = play.interface.program, []
    assert program is not None

    def refuse(plan: object) -> None:
        calls.append(plan)
        if len(calls) == 1:
            raise OSError(22, "refused")
        program(plan)  # type: ignore[arg-type]

    play.interface.program = refuse
    with pytest.raises(OSError, match="refused"):
        play.add_address(GLOBAL, valid_lifetime=50.0)
    assert play.address(GLOBAL) is None
    assert len(play.interface.listener.groups) == 0 and play.interface.plan.exact == (group_mac(ip("ff02::1")),)
    assert play.told("address") == []
    play.run(play.now + 60.0)
    assert play.sent() == [] and len(play.host.timers) == 0
    assert play.host.counters.filter_errors == 1
    play.interface.program = program
    play.add_address(GLOBAL)
    assert play.address(GLOBAL) == "tentative"


def test_a_limit_on_groups_undoes_the_address_wholly() -> None:
    play = Play(mld_max_groups=3).start()
    play.join("ff05::99")
    before = dict(play.interface.listener.groups.records)
    with pytest.raises(RefusedError, match="mld_max_groups"):
        play.add_address(GLOBAL)
    assert play.address(GLOBAL) is None
    assert play.interface.listener.groups.records == before
    assert before[ip("ff02::1")].refcount == 1


# -- lifetimes


def test_deprecated_then_gone() -> None:
    """5.5.4: deprecated when the preferred lifetime ends: still used and answered for; invalid with the valid one."""
    play = Play().start()
    begin = play.now
    play.add_address(GLOBAL, preferred_lifetime=30.0, valid_lifetime=60.0)
    play.run(begin + 29.9)
    assert play.address(GLOBAL) == "preferred"
    play.run(begin + 30.0)
    assert play.address(GLOBAL) == "deprecated"
    assert play.interface.is_assigned(ip(GLOBAL))
    play.sent()
    play.receive(solicitation(GLOBAL))
    play.receive(echo_request(GLOBAL))
    assert [(each.kind, each.source) for each in play.sent()] == [(136, GLOBAL), (129, GLOBAL)]
    play.run(begin + 59.9)
    assert play.address(GLOBAL) == "deprecated"
    play.run(begin + 60.0)
    assert play.address(GLOBAL) is None
    assert group_mac(ip(GLOBAL_GROUP)) not in play.interface.plan.exact


def test_a_valid_lifetime_alone_is_the_preferred_one_too() -> None:
    play = Play().start()
    play.add_address(GLOBAL, valid_lifetime=60.0)
    play.run(play.now + 59.9)
    assert play.address(GLOBAL) == "preferred"
    play.run(play.now + 0.2)
    assert play.address(GLOBAL) is None


def test_a_preferred_lifetime_of_zero_is_deprecated_from_the_start() -> None:
    play = Play().start()
    play.add_address(GLOBAL, preferred_lifetime=0.0)
    play.run(play.now + 5.0)
    assert states(play, GLOBAL) == ["tentative", "deprecated"]
    play.run(play.now + 1e6)
    assert play.address(GLOBAL) == "deprecated", "valid for ever"


@pytest.mark.parametrize("lifetimes", [(0.5, None), (0.5, 0.7)], ids=["preferred", "both"])
def test_lifetimes_run_during_the_test(lifetimes: tuple[float, float | None]) -> None:
    play = Play().start()
    play.add_address(GLOBAL, preferred_lifetime=lifetimes[0], valid_lifetime=lifetimes[1])
    play.run(play.now + 0.6)
    assert play.address(GLOBAL) == "tentative"
    play.run(play.now + 5.0)
    assert play.address(GLOBAL) == ("deprecated" if lifetimes[1] is None else None)
    assert states(play, GLOBAL)[-1] == ("deprecated" if lifetimes[1] is None else "deleted")


def test_lifetimes_run_while_the_interface_is_down() -> None:
    """5.5.4 knows no pause: what has run out meanwhile is gone, and listed no longer."""
    play = Play().start()
    begin = play.now
    play.add_address(GLOBAL, preferred_lifetime=30.0, valid_lifetime=60.0)
    play.add_address("2001:db8::1", preferred_lifetime=30.0, valid_lifetime=600.0)
    play.interface.stop(begin + 1.0)
    play.run(begin + 60.0)
    assert play.address(GLOBAL) is None
    assert states(play, GLOBAL)[-1] == "deleted"
    play.interface.start(begin + 60.0)
    play.run(begin + 70.0)
    assert play.address(GLOBAL) is None
    assert play.address("2001:db8::1") == "deprecated"
    play.run(begin + 600.0)
    assert play.address("2001:db8::1") is None


def test_lifetimes_of_an_address_added_while_down() -> None:
    play = Play()
    play.add_address(GLOBAL, valid_lifetime=60.0)
    play.run(59.0)
    assert play.address(GLOBAL) == "tentative"
    play.run(60.0)
    assert play.address(GLOBAL) is None
    assert len(play.host.timers) == 0


def test_a_duplicate_goes_when_its_lifetime_ends() -> None:
    play = Play().start()
    play.add_address(GLOBAL, valid_lifetime=60.0)
    play.receive(solicitation(GLOBAL, source="::"))
    play.run(play.now + 59.9)
    assert play.address(GLOBAL) == "duplicated"
    play.run(play.now + 0.2)
    assert play.address(GLOBAL) is None


def test_removing_an_address_takes_its_lifetimes_along() -> None:
    play = Play().start()
    timers = len(play.host.timers)
    play.add_address(GLOBAL, valid_lifetime=60.0, preferred_lifetime=30.0)
    play.remove_address(GLOBAL)
    assert len(play.host.timers) == timers
    play.add_address(GLOBAL)
    play.run(play.now + 100.0)
    assert play.address(GLOBAL) == "preferred"


def test_restart_keeps_the_end_of_a_lifetime() -> None:
    play = Play().start()
    begin = play.now
    play.add_address(GLOBAL, valid_lifetime=60.0)
    for second in (10, 20, 30):
        play.run(begin + second)
        play.interface.restart(play.now)
    play.run(begin + 59.9)
    assert play.address(GLOBAL) == "preferred"
    play.run(begin + 60.0)
    assert play.address(GLOBAL) is None


# -- on-link (RFC 5942 4)


def test_which_addresses_are_on_link() -> None:
    """fe80::/10 always; else the prefixes of assigned addresses, not of those under test."""
    play = Play().start()
    on_link = play.interface.addresses.on_link
    assert on_link(ip("fe80::1")) and on_link(ip("febf::1")) and not on_link(ip("2001:db8::1"))
    play.add_address(GLOBAL, 64)
    assert not on_link(ip("2001:db8::1"))
    play.run(play.now + 2.0)
    assert on_link(ip("2001:db8::1")) and not on_link(ip("2001:db8:0:1::1"))
    play.add_address("2001:db8:5::1", 128, nodad=True)
    assert on_link(ip("2001:db8:5::1")) and not on_link(ip("2001:db8:5::2"))


# -- what the interface's life does to them


def test_what_the_user_gave_stays_and_is_tested_again() -> None:
    play = Play().start()
    play.add_address(GLOBAL, 48)
    play.add_address("2001:db8::a", anycast=True)
    play.add_address("2001:db8::1", 128, nodad=True)
    play.run(play.now + 5.0)
    play.interface.stop(play.now)
    assert play.address() is None, "what was generated is forgotten"
    assert [play.address(each) for each in (GLOBAL, "2001:db8::a", "2001:db8::1")] == ["tentative"] * 3
    play.interface.start(play.now)
    play.settle()
    assert play.address(GLOBAL) == play.address() == "tentative"
    assert play.address("2001:db8::a") == play.address("2001:db8::1") == "preferred"
    play.run(play.now + 5.0)
    kept = play.interface.addresses.table
    assert [(text(each.address), each.prefix_length) for each in kept.values()] == [
        (OUR_LINK_LOCAL, 64),
        (GLOBAL, 48),
        ("2001:db8::a", 64),
        ("2001:db8::1", 128),
    ], "the link-local address is the first again"
    assert kept[ip("2001:db8::a")].anycast and kept[ip("2001:db8::1")].nodad
    assert play.interface.listener.groups.records[ip("ff02::1")].refcount == 4


def test_a_link_local_address_given_by_the_user_keeps_what_it_was_given_with() -> None:
    """The very address that the MAC makes, given while down: it comes first, and stays the user's."""
    play = Play()
    play.add_address(GLOBAL, nodad=True)
    play.add_address(OUR_LINK_LOCAL, 10, nodad=True)
    play.start(until=None)
    first = next(iter(play.interface.addresses.table.values()))
    assert (text(first.address), first.prefix_length, first.by_user) == (OUR_LINK_LOCAL, 10, True)
    assert play.address() == "preferred"
    play.interface.stop(play.now)
    assert play.address() == "tentative"
    assert len(play.interface.addresses) == 2


def test_a_removed_link_local_address_comes_back_with_a_restart() -> None:
    play = Play().start()
    play.remove_address(OUR_LINK_LOCAL)
    play.run(play.now + 60.0)
    assert play.address() is None
    play.interface.restart(play.now)
    play.run(play.now + 5.0)
    assert play.address() == "preferred"
