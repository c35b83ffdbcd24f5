"""Verifying by the rules of Windows: no POSIX modules, a code page that lacks letters, line ends that git changes."""

import os
import shutil
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest
from site_fixture import KEY, PUBLISHED, build_site, patents, write_archive
from test_frozen_publications import CASES, VERSIONS

from generator.base.settings import load_settings
from generator.log.archive import record_path
from generator.publish.facts_branch import Branch

VKEY = KEY.verification_key.text
SCRIPT = """
import os, sys
for name in ("fcntl", "pwd", "grp", "resource", "termios", "posix_ipc"):
    sys.modules[name] = None
for name in ("O_NONBLOCK", "fchmod", "sync", "mkfifo", "getuid", "geteuid", "chown", "fork"):
    if hasattr(os, name): delattr(os, name)
from generator.commands.cli import main
for target, vkey in zip(sys.argv[1::2], sys.argv[2::2]):
    try:
        main(["verify", target, "--vkey", vkey, "--no-memory"])
    except SystemExit as ended:
        print("exit", ended.code)
"""


def codes(targets: list[tuple[Path, str]], state: Path) -> list[int]:
    """The exit code of `verify` for each pair of target and key, with an output that knows Windows' letters alone."""
    words = [str(word) for pair in targets for word in pair]
    environment = {**os.environ, "XDG_STATE_HOME": str(state), "PYTHONIOENCODING": "cp1252"}
    command = [sys.executable, "-c", SCRIPT, *words]
    done = subprocess.run(command, capture_output=True, env=environment, timeout=300, check=False)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return [int(line.split()[1]) for line in done.stdout.decode("cp1252").splitlines() if line.startswith("exit ")]


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("windows")
    write_archive(folder, patents(), [(PUBLISHED, [0, 1])])
    build_site(folder)
    return folder


def test_a_new_publication_in_all_its_forms(output: Path, tmp_path: Path) -> None:
    page = output / "site" / "d" / "0" / "0.html"
    archive = EmailMessage()
    archive.set_content(page.read_text("utf-8"), subtype="html", cte="quoted-printable")
    (tmp_path / "0.mhtml").write_bytes(archive.as_bytes())
    (tmp_path / "基板.html").write_bytes(page.read_bytes())
    (tmp_path / "crlf.html").write_bytes(page.read_bytes().replace(b"\n", b"\r\n"))
    forged = page.read_text("utf-8").replace(">Irrigation valve", ">基板 valve")
    (tmp_path / "forged.html").write_text(forged, encoding="utf-8")
    assert forged != page.read_text("utf-8")
    wanted = {
        output: 0,
        output / "site": 0,
        output / "log": 0,
        record_path(output, 1): 0,
        page: 0,
        page.with_suffix(".evidence"): 0,
        tmp_path / "0.mhtml": 0,
        tmp_path / "基板.html": 0,
        tmp_path / "crlf.html": 0,
        tmp_path / "forged.html": 1,
        tmp_path / "基板": 2,
        tmp_path: 2,
    }
    assert codes([(target, VKEY) for target in wanted], tmp_path) == list(wanted.values())


def test_every_frozen_publication_and_its_clone(tmp_path: Path) -> None:
    """The branch that the program writes today says that no line ends are changed, whatever git is set to."""
    targets = []
    for version in VERSIONS:
        root = tmp_path / version
        shutil.copytree(CASES / version, root)
        subprocess.run(["git", "init", "--quiet", "--bare", str(root / "facts.git")], check=True)
        branch = Branch(root / "output", str(root / "facts.git"), "publication")
        branch.sync()
        branch.save("Facts")
        told = ("-c", "core.autocrlf=true", "-c", "core.eol=crlf", "--branch", "publication", "--quiet")
        subprocess.run(["git", "clone", *told, str(root / "facts.git"), str(root / "clone")], check=True)
        vkey = load_settings(root).vkey
        targets += [(root / "output", vkey), (root / "clone", vkey), (record_path(root / "clone", 3), vkey)]
    assert codes(targets, tmp_path) == [0] * 3 * len(VERSIONS)


def test_a_clone_whose_line_ends_were_changed_is_named_as_that(output: Path, tmp_path: Path) -> None:
    """As of a branch without `.gitattributes`: no 'yes', and the answer says that the file itself may be true."""
    shutil.copytree(output, tmp_path / "clone", ignore=shutil.ignore_patterns("site"))
    for path in (tmp_path / "clone").rglob("*"):
        if path.is_file() and "tile" not in path.parts:
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    command = [sys.executable, "-m", "generator", "verify", str(tmp_path / "clone"), "--vkey", VKEY, "--no-memory"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "lines end in CR LF" in done.stdout
