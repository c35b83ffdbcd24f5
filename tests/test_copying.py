"""Gate G3: what is measured, what is refused, against corpus texts, archive, queue and batch."""

import json
import random
import shutil
from dataclasses import replace

import facts
import pytest

from generator.base.errors import PressError
from generator.corpus import archived
from generator.corpus.adding import add
from generator.corpus.documents import as_document, compared_words
from generator.corpus.fingerprints import RUN
from generator.corpus.store import Corpus
from generator.judge.copying import SIMILAR, KnownTexts, not_copied
from generator.log import archive
from generator.record.disclosure import Claim, Disclosure
from generator.record.layouts import DIRECTIONS, write_layout
from generator.record.record import Record


def text(seed: int, count: int) -> str:
    """Words that no other seed writes."""
    chance = random.Random(seed)
    return " ".join(f"{chance.choice('bcdfg')}{chance.choice('aeiou')}{n}q{seed}" for n in range(count))


def written(seed: int, *, inserted: str = "", where: str = "claim") -> Disclosure:
    middle = f" {inserted} " if inserted else " "
    abstract = text(seed + 1000, 60) + (middle if where == "abstract" else "")
    first = f"A valve comprising {text(seed + 2000, 30)}{middle if where == 'claim' else ' '}{text(seed + 3000, 30)}."
    second = f"The valve of claim 1, wherein {text(seed + 4000, 40)}{middle if where == 'second' else ' '}end."
    return Disclosure(f"Valve {text(seed, 3)}", abstract.strip(), (), (Claim(1, first), Claim(2, second, (1,))))


def known_with(*disclosures: Disclosure) -> KnownTexts:
    known = KnownTexts.open(None, None)
    for number, disclosure in enumerate(disclosures):
        known.add(f"batch-{number}", disclosure)
    return known


def test_nothing_is_copied_where_nothing_is_known():
    copying = KnownTexts.open(None, None).measure(written(1))
    assert (copying.longest_run, copying.run, copying.run_in, copying.known_share) == (0, "", "", 0)
    assert (copying.similarity, copying.similar_to) == (0, "")
    assert not_copied(copying) is None


@pytest.mark.parametrize("where", ["abstract", "claim", "second"])
@pytest.mark.parametrize(
    ("length", "reason"), [(12, None), (13, None), (24, None), (25, "copied_run"), (40, "copied_run")]
)
def test_a_run_of_25_words_is_refused_wherever_it_stands(where, length, reason):
    passage = text(77, length)
    known = known_with(written(1), written(2, inserted=passage), written(3))
    copying = known.measure(written(4, inserted=passage, where=where))
    refused = not_copied(copying)
    assert (refused.reason if refused else None) == reason
    assert copying.longest_run == (length if length >= 13 else 0)
    if length >= 13:
        assert copying.run == passage.lower()
        assert copying.run_in == "batch-1"
    if reason:
        assert refused.gate == "G3"
        assert passage[:60] in refused.findings[0].message
        assert "batch-1" in refused.findings[0].message


def test_punctuation_and_capitals_hide_no_copy():
    passage = text(77, 30)
    known = known_with(written(2, inserted=passage))
    disguised = ", ".join(word.capitalize() for word in passage.split())
    assert known.measure(written(4, inserted=disguised)).longest_run == 30


def test_a_text_that_repeats_itself_copies_nobody():
    passage = text(5, 40)
    claims = (Claim(1, f"A valve comprising {passage}."), Claim(2, f"The valve of claim 1 comprising {passage}.", (1,)))
    assert known_with(written(1)).measure(Disclosure("Valve", passage, (), claims)).longest_run == 0


def test_the_description_is_restated_and_is_not_compared():
    same = facts.disclosure(1).description
    known = known_with(replace(written(1), description=same))
    assert known.measure(replace(written(2), description=same)).longest_run == 0


def test_a_near_duplicate_without_a_long_run_is_refused():
    """Every 24th word differs: no run of 25 words, but most 5-word sequences are the same."""
    words = text(9, 300).split()
    changed = [f"new{n}" if n % 24 == 0 else word for n, word in enumerate(words)]
    original, near = (
        Disclosure("Valve", " ".join(some[:100]), (), (Claim(1, f"{' '.join(some[100:])}."),))
        for some in (words, changed)
    )
    known = known_with(written(1), original)
    changed_less = Disclosure("Valve", near.abstract.replace("new0", words[0]), (), near.claims)
    copying = known.measure(changed_less)
    assert copying.longest_run <= RUN
    assert copying.similar_to == "batch-1"
    assert 560 < copying.similarity < 760  # (296 - 60) / (296 + 60) = 0.66
    assert not_copied(replace(copying, longest_run=0)) is None
    refused = not_copied(replace(copying, longest_run=0, similarity=SIMILAR))
    assert refused.reason == "near_duplicate"
    assert "batch-1" in refused.findings[0].message


