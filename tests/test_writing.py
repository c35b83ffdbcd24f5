"""The commands generate and merge: options, what is said, runs that go on after a kill, shards by the command line."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nights
import pytest
import tiny_model
from hypothesis import given
from hypothesis import strategies as st

from generator.base import canonical
from generator.commands import cli, generate, nightly
from generator.commands.options import UNITS
from generator.model import loading
from generator.model.interface import EngineChoice
from generator.run.drafting import Progress

ROOT = Path(__file__).parent.parent
SEEDED = ["generate", "--profile", "starter", "--seed", "7"]


class Accounting(nights.Author):
    """The author with an engine's account."""

    account = {  # noqa: RUF012
        "engine": "none",
        "slots": 48,
        "phases": [
            {"phase": "matrix products", "milliseconds": 1234, "share_permille": 617},
            {"phase": "rest", "milliseconds": 766, "share_permille": 383},
        ],
    }


@pytest.fixture
def asked(monkeypatch):
    """The choices that the model was opened with."""
    choices = []

    def opened(profile, choice, *, report):
        choices.append(choice)
        return Accounting()

    monkeypatch.setattr(loading, "open_model", opened)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    return choices


def call(*words, capsys):
    """Exit code, stdout, stderr."""
    try:
        cli.main([str(word) for word in words])
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


def report_of(root):
    (path,) = (root / "output" / "runs").glob("*.json")
    return json.loads(path.read_bytes())


def test_options_become_one_choice(tmp_path, capsys, asked):
    words = [*SEEDED, "--drafts", 3, "--root", tmp_path, "--engine", "ray", "--address", "10.0.0.1:6379"]
    words += ["--batch", 8, "--threads", 2, "--format", "bf16", "--cache", "int8", "--memory", "1.5GiB"]
    code, out, err = call(*words, capsys=capsys)
    assert code == 0, err
    assert asked == [EngineChoice("ray", "10.0.0.1:6379", 8, 2, "bf16", "int8", 3 << 29, most=3)]
    assert out.startswith("generate: 2 of 3 drafts accepted, ")
    assert " words/s, run " in out


def test_without_options_everything_is_automatic(tmp_path, capsys, asked):
    assert call(*SEEDED, "--drafts", 3, "--root", tmp_path, capsys=capsys)[0] == 0
    assert asked == [EngineChoice(most=3)], "no more rows than drafts can be needed"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--address", "10.0.0.1:6379"], "--address names a Ray cluster"),
        (["--shard", "1/2"], "a shard cannot know what the others accept"),
        (["--shard", "1/2", "--minutes", "5"], "a shard cannot know what the others accept"),
        (["--shard", "3/2", "--drafts", "9"], "shard 3/2: not possible"),
        (["--shard", "half", "--drafts", "9"], "shard 'half': i/n is expected"),
    ],
)
def test_options_that_do_not_fit(tmp_path, capsys, asked, words, message):
    code, out, err = call(*SEEDED, "--root", tmp_path, *words, capsys=capsys)
    assert (code, out) == (2, "")
    assert message in err
    assert "Hint: " in err
    assert asked == [], "told before a model is loaded"


def test_shards_need_the_seed_of_their_run(tmp_path, capsys, asked):
    words = ["generate", "--profile", "starter", "--root", tmp_path, "--drafts", "9", "--shard", "1/2"]
    code, _, err = call(*words, capsys=capsys)
    assert code == 2
    assert "--shard without a seed" in err
    assert call(*words, "--tonight", capsys=capsys)[0] == 0


@pytest.mark.parametrize(
    "size", ["4", "4 gib", "GiB", "-1GiB", "0GiB", "1e3MB", "1.2345GB", "4GiB ", "0.000MB", "٤GiB"]
)
def test_sizes_that_are_none(tmp_path, capsys, asked, size):
    code, out, err = call(*SEEDED, "--root", tmp_path, "--memory", size, capsys=capsys)
    assert (code, out) == (2, "")
    assert "a number and one of MB, GB, TB, MiB, GiB, TiB are expected, such as 4GiB" in err


