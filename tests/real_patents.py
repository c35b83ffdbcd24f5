"""Real disclosures for tests: those that are shipped for the controls."""

from functools import cache

from generator.corpus.reading import read_documents
from generator.judge.calibration import real_disclosures
from generator.measure.controls import SHIPPED
from generator.record.disclosure import Disclosure


@cache
def patents() -> tuple[Disclosure, ...]:
    return tuple(one.disclosure for one in real_disclosures(document for _, document in read_documents(SHIPPED)))
