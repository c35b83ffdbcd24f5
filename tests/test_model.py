"""What every engine does with a model: the behaviours behind the LanguageModel seam, on each engine of this machine."""

import hashlib
import itertools
import json
import re
from dataclasses import replace
from pathlib import Path

import numba
import pytest
import tiny_model
import torch
from real_patents import DATA

from generator.base import canonical
from generator.base.errors import ConfigError
from generator.model.interface import Brief, EngineChoice
from generator.model.loading import native_bf16, open_model
from generator.model.profiles import load_profile, read_profile
from generator.model.sampling_settings import Sampling
from generator.record.layouts import PROMPTS

SHARED = DATA / "kl3m-002-170m-patent"
FREE = Sampling("1", "1", "0")
GREEDY = Sampling("0", "1", "0")


@pytest.fixture(params=["prior-art", "generate"])
def engine(request):
    return request.param


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_model.save_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def profile(folder, tmp_path_factory):
    return read_profile(tiny_model.write_profile(tmp_path_factory.mktemp("profile") / "tiny.toml", folder))


@pytest.fixture(scope="module")
def tokenizer(folder):
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast.from_pretrained(folder)


def opened(profile, engine, **options):
    choice = EngineChoice(**{"engine": engine, "batch": 4, "threads": 1, "number_format": "fp32", **options})
    return open_model(profile, choice, report=lambda _: None)


def briefs(count, **changes):
    return [replace(Brief(n, ("top-down", "bottom-up")[n % 2], "", "", 1000 + n), **changes) for n in range(count)]


def test_greedy_is_what_whole_forward_passes_without_a_cache_give(profile, engine, folder, tokenizer):
    from transformers import AutoModelForCausalLM

    plain = AutoModelForCausalLM.from_pretrained(folder).eval()
    drafts = list(opened(profile, engine, batch=2).drafts(briefs(2), GREEDY))
    for draft in drafts:
        ids = tokenizer(draft.generation.prompt)["input_ids"]
        with torch.inference_mode():
            expected = tiny_model.plain(plain, ids, draft.generation.new_tokens)
        assert draft.text == draft.generation.prompt + tokenizer.decode(expected, skip_special_tokens=True)
        assert draft.generation.prompt_tokens == len(ids)
    assert max(draft.generation.new_tokens for draft in drafts) > 64


def test_a_draft_depends_on_its_seed_and_not_on_its_batch(profile, engine):
    texts = {}
    for batch in (1, 3, 5):
        for draft in opened(profile, engine, batch=batch).drafts(iter(briefs(5)), FREE):
            texts.setdefault(draft.brief.index, set()).add(draft.text)
    assert [len(texts[n]) for n in range(5)] == [1] * 5
    assert len({text for several in texts.values() for text in several}) == 5


def test_another_seed_gives_another_draft(profile, engine):
    model = opened(profile, engine)
    first, second = (next(iter(model.drafts(briefs(1, seed=seed), FREE))).text for seed in (1, 2**64 - 1))
    assert first != second


def test_the_cache_of_generate_is_on_although_the_config_says_no(profile, folder, monkeypatch):
    assert json.loads((folder / "config.json").read_text())["use_cache"] is False
    model, widths = opened(profile, "generate"), []
    forward = model._model.forward

    def counted(*args, **options):
        widths.append(options["input_ids"].shape[1])
        assert options["use_cache"] is True
        return forward(*args, **options)

    monkeypatch.setattr(model._model, "forward", counted)
    list(model.drafts(briefs(2), FREE))
    assert len(widths) > 3
    assert set(widths[1:]) == {1}  # after the prompt one token at a time: keys and values are remembered


def test_stops_at_the_limit_and_at_the_end_token(profile, engine, tokenizer):
    drafts = list(opened(profile, engine, batch=8).drafts(briefs(24), FREE))
    limit = 256 - max(len(tokenizer(prompt)["input_ids"]) for prompt in PROMPTS.values()) - 32
    stops = {draft.generation.stop for draft in drafts}
    assert stops == {"end", "limit"}
    for draft in drafts:
        generation = draft.generation
        assert tiny_model.END not in draft.text
        assert generation.stop == "end" or generation.new_tokens == limit
        assert generation.new_tokens <= limit
        assert draft.text.startswith(PROMPTS[draft.brief.direction])
        assert draft.words == len(draft.text[len(PROMPTS[draft.brief.direction]) :].split())
    short = replace(profile, max_new_tokens=3)
    assert all(d.generation.new_tokens <= 3 for d in opened(short, engine).drafts(briefs(4), FREE))


def test_ticks_count_the_tokens_that_drafts_report(profile, engine):
    ticks = []
    drafts = list(opened(profile, engine, batch=5).drafts(briefs(5), FREE, tick=ticks.append))
    assert sum(ticks) == sum(draft.generation.new_tokens for draft in drafts)
    assert all(draft.seconds > 0 for draft in drafts)


def test_briefs_are_taken_as_they_are_needed(profile, engine):
    """There is no end of them. `generate` takes a batch; the engine, which does not wait, may be at the next ones."""
    taken = []

    def endless():
        for n in itertools.count():
            taken.append(n)
            yield replace(briefs(1)[0], index=n, seed=n)

    drafts = opened(profile, engine, batch=3).drafts(endless(), FREE)
    next(drafts)
    drafts.close()
    assert taken == list(range(len(taken)))
    assert len(taken) == 3 if engine == "generate" else 3 <= len(taken) < 1000


