"""The end of tools/test: what is read from pytest's reports, and when the run counts as failed."""

import sys
from pathlib import Path

import pytest

from tools.lib import summary

REPORT = """<testsuites><testsuite>
<testcase classname="tests.nd.test_a.TestOne" name="test_x[case]" file="tests/nd/test_a.py" />
<testcase classname="tests.nd.test_a" name="test_y" file="tests/nd/test_a.py"><failure message="no" /></testcase>
<testcase classname="tests.nd.test_a" name="test_z" file="tests/nd/test_a.py" />
<testcase classname="tests.nd.test_a" name="test_z" file="tests/nd/test_a.py"><error message="teardown" /></testcase>
<testcase classname="tests.live.test_b" name="test_s" file="tests/live/test_b.py"><skipped message="root" /></testcase>
<testcase classname="" name="tests.broken"><error message="collection" /></testcase>
</testsuite></testsuites>"""

PASSED = '<testcase classname="tests.test_a" name="test_x" file="tests/test_a.py" />'
SKIPPED = '<testcase classname="tests.test_a" name="test_s" file="tests/test_a.py"><skipped message="why" /></testcase>'


def test_each_test_has_its_name_and_its_worst_outcome(tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    path.write_text(REPORT)
    assert list(summary.read(path)) == [
        ("tests/nd/test_a.py::TestOne::test_x[case]", "passed", ""),
        ("tests/nd/test_a.py::test_y", "failed", ""),
        ("tests/nd/test_a.py::test_z", "failed", ""),
        ("tests/live/test_b.py::test_s", "skipped", "root"),
        ("tests.broken", "failed", ""),
    ]


@pytest.mark.parametrize(
    ("cases", "user", "status", "last"),
    [
        (PASSED, 1000, 0, "1 passed, 0 failed, 0 skipped"),
        (PASSED, 0, 0, "1 passed, 0 failed, 0 skipped"),
        (PASSED + SKIPPED, 1000, 0, "1 passed, 0 failed, 1 skipped"),
        (PASSED + SKIPPED, 0, 1, "1 passed, 0 failed, 1 skipped"),
        ("", 1000, 1, "0 passed, 0 failed, 0 skipped"),
    ],
    ids=["passed", "passed as root", "skipped", "skipped as root", "nothing"],
)
def test_the_last_line_and_the_exit_status(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    cases: str,
    user: int,
    status: int,
    last: str,
) -> None:
    path = tmp_path / "report.xml"
    path.write_text(f"<testsuites>{cases}</testsuites>")
    monkeypatch.setattr(sys, "argv", ["summary", str(path)])
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("os.geteuid", lambda: user)
    assert summary.main() == status
    assert capsys.readouterr().out.splitlines()[-1] == last
