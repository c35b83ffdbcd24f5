"""How to cite a disclosure: the forms that examiners and reference managers read. Pure functions, plain text.

Model text goes into four formats with four sets of rules, so each format has its own escaping. The author is the
publishing body: no form is given an invented person, and the model is named where the form has a place for notes.
`RETRIEVED` stands for the day of reading, which only the reader's browser knows.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from generator.base.settings import Settings
from generator.log.archive import LoggedRecord

RETRIEVED = "YYYY-MM-DD"
UNPUBLISHED = "not yet published"

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
    """One form: `key` is its identifier in the page, `label` its name for readers, `text` what is copied."""

    key: str
    label: str
    text: str


def display_id(serial: int, settings: Settings) -> str:
    return f"{settings.prefix}-{serial:07d}"


def permalink(serial: int, volume: int, settings: Settings, suffix: str = ".html") -> str:
    return f"{settings.site_url.rstrip('/')}/d/{volume}/{serial}{suffix}"


def citations(logged: LoggedRecord, settings: Settings) -> tuple[Citation, ...]:
    forms: tuple[tuple[str, str, Callable[[LoggedRecord, Settings], str]], ...] = (
        ("examiner", "Examiner (PTO-892, SB/08)", examiner_line),
        ("bibtex", "BibTeX", bibtex),
        ("ris", "RIS", ris),
        ("csl", "CSL-JSON", csl_json),
    )
    return tuple(Citation(key, label, form(logged, settings)) for key, label, form in forms)


def examiner_line(logged: LoggedRecord, settings: Settings) -> str:
    """37 CFR 1.98(b)(5) and MPEP 707.05(e): author, title, item, date, publisher, place, retrieval date in brackets."""
    publisher = _line(logged.record.publisher)
    published = f"published {logged.published_at}" if logged.published_at else UNPUBLISHED
    return (
        f"{publisher.upper()}, “{_line(logged.record.disclosure.title)}”, "
        f"Disclosure {display_id(logged.serial, settings)} (machine-generated), {published}, {publisher}, "
        f"{permalink(logged.serial, logged.volume, settings)} [retrieved on {RETRIEVED}]."
    )


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
        fields["date"] = logged.published_at[:10]
    fields["url"] = _bibtex_url(permalink(logged.serial, logged.volume, settings))
    fields["urldate"] = RETRIEVED
    fields["note"] = _bibtex_value(_note(logged))
    key = "".join(c for c in display_id(logged.serial, settings) if c.isascii() and (c.isalnum() or c == "-"))
    body = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
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
        ("Y2", RETRIEVED.replace("-", "/")),
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
        "accessed": {"raw": RETRIEVED},
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
