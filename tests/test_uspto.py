"""Weekly files of the USPTO: every form since 1976, damaged ones among them."""

import random
import re
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.base.errors import CorpusError
from generator.corpus import cutting
from generator.corpus.claim_texts import claim_texts
from generator.corpus.cutting import cut
from generator.corpus.documents import Document, Skipped
from generator.corpus.entities import resolve, undot
from generator.corpus.green_book import read_green_book
from generator.corpus.numbers import publication_number
from generator.corpus.patent_text import clean
from generator.corpus.reading import read_documents
from generator.corpus.uspto import _TOKEN, read_uspto

CASES = Path(__file__).parent / "cases" / "uspto"
GRANT = (CASES / "grants-2014.xml").read_text(encoding="utf-8").partition("</us-patent-grant>\n")[
    0
] + "</us-patent-grant>\n"
TEXT_1976 = (CASES / "grants-1976.txt").read_bytes()


def read(path: Path, start: int = 0) -> list[Document | Skipped]:
    return [item for _, item in read_documents(path, start)]


def parsed(text: str | bytes, start: int = 0) -> list[Document | Skipped]:
    data = text.encode() if isinstance(text, str) else text
    return [item for _, item in read_uspto(iter([data[i : i + 777] for i in range(0, len(data), 777)]), start)]


def grant(number: str, body: str = "") -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE us-patent-grant SYSTEM "x.dtd" [ ]>\n<us-patent-grant>'
        f"<publication-reference><document-id><doc-number>{number}</doc-number></document-id></publication-reference>"
        f"<abstract><p>{body}</p></abstract></us-patent-grant>\n"
    )


def test_grants_and_applications_since_2005() -> None:
    first, sequence, design = read(CASES / "grants-2014.xml")
    assert first == Document(
        "US8926509",
        "Wireless physiological sensor patches & systems",
        "A patch holds an ASIC “chip” of at most 5 mm2 and a cell of Li2S.",
        (
            "A system, comprising: (a) a patch-ASIC chip; (b) a base-ASIC chip, wherein the base-ASIC chip draws "
            "10−3 W.",
            "The system of claim 1, wherein the patch is a μ-Patch.",
        ),
        "Wires hinder a patient, as FIG. 1 shows x.\nA patch has: a sensor; a radio.",
        "2015-01-06",
        ("A61B5/0205", "H04L67/125"),
        ("12134151",),
    )
    assert sequence == Skipped("byte 3746", "a sequence-cwu, no patent")
    assert (design.number, design.abstract) == ("USD719732", "")
    (application,) = read(CASES / "applications-2005.xml")
    assert (application.number, application.date) == ("US20050004437", "2005-01-06")
    assert application.claims[0].startswith("A simulation device for displaying")
    assert application.claims[1].startswith("The simulation device as set forth in claim 1, wherein")


def test_grants_of_2001_to_2004_in_sgml_and_xml() -> None:
    first, design = read(CASES / "grants-2001.sgm")
    assert (first.number, first.date, first.title) == ("US6337117", "2002-01-08", "Optical memory device")
    assert first.abstract == (
        "An optical memory device of a luminous material (a “luminous intensity”) of 3 μm, α-type [see], R & D of "
        "&unknowable;."
    )
    assert first.description == "Objects CO2 in FIG. 1 obey."
    assert first.claims == (
        "A method for use in a network, comprising: a mobile node agent receiving a request; and forwarding the "
        "carried request.",
        "The method in claim 1, wherein the node moves.",
    )
    assert (design.number, design.title) == ("USD435854", "Disc cartridge")


def test_applications_of_2001_to_2004() -> None:
    (found,) = read(CASES / "applications-2001.xml")
    assert (found.number, found.date) == ("US20010009014", "2001-07-19")
    assert found.abstract == "Methods and apparatus are described for facilitating a first conference."
    assert found.description == "The present invention relates to a “chat room” of 1999.\nH2O is not used."
    assert found.claims == (
        "A mesh service for running on a media server, comprising: a receiver object; and a sender object.",
        "The mesh service of claim 1, wherein the objects are derived from a common object.",
    )


