"""The page that stays where a text was withdrawn: number, hash, dates, reason, proof; nothing of the text."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from generator.base import files
from generator.base.errors import VerificationError
from generator.base.settings import Settings
from generator.log import archive
from generator.log.archive import record_path
from generator.log.entries import Withdrawn
from generator.log.evidence import Evidence
from generator.log.ledger import Ledger
from generator.site.citation import display_id
from generator.site.metadata import front_matter
from generator.site.pages import render

MARK = b"data-withdrawn="  # stands in every such page, and in no other
SHOWN = {
    "privacy": "It held personal data.",
    "copyright": "It held a text that somebody else has rights in.",
    "safety": "It could have done harm.",
    "court": "A court or an authority ordered it.",
    "error": "It was published by mistake.",
}


@dataclass(frozen=True, slots=True)
class Tombstone:
    """What the log says of a withdrawn disclosure; `published` and `withdrawn` are times, or empty."""

    serial: int
    id: str
    sha256: str
    published: str
    withdrawn: str
    entry: int
    reason: str
    why: str
    notice: str


def tombstones(volume: int, ledger: Ledger, settings: Settings) -> Iterator[Tombstone]:
    for serial, index in ledger.withdrawn.items():
        said, disclosed = ledger.entries[index], ledger.disclosure(serial)
        if serial // archive.VOLUME == volume and isinstance(said, Withdrawn) and disclosed:
            yield Tombstone(
                serial=serial,
                id=display_id(serial, settings),
                sha256=disclosed.sha256,
                published=ledger.dated.get(serial, ""),
                withdrawn=said.time,
                entry=index,
                reason=said.reason,
                why=SHOWN.get(said.reason, ""),
                notice=said.notice,
            )


def tombstone_pages(volume: int, ledger: Ledger, settings: Settings, templates: Path) -> Iterator[tuple[str, str]]:
    """Names and Markdown."""
    for one in tombstones(volume, ledger, settings):
        front = {"title": f"{one.id} is withdrawn", "kind": "withdrawn"}
        yield f"{one.serial}.md", front_matter(front) + render(templates, "withdrawn.md.j2", settings, it=one)


def write_evidence(folder: Path, volume: int, output: Path, ledger: Ledger, proofs: dict[int, Evidence]) -> None:
    """Proof and evidence beside each such page: hashes only, for whoever kept the record."""
    for serial in ledger.withdrawn:
        if serial // archive.VOLUME == volume:
            proof = files.read(record_path(output, serial, ".proof"), "the proof of a withdrawn record")
            (folder / f"{serial}.proof").write_bytes(proof)
            (folder / f"{serial}.evidence").write_text(proofs[serial].text, encoding="utf-8", newline="\n")


def require_tombstones(site: Path, ledger: Ledger, hint: str) -> None:
    """Each withdrawn disclosure has such a page, and no file beside it has its text. Raises VerificationError."""
    for serial in ledger.withdrawn:
        page = site / "d" / str(serial // archive.VOLUME) / f"{serial}.html"
        if not page.is_file() or MARK not in page.read_bytes():
            raise VerificationError(f"pages: disclosure {serial} is withdrawn, and {page} does not say so", hint=hint)
        for other in page.parent.glob(f"{serial}.*"):
            if other.suffix not in (".html", ".proof", ".evidence"):
                raise VerificationError(f"pages: disclosure {serial} is withdrawn, and {other} is there", hint=hint)
