"""What lies behind the name that the user gave: files, a saved page, an address. Every read is bounded."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

from generator.base import files
from generator.base.errors import PressError, VerificationError
from generator.log.anchors.folder import SEEN, is_anchor
from generator.log.anchors.zipped import MAX_ZIP, unpack
from generator.log.archive import VOLUME, record_path
from generator.log.tiles import Read
from generator.verify.html import parse_page

Fetch = Callable[[str], bytes | None]
MAX_RECORD = 1 << 20
MAX_PROOF = 1 << 20
MAX_PAGE = 16 << 20
MAX_TILE = 20 << 20  # 256 entries of 65,535 bytes
PAGES = (".html", ".htm", ".mhtml", ".mht")
PARTS = (".json", ".proof", ".tlog-proof", ".evidence")
SERIAL = re.compile(r"[0-9]{1,15}")
NUMBER = re.compile(r"(?:[A-Z]{2,8}-)?([0-9]{1,15})")
PACKED = {"README.txt", "checkpoint", "verify.sh", "vkey"}
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What is known about one disclosure. `asked` is the number in the name; `log` reads files below log/, if at hand.

    `where` names the carrier of the record. `page` is the HTML that is to show the record, and nothing else. `place`
    is the folder of the log, if it is one on this machine. `pack` are the files of an evidence pack, by name.
    """

    name: str
    asked: int | None
    record: bytes
    where: str
    proof: str | None
    evidence: str | None
    page: str | None
    log: Read | None
    place: Path | None = None
    pack: Mapping[str, bytes] | None = None


def find(target: str, output: Path, fetch: Fetch) -> Bundle | None:
    """What lies behind the name of one disclosure; None when `target` is a folder. Raises PressError."""
    path = Path(target)
    try:
        exists, folder = path.exists(), path.is_dir()
    except (OSError, ValueError):
        exists = folder = False  # a name that no file can have: reading it says so
    if SERIAL.fullmatch(target) and not exists:
        return _by_serial(output, int(target))
    if "://" in target:
        return _by_url(target, fetch)
    return None if folder else _by_file(path)


def reader(folder: Path) -> Read:
    """Reads regular files below `folder`; None for what is not there."""

    def read(path: str) -> bytes | None:
        place = folder / path
        return files.read_some(place, "a file of the log", MAX_TILE) if place.exists() else None

    return read


def text_of(data: bytes, name: str) -> str:
    """UTF-8 with LF. Raises VerificationError, which names line ends and byte-order marks as what they are."""
    if data.startswith(BOM):
        raise VerificationError(f"{name}: a byte-order mark was put before it; the file itself may be true")
    if b"\r\n" in data:
        raise VerificationError(
            f"{name}: its lines end in CR LF, so git or an editor changed it; the file itself may be true",
            hint="Fetch the bytes as they are served, or clone with: git -c core.autocrlf=false clone ...",
        )
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise VerificationError(f"{name}: it is not UTF-8") from error


def carried(page: str, name: str) -> tuple[bytes, str]:
    """Record and evidence that a page carries. Raises PressError for a page that carries none."""
    found = [one for one in parse_page(page).walk() if "data-record" in one.attributes]
    if len(found) != 1 or not found[0].attributes.get("data-evidence"):
        raise PressError(
            f"{name}: this page carries no evidence, as pages of versions before 0.7 do not",
            hint="Verify its record instead: save <serial>.json and <serial>.proof beside each other.",
        )
    return found[0].attributes["data-record"].encode(), found[0].attributes["data-evidence"]


def page_text(data: bytes, name: str) -> str:
    """The HTML of a saved page, out of an MHTML archive too."""
    if not name.lower().endswith((".mhtml", ".mht")):
        try:
            return data.removeprefix(BOM).decode()
        except UnicodeDecodeError as error:
            raise VerificationError(f"page: {name}: it is not UTF-8") from error
    from email import message_from_bytes

    message = message_from_bytes(data)
    pages = [part for part in message.walk() if part.get_content_type() == "text/html"]
    if len(pages) != 1:
        raise VerificationError(f"page: {name}: {len(pages)} pages stand in it; one is expected")
    body = pages[0].get_payload(decode=True)
    try:
        return body.decode() if isinstance(body, bytes) else ""
    except UnicodeDecodeError as error:
        raise VerificationError(f"page: {name}: it is not UTF-8") from error


def _asked(stem: str) -> int | None:
    number = NUMBER.fullmatch(stem)
    return int(number[1]) if number else None


def _by_serial(output: Path, serial: int) -> Bundle:
    path = record_path(output, serial)
    proof = path.with_suffix(".proof")
    return Bundle(
        f"disclosure {serial}",
        serial,
        files.read_some(path, f"disclosure {serial}", MAX_RECORD),
        path.name,
        text_of(files.read_some(proof, "the proof", MAX_PROOF), proof.name),
        None,
        None,
        reader(output / "log"),
        output / "log",
    )


