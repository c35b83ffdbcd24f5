"""The workflows: their form, their safety, and the rules of this project that no tool knows."""

import base64
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
BIN = Path(sys.executable).parent


def run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()


def steps(path: Path) -> list[tuple[str, dict[str, Any]]]:
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return [(name, step) for name, job in jobs.items() for step in job["steps"]]


def test_both_workflows_are_there() -> None:
    assert [path.name for path in FILES] == ["check.yml", "publish.yml"]


def test_check_jsonschema_finds_nothing() -> None:
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *FILES)


def test_zizmor_finds_nothing() -> None:
    run(BIN / "zizmor", "--offline", "--no-progress", ROOT / ".github")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_permissions_start_from_none_and_actions_are_pinned(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert yaml.safe_load(text)["permissions"] == {}
    uses = re.findall(r"uses: (.+)", text)
    assert uses
    for use in uses:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use), use


def test_the_key_is_only_in_the_steps_that_sign() -> None:
    signing = [step["run"] for _, step in steps(FILES[1]) if "PRIOR_ART_KEY" in str(step)]
    assert signing == [
        ".ci/with-token .venv/bin/prior-art append",
        ".ci/with-token .venv/bin/prior-art publish --begin",
    ]
    assert FILES[1].read_text(encoding="utf-8").count("secrets.") == 2


def test_the_order_of_the_night() -> None:
    commands = [m[1] for _, step in steps(FILES[1]) if (m := re.search(r"bin/prior-art (\w+.*)", step.get("run", "")))]
    assert [command.split()[0] for command in commands] == [
        "nightly",
        "generate",
        "append",
        "publish",
        "selftest",
        "report",
        "build",
        "check",
        "publish",
    ]
    assert "--begin" in commands[3]
    assert "--confirm" in commands[8]


def test_two_crons_at_odd_minutes_and_one_group() -> None:
    value = yaml.safe_load(FILES[1].read_text(encoding="utf-8"))
    crons = [item["cron"].split() for item in value[True]["schedule"]]  # YAML 1.1 reads `on` as true
    assert len(crons) == 2
    assert all(int(minute) % 2 for minute, *_ in crons)
    assert value["concurrency"] == {"group": "publish", "cancel-in-progress": False}
    assert value["jobs"]["deploy"]["environment"]["name"] == "github-pages"
    assert value["jobs"]["deploy"]["permissions"] == {"pages": "write", "id-token": "write"}


def test_every_command_of_the_workflows_is_one_that_the_program_has() -> None:
    """Each is parsed by the command line itself, up to the point where it would begin."""
    import shlex

    from generator.commands.cli import commands

    for _, step in steps(FILES[1]):
        for line in re.findall(r"bin/prior-art (.+?)(?: \|\||$)", step.get("run", ""), re.MULTILINE):
            words = shlex.split(line.replace("$COUNT", "7").replace("$URL", "https://example.org/"))
            command = commands.commands[words[0]]
            command.make_context(words[0], words[1:])


def test_the_matrix_of_the_documents_is_a_workflow_like_the_others(tmp_path: Path) -> None:
    import shlex

    from generator.commands.cli import commands

    page = (ROOT / "docs" / "machines.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    path = tmp_path / ".github" / "workflows" / "matrix.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", path)
    run(BIN / "zizmor", "--offline", "--no-progress", tmp_path / ".github")
    assert yaml.safe_load(text)["permissions"] == {}
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use) for use in re.findall(r"uses: (.+)", text))
    words = [shlex.split(line.replace("$SHARD", "2")) for line in re.findall(r"bin/prior-art (.+)", text)]
    assert [line[0] for line in words] == ["generate", "merge"]
    for line in words:
        commands.commands[line[0]].make_context(line[0], line[1:])


def test_git_gets_the_token_from_the_environment_alone(tmp_path: Path) -> None:
    said = subprocess.run(
        [ROOT / ".ci" / "with-token", "git", "config", "--get", "http.https://github.com/.extraheader"],
        cwd=tmp_path,
        env={**os.environ, "GITHUB_TOKEN": "abc" * 30},
        capture_output=True,
        check=True,
    ).stdout.decode()
    kind, _, encoded = said.strip().partition("basic ")
    assert kind == "AUTHORIZATION: "
    assert base64.b64decode(encoded).decode() == "x-access-token:" + "abc" * 30
    without = {name: value for name, value in os.environ.items() if name != "GITHUB_TOKEN"}
    done = subprocess.run([ROOT / ".ci" / "with-token", "true"], env=without, capture_output=True, check=False)
    assert done.returncode
    assert b"GITHUB_TOKEN is not set" in done.stderr
