"""What a number format costs in quality: held-out loss of real patents, and the share of drafts that pass the checks.

    python -m tests.benchmarks.engine.quality --data FOLDER [--profile starter] [--drafts 400] [--texts 128]

`FOLDER` holds patents*.jsonl files, as `prior-art train` reads them; the records that the starter model was not trained
on are the held-out ones. The loss is that of the engine's own steps, token by token, as drafts are written.
"""

import argparse
import hashlib
import math
from collections import Counter
from pathlib import Path
from typing import Any

FORMATS = (("fp32", "auto"), ("bf16", "auto"), ("bf16", "int8"), ("int8", "auto"))
LONGEST = 1_024  # tokens of a text
HELD_OUT = 0.05  # as in the starter's recipe


def texts(data: Path, count: int, tokenizer: Any) -> list[list[int]]:
    """Token ids of held-out records, both layouts in turn, cut at LONGEST."""
    from generator.corpus.documents import Document
    from generator.corpus.patent_text import held_out
    from generator.corpus.reading import read_documents
    from generator.record.layouts import DIRECTIONS, write_layout
    from generator.train.gathering import cleaned

    found = []
    items = (item for path in sorted(data.glob("patents*.jsonl*")) for _, item in read_documents(path))
    whole = (item for item in items if isinstance(item, Document) and item.title and item.abstract and item.claims)
    for number, patent in enumerate(cleaned(one) for one in whole if held_out(one.number, HELD_OUT)):
        for direction in DIRECTIONS[number % 2 :] + DIRECTIONS[: number % 2]:
            text = write_layout(direction, patent.title, patent.abstract, patent.claims)
            found.append(list(tokenizer(text)["input_ids"])[:LONGEST])
    return found[:count]


def reference_loss(folder: Path, rows: list[list[int]]) -> float:
    """Mean loss a token in nats, of the transformers model in float32."""
    import torch
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    total = 0.0
    with torch.inference_mode():
        for row in rows:
            ids = torch.tensor([row])
            total += float(model(input_ids=ids, labels=ids).loss) * (len(row) - 1)
    return total / sum(len(row) - 1 for row in rows)


def engine_loss(folder: Path, number_format: str, cache_format: str, rows: list[list[int]]) -> float:
    """The same, of the engine's steps: all texts side by side, the longest first."""
    import numpy
    import torch
    from transformers import AutoModelForCausalLM

    from generator.model.engine.kernels import PAGE
    from generator.model.engine.opening import pack
    from generator.model.engine.products import floats

    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    decoder, _, _ = pack(model, number_format, cache_format, rows[0])
    rows = sorted(rows, key=len, reverse=True)
    pages = -(-LONGEST // PAGE)
    space = decoder.workspace(len(rows), len(rows) * pages)
    table = numpy.arange(len(rows) * pages, dtype=numpy.int32).reshape(len(rows), pages)
    total, count = 0.0, 0
    with torch.inference_mode():
        for place in range(len(rows[0]) - 1):
            active = sum(len(row) > place + 1 for row in rows)
            tokens = numpy.array([row[place] for row in rows[:active]], dtype=numpy.int32)
            positions = numpy.full(active, place, dtype=numpy.int32)
            logits = torch.from_numpy(floats(*space.step(tokens, positions, table[:active])))
            goal = torch.tensor([row[place + 1] for row in rows[:active]])
            total += float(torch.nn.functional.cross_entropy(logits, goal, reduction="sum"))
            count += active
    return total / count


def drafted(profile: Any, number_format: str, cache_format: str, count: int) -> Counter[str]:
    """Outcomes of drafts with seeds that are the same for every format."""
    from generator.judge.checks import check
    from generator.judge.parsing import Rejected, parse
    from generator.model.interface import Brief, EngineChoice
    from generator.model.loading import open_model
    from generator.record.layouts import DIRECTIONS

    model = open_model(
        profile, EngineChoice(number_format=number_format, cache_format=cache_format), report=lambda _: None
    )
    seeds = (int.from_bytes(hashlib.sha256(f"quality {n}".encode()).digest()[:8], "big") for n in range(count))
    briefs = [Brief(n, DIRECTIONS[n % 2], "", "", seed) for n, seed in enumerate(seeds)]
    found: Counter[str] = Counter()
    for draft in model.drafts(briefs, profile.sampling):
        parsed = parse(draft.text, draft.brief.direction, "limit" if draft.generation.stop == "limit" else "end")
        passed = parsed if isinstance(parsed, Rejected) else check(parsed.disclosure)
        found[passed.reason if isinstance(passed, Rejected) else "accepted"] += 1
    return found


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    z, p = 1.96, part / whole
    middle, half = p + z * z / 2 / whole, z * math.sqrt(p * (1 - p) / whole + z * z / 4 / whole / whole)
    return (middle - half) / (1 + z * z / whole), (middle + half) / (1 + z * z / whole)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--profile", default="starter")
    parser.add_argument("--drafts", type=int, default=400)
    parser.add_argument("--texts", type=int, default=128)
    chosen = parser.parse_args()

    from transformers import PreTrainedTokenizerFast

    from generator.model.engine.products import possible
    from generator.model.profiles import load_profile
    from generator.model.weights import model_folder

    profile = load_profile(chosen.profile, Path.cwd())
    folder = model_folder(profile)[0]
    rows = texts(chosen.data, chosen.texts, PreTrainedTokenizerFast.from_pretrained(folder))
    exact = reference_loss(folder, rows)
    print(
        f"{chosen.profile}: {len(rows)} held-out texts, {sum(map(len, rows))} tokens, {chosen.drafts} drafts a format\n"
    )
    print("| numbers | cache | loss a token | against float32 | accepted | 95 % interval |")
    print("| --- | --- | --- | --- | --- | --- |")
    print(f"| transformers float32 | | {exact:.4f} | | | |")
    for number_format, cache_format in FORMATS:
        if not possible(number_format):  # type: ignore[arg-type]
            print(f"| {number_format} | {cache_format} | not possible on this CPU | | | |")
            continue
        loss = engine_loss(folder, number_format, cache_format, rows)
        accepted = drafted(profile, number_format, cache_format, chosen.drafts)["accepted"]
        low, high = wilson(accepted, chosen.drafts)
        print(
            f"| {number_format} | {cache_format.replace('auto', 'the same')} | {loss:.4f} | {loss / exact - 1:+.3%} "
            f"| {accepted / chosen.drafts:.1%} | {low:.1%} to {high:.1%} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
