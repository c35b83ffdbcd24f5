"""What people know from other command lines: version, verbosity, sections, --root in front, errors as JSON."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import facts
import pytest
from test_cli import ROOT, call
from test_docs import live_commands

from generator import __version__
from generator.base import files
from generator.base.settings import FILE
from generator.commands.cli import commands
from generator.commands.command import SECTIONS


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_version_as_an_option(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(flag, capsys=capsys) == (0, f"{__version__}\n", "")


def test_every_command_stands_in_one_section_with_its_whole_first_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    placed = [name for names in SECTIONS.values() for name in names]
    assert sorted(placed) == sorted(set(placed))
    code, out, _ = call("--help", capsys=capsys)
    assert code == 0
    assert "..." not in out.replace("[ARGS]...", "")
    flat = "".join(out.split())
    for name, command in live_commands(commands).items():
        if name.count(" ") == 1:
            assert "".join((command.help or "").split()) in flat, name


def test_root_is_taken_before_the_command_and_after_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, title in (("a", "first"), ("b", "second")):
        files.write(tmp_path / name / FILE, f'title = "{title}"\n'.encode())
    assert call("--root", tmp_path / "a", "config", "show", "title", capsys=capsys)[1] == "first\n"
    assert call("config", "show", "title", "--root", tmp_path / "b", capsys=capsys)[1] == "second\n"
    both = call("--root", tmp_path / "a", "config", "show", "title", "--root", tmp_path / "b", capsys=capsys)
    assert both[1] == "second\n"


def test_quiet_says_results_and_errors_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = facts.archive(tmp_path / "output", 1)
    vkey = facts.key().verification_key.text
    files.write(tmp_path / FILE, f'origin = "{facts.ORIGIN}"\nvkey = "{vkey}"\n'.encode())
    facts.queue(output, range(1, 2))
    late = next((output / "queue").glob("*.findings.json"))
    late.write_bytes(b"damaged")
    files.write(tmp_path / "key", facts.key().text.encode())
    assert "is set aside" in call("-v", "append", "--root", tmp_path, "--key", tmp_path / "key", capsys=capsys)[2]
    code, out, err = call("-q", "append", "--root", tmp_path, "--key", tmp_path / "nothing", capsys=capsys)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    facts.queue(output, range(2, 3))
    next((output / "queue").glob("*.findings.json")).write_bytes(b"damaged")
    assert call("-q", "append", "--root", tmp_path, "--key", tmp_path / "key", capsys=capsys)[2] == ""


def test_verbose_says_when_each_line_came(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files.write(tmp_path / FILE, f'facts_remote = "{tmp_path}/none.git"\n'.encode())
    _, _, err = call("-v", "report", "--root", tmp_path, capsys=capsys)
    assert re.match(r" +\d+\.\ds  sync: what is here may not be the newest: git ls-remote", err)


@pytest.mark.parametrize(
    "words",
    [
        ["build", "--strange"],
        ["nonsense"],
        ["publish", "--wait", "soon"],
        ["generate", "--count", "0"],
        ["key", "new"],
        ["verify"],
        ["generate", "--engine", "vllm"],
        ["generate", "--memory", "much"],
        ["train", "nothing"],
    ],
)
def test_a_usage_error_is_json_where_json_was_asked_for(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(*words, "--json", capsys=capsys)
    value = json.loads(out)
    assert (code, value["ok"], set(value)) == (2, False, {"ok", "error", "hint"})
    assert value["error"] in err
    assert value["hint"].startswith("Try: prior-art ")
    assert re.search(r"\bNone\b|\[Errno|Path\(|b'", err) is None


def test_a_missing_package_is_told_as_json(tmp_path: Path) -> None:
    program = (
        "import sys\nsys.modules['tantivy'] = None\nfrom generator.commands.cli import main\n"
        "main(['corpus', 'add', 'x.jsonl', '--corpus', 'c', '--json'])"
    )
    (tmp_path / "x.jsonl").write_text("{}\n")
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, env={"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["ok"] is False


def test_hints_name_documents_that_are_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever a message says of docs/NAME.md leads to a command that prints it, in every message of the program."""
    files.write(tmp_path / FILE, b"titel = 3\n")
    code, _, err = call("build", "--root", tmp_path, capsys=capsys)
    assert (code, "`prior-art docs settings`" in err, "docs/settings.md" in err) == (2, True, False)
    named = set()
    for path in (ROOT / "generator").rglob("*.py"):
        named |= set(re.findall(r"docs/([a-z-]+)\.md", path.read_text(encoding="utf-8")))
    assert len(named) > 5
    for name in sorted(named):
        code, out, _ = call("docs", name, capsys=capsys)
        assert (code, out.startswith("# ")) == (0, True), name
    assert call("docs", "nothing", capsys=capsys)[0] == 2
    assert call("docs", capsys=capsys)[1].count("\n") == len(list((ROOT / "docs").glob("*.md")))


