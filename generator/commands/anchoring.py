"""`prior-art stamp`, and the probe before anything is dated: what others are asked about the log."""

from datetime import datetime
from typing import TYPE_CHECKING

from generator.base.publication import Outcome, Publication

if TYPE_CHECKING:
    from generator.log.ledger import Ledger
    from generator.publish.stamping import Network


def stamp(publication: Publication) -> Outcome:
    """Ask everybody about the newest checkpoint, and keep what came. Who gave nothing is named; it is no error."""
    from generator.log.anchors.authorities import load_authorities
    from generator.log.anchors.cosignatures import load_cosigners
    from generator.log.archive import current
    from generator.publish import calendars, facts_branch, witnessing
    from generator.publish.collecting import collect
    from generator.publish.stamping import stamp_newest

    settings, output, world = publication.settings, publication.output, network(publication)
    authorities = load_authorities(settings.authorities, publication.root)
    asked = calendars.calendars_of(settings.calendars)
    observers, witnesses = load_cosigners(settings, publication.root)
    checkpoint = current(output)
    if checkpoint is None or not (authorities or asked or observers or witnesses):
        why = "the log is empty" if checkpoint is None else "the settings name nobody to ask"
        return Outcome((f"stamp: nothing is stamped: {why}",), {"stamps": {}})
    with facts_branch.alone(output, publication.report):
        times = stamp_newest(output, authorities, world)
        cosigned = witnessing.submit(output, witnesses, world, publication.now())
        taken = calendars.submit(output, asked, world)
        days = calendars.upgrade(output, asked, settings.block_headers, publication.fetch, publication.report)
        seen = collect(output, observers, publication.fetch, publication.now(), publication.report)
        if branch := facts_branch.branch_of(publication):
            branch.save(f"Stamps of checkpoint {checkpoint.size}")
    said = " and ".join(f"existed by {time} ({name})" for name, time in times.items())
    lines = [f"stamp: checkpoint {checkpoint.size} {said or 'is not stamped yet; the next night asks again'}"]
    lines += [f"stamp: {', '.join(taken)} will bring it into a block"] if taken else []
    lines += [f"stamp: checkpoint {size} existed by {day} (Bitcoin)" for size, day in days.items()]
    lines += [f"stamp: witnessed by {time} (witness {name})" for name, time in cosigned.items()]
    lines += [f"stamp: public by {time} (observer {name})" for name, time in seen.items()]
    figures = {"size": checkpoint.size, "stamps": times, "calendars": list(taken), "blocks": days, "observers": seen}
    figures["witnesses"] = cosigned
    return Outcome(tuple(lines), figures)


def capture(publication: Publication, ledger: "Ledger") -> None:
    """Have the archive in the settings capture what is public now; receipts go to the facts. It stops nothing."""
    from generator.publish import facts_branch
    from generator.publish.capturing import capture

    if publication.settings.archive:
        with facts_branch.alone(publication.output, publication.report):
            count = capture(publication, ledger)
            publication.report(f"capture: {count} captures by {publication.settings.archive}")
            if count and (branch := facts_branch.branch_of(publication)):
                branch.save("Receipts of captures")


def probe(publication: Publication) -> tuple[str, datetime] | None:
    """The clock of the first authority that answers."""
    from generator.log.anchors.authorities import load_authorities
    from generator.publish.stamping import authority_time

    authorities = load_authorities(publication.settings.authorities, publication.root)
    return authority_time(publication.output, authorities, network(publication))


def network(publication: Publication) -> "Network":
    from generator.publish.stamping import Network

    return Network(publication.post, publication.wait, publication.report)
