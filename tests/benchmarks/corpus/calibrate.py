"""How well a score tells that a passage teaches an element, and what the claim chart says of claims that are known.

    python -m tests.benchmarks.corpus.calibrate --data FOLDER --corpus CORPUS [--pairs FILE]

CORPUS is what `tests.benchmarks.corpus --folder` made, without the held-out patents. Two hundred pairs: an element of a
held-out claim 1 with its own paraphrase, and with a random one. The paraphrase is the first dependent claim or the
first sentence of the abstract that names the same thing (the two content stems after the element's first article); the
score has no part in that choice. `--pairs` writes them, with scores, for whoever wants to judge them by hand.
"""

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from generator.base.intervals import wilson
from generator.base.words import content
from generator.corpus.elements import elements, sentences
from generator.corpus.passages import stems
from generator.corpus.store import Corpus
from generator.judge import chart
from generator.record.claim_references import find_references
from generator.record.disclosure import Claim, Disclosure
from tests.benchmarks.corpus import texts

PAIRS = 100  # true ones, and as many random ones
LEAST_ELEMENTS = 3  # of a claim that is mixed: with fewer, three documents cover any mixture
_HEAD = re.compile(
    r"\b(?:an?|at least one|one or more|the|said|a plurality of)\s+((?:[\w-]+ ){0,3}[\w-]+)", re.IGNORECASE
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--pairs", type=Path)
    options = parser.parse_args()
    corpus = Corpus.open(options.corpus)
    rows = texts.held_out(options.data)
    chance = random.Random(20261122)
    pairs = list(made_pairs(rows, chance))
    for pair in pairs:
        pair["score"] = _score(pair["element"], pair["passage"], corpus)
    if options.pairs:
        options.pairs.write_text(
            "".join(json.dumps(pair, ensure_ascii=False) + "\n" for pair in pairs), encoding="utf-8"
        )
    show_pairs(pairs)
    show_verdicts("real", [row["claims"][0] for row in rows], corpus)
    show_verdicts("mixed elements", list(mixed(rows, chance)), corpus)


def made_pairs(rows: list[dict[str, Any]], chance: random.Random) -> Iterator[dict[str, Any]]:
    """PAIRS true pairs, half of each kind, and each element again with a random text of the same kind."""
    true: dict[str, list[tuple[str, str, str]]] = {"dependent claim": [], "abstract": []}
    others: dict[str, list[tuple[str, str]]] = {"dependent claim": [], "abstract": []}
    for row in rows:
        dependent = [text for n, text in enumerate(row["claims"][1:], 2) if find_references(text, n)]
        kinds = {"dependent claim": dependent, "abstract": sentences(row["abstract"])}
        for kind, found in kinds.items():
            others[kind] += [(row["id"], text) for text in found]
            for element in elements(row["claims"][0])[1:]:
                head = _HEAD.search(element)
                named = set(content(head[1])[:2]) if head else set()
                same = [text for text in found if len(named) == 2 and named <= stems(text)]
                true[kind] += [(row["id"], element, same[0])] if same else []
    for kind, some in true.items():
        for number, element, passage in chance.sample(some, PAIRS // 2):
            yield {"patent": number, "kind": kind, "same": True, "element": element, "passage": passage}
            other, text = chance.choice([one for one in others[kind] if one[0] != number])
            yield {"patent": number, "of": other, "kind": kind, "same": False, "element": element, "passage": text}


def mixed(rows: list[dict[str, Any]], chance: random.Random) -> Iterator[str]:
    """Claims whose elements come from as many different patents: nothing that anybody would put together."""
    cut = [elements(row["claims"][0]) for row in rows]
    for one in cut:
        if len(one) >= LEAST_ELEMENTS:
            chosen = chance.sample(cut, len(one))
            yield "; ".join(chance.choice(some).strip(" ;,.") for some in chosen) + "."


def _score(element: str, passage: str, corpus: Corpus) -> int:
    (asked,) = chart._asked((element,), corpus)
    return asked.score(stems(passage))


def show_pairs(pairs: list[dict[str, Any]]) -> None:
    print("| threshold | recall, dependent claims | recall, abstracts | false among random | precision |")
    print("| --- | --- | --- | --- | --- |")
    for threshold in range(200, 751, 50):
        hits = {kind: [p["score"] >= threshold for p in pairs if p["same"] and p["kind"] == kind] for kind in KINDS}
        false = [p["score"] >= threshold for p in pairs if not p["same"]]
        true = sum(map(sum, hits.values()))
        cells = [_share(sum(some), len(some)) for some in (*hits.values(), false)]
        print(f"| {threshold} | {' | '.join(cells)} | {_share(true, true + sum(false))} |")


KINDS = ("dependent claim", "abstract")


def _share(hits: int, n: int) -> str:
    low, high = wilson(hits, n)
    return f"{hits}/{n} ({100 * low:.0f} to {100 * high:.0f} %)"


def show_verdicts(name: str, claims: list[str], corpus: Corpus) -> None:
    """What the chart says at several thresholds, and at the shipped one."""
    shipped = chart.THRESHOLD
    for threshold in (400, 450, shipped, 550, 600):
        chart.THRESHOLD = threshold
        charts = [chart.claim_chart(Disclosure("T", "A", (), (Claim(1, text),)), corpus) for text in claims]
        counts = Counter(one.verdict for one in charts)
        covered = sum(row.covered for one in charts for row in one.elements)
        total = sum(len(one.elements) for one in charts)
        said = ", ".join(f"{kind} {_share(counts[kind], len(charts))}" for kind in ("obvious range", "single document"))
        print(f"{name}, threshold {threshold}: {said}, elements covered {_share(covered, total)}", flush=True)
    chart.THRESHOLD = shipped


if __name__ == "__main__":
    main()
