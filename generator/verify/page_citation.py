"""The citations on a page: values of record and log, the words of the forms, and nothing else."""

import re

from generator.base.errors import VerificationError
from generator.log.archive import VOLUME
from generator.log.evidence import Evidence
from generator.record.record import Record
from generator.verify.html import Element
from generator.verify.page_dates import MONTH_NAMES, RETRIEVED, days
from generator.verify.page_head import NUMBER
from generator.verify.page_words import CITATION

ADDRESS = re.compile(r"https?://[^\s<>\"{}\\]+")
PIN = re.compile(r"(?:, )?(?:whole document|(?:claims? [0-9, ]+)?(?:, )?(?:paras?\. [\[\]0-9, ]+)?)")
SUBCLASS = re.compile(r"^KW  - [A-HY][0-9]{2}[A-Z]$", re.M)  # assigned by machine, no part of the record


def own_address(root: Element, article: Element) -> str:
    """The one address that the page gives as its own, in its head and on the sheet; empty where it names none."""
    links = [one for one in root.walk() if one.attributes.get("rel") in ("canonical", "cite-as")]
    shown = [one.text for one in article.walk() if one.attributes.get("data-fact") == "address"]
    named = {*(link.attributes.get("href", "") for link in links), *shown}
    if len(named) > 1:
        raise VerificationError(f"page: address: it names {' and '.join(sorted(named))[:160]}")
    return "".join(named)


def check_citation(element: Element, record: Record, evidence: Evidence, number: str, address: str) -> None:
    """One on a page, which may hold the reader's own choice of claims and paragraphs besides."""
    check_words(_without_pin(element), record, evidence, number, address)


def check_words(text: str, record: Record, evidence: Evidence, number: str, address: str) -> None:
    """A citation names number, title, publisher, address and, once there is one, the day of publication.

    What else stands in it must be the record's, or a word of the forms. `address` is the one that the page names as
    its own.
    """
    text = _resolved(text)
    fields = {"TI": record.disclosure.title, "AB": record.disclosure.abstract, "AU": record.publisher}
    for tag, value in re.findall(r"^(TI|AB|AU)  - (.*)$", text, re.M):
        if value != " ".join(fields[tag].split()):
            raise VerificationError(f"page: citation: its {tag} is not the record's: {value[:60]!r}")
    plain = "".join(_words(text))
    for name, value in (("title", record.disclosure.title), ("publisher", record.publisher), ("number", number)):
        if "".join(_words(value)) not in plain:
            raise VerificationError(f"page: citation: the {name} {value[:60]!r} does not stand in it")
    if any(found != number for found in re.findall(rf"(?<![A-Z]){NUMBER.pattern}", text)):
        raise VerificationError("page: citation: another number stands in it")
    if f"/d/{evidence.serial // VOLUME}/{evidence.serial}.html" not in text:
        raise VerificationError("page: citation: the address of the disclosure does not stand in it")
    own = f"{record.disclosure.title}\n{record.disclosure.abstract}\n{record.publisher}"
    if any(found not in own and found.rstrip("].,;)") != address for found in ADDRESS.findall(text)):
        raise VerificationError("page: citation: an address stands in it that is not the page's own")
    time = evidence.published[1] if evidence.published else ""
    if (time and time[:10] not in "|".join(days(text)).split("|")) or (
        not time and re.search("published [0-9]", text, re.I)
    ):
        raise VerificationError("page: citation: the date of publication does not stand in it")
    if strange := _strange(text.replace(address, " "), record, time, number):
        what = (
            "a date or number that is not the log's"
            if all(word[0].isdigit() for word in strange)
            else "words of no record"
        )
        raise VerificationError(f"page: citation: it shows {what}: {' '.join(strange)[:80]!r}")


def _without_pin(element: Element) -> str:
    parts: list[str] = []
    for child in element.children:
        if isinstance(child, str):
            parts.append(child)
        elif child.tag == "span" and "data-pin" in child.attributes and not child.elements:
            if not PIN.fullmatch(child.text):
                raise VerificationError(f"page: citation: a pin cite says {child.text[:60]!r}")
        else:
            raise VerificationError(f"page: citation: an element {child.tag} stands in it")
    return "".join(parts)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _resolved(text: str) -> str:
    """The text of a citation; BibTeX's commands, which stand for characters, as blanks."""
    if not text.startswith("@"):
        return text
    text = text.replace(r"{\textbackslash}", " ")
    return re.sub(r"\{\\text(braceleft|braceright|asciitilde|asciicircum)\}", " ", text)


def _strange(text: str, record: Record, time: str, number: str) -> list[str]:
    """The words of a citation that neither record, log nor the forms have."""
    rest = _words(RETRIEVED.sub(r"\1", SUBCLASS.sub("", text)))
    made, own = record.generation, record.disclosure
    values = [own.title, own.abstract, record.publisher, record.publisher.upper(), number, time, record.sha256]
    for value in sorted((_words(value) for value in (*values, made.model)), key=len, reverse=True):
        rest = _removed(rest, value)
    known = {"", record.disclosure.language} | CITATION
    if time:
        year, month, day = time[:10].split("-")
        name = MONTH_NAMES[int(month) - 1]
        known |= {year, month, day, month.lstrip("0"), day.lstrip("0"), name, name[:3]}
    return [word for word in rest if word not in known or (time and word in ("not", "yet"))]


def _removed(words: list[str], value: list[str]) -> list[str]:
    """The words with an empty one in the place of each run that reads `value`."""
    left, at = [], 0
    while at < len(words):
        found = value and words[at : at + len(value)] == value
        left.append("" if found else words[at])
        at += len(value) if found else 1
    return left
