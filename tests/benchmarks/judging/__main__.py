"""What judging costs beside writing, both in CPU time of this process, in one run.

    python -m tests.benchmarks.judging --corpus known/

Twice: drafts of the starter model, judged as a run judges them; and real patents through every gate, as drafts that
pass them all, beside the writing of as many tokens by a model in the shape of kl3m-002-170m-patent with random weights.
"""

import argparse
import hashlib
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from generator.corpus.documents import Document
from generator.corpus.reading import read_documents
from generator.corpus.store import Corpus
from generator.judge.chart import claim_chart
from generator.judge.copying import KnownTexts
from generator.judge.ladder import Ladder
from generator.judge.neighbours import nearest
from generator.judge.parsing import Parsed, parse
from generator.measure.controls import SHIPPED
from generator.model.interface import Draft, EngineChoice
from generator.model.loading import open_model
from generator.model.profiles import ModelProfile, read_profile
from generator.model.sampling_settings import Sampling
from generator.record.layouts import write_layout
from generator.run.judge_draft import judge
from generator.run.plan import RunPlan, brief
from generator.run.repeats import Repeats
from generator.run.state import Accepted
from tests.benchmarks.engine import shape

TIME, SALT = "2026-11-22T00:00:00Z", bytes(16)
STARTER = Path(__file__).parents[3] / "generator" / "model" / "model_profiles" / "starter.toml"
CACHE = Path(__file__).parents[1] / "engine" / "cache" / "model"


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of all threads of this process, and what the work gave."""
    started = time.process_time()
    made = work()
    return time.process_time() - started, made


def written(profile: ModelProfile, drafts: int, ladder: Ladder | None) -> tuple[float, list[Draft]]:
    model = open_model(profile, EngineChoice(), report=print)
    plan = RunPlan(profile.name, 11, "drafts", drafts, "0.5", profile.sampling, "Benchmark")
    briefs = (brief(plan, index) for index in range(drafts))
    watch = ladder.watch() if ladder else None
    return cpu(lambda: list(model.drafts(briefs, plan.sampling, watch=watch)))


def judged(drafts: Iterable[Draft], ladder: Ladder) -> int:
    """As a run does it; how many are accepted."""
    published, accepted = Repeats(set(), KnownTexts.open(None, None)), 0
    for draft in drafts:
        _, kept = judge(draft, ladder, created_at=TIME, publisher="Benchmark", salt=SALT)
        accepted += kept is not None and took(published, kept)
    return accepted


def took(published: Repeats, kept: Accepted) -> bool:
    from generator.record.judgement import Judgement

    name = hashlib.sha256(kept.record).hexdigest()
    return isinstance(published.take(name, kept.disclosure, kept.judgement), Judgement)


def starter(drafts: int, ladders: dict[str, Ladder]) -> None:
    spent, made = written(read_profile(STARTER), drafts, ladders["without a corpus"])
    print(f"starter model: {drafts} drafts, {1000 * spent / drafts:.1f} ms CPU to write one, early stop included")
    for name, ladder in ladders.items():
        judging, accepted = cpu(lambda ladder=ladder: judged(made, ladder))
        print(f"  gates {name}: {1000 * judging / drafts:.2f} ms a draft, {100 * judging / spent:.1f} % of writing; "
              f"{accepted} accepted")  # fmt: skip


def real(most: int) -> list[Document]:
    """Real patents that can be parsed as drafts."""
    found = (item for _, item in read_documents(SHIPPED) if isinstance(item, Document))
    return [one for one in found if isinstance(parse(layout(one), "top-down", "end"), Parsed)][:most]


def layout(document: Document) -> str:
    return write_layout("top-down", document.title, document.abstract, document.claims)


def charted(documents: list[Document], corpus: Corpus) -> None:
    """What follows G3: these patents stand in the corpus, so the ladder itself ends there for them."""
    for one in documents:
        parsed = parse(layout(one), "top-down", "end")
        assert isinstance(parsed, Parsed)
        claim_chart(parsed.disclosure, corpus, but=frozenset({one.number}))
        nearest(parsed.disclosure, corpus, but=one.number)


def publishing(documents: int, tokens: int, ladders: dict[str, Ladder], corpus: Corpus | None) -> None:
    shape.make(CACHE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shape.toml"
        path.write_text(
            f'name = "shape"\nmodel = "{CACHE}"\nlicense = "none"\nattribution = "random weights"\n'
            f"context = {shape.POSITIONS}\nmax_new_tokens = {tokens}\n"
        )
        profile = replace(read_profile(path), sampling=Sampling("1"))
        spent, made = written(profile, 128, None)
    new = sum(draft.generation.new_tokens for draft in made)
    print(f"shape of kl3m-002-170m-patent: {1000 * spent / new:.2f} ms CPU a token, {new} tokens")
    texts = real(documents)
    words = sum(len(layout(one).split()) for one in texts)
    writing = spent / new * words * shape.TOKENS_PER_WORD / len(texts)
    like, given = made[0], replace(made[0].generation, stop="end", direction="top-down")
    briefs = [replace(like.brief, index=n, direction="top-down") for n in range(len(texts))]
    drafts = [replace(like, brief=b, text=layout(t), generation=given) for b, t in zip(briefs, texts, strict=True)]
    for name, ladder in ladders.items():
        judging, accepted = cpu(lambda ladder=ladder: judged(drafts, ladder))
        if corpus and ladder.corpus:
            judging += cpu(lambda: charted(texts, corpus))[0]
        each = judging / len(texts)
        share = f"{1000 * each:.1f} ms each, {100 * each / writing:.2f} % of writing one ({writing:.1f} s CPU)"
        print(f"  gates {name} on {len(texts)} real patents: {share}; {accepted} accepted")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, help="folder of a reference corpus")
    parser.add_argument("--drafts", type=int, default=300)
    parser.add_argument("--documents", type=int, default=100)
    parser.add_argument("--tokens", type=int, default=256)
    chosen = parser.parse_args()
    ladders = {"without a corpus": Ladder.open(None)}
    if chosen.corpus:
        ladders["with the corpus"] = Ladder.open(chosen.corpus)
        print(f"corpus: {ladders['with the corpus'].corpus}")
    starter(chosen.drafts, ladders)
    publishing(chosen.documents, chosen.tokens, ladders, Corpus.open(chosen.corpus) if chosen.corpus else None)


if __name__ == "__main__":
    main()
