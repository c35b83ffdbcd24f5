"""Documents from JSON lines, records and containers."""

import gzip
import json
import shutil
import zipfile
from pathlib import Path

import pytest
import zstandard
from facts import ORIGIN, archive, record
from hypothesis import given
from hypothesis import strategies as st

from generator.base.errors import CorpusError
from generator.corpus.adding import add
from generator.corpus.documents import Document, Skipped
from generator.corpus.json_lines import read_json_lines
from generator.corpus.patent_text import UNREAD_DATE
from generator.corpus.reading import read_documents, source_sha256
from generator.corpus.store import Corpus

LINES = (
    {"id": "US1", "title": "Valve", "abstract": "A  valve\nopens.", "claims": ["A valve.", " "], "tier": "notice"},
    {"id": "US2", "title": "Head", "abstract": "Without claims.", "date": "20120103", "cpc": ["A01B 33/08"]},
    {"id": "US3", "text": "First paragraph.\nSecond\tparagraph.", "claims": None, "date": "soon"},
)
DOCUMENTS = [
    Document("US1", "Valve", "A valve opens.", ("A valve.",), tier="notice"),
    Document("US2", "Head", "Without claims.", date="2012-01-03", cpc=("A01B33/08",)),
    Document("US3", "", "", description="First paragraph.\nSecond paragraph.", left_out=((UNREAD_DATE, 1),)),
]


def lines(*values: object) -> bytes:
    return "".join(f"{json.dumps(value)}\n" for value in values).encode()


def read(path: Path, start: int = 0) -> list[Document | Skipped]:
    return [item for _, item in read_documents(path, start)]


def write(folder: Path, data: bytes, name: str = "file") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def zipped(folder: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(folder / "archive", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return folder / "archive"


@pytest.mark.parametrize(
    "pack",
    [
        bytes,
        gzip.compress,
        zstandard.compress,
        lambda data: zstandard.compress(data[:50]) + zstandard.compress(data[50:]),
        lambda data: b"\xef\xbb\xbf\n" + data.replace(b"\n", b"\r\n"),
    ],
)
def test_json_lines_are_known_by_their_content(tmp_path: Path, pack) -> None:
    assert read(write(tmp_path, pack(lines(*LINES)), "named.xml")) == DOCUMENTS


def test_reading_goes_on_after_any_document(tmp_path: Path) -> None:
    path = write(tmp_path, b"\n" + lines(*LINES) + b"{broken\n" + lines(*LINES))
    whole = list(read_documents(path))
    assert len(whole) == 7
    for number, (position, _) in enumerate(whole, 1):
        assert list(read_documents(path, position)) == whole[number:]
    assert whole[3][1].place == "line 5"


def test_members_of_a_zip_are_read_one_after_another(tmp_path: Path) -> None:
    members = {
        "a.jsonl": lines(*LINES[:2]),
        "readme.txt": b"text",
        "b/c.jsonl": b'{"no}\n' + lines(LINES[2]),
        "1.proof": b"c2sp",
    }
    whole = list(read_documents(zipped(tmp_path, members)))
    assert [item for _, item in whole if isinstance(item, Document)] == DOCUMENTS
    skipped = [item for _, item in whole if isinstance(item, Skipped)]
    assert [item.place for item in skipped] == ["readme.txt", "b/c.jsonl, line 1"]
    for number, (position, _) in enumerate(whole, 1):
        assert list(read_documents(tmp_path / "archive", position)) == whole[number:]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"id": "US1"', "not a JSON object"),
        (b'{"id": "US1\xff"}', "UTF-8"),
        (b"[1, 2]", "not a JSON object"),
        (b"[" * 100_000, "not a JSON object"),
        (b'{"title": "A thing"}', "no id"),
        (b'{"id": "US1"}', "US1 has no text"),
        (b'{"id": 7, "title": "A thing"}', "member id is no text"),
        (b'{"id": "US1", "title": ["A thing"]}', "member title is no text"),
        (b'{"id": "US1", "claims": "one"}', "claims is no array"),
        (b'{"id": "US1", "cpc": [{"symbol": 1}]}', "cpc is no array"),
        (b'{"schema": "prior-art-record/v1"}', "not a canonical record: not the canonical bytes"),
    ],
)
def test_a_line_that_is_no_document_is_named_and_the_rest_goes_on(tmp_path: Path, line: bytes, why: str) -> None:
    first, second, third = read(write(tmp_path, lines(LINES[0]) + line + b"\n" + lines(LINES[1])))
    assert [first, third] == DOCUMENTS[:2]
    assert isinstance(second, Skipped)
    assert second.place == "line 2"
    assert why in second.why


def test_a_last_line_that_was_cut_off_is_skipped(tmp_path: Path) -> None:
    whole, cut = read(write(tmp_path, lines(*LINES[:2])[:-20]))
    assert whole == DOCUMENTS[0]
    assert isinstance(cut, Skipped)


def test_a_line_without_end_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generator.corpus.json_lines.MAX_LINE", 100)
    chunks = iter([lines(LINES[2]), b"x" * 250, b"\n", lines(LINES[2])])
    items = list(read_json_lines(chunks, 0))
    assert [type(item) for _, item in items] == [Document, Skipped, Document]
    assert items[1][1].place == "line 2"
    assert items[1][0] == len(lines(LINES[2])) + 251


