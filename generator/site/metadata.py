"""The front matter of a disclosure's page: what the templates print around the text, and what harvesters read."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from generator.base.settings import Settings
from generator.log import archive
from generator.log.anchors.statements import Statement
from generator.log.archive import LoggedRecord
from generator.record.disclosure import Claim
from generator.record.record import LICENSE
from generator.record.topic_rules import combination
from generator.site.citation import display_id, permalink
from generator.site.classes import UNCLASSIFIED, assigned, best_guess, subclass

DESCRIPTION_CHARS = 300
MACHINE_CHECKED = "machine-checked"
TREE_CLAIMS = 60  # a longer tree shows the independent claims alone
TREE_DEPTH = 5  # deeper branches are not indented further
TREE_WORDS = 8


@dataclass(frozen=True, slots=True)
class Around:
    """Serials of the disclosures before and after one in its CPC subclass and volume; what others say of it."""

    before: int | None = None
    after: int | None = None
    told: tuple[Statement, ...] = ()


def metadata(logged: LoggedRecord, settings: Settings, around: Around = Around()) -> dict[str, Any]:
    """The front matter of a disclosure page. Without a publication time it holds no publication date anywhere."""
    text = logged.record.disclosure

    def url(suffix: str) -> str:
        return permalink(logged.serial, logged.volume, settings, suffix)

    return {
        "title": text.title,
        "kind": "disclosure",
        "id": display_id(logged.serial, settings),
        "serial": logged.serial,
        "volume": logged.volume,
        **_dates(logged),
        "record_sha256": logged.record.sha256,
        "record_bytes": len(logged.data),
        "log_index": logged.serial,
        "log_origin": settings.log_origin,
        "checkpoint_size": logged.checkpoint_size,
        "review": logged.record.review,
        "reviewed": logged.record.review != MACHINE_CHECKED,
        **_joined("superseded_by", logged.superseded_by, settings),
        **_joined("supersedes", logged.supersedes, settings),
        "license": LICENSE,
        "language": text.language,
        "publisher": logged.record.publisher,
        **_made(logged),
        "claims": len(text.claims),
        "claim_tree": claim_tree(text.claims),
        "description_of_its_own": any(paragraph.origin == "model" for paragraph in text.description),
        **_class(logged),
        **_joined("before_in_class", around.before, settings),
        **_joined("after_in_class", around.after, settings),
        **_told(around.told),
        "similar": _similar(logged, settings),
        "findings": [asdict(finding) for finding in logged.findings],
        "summary": shorten(text.abstract),
        "page": url(".html"),
        "record": url(".json"),
        "proof": url(".proof"),
        "markdown": url(".md"),
    }


def summary_metadata(logged: LoggedRecord, settings: Settings) -> dict[str, Any]:
    """The front matter of the text form: what tells which record the text is, and when it was published."""
    kept = (
        *("title", "id", "not_yet_published", "published", "superseded_by", "supersedes"),
        *("record_sha256", "license", "publisher", "page", "record"),
    )
    values = metadata(logged, settings)
    return {name: values[name] for name in kept if name in values}


def _dates(logged: LoggedRecord) -> dict[str, Any]:
    published: dict[str, Any] = {"not_yet_published": True}
    if logged.published_at:
        published = {"published": logged.published_at}
        if logged.dated_by is not None:
            published["published_entry"] = logged.dated_by
    return {**published, "created": logged.record.created_at}


def _made(logged: LoggedRecord) -> dict[str, Any]:
    made = logged.record.generation
    said = combination(made.topic_symbols, made.topic_rule)
    return {
        **({"combination": said} if said else {}),
        "demonstration": made.demonstration,
        "model": made.model,
        "model_revision": made.revision,
        "weights_sha256": made.weights_sha256,
        "tokenizer_sha256": made.tokenizer_sha256,
        "model_license": made.model_license,
        "model_attribution": made.model_attribution,
        "direction": made.direction,
        "topic": made.topic,
        "seed": made.seed,
        "sampling": dict(made.sampling),
        "stop": made.stop,
        "removed_claims": list(made.removed_claims),
        "generator_version": made.generator_version,
    }


def _class(logged: LoggedRecord) -> dict[str, Any]:
    """`cpc`: section, class and subclass as far as they are sure; `guess`: the likeliest subclass where it is not."""
    guess = best_guess(logged)
    unsure = {} if guess is None or subclass(logged) else {"guess": asdict(guess)}
    return {
        "cpc": [asdict(item) for item in assigned(logged)],
        "filed_under": subclass(logged) or UNCLASSIFIED,
        **unsure,
    }


def _joined(name: str, serial: int | None, settings: Settings) -> dict[str, Any]:
    """Another disclosure that this one is joined to."""
    return {} if serial is None else {name: {"id": display_id(serial, settings), "path": _path(serial)}}


def _told(statements: tuple[Statement, ...]) -> dict[str, Any]:
    """What others say, by kind."""
    return {
        kind: [asdict(one) for one in statements if one.kind == kind] for kind in sorted({s.kind for s in statements})
    }


def _path(serial: int) -> str:
    return f"d/{serial // archive.VOLUME}/{serial}.html"


def _similar(logged: LoggedRecord, settings: Settings) -> list[dict[str, Any]]:
    """The disclosures of this publication among the near texts that judging found."""
    found = logged.judgement.neighbours if logged.judgement else ()
    return [
        {"id": display_id(serial, settings), "path": _path(serial), "title": near.title}
        for near in found
        if (serial := own_serial(near.number)) is not None
    ]


def own_serial(number: str) -> int | None:
    """The serial in `#123`, which is how a judgement names a disclosure of this log; None for another document."""
    digits = number.removeprefix("#")
    is_own = number.startswith("#") and digits.isascii() and digits.isdecimal() and len(digits) < 16
    return int(digits) if is_own else None


def claim_tree(claims: tuple[Claim, ...]) -> list[dict[str, Any]]:
    """Claims in the order of their tree, each below the first that it depends on: number, depth from 0, parent (0:
    none), first words of an independent one.
    """
    below: dict[int, list[Claim]] = {}
    known = {claim.number for claim in claims}
    for claim in claims:
        parent = claim.depends_on[0] if claim.depends_on else 0
        below.setdefault(parent if parent in known and parent < claim.number else 0, []).append(claim)
    tree: list[dict[str, Any]] = []
    waiting = [(claim, 0, 0) for claim in reversed(below.get(0, []))]
    while waiting:
        claim, depth, parent = waiting.pop()
        head = "" if depth else _head(claim.text)
        tree.append({"number": claim.number, "depth": min(depth, TREE_DEPTH), "parent": parent, "head": head})
        waiting += [(child, depth + 1, claim.number) for child in reversed(below.get(claim.number, []))]
    return tree if len(tree) <= TREE_CLAIMS else [item for item in tree if not item["depth"]][:TREE_CLAIMS]


def _head(text: str) -> str:
    words = text.split()
    return shorten(" ".join(words[:TREE_WORDS]), 80).rstrip(",:;.…") + ("…" if len(words) > TREE_WORDS else "")


def shorten(text: str, characters: int = DESCRIPTION_CHARS) -> str:
    return text if len(text) <= characters else text[: characters - 1].rsplit(" ", 1)[0] + "…"


def front_matter(values: Mapping[str, Any]) -> str:
    """YAML between two lines of dashes. No line inside begins with a dash, so that nothing can end it early."""
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # libyaml is ten times faster
    text: str = yaml.dump(dict(values), Dumper=dumper, allow_unicode=True, sort_keys=False, width=1 << 30)
    # A list at the top level of a block mapping is written without indentation; indented, it is the same value.
    text = "".join(f"  {line}\n" if line.startswith(("-", " ")) else f"{line}\n" for line in text.split("\n")[:-1])
    return f"---\n{text}---\n\n"
