"""The checks of a disclosure, and gates G1 and G2. Each check is one named function that returns findings.

Codes: C1-C5, C7 form of the claims; C6 category, C9 wording; C8 antecedents; C10 repetition, C11 faults of generation;
C12 title and abstract; C13 self-definition, C14 broken text. C5, C6, C8, C9 and C12 never fail, they remark.
"""

from generator.judge.checks import form, matter, repetition, soundness, wording
from generator.judge.checks.antecedents import c8_antecedent_basis
from generator.judge.checks.coherence import Coherent, coherent, measure
from generator.judge.checks.gate import Check, Passed, formal_gate, in_order
from generator.judge.parsing import Rejected
from generator.record.disclosure import Disclosure, Finding

DECIDING: tuple[Check, ...] = (
    form.c1_numbered_consecutively,
    form.c2_one_sentence,
    form.c3_claim_one_independent,
    form.c4_refers_to_earlier_claims,
    form.c7_transition,
    repetition.c10_duplicates,
    repetition.c11_generation_faults,
    soundness.c13_self_definition,
    soundness.c14_broken_text,
)
REMARKING: tuple[Check, ...] = (
    form.c5_multiple_dependency,
    wording.c6_category,
    wording.c9_functional_and_relative,
    matter.c12_title_and_abstract,
)

__all__ = [
    "DECIDING", "REMARKING", "Coherent", "Passed", "c8_antecedent_basis", "check", "coherent", "measure", "run_checks",
]  # fmt: skip


def run_checks(disclosure: Disclosure) -> tuple[Finding, ...]:
    """The findings of every check, in the order of the codes."""
    checks = (*DECIDING, *REMARKING, c8_antecedent_basis)
    return in_order(tuple(finding for one in checks for finding in one(disclosure)))


def check(disclosure: Disclosure) -> Passed | Rejected:
    """Gate G1: the disclosure without its failing claims and the findings on it, or why it is refused.

    Without those of C8, which gate G2 uses and returns.
    """
    return formal_gate(disclosure, DECIDING, REMARKING)
