"""Mutate a publication in one place, ask the verifiers, count what is accepted, crashes, hangs or uses much memory.

    python tests/mutations.py --count 2000

Kinds: bytes of records, proofs, evidence, checkpoints, entries and tiles; lines and parts of them moved, doubled, lost
or exchanged; names, layouts, shadow copies, links and pipes; dates and facts of pages; a fork by the same key, and
another key of the same name. Every mutation is asked by `prior-art verify` of the folder or file that it touches, and
where it
touches a pair or a page's evidence, by the page's own script under node, which is a second verifier.
"""

import argparse
import html
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import facts
from forgeries import FORGERIES, MARKUP
from site_fixture import KEY, PUBLISHED, build_site, patents, write_archive

from generator.base.errors import PressError, VerificationError
from generator.log.note import new_key
from generator.verify.verify import verify

ROOT = Path(__file__).parents[1]
VKEY = KEY.verification_key.text
NODE = ROOT / "tests" / "second_verifier.mjs"


@dataclass(frozen=True, slots=True)
class World:
    """A true publication: its output folder with the site inside, and another log by the same key."""

    output: Path
    fork: Path

    @property
    def site(self) -> Path:
        return self.output / "site"


@dataclass(frozen=True, slots=True)
class Mutation:
    """What was done, and what is to be asked: below the copy's site or output folder."""

    name: str
    target: str
    second: str = ""  # stem of the pair that the second verifier is asked about


def make_world(folder: Path) -> World:
    output, fork = folder / "output", folder / "fork"
    write_archive(output, patents(), [(PUBLISHED, [0, 1, 2])])
    build_site(output)
    write_archive(fork, [facts.record(n) for n in range(3)], [("2027-03-04T05:06:07Z", [0, 1, 2])])
    build_site(fork)
    shutil.rmtree(output / "pages")
    return World(output, fork)


def mutate(world: World, copy: Path, dice: random.Random) -> Mutation:
    """Change one thing below `copy`, a copy of the world's output."""
    kind = dice.choice(KINDS)
    while (made := kind(world, copy, dice)) is None:
        kind = dice.choice(KINDS)
    return made


def _files(copy: Path, *patterns: str) -> list[Path]:
    return sorted({path for pattern in patterns for path in copy.glob(pattern) if path.is_file()})


EVIDENCE = ("records/*/*/[0-9].json", "records/*/*/*.proof", "log/checkpoint", "log/checkpoints/*", "log/tile/**/*")
SERVED = ("site/d/*/[0-9].json", "site/d/*/*.proof", "site/d/*/*.evidence", "site/log/checkpoint", "site/log/tile/**/*")


def _target(copy: Path, path: Path) -> Mutation:
    name = path.relative_to(copy).as_posix()
    pair = name.startswith("site/d/") and path.suffix in (".json", ".evidence", ".proof")
    return Mutation(name, "site" if name.startswith("site/") else "", path.stem if pair else "")


def flip(world: World, copy: Path, dice: random.Random) -> Mutation | None:
    path = dice.choice(_files(copy, *EVIDENCE, *SERVED))
    data = bytearray(path.read_bytes())
    data[dice.randrange(len(data))] ^= dice.randrange(1, 256)
    path.write_bytes(data)
    return _target(copy, path)


def splice(world: World, copy: Path, dice: random.Random) -> Mutation | None:
    """A part is lost, doubled, moved, or bytes are added at either end."""
    path = dice.choice(_files(copy, *EVIDENCE, *SERVED))
    data = path.read_bytes()
    first, last = sorted((dice.randrange(len(data)), dice.randrange(len(data) + 1)))
    last = max(last, first + 1)
    part = data[first:last]
    changed = dice.choice((
        data[:first] + data[last:], data[:last] + part + data[last:], part + data, data + part, data[:first],
        data + b"\n", b" " + data, data + b"\x00", b"\xef\xbb\xbf" + data, data.replace(b"\n", b"\r\n"), b"",
    ))  # fmt: skip
    if changed == data:
        return None
    path.write_bytes(changed)
    return _target(copy, path)


