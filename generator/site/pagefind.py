"""Pagefind, the program that makes search bundles: how it is started, and the form of the files that it writes.

Its command line is used, not its Python API (10 pages a second). Its files are gzip over a signature and CBOR
(RFC 8949) or, for fragments, JSON; the order of their members is that of Pagefind 1.5.2, `pagefind/src/output/mod.rs`.
"""

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from generator.base import files
from generator.base.errors import ToolError

LANGUAGE = "en"
SIGNATURE = b"pagefind_dcd"
REINDEX = "Run: prior-art build. If it fails again, the pages or the installed pagefind-bin are at fault."
REINSTALL = "Run: pip install --force-reinstall pagefind-bin"

# Pagefind 1.5.2 writes a failed download to the console and goes on, so that a search would silently miss pages, or
# wait without end. Put before its worker, this answers every question, open or new, with an error from then on.
WORKER_GUARD = """\
{let failed="";const open=new Set(),load=self.fetch.bind(self),answer=self.postMessage.bind(self);
const refuse=(id)=>answer({id,error:`${failed} cannot be loaded`});
self.addEventListener("message",({data})=>failed?refuse(data.id):open.add(data.id));
self.fetch=async(input,init)=>{try{const got=await load(input,init);if(!got.ok)throw new Error(got.status);return got;}
catch(error){failed=String(input);open.forEach(refuse);open.clear();throw error;}};
self.postMessage=(message)=>{if(open.delete(message.id))answer(message);};}
"""


def find_program() -> tuple[str, ...]:
    """The command that starts the installed Pagefind. Raises ToolError."""
    try:
        from pagefind_bin import get_executable

        return (str(get_executable()),)
    except (ImportError, FileNotFoundError) as error:
        raise ToolError(
            "Pagefind, which makes the search index, is not installed.", hint="Run: pip install pagefind-bin"
        ) from error


def read_version(program: Sequence[str]) -> str:
    output = _start([*program, "--version"], "its version", 30)
    if not (found := re.fullmatch(r"pagefind (\d+\.\d+\.\d+\S*)", output.strip())):
        raise ToolError(f"{program[0]} does not tell its version.", hint=REINSTALL)
    return found[1]


def run(program: Sequence[str], pages: Path, output: Path, what: str, limit: float) -> None:
    """Index the pages below a folder into the empty folder `output`, within `limit` seconds. Raises ToolError."""
    options = ["--site", str(pages.resolve()), "--output-path", str(output.resolve())]
    _start([*program, *options, "--force-language", LANGUAGE], what, limit, folder=output.parent)


