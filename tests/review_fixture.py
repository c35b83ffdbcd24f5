"""A publication and real patents for tests of blind review."""

import json
from dataclasses import replace
from pathlib import Path

import facts
from facts import archive, disclosure, record

from generator.base import files
from generator.base.publication import Publication
from generator.base.settings import Settings
from generator.record.disclosure import Claim

HOSTILE = '</script><img src=x onerror="window.hacked=1"><script>window.hacked=1</script> & "q" /*DATA*/ <!--'
NOW = "2026-11-22T20:00:00Z"


def real_patents(path: Path, count: int, length: int = 8) -> Path:
    """JSON lines of `count` patents whose texts are each their own."""
    lines = []
    for n in range(count):
        thing = f"lamp{n}"
        claims = [f"A {thing} comprising {', '.join(f'a part {thing}x{k}' for k in range(length))} and a socket."]
        claims += [f"The {thing} of claim 1, wherein the socket holds a fuse of kind {k}." for k in range(3)]
        claims += [f"A method of making the {thing} by casting.", "The method of claim 5, wherein the cast is cold."]
        text = {"id": f"US{9_000_000 + n}", "title": f"LAMP NUMBER {n}", "abstract": f"A {thing} gives light."}
        lines.append(json.dumps(text | {"claims": claims}))
    path.write_text("\n".join(lines))
    return path


def a_publication(root: Path, count: int = 12, waiting: int = 2) -> Publication:
    """`count` logged disclosures, `waiting` in the queue; the first one's text is hostile."""
    hostile = replace(disclosure(0, title=f"Hinge {HOSTILE}"), abstract=f"A hinge. {HOSTILE}")
    claims = (*hostile.claims[:1], Claim(2, f"The bracket of claim 1, {HOSTILE}.", (1,)))
    files.write(root / "output/queue/0.json", record(0, disclosure=replace(hostile, claims=claims)).to_bytes())
    archive(root / "output", count - 1, first=1)
    facts.append(root / "output")
    for number in range(count, count + waiting):
        files.write(root / f"output/queue/{number}.json", record(number).to_bytes())
    return Publication(root, Settings(), lambda _: None, now=lambda: NOW)
