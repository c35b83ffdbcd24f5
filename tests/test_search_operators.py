"""The search language: its parser under node, and 200 generated queries in Chromium against a plain evaluator."""

import json
import subprocess
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import plain_search
import pytest
import site_fixture
from test_search import write_pages

from generator.base.words import words
from generator.log.archive import VOLUME
from generator.site import bundles

ASSETS = site_fixture.TEMPLATES / "assets"
TEXTS = [*plain_search.texts(40, 0, 1), *plain_search.texts(30, VOLUME, 2)]


def node(script: str, value: object) -> Any:
    """Run a module with `input` bound to a value; what it gives to `answer` comes back."""
    program = (
        f"import {{readFileSync}} from 'node:fs'; const input = JSON.parse(readFileSync(0, 'utf8'));"
        f"const answer = (value) => process.stdout.write(JSON.stringify(value));{script}"
    )
    done = subprocess.run(
        ["node", "--input-type=module", "-e", program], input=json.dumps(value), capture_output=True, text=True,
        cwd=ASSETS, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def read(queries: list[str]) -> list[Any]:
    """Each query as it was read, or [message, first character, end] of what cannot be read."""
    return node(
        f"import {{ parse, describe, Misread }} from 'file://{ASSETS}/search-syntax.js';"
        "answer(input.map((text) => { try { return describe(parse(text)); } catch (error) {"
        "if (!(error instanceof Misread)) throw error; return [error.message, error.at, error.end]; } }));",
        queries,
    )


READ = {
    "magnetic ADJ field": "magnetic ADJ field",
    "a OR b AND c NOT d": "a OR ((b AND c) AND NOT d)",
    "a b c": "a AND b AND c",
    "a XOR b OR c": "(a XOR b) OR c",
    "a AND b XOR c": "(a AND b) XOR c",
    "a WITH b ADJ c": "a WITH (b ADJ c)",
    "a SAME b WITH2 c": "a SAME (b WITH2 c)",
    "(magnetic ADJ3 field).clm. AND A61K.cpc.": "(magnetic.clm. ADJ3 field.clm.) AND A61K.cpc.",
    '"damped hinge".ti,ab. valve': '"damped hinge".ti,ab. AND valve',
    "“damped hinge” lever": '"damped hinge" AND lever',
    "self-cleaning NEAR3 (trap OR H₂O)": '"self cleaning" NEAR3 (trap OR h2o)',
    "@pd>=20260101<=20261231": "@pd>=20260101<=20261231",
    "@pd>20260101<20260301": "@pd>=20260102<=20260228",
    "@pd=2026-02-28 hinge$2": "@pd>=20260228<=20260228 AND hinge$2",
    "PAP-0000003.pn. OR press.example/log#4.pn.": "3.pn. OR 4.pn.",
    "20260131.pd.": "@pd>=20260131<=20260131",
    "NOT hinge": "NOT hinge",
    "hinge AND NOT (door OR cup)": "hinge AND NOT (door OR cup)",
    "Naïve ﬁeld's": "naive AND field",
    "and or not": "and AND or AND not",
    "(" * 1000 + "a" + ")" * 1000: "a",
}
MISREAD = {
    "(a AND b) ADJ c": ("ADJ joins", 10),
    "A61K.cpc. SAME b": ("SAME joins", 10),
    "foo.xx.": ("no field .xx.", 0),
    "a (b c).zz.": ("no field .zz.", 7),
    "(a": ("not closed", 0),
    "a b) c": ("closes nothing", 3),
    'a "b': ("no partner", 2),
    "AND a": ("Nothing stands before", 0),
    "a OR": ("Nothing follows", 2),
    "a AND OR b": ("Nothing stands before", 6),
    "@pd>=20260230": ("is no day", 0),
    "a @ad>20260101": ("one date", 2),
    "a @pd": ("needs a day", 2),
    "@pd>=soon": ("write a range", 0),
    "a && b": ("no letter and no digit", 2),
    "a $": ("need a letter", 2),
    "a ()": ("empty", 2),
    "": ("empty", 0),
    "a ADJ0 b": ("a distance is", 2),
    "a ADJ9999 b": ("a distance is", 2),
    "a NOT WITH b": ("write: a NOT (a WITH b)", 2),
    "(a.ti.).ab.": ("No word can stand", 7),
    "a$b$c$d$e$": ("can hold 4", 0),
    "Z99.cpc.": ("no symbol", 0),
    "A61K31/00.cpc.": ("write A61K.cpc.", 0),
    "x.pn.": ("no number", 0),
    "soon.pd.": ("no day", 0),
    ".ti.": ("no word before", 0),
    "ti,cpc a.ti,cpc.": ("stands alone", 7),
    "(@pd=20260101).ti.": ("cannot restrict", 14),
    "(" * 1001 + "a" + ")" * 1001: ("nested 1000 deep", 1000),
    "NOT " * 1001 + "a": ("nested 1000 deep", 4000),
    "a " * 1001: ("1000 words", 2000),
    "x" * 100_000: ("100000 characters", 20_000),
}


def test_what_a_query_means() -> None:
    assert dict(zip(READ, read(list(READ)), strict=True)) == READ


def test_what_a_query_cannot_mean_is_said_with_its_place() -> None:
    for query, got in zip(MISREAD, read(list(MISREAD)), strict=True):
        message, at = MISREAD[query]
        assert isinstance(got, list), (query[:80], got)
        assert message in got[0], (query[:80], got)
        assert got[1] == at, (query[:80], got)
        assert got[1] <= got[2] <= max(len(query), 1)


def test_a_query_of_any_signs_is_read_or_refused() -> None:
    """Every block of Unicode, and random strings of the language's own signs: a tree or a remark, never a crash."""
    random = Random(7)
    blocks = ["".join(chr(c) for c in range(at, at + 64) if not 0xD800 <= c < 0xE000) for at in range(0, 0x20000, 256)]
    signs = ["(", ")", '"', "$", "?", ".ti.", ".clm.", "@pd>", "AND", "OR", "NOT", "ADJ2", "SAME", "a", "b-c", " ", " "]
    soup = ["".join(random.choices(signs, k=random.randint(1, 30))) for _ in range(2000)]
    answers = read(soup + blocks)
    assert all(isinstance(got, str) or got[0] for got in answers)
    trees = [got for got in answers if isinstance(got, str)]
    assert len(trees) > 100
    assert read(trees) == trees, "what is shown as the reading is read the same way"


def test_both_sides_cut_a_text_into_the_same_words() -> None:
    texts = [surface for surface, _ in plain_search.SURFACES]
    assigned = (chr(c) for c in range(0x30000) if unicodedata.category(chr(c)) not in ("Cn", "Cs"))
    texts += [f"a{sign}b {sign}" for sign in assigned]
    script = f"import {{ wordsIn }} from 'file://{ASSETS}/search-words.js'; answer(input.map((text) => wordsIn(text)));"
    ours = [words(text) for text in texts]
    assert node(script, texts) == ours
    known = [cut for _, cut in plain_search.SURFACES]
    assert ours[: len(known)] == known


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("operators") / "site"
    output = tmp_path_factory.mktemp("front")
    site_fixture.write_archive(output, site_fixture.patents())
    built = site_fixture.build_site(output).folder
    built.rename(folder)
    write_pages(folder, [(text.serial, plain_search.page(text)) for text in TEXTS])
    bundles.index(folder, [0, 1], expected={0: 40, 1: 30}, report=print)
    bundles.write_catalogue(folder)
    return folder


@pytest.fixture(scope="module")
def tab(chromium: Any, site: Path) -> Iterator[Any]:
    with site_fixture.serve(site) as server:
        page = chromium.new_page()
        page.goto(f"{server.url}search.html")
        yield page
        page.close()


FIND = """async (queries) => {
  const { find } = await import(new URL("assets/search-find.js", document.baseURI));
  const { readQuery } = await import(new URL("assets/search-address.js", document.baseURI));
  const answers = [];
  for (const q of queries) {
    const query = readQuery(new URLSearchParams({ q }).toString());
    if (!query.tree) throw new Error(`${q}: ${query.misread?.message}`);
    const found = await find(query);
    answers.push([found.results.map(({ page }) => page.serial).sort((a, b) => a - b), found.checked, found.candidates]);
  }
  return answers;
}"""


def test_two_hundred_queries_give_the_sets_of_a_plain_evaluator(tab: Any) -> None:
    random = Random(2026)
    trees = [plain_search.tree(random, 1 + n % 3) for n in range(200)]
    queries = [f"({plain_search.write(tree)})" for tree in trees]
    answers = tab.evaluate(FIND, queries)
    expected = [[text.serial for text in TEXTS if plain_search.fits(tree, text)] for tree in trees]
    wrong = [(q, got, want) for q, (got, *_), want in zip(queries, answers, expected, strict=True) if got != want]
    assert wrong == []
    read_texts = sum(checked for _, checked, _ in answers)
    assert read_texts < 0.8 * len(TEXTS) * len(queries), "the index spares reading texts"
    assert sum(0 < len(want) < len(TEXTS) for want in expected) > 100, "most queries tell some texts from others"


def test_every_word_of_the_texts_finds_its_pages(tab: Any) -> None:
    words = sorted({word for text in TEXTS for place in text.places for line in place.sentences for word in line})
    answers = tab.evaluate(FIND, [f'"{word}"' for word in words])
    for word, (got, *_) in zip(words, answers, strict=True):
        assert got == [text.serial for text in TEXTS if plain_search.fits(("w", [word], None), text)], word
