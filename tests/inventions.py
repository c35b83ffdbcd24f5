"""Claim sets that pass every gate: coherent, and no two alike. For models at the seam whose texts must be accepted."""

import random
from typing import Any

from generator.record.claim_references import depends_on
from generator.record.disclosure import Claim, Disclosure
from generator.record.layouts import write_layout

THINGS = [
    "valve",
    "pump",
    "bracket",
    "ladder",
    "bicycle",
    "kettle",
    "lantern",
    "hinge",
    "cabinet",
    "trolley",
    "drill",
    "sensor",
    "battery",
    "fan",
    "filter",
    "nozzle",
    "printer",
    "scanner",
    "saddle",
    "shutter",
    "tripod",
    "winch",
    "boiler",
    "clamp",
    "dryer",
    "funnel",
    "grinder",
]
PARTS = [
    "body",
    "seat",
    "spring",
    "lever",
    "shaft",
    "gear",
    "plate",
    "housing",
    "sleeve",
    "wheel",
    "pin",
    "cover",
    "rod",
    "disc",
    "bearing",
    "membrane",
    "magnet",
    "coil",
    "plunger",
    "cam",
    "ratchet",
    "roller",
    "bushing",
    "flange",
    "tube",
    "chamber",
    "piston",
    "bellows",
    "gasket",
    "handle",
    "frame",
    "strap",
    "buckle",
    "wedge",
    "collar",
    "spindle",
    "rail",
    "hook",
    "latch",
    "lens",
    "mirror",
    "baffle",
    "grille",
    "socket",
    "blade",
]
WAYS = [
    "pivotally",
    "slidably",
    "rigidly",
    "elastically",
    "magnetically",
    "releasably",
    "rotatably",
    "thermally",
    "axially",
    "loosely",
]
JOINED = ["coupled", "fixed", "attached", "connected", "mounted", "fastened", "joined", "secured"]
MATERIALS = [
    "steel",
    "brass",
    "rubber",
    "ceramic",
    "aluminium",
    "glass",
    "nylon",
    "leather",
    "bronze",
    "carbon",
    "copper",
    "oak",
    "titanium",
    "zinc",
]
WORK = [
    "opens",
    "closes",
    "turns",
    "lifts",
    "cools",
    "heats",
    "stops",
    "guides",
    "supports",
    "seals",
    "locks",
    "lowers",
]


def invention(number: int, tag: str = "") -> tuple[str, str, list[str]]:
    """Title, abstract and claims of invention `number`; `tag` stands in the title and in claim 1."""
    dice = random.Random(number)
    thing = dice.choice(THINGS)
    one, two, three, four = dice.sample(PARTS, 4)
    way, other = dice.sample(WAYS, 2)
    joined, fixed = dice.sample(JOINED, 2)
    hard, soft = dice.sample(MATERIALS, 2)
    work = dice.choice(WORK)
    name = f"{thing.capitalize()} with a {one} and a {two}{f' {tag}' if tag else ''}"
    abstract = (
        f"A {thing} has a {one} and a {two}. The {two} is {way} {joined} to the {one}. "
        f"A {three} {work} the {two}, and a {four} of {hard} holds the {three}."
    )
    claims = [
        f"A {thing}{f' {tag}' if tag else ''}, comprising: a {one}; a {two} {way} {joined} to the {one}; and a {three} "
        f"that {work} the {two}.",
        f"The {thing} of claim 1, further comprising a {four} of {hard} {other} {fixed} to the {three}.",
        f"The {thing} of claim 2, wherein the {four} and the {one} are made of {soft}.",
    ]
    return name, abstract, claims


def disclosure(number: int) -> Disclosure:
    title, abstract, texts = invention(number)
    return Disclosure(
        title, abstract, (), tuple(Claim(n, text, depends_on(text, n)) for n, text in enumerate(texts, 1))
    )


def draft_text(direction: Any, number: int, tag: str = "") -> str:
    title, abstract, claims = invention(number, tag)
    return write_layout(direction, title, abstract, claims)
