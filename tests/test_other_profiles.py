"""Profiles of base models: their examples, their ends, and each on a small model of its architecture.

The weights are random: what these profiles make of the real models is not measured here.
"""

import re
import string
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_model import save_tiny, write_profile
from written import IDENTITY

from generator.base.errors import ModelError
from generator.judge.calibration import load_calibration
from generator.judge.checks import Coherent, Passed, check, coherent
from generator.judge.parsing import Parsed, parse
from generator.model.interface import Brief, Draft, EngineChoice
from generator.model.loading import open_model
from generator.model.profiles import BUILT_IN, ModelProfile, built_in_profiles, load_profile, read_profile
from generator.model.prompting import TOPIC_TOKENS, Prompting
from generator.model.sampler import ClaimLimit
from generator.model.sampling_settings import Sampling
from generator.record.layouts import DIRECTIONS, HEAD, PROMPTS, Direction, write_layout

PROFILES = tuple(name for name in built_in_profiles() if load_profile(name, Path()).prompt("top-down").count(HEAD) > 1)
NAMES = {
    "gemma-3-270m", "granite-4.0-350m-base", "granite-4.0-h-350m-base", "qwen3-0.6b-base", "smollm2-135m",
    "smollm2-360m",
}  # fmt: skip
LLAMA = {
    "model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
    "num_key_value_heads": 2, "tie_word_embeddings": True,
}  # fmt: skip
GRANITE = {
    "model_type": "granitemoehybrid", "hidden_size": 32, "intermediate_size": 64, "shared_intermediate_size": 64,
    "num_attention_heads": 2, "num_key_value_heads": 1, "num_local_experts": 0, "num_experts_per_tok": 0,
    "attention_multiplier": 0.25, "embedding_multiplier": 12, "mamba_n_heads": 8, "mamba_d_head": 8,
    "mamba_d_state": 16,
}  # fmt: skip
SHAPES: dict[str, dict[str, Any]] = {
    "smollm2-135m": LLAMA,
    "smollm2-360m": {**LLAMA, "hidden_size": 80, "num_attention_heads": 5, "num_key_value_heads": 1},
    "qwen3-0.6b-base": {"model_type": "qwen3", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2,
                        "num_key_value_heads": 1, "head_dim": 32},
    "granite-4.0-350m-base": {**GRANITE, "layer_types": ["attention"] * 2, "position_embedding_type": "rope"},
    "granite-4.0-h-350m-base": {**GRANITE, "layer_types": ["mamba", "attention"]},
    "gemma-3-270m": {"model_type": "gemma3_text", "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2,
                     "num_key_value_heads": 1, "head_dim": 32, "sliding_window": 16,
                     "layer_types": ["sliding_attention", "full_attention"]},
}  # fmt: skip
DECODERS = {"llama": "Decoder", "qwen3": "ModulesDecoder", "granitemoehybrid": "ModulesDecoder"}
REFUSED = {"granite-4.0-h-350m-base": "with layers of linear", "gemma-3-270m": "asks for sliding_window"}


