"""One history: nothing is signed unless every copy of the log's checkpoint that is found is a beginning of our log.

A branch that was deleted or set back, or an `output/` from a backup, would else lead to a second signed tree of the
same size, and to other records under public addresses.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from generator.base.errors import LogError, PressError
from generator.base.publication import Publication
from generator.base.settings import is_local
from generator.log import merkle
from generator.log.archive import current, tiles
from generator.log.note import Checkpoint, SigningKey, check_signature
from generator.publish.destinations import Destination

CHECKPOINT = "log/checkpoint"
RESTORE = (
    "Nothing was signed. Restore the newest log: the facts' branch, a clone of it, or output/ of the machine that "
    "published last (docs/publishing.md, When the log is lost). Then run the same command again."
)
UNSEEN = "Nothing was signed. That address must answer: with the log, or with 404 before anything is published."


@dataclass(frozen=True, slots=True)
class Copy:
    """A checkpoint of this log, and where it was found."""

    name: str
    note: bytes


def copies(publication: Publication, destination: Destination | None = None) -> Iterator[Copy]:
    """The checkpoints at the public address, at `destination`, and in the site that was built here last.

    Raises LogError where the public address cannot be asked, PressError where the destination cannot be read.
    """
    url = publication.settings.site_url + CHECKPOINT
    try:
        public = publication.fetch(url)
    except PressError as error:
        if not is_local(publication.settings.site_url):
            raise LogError(f"{url}: the public log cannot be looked at: {error}", hint=UNSEEN) from error
        public = None
    built = publication.site / CHECKPOINT
    found = (
        (url, public),
        (destination.name if destination else "", destination.read(CHECKPOINT) if destination else None),
        (str(built), built.read_bytes() if built.is_file() else None),
    )
    return (Copy(name, note) for name, note in found if note is not None)


def require_one_history(output: Path, key: SigningKey, found: Iterable[Copy]) -> None:
    """Raises LogError unless the log in `output` was signed by `key` and continues each copy."""
    ours = current(output)
    own = [Copy(str(output), (output / CHECKPOINT).read_bytes())] if ours else []
    for copy in (*own, *found):
        there = _signed(copy, key)
        size = ours.size if ours else 0
        if there.size > size:
            raise LogError(
                f"{copy.name}: the log there has {there.size} entries, the log in {output} has {size}: it was lost, "
                "set back, or is another one",
                hint=RESTORE,
            )
        if ours:
            tree = tiles(output, size)
            try:
                proof = merkle.consistency_proof(tree.nodes, there.size, size)
                merkle.check_consistency(there.size, size, there.root, ours.root, proof)
            except ValueError as error:
                raise LogError(
                    f"{copy.name}: the log in {output} does not continue the log there: {error}", hint=RESTORE
                ) from error


def _signed(copy: Copy, key: SigningKey) -> Checkpoint:
    note = copy.note.decode("utf-8", "replace")
    try:
        checkpoint = Checkpoint.parse(note)
        if checkpoint.origin != key.name:
            raise LogError(f"it is of the log {checkpoint.origin}, the key signs for {key.name}")
        check_signature(note, key.verification_key)
    except LogError as error:
        hint = "Nothing was signed. Use the key and the settings of the log that is there, or another address."
        raise LogError(f"{copy.name}: not a checkpoint of this log: {error}", hint=hint) from error
    return checkpoint
