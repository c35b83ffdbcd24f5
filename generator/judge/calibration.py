"""Thresholds of gate G2 from real patents, never from generated text: measured, written to a small versioned file.

All shares are in thousandths. One third of the documents, by the hash of their numbers, is never measured for
the thresholds; on it the rates of every check and gate are counted. docs/judgement.md explains the figures.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from generator.base import canonical, files
from generator.base.errors import ConfigError, CorpusError, RecordError
from generator.base.intervals import shown, wilson
from generator.base.values import Faults, read
from generator.corpus.documents import Document, Skipped
from generator.corpus.patent_text import clean, held_out, sentence_case
from generator.judge.checks import Passed, check, measure, run_checks
from generator.judge.checks.thresholds import Calibration
from generator.judge.parsing import Parsed, parse
from generator.record.disclosure import Disclosure
from generator.record.judgement import Coherence
from generator.record.layouts import write_layout

SCHEMA = "prior-art-calibration/v1"
SHIPPED = Path(__file__).with_suffix(".json")
HELD_OUT = 1 / 3
FIRST_CLAIMS = 8  # of each document; drafts have about as many
LOSS = 30  # all thresholds of G2 together refuse at most so much of the real documents that passed G1
PERCENTILES = (10, 20, 50, 100, 250, 500, 750, 900, 950, 980, 990)
LEAST = 100  # documents, held out or not: fewer say nothing about a twentieth
MEASURES = tuple(field.name for field in fields(Coherence))
CODES = tuple(f"C{number}" for number in range(1, 15))


@dataclass(frozen=True, slots=True)
class _File:
    """What `calibrate` writes."""

    schema: str
    id: str
    corpus: dict[str, Any]
    claims: int
    loss: int
    percentile: int
    thresholds: Coherence
    percentiles: dict[str, tuple[dict[str, int], ...]]
    held_out: dict[str, int]
    checks: tuple[dict[str, Any], ...]


def load_calibration(path: Path | None = None) -> Calibration:
    """The calibration in a file; without `path` the shipped one. Raises ConfigError."""
    value = read_calibration(path or SHIPPED)
    return Calibration(value["id"], **value["thresholds"])


def read_calibration(path: Path) -> dict[str, Any]:
    """Everything in a calibration's file. Raises ConfigError for what `calibrate` does not write."""
    hint = "Make one with: prior-art calibrate CORPUS."
    try:
        value = canonical.loads(files.read(path, "a calibration").rstrip(b"\n"))
    except RecordError as error:
        raise ConfigError(f"{path}: no calibration: {error}", hint=hint) from error
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise ConfigError(f"{path}: no calibration of the schema {SCHEMA!r}", hint=hint)
    try:
        read(_File, value)
    except Faults as error:
        raise ConfigError("\n".join(f"{path}: {fault}" for fault in error.faults), hint=hint) from error
    if value["id"] != _identifier(value):
        raise ConfigError(f"{path}: changed by hand: its id is not the hash of its content", hint=hint)
    return value


def _identifier(value: dict[str, Any]) -> str:
    content = {name: item for name, item in value.items() if name != "id"}
    return hashlib.sha256(canonical.dumps(content)).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Real:
    """A real document as a disclosure; `held_out`: it is kept from the thresholds."""

    number: str
    disclosure: Disclosure
    held_out: bool


def real_disclosures(documents: Iterable[Document | Skipped], most: int = FIRST_CLAIMS) -> list[Real]:
    """The first `most` claims of every document that has claims, title and abstract, read by the parser of drafts.

    Each number once. A document that the parser refuses is left out: what is measured are the gates after G0.
    """
    found: dict[str, Real] = {}
    for document in documents:
        if isinstance(document, Skipped) or not (document.claims and document.title and document.abstract):
            continue
        claims = [clean(claim) for claim in document.claims[:most]]
        abstract = clean(document.abstract)
        title = sentence_case(clean(document.title), " ".join((abstract, *claims)))
        parsed = parse(write_layout("top-down", title, abstract, claims), "top-down", "end")
        if isinstance(parsed, Parsed):
            number = document.number
            found.setdefault(number, Real(number, parsed.disclosure, held_out(number, HELD_OUT)))
    return list(found.values())


def measure_real(real: list[Real], name: str, sha256: str) -> dict[str, Any]:
    """A calibration's content: thresholds from the documents that are not held out, rates on those that are."""
    kept = [one.disclosure for one in real if one.held_out]
    passed = [check(one.disclosure) for one in real if not one.held_out]
    measured = [measure(one.disclosure) for one in passed if isinstance(one, Passed)]
    if min(len(kept), len(measured)) < LEAST:
        raise CorpusError(
            f"{name}: {len(measured)} documents to calibrate on and {len(kept)} held out; {LEAST} of each are needed",
            hint="Give a corpus with title, abstract and claims of more documents.",
        )
    percentile, thresholds = choose_thresholds(measured)
    value: dict[str, Any] = {
        "schema": SCHEMA,
        "corpus": {"name": name, "documents": len(real), "sha256": sha256},
        "claims": FIRST_CLAIMS,
        "loss": LOSS,
        "percentile": percentile,
        "thresholds": thresholds,
        "percentiles": {
            measure: [{"percentile": p, "value": at(_values(measured, measure), p)} for p in PERCENTILES]
            for measure in MEASURES
        },
        "held_out": _gates(kept, Calibration("", **thresholds)),
        "checks": _check_rates(kept),
    }
    return {**value, "id": _identifier(value)}


