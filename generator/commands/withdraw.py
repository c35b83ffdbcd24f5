"""`prior-art withdraw`: a text that the law forbids to serve goes; its number, hash, dates and proof stay."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from generator.base.errors import ConfigError
from generator.base.publication import Outcome, Publication

if TYPE_CHECKING:
    from generator.log.ledger import Ledger
    from generator.publish.traces import Sequences

MAX_NOTICE = 64 << 20


def withdraw(
    publication: Publication, number: str, reason: str, notice: Path, purge: bool, key_file: Path | None
) -> Outcome:
    """Log it, remove the text, build, and look for the text in every file. Not ok while a file still holds it."""
    from generator.base import files
    from generator.commands.nightly import build
    from generator.log.archive import record_path
    from generator.publish import facts_branch
    from generator.publish.keyfile import require_settled
    from generator.publish.traces import own_sequences, traces
    from generator.record.numbers import serial_of

    settings, output = publication.settings, publication.output
    serial = serial_of(number, settings.prefix, settings.log_origin)
    if serial is None:
        raise ConfigError(f"{number!r} is no number of a disclosure", hint=f"Give one such as {settings.prefix}-5.")
    require_settled(settings)
    branch = facts_branch.branch_of(publication)
    if purge and branch is None:
        raise ConfigError("--purge rewrites the facts' branch, and the settings name none", hint="Leave --purge out.")
    digest = hashlib.sha256(files.read_some(notice, "the notice", MAX_NOTICE)).hexdigest()
    with facts_branch.alone(output, publication.report):
        if branch:
            branch.sync()
    own: Sequences = set()
    known = _known(output)
    if known.disclosure(serial) and record_path(output, serial).exists():
        own = own_sequences(output, known, serial)
    ledger = _log(publication, serial, reason, digest, key_file)
    lines = [f"withdraw: disclosure {serial} is withdrawn by entry {ledger.withdrawn[serial]}, reason {reason}"]
    if (by := ledger.superseded.get(serial)) is not None and by not in ledger.withdrawn:
        lines.append(f"withdraw: disclosure {by} supersedes it and is still served; its text may be the same")
    if purge and branch:
        lines += _purge(publication, ledger)
    if (publication.site / "index.html").exists():
        build(publication)
    held = traces(output, own)
    lines += [f"withdraw: {name} still holds words of the text; remove it" for name in held]
    if own and not held:
        lines.append(f"withdraw: no file in {output} holds five words in a row that only this text had")
    elif not own:
        lines.append("withdraw: the text was not here any more, so no file was searched for it")
    lines.append("withdraw: to take it off the public site: prior-art publish")
    figures = {"serial": serial, "entry": ledger.withdrawn[serial], "reason": reason, "notice": digest, "held": held}
    return Outcome(tuple(lines), figures, ok=not held)


def _known(output: Path) -> "Ledger":
    from generator.log.archive import read_ledger

    return read_ledger(output)


def _log(publication: Publication, serial: int, reason: str, digest: str, key_file: Path | None) -> "Ledger":
    """The entry into the log, and the text out of the facts, on their branch too."""
    from generator.log.entries import Withdrawn
    from generator.log.withdrawing import remove_texts, stage_withdrawal
    from generator.publish import facts_branch
    from generator.publish.history import copies
    from generator.publish.keyfile import signing_key_of

    output, key = publication.output, signing_key_of(publication, key_file)
    entry = Withdrawn(serial, reason, digest, publication.now())
    branch = facts_branch.branch_of(publication)
    ledger = facts_branch.land(
        output,
        key,
        lambda newest: stage_withdrawal(output, key.name, newest, entry),
        branch=branch,
        report=publication.report,
        copies=lambda: copies(publication),
    )
    with facts_branch.alone(output, publication.report):
        remove_texts(output, ledger)
        if branch:
            branch.save(f"Remove the text of disclosure {serial}")
    return ledger


def _purge(publication: Publication, ledger: "Ledger") -> list[str]:
    """Out of the history of the facts' branch, and of the branch of pages where the destination is one."""
    from generator.log.archive import VOLUME
    from generator.publish import facts_branch
    from generator.publish.destinations import PagesBranch, destination
    from generator.publish.purging import purge

    settings, branch = publication.settings, facts_branch.branch_of(publication)
    if branch is None:
        return []
    with facts_branch.alone(publication.output, publication.report):
        commits = purge(branch, ledger)
    said = f"{commits} commits were written anew" if commits else "its history held no withdrawn text"
    lines = [f"purge: branch {branch.name}: {said}; the log in it is the same in each commit"]
    if settings.destination.startswith("git:"):
        work, fetch = publication.output / "work", publication.fetch
        to = destination(settings.destination, work, settings.pages_branch, fetch, settings.site_url)
        kept = [n for n in ledger.withdrawn if to.read(f"d/{n // VOLUME}/{n}.json") is not None]
        if kept:
            lines.append(f"purge: {to.name} still serves {kept[0]}; publish, then run the same command again")
        elif isinstance(to, PagesBranch) and to.cut():
            lines.append(f"purge: branch {to.branch}: its history was dropped, one commit is left")
    lines.append("purge: a host keeps old commits for a while: git gc --prune=now on your own; else ask its support")
    return lines
