"""The files beside a page of a site: its text form and its citations, against record and log.

Of the text form (`.md`) front matter and body are compared to the letter; a citation (`.bib`, `.ris`, `.csl.json`) is
held to the rules of the citations on the page.
"""

import html
import re
from pathlib import Path

from generator.base import files
from generator.base.errors import VerificationError
from generator.log.archive import VOLUME
from generator.log.evidence import Evidence
from generator.record.record import Record
from generator.verify.page import Compared, origin
from generator.verify.page_citation import check_words
from generator.verify.sources import MAX_PAGE, MAX_PROOF, text_of

CITATIONS = (".bib", ".ris", ".csl.json")
_MARK = (
    r"(?:#(?:title|abstract|abstract-text|claims|description|claim-[0-9]+|p-[0-9]{4,})|\.(?:n|para|origin)"
    r"|data-fact=(?:title|abstract|claim|paragraph|origin)|data-pagefind-ignore=all)"
)
_MARKS = re.compile(rf"\{{: (?:{_MARK} ?)+\}}")
_LINK = re.compile(r"\[([^\[\]]*)\]\(#claim-[0-9]+\)")
_NUMBERED = re.compile(r"^\[\\\[([0-9]{4,})\\\]\]\(#p-\1\)")
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)")
_LETTERS = {"0": "\0", "a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r", "e": "\x1b",
            "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029"}  # fmt: skip


def check_files(stem: Path, record: Record, evidence: Evidence, shown: Compared) -> int:
    """Compare what stands beside the page `<stem>.html`; the number of files. Raises VerificationError."""
    found = 0
    for suffix in (".md", *CITATIONS):
        place = stem.with_suffix(suffix)
        if not place.exists():
            continue
        found += 1
        data = files.read_some(place, "a file beside a page", MAX_PAGE if suffix == ".md" else MAX_PROOF)
        text = text_of(data, f"page: {place}")
        try:
            if suffix == ".md":
                _check_text_form(text, record, evidence, shown)
            else:
                check_words(text.removesuffix("\n"), record, evidence, shown.number, shown.address)
        except VerificationError as error:
            raise VerificationError(f"{place}: {error}", hint=error.hint) from error
    return found


def _check_text_form(text: str, record: Record, evidence: Evidence, shown: Compared) -> None:
    mark, _, rest = text.partition("---\n")
    front, end, body = rest.partition("---\n")
    if mark or not end:
        raise VerificationError("text form: it does not begin with its facts between two lines of dashes")
    _same("facts", _facts(front), [f"{name}: {value}" for name, value in _wanted_facts(record, evidence, shown)])
    _same("text", [line for line in map(_plain, body.split("\n")) if line], _wanted_lines(record))


def _same(name: str, shown: list[str], wanted: list[str]) -> None:
    for place, value in enumerate(wanted):
        if place >= len(shown) or shown[place] != value:
            said = shown[place] if place < len(shown) else "nothing"
            raise VerificationError(f"text form: {name}: it shows {said[:80]!r}, record and log say {value[:80]!r}")
    if len(shown) > len(wanted):
        raise VerificationError(f"text form: {name}: it shows {shown[len(wanted)][:80]!r}, which no record has")


def _facts(front: str) -> list[str]:
    """Lines of `name: value`, the values without YAML's quotes; members of a mapping below `name:` as they stand."""
    found = []
    for line in front.split("\n")[:-1]:
        name, colon, value = line.partition(":")
        found.append(f"{name}{colon} {_unquoted(value.removeprefix(' '))}")
    return found


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1].replace("''", "'")
    if len(value) > 1 and value[0] == value[-1] == '"':
        return _ESCAPE.sub(_character, value[1:-1])
    return value


def _character(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "xuU" and len(code) > 1:
        number = int(code[1:], 16)
        return chr(number) if number < 0x110000 else "\ufffd"
    return _LETTERS.get(code, code)


def _wanted_facts(record: Record, evidence: Evidence, shown: Compared) -> list[tuple[str, str]]:
    time = evidence.published[1] if evidence.published else ""
    found = [("title", record.disclosure.title), ("id", shown.number)]
    found += [("published", time)] if time else [("not_yet_published", "true")]
    prefix = shown.number.rpartition("-")[0]
    for name, other in (("superseded_by", evidence.superseded_by), ("supersedes", evidence.supersedes)):
        if other is not None:
            path = f"d/{other // VOLUME}/{other}.html"
            found += [(name, ""), ("    id", f"{prefix}-{other:07d}"), ("    path", path)]
    stem = shown.address.removesuffix(".html")
    found += [("record_sha256", record.sha256), ("license", "CC0-1.0"), ("publisher", record.publisher)]
    return [*found, ("page", shown.address), ("record", f"{stem}.json")]


def _plain(line: str) -> str:
    """A line of the body as it reads: without the marks of this project, entities as characters."""
    line = _NUMBERED.sub(r"[\1]", _MARKS.sub("", line))
    return html.unescape(_LINK.sub(r"\1", line)).strip()


def _wanted_lines(record: Record) -> list[str]:
    text = record.disclosure
    own = [(n, one.text) for n, one in enumerate(text.description, 1) if one.origin == "model"]
    found = [f"# {text.title}", "## Abstract", text.abstract, "## Claims"]
    found += [f"{claim.number}. {claim.text}" for claim in text.claims]
    found += ["## Description", *(f"[{n:04d}] {one}" for n, one in own)] if own else []
    found += origin(len(own), len(text.description) - len(own))
    return [plain for line in found if (plain := line.replace("\n", " ").strip())]
