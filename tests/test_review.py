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
from generator.measure.review.sample import FIRST_CLAIMS
from generator.measure.review.scale import GOAL_MEAN
from generator.site.report_facts import read_readings


@pytest.fixture(scope="module")
def publication(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    return a_publication(tmp_path_factory.mktemp("review"))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return real_patents(tmp_path_factory.mktemp("real") / "real.jsonl", 60)


@pytest.fixture(scope="module")
def made(publication: Publication, real: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "out"
    outcome = make(publication, folder, (real,), sample=8, draws=1, seed=7)
    assert "8 disclosures, 6 accepted drafts of starter 2, 6 real patents" in outcome.lines[0]
    return folder


def data_of(folder: Path) -> dict[str, Any]:
    page = (folder / "form.html").read_text()
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1])


def key_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "key.json").read_bytes())


def two(item: dict[str, Any]) -> str:
    return "2"


def answers(folder: Path, path: Path, who: str, choose=two, **changes: Any) -> Path:
    key = key_of(folder)
    said = {item["id"]: {"sense": choose(item)} for item in key["items"] if choose(item)}
    value = {"schema": "prior-art-review-answers/v2", "form": key["form"], "rater": who, "answers": said}
    path.write_text(json.dumps(value | changes))
    return path


def test_the_same_seed_gives_the_same_form_and_another_one_another(
    publication: Publication, real: Path, made: Path, tmp_path: Path
) -> None:
    make(publication, tmp_path / "same", (real,), sample=8, draws=1, seed=7)
    make(publication, tmp_path / "other", (real,), sample=8, draws=1, seed=8)
    assert (tmp_path / "same/form.html").read_bytes() == (made / "form.html").read_bytes()
    assert (tmp_path / "same/key.json").read_bytes() == (made / "key.json").read_bytes()
    assert key_of(tmp_path / "other")["form"] != key_of(made)["form"]


def test_draws_share_no_text_and_the_package_has_real_ones(publication: Publication, tmp_path: Path) -> None:
    outcome = make(publication, tmp_path, sample=4, draws=3, seed=1)
    assert outcome.figures["texts"] == 10
    sources = [(item["set"], item["source"]) for n in "123" for item in key_of(tmp_path / n)["items"]]
    assert len(sources) == len(set(sources)) == 30
    assert {kind for kind, _ in sources} == {"disclosure", "starter_2", "real"}


def test_the_key_says_what_each_text_is(made: Path) -> None:
    items, shown = key_of(made)["items"], {item["id"]: item for item in data_of(made)["items"]}
    assert [item["id"] for item in items] == list(shown)
    assert len(shown) == 20
    for item in items:
        text = shown[item["id"]]
        if item["set"] == "disclosure":
            assert re.fullmatch(r"PAP-\d{7}|queue/\d+\.json", item["source"])
            assert "bracket" in text["claims"][0]
            assert item["model"]
        elif item["set"] == "real":
            number = int(item["source"].removeprefix("US9"))
            assert text["claims"][0].startswith(f"A lamp{number} comprising")
            assert text["title"] == f"Lamp number {number}"
            assert f"lamp{number} of claim 1" in text["claims"][1]
            assert item["model"] == ""
        else:
            assert (item["source"].split()[0], item["model"]) == ("draft", "starter 2")


def test_nothing_in_the_form_tells_where_a_text_comes_from(made: Path) -> None:
    page = (made / "form.html").read_text()
    for item in data_of(made)["items"]:  # a real text may speak of its disclosure
        for text in (item["title"], item["abstract"], *item["claims"]):
            page = page.replace(json.dumps(text).replace("<", "\\u003c"), "")
    assert "comprising" not in page
    for word in ("PAP-", "US9", "disclosure", "starter", "draft", "queue", "seed", "/output", "real pat", "0000000"):
        assert word not in page
    items = data_of(made)["items"]
    assert {tuple(sorted(item)) for item in items} == {("abstract", "claims", "id", "title")}
    assert {len(item["id"]) for item in items} == {7}
    assert all(len(item["claims"]) <= FIRST_CLAIMS for item in items)
    assert all(text[0] == text[0].upper() for item in items for text in (item["abstract"], *item["claims"]))
    assert not any(item["title"].isupper() for item in items)
    sets = [item["set"] for item in key_of(made)["items"]]
    assert sets != sorted(sets)


