"""Disclosures in Chromium, under a sub-path: they verify themselves, damage is named, hostile text stays text."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import Server, Visit, serve
from site_fixture import PUBLISHED, build_site, patents, record, write_archive

from generator.record.disclosure import Paragraph
from generator.record.record import MAX_CLAIMS, Record

EVIL = "http://evil.example"
HOSTILE = 3
LARGE = 4


def hostile() -> Record:
    marked = f'<script src="{EVIL}/x.js"></script><script>window.hacked = 1</script>'
    return record(
        f"</title></h1>{marked}{{{{ 7*7 }}}} {{% raw %}} --- \"quoted\" 'single' title: {{: onclick=hacked=1 }} #",
        f'<img src="{EVIL}/a.png" onerror="window.hacked = 1"> ![x]({EVIL}/b.png) [x]({EVIL}) <{EVIL}> '
        "&lt;b&gt; &#60;script&#62; <!-- comment --> ]]> [TOC] *[HTML]: `code` ~~~ | a | b | \\* \\",
        [
            "- x](javascript:window.hacked=1) <a href=javascript:hacked=1>claim 1</a> <svg onload=hacked=1>",
            (f"2. The thing of claim 1</li></ol>{marked}[^1]: {EVIL}", (1,)),
            ("# of claims 1-2 ```js window.hacked=1``` {: #claim-1 onmouseover=hacked=1 }", (1, 2)),
            "W" * 5_000,
            "漢字 \U0001f600 e\u0301".replace("e\u0301", "é") + " zero\u200bwidth \u00a0 double  space",
        ],
        [
            Paragraph("model", f"</p></div></article><style>body{{display:none}}</style>{marked}"),
            Paragraph("model", "{: .n } [\\[0001\\]](#p-0001){: .n } [0001] +1. --- : x"),
            Paragraph("model", "<base href=//evil.example/><meta http-equiv=refresh content=0;url=//evil.example>"),
        ],
        salt=4,
        model='"><script>window.hacked=1</script>',
    )


def large() -> Record:
    claims: list[str | tuple[str, tuple[int, ...]]] = ["A thing that comprises a first part and a second part."]
    claims += [
        (f"The thing of claim {n - 1}, wherein part {n} is <joined> to part {n - 1}.", (n - 1,))
        for n in range(2, MAX_CLAIMS + 1)
    ]
    return record("A thing with as many claims as a record may hold", "A thing.", claims, salt=5)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("browser")
    write_archive(output, [*patents(), hostile(), large()], [(PUBLISHED, [0, 1, 3, 4])])
    return build_site(output).folder


@pytest.fixture(scope="module")
def server(site: Path) -> Iterator[Server]:
    with serve(site) as running:
        yield running


@pytest.mark.parametrize("serial", range(5))
def test_every_page_verifies_itself_and_asks_no_other_host(visit: Visit, server: Server, serial: int) -> None:
    visit.open(f"{server.url}d/0/{serial}.html")
    assert visit.state() == "verified", visit.status()
    assert visit.status().startswith("Verified: this text is record ")
    assert visit.page.locator(".press-verify ol li[data-mark=done]").count() == 4
    assert [url for url in visit.requests if not url.startswith(server.url)] == []
    assert visit.errors == []


def test_hostile_text_is_shown_and_not_run(visit: Visit, server: Server, site: Path) -> None:
    page = visit.open(f"{server.url}d/0/{HOSTILE}.html")
    assert visit.state() == "verified"
    text = json.loads((site / f"d/0/{HOSTILE}.json").read_bytes())
    page.evaluate("document.querySelectorAll('.press-link').forEach((extra) => extra.remove())")
    assert page.text_content("#title") == text["title"]
    assert page.text_content("#abstract-text") == text["abstract"]
    assert page.locator(".press-text ol > li").all_text_contents() == [claim["text"] for claim in text["claims"]]
    shown = page.locator(".press-text p.para").all_text_contents()
    own = [(n, item) for n, item in enumerate(text["description"], 1) if item["origin"] == "model"]
    assert shown == [f"[{n:04d}] {item['text']}" for n, item in own]
    assert page.evaluate("window.hacked") is None
    assert page.title() == f"PAP-0000003: {text['title']} - Prior Art Press"
    assert json.loads(page.text_content('script[type="application/ld+json"]'))["headline"] == text["title"]
    for path in ("index.html", "d/0/index.html", "d/0/2026-11-22.html"):
        visit.open(server.url + path)
        assert text["title"] in page.locator("a").all_text_contents()
        assert page.evaluate("window.hacked") is None
    assert [url for url in visit.requests if "evil" in url] == []
    assert visit.errors == []


def change(path: Path, old: bytes, new: bytes) -> None:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


def break_record(site: Path) -> None:
    change(site / "d/0/0.json", b"drip irrigation", b"drip irrigatiom")


def break_text(site: Path) -> None:
    change(site / "d/0/0.html", b"20 kPa and 60 kPa.</li>", b"20 kPa and 90 kPa.</li>")


def break_paragraph(site: Path) -> None:
    change(site / "d/0/0.html", b"which is often forgotten.", b"which is seldom forgotten.")


def break_claims(site: Path) -> None:
    change(site / "d/0/0.html", b'<li id="claim-6">', b'<li id="claim-7">An eighth claim</li><li id="claim-6">')


def break_title(site: Path) -> None:
    change(site / "d/0/0.html", b"cleans itself</h1>", b"cleans others</h1>")


def break_hash_on_page(site: Path) -> None:
    digest = patents()[0].sha256.encode()
    change(site / "d/0/0.html", b'data-sha256="' + digest, b'data-sha256="' + b"0" * 64)


def break_proof(site: Path) -> None:
    lines = (site / "d/0/0.proof").read_text().split("\n")
    lines[2] = ("A" if lines[2][0] != "A" else "B") + lines[2][1:]
    (site / "d/0/0.proof").write_text("\n".join(lines))


def break_proof_length(site: Path) -> None:
    lines = (site / "d/0/0.proof").read_text().split("\n")
    (site / "d/0/0.proof").write_text("\n".join([*lines[:3], lines[2], *lines[3:]]))


def break_size(site: Path) -> None:
    change(site / "d/0/0.proof", b"press.example/log\n5\n", b"press.example/log\n6\n")


def swap_proof(site: Path) -> None:
    shutil.copyfile(site / "d/0/1.proof", site / "d/0/0.proof")


def break_signature(site: Path) -> None:
    text = (site / "d/0/0.proof").read_text()
    at = text.index("— press.example/log ") + 40
    (site / "d/0/0.proof").write_text(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :])


def break_key(site: Path) -> None:
    text = (site / "log/vkey").read_text()
    (site / "log/vkey").write_text(text[:-10] + ("A" if text[-10] != "A" else "B") + text[-9:])


def lose_record(site: Path) -> None:
    (site / "d/0/0.json").unlink()


def lose_key(site: Path) -> None:
    (site / "log/vkey").unlink()


@pytest.mark.parametrize(
    ("harm", "state", "said"),
    [
        (break_record, "failed", "Verification failed: the record is not the one that this page names"),
        (break_hash_on_page, "failed", "Verification failed: the record is not the one that this page names"),
        (break_text, "failed", "Verification failed: claim 2 on this page is not the record's."),
        (break_paragraph, "failed", "Verification failed: paragraph 1 on this page is not the record's."),
        (break_claims, "failed", "Verification failed: this page shows 7 claims, the record has 6."),
        (break_title, "failed", "Verification failed: the title on this page is not the record's."),
        (break_proof, "failed", "Verification failed: the inclusion proof does not lead from this record"),
        (break_proof_length, "failed", "Verification failed: the inclusion proof has the wrong length."),
        (break_size, "failed", "Verification failed: the signature does not fit the checkpoint."),
        (swap_proof, "failed", "Verification failed: the proof is of another disclosure."),
        (break_signature, "failed", "Verification failed: the signature does not fit the checkpoint."),
        (break_key, "failed", "Verification failed: the verification key does not match its own key id."),
        (lose_record, "unchecked", "Could not check: the record could not be fetched (404)."),
        (lose_key, "unchecked", "Everything but the signature is verified."),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_damage_is_found_and_named(visit: Visit, site: Path, tmp_path: Path, harm: Any, state: str, said: str) -> None:
    copied = tmp_path / "site"
    shutil.copytree(site, copied)
    harm(copied)
    with serve(copied) as running:
        visit.open(f"{running.url}d/0/0.html")
        assert visit.state() == state
        assert visit.status().startswith(said), visit.status()
        assert visit.page.locator(".press-verify details[open]").count() == 1


def test_a_browser_without_ed25519_says_what_it_could_not_check(visit: Visit, server: Server) -> None:
    visit.page.add_init_script("SubtleCrypto.prototype.importKey = () => Promise.reject(new Error('not supported'))")
    visit.open(f"{server.url}d/0/0.html")
    assert visit.state() == "unchecked"
    assert visit.status().startswith("Everything but the signature is verified. Not checked: this browser cannot check")


def test_without_a_secure_context_the_page_says_why_it_cannot_check(visit: Visit, server: Server) -> None:
    visit.page.add_init_script("Object.defineProperty(Crypto.prototype, 'subtle', { get: () => undefined })")
    visit.open(f"{server.url}d/0/0.html")
    assert visit.state() == "unchecked"
    assert "only on pages served over https" in visit.status()