def tokenizer_of(name: str) -> Any:
    """The model's tokenizer class and splitting of text, with words learned from the prompt alone."""
    import transformers
    from tokenizers import Regex, pre_tokenizers

    family = name.split("-")[0]
    kind = {"qwen3": "Qwen2Tokenizer", "gemma": "GemmaTokenizer"}.get(family, "GPT2Tokenizer")
    made = getattr(transformers, kind)()
    if family == "smollm2":
        made.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    if family == "granite":  # as GPT-4 splits text: full stops and line feeds make one token
        pattern = (
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
            r"|\s+(?!\S)|\s+"
        )
        made.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(pattern), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
    texts = [load_profile(name, Path()).prompt(direction) for direction in DIRECTIONS]
    if family != "gemma":
        return made.train_new_from_iterator(texts, 700)
    lines = [line for text in texts for line in text.split("\n")]
    made = made.train_new_from_iterator(lines, 700, initial_alphabet=list(string.printable))
    made.add_tokens(["\n", "\n\n", "\n\n\n"])  # runs of line feeds are tokens that nothing merges with
    return made


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """For each profile a folder with weights, tokenizer and a copy of the profile that points there; short drafts."""
    from transformers import AutoConfig, AutoModelForCausalLM

    found = {}
    for name in sorted(NAMES):
        folder, tokenizer = tmp_path_factory.mktemp(name), tokenizer_of(name)
        end = tokenizer.eos_token_id
        torch.manual_seed(1)
        config = AutoConfig.for_model(
            **SHAPES[name], vocab_size=len(tokenizer), num_hidden_layers=2, max_position_embeddings=2048,
            initializer_range=0.15, bos_token_id=end, eos_token_id=end, pad_token_id=end,
        )  # fmt: skip
        AutoModelForCausalLM.from_config(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        text = (BUILT_IN / f"{name}.toml").read_text(encoding="utf-8")
        text, changes = re.subn(r"(?m)^model = .*$", 'model = "./"', text)
        text, more = re.subn(r"(?m)^max_new_tokens = .*$", "max_new_tokens = 24", text)
        assert (changes, more) == (1, 1)
        (folder / "profile.toml").write_text(text, encoding="utf-8")
        found[name] = folder
    return found


def four_drafts(profile: ModelProfile, engine: Any) -> tuple[Any, list[Draft]]:
    choice = EngineChoice(engine=engine, threads=1, batch=4, number_format="fp32")
    model = open_model(profile, choice, report=lambda _: None)
    briefs = [Brief(n, DIRECTIONS[n % 2], "", "", 100 + n) for n in range(4)]
    return model, sorted(model.drafts(iter(briefs), profile.sampling), key=lambda draft: draft.brief.index)


def examples(profile: ModelProfile, direction: Direction) -> list[str]:
    """The whole patents that stand in a prompt before the opening of the draft."""
    before, opening = profile.prompt(direction).rsplit(HEAD, 1)
    assert HEAD + opening == PROMPTS[direction]
    return [f"{HEAD}{text}".strip() for text in before.split(HEAD)[1:]]


def test_the_document_lists_them_and_the_engine_of_each() -> None:
    text = (Path(__file__).parents[1] / "docs" / "models.md").read_text(encoding="utf-8")
    rows = {row[1].strip("` "): row for row in (line.split("|") for line in text.split("\n")) if len(row) == 8}
    assert set(rows) - {"profile", "---"} == NAMES == set(PROFILES)
    paths = {"Decoder": "`prior-art`, own layers", "ModulesDecoder": "`prior-art`, the model's modules"}
    for name in NAMES:
        profile, row = load_profile(name, Path()), [cell.strip() for cell in rows[name]]
        assert (row[2], row[5]) == (f"`{profile.model}`", profile.license)
        assert row[6] == ("`generate`" if name in REFUSED else paths[DECODERS[SHAPES[name]["model_type"]]])
        assert profile.context <= int(row[4].replace(",", ""))
        assert (profile.name, profile.model.rsplit("/", 1)[1].lower()) == (name, name)


def test_all_show_the_same_examples() -> None:
    first, *others = (load_profile(name, Path()) for name in PROFILES)
    assert all((other.prompts, other.sampling) == (first.prompts, first.sampling) for other in others)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_examples_are_in_the_layout_and_pass_the_gates(direction: Direction) -> None:
    profile = load_profile("smollm2-135m", Path())
    found = examples(profile, direction)
    assert len(found) == 2
    for text in found:
        parsed = parse(text, direction, "end")
        assert isinstance(parsed, Parsed)
        assert parsed.findings == ()
        invention = parsed.disclosure
        assert text == write_layout(direction, invention.title, invention.abstract, [c.text for c in invention.claims])
        passed = check(invention)
        assert isinstance(passed, Passed)
        assert passed.findings == ()
        assert isinstance(coherent(passed.disclosure, load_calibration()), Coherent)
        assert len(invention.claims) == int(profile.sampling.most_claims)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_four_drafts_by_the_engine_or_a_refusal_that_names_the_other(folders: dict[str, Path], name: str) -> None:
    profile = read_profile(folders[name] / "profile.toml")
    if name in REFUSED:
        with pytest.raises(ModelError, match=REFUSED[name]) as error:
            four_drafts(profile, "prior-art")
        assert "--engine generate" in error.value.hint
    else:
        model, drafts = four_drafts(profile, "prior-art")
        assert type(model._decoder).__name__ == DECODERS[SHAPES[name]["model_type"]]
        check_drafts(profile, drafts)
    _, drafts = four_drafts(profile, "generate")
    check_drafts(profile, drafts)


def check_drafts(profile: ModelProfile, drafts: list[Draft]) -> None:
    assert len(drafts) == len({draft.text for draft in drafts}) == 4
    for draft in drafts:
        assert draft.text.startswith(PROMPTS[draft.brief.direction])
        assert "Watering can with a removable filter" not in draft.text  # the examples are no part of it
        assert 0 < draft.generation.new_tokens <= 24
        assert draft.generation.prompt == profile.prompt(draft.brief.direction)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_prompts_are_short_and_end_where_a_token_ends(folders: dict[str, Path], name: str) -> None:
    """Prompting refuses a prompt that ends within a token; the tokenizer is loaded as the program loads it."""
    from transformers import PreTrainedTokenizerFast

    profile = read_profile(folders[name] / "profile.toml")
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folders[name])
    ask = Prompting(profile, IDENTITY, tokenizer, (tokenizer.eos_token_id,), 2048)
    assert ask.longest_prompt - TOPIC_TOKENS < 500
    for direction in DIRECTIONS:
        text, ids = ask.prompt(Brief(0, direction, "", "", 1))
        assert ask.decoded(ids) == text


