import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import tiny_model
import torch

from generator.brief import Brief
from generator.errors import ConfigError, ModelError
from generator.layouts import PROMPTS
from generator.model import open_model
from generator.profiles import load_profile, read_profile
from generator.sampler import choose
from generator.sampling import Sampling, uniforms
from generator.weights import model_folder, weight_files, weights_sha256

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "kl3m-002-170m-patent"
FREE = Sampling("1", "1", "0")
GREEDY = Sampling("0", "1", "0")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_model.save_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def profile(folder, tmp_path_factory):
    return read_profile(tiny_model.write_profile(tmp_path_factory.mktemp("profile") / "tiny.toml", folder))


def opened(profile, **options):
    return open_model(profile, **{"batch": 4, "threads": 1, "number_format": "fp32", **options})


def briefs(count, **changes):
    return [replace(Brief(n, ("top-down", "bottom-up")[n % 2], "", "", 1000 + n), **changes) for n in range(count)]


def test_greedy_is_what_whole_forward_passes_without_a_cache_give(profile):
    model = opened(profile, batch=2)
    drafts = list(model.drafts(briefs(2), GREEDY))
    for draft in drafts:
        ids = model._tokenizer(draft.generation.prompt)["input_ids"]
        expected = tiny_model.plain(model._model, ids, draft.generation.new_tokens)
        assert draft.text == draft.generation.prompt + model._decoded(expected)
        assert draft.generation.prompt_tokens == len(ids)


def test_a_draft_depends_on_its_seed_and_not_on_its_batch(profile):
    texts = {}
    for batch in (1, 3, 5):
        for draft in opened(profile, batch=batch).drafts(iter(briefs(5)), FREE):
            texts.setdefault(draft.brief.index, set()).add(draft.text)
    assert [len(texts[n]) for n in range(5)] == [1] * 5
    assert len({text for several in texts.values() for text in several}) == 5


def test_another_seed_gives_another_draft(profile):
    model = opened(profile)
    first, second = (next(iter(model.drafts(briefs(1, seed=seed), FREE))).text for seed in (1, 2**64 - 1))
    assert first != second


def test_the_cache_is_on_although_the_config_says_no(profile, folder, monkeypatch):
    assert json.loads((folder / "config.json").read_text())["use_cache"] is False
    model, widths = opened(profile), []
    forward = model._model.forward

    def counted(*args, **options):
        widths.append(options["input_ids"].shape[1])
        assert options["use_cache"] is True
        return forward(*args, **options)

    monkeypatch.setattr(model._model, "forward", counted)
    list(model.drafts(briefs(2), FREE))
    assert len(widths) > 3
    assert set(widths[1:]) == {1}  # after the prompt one token at a time: keys and values are remembered


def test_stops_at_the_limit_and_at_the_end_token(profile):
    model = opened(profile, batch=8)
    drafts = list(model.drafts(briefs(24), FREE))
    limit = 256 - max(len(model._tokenizer(prompt)["input_ids"]) for prompt in PROMPTS.values()) - 32
    stops = {draft.generation.stop for draft in drafts}
    assert stops == {"end", "limit"}
    for draft in drafts:
        generation = draft.generation
        assert tiny_model.END not in draft.text
        assert generation.stop == "end" or generation.new_tokens == limit
        assert (
            (generation.prompt_tokens + generation.new_tokens == 256) or generation.stop == "end" or draft.brief.index
        )
        assert draft.text.startswith(PROMPTS[draft.brief.direction])
        assert draft.words == len(draft.text[len(PROMPTS[draft.brief.direction]) :].split())
    short = replace(profile, max_new_tokens=3)
    assert all(d.generation.new_tokens <= 3 for d in opened(short).drafts(briefs(4), FREE))


def test_ticks_count_the_tokens_that_drafts_report(profile):
    ticks = []
    drafts = list(opened(profile, batch=5).drafts(briefs(5), FREE, tick=ticks.append))
    assert sum(ticks) == sum(draft.generation.new_tokens for draft in drafts)
    assert all(draft.seconds > 0 for draft in drafts)


def test_briefs_are_taken_as_they_are_needed(profile):
    taken = []

    def endless():
        for brief in briefs(100):
            taken.append(brief.index)
            yield brief

    drafts = opened(profile, batch=3).drafts(endless(), FREE)
    next(drafts)
    drafts.close()
    assert taken == [0, 1, 2]


def test_a_topic_begins_the_title_of_top_down_drafts_only(profile):
    drafts = list(opened(profile).drafts(briefs(2, topic="Method for making"), FREE))
    assert drafts[0].text.startswith("# Patent\n\n## Title\nMethod for making")
    assert drafts[0].generation.topic == "Method for making"
    assert drafts[0].generation.prompt.endswith("Method for making")
    assert drafts[1].generation.topic == ""
    assert drafts[1].text.startswith("# Patent\n\n## Claims")


