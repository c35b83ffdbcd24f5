"""The observer: fetches what is new from its public address, checks it against the log, and is the log's monitor.

It remembers the newest checkpoint, keeps every record that it fetched, and complains of a fork, of a log that went
back, of a page that is not what the log says, and of a night without a publication.
"""

import hashlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from generator.base import files
from generator.base.errors import PressError, VerificationError
from generator.log.archive import VOLUME
from generator.log.ledger import Ledger
from generator.log.note import Checkpoint, VerificationKey
from generator.log.tiles import Read
from generator.verify.audit import Step
from generator.verify.continuity import consistent, signed, whole_log
from generator.verify.memory import Memory
from generator.verify.sources import Fetch, text_of
from generator.verify.verify import verify

NIGHT_SECONDS = 48 * 3600  # without a publication for longer, a night is missing
OLD_PAGES = 8  # earlier disclosures that are looked at again in each run, drawn by the checkpoint


@dataclass(frozen=True, slots=True)
class Observed:
    """A checkpoint all of whose dated disclosures were found public; `note` is its text."""

    checkpoint: Checkpoint
    note: str
    fetched: int


def observe(
    url: str, state: Path, key: VerificationKey, *, fetch: Fetch, now: Callable[[], str]
) -> Generator[Step, None, Observed]:
    """Everything new at `url`, the site's address with a slash at its end. `state` is the observer's own folder.

    Raises VerificationError for what is not as the log says, PressError for what cannot be fetched.
    """
    read = _reader(url, fetch)
    newest = read("checkpoint")
    if newest is None:
        raise PressError(f"{url}log/checkpoint: nothing is there", hint="Give the address of the site.")
    note = text_of(newest, "checkpoint")
    signed(note, key, "checkpoint")
    yield consistent(read, key, note, "the checkpoint")
    yield from _compared(state, key, note, read)
    ledger = whole_log(read)
    checkpoint = Checkpoint.parse(note)
    yield _recent(ledger, now())
    wanted = _wanted(ledger, state, checkpoint)
    for serial in wanted:
        _look(url, state, key.text, serial, fetch)
    yield Step("public", f"{len(wanted)} disclosures were fetched, and each page and record is what the log says")
    return Observed(checkpoint, note, len(wanted))


def _compared(state: Path, key: VerificationKey, note: str, read: Read) -> Iterator[Step]:
    """With the newest checkpoint seen. One that contradicts it is kept beside it: together they convict the log."""
    try:
        yield from Memory(state / "seen", key).compare(note, read)
    except VerificationError:
        files.write(state / "refused" / hashlib.sha256(note.encode()).hexdigest()[:16], note.encode())
        raise


def _reader(url: str, fetch: Fetch) -> Read:
    return lambda path: fetch(f"{url}log/{path}")


def _recent(ledger: Ledger, now: str) -> Step:
    deploy = ledger.newest_deploy
    if deploy is None:
        return Step("nights", "nothing was published yet", holds=False)
    age = (datetime.fromisoformat(now) - datetime.fromisoformat(deploy.time)).total_seconds()
    if age > NIGHT_SECONDS:
        raise VerificationError(
            f"nights: the newest publication is of {deploy.time}, more than {NIGHT_SECONDS // 3600} hours ago",
            hint="A night is missing, or an old copy is served. Ask the publisher.",
        )
    return Step("nights", f"the newest publication is of {deploy.time}")


def _wanted(ledger: Ledger, state: Path, checkpoint: Checkpoint) -> list[int]:
    """Dated disclosures whose record is not kept yet, and some of the others."""
    dated = [serial for serial, _ in ledger.served() if serial in ledger.dated]
    new = [serial for serial in dated if not _kept(state, serial).exists()]
    old = sorted(set(dated) - set(new), key=lambda n: hashlib.sha256(checkpoint.root + n.to_bytes(8, "big")).digest())
    return sorted([*new, *old[:OLD_PAGES]])


def _look(url: str, state: Path, vkey: str, serial: int, fetch: Fetch) -> None:
    """Page and record of a disclosure, each verified against the log; the record is kept."""
    place = f"{url}d/{serial // VOLUME}/{serial}"
    for suffix in (".html", ".json"):
        try:
            for _ in verify(f"{place}{suffix}", state, vkey, fetch=fetch):
                pass
        except VerificationError as error:
            raise VerificationError(f"{place}{suffix}: {error}", hint=error.hint) from error
    data = fetch(f"{place}.json")
    path = _kept(state, serial)
    if data is not None and not path.exists():
        files.write(path, data)


def _kept(state: Path, serial: int) -> Path:
    return state / "records" / str(serial // VOLUME) / f"{serial}.json"
