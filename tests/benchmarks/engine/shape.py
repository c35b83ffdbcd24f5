"""The model that every engine runs, and the arithmetic of its shape: that of kl3m-002-170m-patent with random weights.

Speed does not depend on what the weights say. Their spread matters to the check of the samples (`agreement`): it
keeps the next token's distribution far enough from the uniform one to tell a right conversion from a wrong one.
"""

import random
import shutil
import sys
from pathlib import Path

VOCABULARY = 32_768
HIDDEN = 1_024
INTERMEDIATE = 1_024
LAYERS = 16
HEADS = 16
POSITIONS = 4_096
ROTARY_SHARE = 0.25
EPSILON = 1e-5
SPECIAL = ("<s>", "</s>", "<pad>", "<unk>")  # token ids 0 to 3; prompts have none of them

WEIGHTS_SEED = 20_261_122
PROMPT_SEED = 7
PROMPT_TOKENS = 8
TEMPERATURE = 0.7
# Of kl3m-002-170m-patent's tokenizer over title, abstract and claims of 1,793 US patents in the model's layout:
# 5,810,192 tokens to 1,978,595 words (what white space parts).
TOKENS_PER_WORD = 2.94

# (output, input, how often): the matrices that one token passes through.
PRODUCTS = (
    (3 * HIDDEN, HIDDEN, LAYERS),  # query, key, value
    (HIDDEN, HIDDEN, LAYERS),  # attention output
    (INTERMEDIATE, HIDDEN, LAYERS),
    (HIDDEN, INTERMEDIATE, LAYERS),
    (VOCABULARY, HIDDEN, 1),  # logits
)
PRODUCT_OPERATIONS = sum(2 * out * inner * count for out, inner, count in PRODUCTS)  # a token; 268 million
CACHE_VALUES = 2 * LAYERS * HIDDEN  # keys and values a token


def mean_context(new_tokens: int) -> float:
    """Cached tokens that a step reads, on the mean over a text of `new_tokens` after the prompt."""
    return PROMPT_TOKENS + new_tokens / 2


def prompts(rows: int) -> list[list[int]]:
    """The same `rows` random prompts for every engine."""
    dice = random.Random(PROMPT_SEED)
    return [[dice.randrange(len(SPECIAL), VOCABULARY) for _ in range(PROMPT_TOKENS)] for _ in range(rows)]


def words(ids: list[int]) -> list[str]:
    """Token ids as the words of the benchmark's tokenizer, for engines that take nothing else."""
    return [f"t{number}" for number in ids]


def make(folder: Path) -> None:
    """Write model and tokenizer in transformers' form, once. A half-made folder is never left under the final name."""
    if folder.exists():
        return
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerFast

    config = GPTNeoXConfig(
        vocab_size=VOCABULARY,
        hidden_size=HIDDEN,
        intermediate_size=INTERMEDIATE,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        max_position_embeddings=POSITIONS,
        layer_norm_eps=EPSILON,
        hidden_act="gelu",
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0, "partial_rotary_factor": ROTARY_SHARE},
        use_parallel_residual=True,
        attention_bias=True,
        tie_word_embeddings=False,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
    )
    torch.manual_seed(WEIGHTS_SEED)
    vocabulary = [*SPECIAL, *words(list(range(len(SPECIAL), VOCABULARY)))]
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(vocabulary)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    half = folder.with_name(f"{folder.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    GPTNeoXForCausalLM(config).save_pretrained(half)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    ).save_pretrained(half)
    half.replace(folder)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
