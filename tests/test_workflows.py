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


def test_the_key_is_only_in_the_steps_that_sign_or_look_at_it() -> None:
    signing = [step["run"] for _, step in steps(FILES[1]) if "PRIOR_ART_KEY" in str(step)]
    begun = "program/.ci/with-token program/.venv/bin/prior-art "
    assert signing == [begun + "doctor", begun + "append", begun + "publish --begin"]
    assert FILES[1].read_text(encoding="utf-8").count("secrets.") == 4


def test_the_order_of_the_night() -> None:
    """The key is looked at before the hours of writing; nothing is dated before it was built and checked."""
    words = [re.findall(r"bin/prior-art (\w+(?: --\w+)?)", step.get("run", "")) for _, step in steps(FILES[1])]
    assert [one for some in words for one in some] == [
        "nightly --done", "config", "doctor", "generate --tonight", "append", "selftest", "report", "build", "check",
        "publish --begin", "stamp", "build", "check", "publish --confirm",
    ]  # fmt: skip


def test_two_crons_at_odd_minutes_and_one_group() -> None:
    called, own = (yaml.safe_load(text) for text in (FILES[1].read_text(encoding="utf-8"), scaffold("github.yml")))
    crons = [item["cron"].split() for item in own[True]["schedule"]]  # YAML 1.1 reads `on` as true
    assert len(crons) == 2
    assert all(int(minute) % 2 for minute, *_ in crons)
    assert own["concurrency"] == {"group": "publish", "cancel-in-progress": False}
    assert called["jobs"]["deploy"]["environment"]["name"] == "github-pages"
    assert called["jobs"]["deploy"]["permissions"] == {"pages": "write", "id-token": "write"}


def test_a_second_attempt_hands_over_a_site_of_another_name() -> None:
    """And a deploy that alone is tried again takes the name that the first attempt gave."""
    jobs = yaml.safe_load(FILES[1].read_text(encoding="utf-8"))["jobs"]
    (handed,) = [step["with"]["name"] for step in jobs["write"]["steps"] if "upload-pages" in step.get("uses", "")]
    assert jobs["write"]["outputs"]["artifact"] == handed == "github-pages-${{ github.run_attempt }}"
    assert jobs["deploy"]["steps"][0]["with"]["artifact_name"] == "${{ needs.write.outputs.artifact }}"


def scaffold(name: str) -> str:
    """A workflow as `init` writes it."""
    text = (ROOT / "generator" / "commands" / "scaffold" / name).read_text(encoding="utf-8")
    return text.replace("@PROGRAM@", "example/program").replace("@COMMIT@", "0" * 40).replace("@VERSION@", "0.7.0")


def test_a_publication_calls_the_workflow_with_what_it_takes(tmp_path: Path) -> None:
    path = tmp_path / ".github" / "workflows" / "publish.yml"
    path.parent.mkdir(parents=True)
    path.write_text(scaffold("github.yml"), encoding="utf-8")
    run(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", path)
    run(BIN / "zizmor", "--offline", "--no-progress", tmp_path / ".github")
    assert path.read_text().count("\n") <= 40
    call = yaml.safe_load(path.read_text())["jobs"]["night"]
    called = yaml.safe_load(FILES[1].read_text())
    takes = called[True]["workflow_call"]
    assert set(call["with"]) <= set(takes["inputs"])
    assert {name for name, one in takes["inputs"].items() if one.get("required")} <= set(call["with"])
    assert set(call["secrets"]) == set(takes["secrets"])
    assert call["uses"] == f"example/program/.github/workflows/publish.yml@{'0' * 40}"
    wanted = {name for job in called["jobs"].values() for name in job["permissions"]}
    assert wanted <= set(call["permissions"]), "a called job gets no more than its caller has"


def test_every_command_of_the_workflows_is_one_that_the_program_has() -> None:
    """Each is parsed by the command line itself, up to the point where it would begin."""
    import shlex

    from generator.commands.cli import commands

    for _, step in steps(FILES[1]):
        for line in re.findall(r"bin/prior-art (.+?)(?: \|\||$)", step.get("run", ""), re.MULTILINE):
            for name, value in (("$MINUTES", "7"), ("$URL", "https://example.org/"), ("$FORMAT", "fp32")):
                line = line.replace(name, value)
            words = shlex.split(line.split(" && ")[0].split(" | ")[0])
            commands.make_context("prior-art", words)
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
