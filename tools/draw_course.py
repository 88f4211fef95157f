"""Fills the exchanges in docs/course/ from the simulator: frames and states as `sixtap demo` tells them.

A page says what it wants in a line such as `<!-- exchange: unreachable 2 -->`, the
second part of that scenario, or names one of the exchanges below; the fenced block
after it is written here. `python tools/draw_course.py` writes the pages; with
`--check` it writes nothing and exits with status 1 if one is not what it would write.
"""

import argparse
import re
import sys
from pathlib import Path

from stack.sim.render import render
from stack.sim.scenarios import catalogue
from stack.sim.stage import PORT, Stage, link_local
from stack.sim.transcript import HOST, Step, Transcript

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "course"
_PLACE = re.compile(r"(<!-- exchange: ([\w-]+)(?: (\d+))? -->\n)(```text\n.*?\n```\n)?", re.DOTALL)
_TIMELINE = "    "


def udp() -> Transcript:
    """A datagram to a port that somebody has, and one to a port that nobody has."""
    stage = Stage()
    ada = stage.host("ada", "02:00:00:00:00:0a")
    bob = stage.host("bob", "02:00:00:00:00:0b")
    with stage.quietly():
        stage.start(ada, bob)
        stage.run(5)
    received: list[float] = []

    def heard() -> None:
        received.append(stage.world.now)
        stage.narrator.add_for(bob, Step(stage.world.now, HOST, bob.name, "a program gets it", "RFC 768"))

    bob.host.udp.open(bob.interface, heard).bind(None, PORT)
    socket = ada.host.udp.open(ada.interface)
    socket.connect(link_local(bob), PORT)
    stage.act(ada, f"sends to port {PORT} of bob", lambda now: socket.send(b"hello", None, 0, now))
    stage.run(2)
    stage.expect(len(received) == 1, "bob's program has the datagram")
    socket.connect(link_local(bob), PORT + 1)
    stage.act(ada, f"sends to port {PORT + 1} of bob", lambda now: socket.send(b"hello", None, 0, now))
    stage.run(2)
    stage.expect(socket.take_error() is not None, "ada's socket has the error")
    stage.look(ada, "the next call on the socket says that the port is unreachable")
    return stage.finish()


OWN = {"udp": udp}


def exchange(name: str, part: str | None) -> str:
    """The lines of an exchange; raises ValueError where there is no such part."""
    if name in OWN:
        return "\n".join(_timeline(render(OWN[name]()).splitlines()))
    lines = render(catalogue.run(catalogue.find(name))).splitlines()
    heads = [number for number, line in enumerate(lines) if re.match(r"\d+\. ", line)]
    begins = next((number for number in heads if lines[number].startswith(f"{part}. ")), None)
    if begins is None:
        raise ValueError(f"the demo {name} has no part {part}")
    ends = next((number for number in heads if number > begins), len(lines))
    return "\n".join(_timeline(lines[begins:ends]))


def _timeline(lines: list[str]) -> list[str]:
    return [line.removeprefix(_TIMELINE) for line in lines if line.startswith(_TIMELINE)]


def document(text: str) -> str:
    """A page with its exchanges as they are now."""
    return _PLACE.sub(lambda found: f"{found[1]}```text\n{exchange(found[2], found[3])}\n```\n", text)


def stale() -> list[str]:
    """Names of the pages that are not what the simulator says."""
    pages = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md"))}
    return [name for name, text in pages.items() if document(text) != text]


def main() -> int:
    """Write or check."""
    parser = argparse.ArgumentParser(description="fill the exchanges in docs/course/")
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if a page is not fresh")
    if parser.parse_args().check:
        for name in stale():
            print(f"docs/course/{name} is not fresh: python tools/draw_course.py", file=sys.stderr)
        return int(bool(stale()))
    for path in FOLDER.glob("*.md"):
        path.write_text(document(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
