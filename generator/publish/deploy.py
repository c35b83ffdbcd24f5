"""Making the site public, and the one rule about its date.

The publication time is fixed when a deploy starts, as a `published` entry in the log. After the deploy the records are
read back through the destination and their hashes compared; then a receipt is written, log/deploys/<entry>.json. An
entry without a receipt is an open deploy. The next try first looks whether that deploy became public after all (a crash
after the push): then it gets its receipt and nothing is dated anew. Otherwise a new entry replaces it.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from generator.base import canonical, files
from generator.base.errors import LogError, PressError, VerificationError
from generator.log import append
from generator.log.append import Batch
from generator.log.archive import VOLUME, record_path
from generator.log.ledger import Deploy, Ledger
from generator.log.note import Checkpoint
from generator.publish.destinations import Destination

CLOCKS_DIFFER_SECONDS = 60
MAX_READ_BACK = 256  # records; of a larger batch, this many are read back, spread over all of it


def receipt_path(output: Path, index: int) -> Path:
    return output / "log" / "deploys" / f"{index}.json"


def open_deploy(output: Path, ledger: Ledger) -> Deploy | None:
    """The newest deploy when it has no receipt."""
    newest = ledger.newest_deploy
    return newest if newest and not receipt_path(output, newest.index).exists() else None


def date_batch(
    output: Path,
    origin: str,
    destination: Destination,
    now: Callable[[], str],
    ledger: Ledger,
    *,
    site_url: str = "",
    server_time: Callable[[], datetime | None] = lambda: None,
    authority_time: Callable[[], tuple[str, datetime] | None] = lambda: None,
) -> Batch | None:
    """Stage the entry that dates what is not yet public; None when everything is dated and public.

    An open deploy that did become public is confirmed, not replaced. Raises PressError when the destination cannot be
    read: a date is never fixed without having looked. Raises LogError where `server_time` or `authority_time`, a name
    and a probe, tells another time.
    """
    public = public_size(ledger, destination)
    replaced = open_deploy(output, ledger)
    if replaced and public > replaced.index:
        confirm(output, destination, now, ledger, site_url)
        replaced = None
    leaves = [*(replaced.leaves if replaced else ()), *ledger.undated]
    if not leaves:
        return None
    index, time = replaced.index if replaced else None, now()
    require_right(time, server_time(), "the web server of the site")
    name, probed = authority_time() or ("", None)
    require_right(time, probed, f"the time-stamp authority {name}")
    return append.stage_published(output, origin, ledger, time, leaves, replaces=index)


def require_right(time: str, other: datetime | None, whose: str) -> None:
    """Raises LogError where a second clock differs from `time` by more than CLOCKS_DIFFER_SECONDS; None: not asked."""
    if other is None:
        return
    ahead = (datetime.fromisoformat(time) - other).total_seconds()
    if abs(ahead) > CLOCKS_DIFFER_SECONDS:
        raise LogError(
            f"this machine's clock says {time}, {whose} {other:%Y-%m-%dT%H:%M:%SZ}",
            hint="Set this machine's clock, then run the same command again; nothing was dated.",
        )


def public_size(ledger: Ledger, destination: Destination) -> int:
    """The size of the log that the destination serves, 0 without one. Raises LogError for somebody else's log."""
    data = destination.read("log/checkpoint")
    if data is None:
        return 0
    there, here = Checkpoint.parse(data.decode("utf-8", "replace")), ledger.checkpoint
    if here is not None and there.origin != here.origin:
        raise LogError(
            f"{destination.name}: the log of another publication is there: {there.origin}",
            hint="Publish to another place, or remove that site first.",
        )
    return there.size


def confirm(
    output: Path, destination: Destination, now: Callable[[], str], ledger: Ledger, site_url: str = ""
) -> Path | None:
    """Read the open deploy back and write its receipt; None when there is none. Raises VerificationError."""
    deploy = open_deploy(output, ledger)
    if deploy is None:
        return None
    if public_size(ledger, destination) <= deploy.index:
        raise VerificationError(
            f"{destination.name}: the log there does not have entry {deploy.index}, with which this deploy began",
            hint="Wait a few minutes and confirm again, or publish again: the time is then fixed anew.",
        )
    digests = read_back(output, deploy, destination, site_url)
    receipt = {
        "schema": "prior-art-deploy/v1",
        "entry": deploy.index,
        "time": deploy.time,
        "read_back_at": now(),
        "destination": destination.name,
        "disclosures": len(deploy.leaves),
        "read_back": [{"serial": serial, "sha256": digest} for serial, digest in digests],
    }
    path = receipt_path(output, deploy.index)
    files.write(path, canonical.dumps(receipt))
    return path


def read_back(output: Path, deploy: Deploy, destination: Destination, site_url: str = "") -> list[tuple[int, str]]:
    """Serial and SHA-256 of records as the destination serves them, each equal to ours, each page with its date.

    With `site_url`, each page also names its address below it as the canonical one.
    """
    step = -(-len(deploy.leaves) // MAX_READ_BACK)
    found = []
    for serial in sorted({*deploy.leaves[::step], *deploy.leaves[-1:]}):
        place = f"d/{serial // VOLUME}/{serial}"
        data, page = destination.read(f"{place}.json"), destination.read(f"{place}.html")
        wanted = hashlib.sha256(files.read(record_path(output, serial), "a record")).hexdigest()
        if data is None or page is None:
            missing = f"{place}.json" if data is None else f"{place}.html"
            raise VerificationError(f"{destination.name}: {missing} is not there", hint="Publish again.")
        if hashlib.sha256(data).hexdigest() != wanted:
            raise VerificationError(
                f"{destination.name}: {place}.json is not the record {wanted}", hint="Publish again."
            )
        if f'content="{deploy.time}"'.encode() not in page:
            raise VerificationError(
                f"{destination.name}: {place}.html does not show {deploy.time}", hint="Publish again."
            )
        if site_url and f'rel="canonical" href="{site_url}{place}.html"'.encode() not in page:
            raise VerificationError(
                f"{destination.name}: {place}.html does not name {site_url}{place}.html as its address",
                hint="Set site_url to the address at which readers find the site, build, and publish again.",
            )
        found.append((serial, wanted))
    return found


def settle(
    check: Callable[[], Path | None],
    *,
    seconds: float,
    clock: Callable[[], float],
    wait: Callable[[float], None],
    report: Callable[[str], None],
) -> Path | None:
    """`check`, again and again until `seconds` have passed: a web host needs a while to show what was deployed."""
    until = clock() + seconds
    while True:
        try:
            return check()
        except PressError as error:
            if clock() >= until:
                raise
            report(f"publish: not yet public ({error}); asking again")
            wait(15)
