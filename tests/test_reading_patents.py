"""Known patents as a model reads them: losses against transformers' own, choices, what is drawn, what does not fit."""

import json
import math
import mmap
from collections import Counter
from pathlib import Path

import pytest
from test_evaluation import ids, loss
from tiny_model import save_tiny, write_profile

from generator.base.errors import CorpusError
from generator.corpus.documents import Document
from generator.measure.evaluation.contenders import contender
from generator.measure.evaluation.held_out import HeldOut, read_held_out
from generator.measure.evaluation.memory import Peak
from generator.measure.evaluation.reading import DRAFTED, NEXT, TEXTS, Reader
from generator.record.layouts import DIRECTIONS, PROMPTS, write_layout

STARTER_TEXTS = Path(__file__).parent.parent / "generator" / "measure" / "controls.jsonl.zst"
THINGS = ("tea", "soup", "paint", "glue", "wood", "air")


def patent(thing: str, claims: int = 3) -> dict[str, object]:
    first = f"A method for making {thing}, comprising: heating water; and adding {thing}."
    more = [f"The method of claim 1, wherein the {thing} is held for {n} hours." for n in range(2, claims + 1)]
    return {
        "id": f"X{thing}",
        "title": f"Making {thing}",
        "abstract": f"{thing.title()} is made.",
        "claims": [first, *more],
    }


