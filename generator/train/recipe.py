"""A recipe: everything but the data that decides a training run, read from TOML, strictly.

The files of generator/train/recipes/ are built in; their comments are the documentation of every member.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from generator.base.errors import ConfigError
from generator.base.values import read_toml
from generator.model.profiles import built_in_profiles

BUILT_IN = Path(__file__).parent / "recipes"
HINT = "docs/training.md describes a recipe."
LOG_STEPS = 10  # steps between two points of a curve
FORMATS = ("description", "head", "top-down", "bottom-up", "specification")
WHOLE = ("top-down", "bottom-up", "specification")  # formats that show a patent with its claims
MERGED, ADAPTER = OUTPUTS = ("merged", "adapter")


@dataclass(frozen=True, slots=True)
class Data:
    held_out: float = 0.05
    near_duplicate: float = 0.8
    tiers: tuple[str, ...] = ("clean",)
    vocabulary: int = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """A new model of Llama's architecture, or `base`, to be continued: the base of a model profile (its name or TOML
    file), a repository of the hub or a folder. `output`: low-rank additions become part of the weights, or stay apart.
    """

    context: int
    hidden: int = 0
    layers: int = 0
    heads: int = 0
    kv_heads: int = 0
    intermediate: int = 0
    base: str = ""
    revision: str = "main"
    lora_rank: int = 0
    output: str = MERGED

    @property
    def from_profile(self) -> bool:
        """Whether `base` is a profile: a built-in one, or a TOML file."""
        return self.base.endswith(".toml") or ("/" not in self.base and not self.base.startswith((".", "~")))


@dataclass(frozen=True, slots=True)
class Phase:
    """`mix` has the share of the phase's tokens by format. Rates are those after warming up."""

    tokens: int
    context: int
    step_tokens: int
    mix: tuple[tuple[str, float], ...]
    adamw_rate: float
    muon_rate: float = 0.0
    weight_decay: float = 0.0
    warmup_steps: int = 50
    decay_share: float = 0.0
    final_rate: float = 0.0
    text_tokens: int = 0
    short_share: float = 1.0
    row_tokens: int = 4096

    @property
    def steps(self) -> int:
        return self.tokens // self.step_tokens

    @property
    def step_rows(self) -> int:
        return self.step_tokens // self.context

    @property
    def memory_rows(self) -> int:
        """Rows that are in memory at once; it divides `step_rows`."""
        return _divisor(self.step_rows, self.row_tokens // self.context)


@dataclass(frozen=True, slots=True)
class Preference:
    """Direct preference optimisation (Rafailov et al. 2023, arXiv 2305.18290) on `pairs` pairs of texts, each once.

    `corrupted_share` of them have true claims and the same with a fault, the others two of `drafts` drafts that the
    model writes before, as it will be asked to: at most `new_tokens` tokens, sampled as the other members of
    sampling.Sampling say. `context` is the longest text of a pair in tokens. A step has `step_pairs` pairs,
    `memory_pairs` of them in memory at once. A higher `beta` keeps the model nearer to what it was; `chosen_weight` is
    the share of the next-token loss on chosen texts (Pang et al. 2024, arXiv 2404.19733), 0: none.
    """

    pairs: int
    drafts: int
    rate: float
    corrupted_share: float = 0.25
    beta: float = 0.1
    chosen_weight: float = 0.1
    step_pairs: int = 16
    warmup_steps: int = 5
    context: int = 1024
    new_tokens: int = 700
    temperature: float = 1.0
    min_p: float = 0.05
    loop_tokens: int = 64
    most_claims: int = 6
    memory_pairs: int = 4

    @property
    def memory_rows(self) -> int:
        """Pairs that are in memory at once; it divides `step_pairs`."""
        return _divisor(self.step_pairs, self.memory_pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """`license` is an SPDX identifier of the weights to come, `attribution` what their users have to say, and
    `attributions` what the licences of the data ask to be said."""

    name: str
    seed: int
    license: str = ""
    attribution: str = ""
    attributions: tuple[str, ...] = ()
    times_seen: float = 0.0
    data: Data = Data()
    model: Shape
    broad: Phase | None = None
    balanced: Phase | None = None
    finetune: Phase
    prefer: Preference | None = None

    @property
    def phases(self) -> dict[str, Phase]:
        """Those that the recipe has, in order."""
        every = {"broad": self.broad, "balanced": self.balanced, "finetune": self.finetune}
        return {name: phase for name, phase in every.items() if phase}

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def _divisor(whole: int, most: int) -> int:
    """The largest divisor of `whole` that is at most `most`, and at least 1."""
    return next((part for part in range(min(whole, most), 1, -1) if whole % part == 0), 1)


def built_in_recipes() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in BUILT_IN.glob("*.toml")))


def recipe_path(name_or_path: str, root: Path) -> Path:
    """A built-in recipe by name, or the TOML file at a path relative to `root`. Raises ConfigError."""
    if name_or_path in built_in_recipes():
        return BUILT_IN / f"{name_or_path}.toml"
    path = root / Path(name_or_path).expanduser()
    if not path.is_file():
        raise ConfigError(
            f"{name_or_path}: neither a built-in recipe nor a TOML file",
            hint=f"Built-in recipes: {', '.join(built_in_recipes())}. Or give the path of a recipe of your own.",
        )
    return path


