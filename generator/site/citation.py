"""How to cite a disclosure: the forms that examiners and reference managers read. Pure functions, plain text.

Model text goes into formats with rules of their own, so each format has its own escaping. The author is the
publishing body: no form is given an invented person, and the model is named where the form has a place for notes.
`RETRIEVED` stands for the day of reading, which only the reader's browser knows. Files beside a page leave it out; what
the page's script copies from them has it.
A prose form has a place for a pin cite, which the reader's choice of claims and paragraphs fills.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from generator.base.settings import Settings
from generator.log.archive import LoggedRecord
from generator.site.classes import subclass

RETRIEVED = "YYYY-MM-DD"
PIN = "\n\n"  # in a form under construction, on both sides of a pin cite's place: no line of a form is empty
UNPUBLISHED = "not yet published"

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)  # not strftime: it follows the locale of the machine
_BIBTEX_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# BibTeX counts braces also where a backslash precedes them, so a brace in a value must be a command.
_BIBTEX = {
    "\\": r"{\textbackslash}",
    "{": r"{\textbraceleft}",
    "}": r"{\textbraceright}",
    "~": r"{\textasciitilde}",
    "^": r"{\textasciicircum}",
    **{c: "\\" + c for c in "$&#_%"},
}


@dataclass(frozen=True, slots=True)
class Citation:
    """One form: `key` is its identifier in the page, `label` its name for readers, `text` what is copied. A pin cite
    takes the place of the characters `pin` (first, after the last).
    """

    key: str
    label: str
    text: str
    pin: tuple[int, int]


def display_id(serial: int, settings: Settings) -> str:
    return f"{settings.prefix}-{serial:07d}"


def permalink(serial: int, volume: int, settings: Settings, suffix: str = ".html") -> str:
    return f"{settings.site_url.rstrip('/')}/d/{volume}/{serial}{suffix}"


def citations(logged: LoggedRecord, settings: Settings) -> tuple[Citation, ...]:
    """The forms that a page shows."""
    forms: tuple[tuple[str, str, Callable[[LoggedRecord, Settings], str]], ...] = (
        ("examiner", "Examiner (PTO-892)", examiner_line),
        ("applicant", "Applicant (SB/08)", applicant_line),
        ("third-party", "Third party (37 CFR 1.290)", third_party),
        ("epo", "EPO search report", epo_line),
        ("st14", "WIPO ST.14", st14_line),
    )
    return tuple(_pinned(key, label, form(logged, settings)) for key, label, form in forms)


def citation_files(logged: LoggedRecord, settings: Settings) -> dict[str, str]:
    """Suffix and text of the files beside a page, which reference managers import."""
    return {
        ".bib": bibtex(logged, settings) + "\n",
        ".ris": ris(logged, settings) + "\n",
        ".csl.json": csl_json(logged, settings) + "\n",
    }


def _pinned(key: str, label: str, text: str) -> Citation:
    before, instead, after = text.split(PIN)
    return Citation(key, label, before + instead + after, (len(before), len(before) + len(instead)))


def examiner_line(logged: LoggedRecord, settings: Settings) -> str:
    """MPEP 707.05(e): author, title, [online], publisher, date, retrieval date in brackets, where from, passage."""
    publisher = _line(logged.record.publisher)
    published = f"published {logged.published_at}" if logged.published_at else UNPUBLISHED
    return (
        f"{publisher.upper()}, “{_line(logged.record.disclosure.title)}”, "
        f"Disclosure {display_id(logged.serial, settings)} (machine-generated) [online], {publisher}, {published}, "
        f"[retrieved on {RETRIEVED}]. Retrieved from the Internet: <URL: {_page(logged, settings)}>{PIN}{PIN}."
    )


def applicant_line(logged: LoggedRecord, settings: Settings) -> str:
    """Form PTO/SB/08, 37 CFR 1.98(b)(5): author in capitals, title, item, date, passage, publisher, place."""
    publisher = _line(logged.record.publisher)
    published = logged.published_at[:10] or UNPUBLISHED
    return (
        f"{publisher.upper()}, “{_line(logged.record.disclosure.title)}”, "
        f"Disclosure {display_id(logged.serial, settings)} (machine-generated), {published}{PIN}{PIN}, {publisher}, "
        f"{_page(logged, settings)} [retrieved on {RETRIEVED}]."
    )


def third_party(logged: LoggedRecord, settings: Settings) -> str:
    """37 CFR 1.290(e): author, title, date as MM/DD/YYYY, pages, publisher, place of publication of each item."""
    year, _, day = logged.published_at[:10].partition("-")
    published = f"{day.replace('-', '/')}/{year}" if day else UNPUBLISHED
    lines = (
        ("Author (if any)", _line(logged.record.publisher)),
        ("Title", _line(logged.record.disclosure.title)),
        ("Item", f"Disclosure {display_id(logged.serial, settings)} (machine-generated)"),
        ("Publication date", published),
        ("Pages or passages", f"{PIN}whole document{PIN}"),
        ("Publisher", _line(logged.record.publisher)),
        ("Place of publication", f"{_page(logged, settings)} [retrieved on {RETRIEVED}]"),
    )
    return "\n".join(f"{name}: {value}" for name, value in lines)


def epo_line(logged: LoggedRecord, settings: Settings) -> str:
    """As the EPO's search reports cite what stands on the internet."""
    published = UNPUBLISHED
    if logged.published_at:
        day = date.fromisoformat(logged.published_at[:10])
        published = f"{day.day} {_MONTHS[day.month - 1]} {day.year} ({day.isoformat()})"
    return (
        f"{_line(logged.record.publisher).upper()}: “{_line(logged.record.disclosure.title)}”, "
        f"Disclosure {display_id(logged.serial, settings)} (machine-generated), {published}{PIN}{PIN}, "
        f"Retrieved from the Internet: URL:{_page(logged, settings)} [retrieved on {RETRIEVED}]"
    )


