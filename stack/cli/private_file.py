"""Files that their owner alone may read, since they hold what was said on the link."""

import os
from pathlib import Path


def write_privately(path: Path, octets: bytes) -> None:
    """Write such a file, anew if it is there. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
