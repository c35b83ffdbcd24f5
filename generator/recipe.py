"""The recipe of a training run: its numbers, its tokenizer, and the rows of tokens in training order."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.errors import ConfigError
from generator.layouts import DIRECTIONS, Direction, write_layout
from generator.training_text import Corpus, Patent, description_chunks

END = "<|end|>"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What determines a training run, next to the data. Token counts are of this model's tokenizer."""

    vocabulary: int = 8192
    hidden: int = 256
    layers: int = 6
    heads: int = 4
    intermediate: int = 704
    context: int = 2048
    short_context: int = 512
    tokens_per_step: int = 8192
    description_tokens: int = 5_000_000
    head_tokens: int = 2_500_000
    full_tokens: int = 10_000_000
    muon_rate: float = 0.02
    adamw_rate: float = 3e-3
    final_rate: float = 0.05
    warmup_steps: int = 50
    hold_out_share: float = 0.05
    seed: int = 20261122

    @property
    def short_steps(self) -> int:
        return (self.description_tokens + self.head_tokens) // self.tokens_per_step

    @property
    def steps(self) -> int:
        return self.short_steps + self.full_tokens // self.tokens_per_step


def train_tokenizer(corpus: Corpus, recipe: Recipe, path: Path, report: Callable[[str], None]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    if path.exists():
        return Tokenizer.from_file(str(path))
    report("train: byte-level BPE of the full records and heads")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=recipe.vocabulary,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = [write_layout("top-down", p.title, p.abstract, p.claims) for p in corpus.full]
    texts += [f"{p.title}\n{p.abstract}" for p in corpus.heads[::6]]
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.save(str(path))
    return tokenizer


def token_rows(corpus: Corpus, recipe: Recipe, tokenizer: Any, path: Path, report: Callable[[str], None]) -> Any:
    """Token rows of both phases: `short` (n, short_context) and `full` (m, context), in training order.

    Each row starts where a document starts, as every prompt does; the rest of the row's last document is dropped.
    """
    import numpy

    if path.exists():
        with numpy.load(path) as saved:
            return dict(saved)
    end = tokenizer.token_to_id(END)
    dice = random.Random(recipe.seed)
    report("train: tokenizing")
    short_rows = recipe.short_steps * (recipe.tokens_per_step // recipe.short_context)
    head_rows = short_rows * recipe.head_tokens // (recipe.head_tokens + recipe.description_tokens)
    chunks = list(description_chunks(corpus, chars=recipe.short_context * 5))
    dice.shuffle(chunks)
    heads = list(corpus.heads)
    dice.shuffle(heads)
    # A head is the tail of a bottom-up text; the end token after it is right there.
    tails = (f"## Abstract\n{p.abstract}\n\n## Title\n{p.title}" for p in heads)
    short = [
        *_pack(([*tokenizer.encode(t).ids, end] for t in tails), recipe.short_context, head_rows),
        *_pack((tokenizer.encode(t).ids for t in chunks), recipe.short_context, short_rows - head_rows),
    ]
    dice.shuffle(short)
    full_rows = (recipe.steps - recipe.short_steps) * (recipe.tokens_per_step // recipe.context)
    full = list(_pack(_epochs(corpus, recipe, tokenizer, end, dice), recipe.context, full_rows))
    if len(short) < short_rows or len(full) < full_rows:
        raise ConfigError("the data have fewer tokens than the recipe asks for", hint="Lower the recipe's tokens.")
    rows = {"short": numpy.array(short, dtype=numpy.uint16), "full": numpy.array(full, dtype=numpy.uint16)}
    numpy.savez(path.with_suffix(".part.npz"), short=rows["short"], full=rows["full"])
    path.with_suffix(".part.npz").replace(path)
    return rows


def _epochs(corpus: Corpus, recipe: Recipe, tokenizer: Any, end: int, dice: random.Random) -> Iterator[list[int]]:
    """Every full record in both layouts, in a new order each time, without end."""
    laid_out = [ids for p in corpus.full for d in DIRECTIONS if (ids := fit(tokenizer, d, p, end, recipe.context))]
    while True:
        dice.shuffle(laid_out)
        yield from laid_out


def _pack(documents: Iterator[list[int]], width: int, count: int) -> Iterator[list[int]]:
    row: list[int] = []
    for ids in documents:
        if count <= 0:
            return
        row += ids
        if len(row) >= width:
            yield row[:width]
            row, count = [], count - 1


def fit(tokenizer: Any, direction: Direction, patent: Patent, end: int, context: int) -> list[int]:
    """Token ids of a record with as many whole claims as fit the context; empty when not even one does."""
    claims = list(patent.claims)
    while claims:
        ids: list[int] = [
            *tokenizer.encode(write_layout(direction, patent.title, patent.abstract, claims)).ids,
            end,
        ]
        if len(ids) <= context:
            return ids
        claims = claims[: min(len(claims) - 1, max(1, len(claims) * context // len(ids)))] if len(claims) > 1 else []
    return []
