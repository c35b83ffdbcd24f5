"""`init`: a new publication from answers, right and wrong, and the first night of one."""

import functools
import http.server
import json
import os
import subprocess
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path

import facts
import jsonschema
import pytest
from test_cli import call
from test_workflows import BIN, run

from generator.base.settings import Settings, load_settings
from generator.commands.answers import HOSTS
from generator.log.note import SigningKey

GIVEN = ("--title", "Open Claims", "--address", "https://example.org/claims")
COMMIT = "0123456789" * 4


@pytest.fixture(autouse=True)
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configuration"))
    monkeypatch.delenv("PRIOR_ART_KEY", raising=False)
    return tmp_path / "configuration"


def test_a_publication_is_made_from_two_answers(
    tmp_path: Path, configuration: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "claims"
    code, out, err = call("init", folder, *GIVEN, capsys=capsys)
    assert (code, err) == (0, "")
    settings = load_settings(folder, {})
    assert (settings.title, settings.publisher, settings.prefix) == ("Open Claims", "Open Claims", "OC")
    assert settings.site_url == "https://example.org/claims/"
    assert settings.profile == Settings().profile
    (key,) = configuration.rglob("*.key")
    assert key.stat().st_mode & 0o077 == 0
    assert SigningKey.parse(key.read_text()).verification_key.text == settings.vkey
    assert settings.vkey in (folder / "README.md").read_text()
    assert "@" not in (folder / "README.md").read_text().replace("@example", "")
    assert [line[:2] for line in out.splitlines() if line[:1].isdigit()] == ["1.", "2.", "3."]
    assert (folder / ".git").is_dir()
    code, out, _ = call("key", "show", "--root", folder, capsys=capsys)  # found where init put it
    assert (code, out.strip()) == (0, settings.vkey)


def test_every_setting_is_in_the_new_file_and_editors_accept_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "claims"
    assert call("init", folder, *GIVEN, "--fields", "b62h, H04W", capsys=capsys)[0] == 0
    text = (folder / "prior-art.toml").read_text()
    assert text.startswith("#:schema ./prior-art.schema.json\n")
    (tmp_path / "whole").mkdir()
    whole = "\n".join(line.removeprefix("# ") if " = " in line else line for line in text.splitlines())
    values = tomllib.loads(whole)
    assert set(values) == set(json.loads((folder / "prior-art.schema.json").read_text())["properties"])
    (tmp_path / "whole" / "prior-art.toml").write_text(whole)
    assert load_settings(tmp_path / "whole", {}).count == "100"
    assert (folder / "topics.txt").read_text().splitlines()[1:] == [
        "B62H\tCycle stands",
        "H04W\tWireless communication networks",
    ]
    schema = json.loads(call("config", "schema", capsys=capsys)[1])
    jsonschema.validate(values, schema)
    jsonschema.validate({"watts": 8, "minutes": 280}, schema)
    for wrong in ({"prefix": "low"}, {"titel": "x"}, {"demonstration": "yes"}, {"site_url": "example.org"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--title", ""], "--title"),
        (["--title", "two\nlines"], "one line"),
        (["--address", "example.org"], "an http or https address"),
        (["--address", "ftp://example.org/"], "an http or https address"),
        (["--address", "https://example.org/?a=b"], "an http or https address"),
        (["--address", "http://127.0.0.1:8000/"], "nobody else can read this address"),
        (["--address", "https://localhost/x"], "nobody else can read this address"),
        (["--prefix", "oc"], "two to eight capital letters"),
        (["--profile", "gpt"], "neither a built-in model profile"),
        (["--fields", "B62H,ZZZZ,B62"], "ZZZZ, B62: no subclass of CPC"),
        (["--host", "azure"], "one of github, gitlab, own"),
        (["--host", "github"], "OWNER/NAME@COMMIT"),
        (["--host", "github", "--program", "me/it@main"], "OWNER/NAME@COMMIT"),
        (["--to", "ftp:x"], "run:COMMAND"),
        (["--key", "claims/secret.key"], "a key must not lie there"),
    ],
)
def test_a_wrong_answer_is_told_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    code, out, err = call("init", "claims", *GIVEN, *words, capsys=capsys)
    assert (code, out) == (2, "")
    assert said in err
    assert "Hint: " in err
    assert sorted(tmp_path.rglob("*")) == before


def test_all_wrong_answers_are_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call("init", tmp_path / "x", "--prefix", "a", "--host", "b", "--json", capsys=capsys)
    value = json.loads(out)
    assert (code, value["ok"]) == (2, False)
    assert [line.split(":")[0] for line in value["error"].splitlines()] == [
        "--title", "--address", "--publisher", "--prefix", "--host",
    ]  # fmt: skip


def test_a_folder_with_such_files_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A clone of an empty repository is no such folder."""
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "README.md").write_text("mine")
    code, _, err = call("init", tmp_path / "old", *GIVEN, capsys=capsys)
    assert code == 2
    assert "README.md exists already" in err
    assert [path.name for path in (tmp_path / "old").iterdir()] == ["README.md"]
    assert not list(tmp_path.rglob("*.key"))
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "clone")], check=True)
    (tmp_path / "clone" / "LICENSE").write_text("mine")
    assert call("init", tmp_path / "clone", *GIVEN, capsys=capsys)[0] == 0
    (tmp_path / "file").write_text("")
    assert call("init", tmp_path / "file", *GIVEN, capsys=capsys)[0] == 2


def test_without_git_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    code, _, err = call("init", tmp_path / "claims", *GIVEN, capsys=capsys)
    assert code == 2
    assert "git was not found" in err
    assert not (tmp_path / "claims").exists()


@pytest.mark.parametrize("host", HOSTS)
def test_the_workflow_of_each_host_calls_the_pinned_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], host: str
) -> None:
    folder = tmp_path / "claims"
    assert call("init", folder, *GIVEN, "--host", host, "--program", f"me/it@{COMMIT}", capsys=capsys)[0] == 0
    texts = {path: path.read_text() for path in (*folder.glob(".github/workflows/*"), *folder.glob(".gitlab-ci.yml"))}
    assert bool(texts) == (host != "own")
    for path, text in texts.items():
        assert COMMIT in text
        assert "@PROGRAM" not in text
        schema = "vendor.gitlab-ci" if host == "gitlab" else "vendor.github-workflows"
        run(BIN / "check-jsonschema", "--builtin-schema", schema, path)
    code, out, _ = call("doctor", "--root", folder, "--json", capsys=capsys)
    found = {one["name"]: one["state"] for one in json.loads(out)["checks"]}
    assert found.get("repository", "ok") == "ok"
    assert (code, found["key"], found["address"]) == (1, "ok", "stop")  # nobody serves example.org/claims


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """A real web server of the folder `www`."""
    (tmp_path / "www").mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    handler = functools.partial(Handler, directory=str(tmp_path / "www"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def trial(tmp_path: Path, web: str, capsys: pytest.CaptureFixture[str]) -> Path:
    """A publication to try, with a bare remote for its facts and a command that copies the site to a web server."""
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path / "facts.git")], check=True)
    folder = tmp_path / "claims"
    to = f"run:cp -R {{site}}/. {tmp_path / 'www'}"
    words = ("--trial", "--address", web, "--profile", "starter", "--remote", tmp_path / "facts.git", "--to", to)
    assert call("init", folder, "--title", "Mine", *words, capsys=capsys)[0] == 0
    return folder


def test_a_publication_is_served_verified_and_restored(
    tmp_path: Path, web: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = trial(tmp_path, web, capsys)
    facts.queue(folder / "output", range(2))
    assert call("--root", folder, "append", capsys=capsys)[0] == 0
    code, out, err = call("-q", "--root", folder, "publish", capsys=capsys)
    assert (code, err) == (0, ""), err
    assert out == f"publish: 2 disclosures published {out.split()[4]} read back from {web}\n"
    code, out, _ = call("doctor", "--root", folder, capsys=capsys)
    assert "is not protected" in out  # a bare remote that takes force pushes
    assert code == 0, out
    summary = tmp_path / "summary.md"
    assert call("publish", "--confirm", web, "--summary", summary, "--root", folder, capsys=capsys)[0] == 0
    assert f"]({web}d/0/1.html) Folding bracket" in summary.read_text()
    restored(tmp_path, folder, capsys)


@pytest.mark.slow
def test_the_first_night_of_a_trial_is_served_and_verified(
    tmp_path: Path, web: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The commands of docs/publishing.md, with the model in the package."""
    folder = trial(tmp_path, web, capsys)
    text = (folder / "prior-art.toml").read_text().replace('count = "20"', 'count = "1"')
    (folder / "prior-art.toml").write_text(text)
    code, out, _ = call("--root", folder, "nightly", "--threads", "1", "--batch", "8", capsys=capsys)
    assert (code, out) == (0, f"publish: 1 disclosures published {out.split()[4]} read back from {web}\n")
    assert call("--root", folder, "check", capsys=capsys)[0] == 0
    assert call("verify", f"{web}d/0/0.html", "--root", folder, capsys=capsys)[0] == 0
    assert "by that, 280 minutes make" in call("doctor", "--root", folder, capsys=capsys)[1]


def restored(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Backup and restore as docs/hosts.md has them: a mirror, a new remote, a new machine."""
    for words in (
        ["clone", "--quiet", "--mirror", "facts.git", "backup.git"],
        ["init", "--quiet", "--bare", "new.git"],
        ["-C", "backup.git", "push", "--quiet", "--mirror", str(tmp_path / "new.git")],
    ):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, env={**os.environ, "GIT_TERMINAL_PROMPT": "0"})
    machine = tmp_path / "machine"
    machine.mkdir()
    text = (folder / "prior-art.toml").read_text().replace("facts.git", "new.git")
    (machine / "prior-art.toml").write_text(text)
    for command in ("sync", "build", "check"):
        code, out, err = call(command, "--root", machine, capsys=capsys)
        assert code == 0, (command, out, err)
    page = Path("site") / "d" / "0" / "0.html"
    assert (machine / "output" / page).read_bytes() == (folder / "output" / page).read_bytes()
