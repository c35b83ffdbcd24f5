"""Disclosures in Chromium, under a sub-path: they verify themselves, damage is named, hostile text stays text."""

import html
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browsing import Server, Visit, serve
from site_fixture import KEY, PUBLISHED, build_site, patents, record, write_archive
from test_verify import no_network

from generator.record.disclosure import Paragraph
from generator.record.record import MAX_CLAIMS, Record
from generator.verify.verify import verify

VKEY = KEY.verification_key.text

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
    assert visit.status().startswith("Verified by this page's own script: text, number, dates, review, model, licence")
    assert [url for url in visit.requests if not url.startswith(server.url)] == []
    assert visit.errors == []


def test_hostile_text_is_shown_and_not_run(visit: Visit, server: Server, site: Path) -> None:
    page = visit.open(f"{server.url}d/0/{HOSTILE}.html")
    assert visit.state() == "verified", visit.status()
    text = json.loads((site / f"d/0/{HOSTILE}.json").read_bytes())
    page.evaluate("document.querySelectorAll('button').forEach((extra) => extra.remove())")
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


def change(path: Path, old: str, new: str, count: int = 1) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, old
    path.write_text(text.replace(old, new, count), encoding="utf-8")


def carried(path: Path, name: str) -> bytes:
    found = re.search(f"""data-{name}=(["'])(.*?)\\1""", path.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return html.unescape(found[2]).encode()


def carry(path: Path, name: str, data: bytes) -> None:
    text, value = path.read_text(encoding="utf-8"), html.escape(data.decode())
    changed = re.sub(f"""data-{name}=(["']).*?\\1""", lambda _: f'data-{name}="{value}"', text, flags=re.DOTALL)
    path.write_text(changed, encoding="utf-8")


def damage(name: str, at: int) -> Callable[[Path], None]:
    def harm(page: Path) -> None:
        data = bytearray(carried(page, name))
        data[at] = ord("A") if data[at] != ord("A") else ord("B")
        carry(page, name, bytes(data))

    return harm


def of_another(page: Path) -> None:
    for name in ("record", "evidence"):
        carry(page, name, carried(page.with_name("1.html"), name))


def without_key(page: Path) -> None:
    carry(page, "vkey", b"")


@pytest.mark.parametrize(
    ("harm", "state", "said"),
    [
        (damage("record", 700), "failed", "Verification failed: the evidence is of another record."),
        (damage("evidence", 250), "failed", "Verification failed: the inclusion proof does not lead from entry 0"),
        (damage("evidence", -30), "failed", "Verification failed: the signature does not fit the checkpoint."),
        (damage("vkey", -10), "failed", "Verification failed: the verification key does not match its own key id."),
        (of_another, "failed", 'Verification failed: the number "PAP-0000000" is not 1, which the log gives.'),
        (without_key, "unchecked", "Could not check: this page carries no verification key."),
    ],
)
def test_damage_to_what_a_page_carries_is_named(
    visit: Visit, site: Path, tmp_path: Path, harm: Callable[[Path], None], state: str, said: str
) -> None:
    copied = shutil.copytree(site, tmp_path / "site")
    harm(copied / "d" / "0" / "0.html")
    with serve(copied) as running:
        visit.open(f"{running.url}d/0/0.html")
        assert visit.state() == state
        assert visit.status().startswith(said), visit.status()


def test_a_browser_without_ed25519_says_what_it_could_not_check(visit: Visit, server: Server) -> None:
    visit.page.add_init_script("SubtleCrypto.prototype.importKey = () => Promise.reject(new Error('not supported'))")
    visit.open(f"{server.url}d/0/0.html")
    assert visit.state() == "unchecked"
    assert visit.status().startswith("Could not check: this browser cannot check Ed25519 signatures")


def test_without_a_secure_context_the_page_says_why_it_cannot_check(visit: Visit, server: Server) -> None:
    visit.page.add_init_script("Object.defineProperty(Crypto.prototype, 'subtle', { get: () => undefined })")
    visit.open(f"{server.url}d/0/0.html")
    assert visit.state() == "unchecked"
    assert "only on pages served over https" in visit.status()


def test_the_good_result_is_no_part_of_a_saved_page(visit: Visit, server: Server, tmp_path: Path) -> None:
    """Saved as HTML and as MHTML; opened from the disk, the copy says what it can and what it cannot check."""
    page = visit.open(f"{server.url}d/0/0.html")
    assert visit.state() == "verified", visit.status()
    session = page.context.new_cdp_session(page)
    archive = str(session.send("Page.captureSnapshot", {"format": "mhtml"})["data"])
    markup = archive.partition("Content-Type: text/css")[0]
    for saved in (page.content(), markup):
        assert "erified by" not in saved
        assert "data-state" not in saved
    page.emulate_media(media="print")
    assert not page.locator("press-verdict").is_visible()
    assert "prior-art verify http" in str(page.locator(".press-sheet").text_content())
    for name, text in (("0.html", page.content()), ("0.mhtml", archive)):
        (tmp_path / name).write_bytes(text.encode())
        assert [step.name for step in verify(str(tmp_path / name), tmp_path, VKEY, fetch=no_network)][-6:] == [
            "page", "not compared", "published", "existed by", "public by", "created",
        ]  # fmt: skip
    visit.page.emulate_media(media="screen")
    visit.open((tmp_path / "0.mhtml").as_uri())
    assert "Save it and run prior-art verify 0.html" in str(page.text_content(".press-status"))


def test_a_saved_page_opened_from_the_disk_says_what_it_cannot_check(visit: Visit, site: Path) -> None:
    visit.open((site / "d" / "0" / "0.html").as_uri())
    assert visit.state() in ("saved", "unchecked")
    assert "cannot say" in visit.status()
