"""Draws the figures of docs/performance.json, which tools/bench --json wrote, into docs/performance.md and a picture.

`python tools/draw_performance.py` writes them; with `--check` it writes nothing and
exits with status 1 if one of them is not what it would write.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

DOCS = Path(__file__).resolve().parents[1] / "docs"
FIGURES, PAGE, PICTURE = DOCS / "performance.json", DOCS / "performance.md", DOCS / "performance.svg"
_BEGIN, _END = "<!-- figures: tools/draw_performance.py -->\n", "<!-- end of figures -->\n"
# Of the picture, in pixels.
_LEFT, _BAR, _GAP, _WIDTH, _LABEL = 150, 18, 6, 420, 70
_CONTESTS = ("echo", "udp", "solicitations", "scale", "peers")

Document = dict[str, Any]


def contests(document: Document) -> Iterator[Document]:
    """All contests of a document, in order."""
    for name in _CONTESTS:
        yield from document["sections"].get(name, ())


def title(contest: Document) -> str:
    """What was measured."""
    kinds = {"echo": "Echo", "udp": "UDP echo", "solicitation": "Neighbour solicitations"}
    size = f" of {contest['size']:,} octets" if contest["size"] else ""
    return f"{kinds[contest['kind']]}{size}, {contest['window']} in flight"


def tables(document: Document) -> Iterator[str]:
    """The lines of all tables, as Markdown."""
    yield (
        f"Measured on {document['cpus']} CPUs, Linux {document['kernel']}, CPython {document['python']};"
        " medians, each ratio taken within its round.\n"
    )
    for contest in contests(document):
        yield f"**{title(contest)}** ({contest['rounds']} rounds of {contest['count']:,})\n"
        yield "| | replies/s | from, to | ratio | CPU µs per packet |\n| --- | ---: | ---: | ---: | ---: |"
        for name, each in contest["responders"].items():
            low, high = each["spread"]
            rate, cpu = f"{each['replies_per_second']:,}", f"{each['cpu_us_per_packet']:.1f}"
            yield f"| {name} | {rate} | {low:,}, {high:,} | {each['ratio']:.3f} | {cpu} |"
        yield ""
    yield from others(document["sections"])


def others(sections: Document) -> Iterator[str]:
    """The sections that are no contests on a device: what was measured, and the figure."""
    yield "| | |\n| --- | --- |"
    for name, rows in (("bridge", _bridge), ("startup", _startup), ("memory", _memory), ("soak", _soak)):
        if name in sections:
            for what, figure in rows(sections[name]):
                yield f"| {what} | {figure} |"
    yield ""


def _bridge(bridge: Document) -> Iterator[tuple[str, str]]:
    for name, each in bridge["responders"].items():
        yield f"`ping -6 -f` through a bridge: {name}", f"{each['replies_per_second']:,}/s, {each['ratio']:.3f}"


def _startup(start: Document) -> Iterator[tuple[str, str]]:
    yield "`python -c 'import argparse'`", f"{start['argparse_ms']} ms"
    yield "`sixtap --help`", f"{start['help_ms']} ms, {start['ratio']} times that"
    yield "`sixtap run` with `dad_transmits=0`: device made and configured, ready", f"{start['ready_ms']} ms"
    yield "the same: first answer", f"{start['first_answer_ms']} ms"


def _memory(memory: Document) -> Iterator[tuple[str, str]]:
    rates = memory["rates"]
    yield "echo requests through `Host.receive` and `Host.output`, one at a time", f"{rates['receive']:,.0f}/s"
    yield "echo requests through `Host.receive_batch`", f"{rates['receive_batch']:,.0f}/s"
    simulation = f"{rates['simulation']:,.0f}/s, {memory['simulation_ratio']} of `Host.receive`"
    yield "frames between two hosts on a simulated link", simulation
    yield "neighbour entries, each made by a solicitation", f"{rates['insertions']:,.0f}/s"
    for name, octets in memory["octets"].items():
        yield f"memory for a {name}, by `tracemalloc`", f"{octets:,} octets"


def _soak(soak: Document) -> Iterator[tuple[str, str]]:
    timers = soak["timers"]
    yield f"soak of {soak['seconds']:,.0f} s at full load: replies", f"{soak['replies']:,}"
    yield "lost, and of these dropped by the kernel", f"{soak['lost']}, {soak['dropped_by_the_kernel']}"
    memory = (f"{soak[f'resident_{word}'] // 1024:,} kB" for word in ("first", "last"))
    yield "resident memory after a tenth of it, and at the end", ", ".join(memory)
    late = f"{timers['p50_ms']}, {timers['p99_ms']} ms of {timers['count']:,.0f}"
    yield "timers beside it: lateness of the median, and of the 99th percentile", late


def picture(document: Document) -> str:
    """Bars of replies per second, contest by contest."""
    parts: list[str] = []
    y = 0
    for contest in contests(document):
        y += 26
        parts.append(f'<text x="0" y="{y}" font-weight="bold">{escape(title(contest))}</text>')
        y += 8
        most = max(each["replies_per_second"] for each in contest["responders"].values())
        for name, each in contest["responders"].items():
            length = round(_WIDTH * each["replies_per_second"] / most)
            colour = "#2b6cb0" if "sixtap" in name else "#a0aec0"
            base = y + _BAR - 5
            parts.append(f'<text x="{_LEFT - 8}" y="{base}" text-anchor="end">{escape(name)}</text>')
            parts.append(f'<rect x="{_LEFT}" y="{y}" width="{max(1, length)}" height="{_BAR}" fill="{colour}"/>')
            figure = f"{each['replies_per_second']:,}/s"
            parts.append(f'<text x="{_LEFT + length + 6}" y="{base}">{figure}</text>')
            y += _BAR + _GAP
    width, height = _LEFT + _WIDTH + _LABEL + 20, y + 10
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        ' font-family="sans-serif" font-size="13">'
    )
    return "\n".join((head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>")) + "\n"


def page(document: Document, text: str) -> str:
    """The page with its figures replaced."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return "".join((before, _BEGIN, "\n", "\n".join(tables(document)), "\n", _END, after))


def wanted() -> dict[Path, str]:
    """What each file has to be."""
    document = json.loads(FIGURES.read_text(encoding="utf-8"))
    return {PAGE: page(document, PAGE.read_text(encoding="utf-8")), PICTURE: picture(document)}


def stale() -> list[str]:
    """The names of the files that are not what they have to be."""
    return [
        path.name for path, text in wanted().items() if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="draws docs/performance.json")
    parser.add_argument("--check", action="store_true", help="write nothing, say whether the files are current")
    if parser.parse_args().check:
        found = stale()
        print("\n".join(f"{name} is stale" for name in found))
        return int(bool(found))
    for path, text in wanted().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
