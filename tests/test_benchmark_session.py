"""The benchmark of engines: its processes, a session followed through, its journal; whatever is missing is named.

Where a process is needed it is a real one; where a session is followed through, its processes' answers are made up, so
that the figures are known.
"""

import argparse
import dataclasses
import datetime
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from engine_figures import ROOFLINE, cells, job, measured

from tests.benchmarks.engine import __main__ as command
from tests.benchmarks.engine import peers, report, results
from tests.benchmarks.engine.agreement import Agreement
from tests.benchmarks.engine.jobs import Failure, Job, Measurement
from tests.benchmarks.engine.journal import Journal, JournalError
from tests.benchmarks.engine.launch import Launcher, LaunchError
from tests.benchmarks.engine.session import Options, Session, settings

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)


# The journal


def test_a_journal_goes_on_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path, {"a": 1}).keep("x", [2])
    with path.open("ab") as file:
        file.write(b'\n{"key": "y", "val')
    again = Journal(path, {"a": 1})
    assert again["x"] == [2]
    assert "y" not in again
    again.keep("y", 3)
    assert Journal(path, {"a": 1})["y"] == 3


def test_a_journal_of_other_settings_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path / "journal.jsonl", {"a": 1})
    with pytest.raises(JournalError, match="other settings"):
        Journal(tmp_path / "journal.jsonl", {"a": 2})


