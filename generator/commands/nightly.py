"""The stages as commands: append, build, index, check, publish, and nightly, which is generate and all of them.

Each is idempotent: it finds from the facts what is done already, so the same command goes on after a kill.
"""

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.base.errors import ConfigError
from generator.base.publication import Outcome, Publication
from generator.commands.accept import share_plan
from generator.commands.anchoring import capture, probe, stamp
from generator.commands.gates import selftest_if_due
from generator.commands.verify import hold, pinned_trust
from generator.publish.facts_branch import branch_of
from generator.publish.keyfile import require_settled, signing_key_of
from generator.site.build import shipped_folders

if TYPE_CHECKING:
    from generator.log.archive import LoggedRecord
    from generator.log.ledger import Ledger
    from generator.publish.destinations import Destination
    from generator.site.listings import Site
    from generator.verify.audit import Step


def append(publication: Publication, key_file: Path | None) -> Outcome:
    from generator.log.archive import read_ledger

    return _append(publication, key_file, read_ledger(publication.output))[0]


def _append(
    publication: Publication, key_file: Path | None, known: "Ledger", destination: "Destination | None" = None
) -> tuple[Outcome, "Ledger"]:
    from generator.log import append as log
    from generator.publish import facts_branch
    from generator.publish.history import copies
    from generator.publish.kept_work import kept_work

    require_settled(publication.settings)
    key = signing_key_of(publication, key_file)
    ledger = facts_branch.land(
        publication.output,
        key,
        lambda newest: log.stage_queue(
            publication.output, key.name, newest, now=publication.now(), report=publication.report
        ),
        branch=branch_of(publication),
        report=publication.report,
        known=known,
        copies=lambda: copies(publication, destination),
    )
    if kept := kept_work(publication):
        kept.save(now=True)  # what was appended is no longer unfinished
    added = ledger.size - known.size
    line = f"append: {added} entries added, the log has {ledger.size}"
    return Outcome((line,), {"added": added, "size": ledger.size}), ledger


def build(publication: Publication, known: "Ledger | None" = None) -> Outcome:
    """`known`: what this command has read of the log before."""
    from generator.log.archive import read_ledger
    from generator.site.build import build

    docs, templates = shipped_folders()
    ledger = read_ledger(publication.output, known)
    site = build(
        publication.output,
        publication.settings,
        docs=docs,
        templates=templates,
        ledger=ledger,
        report=publication.report,
        root=publication.root,
    )
    return _index(publication, site, ledger)


def _index(publication: Publication, site: "Site", ledger: "Ledger") -> Outcome:
    from generator.site import bundles as search
    from generator.site.feeds import write_feeds

    counts = {volume.number: volume.count for volume in site.volumes}
    bundles = search.index(site.folder, counts, expected=counts, report=publication.report)
    search.write_catalogue(site.folder)
    write_feeds(site.folder, publication.settings, _fed(publication, site, ledger))
    share_plan(publication, site.folder)
    pages = sum(bundle.pages for bundle in bundles)
    line = f"build: {site.disclosures} disclosures in {len(counts)} volumes, {pages} pages indexed, in {site.folder}"
    return Outcome((line,), {"disclosures": site.disclosures, "indexed": pages, "site": str(site.folder)})


def _fed(publication: Publication, site: "Site", ledger: "Ledger") -> Iterator["LoggedRecord"]:
    """Volumes that have no sitemap since they were built, and the newest two, which hold the newest disclosures."""
    from generator.log.archive import read_volume

    newest = {volume.number for volume in site.volumes[-2:]}
    for volume in site.volumes:
        sitemap = site.folder / "d" / str(volume.number) / "sitemap.xml"
        if volume.number in newest or not sitemap.exists():
            yield from read_volume(publication.output, volume.number, ledger)


def check(publication: Publication) -> Outcome:
    return hold(_checks(publication), f"{publication.output}: everything holds")


def _checks(publication: Publication) -> Iterator["Step"]:
    from generator.site.check import check_site
    from generator.verify.verify import pinned, verify_folder

    key, trust = pinned(publication.settings.vkey), pinned_trust(publication)
    ledger = yield from verify_folder(publication.output, key, None, trust=trust)
    yield from check_site(publication.output, publication.settings, ledger)


def publish(
    publication: Publication,
    to: str = "",
    begin: bool = False,
    confirm: str = "",
    wait: int = 0,
    key_file: Path | None = None,
    known: "Ledger | None" = None,
    summary: Path | None = None,
) -> Outcome:
    """Date, build, check, deploy, read back; or one end of it, when a host's own means do the deploy."""
    if not (begin or confirm):
        to = to or publication.settings.destination
    if bool(confirm) + begin + bool(to and not begin) != 1:
        raise ConfigError("one of --to, --begin and --confirm is needed", hint="prior-art publish --to folder:PATH")
    if confirm:
        if confirm.rstrip("/") != publication.settings.site_url.rstrip("/"):
            raise ConfigError(
                f"--confirm {confirm}: the pages name {publication.settings.site_url} as their address",
                hint="Give the address that is site_url in the settings; every page and citation has it.",
            )
        return _confirm(publication, _destination(publication, confirm), wait, summary=summary)
    destination = _destination(publication, to or publication.settings.site_url)
    outcome, ledger = _begin(publication, destination, key_file, known)
    if begin:
        return outcome
    publication.report(outcome.lines[0])
    for line in stamp(publication).lines:
        publication.report(line)
    build(publication, ledger)
    checked = check(publication)
    if not checked.ok:
        return checked
    publication.report(f"publish: deploying to {destination.name}")
    destination.deploy(publication.site)
    return _confirm(publication, destination, wait, ledger, summary)


