"""The newest checkpoint seen of each log, so that a fork or a step back is noticed, as Go's sumdb client does."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from generator.base import files
from generator.base.errors import LogError, PressError, VerificationError
from generator.log import merkle
from generator.log.note import Checkpoint, VerificationKey, check_signature
from generator.log.tiles import Read, Tiles
from generator.verify.audit import Step

LIMIT = 1 << 20


class Memory:
    """One file for each key in `folder`. A file that cannot be read or written is said, and changes no answer."""

    def __init__(self, folder: Path, key: VerificationKey) -> None:
        self._key = key
        self.path = folder / hashlib.sha256(key.text.encode()).hexdigest()[:32]

    def compare(self, note: str, log: Read | None) -> Iterator[Step]:
        """`note` is a checkpoint whose signature holds. Where `log` is at hand, its newest one is compared.

        Raises VerificationError where the log signed two histories, or serves an older one than it did before.
        """
        if log is not None and (served := log("checkpoint")) is not None:
            note = served.decode()
        known = self._read()
        if isinstance(known, Step):
            yield known
            return
        now, then = Checkpoint.parse(note), Checkpoint.parse(known) if known else None
        if then is None:
            yield from self._write(note, f"size {now.size} is remembered from now on")
        elif then.size == now.size:
            if then.root != now.root:
                raise VerificationError(self._fork(then, now))
            yield Step("memory", f"the newest checkpoint seen so far, size {then.size}, is this one")
        elif log is None:
            yield Step(
                "memory", f"not compared with the newest checkpoint seen, size {then.size}: no tiles here", holds=False
            )
        elif now.size < then.size:
            raise VerificationError(
                f"memory: the log has gone back: {now.size} entries now, {then.size} before ({self.path})",
                hint="Ask the publisher and others who keep checkpoints. --no-memory leaves this step out.",
            )
        else:
            self._grown(then, now, log)
            yield from self._write(note, f"size {then.size}, seen before, is a beginning of size {now.size}")

    def _grown(self, then: Checkpoint, now: Checkpoint, log: Read) -> None:
        tree = Tiles(log, now.size)
        try:
            proof = merkle.consistency_proof(tree.nodes, then.size, now.size)
            merkle.check_consistency(then.size, now.size, then.root, now.root, proof)
        except (LogError, ValueError) as error:
            raise VerificationError(f"{self._fork(then, now)}: {error}") from error

    def _fork(self, then: Checkpoint, now: Checkpoint) -> str:
        return (
            f"memory: the log has forked: the checkpoint of size {then.size} in {self.path} is signed by the same key"
            f" and no part of the history of size {now.size}; keep both"
        )

    def _read(self) -> str | Step | None:
        """The checkpoint remembered; a Step where the file is no checkpoint of this key."""
        if not self.path.exists():
            return None
        try:
            note = files.read_some(self.path, "the newest checkpoint seen", LIMIT).decode()
            check_signature(note, self._key)
            Checkpoint.parse(note)
        except (PressError, UnicodeDecodeError) as error:
            return Step("memory", f"cannot be read and was left as it is: {error}", holds=False)
        return note

    def _write(self, note: str, said: str) -> Iterator[Step]:
        try:
            files.write(self.path, note.encode())
        except PressError as error:
            yield Step("memory", f"cannot be written: {error}", holds=False)
        else:
            yield Step("memory", said)
