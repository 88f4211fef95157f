"""`sixtap stats --prometheus`: names and labels, and that an independent reader of the format finds all of it."""

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from stack.cli.metrics import Sample, exposition, sample
from stack.discard import Discard
from tests.cli.test_commands import as_json, sixtap
from tests.control.test_control import serving

# A line of a sample as the format's description has it: name, labels, a number.
_LINE = re.compile(r'[a-zA-Z_:][a-zA-Z0-9_:]*\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\} [0-9]+')


@pytest.mark.parametrize(
    ("counter", "expected"),
    [
        ("Ip6InReceives", Sample("sixtap_ip6_in_receives_total", "", "")),
        ("Icmp6InErrors", Sample("sixtap_icmp6_in_errors_total", "", "")),
        ("Icmp6OutGroupMembResponses", Sample("sixtap_icmp6_out_messages_total", "type", "131")),
        ("Icmp6OutType131", None),
        ("Icmp6InType200", Sample("sixtap_icmp6_in_messages_total", "type", "200")),
        ("DiscardNdHopLimit", Sample("sixtap_discards_total", "reason", "NdHopLimit")),
        ("Limit_gc_thresh3", Sample("sixtap_limit_hits_total", "setting", "gc_thresh3")),
    ],
)
def test_names_are_stable(counter: str, expected: Sample | None) -> None:
    assert sample(counter) == expected


def read(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample by name and labels, as the client library of Prometheus reads them."""
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.type == "counter"
        assert family.documentation
        for each in family.samples:
            key = each.name, tuple(sorted(each.labels.items()))
            assert key not in found, "a sample twice"
            found[key] = each.value
    return found


async def test_a_reader_of_the_format_finds_every_counter_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        await sixtap(served, "link", "down")  # so that the host sends nothing between two questions
        served.host.counters.icmp_in[128] += 3
        served.host.counters.icmp_in[200] += 2
        served.host.counters.outcomes[Discard.NOT_FOR_US] += 5
        served.host.counters.limit_hit("gc_thresh3")
        text = await sixtap(served, "stats", "--prometheus")
        counters = await as_json(served, "stats")
    found = read(text)
    device = ("device", "t0")
    assert found["sixtap_icmp6_in_messages_total", (device, ("type", "128"))] == 3
    assert found["sixtap_icmp6_in_messages_total", (device, ("type", "200"))] == 2
    assert found["sixtap_icmp6_in_messages_total", (device, ("type", "137"))] == 0
    assert found["sixtap_discards_total", (device, ("reason", "NotForUs"))] == 5
    assert found["sixtap_limit_hits_total", (device, ("setting", "gc_thresh3"))] == 1
    assert found["sixtap_ip6_out_requests_total", (device,)] == counters["Ip6OutRequests"] > 0
    expected = {name for name in counters if sample(name) is not None}
    assert len(found) == len(expected)


def test_lines_are_as_the_format_is_described() -> None:
    counters = {"Icmp6InEchos": 1, "Ip6InReceives": 2, "Icmp6InType200": 3, "SomethingNew": 4}
    text = exposition(counters, 'odd\\"name')
    assert text.endswith("\n")
    lines = text.splitlines()
    # All lines of a metric in one group, HELP and TYPE before its samples.
    assert [line.split("{")[0] for line in lines if not line.startswith("#")] == [
        "sixtap_icmp6_in_messages_total",
        "sixtap_icmp6_in_messages_total",
        "sixtap_ip6_in_receives_total",
        "sixtap_something_new_total",
    ]
    assert [line.split()[1] for line in lines if line.startswith("#")] == ["HELP", "TYPE"] * 3
    assert 'device="odd\\\\\\"name"' in lines[2]
    for line in exposition(counters, "t0").splitlines():
        assert line.startswith("# ") or _LINE.fullmatch(line)
    assert [dict(key[1])["device"] for key in read(text)] == ['odd\\"name'] * 4
