"""What may not come again: what is published, queued or accepted by the run. The half of G3 that needs order."""

from dataclasses import replace

from generator.base import files
from generator.judge.copying import KnownTexts, not_copied
from generator.judge.neighbours import MOST, nearest
from generator.judge.parsing import Rejected
from generator.log import archive
from generator.record.disclosure import Disclosure
from generator.record.judgement import Copying, Judgement, Neighbour
from generator.record.record import Record
from generator.run.judge_draft import content_sha256
from generator.run.state import RunState


class Repeats:
    """`known` is None for a shard: what its machine has published must not change what it accepts."""

    def __init__(self, contents: set[str], known: KnownTexts | None) -> None:
        self._contents, self._known = contents, known

    @classmethod
    def of(cls, state: RunState) -> "Repeats":
        own = {line.content_sha256 for line in state.lines.values() if not line.reason}
        if state.shard:
            return cls(own, None)
        waiting = (Record.from_bytes(files.read(path, "a queued record")) for path in archive.queued(state.output))
        return cls(own | {content_sha256(record.disclosure) for record in waiting}, KnownTexts.open(state.output, None))

    def take(self, name: str, disclosure: Disclosure, judgement: Judgement) -> Judgement | Rejected:
        """The judgement with what is near here, and the disclosure is known from now on; or why it is refused."""
        content = content_sha256(disclosure)
        if content in self._contents:
            return Rejected("G3", "duplicate", ())
        if self._known:
            copying = self._known.measure(disclosure)
            if rejected := not_copied(copying):
                return rejected
            judgement = replace(
                judgement,
                copying=_worse(judgement.copying, copying),
                neighbours=_nearest(judgement.neighbours, nearest(disclosure, known=self._known)),
            )
            self._known.add(name, disclosure)
        self._contents.add(content)
        return judgement


def _worse(one: Copying, other: Copying) -> Copying:
    """Each measure from whichever found more."""
    run, like = max(one, other, key=lambda c: c.longest_run), max(one, other, key=lambda c: c.similarity)
    return Copying(
        run.longest_run, run.run, run.run_in, max(one.known_share, other.known_share), like.similarity, like.similar_to
    )


def _nearest(one: tuple[Neighbour, ...], other: tuple[Neighbour, ...]) -> tuple[Neighbour, ...]:
    return tuple(sorted((*one, *other), key=lambda n: (-n.score, n.number))[:MOST])
