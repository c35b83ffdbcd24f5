"""What a source of documents holds: families, numbers, what was left out, archives, dates."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest
import zstandard
from patents_read import CASES, aps, one, xml

from generator.base.errors import CorpusError
from generator.commands import corpus as commands
from generator.corpus.adding import add
from generator.corpus.documents import Document, Skipped
from generator.corpus.families import Families
from generator.corpus.json_lines import document_of_line
from generator.corpus.numbers import one_number
from generator.corpus.patent_text import dated, read_lines
from generator.corpus.reading import read_documents
from generator.corpus.store import Corpus
from generator.corpus.uspto import read_uspto
from generator.measure.evaluation.choices import read_questions
from generator.train.gathering import gather, kept
from generator.train.recipe import Data


def test_families_before_2005() -> None:
    for name in ("application-2002.xml", "grant-2003.xml"):
        assert set(one(CASES / name).family) == {"09999999", "09888888"}
    found = aps(
        "SRC  5\nAPN  5184541\nAPD  19741029\nRLAP\nCOD  71\nAPN  328961\nAPD  19730202\nRLAP\nCOD  72\n"
        "APN  07/123,456\n"
        "APD  19880101\nREIS\nCOD  50\nAPN  617133\nAPD  19751001\nPNO  4000000\nPRIR\nCNT  JPX\nAPN  49-85342\nUREF\n"
        "PNO  2542907\nAPN  111111\nCLMS\nNUM  1.\nPAR  1. A pot."
    )
    assert set(found.family) == {"05518454", "05328961", "07123456", "05617133", "US4000000", "49-85342"}


def _relative(number: str, inside: str = "PDOC") -> str:
    return f"<PARENT-US><{inside}><DOC><DNUM><PDAT>{number}</PDAT></DNUM></DOC></{inside}></PARENT-US>"


@pytest.mark.parametrize(
    ("body", "family"),
    [
        ("<B200><B210><DNUM><PDAT>09999999</PDAT></DNUM></B210></B200>", "09999999"),
        ("<B300><B310><DNUM><PDAT>11-123456</PDAT></DNUM></B310></B300>", "11-123456"),
        (f"<B600><B610>{_relative('08/111,110')}</B610></B600>", "08111110"),
        (f"<B600><B620>{_relative('09/249710')}</B620></B600>", "09249710"),
        (f"<B600><B630><B631>{_relative('09/413215')}</B631></B630></B600>", "09413215"),
        (f"<B600><B630><B632>{_relative('PCT/NO98/00107')}</B632></B630></B600>", "PCTNO1998000107"),
        (f"<B600><B630><B633>{_relative('08/111,111')}</B633></B630></B600>", "08111111"),
        ("<B600><B640><DOC><DNUM><PDAT>08/222,222</PDAT></DNUM></DOC></B640></B600>", "08222222"),
        (f"<B600><B640>{_relative('5422489', 'PPUB')}</B640></B600>", "US5422489"),
        (f"<B600><B641US>{_relative('08/333,333')}</B641US></B600>", "08333333"),
        (f"<B600><B645>{_relative('90/004,444')}</B645></B600>", "90004444"),
        (f"<B600><B646US>{_relative('90/005,555')}</B646US></B600>", "90005555"),
        (f"<B600><B660>{_relative('08/666,666')}</B660></B600>", "08666666"),
        ("<B600><B680US><DOC><DNUM><PDAT>60/049070</PDAT></DNUM></DOC></B680US></B600>", "60049070"),
        ("<B800><B860><B861><DOC><DNUM><PDAT>PCT/US99/12345</PDAT></DNUM></DOC></B861></B860></B800>",
         "PCTUS1999012345"),
        ("<B560><B561><PCIT><DOC><DNUM><PDAT>5422489</PDAT></DNUM></DOC></PCIT></B561></B560>", ""),
        ("<B800><B870><B871><DOC><DNUM><PDAT>WO99/12345</PDAT></DNUM></DOC></B871></B870></B800>", ""),
    ],
)  # fmt: skip
def test_families_in_sgml(body: str, family: str) -> None:
    text = f"<PATDOC><SDOBI><B110><DNUM><PDAT>06500000</PDAT></DNUM></B110>{body}</SDOBI></PATDOC>"
    ((_, found),) = read_uspto(iter([text.encode()]), 0)
    assert isinstance(found, Document)
    assert found.family == ((family,) if family else ())


@pytest.mark.parametrize(
    ("body", "family"),
    [
        ("<us-related-documents><us-provisional-application><document-id><doc-number>60/049,070</doc-number>"
         "</document-id></us-provisional-application></us-related-documents>", ("60049070",)),
        ("<reissue><relation><parent-doc><document-id><doc-number>16815811</doc-number></document-id>"
         "<parent-grant-document><document-id><doc-number>11515138</doc-number></document-id></parent-grant-document>"
         "</parent-doc></relation></reissue>", ("16815811", "US11515138")),
        ("<related-publication><document-id><doc-number>20050012345</doc-number></document-id></related-publication>",
         ("US20050012345",)),
        ("<pct-or-regional-filing-data><document-id><doc-number>PCT/US2003/012345</doc-number></document-id>"
         "</pct-or-regional-filing-data>", ("PCTUS2003012345",)),
        ("<parent-doc><document-id><doc-number>PCT/US03/12345</doc-number></document-id></parent-doc>",
         ("PCTUS2003012345",)),
        ("<us-references-cited><patcit><document-id><doc-number>5422489</doc-number></document-id></patcit>"
         "</us-references-cited>", ()),
    ],
)  # fmt: skip
def test_families_since_2005(body: str, family: tuple[str, ...]) -> None:
    assert xml(body).family == family


@pytest.mark.parametrize(
    ("body", "family"),
    [
        ("<application-number><doc-number>09888888</doc-number></application-number>", "09888888"),
        ("<continuity-data><division-of><parent-child><parent><document-id><doc-number>09777777</doc-number>"
         "</document-id></parent></parent-child></division-of></continuity-data>", "09777777"),
        ("<continuity-data><reissue-of><parent-child><parent-patent><document-id><doc-number>06123456</doc-number>"
         "</document-id></parent-patent></parent-child></reissue-of></continuity-data>", "US6123456"),
        ("<continuity-data><non-provisional-of-provisional><document-id><doc-number>60123456</doc-number></document-id>"
         "</non-provisional-of-provisional></continuity-data>", "60123456"),
        ("<prior-publication><document-id><doc-number>20020012345</doc-number></document-id></prior-publication>",
         "US20020012345"),
        ("<pct-application><document-id><doc-number>PCT/SE00/01234</doc-number></document-id></pct-application>",
         "PCTSE2000001234"),
    ],
)  # fmt: skip
def test_families_of_applications_of_2001_to_2004(body: str, family: str) -> None:
    text = (
        "<patent-application-publication><document-id><doc-number>20020000001</doc-number></document-id>"
        f"{body}</patent-application-publication>"
    )
    ((_, found),) = read_uspto(iter([text.encode()]), 0)
    assert isinstance(found, Document)
    assert found.family == (family,)


def test_families_of_1976_to_2000_name_patents_and_international_applications() -> None:
    found = aps("RLAP\nCOD  74\nAPN  123456\nAPD  19850101\nPNO  4555555\nPCTA\nPCN  PCT/US85/01234\nPD3  19860101\n")
    assert set(found.family) == {"06123456", "US4555555", "PCTUS1985001234"}


def test_a_number_of_a_patent_is_none_of_an_application() -> None:
    """11,515,138 is a patent of 2022 and an application of 2006; a continuation names its parent by either number."""
    families = Families()
    patent = Document("US11515138", "Pot", "A pot.", family=("16815811",))
    for document in (patent, Document("US7000000", "Pan", "A pan.", family=("11515138",))):
        families.add(document)
    assert len(families) == 2
    families.add(Document("USRE50000", "Pot", "A pot.", family=("US11515138",)))
    assert len(families) == 2


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("US-10999997-B2", "US10999997"),
        ("US10999997B2", "US10999997"),
        ("US 10,999,997", "US10999997"),
        ("10999997", "US10999997"),
        ("10,999,997", "US10999997"),
        ("US010999997", "US10999997"),
        ("us 10999997 b2", "US10999997"),
        ("US-2019/0123456-A1", "US20190123456"),
        ("US2019123456A1", "US20190123456"),
        ("20190123456", "US20190123456"),
        ("USD0719732S1", "USD719732"),
        ("US RE41,234 E", "USRE41234"),
        ("USPP021234P2", "USPP21234"),
        ("EP-1234567-B1", "EP1234567B1"),
        ("EP 1 234 567 A1", "EP1234567A1"),
        ("WO 2019/123456 A1", "WO2019123456A1"),
        ("example.org/log#123", "example.org/log#123"),
        ("sha256:00ff", "sha256:00ff"),
        ("US1", "US1"),
        ("document 7", "document 7"),
    ],
)
def test_one_number_for_one_patent(text: str, number: str) -> None:
    assert one_number(text) == number
    assert one_number(number) == number


def test_one_patent_is_added_once(tmp_path: Path) -> None:
    manifest = add(tmp_path / "k", [CASES / "one-patent-five-times.jsonl"], lambda _: None)
    assert (manifest.documents, manifest.files[0].duplicates) == (1, 4)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ((CASES / "nothing.jsonl").read_bytes(), "line 1: it has no id"),
        (b'{"id": "US1"}\n', "US1 has no text"),
        (b"{broken\n", "not a JSON object"),
        (b'<?xml version="1.0"?><us-patent-grant><abstract>', "malformed XML"),
        (b"PATN\nTTL  Pot\n", "without a number"),
    ],
)
def test_a_file_without_a_document_is_an_error_and_adds_nothing(tmp_path: Path, data: bytes, why: str) -> None:
    (tmp_path / "file").write_bytes(data)
    for _ in range(2):
        with pytest.raises(CorpusError, match="there is no document in it") as caught:
            add(tmp_path / "k", [tmp_path / "file"], lambda _: None)
        assert why in str(caught.value)
    assert not (tmp_path / "k" / "manifest.json").exists()


def test_what_was_added_before_an_empty_file_stays(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="there is no document in it"):
        add(tmp_path / "k", [CASES / "numbered.jsonl", CASES / "nothing.jsonl"], lambda _: None)
    assert [added.name for added in Corpus.open(tmp_path / "k").manifest.files] == ["numbered.jsonl"]


def test_the_corpus_tells_what_each_source_held(tmp_path: Path) -> None:
    sources = [CASES / name for name in ("numbered.jsonl", "cancelled.xml", "reissue.txt", "grant-2003.xml")]
    manifest = add(tmp_path / "k", sources, lambda _: None)
    told = [(f.documents, f.claims, f.incomplete, f.families, dict(f.left_out)) for f in manifest.files]
    assert told == [
        (1, 3, 0, 1, {"cancelled": 4}),
        (1, 2, 0, 1, {"cancelled": 3}),
        (1, 2, 1, 1, {"deleted": 1}),
        (1, 1, 0, 1, {}),
    ]
    lines = commands._described(Corpus.open(tmp_path / "k")).lines
    assert "    3 claims, 0 of them incomplete; 1 families" in lines
    assert "    left out: 4 claims, cancelled" in lines
    assert Corpus.open(tmp_path / "k").document(2).incomplete == (2,)


def test_families_are_counted_over_a_source(tmp_path: Path) -> None:
    both = tmp_path / "both.xml"
    both.write_text("".join((CASES / name).read_text() + "\n" for name in ("application-2002.xml", "cancelled.xml")))
    assert add(tmp_path / "k", [both], lambda _: None).files[0].families == 2
    two = tmp_path / "two.xml"
    two.write_text("".join((CASES / name).read_text() + "\n" for name in ("application-2002.xml", "grant-2003.xml")))
    found = add(tmp_path / "k2", [two], lambda _: None).files[0]
    assert (found.documents, found.families) == (2, 1)


def test_training_leaves_incomplete_claims_out(tmp_path: Path) -> None:
    source, data = [CASES / "reissue.txt"], Data()
    gathered = gather(source, data, lambda _: None)
    ((_, document),) = kept(source, gathered, lambda _: None)
    assert document.claims == ("A kettle comprising a lid and a hinged handle.",)
    assert gathered.by_source[0]["claims incomplete"] == 1


def tarred(data: bytes, name: str = "a.jsonl") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for member, content in (("readme.txt", b"text"), (name, data)):
            info = tarfile.TarInfo(member)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.jsonl", data)
    return file.getvalue()


PACKED = [
    bytes, gzip.compress, lzma.compress, bz2.compress, zstandard.compress, tarred, zipped,
    lambda data: gzip.compress(tarred(data)), lambda data: lzma.compress(tarred(data)),
    lambda data: zipped(gzip.compress(data)), lambda data: tarred(lzma.compress(data)),
    lambda data: zstandard.compress(tarred(gzip.compress(data))),
    lambda data: b"\xef\xbb\xbf\r\n" + data.replace(b"\n", b"\r\n\r\n"),
]  # fmt: skip


@pytest.mark.parametrize("pack", PACKED)
def test_packed_files_and_archives_are_read_alike_and_from_any_place(tmp_path: Path, pack) -> None:
    lines = b"".join(json.dumps({"id": f"US{n}", "title": f"Pot {n}"}).encode() + b"\n" for n in range(1, 4))
    (tmp_path / "file").write_bytes(pack(lines))
    whole = list(read_documents(tmp_path / "file"))
    assert [item.number for _, item in whole if isinstance(item, Document)] == ["US1", "US2", "US3"]
    for number, (position, _) in enumerate(whole, 1):
        assert list(read_documents(tmp_path / "file", position)) == whole[number:]


@pytest.mark.parametrize("pack", [*PACKED[:5], zipped, PACKED[-1]])
def test_questions_and_lines_are_read_from_the_same_files(tmp_path: Path, pack) -> None:
    data = (CASES / "questions-bom.jsonl").read_bytes()
    (tmp_path / "file").write_bytes(pack(data + b"\n\r\n" + data.removeprefix(b"\xef\xbb\xbf")))
    assert len(read_questions(tmp_path / "file", "multiple-choice")) == 2
    assert len(list(read_lines(tmp_path / "file"))) == 2


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2012-01-03", "2012-01-03"),
        ("20120103", "2012-01-03"),
        ("2012/01/03", "2012-01-03"),
        ("2012/1/3", "2012-01-03"),
        ("2012.01.03", "2012-01-03"),
        ("2012-01-03T00:00:00Z", "2012-01-03"),
        ("2012-01-03 12:30", "2012-01-03"),
        ("", ""),
    ],
)
def test_dates_are_read(text: str, date: str) -> None:
    assert dated(text) == (date, ())


@pytest.mark.parametrize("text", ["soon", "2012-02-31", "01/03/2012", "2012", "2012-13-01", "201213"])
def test_a_date_that_is_not_read_is_named(text: str) -> None:
    assert dated(text) == ("", ("a date that is not read",))
    found = document_of_line(json.dumps({"id": "US7", "title": "Pot", "date": text}).encode(), "")
    assert not isinstance(found, Skipped)
    assert found.left_out == (("a date that is not read", 1),)


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b'{\n  "id": "US1",\n  "title": "Pot"\n}\n', "jq -c . FILE"),
        (b'[\n{"id": "US1"}]', "jq -c '.[]' FILE"),
        ('{"id": "US1"}'.encode("utf-16"), "iconv -f UTF-16"),
    ],
)
def test_json_of_another_form_has_a_hint_that_works(tmp_path: Path, data: bytes, hint: str) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(CorpusError) as caught:
        list(read_documents(tmp_path / "file"))
    assert hint in caught.value.hint


def test_a_broken_first_line_does_not_refuse_the_rest(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b'{broken\n{"id": "US1", "title": "Pot"}\n')
    first, second = (item for _, item in read_documents(tmp_path / "file"))
    assert isinstance(first, Skipped)
    assert second == Document("US1", "Pot", "")