def choose_thresholds(measured: list[Coherence]) -> tuple[int, dict[str, int]]:
    """The highest percentile, the same for all measures, whose thresholds together refuse at most LOSS."""
    percentile = LOSS
    while True:
        thresholds = {name: at(_values(measured, name), percentile) for name in MEASURES}
        thresholds["antecedent_share"] = at(_values(measured, "antecedent_share"), 1000 - percentile)
        tried = Calibration("", **thresholds)
        if percentile == 0 or sum(bool(tried.refuses(one)) for one in measured) * 1000 <= LOSS * len(measured):
            return percentile, thresholds
        percentile -= 1


def _values(measured: list[Coherence], name: str) -> list[int]:
    return sorted(getattr(one, name) for one in measured)


def at(ascending: list[int], percentile: int) -> int:
    """The value at a percentile in thousandths, by nearest rank."""
    return ascending[min(len(ascending) - 1, percentile * len(ascending) // 1000)]


def _gates(kept: list[Disclosure], calibration: Calibration) -> dict[str, int]:
    formal = [one for one in map(check, kept) if isinstance(one, Passed)]
    good = sum(not calibration.refuses(measure(one.disclosure)) for one in formal)
    return {"documents": len(kept), "claims": sum(len(one.claims) for one in kept), "g1": len(formal), "g2": good}


def _check_rates(kept: list[Disclosure]) -> list[dict[str, Any]]:
    """For each code: documents and claims with no failure by it, and with no remark by it at all."""
    rates = {code: dict.fromkeys(("documents", "claims", "silent_documents", "silent_claims"), 0) for code in CODES}
    for disclosure in kept:
        findings = run_checks(disclosure)
        for code, rate in rates.items():
            mine = [finding for finding in findings if finding.check == code]
            for prefix, told in (("", [f for f in mine if f.severity == "fail"]), ("silent_", mine)):
                rate[f"{prefix}documents"] += not told
                rate[f"{prefix}claims"] += len(disclosure.claims) - len({f.claim for f in told if f.claim is not None})
    return [{"code": code, **rate} for code, rate in rates.items()]


def calibrate(corpus: Path, out: Path) -> tuple[dict[str, Any], list[Skipped]]:
    """Write the calibration on a file of documents to `out`; its content, and what of the file was skipped.

    Raises CorpusError.
    """
    from generator.corpus.reading import read_documents

    skipped: list[Skipped] = []
    documents = (document for _, document in read_documents(corpus))
    value = measure_real(real_disclosures(_noting(documents, skipped.append)), corpus.name, _sha256(corpus))
    files.write(out, canonical.dumps(value) + b"\n")
    return value, skipped


def _noting(documents: Iterable[Document | Skipped], note: Callable[[Skipped], None]) -> Iterable[Document | Skipped]:
    for document in documents:
        if isinstance(document, Skipped):
            note(document)
        yield document


def _sha256(path: Path) -> str:
    """Of a file's bytes; of a folder, of the lines of its files' names and hashes."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    inside = sorted(found for found in path.rglob("*") if found.is_file())
    listed = "".join(f"{_sha256(found)}  {found.relative_to(path).as_posix()}\n" for found in inside)
    return hashlib.sha256(listed.encode()).hexdigest()


def calibration_lines(value: dict[str, Any]) -> list[str]:
    """A calibration for people: thresholds, then the rates on the documents held out, with their intervals."""
    held, corpus = value["held_out"], value["corpus"]
    lines = [f"{corpus['name']}: {corpus['documents']} documents with claims, {held['documents']} of them held out"]
    for name in MEASURES:
        bound = "at most" if name == "antecedent_share" else "at least"
        lines.append(f"{name:16s} {bound} {value['thresholds'][name] / 1000:.3f}")
    for gate in ("g1", "g2"):
        lines.append(f"{gate.upper():4s} {rate(held[gate], held['documents'])} of the documents held out pass")
    for item in value["checks"]:
        lines.append(
            f"{item['code']:4s} documents {rate(item['documents'], held['documents'])}, "
            f"claims {rate(item['claims'], held['claims'])}; "
            f"without a remark {rate(item['silent_documents'], held['documents'])}"
        )
    return lines


def rate(hits: int, n: int) -> str:
    """A rate in per cent with its Wilson interval."""
    return shown(hits / n if n else 0.0, *wilson(hits, n))
