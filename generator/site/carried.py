"""What a page carries so that it verifies alone: its record, its evidence and the log's key."""

from pathlib import Path

from generator.base import files
from generator.base.errors import ToolError
from generator.log import archive
from generator.log.evidence import Evidence, gather, speaking
from generator.log.ledger import Ledger
from generator.log.note import Checkpoint

PLACE = 'data-record="" data-evidence="" data-vkey=""'  # in the template; MkDocs leaves it as it stands


def evidences(output: Path, volume: int, ledger: Ledger) -> dict[int, Evidence]:
    """The evidence of each disclosure of a volume. A function of the log alone."""
    notes: dict[int, str] = {}
    for path in (output / "log" / "checkpoints").iterdir():
        note = files.read(path, "a checkpoint").decode("utf-8", "replace")
        notes[Checkpoint.parse(note).size] = note
    indices = speaking(ledger).values()
    trees = {size: archive.tiles(output, size) for size in notes}
    return {item[0]: gather(item, notes, trees.__getitem__) for item in indices if item[0] // archive.VOLUME == volume}


def carry(page: Path, record: bytes, evidence: Evidence, vkey: str) -> None:
    """Put record, evidence and key into a built page, as text: the page's own words compress it, and base64 would not.

    Raises ToolError where the template has no place for them.
    """
    text = page.read_text(encoding="utf-8")
    if text.count(PLACE) != 1:
        raise ToolError(f"{page}: the template has no place for the evidence", hint=f"Restore {PLACE} in it.")
    values = f"data-record='{_quoted(record.decode())}' data-evidence='{_quoted(evidence.text)}'"
    page.write_text(text.replace(PLACE, f'{values} data-vkey="{vkey.strip()}"'), encoding="utf-8", newline="\n")


def _quoted(text: str) -> str:
    """For an attribute between single quotes. Neither record nor evidence holds a CR, which HTML changes."""
    return text.replace("&", "&amp;").replace("'", "&#39;").replace("<", "&lt;")