@pytest.mark.parametrize("name", sorted(NAMES))
@pytest.mark.parametrize(
    ("direction", "draft", "expected"),
    [
        ("top-down", "Big valve\n\n", None),  # the claims of the examples do not count
        ("top-down", "Big valve\n\n## Abstract\nA.\n\n## Claims\n\n1. A.\n\n2. A.\n\n3. A.\n\n", None),
        ("top-down", "Big # Patent\n\n", None),
        ("top-down", "Big valve\n\n## Abstract\nA.\n\n## Claims\n\n1. A.\n\n# Patent\n\n", "end"),
        ("top-down", "Big valve\n\n## Abstract\nA.\n\n## Claims\n\n1. A.\n\n2. A.\n\n3. A.\n\n4. A.\n\n", "end"),
        ("bottom-up", "\n\n1. A.\n\n2. A.\n\n3. A.\n\n", None),
        ("bottom-up", "\n\n1. A.\n\n2. A.\n\n3. A.\n\n4. A.\n\n", "## Abstract\n"),
        ("bottom-up", "\n\n1. A.\n\n## Abstract\nA.\n\n", None),
        ("bottom-up", "\n\n1. A.\n\n## Abstract\nA.\n\n## Title\nBig valve", None),
        ("bottom-up", "\n\n1. A.\n\n## Abstract\nA.\n\n## Title\nBig valve\n\n", "end"),
    ],
)
def test_what_ends_after_examples(
    folders: dict[str, Path], name: str, direction: Direction, draft: str, expected: str | None
) -> None:
    from transformers import PreTrainedTokenizerFast

    profile = read_profile(folders[name] / "profile.toml")
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folders[name])
    ask = Prompting(profile, IDENTITY, tokenizer, (tokenizer.eos_token_id,), 2048)
    limit = ClaimLimit([direction], int(profile.sampling.most_claims), ask)
    ids, forced = tokenizer(profile.prompt(direction) + draft)["input_ids"], []
    for _ in range(12):
        scores = limit.force(torch.tensor([ids + forced]), torch.zeros(1, len(tokenizer)))
        if not torch.isinf(scores).any() or forced[-1:] == [tokenizer.eos_token_id]:
            break
        forced.append(int(scores.argmax()))
    if expected == "end":
        assert forced == [tokenizer.eos_token_id]
    else:
        assert tokenizer.decode(forced) == (expected or "")


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> ModelProfile:
    """A model that was taught patents one after another, and never an end; shown one, it goes on with the next."""
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

    folder = save_tiny(tmp_path_factory.mktemp("endless"), positions=384)
    example = ("Valve with a pin", "A valve has a pin.", ["A valve, comprising a pin.", "The valve of claim 1."])
    other = ("Pot for tea", "A pot holds tea.", ["A pot, comprising a lid.", "The pot of claim 1."])
    prompts = {d: f"{write_layout(d, *example)}\n\n{PROMPTS[d]}" for d in DIRECTIONS}
    more = "\n[prompts]\n" + "".join(f'{d} = """\n{prompts[d]}"""\n' for d in DIRECTIONS)
    profile = read_profile(write_profile(folder / "p.toml", folder, context=384, more=more))
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    texts = ["\n\n".join(write_layout(d, *one) for one in (example, other, example)) for d in DIRECTIONS]
    rows = [torch.tensor([tokenizer(text)["input_ids"]]) for text in texts]
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    torch.manual_seed(1)
    for _ in range(150):
        optimizer.zero_grad()
        sum(model(input_ids=ids, labels=ids, use_cache=False).loss for ids in rows).backward()
        optimizer.step()
    model.save_pretrained(folder)
    return profile


