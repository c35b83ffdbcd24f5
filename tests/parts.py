"""The test files by what they need, for jobs that run side by side: `python tests/parts.py PART` names those of one.

core      neither torch nor a browser: everything from `base` to `publish`, and what counts and measures
model     torch: writing, the engine, evaluation, training
browser   Chromium
house     the whole tree: layers, documents, workflows
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
HOUSE = {"architecture", "docs", "locks", "workflows"}
MODEL = {
    "agreement", "benchmark_engine", "benchmark_ours", "benchmark_session", "chat", "classification", "cli", "cluster",
    "describe", "diversity", "drafting_command", "engine", "engine_arithmetic", "engine_choosing", "engine_decoder",
    "engine_kernels", "engine_memory", "engine_modules", "engine_products", "engine_start", "evaluation",
    "evaluation_command", "ipquiz", "memorisation", "model", "model_card", "other_profiles", "preference_pairs",
    "preferences", "reading_patents", "regenerate", "sampler", "shards", "training_commands", "training_continue",
    "training_data", "training_rows", "training_run", "training_tenth", "watching", "weights", "writing",
}  # fmt: skip
PARTS = ("core", "model", "browser", "house")


def part(path: Path) -> str:
    name = path.stem.removeprefix("test_")
    if name.startswith("browser_") or name == "end_to_end":
        return "browser"
    return "house" if name in HOUSE else "model" if name in MODEL else "core"


def files(wanted: str) -> list[str]:
    return [f"tests/{path.name}" for path in sorted(HERE.glob("test_*.py")) if part(path) == wanted]


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in PARTS:
        sys.exit(f"parts: one of {', '.join(PARTS)} is expected")
    print(*files(sys.argv[1]))
