"""One measurement in a process of its own: `python -m tests.benchmarks.engine.worker run JOB`, or `prepare JOB`.

The answer is one JSON object on stdout, `{"measurement": {...}}` or `{"failure": "why"}`; what engines print goes to
stderr. The clock of the run starts when the batch is handed over and stops when all its tokens are back.
"""

import importlib.metadata
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

STARTED = time.perf_counter()  # loading an engine begins with the import of its packages

from tests.benchmarks.engine import accounting, shape  # noqa: E402
from tests.benchmarks.engine.jobs import Job, Measurement, from_json, to_json  # noqa: E402
from tests.benchmarks.engine.peers import Peer, peer  # noqa: E402

WARM_UP_TOKENS = 8


class WrongTokensError(Exception):
    """The engine wrote something else than it was asked for."""


def versions(names: tuple[str, ...]) -> str:
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)


def check_rows(rows: list[list[int]], job: Job, finished: bool) -> None:
    """Raises WrongTokensError."""
    if len(rows) != job.batch:
        raise WrongTokensError(f"{len(rows)} sequences, asked were {job.batch}")
    for number, row in enumerate(rows):
        if len(row) > job.new_tokens or (finished and len(row) < job.new_tokens):
            raise WrongTokensError(f"sequence {number} has {len(row)} tokens, asked were {job.new_tokens}")
        if row and not 0 <= min(row) <= max(row) < shape.VOCABULARY:
            raise WrongTokensError(f"sequence {number} has a token outside the vocabulary")


def measure(job: Job, chosen: Peer) -> Measurement:
    version = versions(chosen.names)  # before anything is loaded: a package that is missing is found at once
    engine = chosen.open_engine(job)
    prompts = shape.prompts(job.batch)
    engine.write(prompts, min(WARM_UP_TOKENS, job.new_tokens), None)
    load_seconds = time.perf_counter() - STARTED
    deadline = time.monotonic() + job.limit_s
    before = accounting.read()
    rows = engine.write(prompts, job.new_tokens, deadline)
    after = accounting.read()
    peak = accounting.peak_rss_bytes()
    tokens = sum(map(len, rows))
    finished = tokens == job.batch * job.new_tokens or time.monotonic() < deadline
    check_rows(rows, job, finished)
    spent = accounting.spent(before, after, accounting.processors())
    if job.rows_file:
        Path(job.rows_file).write_text(json.dumps({"prompts": prompts, "rows": rows}), encoding="utf-8")
    return Measurement(
        engine=job.engine,
        version=version,
        format=job.format,
        batch=job.batch,
        new_tokens=job.new_tokens,
        tokens=tokens,
        seconds=spent.seconds,
        load_seconds=load_seconds,
        peak_rss_bytes=peak,
        cpu_seconds=spent.cpu_seconds,
        foreign_share=spent.foreign_share,
        energy_joules=spent.energy_joules,
        finished=finished,
    )


def convert(job: Job, chosen: Peer) -> dict[str, float]:
    """Once: a folder under the final name is whole."""
    if job.converted.exists():
        return {"seconds": 0.0}
    half = job.converted.with_name(f"{job.converted.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    chosen.prepare(job.model, half, job.format)
    half.replace(job.converted)
    return {"seconds": time.perf_counter() - STARTED}


def answer(action: str, text: str) -> dict[str, Any]:
    """Whatever an engine raises is the reason that the table names."""
    try:
        job = from_json(Job, json.loads(text))
        chosen = peer(job.engine)
        if action == "prepare":
            return {"prepared": convert(job, chosen)}
        return {"measurement": to_json(measure(job, chosen))}
    except ImportError as error:
        return {"failure": f"not installed: {error}"}
    except Exception as error:
        import traceback

        traceback.print_exc()
        return {"failure": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"}


def main() -> None:
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    reply = answer(sys.argv[1], sys.argv[2])
    out.write(json.dumps(reply) + "\n")
    out.flush()
    sys.stderr.flush()
    os._exit(0)  # some engines' threads hang or crash when the interpreter ends; the figures are out


if __name__ == "__main__":
    main()