def lines(world: World, copy: Path, dice: random.Random) -> Mutation | None:
    path = dice.choice(_files(copy, "records/*/*/*.proof", "log/checkpoint", "site/d/*/*.evidence", "site/d/*/*.proof"))
    whole = path.read_text(encoding="utf-8").split("\n")
    part = list(whole)
    at, to = dice.randrange(len(part)), dice.randrange(len(part))
    numbers = ("07", "+7", "-1", "99999999999999999999", "\u0667", "0x7", "7 ", "1e3", "")
    change = dice.randrange(4)
    if change == 0:
        part[at], part[to] = part[to], part[at]
    elif change == 1:
        part.insert(to, part[at])
    elif change == 2:
        del part[at]
    else:
        part[at] = re.sub(r"[0-9]+", dice.choice(numbers), part[at], count=1)
    if part == whole:
        return None
    path.write_text("\n".join(part), encoding="utf-8")
    return _target(copy, path)


def record_json(world: World, copy: Path, dice: random.Random) -> Mutation | None:
    """The same content in other bytes, or other content."""
    path = dice.choice(_files(copy, "records/*/*/[0-9].json", "site/d/*/[0-9].json"))
    value = json.loads(path.read_bytes())
    keys = list(value)
    dice.shuffle(keys)
    key = dice.choice(keys)
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    forged = ({**value, "created_at": "2019-01-02T03:04:05Z"}, {**value, "review": "Patent Office"})
    forms = [json.dumps(one, ensure_ascii=False, sort_keys=True, separators=(",", ":")) for one in forged]
    forms += [json.dumps({k: value[k] for k in keys}, ensure_ascii=False, separators=(",", ":"))]
    forms += [json.dumps(value, sort_keys=True), text.replace("{", "{ ", 1), text[:-1] + ',"x":1}', text + "\n"]
    forms += [f'{{"{key}":{json.dumps(value[key], ensure_ascii=False)},{text[1:]}', text.replace('":true', '":null')]
    forms += [text.replace(":7,", ":7.0,"), text.replace(":7,", f":{'9' * 400},"), "[" * 100_000]
    changed = dice.choice(forms)
    if changed.encode() == path.read_bytes():
        return None
    path.write_text(changed, encoding="utf-8")
    return _target(copy, path)


def exchange(world: World, copy: Path, dice: random.Random) -> Mutation | None:
    """A file of another number, of the fork by the same key, or an older checkpoint in the place of the newest."""
    path = dice.choice(_files(copy, *EVIDENCE, *SERVED, "site/d/*/[0-9].html"))
    others = [p for p in _files(copy, *EVIDENCE, *SERVED, "site/d/*/[0-9].html") if p.suffix == path.suffix]
    fork = world.fork / path.relative_to(copy)
    data = dice.choice([*(p.read_bytes() for p in others), *([fork.read_bytes()] if fork.is_file() else [])])
    if data == path.read_bytes():
        return None
    path.write_bytes(data)
    return _target(copy, path)


def rename(world: World, copy: Path, dice: random.Random) -> Mutation | None:
    """A pair or page under another number: asked by the file."""
    stem, other = dice.sample("012", 2)
    folder = copy / "site" / "d" / "0"
    for suffix in (".json", ".proof", ".evidence", ".html"):
        shutil.copyfile(folder / f"{stem}{suffix}", folder / f"{other}{suffix}")
    return Mutation(f"{stem} as {other}", f"site/d/0/{other}{dice.choice(('.json', '.proof', '.evidence', '.html'))}")


def lose(world: World, copy: Path, dice: random.Random) -> Mutation | None:
    """A file that must be there is lost. Old partial tiles and old checkpoints may go."""
    needed = [copy / "log/tile/0/000.p/4", copy / "log/tile/entries/000.p/4", copy / "log/checkpoints/4"]
    needed += _files(copy, "records/*/*/[0-9].json", "records/*/*/*.proof", *SERVED[:3], "site/d/*/[0-9].html")
    path = dice.choice(needed)
    path.unlink()
    name = path.relative_to(copy).as_posix()
    return Mutation(f"without {name}", "site" if name.startswith("site/") else "")


