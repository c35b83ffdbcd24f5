"""The stages as commands: append, build, index, check, publish, and nightly, which is generate and all of them.

Each is idempotent: it finds from the facts what is done already, so the same command goes on after a kill.
"""

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.assessing import selftest_if_due
from generator.errors import ConfigError
from generator.press import Outcome, Press, hold, sources

if TYPE_CHECKING:
    from generator.archive import LoggedRecord
    from generator.audit import Step
    from generator.destinations import Destination
    from generator.listings import Site


def append(press: Press, key_file: Path | None) -> Outcome:
    from generator import archive, log, publication

    key = press.signing_key(key_file)
    before = archive.current(press.output)
    checkpoint = publication.land(
        press.output,
        key,
        lambda: log.stage_queue(press.output, key.name),
        branch=press.branch,
        report=press.report,
    )
    size, start = (checkpoint.size if checkpoint else 0), (before.size if before else 0)
    line = f"append: {size - start} entries added, the log has {size}"
    return Outcome((line,), {"added": size - start, "size": size})


def build(press: Press) -> Outcome:
    from generator.website import build

    docs, templates = sources()
    site = build(press.output, press.settings, docs=docs, templates=templates, report=press.report)
    return _index(press, site)


def _index(press: Press, site: "Site") -> Outcome:
    from generator import search
    from generator.feeds import write_feeds

    counts = {volume.number: volume.count for volume in site.volumes}
    bundles = search.index(site.folder, counts, expected=counts, report=press.report)
    search.write_catalogue(site.folder)
    write_feeds(site.folder, press.settings, _fed(press, site))
    pages = sum(bundle.pages for bundle in bundles)
    line = f"build: {site.disclosures} disclosures in {len(counts)} volumes, {pages} pages indexed, in {site.folder}"
    return Outcome((line,), {"disclosures": site.disclosures, "indexed": pages, "site": str(site.folder)})


def _fed(press: Press, site: "Site") -> Iterator["LoggedRecord"]:
    """Volumes that have no sitemap since they were built, and the newest two, which hold the newest disclosures."""
    from generator.archive import read_volume

    newest = {volume.number for volume in site.volumes[-2:]}
    for volume in site.volumes:
        sitemap = site.folder / "d" / str(volume.number) / "sitemap.xml"
        if volume.number in newest or not sitemap.exists():
            yield from read_volume(press.output, volume.number)


def check(press: Press) -> Outcome:
    return hold(_checks(press), f"{press.output}: everything holds")


def _checks(press: Press) -> Iterator["Step"]:
    from generator.fetch import fetch
    from generator.sitecheck import check_site
    from generator.verify import verify

    yield from verify(str(press.output), press.output, press.settings.vkey, fetch=fetch)
    yield from check_site(press.output, press.settings)


def publish(
    press: Press, to: str = "", begin: bool = False, confirm: str = "", wait: int = 0, key_file: Path | None = None
) -> Outcome:
    """Date, build, check, deploy, read back; or one end of it, when a host's own means do the deploy."""
    if bool(confirm) + begin + bool(to and not begin) != 1:
        raise ConfigError("one of --to, --begin and --confirm is needed", hint="prior-art publish --to folder:PATH")
    if confirm:
        return _confirm(press, _destination(press, confirm), wait)
    destination = _destination(press, to or press.settings.site_url)
    outcome = _begin(press, destination, key_file)
    if begin:
        return outcome
    press.report(outcome.lines[0])
    build(press)
    checked = check(press)
    if not checked.ok:
        return checked
    press.report(f"publish: deploying to {destination.name}")
    destination.deploy(press.site)
    return _confirm(press, destination, wait)


def _destination(press: Press, text: str) -> "Destination":
    from generator.destinations import destination
    from generator.fetch import fetch

    return destination(text, press.output / "work", press.settings.pages_branch, fetch)


def _begin(press: Press, destination: "Destination", key_file: Path | None) -> Outcome:
    """Fix the publication time of what is not yet public."""
    from generator import publication
    from generator.publish import open_deploy, stage

    key = press.signing_key(key_file)
    publication.land(
        press.output,
        key,
        lambda: stage(press.output, key.name, destination, press.now),
        branch=press.branch,
        report=press.report,
    )
    deploy = open_deploy(press.output)
    if deploy is None:
        return Outcome(("publish: nothing waits for a date",), {"disclosures": 0})
    line = f"publish: {len(deploy.leaves)} disclosures dated {deploy.time}, as entry {deploy.index}"
    return Outcome((line,), {"disclosures": len(deploy.leaves), "time": deploy.time, "entry": deploy.index})


def _confirm(press: Press, destination: "Destination", wait: int) -> Outcome:
    """Read the open deploy, or else the newest one, back and keep the receipt."""
    from generator import publication
    from generator.publish import confirm, newest_deploy, read_back, settle

    if press.branch:
        with publication.alone(press.output, press.report):
            press.branch.sync()
    receipt = settle(
        lambda: confirm(press.output, destination, press.now),
        seconds=wait,
        clock=time.monotonic,
        wait=time.sleep,
        report=press.report,
    )
    newest = newest_deploy(press.output)
    if newest is None:
        return Outcome(("publish: nothing was ever published",), {"disclosures": 0})
    if receipt is None:
        read_back(press.output, newest, destination)
    elif press.branch:
        with publication.alone(press.output, press.report):
            press.branch.save(f"Receipt of deploy {newest.index}")
    line = f"publish: {len(newest.leaves)} disclosures published {newest.time} read back from {destination.name}"
    return Outcome((line,), {"disclosures": len(newest.leaves), "time": newest.time, "entry": newest.index})


def done_tonight(press: Press, day: date) -> bool:
    """Whether a deploy dated on `day` (UTC) is public, and nothing waits for one."""
    from generator.publish import newest_deploy, open_deploy, undated

    newest = newest_deploy(press.output)
    dated = newest is not None and newest.time.startswith(day.isoformat())
    return dated and open_deploy(press.output) is None and not undated(press.output)


def nightly(press: Press, to: str = "", done: bool = False, key_file: Path | None = None, **drafting: Any) -> Outcome:
    from generator import publication
    from generator.quality import report
    from generator.writing import generate

    day = date.fromisoformat(press.now()[:10])
    if press.branch:
        with publication.alone(press.output, press.report):
            press.branch.sync()
    if done_tonight(press, day):
        return Outcome((f"nightly: the run of {day} is done",), {"day": day.isoformat(), "done": True})
    if done:
        return Outcome((f"nightly: the run of {day} is not done",), {"day": day.isoformat(), "done": False}, ok=False)
    if not to:
        raise ConfigError("no destination was given", hint="Give --to git:REMOTE or --to folder:PATH.")
    press.signing_key(key_file)  # a wrong key is found now, not after hours of drafting
    for line in generate(press, tonight=True, **drafting).lines:
        press.report(line)
    press.report(append(press, key_file).lines[0])
    selftest_if_due(press)
    report(press)
    return publish(press, to=to, key_file=key_file)