@given(st.integers(1, 999_999), st.sampled_from(sorted(UNITS)), st.sampled_from(["", " "]))
def test_sizes(number, unit, space):
    context = cli.commands.commands["generate"].make_context("generate", ["--memory", f"{number}{space}{unit}"])
    assert context.params["memory"] == number * UNITS[unit]


def test_the_progress_line(tmp_path, monkeypatch):
    monkeypatch.setattr(generate, "PROGRESS_SECONDS", 0)
    told = []
    publication = nights.at_night(tmp_path, nights.SETTINGS, 1, 0, told)
    show = generate.progress_lines(publication, None)
    show(Progress(12, 5, 4000, 950.4, 0.5, 64, 90))
    show(Progress(0, 0, 0, 0.0, 0.0, 0, None))
    assert told == [
        "generate: 12 drafts, 5 accepted, 950 tokens/s, 475 words/s, 64 slots, 1.5 min left",
        "generate: 0 drafts, 0 accepted, 0 tokens/s, 0 words/s",
    ]


def test_timings_as_a_table_and_as_figures(tmp_path, capsys, asked):
    words = [*SEEDED, "--root", tmp_path, "--timings", "--drafts"]
    out = call(*words, 3, capsys=capsys)[1].splitlines()
    assert out[1:] == [
        "phase                   ms   share",
        "matrix products       1234   61.7%",
        "rest                   766   38.3%",
    ]
    figures = json.loads(call(*words, 4, "--json", capsys=capsys)[1])
    assert figures["timings"] == Accounting.account["phases"]


def test_an_engine_that_measures_nothing(tmp_path, capsys, asked, monkeypatch):
    monkeypatch.setattr(Accounting, "account", {"engine": "none"})
    out = call(*SEEDED, "--root", tmp_path, "--timings", "--drafts", 3, capsys=capsys)[1]
    assert out.splitlines()[1:] == ["timings: the engine measured none"]


def test_nightly_takes_the_same_options(tmp_path, asked, monkeypatch):
    """What comes after the writing does not ask them: the night ends there."""
    settings, to = nights.publication(tmp_path)
    told = []
    publication = nights.at_night(tmp_path, settings, 1, 0, told)

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(nightly, "_append", killed)
    with pytest.raises(KeyboardInterrupt):
        nightly.nightly(publication, to=to, count=2, threads=3, timings=True)
    assert asked == [EngineChoice(threads=3)]
    assert "matrix products       1234   61.7%" in told


def test_a_run_goes_on_in_the_format_that_it_was_begun_in(tmp_path, capsys, asked, monkeypatch):
    """`auto` measures the CPU; a second measurement must not decide otherwise."""
    words = [*SEEDED, "--count", 90, "--root", tmp_path]
    real = Accounting.drafts

    def stopped(self, *args, **options):
        for number, draft in enumerate(real(self, *args, **options)):
            if number == 5:
                raise KeyboardInterrupt
            yield draft

    with monkeypatch.context() as patch:
        patch.setattr(Accounting, "drafts", stopped)
        assert call(*words, capsys=capsys)[0] == 130
    (folder,) = (tmp_path / "output" / "runs").glob("*/")
    value = canonical.loads((folder / "plan.json").read_bytes())
    value["model"]["number_format"] = "bf16 cache int8"
    (folder / "plan.json").write_bytes(canonical.dumps(value))
    code, _, err = call(*words, capsys=capsys)
    assert asked == [EngineChoice(), EngineChoice(number_format="bf16", cache_format="int8")]
    assert code == 2
    assert "begun with number_format = bf16 cache int8, now it is none" in err


