"""Measures of degeneration: text that goes round instead of on. Each is a share in thousandths.

They read the claims alone, at most WINDOW words of them, so that long claim sets are not measured by another yardstick
than short ones. Source of the first two: distinct-n (Li et al. 2016, arXiv 1510.03055) and compressibility as a measure
of repetition (Holtzman et al. 2020, arXiv 1904.09751, name the fault).
"""

import zlib
from collections.abc import Sequence

from generator.base.words import COMMON
from generator.judge.checks.chains import Chain, chains
from generator.record.disclosure import Claim

WHOLE = 1000
WINDOW = 300  # words of the claims that are read
NEAR = 5  # words within which a content word that comes again is an echo
BYTES = 1800  # of text that is compressed; shorter texts are measured whole


def distinct_triples(claims: tuple[Claim, ...]) -> int:
    """Different word triples, of all triples. Loops and phrases that come back lower it."""
    words = _words(chains(claims))
    triples = list(zip(words, words[1:], words[2:], strict=False))
    return round(WHOLE * len(set(triples)) / len(triples)) if triples else WHOLE


def compressed_size(claims: tuple[Claim, ...]) -> int:
    """Bytes after compression, of the bytes before. What repeats itself compresses well."""
    text = " ".join(claim.text for claim in claims).encode()[:BYTES]
    return min(WHOLE, round(WHOLE * len(zlib.compress(text, 9)) / len(text))) if text else WHOLE


def echoes(claims: tuple[Claim, ...]) -> int:
    """Content words that stood within NEAR words before ("a field of the field"), of all content words."""
    again = total = 0
    for chain in chains(claims):
        for place, (word, stem) in enumerate(zip(chain.words, chain.stems, strict=True)):
            if _says_nothing(word):
                continue
            total += 1
            again += stem in chain.stems[max(0, place - NEAR) : place]
    return round(WHOLE * again / total) if total else 0


def new_content(claims: tuple[Claim, ...]) -> int:
    """Content words of a dependent claim that no claim above it has, the mean of all dependents."""
    shares = [len(chain.own - chain.above) / len(chain.own) for chain in chains(claims) if chain.parents and chain.own]
    return round(WHOLE * sum(shares) / len(shares)) if shares else WHOLE


def _words(read: Sequence[Chain]) -> list[str]:
    return [word for chain in read for word in chain.words][:WINDOW]


def _says_nothing(word: str) -> bool:
    return word in COMMON or word.isdigit() or len(word) == 1
