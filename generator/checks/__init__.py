"""The checks of a disclosure, and gate G1. Each check is one named function that returns findings.

Codes and rules: C1-C5, C7 (form of the claims), C10 (repetition), C11 (faults of generation), C12 (title and abstract).
"""

from collections.abc import Callable

from generator.checks import form, repetition
from generator.checks.coherence import Coherent, coherent
from generator.checks.gate import Passed, formal_gate
from generator.disclosure import Disclosure, Finding
from generator.parsing import Rejected

CHECKS: tuple[Callable[[Disclosure], tuple[Finding, ...]], ...] = (
    form.c1_numbered_consecutively,
    form.c2_one_sentence,
    form.c3_claim_one_independent,
    form.c4_refers_to_earlier_claims,
    form.c5_multiple_dependency,
    form.c7_transition,
    repetition.c10_duplicates,
    repetition.c11_generation_faults,
    repetition.c12_title_and_abstract,
)

__all__ = ["CHECKS", "Coherent", "Passed", "check", "coherent", "run_checks"]


def run_checks(disclosure: Disclosure) -> tuple[Finding, ...]:
    """The findings of every check, in the order of the codes."""
    return tuple(finding for one in CHECKS for finding in one(disclosure))


def check(disclosure: Disclosure) -> Passed | Rejected:
    """Gate G1: the disclosure without its failing claims and the findings on it, or why it is refused."""
    return formal_gate(disclosure, run_checks)
