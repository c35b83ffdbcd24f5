"""One document of a file or of a few lines of XML or text, read as the program reads it."""

from pathlib import Path

from generator.corpus.documents import Document
from generator.corpus.green_book import read_green_book
from generator.corpus.reading import read_documents
from generator.corpus.uspto import read_uspto

CASES = Path(__file__).parent / "cases" / "reading"


def one(path: Path) -> Document:
    ((_, item),) = read_documents(path)
    assert isinstance(item, Document)
    return item


def xml(body: str, root: str = "us-patent-grant", encoding: str = "UTF-8") -> Document:
    text = (
        f'<?xml version="1.0" encoding="{encoding}"?>\n<{root}><publication-reference><document-id><doc-number>7000000'
        f"</doc-number></document-id></publication-reference>{body}</{root}>"
    )
    ((_, item),) = read_uspto(iter([text.encode(encoding)]), 0)
    assert isinstance(item, Document), item
    return item


def aps(text: str) -> Document:
    ((_, item),) = read_green_book(iter([f"PATN\nWKU  0400000019\n{text}\n".encode("latin-1")]), 0)
    assert isinstance(item, Document), item
    return item