def test_records_are_read_as_files_and_as_lines(tmp_path: Path) -> None:
    one, two = record(1), record(2)
    found = read(write(tmp_path, one.to_bytes() + b"\n" + two.to_bytes()))
    assert [item.number for item in found] == [f"sha256:{item.sha256}" for item in (one, two)]
    assert found[0].claims == tuple(claim.text for claim in one.disclosure.claims)
    assert found[0].description.split("\n") == [p.text for p in one.disclosure.description]
    assert (found[0].title, found[0].date) == (one.disclosure.title, "")


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b"", "Known kinds"),
        (b" \n\n", "Known kinds"),
        (b"%PDF-1.7 ...", "Known kinds"),
        (b'{\n  "id": "US1"\n}\n', "jq -c"),
        (b'[{"id": "US1"}]', "jq -c"),
        (bytes(range(256)) * 300, "Known kinds"),
    ],
)
def test_other_kinds_are_refused_with_a_hint(tmp_path: Path, data: bytes, hint: str) -> None:
    with pytest.raises(CorpusError) as caught:
        read(write(tmp_path, data))
    assert hint in caught.value.hint
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize("members", [{}, {"word/document.xml": b"<w:document/>", "a.bin": b"\0"}])
def test_a_zip_without_a_document_is_refused(tmp_path: Path, members: dict[str, bytes]) -> None:
    with pytest.raises(CorpusError, match="no document"):
        read(zipped(tmp_path, members))


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_packed_file_that_ends_early_is_told_after_what_it_held(tmp_path: Path, pack) -> None:
    data = lines(*({"id": f"US{n}", "title": f"Thing {n * n}"} for n in range(20_000)))
    packed = pack(data)
    found = read_documents(write(tmp_path, packed[: len(packed) // 2]))
    assert next(found)[1] == Document("US0", "Thing 0", "")
    with pytest.raises(CorpusError, match="ends early") as caught:
        list(found)
    assert "Fetch it again" in caught.value.hint


def test_what_cannot_be_opened_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="nowhere: cannot be read"):
        read(tmp_path / "nowhere")
    with pytest.raises(CorpusError, match="byte -1"):
        read(write(tmp_path, lines(*LINES)), -1)
    broken = bytearray(zipped(tmp_path, {"a.jsonl": lines(*LINES) * 99}).read_bytes())
    broken[60] ^= 255
    with pytest.raises(CorpusError, match=r"damaged|cannot be read"):
        read(write(tmp_path, bytes(broken)))


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"{", b'{"id"', b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"<PATDOC>", b"PATN\n"]),
)
def test_no_bytes_raise_anything_else(tmp_path_factory: pytest.TempPathFactory, data: bytes, head: bytes) -> None:
    path = write(tmp_path_factory.getbasetemp(), head + data)
    try:
        positions = [position for position, _ in read_documents(path)]
    except CorpusError:
        return
    assert positions == sorted(positions)


def test_a_publication_is_read_from_its_folder_and_its_site(tmp_path: Path) -> None:
    output = archive(tmp_path / "output", 5, published="2026-11-22T03:17:00Z")
    site = tmp_path / "site"
    shutil.copytree(output / "log", site / "log")
    shutil.copytree(output / "records" / "0" / "0", site / "d" / "0")
    for folder in (output, site):
        whole = list(read_documents(folder))
        assert [item.number for _, item in whole] == [f"{ORIGIN}#{serial}" for serial in range(5)]
        assert {item.date for _, item in whole} == {"2026-11-22"}
        assert whole[3][1].title == record(3).disclosure.title
        for number, (position, _) in enumerate(whole, 1):
            assert list(read_documents(folder, position)) == whole[number:]
    (bare,) = {item.number for item in read(output / "records")[:1]}
    assert bare == f"sha256:{record(0).sha256}"


def test_an_archive_of_a_publication_is_read_record_by_record(tmp_path: Path) -> None:
    output = archive(tmp_path / "output", 3, published="2026-11-22T03:17:00Z")
    members = {f"facts/{path.relative_to(output)}": path.read_bytes() for path in output.rglob("*") if path.is_file()}
    found = read(zipped(tmp_path, members))
    assert len(found) == 3
    assert {item.number for item in found} == {f"sha256:{record(number).sha256}" for number in range(3)}


def test_a_record_that_the_log_does_not_name_is_skipped(tmp_path: Path) -> None:
    output = archive(tmp_path, 2)
    (output / "records" / "0" / "0" / "1.json").write_bytes(record(7).to_bytes())
    first, second = read(output)
    assert isinstance(first, Document)
    assert first.date == ""
    assert second == Skipped("records/0/0/1.json", "not the record that entry 1 of the log names")
    (output / "log" / "checkpoint").write_text("torn")
    with pytest.raises(CorpusError, match="not a"):
        read(output)


def test_a_folder_without_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no record in this folder"):
        read(tmp_path)


def test_a_publication_is_added_to_a_corpus_and_again_when_it_has_grown(tmp_path: Path) -> None:
    output, said = archive(tmp_path / "output", 3), []
    add(tmp_path / "corpus", [output], said.append)
    add(tmp_path / "corpus", [output], said.append)
    assert said[-1] == "corpus: output is in the corpus already"
    archive(output, 2, first=3)
    manifest = add(tmp_path / "corpus", [output], said.append)
    assert [(one.name, one.documents, one.duplicates) for one in manifest.files] == [("output", 3, 0), ("output", 2, 3)]
    assert len(Corpus.open(tmp_path / "corpus")) == 5


def test_what_a_source_holds_has_a_name(tmp_path: Path) -> None:
    output = archive(tmp_path / "output", 2)
    before = source_sha256(output), source_sha256(output / "records")
    assert len({*before, source_sha256(write(tmp_path, b"x"))}) == 3
    archive(output, 1, first=2)
    assert not {source_sha256(output), source_sha256(output / "records")} & set(before)
    with pytest.raises(CorpusError, match="cannot be read"):
        source_sha256(tmp_path / "nowhere")