def test_the_text_form_of_1976_to_2000() -> None:
    first, design, reissue = read(CASES / "grants-1976.txt")
    assert first == Document(
        "US3937375",
        "Bumper support for a boat loader with an electronic reading balance",
        "A unit mountable on a rear bumper of a vehicle, and which does not interfere with the conventional trailer "
        "hookup at 20° C. or 103 Pa.",
        (
            "In a bumper support for a boat loader, the combination of: a pair of spaced apart bumper straps, and a "
            "plate.",
            "The combination as set forth in claim 1, wherein said plate is steel.",
        ),
        "This invention relates generally to automotive accessories, e.g. hooks.\n"
        "The data D1 to Dn taken every 100 m sec. of α-iron are kept within ±5%.\n"
        "A central opening 23 is formed through the steel plate seat 21, the opening 23 being adaptable for the boat "
        "loader 24.\nA forward end of the seat 21 has a rubber guard 25.",
        "1976-02-10",
        family=("05518454",),
    )
    assert (design.number, design.claims) == ("USD238475", ("The ornamental design for a chair, as shown.",))
    assert (reissue.number, reissue.abstract) == ("USRE28671", "A press.")


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda path: path.name)
def test_reading_goes_on_after_any_document(case: Path) -> None:
    whole = list(read_documents(case))
    for number, (position, _) in enumerate(whole, 1):
        assert list(read_documents(case, position)) == whole[number:]


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda path: path.name)
def test_a_file_cut_off_anywhere_gives_what_is_whole_and_one_skipped(case: Path) -> None:
    data, whole = case.read_bytes(), [item for item in read(case) if isinstance(item, Document)]
    reader = read_green_book if case.suffix == ".txt" else read_uspto
    chances = random.Random(4)
    for size in chances.sample(range(200, len(data) - 20), 25):
        items = [item for _, item in reader(iter([data[:size]]), 0)]
        documents = [item for item in items if isinstance(item, Document)]
        assert documents == whole[: len(documents)]
        assert len(documents) < len(whole) or size > len(data) * 0.9
        assert isinstance(items[-1], Skipped) or data[:size].rstrip().endswith((b">", b"."))


def test_malformed_documents_are_named_by_their_byte_and_the_rest_goes_on() -> None:
    bad = grant("2", "a <b>mismatch</i> here")
    data = grant("1") + bad + grant("3") + grant("4")[:-30] + grant("5") + grant("no number") + grant("7")
    items = parsed(data)
    assert [item.number for item in items if isinstance(item, Document)] == ["US1", "US3", "US5", "US7"]
    skipped = [item for item in items if isinstance(item, Skipped)]
    assert skipped[0] == Skipped(f"byte {data.index(bad)}", "malformed XML in its line 3: mismatched tag")
    assert skipped[2].why == "a patent without a publication number"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (grant("1").replace("UTF-8", "UTF-7"), "encoding utf-7"),
        (grant("1", "é").encode("latin-1"), "not the encoding utf-8, at byte"),
        (grant("1", "\0"), "malformed XML"),
        (grant("1", "&#0;"), "malformed XML"),
        (grant("1", "<a>" * 100_000), "malformed XML"),
        (grant("1") + "rubbish", "malformed XML"),
        ('<?xml version="1.0"?>\n<html>no</html>', "no patent begins here"),
    ],
)
def test_what_is_no_document_is_skipped(text: str | bytes, why: str) -> None:
    (skipped,) = parsed(text)
    assert isinstance(skipped, Skipped)
    assert why in skipped.why


def test_declared_encodings_are_read() -> None:
    data = grant("1", "é").replace("UTF-8", "iso-8859-1").encode("latin-1")
    assert parsed(data)[0].abstract == "é"
    assert parsed(b"\xef\xbb\xbf" + grant("1", "é").encode())[0].abstract == "é"


def test_entities_are_neither_expanded_nor_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("stolen")
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    subset = f'<!ENTITY l0 "lol">{levels}<!ENTITY file SYSTEM "file://{secret}"><!ENTITY % p SYSTEM "{secret}"> %p;'
    text = grant("1", "&l11; and &file; and &mgr; &lt;b&gt;").replace("[ ]", f"[{subset}]")
    (found,) = parsed(text)
    assert found.abstract == "&l11; and &file; and μ <b>"


def test_names_of_characters() -> None:
    assert resolve("&agr;&OHgr;&b.beta;&lsqb;&amp;&lt;&AMP;&LT;&none;&#956;") == (
        "αΩβ[&amp;&lt;&amp;&lt;&amp;none;&#956;"
    )
    assert undot("5.times.10.sup.-3 m.sup.2 .ANG. .gtoreq..alpha. .GAMMA. i.e. so. It .is. a.b.c. 1.5.2") == (
        "5×10-3 m2 Å ≥α Γ i.e. so. It .is. a.b.c. 1.5.2"
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [("08087209", "US8087209"), ("RE041234", "USRE41234"), ("PP 021234", "USPP21234"), ("D.271298", ""), ("", "")],
)
def test_publication_numbers(text: str, number: str) -> None:
    assert publication_number(text) == number


