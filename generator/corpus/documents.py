"""A known document, whatever file it came from."""

from dataclasses import dataclass, replace

from generator.base.words import words
from generator.corpus.patent_text import sentence_case
from generator.record.claim_references import depends_on
from generator.record.disclosure import Claim, Disclosure


@dataclass(frozen=True, slots=True)
class Document:
    """`number` is a publication number ("US8087209"), a disclosure's place in its log ("example.org/log#123"), or the
    hash of a record that no log names ("sha256:..."). `description` has paragraphs separated by LF; `date` is
    YYYY-MM-DD or empty; `cpc` are symbols without spaces ("A01B33/08"). `family` are numbers that other documents of
    the same patent family have too (its application, parents and priorities); `tier` says how free the text is, empty
    for no word about it. `left_out` counts what the file has and the document has not, by reason; `incomplete` are the
    places of claims that lost a formula or an image. Of these four a reference corpus keeps the last.
    """

    number: str
    title: str
    abstract: str
    claims: tuple[str, ...] = ()
    description: str = ""
    date: str = ""
    cpc: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    tier: str = ""
    left_out: tuple[tuple[str, int], ...] = ()
    incomplete: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A document that could not be read: `place` is a line or a byte offset in its file, `why` a sentence."""

    place: str
    why: str


def as_document(number: str, disclosure: Disclosure) -> Document:
    """A disclosure among known documents. Its description is restated from its claims, so it has no part in it."""
    return Document(number, disclosure.title, disclosure.abstract, tuple(claim.text for claim in disclosure.claims))


def titled(document: Document) -> Document:
    """With its title in sentence case, as models are taught and as disclosures have it."""
    context = " ".join((document.abstract, *document.claims))
    return replace(document, title=sentence_case(document.title, context))


def as_disclosure(document: Document) -> Disclosure:
    """Its title, abstract and claims, numbered in order."""
    numbered = (Claim(number, text, depends_on(text, number)) for number, text in enumerate(document.claims, 1))
    return Disclosure(document.title, document.abstract, (), tuple(numbered))


def compared_words(document: Document) -> list[str]:
    """What of a document is compared as a whole: title, abstract and claims, in this order."""
    return words("\n".join((document.title, document.abstract, *document.claims)))


def gist(document: Document) -> str:
    """What it is about: title, abstract and first claim."""
    return "\n".join((document.title, document.abstract, *document.claims[:1]))
