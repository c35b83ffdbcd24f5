"""`prior-art judge FILE`: anybody's texts through the whole ladder of gates, a line for each."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.base.errors import CorpusError
from generator.base.intervals import shown, wilson
from generator.base.publication import Outcome, Publication
from generator.record.judgement import GATES
from generator.record.layouts import HEAD, write_layout

if TYPE_CHECKING:
    from generator.corpus.documents import Document, Skipped
    from generator.judge.ladder import Judged, Ladder
    from generator.judge.parsing import Rejected
    from generator.record.layouts import Direction

MOST_BYTES = 1 << 24  # of a file in a layout


@dataclass(frozen=True, slots=True)
class _Text:
    """A text in a layout; `problem` says why there is none."""

    name: str
    direction: "Direction"
    layout: str
    problem: str = ""


def judge(publication: Publication, file: Path) -> Outcome:
    """Judge each text of a file; rates with intervals at the end. Raises CorpusError where the file holds no text."""
    from generator.commands.reader import open_reader
    from generator.judge.ladder import Ladder

    if not file.is_file():
        raise CorpusError(f"{file}: there is no such file", hint="Name a file of JSON lines, or a draft in a layout.")
    ladder = Ladder.open(publication.corpus, publication.calibration, reader=open_reader(publication))
    lines, told, ends = [], [], Counter[str]()
    for text in _texts(file):
        gate, reason, figures = _judged(text, ladder)
        ends[gate] += 1
        lines.append(f"{text.name}: {'passed' if not gate else f'refused by {gate}, {reason}'}")
        lines += [f"  {one['check']} {one['message']}" for one in figures.get("findings", ()) if gate]
        told.append({"name": text.name, "gate": gate, "reason": reason, **figures})
    if not told:
        raise CorpusError(
            f"{file}: no text was found",
            hint='Give JSON lines with "title", "abstract" and "claims", or a text that begins with "# Patent".',
        )
    return Outcome((*lines, *_rates(ends, len(told))), {"texts": told, "gates": dict(ends)})


def _judged(text: _Text, ladder: "Ladder") -> tuple[str, str, dict[str, Any]]:
    """The gate that refuses a text (empty: none), the reason, and the figures."""
    from generator.judge.checks import check
    from generator.judge.parsing import Rejected, parse

    if text.problem:
        return "G0", text.problem, {}
    parsed = parse(text.layout, text.direction, "end")
    if isinstance(parsed, Rejected):
        return _refusal(parsed)
    formed = check(parsed.disclosure)
    if isinstance(formed, Rejected):
        return _refusal(formed)
    judged: Judged | Rejected = ladder.judge(formed.disclosure)
    if isinstance(judged, Rejected):
        return _refusal(judged)
    findings = [asdict(one) for one in (*parsed.findings, *formed.findings, *judged.findings)]
    judgement = {name: value for name, value in asdict(judged.judgement).items() if value is not None}
    return "", "", {"removed_claims": list(formed.removed_claims), "findings": findings, "judgement": judgement}


def _refusal(rejected: "Rejected") -> tuple[str, str, dict[str, Any]]:
    return rejected.gate, rejected.reason, {"findings": [asdict(one) for one in rejected.findings]}


def _texts(file: Path) -> Iterator[_Text]:
    """The texts of a file: one in a layout, or the documents of any file that the corpus can read."""
    from generator.corpus.documents import Skipped
    from generator.corpus.reading import read_documents

    if _begins(file, HEAD.encode()) and file.stat().st_size <= MOST_BYTES:
        layout = file.read_text(encoding="utf-8-sig", errors="replace")
        claims_first = layout.lstrip().removeprefix(HEAD).lstrip().startswith("## Claims")
        yield _Text(file.name, "bottom-up" if claims_first else "top-down", layout)
        return
    documents = _lines(file) if _begins(file, b"{") else (document for _, document in read_documents(file))
    for document in documents:
        if isinstance(document, Skipped):
            yield _Text(document.place, "top-down", "", f"not read: {document.why}")
        elif not (document.title and document.abstract and document.claims):
            yield _Text(document.number, "top-down", "", "title, abstract and claims are needed")
        else:
            layout = write_layout("top-down", document.title, document.abstract, document.claims)
            yield _Text(document.number, "top-down", layout)


def _lines(file: Path) -> Iterator["Document | Skipped"]:
    """JSON lines whose texts need no `id`: the line's number is one."""
    from generator.corpus.json_lines import MAX_LINE, document_of_line

    with file.open("rb") as stream:
        for number, line in enumerate(iter(lambda: stream.readline(MAX_LINE), b""), 1):
            if line := line.strip().removeprefix(b"\xef\xbb\xbf"):
                yield document_of_line(_named(line, f"line {number}"), f"line {number}")


def _named(line: bytes, place: str) -> bytes:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return line
    return json.dumps({"id": place, **value}).encode() if isinstance(value, dict) and "schema" not in value else line


def _begins(file: Path, head: bytes) -> bool:
    """Whether a regular file begins with `head`, white space and a byte order mark apart."""
    if not file.is_file():
        return False
    with file.open("rb") as stream:
        return stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(head)


def _rates(ends: Counter[str], n: int) -> Iterator[str]:
    """How many texts each gate let pass; G4 refuses nothing."""
    left = n
    for gate in GATES[:-1]:
        left -= ends[gate]
        yield f"{gate}: {left} of {n} passed, {shown(left / n, *wilson(left, n))}"
