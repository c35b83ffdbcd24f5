"""Writing the text of records again from their own generation data, and saying what came of it.

Three results are kept apart. `reproduced`: the same text was written again. `different`: everything that the record
names is the same here, and the text is not. `not_reproduced_here`: something that the record names is not the same
here, or cannot be had; this says nothing against the record.

What a record says of itself is untrusted: the model is one of the reader's profiles, never one that the record alone
names, and the prompt is that of the profile, so that a record cannot put its text into the model's mouth.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from generator.base import files
from generator.base.errors import ConfigError, ModelError, PressError
from generator.judge.parsing import Rejected
from generator.model.interface import Brief, Draft, EngineChoice, LanguageModel
from generator.model.loading import open_model
from generator.model.profiles import ModelProfile
from generator.model.sampling_settings import Sampling
from generator.model.transformers_generate import ENGINE as PLAIN
from generator.record.layouts import begun
from generator.record.record import Generation, Record
from generator.record.topic_rules import PUBLISHER_LIST
from generator.run.comparison import direction, first_difference
from generator.run.describe import TRIES, description_brief, description_sampling, not_written, own, with_description
from generator.run.judge_draft import form
from generator.run.platforms import NEWER, Difference, differences, sampling_of
from generator.verify.folder import record_places
from generator.verify.sources import Fetch, find

Result = Literal["reproduced", "not_reproduced_here", "different"]
PROGRESS_SECONDS = 10
PLATFORM = "Repeat it with the versions, on the kind of CPU and with the model that the record names."
DIGESTS = ("weights_sha256", "adapter_sha256", "tokenizer_sha256")
ENGINES: dict[str, Literal["prior-art", "generate"]] = {"prior-art": "prior-art", PLAIN: "generate"}
PLAIN_REASON = f"{PLAIN} rounds as its batch does, and a record does not name the batch"

_FORMATS = re.compile(r"(bf16|int8|fp32)(?: cache (int8))?")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Source:
    """A record that is to be written again: its name for people, and its bytes when they are needed."""

    name: str
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Regeneration:
    """What came of one record. `place`: the first difference of the text; `reason`: why there is no text to compare."""

    name: str
    result: Result
    place: str = ""
    reason: str = ""
    hint: str = ""
    differences: tuple[Difference, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """For people: one line, and one more for each thing that is not the same here."""
        told = {
            "reproduced": f"ok    regenerate: {self.name}: the same text was written again"
            + (", although not everything is the same here" if self.differences else ""),
            "not_reproduced_here": f"?     regenerate: {self.name}: not reproduced here: {self.place or self.reason}",
            "different": f"FAIL  regenerate: {self.name}: the record's text is not what its own generation data "
            f"give here: {self.place}",
        }
        more = [f"      {d.member}: {d.record} in the record, {d.here} here" for d in self.differences]
        if self.place and self.reason:
            more.append(f"      {self.reason}")
        return (told[self.result], *more, *([f"      {self.hint}"] if self.hint else []))


def sources(target: str, output: Path, fetch: Fetch) -> tuple[Source, ...]:
    """The record or records of what `verify` takes: a file, a serial number, a folder or a URL."""
    found = find(target, output, fetch)
    if found is not None:
        data = found.record
        return (Source(found.name, lambda: data),)

    def reader(path: Path) -> Callable[[], bytes]:
        return lambda: files.read(path, "a record")

    return tuple(Source(f"disclosure {n}", reader(path)) for n, path in sorted(record_places(Path(target)).items()))


def formats(text: str) -> tuple[str, str]:
    """The formats of numbers and cache as an EngineChoice has them, from a record's `number_format`."""
    found = _FORMATS.fullmatch(text)
    if not found:
        raise ModelError(f"the number format {text!r} is not known here", hint=NEWER)
    return found[1], found[2] or "auto"