@pytest.mark.parametrize(
    ("printed", "texts"),
    [
        (["1. A saw.", "2. The saw of claim 1."], ("A saw.", "The saw of claim 1.")),
        (
            ["1-3. (canceled)", "4. A saw.", "5. The saw of claim 4 of 5 mm."],
            ("A saw.", "The saw of claim 1 of 5 mm."),
        ),
        (["1. (Cancelled)", "2 . A saw.", "3. [canceled]", "4) A file of claim 2."], ("A saw.", "A file of claim 1.")),
        (["A saw.", "The saw of claim 1."], ("A saw.", "The saw of claim 1.")),
        (["1. 2.5 parts of salt.", ""], ("2.5 parts of salt.",)),
        ([], ()),
    ],
)
def test_claims_are_numbered_by_their_place(printed: list[str], texts: tuple[str, ...]) -> None:
    assert claim_texts(printed).texts == texts


def test_a_document_without_end_takes_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "MAX_DOCUMENT", 2000)
    texts = [grant("1"), grant("2", "x" * 9000), grant("3"), grant("4", "y" * 3000)]
    items = parsed("".join(texts))
    assert [type(item) for item in items] == [Document, Skipped, Document, Skipped]
    assert items[1].place == f"byte {len(texts[0])}"
    data = "".join(texts).encode()
    for size in (1, 7, 50, 10**6):
        chunks = [data[i : i + size] for i in range(0, len(data), size)]
        pieces = list(cut(iter(chunks), 0, _TOKEN))
        assert [(piece.start, piece.end) for piece in pieces] == [
            (sum(map(len, texts[:n])), sum(map(len, texts[: n + 1]))) for n in range(4)
        ]
        assert [piece.long for piece in pieces] == [False, True, False, True]
        assert pieces[-1].last


def test_no_text_takes_more_time_than_its_length() -> None:
    """Runs that a careless pattern would try from each of their characters."""
    runs = ["<EMI" + " " * 300_000, "<EMI " * 60_000, "1, " * 100_000, "(" * 300_000, ". " * 150_000, "&a" * 150_000]
    before = time.process_time()
    for run in runs:
        parsed(patdoc(Document("US3000000", "Saw", "A saw.", ("A saw.",))).replace("A saw.", run))
        undot(run.replace(" ", "."))
        claim_texts([run, f"1-{run}"])
    assert time.process_time() - before < 5


def test_five_megabytes_a_second() -> None:
    paragraph = "<p>The patch <b>10</b> of <figref>FIG. 2</figref> has a cell of Li<sub>2</sub>S &#x3bc;m thick.</p>\n"
    data = GRANT.replace("</description>", paragraph * 900 + "</description>") * 20
    before = time.process_time()
    assert len(parsed(data)) == 20
    assert len(data) / (time.process_time() - before) > 5e6


# A document that is written in each form is read back the same.
WORDS = st.lists(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=9), min_size=1, max_size=30)
SENTENCE = WORDS.map(lambda words: f"{' '.join(words).capitalize()}.")
RICH = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=60).map(
    lambda text: clean(f"A {text} b.")
)


def documents(sentence: st.SearchStrategy[str], **others: st.SearchStrategy) -> st.SearchStrategy[Document]:
    return st.builds(
        Document,
        number=st.integers(3_000_000, 9_999_999).map(lambda number: f"US{number}"),
        title=sentence,
        abstract=sentence,
        claims=st.lists(sentence, min_size=1, max_size=4).map(tuple),
        description=st.lists(sentence, max_size=4).map("\n".join),
        date=st.dates().filter(lambda day: day.year > 1975).map(str),
        **others,
    )


def red_book(document: Document) -> str:
    def symbol(text: str) -> str:
        parts = re.fullmatch(r"(.)(..)(.)(\d+)/(\d+)", text).groups()
        tags = ("section", "class", "subclass", "main-group", "subgroup")
        inner = "".join(f"<{tag}>{part}</{tag}>" for tag, part in zip(tags, parts, strict=True))
        return f"<classification-cpc>{inner}</classification-cpc>"

    claims = "".join(
        f"<claim><claim-text>{n}. {escape(text)}</claim-text></claim>" for n, text in enumerate(document.claims, 1)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<us-patent-grant><publication-reference><document-id><country>US'
        f"</country><doc-number>0{document.number[2:]}</doc-number><date>{document.date.replace('-', '')}</date>"
        f"</document-id></publication-reference>{''.join(map(symbol, document.cpc))}<invention-title>"
        f"{escape(document.title)}</invention-title><abstract><p>{escape(document.abstract)}</p></abstract><description>"
        f"{''.join(f'<p>{escape(line)}</p>' for line in document.description.splitlines())}</description>"
        f"<claims>{claims}</claims></us-patent-grant>"
    )


