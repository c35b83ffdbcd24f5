"""A test that skips for a reason that nobody listed fails, in a file as a whole as well."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
LISTED = "this CPU does not multiply in bf16"
TESTS = """
import pytest

@pytest.mark.skipif(True, reason={reason!r})
def test_marked():
    pass

def test_inside():
    pytest.skip({reason!r})

@pytest.mark.xfail(strict=True, reason={reason!r})
def test_expected():
    assert False
"""


def test_a_skip_that_is_not_listed_fails(tmp_path: Path) -> None:
    (tmp_path / "test_listed.py").write_text(TESTS.format(reason=LISTED))
    (tmp_path / "test_other.py").write_text(TESTS.format(reason="../data is not beside this checkout"))
    (tmp_path / "test_whole.py").write_text("import pytest\npytest.importorskip('no_such_package')\n")
    shutil.copy(HERE / "conftest.py", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--continue-on-collection-errors", "."],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(HERE), str(HERE.parent)))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 failed, 2 skipped, 2 xfailed, 2 errors" in done.stdout
    for reason in ("../data is not beside this checkout", "could not import 'no_such_package'"):
        assert f"MAY_SKIP does not list: {reason}" in done.stdout
