"""Blind review: what is drawn, what the form tells, how answers are scored, how a review is raised."""

import base64
import hashlib
import json
import re
import shutil
from pathlib import Path
from typing import Any

import facts
import pytest
from review_fixture import HOSTILE, a_publication, real_patents

from generator.base.errors import ConfigError, CorpusError, LogError, PressError
from generator.base.publication import Publication
from generator.commands.review import make, raise_review, score
from generator.log import archive
from generator.log.entries import Superseded
from generator.measure.review.form import QUESTIONS
from generator.measure.review.sample import MOST_CLAIMS


@pytest.fixture(scope="module")
def publication(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    return a_publication(tmp_path_factory.mktemp("review"))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return real_patents(tmp_path_factory.mktemp("real") / "real.jsonl", 60)


@pytest.fixture(scope="module")
def made(publication: Publication, real: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "out"
    outcome = make(publication, folder, (real,), sample=12, seed=7)
    assert "12 disclosures, 3 real patents, 3 controls" in outcome.lines[0]
    return folder


def data_of(folder: Path) -> dict[str, Any]:
    page = (folder / "form.html").read_text()
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1])


def key_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "key.json").read_bytes())


def always_yes(item: dict[str, Any], question: str) -> str:
    return "yes"


def answers(folder: Path, path: Path, who: str, choose=always_yes, **changes: Any) -> Path:
    said = {
        item["id"]: {name: choose(item, name) for name, _ in QUESTIONS if choose(item, name)}
        for item in key_of(folder)["items"]
    }
    value = {"schema": "prior-art-review-answers/v1", "form": key_of(folder)["form"], "rater": who, "answers": said}
    path.write_text(json.dumps(value | changes))
    return path


def test_the_same_seed_gives_the_same_form_and_another_one_another(
    publication: Publication, real: Path, made: Path, tmp_path: Path
) -> None:
    make(publication, tmp_path / "same", (real,), sample=12, seed=7)
    make(publication, tmp_path / "other", (real,), sample=12, seed=8)
    assert (tmp_path / "same/form.html").read_bytes() == (made / "form.html").read_bytes()
    assert (tmp_path / "same/key.json").read_bytes() == (made / "key.json").read_bytes()
    assert key_of(tmp_path / "other")["form"] != key_of(made)["form"]
    assert make(publication, tmp_path / "drawn", (real,), sample=8).figures["texts"] == 12


def test_the_key_says_what_each_text_is(made: Path) -> None:
    items, shown = key_of(made)["items"], {item["id"]: item for item in data_of(made)["items"]}
    assert [item["id"] for item in items] == list(shown)
    assert len(shown) == 18
    for item in items:
        text = shown[item["id"]]
        if item["set"] == "disclosure":
            assert re.fullmatch(r"PAP-\d{7}|queue/\d+\.json", item["sources"][0])
            assert "bracket" in text["claims"][0]
        else:
            numbers = [int(source.removeprefix("US9")) for source in item["sources"]]
            assert text["claims"][0].startswith(f"A lamp{numbers[0]} comprising")
            assert text["title"] == f"Lamp number {numbers[0]}"
            assert f"lamp{numbers[-1]} of claim 1" in text["claims"][1]
            assert (item["set"] == "control") == (len(numbers) == 2)
    sources = [source for item in items for source in item["sources"]]
    assert len(sources) == len(set(sources))


def test_nothing_in_the_form_tells_where_a_text_comes_from(made: Path) -> None:
    page = (made / "form.html").read_text()
    for word in ("PAP-", "US9", "disclosure", "chimera", "control", "queue", "seed", "/output", "real pat", "0000000"):
        assert word not in page.replace("control-allow", "")
    items = data_of(made)["items"]
    assert {tuple(sorted(item)) for item in items} == {("abstract", "claims", "id", "title")}
    assert {len(item["id"]) for item in items} == {7}
    assert all(len(item["claims"]) <= MOST_CLAIMS for item in items)
    sets = [item["set"] for item in key_of(made)["items"]]
    assert sets != sorted(sets)


