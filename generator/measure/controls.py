"""Controls: texts whose verdict is known before, sent through the very same gates as drafts.

Real claim sets should pass. Chimeras, damaged claims, Markov text and shuffled words should not, nor should copies of
known text. All are made from real documents that no threshold has seen, by a seed. Half of these documents are the
corpus that the copies are copies of; the others come from the other half. Drafts of weak models are frozen beside the
sense gate, which was fitted on the other half of them.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from generator.base.errors import CorpusError
from generator.base.intervals import wilson
from generator.judge import sense
from generator.judge.calibration import Real, load_calibration, rate, real_disclosures
from generator.judge.checks import Passed, check
from generator.judge.checks.thresholds import Calibration
from generator.judge.damage import DAMAGES, DEPENDENTS, chimera, damaged, dependents, most_alike
from generator.judge.ladder import sound
from generator.judge.parsing import Rejected, Stop, parse, stop_of
from generator.judge.sense import load_sense
from generator.record.claim_references import find_references, rewrite
from generator.record.disclosure import Disclosure
from generator.record.layouts import Direction, write_layout

if TYPE_CHECKING:
    from generator.base.publication import Outcome, Publication
    from generator.judge.copying import KnownTexts
    from generator.model.reader import Reader

# Of 160 of the documents that the shipped calibration holds out. Source: Pap2Pat (boschresearch/Pap2Pat, commit
# 3bc8bd98), CC BY 4.0: title, abstract, first eight claims of US applications; white space and case of titles mended.
SHIPPED = Path(__file__).with_suffix(".jsonl.zst")
DRAFTS = Path(sense.__file__).with_name("drafts.jsonl.zst")
LEAST = 40  # documents held out
SETS = {
    "real": "real patents",
    "chimera": "claim 1 of one patent, dependents of another",
    "near_chimera": "the same, of the two most alike",
    "loops": "real patents, a span of each claim twice",
    "self_reference": "real patents, things made things of themselves",
    "cut_steps": "real patents, every second claim cut",
    "swapped_nouns": "real patents, two terms of claim 1 exchanged",
    "starter_1": "drafts of starter version 1",
    "starter_2": "drafts of starter version 2",
    "hot": "drafts of starter version 2 at temperature 1.5",
    "markov": "trigram Markov text",
    "shuffled": "real patents, words shuffled",
    "copy": "exact copies of corpus text",
}
# What the last gate should let through: at least, or at most. An interval wholly beyond it is a no.
GOALS = {
    "real": (0.88, 1.0),
    "chimera": (0.0, 0.12),
    "near_chimera": (0.0, 0.12),
    "loops": (0.0, 0.03),
    "self_reference": (0.0, 0.03),
    "cut_steps": (0.0, 0.03),
    "swapped_nouns": (0.0, 0.35),
    "starter_1": (0.0, 0.01),
    "starter_2": (0.0, 0.03),
    "markov": (0.0, 0.01),
    "shuffled": (0.0, 0.01),
    "copy": (0.0, 0.01),
}
# Sets of which words alone say little: their goals hold where a model reads.
READ = frozenset({"cut_steps", "swapped_nouns", "near_chimera", "starter_1", "starter_2"})
GATES = ("G0", "G1", "G2", "G3")
LONGEST = 150  # words of a Markov claim
Judge = Callable[[Disclosure], str]  # the gate at which a disclosure ends, or an empty string


@dataclass(frozen=True, slots=True)
class Control:
    """A text in the layout of drafts, and the set that it belongs to."""

    set: str
    text: str
    direction: Direction = "top-down"
    stop: Stop = "end"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of a set's `n` texts passed each gate."""

    set: str
    n: int
    g0: int
    g1: int
    g2: int
    g3: int


def split(real: Sequence[Real], seed: int) -> tuple[list[Disclosure], list[Disclosure]]:
    """The documents that are held out, as the corpus of the copies and as what all else is made of."""
    kept = sorted((one for one in real if one.held_out), key=lambda one: one.number)
    random.Random(seed).shuffle(kept)
    half = len(kept) // 2
    return [one.disclosure for one in kept[:half]], [one.disclosure for one in kept[half:]]


