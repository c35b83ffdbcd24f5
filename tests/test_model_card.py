"""The card of a trained model: what it states, what it does not invent, and text from outside in it."""

import copy
import json
import re
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from taught_model import save_taught
from test_reading_patents import THINGS, patent, written

from generator.base.errors import ConfigError
from generator.commands.cli import main
from generator.model.weights import weights_sha256
from generator.train.card import model_card
from generator.train.card_figures import NOT_MEASURED

FACTS: dict[str, Any] = {
    "name": "Starter model",
    "date": "2026-11-22",
    "license": "CC-BY-4.0",
    "attribution": "Starter model of Prior Art Press, CC BY 4.0",
    "parameters": 12_345_678,
    "recipe": {
        "name": "starter",
        "seed": 20261122,
        "attributions": ["The town archive, CC0"],
        "data": {"held_out": 0.05, "tiers": ["clean"], "vocabulary": 8192},
        "model": {
            "context": 2048, "hidden": 320, "layers": 6, "heads": 5, "kv_heads": 1, "intermediate": 896,
            "base": "", "revision": "main", "lora_rank": 0,
        },
        "broad": {
            "tokens": 24_000_000, "step_tokens": 8192, "muon_rate": 0.02, "mix": [["description", 0.65], ["head", 0.35]]
        },
        "prefer": {"pairs": 900, "beta": 0.1},
    },
    "stages": [
        {"name": "broad", "tokens": 23_994_368, "steps": 2929, "seconds": 5400, "epochs": {"head": 1.5}, "loss": 2.51},
        {"name": "prefer", "steps": 40, "seconds": 600},
    ],
    "held_out_loss": {"top-down": 1.8123, "bottom-up": 1.8056},
    "data": {
        "train": {"full": 1710, "head": 43_000, "description": 2000},
        "held_out": {"full": 83, "head": 0},
        "families": 46_000,
        "dropped": {"near duplicate": 12},
        "sources": [
            {"name": "patents.jsonl.zst", "sha256": "ab" * 32, "documents": 55_671, "kept": 55_000, "license": "CC0"}
        ],
    },
    "threads": 2,
    "device": "cpu",
    "torch": "2.13.0+cpu",
    "transformers": "5.23.0",
}  # fmt: skip
HOSTILE = "<script>alert(1)</script> | `x` **b** ![i](http://e.x/i.png)\n# Title\n---\n[a](javascript:x) {{ 7*7 }} \x07"


def sections(card: str) -> dict[str, str]:
    """What stands under each heading of the second level, and "" for what is before the first."""
    names = ["", *re.findall(r"^## (.*)$", card, re.MULTILINE)]
    return dict(zip(names, re.split(r"^## .*$", card, flags=re.MULTILINE), strict=True))