def test_real_texts_come_near_to_the_disclosures_in_length(publication: Publication, tmp_path: Path) -> None:
    short = real_patents(tmp_path / "short.jsonl", 40, length=3).read_text()
    long = real_patents(tmp_path / "long.jsonl", 80, length=80).read_text().splitlines()[40:]
    (tmp_path / "both.jsonl").write_text("\n".join([*long, *short.splitlines()]))
    make(publication, tmp_path / "out", (tmp_path / "both.jsonl",), sample=12, seed=3)
    shown = {item["id"]: sum(map(len, item["claims"])) for item in data_of(tmp_path / "out")["items"]}
    assert max(shown[item["id"]] for item in key_of(tmp_path / "out")["items"] if item["set"] == "real") < 1000


def test_hostile_text_stays_inside_the_data(made: Path, publication: Publication, real: Path, tmp_path: Path) -> None:
    folder = tmp_path / "all"
    make(publication, folder, (real,), sample=14, seed=1)
    page = (folder / "form.html").read_text()
    assert page.count("</script>") == 2
    assert page.count("<script") == 2
    assert "onerror" in page
    assert "<img" not in page
    assert any(HOSTILE in item["title"] for item in data_of(folder)["items"])


def test_the_policy_allows_this_style_and_this_program_alone(made: Path) -> None:
    page = (made / "form.html").read_text()
    for tag, name in (("style", "style-src"), ("script", "script-src")):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{name} 'sha256-{digest}'" in page
    assert "default-src 'none'" in page
    assert not re.search(r"https?://|//[a-z]", re.sub(r"(?m)^//.*$", "", page))


def test_what_cannot_be_made_is_said(publication: Publication, real: Path, made: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="raters may be at work"):
        make(publication, made, (real,), sample=12)
    with pytest.raises(ConfigError, match="real patents are needed"):
        make(publication, tmp_path, (), sample=12)
    with pytest.raises(ConfigError, match="a sample of 100 disclosures cannot be drawn from 14"):
        make(publication, tmp_path, (real,))
    with pytest.raises(ConfigError, match="a sample of 2 disclosures"):
        make(publication, tmp_path, (real,), sample=2)
    few = real_patents(tmp_path / "few.jsonl", 5)
    with pytest.raises(ConfigError, match="needs 9 real patents, 5 were found"):
        make(publication, tmp_path, (few, few), sample=12)
    with pytest.raises(CorpusError, match="kind that is not read"):
        make(publication, tmp_path, (made / "form.html",), sample=12)
    assert not (tmp_path / "form.html").exists()


def test_superseded_and_withdrawn_disclosures_are_not_shown(tmp_path: Path) -> None:
    publication = a_publication(tmp_path / "own", count=4, waiting=0)
    raise_review(publication, "1", "Ada")
    real = real_patents(tmp_path / "real.jsonl", 20)
    for number in range(2):  # once with the new record in the queue, once with it in the log
        make(publication, tmp_path / f"out{number}", (real,), sample=4, seed=1)
        sources = {source for item in key_of(tmp_path / f"out{number}")["items"] for source in item["sources"]}
        names = {source for source in sources if source.startswith(("PAP", "queue"))}
        assert names == {f"PAP-000000{n}" for n in ((0, 1, 2, 3) if number == 0 else (0, 2, 3, 4))}
        facts.append(publication.output)


def test_rates_and_kappa_of_two_raters(publication: Publication, made: Path, tmp_path: Path) -> None:
    sets = {item["id"]: item["set"] for item in key_of(made)["items"]}
    disclosures = [item for item in sets if sets[item] == "disclosure"]

    def ada(item: dict[str, Any], question: str) -> str:
        if question == "cite":
            return "" if item["set"] == "control" else "unknown" if item["id"] == disclosures[0] else "yes"
        return "no" if item["set"] == "control" else "yes"

    def ben(item: dict[str, Any], question: str) -> str:
        return "no" if item["set"] == "control" or item["id"] in disclosures[:3] else "yes"

    one, two = answers(made, tmp_path / "1.json", "Ada", ada), answers(made, tmp_path / "2.json", "Ben", ben)
    outcome = score(publication, made / "key.json", (one, two))
    found = outcome.figures["questions"]["understandable"]
    assert found["disclosure"]["first"]["yes"] == 12
    assert found["disclosure"]["second"] == {"yes": 9, "n": 12, "interval": found["disclosure"]["second"]["interval"]}
    assert found["disclosure"]["second"]["interval"] == pytest.approx([0.4677, 0.9111], abs=1e-3)
    assert found["disclosure"]["both"]["yes"] == 9
    assert found["control"]["both"] == {"yes": 0, "n": 3, "interval": found["control"]["both"]["interval"]}
    assert found["control"]["kappa"] == {"value": None, "n": 3}
    chance = 15 / 18 * 12 / 18 + 3 / 18 * 6 / 18
    assert found["all"]["kappa"]["value"] == pytest.approx((15 / 18 - chance) / (1 - chance))
    cite = outcome.figures["questions"]["cite"]
    assert cite["disclosure"]["unknown"] == [1, 0]
    assert cite["control"]["missing"] == [3, 0]
    assert cite["all"]["kappa"]["n"] == 14
    assert cite["all"]["kappa_with_unknown"]["n"] == 15
    text = "\n".join(outcome.lines)
    assert "  disclosures: kappa 0.00 (n = 12)" in text
    assert "    Ben: yes 9 of 12 = 75% (47% to 91%)" in text
    assert "    Ada: 0 cannot say, 3 not answered" in text
    assert json.loads(json.dumps(outcome.figures)) == outcome.figures


