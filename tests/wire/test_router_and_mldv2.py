"""Formats of router discovery, redirect and MLD version 2: the octets of the RFCs' pictures, and the codes."""

from typing import Any

import pytest
from construct import Container

from stack.wire import mldv2, router
from tests.playbook import ip

A = ip("2001:db8::1")
B = ip("fe80::2")

# name: declaration, derived struct, values in the order of the picture, the octets drawn by hand from that picture
FORMATS: dict[str, tuple[Any, Any, tuple[Any, ...], str]] = {
    # RFC 4861 4.2
    "router advertisement": (
        router.ROUTER_ADVERTISEMENT_MESSAGE,
        router.ADVERTISEMENT,
        (134, 0, 0xBEEF, 64, 0xC0, 1_800, 30_000, 1_000),
        "86 00 beef 40 c0 0708 00007530 000003e8",
    ),
    # RFC 4861 4.5
    "redirect": (
        router.REDIRECT_MESSAGE,
        router.REDIRECT,
        (137, 0, 0xBEEF, 0, B, A),
        "89 00 beef 00000000 fe800000000000000000000000000002 20010db8000000000000000000000001",
    ),
    # RFC 4861 4.6.2, after type and length
    "prefix information": (
        router.PREFIX_INFORMATION_DATA,
        router.PREFIX,
        (64, 0xC0, 0xFFFFFFFF, 14_400, 0, A),
        "40 c0 ffffffff 00003840 00000000 20010db8000000000000000000000001",
    ),
    # RFC 4861 4.6.4
    "mtu": (router.MTU_DATA, router.MTU, (0, 1_280), "0000 00000500"),
    # RFC 4191 2.3
    "route information": (router.ROUTE_INFORMATION_DATA, router.ROUTE, (48, 0x18, 600), "30 18 00000258"),
    # RFC 8106 5.1
    "dns": (router.DNS_DATA, router.DNS, (0, 600), "0000 00000258"),
    # RFC 3810 5.2
    "version 2 report": (mldv2.REPORT, mldv2.REPORT_HEADER, (143, 0, 0xBEEF, 0, 3), "8f 00 beef 0000 0003"),
    # RFC 3810 5.2.4
    "record": (
        mldv2.RECORD,
        mldv2.RECORD_HEADER,
        (4, 1, 2, A),
        "04 01 0002 20010db8000000000000000000000001",
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_declaration_and_struct_are_the_picture(name: str) -> None:
    declaration, derived, values, picture = FORMATS[name]
    octets = bytes.fromhex(picture)
    fields = [field.name for field in declaration.subcons]
    assert declaration.build(Container(zip(fields, values, strict=True))) == octets
    assert derived.unpack(octets) == values


@pytest.mark.parametrize(
    ("code", "milliseconds"),
    # RFC 3810 5.1.3: (mant | 0x1000) << (exp + 3)
    [(0, 0), (10_000, 10_000), (0x7FFF, 32_767), (0x8000, 32_768), (0x8001, 32_776), (0xFFFF, 8_387_584)],
)
def test_maximum_response_code(code: int, milliseconds: int) -> None:
    assert mldv2.maximum_response_delay(code) == milliseconds


@pytest.mark.parametrize(
    ("code", "seconds"),
    # RFC 3810 5.1.9: (mant | 0x10) << (exp + 3)
    [(0, 0), (125, 125), (0x80, 128), (0x81, 136), (0x90, 256), (0xFF, 31_744)],
)
def test_querys_interval_code(code: int, seconds: int) -> None:
    assert mldv2.query_interval(code) == seconds
