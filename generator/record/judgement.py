"""What the gates measured on one disclosure: the values kept beside its record and shown on its page.

Shares are in thousandths (0 to 1000), so that the bytes are canonical JSON. Gates: docs/judgement.md.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from generator.base import canonical
from generator.base.errors import RecordError
from generator.base.values import Faults, read

SCHEMA = "prior-art-judgement/v1"
MISSING = "[...]"  # stands in a text of a known document where a formula or an image stood
GATES = ("G0", "G1", "G2", "G3", "G4")
Verdict = Literal["obvious range", "single document", "not covered"]


@dataclass(frozen=True, slots=True)
class Coherence:
    """Gate G2, in thousandths. `antecedent_share`: terms after "the" or "said" without a basis, of all such terms (a
    likely one counts half); `cohesion`: content words of a dependent claim that the independent claim it goes back to
    holds, the mean of all dependents; supports: content words of the title found in claims or abstract, of the
    abstract found in the claims.
    """

    antecedent_share: int
    cohesion: int
    title_support: int
    abstract_support: int


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure by its name, in thousandths."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class Sense:
    """Gate G2: the score of each question that was asked, by the weights `model`, and the measures behind them.
    `reader` names the language model that read the text; where none did, it is empty.
    """

    model: str
    reader: str
    scores: tuple[Measure, ...]
    measures: tuple[Measure, ...]


@dataclass(frozen=True, slots=True)
class Copying:
    """Gate G3. `longest_run` words stand verbatim in the document `run_in`, and read `run`; `known_share` of the
    13-word sequences are known; `similarity` is the highest estimated Jaccard similarity, that with `similar_to`.
    Names are empty where nothing was found.
    """

    longest_run: int
    run: str
    run_in: str
    known_share: int
    similarity: int
    similar_to: str


@dataclass(frozen=True, slots=True)
class Element:
    """A row of the claim chart: an element of claim 1 and the passage that shares most of its words."""

    text: str
    document: str
    title: str
    passage: str
    score: int
    covered: bool

    @property
    def incomplete(self) -> bool:
        """Whether the passage lost a formula or an image when its document was read."""
        return MISSING in self.passage


@dataclass(frozen=True, slots=True)
class ClaimChart:
    """Gate G4 on claim 1. `single`: highest share of elements that one document covers; `union3`: that up to three
    cover, those in `documents`, chosen greedily.
    """

    elements: tuple[Element, ...]
    single: int
    union3: int
    documents: tuple[str, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A near disclosure or document; `shared` are the terms that make it close, the weightiest first."""

    number: str
    title: str
    score: int
    shared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Class:
    """A CPC symbol assigned by machine, with its title in the scheme."""

    symbol: str
    title: str
    score: int


@dataclass(frozen=True, slots=True)
class Classification:
    """Best first, at most three of each."""

    sections: tuple[Class, ...]
    classes: tuple[Class, ...]
    subclasses: tuple[Class, ...]


@dataclass(frozen=True, slots=True)
class CorpusName:
    """Which reference corpus was asked; `sha256` is of its manifest."""

    name: str
    documents: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything beside one record. Without a corpus there is neither `corpus` nor `chart`: G4 is not assessed.

    Judgements of 0.6 and before have no `sense`.
    """

    calibration: str
    coherence: Coherence
    copying: Copying
    classification: Classification
    neighbours: tuple[Neighbour, ...]
    corpus: CorpusName | None = None
    chart: ClaimChart | None = None
    sense: Sense | None = None

    def to_bytes(self) -> bytes:
        return canonical.dumps({"schema": SCHEMA, **_present(asdict(self))})

    @classmethod
    def from_bytes(cls, data: bytes) -> "Judgement":
        """Raises RecordError for anything that `to_bytes` does not write."""
        value = canonical.loads(data)
        if not isinstance(value, dict) or value.pop("schema", "") != SCHEMA:
            raise RecordError(f"judgement: the schema {SCHEMA!r} is expected")
        try:
            judgement: Judgement = read(cls, value, "judgement")
        except Faults as error:
            raise RecordError(str(error)) from error
        return judgement


def _present(value: Any) -> Any:
    """Without absent members: canonical JSON has no null."""
    if isinstance(value, dict):
        return {key: _present(item) for key, item in value.items() if item is not None}
    return [_present(item) for item in value] if isinstance(value, list | tuple) else value
