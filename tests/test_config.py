"""Settings: where each comes from, which source wins, and what every wrong value is told."""

from pathlib import Path

import pytest

from generator.base.errors import ConfigError
from generator.base.settings import Settings, load_settings


def write(root: Path, name: str, text: str) -> None:
    (root / name).write_text(text, encoding="utf-8")


def test_an_empty_folder_gives_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {}) == Settings()


def test_each_source_wins_over_the_one_before(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", '[tool.prior-art]\ntitle = "a"\npublisher = "a"\nprefix = "AA"\ncontact = "a"\n')
    write(tmp_path, "prior-art.toml", 'publisher = "b"\nprefix = "BB"\ncontact = "b"\n')
    settings = load_settings(tmp_path, {"PRIOR_ART_PREFIX": "CC", "PRIOR_ART_CONTACT": "c"}, contact="d", title=None)
    assert (settings.title, settings.publisher, settings.prefix, settings.contact) == ("a", "b", "CC", "d")


def test_a_pyproject_of_something_else_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", '[project]\nname = "other"\n')
    assert load_settings(tmp_path, {}) == Settings()


def test_booleans_come_from_the_environment_as_words(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {"PRIOR_ART_DEMONSTRATION": "true"}).demonstration is True
    assert load_settings(tmp_path, {"PRIOR_ART_DEMONSTRATION": "0"}).demonstration is False


def test_numbers_in_toml_are_read_as_their_text(tmp_path: Path) -> None:
    write(tmp_path, "prior-art.toml", "top_down_share = 0.25\n")
    assert load_settings(tmp_path, {}).top_down_share == "0.25"


def test_the_signing_key_is_no_setting(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, {"PRIOR_ART_KEY": "PRIVATE+KEY+secret"})
    assert "secret" not in repr(settings)
    write(tmp_path, "prior-art.toml", 'key = "PRIVATE+KEY+x"\n')
    with pytest.raises(ConfigError, match="unknown setting 'key'"):
        load_settings(tmp_path, {})


def test_the_origin_of_the_log_follows_the_site_unless_it_is_set() -> None:
    assert Settings(site_url="https://owner.github.io/repo/").log_origin == "owner.github.io/repo/log"
    assert Settings(origin="example.org/log").log_origin == "example.org/log"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("titel = 'x'", "unknown setting 'titel'"),
        ("title = ['x']", "title = .*text is expected"),
        ("demonstration = 'maybe'", "demonstration = 'maybe': true or false is expected"),
        ("prefix = 'pap'", "two to eight capital letters"),
        ("site_url = 'https://example.org'", "ends in a slash"),
        ("site_url = 'ftp://example.org/'", "an http or https URL"),
        ("site_url = 'https://example.org/?q=/'", "an http or https URL"),
        ("top_down_share = '1.5'", "from 0 to 1"),
        ("top_down_share = 'half'", "from 0 to 1"),
        ("title = 'a\\nb'\ntitle = 'c'", "Cannot overwrite"),
        ('title = "a\\nb"', "one line"),
        ("vkey = 'nonsense'", "a verification key"),
        ("origin = 'two words'", "white space"),
        ("facts_branch = '-f'", "the name of a git branch"),
        ("title = ", "prior-art.toml"),
    ],
)
def test_a_wrong_value_is_told_with_its_place_and_a_hint(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, "prior-art.toml", text)
    with pytest.raises(ConfigError, match=message) as caught:
        load_settings(tmp_path, {})
    assert "prior-art.toml" in str(caught.value)
    assert caught.value.hint


def test_a_misspelt_variable_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="environment: unknown setting 'siteurl'"):
        load_settings(tmp_path, {"PRIOR_ART_SITEURL": "x"})


def test_a_wrong_pyproject_table_is_told(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", "[tool]\nprior-art = 3\n")
    with pytest.raises(ConfigError, match="is no table"):
        load_settings(tmp_path, {})


def test_a_file_that_is_no_utf8_is_told(tmp_path: Path) -> None:
    (tmp_path / "prior-art.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(ConfigError, match="prior-art"):
        load_settings(tmp_path, {})


def test_all_wrong_settings_are_told_at_once_each_with_its_place(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", '[tool.prior-art]\nprefix = "low"\ntitel = "x"\n')
    write(tmp_path, "prior-art.toml", "demonstration = 3\ncurrency = 'Euro'\npublisher = ['a']\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path, {"PRIOR_ART_WATTS": "much", "PRIOR_ART_NONSENSE": "1"}, vkey="k")
    first, second = tmp_path / "pyproject.toml", tmp_path / "prior-art.toml"
    assert str(caught.value).split("\n") == [
        f"{first}: prefix = 'low': two to eight capital letters is expected",
        f"{first}: unknown setting 'titel'",
        f"{second}: demonstration = 3: true or false is expected",
        f"{second}: currency = 'Euro': three capital letters, such as EUR is expected",
        f"{second}: publisher = ['a']: text is expected",
        "environment: watts = 'much': a decimal number, or nothing is expected",
        "environment: unknown setting 'nonsense'",
        "command line: vkey = 'k': a verification key as `key new` prints it is expected",
    ]
    assert "Known settings:" in caught.value.hint
