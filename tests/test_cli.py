"""The command line: results on stdout, progress on stderr, exit codes 0, 1 and 2, one message with a hint."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import facts
import nights
import pytest

from generator import __version__
from generator.base import files
from generator.base.settings import FILE
from generator.commands import cli, nightly
from generator.commands.gates import selftest_if_due
from generator.log.note import SigningKey

ROOT = Path(__file__).parent.parent


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A publication with two logged disclosures and settings that pin its key."""
    output = facts.archive(tmp_path / "output", 2)
    assert output.is_dir()
    vkey = facts.key().verification_key.text
    files.write(tmp_path / FILE, f'origin = "{facts.ORIGIN}"\nvkey = "{vkey}"\n'.encode())
    files.write(tmp_path / "press.key", (facts.key().text + "\n").encode())
    return tmp_path


def call(*words: str | Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    try:
        cli.main([str(word) for word in words])
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("version", capsys=capsys) == (0, f"{__version__}\n", "")
    code, out, _ = call("version", "--json", capsys=capsys)
    assert (code, json.loads(out)) == (0, {"ok": True, "version": __version__})


def test_the_module_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "generator", "version"], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.decode().strip() == __version__


def test_verify_says_yes_no_and_could_not(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call("verify", "1", "--root", root, capsys=capsys)
    assert (code, err) == (0, "")
    assert out.splitlines()[0].startswith("ok    record: canonical")
    assert out.splitlines()[-1] == "1: verified"
    for number in ("PAP-0000001", "pap-1", "0000001"):
        assert call("verify", number, "--root", root, capsys=capsys)[0] == 0, number
    assert call("verify", "DEMO-0000001", "--root", root, capsys=capsys)[0] == 2
    path = root / "output" / "records" / "0" / "0" / "1.json"
    files.write(path, path.read_bytes().replace(b"hinge", b"binge", 1))
    code, out, _ = call("verify", "1", "--root", root, capsys=capsys)
    assert code == 1
    assert re.search(r"^ok    record", out)
    assert out.splitlines()[-1].startswith("FAIL  entry: the log's entry 1 names another record")
    code, out, _ = call("verify", "1", "--root", root, "--json", capsys=capsys)
    assert code == 1
    assert json.loads(out)["ok"] is False
    assert json.loads(out)["steps"][0]["name"] == "record"
    code, out, err = call("verify", "9", "--root", root, capsys=capsys)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")


def test_verify_needs_a_key_to_trust(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / FILE).unlink()
    code, _, err = call("verify", "1", "--root", root, capsys=capsys)
    assert code == 2
    assert "no verification key is pinned" in err
    assert "Hint: Give --vkey" in err
    assert call("verify", "1", "--root", root, "--vkey", facts.key().verification_key.text, capsys=capsys)[0] == 0
    wrong = facts.key(seed=8).verification_key.text
    assert call("verify", "1", "--root", root, "--vkey", wrong, capsys=capsys)[0] == 1


def test_append_takes_the_key_from_file_or_environment_and_never_shows_it(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    facts.queue(root / "output", range(2, 4))
    code, out, err = call("append", "--root", root, "--key", root / "press.key", capsys=capsys)
    assert (code, out) == (0, "append: 2 entries added, the log has 4\n")
    facts.queue(root / "output", range(4, 5))
    monkeypatch.setenv("PRIOR_ART_KEY", facts.key().text)
    code, out, more = call("append", "--root", root, "--json", capsys=capsys)
    assert json.loads(out) == {"ok": True, "added": 1, "size": 5}
    assert "PRIOR_ART_KEY" not in os.environ, "programs that are started must not see the key"
    assert facts.key().text not in out + err + more
    secret = facts.key().text.encode()
    assert not [p for p in (root / "output").rglob("*") if p.is_file() and secret in p.read_bytes()]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (facts.key(seed=8).text, "the settings pin"),
        (facts.key("example.net/log").text, "the key signs for example.net/log"),
        ("PRIVATE+KEY+nonsense", "the signing key is not of the form"),
        ("", "no signing key was given"),
    ],
)
def test_a_wrong_key_is_told_without_being_repeated(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    monkeypatch.setenv("PRIOR_ART_KEY", text)
    code, out, err = call("append", "--root", root, capsys=capsys)
    assert (code, out) == (2, "")
    assert message in err
    assert "Hint: " in err
    assert not text or text not in err


def test_without_a_pinned_key_the_log_itself_tells_a_wrong_one(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files.write(root / FILE, f'origin = "{facts.ORIGIN}"\n'.encode())
    files.write(root / "wrong.key", facts.key(seed=8).text.encode())
    code, _, err = call("key", "show", "--root", root, "--key", root / "wrong.key", capsys=capsys)
    assert code == 2
    assert "the key did not sign the newest checkpoint" in err
    code, _, err = call("append", "--root", root, "--key", root / "wrong.key", capsys=capsys)
    assert code == 2
    assert "pin no verification key" in err


def test_a_new_key_is_private_new_and_outside_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "keys" / "press.key"
    code, _, err = call("key", "new", path, "--root", tmp_path, capsys=capsys)
    assert code == 2
    assert "this would be a key for localhost:8000/log, for ever" in err
    assert not path.exists()
    files.write(tmp_path / FILE, b'site_url = "https://example.org/repo/"\n')
    code, out, err = call("key", "new", path, "--root", tmp_path, capsys=capsys)
    assert code == 0
    key = SigningKey.parse(path.read_text())
    assert out.strip() == key.verification_key.text
    assert key.name == "example.org/repo/log"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key.text not in out + err
    assert call("key", "show", "--key", path, "--root", tmp_path, capsys=capsys)[1].strip() == out.strip()
    code, _, err = call("key", "new", path, "--root", tmp_path, capsys=capsys)
    assert code == 2
    assert "a key is never overwritten" in err
    assert SigningKey.parse(path.read_text()) == key
    (tmp_path / "output").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "output")
    for inside in (tmp_path / "output" / "k", tmp_path / "output" / "log" / "k", tmp_path / "link" / "k"):
        code, _, err = call("key", "new", inside, "--root", tmp_path, capsys=capsys)
        assert code == 2
        assert "a key must not lie there" in err
    assert not list((tmp_path / "output").iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["build", "--root", "nowhere"], "nowhere: there is no such folder"),
        (["serve"], "neither settings (prior-art.toml) nor facts"),
        (["publish"], "one of --to, --begin and --confirm is needed"),
        (["publish", "--to", "ftp:x"], "'ftp:x' is no destination"),
        (["generate", "--drafts", "4", "--minutes", "1", "--seed", "1", "--shard", "1/2"], "nor how long they take"),
        (["generate", "--profile", "nobody"], "nobody: neither a built-in model profile nor a TOML file"),
        (["nightly", "--count", "1"], "no destination was given"),
        (["train", "data", "run", "--input", "nothing.jsonl"], "nothing.jsonl"),
        (["train", "data", "run", "--input", ".", "--recipe", "r.toml"], "r.toml"),
        (["check"], "neither settings (prior-art.toml) nor facts"),
    ],
)
def test_what_is_wrong_is_told_with_a_hint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRIOR_ART_KEY", facts.key("localhost:8000/log").text)
    code, out, err = call(*words, capsys=capsys)
    assert (code, out) == (2, "")
    assert message in err
    assert "Hint: " in err
    assert "Traceback" not in err
    code, out, _ = call(*words, "--json", capsys=capsys)
    assert code == 2
    assert message in json.loads(out)["error"] or message in json.loads(out)["hint"]