def _start(command: Sequence[str], what: str, limit: float, folder: Path | None = None) -> str:
    """Run Pagefind where no settings of its own (pagefind.yml, PAGEFIND_*) reach it; give back what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAGEFIND_")}
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, timeout=limit, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ToolError(
            f"Pagefind did not finish {what} within {limit:g} seconds.",
            hint="It waits without end when the disk is full: free space, then run the same command again.",
        ) from error
    except OSError as error:
        raise ToolError(f"{command[0]}: Pagefind cannot be started: {error.strerror}", hint=REINSTALL) from error
    if done.returncode:
        last = (done.stdout.strip().splitlines() or ["it printed nothing"])[-1]
        raise ToolError(f"Pagefind failed on {what} with exit status {done.returncode}: {last}", hint=REINDEX)
    return done.stdout


@contextmanager
def scratch_folder(site: Path) -> Iterator[Path]:
    """An empty folder on the file system of the site, so that a bundle moves into place in one step."""
    site.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=site, prefix=".pagefind-") as name:
        yield Path(name)


def unpack(path: Path) -> bytes:
    """The content of one file of a bundle. Raises ToolError when it is damaged."""
    try:
        data = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, ValueError) as error:
        raise ToolError(f"{path}: Pagefind wrote a damaged file: {error}", hint=REINDEX) from error
    if not data.startswith(SIGNATURE):
        raise ToolError(f"{path}: Pagefind wrote a damaged file: its signature is missing.", hint=REINDEX)
    return data[len(SIGNATURE) :]


def _pack(folder: Path, name: str, suffix: str, value: Any, digits: int) -> str:
    """Write a CBOR value under a name made of its content; give back the language and hash in that name."""
    data = _encode(value)
    identity = f"{LANGUAGE}_{hashlib.sha256(data).hexdigest()[:digits]}"
    (folder / f"{name}{identity}{suffix}").write_bytes(gzip.compress(SIGNATURE + data, 9, mtime=0))
    return identity


def canonicalise(bundle: Path, *, empty: bool = False) -> tuple[Path, int]:
    """Take Pagefind's filters out, which it writes in an order that changes from run to run: `pages.json` filters.

    Gives the new meta file and the number of indexed pages. `empty` takes every page out of the index.
    """
    entry_path = bundle / "pagefind-entry.json"
    try:
        entry = json.loads(entry_path.read_bytes())
        language = entry["languages"][LANGUAGE]
        old = bundle / f"pagefind.{language['hash']}.pf_meta"
        version, pages, chunks, _, *rest = _decode(unpack(old))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ToolError(f"{entry_path}: Pagefind wrote no usable index: {error!r}", hint=REINDEX) from error
    shutil.rmtree(bundle / "filter", ignore_errors=True)
    old.unlink()
    if empty:
        pages, chunks = [], []
    language["page_count"] = len(pages)
    language["hash"] = _pack(bundle, "pagefind.", ".pf_meta", [version, pages, chunks, [], *rest], 10)
    entry_path.write_text(json.dumps(entry, sort_keys=True, separators=(",", ":")), encoding="utf-8")
    return bundle / f"pagefind.{language['hash']}.pf_meta", len(pages)


def write_reader(site: Path, program: Sequence[str], version: str) -> None:
    """Write /pagefind/: what reads bundles in the browser, and an index of no pages for it to start from."""
    stamp = f"{version} {hashlib.sha256(WORKER_GUARD.encode()).hexdigest()[:16]}\n"
    home = site / "pagefind"
    if (home / "version").exists() and (home / "version").read_text(encoding="utf-8") == stamp:
        return
    with scratch_folder(site) as scratch:
        page = f'<!doctype html><html lang="{LANGUAGE}"><title>x</title><body data-pagefind-body>x</body></html>'
        files.write(scratch / "page" / "index.html", page.encode())
        fresh = scratch / "pagefind"
        run(program, scratch / "page", fresh, "its own program for the browser", 60)
        meta, _ = canonicalise(fresh, empty=True)
        for path in fresh.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path != meta and path.name not in READER:
                path.unlink()
        worker = fresh / "pagefind-worker.js"
        files.write(worker, WORKER_GUARD.encode() + files.read(worker, "Pagefind's worker"))
        files.write(fresh / "version", stamp.encode())
        replace_folder(fresh, home, scratch)


READER = frozenset({"pagefind.js", "pagefind-worker.js", "pagefind-entry.json", f"wasm.{LANGUAGE}.pagefind"})


def replace_folder(fresh: Path, home: Path, scratch: Path) -> None:
    if home.exists():
        home.rename(scratch / "old")
    fresh.rename(home)


def _encode(value: Any) -> bytes:
    """CBOR of the three kinds of values that stand in meta and filter files, in the shortest form."""
    if isinstance(value, int):
        return _head(0, value)
    if isinstance(value, str):
        data = value.encode()
        return _head(3, len(data)) + data
    return _head(4, len(value)) + b"".join(map(_encode, value))


def _head(kind: int, value: int) -> bytes:
    if value < 24:
        return bytes([kind << 5 | value])
    size = next(size for size in (1, 2, 4, 8) if value < 1 << 8 * size)
    return bytes([kind << 5 | 23 + size.bit_length()]) + value.to_bytes(size, "big")


def _decode(data: bytes) -> Any:
    """The value of CBOR bytes. Raises ValueError for kinds of values that `_encode` does not write, and torn data."""
    value, end = _item(data, 0)
    if end != len(data):
        raise ValueError("CBOR: bytes stand after the value")
    return value


def _item(data: bytes, at: int) -> tuple[Any, int]:
    if at >= len(data):
        raise ValueError("CBOR: the data ends early")
    kind, number, at = data[at] >> 5, data[at] & 31, at + 1
    if 24 <= number < 28:
        size = 1 << number - 24
        number, at = int.from_bytes(data[at : at + size], "big"), at + size
    elif number >= 28:
        raise ValueError("CBOR: an open-ended value")
    if at + (number if kind == 3 else 0) > len(data):
        raise ValueError("CBOR: the data ends early")
    if kind == 0:
        return number, at
    if kind == 3:
        return data[at : at + number].decode(), at + number
    if kind == 4:
        items = []
        for _ in range(number):
            item, at = _item(data, at)
            items.append(item)
        return items, at
    raise ValueError(f"CBOR: values of major type {kind} are not expected")