def _destination(publication: Publication, text: str) -> "Destination":
    from generator.publish.destinations import destination

    work = publication.output / "work"
    settings = publication.settings
    return destination(text, work, settings.pages_branch, publication.fetch, settings.site_url)


def _begin(
    publication: Publication, destination: "Destination", key_file: Path | None, known: "Ledger | None"
) -> tuple[Outcome, "Ledger"]:
    """Fix the publication time of what is not yet public."""
    from generator.publish import facts_branch
    from generator.publish.deploy import date_batch, open_deploy
    from generator.publish.history import copies

    settings = publication.settings
    require_settled(settings)
    key = signing_key_of(publication, key_file)
    ledger = facts_branch.land(
        publication.output,
        key,
        lambda newest: date_batch(
            publication.output,
            key.name,
            destination,
            publication.now,
            newest,
            site_url=settings.site_url,
            server_time=lambda: publication.server_time(settings.site_url),
            authority_time=lambda: probe(publication),
        ),
        branch=branch_of(publication),
        report=publication.report,
        known=known,
        copies=lambda: copies(publication, destination),
    )
    deploy = open_deploy(publication.output, ledger)
    if deploy is None:
        return Outcome(("publish: nothing waits for a date",), {"disclosures": 0}), ledger
    line = f"publish: {len(deploy.leaves)} disclosures dated {deploy.time}, as entry {deploy.index}"
    return Outcome((line,), {"disclosures": len(deploy.leaves), "time": deploy.time, "entry": deploy.index}), ledger


def _confirm(
    publication: Publication,
    destination: "Destination",
    wait: int,
    known: "Ledger | None" = None,
    summary: Path | None = None,
) -> Outcome:
    """Read the open deploy, or else the newest one, back and keep the receipt."""
    from generator.log.archive import read_ledger
    from generator.publish import facts_branch
    from generator.publish.deploy import confirm, read_back, settle

    if branch := branch_of(publication):
        with facts_branch.alone(publication.output, publication.report):
            branch.sync()
    ledger = read_ledger(publication.output, known)
    receipt = settle(
        lambda: confirm(publication.output, destination, publication.now, ledger, publication.settings.site_url),
        seconds=wait,
        clock=time.monotonic,
        wait=time.sleep,
        report=publication.report,
    )
    newest = ledger.newest_deploy
    if newest is None:
        return Outcome(("publish: nothing was ever published",), {"disclosures": 0})
    if receipt is None:
        read_back(publication.output, newest, destination, publication.settings.site_url)
    elif branch := branch_of(publication):
        with facts_branch.alone(publication.output, publication.report):
            branch.save(f"Receipt of deploy {newest.index}")
    capture(publication, ledger)
    if summary:
        _summarise(publication, newest.leaves, newest.time, summary)
    line = f"publish: {len(newest.leaves)} disclosures published {newest.time} read back from {destination.name}"
    return Outcome((line,), {"disclosures": len(newest.leaves), "time": newest.time, "entry": newest.index})


def _summarise(publication: Publication, leaves: tuple[int, ...], time: str, path: Path) -> None:
    """A list of disclosures with their addresses, added to a file such as a job's summary."""
    from generator.base import files
    from generator.log.archive import VOLUME, record_path
    from generator.record.record import Record
    from generator.site.citation import display_id, permalink

    settings = publication.settings
    lines = [f"## {len(leaves)} disclosures published {time}", ""]
    for leaf in leaves:
        record = Record.from_bytes(files.read(record_path(publication.output, leaf), "a logged record"))
        title = "".join(f"\\{c}" if c in "\\[]<>*_`" else c for c in record.disclosure.title)
        lines.append(f"- [{display_id(leaf, settings)}]({permalink(leaf, leaf // VOLUME, settings)}) {title}")
    files.append(path, ("\n".join(lines) + "\n").encode())


def done_tonight(publication: Publication, day: date, ledger: "Ledger") -> bool:
    """Whether a deploy dated on `day` (UTC) is public, and nothing waits for one."""
    from generator.publish.deploy import open_deploy

    newest = ledger.newest_deploy
    dated = newest is not None and newest.time.startswith(day.isoformat())
    return dated and open_deploy(publication.output, ledger) is None and not ledger.undated


def nightly(
    publication: Publication, to: str = "", done: bool = False, key_file: Path | None = None, **drafting: Any
) -> Outcome:
    from generator.commands.generate import generate
    from generator.log.archive import read_ledger
    from generator.measure.report import report
    from generator.publish import facts_branch

    day = date.fromisoformat(publication.now()[:10])
    if branch := branch_of(publication):
        with facts_branch.alone(publication.output, publication.report):
            branch.sync()
    ledger = read_ledger(publication.output)
    if done_tonight(publication, day, ledger):
        return Outcome((f"nightly: the run of {day} is done",), {"day": day.isoformat(), "done": True})
    if done:
        return Outcome((f"nightly: the run of {day} is not done",), {"day": day.isoformat(), "done": False}, ok=False)
    to = to or publication.settings.destination
    if not to:
        raise ConfigError("no destination was given", hint="Give --to git:REMOTE, --to folder:PATH or the setting.")
    require_settled(publication.settings)
    signing_key_of(publication, key_file)  # a wrong key is found now, not after hours of drafting
    for line in generate(publication, tonight=True, **drafting).lines:
        publication.report(line)
    appended, ledger = _append(publication, key_file, ledger, _destination(publication, to))
    publication.report(appended.lines[0])
    selftest_if_due(publication)
    report(publication, ledger=ledger)
    return publish(publication, to=to, key_file=key_file, known=ledger)
