"""The reference corpus on disk: what is added is found again, whatever happens meanwhile."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from generator.base import files
from generator.base.errors import ConfigError, CorpusError
from generator.base.publication import Publication
from generator.base.settings import Settings
from generator.commands import corpus as reference
from generator.corpus import adding, segments
from generator.corpus.adding import add
from generator.corpus.documents import Document
from generator.corpus.store import MANIFEST, SEGMENTS, Corpus

ROOT = Path(__file__).parent.parent


def row(number: int, **changes: object) -> dict[str, object]:
    value = {
        "id": f"US{number:07d}",
        "title": f"Pump number{number}",
        "abstract": f"A pump of kind number{number} moves a fluid. A seal keeps it in.",
        "claims": [f"A pump comprising a rotor{number}; and a housing.", "The pump of claim 1, wherein it is round."],
        "text": f"The rotor{number} turns.\nIt is made of steel.",
        "date": f"{1990 + number % 3}-01-02",
        "cpc": ["F04D1/00"],
    }
    return {**value, **changes}


def lines(path: Path, rows: list[object]) -> Path:
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows))
    return path


def unheard(_: str) -> None:
    pass


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of eight documents, blocks of a few."""
    monkeypatch.setattr(segments, "MOST", 8)
    monkeypatch.setattr(adding, "MOST", 8)
    monkeypatch.setattr(segments, "BLOCK_BYTES", 700)


