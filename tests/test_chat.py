"""Chat models: the template of their own files, thinking off, the answer in the layout, templates that fail."""

from dataclasses import replace
from pathlib import Path

import pytest
import tiny_model

from generator.base.errors import ConfigError, ModelError
from generator.judge.parsing import Rejected, parse, stop_of
from generator.model.chat import opening
from generator.model.instructions import INSTRUCTIONS
from generator.model.interface import Brief, EngineChoice
from generator.model.loading import open_model
from generator.model.profiles import ModelProfile, built_in_profiles, load_profile, read_profile
from generator.model.weights import FETCHED
from generator.record.layouts import DIRECTIONS, HEAD, PROMPTS
from generator.run.regenerate import _profile

CHAT = tuple(name for name in built_in_profiles() if load_profile(name, Path()).chat)
TABLE = """
max_new_tokens = 40
[chat]
top-down = "Write a patent."
bottom-up = "Write claims."
"""
# The forms that the families' templates have; what they say of tools, dates and pictures is left out.
IM = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
ANSWER = "{% if add_generation_prompt %}<|im_start|>assistant\n"
FORMS = {
    "smollm2": IM + ANSWER + "{% endif %}",
    "qwen3": IM + ANSWER + "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n"
    "{% endif %}{% endif %}",
    "granite": "{% for m in messages %}<|start_of_role|>{{ m.role }}<|end_of_role|>{{ m.content }}<|end_of_text|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|start_of_role|>assistant<|end_of_role|>{% endif %}",
    "gemma": "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}"
    "{% endif %}<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n{{ m.content|trim }}<end_of_turn>\n"
    "{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.save_tiny(tmp_path_factory.mktemp("chat"))


def tokenizer(folder: Path, template: str | None):  # type: ignore[no-untyped-def]
    from transformers import PreTrainedTokenizerFast

    made = PreTrainedTokenizerFast.from_pretrained(folder)
    made.chat_template = template
    return made


def profile(folder: Path, tmp_path: Path, more: str = TABLE) -> ModelProfile:
    return read_profile(tiny_model.write_profile(tmp_path / "p.toml", folder, more=more))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_answer_begins_in_the_layout_in_every_form(folder, tmp_path, form, direction):
    one = profile(folder, tmp_path)
    prompt = opening(one, direction, tokenizer(folder, FORMS[form]))
    assert prompt.endswith(PROMPTS[direction])
    assert prompt.count(dict(one.chat)[direction]) == 1
    assert prompt.count("<think>") == prompt.count("</think>") == (form == "qwen3")
    before = prompt.removesuffix(PROMPTS[direction])
    ends = {"qwen3": "</think>\n\n", "granite": "assistant<|end_of_role|>", "gemma": "<start_of_turn>model\n"}
    assert before.endswith(ends.get(form, "<|im_start|>assistant\n"))


def test_a_beginning_that_the_tokenizer_adds_stands_once(folder, tmp_path):
    from tokenizers.processors import TemplateProcessing

    one, adding = profile(folder, tmp_path), tokenizer(folder, FORMS["gemma"])
    bos = adding.bos_token
    assert opening(one, "top-down", adding).startswith(bos)
    adding.backend_tokenizer.post_processor = TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, 0)])
    prompt = opening(one, "top-down", adding)
    assert not prompt.startswith(bos)
    assert adding(prompt)["input_ids"].count(0) == 1


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (None, "no chat template"),
        ("", "no chat template"),
        ("{{ raise_exception('roles must alternate') }}", "fails: roles must alternate"),
        ("{% for m in messages %}", "fails"),
        ("{{ messages[0].content.upper.nothing() }}", "fails"),
        ("{{ 1 // 0 }}", "fails"),
        ("Hello!", "leaves out the instruction"),
        (IM + ANSWER + "<think>\n{% endif %}", "begins a thought"),
    ],
)
def test_a_template_that_is_missing_or_fails_is_an_error_with_what_to_do(folder, tmp_path, template, message):
    with pytest.raises(ModelError, match=message) as error:
        opening(profile(folder, tmp_path), "top-down", tokenizer(folder, template))
    assert error.value.hint
    assert "tiny" in str(error.value)


