"""A seeded sample of tests/mutations.py: nothing false is accepted, nothing crashes, two verifiers agree."""

from pathlib import Path

from mutations import run


def test_no_mutation_is_accepted_and_both_verifiers_agree(tmp_path: Path) -> None:
    answers, wrong = run(150, 20261130, tmp_path)
    assert wrong == []
    assert answers["no"] > 100
    assert sum(number for name, number in answers.items() if name.startswith("pair")) > 15