def test_config_says_where_each_setting_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files.write(tmp_path / FILE, b'title = "A \\"b\\""\n')
    files.write(tmp_path / "pyproject.toml", b'[tool.prior-art]\ntitle = "z"\nprefix = "QQ"\n')
    monkeypatch.setenv("PRIOR_ART_WATTS", "8")
    code, out, _ = call("config", "show", "--root", tmp_path, "--json", capsys=capsys)
    found = {one["setting"]: (one["value"], one["from"]) for one in json.loads(out)["settings"]}
    assert code == 0
    assert found["title"] == ('A "b"', str(tmp_path / FILE))
    assert found["prefix"] == ("QQ", str(tmp_path / "pyproject.toml"))
    assert found["watts"] == ("8", "environment")
    assert found["currency"] == ("", "default")
    assert call("config", "show", "nothing", "--root", tmp_path, capsys=capsys)[0] == 2


@pytest.mark.parametrize("command", ["build", "report", "check", "serve"])
def test_a_folder_without_publication_is_refused(
    tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = call(command, "--root", tmp_path, capsys=capsys)
    assert code == 2
    assert "no publication: neither settings (prior-art.toml) nor facts are here" in err
    assert list(tmp_path.iterdir()) == []


def test_completion_is_offered_for_the_shell(capsys: pytest.CaptureFixture[str]) -> None:
    from click.shell_completion import BashComplete

    complete = BashComplete(commands, {}, "prior-art", "_PRIOR_ART_COMPLETE")
    assert "doctor" in [item.value for item in complete.get_completions([], "do")]
    assert isinstance(commands, click.Group)
    assert "_PRIOR_ART_COMPLETE=bash_source prior-art" in call("--help", capsys=capsys)[1]


def _groups(group: click.Group, name: str) -> Iterator[tuple[str, click.Group]]:
    yield name, group
    for own, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _groups(command, f"{name} {own}")


@pytest.mark.parametrize("name", live_commands(commands))
def test_every_command_keeps_the_conventions(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Help, an example of itself, options with help, JSON, wrong use and a wrong folder, as the docs say."""
    command, words = live_commands(commands)[name], name.split()[1:]
    monkeypatch.chdir(tmp_path)
    helps = [call(*words, flag, capsys=capsys) for flag in ("-h", "--help")]
    assert helps[0] == helps[1]
    code, out, err = helps[0]
    assert (code, err, "\x1b" in out) == (0, "", False)
    assert re.fullmatch(r"[A-Z].*[.]", (command.help or "").split("\n\n")[0].replace("\n", " "))
    assert re.search(rf"Example:\n\s+{re.escape(name)}\b", out)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert re.match(r"[A-Z0-9a-z].*[.\])]$", parameter.help or ""), (name, parameter.name)
    assert {"--root", "--json"} <= {option for parameter in command.params for option in parameter.opts}
    code, out, err = call(*words, "--no-such-option", "--json", capsys=capsys)
    assert code == 2
    assert json.loads(out)["hint"] == f"Try: {name} --help"
    assert json.loads(out)["error"] in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "group"), list(_groups(commands, "prior-art")))
def test_every_group_lists_and_completes_its_commands(
    name: str, group: click.Group, capsys: pytest.CaptureFixture[str]
) -> None:
    from click.shell_completion import BashComplete

    words = name.split()[1:]
    code, out, err = call(*words, "--help", capsys=capsys)
    assert (code, err, "\x1b" in out) == (0, "", False)
    complete = BashComplete(commands, {}, "prior-art", "_PRIOR_ART_COMPLETE")
    assert {item.value for item in complete.get_completions(words, "")} >= set(group.commands)
    assert all(own in out for own in group.commands)
    code, _, err = call(*words, "nothing-like-it", capsys=capsys)
    assert (code, "Traceback" in err) == (2, False)
