"""Nightly runs that are killed anywhere: a publication with its facts branch and its Pages branch, both on real git
remotes, the real log, site and index; a model that writes known texts, so that what must come out is known.

    python tests/nights.py --kills 500
"""

import argparse
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import facts
from inventions import draft_text

from generator.base import files
from generator.base.errors import PressError
from generator.base.publication import Publication
from generator.base.settings import Settings
from generator.commands import nightly
from generator.commands.gates import selftest_if_due
from generator.log import archive
from generator.model import loading
from generator.model.interface import Brief, Draft, ModelIdentity
from generator.publish.deploy import open_deploy
from generator.record.layouts import PROMPTS
from generator.site.report_facts import SELFTEST

COUNT = 3  # disclosures a night
KILLS = 8  # at most, in one night
RETRIES = 4  # errors that are told and pass, in one night
KEY = facts.key()
SETTINGS = Settings(
    site_url="https://example.org/repo/",
    origin=facts.ORIGIN,
    vkey=KEY.verification_key.text,
    profile="starter",
    demonstration=True,
)


class Author:
    """The seam of the model: every third draft is no patent, the others are told apart by their seeds."""

    identity = ModelIdentity(
        model="author",
        revision="1",
        weights_sha256=facts.SHA,
        tokenizer_sha256=facts.SHA,
        model_license="CC0-1.0",
        model_attribution="Texts written for a test",
        demonstration=True,
        engine="none",
        number_format="none",
        torch_version="none",
        transformers_version="none",
        cpu_capability="none",
    )
    account: ClassVar[dict[str, Any]] = {"engine": "none"}

    def drafts(self, briefs: Iterable[Brief], sampling: Any, *, tick: Any = None, **_: Any) -> Iterator[Draft]:
        for brief in briefs:
            text = self.text(brief)
            made = facts.generation(
                direction=brief.direction,
                prompt=PROMPTS[brief.direction],
                seed=f"{brief.seed:016x}",
                sampling=sampling.pairs(),
            )
            time.sleep(0.02)
            if tick:
                tick(made.new_tokens)
            yield Draft(brief, text, made, 0.02, len(text.split()))

    def text(self, brief: Brief) -> str:
        if brief.index % 3 == 1:
            return "# Patent\n\nno headings"
        return draft_text(brief.direction, brief.seed % 2**31, f"{brief.seed:016x}")


def publication(root: Path) -> tuple[Settings, str]:
    """Settings with a facts remote, and the destination: two new bare repositories."""
    for name in ("facts.git", "pages.git"):
        subprocess.run(["git", "init", "--quiet", "--bare", str(root / name)], check=True)
        subprocess.run(["git", "-C", str(root / name), "config", "receive.denyNonFastForwards", "true"], check=True)
    return replace(SETTINGS, facts_remote=str(root / "facts.git")), f"git:{root / 'pages.git'}"


def night_of(day: int) -> str:
    return (date(2026, 10, 31) + timedelta(days=day)).isoformat()


def at_night(root: Path, settings: Settings, day: int, second: int, told: list[str] | None = None) -> Publication:
    lines = [] if told is None else told
    now = f"{night_of(day)}T03:{second // 60 % 60:02}:{second % 60:02}Z"
    return Publication(root, settings, lines.append, KEY.text, lambda: now, fetch_from(root), lambda _: None)


def fetch_from(root: Path) -> Callable[[str], bytes | None]:
    """What a web host would serve at the site's address: the newest commit of its branch, 404 before the first."""

    def fetch(url: str) -> bytes | None:
        path = f"gh-pages:{url.removeprefix(SETTINGS.site_url)}"
        done = subprocess.run(["git", "-C", str(root / "pages.git"), "show", path], capture_output=True)
        return done.stdout if done.returncode == 0 else None

    return fetch


@cache
def selftest() -> bytes:
    """What the gates make of the shipped controls: asked once a process, as it takes longer than a night."""
    with tempfile.TemporaryDirectory() as folder:
        selftest_if_due(at_night(Path(folder), SETTINGS, 1, 0))
        return (Path(folder) / "output" / SELFTEST).read_bytes()


def tested(output: Path) -> None:
    """A publication whose gates have been tested, so that its first night does not ask again."""
    if not (output / SELFTEST).exists():
        files.write(output / SELFTEST, selftest())


def night(root: Path, settings: Settings, to: str, day: int, second: int = 0, told: list[str] | None = None) -> Any:
    tested(root / "output")
    real, loading.open_model = loading.open_model, lambda *_, **__: Author()  # type: ignore[assignment,return-value]
    try:
        return nightly.nightly(at_night(root, settings, day, second, told), to=to, count=COUNT)
    finally:
        loading.open_model = real


def child(root: Path, settings: Settings, to: str, day: int, second: int) -> None:
    """A night in a process of its own; exit code 2 for an error that is told, as the command has it."""
    try:
        outcome = night(root, settings, to, day, second)
        if not outcome.ok:
            print(f"night {day}: {outcome.lines[-1]}", flush=True)
            os._exit(1)
    except PressError as error:
        print(f"night {day}: {error} ({error.hint})", flush=True)
        os._exit(2)


def check(root: Path, settings: Settings, nights: int) -> None:
    """Every night's drafts stand in the log once, dated on their night; facts and site agree; nothing is open."""
    output = root / "output"
    logged, ledger = facts.logged(output), archive.read_ledger(output)
    titles = [item.record.disclosure.title for item in logged]
    assert len(titles) == len(set(titles)) == nights * COUNT, (len(titles), len(set(titles)), nights)
    days = [item.published_at[:10] for item in logged]
    assert days == [night_of(day) for day in range(1, nights + 1) for _ in range(COUNT)], days
    assert open_deploy(output, ledger) is None
    assert ledger.undated == ()
    checked = nightly.check(at_night(root, settings, nights + 1, 0))
    assert checked.ok, checked.lines


def main(kills: int, seed: int, root: Path, say: Any) -> int:
    """Nights, each killed until it ends undisturbed, until there were `kills` kills; the number of nights."""
    dice, done, day, usual = random.Random(seed), 0, 1, 0.0
    settings, to = publication(root)
    while True:
        turn = told = 0
        while True:
            started = time.monotonic()
            process = multiprocessing.get_context("fork").Process(target=child, args=(root, settings, to, day, turn))
            process.start()
            kill = usual and done < kills and turn < KILLS  # on a busy machine no try might ever end
            process.join(dice.uniform(0, usual) if kill else None)
            if process.is_alive():
                os.kill(process.pid or 0, signal.SIGKILL)
                done += 1
            process.join()
            assert process.exitcode in (0, 2, -signal.SIGKILL), process.exitcode
            turn, told = turn + 1, told + (process.exitcode == 2)
            assert told <= RETRIES, "an error that does not pass"
            if process.exitcode == 0:
                break
        if turn == 1:  # undisturbed from beginning to end; the first of all also loads the program
            usual = min(usual or 1e9, time.monotonic() - started)
        if done >= kills or day % 10 == 0:
            check(root, settings, day)
        say(f"night {day}: {done} kills, {day * COUNT} disclosures, each once, dated and public")
        if done >= kills:
            return day
        day += 1


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kills", type=int, default=500)
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        main(chosen.kills, chosen.seed, Path(folder), lambda line: print(line, flush=True))
    sys.exit(0)
