"""An interface that is up hears ff02::1 whether it has an address or not (RFC 4861 7.2.1)."""

from collections.abc import Callable

import pytest

from stack.discard import Discard, Verdict
from stack.events import ConfigurationFlags
from tests.nd.advertising import ROUTER, advertisement, prefix_option
from tests.playbook import OUR_LINK_LOCAL, Play, group_mac, ip, mld_message
from tests.playbook import advertisement as neighbour_advertisement

ALL_NODES_MAC = group_mac(ip("ff02::1"))
WHERE = "RFC 4861 7.2.1: an interface that is up is in all-nodes"


def none_wanted() -> Play:
    return Play(addr_gen_mode=1).start()


def removed() -> Play:
    play = Play().start()
    play.remove_address(OUR_LINK_LOCAL)
    play.sent()
    return play


def duplicate() -> Play:
    """An opaque address that another node has, and no other is tried: the interface stays up without any."""
    play = Play(addr_gen_mode=2, stable_secret="some words", idgen_retries=0).start(until=None)
    play.run(0.9)
    (address,) = play.interface.addresses.table
    play.receive(neighbour_advertisement(str_of(address), destination="ff02::1", flags="O"))
    play.run(play.now + 10.0)
    assert play.address(str_of(address)) == "duplicated"
    play.sent()
    return play


def str_of(address: bytes) -> str:
    return ":".join(address[at : at + 2].hex() for at in range(0, 16, 2))


WITHOUT = {"no address is wanted": none_wanted, "the user removed it": removed, "it is a duplicate": duplicate}


@pytest.mark.parametrize("without", WITHOUT.values(), ids=WITHOUT)
def test_an_advertisement_is_heard(without: Callable[[], Play]) -> None:
    play = without()
    assert play.receive(advertisement(prefix_option(flags="L"), flags="M")) is Verdict.DELIVERED, WHERE
    assert list(play.interface.routers.table) == [ip(ROUTER)]
    assert len(play.interface.prefixes.table) == 1
    assert ConfigurationFlags(True, False) in play.events


def test_nothing_is_said_of_it() -> None:
    """SEED rows S14 and S55: the lists tie groups to addresses, and without one nothing is reported or answered."""
    play = none_wanted()
    assert len(play.interface.listener.groups) == 0
    assert play.receive(mld_message(130, "::", delay=1000)) is Discard.MLD_NO_ADDRESS
    play.run(play.now + 60.0)
    assert play.sent() == []


def test_the_driver_passes_it_for_as_long_as_the_interface_is_up() -> None:
    play = none_wanted()
    assert play.interface.plan.exact == (ALL_NODES_MAC,), WHERE
    play.add_address("2001:db8::77")
    play.run(play.now + 5.0)
    play.remove_address("2001:db8::77")
    assert play.interface.plan.exact == (ALL_NODES_MAC,), WHERE
    play.interface.stop(play.now)
    assert play.interface.plan.exact == ()
    assert play.receive(advertisement()) is Discard.INTERFACE_DOWN


def test_other_groups_still_need_an_address_or_a_membership() -> None:
    play = none_wanted()
    assert play.receive(mld_message(130, "ff02::99", destination="ff02::99")) is Discard.NOT_FOR_US
    # The same MAC, another group: told apart by the IPv6 destination (RFC 2464 7).
    assert play.receive(mld_message(130, "::", destination="ff05::1")) is Discard.GROUP_NOT_JOINED
