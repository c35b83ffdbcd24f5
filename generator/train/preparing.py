"""Stage 1, data: from files of known documents to the texts of a run, its tokenizer, and a manifest of both."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from generator.base import files
from generator.base.errors import CorpusError
from generator.corpus.documents import Document, Skipped
from generator.corpus.reading import read_documents, source_sha256
from generator.model.weights import file_sha256
from generator.record.layouts import write_layout
from generator.train.gathering import gather, is_held_out, kept
from generator.train.run import END, Run, StageFolder
from generator.train.texts import head, pieces

SCHEMA = "prior-art-training-data/v1"
TRAIN, HELD_OUT, TOKENIZER = "train.jsonl.zst", "held-out.jsonl.zst", "tokenizer.json"
DESCRIBED = 2_000  # pieces of descriptions that a new tokenizer sees
PIECE = 2_000  # their characters


def prepare(run: Run, sources: Sequence[Path]) -> dict[str, Any]:
    """Write the stage's folder and return its manifest; what is there already, of the same files, is returned as is.

    Raises CorpusError where the data are not enough to train on, ConfigError where the folder holds another stage.
    """
    settled = {
        "data": run.recipe.as_json()["data"],
        "seed": run.recipe.seed,
        "sources": [{"name": path.name, "sha256": source_sha256(path)} for path in sources],
    }
    with run.stage("data").begun(settled) as stage:
        if stage.finished:
            return read_manifest(stage.result)
        gathered = gather(sources, run.recipe.data, run.report)
        counts = _write(run, stage, sources, gathered)
        if not counts["train"]["full"] or not counts["held-out"]["full"]:
            raise CorpusError(
                f"the data have {counts['train']['full']} documents with title, abstract and claims to train on and "
                f"{counts['held-out']['full']} held out: both are needed",
                hint="Give files of whole patents, such as the weekly files of the USPTO, or a larger [data] held_out.",
            )
        if not run.recipe.model.base:
            _train_tokenizer(run, stage.work)
        manifest = {
            "schema": SCHEMA,
            "recipe": run.recipe.name,
            **settled,
            "sources": [
                {**source, **found} for source, found in zip(settled["sources"], gathered.by_source, strict=True)
            ],
            "dropped": dict(sorted(gathered.dropped.items())),
            "families": len(set(gathered.family.values())),
            **counts,
            "files": {path.name: file_sha256(path) for path in sorted(stage.work.iterdir()) if path.is_file()},
        }
        files.write(stage.work / "manifest.json", (json.dumps(manifest, indent=1) + "\n").encode())
        stage.finish()
        return manifest


def documents(path: Path) -> Iterator[Document]:
    """The documents of a file that this stage wrote. Raises CorpusError when it is damaged."""
    try:
        for _, document in read_documents(path):
            if isinstance(document, Skipped):
                raise CorpusError(f"{document.place}: {document.why}")
            yield document
    except CorpusError as error:
        raise CorpusError(f"{path}: cannot be read: {error}", hint="Prepare the data again.") from error


def specified(found: Iterable[Document]) -> list[Document]:
    """Whole patents with their descriptions, which may stand in documents of their own under the same number."""
    found = list(found)
    described = {document.number: document.description for document in found if document.description}
    return [
        replace(document, description=described[document.number])
        for document in found
        if kind(document) == "full" and document.number in described
    ]


def kind(document: Document) -> str:
    """full: title, abstract and claims; head: an abstract, mostly with its title; description: only that."""
    if document.title and document.abstract and document.claims:
        return "full"
    return "head" if document.abstract else "description"


def _write(run: Run, stage: StageFolder, sources: Sequence[Path], gathered: Any) -> dict[str, dict[str, int]]:
    """Both files of documents; how many documents of each kind, and characters, each of them has."""
    import zstandard

    counts = {"train": Counter(full=0, head=0, description=0), "held-out": Counter(full=0, head=0, description=0)}
    with ExitStack() as stack:
        streams = {}
        for part, name in (("train", TRAIN), ("held-out", HELD_OUT)):
            file = stack.enter_context((stage.work / name).open("wb"))
            streams[part] = stack.enter_context(zstandard.ZstdCompressor(level=9).stream_writer(file))
        for family, document in kept(sources, gathered, run.report):
            part = "held-out" if is_held_out(family, run.recipe.data) else "train"
            streams[part].write(_line(document))
            counts[part][kind(document)] += 1
            counts[part]["claims"] += len(document.claims)
            counts[part]["characters"] += sum(map(len, (document.title, document.abstract, *document.claims)))
            counts[part]["description_characters"] += len(document.description)
    return {part: dict(found) for part, found in counts.items()}


def _line(document: Document) -> bytes:
    value = {
        "id": document.number,
        "title": document.title,
        "abstract": document.abstract,
        "claims": list(document.claims),
        "text": document.description,
    }
    line = {name: item for name, item in value.items() if item}
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def _train_tokenizer(run: Run, folder: Path) -> None:
    """Byte-level BPE of what is written most: whole layouts and heads, and some of the descriptions."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    run.report(f"train data: byte-level BPE of {run.recipe.data.vocabulary} entries")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=run.recipe.data.vocabulary,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_sample(documents(folder / TRAIN)), trainer)
    tokenizer.save(str(folder / TOKENIZER))


def _sample(found: Iterable[Document]) -> Iterator[str]:
    heads = described = 0
    for document in found:
        if kind(document) == "full":
            yield write_layout("top-down", document.title, document.abstract, document.claims)
        elif kind(document) == "head":
            heads += 1
            if heads % 6 == 0:
                yield head(document)
        if document.description and described < DESCRIBED:
            for piece in list(pieces(document.description, chars=PIECE))[:2]:
                described += 1
                yield piece


def read_manifest(folder: Path) -> dict[str, Any]:
    """What this stage wrote of its folder. Raises PressError."""
    return files.read_object(folder / "manifest.json", hint="Delete the stage's folder and prepare again.")
