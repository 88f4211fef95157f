"""A Sphinx extension for docs/: pictures for the state tables, and pages for files of the repository that are linked.

In docs/states a Mermaid diagram is for readers of the repository; the pages show the
SVG of the same name instead. A link to a file outside docs/, such as
`../stack/runtime.py`, leads to a page with that file's text.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import download_reference
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[1]
_LANGUAGES = {".py": "python", ".md": "markdown", ".sh": "sh", ".toml": "toml"}


class Mermaid(SphinxDirective):
    """The SVG beside the page instead of the text of its diagram."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """One image."""
        name = Path(self.env.docname).name
        return [nodes.image(uri=f"{name}.svg", alt=f"State diagram: {name}; the table below says the same")]


class LinksToFiles(SphinxTransform):
    """Links to files of the repository become links to pages with their text, which are noted in the environment."""

    default_priority = 400

    def apply(self, **_: Any) -> None:
        """Replace them in one document."""
        up = "../" * self.env.docname.count("/")
        folder = Path(self.env.doc2path(self.env.docname)).parent
        for link in list(self.document.findall(download_reference)):
            path = (folder / link["reftarget"].partition("#")[0]).resolve()
            if not path.is_file() or not path.is_relative_to(ROOT) or path.suffix == ".svg":
                continue  # Sphinx complains of what is not there
            name = str(path.relative_to(ROOT))
            sources(self.env).add(name)
            link.replace_self(nodes.reference("", "", *link.children, refuri=f"{up}code/{name}.html", internal=True))


def sources(environment: Any) -> set[str]:
    """Names of the files that pages link to."""
    if not hasattr(environment, "sixtap_sources"):
        environment.sixtap_sources = set()
    found: set[str] = environment.sixtap_sources
    return found


def code_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """A page for each file that is linked to."""
    for name in sorted(sources(app.env)):
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        language = _LANGUAGES.get(path.suffix, "sh" if text.startswith("#!") else "text")
        body = app.builder.highlighter.highlight_block(text, language, linenos=False)  # type: ignore[attr-defined]
        yield f"code/{name}", {"title": name, "body": f"<h1>{name}</h1>\n{body}"}, "page.html"


def setup(app: Sphinx) -> dict[str, Any]:
    """What Sphinx calls."""
    app.add_directive("mermaid", Mermaid)
    app.add_transform(LinksToFiles)
    app.connect("html-collect-pages", code_pages)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
