"""Gate G1: which failing claims can be taken out, and when the whole draft is refused."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from generator.judge.parsing import Rejected
from generator.record.claim_references import depends_on, find_references, rewrite
from generator.record.disclosure import Claim, Disclosure, Finding

WHOLE = frozenset({"C1", "C3", "C11"})  # a failure of one of these refuses the draft
REPEATS = "C10"  # says nothing of the others: the claim goes, and counts as none that fails
LEAST_PASSING = (4, 5)  # at least 80 % of the claims pass


@dataclass(frozen=True, slots=True)
class Passed:
    """What remains, renumbered from 1; the removed claims by their numbers in the draft; findings on what remains."""

    disclosure: Disclosure
    removed_claims: tuple[int, ...]
    findings: tuple[Finding, ...]


Check = Callable[[Disclosure], tuple[Finding, ...]]


def formal_gate(disclosure: Disclosure, deciding: tuple[Check, ...], remarking: tuple[Check, ...]) -> Passed | Rejected:
    """Passes when C1, C3, C11 hold, claim 1 passes C2, C4, C7, and at least 80 % of the claims pass.

    The other failing claims are removed with every claim that depends on one of them. A claim that repeats another one
    is removed as well, and does not count among those that pass or fail. Only the `deciding` checks can
    fail; the `remarking` ones are spared where a draft is refused. Reasons of a refusal: the code of the check (`c1` to
    `c11`), or `few_pass`.
    """
    findings = _run(deciding, disclosure)
    failing = tuple(f for f in findings if f.severity == "fail")
    first = disclosure.claims[0].number if disclosure.claims else None
    for finding in failing:
        # What is left to fail on claim 1 is C2, C4 and C7: the other checks only warn.
        if finding.check in WHOLE or finding.claim == first:
            return Rejected("G1", finding.check.lower(), failing)
    repeats = {f.claim for f in failing if f.check == REPEATS and f.claim is not None}
    bad = repeats | {f.claim for f in failing if f.claim is not None}
    if too_few_pass(len(disclosure.claims) - len(repeats), len(bad - repeats)):
        return Rejected("G1", "few_pass", failing)
    if not bad:
        return Passed(disclosure, (), in_order((*findings, *_run(remarking, disclosure))))
    kept, removed = _without(disclosure.claims, bad)
    smaller = replace(disclosure, claims=kept)
    return Passed(smaller, removed, in_order(_run((*deciding, *remarking), smaller)))


def _run(checks: tuple[Check, ...], disclosure: Disclosure) -> tuple[Finding, ...]:
    return tuple(finding for check in checks for finding in check(disclosure))


def in_order(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Findings in the order of the codes; those of one check as they stand."""
    return tuple(sorted(findings, key=lambda finding: int(finding.check[1:])))


def too_few_pass(claims: int, bad: int) -> bool:
    return (claims - bad) * LEAST_PASSING[1] < claims * LEAST_PASSING[0]


def _without(claims: tuple[Claim, ...], bad: set[int]) -> tuple[tuple[Claim, ...], tuple[int, ...]]:
    """The claims without `bad` and all that name one of them, renumbered; and the numbers removed."""
    removed, kept = set(bad), []
    for claim in claims:
        references = find_references(claim.text, claim.number)
        named = {n for r in references if not r.preceding for n in r.numbers}
        lost = any(r.numbers and removed.issuperset(r.numbers) for r in references)  # "the preceding claim"
        if claim.number in removed or named & removed or lost:
            removed.add(claim.number)
        else:
            kept.append(claim)
    new = {claim.number: position for position, claim in enumerate(kept, 1)}
    renumbered = []
    for claim in kept:
        text = rewrite(claim.text, claim.number, new)
        renumbered.append(Claim(new[claim.number], text, depends_on(text, new[claim.number])))
    return tuple(renumbered), tuple(sorted(removed))
