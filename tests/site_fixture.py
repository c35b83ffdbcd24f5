"""A small publication for tests: records written by hand, the real log, the real site build.

Nothing here stands in for a part of the product. `write_archive` queues records and lets the log append them;
`build_site` runs the site build.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import facts
from browsing import Server as Server
from browsing import browser as browser
from browsing import serve as serve

from generator.base import files
from generator.base.settings import Settings
from generator.log.note import new_key
from generator.record.disclosure import Claim, Disclosure, Paragraph
from generator.record.judgement import Judgement
from generator.record.record import Generation, Record
from generator.site import build
from generator.site.listings import Site

ROOT = Path(__file__).parent.parent
TEMPLATES = ROOT / "site_templates"
DOCS = ROOT / "docs"
ORIGIN = "press.example/log"
KEY = new_key(ORIGIN, bytes(range(32)))
PUBLISHED = "2026-11-22T03:14:07Z"

GENERATION = Generation(
    model="starter",
    revision="2026-11-20",
    weights_sha256="4f" * 32,
    tokenizer_sha256="a1" * 32,
    model_license="CC-BY-4.0",
    model_attribution="Trained by this project on patents of the United States, which are in the public domain.",
    demonstration=True,
    direction="top-down",
    prompt="# Patent\n\n## Title\n",
    topic="",
    seed="00000000000001f4",
    sampling=(("temperature", "0.8"), ("top_p", "0.95")),
    prompt_tokens=7,
    new_tokens=612,
    stop="end",
    removed_claims=(),
    engine="transformers generate",
    number_format="float32",
    generator_version="0.1.0",
    torch_version="2.13.0+cpu",
    transformers_version="5.23.0",
    cpu_capability="AVX512",
)


def record(
    title: str,
    abstract: str,
    claims: Sequence[str | tuple[str, tuple[int, ...]]],
    description: Sequence[Paragraph] = (),
    *,
    salt: int = 0,
    **generation: Any,
) -> Record:
    """A claim is its text, or its text and the claims that it depends on."""
    numbered = tuple(
        Claim(number, *((claim, ()) if isinstance(claim, str) else claim)) for number, claim in enumerate(claims, 1)
    )
    return Record(
        disclosure=Disclosure(title, abstract, tuple(description), numbered),
        generation=replace(GENERATION, **generation),
        created_at="2026-11-21T22:40:00Z",
        publisher="Prior Art Press",
        salt=f"{salt:032x}",
    )


def patents() -> tuple[Record, ...]:
    """Three disclosures as a good model would write them."""
    return (
        record(
            "Irrigation valve with a sediment trap that cleans itself",
            "A valve for drip irrigation lines has a chamber below its inlet in which sediment settles. When the line "
            "pressure falls at the end of a watering cycle, a spring-loaded diaphragm opens a purge port, and the "
            "water that remains in the line carries the sediment out. The valve needs neither electricity nor "
            "maintenance.",
            [
                "An irrigation valve, comprising: a body having an inlet and an outlet; a settling chamber arranged "
                "below the inlet; a purge port at a lower end of the settling chamber; and a diaphragm biased by a "
                "spring toward an open position, the diaphragm being arranged to close the purge port when a pressure "
                "at the inlet exceeds a threshold.",
                ("The irrigation valve of claim 1, wherein the threshold lies between 20 kPa and 60 kPa.", (1,)),
                (
                    "The irrigation valve of claim 1, wherein the settling chamber has walls that converge toward the "
                    "purge port at an angle of at least 45 degrees.",
                    (1,),
                ),
                (
                    "The irrigation valve of claim 3, further comprising a mesh between the settling chamber and the "
                    "outlet, the mesh having openings of 80 µm to 120 µm.",
                    (3,),
                ),
                "A method of irrigating a field, comprising: supplying water through a valve to a drip line during a "
                "watering cycle; settling sediment from the water in a chamber of the valve; and, in response to a "
                "fall of pressure at an end of the watering cycle, opening a purge port of the chamber.",
                ("The method of claim 5, wherein the purge port is opened without electricity.", (5,)),
            ],
            [
                Paragraph(
                    "model",
                    "Drip irrigation lines clog when sand and silt reach the emitters. Filters upstream "
                    "must be cleaned by hand, which is often forgotten.",
                ),
                Paragraph(
                    "model",
                    "In one embodiment the body is moulded of glass-filled nylon, the spring has a rate of "
                    "1.2 N/mm, and the diaphragm is of EPDM with a hardness of 50 Shore A.",
                ),
                Paragraph(
                    "restated", "The irrigation valve has a body, a settling chamber, a purge port and a diaphragm."
                ),
                Paragraph("restated", "In a variant, the threshold lies between 20 kPa and 60 kPa."),
            ],
            salt=1,
        ),
        record(
            "Method for scheduling battery swaps of delivery robots",
            "A server predicts for each robot of a fleet when its battery will reach a reserve level and assigns it a "
            "station and a time, so that no two robots arrive at one station within a swap interval.",
            [
                "A method performed by a server, comprising: receiving, from each of a plurality of robots, a position "
                "and a state of charge; predicting, for each robot, a time at which the state of charge reaches a "
                "reserve level; and assigning to each robot a swap station and an arrival time, such that arrival "
                "times at one swap station differ by at least a swap interval.",
                ("The method of claim 1, wherein the predicting uses a slope of a planned route.", (1,)),
                ("The method of claim 1 or 2, wherein the swap interval is learned from past swaps.", (1, 2)),
                (
                    "A system comprising a processor and a memory that stores instructions which, when executed, "
                    "perform the method of any one of claims 1 to 3.",
                    (1, 2, 3),
                ),
            ],
            [Paragraph("restated", "The server receives positions and states of charge, predicts, and assigns.")],
            salt=2,
            direction="bottom-up",
            seed="00000000000001f5",
        ),
        record(
            "Adjustable hinge for cabinet doors & drawers: the “no-tool” type",
            "A hinge has an eccentric bush that is turned by hand to set the gap of a door.",
            [
                "A hinge comprising a cup, an arm, and an eccentric bush that joins the arm to the cup and that has a "
                "knurled rim.",
                ("The hinge of claim 1, wherein the eccentric bush has detents at every 15 degrees.", (1,)),
            ],
            salt=3,
            seed="00000000000001f6",
            demonstration=False,
            model="alea-institute/kl3m-002-170m-patent",
        ),
    )


def write_archive(
    output: Path,
    records: Sequence[Record],
    published: Sequence[tuple[str, Sequence[int]]] = (),
    judged: Sequence[Judgement | None] = (),
) -> None:
    """Append `records` to the log in `output`, then the publication times: (time, serials) each.

    `judged` are the judgements of the first records.
    """
    names = f"{{:0{len(str(len(records)))}d}}.json"
    for number, item in enumerate(records):
        path = output / "queue" / names.format(number)
        if judgement := dict(enumerate(judged)).get(number):
            files.write(path.with_suffix(".judgement.json"), judgement.to_bytes())
        files.write(path, item.to_bytes())
    facts.append(output, KEY)
    for time, serials in published:
        facts.publish(output, time, serials, with_key=KEY)


def settings(**changes: Any) -> Settings:
    base = Settings(
        site_url="http://127.0.0.1:8123/repo/",
        origin=ORIGIN,
        vkey=KEY.verification_key.text,
        contact="press@example.org",
    )
    return replace(base, **changes)


def build_site(output: Path, *, docs: Path = DOCS, templates: Path = TEMPLATES, **changes: Any) -> Site:
    return build.build(output, settings(**changes), docs=docs, templates=templates)