def make_controls(known: Sequence[Disclosure], fresh: Sequence[Disclosure], seed: int, size: int) -> Iterator[Control]:
    """At most `size` texts of each set; of real texts and copies no more than there are documents."""
    dice = random.Random(seed)
    heads = [one for one in fresh if not one.claims[0].depends_on]
    givers = [one for one in fresh if len(dependents(one)) >= 2]
    for one in fresh[:size]:
        yield Control("real", _layout(one.title, one.abstract, [claim.text for claim in one.claims]))
    for _ in range(size):
        head, giver = dice.choice(heads), dice.choice(givers)
        if head is not giver:
            yield Control("chimera", chimera(head, giver))
    for head, giver in most_alike(heads[:size], givers):
        yield Control("near_chimera", chimera(head, giver))
    for kind in DAMAGES:
        for one, texts in damaged(fresh[:size], kind, dice):
            yield Control(kind, _layout(one.title, one.abstract, texts))
    yield from frozen_drafts(fitted=False)
    babbler = _Babbler(fresh, dice)
    for _ in range(size):
        yield Control("markov", babbler.text())
    for one in fresh[:size]:
        yield Control("shuffled", shuffled(one, dice))
    for one in known[:size]:
        yield Control("copy", _layout(one.title, one.abstract, [claim.text for claim in one.claims]))


def frozen_drafts(*, fitted: bool) -> list[Control]:
    """Drafts of the starter models, as they were written: those that the sense gate was fitted on, or the others."""
    import zstandard

    with DRAFTS.open("rb") as file:
        lines = zstandard.ZstdDecompressor().stream_reader(file).read().splitlines()
    rows = [json.loads(line) for place, line in enumerate(lines) if (place % 4 < 2) == fitted]
    return [Control(row["set"], row["text"], row["direction"], stop_of(row["stop"])) for row in rows]


def _layout(title: str, abstract: str, claims: Sequence[str]) -> str:
    return write_layout("top-down", title, abstract, claims)


def shuffled(disclosure: Disclosure, dice: random.Random) -> str:
    """The words of each part in another order; a dependent claim keeps its reference, every claim its form."""
    claims = []
    for claim in disclosure.claims:
        references = find_references(claim.text, claim.number) if claim.depends_on else ()
        end = references[0].end if references else 0
        mixed = _mixed(claim.text[end:].rstrip("."), dice)
        text = f"{claim.text[:end]} {mixed}".strip()
        claims.append(f"{text[:1].upper()}{text[1:]}.")
    return _layout(_mixed(disclosure.title, dice), _mixed(disclosure.abstract, dice), claims)


def _mixed(text: str, dice: random.Random) -> str:
    parts = text.split()
    dice.shuffle(parts)
    return " ".join(parts)


class _Babbler:
    """Word trigrams of titles, abstracts, first claims and dependent claims, each kind by itself.

    References are mended, so that the text is refused for what it says and not for a number.
    """

    def __init__(self, disclosures: Sequence[Disclosure], dice: random.Random) -> None:
        self._dice = dice
        self._title = _trigrams(one.title for one in disclosures)
        self._abstract = _trigrams(one.abstract for one in disclosures)
        self._first = _trigrams(one.claims[0].text for one in disclosures)
        self._dependent = _trigrams(claim.text for one in disclosures for claim in dependents(one))

    def text(self) -> str:
        claims = [self._babble(self._first)]
        for number in range(2, DEPENDENTS + 2):
            text = self._babble(self._dependent)
            named = {n for reference in find_references(text, number) for n in reference.numbers}
            claims.append(rewrite(text, number, {n: min(n, number - 1) or 1 for n in named}))
        return _layout(self._babble(self._title), self._babble(self._abstract), claims)

    def _babble(self, trigrams: dict[tuple[str, str], list[str]]) -> str:
        state, made = ("", ""), list[str]()
        while len(made) < LONGEST and (word := self._dice.choice(trigrams[state])):
            made.append(word)
            state = (state[1], word)
        return " ".join(made)


