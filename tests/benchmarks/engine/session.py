"""A whole run: model, roofline, conversions, search for the best batch, then everything in turn."""

import dataclasses
import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.engine import accounting, shape
from tests.benchmarks.engine.agreement import Agreement
from tests.benchmarks.engine.jobs import Failure, Job, Measurement, from_json, to_json
from tests.benchmarks.engine.journal import Journal
from tests.benchmarks.engine.launch import Launcher, LaunchError
from tests.benchmarks.engine.peers import OURS, SAME_SAMPLING, Peer, peer
from tests.benchmarks.engine.plan import Configuration, batch_for, candidates, in_turn, winners
from tests.benchmarks.engine.results import Line, Result, best_peer
from tests.benchmarks.engine.roofline import Roofline, best

SEARCH = "search"


@dataclass(frozen=True, slots=True)
class Options:
    engines: tuple[str, ...]
    lengths: tuple[int, ...]
    batches: tuple[int, ...]  # empty: the engines' own
    repeats: int
    limit_s: float
    threads: int
    memory: int  # bytes that an engine may take
    most_tokens: int  # of one measurement
    tokens_per_word: float
    watts_per_core: float
    cache: Path
    out: Path
    python: dict[str, str]


def settings(options: Options) -> dict[str, Any]:
    """What the report says of machine and options; a stopped run goes on only under the same ones."""
    return {
        "machine": f"{_processor()}, {accounting.processors()} cores, {_memory_gb():.0f} GB, {platform.system()}",
        "threads": options.threads,
        "model": (
            f"GPT-NeoX with random weights (seed {shape.WEIGHTS_SEED}): {shape.LAYERS} layers, hidden {shape.HIDDEN}, "
            f"intermediate {shape.INTERMEDIATE}, {shape.HEADS} heads, {shape.VOCABULARY:,} words"
        ),
        "prompts": f"{shape.PROMPT_TOKENS} random tokens, end of sequence ignored, {SAME_SAMPLING}",
        "engines": ", ".join(options.engines),
        "lengths": ", ".join(map(str, options.lengths)),
        "batches": ", ".join(map(str, options.batches)) or "the engines' own",
        "repeats": options.repeats,
        "limit_of_a_run_in_seconds": options.limit_s,
        "most_tokens_of_a_run": options.most_tokens,
        "tokens_per_word": options.tokens_per_word,
        "watts_per_core_where_energy_is_not_counted": options.watts_per_core,
    }