def shadow(world: World, copy: Path, dice: random.Random) -> Mutation | None:
    """The true file beside a forged one, in another place or under another name; links, pipes and devices."""
    layout = dice.choice(("records/0/0", "site/d/0"))
    path = copy / layout / f"{dice.choice('012')}{dice.choice(('.json', '.proof'))}"
    data = path.read_bytes()
    names = ("x/{}", "../{}", "0{}", "{}.bak", "\u0661{}", "../9/{}", " {}", "./x/y/{}", "{}.JSON")
    place = copy / layout / dice.choice(names).format(path.name)
    kind = dice.randrange(4)
    if kind < 2:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        path.write_bytes(data.replace(b"0", b"1", 1) if kind else b"{}")
        if path.read_bytes() == data:
            return None
    else:
        path.unlink()
        if kind == 2:
            path.symlink_to(dice.choice(("/dev/zero", "/etc/passwd", f"{world.output}/{layout}/{path.name}")))
        else:
            os.mkfifo(path)
    return Mutation(f"{place.name} beside {path.name}, {kind}", "site" if layout.startswith("site") else "")


def stranger(world: World, copy: Path, dice: random.Random) -> Mutation | None:
    """Something in the log that has no place there."""
    names = [
        "evil/x",
        "tile/0/001",
        "tile/entries/x",
        "checkpoints/3",
        "deploys/3.json",
        "tile/9/000",
        "checkpoint.bak",
    ]
    name = "log/" + dice.choice([*names, "deploys/0.json", "tile/0/000.p/999"])
    (copy / name).parent.mkdir(parents=True, exist_ok=True)
    (copy / name).write_bytes(dice.choice((b"", b"{}", bytes(32), (copy / "log" / "checkpoint").read_bytes())))
    return Mutation(name, "")


def other_key(world: World, copy: Path, dice: random.Random) -> Mutation | None:
    """The true tree signed by another key of the same name."""
    other = new_key(KEY.name, dice.randbytes(32))
    path = dice.choice(
        _files(copy, "log/checkpoint", "log/checkpoints/*", "records/*/*/*.proof", "site/d/*/*.evidence")
    )
    text = path.read_text(encoding="utf-8")
    head, mark, note = text.rpartition("press.example/log\n")
    signed = other.sign(mark + note.partition("\n\n")[0] + "\n")
    path.write_text(head + signed, encoding="utf-8")
    return _target(copy, path)


def page(world: World, copy: Path, dice: random.Random) -> Mutation | None:
    """A forged fact, in the page of disclosure 0."""
    path = copy / "site" / "d" / "0" / "0.html"
    one = dice.choice(FORGERIES)
    path.write_text(one.forge(path.read_text(encoding="utf-8")), encoding="utf-8")
    return Mutation(f"page: {one.name}", dice.choice(("site", "site/d/0/0.html")))


def page_word(world: World, copy: Path, dice: random.Random) -> Mutation | None:
    """Another word somewhere in what a page shows as the record's."""
    path = copy / "site" / "d" / "0" / f"{dice.choice('012')}.html"
    text = path.read_text(encoding="utf-8")
    shown = list(re.finditer(r'data-fact="[^"]*"[^>]*>([^<]*)<', text))
    match = dice.choice([one for one in shown if one[1].strip()])
    words = match[1].split(" ")
    at = dice.randrange(len(words))
    words[at] = dice.choice((words[at][::-1] + "x", "", "never", words[at] + "\u200b", words[at].upper() + "!"))
    new = " ".join(words)
    if new == match[1]:
        return None
    path.write_text(text[: match.start(1)] + new + text[match.end(1) :], encoding="utf-8")
    return Mutation(f"page {path.stem}: {match[0][:60]}", dice.choice(("site", f"site/d/0/{path.name}")))


def page_markup(world: World, copy: Path, dice: random.Random) -> Mutation | None:
    """Markup that shows more, less or something else than the record."""
    path = copy / "site" / "d" / "0" / f"{dice.choice('012')}.html"
    text = path.read_text(encoding="utf-8")
    start, end = text.index('<div class="press-text"'), text.index('<div class="press-folds"')
    tags = [one.end() for one in re.finditer(r"</(?:p|li|h2|ol)>\n", text[start:end])]
    at = start + dice.choice(tags)
    added = dice.choice(MARKUP)
    path.write_text(text[:at] + added + text[at:], encoding="utf-8")
    return Mutation(f"page {path.stem}: {added}", f"site/d/0/{path.name}")