def written(path: Path, values: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny"), positions=1024)


@pytest.fixture(scope="module")
def held_out(tmp_path_factory: pytest.TempPathFactory) -> HeldOut:
    values = [patent(thing, claims) for thing, claims in zip(THINGS, (3, 8, 1, 2, 4, 5), strict=True)]
    return read_held_out(written(tmp_path_factory.mktemp("held") / "held.jsonl", values))


def reader(folder: Path, name: str = "") -> Reader:
    return Reader.open(contender(name or str(folder), folder.parent, "fp32"), 1, lambda _: None)


def split(folder: Path, before: str, tail: str) -> tuple[list[int], list[int]]:
    whole, first = ids(folder, before + tail), ids(folder, before)
    assert whole[: len(first)] == first
    return first, whole[len(first) :]


def test_losses_are_transformers_own_after_the_opening_and_with_the_end(folder: Path, held_out: HeldOut) -> None:
    one = held_out.documents[1]
    found = {(loss.direction, loss.text): loss for loss in reader(folder).read(held_out, 1).losses}
    assert list(found) == [(direction, text) for direction in DIRECTIONS for text in TEXTS]
    for (direction, text), measured in found.items():
        claims = one.claims if text == "whole" else one.claims[:DRAFTED]
        assert len(claims) == (8 if text == "whole" else 6)
        laid_out = write_layout(direction, one.title, one.abstract, claims)
        before, after = split(folder, PROMPTS[direction], laid_out[len(PROMPTS[direction]) :])
        assert measured.nats == pytest.approx(-loss(folder, before, [*after, 0]), rel=1e-4)
        assert measured.characters == len(laid_out) - len(PROMPTS[direction])
        assert (measured.tokens, measured.row) == (len(after) + 1, len(before) + len(after) + 1)
        assert measured.length == measured.row


def test_a_text_without_more_claims_is_read_once_for_both(folder: Path, held_out: HeldOut) -> None:
    whole, drafted, *_ = reader(folder).read(held_out, 0).losses
    assert (whole.nats, whole.seconds, drafted.text) == (drafted.nats, drafted.seconds, "as drafted")


def test_choices_are_of_the_same_text_after_four_others(folder: Path, held_out: HeldOut) -> None:
    own, others = held_out.documents[0], held_out.others(0, "head")
    found = {choice.question: choice for choice in reader(folder).read(held_out, 0).choices}
    wanted = []
    for one in (own, *others):
        head = f"# Patent\n\n## Title\n{one.title}\n\n## Abstract\n{one.abstract}\n\n"
        claims = "## Claims\n\n" + "\n\n".join(f"{n}. {text}" for n, text in enumerate(own.claims, 1))
        wanted.append(loss(folder, *split(folder, head, claims)))
    assert found["top-down"].scores == pytest.approx(wanted, rel=1e-4)
    wanted = []
    for one in (own, *others):
        claims = "\n\n".join(f"{n}. {text}" for n, text in enumerate(one.claims[:DRAFTED], 1))
        head = f"## Abstract\n{own.abstract}\n\n## Title\n{own.title}"
        wanted.append(loss(folder, *split(folder, f"# Patent\n\n## Claims\n\n{claims}\n\n", head)))
    assert found["bottom-up"].scores == pytest.approx(wanted, rel=1e-4)


def test_the_next_claim_is_told_from_claims_of_others_by_its_mean(folder: Path, held_out: HeldOut) -> None:
    own = held_out.documents[4]
    number = held_out.drawn(4, "claim", 3) + 2
    others = held_out.others(4, "claim", lambda one: len(one.claims) > 1)
    (found,) = (choice for choice in reader(folder).read(held_out, 4).choices if choice.question == NEXT)
    before = write_layout("top-down", own.title, own.abstract, own.claims[: number - 1]) + "\n\n"
    wanted = []
    for one in (own, *others):
        text = one.claims[min(number, len(one.claims)) - 1]
        first, tail = split(folder, before, f"{number}. {text}")
        wanted.append(loss(folder, first, tail) / len(tail))
    assert found.scores == pytest.approx(wanted, rel=1e-4)
    assert len({round(score, 4) for score in found.scores}) == 4


def test_one_claim_has_no_next_one(folder: Path, held_out: HeldOut) -> None:
    assert [choice.question for choice in reader(folder).read(held_out, 2).choices] == list(DIRECTIONS)


def test_examples_of_a_prompt_are_read_and_not_counted(folder: Path, held_out: HeldOut, tmp_path: Path) -> None:
    shown = write_layout("top-down", "Valve", "A valve.", ["A valve, comprising a body."]) + "\n\n"
    more = f'[prompts]\ntop-down = """{shown}# Patent\n\n## Title\n"""\n'
    write_profile(tmp_path / "shown.toml", folder, context=1024, more=more)
    profile = contender(str(tmp_path / "shown.toml"), tmp_path, "fp32")
    with_examples = Reader.open(profile, 1, lambda _: None).read(held_out, 0).losses[0]
    alone = reader(folder).read(held_out, 0).losses[0]
    assert (with_examples.tokens, with_examples.characters) == (alone.tokens, alone.characters)
    assert with_examples.length == alone.length
    assert with_examples.row == alone.row + len(ids(folder, shown))
    one = held_out.documents[0]
    text = write_layout("top-down", one.title, one.abstract, one.claims)[len(PROMPTS["top-down"]) :]
    before, after = split(folder, shown + PROMPTS["top-down"], text)
    assert with_examples.nats == pytest.approx(-loss(folder, before, [*after, 0]), rel=1e-4)


def test_what_does_not_fit_is_told_and_not_cut(folder: Path, held_out: HeldOut, tmp_path: Path) -> None:
    fits = reader(folder).read(held_out, 1)
    for row in (fits.losses[0].row, fits.losses[0].row - 1):
        write_profile(tmp_path / "short.toml", folder, context=row)
        short = Reader.open(contender(str(tmp_path / "short.toml"), tmp_path, "fp32"), 1, lambda _: None)
        whole, drafted, *_ = short.read(held_out, 1).losses
        assert (whole.nats is not None) == (row == fits.losses[0].row)
        assert (whole.row, whole.length) == (fits.losses[0].row, fits.losses[0].length)
        assert drafted.nats == pytest.approx(fits.losses[1].nats)
    longest = max(choice.row for choice in fits.choices)
    write_profile(tmp_path / "short.toml", folder, context=longest - 1)
    short = Reader.open(contender(str(tmp_path / "short.toml"), tmp_path, "fp32"), 1, lambda _: None)
    assert [bool(choice.scores) for choice in short.read(held_out, 1).choices] == [
        choice.row < longest for choice in fits.choices
    ]


def test_others_are_unlike_and_stay_whatever_is_asked(held_out: HeldOut, tmp_path: Path) -> None:
    for place, own in enumerate(held_out.documents):
        drawn = held_out.others(place, "head")
        assert len({one.title for one in (own, *drawn)}) == 4
        assert drawn == held_out.others(place, "head")
    assert len({tuple(one.number for one in held_out.others(0, f"{n}")) for n in range(9)}) > 1
    places = Counter(one.number for n in range(300) for one in held_out.others(0, f"{n}"))
    assert min(places.values()) > 120  # of five that may be drawn each is in 180 of 300 draws
    twin = {**patent("tea"), "id": "Y", "title": "Making tea anew"}  # a relative: its abstract is the same
    few = read_held_out(written(tmp_path / "few.jsonl", [patent("tea"), twin, patent("soup"), patent("paint")]))
    assert [one.number for one in few.others(0, "head")].count("Y") == 0
    assert len(few.others(0, "head")) == 2


def test_incomplete_repeated_and_damaged_documents_are_counted(tmp_path: Path) -> None:
    values = [patent(thing) for thing in THINGS[:4]]
    values += [{**patent("air"), "claims": []}, {**patent("air"), "abstract": ""}, {**patent("tea"), "id": "again"}]
    path = written(tmp_path / "some.jsonl", [*values, {"id": 3}])
    found = read_held_out(path)
    assert [one.number for one in found.documents] == ["Xtea", "Xsoup", "Xpaint", "Xglue"]
    assert (found.incomplete, found.repeated, found.unread) == (2, 1, 1)
    assert found.holds(Document("Xtea", "", ""))
    assert found.holds(Document("other", "MAKING TEA", "Tea is made."))
    assert not found.holds(Document("other", "Making tea", "Another abstract."))
    again = read_held_out(written(tmp_path / "other.jsonl", values[:4]))
    assert again.sha256 == found.sha256
    assert again.sha256 != read_held_out(written(tmp_path / "turned.jsonl", values[3::-1])).sha256


def test_data_without_claims_is_an_error(tmp_path: Path) -> None:
    heads = [{**patent(thing), "claims": []} for thing in THINGS]
    with pytest.raises(CorpusError, match="data without claims: 6 documents, none complete"):
        read_held_out(written(tmp_path / "heads.jsonl", heads))
    with pytest.raises(CorpusError, match="3 complete documents, at least 4 are needed"):
        read_held_out(written(tmp_path / "three.jsonl", [patent(thing) for thing in THINGS[:3]]))
    (tmp_path / "plain.txt").write_text("A valve, comprising a body.")
    with pytest.raises(CorpusError, match="of a kind that is not read"):
        read_held_out(tmp_path / "plain.txt")


def test_a_peak_begins_anew() -> None:
    first = Peak()
    held = mmap.mmap(-1, 64 << 20)  # an allocator may keep what is freed
    held.write(b"x" * len(held))
    high = first.bytes()
    if high is None:
        pytest.skip("this system does not tell a peak from a moment on: no /proc/self/clear_refs")
    held.close()
    low = Peak().bytes()
    assert low is not None
    assert high - low > 48 << 20


def test_the_starter_model_knows_what_belongs_together() -> None:
    """Untrained, it would need log2 of its vocabulary for each token: 3 bits a character or more."""
    model = Reader.open(contender("starter", Path(), "fp32"), 1, lambda _: None)
    known = read_held_out(STARTER_TEXTS)
    short = sorted(range(len(known.documents)), key=lambda place: sum(map(len, known.documents[place].claims)))[:4]
    found = [model.read(known, place) for place in short]
    losses = [loss for read in found for loss in read.losses if loss.nats is not None]
    assert len(losses) == 16
    bits = sum(loss.nats or 0 for loss in losses) / math.log(2) / sum(loss.characters for loss in losses)
    assert 0.3 < bits < 1.6
    choices = [choice for read in found for choice in read.choices]
    right = sum(max(range(4), key=choice.scores.__getitem__) == 0 for choice in choices)
    assert right >= 0.75 * len(choices)
