"""Descriptions after the claims: how they are read and judged, put into the queue's records, and written again."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import facts
import pytest
import taught_model
import tiny_model
from hypothesis import given
from hypothesis import strategies as st
from written import IDENTITY

from generator import __version__
from generator.base import files
from generator.base.errors import ConfigError
from generator.base.words import content, words
from generator.corpus.elements import elements
from generator.judge import description
from generator.judge.copying import KnownTexts
from generator.judge.description import LEAST_WORDS, described, read_description, unspoken
from generator.judge.parsing import Rejected
from generator.log.archive import queued, unnumbered
from generator.model.interface import Brief, Draft, EngineChoice
from generator.model.loading import open_model
from generator.model.profiles import ModelProfile, load_profile, read_profile
from generator.record.disclosure import Claim, Disclosure
from generator.record.layouts import DESCRIPTION, write_layout
from generator.record.record import Record
from generator.run.describe import TRIES, describe, description_brief, own, with_description, written_description
from generator.run.regenerate import Source, regenerate

BRACKET = Disclosure(
    "Folding bracket with a damped hinge",
    "A folding bracket holds a shelf.",
    (),
    (
        Claim(
            1, "A bracket, comprising: a base for a wall; an arm that carries a shelf; and a damped hinge between them."
        ),
        Claim(2, "The bracket of claim 1, wherein the hinge holds a viscous fluid.", (1,)),
    ),
)
GOOD = (
    "The bracket is fixed to a wall of brick or wood. Its base is a plate of rolled steel, four millimetres thick, "
    "with holes for three screws, so that the wall carries the load. The arm is bent from the same sheet, carrying "
    "the shelf, which rests on it by a strip of felt. Between arm and base sits a damped hinge: a pin turns in a bush "
    "that is filled with silicone oil, and a vane on the pin slows the arm when somebody lets go of it. For a shelf "
    "of five kilograms an oil of medium thickness was found to be enough in this example. The bracket folds flat for "
    "transport."
)
KNOWN = KnownTexts.open(None, None)


def test_the_good_one_is_read_whole_and_passes() -> None:
    texts = read_description(GOOD, "end")
    assert not isinstance(texts, Rejected)
    assert " ".join(texts) == GOOD
    assert all(len(text.split()) <= 120 for text in texts)
    assert described(BRACKET, texts, KNOWN, "") is None


@pytest.mark.parametrize("after", ["\n\n## Claims\n\n1. A bracket", "\n# Patent\n", "\n## Description\nMore of it."])
def test_a_next_heading_ends_it(after: str) -> None:
    assert read_description(GOOD + after, "end") == read_description(GOOD, "end")


def test_a_heading_within_a_line_is_left_out_and_its_sign_alone_is_a_fault() -> None:
    first, rest = GOOD.split("The arm is", 1)
    for within in ("## BACKGROUND ", "# FIELD OF THE ", "## DETAILED DESCRIPTION, SUMMARY\n"):
        assert read_description(f"{first}{within}The arm is{rest}", "end") == read_description(GOOD, "end")
    texts = read_description(f"{first}## The arm is{rest}", "end")
    assert not isinstance(texts, Rejected)
    found = described(BRACKET, texts, KNOWN, "")
    assert found is not None
    assert "sign of a heading" in found.findings[0].message


@pytest.mark.parametrize("cut", [" And then the arm", " It holds 2.5", ' "Half a', " x"])
def test_a_sentence_that_the_limit_cut_is_left_out(cut: str) -> None:
    assert read_description(GOOD + cut, "limit") == read_description(GOOD, "end")


def test_what_is_too_short_is_no_description() -> None:
    for text in ("", "A bracket.", "word " * 500, " ".join(["Word."] * (LEAST_WORDS - 1)), "# " + GOOD):
        found = read_description(text, "limit")
        assert isinstance(found, Rejected), text
        assert (found.gate, found.reason) == ("description", "too_short")


CLAIMS_AGAIN = (
    "The bracket comprises a base for a wall. An arm is carrying a shelf. A damped hinge is between them, between "
    "base and arm. The hinge of the bracket holds a viscous fluid. The base is for the wall, and the arm is for the "
    "shelf. The shelf is on the arm of the bracket, the wall at the base. Viscous is the fluid that the damped hinge "
    "holds. Fluid, hinge, base, arm, shelf and wall are of the bracket; damped is the hinge between the arm and the "
    "base."
)
SHEETS = [f"{letter} is the base plate that is made of steel sheet" for letter in "abcdefghijklmnop"]
ROUND = " ".join([*GOOD.split(". ")[:2], *SHEETS])
UNSUPPORTED = GOOD.replace("damped hinge: a pin", "spring: a pin").replace("arm", "lever").replace("carrying", "under")


@pytest.mark.parametrize(
    ("text", "reason", "said"),
    [
        (f"{GOOD} The arm, the arm, the arm, the arm, the arm, the arm holds.", "generation_fault", "over and over"),
        (f"{GOOD} It ends here <|im_start|> and goes on.", "generation_fault", "token of the layout"),
        (ROUND, "repetitive", "word triples"),
        (CLAIMS_AGAIN, "restates", "not in the claims"),
        (UNSUPPORTED, "unsupported", "a damped hinge between them"),
    ],
)  # fmt: skip
def test_each_reason(text: str, reason: str, said: str) -> None:
    found = described(BRACKET, (text,), KNOWN, "")
    assert found is not None
    assert (found.gate, found.reason) == ("description", reason)
    assert said in found.findings[0].message


def test_a_passage_of_a_known_text_is_a_copy_but_not_of_the_disclosure_itself() -> None:
    known = KnownTexts.open(None, None)
    known.add("other", replace(BRACKET, abstract=GOOD[:300]))
    found = described(BRACKET, (GOOD,), known, "")
    assert found is not None
    assert (found.reason, found.findings[0].message.split(" in ")[1]) == ("copied_run", "a row stand")
    assert described(BRACKET, (GOOD,), known, "other") is None


@given(
    st.lists(
        st.sampled_from(["base", "arm", "hinge", "pump", "valve", "rotor", "sensor", "housing", "light", "battery"]),
        min_size=1,
    )
)
def test_a_text_that_holds_an_elements_words_speaks_of_it(names: list[str]) -> None:
    claim = "A device, comprising: " + "; ".join(f"a {name} of type {name}s" for name in names) + "."
    assert unspoken(claim, frozenset(content(claim))) == ""
    first = elements(claim)[0]
    assert unspoken(claim, frozenset()) == first


class Scripted:
    """A model at the seam that answers each try with the next of its texts."""

    def __init__(self, *texts: str) -> None:
        self.texts, self.asked = texts, []
        self.identity = IDENTITY

    def drafts(self, briefs: list[Brief], sampling: object) -> Iterator[Draft]:
        assert dict(sampling.pairs())["most_claims"] == "0"  # type: ignore[attr-defined]
        self.asked.append(tuple(briefs))
        text = self.texts[min(len(self.asked), len(self.texts)) - 1]
        for one in reversed(briefs):
            prompt = f"turns\n# Patent\n\nnot this one\n{one.written}{DESCRIPTION}\n"
            generation = replace(waiting_record(0).generation, prompt=prompt, stop="end")
            yield Draft(one, prompt[prompt.rindex("# Patent") :] + text, generation, 0.1, 9)


def waiting_record(number: int) -> Record:
    identity = {name: getattr(IDENTITY, name) for name in IDENTITY.__slots__}
    generation = facts.generation(seed=f"{number:016x}", generator_version=__version__, **identity)
    return replace(facts.record(number), disclosure=replace(BRACKET, title=f"Bracket {number}"), generation=generation)


def put(output: Path, *records: Record) -> list[Path]:
    for number, record in enumerate(records):
        files.write(output / "queue" / f"run-{number:06d}.json", record.to_bytes())
    return queued(output)


def test_the_first_try_that_passes_is_put_in_and_the_record_is_otherwise_as_it_was(tmp_path: Path) -> None:
    before = [waiting_record(0), waiting_record(1)]
    paths = put(tmp_path, *before)
    names = json.dumps([unnumbered(one.sha256) for one in before]).encode()
    beside = [path.with_suffix(".judgement.json") for path in paths]
    for path in beside:
        path.write_bytes(names)
    model = Scripted("Too short.", GOOD)
    made = describe(tmp_path, model, KNOWN, report=lambda _: None)  # type: ignore[arg-type]
    assert (made.waiting, made.described, made.others, made.refused) == (2, 2, 0, {"too_short": 2})
    after = [Record.from_bytes(path.read_bytes()) for path in paths]
    for old, new in zip(before, after, strict=True):
        assert " ".join(one.text for one in own(new)) == GOOD
        assert with_description(new, ()) == old
    assert [json.loads(path.read_bytes()) for path in beside] == [[unnumbered(one.sha256) for one in after]] * 2
    assert len({one.seed for asked in model.asked for one in asked}) == 4  # each try of each has a seed of its own
    again = describe(tmp_path, model, KNOWN, report=lambda _: None)  # type: ignore[arg-type]
    assert (again.waiting, again.described, len(model.asked)) == (0, 0, 2)


def test_what_no_try_describes_stays_and_what_others_wrote_is_not_asked(tmp_path: Path) -> None:
    other = waiting_record(1)
    other = replace(other, generation=replace(other.generation, weights_sha256="c" * 64))
    paths = put(tmp_path, waiting_record(0), other)
    before = [path.read_bytes() for path in paths]
    model = Scripted(CLAIMS_AGAIN)
    made = describe(tmp_path, model, KNOWN, report=lambda _: None)  # type: ignore[arg-type]
    assert (made.waiting, made.described, made.others, made.refused) == (1, 0, 1, {"restates": TRIES})
    assert [path.read_bytes() for path in paths] == before


def test_a_character_that_no_record_may_hold_is_refused(tmp_path: Path) -> None:
    put(tmp_path, waiting_record(0))
    made = describe(tmp_path, Scripted(f"{GOOD} \u0378"), KNOWN, report=lambda _: None)  # type: ignore[arg-type]
    assert (made.described, made.refused) == (0, {"character": TRIES})


@pytest.mark.parametrize("kept", range(3))
def test_a_kill_between_two_files_is_made_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    before = [waiting_record(0), waiting_record(1)]
    paths = put(tmp_path, *before)
    names = json.dumps([unnumbered(one.sha256) for one in before]).encode()
    paths[0].with_suffix(".judgement.json").write_bytes(names)
    write, done = files.write, []

    def killed(path: Path, data: bytes, **more: bool) -> None:
        if len(done) == kept:
            raise KeyboardInterrupt
        done.append(path)
        write(path, data, **more)

    monkeypatch.setattr(files, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        describe(tmp_path, Scripted(GOOD), KNOWN, report=lambda _: None)  # type: ignore[arg-type]
    monkeypatch.undo()
    describe(tmp_path, Scripted(GOOD), KNOWN, report=lambda _: None)  # type: ignore[arg-type]
    after = [Record.from_bytes(path.read_bytes()) for path in paths]
    assert all(map(own, after))
    named = json.loads(paths[0].with_suffix(".judgement.json").read_bytes())
    assert named == [unnumbered(one.sha256) for one in after]


def test_only_a_model_that_can_is_asked() -> None:
    for name in ("scribe", "qwen3-4b-chat"):
        one = load_profile(name, Path()).for_descriptions()
        assert one.describing
        assert one.max_new_tokens <= one.context // 2
    for name in ("starter", "kl3m-002-170m-patent", "smollm2-135m"):
        with pytest.raises(ConfigError, match="not trained to go on with a description"):
            load_profile(name, Path()).for_descriptions()


@pytest.fixture(scope="module")
def describing(tmp_path_factory: pytest.TempPathFactory) -> ModelProfile:
    folder = taught_model.save_taught(tmp_path_factory.mktemp("tiny"))
    path = tmp_path_factory.mktemp("profile") / "tiny.toml"
    return read_profile(tiny_model.write_profile(path, folder, more="describes = true\n"))


def test_the_model_reads_text_end_and_heading_and_no_more_claims_than_there_is_room_for(
    describing: ModelProfile,
) -> None:
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(describing.folder)
    choice = EngineChoice(threads=1, number_format="fp32")
    model = open_model(describing.for_descriptions(), choice, report=lambda _: None)
    short = write_layout("top-down", "Tea", "Tea is made.", ["A tea.", "The tea of claim 1."])
    long = write_layout(
        "top-down", "Tea", "Tea is made.", ["A tea.", *(f"The tea of claim {n}." for n in range(1, 90))]
    )
    huge = write_layout("top-down", "Tea", "Tea is made.", ["A tea of leaves. " * 300])
    briefs = [Brief(n, "top-down", "", "", n, written=text) for n, text in enumerate((short, long, huge))]
    drafts = sorted(model.drafts(briefs, describing.sampling), key=lambda draft: draft.brief.index)
    end = len(tokenizer(short)["input_ids"]) + 1 + len(tokenizer(f"{DESCRIPTION}\n")["input_ids"])
    assert drafts[0].generation.prompt_tokens == end
    assert drafts[0].generation.prompt == f"{short}{DESCRIPTION}\n"
    assert drafts[1].generation.prompt.startswith(short.removesuffix("\n\n2. The tea of claim 1."))
    assert "\n\n89. " not in drafts[1].generation.prompt
    room = describing.context - describing.for_descriptions().max_new_tokens
    assert all(draft.generation.prompt_tokens <= room for draft in drafts)
    assert drafts[2].generation.prompt_tokens == room


def test_a_description_is_written_again_and_one_by_hand_is_told(
    describing: ModelProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tiny model writes a few words, so that few are asked for here."""
    from generator.run.judge_draft import Formed, form

    monkeypatch.setattr(description, "LEAST_WORDS", 1)
    choice = EngineChoice(threads=1, number_format="fp32")
    writer = open_model(describing, choice, report=lambda _: None)
    drafts = writer.drafts([Brief(n, "top-down", "", "", n) for n in range(12)], describing.sampling)
    formed = [form(one, created_at=facts.TIME, publisher="Example", salt=bytes(16)) for one in drafts]
    records = [one.record for one in formed if isinstance(one, Formed)]
    model = open_model(describing.for_descriptions(), choice, report=lambda _: None)
    made = {}
    for attempt in range(TRIES):
        briefs = [description_brief(one, index, attempt) for index, one in enumerate(records)]
        for draft in model.drafts(briefs, replace(describing.sampling, most_claims="0")):
            texts = written_description(draft)
            if not isinstance(texts, Rejected) and len(words(" ".join(texts))) > 3:
                made[draft.brief.index] = with_description(records[draft.brief.index], texts)
    true = next(iter(made.values()))
    by_hand = with_description(true, ("Nobody but a person wrote this sentence about valves.",))
    sources = [Source(str(n), one.to_bytes) for n, one in enumerate((true, by_hand, with_description(true, ())))]
    found = {
        one.name: one for one in regenerate(sources, (describing,), EngineChoice(threads=1), report=lambda _: None)
    }
    assert [found[str(n)].result for n in range(3)] == ["reproduced", "different", "reproduced"]
    assert "Nobody but a person" in found["1"].place