def page_evidence(world: World, copy: Path, dice: random.Random) -> Mutation | None:
    """What a page carries is changed, or that of another page."""
    path = copy / "site" / "d" / "0" / f"{dice.choice('012')}.html"
    text = path.read_text(encoding="utf-8")
    name = dice.choice(("record", "evidence"))
    match = re.search(f"data-{name}='([^']*)'", text)
    assert match is not None
    data = bytearray(html.unescape(match[1]).encode())
    data[dice.randrange(len(data))] ^= dice.randrange(1, 256)
    changed = html.escape(data.decode("utf-8", "replace"))
    path.write_text(text.replace(match[0], f"data-{name}='{changed}'"), encoding="utf-8")
    return Mutation(f"page {path.stem}: {name}", f"site/d/0/{path.name}")


KINDS: tuple[Callable[[World, Path, random.Random], Mutation | None], ...] = (
    flip, flip, splice, splice, lines, record_json, exchange, rename, lose, shadow, stranger, other_key, page,
    page_word, page_word, page_markup, page_evidence,
)  # fmt: skip


def answer(copy: Path, target: str) -> str:
    """`yes`, `no`, `not checked`, or the name of an exception that nobody foresaw."""

    def no_network(url: str) -> bytes | None:
        raise AssertionError(url)

    try:
        for _ in verify(str(copy / target), copy, VKEY, fetch=no_network):
            pass
    except VerificationError:
        return "no"
    except PressError:
        return "not checked"
    except Exception as error:
        return f"crash: {type(error).__name__}: {error}"
    return "yes"


class Second:
    """The page's own script under node: one process, a pair a line."""

    def __init__(self) -> None:
        command = ["node", str(NODE), str(ROOT / "site_templates" / "assets" / "verify.js"), VKEY]
        self._node = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def answer(self, stem: Path) -> str:
        assert self._node.stdin is not None
        assert self._node.stdout is not None
        self._node.stdin.write(json.dumps({"stem": str(stem), "serial": int(stem.name)}) + "\n")
        self._node.stdin.flush()
        return self._node.stdout.readline().strip()

    def close(self) -> None:
        self._node.communicate(timeout=30)


def run(count: int, seed: int, folder: Path) -> tuple[Counter[str], list[str]]:
    """Answers by kind, and what went wrong."""
    world, dice, wrong = make_world(folder), random.Random(seed), []
    answers: Counter[str] = Counter()
    second = Second()
    copy = folder / "copy"
    for number in range(count):
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(world.output, copy, ignore=shutil.ignore_patterns("assets", "docs", "queue", "runs"))
        made = mutate(world, copy, dice)
        started = time.monotonic()
        said = answer(copy, made.target)
        answers[said.partition(":")[0]] += 1
        if said not in ("no", "not checked") or time.monotonic() - started > 10:
            wrong.append(f"{number}: {made.name}: {said} in {time.monotonic() - started:.1f} s")
        if made.second:
            stem = copy / "site" / "d" / "0" / made.second
            first, other = answer(copy, f"site/d/0/{made.second}.json"), second.answer(stem)
            answers[f"pair, both {other}"] += 1
            if (first == "yes") != (other == "yes") or first.startswith("crash"):
                wrong.append(f"{number}: {made.name}: pair: program {first}, script {other}")
            if first == "yes":
                wrong.append(f"{number}: {made.name}: the pair is accepted")
    for target in ("", "site", "site/d/0/0.html", "site/d/0/2.json"):
        if (said := answer(world.output, target)) != "yes":
            wrong.append(f"the true {target or 'folder'}: {said}")
    if (said := second.answer(world.site / "d" / "0" / "1")) != "yes":
        wrong.append(f"the true pair: script {said}")
    second.close()
    return answers, wrong


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--count", type=int, default=2000)
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        answers, wrong = run(chosen.count, chosen.seed, Path(folder))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{chosen.count} mutations in {time.monotonic() - started:.0f} s: {dict(answers)}; {memory:.0f} MB at most")
    print("\n".join(wrong) or "none accepted, none crashed, both verifiers agree")
    sys.exit(bool(wrong) or memory > 200)


if __name__ == "__main__":
    main()
