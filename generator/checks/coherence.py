"""Gate G2: the measures of coherence, and whether a disclosure reaches the thresholds that real patents set."""

from dataclasses import dataclass

from generator.checks.antecedents import c8_antecedent_basis, terms
from generator.checks.chains import chains
from generator.checks.thresholds import Calibration
from generator.disclosure import Disclosure, Finding
from generator.judgement import Coherence
from generator.parsing import Rejected
from generator.words import content

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
    """The four shares of a disclosure."""
    read = chains(disclosure.claims)
    weights = [term.basis for chain in read for term in terms(chain, chain.claim.text)]
    loose = 2 * weights.count("certain") + weights.count("likely")
    dependents = [chain for chain in read if chain.parents and chain.own]
    shares = [len(chain.own & chain.above) / len(chain.own) for chain in dependents]
    claimed = frozenset().union(*(chain.own for chain in read))
    return Coherence(
        antecedent_share=round(WHOLE * loose / (2 * len(weights))) if weights else 0,
        cohesion=round(WHOLE * sum(shares) / len(shares)) if shares else WHOLE,
        title_support=_support(disclosure.title, claimed),
        abstract_support=_support(disclosure.abstract, claimed),
    )


def _support(text: str, claimed: frozenset[str]) -> int:
    said = frozenset(content(text))
    return round(WHOLE * len(said & claimed) / len(said)) if said else WHOLE