def test_files_that_cannot_be_scored_are_named(publication: Publication, made: Path, tmp_path: Path) -> None:
    good = answers(made, tmp_path / "good.json", "Ada")
    other = tmp_path / "other.json"
    texts = key_of(made)["items"]
    some = texts[0]["id"]
    bad: list[tuple[dict[str, Any], str]] = [
        ({"form": "0" * 32}, "answers to another form"),
        ({"schema": "else"}, "not a file of answers"),
        ({"rater": "  "}, "names no rater"),
        ({"rater": " ADA "}, "both files are of the rater"),
        ({"answers": []}, "holds no answers"),
        ({"answers": {"0000000": {}}}, "no text of this form"),
        ({"answers": {some: {"wit": "yes"}}}, "no text of this form"),
        ({"answers": {some: {"cite": "perhaps"}}}, "none of yes, no, unknown"),
        ({"answers": {some: {"cite": ["yes"]}}}, "none of yes, no, unknown"),
    ]
    for changes, why in bad:
        answers(made, other, "Ben", **changes)
        with pytest.raises(ConfigError, match=why):
            score(publication, made / "key.json", (good, other))
    for data in (b"", b"\xff", b"[]", b"{" * 10_000, good.read_bytes()[:-30]):
        other.write_bytes(data)
        with pytest.raises(ConfigError, match=r"a rater's answers"):
            score(publication, made / "key.json", (good, other))
        with pytest.raises(ConfigError, match="the key"):
            score(publication, other, (good, good))
    with pytest.raises(ConfigError, match="not the key of a review"):
        score(publication, good, (good, good))
    with pytest.raises(ConfigError, match="both files are of the rater Ada"):
        score(publication, made / "key.json", (good, good))
    with pytest.raises(ConfigError, match="cannot be read"):
        score(publication, made / "key.json", (good, tmp_path / "nowhere.json"))


def test_a_review_is_raised_and_logged(tmp_path: Path) -> None:
    publication = a_publication(tmp_path, count=3, waiting=0)
    for serial in ("PAP-0000001", "1"):
        outcome = raise_review(publication, serial, "Ada Example, engineer")
        assert "waits in" in outcome.lines[0]
    facts.append(publication.output)
    assert facts.entries(publication.output)[-1][1] == Superseded(1, 3)
    again = raise_review(publication, "0000001", "Ada Example, engineer")
    assert again.lines == (
        "review: done already: PAP-0000003 supersedes PAP-0000001, reviewed by Ada Example, engineer",
    )
    for serial in ("", "x", "-1", "XX-1", "1.0", "9" * 30):
        with pytest.raises(ConfigError, match="no serial number"):
            raise_review(publication, serial, "Ada")
    with pytest.raises(LogError, match="entry 77 of the log is no disclosure"):
        raise_review(publication, "77", "Ada")
    with pytest.raises(LogError, match="superseded by disclosure 3 already"):
        raise_review(publication, "1", "Ben")


def test_a_disclosure_whose_record_is_not_the_logged_one_is_not_shown(tmp_path: Path) -> None:
    publication = a_publication(tmp_path / "own", count=4, waiting=0)
    shutil.copy(archive.record_path(publication.output, 1), archive.record_path(publication.output, 2))
    with pytest.raises(PressError, match="not the record that the log names"):
        make(publication, tmp_path / "out", (real_patents(tmp_path / "real.jsonl", 20),), sample=4, seed=1)
