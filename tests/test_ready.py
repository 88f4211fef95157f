"""tools/lib/ready.py: whether an environment that somebody else filled will do."""

from pathlib import Path

from tools.lib.ready import is_ready, needed

ROOT = Path(__file__).resolve().parents[1]
PROJECT = {
    "name": "sixtap",
    "dependencies": ["trio>=0.25", "nosuch>=1; sys_platform == 'plan9'"],
    "optional-dependencies": {"top": ["rich>=13"], "all": ["sixtap[top]", "pytest"]},
}


def folder(path: Path, *lines: str) -> Path:
    text = '[project]\nname = "sixtap"\ndependencies = [' + ", ".join(f'"{line}"' for line in lines) + "]\n"
    (path / "pyproject.toml").write_text(text + "[project.optional-dependencies]\ndev = ['nosuchpackage']\n")
    return path


def test_what_extras_need() -> None:
    assert {each.name for each in needed(PROJECT, set())} == {"trio"}
    assert {each.name for each in needed(PROJECT, {"all"})} == {"trio", "rich", "pytest"}


def test_this_checkout_is_ready() -> None:
    assert is_ready(ROOT, set())


def test_another_checkout_is_not(tmp_path: Path) -> None:
    assert not is_ready(folder(tmp_path, "trio"), set())


def test_a_package_or_a_version_that_is_missing(tmp_path: Path) -> None:
    class Here(type(tmp_path)):  # type: ignore[misc]
        """A folder from which sixtap seems to be installed."""

        def as_uri(self) -> str:
            return ROOT.as_uri()

    assert is_ready(Here(folder(tmp_path, "trio")), set())
    assert not is_ready(Here(folder(tmp_path, "trio>=999")), set())
    assert not is_ready(Here(folder(tmp_path, "trio")), {"dev"})
