"""The elements of the three kinds of XML that the United States Patent and Trademark Office publishes.

Source: its DTDs, us-patent-grant-v45-2014-04-03, ST32-US-Grant-025xml and pap-v16-2002-01-01.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Form:
    """The elements of one kind of document. Number and date are a name and an ancestor that it stands in; the first
    one counts.
    """

    number: tuple[str, str]
    date: tuple[str, str]
    title: str
    abstract: str
    description: str
    paragraph: str
    claim: str
    # Numbers that a patent family shares, of the application, its parents and priorities: their element
    # and those that it stands in.
    kin: tuple[str, ...]
    # Those of these elements whose numbers are of publications, not of applications: 11515138 can be either.
    published: tuple[str, ...]


_RED_BOOK = Form(
    ("doc-number", "publication-reference"), ("date", "publication-reference"),
    "invention-title", "abstract", "description", "p", "claim",
    ("doc-number", "application-reference", "parent-doc", "priority-claim", "us-provisional-application",
     "related-publication", "pct-or-regional-filing-data"),
    ("parent-grant-document", "related-publication"),
)  # fmt: skip
FORMS = {
    "us-patent-grant": _RED_BOOK,
    "us-patent-application": _RED_BOOK,
    "PATDOC": Form(("DNUM", "B110"), ("DATE", "B140"), "B540", "SDOAB", "SDODE", "PARA", "CLM",
                    ("DNUM", "B210", "B310", "B610", "B620", "B630", "B640", "B641US", "B645", "B646US", "B650", "B660",
                     "B680US", "B690US", "B860"),
                    ("PPUB", "B650")),
    "patent-application-publication": Form(
        ("doc-number", "document-id"), ("document-date", "document-id"),
        "title-of-invention", "subdoc-abstract", "subdoc-description", "paragraph", "claim",
        ("doc-number", "application-number", "continuity-data", "priority-application-number", "prior-publication",
         "pct-application"),
        ("parent-patent", "prior-publication", "corrected-republication-of"),
    ),
}  # fmt: skip
