"""How the engine starts: compiled code that is kept, a CPU without AVX-512, a machine without Numba."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
import tiny_model

from generator.base.errors import ModelError
from generator.model.engine import compiled
from generator.model.engine.compiled import code_folder, compiled_before, kernel
from generator.model.interface import EngineChoice
from generator.model.loading import open_model
from generator.model.profiles import read_profile

INTEL = platform.machine() in ("x86_64", "AMD64")
# What torch's and Numba's own switches make of this CPU: one of 2013, with AVX2 and without AVX-512.
OLD_CPU = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2",
           "NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": ""} if INTEL else {}  # fmt: skip
START = """
import json, sys, warnings
warnings.simplefilter("error")
from pathlib import Path
from generator.model.interface import Brief, EngineChoice
from generator.model.loading import open_model
from generator.model.profiles import read_profile
from generator.model.sampling_settings import Sampling
profile, told = read_profile(Path(sys.argv[1])), []
briefs = [Brief(n, ("top-down", "bottom-up")[n % 2], "", "", n) for n in range(4)]
out = {"told": told}
for engine in sys.argv[2:]:
    number_format = {"prior-art": "auto", "generate": "fp32"}[engine]
    model = open_model(profile, EngineChoice(engine, threads=1, number_format=number_format), report=told.append)
    texts = {d.brief.index: d.text for d in model.drafts(iter(briefs), Sampling("0"))}
    free = {d.brief.index: d.text for d in model.drafts(iter(briefs), Sampling("1", "0.9", "0.02", "5", "2"))}
    out[engine] = [model.identity.number_format, sorted(texts.items()), sorted(free.items())]
    out.setdefault("numba", "numba" in sys.modules)
    if engine == "prior-art":
        kernels = [model._decoder.attend, model._decoder.place]
        out["compiled"] = sum(sum(k.stats.cache_misses.values()) for k in kernels)
        out["code"] = [code for k in kernels if out["compiled"] for code in k.inspect_asm().values()]
json.dump(out, sys.stdout)
"""


def started(profile, *engines, **environment):
    """What the engines write in a new process, one after the other."""
    done = subprocess.run(
        [sys.executable, "-c", START, str(profile), *engines],
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def profile(tmp_path_factory):
    folder = tiny_model.save_tiny(tmp_path_factory.mktemp("tiny"))
    return tiny_model.write_profile(folder / "tiny.toml", folder, more="max_new_tokens = 70\n")


@pytest.mark.slow
def test_a_cpu_without_avx_512_and_a_second_start(profile, tmp_path):
    """On the first start it compiles and says so, on the second it does neither; nothing is imitated slowly."""
    first = started(profile, "generate", "prior-art", XDG_CACHE_HOME=str(tmp_path), **OLD_CPU)
    assert first["numba"] is False  # which `generate` never needs
    assert "compiling its kernels for this CPU" in first["told"][0]
    assert "engine: fp32 (" in first["told"][1] or not INTEL
    if INTEL:
        assert first["prior-art"][0] == "fp32"
        assert first["prior-art"][1] == first["generate"][1]  # greedy
        assert not any("zmm" in code for code in first["code"])
        assert any("ymm" in code for code in first["code"])
    assert first["compiled"] == 2
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nb*")}
    assert any(path.suffix == ".nbc" for path in kept)
    second = started(profile, "prior-art", XDG_CACHE_HOME=str(tmp_path), **OLD_CPU)
    assert len(second["told"]) == 1
    assert second["told"][0].startswith("engine: ")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nb*")} == kept
    assert second["compiled"] == 0
    assert second["prior-art"] == first["prior-art"]


def test_without_numba_the_way_out_is_named(profile, monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(ModelError, match="package numba is not installed, and the engine's kernels") as error:
        open_model(read_profile(profile), EngineChoice(), report=print)
    assert "pip install 'prior-art-press[model]'" in error.value.hint
    assert "--engine generate" in error.value.hint


@pytest.fixture
def afresh():
    code_folder.cache_clear()
    yield
    code_folder.cache_clear()


def doubled(values):
    for i in range(values.shape[0]):
        values[i] *= 2


@pytest.mark.usefixtures("afresh")
def test_where_no_code_can_be_kept_kernels_are_compiled_all_the_same(tmp_path, monkeypatch):
    """A regular file stands where the folder should be. (Permissions would not stop root.)"""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert code_folder() is None
    assert not compiled_before()
    values = numpy.ones(3, dtype=numpy.float32)
    kernel(doubled)(values)
    assert values.tolist() == [2, 2, 2]


@pytest.mark.usefixtures("afresh")
def test_a_user_without_a_home(monkeypatch):
    def nowhere(*_):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(compiled.Path, "home", nowhere)
    assert code_folder() is None


@pytest.mark.usefixtures("afresh")
def test_other_sources_have_other_compiled_code(tmp_path, monkeypatch):
    """Numba looks at the file of a kernel, not at those that the kernel calls into."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    sources = tmp_path / "engine"
    sources.mkdir()
    for path in Path(compiled.__file__).parent.glob("*.py"):
        (sources / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(compiled, "__file__", str(sources / "compiled.py"))
    before = code_folder()
    assert before.is_relative_to(tmp_path / "cache")
    with (sources / "arithmetic.py").open("a") as file:
        file.write("# changed\n")
    code_folder.cache_clear()
    assert code_folder() != before
