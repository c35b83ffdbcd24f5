"""The command review sample: published disclosures whole, as a draw finds them and nobody chose them."""

import hashlib
from collections.abc import Iterator

from generator.base.errors import ConfigError
from generator.base.publication import Outcome, Publication
from generator.log.archive import LoggedRecord


def sample(publication: Publication, count: int, seed: int) -> Outcome:
    """The `count` published disclosures with the smallest SHA-256 of `<seed>:<serial>`, which anybody can compute."""
    from generator.site.citation import display_id

    found = sorted(_published(publication), key=lambda one: hashlib.sha256(f"{seed}:{one.serial}".encode()).digest())
    if not found:
        raise ConfigError(f"{publication.output}: nothing is published", hint="Run: prior-art publish")
    drawn = found[:count]
    head = f"{len(drawn)} of {len(found)} published disclosures, drawn by seed {seed}"
    texts = (line for one in drawn for line in _whole(one, display_id(one.serial, publication.settings)))
    figures = {"seed": seed, "published": len(found), "drawn": [one.serial for one in drawn]}
    return Outcome((head, *texts), figures)


def _published(publication: Publication) -> Iterator[LoggedRecord]:
    from generator.log.archive import read_ledger, read_volume, volumes

    ledger = read_ledger(publication.output)
    for volume in volumes(ledger):
        yield from (
            one
            for one in read_volume(publication.output, volume, ledger)
            if one.published_at and one.superseded_by is None
        )


def _whole(one: LoggedRecord, name: str) -> Iterator[str]:
    text = one.record.disclosure
    yield from ("", f"{name}  {text.title}", "", text.abstract)
    yield from (paragraph.text for paragraph in text.description if paragraph.origin == "model")
    yield from ("", *(f"{claim.number}. {claim.text}" for claim in text.claims))
