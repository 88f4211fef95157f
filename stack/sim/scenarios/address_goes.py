"""The last address of an interface goes and comes back: its groups are saved, and reported again (RFC 3590 4)."""

from stack.address import parse_address
from stack.sim.narrate import ADDRESSES, DETECTION, FILTER, GROUPS
from stack.sim.querier.scripted import ScriptedQuerier
from stack.sim.stage import Scenario, Stage, address_state, group_record, link_local_text
from stack.sim.world import Station

GROUP = "ff15::cafe"
LATER_GROUP = "ff15::beef"
SECOND = "fe80::5"
_TELL = frozenset((GROUPS, ADDRESSES, FILTER))


def play(stage: Stage) -> None:
    """One of two addresses goes; the last one goes; it comes back."""
    stage.opening(
        f"""A program that listens to a group does not care which address the host has, or whether it has one at this
        moment. But reports are sent from an address, so each group of a host hangs on one. What becomes of it when the
        address goes no RFC says; the file mld6.c of NetBSD does. ada has two addresses, the one made from its MAC and
        {SECOND}, which the user gave it, and a program listens to {GROUP}."""
    )
    ada = stage.host("ada", "02:00:00:00:00:0a")
    router = stage.querier("router", "02:00:00:00:00:01")
    with stage.quietly():
        stage.start(ada)
        _add(stage, ada, SECOND)
        stage.run_to(15)
        stage.join(ada, GROUP)
        stage.run_to(30)
    _first_goes(stage, ada)
    _last_goes(stage, ada, router)
    _comes_back(stage, ada)


def _first_goes(stage: Stage, ada: Station) -> None:
    first = link_local_text(ada)
    stage.section("1. One of two addresses goes", _TELL)
    stage.say(
        """The address leaves the group of its own, ff02::1:ff00:a: TO_IN ({}), wanted from nobody any more. What
        else hangs on it moves to the address that remains. On the link nothing is said of that, since the listening
        has not changed."""
    )
    stage.show_groups(ada, GROUP)
    _remove(stage, ada, first)
    stage.run_to(35)
    stage.expect(_hangs_on(ada, GROUP) == SECOND, f"{GROUP} hangs on {SECOND}")


def _last_goes(stage: Stage, ada: Station, router: ScriptedQuerier) -> None:
    stage.section("2. The last address goes", _TELL)
    stage.say(
        f"""Now {GROUP} has nothing to hang on. It is not left: the program has not asked for that. It is saved, and the
        network card goes on letting its MAC through. The report about the address's own group leaves in time, but
        cannot be repeated as it should be: there is nothing to send it from."""
    )
    _remove(stage, ada, SECOND)
    stage.run_to(37)
    record = group_record(ada, GROUP)
    stage.expect(record is not None and record.interface_address is None, f"{GROUP} is saved")
    stage.expect(record is not None and record.mac in ada.interface.macs, "its MAC still passes the filter")
    stage.say(f"A router that asks gets no answer: ada has no address to answer from. A join of {LATER_GROUP} works.")
    router.query(parse_address(GROUP))
    stage.run_to(38)
    stage.join(ada, LATER_GROUP)
    stage.run_to(40)


def _comes_back(stage: Stage, ada: Station) -> None:
    stage.section("3. An address comes back", _TELL | {DETECTION})
    stage.say(
        f"""The saved groups hang on the address from the moment it is there. {LATER_GROUP}, of which nobody on the
        link has heard yet, is reported at once, if only from ::. As soon as the address is known to be unique, every
        group is reported from it, all in one report, since routers do not count one from :: (RFC 3810 5.2.13)."""
    )
    _add(stage, ada, SECOND)
    stage.run_to(45)
    stage.expect(address_state(ada, SECOND) == "preferred", f"{SECOND} is valid")
    stage.expect(_hangs_on(ada, GROUP) == SECOND, f"{GROUP} hangs on {SECOND} again")
    stage.say("The program has noticed nothing of all this.")


def _hangs_on(station: Station, group: str) -> str:
    record = group_record(station, group)
    found = None if record is None else record.interface_address
    return SECOND if found == parse_address(SECOND) else "another address"


def _add(stage: Stage, station: Station, address: str) -> None:
    octets = parse_address(address)
    stage.act(station, f"is given the address {address}", lambda now: station.interface.addresses.add(octets, 64, now))


def _remove(stage: Stage, station: Station, address: str) -> None:
    octets = parse_address(address)
    stage.act(station, f"loses the address {address}", lambda now: station.interface.addresses.remove(octets, now))


SCENARIO = Scenario(
    "address-goes",
    "The last address goes, and comes back",
    "groups outlive the address that they hang on: moved, saved, attached and reported again",
    play,
)
