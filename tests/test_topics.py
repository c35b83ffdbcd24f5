"""Topics: lists that are read and refused, combinations by a rule, drafts that begin with them, what the page says."""

import contextlib
from dataclasses import replace
from pathlib import Path

import facts
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.base.errors import ConfigError, CorpusError
from generator.base.publication import Publication
from generator.base.settings import Settings
from generator.commands import topics as command
from generator.judge import cpc_groups
from generator.judge.cpc_groups import GROUPS, PAIRS, exists, groups, pairs
from generator.model.sampling_settings import Sampling
from generator.record.forms import SYMBOL
from generator.record.layouts import PROMPTS, begun, write_layout
from generator.record.record import Record
from generator.record.topic_rules import COMBINING, combination
from generator.run.plan import RunPlan, brief
from generator.run.topics import MOST_CHARACTERS, MOST_WORDS, RULES, Topic, load_topics, suggest
from generator.site.listings import Volume, _combined
from generator.site.pages import render

TEMPLATES = Path(__file__).parent.parent / "site_templates"


def listed(tmp_path: Path, text: str) -> tuple[Topic, ...]:
    path = tmp_path / "topics.tsv"
    path.write_text(text, encoding="utf-8")
    return load_topics(path)


def test_a_list_of_versions_before_is_read_as_it_was(tmp_path: Path) -> None:
    found = listed(tmp_path, "# class, beginning of a title\nF16K\tValve for\n\nA47J\tMethod for making\n")
    assert found == (Topic("F16K", "Valve for"), Topic("A47J", "Method for making"))
    assert found[0].value() == {"cpc": "F16K", "title": "Valve for"}


def test_symbols_rule_and_the_beginning_of_a_claim_are_read(tmp_path: Path) -> None:
    line = "B62H5/00 H04W4/00 known-elements\tCycle locks with services\tAn arrangement of cycle locks, comprising"
    (found,) = listed(tmp_path, "\ufeff" + line + "\r\n")
    assert found == Topic(
        "B62H5/00 H04W4/00", "Cycle locks with services", "An arrangement of cycle locks, comprising", "known-elements"
    )
    assert listed(tmp_path, found.line) == (found,)
    (claim_only,) = listed(tmp_path, "B62\t\tA lock")
    assert (claim_only.title, claim_only.preamble) == ("", "A lock")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("F16K Valve", ":1: a CPC class, a tab"),
        ("\tValve", ":1: 0 CPC symbols|:1: '' is no symbol"),
        ("F16K\t", ":1: a CPC class, a tab"),
        ("F16K\ta\tb\tc", ":1: a CPC class, a tab"),
        ("F16K\ta\x00b", ":1:"),
        ("# x", "no topic"),
        ("", "no topic"),
        ("F16K\tok\nF16K\tValve <b>big</b>", ":2: markup"),
        ("F16K\tValve &amp; seat", "markup"),
        ("F16K\tValve [x](y)", "markup"),
        ("F16K\t# Patent", "markup"),
        ("F16K\tvalve\t**bold**", "markup"),
        ("F16K\t{{ valve }}", "markup"),
        ("F16K\t" + "valve " * 1700, r":1: 10\d\d\d characters in a line"),
        ("F16K\t" + "v" * 201, "1 to 200 characters"),
        ("F16K\tvalve\t" + "v" * 201, "1 to 200 characters"),
        ("Q99\tValve", ":1: 'Q99' is no symbol of the CPC"),
        ("F16Q\tValve", "'F16Q' is no symbol"),
        ("F16K999/00\tValve", "'F16K999/00' is no symbol"),
        ("F16K H04W4/00 X\tValve", "'X' is no symbol"),
        ("f16k\tValve", "'f16k' is no symbol"),
        ("F16K known-elements substitution\tValve", "'known-elements' is no symbol"),
        ("F16K A47J B62J known-elements\tValve", "3 CPC symbols"),
        ("known-elements\tValve", "0 CPC symbols"),
    ],
)
def test_topics_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        listed(tmp_path, text)
    assert len(str(error.value)) < 400  # of a line of 10,000 characters too
    assert error.value.hint or "no topic" in message


