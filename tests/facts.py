"""Facts for tests: a key, records, a queue, a log. Real parts with fixed clock, salt and seed."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from generator.base import canonical, files
from generator.log import append as log
from generator.log.append import Batch
from generator.log.archive import LoggedRecord, read_ledger, read_volume, volumes
from generator.log.entries import Disclosed, Entry
from generator.log.ledger import Ledger
from generator.log.note import SigningKey, new_key
from generator.publish import facts_branch
from generator.record.disclosure import Claim, Disclosure, Finding, Paragraph
from generator.record.record import Generation, Record
from generator.verify.audit import Step
from generator.verify.verify import verify_folder

ORIGIN = "example.org/prior-art/log"
TIME = "2026-11-22T03:17:00Z"
CREATED = "2026-10-22T03:17:00Z"
LATE = "2026-12-24T00:00:00Z"  # when the queue enters the log, if nothing else is said
SHA = "0123456789abcdef" * 4


def key(origin: str = ORIGIN, seed: int = 7) -> SigningKey:
    return new_key(origin, bytes([seed]) * 32)


def generation(**changes: object) -> Generation:
    value = Generation(
        model="example/tiny-patent-model",
        revision="0000000000000000000000000000000000000001",
        weights_sha256=SHA,
        tokenizer_sha256=SHA[::-1],
        model_license="CC-BY-4.0",
        model_attribution="Tiny patent model by Example, CC BY 4.0",
        demonstration=True,
        direction="top-down",
        prompt="# Patent\n\n## Title\n",
        topic="",
        seed="00000000000000ff",
        sampling=(("min_p", "0.05"), ("temperature", "0.8"), ("top_p", "0.95")),
        prompt_tokens=7,
        new_tokens=321,
        stop="end",
        removed_claims=(),
        engine="transformers generate",
        number_format="bfloat16",
        generator_version="0.1.0",
        torch_version="2.13.0",
        transformers_version="5.23.0",
        cpu_capability="AVX512",
    )
    return replace(value, **changes)  # type: ignore[arg-type]


def disclosure(number: int = 0, **changes: object) -> Disclosure:
    value = Disclosure(
        title=f"Folding bracket with a damped hinge, variant {number}",
        abstract="A folding bracket holds a shelf. A damped hinge lets it down slowly.",
        description=(
            Paragraph("restated", "In one embodiment, a bracket has an arm and a damped hinge (claim 1)."),
            Paragraph("restated", "The hinge may hold a viscous fluid (claim 2)."),
        ),
        claims=(
            Claim(1, f"A bracket comprising an arm, a base and a damped hinge of type {number} between them."),
            Claim(2, "The bracket of claim 1, wherein the hinge holds a viscous fluid.", (1,)),
            Claim(3, "The bracket of claim 1 or 2, wherein the arm is made of aluminium.", (1, 2)),
        ),
    )
    return replace(value, **changes)  # type: ignore[arg-type]


def record(number: int = 0, **changes: object) -> Record:
    value = Record(
        disclosure=disclosure(number),
        generation=generation(seed=f"{number:016x}"),
        created_at=CREATED,
        publisher="Example Press",
        salt=f"{number:032x}",
    )
    return replace(value, **changes)  # type: ignore[arg-type]


def queue(output: Path, numbers: range) -> None:
    """Put records into the queue, each with a finding beside it."""
    for number in numbers:
        name = f"2026-11-22-0000abcd-{number:06d}"
        finding = Finding("C12", "warn", None, "the abstract has fewer than 20 words")
        value = [{"check": finding.check, "severity": finding.severity, "claim": 0, "message": finding.message}]
        files.write(output / "queue" / f"{name}.findings.json", canonical.dumps(value), durable=False)
        files.write(output / "queue" / f"{name}.json", record(number).to_bytes(), durable=False)


def archive(output: Path, count: int, *, published: str = "", first: int = 0) -> Path:
    """A log with `count` disclosures, all published at `published` if that is given."""
    queue(output, range(first, first + count))
    append(output)
    if published:
        publish(output, published, [index for index, entry in entries(output) if isinstance(entry, Disclosed)])
    return output


def land(output: Path, stage: Callable[[Ledger], Batch | None], with_key: SigningKey | None = None) -> Ledger:
    return facts_branch.land(output, with_key or key(), stage, branch=None, report=lambda _: None)


def append(output: Path, with_key: SigningKey | None = None, report: Callable[[str], None] = lambda _: None) -> Ledger:
    """The queue into the log, as the command `append` does it."""
    origin = (with_key or key()).name
    return land(output, lambda known: log.stage_queue(output, origin, known, now=LATE, report=report), with_key)


def publish(
    output: Path, time: str, leaves: Iterable[int], *, replaces: int | None = None, with_key: SigningKey | None = None
) -> Ledger:
    """An entry that dates `leaves`, as the command `publish` makes it."""
    origin = (with_key or key()).name
    return land(
        output, lambda known: log.stage_published(output, origin, known, time, leaves, replaces=replaces), with_key
    )


def add(output: Path, *entries: Entry, with_key: SigningKey | None = None) -> Ledger:
    """Entries of kinds that no command writes."""
    return land(output, lambda _: log._stage(output, (with_key or key()).name, list(entries), []), with_key)


def audit(output: Path, with_key: SigningKey | None = None) -> list[Step]:
    """Every step of verifying the whole folder, each of which holds."""
    return list(verify_folder(output, (with_key or key()).verification_key, None))


def entries(output: Path) -> list[tuple[int, Entry]]:
    return list(enumerate(read_ledger(output).entries))


def logged(output: Path, volume: int | None = None) -> list[LoggedRecord]:
    """The records of one volume, or of all."""
    ledger = read_ledger(output)
    wanted = volumes(ledger) if volume is None else (volume,)
    return [item for number in wanted for item in read_volume(output, number, ledger)]
