"""Published disclosures drawn by a seed: whole, none chosen, the same for everybody."""

import hashlib
import json
from pathlib import Path

import facts
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.base.errors import ConfigError
from generator.base.publication import Publication
from generator.base.settings import Settings
from generator.commands.drawn import sample

MADE = 12


@pytest.fixture(scope="module")
def publication(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    root = tmp_path_factory.mktemp("drawn")
    facts.archive(root / "output", MADE, published=facts.LATE)
    facts.archive(root / "output", 1, first=MADE)  # in the log, and not yet published
    return Publication(root, Settings(), lambda _: None)


@given(st.integers(0, 2**64), st.integers(1, 30))
def test_the_draw_is_the_order_of_hashes_and_of_published_ones_alone(
    publication: Publication, seed: int, count: int
) -> None:
    drawn = sample(publication, count, seed).figures["drawn"]
    order = sorted(range(MADE), key=lambda serial: hashlib.sha256(f"{seed}:{serial}".encode()).hexdigest())
    assert drawn == order[:count]


def test_each_text_is_shown_whole(publication: Publication) -> None:
    made = sample(publication, MADE, 7)
    assert made.lines[0] == f"{MADE} of {MADE} published disclosures, drawn by seed 7"
    shown = "\n".join(made.lines)
    for number in range(MADE):
        text = facts.record(number).disclosure
        for part in (text.title, text.abstract, *(f"{claim.number}. {claim.text}" for claim in text.claims)):
            assert part in shown
    json.dumps(made.figures)


def test_a_publication_without_published_ones_says_so(tmp_path: Path) -> None:
    facts.archive(tmp_path / "output", 1)
    with pytest.raises(ConfigError, match="nothing is published"):
        sample(Publication(tmp_path, Settings(), lambda _: None), 1, 0)
