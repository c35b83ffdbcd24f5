"""Engines compared on one model shape and this machine: `python -m tests.benchmarks.engine` (docs/benchmarks.md)."""

import argparse
import datetime
import signal
import sys
from pathlib import Path

from tests.benchmarks.engine import accounting, report, shape
from tests.benchmarks.engine.journal import Journal, JournalError
from tests.benchmarks.engine.launch import Launcher, LaunchError
from tests.benchmarks.engine.peers import MODULES
from tests.benchmarks.engine.session import Options, Session, settings

HERE = Path(__file__).resolve().parent
QUICK = {"lengths": (32,), "batches": (8,), "repeats": 1, "limit_s": 60.0}
MEMORY_SHARE = 0.7  # of what is available


def numbers(text: str) -> tuple[int, ...]:
    found = tuple(int(part) for part in text.split(","))
    if not found or min(found) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: positive numbers with commas between them are needed")
    return found


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m tests.benchmarks.engine", description=__doc__)
    add = made.add_argument
    add("--engines", default=",".join(MODULES), help="with commas between them (default: %(default)s)")
    add("--lengths", type=numbers, default=(256, 1024, 2600), help="new tokens a sequence (default: 256,1024,2600)")
    add("--batches", type=numbers, default=(), help="batch sizes to try instead of the engines' own")
    add("--repeats", type=int, default=3, help="runs of each configuration (default: %(default)s)")
    add("--limit", dest="limit_s", type=float, default=300.0, help="seconds of one run (default: %(default)s)")
    add("--most-tokens", type=int, default=100_000, help="of one run; larger batches are halved (default: %(default)s)")
    add("--threads", type=int, default=accounting.processors(), help="of every engine (default: all cores)")
    add("--memory", type=float, default=0.0, help="GB that an engine may take (default: 70 %% of what is available)")
    add("--tokens-per-word", type=float, default=shape.TOKENS_PER_WORD, help="(default: %(default)s)")
    add("--watts-per-core", type=float, default=5.0, help="assumed where energy cannot be read (default: %(default)s)")
    add("--python", action="append", default=[], metavar="ENGINE=PATH", help="an engine's interpreter, if another")
    add("--cache", type=Path, default=HERE / "cache", help="for the model and its conversions")
    add("--out", type=Path, default=None, help="for the result; a stopped run goes on when its folder is named")
    add("--quick", action="store_true", help="a few minutes to see which engines work; the figures say little")
    return made


def options_of(arguments: list[str], now: datetime.datetime) -> Options:
    """Exits with code 2 for options that cannot be."""
    made = parser()
    given = made.parse_args(arguments)
    if given.quick:
        for name, value in QUICK.items():
            setattr(given, name, value)
    engines = tuple(given.engines.split(","))
    if unknown := [name for name in engines if name not in MODULES]:
        made.error(f"--engines: {unknown[0]!r} is unknown; there are {', '.join(MODULES)}")
    python = {"": sys.executable}
    for pair in given.python:
        name, _, path = pair.partition("=")
        if name not in MODULES or not Path(path).is_file():
            made.error(f"--python: {pair!r} is not ENGINE=PATH with a known engine and an interpreter that is there")
        python[name] = path
    if longest := [n for n in given.lengths if n + shape.PROMPT_TOKENS > shape.POSITIONS]:
        made.error(f"--lengths: {longest[0]} and the prompt are more than the model's {shape.POSITIONS} positions")
    if min(given.repeats, given.limit_s, given.threads, given.tokens_per_word) <= 0:
        made.error("--repeats, --limit, --threads and --tokens-per-word are positive")
    memory = int(given.memory * 1e9) or int(accounting.available_bytes() * MEMORY_SHARE)
    return Options(
        engines=engines,
        lengths=tuple(sorted(given.lengths)),
        batches=given.batches,
        repeats=given.repeats,
        limit_s=given.limit_s,
        threads=given.threads,
        memory=memory,
        most_tokens=given.most_tokens,
        tokens_per_word=given.tokens_per_word,
        watts_per_core=given.watts_per_core,
        cache=given.cache.resolve(),
        out=(given.out or HERE / "results" / f"{now:%Y-%m-%d-%H%M%S}").resolve(),
        python=python,
    )


def tell(text: str) -> None:
    print(f"{datetime.datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


def main(arguments: list[str]) -> int:
    now = datetime.datetime.now(datetime.UTC)
    options = options_of(arguments, now)
    tell(f"results go to {options.out}")
    try:
        journal = Journal(options.out / "journal.jsonl", settings(options))
        if "date" not in journal:
            journal.keep("date", f"{now:%Y-%m-%d}")
        result = Session(options, journal, Launcher(options.python, options.out / "logs", options.threads), tell).run()
    except (JournalError, LaunchError) as error:
        print(f"The benchmark cannot run: {error}", file=sys.stderr)
        return 2
    print(report.write(result, options.out))
    return 0


def start(arguments: list[str]) -> None:
    """Ended by a signal, the command takes the engine that is running with it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main(arguments))


if __name__ == "__main__":
    start(sys.argv[1:])