def test_numbers_and_capitals_are_written_one_way(publication: Publication, tmp_path: Path) -> None:
    lines = real_patents(tmp_path / "a.jsonl", 20).read_text().splitlines()
    values = [json.loads(line) for line in lines]
    for value in values:
        value["claims"][1] = value["claims"][1].replace("The", "the").replace("claim 1", "claim one")
        value["abstract"] = value["abstract"][0].lower() + value["abstract"][1:]
    (tmp_path / "b.jsonl").write_text("\n".join(map(json.dumps, values)))
    for name in ("a", "b"):
        make(publication, tmp_path / name, (tmp_path / f"{name}.jsonl",), sample=4, draws=1, seed=1)
    assert data_of(tmp_path / "a")["items"] == data_of(tmp_path / "b")["items"]


def test_real_texts_come_near_to_the_disclosures_in_length(publication: Publication, tmp_path: Path) -> None:
    short = real_patents(tmp_path / "short.jsonl", 40, length=3).read_text()
    long = real_patents(tmp_path / "long.jsonl", 80, length=80).read_text().splitlines()[40:]
    (tmp_path / "both.jsonl").write_text("\n".join([*long, *short.splitlines()]))
    make(publication, tmp_path / "out", (tmp_path / "both.jsonl",), sample=8, draws=1, seed=3)
    shown = {item["id"]: sum(map(len, item["claims"])) for item in data_of(tmp_path / "out")["items"]}
    assert max(shown[item["id"]] for item in key_of(tmp_path / "out")["items"] if item["set"] == "real") < 1000


def test_hostile_text_stays_inside_the_data(made: Path, publication: Publication, real: Path, tmp_path: Path) -> None:
    folder = tmp_path / "all"
    make(publication, folder, (real,), sample=14, draws=1, seed=1)
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
        make(publication, made, (real,), sample=8, draws=1)
    with pytest.raises(ConfigError, match="3 draws of 16 disclosures cannot be made of 14"):
        make(publication, tmp_path, (real,))
    with pytest.raises(ConfigError, match="draws of 2 disclosures"):
        make(publication, tmp_path, (real,), sample=2)
    few = real_patents(tmp_path / "few.jsonl", 5)
    with pytest.raises(ConfigError, match=r"need 9 real patents .*; 5 patents and 9 drafts were found"):
        make(publication, tmp_path, (few, few), sample=12, draws=1)
    with pytest.raises(CorpusError, match="kind that is not read"):
        make(publication, tmp_path, (made / "form.html",), sample=12, draws=1)
    assert not list(tmp_path.rglob("form.html"))


def test_superseded_and_withdrawn_disclosures_are_not_shown(tmp_path: Path) -> None:
    publication = a_publication(tmp_path / "own", count=4, waiting=0)
    raise_review(publication, "1", "Ada")
    real = real_patents(tmp_path / "real.jsonl", 20)
    for number in range(2):  # once with the new record in the queue, once with it in the log
        make(publication, tmp_path / f"out{number}", (real,), sample=4, draws=1, seed=1)
        sources = {item["source"] for item in key_of(tmp_path / f"out{number}")["items"]}
        names = {source for source in sources if source.startswith(("PAP", "queue"))}
        assert names == {f"PAP-000000{n}" for n in ((0, 1, 2, 3) if number == 0 else (0, 2, 3, 4))}
        facts.append(publication.output)


