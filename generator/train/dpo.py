"""Direct preference optimisation of a stage's model through trl's DPOTrainer, with checkpoints by time."""

import random
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from generator.train.curve import Curve
from generator.train.fitting import checkpoint_callback, cuda, explained, finite, half, last_checkpoint, step_of
from generator.train.pairs import Pair
from generator.train.recipe import Preference
from generator.train.run import Run, StageFolder

REPORTED = 10  # steps between two lines about progress
LAST = 10  # steps whose figures are the stage's last
REFERENCE = "reference.npz"


def in_steps(pairs: Sequence[Pair], preference: Preference, seed: int) -> list[Pair]:
    """The pairs in training order, whole steps of them. Those of a step stand by length, which spares padding."""
    shuffled = list(pairs)
    random.Random(f"{seed} prefer").shuffle(shuffled)
    size = preference.step_pairs
    steps = [shuffled[at : at + size] for at in range(0, len(shuffled) - size + 1, size)]
    return [pair for step in steps for pair in sorted(step, key=lambda pair: pair.tokens)]


def fit_preferences(
    run: Run, stage: StageFolder, preference: Preference, model: Any, tokenizer: Any, pairs: list[Pair]
) -> tuple[Any, dict[str, Any]]:
    """Train on `pairs`, which are in training order, from the last checkpoint on. Returns the trained model, which
    holds the adapters where there are any, and the stage's figures.

    Raises ModelError as `fit_phase` does.
    """
    import torch

    if run.threads:
        torch.set_num_threads(run.threads)
    checkpoint = last_checkpoint(stage.work)
    done = step_of(checkpoint)
    curve = Curve(stage.work / "curve.csv", keep=done)
    if checkpoint:
        run.report(f"train prefer: going on at step {done} of {len(pairs) // preference.step_pairs}")
    with explained("prefer", "memory_pairs"), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # trl and transformers of one year do not quite agree
        trainer = _trainer(run, stage, preference, model, tokenizer, pairs, curve)
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    return trainer.model, {"seconds": curve.seconds, **_figures(trainer.state.log_history)}


def _figures(history: Sequence[dict[str, float]]) -> dict[str, float]:
    """Means of the last steps: the share of pairs whose chosen text gained more, by how much, and what each gained."""
    last = [line for line in history if "rewards/margins" in line][-LAST:]
    names = {
        "loss": "loss",
        "accuracy": "rewards/accuracies",
        "margin": "rewards/margins",
        "chosen_reward": "rewards/chosen",
        "rejected_reward": "rewards/rejected",
    }
    return {name: round(sum(line[key] for line in last) / len(last), 4) for name, key in names.items()}


def _trainer(
    run: Run, stage: StageFolder, preference: Preference, model: Any, tokenizer: Any, pairs: list[Pair], curve: Curve
) -> Any:
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import DPOTrainer

    steps = len(pairs) // preference.step_pairs
    tokens = [sum(pair.tokens for pair in pairs[: (step + 1) * preference.step_pairs]) for step in range(steps)]

    class PreferenceTrainer(DPOTrainer):  # type: ignore[misc]
        """trl's, on token ids as they are: it would put an end token behind texts that have none."""

        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            return dataset

        def _precompute_ref_logps(self, dataset: Any, *_: Any) -> Any:
            if not (stage.work / REFERENCE).exists():
                run.report("train prefer: reading the pairs with the model that it begins with")
            found = _reference(self, dataset, stage.work / REFERENCE, preference.memory_rows)
            for name, values in found.items():
                dataset = dataset.add_column(name, values)
            return dataset

        def _send_telemetry(self) -> None:
            """Nothing is told to anybody."""

        def create_model_card(self, *_: Any, **__: Any) -> None:
            """A checkpoint needs none."""

    columns = {
        f"{name}_ids": [list(getattr(pair, name)) for pair in pairs] for name in ("prompt", "chosen", "rejected")
    }
    trainer = PreferenceTrainer(
        model=model,
        args=_arguments(run, stage, preference, steps),
        train_dataset=Dataset.from_dict(columns),
        processing_class=tokenizer,
        callbacks=[checkpoint_callback(run, lambda step, logs: _logged(run, stage, curve, step, tokens, logs))],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _arguments(run: Run, stage: StageFolder, preference: Preference, steps: int) -> Any:
    from trl import DPOConfig

    return DPOConfig(
        output_dir=str(stage.work),
        max_steps=steps,
        per_device_train_batch_size=preference.memory_rows,
        gradient_accumulation_steps=preference.step_pairs // preference.memory_rows,
        loss_type=["sigmoid", "sft"] if preference.chosen_weight else ["sigmoid"],
        loss_weights=[1.0, preference.chosen_weight] if preference.chosen_weight else [1.0],
        beta=preference.beta,
        precompute_ref_log_probs=True,  # one pass without gradients, and no second model in memory
        max_length=None,
        learning_rate=preference.rate,
        lr_scheduler_type="linear",
        warmup_steps=min(preference.warmup_steps, steps),
        max_grad_norm=1.0,
        optim="adamw_torch",
        gradient_checkpointing=False,
        bf16=half(run),
        use_cpu=not cuda(run),
        seed=run.recipe.seed,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",
        save_total_limit=2,
        train_sampling_strategy="sequential",
        dataloader_pin_memory=cuda(run),
        disable_tqdm=True,
        report_to="none",
    )


def _reference(trainer: Any, dataset: Any, path: Path, rows: int) -> dict[str, Any]:
    """Log-probabilities of both texts of each pair under the model that the stage begins with, in float32.

    Made in the batches of training, so that the first step's margins are zero; kept for when the stage goes on.
    """
    import numpy as np

    if not path.exists():
        found: list[Any] = []
        for start in range(0, len(dataset), rows):
            batch = trainer.data_collator([dataset[at] for at in range(start, min(start + rows, len(dataset)))])
            batch = {name: value.to(trainer.accelerator.device) for name, value in batch.items()}
            trainer.model.to(trainer.accelerator.device)
            found.append([part.float().cpu().numpy() for part in trainer.compute_ref_log_probs(trainer.model, batch)])
        chosen, rejected = (np.concatenate([part[side] for part in found]) for side in (0, 1))
        part = path.with_suffix(".part.npz")
        np.savez(part, ref_chosen_logps=chosen, ref_rejected_logps=rejected)
        part.replace(path)
    with np.load(path) as kept:
        return {name: kept[name] for name in ("ref_chosen_logps", "ref_rejected_logps")}


def _logged(
    run: Run, stage: StageFolder, curve: Curve, step: int, tokens: Sequence[int], logs: dict[str, float]
) -> None:
    loss, steps = float(logs["loss"]), len(tokens)
    finite(stage, step, loss, "rate")
    curve.add(step, tokens[step - 1], loss)
    if step % REPORTED == 0 or step == steps:
        run.report(
            f"train prefer: step {step}/{steps}  loss {loss:.3f}  margin {logs['rewards/margins']:.3f}  "
            f"{curve.pace(tokens[step - 1], tokens[-1])}"
        )
