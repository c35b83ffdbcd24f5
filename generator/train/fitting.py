"""One phase of training: rows of tokens, a model, and transformers' Trainer between them, with checkpoints by time."""

import json
import math
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from generator.base.errors import ModelError
from generator.train.adapters import only_adapters
from generator.train.allocation import keep_freed_memory
from generator.train.curve import Curve
from generator.train.loss import next_token_loss
from generator.train.optimiser import optimiser
from generator.train.recipe import LOG_STEPS, Phase
from generator.train.rows import Rows
from generator.train.run import Run, StageFolder

_NOT_WRITTEN = re.compile(r"I/O error|No space left|failed writing file|file write failed")


def fit_phase(run: Run, stage: StageFolder, phase: Phase, model: Any, rows: Rows) -> float:
    """Train `model` in place to the end of a phase, from its last checkpoint on; returns the seconds that it took.

    Raises ModelError for a loss that is no number, a device without enough memory and a full disk; the last
    checkpoint stays.
    """
    import torch

    if run.threads:
        torch.set_num_threads(run.threads)
    keep_freed_memory()
    if hasattr(model, "peft_config"):
        only_adapters(model, in_blocks=None if cuda(run) else _numbers(run))
    checkpoint = last_checkpoint(stage.work)
    curve = Curve(stage.work / "curve.csv", keep=step_of(checkpoint))
    if checkpoint:
        run.report(f"train {stage.name}: going on at step {step_of(checkpoint)} of {phase.steps}")
    trainer = _trainer(run, stage, phase, model, rows, curve)
    with explained(stage.name, "row_tokens"):
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    return curve.seconds


def last_checkpoint(work: Path) -> Path | None:
    """The latest whole checkpoint of a stage; what a kill or a full disk left in the middle of one is deleted."""
    found = sorted(work.glob("checkpoint-*"), key=step_of, reverse=True)
    for path in found:
        try:
            state = json.loads((path / "trainer_state.json").read_bytes())  # written last
            if state["global_step"] == step_of(path):
                return path
        except (OSError, ValueError, KeyError, TypeError):
            pass
        shutil.rmtree(path)
    return None


def step_of(checkpoint: Path | None) -> int:
    """The step after which it was written; 0 of none."""
    return int(checkpoint.name.partition("-")[2]) if checkpoint else 0


@contextmanager
def explained(stage: str, member: str) -> Iterator[None]:
    """What goes wrong in the middle of training, as an error that says what to do; `member` of the recipe's part
    sets the memory that a step needs."""
    import torch
    from safetensors import SafetensorError

    going_on = "Then run the same command again: it goes on from the last checkpoint."
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise ModelError(
            f"train {stage}: the device has too little memory: {' '.join(str(error).split())[:200]}",
            hint=f"Lower {member} of [{stage}] in the run's recipe.toml, or train with --device cpu. {going_on}",
        ) from error
    except (SafetensorError, RuntimeError) as error:
        if not _NOT_WRITTEN.search(str(error)):
            raise
        raise ModelError(
            f"train {stage}: a checkpoint cannot be written: {' '.join(str(error).split())[:200]}",
            hint=f"Free space on the disk. {going_on}",
        ) from error


def cuda(run: Run) -> bool:
    """Whether a GPU is used. Raises ModelError when one is asked for and there is none."""
    import torch

    if run.device == "cuda" and not torch.cuda.is_available():
        raise ModelError(
            "--device cuda: PyTorch finds no GPU", hint="Install PyTorch with CUDA, or train with --device cpu."
        )
    return run.device != "cpu" and torch.cuda.is_available()


def half(run: Run) -> bool:
    """Whether products are done in bfloat16: where the device has an instruction of its own for them."""
    import torch

    from generator.model.loading import native_bf16

    return torch.cuda.is_bf16_supported() if cuda(run) else native_bf16()


def _numbers(run: Run) -> Any:
    """The number format of products."""
    import torch

    return torch.bfloat16 if half(run) else torch.float32


