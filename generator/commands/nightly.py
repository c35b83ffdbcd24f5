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
from generator.commands.gates import selftest_if_due
from generator.commands.verify import hold
from generator.publish.facts_branch import branch_of
from generator.publish.keyfile import signing_key_of
from generator.site.build import shipped_folders

if TYPE_CHECKING:
    from generator.log.archive import LoggedRecord
    from generator.publish.destinations import Destination
    from generator.site.listings import Site
    from generator.verify.audit import Step


def append(publication: Publication, key_file: Path | None) -> Outcome:
    from generator.log import append as log
    from generator.log import archive
    from generator.publish import facts_branch

    key = signing_key_of(publication, key_file)
    before = archive.current(publication.output)
    checkpoint = facts_branch.land(
        publication.output,
        key,
        lambda: log.stage_queue(publication.output, key.name),
        branch=branch_of(publication),
        report=publication.report,
    )
    size, start = (checkpoint.size if checkpoint else 0), (before.size if before else 0)
    line = f"append: {size - start} entries added, the log has {size}"
    return Outcome((line,), {"added": size - start, "size": size})


def build(publication: Publication) -> Outcome:
    from generator.site.build import build

    docs, templates = shipped_folders()
    site = build(publication.output, publication.settings, docs=docs, templates=templates, report=publication.report)
    return _index(publication, site)


def _index(publication: Publication, site: "Site") -> Outcome:
    from generator.site import bundles as search
    from generator.site.feeds import write_feeds

    counts = {volume.number: volume.count for volume in site.volumes}
    bundles = search.index(site.folder, counts, expected=counts, report=publication.report)
    search.write_catalogue(site.folder)
    write_feeds(site.folder, publication.settings, _fed(publication, site))
    pages = sum(bundle.pages for bundle in bundles)
    line = f"build: {site.disclosures} disclosures in {len(counts)} volumes, {pages} pages indexed, in {site.folder}"
    return Outcome((line,), {"disclosures": site.disclosures, "indexed": pages, "site": str(site.folder)})


def _fed(publication: Publication, site: "Site") -> Iterator["LoggedRecord"]:
    """Volumes that have no sitemap since they were built, and the newest two, which hold the newest disclosures."""
    from generator.log.archive import read_volume

    newest = {volume.number for volume in site.volumes[-2:]}
    for volume in site.volumes:
        sitemap = site.folder / "d" / str(volume.number) / "sitemap.xml"
        if volume.number in newest or not sitemap.exists():
            yield from read_volume(publication.output, volume.number)


def check(publication: Publication) -> Outcome:
    return hold(_checks(publication), f"{publication.output}: everything holds")


def _checks(publication: Publication) -> Iterator["Step"]:
    from generator.base.fetch import fetch
    from generator.site.check import check_site
    from generator.verify.verify import verify

    yield from verify(str(publication.output), publication.output, publication.settings.vkey, fetch=fetch)
    yield from check_site(publication.output, publication.settings)


def publish(
    publication: Publication,
    to: str = "",
    begin: bool = False,
    confirm: str = "",
    wait: int = 0,
    key_file: Path | None = None,
) -> Outcome:
    """Date, build, check, deploy, read back; or one end of it, when a host's own means do the deploy."""
    if bool(confirm) + begin + bool(to and not begin) != 1:
        raise ConfigError("one of --to, --begin and --confirm is needed", hint="prior-art publish --to folder:PATH")
    if confirm:
        return _confirm(publication, _destination(publication, confirm), wait)
    destination = _destination(publication, to or publication.settings.site_url)
    outcome = _begin(publication, destination, key_file)
    if begin:
        return outcome
    publication.report(outcome.lines[0])
    build(publication)
    checked = check(publication)
    if not checked.ok:
        return checked
    publication.report(f"publish: deploying to {destination.name}")
    destination.deploy(publication.site)
    return _confirm(publication, destination, wait)


def _destination(publication: Publication, text: str) -> "Destination":
    from generator.base.fetch import fetch
    from generator.publish.destinations import destination

    return destination(text, publication.output / "work", publication.settings.pages_branch, fetch)


def _begin(publication: Publication, destination: "Destination", key_file: Path | None) -> Outcome:
    """Fix the publication time of what is not yet public."""
    from generator.publish import facts_branch
    from generator.publish.deploy import open_deploy, stage

    key = signing_key_of(publication, key_file)
    facts_branch.land(
        publication.output,
        key,
        lambda: stage(publication.output, key.name, destination, publication.now),
        branch=branch_of(publication),
        report=publication.report,
    )
    deploy = open_deploy(publication.output)
    if deploy is None:
        return Outcome(("publish: nothing waits for a date",), {"disclosures": 0})
    line = f"publish: {len(deploy.leaves)} disclosures dated {deploy.time}, as entry {deploy.index}"
    return Outcome((line,), {"disclosures": len(deploy.leaves), "time": deploy.time, "entry": deploy.index})


def _confirm(publication: Publication, destination: "Destination", wait: int) -> Outcome:
    """Read the open deploy, or else the newest one, back and keep the receipt."""
    from generator.publish import facts_branch
    from generator.publish.deploy import confirm, newest_deploy, read_back, settle

    if branch := branch_of(publication):
        with facts_branch.alone(publication.output, publication.report):
            branch.sync()
    receipt = settle(
        lambda: confirm(publication.output, destination, publication.now),
        seconds=wait,
        clock=time.monotonic,
        wait=time.sleep,
        report=publication.report,
    )
    newest = newest_deploy(publication.output)
    if newest is None:
        return Outcome(("publish: nothing was ever published",), {"disclosures": 0})
    if receipt is None:
        read_back(publication.output, newest, destination)
    elif branch := branch_of(publication):
        with facts_branch.alone(publication.output, publication.report):
            branch.save(f"Receipt of deploy {newest.index}")
    line = f"publish: {len(newest.leaves)} disclosures published {newest.time} read back from {destination.name}"
    return Outcome((line,), {"disclosures": len(newest.leaves), "time": newest.time, "entry": newest.index})


def done_tonight(publication: Publication, day: date) -> bool:
    """Whether a deploy dated on `day` (UTC) is public, and nothing waits for one."""
    from generator.publish.deploy import newest_deploy, open_deploy, undated

    newest = newest_deploy(publication.output)
    dated = newest is not None and newest.time.startswith(day.isoformat())
    return dated and open_deploy(publication.output) is None and not undated(publication.output)


def nightly(
    publication: Publication, to: str = "", done: bool = False, key_file: Path | None = None, **drafting: Any
) -> Outcome:
    from generator.commands.generate import generate
    from generator.measure.report import report
    from generator.publish import facts_branch

    day = date.fromisoformat(publication.now()[:10])
    if branch := branch_of(publication):
        with facts_branch.alone(publication.output, publication.report):
            branch.sync()
    if done_tonight(publication, day):
        return Outcome((f"nightly: the run of {day} is done",), {"day": day.isoformat(), "done": True})
    if done:
        return Outcome((f"nightly: the run of {day} is not done",), {"day": day.isoformat(), "done": False}, ok=False)
    if not to:
        raise ConfigError("no destination was given", hint="Give --to git:REMOTE or --to folder:PATH.")
    signing_key_of(publication, key_file)  # a wrong key is found now, not after hours of drafting
    for line in generate(publication, tonight=True, **drafting).lines:
        publication.report(line)
    publication.report(append(publication, key_file).lines[0])
    selftest_if_due(publication)
    report(publication)
    return publish(publication, to=to, key_file=key_file)
