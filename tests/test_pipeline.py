"""The stages in order, each idempotent; nightly runs that are killed, repeated, or have nothing to do."""

import functools
import threading
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import facts
import nights
import pytest

from generator.base.errors import ConfigError, KeyUnusable
from generator.base.fetch import fetch
from generator.commands import nightly
from generator.log import archive
from generator.publish.facts_branch import branch_of


def test_two_nights_and_a_second_cron(tmp_path: Path) -> None:
    """`done` asks before, between and after them, and does nothing."""
    settings, to = nights.publication(tmp_path)
    told: list[str] = []

    def done(day: int) -> bool:
        asked = nightly.nightly(nights.at_night(tmp_path, settings, day, 9), done=True)
        assert asked.figures["done"] == asked.ok
        return asked.ok

    assert not done(1)
    assert archive.current(tmp_path / "output") is None
    outcome = nights.night(tmp_path, settings, to, 1, told=told)
    assert outcome.figures["disclosures"] == nights.COUNT
    stages = ("generate: 3 of", "append: 3 entries added", "publish: 3 disclosures dated", "publish: deploying to")
    places = [next(n for n, line in enumerate(told) if line.startswith(start)) for start in stages]
    assert places == sorted(places)
    again = nights.night(tmp_path, settings, to, 1, second=30)
    assert again.lines == ("nightly: the run of 2026-11-01 is done",)
    assert (done(1), done(2)) == (True, False)
    nights.night(tmp_path, settings, to, 2)
    assert done(2)
    nights.check(tmp_path, settings, 2)
    first = facts.logged(tmp_path / "output", 0)
    assert first[0].published_at == "2026-11-01T03:00:00Z"


@pytest.mark.slow
def test_killed_nights_lose_nothing(tmp_path: Path) -> None:
    """A short form of `python tests/nights.py --kills 500`."""
    assert nights.main(5, 3, tmp_path, lambda _: None) >= 2


def test_github_actions_road_fixes_the_time_before_the_build_and_reads_back_after_the_deploy(tmp_path: Path) -> None:
    """--begin, build, check, a deploy by other means, --confirm; between them only the facts branch carries over."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    settings, _ = nights.publication(tmp_path)
    public = tmp_path / "public"
    public.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(public))) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            url = f"http://127.0.0.1:{server.server_address[1]}/"
            here = replace(nights.at_night(tmp_path / "a", settings, 1, 0), settings=settings)
            here = replace(here, settings=replace(settings, site_url=url), fetch=fetch)
            facts.queue(here.output, range(2))
            nightly.append(here, None)
            begun = nightly.publish(here, begin=True)
            assert begun.figures == {"disclosures": 2, "time": "2026-11-01T03:00:00Z", "entry": 2}
            nightly.build(here)
            assert nightly.check(here).ok
            here.site.rename(public / "site")
            for path in (public / "site").iterdir():
                path.rename(public / path.name)
            other = replace(here, root=tmp_path / "b", secret="", now=lambda: "2026-11-01T03:09:00Z")
            confirmed = nightly.publish(other, confirm=url)
            assert confirmed.figures["disclosures"] == 2
            branch_of(here).sync()  # type: ignore[union-attr]
            assert (here.output / "log" / "deploys" / "2.json").is_file()
            assert nightly.publish(other, confirm=url).ok, "a second confirmation reads the newest deploy back"
            with pytest.raises(ConfigError, match="the pages name"):
                nightly.publish(other, confirm=url + "other/")
        finally:
            server.shutdown()


def test_a_wrong_key_is_told_before_anything_is_drafted(tmp_path: Path) -> None:
    settings, to = nights.publication(tmp_path)
    wrong = replace(nights.at_night(tmp_path, settings, 1, 0), secret=facts.key(seed=8).text)
    with pytest.raises(KeyUnusable, match="the settings pin"):
        nightly.nightly(wrong, to=to, count=1)
    without = replace(wrong, secret="")
    with pytest.raises(KeyUnusable, match="no signing key was given"):
        nightly.nightly(without, to=to, count=1)
    assert not (tmp_path / "output" / "runs").exists()


def test_without_a_destination_nothing_begins(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no destination"):
        nightly.nightly(nights.at_night(tmp_path, nights.SETTINGS, 1, 0))
    with pytest.raises(ConfigError, match="one of --to, --begin and --confirm"):
        nightly.publish(nights.at_night(tmp_path, nights.SETTINGS, 1, 0))


def test_a_site_that_does_not_hold_is_not_deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = nights.SETTINGS
    here = nights.at_night(tmp_path, settings, 1, 0)
    facts.queue(here.output, range(1))
    nightly.append(here, None)
    real = nightly.build

    def build(*arguments: object) -> object:
        made = real(*arguments)  # type: ignore[arg-type]
        (here.site / "d" / "0" / "0.md").unlink()
        return made

    monkeypatch.setattr(nightly, "build", build)
    with pytest.raises(Exception, match=r"0\.md: a page as text cannot be read"):
        nightly.publish(here, to=f"folder:{tmp_path / 'public'}")
    assert not (tmp_path / "public").exists()
    assert archive.read_ledger(here.output).newest_deploy is not None
