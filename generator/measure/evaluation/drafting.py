"""The task `drafting`: several models read the same known patents and write drafts by the same seeds.

What each came to is kept line by line (`kept`), so that the same command goes on; figures and table are views of it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from generator.base.errors import ConfigError, ModelError
from generator.measure.evaluation.compared_texts import ComparedTexts
from generator.measure.evaluation.contenders import Contender
from generator.measure.evaluation.drafting_figures import Measured, figures_of
from generator.measure.evaluation.drafting_table import markdown
from generator.measure.evaluation.held_out import HeldOut
from generator.measure.evaluation.multiple_choice import Comparison
from generator.measure.evaluation.reading import Read, Reader
from generator.measure.evaluation.score_cache import Kept, Pace
from generator.measure.evaluation.trial import (
    AT_ONCE,
    SEED,
    Length,
    Tried,
    plan_of,
    room,
    write_drafts,
    write_length,
    writing_profile,
)
from generator.model.interface import EngineChoice
from generator.model.loading import cpu_capability, open_model
from generator.record.layouts import DIRECTIONS, Direction

if TYPE_CHECKING:
    from generator.base.publication import Publication
    from generator.judge.ladder import Ladder

SCHEMA = "prior-art-evaluation-drafting-scores/v1"  # changes with how anything here is measured
DRAFTS = 100  # of each direction
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command asks for: the name of the file, how many patents (None: all) and drafts of each direction."""

    file: str
    items: int | None
    drafts: int
    known: tuple[Path, ...]
    number_format: str
    threads: int


def compare_drafting(
    publication: "Publication", found: Sequence[Contender], held_out: HeldOut, asked: Asked, out: Path
) -> Comparison:
    """Measure each model. What a model cannot do is said in its part of the table. Raises PressError."""
    from generator.corpus.reading import source_sha256

    for path in asked.known:  # a wrong name is told before hours of work
        source_sha256(path)
    items = len(held_out.documents[: asked.items])
    trials = [_Trial(publication, one, held_out, asked, out) for one in found]
    read = [one.read(items) for one in trials]  # before an engine's libraries count in the memory of any
    measured = [one.measured(patents) for one, patents in zip(trials, read, strict=True)]
    memory = memory_of(asked.known, held_out, publication.report)
    machine = {"cpu": cpu_capability(), "threads": asked.threads or "all"}
    figures = figures_of(measured, held_out, items, asked.file, memory, machine)
    return Comparison(held_out.sha256, figures, markdown(figures), any(one.able for one in measured))


def memory_of(known: Sequence[Path], held_out: HeldOut, report: Callable[[str], None]) -> "ComparedTexts | None":
    """The training data in some files; None: no file is named. Raises CorpusError.

    What is held out is left out here and counted: it is the yardstick, and known to itself it would say nothing.
    """
    from generator.corpus.documents import Document
    from generator.corpus.reading import read_documents
    from generator.measure.memorisation import Memory

    if not known:
        return None
    report("evaluate: reading the training data")
    both = {"used": 0, "held_out": 0}

    def used() -> Iterator[Document]:
        for path in known:
            for _, one in read_documents(path):
                if isinstance(one, Document):
                    own = held_out.holds(one)
                    both["held_out" if own else "used"] += 1
                    if not own:
                        yield one

    return ComparedTexts(Memory.of(used()), both["used"], both["held_out"])