def regenerate(
    these: Sequence[Source],
    profiles: Sequence[ModelProfile],
    choice: EngineChoice,
    *,
    report: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Regeneration]:
    """Write each record's text again with the first of `profiles` that has its model and its prompt.

    Of `choice` the record decides engine and formats. Records that need the same model are written together; results
    come as they are there, not always in the order of the records. Raises RecordError.
    """
    cases = [(source, Record.from_bytes(source.read()).generation) for source in these]
    groups: dict[tuple[ModelProfile, EngineChoice], dict[Sampling, list[int]]] = {}
    progress = _Progress(len(cases), report, clock)
    for number, (source, generation) in enumerate(cases):
        try:
            setup, sampling = _setup(generation, profiles, choice), sampling_of(generation)
        except PressError as error:
            yield progress.counted(_not_here(source.name, error))
        else:
            groups.setdefault(setup, {}).setdefault(sampling, []).append(number)
    for (profile, chosen), by_sampling in groups.items():
        report(f"regenerate: loading {profile.name}")
        try:
            most = sum(map(len, by_sampling.values()))
            model = open_model(profile, replace(chosen, most=most), report=report)
        except PressError as error:
            for number in (n for numbers in by_sampling.values() for n in numbers):
                yield progress.counted(_not_here(cases[number][0].name, error))
            continue
        described: list[tuple[Record, Regeneration]] = []
        for sampling, numbers in by_sampling.items():
            wanted = {number: cases[number] for number in numbers}
            for record, result in _written_again(model, wanted, sampling, progress.tick):
                if record and own(record) and result.result == "reproduced":
                    described.append((record, result))
                else:
                    yield progress.counted(result)
        if described:
            del model  # a second one must fit
            for result in _described_again(described, profiles, chosen, report, progress.tick):
                yield progress.counted(result)


def _not_here(name: str, error: PressError) -> Regeneration:
    return Regeneration(name, "not_reproduced_here", reason=str(error), hint=error.hint)


def _setup(
    generation: Generation, profiles: Sequence[ModelProfile], choice: EngineChoice
) -> tuple[ModelProfile, EngineChoice]:
    """The profile with the record's revision and token limit, and the engine with its formats. Raises ModelError."""
    engine = ENGINES.get(re.split(r"[/ ]", generation.engine)[0])
    if engine is None:
        raise ModelError(f"the engine {generation.engine!r} is not known here", hint=NEWER)
    number_format, cache_format = formats(generation.number_format)
    profile = _profile(generation, profiles)
    if not profile.folder and _COMMIT.fullmatch(generation.revision):
        profile = replace(profile, revision=generation.revision)
    # A text that the limit cut names the limit itself; of any other it is enough that the limit lies beyond its end.
    most = generation.new_tokens if generation.stop == "limit" else max(profile.max_new_tokens, generation.new_tokens)
    return (
        replace(profile, max_new_tokens=min(max(1, most), profile.context)),
        replace(choice, engine=engine, number_format=number_format, cache_format=cache_format),
    )


def _profile(generation: Generation, profiles: Sequence[ModelProfile]) -> ModelProfile:
    topic = generation.topic
    if "\n" in topic:
        raise ModelError("the record's topic has more than one line, and this program takes none such")
    own = [p for p in profiles if p.recorded == generation.model]
    if not own:
        raise ModelError(
            f"no profile here is of the model {generation.model}",
            hint="Give one with --profile; docs/settings.md describes a model profile.",
        )
    for profile in own:
        own_prompt = begun(profile.prompt(direction(generation)), direction(generation), topic)
        if own_prompt == generation.prompt or (profile.chat and generation.prompt.endswith(own_prompt)):
            return profile
    raise ModelError(
        f"the record's prompt is not that of the profile {own[0].name}",
        hint="Give the profile that wrote the record with --profile.",
    )


def _written_again(
    model: LanguageModel, cases: dict[int, tuple[Source, Generation]], sampling: Sampling, tick: Callable[[int], None]
) -> Iterator[tuple[Record | None, Regeneration]]:
    """What came of each without the model's own paragraphs; with the record where there is a text to compare."""
    platforms = {number: differences(generation, model.identity) for number, (_, generation) in cases.items()}
    briefs = []
    for number, (source, generation) in cases.items():
        if any(difference.member in DIGESTS for difference in platforms[number]):
            reason = "the model's files here are not those that the record names"
            yield None, Regeneration(source.name, "not_reproduced_here", "", reason, PLATFORM, platforms[number])
        else:
            seed = int(generation.seed, 16)
            symbols = " ".join(generation.topic_symbols)
            rule = generation.topic_rule or PUBLISHER_LIST
            briefs.append(Brief(number, direction(generation), generation.topic, symbols, seed, rule))
    for number, draft in _drafts(model, briefs, sampling, tick):
        source = cases[number][0]
        if isinstance(draft, PressError):
            yield None, replace(_not_here(source.name, draft), differences=platforms[number])
        else:
            record = Record.from_bytes(source.read())
            yield record, _compared(source.name, with_description(record, ()), draft, platforms[number])