def _trainer(run: Run, stage: StageFolder, phase: Phase, model: Any, rows: Rows, curve: Curve) -> Any:
    import torch
    from transformers import PrinterCallback, Trainer, default_data_collator

    numbers, device = _numbers(run), "cuda" if cuda(run) else "cpu"

    class Examples(torch.utils.data.Dataset):  # type: ignore[misc]
        def __len__(self) -> int:
            return len(rows.tokens)

        def __getitem__(self, place: int) -> dict[str, Any]:
            ids = torch.from_numpy(rows.tokens[place].astype("int64"))
            return {"input_ids": ids, "labels": ids}

    class PhaseTrainer(Trainer):  # type: ignore[misc]
        def create_optimizer(self, model: Any = None) -> Any:  # noqa: ARG002
            self.optimizer: Any = optimiser(self.model, phase, half=half(run))
            return self.optimizer

        def compute_loss(self, model: Any, inputs: Any, *arguments: Any, **options: Any) -> Any:
            if not getattr(model, "loss_in_parts", False):
                return super().compute_loss(model, inputs, *arguments, **options)
            ids = inputs["input_ids"]
            inside = model.get_base_model() if hasattr(model, "peft_config") else model
            with torch.autocast(device, torch.bfloat16, enabled=numbers == torch.bfloat16):
                hidden = inside.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
            hidden = hidden.reshape(-1, hidden.shape[-1]).to(numbers)
            return next_token_loss(hidden, model.get_output_embeddings().weight.to(numbers), ids[:, 1:].reshape(-1))

    trainer = PhaseTrainer(
        model=model,
        args=_arguments(run, stage, phase, in_parts=getattr(model, "loss_in_parts", False)),
        train_dataset=Examples(),
        data_collator=default_data_collator,
        callbacks=[
            checkpoint_callback(run, lambda step, logs: _logged(run, stage, phase, curve, step, float(logs["loss"])))
        ],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.model_accepts_loss_kwargs = False  # rows are of one length, so the mean of their means is right
    return trainer


def _arguments(run: Run, stage: StageFolder, phase: Phase, *, in_parts: bool) -> Any:
    from transformers import TrainingArguments

    return TrainingArguments(
        output_dir=str(stage.work),
        max_steps=phase.steps,
        per_device_train_batch_size=phase.memory_rows,
        gradient_accumulation_steps=phase.step_rows // phase.memory_rows,
        lr_scheduler_type="warmup_stable_decay",
        lr_scheduler_kwargs={
            "num_decay_steps": round(phase.steps * phase.decay_share),
            "decay_type": "linear",
            "min_lr_ratio": phase.final_rate,
        },
        warmup_steps=phase.warmup_steps,
        max_grad_norm=1.0,
        bf16=half(run) and not in_parts,  # else the loss itself says what is done in bfloat16
        use_cpu=not cuda(run),
        seed=run.recipe.seed,
        logging_steps=LOG_STEPS,
        logging_nan_inf_filter=False,
        save_strategy="no",
        save_total_limit=2,
        train_sampling_strategy="sequential",
        remove_unused_columns=False,
        dataloader_pin_memory=cuda(run),
        disable_tqdm=True,
        report_to="none",
    )


def checkpoint_callback(run: Run, logged: Callable[[int, dict[str, float]], None]) -> Any:
    """What asks for a checkpoint when it is time, and gives each step's figures to `logged`, which keeps the curve."""
    from transformers import TrainerCallback

    class CheckpointCallback(TrainerCallback):  # type: ignore[misc]
        saved = time.monotonic()

        def on_step_end(self, arguments: Any, state: Any, control: Any, **_: Any) -> None:
            # On a step that is logged, so that the means of the curve are the same after a kill.
            if state.global_step % arguments.logging_steps == 0 and time.monotonic() - self.saved >= run.every:
                control.should_save = True

        def on_save(self, *_: Any, **__: Any) -> None:
            self.saved = time.monotonic()

        def on_log(self, _: Any, state: Any, __: Any, logs: Any = None, **___: Any) -> None:
            if "loss" in (logs or {}):  # the last report of all has none
                logged(state.global_step, logs)

    return CheckpointCallback()


def finite(stage: StageFolder, step: int, loss: float, rates: str) -> None:
    """Raises ModelError for a loss that is no number; `rates` names what in the recipe is then too high."""
    if not math.isfinite(loss):
        raise ModelError(
            f"train {stage.name}: the loss at step {step} is {loss}",
            hint=f"Lower the {rates} of [{stage.name}] in the recipe, and begin this stage anew: delete {stage.work}.",
        )


def _logged(run: Run, stage: StageFolder, phase: Phase, curve: Curve, step: int, loss: float) -> None:
    finite(stage, step, loss, "rates")
    tokens = step * phase.step_tokens
    curve.add(step, tokens, loss)
    pace = curve.pace(tokens, phase.steps * phase.step_tokens)
    run.report(f"train {stage.name}: step {step}/{phase.steps}  loss {loss:.3f}  {pace}")