def test_a_prompt_that_ends_inside_a_token_is_refused(profile):
    wrong = replace(
        profile, prompts=(("top-down", "# Patent\n\n## Title\n"), ("bottom-up", "# Patent\n\n## Claims\n\n1. A va"))
    )
    with pytest.raises(ConfigError, match="bottom-up prompt does not end where a token") as error:
        opened(wrong)
    assert "line feed" in error.value.hint


def test_identity_names_the_weights(profile, folder):
    identity = opened(profile).identity
    assert identity.model == "tiny"
    assert identity.weights_sha256 == hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert identity.tokenizer_sha256 == hashlib.sha256((folder / "tokenizer.json").read_bytes()).hexdigest()
    assert (identity.number_format, identity.torch_version) == ("fp32", torch.__version__)
    assert str(folder) not in repr(identity)


def test_the_best_format_of_the_cpu_is_chosen(profile):
    capabilities = torch.cpu.get_capabilities()
    bf16 = capabilities.get("avx512_bf16") or capabilities.get("amx_bf16")
    assert opened(profile, number_format="auto").identity.number_format == ("bf16" if bf16 else "fp32")


def test_weights_in_several_files_have_one_digest(tmp_path):
    folder = tiny_model.save_tiny(tmp_path / "sharded", shards=True)
    files = weight_files(folder)
    assert len(files) > 1
    lines = subprocess.run(
        ["sha256sum", *sorted(f.name for f in files)], cwd=folder, capture_output=True, check=True
    ).stdout
    assert weights_sha256(folder) == hashlib.sha256(lines).hexdigest()
    files[0].unlink()
    with pytest.raises(ModelError, match=r"weight file .* is missing"):
        weight_files(folder)


def test_weights_that_do_not_load(tmp_path, profile):
    folder = tiny_model.save_tiny(tmp_path / "model")
    broken, data = replace(profile, folder=folder), (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError, match="do not load"):
        opened(broken)
    (folder / "model.safetensors").write_bytes(b"\xff" * 2000)
    with pytest.raises(ModelError, match="do not load"):
        opened(broken)
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ModelError, match=r"no model\.safetensors"):
        opened(broken)


def test_weights_of_another_shape(tmp_path, profile):
    folder = tiny_model.save_tiny(tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(ModelError, match=r"lack .* of config\.json|do not load"):
        opened(replace(profile, folder=folder))


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_a_folder_that_is_no_model(tmp_path, profile, name):
    folder = tiny_model.save_tiny(tmp_path / "model")
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"holds no {name}") as error:
        model_folder(replace(profile, folder=folder))
    assert "save_pretrained" in error.value.hint


@pytest.mark.parametrize("options", [{"batch": 0}, {"threads": -1}, {"number_format": "int3"}])
def test_impossible_options(profile, options):
    with pytest.raises(ConfigError, match="not possible"):
        opened(profile, **options)


def test_more_context_than_positions(profile):
    with pytest.raises(ConfigError, match="has 256 positions"):
        opened(replace(profile, context=512))


def test_an_end_token_that_the_model_lacks(profile):
    with pytest.raises(ConfigError, match="is no token of the model"):
        opened(replace(profile, end_token="<eot>"))


def in_python(code, **environment):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def test_no_hub(tmp_path):
    """Nothing listens on port 9: what a machine without a network sees."""
    code = (
        "from pathlib import Path\nfrom generator.errors import ModelError\n"
        "from generator.weights import model_folder\n"
        "from generator.profiles import load_profile\n"
        "try: model_folder(load_profile('kl3m-002-170m-patent', Path('.')))\n"
        "except ModelError as error: print(error, '|', error.hint)"
    )
    message = in_python(code, HF_ENDPOINT="http://127.0.0.1:9", HF_HOME=str(tmp_path), HF_HUB_DISABLE_PROGRESS_BARS="1")
    assert "alea-institute/kl3m-002-170m-patent at revision main: neither in the cache nor from the hub" in message
    assert "--profile starter" in message


def test_no_torch(folder):
    code = (
        "import sys\nsys.modules['torch'] = None\n"
        "from pathlib import Path\nfrom generator.errors import ModelError\nfrom generator.model import open_model\n"
        "from generator.profiles import load_profile\n"
        "try: open_model(load_profile('starter', Path('.')), batch=1, threads=1)\n"
        "except ModelError as error: print(error, '|', error.hint)"
    )
    assert (
        "The package torch is not installed, and models need it | Run: pip install 'prior-art-press[model]'"
        in in_python(code)
    )


