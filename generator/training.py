"""Train a small causal language model on the two layouts, from random weights, on an ordinary CPU.

Two phases, one learning-rate schedule: descriptions and heads at a short context teach the language, full
records at the full context teach the two layouts. Matrices are trained by Muon, the rest by AdamW, on fp32
masters of bf16 weights. A checkpoint every few minutes makes the same command go on after a kill.
"""

import hashlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from generator import files
from generator.errors import ConfigError, ModelError
from generator.layouts import DIRECTIONS
from generator.model_card import model_card
from generator.recipe import END, Recipe, fit, token_rows, train_tokenizer
from generator.training_text import Patent, read_corpus


def train(
    data: Path,
    folder: Path,
    recipe: Recipe,
    *,
    today: str,
    threads: int = 0,
    checkpoint_seconds: float = 120,
    report: Callable[[str], None],
) -> dict[str, Any]:
    """Train to the end of the recipe; write model, tokenizer, `training.json`, curve and model card into `folder`.

    `today` is the date for the card, YYYY-MM-DD. Returns the content of `training.json`. Working state lies in
    `folder/work/`: with it the same command goes on after a kill; afterwards it can be deleted.
    """
    _require_packages()
    import torch

    if threads:
        torch.set_num_threads(threads)
    work = folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    _same_recipe(work / "recipe.json", recipe)
    report(f"train: reading {data}")
    corpus = read_corpus(data, hold_out_share=recipe.hold_out_share)
    report(f"train: {len(corpus.full)} full records, {len(corpus.held_out)} held out, {len(corpus.heads)} heads")
    tokenizer = train_tokenizer(corpus, recipe, work / "tokenizer.json", report)
    rows = token_rows(corpus, recipe, tokenizer, work / "rows.npz", report)
    model = _new_model(recipe, tokenizer)
    seconds = _optimise(model, rows, recipe, work, checkpoint_seconds, report)
    losses = held_out_losses(model, tokenizer, corpus.held_out, recipe.context)
    facts = {
        "date": today,
        "recipe": asdict(recipe),
        "parameters": sum(p.numel() for p in model.parameters()),
        "steps": recipe.steps,
        "tokens": recipe.steps * recipe.tokens_per_step,
        "seconds": round(seconds),
        "full_records": len(corpus.full),
        "held_out_records": len(corpus.held_out),
        "epochs": round(
            int((rows["full"] == tokenizer.token_to_id(END)).sum()) / len(DIRECTIONS) / len(corpus.full), 2
        ),
        "held_out_loss": losses,
        "data_sha256": {
            p.name: hashlib.sha256(p.read_bytes()).hexdigest()
            for p in (*sorted(data.glob("patents*.jsonl*")), *corpus.descriptions)
        },
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    _save(model, tokenizer, folder, facts)
    files.write(folder / "curve.csv", (work / "curve.csv").read_bytes())
    report(f"train: held-out loss {losses}; written to {folder}")
    return facts


def held_out_losses(model: Any, tokenizer: Any, patents: tuple[Patent, ...], context: int) -> dict[str, float]:
    """Mean cross-entropy per token (nats) of each layout on records that were kept out, cut at `context` tokens."""
    import torch

    end = tokenizer.token_to_id(END)
    result: dict[str, float] = {}
    model.eval()
    with torch.no_grad():
        for direction in DIRECTIONS:
            total, count = 0.0, 0
            for patent in patents:
                ids = fit(tokenizer, direction, patent, end, context)
                if ids:
                    batch = torch.tensor([ids])
                    total += float(model(input_ids=batch, labels=batch).loss) * (len(ids) - 1)
                    count += len(ids) - 1
            result[direction] = round(total / count, 4)
    model.train()
    return result


def _same_recipe(path: Path, recipe: Recipe) -> None:
    wanted = json.dumps(asdict(recipe), indent=1)
    if path.exists() and path.read_text() != wanted:
        raise ConfigError(
            f"{path}: an unfinished run with another recipe lies here",
            hint="Train into another folder, or delete this one to start afresh.",
        )
    path.write_text(wanted)


def _new_model(recipe: Recipe, tokenizer: Any) -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    end = tokenizer.token_to_id(END)
    torch.manual_seed(recipe.seed)
    config = LlamaConfig(
        vocab_size=recipe.vocabulary,
        hidden_size=recipe.hidden,
        intermediate_size=recipe.intermediate,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        max_position_embeddings=recipe.context,
        tie_word_embeddings=True,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        use_cache=True,
    )
    return LlamaForCausalLM(config).to(torch.bfloat16)


def _optimise(
    model: Any, rows: Any, recipe: Recipe, work: Path, checkpoint_seconds: float, report: Callable[[str], None]
) -> float:
    import torch

    parameters = list(model.parameters())
    masters = [torch.nn.Parameter(p.detach().float()) for p in parameters]
    matrices = [m for m in masters if m.ndim == 2 and m.shape[0] != recipe.vocabulary]
    others = [m for m in masters if m.ndim != 2 or m.shape[0] == recipe.vocabulary]
    muon = torch.optim.Muon(matrices, lr=recipe.muon_rate, weight_decay=0.01, adjust_lr_fn="original")
    adamw = torch.optim.AdamW(others, lr=recipe.adamw_rate, betas=(0.9, 0.95), weight_decay=0.0)
    optimisers = (muon, adamw)
    state = {"step": 0, "seconds": 0.0}
    smooth = 0.0  # running mean of the loss
    path = work / "checkpoint.pt"
    if path.exists():
        saved = torch.load(path, weights_only=True)
        for master, value in zip(masters, saved["masters"], strict=True):
            master.data.copy_(value)
        for optimiser, value in zip(optimisers, saved["optimisers"], strict=True):
            optimiser.load_state_dict(value)
        state = {"step": saved["step"], "seconds": saved["seconds"]}
        smooth = saved.get("smooth", 0.0)
        report(f"train: going on at step {state['step']} of {recipe.steps}")
    with torch.no_grad():
        for parameter, master in zip(parameters, masters, strict=True):
            parameter.copy_(master)
    curve = work / "curve.csv"
    started, saved_at = time.monotonic(), time.monotonic()
    before = state["seconds"]
    _cut_curve(curve, int(state["step"]))
    for step in range(int(state["step"]), recipe.steps):
        loss = _step(model, parameters, masters, optimisers, rows, recipe, step)
        if not math.isfinite(loss):
            raise ModelError(f"step {step}: the loss is {loss}", hint="Lower the recipe's learning rates.")
        smooth = loss if smooth == 0.0 else 0.95 * smooth + 0.05 * loss
        spent = before + time.monotonic() - started
        if (step + 1) % 10 == 0:
            with curve.open("a") as file:
                file.write(f"{step + 1},{(step + 1) * recipe.tokens_per_step},{smooth:.4f},{spent:.0f}\n")
        if (step + 1) % 20 == 0:
            left = spent / (step + 1) * (recipe.steps - step - 1)
            report(
                f"train: step {step + 1}/{recipe.steps}  loss {smooth:.3f}  "
                f"{(step + 1) * recipe.tokens_per_step / spent:.0f} tokens/s  {left / 60:.0f} min left"
            )
        if time.monotonic() - saved_at > checkpoint_seconds or step + 1 == recipe.steps:
            saved_at = time.monotonic()
            value = {
                "masters": [m.data for m in masters],
                "optimisers": [o.state_dict() for o in optimisers],
                "step": step + 1,
                "seconds": spent,
                "smooth": smooth,
            }
            torch.save(value, path.with_suffix(".part"))
            path.with_suffix(".part").replace(path)
    return before + time.monotonic() - started


def _cut_curve(curve: Path, step: int) -> None:
    """Drop the lines after the checkpoint from which training goes on: they are written again."""
    lines = curve.read_text().splitlines(keepends=True) if curve.exists() else []
    curve.write_text("".join(line for line in lines if int(line.partition(",")[0]) <= step))


def _rate(step: int, recipe: Recipe) -> float:
    """Warm-up, then a cosine down to `final_rate`, as a factor of the full rate."""
    warm = min(1.0, (step + 1) / recipe.warmup_steps)
    cosine = 0.5 * (1 + math.cos(math.pi * step / recipe.steps))
    return warm * (recipe.final_rate + (1 - recipe.final_rate) * cosine)


def _step(model: Any, parameters: Any, masters: Any, optimisers: Any, rows: Any, recipe: Recipe, step: int) -> float:
    import torch

    short = step < recipe.short_steps
    table = rows["short"] if short else rows["full"]
    each = recipe.tokens_per_step // table.shape[1]
    first = (step if short else step - recipe.short_steps) * each
    loss = 0.0
    micro = max(1, 4096 // table.shape[1])  # rows that are in memory at once
    for start in range(first, first + each, micro):
        ids = torch.from_numpy(table[start : min(start + micro, first + each)].astype("int64"))
        loss += _backward(model, ids, len(ids) / each)
    factor = _rate(step, recipe)
    for optimiser, full in zip(optimisers, (recipe.muon_rate, recipe.adamw_rate), strict=True):
        for group in optimiser.param_groups:
            group["lr"] = full * factor
    with torch.no_grad():
        for parameter, master in zip(parameters, masters, strict=True):
            master.grad = parameter.grad.float()
            parameter.grad = None
    torch.nn.utils.clip_grad_norm_(masters, 1.0)
    for optimiser in optimisers:
        optimiser.step()
    with torch.no_grad():
        for parameter, master in zip(parameters, masters, strict=True):
            parameter.copy_(master)
    return loss


def _backward(model: Any, ids: Any, weight: float) -> float:
    """Add `weight` times the gradient of the mean next-token loss of `ids` (rows, width); return that loss.

    The logits of a whole micro-batch in fp32 would be the largest tensor by far; here they exist for a few
    hundred positions at a time, which halves the time of the loss on a CPU.
    """
    import torch

    hidden = model.model(input_ids=ids).last_hidden_state[:, :-1].reshape(-1, model.config.hidden_size)
    targets = ids[:, 1:].reshape(-1)
    leaf, matrix = hidden.detach(), model.lm_head.weight
    gradient = torch.empty_like(leaf)
    matrix_gradient = torch.zeros_like(matrix, dtype=torch.float32)
    total, scale = 0.0, weight / len(targets)
    with torch.no_grad():
        for start in range(0, len(targets), 512):
            part, wanted = leaf[start : start + 512], targets[start : start + 512, None]
            logits = (part @ matrix.T).float()
            logits -= logits.logsumexp(dim=1, keepdim=True)
            total -= float(logits.gather(1, wanted).sum())
            slope = logits.exp_()
            slope.scatter_add_(1, wanted, torch.full_like(wanted, -1.0, dtype=torch.float32))
            slope = (slope * scale).bfloat16()
            gradient[start : start + 512] = slope @ matrix
            matrix_gradient += slope.T @ part
    hidden.backward(gradient)
    grad = matrix_gradient.to(matrix.dtype)
    matrix.grad = grad if matrix.grad is None else matrix.grad + grad
    return total * scale


def _save(model: Any, tokenizer: Any, folder: Path, facts: dict[str, Any]) -> None:
    from transformers import PreTrainedTokenizerFast

    model.save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=END, bos_token=END, pad_token=END, clean_up_tokenization_spaces=False
    ).save_pretrained(folder)
    files.write(folder / "training.json", (json.dumps(facts, indent=1, sort_keys=True) + "\n").encode())
    files.write(folder / "README.md", model_card(facts).encode())


def _require_packages() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("torch", "transformers", "zstandard") if find_spec(name) is None]
    if missing:
        raise ModelError(
            f"training needs {', '.join(missing)}", hint="Install them with: pip install 'prior-art-press[train]'"
        )