@pytest.mark.parametrize(
    "table",
    [
        "[chat]\nbottom-up = ' '\n",
        "[chat]\ntop-down = 'x'\nbottom-up = 3\n",
        "[chat]\ntop-down = 'x'\nbottom-up = 'y'\nsideways = 'z'\n",
        f"[chat]\ntop-down = 'x'\nbottom-up = '{'y' * 10_001}'\n",
    ],
)
def test_instructions_that_cannot_be_used_are_named(folder, tmp_path, table):
    with pytest.raises(ConfigError, match="chat"):
        profile(folder, tmp_path, table)


@pytest.mark.parametrize("engine", ["prior-art", "generate"])
def test_drafts_of_a_chat_model_begin_at_the_head_and_name_the_whole_prompt(folder, tmp_path, engine):
    written = tmp_path / "model"
    written.mkdir()
    for path in folder.iterdir():
        (written / path.name).write_bytes(path.read_bytes())
    (written / "chat_template.jinja").write_text(FORMS["qwen3"])
    assert "chat_template.jinja" in FETCHED
    one = profile(written, tmp_path)
    model = open_model(
        one, EngineChoice(engine=engine, threads=1, batch=2, number_format="fp32"), report=lambda _: None
    )
    drafts = list(
        model.drafts(iter([Brief(0, "top-down", "Tea", "", 1), Brief(1, "bottom-up", "", "", 2)]), one.sampling)
    )
    for draft in drafts:
        begins = "# Patent\n\n## Title\nTea" if draft.brief.direction == "top-down" else "# Patent\n\n## Claims"
        assert draft.text.startswith(begins)
        assert draft.text.count(HEAD) == 1
        assert draft.generation.prompt.endswith(begins)
        assert draft.generation.prompt.startswith("<|im_start|>user\n")
        assert _profile(draft.generation, [one]) == one  # a record's text can be written again
        with pytest.raises(ModelError, match="prompt is not that"):
            _profile(replace(draft.generation, prompt=draft.generation.prompt + "x"), [one])
    (written / "chat_template.jinja").write_text("{{ raise_exception('broken') }}")
    with pytest.raises(ModelError, match="fails: broken"):
        open_model(one, EngineChoice(engine=engine, threads=1), report=lambda _: None)


@pytest.mark.parametrize("name", CHAT)
def test_the_built_in_instructions_show_the_layout_and_their_example_counts_as_known(name):
    one = load_profile(name, Path())
    for direction, instruction in one.chat:
        shown = instruction[instruction.index(HEAD) :]
        example = parse(shown, direction, "end")
        assert not isinstance(example, Rejected), example
        assert (direction, shown) in one.examples
        assert one.prompt(direction) == PROMPTS[direction]


def test_the_chat_profiles_are_there():
    assert len(CHAT) == 6
    assert {"smollm2-135m-chat", "smollm2-1.7b-chat", "qwen3-1.7b-chat", "qwen3-4b-chat"} < set(CHAT)


def test_an_instruction_of_ones_own_stands_beside_the_built_in_one(folder, tmp_path):
    assert profile(folder, tmp_path, "").chat == ()
    assert dict(profile(folder, tmp_path, "[chat]\n").chat) == INSTRUCTIONS
    mine = dict(profile(folder, tmp_path, "[chat]\nbottom-up = 'Claims!'\n").chat)
    assert mine == {"top-down": INSTRUCTIONS["top-down"], "bottom-up": "Claims!"}


@pytest.mark.data
def test_the_real_smollm2_writes_in_the_layout():
    """Its own template and its own end; what it writes is poor. The weights come from the package index, once."""
    one = replace(load_profile("smollm2-135m-chat", Path()), max_new_tokens=64)
    model = open_model(one, EngineChoice(threads=1, batch=4), report=lambda _: None)
    drafts = list(model.drafts(iter([Brief(n, DIRECTIONS[n % 2], "", "", n) for n in range(4)]), one.sampling))
    assert {draft.generation.stop for draft in drafts} >= {"end"}  # one of these is that short
    for draft in drafts:
        assert draft.generation.prompt.startswith("<|im_start|>system\n")
        assert draft.generation.prompt.count("<|im_start|>assistant\n") == 1
        assert draft.text.startswith(PROMPTS[draft.brief.direction])
        assert "<|im_" not in draft.text
        parsed = parse(draft.text, draft.brief.direction, stop_of(draft.generation.stop))
        assert not isinstance(parsed, Rejected) or parsed.reason != "no_head"
