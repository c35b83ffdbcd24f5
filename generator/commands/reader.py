"""The language model that reads drafts for gate G2: which one, and opened where it can be had."""

from typing import TYPE_CHECKING

from generator.base.publication import Publication

if TYPE_CHECKING:
    from generator.model.profiles import ModelProfile
    from generator.model.reader import Reader

NONE = "none"
PACKAGE = "pypi:"  # a model from a package: its base has read the world, and its adapter writes


def open_reader(publication: Publication, writer: "ModelProfile | None" = None, threads: int = 0) -> "Reader | None":
    """The model that the setting `reader` names; where it names none, the base of a `writer` that has one.

    Says where nobody reads. Raises ModelError, ConfigError for a named reader that cannot be opened.
    """
    from generator.model.profiles import load_profile
    from generator.model.reader import ModelReader
    from generator.model.weights import model_folder

    named = publication.settings.reader
    profile = load_profile(named, publication.root) if named not in ("", NONE) else None
    if not named and writer is not None and writer.model.startswith(PACKAGE):
        profile = writer
    if profile is None:
        publication.report("gates: no model reads the drafts, so G2 asks of their words alone (setting: reader)")
        return None
    folder, _ = model_folder(profile)
    return ModelReader.open(f"{profile.model} {profile.revision}".strip(), folder, threads=threads)
