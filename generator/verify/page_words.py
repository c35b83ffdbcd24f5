"""Words of a page that are neither a fact nor left out of the comparison, without points at either end.

verify-page.js has the same list.
"""

import re

from generator.base.errors import VerificationError
from generator.verify.html import Element

LABELS = frozenset(
    {
        "Abstract",
        "Applicant (SB/08",
        "BibTeX",
        "Both stay, each with its own number",
        "CSL-JSON",
        "Citation and evidence",
        "Cite",
        "Claim tree",
        "Claims",
        "Created",
        "Description",
        "Direction",
        "Direction of writing",
        "EPO search report",
        "Examiner (PTO-892",
        "Existed by",
        "Files",
        "How it was made",
        "Licence",
        "Log",
        "Model",
        "Model licence",
        "Nothing described here was built or tested, and this is not a patent",
        "Nothing described here was built or tested, and this is not a patent. It was written by a",
        "Place in the log",
        "Prior Art Press",
        "Program",
        "Public by",
        "Published",
        "Publisher",
        "RIS",
        "Record SHA-256",
        "Reference managers",
        "Removed claims",
        "Review",
        "Seed",
        "Status",
        "Superseded",
        "Third party (37 CFR 1.290",
        "This",
        "To check this sheet, type: prior-art verify",
        "UTC",
        "WIPO ST.14",
        "Weights SHA-256",
        "a",
        "by",
        "by the publisher's clock",
        "by the publisher's clock, entry",
        "entry",
        "evidence",
        "index",
        "machine-generated, not a patent",
        "no capture by others",
        "no time-stamp by others",
        "none yet",
        "not stamped yet",
        "not yet",
        "not yet published",
        "of the draft failed a check and were taken out",
        "of the log",
        "proof",
        "published",
        "publisher's statement",
        "record",
        "reviewed",
        "superseded by",
        "supersedes",
        "text",
        "that is too small to write useful inventions",
        "topic given",
        "volume",
    }
)
# Words of the forms of citation, in small letters; what else stands in one is a value of the record or the log.
CITATION = frozenset(
    """
    256 ab accessed any art au author by da date dd disclosure document er from generated genre id if institution
    internet issued item kw la language literal m3 machine mm month n1 not note number of on online or pages parts
    passages pb place publication published publisher py record report retrieved rprt sha sn techreport the ti title ty
    type ur url urldate whole y2 year yet yyyy
    """.split()  # noqa: SIM905
)
# Attributes whose text is shown or read aloud.
SHOWN = frozenset(
    """
    abbr alt aria-description aria-label aria-placeholder aria-roledescription aria-valuetext data-copy data-inid label
    placeholder summary title
    """.split()  # noqa: SIM905
)
_COPIES = re.compile("Copy citation of (?:claim|paragraph) [0-9]{1,4}")


def is_label(text: str) -> bool:
    return " ".join(text.split()).strip(" ().,:;·") in LABELS


def check_attributes(element: Element) -> None:
    """Raises VerificationError for a text in an attribute that this program does not know."""
    for name in SHOWN & element.attributes.keys():
        text = element.attributes[name]
        known = re.fullmatch("[0-9]{2}", text) is not None if name == "data-inid" else is_label(text)
        if element.tag == "button":
            known = _COPIES.fullmatch(text) is not None or is_label(text.removeprefix("Copy "))
        if not known:
            raise VerificationError(f"page: text that is not the record's, {name}: {text[:60]!r}")