class Elements(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


def elements(card: str) -> Elements:
    import markdown

    return Elements(markdown.markdown(card.split("---\n", 2)[2], extensions=["tables"]))


def tables(card: str) -> list[list[list[str]]]:
    """Cells by table and row, the line of dashes left out."""
    found = re.findall(r"(?:^\|.*\n)+", card, re.MULTILINE)
    return [
        [row[1:-1].split("|") for row in one.splitlines() if not re.fullmatch(r"[| -]*-[| -]*", row)] for one in found
    ]


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_taught(tmp_path_factory.mktemp("taught"))


@pytest.fixture(scope="module")
def measured(taught: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `prior-art evaluate` really wrote of a model: drafts beside training data, and questions."""
    root = tmp_path_factory.mktemp("measured")
    held = written(root / "held.jsonl", [patent(thing) for thing in THINGS])
    known = written(root / "known.jsonl", [patent("lamp"), patent("clock")])
    quiz = root / "en.json"
    quiz.write_text('[{"problem": "How long?", "candidates": {"A": "ten", "B": "twenty"}, "answer": "B"}]')
    for words in ((held, "--task", "drafting", "--drafts", "4", "--known", known), (quiz, "--task", "ipquiz")):
        with suppress(SystemExit):
            main(["evaluate", str(taught), "--root", str(root), "--out", str(root), "--file", *map(str, words)])
    found = [json.loads(next(root.glob(f"{name}-*.json")).read_text()) for name in ("held", "en")]
    return found[0], found[1]


def test_it_states_what_training_wrote(tmp_path: Path) -> None:
    card = model_card(FACTS)
    front = yaml.safe_load(card.split("---\n")[1])
    assert front["license"] == "cc-by-4.0"
    assert "base_model" not in front
    parts = sections(card)
    assert "12.3 million parameters" in parts[""]
    assert "trained from random weights" in parts[""]
    assert "demonstration" in parts[""]
    assert (
        "Context 2,048 tokens, byte-level BPE of 8,192 entries, Llama architecture (width 320" in parts["What it does"]
    )
    for said in (
        "full 1,710, head 43,000, description 2,000",
        "| full 83, head 0 |",
        "46,000",
        "near duplicate 12",
        "ab" * 32,
        "CC0",
    ):
        assert said in parts["Data"]
    assert "- The town archive, CC0\n" in parts["Data"]
    for said in (
        "23,994,368",
        "2,929",
        "| 90 |",
        "2.5100",
        "description 65.0 %, head 35.0 %",
        "head 1.50",
        "muon rate 0.02",
    ):
        assert said in parts["Recipe"]
    assert "pairs 900, beta 0.1" in parts["Recipe"]
    assert "| 20261122 |" in parts["Recipe"]
    assert "cpu, 2 CPU threads" in parts["Recipe"]
    assert "2.13.0+cpu" in parts["Recipe"]
    assert "curve.csv" in parts["Curves"]
    assert "](curve.svg)" in parts["Curves"]
    assert "| top-down | 1.8123 |" in parts["Held-out loss"]
    assert "By length: not measured." in parts["Held-out loss"]
    for name in ("Gates", "Memorisation", "Questions"):
        assert parts[name].strip() == "Not measured."
    for said in ("novelty", "does not enable", "machine-written", "not a search"):
        assert said.lower() in parts["What it is not"].lower()


def test_it_invents_nothing(tmp_path: Path) -> None:
    """Without facts no figure, no source and no licence: digits stand in the names of headings and layouts alone."""
    card = model_card({})
    parts = sections(card)
    assert "license" not in yaml.safe_load(card.split("---\n")[1])
    assert "Licence of the weights: not stated. Attribution: not stated." in parts["What it does"]
    assert "Files: not stated." in parts["Data"]
    assert "- not stated" in parts["Data"]
    assert "Stages: not stated." in parts["Recipe"]
    assert "By format: not measured." in parts["Held-out loss"]
    assert not re.search(r"\d", card)
    assert "random weights" not in card
    assert "Prior Art Press" not in card


def test_a_users_model_has_the_users_sources_alone() -> None:
    facts = copy.deepcopy(FACTS)
    facts["recipe"]["model"] |= {"base": "owner/base-model", "revision": "v2", "lora_rank": 8}
    facts["data"]["attributions"] = ["My own archive"]
    card = model_card(facts)
    assert yaml.safe_load(card.split("---\n")[1])["base_model"] == "owner/base-model"
    assert "continued from owner/base-model, revision v2, low-rank additions (LoRA) of rank 8" in card
    assert "random weights" not in card
    assert "- My own archive\n" in card
    assert "The town archive" not in card
    assert not re.search("Pap2Pat|pygrams|USPTO", model_card(facts | {"attribution": None}))


def test_an_attribution_that_ends_with_a_full_stop_gets_no_second() -> None:
    assert "Attribution: Mine, CC BY 4.0.\n" in model_card(FACTS | {"attribution": "Mine, CC BY 4.0."})


def test_it_states_what_evaluate_measured(measured: tuple[dict[str, Any], dict[str, Any]], taught: Path) -> None:
    drafting, quiz = measured
    card = model_card(FACTS | {"weights_sha256": weights_sha256(taught)}, drafting, [quiz])
    parts = sections(card)
    model = drafting["models"][0]
    loss = model["losses"][0]
    assert f"| top-down | whole | {loss['bits_per_character']:.3f} | {loss['low']:.3f} to" in parts["Held-out loss"]
    assert f"{loss['buckets']['1k']['bits_per_character']:.3f} (n 6) | no text | no text |" in parts["Held-out loss"]
    for one in model["drafts"]:
        rates = [one["gates"][gate] for gate in ("G0", "G1", "G2", "G3")]
        shown = " | ".join(f"{100 * r['share']:.1f} % ({100 * r['low']:.1f} to {100 * r['high']:.1f})" for r in rates)
        assert f"| {one['direction']} | 4 | {shown} | {NOT_MEASURED} |" in parts["Gates"]
    held_out = drafting["held_out"]["memorisation"]
    assert f"| held-out patents | 6 | {100 * held_out['share_of_grams']:.2f} % |" in parts["Memorisation"]
    assert "| parsed drafts |" in parts["Memorisation"]
    assert f"in {drafting['known']['documents']} documents given as training data" in parts["Memorisation"]
    assert "### en.json\n\nAll 1 questions." in parts["Questions"]
    assert "| this model, by letter | " in parts["Questions"]
    assert "| baseline: chance | 50.0 % |" in parts["Questions"]
    assert "not measured" not in parts["Held-out loss"] + parts["Memorisation"] + parts["Questions"]


def test_every_table_is_one_and_every_list_too(measured: tuple[dict[str, Any], dict[str, Any]]) -> None:
    card = model_card(FACTS, measured[0], [measured[1]])
    found = tables(card)
    assert len(found) == 9
    for one in found:
        assert len({len(row) for row in one}) == 1
    assert elements(card).tags.count("table") == 9
    assert elements(card).tags.count("li") == 1 + 5
    assert "\n\n\n\n" not in card


def hostile(value: Any) -> Any:
    """The same with every text replaced, but those by which parts are known."""
    if isinstance(value, dict):
        kept = ("name", "task") if "ways" in value or "tokens" in value else ("task",)
        return {key: one if key in kept else hostile(one) for key, one in value.items()}
    if isinstance(value, list):
        return [hostile(one) for one in value]
    return HOSTILE if isinstance(value, str) else value


def test_text_from_outside_makes_no_element(measured: tuple[dict[str, Any], dict[str, Any]]) -> None:
    calm = model_card(FACTS, measured[0], [measured[1]])
    facts = hostile(FACTS)
    facts["recipe"]["model"] |= {"base": HOSTILE}
    facts["stages"][0]["epochs"] = {HOSTILE: 1.5}
    facts["data"]["dropped"] = {HOSTILE: 1}
    facts["held_out_loss"] = {HOSTILE: 1.0, "top-down": 2.0}
    wild = model_card(facts, hostile(measured[0]), [hostile(measured[1])])
    assert sorted(elements(wild).tags) == sorted(elements(calm).tags)
    assert elements(wild).links == elements(calm).links == ["curve.svg"]
    assert [len(one) for one in tables(wild)] == [len(one) for one in tables(calm)]
    assert set(yaml.safe_load(wild.split("---\n")[1])) == {"pipeline_tag", "library_name", "tags"}
    assert wild.count("&#123;&#123; 7&#42;7 &#125;&#125;") == wild.count("7&#42;7") > 20
    assert "7*7" not in wild
    assert "\x07" not in wild


def test_figures_of_another_model_or_task_are_refused(measured: tuple[dict[str, Any], dict[str, Any]]) -> None:
    drafting, quiz = measured
    with pytest.raises(ConfigError, match=r"figures of drafts: .* 0 models in them can be meant"):
        model_card(FACTS | {"weights_sha256": "00" * 32}, drafting)
    with pytest.raises(ConfigError, match=r"figures of questions: .* 0 models in them"):
        model_card(FACTS | {"weights_sha256": "00" * 32}, None, [quiz])
    two = drafting | {"models": drafting["models"] * 2}
    with pytest.raises(ConfigError, match="2 models in them can be meant"):
        model_card(FACTS, two)
    with pytest.raises(ConfigError, match="of the task 'ipquiz', not 'drafting'"):
        model_card(FACTS, quiz)


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": "many"},
        {"held_out_loss": {"top-down": float("nan")}},
        {"held_out_loss": [1]},
        {"stages": [{"steps": 1}]},
        {"data": {"sources": "patents"}},
        {"recipe": []} | {"recipe": ["x"]},
        {"date": 1.5},
    ],
)
def test_facts_of_another_form_are_told(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"training\.json: not of the form") as caught:
        model_card(FACTS | change)
    assert "Train or evaluate" in caught.value.hint
