"""The benchmark's own engine really runs: past the token at which a watcher first sees a draft, in each format."""

import random
import time

import pytest
import tiny_model

from tests.benchmarks.engine import ours, shape
from tests.benchmarks.engine.jobs import Job


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_model.save_tiny(tmp_path_factory.mktemp("tiny") / "model")


def written(folder, number_format, new_tokens, *, deadline=None):
    dice = random.Random(3)
    prompts = [[dice.randrange(1, 300) for _ in range(shape.PROMPT_TOKENS)] for _ in range(3)]
    job = Job(ours.__name__, number_format, 2, 70, 1, 60.0, 5, str(folder.parent))
    return ours.open_engine(job).write(prompts, new_tokens, deadline)


@pytest.mark.parametrize("number_format", [*ours.FORMATS, "fp32"])
def test_seventy_tokens_in_each_format(folder, number_format):
    rows = written(folder, number_format, 70)
    assert [len(row) for row in rows] == [70, 70, 70]
    assert rows[0] != rows[1]


def test_a_run_that_is_late_keeps_what_it_wrote(folder):
    rows = written(folder, "fp32", 70, deadline=time.monotonic() - 1)
    assert [len(row) for row in rows] == [64, 64, 64]  # where the watcher looks first
