"""Every date on a page: the log's, the record's, or the reader's own day of retrieval."""

import re

from generator.base.errors import VerificationError
from generator.log.evidence import Evidence
from generator.record.record import Record
from generator.verify.html import Element

MONTH_NAMES = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
MONTHS = tuple(name[:3] for name in MONTH_NAMES)
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_YEAR = r"((?:1[6-9]|2[0-9])[0-9]{2})"
STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z| UTC|[+-][0-9]{2}:?[0-9]{2})?")
FORMS = (  # each with the groups of year, month and day
    (re.compile(rf"(?<![0-9]){_YEAR}[-/.](\d{{1,2}})[-/.](\d{{1,2}})(?![0-9])", re.ASCII), (1, 2, 3)),
    (re.compile(rf"(?<![0-9])(\d{{1,2}})[-/.](\d{{1,2}})[-/.]{_YEAR}(?![0-9])", re.ASCII), (3, 2, 1)),
    (re.compile(rf"\[\s*{_YEAR}\s*,\s*(\d{{1,2}})\s*,\s*(\d{{1,2}})\s*\]", re.ASCII), (1, 2, 3)),
    (re.compile(rf"\b(\d{{1,2}})\.?\s+{_MONTH},?\s+{_YEAR}\b", re.ASCII | re.I), (3, 2, 1)),
    (re.compile(rf"\b{_MONTH}\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+{_YEAR}\b", re.ASCII | re.I), (3, 1, 2)),
    (re.compile(rf"\b{_YEAR},?\s+{_MONTH}\s+(\d{{1,2}})\b", re.ASCII | re.I), (1, 2, 3)),
)
_YEARS = re.compile(
    rf"(?:year\s*=\s*\{{?|PY  - |date-parts\": \[\[|published (?:in )?){_YEAR}(?![0-9])", re.ASCII | re.I
)
RETRIEVED = re.compile(
    r"(retrieved(?:\s+on)?:? |urldate = \{|Y2  - |\"accessed\": \{[^}]*?)"
    r"(\[\[\s*[0-9]{4}\s*,\s*[0-9]{1,2}\s*,\s*[0-9]{1,2}\s*\]\]|[0-9]{4}[-/][0-9]{2}[-/][0-9]{2})",
    re.I,
)
KEPT = ("data-record", "data-evidence", "class", "src")


def check_dates(root: Element, record: Record, evidence: Evidence) -> None:
    """Raises VerificationError for a date that neither log nor record gives, in text, attribute or linked data."""
    time = evidence.published[1] if evidence.published else ""
    stamps = {time, record.created_at} - {""}
    text, made = record.disclosure, record.generation
    own = "\n".join((text.title, record.publisher, record.review, made.model, made.revision, made.model_attribution,
                     made.topic, text.abstract, made.generator_version))  # fmt: skip
    known = {stamp[:10] for stamp in stamps} | set("|".join(days(own)).split("|"))
    years = {day[:4] for day in known} | set(re.findall(r"(?<![0-9])[0-9]{4}(?![0-9])", own))
    for part in _parts(root, record):
        shown = RETRIEVED.sub(r"\1", part)
        for found in STAMP.findall(shown):
            if found not in stamps and not any(found in value for value in (*stamps, own)):
                raise VerificationError(f"page: date: it shows {found}, the log says {time or 'not yet published'}")
        for day in days(shown):
            if not known.intersection(day.split("|")):
                raise VerificationError(f"page: date: it shows {day}, the log says {time or 'not yet published'}")
        for year in _YEARS.findall(shown):
            if year not in years:
                raise VerificationError(f"page: date: it shows the year {year}, the log says {time or 'no date'}")


def days(text: str) -> list[str]:
    """Days as YYYY-MM-DD; of 11/12/2026 both readings, joined by a bar."""
    found = []
    for form, (year, month, day) in FORMS:
        for match in form.finditer(text):
            named = match[month].lower()[:3]
            pair = (MONTHS.index(named) + 1 if named in MONTHS else int(match[month]), int(match[day]))
            both = {pair, pair[::-1]} if (year, month, day) == (3, 2, 1) and named not in MONTHS else {pair}
            readings = [f"{match[year]}-{m:02d}-{d:02d}" for m, d in sorted(both) if 1 <= m <= 12 and 1 <= d <= 31]
            found += ["|".join(readings)] if readings else []
    return found


def _parts(root: Element, record: Record) -> list[str]:
    """Runs of text and attribute values, without the record's own texts and what is marked as no evidence."""
    waiting, found = [root], []
    while waiting:
        one = waiting.pop()
        if one.attributes.get("data-not-evidence") or one.attributes.get("data-fact") in (
            "title", "abstract", "claim", "paragraph", "seed", "sha256", "weights_sha256", "revision",
            "model_attribution", "topic", "review", "publisher",
        ):  # fmt: skip
            continue
        if not (
            one.tag == "title" or one.attributes.get("content") in (record.disclosure.title, record.disclosure.abstract)
        ):
            found += [value for name, value in one.attributes.items() if name not in KEPT]
            found.append(
                one.text
                if one.tag in ("p", "pre", "dd", "span")
                else "\n".join(t for t in one.children if isinstance(t, str))
            )
        waiting.extend(one.elements)
    return found
