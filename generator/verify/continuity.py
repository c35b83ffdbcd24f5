"""What the newest checkpoint of a log covers: signatures, beginnings, entries; read through files or a server."""

from generator.base.errors import LogError, PressError, VerificationError
from generator.log import merkle
from generator.log.entries import parse_entry
from generator.log.ledger import Ledger
from generator.log.note import Checkpoint, VerificationKey, check_signature
from generator.log.tiles import Read, Tiles
from generator.verify.audit import Step
from generator.verify.sources import text_of


def whole_log(log: Read) -> Ledger:
    """Every entry under the newest checkpoint, whose signature and root the caller has checked."""
    newest = log("checkpoint")
    if newest is None:
        raise PressError("the log has no checkpoint file")
    try:
        checkpoint = Checkpoint.parse(text_of(newest, "checkpoint"))
        tree = Tiles(log, checkpoint.size)
        entries = []
        for index, data in tree.entries():
            if merkle.leaf_hash(data) != tree.nodes(0, index):
                raise VerificationError(f"entry: entry {index} is not the one whose hash the log has")
            entries.append(parse_entry(data))
        return Ledger(tuple(entries), checkpoint)
    except LogError as error:
        raise VerificationError(f"entries: {error}") from error


def consistent(log: Read, key: VerificationKey, note: str, name: str) -> Step:
    """The tree of `note` is a beginning of the log's newest tree."""
    newest = log("checkpoint")
    if newest is None:
        raise PressError("the log has no checkpoint file")
    signed(text_of(newest, "checkpoint"), key, "newest checkpoint")
    signed(note, key, name)
    try:
        now, then = Checkpoint.parse(text_of(newest, "checkpoint")), Checkpoint.parse(note)
        if then.size > now.size:
            raise VerificationError(f"consistency: {name} has {then.size} entries, the log has only {now.size}")
        tree = Tiles(log, now.size)
        if merkle.root(tree.nodes, now.size) != now.root:
            raise VerificationError("consistency: the log's tiles do not give the root of its newest checkpoint")
        merkle.check_consistency(
            then.size, now.size, then.root, now.root, merkle.consistency_proof(tree.nodes, then.size, now.size)
        )
    except (LogError, ValueError) as error:
        raise VerificationError(f"consistency: {name}: {error}") from error
    return Step("consistency", f"{name} (size {then.size}) is a beginning of the newest one (size {now.size})")


def signed(note: str, key: VerificationKey, name: str) -> None:
    try:
        if Checkpoint.parse(note).origin != key.name:
            raise VerificationError(f"{name}: it is of the log {Checkpoint.parse(note).origin}, the key of {key.name}")
        check_signature(note, key)
    except LogError as error:
        raise VerificationError(f"{name}: {error}") from error