class Session:
    """Progress goes to `tell`."""

    def __init__(self, options: Options, journal: Journal, launcher: Launcher, tell: Callable[[str], None]) -> None:
        self._options, self._journal, self._launcher, self._tell = options, journal, launcher, tell
        self._absent: list[Failure] = []
        self._rooflines: list[Roofline] = []
        self._roofline_missing = ""

    def run(self) -> Result:
        options = self._options
        self._tell("model")
        self._launcher.module("shape", str(options.cache / "model"))
        self._measure_roofline("before")
        peers = [found for name in options.engines if (found := self._peer(name))]
        tried = self._search(peers)
        chosen = [(item, winner) for item in peers for winner in winners(item, tried)]
        lines: list[Line] = []
        for length in options.lengths:
            lines += self._length(chosen, length, lines)
        self._measure_roofline("after")
        return Result(
            {"date": self._journal["date"], **self._journal["settings"]},
            best(self._rooflines) if self._rooflines else None,
            self._roofline_missing,
            tuple(tried),
            tuple(lines),
            tuple(self._absent),
            options.watts_per_core,
            options.tokens_per_word,
        )

    def _peer(self, name: str) -> Peer | None:
        """The engine, with the formats that could be converted; what could not is named."""
        try:
            found = peer(name)
        except ImportError as error:
            self._absent.append(Failure(name, "any", 0, 0, f"cannot be imported: {error}"))
            return None
        formats = {}
        for form, batches in found.formats.items():
            self._tell(f"{name}: conversion to {form}")
            failure = self._launcher.prepare(self._job(Configuration(name, form, 1), 1))
            if failure:
                self._absent.append(dataclasses.replace(failure, batch=0))
            else:
                formats[form] = batches
        return dataclasses.replace(found, formats=formats) if formats else None

    def _search(self, peers: list[Peer]) -> list[Measurement | Failure]:
        length = self._options.lengths[0]
        tried: list[Measurement | Failure] = []
        for item in peers:
            for wanted in candidates(item, self._options.batches):
                if self._batch(item, wanted, length) != wanted.batch:
                    reason = "does not fit the memory or the number of tokens that a run may take"
                    tried.append(Failure(wanted.engine, wanted.format, wanted.batch, length, reason))
                else:
                    tried.append(self._measured(SEARCH, wanted, length))
        lost = {item.name for item in peers} - {one.engine for one in tried if isinstance(one, Measurement)}
        self._absent += [one for one in tried if isinstance(one, Failure) and one.engine in lost]
        return tried

    def _length(self, chosen: list[tuple[Peer, Configuration]], new_tokens: int, before: list[Line]) -> list[Line]:
        """Every engine's best configuration in turn. `before`: what was measured at shorter lengths."""
        peers = self._fitting(chosen, new_tokens, before)
        runs: dict[Configuration, list[Measurement | Failure]] = {wanted: [] for wanted in peers}
        checks: dict[Configuration, Agreement | None] = dict.fromkeys(peers)
        for number, wanted in in_turn(list(peers), self._options.repeats):
            if number and (slow(wanted, before) or any(cut_or_failed(one) for one in runs[wanted])):
                continue
            rows = self._options.out / "rows.json" if not number and not before else None
            rows = rows if peers[wanted].sampling == SAME_SAMPLING else None
            runs[wanted].append(self._measured(str(number), wanted, new_tokens, rows))
            if rows:
                checks[wanted] = self._agreement(wanted, new_tokens, rows)
        return [_line(item, wanted, new_tokens, runs[wanted], checks[wanted]) for wanted, item in peers.items()]

    def _fitting(
        self, chosen: list[tuple[Peer, Configuration]], new_tokens: int, before: list[Line]
    ) -> dict[Configuration, Peer]:
        """What is run at a length, with the batch that fits; the others are named."""
        fitting = {}
        for item, best_of in chosen:
            batch = self._batch(item, best_of, new_tokens)
            wanted = dataclasses.replace(best_of, batch=batch)
            cut = [line for line in before if same(line, wanted) and (line.failures or not line.finished)]
            if cut:
                reason = f"cut at the limit, or failed, at {cut[0].new_tokens:,} tokens already"
            elif not batch:
                reason = "not even one sequence fits the memory or the number of tokens that a run may take"
            else:
                fitting[wanted] = item
                continue
            self._absent.append(Failure(wanted.engine, wanted.format, best_of.batch, new_tokens, reason))
        return fitting

    def _batch(self, item: Peer, wanted: Configuration, new_tokens: int) -> int:
        value_bytes = item.cache_value_bytes[wanted.format]
        return batch_for(wanted.batch, new_tokens, value_bytes, self._options.memory, self._options.most_tokens)

    def _job(self, wanted: Configuration, new_tokens: int, rows: Path | None = None) -> Job:
        return Job(
            engine=wanted.engine,
            format=wanted.format,
            batch=wanted.batch,
            new_tokens=new_tokens,
            threads=self._options.threads,
            limit_s=self._options.limit_s,
            seed=shape.PROMPT_SEED,
            cache=str(self._options.cache),
            rows_file=str(rows) if rows else "",
        )

    def _measured(
        self, phase: str, wanted: Configuration, new_tokens: int, rows: Path | None = None
    ) -> Measurement | Failure:
        key = _key(phase, wanted, new_tokens)
        if key not in self._journal:
            self._tell(f"{key} ...")
            made = self._launcher.run(self._job(wanted, new_tokens, rows))
            self._journal.keep(key, {type(made).__name__: to_json(made)})
            self._tell(f"{key}: " + (f"{made.rate:,.1f} tokens/s" if isinstance(made, Measurement) else made.reason))
        value = self._journal[key]
        if "Failure" in value:
            return from_json(Failure, value["Failure"])
        return from_json(Measurement, value["Measurement"])

    def _agreement(self, wanted: Configuration, new_tokens: int, rows: Path) -> Agreement | None:
        """None when there is nothing to score: the run failed."""
        key = _key("agreement", wanted, new_tokens)
        if key not in self._journal and rows.exists():
            text = self._launcher.module("agreement", str(self._options.cache / "model"), str(rows))
            self._journal.keep(key, json.loads(text))
            rows.unlink()
        return Agreement(**self._journal[key]) if key in self._journal else None

    def _measure_roofline(self, when: str) -> None:
        key = f"roofline {when}"
        if key not in self._journal:
            self._tell(key)
            try:
                self._journal.keep(key, json.loads(self._launcher.module("roofline", str(self._options.threads))))
            except LaunchError as error:
                self._roofline_missing = str(error)
                return
        self._rooflines.append(Roofline(**self._journal[key]))


def same(line: Line, wanted: Configuration) -> bool:
    return (line.engine, line.format) == (wanted.engine, wanted.format)


def cut_or_failed(one: Measurement | Failure) -> bool:
    return isinstance(one, Failure) or not one.finished


def slow(wanted: Configuration, before: list[Line]) -> bool:
    """Less than half as fast as the best other engine at the first length: too far behind to be run again and again."""
    first = [line for line in before if line.runs and line.new_tokens == before[0].new_tokens]
    own = [line.rate.middle for line in first if same(line, wanted)]
    peer_line = best_peer(first)
    return bool(own and peer_line and wanted.engine != OURS and own[0] < peer_line.rate.middle / 2)


def _key(phase: str, wanted: Configuration, new_tokens: int) -> str:
    return f"{phase}, {new_tokens} tokens: {wanted.engine} {wanted.format} at batch {wanted.batch}"


def _line(
    item: Peer, wanted: Configuration, new_tokens: int, found: list[Measurement | Failure], check: Agreement | None
) -> Line:
    return Line(
        wanted.engine,
        wanted.format,
        wanted.batch,
        new_tokens,
        item.sampling,
        tuple(one for one in found if isinstance(one, Measurement)),
        tuple(one for one in found if isinstance(one, Failure)),
        check,
    )


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n"):
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
