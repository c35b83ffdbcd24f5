"""The commands that judge, as somebody types them; and when a night tests its gates."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import facts
import pytest
from site_fixture import patents, settings, write_archive
from test_cli import call

from generator import __version__
from generator.base import files
from generator.base.errors import ConfigError
from generator.base.publication import Outcome, Publication
from generator.commands.gates import selftest_if_due
from generator.log import archive
from generator.log.superseding import queue_review
from generator.record.record import Record
from generator.site.report_facts import SELFTEST, read_accepted


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_archive(tmp_path / "output", patents())
    return tmp_path


def test_a_package_that_is_not_installed_is_named(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    code, _, err = call("report", "--root", root, capsys=capsys)
    assert code == 2
    assert "the package numpy is not installed" in err
    assert "pip install 'prior-art-press[judge]'" in err


def test_other_bugs_keep_their_traceback(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "generator.measure.report", None)
    with pytest.raises(ModuleNotFoundError):
        call("report", "--root", root, capsys=capsys)


def test_report_reads_the_archive(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call("report", "--root", root, "--json", capsys=capsys)
    value = json.loads(out)
    assert code == 0
    assert value["diversity"]["disclosures"] == 3
    assert json.loads((root / "output" / "report.json").read_bytes())["accepted"] == 0  # no run is recorded


def test_a_superseded_text_counts_once(root: Path) -> None:
    from site_fixture import KEY

    output = root / "output"
    queue_review(output, 1, "reviewed by A. Reader")
    facts.append(output, KEY)
    assert len(list(facts.logged(output, 0))) == 4
    found = read_accepted(output)
    assert len(found) == 3
    assert len({one.disclosure.title for one in found}) == 3


def test_the_settings_to_try_stand_between_commas(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from generator.measure.tune import tune

    words = ("tune", "--profile", "starter", "--drafts", "50", "--root", root)
    code, _, err = call(*words, "--temperatures", "1,,2", capsys=capsys)
    assert code == 2
    assert "'1,,2': values with commas between are expected" in err
    code, _, err = call(*words, "--min-ps", "0.05, high", capsys=capsys)
    assert code == 2
    assert "min_p = 'high'" in err
    given: list[dict[str, Any]] = []

    def noted(_: Publication, **choice: Any) -> Outcome:
        given.append(choice)
        return Outcome((), {})

    monkeypatch.setattr(tune, "tune", noted)
    assert call(*words, "--temperatures", "0.9, 1", capsys=capsys)[0] == 0
    assert given[0]["temperatures"] == ("0.9", "1")
    assert "shares" not in given[0]


def test_the_old_name_of_a_command_answers_and_says_the_new_one(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from generator.measure.tune import tune

    monkeypatch.setattr(tune, "tune", lambda _, **choice: Outcome((f"{choice['drafts']} drafts",), {}))
    code, out, err = call("sweep", "--drafts", "50", "--root", root, capsys=capsys)
    assert (code, out) == (0, "50 drafts\n")
    assert "`prior-art sweep` is called `prior-art tune` now" in err
    code, _, err = call("tune", "--drafts", "50", "--root", root, capsys=capsys)
    assert (code, err) == (0, "")
    code, out, err = call("sweep", "--help", capsys=capsys)
    assert code == 0
    assert "prior-art tune --profile" in out
    assert "called `prior-art tune`" in err


def test_prices_of_the_command_line_count_more_than_settings(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "prior-art.toml").write_text('watts = "5"\ncurrency = "EUR"\n')
    code, out, _ = call("report", "--root", root, "--watts", "9", "--json", capsys=capsys)
    prices = json.loads(out)["cost"]["prices"]
    assert (code, prices["watts"], prices["currency"]) == (0, 9.0, "EUR")
    code, _, err = call("report", "--root", root, "--watts", "much", capsys=capsys)
    assert code == 2
    assert "watts = 'much'" in err


def test_without_a_corpus_the_corpus_commands_say_what_to_do(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call("corpus", "show", "--root", root, capsys=capsys)
    assert code == 2
    assert "no corpus was named" in err
    assert "--corpus FOLDER" in err


def test_a_corpus_of_the_settings_is_built_and_shown(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "prior-art.toml").write_text('corpus = "known"\n')
    code, out, _ = call("corpus", "add", root / "output", "--name", "Own", "--root", root, capsys=capsys)
    assert code == 0
    assert out.startswith("corpus Own: 3 documents")
    code, again, _ = call("corpus", "show", "--check", "--root", root, capsys=capsys)
    assert code == 0
    assert again.startswith("corpus Own: 3 documents")
    assert again.rstrip().endswith("every file is as it was written")


def test_the_selftest_is_kept_and_run_again_only_when_something_changed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[Any] = []

    def small(publication: Publication, *rest: Any) -> Any:
        ran.append(publication)
        return real(publication, None, None, 0, 8)

    from generator.measure import controls

    real = controls.selftest
    monkeypatch.setattr(controls, "selftest", small)
    told: list[str] = []
    publication = Publication(root, replace(settings(), output="output"), told.append)
    selftest_if_due(publication)
    selftest_if_due(publication)
    assert len(ran) == 1
    assert told[-1].startswith("selftest: ")
    path = root / "output" / SELFTEST
    value = json.loads(path.read_bytes())
    assert value["version"] == __version__
    assert {row["set"] for row in value["controls"]} >= {"real", "chimera", "markov", "shuffled", "copy"}
    for other in (json.dumps({**value, "version": "0"}), json.dumps({**value, "calibration": "x"}), "{", "[]"):
        files.write(path, other.encode())
        selftest_if_due(publication)
    assert len(ran) == 5


def test_gates_that_do_not_tell_texts_apart_stop_the_night(root: Path) -> None:
    from generator.judge.calibration import load_calibration

    value = {"schema": "prior-art-selftest/v1", "version": __version__, "calibration": load_calibration().id}
    files.write(root / "output" / SELFTEST, json.dumps({**value, "controls": [], "missed": ["chimera"]}).encode())
    publication = Publication(root, settings(), lambda _: None)
    with pytest.raises(ConfigError, match="chimera beyond the goal"):
        selftest_if_due(publication)


def test_a_review_is_raised_by_the_command(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call("review", "raise", "PAP-0000002", "--by", "A. Reader, engineer", "--root", root, capsys=capsys)
    assert code == 0, out
    (path,) = archive.queued(root / "output")
    assert Record.from_bytes(path.read_bytes()).review == "A. Reader, engineer"


def test_a_calibration_that_is_none_is_told(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "prior-art.toml").write_text('calibration = "mine.json"\n')
    (root / "mine.json").write_text("{}")
    code, _, err = call("selftest", "--root", root, capsys=capsys)
    assert code == 2
    assert "mine.json: no calibration" in err
    assert "prior-art calibrate" in err
