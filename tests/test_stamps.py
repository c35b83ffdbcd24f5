"""Time-stamps of RFC 3161: a real authority on this machine, others that cheat, kills at each write, by hand."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import authority
import facts
import pytest
from authority import Server, serving
from site_fixture import build_site

from generator.base import fetch, files
from generator.base.errors import ConfigError, LogError, VerificationError
from generator.base.publication import Publication
from generator.base.settings import Settings
from generator.commands.anchoring import probe, stamp
from generator.commands.verify import verify
from generator.log.anchors import folder
from generator.log.anchors.authorities import built_in_authorities, load_authorities, load_authority
from generator.log.anchors.statements import read_statements
from generator.log.anchors.tokens import new_request, read_token, verify_token
from generator.log.archive import read_ledger
from generator.log.entries import Anchored
from generator.publish.deploy import require_right
from generator.publish.stamping import TRIES
from generator.site.check import _told, read_page
from generator.verify.anchors import Trust, default_trust

DATA = b"example.org/log\n8\nroot\n"
GOOD = authority.POLICY


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("authorities")
    return {
        "good": authority.make(base / "good"),
        "evil": authority.make(base / "evil"),
        "expired": authority.make(base / "expired", days=("20200101000000Z", "20210101000000Z")),
    }


def root(authorities: dict[str, Path], name: str = "good") -> bytes:
    return (authorities[name] / "root.pem").read_bytes()


Answer = Callable[[dict[str, Path], bytes], bytes]
CHEATS: dict[str, tuple[Answer, str]] = {
    "its own root embedded": (lambda a, q: authority.reply(a["evil"], q, chain="all"), "not signed under"),
    "another signer": (lambda a, q: authority.reply(a["evil"], q), "not signed under"),
    "wrong imprint": (lambda a, _: authority.reply(a["good"], new_request(b"another")), "wrong imprint"),
    "wrong nonce": (lambda a, _: authority.reply(a["good"], new_request(DATA)), "wrong nonce"),
    "another policy": (lambda a, q: authority.reply(a["good"], q, "1.2.3.4.2"), "is of policy 1.2.3.4.2"),
    "bytes at the end": (lambda a, q: authority.reply(a["good"], q) + b"x", "not a time-stamp"),
    "half a reply": (lambda a, q: authority.reply(a["good"], q)[:900], "not a time-stamp"),
    "HTML": (lambda *_: b"<!doctype html><p>Sign in", "not a time-stamp"),
    "nothing": (lambda *_: b"", "not a time-stamp"),
    "much": (lambda *_: b"0" * 100_000, "more than"),
    "the request": (lambda _, q: q, "not a time-stamp"),
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_token_that_is_not_what_was_asked_for_is_refused(cheat: str, authorities: dict[str, Path]) -> None:
    answer, said = CHEATS[cheat]
    request = new_request(DATA)
    with pytest.raises(LogError, match=said):
        verify_token(answer(authorities, request), request, DATA, root(authorities), GOOD)


def test_a_certificate_that_was_not_valid_then_is_refused(authorities: dict[str, Path]) -> None:
    """openssl signs with it, as an authority that does not look at its own clock would."""
    request = new_request(DATA)
    answer = authority.reply(authorities["expired"], request)
    assert read_token(answer, request, DATA).policy == GOOD
    with pytest.raises(LogError, match="not signed under the pinned root"):
        verify_token(answer, request, DATA, root(authorities, "expired"))


def test_a_good_token_says_the_time_and_openssl_agrees(authorities: dict[str, Path], tmp_path: Path) -> None:
    request = new_request(DATA)
    before = int(time.time())
    answer = authority.reply(authorities["good"], request)
    token = verify_token(answer, request, DATA, root(authorities), GOOD)
    assert before <= token.epoch <= time.time() + 1
    for name, data in (("r.tsr", answer), ("data", DATA), ("chain.pem", token.chain)):
        (tmp_path / name).write_bytes(data)
    line = ("openssl", "ts", "-verify", "-in", "r.tsr", "-data", "data", "-untrusted", "chain.pem")
    for name, status in (("good", 0), ("evil", 1)):
        pinned = ("-CAfile", str(authorities[name] / "root.pem"), "-attime", str(token.epoch))
        assert subprocess.run([*line, *pinned], cwd=tmp_path, capture_output=True).returncode == status


@pytest.fixture
def server(authorities: dict[str, Path]) -> Iterator[Server]:
    with serving(lambda body: authority.reply(authorities["good"], body)) as running:
        yield running


@pytest.fixture
def publication(tmp_path: Path, server: Server, authorities: dict[str, Path]) -> Publication:
    """Eleven disclosures, dated; one authority in the settings, and another that is not there."""
    facts.archive(tmp_path / "output", 11, published=facts.TIME)
    (tmp_path / "local.pem").write_bytes(root(authorities))
    for name, url in (("local", server.url), ("second", server.url)):
        (tmp_path / f"{name}.toml").write_text(f'url = "{url}"\nroot = "local.pem"\npolicy = "{GOOD}"\n')
    told: list[str] = []
    settings = Settings(
        origin=facts.ORIGIN, vkey=facts.key().verification_key.text, authorities="local.toml second.toml"
    )
    return Publication(tmp_path, settings, told.append, now=lambda: now(), wait=lambda _: None)


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def report(publication: Publication) -> list[str]:
    return publication.report.__self__  # type: ignore[attr-defined,no-any-return]


def lines(publication: Publication, target: str = "7") -> list[str]:
    return [line for line in verify(publication, target).lines if "existed by" in line]


def test_the_newest_checkpoint_is_stamped_once_by_each(publication: Publication, server: Server) -> None:
    assert lines(publication) == ["--    existed by: no evidence"]
    outcome = stamp(publication)
    assert set(outcome.figures["stamps"]) == {"local", "second"}
    assert outcome.figures["size"] == 12
    assert stamp(publication).figures == outcome.figures
    assert len(server.asked) == 2
    times = outcome.figures["stamps"]
    assert lines(publication)[-1] in [f"ok    existed by: {times[n]} ({n}, checkpoint 12)" for n in times]
    assert report(publication) == []


def test_both_stamps_are_in_the_audit_and_in_the_next_nights_log(publication: Publication) -> None:
    stamp(publication)
    output = publication.output
    facts.archive(output, 1, first=11)
    anchored = [entry for entry in read_ledger(output).entries if isinstance(entry, Anchored)]
    named = {path for entry in anchored for path, _, _ in entry.files}
    assert {"anchors/12/local.tsq", "anchors/12/local.tsr", "anchors/12/second.tsr"} < named
    assert len([path for path in named if path.startswith("roots/")]) == 2
    facts.archive(output, 1, first=12)
    assert len([entry for entry in read_ledger(output).entries if isinstance(entry, Anchored)]) == 1
    said = lines(publication, str(output))
    assert said == ["ok    existed by: 2 stamps of 1 checkpoints by local hold under pinned keys"]
    assert verify(publication, str(output)).ok


DAMAGE = {
    "a byte of a token": ("anchors/12/local.tsr", lambda data: data[:700] + b"\x00\x00" + data[702:]),
    "another request": ("anchors/12/local.tsq", lambda _: new_request(b"x")),
    "a certificate": ("roots/", lambda data: data.replace(b"M", b"N", 1)),
    "a file that has no place": ("anchors/12/notes.txt", lambda _: b"hello"),
    "a token that is gone": ("anchors/12/second.tsr", None),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_was_changed_below_anchors_is_found(damage: str, publication: Publication) -> None:
    stamp(publication)
    facts.archive(publication.output, 1, first=11)
    name, change = DAMAGE[damage]
    path = publication.output / "log" / name
    if path.is_dir():
        path = min(path.iterdir())
    if change is None:
        path.unlink()
    else:
        path.write_bytes(change(path.read_bytes() if path.exists() else b""))
    with pytest.raises(VerificationError, match=r"anchors|existed by"):
        facts.audit(publication.output)


def test_a_stamp_under_a_root_that_is_not_pinned_is_no_statement(publication: Publication) -> None:
    stamp(publication)
    stranger = replace(publication, settings=replace(publication.settings, authorities=""))
    assert lines(stranger) == ["--    existed by: no evidence"]
    said = verify(stranger, str(publication.output)).lines
    assert any(
        line.startswith("--    others: not checked, for their roots and keys are not pinned here") for line in said
    )
    pinned = verify(stranger, "7", trust=(publication.root / "local.pem",)).lines
    assert any(line.startswith("ok    existed by:") and "(local, checkpoint 12)" in line for line in pinned)


@pytest.mark.parametrize("cheat", [name for name in CHEATS if name not in ("wrong nonce", "wrong imprint")])
def test_an_authority_that_lies_stops_nothing_and_is_named(
    cheat: str, publication: Publication, server: Server, authorities: dict[str, Path]
) -> None:
    answer, _ = CHEATS[cheat]
    with serving(lambda body: answer(authorities, body)) as liar:
        second = publication.root / "second.toml"
        second.write_text(second.read_text().replace(server.url, liar.url))
        assert set(stamp(publication).figures["stamps"]) == {"local"}
        assert len(liar.asked) == TRIES
    (said,) = report(publication)
    assert said.startswith("stamp: second gave no stamp of checkpoint 12: 3 tries:")
    assert [path.name for path in (publication.output / "log/anchors/12").iterdir()] == ["local.tsq", "local.tsr"] or {
        path.name for path in (publication.output / "log/anchors/12").iterdir()
    } == {"local.tsq", "local.tsr"}


@pytest.mark.parametrize("trouble", ["down", "slow", "busy", "not HTTP"])
def test_an_authority_that_does_not_answer_is_named_and_asked_again_next_time(
    trouble: str, publication: Publication, server: Server
) -> None:
    second = publication.root / "second.toml"
    kept = second.read_text()
    waits: list[float] = []
    slow = lambda url, data, **options: fetch.post(url, data, **{**options, "timeout_seconds": 0.2})  # noqa: E731
    asking = replace(publication, wait=waits.append, post=slow)
    with serving(lambda _: b"") as other:
        other.seconds, other.status = (1.0 if trouble == "slow" else 0), (503 if trouble == "busy" else 200)
        url = "http://127.0.0.1:1/" if trouble == "down" else other.url
        second.write_text(kept.replace(server.url, "ftp://x/" if trouble == "not HTTP" else url))
        if trouble == "not HTTP":
            with pytest.raises(ConfigError, match="url is no http address"):
                stamp(asking)
            return
        assert set(stamp(asking).figures["stamps"]) == {"local"}
    assert len(waits) == TRIES - 1
    assert "second gave no stamp of checkpoint 12: 3 tries:" in report(publication)[0]
    second.write_text(kept)
    assert set(stamp(publication).figures["stamps"]) == {"local", "second"}


class Killed(BaseException):
    pass


def test_a_kill_at_each_write_is_gone_on_from(publication: Publication, monkeypatch: pytest.MonkeyPatch) -> None:
    real, kills = files.write, 0
    while True:
        left = [kills]

        def write(path: Path, data: bytes, *, durable: bool = True, left: list[int] = left) -> None:
            if left[0] == 0:
                tempfile.mkstemp(dir=_made(path.parent), prefix=files.TEMPORARY)
                raise Killed
            left[0] -= 1
            real(path, data, durable=durable)

        monkeypatch.setattr(files, "write", write)
        try:
            stamp(publication)
        except Killed:
            monkeypatch.setattr(files, "write", real)
            facts.audit(publication.output)
            kills += 1
            for torn in [*publication.output.glob("log/anchors/12/*.ts?"), *publication.output.glob("log/roots/*")]:
                torn.unlink()
            continue
        break
    assert kills == 6
    monkeypatch.setattr(files, "write", real)
    assert set(stamp(publication).figures["stamps"]) == {"local", "second"}
    facts.audit(publication.output)


def _made(folder_: Path) -> Path:
    folder_.mkdir(parents=True, exist_ok=True)
    return folder_


def test_a_request_whose_reply_never_came_is_no_stamp(publication: Publication) -> None:
    files.write(publication.output / "log" / "anchors" / "12" / "local.tsq", new_request(b"x"))
    facts.audit(publication.output)
    assert folder.unlogged(publication.output / "log", read_ledger(publication.output)) == ()
    assert set(stamp(publication).figures["stamps"]) == {"local", "second"}


def test_a_clock_that_is_off_is_found_by_a_probe(publication: Publication) -> None:
    name, told = probe(publication) or ("", None)
    assert name == "local"
    require_right(now(), told, "the authority")
    for off in ("2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z"):
        with pytest.raises(LogError, match="this machine's clock says"):
            require_right(off, told, "the time-stamp authority local")
    silent = replace(publication, settings=replace(publication.settings, authorities=""))
    assert probe(silent) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('url = "http://example.org/"', "root"),
        ('url = "http://example.org/"\nroot = "none.pem"', "cannot be read"),
        ('url = "http://example.org/"\nroot = "junk.pem"', "does not hold one certificate"),
        ('url = "ftp://example.org/"\nroot = "local.pem"', "url is no http address"),
        ('url = "http://example.org/"\nroot = "local.pem"\npolicy = "any"', "policy is no number"),
        ('url = "http://example.org/"\nroot = "local.pem"\nnonce = 1', "nonce"),
        ("url = ", "Invalid value"),
    ],
)
def test_a_file_of_an_authority_says_what_is_wrong(
    text: str, said: str, tmp_path: Path, authorities: dict[str, Path]
) -> None:
    (tmp_path / "local.pem").write_bytes(root(authorities))
    (tmp_path / "junk.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises((ConfigError, files.PressError), match=said):
        load_authority("own.toml", tmp_path)


def test_authorities_of_the_package_and_of_the_settings(tmp_path: Path) -> None:
    assert built_in_authorities() == ("digicert", "globalsign", "sslcom")
    found = load_authorities("digicert sslcom", tmp_path)
    assert [one.name for one in found] == ["digicert", "sslcom"]
    assert set(default_trust().roots) == set(built_in_authorities())
    with pytest.raises(ConfigError, match="named twice"):
        load_authorities("digicert digicert", tmp_path)
    with pytest.raises(ConfigError, match="nobody: No such file"):
        load_authorities("nobody", tmp_path)
    assert Trust({}).roots == {}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, authorities: dict[str, Path]) -> Path:
    """A built site of two disclosures, of which the first is stamped."""
    root_ = tmp_path_factory.mktemp("site")
    output = facts.archive(root_ / "output", 1, published=facts.TIME)
    note = (output / "log/checkpoints/2").read_bytes()
    request = new_request(note)
    made = folder.Stamp(2, "local", request, authority.reply(authorities["good"], request))
    token = verify_token(made.reply, request, note, root(authorities))
    folder.write_stamp(output / "log", made, token.chain, root(authorities))
    facts.archive(output, 1, first=1)
    build_site(output, origin=facts.ORIGIN, vkey=facts.key().verification_key.text)
    return output


def told(site: Path, serial: int) -> list[str]:
    return read_page((site / f"site/d/0/{serial}.html").read_bytes()).told


def test_the_page_shows_the_stamps_that_cover_it(site: Path) -> None:
    (statement,) = read_statements(site / "log").of(0, 1)
    assert told(site, 0) == [str(statement)]
    assert str(statement).startswith("existed local 2 20")
    assert told(site, 2) == []
    page = (site / "site/d/0/2.html").read_text()
    assert "not stamped yet" in page
    assert f">{statement.time}</span>" in (site / "site/d/0/0.html").read_text()
    facts.audit(site)
    facts.audit(site / "site")


def test_check_finds_a_page_that_shows_another_statement(site: Path) -> None:
    (statement,) = read_statements(site / "log").of(0, 1)
    logged = facts.logged(site)
    pages = {f"d/0/{n}.html": read_page((site / f"site/d/0/{n}.html").read_bytes()) for n in (0, 2)}
    assert _told(pages, logged, read_statements(site / "log")).text.startswith("1 statements")
    for serial, shown in ((0, []), (0, [str(statement).replace("20", "19", 1)]), (2, [str(statement)])):
        wrong = {**pages, f"d/0/{serial}.html": replace(pages[f"d/0/{serial}.html"], told=shown)}
        with pytest.raises(VerificationError, match=r"dates: d/0/"):
            _told(wrong, logged, read_statements(site / "log"))
