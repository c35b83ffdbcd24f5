"""Records whose texts are written again: by the model that wrote them, on this platform, or not."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import facts
import pytest
import taught_model
import tiny_model
from taught_model import TOPIC

from generator.base import files
from generator.base.errors import ModelError
from generator.base.settings import FILE
from generator.commands import cli
from generator.judge.parsing import Rejected
from generator.log import archive
from generator.model.interface import Draft, EngineChoice
from generator.model.loading import CACHE_FORMATS, FORMATS, open_model
from generator.model.profiles import ModelProfile, read_profile
from generator.model.sampling_settings import Sampling
from generator.record.disclosure import Claim
from generator.record.record import Record
from generator.run.judge_draft import Formed, form
from generator.run.plan import RunPlan, brief
from generator.run.regenerate import PLAIN, PLAIN_REASON, Regeneration, Source, formats, regenerate
from generator.run.topics import Topic

HERE = EngineChoice(threads=1)
MADE_WITH = EngineChoice(threads=1, number_format="fp32")
PLAN = RunPlan("tiny", 7, "drafts", 24, "0.5", Sampling("1", "0.9"), "Example", (Topic("A47J", TOPIC),))


def quiet(_: object) -> None:
    pass


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = taught_model.save_taught(tmp_path_factory.mktemp("tiny"))
    return tiny_model.write_profile(tmp_path_factory.mktemp("profile") / "tiny.toml", folder)


def drafted(
    profile: ModelProfile, plan: RunPlan, choice: EngineChoice = MADE_WITH
) -> Iterator[tuple[Draft, Formed | Rejected]]:
    model = open_model(profile, choice, report=quiet)
    for draft in model.drafts((brief(plan, index) for index in range(plan.amount)), plan.sampling):
        yield draft, form(draft, created_at=facts.TIME, publisher=plan.publisher, salt=bytes(range(16)))


def written(
    profile: ModelProfile, output: Path, plan: RunPlan = PLAN, choice: EngineChoice = MADE_WITH
) -> list[Record]:
    """The records of drafts that pass G0 and G1, in the queue: for the gates after them the little model repeats too
    much."""
    found: dict[int, Record] = {}
    for draft, formed in drafted(profile, plan, choice):
        if isinstance(formed, Formed) and formed.record.disclosure not in [one.disclosure for one in found.values()]:
            found[draft.brief.index] = formed.record
    for index, record in sorted(found.items()):
        files.write(output / "queue" / f"drafts-{index:06d}.json", record.to_bytes())
    return [found[index] for index in sorted(found)]


@pytest.fixture(scope="module")
def records(profile: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    found = written(read_profile(profile), tmp_path_factory.mktemp("output"))
    assert {record.generation.direction for record in found} == {"top-down", "bottom-up"}
    assert len(found) > 3
    return found


@pytest.fixture
def again(profile: Path) -> Callable[..., list[Regeneration]]:
    def call(*these: Record, profiles: tuple[ModelProfile, ...] = (), **more: Any) -> list[Regeneration]:
        sources = [Source(str(n), record.to_bytes) for n, record in enumerate(these)]
        options = {"report": quiet, **more}
        found = list(regenerate(sources, profiles or (read_profile(profile),), HERE, **options))
        return sorted(found, key=lambda result: int(result.name))

    return call


def lying(record: Record, text: str = "A valve, comprising nothing of the kind.", **generation: Any) -> Record:
    """The record with another first claim."""
    claims = (Claim(1, text), *record.disclosure.claims[1:])
    return altered(replace(record, disclosure=replace(record.disclosure, claims=claims)), **generation)


def altered(record: Record, **generation: Any) -> Record:
    return replace(record, generation=replace(record.generation, **generation))


def publish(root: Path, profile: Path, *records: Record) -> Path:
    """A publication with these records in its log and settings that pin its key and name the profile."""
    for number, record in enumerate(records):
        files.write(root / "output" / "queue" / f"2026-11-22-0000abcd-{number:06d}.findings.json", b"[]")
        files.write(root / "output" / "queue" / f"2026-11-22-0000abcd-{number:06d}.json", record.to_bytes())
    facts.append(root / "output")
    settings = f'origin = "{facts.ORIGIN}"\nvkey = "{facts.key().verification_key.text}"\nprofile = "{profile}"\n'
    files.write(root / FILE, settings.encode())
    return root


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., tuple[int, str, str]]]:
    def called(*words: str | Path) -> tuple[int, str, str]:
        code = 0
        try:
            cli.main(["verify", *map(str, words)])
        except SystemExit as ended:
            code = int(ended.code or 0)
        return code, *capsys.readouterr()

    return called


def test_the_formats_of_a_record() -> None:
    assert formats("bf16 cache int8") == ("bf16", "int8")
    assert formats("fp32") == ("fp32", "auto")
    known = [
        f"{number}{cache}" for number in FORMATS[1:] for cache in ("", *(f" cache {c}" for c in CACHE_FORMATS[1:]))
    ]
    assert len({formats(text) for text in known}) == len(known) >= 6
    for unknown in ("auto", "bfloat16", "bf16 cache", "bf16 cache fp4", " bf16", "bf16\n", "int4 cache int8"):
        with pytest.raises(ModelError, match="number format") as caught:
            formats(unknown)
        assert "newer version" in caught.value.hint


def test_every_record_of_a_run_is_written_again(records: list[Record], again: Any) -> None:
    results = again(*records)
    assert results == [Regeneration(str(n), "reproduced") for n in range(len(records))]
    assert {record.generation.topic for record in records if record.generation.direction == "top-down"} == {TOPIC}


def test_a_text_that_the_model_does_not_write_is_told(records: list[Record], again: Any) -> None:
    false, true = again(lying(records[0]), records[1])
    assert (false.result, true.result) == ("different", "reproduced")
    assert false.place.startswith('claim 1 differs: "A valve, comprising nothing of the kind." in the record, "')
    assert false.differences == ()
    other = altered(records[0], seed="00000000000000ff")
    assert again(other)[0].result == "different"


def test_a_draft_that_does_not_pass_is_told(records: list[Record], again: Any, profile: Path, tmp_path: Path) -> None:
    hot = Sampling("2", "1")
    refused = {}
    for draft, formed in drafted(read_profile(profile), replace(PLAN, sampling=hot)):
        if isinstance(formed, Rejected) and draft.brief.direction == "bottom-up":
            refused[f"{draft.brief.seed:016x}"] = formed.reason
    seed, reason = next(iter(refused.items()))
    up = next(record for record in records if record.generation.direction == "bottom-up")
    (result,) = again(altered(up, seed=seed, sampling=hot.pairs()))
    assert (result.result, result.place) == (
        "different",
        f"the draft written here does not pass the checks ({reason})",
    )


def test_other_versions_are_told_whether_the_text_is_the_same_or_not(records: list[Record], again: Any) -> None:
    versions = {"torch_version": "1.0", "cpu_capability": "abacus"}
    same, other = again(altered(records[0], **versions), lying(records[0], **versions))
    assert same.result == "reproduced"
    assert [d.member for d in same.differences] == ["torch_version", "cpu_capability"]
    assert same.differences[0].record == "1.0"
    assert same.differences[0].here == records[0].generation.torch_version
    assert other.result == "not_reproduced_here"
    assert other.place.startswith("claim 1 differs")
    assert other.differences == same.differences
    assert "the record names" in other.hint


@pytest.mark.parametrize(
    ("changes", "reason", "hint"),
    [
        ({"model": "nobody/nothing"}, "no profile here is of the model nobody/nothing", "--profile"),
        ({"weights_sha256": "0" * 64}, "the model's files here are not those that the record names", "with the model"),
        ({"tokenizer_sha256": "0" * 64}, "the model's files here are not those that the record names", "the model"),
        ({"engine": "abacus/3"}, "the engine 'abacus/3' is not known here", "newer version"),
        ({"number_format": "fp4"}, "the number format 'fp4' is not known here", "newer version"),
        ({"sampling": (("mirostat", "2"),)}, "the sampling parameter 'mirostat' is not known here", "newer version"),
        ({"sampling": (("temperature", "hot"),)}, "the record's sampling: temperature = 'hot'", "newer version"),
        ({"prompt": "# Patent\n\n## Title\nMine"}, "the record's prompt is not that of the profile tiny", "--profile"),
        ({"topic": "More"}, "the record's prompt is not that of the profile tiny", "--profile"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_here_is_not_called_false(
    records: list[Record], again: Any, changes: dict[str, Any], reason: str, hint: str
) -> None:
    down = next(record for record in records if record.generation.direction == "top-down")
    result, other = again(altered(down, **changes), records[1])
    assert result.result == "not_reproduced_here"
    assert result.reason.startswith(reason)
    assert hint in result.hint
    assert other.result == "reproduced"


def test_a_newer_version_of_the_engine_is_tried(records: list[Record], again: Any) -> None:
    engine = records[0].generation.engine
    newer = {"engine": engine.partition("/")[0] + "/99"}
    same, other = again(altered(records[0], **newer), lying(records[0], **newer))
    assert (same.result, other.result) == ("reproduced", "not_reproduced_here")
    assert [(d.record, d.here) for d in same.differences] == [(newer["engine"], engine)]


def test_an_engine_whose_drafts_depend_on_the_batch_proves_nothing_against_a_record(
    profile: Path, again: Any, tmp_path: Path
) -> None:
    made = written(read_profile(profile), tmp_path, choice=replace(MADE_WITH, engine="generate"))
    assert made[0].generation.engine == PLAIN
    same, other = again(made[0], lying(made[0]))
    assert same.result == "reproduced"
    assert (other.result, other.reason) == ("not_reproduced_here", PLAIN_REASON)
    assert any(PLAIN_REASON in line for line in other.lines())


def test_a_topic_that_the_model_refuses_does_not_end_the_others(records: list[Record], again: Any) -> None:
    down = next(record for record in records if record.generation.direction == "top-down")
    prompt = down.generation.prompt.removesuffix(TOPIC)
    long, lines = "x" * 200, "Valve\n\n## Abstract\nAll of my text"
    refused = [altered(down, topic=topic, prompt=prompt + topic) for topic in (long, lines)]
    first, *others, last = again(refused[0], *records, refused[1])
    assert [result.result for result in others] == ["reproduced"] * len(records)
    assert first.result == last.result == "not_reproduced_here"
    assert "end" in first.reason or "tokens" in first.reason
    assert "more than one line" in last.reason


def test_the_token_limit_is_that_of_the_record(
    profile: Path, records: list[Record], again: Any, tmp_path: Path
) -> None:
    """The limit of a text that it cut is in the record; of any other it is enough that it lies beyond the end."""
    whole, ended = read_profile(profile), max(records, key=lambda record: record.generation.new_tokens)
    most = max(r.generation.new_tokens for r in records if r.generation.direction == "top-down") - 2
    short = written(replace(whole, max_new_tokens=most), tmp_path)
    made = {"end": ended, "limit": next(record for record in short if record.generation.stop == "limit")}
    assert made["limit"].generation.new_tokens == most
    for most in (8, 30, 256):
        results = again(*made.values(), profiles=(replace(whole, max_new_tokens=most),))
        assert [result.result for result in results] == ["reproduced"] * 2
    cramped = replace(whole, context=64)
    results = again(*made.values(), profiles=(cramped,))
    assert {result.result for result in results} == {"not_reproduced_here"}
    assert all("token limit" in {d.member for d in result.differences} for result in results)
    cut = altered(made["end"], new_tokens=10, stop="limit")
    assert again(cut)[0].result == "different"
    assert again(altered(made["end"], new_tokens=100))[0].place.startswith("new_tokens differs")
    assert again(altered(made["limit"], new_tokens=0))[0].result == "different"


def test_the_profile_is_the_one_with_the_record_s_prompt(profile: Path, records: list[Record], again: Any) -> None:
    right = read_profile(profile)
    wrong = replace(right, prompts=tuple((d, f"A preface.\n{p}") for d, p in right.prompts))
    assert {r.result for r in again(*records, profiles=(wrong, right))} == {"reproduced"}
    assert {r.result for r in again(*records, profiles=(wrong,))} == {"not_reproduced_here"}
    other = replace(right, attribution="Somebody else")
    (result,) = again(records[0], profiles=(other,))
    assert (result.result, [d.member for d in result.differences]) == ("reproduced", ["model_attribution"])


def test_of_a_hub_model_the_record_s_commit_is_taken(
    profile: Path, records: list[Record], again: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def no_hub(model: str, *, revision: str, **_: Any) -> str:
        asked.append((model, revision))
        raise OSError("no network")

    monkeypatch.setattr("huggingface_hub.snapshot_download", no_hub)
    hub = replace(read_profile(profile), model="example/tiny", folder=None)
    for revision in ("c" * 40, "../main"):
        (result,) = again(altered(records[0], model="example/tiny", revision=revision), profiles=(hub,))
        assert (result.result, "no network" in result.reason) == ("not_reproduced_here", True)
    assert asked == [("example/tiny", "c" * 40), ("example/tiny", "main")]


def test_a_model_that_cannot_be_opened(profile: Path, records: list[Record], again: Any, tmp_path: Path) -> None:
    results = again(*records, profiles=(replace(read_profile(profile), folder=tmp_path),))
    assert {result.result for result in results} == {"not_reproduced_here"}
    assert "holds no config.json" in results[0].reason


def test_progress_is_told_every_ten_seconds(records: list[Record], again: Any) -> None:
    for pace in (0, 11):
        told: list[str] = []
        seconds = count(0, pace)
        again(*records, report=told.append, clock=lambda: float(next(seconds)))  # noqa: B023
        lines = [line for line in told if f" of {len(records)} records done, " in line]
        assert bool(lines) == (pace > 10)
        assert all(line.startswith("regenerate: ") and line.endswith(" tokens") for line in lines)


def test_the_command(profile: Path, records: list[Record], call: Any, tmp_path: Path) -> None:
    old = altered(records[0], torch_version="1.0")
    root = publish(tmp_path, profile, records[0], lying(records[0]), old, lying(old))
    code, out, err = call("0", "--regenerate", "--root", root)
    assert code == 0
    assert "loading tiny" in err
    assert out.splitlines()[-2] == "ok    regenerate: disclosure 0: the same text was written again"
    assert out.splitlines()[-1] == "0: verified, and the same text was written again"
    code, out, _ = call("1", "--regenerate", "--root", root)
    assert code == 1
    assert (
        "\nFAIL  regenerate: disclosure 1: the record's text is not what its own generation data give here: claim 1"
        in out
    )
    code, out, _ = call("2", "--regenerate", "--root", root)
    assert code == 0
    here = records[0].generation.torch_version
    assert f"\n      torch_version: 1.0 in the record, {here} here\n" in out
    code, out, _ = call("3", "--regenerate", "--root", root)
    assert code == 2
    assert "\n?     regenerate: disclosure 3: not reproduced here: claim 1 differs" in out
    assert out.splitlines()[-1] == "3: verified, but not every text was reproduced here"
    code, out, _ = call("3", "--regenerate", "--root", root, "--json")
    value = json.loads(out)
    assert (code, value["ok"], value["regenerated"][0]["result"]) == (2, None, "not_reproduced_here")
    assert value["regenerated"][0]["differences"] == [{"member": "torch_version", "record": "1.0", "here": here}]
    assert value["steps"][0]["name"] == "record"


def test_a_folder_a_file_and_an_address(
    profile: Path, records: list[Record], call: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = publish(tmp_path, profile, *records)
    code, out, _ = call(root / "output", "--regenerate", "--root", root)
    assert code == 0
    every = len(records)
    assert out.splitlines()[-1] == (
        f"{root / 'output'}: verified, and the same text was written again: {every} of {every} reproduced"
    )
    path = archive.record_path(root / "output", 1)
    assert call(path, "--regenerate", "--root", root)[0] == 0
    asked: list[str] = []

    def fetch(url: str) -> bytes | None:
        """A server that sends another record when it is asked again."""
        asked.append(url)
        name = url.removeprefix("https://example.org/")
        if name == "d/0/1.json" and asked.count(url) > 1:
            return lying(records[1]).to_bytes()
        place = path.with_suffix(Path(name).suffix) if name.startswith("d/0/1.") else root / "output" / name
        return place.read_bytes() if place.is_file() else None

    monkeypatch.setattr("generator.base.fetch.fetch", fetch)
    assert call("https://example.org/d/0/1.json", "--regenerate", "--root", root)[0] == 0
    other = publish(tmp_path / "other", profile, records[0], lying(records[0]), altered(records[0], engine="abacus/3"))
    code, out, err = call(
        other / "output", "--regenerate", "--root", other, "--no-memory"
    )  # another log by the same key
    assert code == 1
    assert out.splitlines()[-1].endswith("is not what its own generation data give here: 1 of 3 reproduced")
    assert "disclosure 2: not reproduced here: the engine 'abacus/3'" in out
    assert "FAIL  regenerate: disclosure 1" in err, "it is told at once, not only at the end"


def test_another_profile_can_be_given(profile: Path, records: list[Record], call: Any, tmp_path: Path) -> None:
    root = publish(tmp_path, Path("starter"), records[0])
    code, out, _ = call("0", "--regenerate", "--root", root)
    assert code == 2
    assert "no profile here is of the model tiny" in out
    assert call("0", "--regenerate", "--root", root, "--profile", profile)[0] == 0
    code, _, err = call("0", "--root", root, "--profile", profile)
    assert code == 2
    assert "Give --regenerate too." in err


def test_nothing_is_written_again_of_what_does_not_verify(
    profile: Path, records: list[Record], call: Any, tmp_path: Path
) -> None:
    root = publish(tmp_path, profile, *records[:2])
    path = archive.record_path(root / "output", 1)
    path.write_bytes(lying(records[1]).to_bytes())
    code, out, err = call("1", "--regenerate", "--root", root)
    assert code == 1
    assert out.splitlines()[-1].startswith("FAIL  entry")
    assert "regenerate" not in out + err


def test_without_the_option_no_model_is_reached(profile: Path, records: list[Record], tmp_path: Path) -> None:
    root = publish(tmp_path, profile, records[0])
    program = (
        "import sys\nfrom generator.commands.cli import main\n"
        f"try:\n    main(['verify', '0', '--root', {str(root)!r}])\nexcept SystemExit:\n    pass\n"
        "heavy = ('torch', 'numpy', 'generator.model.loading', 'generator.run.regenerate')\n"
        "print([n for n in heavy if n in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parent.parent, capture_output=True, check=True
    )
    assert said.stdout.decode().splitlines()[-1] == "[]"
