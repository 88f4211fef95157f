"""The parts in C: compiled on the spot into a folder of the run, if there is a compiler."""

import os
import shutil
import subprocess
from pathlib import Path

_SOURCES = Path(__file__).parent
_FLAGS = ("-O2", "-Wall", "-Wextra")


def compiler() -> str | None:
    """The C compiler: $CC, else cc; None if there is none."""
    return shutil.which(os.environ.get("CC", "cc"))


def build(name: str, folder: Path) -> Path | None:
    """Compile NAME.c into `folder`; the program, or None without a compiler."""
    found = compiler()
    if found is None:
        return None
    program = folder / name
    command = [found, *_FLAGS, "-o", str(program), str(_SOURCES / f"{name}.c")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench: {name}.c does not compile: {done.stderr.strip()}")
    return program
