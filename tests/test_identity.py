"""What a publisher sets of a site: the accent can be read, the mark is harmless, the type is small and licensed."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from site_fixture import ROOT, TEMPLATES, settings

from generator.base.errors import ConfigError
from generator.site.identity import DARK_PAPER, LEAST_CONTRAST, LIGHT_PAPER, contrast, mark, style

COLOURS = st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06x}")
PLAIN = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h8v8z"/></svg>'


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#ffffff", "#777777") == contrast("#777777", "#ffffff")


@given(COLOURS)
def test_an_accent_can_be_read_on_light_and_dark_pages_or_is_refused(colour: str) -> None:
    if contrast(colour, LIGHT_PAPER) < LEAST_CONTRAST:
        with pytest.raises(ConfigError, match="its contrast with white is"):
            style(settings(accent=colour))
        return
    light, dark, again = re.findall(r"--link: (#[0-9a-f]{6})", style(settings(accent=colour.upper())))
    assert light == colour
    assert dark == again
    assert contrast(dark, DARK_PAPER) >= LEAST_CONTRAST


def test_the_papers_are_those_of_the_style_sheet() -> None:
    sheet = (TEMPLATES / "assets/press.css").read_text()
    assert re.findall(r"--paper: (#[0-9a-f]{6})", sheet) == [LIGHT_PAPER, DARK_PAPER, DARK_PAPER]


def test_the_shipped_mark_and_a_plain_one_are_taken(tmp_path: Path) -> None:
    (tmp_path / "mark.svg").write_text(PLAIN)
    assert mark(tmp_path / "mark.svg") == PLAIN.encode()
    assert mark(TEMPLATES / "assets/icon.svg")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<html/>", "it is no SVG"),
        ("nothing", "syntax error"),
        ("", "no element found"),
        (PLAIN.replace("<path", "<script>alert(1)</script><path"), "it holds <script>"),
        (PLAIN.replace("<path", "<style>@import url(http://evil.example)</style><path"), "it holds <style>"),
        (PLAIN.replace("<path", "<foreignObject/><path"), "it holds <foreignObject>"),
        (PLAIN.replace("<path", '<path onload="alert(1)"'), "it holds onload="),
        (PLAIN.replace("<path", '<image href="http://evil.example/x.png"/><path'), "it refers to http://evil.example"),
        (PLAIN.replace("<path", '<a href=" javascript:alert(1)"/><path'), "it refers to  javascript:alert"),
        ('<!DOCTYPE svg [<!ENTITY e "x">]>' + PLAIN, "it declares a document type"),
        (PLAIN.replace("M0 0", "M0 0" * 6000), "20,000 are allowed"),
    ],
)
def test_a_mark_that_is_more_than_shapes_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mark.svg").write_text(text)
    with pytest.raises(ConfigError, match=re.escape(said)):
        mark(tmp_path / "mark.svg")


def test_a_mark_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"logo\.svg"):
        mark(tmp_path / "logo.svg")


def test_the_shipped_type_is_small_and_has_its_licence() -> None:
    fonts = TEMPLATES / "assets/fonts"
    assert "SIL Open Font License" in (fonts / "LICENSE").read_text()
    named = re.findall(r'url\("fonts/([^"]+)"\)', (TEMPLATES / "assets/press.css").read_text())
    assert sorted(named) == sorted(path.name for path in fonts.glob("*.woff2"))
    assert all((fonts / name).read_bytes()[:4] == b"wOF2" for name in named)
    assert sum((fonts / name).stat().st_size for name in named) < 50_000


def test_settings_of_looks_have_their_forms() -> None:
    from generator.base.settings import FORMS

    assert FORMS["accent"][0].fullmatch("#1D4f86")
    for wrong in ("1d4f86", "#1d4", "blue", "#1d4f86;}", "#1d4f8g"):
        assert not FORMS["accent"][0].fullmatch(wrong)
    assert not FORMS["imprint"][0].fullmatch("a\nb")
    assert replace(settings(), imprint="x").imprint == "x"
    assert (ROOT / "docs/settings.md").read_text().count("`accent`") == 1
