"""A disclosure: the content that is published, and what checks remark on it. Plain frozen values."""

from dataclasses import dataclass
from typing import Literal

ParagraphOrigin = Literal["model", "restated"]
Severity = Literal["fail", "warn", "info"]


@dataclass(frozen=True, slots=True)
class Claim:
    number: int
    text: str
    depends_on: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Paragraph:
    origin: ParagraphOrigin
    text: str


@dataclass(frozen=True, slots=True)
class Disclosure:
    title: str
    abstract: str
    description: tuple[Paragraph, ...]
    claims: tuple[Claim, ...]
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's remark. `check` is its code (C1 ... C12; G0 for the parser); `claim` is None for the whole text."""

    check: str
    severity: Severity
    claim: int | None
    message: str
