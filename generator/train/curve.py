"""Curves of training: a CSV line every few steps, and a picture of them."""

import csv
import io
import time
from collections.abc import Sequence
from pathlib import Path

from generator.base import files
from generator.base.errors import PressError

HEADER = "stage,step,tokens,loss,seconds"


class Curve:
    """The curve of one stage while it is trained. Lines after step `keep` are dropped: they are written again."""

    def __init__(self, path: Path, *, keep: int) -> None:
        self._path, self._stage = path, path.parent.name.removesuffix(".part")
        lines = [line for line in read_curve(path) if int(line[1]) <= keep] if path.exists() else []
        files.write(path, _text([HEADER.split(","), *lines]))
        self._before, self._seen = (float(lines[-1][4]), int(lines[-1][2])) if lines else (0.0, 0)
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Of training, without what a kill made in vain."""
        return self._before + time.monotonic() - self._began

    def pace(self, tokens: int, whole: int) -> str:
        """Tokens a second and minutes left after `tokens` of `whole`, by what was trained since the stage began or went
        on: what else the machine did before a kill says nothing of now."""
        speed = max(tokens - self._seen, 1) / max(time.monotonic() - self._began, 1e-9)
        return f"{speed:.0f} tokens/s  {(whole - tokens) / speed / 60:.0f} min left"

    def add(self, step: int, tokens: int, loss: float) -> None:
        """`loss` is the mean since the line before, in nats a token."""
        line = [self._stage, str(step), str(tokens), f"{loss:.4f}", f"{self.seconds:.0f}"]
        with self._path.open("ab") as file:
            file.write(_text([line]))


def read_curve(path: Path) -> list[list[str]]:
    """The lines of a curve without its header; a last one that a kill has torn is left out. Raises PressError."""
    text = files.read(path, "curve of a stage").decode("utf-8", "replace")
    lines = list(csv.reader(io.StringIO(text[: text.rfind("\n") + 1])))
    if not lines or lines[0] != HEADER.split(",") or any(len(line) != 5 for line in lines):
        raise PressError(
            f"{path}: no curve of training", hint="Delete the file; only the picture of the curve needs it."
        )
    return lines[1:]


def whole_curve(paths: Sequence[Path]) -> bytes:
    """The curves of stages one after another, as one CSV."""
    return _text([HEADER.split(","), *(line for path in paths for line in read_curve(path))])


def picture(curve: bytes) -> bytes:
    """A whole curve as SVG: loss in nats a token by tokens seen, with a line where each stage begins."""
    import matplotlib
    from matplotlib.figure import Figure

    lines = list(csv.reader(io.StringIO(curve.decode())))[1:]
    with matplotlib.rc_context({"svg.hashsalt": "curve", "svg.fonttype": "none", "text.parse_math": False}):
        figure = Figure(figsize=(7.2, 3.4), layout="constrained")
        axes = figure.add_subplot()
        seen = 0.0
        for stage in dict.fromkeys(line[0] for line in lines):
            points = [(seen + int(line[2]) / 1e6, float(line[3])) for line in lines if line[0] == stage]
            axes.plot(*zip(*points, strict=True), linewidth=1.2, label=stage)
            axes.axvline(seen, linewidth=0.5, color="#888888")
            seen = points[-1][0]
        axes.set_xlabel("million tokens")
        axes.set_ylabel("loss, nats a token")
        axes.grid(alpha=0.25, linewidth=0.5)
        if lines:
            axes.legend(frameon=False)
        written = io.BytesIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    return written.getvalue()


def _text(lines: Sequence[Sequence[str]]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(lines)
    return stream.getvalue().encode()
