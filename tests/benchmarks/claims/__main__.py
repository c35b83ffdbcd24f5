"""python -m tests.benchmarks.claims PATENTS.jsonl.zst [--patents 8000] [--claims 200] [--seed 22]

Takes the first claims of patents that stand in an archive of patents, as they are and reworded by rule, and prints how
often the patent itself comes first and among the first five, and the processor time of an answer under node.
"""

import argparse
import json
import random
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

from generator.corpus.reading import read_documents
from tests.benchmarks.claims.reword import reword


def measure(patents: list[dict[str, Any]], claims: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each claim {text, twin}: {place, seconds}; place is -1 where the twin is not among the answers."""
    script = Path(__file__).parent / "rank.mjs"
    given = json.dumps({"patents": patents, "claims": claims})
    done = subprocess.run(["node", str(script)], input=given, capture_output=True, text=True, check=True)
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--patents", type=int, default=8000)
    parser.add_argument("--claims", type=int, default=200)
    parser.add_argument("--seed", type=int, default=22)
    asked = parser.parse_args()
    patents = []
    for _, document in islice(read_documents(asked.file), asked.patents):
        patents.append({"title": document.title, "abstract": document.abstract, "claims": list(document.claims)})
    chosen = random.Random(asked.seed).sample([n for n, patent in enumerate(patents) if patent["claims"]], asked.claims)
    for name, change in (("as they are", str), ("reworded", reword)):
        answers = measure(patents, [{"text": change(patents[n]["claims"][0]), "twin": n} for n in chosen])
        first = sum(one["place"] == 0 for one in answers)
        five = sum(0 <= one["place"] < 5 for one in answers)
        slow = sorted(one["seconds"] for one in answers)
        sys.stdout.write(
            f"{name}: {len(patents)} patents, {len(answers)} claims: first {first / len(answers):.1%}, "
            f"in five {five / len(answers):.1%}; median {slow[len(slow) // 2]:.2f} s, slowest {slow[-1]:.2f} CPU s\n"
        )


if __name__ == "__main__":
    main()
