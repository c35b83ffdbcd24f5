"""Real disclosures for tests: those that are shipped for the controls; and where data lie that are not shipped."""

import os
from functools import cache
from pathlib import Path

from generator.corpus.reading import read_documents
from generator.judge.calibration import real_disclosures
from generator.measure.controls import SHIPPED
from generator.record.disclosure import Disclosure

# For tests marked `data`: patents.jsonl.zst, descriptions.jsonl.zst, and folders of the hub and of PatentMatch.
DATA = Path(os.environ.get("TEST_DATA", "no folder is named in TEST_DATA")).absolute()


@cache
def patents() -> tuple[Disclosure, ...]:
    return tuple(one.disclosure for one in real_disclosures(document for _, document in read_documents(SHIPPED)))