def st14_line(logged: LoggedRecord, settings: Settings) -> str:
    """WIPO Standard ST.14, a document from the internet: author, title, [online], date, retrieval date, where from."""
    publisher = _line(logged.record.publisher)
    published = logged.published_at[:10] or UNPUBLISHED
    return (
        f"{publisher.upper()}. {_line(logged.record.disclosure.title)} [online]. Disclosure "
        f"{display_id(logged.serial, settings)} (machine-generated). {publisher}, {published} "
        f"[retrieved on {RETRIEVED}]. Retrieved from the Internet: <URL: {_page(logged, settings)}>{PIN}{PIN}."
    )


def _page(logged: LoggedRecord, settings: Settings) -> str:
    return permalink(logged.serial, logged.volume, settings)


def bibtex(logged: LoggedRecord, settings: Settings) -> str:
    publisher = _bibtex_value(logged.record.publisher)
    fields = {
        "author": f"{{{publisher}}}",
        "title": f"{{{_bibtex_value(logged.record.disclosure.title)}}}",
        "institution": f"{{{publisher}}}",
        "type": "Disclosure",
        "number": _bibtex_value(display_id(logged.serial, settings)),
    }
    if logged.published_at:
        fields["year"] = logged.published_at[:4]
        fields["month"] = _BIBTEX_MONTHS[int(logged.published_at[5:7]) - 1]
        fields["date"] = logged.published_at[:10]
    fields["url"] = _bibtex_url(permalink(logged.serial, logged.volume, settings))
    fields["note"] = _bibtex_value(_note(logged))
    key = "".join(c for c in display_id(logged.serial, settings) if c.isascii() and (c.isalnum() or c == "-"))
    braced = {name: value if name == "month" else f"{{{value}}}" for name, value in fields.items()}
    body = "".join(f"  {name} = {value},\n" for name, value in braced.items())
    return f"@techreport{{{key},\n{body}}}"


def ris(logged: LoggedRecord, settings: Settings) -> str:
    """RIS has no escapes: a value is what stands between the tag and the end of its line."""
    published = logged.published_at[:10].replace("-", "/")
    lines = [
        ("TY", "RPRT"),
        ("AU", logged.record.publisher),
        ("TI", logged.record.disclosure.title),
        *([("PY", published[:4]), ("DA", published)] if published else []),
        ("PB", logged.record.publisher),
        ("M3", "Disclosure"),
        ("SN", display_id(logged.serial, settings)),
        ("LA", logged.record.disclosure.language),
        ("UR", permalink(logged.serial, logged.volume, settings)),
        ("AB", logged.record.disclosure.abstract),
        *([("KW", symbol)] if (symbol := subclass(logged)) else []),
        ("N1", _note(logged)),
    ]
    return "".join(f"{tag}  - {_line(value)}\n" for tag, value in lines) + "ER  - "


def csl_json(logged: LoggedRecord, settings: Settings) -> str:
    """CSL-JSON 1.0, as a list with one item, which is what reference managers import."""
    item: dict[str, object] = {
        "id": display_id(logged.serial, settings),
        "type": "report",
        "genre": "Disclosure",
        "title": logged.record.disclosure.title,
        "author": [{"literal": logged.record.publisher}],
        "publisher": logged.record.publisher,
        "number": display_id(logged.serial, settings),
        "language": logged.record.disclosure.language,
        "URL": permalink(logged.serial, logged.volume, settings),
        "note": _note(logged),
    }
    if logged.published_at:
        item["issued"] = {"date-parts": [[int(part) for part in logged.published_at[:10].split("-")]]}
    members = (f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in item.items())
    return "[{\n" + ",\n".join(members) + "\n}]"


def _note(logged: LoggedRecord) -> str:
    published = f"Published {logged.published_at}" if logged.published_at else UNPUBLISHED.capitalize()
    return f"{published}. Machine-generated by {logged.record.generation.model}. Record SHA-256 {logged.record.sha256}."


def _line(text: str) -> str:
    """One line: white space of any kind as one space."""
    return " ".join(text.split())


def _bibtex_value(text: str) -> str:
    return "".join(_BIBTEX.get(c, c) for c in _line(text))


def _bibtex_url(url: str) -> str:
    """Percent signs stay, as BibTeX styles set URLs verbatim; what could end the value is percent-encoded."""
    return "".join(f"%{ord(c):02X}" if c in '{}\\"' or c.isspace() else c for c in url)
