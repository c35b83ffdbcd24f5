"""The report from files of runs, judgements and controls, and the page that shows it."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from judgements import OBVIOUS
from run_reports import CORPUS, SELFTEST, SESSION, old_report, row, run_report, write_reports
from site_fixture import build_site, patents, write_archive

from generator.base import canonical, files
from generator.base.errors import ConfigError, PressError
from generator.base.intervals import wilson
from generator.base.publication import Publication
from generator.base.settings import Settings
from generator.measure.report import compute, ladder, report
from generator.run.cost import Prices
from generator.site.pages import render
from generator.site.plots import figures
from generator.site.report_facts import MEMBERS, read_accepted, read_controls, read_report, read_runs

ROOT = Path(__file__).parent.parent
NOW = "2026-11-22T03:17:00Z"


def computed(runs, accepted=(), controls=None, prices=None):
    return compute(runs, accepted, controls, prices or Prices(), made_at=NOW, seed=0)


def gates(value, by="all", name="all drafts"):
    (found,) = [r for r in value["ladder"] if (r["by"], r["value"]) == (by, name)]
    return {gate["gate"]: gate for gate in found["gates"]}


def test_the_ladder_adds_up_by_direction_temperature_and_model():
    other = {"model": "other", "revision": "2"}
    value = computed([run_report(1), run_report(2, temperature="0.8"), run_report(3, model=other)])
    whole = gates(value)
    assert [whole[g]["passed"] for g in ("G0", "G1", "G2", "G3", "G4")] == [510, 300, 180, 90, 36]
    assert whole["G3"]["of"] == whole["G4"]["of"] == 600
    assert (whole["G3"]["low"], whole["G3"]["high"]) == wilson(90, 600)
    assert gates(value, "direction", "top-down")["G4"]["passed"] == 24
    assert gates(value, "temperature", "0.8")["G3"]["of"] == 200
    assert gates(value, "model", "other 2")["G3"]["passed"] == 30
    for by in ("direction", "temperature", "model"):
        rows = [r for r in value["ladder"] if r["by"] == by]
        assert sum(r["drafts"] for r in rows) == 600
        assert sum(r["gates"][3]["passed"] for r in rows) == 90


def test_without_a_corpus_g4_is_not_assessed_and_not_zero():
    value = computed([run_report(corpus=None)])
    assert gates(value)["G4"] == {"gate": "G4", "passed": None, "of": None, "share": None, "low": None, "high": None}
    assert value["cost"]["per_distinct_g4"] is None
    assert value["corpora"] == []


def test_g4_counts_drafts_of_runs_with_a_corpus_alone():
    bare = run_report(2, corpus=None, ladder=[row("top-down", 200, 180, 100, 60, 30, 0)])
    assert gates(computed([run_report(1), bare]))["G4"]["of"] == 200
    assert gates(computed([run_report(1), bare]))["G3"]["of"] == 400


def test_a_corpus_in_which_nothing_was_found_gives_zero_with_an_upper_end():
    empty = run_report(ladder=[row("top-down", 200, 180, 100, 60, 30, 0, assessed=30)])
    found = gates(computed([empty]))["G4"]
    assert (found["passed"], found["share"]) == (0, 0)
    assert found["high"] > 0
    cost = computed([empty])["cost"]["per_distinct_g4"]["cpu_seconds"]
    assert cost == {"value": None, "low": pytest.approx(400 / 3), "high": None}


def test_older_runs_are_read_and_what_they_lack_is_not_recorded():
    value = computed([old_report(1), run_report(2)])
    assert value["drafts"] == 400
    assert value["drafts_without_ladder"] == 200
    assert value["cost"]["drafts"] == 200
    assert value["runs"][0]["gates"] is None
    assert value["runs"][0]["cpu_seconds_per_accepted"] is None
    assert value["runs"][0]["accepted"]["passed"] == 30
    assert {(r["gate"], r["reason"]): r["drafts"] for r in value["reasons"]}[None, "loop"] == 100
    alone = computed([old_report(1)])
    assert alone["ladder"] == []
    assert alone["early_stops"] is alone["cost"]["cpu_seconds"] is alone["cost"]["per_accepted"] is None


def test_costs_are_those_of_all_drafts():
    cost = computed([run_report(1), run_report(2)])["cost"]
    assert cost["cpu_seconds"] == 800
    assert cost["per_accepted"]["cpu_seconds"]["value"] == pytest.approx(800 / 60)
    assert cost["per_distinct_g4"]["cpu_seconds"]["value"] == pytest.approx(800 / 24)
    assert cost["judging_share"] == pytest.approx(16 / 800)
    assert (cost["energy"], cost["kwh"], cost["per_accepted"]["money"]) == ("not known", None, None)


def test_energy_is_measured_only_when_every_session_did():
    read = {**SESSION, "energy_millijoules": 7_200_000}
    prices = Prices(watts=20)
    both = computed([run_report(1, engine=[read, read])], prices=prices)["cost"]
    assert (both["energy"], both["kwh"]) == ("measured", pytest.approx(0.004))
    one = computed([run_report(1, engine=[read, SESSION])], prices=prices)["cost"]
    assert (one["energy"], one["kwh"]) == ("estimated", pytest.approx(800 * 20 / 3.6e6))


def test_no_run_at_all_gives_a_report():
    value = computed([])
    assert value["ladder"] == value["runs"] == value["reasons"] == []
    assert value["speed"]["words_per_second"] is None
    assert value["cost"]["per_accepted"] is None


def publication_of(tmp_path, *reports, judged=()):
    output = tmp_path / "output"
    write_reports(output, *reports)
    write_archive(output, patents()[:2], judged=judged)
    return Publication(tmp_path, Settings(), lambda _: None, now=lambda: NOW)


def test_the_command_reads_log_and_queue_and_writes_the_same_bytes_again(tmp_path):
    publication = publication_of(tmp_path, run_report(1), judged=[OBVIOUS, None])
    waiting = publication.output / "queue" / "2026-11-01-00000001-000001.json"
    files.write(waiting.with_suffix(".judgement.json"), OBVIOUS.to_bytes())
    files.write(waiting, replace(patents()[2], salt="ff" * 16).to_bytes())
    outcome = report(publication)
    data = (publication.output / "report.json").read_bytes()
    value = json.loads(data)
    assert value == outcome.figures == read_report(publication.output)
    assert value["diversity"]["disclosures"] == 3
    assert value["diversity"]["subclasses"] == len({OBVIOUS.classification.subclasses[0].symbol})
    assert value["g4_documents"] == {"documents": 2, "distinct": 2}
    assert value["made_at"] == NOW
    report(publication)
    assert (publication.output / "report.json").read_bytes() == data
    assert any("G4  12 of 200: 6.0 % (3.5 to 10.2 %)" in line for line in outcome.lines)


def test_repeated_documents_count_once_in_the_cost_of_g4(tmp_path):
    item = SimpleNamespace(text="one text of words " * 20, judgement=OBVIOUS, disclosure=None)
    value = computed([run_report(1)], [item, item])
    assert value["g4_documents"] == {"documents": 2, "distinct": 1}
    assert value["cost"]["per_distinct_g4"]["cpu_seconds"]["value"] == pytest.approx(2 * 400 / 12)


def test_prices_come_from_settings_and_options_go_before_them(tmp_path):
    publication = publication_of(tmp_path, run_report(1))
    publication = replace(publication, settings=Settings(watts="20", price_per_cpu_hour="0.36", currency="EUR"))
    cost = report(publication).figures["cost"]
    assert cost["prices"] == {"watts": 20, "per_cpu_hour": 0.36, "per_kwh": None, "currency": "EUR"}
    assert cost["per_accepted"]["money"]["value"] == pytest.approx(0.36 * 400 / 3600 / 30)
    assert report(publication, price_per_cpu_hour="").figures["cost"]["per_accepted"]["money"] is None
    with pytest.raises(ConfigError, match="watts"):
        report(publication, watts="-3")
    with pytest.raises(ConfigError, match="price_per_kwh"):
        report(publication, price_per_kwh="nan")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"drafts": "many"}, "drafts: 'many': a whole number is expected"),
        ({"accepted": -1}, "accepted: '-1': a whole number that is not negative is expected"),
        ({"ladder": [{"direction": "x"}]}, "ladder[0].assessed"),
        ({"ladder": 3}, "ladder: '3': an array is expected"),
        ({"engine": ["x"]}, "engine[0]: 'x': an object is expected"),
        ({"engine": [{"cpu_milliseconds": "x"}]}, "engine[0].cpu_milliseconds"),
        ({"reasons": {"loop": "x"}}, "reasons.loop"),
        ({"reason_gates": [{"gate": "G1"}]}, "reason_gates[0].reason"),
        ({"model": None}, "model: missing"),
        ({"plan": [1], "tokens": "5"}, "tokens: '5': a whole number is expected"),
        ({"reasons": {"loop": -1}}, "reasons: \"{'loop': -1}\": counts that are not negative"),
    ],
)
def test_a_damaged_run_is_named_with_its_place(tmp_path, change, named):
    write_reports(tmp_path, run_report(1, **change))
    with pytest.raises(PressError, match=re.escape(named)) as raised:
        read_runs(tmp_path)
    assert "2026-11-01-00000001.json" in str(raised.value)
    assert raised.value.hint


@pytest.mark.parametrize("data", [b"", b"[]", b'{"a": 1}', b"\xff"])
def test_a_torn_run_is_named(tmp_path, data):
    files.write(tmp_path / "runs" / "2026-11-01-00000001.json", data)
    with pytest.raises(PressError, match="2026-11-01-00000001"):
        read_runs(tmp_path)


def test_controls_stand_beside_with_intervals(tmp_path):
    assert read_controls(tmp_path) is None
    files.write(tmp_path / "selftest.json", canonical.dumps(SELFTEST))
    chimera = read_controls(tmp_path)["rows"][1]
    assert chimera["set"] == "chimera"
    assert [gate["gate"] for gate in chimera["gates"]] == ["G1", "G2", "G3"]
    assert (chimera["gates"][1]["low"], chimera["gates"][1]["high"]) == wilson(40, 500)
    files.write(tmp_path / "selftest.json", canonical.dumps({**SELFTEST, "controls": [{"set": "x", "n": 3, "g1": 4}]}))
    with pytest.raises(PressError, match="more than n"):
        read_controls(tmp_path)


def reading(date: str, given: dict[str, tuple[int, int]], by: str = "two engineers, blind") -> bytes:
    ratings = [{"set": name, "first": one, "second": two} for name, (one, two) in given.items() for _ in range(10)]
    value = {"schema": "prior-art-reading/v1", "by": by, "read_at": f"{date}T00:00:00Z", "forms": [date]}
    return canonical.dumps({**value, "models": ["m <b>"], "ratings": ratings})


def quality_page(publication: Publication) -> str:
    report(publication)
    build_site(publication.output)
    return (publication.output / "site/quality.html").read_text(encoding="utf-8")


def test_the_blind_reading_stands_before_the_ladder_with_who_rated(tmp_path):
    publication = publication_of(tmp_path, run_report(1))
    empty = quality_page(publication)
    assert "Nobody has read texts of this publication blind" in empty
    old, new = {"disclosure": (0, 1), "real": (3, 3)}, {"disclosure": (1, 2), "starter_2": (0, 1), "real": (3, 3)}
    files.write(publication.output / "readings/b.json", reading("2026-12-01", new, "Ada <b> & Ben, blind"))
    files.write(publication.output / "readings/c.json", reading("2026-11-01", old))
    page = quality_page(publication)
    assert 'id="reading"' in page
    assert page.index('id="reading"') < page.index('id="ladder"')
    assert "Ada &lt;b&gt; &amp; Ben, blind" in page
    assert page.index("2026-12-01") < page.index("Earlier readings") < page.index("2026-11-01", page.index("Earlier"))
    assert ">1.50<" in page
    assert '<span class="press-meta">1.05 to 2.00</span>' not in page  # equal ratings of ten texts have width
    assert "it is not reached" in page
    assert "it is reached" not in page
    assert "Nobody has read" not in page
    files.write(publication.output / "readings/d.json", reading("2026-12-02", {"disclosure": (2, 3)}))
    assert "it is reached" in quality_page(publication)


def test_no_built_page_says_more_than_that_the_checks_of_form_were_passed(tmp_path):
    """Until a blind reading reaches its goal: neither the pages of disclosures nor those around them, nor the docs."""
    publication = publication_of(tmp_path, run_report(1), judged=[OBVIOUS, None])
    quality_page(publication)
    pages = [*(publication.output / "site").rglob("*.html"), *(publication.output / "site").rglob("*.md")]
    assert len(pages) > 20
    for path in pages:
        shown = re.sub(r"<[^>]*>", " ", path.read_text(encoding="utf-8")).lower()
        for word in ("coherent", "could cite", "would cite", "worth citing"):
            assert word not in shown, f"{path.name}: {word}"
    disclosures = [
        path for path in pages if path.parent.name == "0" and path.stem.isdecimal() and path.suffix == ".html"
    ]
    assert disclosures
    assert all("passed the checks of form" in path.read_text() for path in disclosures)


@pytest.mark.parametrize("data", ["{", "[]", '{"schema": "prior-art-report/v1"}', '{"schema": "x"}'])
def test_a_damaged_report_is_named(tmp_path, data):
    assert read_report(tmp_path) is None
    files.write(tmp_path / "report.json", data.encode())
    with pytest.raises(PressError, match=r"report\.json"):
        read_report(tmp_path)


def test_newest_disclosures_come_first_when_there_are_too_many(tmp_path):
    publication = publication_of(tmp_path)
    assert [item.disclosure.title for item in read_accepted(publication.output, most=1)] == [
        patents()[1].disclosure.title
    ]


def test_the_document_lists_the_members():
    text = (ROOT / "docs" / "report-format.md").read_text(encoding="utf-8")
    value = computed([run_report(1)], [], None)
    assert value.keys() == MEMBERS
    listed = {
        name
        for line in text.split("## Members")[1].split("\n## ")[0].split("\n")
        for name in re.findall(r"`(\w+)`", line.split(" | ")[0])
    }
    assert listed == MEMBERS | {"readings"}  # an older report lacks them
    diversity = text.split("## `diversity`")[1]
    named = {
        name
        for line in diversity.split("\n")
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split(" | ")[0])
    }
    assert named | {"seed"} == value["diversity"].keys()
    costs = text.split("## `cost`")[1].split("\n## ")[0]
    assert not [name for name in value["cost"] if f"`{name}`" not in costs]
    assert not [name for name in ladder([run_report(1)], "all")[0] if f"`{name}`" not in text]


class Cells(HTMLParser):
    """Text of a page's cells, and its elements."""

    def __init__(self, source):
        super().__init__()
        self.cells, self.tags, self.inside = [], [], False
        self.feed(source)

    def handle_starttag(self, tag, _):
        self.tags.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")
            self.inside = True

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data):
        if self.inside:
            self.cells[-1] += data


