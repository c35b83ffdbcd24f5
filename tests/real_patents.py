"""Real disclosures for tests: those that are shipped for the controls."""

from functools import cache

from generator.calibration import real_disclosures
from generator.controls import SHIPPED
from generator.corpus.reading import read_documents
from generator.disclosure import Disclosure


@cache
def patents() -> tuple[Disclosure, ...]:
    return tuple(one.disclosure for one in real_disclosures(document for _, document in read_documents(SHIPPED)))
