"""`sixtap why-not`: why nothing comes in for an address or a group; each diagnosis on a host that has the trouble."""

from typing import Any

import pytest

from stack.mld.filters import FilterMode, SourceFilter
from stack.recorder.bundle import pack, unpack
from stack.recorder.history import history
from stack.recorder.ring import Recorder
from stack.recorder.why_not import Answer, why_not
from tests.playbook import (
    OUR_LINK_LOCAL,
    PEER_LINK_LOCAL,
    Play,
    advertisement,
    echo_request,
    frame,
    ip,
    mld_message,
    packet,
    solicitation,
)
from tests.udp.common import datagram

GROUP = "ff05::77"


class Asked:
    """A host with a recorder from its start, and questions about it."""

    def __init__(self, **settings: int | str) -> None:
        self.play = Play(**settings)  # type: ignore[arg-type]
        self.recorder = Recorder(self.play.host)
        self.about: dict[str, Any] = {"wanted_up": True, "device_up": True}

    def start(self) -> "Asked":
        self.play.start()
        return self

    def about_it(self, address: str) -> Answer:
        told = history(unpack(pack(self.recorder.stretch(), self.play.now, 0.0, **self.about)))
        assert told.replayed.equal
        return why_not(told, told.host.interfaces[3], ip(address), self.about)


def against(answer: Answer) -> list[tuple[str, str]]:
    return [(each.what, each.clause) for each in answer.findings if each.against]


@pytest.fixture
def asked() -> Asked:
    return Asked().start()


# -- groups


def test_the_example_of_a_query_that_was_discarded(asked: Asked) -> None:
    """Joined, reported 262 s ago; query 137 s ago unanswered: discarded, hop limit 64, RFC 3810 6.2."""
    play = asked.play
    play.join(GROUP)
    play.run(play.now + 125)
    reported = max(each.time for each in play.sent(131) if each.target == GROUP)
    play.receive(mld_message(130, "::", hop_limit=64, delay=1000))
    asked_at = play.now
    play.run(reported + 262)
    answer = asked.about_it(GROUP)
    lines = [each.what for each in answer.findings]
    assert lines[0] == "joined by user"
    assert lines[1] == "reported 262 s ago"
    ((what, clause),) = against(answer)
    assert what == f"query {play.now - asked_at:.0f} s ago unanswered: discarded, hop limit 64 instead of 1"
    assert clause == "RFC 3810 6.2"
    assert answer.summary() == f"{GROUP}: {what}, {clause}"


def test_an_answered_query_is_told_with_its_delay(asked: Asked) -> None:
    asked.play.join(GROUP)
    asked.play.run(asked.play.now + 30)
    asked.play.receive(mld_message(130, GROUP, delay=1000))
    asked.play.run(asked.play.now + 30)
    answer = asked.about_it(GROUP)
    assert against(answer) == []
    assert any("query 30 s ago, answered 0." in each.what for each in answer.findings)
    assert answer.summary() == f"{GROUP}: nothing is known to keep it out"


def test_a_group_that_nobody_joined(asked: Asked) -> None:
    asked.play.receive(datagram(destination=GROUP, to=bytes.fromhex("333300000077")))
    found = against(asked.about_it(GROUP))
    assert found[0] == ("nobody on this host has joined it", "RFC 3810 4.1")
    assert "neither ours nor that of a joined group" in found[1][0]


def test_a_long_time_without_any_query(asked: Asked) -> None:
    asked.play.join(GROUP)
    asked.play.run(asked.play.now + 400)
    found = against(asked.about_it(GROUP))
    assert [clause for _, clause in found] == ["RFC 4541 2.1.1"]
    assert "no query came in" in found[0][0]


def test_a_source_that_is_not_wanted(asked: Asked) -> None:
    play = asked.play
    socket = play.host.udp.open(play.interface)
    socket.bind(None, 5000)
    only = SourceFilter(FilterMode.INCLUDE, frozenset((ip("2001:db8::1"),)))
    socket.listen(ip(GROUP), only, play.now)
    play.receive(datagram(source="2001:db8::2", destination=GROUP))
    answer = asked.about_it(GROUP)
    assert answer.findings[0].what == f"joined by udp {socket.number}, only from 2001:db8::1"
    assert any(clause == "RFC 3810 4.2" and "source" in what for what, clause in against(answer))


def test_a_wrong_checksum(asked: Asked) -> None:
    asked.play.join(GROUP)
    for _ in range(3):
        asked.play.receive(datagram(destination=GROUP, value=1))
    (found,) = [each for each in asked.about_it(GROUP).findings if "checksum" in each.what]
    assert found.against
    assert found.what.startswith("3 frames, the last ")
    assert found.clause == "RFC 8200 8.1"
    assert found.frame is not None