def patdoc(document: Document) -> str:
    def para(text: str) -> str:
        return f"<PARA><PTEXT><PDAT>{escape(text)}</PDAT></PTEXT></PARA>"

    claims = "".join(f"<CLM>{para(f'{n}. {text}')}</CLM>" for n, text in enumerate(document.claims, 1))
    return (
        f'<!DOCTYPE PATDOC PUBLIC "x" [\n<!ENTITY F.TIF SYSTEM "F.TIF" NDATA TIF>\n]>\n<PATDOC><B110><DNUM><PDAT>0'
        f"{document.number[2:]}</PDAT></DNUM></B110><B140><DATE><PDAT>{document.date.replace('-', '')}</PDAT></DATE>"
        f"</B140><B540><STEXT><PDAT>{escape(document.title)}</PDAT></STEXT></B540><B561><CITED-BY-EXAMINER></B561><SDOAB>"
        f"{para(document.abstract)}</SDOAB><SDODE>{''.join(map(para, document.description.splitlines()))}</SDODE>"
        f"<SDOCL><CL>{claims}</CL></SDOCL></PATDOC>\n"
    )


def pap(document: Document) -> str:
    def paragraph(text: str) -> str:
        return f"<paragraph><number>[0001]</number> {escape(text)}</paragraph>"

    claims = "".join(
        f"<claim><claim-text><highlight><bold>{n}</bold></highlight>. {escape(text)}</claim-text></claim>"
        for n, text in enumerate(document.claims, 1)
    )
    return (
        f'<?xml version="1.0"?>\n<patent-application-publication><document-id><doc-number>{document.number[2:]}'
        f"</doc-number><document-date>{document.date.replace('-', '')}</document-date></document-id>"
        f"<title-of-invention>{escape(document.title)}</title-of-invention><subdoc-abstract>{paragraph(document.abstract)}</subdoc-abstract>"
        f"<subdoc-description>{''.join(map(paragraph, document.description.splitlines()))}</subdoc-description>"
        f"<subdoc-claims>{claims}</subdoc-claims></patent-application-publication>"
    )


def green_book(document: Document) -> str:
    def field(code: str, text: str) -> str:
        first, *rest = textwrap.wrap(text, 73, break_long_words=False, break_on_hyphens=False)
        return f"{code:4} {first}\n" + "".join(f"      {line}\n" for line in rest)

    claims = "".join(f"NUM  {n}.\n" + field("PAR", f"{n}. {text}") for n, text in enumerate(document.claims, 1))
    return (
        f"PATN\nWKU  0{document.number[2:]}7\n{field('TTL', document.title)}ISD  {document.date.replace('-', '')}\n"
        f"NCL  {len(document.claims)}\nABST\n{field('PAL', document.abstract)}BSUM\n"
        f"{''.join(field('PAR', line) for line in document.description.splitlines())}CLMS\nSTM  I claim:\n{claims}"
    )


CPC = st.lists(st.sampled_from(("A01B33/08", "H04L2101/62", "Y02E60/10")), unique=True).map(tuple)


@pytest.mark.parametrize("write", [red_book, patdoc, pap])
@given(data=st.data())
def test_xml_that_was_written_is_read_back(write: Callable[[Document], str], data: st.DataObject) -> None:
    some = data.draw(st.lists(documents(RICH, cpc=CPC if write is red_book else st.just(())), min_size=1, max_size=3))
    assert "[...]" in str(some) or parsed("".join(map(write, some))) == some  # that is the mark of a part that was lost


@given(some=st.lists(documents(SENTENCE), min_size=1, max_size=3))
def test_text_that_was_written_is_read_back(some: list[Document]) -> None:
    data = "".join(map(green_book, some)).encode()
    assert [item for _, item in read_green_book(iter([data]), 0)] == some


# Garbled files end in skipped documents, never in anything else.

GARBLED = [
    "<",
    ">",
    "&",
    "&mgr;",
    "]]>",
    "<!--",
    "<!DOCTYPE ",
    "<?xml ",
    "<us-patent-grant>",
    "\0",
    "é",
    "<p>",
    "PATN\n",
    "",
]


@given(
    st.sampled_from(sorted(CASES.iterdir())),
    st.lists(st.tuples(st.integers(0, 4000), st.sampled_from(GARBLED)), max_size=6),
)
def test_garbled_files_raise_nothing_else(case: Path, changes: list[tuple[int, str]]) -> None:
    data = bytearray(case.read_bytes())
    for place, text in changes:
        data[place : place + 3] = text.encode()
    reader = read_green_book if case.suffix == ".txt" else read_uspto
    positions = [position for position, _ in reader(iter([bytes(data)]), 0)]
    assert positions == sorted(positions)
    assert not positions or positions[-1] <= len(data)


def test_a_file_of_unknown_xml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    path.write_text('<?xml version="1.0"?><rss></rss>')
    with pytest.raises(CorpusError) as caught:
        read(path)
    assert "weekly files of the USPTO" in caught.value.hint