@pytest.mark.parametrize("engine", ["prior-art", "generate"])
@pytest.mark.parametrize("most", ["2", "4"])
def test_a_model_that_never_ends_is_ended_where_the_layout_ends(endless: ModelProfile, engine: str, most: str) -> None:
    """By the limit of claims, by the title, and (with 4: a top-down text has but two claims) by the next patent."""
    _, drafts = four_drafts(replace(endless, sampling=Sampling("0", "1", "0", "0", most)), engine)
    for draft in drafts:
        parsed = parse(draft.text, draft.brief.direction, draft.generation.stop)
        assert isinstance(parsed, Parsed)
        assert draft.generation.stop == "end"
        assert parsed.disclosure.title == "Pot for tea"
        assert len(parsed.disclosure.claims) == 2


def test_without_a_limit_of_claims_it_goes_on(endless: ModelProfile) -> None:
    _, drafts = four_drafts(replace(endless, sampling=Sampling("0", "1", "0")), "generate")
    assert {draft.generation.stop for draft in drafts} == {"limit"}
    assert all(draft.text.count(HEAD) > 1 for draft in drafts)


def test_a_watcher_sees_the_draft_without_the_examples(endless: ModelProfile) -> None:
    """So that it can stop a hopeless one: the prompt alone would look like a draft that begins twice."""
    seen: list[str] = []

    def watch(brief: Brief, text: str) -> str:
        assert text.startswith(PROMPTS[brief.direction])
        seen.append(text)
        return "c1" if brief.index == 1 else ""

    choice = EngineChoice(threads=1, batch=4, number_format="fp32")
    model = open_model(endless, choice, report=lambda _: None)
    briefs = [Brief(n, DIRECTIONS[n % 2], "", "", 100 + n) for n in range(4)]
    drafts = list(model.drafts(iter(briefs), Sampling("0", "1", "0"), watch=watch))
    assert {draft.brief.index: draft.stopped for draft in drafts} == {0: "", 1: "c1", 2: "", 3: ""}
    assert seen
    assert not any("Valve with a pin" in text.split("Pot for tea")[0] for text in seen)
