"""Figures as they stand in a page: inline, readable, inert, the same bytes each time."""

import copy
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from run_reports import SELFTEST, old_report, run_report
from test_quality import computed

from generator.base import canonical, files
from generator.site.plots import figures
from generator.site.report_facts import read_controls
from generator.site.svg import SVG

NAMES = {"ladder", "settings", "reasons", "controls", "runs"}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("controls")
    files.write(folder / "selftest.json", canonical.dumps(SELFTEST))
    return computed([run_report(1), run_report(2, temperature="0.8")], controls=read_controls(folder))


@pytest.fixture(scope="module")
def drawn(report):
    return figures(report)


def test_each_figure_has_a_role_a_title_and_its_numbers_in_words(drawn, report):
    assert drawn.keys() == NAMES
    for name, svg in drawn.items():
        root = ElementTree.fromstring(svg)
        assert root.get("role") == "img"
        title, said = root[0], root[1]
        assert (title.tag, said.tag) == (f"{{{SVG}}}title", f"{{{SVG}}}desc")
        assert root.get("aria-labelledby") == title.get("id") == f"figure-{name}-title"
        assert root.get("aria-describedby") == said.get("id")
        assert title.text
        assert "%" in said.text
    said = ElementTree.fromstring(drawn["ladder"])[1].text
    assert "G3 all drafts: 15.0 %" in said
    assert "G4 top-down: 8.0 %" in said


def test_text_is_text_and_colours_are_the_pages(drawn):
    for svg in drawn.values():
        root = ElementTree.fromstring(svg)
        texts = [element.text for element in root.iter(f"{{{SVG}}}text")]
        assert "%" in texts
        colours = {element.get(key) for element in root.iter() for key in ("fill", "stroke")} - {None}
        assert colours <= {"currentColor", "none"}
        assert "#010203" not in svg
    assert {"G0", "G4", "all drafts", "top-down"} <= {
        e.text for e in ElementTree.fromstring(drawn["ladder"]).iter(f"{{{SVG}}}text")
    }


def test_the_sites_policy_holds(drawn):
    """Inline styles would be refused by the browser; images and links would ask for something outside."""
    for svg in drawn.values():
        root = ElementTree.fromstring(svg)
        tags = {element.tag.partition("}")[2] for element in root.iter()}
        assert not tags & {"style", "script", "image", "a", "foreignObject", "metadata"}
        assert not [element for element in root.iter() if "style" in element.attrib]
        assert not [key for e in root.iter() for key in e.attrib if key.endswith("href")]
        assert "\n" not in svg


def test_identifiers_are_unique_on_the_page_and_every_reference_has_one(drawn):
    page = "".join(drawn.values())
    found = re.findall(r'\bid="([^"]+)"', page)
    assert len(found) == len(set(found)) == 2 * len(NAMES)
    assert set(re.findall(r'aria-(?:labelledby|describedby)="([^"]+)"', page)) == set(found)
    assert "url(#" not in page


def test_nothing_is_drawn_outside_the_figure(drawn):
    """Ends of lines, marks and bars; and texts, by the width of a wide letter, in the direction that they take."""
    for svg in drawn.values():
        root = ElementTree.fromstring(svg)
        width, height = map(float, root.get("viewBox").split()[2:])
        for element in root.iter():
            if element.tag == f"{{{SVG}}}line":
                assert all(0 <= float(element.get(key)) <= width for key in ("x1", "x2"))
                assert all(0 <= float(element.get(key)) <= height for key in ("y1", "y2"))
            elif element.tag == f"{{{SVG}}}text":
                reach = 5.3 * len(element.text) * (0.71 if "transform" in element.attrib else 1)
                before = {"start": 0, "middle": reach / 2, "end": reach}[element.get("text-anchor")]
                assert float(element.get("x")) - before >= 0
                assert float(element.get("x")) - before + reach <= width
                assert 0 <= float(element.get("y")) <= height


def test_marks_of_one_row_do_not_lie_on_one_another(drawn):
    root = ElementTree.fromstring(drawn["ladder"])
    places = [e.get("transform").split(" scale")[0] for e in root.iter(f"{{{SVG}}}path")]
    assert len(places) == len(set(places)) == 3 + 15  # of the legend, and of five gates in three series
    assert len({e.get("d") for e in root.iter(f"{{{SVG}}}path")}) == 3


def test_the_same_report_gives_the_same_bytes_in_another_process(report, drawn, tmp_path):
    import json

    (tmp_path / "report.json").write_text(json.dumps(report))
    code = (
        "import json,sys; from generator.site.plots import figures;"
        " print(json.dumps(figures(json.load(open(sys.argv[1])))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "report.json")], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == drawn


def test_a_share_stands_where_its_number_is(drawn):
    """The bars of the ladder: their right ends, from left to right on the axis, are the shares of all drafts."""
    root = ElementTree.fromstring(drawn["ladder"])
    ticks = {e.text: float(e.get("x")) for e in root.iter(f"{{{SVG}}}text") if e.text in ("0", "100")}
    bars = [(float(e.get("x")), float(e.get("width"))) for e in root.iter(f"{{{SVG}}}rect")]
    assert {start for start, _ in bars} == {ticks["0"]}
    shares = [width / (ticks["100"] - ticks["0"]) for _, width in bars]
    assert shares == pytest.approx([0.85, 0.5, 0.3, 0.15, 0.06], abs=0.001)


def test_hostile_labels_are_drawn_as_they_are(report):
    value = copy.deepcopy(report)
    hostile = "</text><script>x</script> $\\frac{1}{0}$ \x07\u2028 & long long long long long long"
    value["reasons"][0]["reason"] = hostile
    svg = figures(value)["reasons"]
    root = ElementTree.fromstring(svg)
    assert "<script" not in svg
    labels = [element.text for element in root.iter(f"{{{SVG}}}text")]
    assert "G1 </text><script>x</script> $\\fr…" in labels


def test_what_is_not_there_is_not_drawn():
    assert figures(computed([])) == {}
    assert figures(computed([old_report(1)])).keys() == {"reasons", "runs"}
    assert "settings" not in figures(computed([run_report(1)]))
    assert "G4" not in ElementTree.fromstring(figures(computed([run_report(1, corpus=None)]))["ladder"])[1].text


def test_many_reasons_and_runs_stay_readable(report):
    value = copy.deepcopy(report)
    value["reasons"] = [{**value["reasons"][0], "reason": f"reason {n}"} for n in range(90)]
    value["runs"] = [{**value["runs"][0], "started_at": f"2026-01-{n:02d}"} for n in range(90)]
    drawn = figures(value)
    assert "reason 23" in drawn["reasons"]
    assert "reason 24" not in drawn["reasons"]
    assert "2026-01-89" in drawn["runs"]
    assert "2026-01-10" not in drawn["runs"]