@dataclass(slots=True)
class _Trial:
    """One model at work."""

    publication: "Publication"
    one: Contender
    held_out: HeldOut
    asked: Asked
    out: Path
    cannot: dict[str, str] = field(default_factory=dict)

    def read(self, items: int) -> list[Read]:
        return self._attempt("read the patents", lambda: self._read(items))

    def measured(self, read: list[Read]) -> Measured:
        """What it read, and what it writes."""
        from generator.judge.ladder import Ladder

        ladder = Ladder.open(self.publication.corpus, self.publication.calibration, self.one.profile)
        drafts = {
            direction: self._attempt(f"write {direction} drafts", partial(self._drafts, direction, ladder))
            for direction in DIRECTIONS
        }
        formats = sorted({one.formats for several in drafts.values() for one in several})
        choice = EngineChoice(threads=self.asked.threads, number_format=self.asked.number_format)
        if len(formats) == 1:  # so they need not be chosen anew
            choice = choice.settled(formats[0])
        lengths = [
            found
            for length in room(self.one)
            for found in self._attempt(f"write {texts_of(length)}", partial(self._length, length, choice))
        ]
        return Measured(self.one, read, drafts, lengths, self.cannot, writing_profile(self.one), ladder.corpus)

    def _attempt(self, what: str, make: Callable[[], list[Found]]) -> list[Found]:
        """What a model cannot do does not stop the others; its own disk, lock and corpus errors do."""
        try:
            return make()
        except (ModelError, ConfigError) as error:
            self.cannot[what] = f"{error}. {error.hint}".strip()
            self.publication.report(f"evaluate: {self.one.name} cannot {what}: {error}")
            return []

    def _kept(self, what: str, more: dict[str, Any]) -> Kept:
        machine = {"cpu": cpu_capability(), "threads": self.asked.threads}  # speeds are measured, too
        head = {"schema": SCHEMA, "what": what, **self.one.identity(), **machine, **more}
        return Kept(self.out, self.one.name, what, head, self.publication.report)

    def _read(self, items: int) -> list[Read]:
        prompts = dict(self.one.profile.prompts)
        asked = {"documents_sha256": self.held_out.sha256, "prompts": prompts, "end": self.one.profile.end_token}
        kept = self._kept("patents", asked)
        with kept.opened(Read.of) as found:
            if len(found) < items:
                reader = Reader.open(self.one, self.asked.threads, self.publication.report)
                pace = Pace(self.publication.report, self.one.name, "patents read", len(found), items)
                for item in range(len(found), items):
                    found.append(reader.read(self.held_out, item))
                    kept.append(item, found[-1].value())
                    pace.done(item + 1)
        return found[:items]

    def _writing(self, what: str, more: dict[str, Any]) -> Kept:
        """A file of what was written: it depends on the code that writes, too."""
        from generator import __version__

        profile = writing_profile(self.one)
        asked = {
            "format": self.asked.number_format,
            "version": __version__,
            "seed": SEED,
            "prompts": dict(profile.prompts),
            "end": profile.end_token,
            "most_new": profile.max_new_tokens,
            "sampling": asdict(profile.sampling),
        }
        return self._kept(what, {**asked, **more})

    def _drafts(self, direction: Direction, ladder: "Ladder") -> list[Tried]:
        profile, drafts = writing_profile(self.one), self.asked.drafts
        judged = {"calibration": ladder.calibration.id, "corpus": asdict(ladder.corpus) if ladder.corpus else None}
        kept = self._writing(f"{direction} drafts", {"direction": direction, **judged})
        with kept.opened(Tried.of) as found:
            if (first := len(found)) < drafts:
                choice = EngineChoice(threads=self.asked.threads, number_format=self.asked.number_format)
                model = open_model(profile, choice, report=self.publication.report)
                pace = Pace(self.publication.report, self.one.name, f"{direction} drafts", first, drafts)
                for one in write_drafts(self.publication, model, ladder, plan_of(profile, direction, drafts), first):
                    kept.append(len(found), asdict(one))
                    found.append(one)
                    pace.done(len(found))
        return found[:drafts]

    def _length(self, length: int, choice: EngineChoice) -> list[Length]:
        kept = self._writing(texts_of(length), {"at_once": AT_ONCE})
        with kept.opened(lambda line: Length(**line)) as found:
            if not found:
                self.publication.report(f"evaluate: {self.one.name}: {texts_of(length)}")
                found = [write_length(self.one, choice, length, self.publication.report)]
                kept.append(0, asdict(found[0]))
        return found


def texts_of(length: int) -> str:
    return f"texts of {length} tokens"