def test_means_and_kappa_of_two_raters_over_draws(publication: Publication, tmp_path: Path) -> None:
    make(publication, tmp_path / "out", sample=4, draws=3, seed=3)

    def ada(item: dict[str, Any]) -> str:
        return {"disclosure": "2", "starter_2": "0", "real": "3"}[item["set"]]

    def ben(item: dict[str, Any]) -> str:
        return {"disclosure": "1", "starter_2": "0", "real": "3"}[item["set"]]

    files = [tmp_path / "out" / n / "key.json" for n in "123"]
    for n in "123":
        files += [answers(tmp_path / "out" / n, tmp_path / f"{who}{n}.json", who, choose)
                  for who, choose in (("Ben", ben), ("Ada", ada))]  # fmt: skip
    outcome = score(publication, tuple(files))
    found = outcome.figures["sets"]
    assert [found[name]["n"] for name in ("disclosure", "starter_2", "real")] == [12, 9, 9]
    assert (found["disclosure"]["mean"], found["disclosure"]["raters"]) == (1.5, (2.0, 1.0))
    assert found["disclosure"]["low"] < 1.5 < found["disclosure"]["high"]
    assert (found["disclosure"]["zeros"], found["disclosure"]["two_or_better"]) == (0, 0)
    assert (found["starter_2"]["zeros"], found["starter_2"]["mean"], found["starter_2"]["low"]) == (9, 0, 0)
    assert (found["real"]["mean"], found["real"]["high"], found["real"]["two_or_better"]) == (3, 3, 9)
    chance = (9 * 9 + 9 * 9) / 900
    assert outcome.figures["kappa"] == pytest.approx((18 / 30 - chance) / (1 - chance))
    assert outcome.figures["reached"] is False
    text = "\n".join(outcome.lines)
    assert "30 texts in 3 draws, raters Ada, Ben" in text
    assert "disclosures (12): mean 1.50" in text
    assert "is not reached" in text
    assert json.loads(json.dumps(outcome.figures)) == json.loads(json.dumps(outcome.figures | {"sets": found}))
    better = score(publication, (files[0], *(answers(tmp_path / "out/1", tmp_path / f"{who}.json", who)
                                             for who in "AB")))  # fmt: skip
    assert better.figures["sets"]["disclosure"]["mean"] == GOAL_MEAN
    assert better.figures["reached"] is True


def test_a_text_without_both_ratings_is_left_out_and_counted(
    publication: Publication, made: Path, tmp_path: Path
) -> None:
    first = key_of(made)["items"][0]["id"]
    one = answers(made, tmp_path / "1.json", "Ada", lambda item: "" if item["id"] == first else "0")
    outcome = score(publication, (one, made / "key.json", answers(made, tmp_path / "2.json", "Ben")))
    assert (outcome.figures["texts"], outcome.figures["left"]) == (19, 1)
    nothing = answers(made, tmp_path / "3.json", "Ben", lambda _: "")
    with pytest.raises(ConfigError, match="no text has the ratings of both"):
        score(publication, (one, made / "key.json", nothing))


def test_ratings_are_kept_without_names_for_the_quality_page(made: Path, tmp_path: Path) -> None:
    publication = a_publication(tmp_path / "own", count=2, waiting=0)
    files = tuple(answers(made, tmp_path / f"{who}.json", f"Rater {who}") for who in "AB")
    outcome = score(publication, (made / "key.json", *files), by=" two  engineers, blind ")
    path = Path(outcome.figures["kept"])
    assert b"Rater" not in path.read_bytes()
    (kept,) = read_readings(publication.output)
    assert (kept["by"], len(kept["ratings"]), kept["models"]) == (
        "two engineers, blind",
        20,
        ["example/tiny-patent-model"],
    )
    with pytest.raises(ConfigError, match="scored and kept already"):
        score(publication, (made / "key.json", *files), by="others")
    for change in (
        {"ratings": []},
        {"schema": "x"},
        {"by": 1},
        {"ratings": [{"set": "real", "first": 4, "second": 0}]},
    ):
        path.write_bytes(json.dumps({**kept, **change}, sort_keys=True, separators=(",", ":")).encode())
        with pytest.raises(PressError, match=re.escape(str(path))):
            read_readings(publication.output)