def test_a_topic_begins_the_title_or_the_first_claim(profile, engine):
    drafts = sorted(
        opened(profile, engine).drafts(
            briefs(2, topic="Method for making", cpc="B62J H04W4/00", rule="known-elements"), FREE
        ),
        key=lambda d: d.brief.index,
    )
    assert drafts[0].text.startswith("# Patent\n\n## Title\nMethod for making")
    assert drafts[0].generation.topic == "Method for making"
    assert [d.generation.topic_symbols for d in drafts] == [("B62J", "H04W4/00")] * 2
    assert [d.generation.topic_rule for d in drafts] == ["known-elements"] * 2
    assert all(d.generation.prompt.endswith("Method for making") for d in drafts)
    assert drafts[1].generation.topic == "Method for making"
    assert drafts[1].text.startswith("# Patent\n\n## Claims\n\n1. Method for making")


def test_the_account_is_canonical(profile, engine):
    model = opened(profile, engine)
    list(model.drafts(briefs(3), FREE))
    account = dict(model.account)
    assert canonical.loads(canonical.dumps(account)) == account
    assert account["engine"] == model.identity.engine
    assert account["number_format"] == "fp32"
    assert account["slots"] == 4


def test_a_prompt_that_ends_inside_a_token_is_refused(profile, engine):
    wrong = replace(
        profile, prompts=(("top-down", "# Patent\n\n## Title\n"), ("bottom-up", "# Patent\n\n## Claims\n\n1. A va"))
    )
    with pytest.raises(ConfigError, match="bottom-up prompt does not end where a token") as error:
        opened(wrong, engine)
    assert "line feed" in error.value.hint


def test_a_topic_that_is_too_long(profile, engine):
    with pytest.raises(ConfigError, match="has more than 32 tokens") as error:
        list(opened(profile, engine).drafts(briefs(2, topic="Making" + " tea" * 40), FREE))
    assert "Shorten it" in error.value.hint


def test_identity_names_the_weights(profile, engine, folder):
    identity = opened(profile, engine).identity
    assert identity.model == "tiny"
    assert identity.weights_sha256 == hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert identity.tokenizer_sha256 == hashlib.sha256((folder / "tokenizer.json").read_bytes()).hexdigest()
    assert (identity.number_format, identity.torch_version) == ("fp32", torch.__version__)
    names = {"prior-art": f"prior-art/1 numba {numba.__version__}", "generate": "transformers-generate"}
    assert identity.engine == names[engine]
    assert re.fullmatch(r"\w+( bf16)?( vnni)?( amx)?, [\w. ]+", identity.cpu_capability)
    assert str(folder) not in repr(identity)


def test_the_best_format_of_the_cpu_is_chosen(profile, engine):
    chosen = opened(profile, engine, number_format="auto").identity.number_format
    others = ("int8", "fp32") if engine == "prior-art" else ("fp32",)
    assert chosen in (("bf16",) if native_bf16() else others)


@pytest.mark.parametrize(
    "options", [{"batch": -1}, {"threads": -1}, {"memory": -1}, {"number_format": "int3"}, {"cache_format": "fp32"}]
)
def test_impossible_options(profile, engine, options):
    with pytest.raises(ConfigError, match="not possible") as error:
        opened(profile, engine, **options)
    assert "Engines: prior-art, generate, ray" in error.value.hint


@pytest.mark.parametrize("options", [{"number_format": "int8"}, {"cache_format": "int8"}])
def test_generate_has_no_8_bits(profile, options):
    with pytest.raises(ConfigError, match="has no 8-bit formats"):
        opened(profile, "generate", **options)


def test_more_context_than_positions(profile, engine):
    with pytest.raises(ConfigError, match="has 256 positions"):
        opened(replace(profile, context=512), engine)


def test_an_end_token_that_the_model_lacks(profile, engine):
    with pytest.raises(ConfigError, match="is no token of the model"):
        opened(replace(profile, end_token="<eot>"), engine)


def test_a_vocabulary_with_ids_that_the_tokenizer_does_not_know(tmp_path, profile, engine):
    """Many models are padded so. Such a token is no text, and must end nothing; here it is the likeliest of all."""
    from transformers import AutoModelForCausalLM

    folder = tiny_model.save_tiny(tmp_path / "padded")
    model = AutoModelForCausalLM.from_pretrained(folder)
    size = model.config.vocab_size
    model.resize_token_embeddings(size + 37, mean_resizing=False)
    with torch.no_grad():
        model.lm_head.weight[size + 30] = model.lm_head.weight[5] * 3
    model.save_pretrained(folder)
    sampling = Sampling("1", "1", "0", "4", "2")
    drafts = list(opened(replace(profile, folder=folder), engine).drafts(briefs(4), sampling))
    assert len(drafts) == 4


@pytest.mark.data
def test_the_published_model_with_its_real_config_and_tokenizer(tmp_path, engine):
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
    model = opened(profile, engine, batch=3, number_format="auto")
    drafts = sorted(model.drafts(briefs(3, topic="Method for 2023"), profile.sampling), key=lambda d: d.brief.index)
    assert [draft.generation.new_tokens for draft in drafts] == [24, 24, 24]
    assert drafts[0].text.startswith("# Patent\n\n## Title\nMethod for 2023")
    assert drafts[1].text.startswith("# Patent\n\n## Claims")
    assert drafts[0].generation.model_license == "CC-BY-4.0"
