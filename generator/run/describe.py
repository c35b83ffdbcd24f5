"""Descriptions for what waits in the queue: written after the claims by the model that wrote them, judged, and put in.

A record is replaced in place, so the same command goes on after a kill. What is described already, what another model
or machine wrote, and what no try describes well enough stays as it is; its page says that it has no description.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from generator.base import files
from generator.base.errors import RecordError
from generator.judge.copying import KnownTexts
from generator.judge.description import GATE, described, read_description
from generator.judge.parsing import Rejected, stop_of
from generator.log.archive import queued, unnumbered
from generator.model.interface import Brief, Draft, LanguageModel
from generator.model.sampling_settings import Sampling
from generator.record.disclosure import Paragraph
from generator.record.layouts import HEAD, write_layout
from generator.record.record import Record
from generator.run.platforms import differences, sampling_of

TRIES = 4  # descriptions that are written for a disclosure before it stays without one
JUDGED = ".judgement.json"


@dataclass(frozen=True, slots=True)
class Described:
    """`waiting` records were of this model and had no description; `described` got one. `refused` counts reasons."""

    waiting: int
    described: int
    others: int
    refused: Mapping[str, int]


def own(record: Record) -> tuple[Paragraph, ...]:
    """What the model described beyond the claims."""
    return tuple(one for one in record.disclosure.description if one.origin == "model")


def with_description(record: Record, texts: Iterable[str]) -> Record:
    """The record with these paragraphs as the model's own, before those that restate the claims."""
    restated = (one for one in record.disclosure.description if one.origin != "model")
    paragraphs = (*(Paragraph("model", text) for text in texts), *restated)
    return replace(record, disclosure=replace(record.disclosure, description=paragraphs))


def description_brief(record: Record, index: int, attempt: int) -> Brief:
    """The brief of a try: a function of the record's text and seed, so that anybody can have it written again."""
    text = record.disclosure
    seed = hashlib.sha256(f"{record.generation.seed}:description:{attempt}".encode()).digest()[:8]
    claims = [claim.text for claim in text.claims]
    written = write_layout("top-down", text.title, text.abstract, claims)
    return Brief(index, "top-down", "", "", int.from_bytes(seed, "big"), written=written)


def written_description(draft: Draft) -> tuple[str, ...] | Rejected:
    """The paragraphs of a draft that `description_brief` asked for."""
    prompt = draft.generation.prompt
    return read_description(draft.text[len(prompt) - prompt.rindex(HEAD) :], stop_of(draft.generation.stop))


def not_written(record: Record, drafts: Sequence[Draft]) -> tuple[str, bool]:
    """Where a record's own paragraphs are those of none of the tries, or an empty text; and whether a text that another
    token limit cut could be why."""
    there = " ".join(paragraph.text for paragraph in own(record))
    limited = False
    for draft in drafts:
        texts = written_description(draft)
        here = "" if isinstance(texts, Rejected) else " ".join(texts)
        if not isinstance(texts, Rejected) and with_description(record, texts) == record:
            return "", False
        cut = here and (here.startswith(there) or there.startswith(here))
        limited = limited or bool(cut) or (not here and draft.generation.stop == "limit")
    return f"the description is that of none of {TRIES} tries: {there[:60]!r} in the record", limited


def describe(output: Path, model: LanguageModel, known: KnownTexts, *, report: Callable[[str], None]) -> Described:
    """Describe the queue's records with a model that was opened for descriptions. Raises PressError."""
    waiting, others = _waiting(output, model)
    refused: Counter[str] = Counter()
    left = dict(waiting)
    for attempt in range(TRIES):
        for path, record, draft in _drafts(model, left, attempt):
            made = _judged(record, draft, known)
            if isinstance(made, Rejected):
                refused[made.reason] += 1
            else:
                _put(output, path, record, made)
                del left[path]
        report(f"describe: {len(waiting) - len(left)} of {len(waiting)} described after {attempt + 1} tries")
        if not left:
            break
    return Described(len(waiting), len(waiting) - len(left), others, dict(sorted(refused.items())))


def _waiting(output: Path, model: LanguageModel) -> tuple[dict[Path, Record], int]:
    """Records of this model and machine without a description, and how many are of others."""
    found, others = {}, 0
    for path in queued(output):
        record = Record.from_bytes(files.read(path, "a record"))
        if own(record):
            continue
        if differences(record.generation, model.identity):
            others += 1
        else:
            found[path] = record
    return found, others


def _drafts(model: LanguageModel, left: Mapping[Path, Record], attempt: int) -> Iterator[tuple[Path, Record, Draft]]:
    """A description of each, as they end."""
    groups: dict[Sampling, list[Path]] = {}
    for path, record in left.items():
        groups.setdefault(description_sampling(record), []).append(path)
    for sampling, paths in groups.items():
        briefs = [description_brief(left[path], index, attempt) for index, path in enumerate(paths)]
        for draft in model.drafts(briefs, sampling):
            path = paths[draft.brief.index]
            yield path, left[path], draft


def description_sampling(record: Record) -> Sampling:
    """The record's own sampling, without a limit of claims."""
    return replace(sampling_of(record.generation), most_claims="0")


def _judged(record: Record, draft: Draft, known: KnownTexts) -> Record | Rejected:
    texts = written_description(draft)
    if isinstance(texts, Rejected):
        return texts
    refused = described(record.disclosure, texts, known, unnumbered(record.sha256))
    if refused:
        return refused
    made = with_description(record, texts)
    try:
        made.to_bytes()
    except RecordError:  # a character or a length that no record may hold
        return Rejected(GATE, "character", ())
    return made


def _put(output: Path, path: Path, record: Record, made: Record) -> None:
    """First what names the record by its digest, then the record: a kill between the two is made good by the next call,
    which makes the same record again."""
    old, new = (unnumbered(one.sha256).encode() for one in (record, made))
    for other in queued(output):
        judgement = other.with_suffix(JUDGED)
        if judgement.exists() and old in (data := judgement.read_bytes()):
            files.write(judgement, data.replace(old, new))
    files.write(path, made.to_bytes())
