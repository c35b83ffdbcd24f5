"""Prompts of chat models: the model's own template around an instruction, then the beginning of the answer.

The answer begins with the layout's opening, so that the model goes on in the layout and never greets first.
"""

from typing import Any

from generator.base.errors import ModelError
from generator.model.instructions import DESCRIBE
from generator.model.profiles import ModelProfile
from generator.record.layouts import Direction

THOUGHT = ("<think>", "</think>")


def opening(profile: ModelProfile, direction: Direction, tokenizer: Any) -> str:
    """The prompt of a direction; of a profile with `chat` its turn before the profile's prompt. Raises ModelError."""
    instruction = dict(profile.chat).get(direction, "")
    answer = profile.prompt(direction)
    return _turns(profile.name, (instruction,), tokenizer) + answer if instruction else answer


def before_description(profile: ModelProfile, written: str, tokenizer: Any) -> str:
    """What stands before the description of a text that a chat model is given as its own answer. Raises ModelError."""
    return _turns(profile.name, (dict(profile.chat)["top-down"], written, DESCRIBE), tokenizer)


def _turns(name: str, texts: tuple[str, ...], tokenizer: Any) -> str:
    """Turns of the user and the model in turn, whatever roles a template knows, and the start of the model's next, with
    thinking off."""
    if not tokenizer.chat_template:
        raise ModelError(
            f"{name}: the model's files have no chat template, and the profile has [chat]",
            hint="Fetch chat_template.jinja of the chat model too; for a base model leave out [chat].",
        )
    roles = ("user", "assistant")
    try:
        text = tokenizer.apply_chat_template(
            [{"role": roles[place % 2], "content": content} for place, content in enumerate(texts)],
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=False,
        )
    except Exception as error:  # a template is a program of the model's files: it may raise whatever it likes
        raise ModelError(
            f"{name}: the model's chat template fails: {' '.join(str(error).split())[:200]}",
            hint="Fetch the model's files again, or a newer release of them; or use a profile without [chat].",
        ) from error
    if not isinstance(text, str) or any(content.strip() not in text for content in texts):
        raise ModelError(
            f"{name}: the model's chat template leaves out the instruction",
            hint="It is no template for a turn of a user. Fetch the files of the chat model again.",
        )
    if text.count(THOUGHT[0]) > text.count(THOUGHT[1]):
        raise ModelError(
            f"{name}: the model's chat template begins a thought although thinking is switched off",
            hint="Use a model that answers without one; drafts are written in the layout alone.",
        )
    bos = tokenizer.bos_token
    added = bool(bos) and tokenizer("a")["input_ids"][:1] == [tokenizer.bos_token_id]
    return text.removeprefix(bos) if added else text  # the tokenizer puts it before every text
