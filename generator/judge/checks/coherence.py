"""Gate G2: the measures of coherence, and whether a disclosure reaches the thresholds that real patents set."""

from dataclasses import dataclass

from generator.base.words import content
from generator.judge.checks.antecedents import all_terms, c8_antecedent_basis
from generator.judge.checks.chains import chains
from generator.judge.checks.thresholds import Calibration
from generator.judge.parsing import Rejected
from generator.record.disclosure import Disclosure, Finding
from generator.record.judgement import Coherence

WHOLE = 1000  # shares are in thousandths


@dataclass(frozen=True, slots=True)
class Coherent:
    """What was measured, and the findings that explain it."""

    coherence: Coherence
    findings: tuple[Finding, ...]


def coherent(disclosure: Disclosure, calibration: Calibration) -> Coherent | Rejected:
    """Gate G2. Reasons of a refusal: antecedents, cohesion, title_support, abstract_support."""
    coherence = measure(disclosure)
    findings = c8_antecedent_basis(disclosure)
    failed = calibration.refuses(coherence)
    if failed:
        return Rejected("G2", failed, findings)
    return Coherent(coherence, findings)


def measure(disclosure: Disclosure) -> Coherence:
    """The four shares. What says nothing wrong is right: without a term after "the" no antecedent lacks, and without
    dependent claims cohesion is whole.
    """
    read = chains(disclosure.claims)
    bases = [term.basis for found in all_terms(disclosure.claims) for term in found]
    loose = 2 * bases.count("certain") + bases.count("likely")
    shares = [len(chain.own & chain.top) / len(chain.own) for chain in read if chain.parents and chain.own]
    claimed = frozenset[str]().union(*(chain.own for chain in read))
    told = frozenset(content(disclosure.abstract))
    return Coherence(
        antecedent_share=round(WHOLE * loose / (2 * len(bases))) if bases else 0,
        cohesion=round(WHOLE * sum(shares) / len(shares)) if shares else WHOLE,
        title_support=_support(frozenset(content(disclosure.title)), claimed | told),
        abstract_support=_support(told, claimed),
    )


def _support(said: frozenset[str], known: frozenset[str]) -> int:
    return round(WHOLE * len(said & known) / len(said)) if said else WHOLE