def test_a_run_of_an_earlier_version_is_told(tmp_path, capsys, asked):
    call(*SEEDED, "--drafts", 4, "--shard", "1/2", "--root", tmp_path, capsys=capsys)
    (folder,) = (tmp_path / "output" / "runs").glob("*/")
    value = canonical.loads((folder / "plan.json").read_bytes())
    del value["shard"]
    del value["plan"]["calibration"]
    (folder / "plan.json").write_bytes(canonical.dumps(value))
    code, _, err = call(*SEEDED, "--drafts", 4, "--root", tmp_path, capsys=capsys)
    assert code == 0
    assert f"{folder} is of an earlier version, whose gates were others: nothing goes on with it" in err
    assert folder.is_dir()


def test_shards_by_the_command_line(tmp_path, capsys, asked):
    """As a matrix of jobs does it: each on a machine of its own, what it kept is carried to the job that merges."""
    words = [*SEEDED, "--drafts", 10]
    for number in (1, 2, 3):
        root = tmp_path / f"machine-{number}"
        root.mkdir()
        code, out, err = call(*words, "--shard", f"{number}/3", "--root", root, capsys=capsys)
        assert code == 0
        assert f"generate: shard {number}/3 is kept in {root / 'output' / 'runs'}" in err
        assert not (root / "output" / "queue").exists()
        shutil.copytree(root / "output" / "runs", tmp_path / "fetched" / f"shard-{number}")
        again = call(*words, "--shard", f"{number}/3", "--root", root, capsys=capsys)[1]
        assert again == out.replace("generate: ", "generate: done already: ", 1)
    assert len(asked) == 3, "a finished shard loads no model"
    merge = ["merge", tmp_path / "fetched", "--root", tmp_path]
    code, out, _ = call(*merge, capsys=capsys)
    assert code == 0
    assert out.startswith("merge: 7 of 10 drafts accepted, ")
    assert call(*merge, capsys=capsys)[1] == out.replace("merge: ", "merge: done already: ", 1)
    (tmp_path / "whole").mkdir()
    call(*words, "--root", tmp_path / "whole", capsys=capsys)
    merged, whole = report_of(tmp_path), report_of(tmp_path / "whole")
    assert merged["drafts_by_index"] == whole["drafts_by_index"]
    assert merged["plan"] == whole["plan"]
    code, _, err = call("merge", tmp_path / "fetched" / "shard-1", "--root", tmp_path, capsys=capsys)
    assert code == 2
    assert "2 of 3 shards are missing: 2/3, 3/3" in err


@pytest.mark.slow
def test_killed_in_mid_run_the_same_command_ends_with_the_same_drafts(tmp_path, capsys):
    """A real SIGKILL, a real model; the second half is written with another batch and on more threads."""
    path = tiny_model.write_profile(tmp_path / "tiny.toml", tiny_model.save_tiny(tmp_path / "model"))
    words = ["generate", "--profile", path, "--seed", 7, "--drafts", 300, "--format", "fp32", "--root"]
    root = tmp_path / "killed"
    root.mkdir()
    command = [sys.executable, "-m", "generator", *map(str, words), str(root), "--batch", "8", "--threads", "1"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None and lines(root) < 20:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert 20 <= lines(root) < 300
    assert call(*words, root, "--batch", 50, "--threads", 2, capsys=capsys)[0] == 0
    (tmp_path / "whole").mkdir()
    assert call(*words, tmp_path / "whole", capsys=capsys)[0] == 0
    killed, whole = report_of(root), report_of(tmp_path / "whole")
    assert killed["drafts_by_index"] == whole["drafts_by_index"]
    assert [session["account"]["slots"] for session in killed["engine"]] == [50]


def lines(root):
    return sum(path.read_bytes().count(b"\n") for path in (root / "output" / "runs").glob("*/drafts.jsonl"))


def test_the_table_of_engine_options_is_the_program():
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(--\w+)` \|", page, re.MULTILINE)
    for name in ("generate", "nightly"):
        options = [option.opts[0] for option in cli.commands.commands[name].params]
        first = options.index("--engine")
        assert options[first : first + len(listed)] == listed