def test_no_topics_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_topics(tmp_path / "none.tsv")
    (tmp_path / "a.tsv").write_bytes(b"F16K\t\xff")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_topics(tmp_path / "a.tsv")


@given(st.text(max_size=300))
def test_whatever_a_line_holds_is_a_topic_or_an_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.tsv"
    path.write_text("F16K\t" + text, encoding="utf-8", errors="surrogatepass")
    with contextlib.suppress(ConfigError):
        assert all("<" not in topic.title + topic.preamble for topic in load_topics(path))


def test_the_tables_are_whole_and_small() -> None:
    assert len(groups()) > 7000
    assert all(SYMBOL.fullmatch(f"{symbol}/00") and title for symbol, title in groups().items())
    assert all(one < other and n > 0 for (one, other), n in pairs().items())
    assert groups()["B62H5"].startswith("Appliances preventing or indicating unauthorised use or theft of cycles")
    assert GROUPS.stat().st_size + PAIRS.stat().st_size < 200_000
    for symbol, there in (("A", True), ("A01", True), ("A01B", True), ("A01B1/00", True), ("A01B1/022", True)):
        assert exists(symbol) is there
    assert not any(map(exists, ("", "I", "A98", "A01B2000/00", "A01B1", "A01B 1/00", "A01B1/0")))


def test_a_damaged_table_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.xz").write_bytes(b"no xz")
    monkeypatch.setattr(cpc_groups, "GROUPS", tmp_path / "x.xz")
    with pytest.raises(CorpusError, match=r"x\.xz"):
        cpc_groups.groups.__wrapped__()


def test_combinations_follow_their_rule_and_can_be_read(tmp_path: Path) -> None:
    found = list(suggest(200, 3))
    assert len({topic.cpc for topic in found}) == 200
    assert found == list(suggest(200, 3))
    assert found != list(suggest(200, 4))
    for topic in found:
        one, other = (symbol[:4] for symbol in topic.cpc.split())
        assert (one == other) == (topic.rule == "substitution")
        assert one == other or tuple(sorted((one, other))) in pairs()  # real patents bear both
        assert len(topic.title) <= MOST_CHARACTERS + 20
        assert len(topic.title.split()) <= MOST_WORDS + 3
        assert topic.preamble.endswith(", comprising")
    assert listed(tmp_path, "\n".join(topic.line for topic in found)) == tuple(found)
    assert {topic.rule for topic in found} == set(RULES)


@pytest.mark.parametrize("within", ["B", "B62", "B62D"])
@pytest.mark.parametrize("rule", RULES)
def test_combinations_within_a_class_and_none_twice(within: str, rule: str) -> None:
    found = list(suggest(10, 1, within=(within,), rules=(rule,)))
    assert found
    for topic in found:
        assert topic.rule == rule
        assert any(symbol.startswith(within) for symbol in topic.cpc.split())
    again = list(suggest(10, 1, within=(within,), rules=(rule,), known={topic.cpc for topic in found}))
    assert not {topic.cpc for topic in again} & {topic.cpc for topic in found}


