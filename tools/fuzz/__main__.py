"""`python -m tools.fuzz TARGET ...`: a target under atheris, with the code of the stack followed.

`python -m tools.fuzz --seeds FOLDER CAPTURE...` writes inputs for `whole_host`.
"""

import importlib
import sys
from pathlib import Path

TARGETS = ("parsers", "whole_host")


def main() -> int:
    """Write seeds, or hand over to libFuzzer with its options."""
    words = sys.argv[1:]
    if words[:1] == ["--seeds"] and len(words) > 2:
        from tools.fuzz import whole_host

        whole_host.write_seeds(Path(words[1]), [Path(each) for each in words[2:]])
        return 0
    if not words or words[0] not in TARGETS:
        print(f"a target is needed: {', '.join(TARGETS)}; or --seeds FOLDER CAPTURE...", file=sys.stderr)
        return 2
    import atheris

    with atheris.instrument_imports(include=["stack"]):
        target = importlib.import_module(f"tools.fuzz.{words[0]}")
    atheris.Setup([sys.argv[0], *words[1:]], target.one_input)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
