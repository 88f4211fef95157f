"""What commands draw on a terminal, by the real executable in a pseudo-terminal; top and demo --step have their own."""

import os
import pty
import subprocess

import pytest

from tools.startup import SIXTAP

_COLOUR = "\x1b["


def drawn(*words: str, **environment: str) -> str:
    """All that a command writes to its terminal until it ends well."""
    near, far = pty.openpty()
    with subprocess.Popen(
        [SIXTAP, *words], stdin=far, stdout=far, stderr=far, env={**os.environ, **environment}
    ) as process:
        os.close(far)
        written = b""
        while True:
            try:
                octets = os.read(near, 4096)
            except OSError:  # Linux says so when nobody has the other end any more
                break
            if not octets:
                break
            written += octets
        os.close(near)
        assert process.wait() == 0
    return written.decode()


def test_a_story_is_in_colours_unless_the_user_wants_none() -> None:
    environment = {"NO_COLOR": ""}
    assert _COLOUR in drawn("demo", "duplicate", **environment)
    assert _COLOUR not in drawn("demo", "duplicate", NO_COLOR="1")


def test_a_swarm_counts_in_one_line() -> None:
    told = drawn("swarm", "--hosts", "3")
    progress, _, summary = told.partition("3 of 3 hosts are up\r\n")
    assert progress.startswith("\rsixtap: 0 of 3 hosts are up\r")
    assert "\n" not in progress
    assert summary.startswith("3 of 3 hosts up after ")


@pytest.mark.parametrize("words", ["--help", "demo --list", "querier --count 1", "completion bash"])
def test_the_rest_is_plain(words: str) -> None:
    assert _COLOUR not in drawn(*words.split(), NO_COLOR="")