def page(value):
    site = SimpleNamespace(report=value)
    drawn = figures(value) if value else {}
    return render(ROOT / "site_templates", "pages/quality.md.j2", Settings(), site=site, figures=drawn)


def test_the_page_without_a_report_says_what_to_run():
    text = page(None)
    assert text.startswith("---\ntitle: Quality\n")
    assert "`prior-art report`" in text
    assert "<table" not in text


def test_the_page_has_the_figures_and_their_numbers_in_tables(tmp_path):
    files.write(tmp_path / "selftest.json", canonical.dumps(SELFTEST))
    runs = [run_report(1), run_report(2, temperature="0.8")]
    text = page(
        computed(runs, controls=read_controls(tmp_path), prices=Prices(watts=20, per_cpu_hour=0.36, currency="EUR"))
    )
    cells = Cells(text).cells
    assert text.count("<svg") == 4
    assert "15.0 %60 of 400; 11.8 to 18.8 %" in cells
    assert "25.0 %" not in cells
    assert [cell for cell in cells if cell.startswith("50.0 %") and "200 of 400" in cell]
    assert [cell for cell in cells if cell.startswith("G1 96.0 %") and "G2 8.0 % (5.9 to 10.7 %)" in cell]
    assert [cell for cell in cells if cell.startswith("13.3 (10.")]
    assert "estimated at 20 watts for each busy core" in text
    assert "0.36 for a CPU hour, in EUR" in text
    assert "obvious range (computed)" in text


