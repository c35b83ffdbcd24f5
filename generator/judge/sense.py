"""Does a disclosure make sense, as far as figures can tell? Five questions, each a logistic model.

`goes_on` weighs measures of its words: degeneration, self-definition, broken text, coherence. The others weigh what
surprises a language model that did not write the text. Weights come from real patents, from the same patents with
damage, and from drafts of weak models (`sense_fit`). Thresholds come from real patents alone. No measure knows what
words mean: docs/judgement.md says what each lets through.
"""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.base import canonical, files
from generator.base.errors import ConfigError, RecordError
from generator.base.values import Faults, member, read
from generator.base.words import COMMON, content, words
from generator.judge.checks import coherence, degeneration
from generator.judge.checks.soundness import broken, circles
from generator.judge.parsing import Rejected
from generator.judge.plausibility import plausibility
from generator.record.disclosure import Disclosure, Finding
from generator.record.judgement import Measure, Sense

if TYPE_CHECKING:
    from generator.model.reader import Reader

SCHEMA = "prior-art-sense/v1"
SHIPPED = Path(__file__).with_suffix(".json")
WHOLE = 1000
MILLION = 1_000_000  # weights are stored as millionths: canonical JSON has no floats
VARIETY = 150  # content words of the claims whose variety is measured
FIRST = 60  # those of claim 1
ABSTRACT = 80  # words of the abstract
PARTS = re.compile(r"[;,]|\band\b")  # between the parts of a claim
NAMED = 3  # measures that a refusal names
WORDS = frozenset(
    "distinct_triples compressed_size echoes new_content circles broken antecedents cohesion title_support "  # noqa: SIM905
    "abstract_support variety variety_of_claim_1 abstract_triples abstract_variety".split()
)
# What each question weighs, in the order of what its measures cost; judge/sense_fit has the damage it was fitted on.
MEASURES = {
    "goes_on": WORDS,
    "ends_whole": frozenset({"end_worst", "end_mean"}),
    "terms_in_place": frozenset({"exchange", "exchange_least", "surprise", "antecedents"}),
    "belongs_together": frozenset(
        {"gain_rest", "surprise", "surprise_worst", "cohesion", "new_content", "title_support", "abstract_support",
         "antecedents"}
    ),
    "reads_real": WORDS | {"surprise", "surprise_worst", "exchange", "exchange_least", "end_mean", "gain_rest"},
}  # fmt: skip
READ = frozenset(MEASURES) - {"goes_on"}
# What foretells a blind rating: with a reader, and by words alone.
RATED = (
    frozenset({"exchange", "new_in_parts", "compressed_size"}),
    frozenset({"new_in_parts", "compressed_size"}),
)
RATING = "expected_rating"
BEST = 3.0  # of a blind rating; the least is 0
ASKS = {
    "goes_on": "The text goes round instead of on.",
    "ends_whole": "A claim ends in the middle.",
    "belongs_together": "The claims do not belong to one another.",
    "terms_in_place": "Terms stand where others belong.",
    "reads_real": "The text reads like a draft of a weak model.",
}


def word_measures(disclosure: Disclosure) -> dict[str, float]:
    """The figures of `words`, by name. Shares run from 0 to 1."""
    claims = disclosure.claims
    length = max(1, sum(len(claim.text.split()) for claim in claims))
    found = coherence.measure(disclosure)
    abstract = words(disclosure.abstract)[:ABSTRACT]
    return {
        "distinct_triples": degeneration.distinct_triples(claims) / WHOLE,
        "compressed_size": degeneration.compressed_size(claims) / WHOLE,
        "echoes": math.sqrt(degeneration.echoes(claims) / WHOLE),
        "new_content": degeneration.new_content(claims) / WHOLE,
        "circles": min(4.0, 100 * sum(1 for claim in claims for _ in circles(claim.text)) / (length + 60)),
        "broken": sum(1 for claim in claims if next(broken(claim), None)) / len(claims),
        "antecedents": found.antecedent_share / WHOLE,
        "cohesion": found.cohesion / WHOLE,
        "title_support": found.title_support / WHOLE,
        "abstract_support": found.abstract_support / WHOLE,
        "variety": _variety([stem for claim in claims for stem in content(claim.text)][:VARIETY]),
        "variety_of_claim_1": _variety(content(claims[0].text)[:FIRST]),
        "abstract_triples": _variety(list(zip(abstract, abstract[1:], abstract[2:], strict=False))),
        "abstract_variety": _variety([word for word in abstract if word not in COMMON]),
        "new_in_parts": _new_in_parts(claims[0].text),
    }


def _new_in_parts(text: str) -> float:
    """Share of the content words of a part of a claim that no part before has, on average. One word is no part."""
    known: set[str] = set()
    shares = []
    for part in PARTS.split(text):
        stems = set(content(part))
        if len(stems) > 1:
            shares.append(len(stems - known) / len(stems))
            known |= stems
    return sum(shares) / len(shares) if shares else 1.0


def _variety(items: Sequence[object]) -> float:
    return len(set(items)) / len(items) if items else 1.0


@dataclass(frozen=True, slots=True)
class Weight:
    """Of one measure: the average and spread in the texts that were fitted, and how much it counts."""

    mean: float
    scale: float
    weight: float

    def share(self, value: float) -> float:
        return self.weight * (value - self.mean) / self.scale