def test_what_is_added_is_read_again(tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", [row(n) for n in range(20)])
    manifest = add(tmp_path / "corpus", [file], unheard)
    corpus = Corpus.open(tmp_path / "corpus")
    assert len(corpus) == 20
    assert corpus.document(7) == Document(
        "US0000007",
        "Pump number7",
        "A pump of kind number7 moves a fluid. A seal keeps it in.",
        ("A pump comprising a rotor7; and a housing.", "The pump of claim 1, wherein it is round."),
        "The rotor7 turns. It is made of steel.",  # in passages: its line breaks are gone
        "1991-01-02",
        ("F04D1/00",),
    )
    assert manifest.years == (("1990", 7), ("1991", 7), ("1992", 6))
    assert (corpus.name.name, corpus.name.documents) == ("corpus", 20)
    assert corpus.search(["rotor13"], 5)[0][1] == 13
    assert corpus.search(["rotor13"], 5)[0][2] in (1, 3)  # claim 1, or the description
    assert corpus.damage() == ""
    with pytest.raises(IndexError):
        corpus.document(20)


@pytest.mark.usefixtures("small")
def test_segments_are_filled_and_the_last_goes_on_growing(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    for start, stop in ((0, 3), (3, 20), (20, 21)):
        add(folder, [lines(tmp_path / f"{start}.jsonl", [row(n) for n in range(start, stop)])], unheard)
    corpus = Corpus.open(folder)
    assert [segment.documents for segment in corpus.manifest.segments] == [8, 8, 5]
    assert [corpus.document(n).number for n in range(21)] == [f"US{n:07d}" for n in range(21)]
    for n in range(21):
        assert corpus.search([f"rotor{n}"], 3)[0][1] == n
        places, documents = corpus.prints[n // 8].grams.find(
            segments._fingerprint(corpus.document(n)).grams  # no other document has the numbered words
        )
        assert n in documents.tolist()
        assert len(places)


@pytest.mark.usefixtures("small")
def test_the_manifest_depends_on_the_documents_alone(tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", [row(n) for n in range(20)])
    for name in ("one", "two"):
        add(tmp_path / name, [file], unheard, name="known")
    one, two = ((tmp_path / name / MANIFEST).read_bytes() for name in ("one", "two"))
    assert one == two


def test_a_number_stands_once_and_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    first = lines(tmp_path / "a.jsonl", [row(1), "{broken", row(2), row(1, title="Another"), "[]"])
    second = lines(tmp_path / "b.jsonl", [row(2), row(3)])
    heard: list[str] = []
    add(tmp_path / "corpus", [first, second], heard.append)
    corpus = Corpus.open(tmp_path / "corpus")
    assert [corpus.document(n).title for n in range(len(corpus))] == ["Pump number1", "Pump number2", "Pump number3"]
    one, two = corpus.manifest.files
    assert (one.documents, one.duplicates, one.skipped, one.next) == (2, 1, 2, -1)
    assert [place for place, _ in one.places] == ["line 2", "line 5"]
    assert (two.documents, two.duplicates, two.skipped) == (1, 1, 0)
    assert "corpus: a.jsonl: 2 documents, 1 known before, 2 skipped" in heard


def test_a_file_is_not_read_twice(tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", [row(1)])
    before = add(tmp_path / "corpus", [file], unheard)
    renamed = file.rename(tmp_path / "renamed.jsonl")
    heard: list[str] = []
    assert add(tmp_path / "corpus", [renamed], heard.append) == before
    assert heard == ["corpus: renamed.jsonl is in the corpus already"]


def test_a_second_process_that_adds_is_refused(tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", [row(1)])
    with (
        files.lock(tmp_path / "corpus" / adding.LOCK, "busy", unheard, wait_seconds=0),
        pytest.raises(CorpusError, match="another process is adding"),
    ):
        add(tmp_path / "corpus", [file], unheard)


KILLED = textwrap.dedent(
    """
    import os, sys
    from pathlib import Path
    sys.path.insert(0, {root!r})
    from generator.corpus import adding, segments
    segments.MOST = adding.MOST = 8
    from generator.base import files
    import shutil
    left = int(sys.argv[3])
    def counted(function):
        def call(*a, **k):
            global left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), 9)
            return function(*a, **k)
        return call
    files.write, files.settle = counted(files.write), counted(files.settle)
    Path.rename, Path.mkdir = counted(Path.rename), counted(Path.mkdir)
    segments.SegmentWriter._write_block = counted(segments.SegmentWriter._write_block)
    segments.FingerprintSet.save = counted(segments.FingerprintSet.save)
    segments.PassageWriter.finish = counted(segments.PassageWriter.finish)
    adding.SegmentWriter.add = counted(adding.SegmentWriter.add)
    adding.add(Path(sys.argv[1]), [Path(p) for p in sys.argv[2].split(":")], lambda _: None, name="known")
    """
)


def test_killed_anywhere_it_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    """A real kill before each of the steps that write, one after another on the same corpus."""
    one = lines(tmp_path / "a.jsonl", [row(n) for n in range(13)])
    two = lines(tmp_path / "b.jsonl", [row(n) for n in range(10, 22)])
    program = KILLED.format(root=str(ROOT))

    def run(folder: Path, kill: int) -> int:
        command = [sys.executable, "-c", program, str(folder), f"{one}:{two}", str(kill)]
        return subprocess.run(command, check=False).returncode

    assert run(tmp_path / "whole", 0) == 0
    whole = (tmp_path / "whole" / MANIFEST).read_bytes()
    kills = 0
    folder = tmp_path / "killed"
    for step in (*range(1, 12, 2), 13, 17, 19, 20, 21, 22, 23, 24, 30, 40):
        if (code := run(folder, step)) == 0:
            break
        assert code == -signal.SIGKILL
        kills += 1
        if (folder / MANIFEST).exists():
            Corpus.open(folder)  # what is named is whole
    assert run(folder, 0) == 0
    assert kills >= 8
    assert (folder / MANIFEST).read_bytes() == whole
    assert Corpus.open(folder).damage() == ""
    add(folder, [], unheard)
    assert len(list((folder / SEGMENTS).iterdir())) == 3


@pytest.mark.parametrize("damage", ["text", "shorter", "missing", "manifest", "family", "cutting", "listing"])
def test_a_damaged_corpus_is_told(tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "corpus"
    add(folder, [lines(tmp_path / "a.jsonl", [row(n) for n in range(5)])], unheard)
    (segment,) = (folder / SEGMENTS).iterdir()
    texts = segment / segments.TEXTS
    manifest = folder / MANIFEST
    if damage == "text":
        data = bytearray(texts.read_bytes())
        data[len(data) // 2] ^= 1
        texts.write_bytes(data)
        corpus = Corpus.open(folder)
        assert corpus.damage() == str(texts)
        with pytest.raises(CorpusError, match="damaged"):
            corpus.document(0)
        return
    if damage == "shorter":
        texts.write_bytes(texts.read_bytes()[:-1])
    elif damage == "missing":
        shutil.rmtree(segment)
    elif damage == "manifest":
        manifest.write_bytes(manifest.read_bytes()[:-9])
    elif damage in ("family", "cutting"):
        manifest.write_text(manifest.read_text().replace(f'"{damage}": "', f'"{damage}": "0'))
    else:
        (segment / segments.LISTED).write_text("[]")
    with pytest.raises(CorpusError) as told:
        Corpus.open(folder)
    assert told.value.hint
    assert str(folder) in str(told.value)


def test_no_corpus_and_no_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no reference corpus"):
        Corpus.open(tmp_path / "nothing")
    with pytest.raises(CorpusError, match=r"missing\.jsonl"):
        add(tmp_path / "corpus", [tmp_path / "missing.jsonl"], unheard)


def test_a_file_that_cannot_be_read_loses_nothing_of_those_before(tmp_path: Path) -> None:
    good = lines(tmp_path / "good.jsonl", [row(n) for n in range(4)])
    bad = tmp_path / "bad.bin"
    bad.write_bytes(os.urandom(5000))
    with pytest.raises(CorpusError, match=r"bad\.bin"):
        add(tmp_path / "corpus", [good, bad], unheard)
    assert len(Corpus.open(tmp_path / "corpus")) == 4


def test_the_corpus_keeps_its_name(tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", [row(1)])
    add(tmp_path / "corpus", [file], unheard, name="Grants")
    assert Corpus.open(tmp_path / "corpus").name.name == "Grants"
    with pytest.raises(CorpusError, match="Grants"):
        add(tmp_path / "corpus", [file], unheard, name="Others")


def test_the_commands_add_and_show(tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", [row(1), "{broken", row(2)])
    publication = Publication(tmp_path, Settings(), unheard)
    outcome = reference.add(publication, paths=(file,), folder=tmp_path / "corpus", name="Grants")
    assert outcome.lines[0].startswith("corpus Grants: 2 documents, dated 1991 to 1992, SHA-256 ")
    assert outcome.lines[3].startswith("    skipped at line 2: ")
    assert outcome.figures["documents"] == 2
    assert reference.show(publication, tmp_path / "corpus").lines == outcome.lines
    assert reference.show(publication, tmp_path / "corpus", check=True).ok
    with pytest.raises(ConfigError, match="no corpus was named"):
        reference.show(publication, None)
    assert reference.show(Publication(tmp_path, Settings(corpus="corpus"), unheard), None).lines == outcome.lines
    (segment,) = (tmp_path / "corpus" / SEGMENTS).iterdir()
    data = bytearray((segment / "signatures.npy").read_bytes())
    data[-1] ^= 1
    (segment / "signatures.npy").write_bytes(data)
    found = reference.show(publication, tmp_path / "corpus", check=True)
    assert not found.ok
    assert found.lines[-1].startswith("FAIL")
