import json
from pathlib import Path

import pytest
import tiny_model
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.base.errors import ConfigError
from generator.model.profiles import built_in_profiles, load_profile, read_profile
from generator.model.sampling_settings import Sampling
from generator.record.layouts import PROMPTS

MEMBERS = ("name", "model", "license", "attribution", "context", "files", "adapter", "prompts", "sampling", "end_token")
WRONG = st.booleans() | st.floats(0.5, 9.5).filter(lambda x: x % 1) | st.lists(st.integers(0, 9), max_size=2)

BASE_MODELS = (
    "gemma-3-270m",
    "granite-4.0-350m-base",
    "granite-4.0-h-350m-base",
    "qwen3-0.6b-base",
    "smollm2-135m",
    "smollm2-360m",
)


def test_built_in_profiles():
    chat = {name for name in built_in_profiles() if name.endswith("-chat")}
    assert set(built_in_profiles()) - chat == {*BASE_MODELS, "kl3m-002-170m-patent", "scribe", "starter"}
    published = load_profile("kl3m-002-170m-patent", Path())
    assert (published.model, published.license) == ("alea-institute/kl3m-002-170m-patent", "CC-BY-4.0")
    assert dict(published.prompts) == PROMPTS
    assert (published.context, published.max_new_tokens, published.demonstration) == (4096, 4096, False)
    assert "ALEA Institute" in published.attribution
    starter = load_profile("starter", Path())
    assert starter.demonstration
    assert starter.folder == Path(__file__).parents[1] / "generator" / "starter"


def test_a_profile_of_ones_own_is_found_from_the_root_and_its_folder_from_the_file(tmp_path):
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / "mine.toml"
    path.write_text(tiny_model.PROFILE.format(folder="./weights", context=512) + 'sampling = {temperature = "0.7"}')
    profile = load_profile("models/mine.toml", tmp_path)
    assert profile.folder == tmp_path / "models" / "weights"
    assert profile.sampling == Sampling("0.7", "1", "0")
    assert profile.prompt("bottom-up") == PROMPTS["bottom-up"]


def test_few_shot_prompts_are_possible(tmp_path):
    prompts = '\n[prompts]\ntop-down = "# Patent\\n\\nan example\\n\\n# Patent\\n\\n## Title\\n"'
    profile = read_profile(tiny_model.write_profile(tmp_path / "p.toml", tmp_path, more=prompts))
    assert profile.prompt("top-down").count("# Patent") == 2


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("colour = 1", "colour: not known"),
        ("revision = 3", "revision: '3': text is expected"),
        ('max_new_tokens = "9"', "max_new_tokens: '9': a whole number is expected"),
        ("max_new_tokens = 999", "max_new_tokens <= context = 256"),
        ("max_new_tokens = -1", "max_new_tokens: '-1': 0 or more is expected"),
        ("[sampling]\ntemperature = 0.8", "sampling.temperature: '0.8': text is expected"),
        ('[sampling]\ntemperature = "nan"', "a decimal number as text"),
        ('[sampling]\ntop_p = "1.01"', "from 0 to 1"),
        ('[sampling]\ntop_p = "0.0"', "keeps no token"),
        ('[sampling]\nmin_p = "-0.1"', "from 0 to 1"),
        ('[sampling]\ntop_k = "5"', "sampling: .*some of temperature, top_p"),
        ('[prompts]\nsideways = "x"', "prompts: .*for top-down and bottom-up a text"),
        ('[prompts]\ntop-down = "# Title"', "begins the layout"),
        ("[prompts]\ntop-down = 1", "prompts.top-down: '1': text is expected"),
        ("x = = 1", "Invalid"),
    ],
)
def test_what_a_profile_may_not_say(tmp_path, more, message):
    path = tiny_model.write_profile(tmp_path / "p.toml", tmp_path, more=more)
    with pytest.raises(ConfigError, match=message) as error:
        read_profile(path)
    assert str(path) in str(error.value)
    assert error.value.hint


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "tiny"', 'name = "Tiny/../x"', "lower-case letters"),
        ('name = "tiny"', "", "name: missing"),
        ("context = 256", "context = 1", "context: '1': 64 to 1048576 is expected"),
        ("Random weights made for a test", "two\\nlines", "one line of 1 to 1000"),
    ],
)
def test_members_that_a_record_could_not_hold(tmp_path, old, new, message):
    path = tiny_model.write_profile(tmp_path / "p.toml", tmp_path)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ConfigError, match=message):
        read_profile(path)


def test_no_such_profile(tmp_path):
    with pytest.raises(ConfigError, match="neither a built-in model profile nor a TOML file") as error:
        load_profile("gpt9", tmp_path)
    assert "starter" in error.value.hint


def test_sampling_as_records_hold_it():
    assert Sampling("0.8", "0.95", "0").pairs() == (
        ("loop_tokens", "0"),
        ("min_p", "0"),
        ("most_claims", "0"),
        ("temperature", "0.8"),
        ("top_p", "0.95"),
    )


@pytest.mark.parametrize("name", built_in_profiles())
def test_every_built_in_profile_says_what_its_training_data_are(name):
    """In the record, hence on the page, and in the documentation word for word."""
    profile = load_profile(name, Path())
    assert profile.statement == f"{profile.attribution} Training data: {profile.data}"
    assert len(profile.statement) <= 1000  # what a record holds
    models = (Path(__file__).parent.parent / "docs/models.md").read_text()
    assert f"| `{name}` | {profile.data} |" in models


def test_a_profile_of_earlier_versions_is_read(tmp_path):
    """Up to 0.6 each profile had to name the years of the training texts."""
    new = read_profile(tiny_model.write_profile(tmp_path / "p.toml", tmp_path))
    assert read_profile(tiny_model.write_profile(tmp_path / "p.toml", tmp_path, more='training_years = "1999"')) == new


def test_all_faults_of_a_profile_are_told_at_once(tmp_path):
    more = "revision = 3\ncolour = 1\n[sampling]\ntop_p = 0.5\n[prompts]\ntop-down = 1\n"
    path = tiny_model.write_profile(tmp_path / "p.toml", tmp_path, more=more)
    path.write_text(path.read_text().replace('name = "tiny"', 'name = "Ti ny"'))
    with pytest.raises(ConfigError) as error:
        read_profile(path)
    faults = str(error.value).split("\n")
    assert all(fault.startswith(f"{path}: ") for fault in faults)
    places = sorted(fault.removeprefix(f"{path}: ").partition(":")[0] for fault in faults)
    assert places == ["colour", "name", "prompts.top-down", "revision", "sampling.top_p"]


@given(st.dictionaries(st.sampled_from([*MEMBERS, "odd"]), WRONG, min_size=1, max_size=3))
@settings(max_examples=40)
def test_a_member_of_any_wrong_kind_is_refused_with_its_place(tmp_path_factory, wrong):
    path = tmp_path_factory.mktemp("profile") / "p.toml"
    good = {"name": "x", "model": "./m", "license": "CC0-1.0", "attribution": "me", "context": 512}
    path.write_text("\n".join(f"{name} = {json.dumps(value)}" for name, value in {**good, **wrong}.items()))
    with pytest.raises(ConfigError) as error:
        read_profile(path)
    said = str(error.value).split("\n")
    assert all(any(fault.startswith(f"{path}: {name}") for fault in said) for name in wrong)
