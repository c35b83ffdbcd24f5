"""How long a corpus of 100,000 real documents takes to build, how large it is, and how fast it answers.

    python -m tests.benchmarks.corpus --data FOLDER [--documents 100000] [--folder CORPUS]

FOLDER holds patents.jsonl.zst and descriptions.jsonl.zst. Without --folder the corpus is removed at the end.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.corpus import texts


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="keep the corpus here")
    parser.add_argument("--build", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        build(*options.build)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder or Path(name) / "corpus"
        file = Path(name) / "documents.jsonl"
        count = texts.write_documents(options.data, file, options.documents)
        print(f"{count} documents, {file.stat().st_size >> 20} MiB of JSON lines", flush=True)
        if not folder.exists():
            command = [
                sys.executable,
                "-m",
                __spec__.name,
                "--data",
                str(options.data),
                "--build",
                str(file),
                str(folder),
            ]
            subprocess.run(command, check=True)
        file.unlink()
        ask(options.data, folder)


def build(file: Path, folder: Path) -> None:
    """In a process of its own, so that its memory is its own."""
    from generator.corpus.adding import add

    started, cpu = time.perf_counter(), time.process_time()
    manifest = add(folder, [file], lambda _: None)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    kinds: Counter[str] = Counter()
    for path in (folder / "segments").rglob("*"):
        if path.is_file():
            kinds["passages" if path.parent.name == "passages" else path.stem.split("-")[0]] += path.stat().st_size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = time.perf_counter() - started
    print(f"build: {manifest.documents} documents in {seconds:.0f} s, {time.process_time() - cpu:.0f} s of CPU")
    print(f"disk: {size / 2**20:.0f} MiB; peak memory of the build: {peak / 1024:.0f} MiB")
    print("disk by kind, MiB:", json.dumps({kind: round(n / 2**20, 1) for kind, n in kinds.most_common()}))


def ask(data: Path, folder: Path) -> None:
    from generator.corpus.store import Corpus
    from generator.judge.chart import claim_chart
    from generator.judge.copying import KnownTexts, not_copied
    from generator.judge.neighbours import nearest
    from generator.record.layouts import write_layout

    started = time.perf_counter()
    corpus = Corpus.open(folder)
    known = KnownTexts.open(None, corpus)
    milliseconds = 1000 * (time.perf_counter() - started)
    print(f"open: {milliseconds:.0f} ms, {len(corpus)} documents in {len(corpus.segments)} segments")
    asked = [texts.disclosure(row) for row in texts.held_out(data)]
    drafts = [write_layout("top-down", d.title, d.abstract, [d.claims[0].text]) for d in asked]
    copyings = timed("measure (G3)", known.measure, asked)
    timed("copied (one look at an unfinished draft)", known.copied, drafts)
    charts = timed("claim chart (G4)", lambda one: claim_chart(one, corpus), asked)
    timed("neighbours", lambda one: nearest(one, corpus, known), asked)
    print(
        "G3 refuses",
        Counter(r.reason for c in copyings if (r := not_copied(c))),
        "of",
        len(asked),
        "held-out real patents",
    )
    print("verdicts on held-out real patents:", Counter(chart.verdict for chart in charts))
    print(f"peak memory of asking: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def timed(what: str, function: Callable[[Any], Any], items: list[Any]) -> list[Any]:
    """Each asked once, after the first was asked to load what is loaded once."""
    function(items[0])
    found, wall, cpu = [], [], []
    for item in items:
        started, used = time.perf_counter(), time.process_time()
        found.append(function(item))
        wall.append(1000 * (time.perf_counter() - started))
        cpu.append(1000 * (time.process_time() - used))
    for name, some in (("elapsed", wall), ("CPU", cpu)):
        p50, p95 = statistics.median(some), statistics.quantiles(some, n=20)[-1]
        mean = statistics.mean(some)
        print(f"{what}, ms {name}: p50 {p50:.1f}, p95 {p95:.1f}, mean {mean:.1f}, n = {len(items)}", flush=True)
    return found


if __name__ == "__main__":
    main()