def test_a_group_that_version_1_cannot_report(asked: Asked) -> None:
    only = SourceFilter(FilterMode.INCLUDE, frozenset((ip("2001:db8::1"),)))
    asked.play.interface.listener.listen("s", ip("ff3e::8000:1"), only, asked.play.now)
    assert ("not reported: it is source-specific, and the querier speaks version 1", "RFC 4604 2") in against(
        asked.about_it("ff3e::8000:1")
    )


def test_the_filter_of_the_driver(asked: Asked) -> None:
    asked.play.join(GROUP)
    words = [each.what for each in asked.about_it(GROUP).findings]
    assert "the driver's filter passes 33:33:00:00:00:77, by an exact entry" in words
    for number in range(60):
        asked.play.join(f"ff05::1:{number:x}")
    words = [each.what for each in asked.about_it("ff05::1:3b").findings]
    assert any("by its hash bit" in each or "every multicast frame" in each for each in words)


def test_a_group_that_is_saved() -> None:
    asked = Asked(addr_gen_mode=1).start()
    asked.play.join(GROUP)
    assert ("it is saved: the interface has no address to join with", "RFC 2710 4") in against(asked.about_it(GROUP))


# -- addresses


def test_a_duplicate(asked: Asked) -> None:
    asked.play.interface.addresses.add(ip("2001:db8::5"), 64, asked.play.now)
    asked.play.run(asked.play.now + 0.5)
    asked.play.receive(advertisement("2001:db8::5", destination="ff02::1", flags="O"))
    asked.play.run(asked.play.now + 60)
    found = against(asked.about_it("2001:db8::5"))
    assert found[0][0].startswith("another node has the address: it is a duplicate, for 60 s")
    assert "frame " in found[0][0]
    assert found[0][1] == "RFC 4862 5.4.5"


def test_an_address_that_is_tentative(asked: Asked) -> None:
    asked.play.interface.addresses.add(ip("2001:db8::5"), 64, asked.play.now)
    asked.play.run(asked.play.now + 0.5)
    asked.play.receive(echo_request("2001:db8::5"))
    found = against(asked.about_it("2001:db8::5"))
    assert found[0][1] == "RFC 4862 5.4"
    assert any("tentative" in what for what, _ in found[1:])


def test_nothing_came(asked: Asked) -> None:
    asked.play.run(asked.play.now + 100)
    answer = asked.about_it(OUR_LINK_LOCAL)
    assert against(answer) == []
    assert any(each.what.startswith(f"no frame for {OUR_LINK_LOCAL} came in the last ") for each in answer.findings)


def test_neighbours_that_do_not_answer(asked: Asked) -> None:
    """The request comes in and is answered, but the answer cannot leave."""
    asked.play.receive(echo_request(source="fe80::9"))
    found = against(asked.about_it(OUR_LINK_LOCAL))
    assert found == [("neighbour fe80::9 does not answer (INCOMPLETE): what is for it cannot leave", "RFC 4861 7.2.2")]


def test_a_wrong_vlan(asked: Asked) -> None:
    octets = echo_request()
    asked.play.receive(octets[:12] + bytes.fromhex("81000007") + octets[12:])
    found = against(asked.about_it(OUR_LINK_LOCAL))
    assert found[0][1] == "IEEE 802.1Q 6.9"
    assert "VLAN" in found[0][0]


def test_what_is_no_address_of_ours(asked: Asked) -> None:
    asked.play.receive(frame(packet(PEER_LINK_LOCAL, "2001:db8::99", b"", next_header=59)))
    found = against(asked.about_it("2001:db8::99"))
    assert found[0][1] == "RFC 8200 3"
    assert any(what.startswith("no route leads to 2001:db8::99") for what, _ in found)
    assert any("destination address is not ours" in what for what, _ in found)


def test_a_neighbour_from_which_something_was_discarded(asked: Asked) -> None:
    asked.play.receive(solicitation(OUR_LINK_LOCAL, hop_limit=64))
    found = against(asked.about_it(PEER_LINK_LOCAL))
    assert any("hop limit 64 instead of 255" in what and clause == "RFC 4861 7.1" for what, clause in found)


# -- the link


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"wanted_up": False}, "sixtap link up"),
        ({"device_up": False}, "the device t0 is down"),
    ],
)
def test_a_link_that_is_down(asked: Asked, about: dict[str, Any], words: str) -> None:
    asked.play.interface.stop(asked.play.now)
    asked.about |= about
    assert words in against(asked.about_it(OUR_LINK_LOCAL))[0][0]


def test_a_host_that_is_disabled() -> None:
    asked = Asked()
    asked.play.start(until=0.1)
    asked.play.receive(solicitation(OUR_LINK_LOCAL, source="::", options=b""))
    asked.play.run(5.0)
    assert asked.play.interface.disabled
    assert against(asked.about_it(GROUP))[0][1] == "RFC 4862 5.4.5"
