"""Asking a web archive to capture what was published, after the deploy; a receipt of each capture is kept.

The interface is that of Save Page Now of the Internet Archive: POST <archive>/save, GET <archive>/save/status/<job>,
and the bytes as they were captured at <archive>/web/<14 digits>id_/<address>. A capture counts when these bytes are
the ones that were published. What was not captured tonight is asked for on a later night.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from generator.base import files
from generator.base.errors import LogError, PressError
from generator.base.publication import Publication
from generator.log.anchors import captured, folder
from generator.log.anchors.captured import Capture
from generator.log.archive import VOLUME, current
from generator.log.ledger import Ledger
from generator.record.record import is_time

MOST = 60  # captures in one run: archives allow a few a minute
LOOKS = 6
WAIT_SECONDS = 5.0
SECONDS = 30.0
STAMP = re.compile(r"[0-9]{14}")
FORM = "application/x-www-form-urlencoded"


def capture(publication: Publication, ledger: Ledger) -> int:
    """Have captured what no receipt names yet; how many captures came. Who is down or lies is named."""
    archive, output = publication.settings.archive, publication.output
    checkpoint = current(output)
    if not archive or checkpoint is None:
        return 0
    known = {one.path for one in captured.captures(output / "log")}
    found: list[Capture] = []
    for path in _wanted(ledger, checkpoint.size, known):
        try:
            found.append(_one(publication, archive, checkpoint.size, path))
        except LogError as error:
            publication.report(f"capture: {path}: {error}")
        except PressError as error:
            publication.report(f"capture: {archive} cannot be asked: {error}")
            break
        if len(found) == MOST:
            break
    if found:
        name = f"{re.sub('[^0-9]', '', publication.now())[:14]}.captures"
        files.write(output / "log" / folder.anchor_path(checkpoint.size, name), captured.write(found).encode())
    return len(found)


def _wanted(ledger: Ledger, size: int, known: set[str]) -> Iterator[str]:
    """Addresses below the site: the checkpoint that was kept, then page and record of each dated disclosure."""
    dated = (serial for serial, _ in ledger.served() if serial in ledger.dated)
    places = (f"d/{serial // VOLUME}/{serial}{suffix}" for serial in dated for suffix in (".html", ".json"))
    return (path for path in (f"log/checkpoints/{size}", *places) if path not in known)


def _one(publication: Publication, archive: str, size: int, path: str) -> Capture:
    """Raises LogError for a capture that is none of this file, PressError where the archive cannot be asked."""
    site = publication.settings.site_url
    url = site + path
    public = publication.fetch(url)
    if public is None:
        raise LogError("it is not public")
    asked = publication.post(
        f"{archive}/save", f"url={quote(url, safe='')}".encode(), content_type=FORM, timeout_seconds=SECONDS
    )
    stamp = _done(publication, archive, url, str(_json(asked.status, asked.body).get("job_id", "")))
    data = publication.fetch(f"{archive}/web/{stamp}id_/{url}")
    if data != public:
        raise LogError("the archive holds another page, or none")
    day, clock = stamp[:8], stamp[8:]
    time = f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:]}Z"
    if not is_time(time) or time > publication.now():
        raise LogError(f"the archive names the time {time}, which is none, or lies in the future")
    return Capture(archive, site, size, time, hashlib.sha256(public).hexdigest(), path)


def _done(publication: Publication, archive: str, url: str, job: str) -> str:
    """The fourteen digits of the capture, once the job is done."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", job):
        raise LogError("the archive named no job")
    for _ in range(LOOKS):
        data = publication.fetch(f"{archive}/save/status/{job}")
        said = _json(200, data or b"")
        if said.get("status") == "success" and said.get("original_url") == url:
            if not STAMP.fullmatch(str(said.get("timestamp", ""))):
                raise LogError("the archive names no time")
            return str(said["timestamp"])
        if said.get("status") != "pending":
            raise LogError("the archive could not capture it, or captured something else")
        publication.wait(WAIT_SECONDS)
    raise LogError("the archive is not done with it; the next night asks again")


def _json(status: int, body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body) if status == 200 else None
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise LogError(f"the archive answered {status} with no JSON object")
    return value