@pytest.mark.parametrize(
    "words", [["nonsense"], ["verify"], ["serve", "--port", "70000"], ["generate", "--count", "0"]]
)
def test_wrong_usage_is_exit_code_2(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    code, out, err = call(*words, capsys=capsys)
    assert (code, out) == (2, "")
    assert "Usage: prior-art" in err


def test_wrong_settings_are_told_by_every_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files.write(tmp_path / FILE, b'titel = "x"\n')
    code, _, err = call("build", "--root", tmp_path, capsys=capsys)
    assert code == 2
    assert "unknown setting 'titel'" in err


def test_a_bug_keeps_its_traceback(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(nightly, "build", broken)
    with pytest.raises(ZeroDivisionError):
        call("build", "--root", root, capsys=capsys)


def test_ctrl_c_says_what_is_kept_and_how_to_go_on(tmp_path: Path) -> None:
    """A real SIGINT to a real process in the middle of drafting; the same words then end the run."""
    program = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests were started in the background
sys.path[:0] = sys.argv[1:3]
import nights
from generator.commands import cli; from generator.model import loading as model
class Author(nights.Author):
    def drafts(self, *briefs, **options):
        for draft in super().drafts(*briefs, **options):
            time.sleep(float(os.environ.get("PAUSE", "0")))
            yield draft
model.open_model = lambda *_, **__: Author()
cli.main(sys.argv[3:])
"""
    words = ["generate", "--profile", "starter", "--count", "120", "--root", str(tmp_path)]
    command = [sys.executable, "-c", program, str(ROOT), str(ROOT / "tests"), *words]
    slowly = {**os.environ, "PAUSE": "0.5"}  # a minute in all, so that the signal comes in the middle
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=slowly)
    until = time.monotonic() + 60
    while not list((tmp_path / "output" / "queue").glob("*.json")) and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err.decode()
    assert f"To go on: prior-art generate --profile starter --count 120 --root {tmp_path}" in err.decode()
    kept = {p.name for p in (tmp_path / "output" / "queue").glob("*.json")}
    assert kept
    done = subprocess.run([*command, "--json"], capture_output=True, check=True)
    assert b"going on with run" in done.stderr
    assert json.loads(done.stdout)["accepted"] == 120
    assert kept < {p.name for p in (tmp_path / "output" / "queue").glob("*.json")}


def test_the_demo_is_the_whole_road_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from generator.commands import demo
    from generator.model import loading

    monkeypatch.setattr(loading, "open_model", lambda *_, **__: nights.Author())
    monkeypatch.setattr(demo, "selftest_if_due", lambda here: nights.tested(here.output) or selftest_if_due(here))
    monkeypatch.setenv("PRIOR_ART_FACTS_REMOTE", str(tmp_path / "not-touched.git"))
    root = tmp_path / "demo"
    code, out, err = call(
        "demo", "--root", root, "--count", "4", "--no-serve", "--profile", "starter", "--json", capsys=capsys
    )
    assert code == 0, err
    figures = json.loads(out)
    assert figures["accepted"] == 4
    assert figures["drafts"] >= 6
    assert {"tokens_per_second", "seconds", "site"} <= figures.keys()
    for part in ("public/index.html", "public/d/0/3.html", "press.key", FILE, "output/log/deploys/4.json"):
        assert (root / part).is_file(), part
    assert call("check", "--root", root, capsys=capsys)[0] == 0
    assert call("verify", "3", "--root", root, capsys=capsys)[0] == 0
    before = (root / "output" / "log" / "checkpoint").read_bytes()
    assert call("demo", "--root", root, "--count", "4", "--no-serve", "--profile", "starter", capsys=capsys)[0] == 0
    assert (root / "output" / "log" / "checkpoint").read_bytes() == before
    other = tmp_path / "other"
    files.write(other / "letter.txt", b"x")
    code, _, err = call("demo", "--root", other, "--no-serve", capsys=capsys)
    assert code == 2
    assert "not empty and holds no demonstration" in err
    files.write(other / FILE, b"")
    assert "is no demonstration" in call("demo", "--root", other, "--no-serve", capsys=capsys)[2]
