"""The gates after form: coherent (G2), not copied (G3), in the obvious range (G4). What one disclosure came to.

The Ladder judges by what is in the plan alone (calibration, corpus), so that every machine judges alike. What this
publication has published, and what the run itself has accepted, is asked afterwards, in the order of the plan.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from generator.judge.calibration import load_calibration
from generator.judge.checks import Coherent, coherent
from generator.judge.checks.thresholds import Calibration
from generator.judge.classification import Classifier, load_classifier
from generator.judge.copying import KnownTexts, not_copied
from generator.judge.early_stop import EarlyStop
from generator.judge.parsing import Parsed, Rejected, parse
from generator.judge.sense import SenseGate, load_sense
from generator.model.profiles import ModelProfile
from generator.record.disclosure import Disclosure, Finding
from generator.record.judgement import Copying, CorpusName, Judgement, Sense

if TYPE_CHECKING:
    from generator.corpus.store import Corpus
    from generator.model.reader import Reader


EXAMPLE = "an example in the prompt"


@dataclass(frozen=True, slots=True)
class Judged:
    """A disclosure that passed G3, and what the gates measured and remarked."""

    judgement: Judgement
    findings: tuple[Finding, ...]


def sound(
    disclosure: Disclosure,
    calibration: Calibration,
    known: KnownTexts,
    sense: SenseGate,
    reader: "Reader | None" = None,
) -> tuple[Coherent, Sense, Copying] | Rejected:
    """Gates G2 and G3 on what passed G1, and what they measured. What costs least comes first."""
    found = coherent(disclosure, calibration)
    if isinstance(found, Rejected):
        return found
    sensible = sense.judge(disclosure, reader)
    if isinstance(sensible, Rejected):
        return sensible
    copying = known.measure(disclosure)
    return not_copied(copying) or (found, sensible, copying)


class Ladder:
    """Gates G2 to G4 by one calibration and one reference corpus, or none."""

    def __init__(
        self,
        calibration: Calibration,
        classifier: Classifier,
        corpus: "Corpus | None",
        sense: SenseGate | None = None,
        reader: "Reader | None" = None,
    ) -> None:
        self.calibration, self._classifier, self._corpus = calibration, classifier, corpus
        self._sense, self._reader = sense or load_sense(), reader
        self._known = KnownTexts.open(None, corpus)

    @classmethod
    def open(
        cls,
        corpus: Path | None,
        calibration: Path | None = None,
        profile: ModelProfile | None = None,
        reader: "Reader | None" = None,
    ) -> "Ladder":
        """With the corpus in a folder, the calibration in a file (None: the shipped one), and the shipped classifier.

        Without a `reader`, gate G2 asks only what the words themselves tell.
        What `profile` shows its model as examples is known, too: a draft that copies it is refused. Raises ConfigError,
        CorpusError.
        """
        from generator.corpus.store import Corpus

        known = Corpus.open(corpus) if corpus else None
        ladder = cls(load_calibration(calibration), load_classifier(), known, reader=reader)
        for direction, text in profile.examples if profile else ():
            shown = parse(text, direction, "end")
            if isinstance(shown, Parsed):  # what else a prompt says before the layout is no patent to copy
                ladder._known.add(EXAMPLE, shown.disclosure)
        return ladder

    @property
    def id(self) -> str:
        """What decides besides the corpus: the calibration, the sense gate, and who reads."""
        reader = f"+{self._reader.name}" if self._reader else ""
        return f"{self.calibration.id}+{self._sense.id}{reader}"

    @property
    def corpus(self) -> CorpusName | None:
        return self._corpus.name if self._corpus else None

    def watch(self) -> EarlyStop:
        """What ends drafts that these gates must refuse."""
        return EarlyStop(self.calibration, self._known.copied)

    def judge(self, disclosure: Disclosure) -> Judged | Rejected:
        from generator.judge.chart import claim_chart
        from generator.judge.neighbours import nearest

        measured = sound(disclosure, self.calibration, self._known, self._sense, self._reader)
        if isinstance(measured, Rejected):
            return measured
        found, sensible, copying = measured
        judgement = Judgement(
            calibration=self.calibration.id,
            coherence=found.coherence,
            copying=copying,
            classification=self._classifier.classify(disclosure),
            neighbours=nearest(disclosure, self._corpus) if self._corpus else (),
            corpus=self.corpus,
            chart=claim_chart(disclosure, self._corpus) if self._corpus else None,
            sense=sensible,
        )
        return Judged(judgement, found.findings)