def _described_again(
    cases: Sequence[tuple[Record, Regeneration]],
    profiles: Sequence[ModelProfile],
    choice: EngineChoice,
    report: Callable[[str], None],
    tick: Callable[[int], None],
) -> Iterator[Regeneration]:
    """The same for the model's own paragraphs, of records whose other text is the same."""
    generation = cases[0][0].generation
    try:
        profile = replace(_profile(generation, profiles), revision=_setup(generation, profiles, choice)[0].revision)
        report(f"regenerate: loading {profile.name} for descriptions")
        model = open_model(profile.for_descriptions(), replace(choice, most=TRIES), report=report)
    except PressError as error:
        for _, result in cases:
            yield replace(_not_here(result.name, error), differences=result.differences)
        return
    for record, result in cases:
        briefs = [description_brief(record, attempt, attempt) for attempt in range(TRIES)]
        place, limited = not_written(record, list(model.drafts(briefs, description_sampling(record), tick=tick)))
        if not place:
            yield result
        elif result.differences or limited or ENGINES[re.split(r"[/ ]", generation.engine)[0]] == "generate":
            reason = "the token limit of the profile here may be another one" if limited else ""
            yield replace(result, result="not_reproduced_here", place=place, reason=reason, hint=PLATFORM)
        else:
            yield replace(result, result="different", place=place)


def _drafts(
    model: LanguageModel, briefs: Sequence[Brief], sampling: Sampling, tick: Callable[[int], None]
) -> Iterator[tuple[int, Draft | PressError]]:
    """Each brief's draft, or the error that it raises by itself: one that the model refuses must not end the others."""
    if not briefs:
        return
    waiting = {brief.index: brief for brief in briefs}
    try:
        for draft in model.drafts(briefs, sampling, tick=tick):
            del waiting[draft.brief.index]
            yield draft.brief.index, draft
    except (ConfigError, ModelError) as error:
        rest = list(waiting.values())
        if len(rest) == 1:
            yield rest[0].index, error
        else:
            for half in (rest[: len(rest) // 2], rest[len(rest) // 2 :]):
                yield from _drafts(model, half, sampling, tick)


def _compared(name: str, record: Record, draft: Draft, platform: tuple[Difference, ...]) -> Regeneration:
    """The draft on the road of any other, to a record, and the first place where the two records differ."""
    salt = bytes.fromhex(record.salt)
    formed = form(draft, created_at=record.created_at, publisher=record.publisher, salt=salt)
    if isinstance(formed, Rejected):
        place = f"the draft written here does not pass the checks ({formed.reason})"
    else:
        place = first_difference(record, formed.record)
    if not place:
        return Regeneration(name, "reproduced", differences=platform)
    written, limited = draft.generation.new_tokens, draft.generation.stop == "limit"
    if limited and written < record.generation.new_tokens:
        platform += (Difference("token limit", f"at least {record.generation.new_tokens}", str(written)),)
    reason = PLAIN_REASON if draft.generation.engine == PLAIN else ""
    if platform or reason:
        return Regeneration(name, "not_reproduced_here", place, reason, PLATFORM, platform)
    return Regeneration(name, "different", place)


class _Progress:
    """A line now and then: how many records are done, how many of them were reproduced."""

    def __init__(self, total: int, report: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._total, self._report, self._clock, self._last = total, report, clock, clock()
        self._done = self._same = self._tokens = 0

    def tick(self, tokens: int) -> None:
        self._tokens += tokens
        if self._clock() - self._last >= PROGRESS_SECONDS:
            self._last = self._clock()
            done = f"{self._done} of {self._total} records done, {self._same} reproduced"
            self._report(f"regenerate: {done}, {self._tokens} tokens")

    def counted(self, result: Regeneration) -> Regeneration:
        self._done += 1
        self._same += result.result == "reproduced"
        return result