def _by_file(path: Path) -> Bundle:
    suffix = path.suffix.lower()
    if suffix in PAGES:
        page = page_text(files.read_some(path, "the page", MAX_PAGE), path.name)
        record, evidence = carried(page, path.name)
        return Bundle(path.name, _asked(path.stem), record, f"carried by {path.name}", None, evidence, page, None)
    if suffix == ".zip":
        return _by_pack(path)
    if suffix not in PARTS:
        raise PressError(
            f"{path}: not the name of a saved page, record or proof",
            hint="Give a page (.html, .mhtml), an evidence pack (.zip), or a record (.json) with its .proof beside it.",
        )
    files.read_some(path, "the file that was named", MAX_PROOF)
    name = path.with_suffix("")
    record = files.read_some(name.with_name(f"{name.name}.json"), "the record", MAX_RECORD)
    texts = []
    for kinds in ((".proof", ".tlog-proof"), (".evidence",)):
        places = [place for kind in kinds if (place := name.with_name(name.name + kind)).exists()]
        texts.append(text_of(files.read_some(places[0], "the proof", MAX_PROOF), places[0].name) if places else None)
    if texts == [None, None]:
        raise PressError(f"{name}.proof: the proof beside the record is not there", hint="Save it from the page.")
    return Bundle(path.name, _asked(name.name), record, f"{name.name}.json", texts[0], texts[1], None, None)


def _by_pack(path: Path) -> Bundle:
    """An evidence pack: the record, what proves it, and the page if it has one. All its names are known ones."""
    held = unpack(files.read_some(path, "the evidence pack", MAX_ZIP), path.name)
    serials = [name.removesuffix(".evidence") for name in held if name.endswith(".evidence")]
    stem = serials[0] if len(serials) == 1 and SERIAL.fullmatch(serials[0]) else ""
    known = {f"{stem}.{kind}" for kind in ("json", "proof", "evidence", "html")} | PACKED | keys_of(held)
    strange = [name for name in held if name not in known and not name.endswith(".pem") and not is_anchor(name)]
    missing = [name for name in (f"{stem}.json", f"{stem}.proof", "checkpoint", "vkey") if name not in held]
    if not stem or strange or missing:
        wrong = f"{strange[0]} has no place" if strange else f"{(missing or ['the evidence'])[0]} is missing"
        raise VerificationError(f"{path.name}: in an evidence pack {wrong}")
    proof, evidence = (text_of(held[f"{stem}.{kind}"], f"{stem}.{kind}") for kind in ("proof", "evidence"))
    page = page_text(held[f"{stem}.html"], f"{stem}.html") if f"{stem}.html" in held else None
    if page is not None and carried(page, f"{stem}.html")[0] != held[f"{stem}.json"]:
        raise VerificationError(f"{path.name}: the page in it carries another record")
    where = f"{stem}.json in {path.name}"
    return Bundle(path.name, int(stem), held[f"{stem}.json"], where, proof, evidence, page, None, None, held)


def keys_of(names: Iterable[str]) -> set[str]:
    """The names of the keys that stand beside cosignatures in a pack."""
    return {f"{match[1]}.vkey" for name in names if (match := SEEN.fullmatch(name))}


def _by_url(url: str, fetch: Fetch) -> Bundle:
    parts, base, suffix = _address(url)
    stem = base.path.rpartition("/")[2]
    log = urljoin(parts.geturl(), "../../log/")
    asked = _asked(stem)
    if asked is None or base.path.split("/")[-3:-1] != ["d", str(asked // VOLUME)]:
        raise PressError(f"{url}: not the address of a disclosure", hint="Give .../d/<volume>/<serial>.html")

    def get(kind: str) -> bytes:
        data = fetch(f"{base.geturl()}{kind}")
        if data is None:
            raise PressError(f"{base.geturl()}{kind}: the server has no such file")
        return data

    def read(path: str) -> bytes | None:
        return fetch(log + path)

    if suffix == ".html":
        page = page_text(get(suffix), url)
        record, evidence = carried(page, url)
        return Bundle(url, asked, record, "carried by the page", None, evidence, page, read)
    record, proof = get(".json"), text_of(get(".proof"), f"{stem}.proof")
    found = fetch(f"{base.geturl()}.evidence")
    evidence_text = None if found is None else text_of(found, f"{stem}.evidence")
    return Bundle(url, asked, record, f"{stem}.json", proof, evidence_text, None, read)


def _address(url: str) -> tuple[SplitResult, SplitResult, str]:
    """The address without query and fragment, the same without its suffix, and the suffix."""
    try:
        parts = urlsplit(url)._replace(query="", fragment="")
        stem, dot, suffix = parts.path.rpartition(".")
        if not dot or f".{suffix}" not in (*PARTS, ".html", ".md") or not parts.hostname or "/" in suffix:
            raise ValueError("it ends in no name of a disclosure")
    except ValueError as error:
        hint = "Give .../d/<volume>/<serial>.html"
        raise PressError(f"{url[:200]}: not the address of a disclosure: {error}", hint=hint) from error
    return parts, parts._replace(path=stem), f".{suffix}"
