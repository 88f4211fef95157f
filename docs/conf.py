"""How Sphinx makes the pages of docs/; `tools/docs` runs it, with every warning an error."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from stack import __version__  # noqa: E402

project = "sixtap"
author = "the authors of sixtap"
copyright = author
release = version = __version__
extensions = ["myst_parser", "tools.pages"]
exclude_patterns = ["_build"]
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]
html_theme = "furo"
html_title = f"sixtap {release}"
html_copy_source = False
html_show_sphinx = False
pygments_style = "sphinx"
