"""Fifty pages with one forged fact each: its name, the change of a true page's HTML, and the word that names the fact.

The page is of the first record of `site_fixture.patents`, published, number PAP-0000000.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

from site_fixture import PUBLISHED, patents, settings

from generator.log.archive import LoggedRecord
from generator.site.citation import citation_files

DAY = PUBLISHED[:10]
RECORD = patents()[0]
FORMS = citation_files(LoggedRecord(0, RECORD.to_bytes(), RECORD, "", 4, PUBLISHED, ()), settings()).values()


CARRIED = re.compile(r"(?<=data-)(record|evidence)='([^']*)'")  # as `site/carried.py` writes it into a page


@dataclass(frozen=True, slots=True)
class Forgery:
    """A change of what a page shows; what it carries stays true."""

    name: str
    fact: str
    change: Callable[[str], str]

    def forge(self, page: str) -> str:
        carried = CARRIED.findall(page)
        assert [name for name, _ in carried] == ["record", "evidence"]
        forged = self.change(CARRIED.sub(r"\1=''", page))
        for name, text in carried:
            forged = forged.replace(f"data-{name}=''", f"data-{name}='{text}'", 1)
        return forged


def _swap(old: str, new: str, count: int = 1) -> Callable[[str], str]:
    def forge(page: str) -> str:
        head, mark, rest = page.partition("<article")
        for at, text in ((0, rest), (1, head)):
            if old in text:
                changed = text.replace(old, new, count)
                return head + mark + changed if at == 0 else changed + mark + rest
        raise AssertionError(f"{old} does not stand on the page")

    return forge


def _head(old: str, new: str) -> Callable[[str], str]:
    def forge(page: str) -> str:
        head, mark, rest = page.partition("<article")
        assert old in head, old
        return head.replace(old, new) + mark + rest

    return forge


def _fact(name: str, text: str, place: int = 1) -> Callable[[str], str]:
    """Another text in the element of a fact, the `place`th of its name."""

    def forge(page: str) -> str:
        found = list(re.finditer(rf'(<(\w+)[^>]*data-fact="{name}"[^>]*>)(.*?)(</\2>)', page, re.DOTALL))
        match = found[place - 1]
        assert match[3] != text
        return page[: match.start(3)] + text + page[match.end(3) :]

    return forge


def _after(mark: str, added: str) -> Callable[[str], str]:
    return _swap(mark, mark + added)


def _all(*pairs: tuple[str, str]) -> Callable[[str], str]:
    def forge(page: str) -> str:
        kept: list[str] = []

        def keep(match: re.Match[str]) -> str:
            kept.append(match[0])
            return f"\x01{len(kept) - 1}\x01"

        page = re.sub(r'data-(?:record|evidence|vkey)="[^"]*"', keep, page)
        for old, new in pairs:
            assert old in page, old
            page = page.replace(old, new)
        return re.sub("\x01([0-9]+)\x01", lambda match: kept[int(match[1])], page)

    return forge


def _form(old: str, new: str) -> Callable[[str], str]:
    """A form more than pages show, one of those that are files beside it, with a fault."""

    def forge(page: str) -> str:
        text = next(form for form in FORMS if old in form)
        return _after("</pre>", f"<pre>{html.escape(text.replace(old, new, 1))}</pre>")(page)

    return forge


OLD = "2019-01-02T03:04:05Z"
EVERY_DATE = _all(
    (PUBLISHED, OLD), (DAY, "2019-01-02"), (DAY.replace("-", "/"), "2019/01/02"),
    ("22 November 2026", "2 January 2019"), ("11/22/2026", "01/02/2019"),
)  # fmt: skip
CLAIM = '<li data-fact="claim" id="claim-7">A perpetual motion machine.</li>'
PARAGRAPH = (
    '<p class="para" data-fact="paragraph" id="p-0005"><a class="n" href="#p-0005">[0005]</a> Energy is free.</p>'
)
FORGERIES = (
    Forgery("every date", "date published", EVERY_DATE),
    Forgery("visible date", "published", _fact("published", OLD)),
    Forgery("date in the attribute alone", "published", _swap(f'datetime="{PUBLISHED}"', f'datetime="{OLD}"')),
    Forgery("date on the sheet", "published", _fact("published", OLD, 2)),
    Forgery("one second earlier", "published", _fact("published", "2026-11-22T03:14:06Z")),
    Forgery("created", "created", _fact("created", OLD)),
    Forgery("citation_publication_date", "date", _head(DAY.replace("-", "/"), "2019/01/02")),
    Forgery("DC.date", "date", _head(f'DC.date" content="{PUBLISHED}"', f'DC.date" content="{OLD}"')),
    Forgery("datePublished", "date", _head(f'"datePublished": "{PUBLISHED}"', f'"datePublished": "{OLD}"')),
    Forgery("dateCreated", "date", _head(f'"dateCreated": "{RECORD.created_at}"', f'"dateCreated": "{OLD}"')),
    Forgery("date in the examiner's line", "date", _swap(f"published {PUBLISHED}, ", f"published {OLD}, ")),
    Forgery("date in BibTeX", "date", _form(f"date = {{{DAY}}}", "date = {2019-01-02}")),
    Forgery("year in BibTeX", "date", _form("year = {2026}", "year = {2019}")),
    Forgery("date in RIS", "date", _form(f"DA  - {DAY.replace('-', '/')}", "DA  - 2019/01/02")),
    Forgery("year in RIS", "date", _form("PY  - 2026", "PY  - 2019")),
    Forgery("date in CSL", "date", _form("[[2026, 11, 22]]", "[[2019, 1, 2]]")),
    Forgery("date in a note", "date", _form(f"note = {{Published {PUBLISHED}", "note = {Published " + OLD)),
    Forgery("date in words", "date text", _after("(UTC)", " First shown on 2 January 2019.")),
    Forgery(
        "date in the header", "date", _swap('<a class="press-name"', '<a class="press-name" title="since 2019-01-02"')
    ),
    Forgery(
        "no date",
        "published Published",
        _swap(f'<time data-fact="published" datetime="{PUBLISHED}">{PUBLISHED}</time>', ""),
    ),
    Forgery("number", "number", _all(("PAP-0000000", "PAP-0000007"))),
    Forgery("visible number", "number", _fact("number", "PAP-0000007")),
    Forgery("number on the sheet", "number", _fact("number", "PAP-0000007", 2)),
    Forgery("number in a citation", "number", _form("number = {PAP-0000000}", "number = {PAP-0000007}")),
    Forgery("number in a meta tag", "number", _head('number" content="PAP-0000000"', 'number" content="PAP-0000007"')),
    Forgery(
        "number in linked data",
        "number reportNumber",
        _head('"reportNumber": "PAP-0000000"', '"reportNumber": "PAP-0000007"'),
    ),
    Forgery("address", "number address", _head("/d/0/0.html", "/d/0/7.html")),
    Forgery("index", "index", _fact("index", "7")),
    Forgery("title", "title", _fact("title", "Perpetual motion")),
    Forgery("title of the window", "title", _head("<title>PAP-0000000: Irrigation", "<title>PAP-0000000: Perpetual")),
    Forgery("title in a citation", "title", _form("title = {{Irrigation valve", "title = {{Perpetual valve")),
    Forgery("abstract", "abstract", _fact("abstract", "A valve that needs no energy at all.")),
    Forgery("abstract in RIS", "AB", _form("AB  - A valve", "AB  - A laser")),
    Forgery("claim", "claim", _swap("20 kPa and 60 kPa.</li>", "20 kPa and 90 kPa.</li>")),
    Forgery("paragraph", "paragraph", _swap("which is often forgotten.", "which is seldom forgotten.")),
    Forgery("claim added", "claim", _after("without electricity.</li>", CLAIM)),
    Forgery("claim added elsewhere", "claim text record", _after("</aside>", f"<ol>{CLAIM}</ol>")),
    Forgery("claim left out", "claim", lambda page: re.sub(r'<li[^>]*id="claim-6".*?</li>', "", page, flags=re.DOTALL)),
    Forgery("claims renumbered", "number claim", _swap("<ol>", '<ol start="3">')),
    Forgery(
        "paragraph added",
        "paragraph",
        _after("with a hardness of 50 Shore A.</p>", PARAGRAPH),
    ),
    Forgery(
        "plain paragraph added", "text", _after("which is often forgotten.</p>", "<p>A laser reads the valve.</p>")
    ),
    Forgery("paragraph added after all", "text", _swap("</article>", "</article><p>A laser reads the valve.</p>")),
    Forgery(
        "text called no evidence",
        "place",
        _after('<h2 id="claims">Claims</h2>', '<div data-not-evidence="x">A laser.</div>'),
    ),
    Forgery("origin", "origin", _fact("origin", "All paragraphs are shown.")),
    Forgery("review", "review", _fact("review", "Reviewed by the Patent Office")),
    Forgery("review added", "text", _after("<div><dt>Status</dt>", "<dd>Reviewed by the Patent Office</dd>")),
    Forgery("model", "model", _fact("model", "A person")),
    Forgery("weights", "weights", _fact("weights_sha256", "0" * 64)),
    Forgery("licence", "license", _fact("license", "All rights reserved")),
    Forgery("publisher", "publisher", _fact("publisher", "Bell Laboratories")),
    Forgery("hash", "sha256 hash", _fact("sha256", "0" * 64)),
    Forgery("hash on the sheet", "sha256 hash", _fact("sha256", "0" * 64, 2)),
    Forgery("machine-generated", "ai_generated", _fact("ai_generated", "Written by hand.")),
    Forgery(
        "reviewer in the examiner's line", "citation", _swap("[online], ", "[online], reviewed by the Patent Office, ")
    ),
    Forgery("owner in the applicant's line", "citation", _swap("(machine-generated), 2026", "(owned by Bell), 2026")),
    Forgery(
        "reviewer in the third party's form",
        "citation",
        _swap("whole document</span>", "whole document</span> (valid)"),
    ),
    Forgery("words in EPO's form", "citation", _swap("22 November 2026 (2026", "22 November 2026, category X (2026")),
    Forgery("words in the form of ST.14", "citation", _swap("[online]. Disclosure", "[online]. Granted. Disclosure")),
    Forgery(
        "words in BibTeX", "citation", _form("Machine-generated by starter.", "Machine-generated by starter, for Bell.")
    ),
    Forgery("field in BibTeX", "citation", _form("  month = nov,", "  month = nov,\n  annote = {Granted},")),
    Forgery("month in BibTeX", "citation", _form("  month = nov,", "  month = jan,")),
    Forgery("keyword in RIS", "citation", _form("M3  - Disclosure", "KW  - perpetual motion\nM3  - Disclosure")),
    Forgery("second title in RIS", "citation", _form("M3  - Disclosure", "T2  - Proceedings\nM3  - Disclosure")),
    Forgery("name in CSL", "citation", _form('"genre": "Disclosure"', '"genre": "Disclosure", "editor": "Bell"')),
    Forgery("day that is none in a citation", "citation date", _swap("11/22/2026", "11/22/2026, filed 1998")),
    Forgery("not yet published in a citation", "citation", _swap("[online], ", "[online], not yet published, ")),
    Forgery("pin cite", "pin", _swap("<span data-pin></span>", "<span data-pin>, reviewed</span>")),
    Forgery("element in a citation", "citation", _swap("<span data-pin></span>", "<b>reviewed</b>")),
    Forgery("another address in a citation", "address", _swap("URL: http://", "URL: http://evil.example/http://")),
    Forgery("another address on the sheet", "address", _fact("address", "https://evil.example/d/0/0.html")),
    Forgery(
        "name of a citation", "text", _swap("<summary>Examiner (PTO-892)", "<summary>Granted by the Patent Office")
    ),
    Forgery("tooltip", "title", _swap('<h2 id="cite"', '<h2 title="Granted" id="cite"')),
    Forgery("text read aloud", "aria-label", _swap('aria-label="Citation and evidence"', 'aria-label="Granted"')),
    Forgery("code before a term", "data-inid", _swap('data-inid="43"', 'data-inid="granted 43"')),
    Forgery("what is copied", "data-copy", _swap('data-copy="WIPO ST.14"', 'data-copy="Granted patent"')),
    Forgery("true text hidden", "hidden styled", _swap('<div class="press-text"', '<div hidden class="press-text"')),
)
# Shows more than the record, or what a browser could read otherwise than the program.
MARKUP = (
    "<p>A laser.</p>",
    "<!-- x --><b>A laser</b>",
    "<svg><text>A laser</text></svg>",
    "<style>p{display:none}</style>",
    "<template>x</template>",
    "<iframe srcdoc='A laser'></iframe>",
    "<img alt='A laser' src=x>",
    "A laser.",
    "<ul><li>A laser</ul>",
    "<details><summary>A laser reads it; it is red</summary></details>",
    "<button>A laser</button>",
    "<p data-fact='claim'>A laser</p>",
    "<h2>A laser</h2>",
    "</div><p>A laser</p><div>",
    "<noscript>A laser</noscript>",
    "<input value='A laser'>",
    "<p data-fact=laser>x</p>",
    "<span data-not-evidence=remarks>A laser</span>",
    "<plaintext>",
    "<textarea>A laser</textarea>",
    "<math><mi>laser</mi></math>",
    "<p style='x'></p>",
    "<a href='x' onclick='y'></a>",
    "<script>alert(1)</script>",
    "<p hidden>x</p>",
    "\x00",
    "<p>1. A laser",
)