def _trigrams(texts: Iterator[str]) -> dict[tuple[str, str], list[str]]:
    """What follows each pair of words; an empty word begins and ends a text."""
    found: dict[tuple[str, str], list[str]] = {}
    for text in texts:
        state = ("", "")
        for word in (*text.split(), ""):
            found.setdefault(state, []).append(word)
            state = (state[1], word)
    return found


def climb(control: Control, judge: Judge) -> str:
    """The gate at which a control ends, or an empty string: parse and check as for a draft, then `judge`."""
    parsed = parse(control.text, control.direction, control.stop)
    if isinstance(parsed, Rejected):
        return parsed.gate
    passed = check(parsed.disclosure)
    return judge(passed.disclosure) if isinstance(passed, Passed) else passed.gate


def tally(controls: Iterator[Control], judge: Judge) -> list[Tally]:
    """One row for each set, in the order of SETS; sets without a text are left out."""
    ends = Counter((control.set, climb(control, judge)) for control in controls)
    rows = []
    for name in SETS:
        n = sum(times for (which, _), times in ends.items() if which == name)
        left = n
        passed = [left := left - ends[name, gate] for gate in GATES]
        if n:
            rows.append(Tally(name, n, *passed))
    return rows


def by_gates(calibration: Calibration, known: "KnownTexts", reader: "Reader | None" = None) -> Judge:
    """Gates G2 and G3, as they judge drafts."""
    gate = load_sense()

    def judge(disclosure: Disclosure) -> str:
        found = sound(disclosure, calibration, known, gate, reader)
        return found.gate if isinstance(found, Rejected) else ""

    return judge


def selftest(
    publication: "Publication",
    corpus: Path | None = None,
    calibration: Path | None = None,
    seed: int = 0,
    size: int = 300,
    reader: "Reader | None" = None,
) -> "Outcome":
    """The command: the controls through the gates, with intervals. `corpus` is a file of real documents; None: shipped.

    The answer is no when a set's interval lies wholly beyond its goal. Raises CorpusError, ConfigError.
    """
    from generator.base.publication import Outcome
    from generator.corpus.reading import read_documents
    from generator.judge.copying import KnownTexts

    if size < 1:
        raise CorpusError(f"selftest: a size of {size}", hint="Give the number of texts of each set, 1 or more.")
    file = corpus or SHIPPED
    known, fresh = split(real_disclosures(document for _, document in read_documents(file)), seed)
    if min(len(known), len(fresh)) * 2 < LEAST:
        raise CorpusError(
            f"{file}: {len(known) + len(fresh)} documents held out, fewer than {LEAST}",
            hint="Leave out the corpus, or give one with more documents that have title, abstract and claims.",
        )
    used = load_calibration(calibration)
    texts = KnownTexts.open(None, None)
    for number, disclosure in enumerate(known, 1):
        texts.add(f"document {number}", disclosure)
    publication.report(f"selftest: {len(fresh)} real documents, {len(known)} more to copy from, calibration {used.id}")
    rows = tally(make_controls(known, fresh, seed, size), by_gates(used, texts, reader))
    missed = [row.set for row in rows if not _holds(row) and (reader or row.set not in READ)]
    figures = {
        "calibration": used.id,
        "reader": reader.name if reader else "",
        "corpus": file.name,
        "seed": seed,
        "controls": [asdict(row) for row in rows],
    }
    said = f"selftest: beyond their goals: {', '.join(missed)}" if missed else "selftest: every control within its goal"
    return Outcome((*control_lines(rows), said), {**figures, "missed": missed}, ok=not missed)


def _holds(row: Tally) -> bool:
    low, high = wilson(row.g3, row.n)
    least, most = GOALS.get(row.set, (0.0, 1.0))
    return high >= least and low <= most


def control_lines(rows: Sequence[Tally]) -> list[str]:
    """The table for people: of each set how many pass form, coherence and copying, with 95 % intervals."""
    lines = []
    for row in rows:
        rates = (f"{gate} {rate(getattr(row, gate.lower()), row.n)}" for gate in GATES[1:])
        lines.append(f"{SETS[row.set]} ({row.n}): {', '.join(rates)}")
    return lines