BUSY_CHILD = """
import subprocess, sys
from tests.benchmarks.engine import accounting
before = accounting.read()
burn = "import time; x = bytearray(150_000_000)\\nwhile time.process_time() < 0.3: pass\\n"
child = subprocess.Popen([sys.executable, "-c", burn + "print(flush=True); time.sleep(60)"], stdout=subprocess.PIPE)
child.stdout.readline()
after = accounting.read()
print(accounting.spent(before, after, 1).cpu_seconds, accounting.peak_rss_bytes())
child.kill()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="children that still run are counted on Linux alone")
def test_an_engines_child_processes_count() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BUSY_CHILD], cwd=ROOT, capture_output=True, text=True, check=True, start_new_session=True
    )
    cpu, peak = done.stdout.split()
    assert float(cpu) >= 0.29
    assert int(peak) > 150_000_000


# Processes


@pytest.fixture
def bare_python(tmp_path: Path) -> str:
    """This interpreter without any installed package."""
    path = tmp_path / "bare-python"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "$@"\n')
    path.chmod(0o755)
    return str(path)


def test_an_engine_that_is_not_installed_is_named(tmp_path: Path, bare_python: str) -> None:
    launcher = Launcher({"": sys.executable, "ctranslate2": bare_python}, tmp_path / "logs", 1)
    failure = launcher.prepare(job(cache=str(tmp_path)))
    assert failure
    assert failure.reason == "not installed: No module named 'ctranslate2'"
    assert not job(cache=str(tmp_path)).converted.exists()


def test_a_process_that_takes_too_long_is_ended_and_named(tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nsleep 60\n")
    slow.chmod(0o755)
    with pytest.raises(LaunchError, match=r"did not finish in 0 s"):
        Launcher({"": str(slow)}, tmp_path / "logs", 1).module("worker", limit_s=0.2)


@pytest.mark.parametrize(("body", "said"), [("kill -9 $$", "signal 9"), ("echo why >&2; exit 3", "exit code 3: why")])
def test_a_process_that_dies_is_named(tmp_path: Path, body: str, said: str) -> None:
    broken = tmp_path / "broken"
    broken.write_text(f"#!/bin/sh\n{body}\n")
    broken.chmod(0o755)
    found = Launcher({"": str(broken)}, tmp_path / "logs", 1).run(job())
    assert isinstance(found, Failure)
    assert said in found.reason


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="without /proc it cannot be seen whether a process has ended")
def test_an_engine_does_not_outlive_the_command(tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    slow.write_text(f"#!/bin/sh\necho $$ >{tmp_path}/begun\nmv {tmp_path}/begun {tmp_path}/pid\nexec sleep 60\n")
    slow.chmod(0o755)
    code = f"import sys; sys.executable = {str(slow)!r}\nfrom tests.benchmarks.engine.__main__ import start\n"
    code += f"start(['--out', {str(tmp_path / 'out')!r}, '--cache', {str(tmp_path / 'cache')!r}])"
    whole = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    while not (tmp_path / "pid").exists():
        assert whole.poll() is None
        time.sleep(0.02)
    whole.terminate()
    assert whole.wait(10) == 143
    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()


def test_modules_of_engines_import_nothing_heavy(bare_python: str) -> None:
    """The session reads their formats in its own process, where none of the engines need be installed."""
    there = [name for name in peers.MODULES if (Path(peers.__file__).parent / f"{peers.MODULES[name]}.py").exists()]
    assert len(there) >= 5
    code = f"from tests.benchmarks.engine.peers import peer\nfor name in {there}: print(peer(name).formats)"
    subprocess.run([bare_python, "-c", code], cwd=ROOT, check=True, capture_output=True, env={"PYTHONPATH": str(ROOT)})


# A session followed through


class Answers:
    """In place of the launcher: conversions succeed, runs answer from `rates` by engine, format and batch."""

    def __init__(self, rates: dict[tuple[str, str, int], float]) -> None:
        self.rates, self.asked = rates, list[Job]()
        self.checked = 0

    def module(self, name: str, *_: str, **__: Any) -> str:
        if name == "roofline":
            return json.dumps(dataclasses.asdict(ROOFLINE))
        self.checked += name == "agreement"
        return json.dumps({"share": 1.0, "error": 0.04, "tokens": 768})

    def prepare(self, asked: Job) -> Failure | None:
        broken = asked.format == "Q4_0"
        return Failure(asked.engine, asked.format, 1, 1, "llama_model_quantize failed") if broken else None

    def run(self, asked: Job) -> Measurement | Failure:
        self.asked.append(asked)
        rate = self.rates.get((asked.engine, asked.format, asked.batch))
        if rate is None:
            return Failure(asked.engine, asked.format, asked.batch, asked.new_tokens, "it fell over")
        if asked.rows_file:
            Path(asked.rows_file).write_text("{}")
        whole = asked.batch * asked.new_tokens
        tokens = min(whole, int(rate * asked.limit_s))
        return measured(
            asked.engine,
            format=asked.format,
            batch=asked.batch,
            new_tokens=asked.new_tokens,
            tokens=tokens,
            seconds=tokens / rate,
            finished=tokens == whole,
        )


RATES = {
    ("llama-cpp", "BF16", 32): 300.0,
    ("llama-cpp", "BF16", 64): 500.0,
    ("llama-cpp", "Q8_0", 8): 200.0,
    ("ctranslate2", "int8", 16): 300.0,
    ("ctranslate2", "int8", 32): 400.0,
    ("model-card", "fp32", 3): 5.0,
}


def options(folder: Path, *arguments: str) -> Options:
    given = ("--engines", "llama-cpp,ctranslate2,model-card", "--lengths", "2600,256", "--out", str(folder / "out"))
    return command.options_of([*given, "--memory", "16", *arguments], NOW)


def follow(folder: Path, answers: Answers, *arguments: str) -> results.Result:
    chosen = options(folder, *arguments)
    journal = Journal(chosen.out / "journal.jsonl", settings(chosen))
    journal.keep("date", "2026-11-22")
    return Session(chosen, journal, answers, lambda _: None).run()  # type: ignore[arg-type]


def test_a_session_searches_first_and_then_repeats_the_best(tmp_path: Path) -> None:
    answers = Answers(RATES)
    found = follow(tmp_path, answers)
    assert found.lengths == [256, 2600]
    short = {line.engine: line for line in found.at(256)}
    assert {name: (one.format, one.batch, len(one.runs)) for name, one in short.items()} == {
        "llama-cpp": ("BF16", 64, 3),
        "ctranslate2": ("int8", 32, 3),
        "model-card": ("fp32", 3, 3),
    }
    assert [one.reason for one in found.tried if isinstance(one, Failure)].count("it fell over") == 5
    assert [(one.engine, one.format) for one in found.absent if "quantize" in one.reason] == [("llama-cpp", "Q4_0")]
    assert short["llama-cpp"].agreement == Agreement(1.0, 0.04, 768)
    assert short["model-card"].agreement is None  # it samples as its card says
    assert answers.checked == 2


def test_long_texts_use_batches_that_fit_and_what_was_cut_or_is_far_behind_is_not_repeated(tmp_path: Path) -> None:
    other = {("llama-cpp", "BF16", 16): 400.0, ("ctranslate2", "int8", 16): 240.0, ("ctranslate2", "int8", 32): 200.0}
    answers = Answers(RATES | other)
    found = follow(tmp_path, answers, "--most-tokens", "50000", "--lengths", "256,2600,3000")
    long = {one.engine: one for one in found.at(2600)}
    assert (long["llama-cpp"].batch, len(long["llama-cpp"].runs), long["llama-cpp"].finished) == (16, 3, True)
    assert (long["ctranslate2"].batch, len(long["ctranslate2"].runs), long["ctranslate2"].finished) == (16, 1, True)
    assert (long["model-card"].batch, len(long["model-card"].runs), long["model-card"].finished) == (3, 1, False)
    assert {one.engine for one in found.at(3000)} == {"llama-cpp", "ctranslate2"}
    named = [one for one in found.absent if one.new_tokens == 3000]
    assert [(one.engine, one.reason) for one in named] == [
        ("model-card", "cut at the limit, or failed, at 2,600 tokens already")
    ]


def test_a_stopped_session_goes_on_without_measuring_again(tmp_path: Path) -> None:
    first = Answers(RATES)
    whole = follow(tmp_path, first)
    again = Answers({})
    assert follow(tmp_path, again) == whole
    assert again.asked == []
    with pytest.raises(JournalError):
        follow(tmp_path, again, "--repeats", "2")


def test_an_engine_without_a_module_or_a_figure_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(peers.MODULES, "ctranslate2", "not_there")
    found = follow(tmp_path, Answers({("model-card", "fp32", 3): 5.0}))
    named = {(one.engine, one.reason) for one in found.absent}
    assert ("ctranslate2", "cannot be imported: No module named 'tests.benchmarks.engine.not_there'") in named
    assert ("llama-cpp", "it fell over") in named
    rows = {row[0] for row in cells(report.markdown(found).partition("## Not measured")[2], "engine")}
    assert {"ctranslate2", "llama-cpp"} <= rows


def test_the_command_ends_with_a_report_even_when_nothing_is_installed(
    tmp_path: Path, bare_python: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Real processes throughout; the model's folder is there already."""
    (tmp_path / "cache" / "model").mkdir(parents=True)
    monkeypatch.setattr(sys, "executable", bare_python)
    given = ["--engines", "ctranslate2,llama-cpp", "--cache", str(tmp_path / "cache"), "--out", str(tmp_path / "out")]
    assert command.main([*given, "--quick"]) == 0
    text = capsys.readouterr().out
    assert "not installed: No module named 'ctranslate2'" in text
    assert "not installed: No module named 'llama_cpp'" in text
    assert "Not measured: ended by exit code 1: ModuleNotFoundError: No module named 'torch'" in text
    assert json.loads((tmp_path / "out" / "engine.json").read_text())["lines"] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--engines", "gpt"],
        ["--lengths", "4090"],
        ["--lengths", "0"],
        ["--repeats", "0"],
        ["--python", "ctranslate2"],
        ["--python", "ctranslate2=/no/such/python"],
    ],
)
def test_options_that_cannot_be_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.options_of(arguments, NOW)
    assert ended.value.code == 2


# Documents


def test_the_documented_options_are_those_of_the_command() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    listed = [re.findall(r"--[a-z-]+", row[0])[0] for row in cells(text, "option")[2:]]
    actions = [a for a in command.parser()._actions if not isinstance(a, argparse._HelpAction)]
    assert listed == [action.option_strings[0] for action in actions]


def test_the_documented_engines_are_those_of_the_command() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert [row[0].strip("`") for row in cells(text, "engine")[2:]] == list(peers.MODULES)
