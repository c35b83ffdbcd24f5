"""The facts' branch before a command that shows facts: fetched, or said what may be missing."""

from generator.base.errors import ConfigError, LogError, PressError
from generator.base.publication import Outcome, Publication
from generator.base.settings import FILE, read_settings


def sync(publication: Publication) -> Outcome:
    """Bring `output` to the newest facts. Raises ConfigError without a remote, PressError where it cannot be had."""
    from generator.log.archive import read_ledger
    from generator.publish.facts_branch import alone, branch_of

    branch = branch_of(publication)
    if branch is None:
        raise ConfigError(
            "the settings name no remote that keeps the facts",
            hint=f"Set facts_remote in {FILE}, or run this in the publication's folder.",
        )
    with alone(publication.output, publication.report):
        branch.sync()
    size = read_ledger(publication.output).size
    return Outcome((f"sync: {publication.output} has all {size} entries of {branch.name}",), {"size": size})


def fetched(publication: Publication) -> Publication:
    """The publication with the newest facts that can be had. Raises ConfigError where there is no publication at all.

    A remote that does not answer is said, and what is here is shown; a remote whose log is another one is an error.
    """
    from generator.log.archive import current

    _, places = read_settings(publication.root)
    if not places and current(publication.output) is None and not (publication.output / "runs").exists():
        raise ConfigError(
            f"{publication.root.absolute()}: no publication: neither settings ({FILE}) nor facts are here",
            hint="Name its folder with --root, or make one: prior-art init",
        )
    if publication.settings.facts_remote:
        try:
            publication.report(sync(publication).lines[0])
        except LogError:
            raise
        except PressError as error:
            publication.report(f"sync: what is here may not be the newest: {error}")
    return publication


def behind(publication: Publication) -> None:
    """Say where the built site lacks entries that the log has."""
    from generator.log.archive import current
    from generator.log.note import Checkpoint

    ours, built = current(publication.output), publication.site / "log" / "checkpoint"
    shown = Checkpoint.parse(built.read_text(encoding="utf-8")).size if built.exists() else 0
    if ours and ours.size != shown:
        publication.report(f"serve: the site shows {shown} of {ours.size} entries; to show all: prior-art build")