def chosen(scores, temperature, top_p, min_p, draws=4000, seed=5):
    rows = torch.tensor(scores, dtype=torch.float32).expand(draws, len(scores))
    numbers = torch.from_numpy(uniforms([seed], draws))[0]
    return torch.bincount(choose(rows, numbers, temperature, top_p, min_p), minlength=len(scores))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_are_drawn_from_the_softmax(temperature):
    """Chi-square with 7 degrees of freedom; 40.5 is passed once in a million (the seed is fixed)."""
    scores = [0.0, 1.0, -1.0, 2.0, 0.5, -0.5, 1.5, 0.3]
    counts = chosen(scores, temperature, 1.0, 0.0, draws=20_000).double()
    expected = torch.softmax(torch.tensor(scores).double() / temperature, 0) * 20_000
    assert float(((counts - expected) ** 2 / expected).sum()) < 40.5


def test_the_chi_square_sees_a_wrong_temperature():
    scores = [0.0, 1.0, -1.0, 2.0, 0.5, -0.5, 1.5, 0.3]
    counts = chosen(scores, 1.0, 1.0, 0.0, draws=20_000).double()
    wrong = torch.softmax(torch.tensor(scores).double() / 1.1, 0) * 20_000
    assert float(((counts - wrong) ** 2 / wrong).sum()) > 40.5


def test_min_p_and_top_p_keep_what_they_say():
    scores = torch.log(torch.tensor([0.05, 0.5, 0.3, 0.15])).tolist()
    assert [int(n > 0) for n in chosen(scores, 1.0, 1.0, 0.25)] == [0, 1, 1, 1]
    assert [int(n > 0) for n in chosen(scores, 1.0, 1.0, 0.7)] == [0, 1, 0, 0]
    assert [int(n > 0) for n in chosen(scores, 1.0, 1.0, 1.0)] == [0, 1, 0, 0]
    assert [int(n > 0) for n in chosen(scores, 1.0, 0.5, 0.0)] == [0, 1, 0, 0]
    assert [int(n > 0) for n in chosen(scores, 1.0, 0.51, 0.0)] == [0, 1, 1, 0]
    assert [int(n > 0) for n in chosen(scores, 1.0, 0.96, 0.0)] == [1, 1, 1, 1]
    kept = chosen(scores, 1.0, 0.6, 0.0, draws=20_000)
    assert abs(int(kept[1]) / 20_000 - 0.625) < 0.02  # what is kept is drawn in proportion


@pytest.mark.parametrize("top_p", [1.0, 0.9])
def test_the_ends_of_the_unit_interval_give_tokens_that_can_be(top_p):
    scores = torch.tensor([[float("-inf"), 0.0, 1.0, float("-inf")]] * 2)
    numbers = torch.tensor([0.0, 1.0 - 2**-53], dtype=torch.double)
    assert set(choose(scores, numbers, 1.0, top_p, 0.0).tolist()) == {1, 2}


def test_the_numbers_of_a_seed_do_not_depend_on_the_others():
    many, few = uniforms([1, 2**64 - 1, 3], 50), uniforms([2**64 - 1], 20)
    assert (many[1, :20] == few[0]).all()
    assert len(set(many.ravel().tolist())) == 150


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real files of kl3m-002-170m-patent are not in ../shared")
def test_the_published_model_with_its_real_config_and_tokenizer(tmp_path):
    """Random weights, two of the sixteen layers: everything else is what the hub gives."""
    from safetensors.torch import save_file
    from transformers import AutoConfig, AutoModelForCausalLM

    for path in SHARED.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = {**json.loads((SHARED / "config.json").read_text()), "num_hidden_layers": 2}
    (tmp_path / "config.json").write_text(json.dumps(config))
    torch.manual_seed(3)
    weights = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(tmp_path)).state_dict()
    save_file(
        {name: tensor.contiguous() for name, tensor in weights.items()},
        tmp_path / "model.safetensors",
        {"format": "pt"},
    )
    profile = replace(load_profile("kl3m-002-170m-patent", Path()), folder=tmp_path, max_new_tokens=24)
    drafts = list(
        opened(profile, batch=3, number_format="auto").drafts(briefs(3, topic="Method for 2023"), profile.sampling)
    )
    assert [draft.generation.new_tokens for draft in drafts] == [24, 24, 24]
    assert drafts[0].text.startswith("# Patent\n\n## Title\nMethod for 2023")
    assert drafts[1].text.startswith("# Patent\n\n## Claims")
    assert drafts[0].generation.model_license == "CC-BY-4.0"
