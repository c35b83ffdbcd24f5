"""The whole procedure at a small size, on real patents, by the command line: the model writes better than Markov text.

The patents are those of the starter model. It takes minutes: `make test-all TEST_DATA=FOLDER` runs it.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from real_patents import DATA

from generator.base.intervals import wilson
from generator.commands.cli import main
from generator.corpus.patent_text import read_lines

PROFILE = """
name = "tenth"
model = "./run/model"
license = "CC-BY-4.0"
attribution = "Nobody"
context = 1024
max_new_tokens = 500
[sampling]
temperature = "0.8"
min_p = "0.1"
loop_tokens = "64"
most_claims = "4"
"""
DRAFTS = 100  # in each direction


def part(name: str, folder: Path) -> Path:
    """The whole patents of a file, and every tenth of its other texts: reading all of them takes a minute."""
    path = folder / name.removesuffix(".zst")
    kept = (value for at, value in enumerate(read_lines(DATA / name)) if at % 10 == 0 or value.get("claims"))
    path.write_text("".join(json.dumps(value) + "\n" for value in kept))
    return path


@pytest.mark.slow
@pytest.mark.data
def test_a_tenth_of_the_starter_writes_better_than_markov_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, profile = tmp_path / "run", tmp_path / "tenth.toml"
    profile.write_text(PROFILE)

    def figures(*words: str) -> Any:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([*words, f"--root={tmp_path}", "--json"])
        assert ended.value.code == 0
        return json.loads(capsys.readouterr().out)

    inputs = [f"--input={part(name, tmp_path)}" for name in ("patents.jsonl.zst", "descriptions.jsonl.zst")]
    cores = f"--threads={os.cpu_count()}"  # tests before this one may have set fewer
    facts = figures("train", "all", str(run), "--recipe", "tenth", cores, *inputs)
    assert facts["held_out_loss"]["top-down"] < 5.0  # an untrained model has 8.3, the logarithm of 4,096
    assert facts["held_out_loss"]["bottom-up"] < 5.0
    held_out = run / "data" / "held-out.jsonl.zst"
    made = figures(
        "evaluate", str(profile), "--task=drafting", f"--file={held_out}", "--items=4", f"--drafts={DRAFTS}",
        f"--out={tmp_path / 'out'}",
    )  # fmt: skip
    (model,) = made["models"]
    coherent = sum(part["gates"]["G2"]["hits"] for part in model["drafts"])
    (markov,) = [one for one in figures("selftest", "--size=300")["controls"] if one["set"] == "markov"]
    assert wilson(coherent, 2 * DRAFTS)[0] > wilson(markov["g2"], markov["n"])[1]
