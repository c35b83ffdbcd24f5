"""How the next token is chosen: the parameters as a record keeps them, and the numbers of chance."""

import re
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from generator.base.errors import ConfigError

HINT = 'Write it as text, such as "0.8".'
BOUNDS = (
    ("temperature", "0", "10"),
    ("top_p", "0", "1"),
    ("min_p", "0", "1"),
    ("loop_tokens", "0", "128"),
    ("most_claims", "0", "500"),
)
_DECIMAL = re.compile(r"\d{1,4}(?:\.\d{1,6})?")


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen, as decimal text, which is what a record keeps.

    `temperature` "0" takes the most probable token. `top_p` keeps the smallest set of tokens with at least that
    probability ("1": all); `min_p` keeps tokens with at least that share of the highest probability ("0": all).
    `loop_tokens`: a phrase of at most so many tokens may stand twice in a row, never three times ("0": no limit).
    Unlike a repetition penalty it leaves alone the nouns that claims must repeat (antecedent basis).
    `most_claims`: after so many claims the next section begins, or the text ends ("0": no limit).
    """

    temperature: str = "1"
    top_p: str = "1"
    min_p: str = "0"
    loop_tokens: str = "0"
    most_claims: str = "0"

    def __post_init__(self) -> None:
        for name, least, most in BOUNDS:
            text = getattr(self, name)
            if (
                not isinstance(text, str)
                or not _DECIMAL.fullmatch(text)
                or not Decimal(least) <= Decimal(text) <= Decimal(most)
            ):
                raise ConfigError(
                    f"sampling: {name} = {text!r}: a decimal number as text, from {least} to {most}, is expected",
                    hint=HINT,
                )
        for name in ("loop_tokens", "most_claims"):
            if not getattr(self, name).isdecimal():
                raise ConfigError(f"sampling: {name} = {getattr(self, name)!r}: a whole number is expected", hint=HINT)
        if Decimal(self.top_p) == 0:
            raise ConfigError(
                "sampling: top_p = 0 keeps no token", hint="For the most probable token set temperature to 0."
            )

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Names and values as record.Generation holds them."""
        return tuple(sorted((field.name, getattr(self, field.name)) for field in fields(self)))


def uniforms(seeds: list[int], steps: int) -> Any:
    """Uniform numbers in [0, 1), an array of doubles (rows, steps): row r is the stream of seed r alone.

    Philox is counter-based (Salmon et al. 2011): the number for step t is a function of seed and t.
    """
    import numpy

    return numpy.stack([numpy.random.Generator(numpy.random.Philox(key=seed)).random(steps) for seed in seeds])