def test_the_share_counts_sequences_of_13_words():
    passage = text(77, 30)
    known = known_with(written(2, inserted=passage))
    mine = written(4, inserted=passage)
    count = len(compared_words(as_document("", mine))) - 12
    assert known.measure(mine).known_share == round(1000 * 18 / count)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    rows = [
        {"id": f"US{n}", "title": f"Valve {n}", "abstract": text(500 + n, 50), "text": text(600 + n, 400)}
        for n in range(20)
    ]
    (folder / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    add(folder / "corpus", [folder / "a.jsonl"], lambda _: None)
    return Corpus.open(folder / "corpus")


@pytest.mark.parametrize("start", [0, 1, 7, 100, 203, 374, 375])
def test_a_run_anywhere_in_a_description_is_found(corpus, start):
    """Of descriptions one sequence in seven is kept: enough for each run of 25 words."""
    known = KnownTexts.open(None, corpus)
    passage = " ".join(text(613, 400).split()[start : start + 25])
    mine = written(4, inserted=passage)
    copying = known.measure(mine)
    assert (copying.longest_run, copying.run, copying.run_in) == (25, passage, "US13")
    assert not_copied(copying).reason == "copied_run"
    assert known.measure(mine, but="US13").longest_run == 0
    shorter = known.measure(written(4, inserted=passage.rsplit(" ", 1)[0]))
    assert not_copied(shorter) is None
    assert known.copied(write_layout("top-down", mine.title, mine.abstract, [mine.claims[0].text]))


def test_an_abstract_of_the_corpus_is_near_and_copied(corpus):
    copying = KnownTexts.open(None, corpus).measure(Disclosure("Valve 7", text(507, 50), (), (Claim(1, "A valve."),)))
    assert (copying.run_in, copying.similar_to, copying.longest_run) == ("US7", "US7", 52)
    assert copying.similarity > 900
    assert copying.known_share == round(1000 * 40 / 42)  # 52 of the 54 words of the text


def test_a_document_can_be_left_out():
    known = known_with(written(1), written(2))
    assert known.measure(written(2)).run_in == "batch-1"
    copying = known.measure(written(2), but="batch-1")
    assert (copying.longest_run, copying.similarity) == (0, 0)


def test_every_accepted_disclosure_of_a_large_batch_is_known():
    """More than one merging of shelves: 37 is 32 + 4 + 1."""
    disclosures = [written(10 * n) for n in range(37)]
    known = known_with(*disclosures)
    for number, disclosure in enumerate(disclosures):
        copying = known.measure(disclosure)
        assert (copying.run_in, copying.similarity) == (f"batch-{number}", 1000)


def queued(output, disclosures, first=0):
    for number, disclosure in enumerate(disclosures, first):
        record = facts.record(number, disclosure=disclosure)
        path = output / "queue" / f"run-{number:06d}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(record.to_bytes())


def published(output, disclosures, first=0):

    queued(output, disclosures, first)
    facts.append(output)


def test_archive_and_queue_are_known_by_their_names(tmp_path):
    published(tmp_path, [written(1), written(2)])
    queued(tmp_path, [written(3)], first=2)
    (path,) = archive.queued(tmp_path)
    waiting = Record.from_bytes(path.read_bytes())
    known = KnownTexts.open(tmp_path, None)
    assert [known.measure(written(n)).run_in for n in (1, 2, 3, 4)] == [
        "#0",
        "#1",
        archive.unnumbered(waiting.sha256),
        "",
    ]


@pytest.fixture
def small_volumes(monkeypatch):
    monkeypatch.setattr(archive, "VOLUME", 4)


def names(output):
    return sorted(path.name for path in (output / archived.FOLDER).iterdir())


@pytest.mark.usefixtures("small_volumes")
def test_a_full_volume_is_printed_once_and_the_open_one_brought_up_to_date(tmp_path, monkeypatch):
    published(tmp_path, [written(n) for n in range(6)])
    read = []
    real = archived._fingerprint
    monkeypatch.setattr(archived, "_fingerprint", lambda *a: read.append(a[2]) or real(*a))
    KnownTexts.open(tmp_path, None)
    assert (read, names(tmp_path)) == ([0, 1, 2, 3, 4, 5], ["0-4", "1-6"])
    published(tmp_path, [written(n) for n in range(6, 9)], first=6)
    read.clear()
    known = KnownTexts.open(tmp_path, None)
    assert (read, names(tmp_path)) == ([6, 7, 8], ["0-4", "1-8", "2-9"])
    assert [known.measure(written(n)).run_in for n in range(9)] == [f"#{n}" for n in range(9)]
    shutil.rmtree(tmp_path / archived.FOLDER)
    again = KnownTexts.open(tmp_path, None)
    assert [again.measure(written(n)) for n in range(9)] == [known.measure(written(n)) for n in range(9)]


@pytest.mark.usefixtures("small_volumes")
@pytest.mark.parametrize("damage", ["cut", "family", "missing"])
def test_a_damaged_view_is_made_anew(tmp_path, damage):
    published(tmp_path, [written(n) for n in range(4)])
    KnownTexts.open(tmp_path, None)
    view = tmp_path / archived.FOLDER / "0-4"
    if damage == "cut":
        (view / "grams.npy").write_bytes((view / "grams.npy").read_bytes()[:-100])
    elif damage == "family":
        (view / archived.FAMILY).write_text("another version")
    else:
        (view / "signatures.npy").unlink()
    known = KnownTexts.open(tmp_path, None)
    assert [known.measure(written(n)).longest_run > 60 for n in range(5)] == [True] * 4 + [False]
    assert KnownTexts.open(tmp_path, None).measure(written(2)) == known.measure(written(2))
    assert (view / archived.FAMILY).read_text() != "another version"


def test_views_that_cannot_be_written_are_told(tmp_path):
    published(tmp_path, [written(1)])
    (tmp_path / archived.FOLDER).write_text("a file in the way")
    with pytest.raises(PressError, match="signatures: cannot be written"):
        KnownTexts.open(tmp_path, None)


@pytest.mark.usefixtures("small_volumes")
def test_a_killed_opening_leaves_nothing_that_is_taken_for_a_view(tmp_path, monkeypatch):
    published(tmp_path, [written(n) for n in range(4)])
    monkeypatch.setattr(archived, "family", lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        KnownTexts.open(tmp_path, None)
    monkeypatch.undo()
    monkeypatch.setattr(archive, "VOLUME", 4)
    assert names(tmp_path) == []
    assert KnownTexts.open(tmp_path, None).measure(written(2)).longest_run > 60


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("where", ["abstract", "claim", "second"])
def test_a_copied_run_is_seen_while_it_is_written(tmp_path, direction, where):
    """From the word after the run on; in claim 2 it is left to the gate, which may refuse that claim alone."""
    passage = text(77, 25)
    published(tmp_path, [written(2, inserted=passage)])
    known = KnownTexts.open(tmp_path, None)
    mine = written(4, inserted=passage, where=where)
    whole = write_layout(direction, mine.title, mine.abstract, [claim.text for claim in mine.claims])
    end = whole.index(passage) + len(passage)
    assert not known.copied(whole[:end])  # its last word may still grow
    after = whole.index(" ", end + 1) if " " in whole[end + 1 :] else len(whole)
    assert known.copied(whole[: after + 4]) == (where != "second")
    assert not_copied(known.measure(mine)).reason == "copied_run"


def test_what_stands_over_two_sections_is_no_run(tmp_path):
    """Nor over a claim's number: the parsed disclosure has other words there."""
    passage = text(77, 40).split()
    published(tmp_path, [written(2, inserted=f"{' '.join(passage[:20])} 2 {' '.join(passage[20:])}")])
    known = KnownTexts.open(tmp_path, None)
    claims = [f"A valve {' '.join(passage[:20])}", f"{' '.join(passage[20:])} and more words"]
    assert not known.copied(write_layout("top-down", "Valve", "A valve.", claims) + " which go on")


def test_the_batch_has_no_say_in_stopping_drafts():
    """What stops does not depend on which drafts were judged before."""
    known = known_with(written(1))
    mine = written(1)
    assert not known.copied(write_layout("top-down", mine.title, mine.abstract, [c.text for c in mine.claims]))


def test_a_hostile_draft_takes_no_more_time_than_its_length():
    """One sequence a hundred thousand times, which many known texts have, and a word of a megabyte."""
    passage = " ".join(["valve"] * 60)
    known = known_with(*(written(10 * n, inserted=passage) for n in range(60)))
    claims = (Claim(1, "valve " * 100_000), Claim(2, "v" * 1_000_000))
    copying = known.measure(Disclosure("Valve", "A valve.", (), claims))
    assert copying.longest_run == 60
    assert not_copied(copying).reason == "copied_run"