def test_a_plan_keeps_topics_and_gives_each_direction_its_beginning() -> None:
    topics = (
        Topic("F16K", "Valve"),
        Topic("B62H5/00 H04W4/00", "Locks with radio", "A lock, comprising", "known-elements"),
    )
    plan = RunPlan("starter", 7, "drafts", 10, "0.5", Sampling(), "A publisher", topics, "cal")
    assert RunPlan.from_value(plan.value()) == plan
    briefs = [brief(plan, index) for index in range(100)]
    down = {(b.cpc, b.topic, b.rule) for b in briefs if b.direction == "top-down"}
    assert down == {("F16K", "Valve", "publisher-list"), ("B62H5/00 H04W4/00", "Locks with radio", "known-elements")}
    up = {(b.cpc, b.topic, b.rule) for b in briefs if b.direction == "bottom-up"}
    assert up == {("B62H5/00 H04W4/00", "A lock, comprising", "known-elements")}
    bare = replace(plan, topics=topics[:1])
    assert {b.topic for n in range(100) if (b := brief(bare, n)).direction == "bottom-up"} == {""}
    for damaged in ({"cpc": "F16K"}, {"title": "x"}, "F16K", 3):
        with pytest.raises(ConfigError, match="not a run's plan"):
            RunPlan.from_value({**plan.value(), "topics": [damaged]})


def test_a_topic_stands_where_the_layout_has_its_place() -> None:
    for direction, topic in (("top-down", "Lock for"), ("bottom-up", "A lock, comprising")):
        whole = write_layout(direction, "Lock for cycles", "An abstract.", ["A lock, comprising a body."])  # type: ignore[arg-type]
        assert whole.startswith(begun(PROMPTS[direction], direction, topic))  # type: ignore[index,arg-type]
        assert begun("x\n", direction, "") == "x\n"  # type: ignore[arg-type]


def test_a_record_says_which_groups_it_combines_and_why() -> None:
    assert combination(("B62H5/00", "H04W4/00"), "known-elements") == (
        "combines B62H 5 with H04W 4: known elements by known methods"
    )
    assert combination(("B62H", "H04W4/02"), "substitution") == (
        "combines B62H with H04W 4/02: one known element in place of another"
    )
    assert combination(("B62H",), "publisher-list") == combination((), "") == ""
    for rule in COMBINING:
        record = facts.record(generation=facts.generation(topic="Lock", topic_symbols=("B62H5/00",), topic_rule=rule))
        assert Record.from_bytes(record.to_bytes()) == record


def combined(tmp_path: Path) -> Publication:
    for number, rule in enumerate(("known-elements", "publisher-list", "known-technique")):
        made = facts.generation(topic="Lock", topic_symbols=("B62H5/00", "H04W4/00"), topic_rule=rule)
        path = tmp_path / f"output/queue/{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(facts.record(number, generation=made).to_bytes())
    return Publication(tmp_path, Settings(), lambda _: None)


def test_suggest_leaves_out_what_the_publication_has(tmp_path: Path) -> None:
    publication = combined(tmp_path)
    assert command.suggest(publication, 5).figures["known"] == 1
    facts.append(publication.output)
    outcome = command.suggest(publication, 5, seed=2, within=("B62",), out=tmp_path / "t.tsv")
    assert outcome.figures["known"] == 1
    assert len(load_topics(tmp_path / "t.tsv")) == outcome.figures["topics"] == 5
    for within in ("B98", "B62H5/00", "", "b62", "<b>"):
        with pytest.raises(ConfigError, match="--within"):
            command.suggest(publication, 5, within=(within,))


def test_the_page_of_coverage_lists_what_topics_combine(tmp_path: Path) -> None:
    publication = combined(tmp_path)
    facts.append(publication.output)
    rows = _combined(facts.logged(publication.output))
    assert rows == (
        ("B62H with H04W", "a known technique on a similar device", 1),
        ("B62H with H04W", "known elements by known methods", 1),
    )
    site = type("Site", (), {"combined": rows, "disclosures": 3})()
    page = render(TEMPLATES, "pages/coverage.md.j2", Settings(), site=site)
    assert "2 of 3 disclosures have such a topic" in page
    assert "<td>known elements by known methods</td><td>1</td>" in page
    nothing = render(
        TEMPLATES, "pages/coverage.md.j2", Settings(), site=type("Site", (), {"combined": (), "disclosures": 3})()
    )
    assert "No disclosure has such a topic yet" in nothing
    assert Volume.__dataclass_fields__["combined"].default == ()