@dataclass(frozen=True, slots=True)
class Question:
    """A logistic model: weights by measure, the bias of their sum, and the least score that passes."""

    name: str
    weights: Mapping[str, Weight]
    bias: float
    least: int

    def score(self, found: Mapping[str, float]) -> int:
        """From 0 to 1000: how much the measures are like those of real patents."""
        total = self.bias + sum(one.share(found[name]) for name, one in self.weights.items())
        return round(WHOLE / (1 + math.exp(-max(-30.0, min(30.0, total)))))

    def refusal(self, score: int, found: Mapping[str, float]) -> Rejected:
        """The reason is the question's name; the measures that lowered the score the most are named."""
        lowest = sorted(self.weights, key=lambda name: self.weights[name].share(found[name]))[:NAMED]
        named = ", ".join(f"{name} {found[name]:.2f}" for name in lowest)
        text = f"{ASKS[self.name]} Score {score / WHOLE:.3f}, at least {self.least / WHOLE:.3f}; lowest by {named}."
        return Rejected("G2", self.name, (Finding("G2", "fail", None, text),))


@dataclass(frozen=True, slots=True)
class Rating:
    """A linear model of what blind raters gave to drafts: 0, no sense, to 3. It ranks, and refuses nothing."""

    weights: Mapping[str, Weight]
    bias: float

    def expected(self, found: Mapping[str, float]) -> float:
        total = self.bias + sum(one.share(found[name]) for name, one in self.weights.items())
        return max(0.0, min(BEST, total))


@dataclass(frozen=True, slots=True)
class SenseGate:
    """The part of gate G2 that asks for sense; questions about figures of a reader are asked where there is one."""

    id: str
    questions: tuple[Question, ...]
    ratings: tuple[Rating, ...]

    def judge(self, disclosure: Disclosure, reader: "Reader | None") -> Sense | Rejected:
        """The scores, or the first question that a disclosure fails; those of its words come first."""
        found, scores = word_measures(disclosure), []
        steps = plausibility(disclosure, reader) if reader else iter(())
        for question in self.questions:
            if question.name in READ and reader is None:
                continue
            while not MEASURES[question.name] <= found.keys():
                found |= next(steps)
            if (score := question.score(found)) < question.least:
                return question.refusal(score, found)
            scores.append(Measure(question.name, score))
        rating = next((one for one in self.ratings if one.weights.keys() <= found.keys()), None)
        if rating:
            found[RATING] = rating.expected(found)
        measures = tuple(Measure(name, round(WHOLE * value)) for name, value in found.items())
        return Sense(self.id, reader.name if reader else "", tuple(scores), measures)


def load_sense(path: Path | None = None) -> SenseGate:
    """The gate in a file that `fit_sense` made; without `path` the shipped one. Raises ConfigError."""
    path = path or SHIPPED
    hint = "Make one with: prior-art calibrate CORPUS --sense FILE"
    try:
        value: Any = canonical.loads(files.read(path, "weights of the sense gate").rstrip(b"\n"))
        if not isinstance(value, dict) or value.get("schema") != SCHEMA:
            raise ConfigError(f"{path}: not of the schema {SCHEMA!r}", hint=hint)
        found = read(_File, value)
    except Faults as error:
        raise ConfigError("\n".join(f"{path}: {fault}" for fault in error.faults), hint=hint) from error
    except RecordError as error:
        raise ConfigError(f"{path}: no weights of the sense gate: {error}", hint=hint) from error
    if found.id != identifier(value):
        raise ConfigError(f"{path}: changed by hand: its id is not the hash of its content", hint=hint)
    ratings = tuple(Rating(_weights(one.weights), one.bias / MILLION) for one in found.ratings)
    return SenseGate(found.id, tuple(_question(one) for one in found.questions), ratings)


def identifier(value: Mapping[str, Any]) -> str:
    content = {name: item for name, item in value.items() if name != "id"}
    return hashlib.sha256(canonical.dumps(content)).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Weight:
    """In millionths."""

    name: str
    mean: int
    weight: int
    scale: int = member("a whole number above 0", lambda scale: scale > 0)


@dataclass(frozen=True, slots=True)
class _Question:
    bias: int
    least: int
    weights: tuple[_Weight, ...]
    name: str = member(f"one of {', '.join(ASKS)}", ASKS.__contains__)


@dataclass(frozen=True, slots=True)
class _Rating:
    bias: int
    weights: tuple[_Weight, ...]


@dataclass(frozen=True, slots=True)
class _File:
    """What `fit_sense` writes."""

    schema: str
    id: str
    documents: int
    reader: str
    loss: dict[str, int]
    rated: int
    questions: tuple[_Question, ...] = member(
        "only measures that its question has",
        lambda asked: all(one.name in MEASURES[each.name] for each in asked for one in each.weights),
    )
    ratings: tuple[_Rating, ...] = member(
        "one with a reader and one by words alone, of their measures",
        lambda ratings: [{one.name for one in each.weights} for each in ratings] == list(RATED),
    )


def _question(asked: _Question) -> Question:
    return Question(asked.name, _weights(asked.weights), asked.bias / MILLION, asked.least)


def _weights(stored: Sequence[_Weight]) -> dict[str, Weight]:
    return {one.name: Weight(one.mean / MILLION, one.scale / MILLION, one.weight / MILLION) for one in stored}