def read_recipe(path: Path) -> Recipe:
    """Raises ConfigError with the file and the member; of members of a wrong kind it names all."""
    recipe: Recipe = read_toml(Recipe, path, hint=HINT)
    _check(str(path), recipe)
    return recipe


def _shares(mix: tuple[tuple[str, float], ...]) -> bool:
    """Whether shares of known formats are above 0 and add up to 1."""
    sums = abs(sum(share for _, share in mix) - 1) < 1e-6
    return sums and all(name in FORMATS and share > 0 for name, share in mix)


def _check(place: str, recipe: Recipe) -> None:
    """What single members cannot show. Raises ConfigError."""
    wrong = _wrong_model(recipe)
    for name, phase in recipe.phases.items():
        wrong = _wrong_phase(phase, recipe.model.context, name) or wrong
    if recipe.prefer:
        wrong = _wrong_preference(recipe.prefer, recipe.model.context) or wrong
    if wrong:
        raise ConfigError(f"{place}: {wrong}", hint=HINT)


def _wrong_model(recipe: Recipe) -> str:
    shape, data = recipe.model, recipe.data
    new = (shape.hidden, shape.layers, shape.heads, shape.kv_heads, shape.intermediate, data.vocabulary)
    if shape.base and any(new):
        return "[model] base: a model that is continued has its shape and its vocabulary already"
    if not shape.base and (min(new) <= 0 or shape.lora_rank):
        return "[model]: a new model needs hidden, layers, heads, kv_heads, intermediate and [data] vocabulary, no LoRA"
    if not shape.base and (shape.hidden % (2 * shape.heads) or shape.heads % shape.kv_heads):
        return "[model]: heads must divide hidden into even numbers, and kv_heads must divide heads"
    if not shape.base and not 300 <= data.vocabulary <= 65_535:
        return "[data] vocabulary: 300 to 65535"
    if not 0 < data.held_out < 1 or not 0 < data.near_duplicate <= 1:
        return "[data] held_out and near_duplicate are shares between 0 and 1"
    if not 0 <= recipe.times_seen < float("inf"):
        return "times_seen: 0 for no limit, or a number above it"
    return _wrong_base(recipe)


def _wrong_base(recipe: Recipe) -> str:
    shape = recipe.model
    if not shape.base:
        missing = [name for name in ("broad", "balanced") if name not in recipe.phases]
        return f"[{missing[0]}]: a new model needs this phase" if missing else ""
    profile = shape.from_profile
    if profile and not shape.base.endswith(".toml") and shape.base not in built_in_profiles():
        known = ", ".join(built_in_profiles())
        return f"[model] base = {shape.base!r}: neither a path nor owner/name nor one of the profiles {known}"
    if profile and shape.revision != "main":
        return "[model] revision: a profile names its own"
    if shape.lora_rank < 0 or shape.output not in OUTPUTS:
        return f"[model]: lora_rank is 0 or more, output one of {', '.join(OUTPUTS)}"
    if shape.output == ADAPTER and not shape.lora_rank:
        return '[model] lora_rank: 1 or more where output is "adapter": without low-rank additions there is none'
    if shape.output == ADAPTER and recipe.prefer:
        return '[prefer]: a recipe whose output is "adapter" ends after fine-tuning'
    return ""


def _wrong_phase(phase: Phase, context: int, name: str) -> str:
    if not 16 <= phase.context <= context:
        return f"[{name}] context: 16 to the model's {context}"
    if not _shares(phase.mix):
        return f"[{name}] mix: a table of shares above 0 that add up to 1, of: {', '.join(FORMATS)}"
    if phase.step_tokens % phase.context or phase.steps < 1:
        return f"[{name}] step_tokens: a multiple of context, and at most tokens"
    if not phase.adamw_rate > 0 or min(phase.muon_rate, phase.final_rate, phase.weight_decay) < 0:
        return f"[{name}]: rates are above 0"
    if not 0 <= phase.text_tokens <= phase.context:
        return f"[{name}] text_tokens: at most context"
    if not 0 <= phase.short_share <= 1:
        return f"[{name}] short_share: a share, from 0 to 1"
    if phase.steps < LOG_STEPS:
        return f"[{name}] tokens: at least {LOG_STEPS} steps"
    if not 0 <= phase.decay_share <= 1 or not 0 <= phase.warmup_steps <= phase.steps:
        return f"[{name}]: decay_share is at most 1, warmup_steps at most the {phase.steps} steps"
    return ""


def _wrong_preference(prefer: Preference, context: int) -> str:
    if min(prefer.pairs, prefer.drafts, prefer.step_pairs, prefer.memory_pairs) < 1 or prefer.rate <= 0:
        return "[prefer]: pairs, drafts, step_pairs, memory_pairs and rate are above 0"
    if not (0 <= prefer.corrupted_share <= 1 and 16 <= prefer.context <= context):
        return f"[prefer]: corrupted_share is at most 1, context at most the model's {context}"
    if not (prefer.beta > 0 and prefer.chosen_weight >= 0 and prefer.step_pairs <= prefer.pairs):
        return "[prefer]: beta is above 0, chosen_weight not below, and step_pairs at most pairs"
    if not 1 <= prefer.new_tokens < prefer.context:
        return "[prefer] new_tokens: below context, as a draft has a prompt too"
    if not 0 <= prefer.warmup_steps <= prefer.pairs // prefer.step_pairs:
        return "[prefer] warmup_steps: at most the steps, pairs by step_pairs"
    return ""