def test_forms_of_before_0_7_are_scored_as_they_were(publication: Publication) -> None:
    folder = Path(__file__).parent / "cases/review-0.6"
    outcome = score(publication, (folder / "key.json", folder / "ada.json", folder / "ben.json"))
    found = outcome.figures["questions"]["understandable"]
    assert found["disclosure"]["first"]["yes"] == 12
    assert found["disclosure"]["second"]["interval"] == pytest.approx([0.4677, 0.9111], abs=1e-3)
    assert found["disclosure"]["both"]["yes"] == 9
    assert found["control"]["kappa"] == {"value": None, "n": 3}
    chance = 15 / 18 * 12 / 18 + 3 / 18 * 6 / 18
    assert found["all"]["kappa"]["value"] == pytest.approx((15 / 18 - chance) / (1 - chance))
    cite = outcome.figures["questions"]["cite"]
    assert (cite["disclosure"]["unknown"], cite["control"]["missing"]) == ([1, 0], [3, 0])
    assert (cite["all"]["kappa"]["n"], cite["all"]["kappa_with_unknown"]["n"]) == (14, 15)
    text = "\n".join(outcome.lines)
    assert "  disclosures: kappa 0.00 (n = 12)" in text
    assert "    Ben: yes 9 of 12 = 75% (47% to 91%)" in text
    assert "    Ada: 0 cannot say, 3 not answered" in text


def test_files_that_cannot_be_scored_are_named(publication: Publication, made: Path, tmp_path: Path) -> None:
    good = answers(made, tmp_path / "good.json", "Ada")
    other = tmp_path / "other.json"
    key = made / "key.json"
    some = key_of(made)["items"][0]["id"]
    bad: list[tuple[dict[str, Any], str]] = [
        ({"form": "0" * 32}, "answers to another form"),
        ({"schema": "prior-art-review-answers/v1"}, "answers to another form"),
        ({"schema": "else"}, "neither a key nor a file of answers"),
        ({"rater": "  "}, "rater: .* a rater's name is expected"),
        ({"rater": " ADA "}, "both files are of the rater"),
        ({"answers": []}, r"answers: '\[\]': an object is expected"),
        ({"answers": {"0000000": {}}}, "no text of this form"),
        ({"answers": {some: {"cite": "yes"}}}, rf"answers\.{some}\.cite: not asked"),
        ({"answers": {some: {"sense": "2", "remark": 5}}}, rf"answers\.{some}\.remark: '5': text is expected"),
        ({"answers": {some: 2}, "rater": 3}, rf"(?s)rater: '3': text.*answers\.{some}: '2': an object"),
        ({"answers": {some: {"sense": "4"}}}, "one of 0, 1, 2, 3 is expected"),
        ({"answers": {some: {"sense": 2}}}, rf"answers\.{some}\.sense: '2': text is expected"),
        ({"answers": {some: {"sense": ["2"]}}}, "text is expected"),
    ]
    for changes, why in bad:
        answers(made, other, "Ben", **changes)
        with pytest.raises(ConfigError, match=why):
            score(publication, (key, good, other))
    for data in (b"", b"\xff", b"[]", b"{" * 10_000, good.read_bytes()[:-30]):
        other.write_bytes(data)
        with pytest.raises(ConfigError, match=re.escape(str(other))):
            score(publication, (key, good, other))
    with pytest.raises(ConfigError, match="answers to another form"):
        score(publication, (good, good))
    with pytest.raises(ConfigError, match="no key is among"):
        score(publication, ())
    for files in ((key,), (key, good)):
        with pytest.raises(ConfigError, match=r"[01] files of answers, two are needed"):
            score(publication, files)
    with pytest.raises(ConfigError, match="cannot be read"):
        score(publication, (key, good, tmp_path / "nowhere.json"))
    for change in (
        {"items": []},
        {"items": [{"id": "1"}]},
        {"items": [{"id": "1", "set": "x"}]},
        {"schema": "a-key/v9"},
    ):
        other.write_text(json.dumps(key_of(made) | change))
        with pytest.raises(ConfigError, match="not the key of a review"):
            score(publication, (other, good, good))


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
        make(publication, tmp_path / "out", (real_patents(tmp_path / "real.jsonl", 20),), sample=4, draws=1, seed=1)