def test_the_page_of_old_runs_and_of_no_corpus_invents_nothing():
    text = page(computed([old_report(1)]))
    assert "No run has recorded the ladder." in text
    assert "No run has recorded its CPU time." in text
    assert "G4 is **not assessed**" in text
    bare = page(computed([run_report(1, corpus=None)]))
    assert Cells(bare).cells.count("not assessed") >= 4
    assert "Money" not in bare


def test_texts_from_files_of_runs_make_no_element_of_the_page():
    hostile = "</figure>\n\n<script>alert(1)</script> **x** {: #y } $\\frac{1}{0}$ & \" '"
    run = run_report(
        1,
        model={"model": hostile, "revision": hostile, "weights_sha256": hostile},
        temperature=hostile,
        calibration=hostile,
        corpus={**CORPUS, "name": hostile},
        engine=[{**SESSION, "cpu_capability": hostile}],
        reason_gates=[{"gate": hostile, "reason": hostile, "drafts": 3}],
        ladder=[row(hostile, 100, 90, 50, 30, 10, 4), row("top-down", 100, 90, 50, 30, 10, 4)],
        run=hostile,
    )
    controls = {"calibration": hostile, "corpus": "", "seed": 1, "rows": [{"set": hostile, "n": 3, "gates": []}]}
    text = page(computed([run, run_report(2)], controls=controls))
    assert "<script" not in text
    assert "script" not in Cells(text).tags
    plain = page(computed([run_report(1), run_report(2, temperature="0.8")], controls={**controls, "calibration": ""}))
    assert set(Cells(text).tags) == set(Cells(plain).tags)
    assert not [
        line
        for line in text.split("\n")
        if "**x**" in line and not line.startswith(("<tr>", "<figure", "<li>")) and "alibration" not in line
    ]
