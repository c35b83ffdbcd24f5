"""`prior-art evidence`: one zip that proves a disclosure and its times offline."""

import re
from pathlib import Path

from generator.base.errors import ConfigError
from generator.base.publication import Outcome, Publication


def evidence(publication: Publication, number: str, to: Path | None) -> Outcome:
    from generator.base import files
    from generator.log.anchors.cosignatures import load_cosigners
    from generator.log.archive import VOLUME, read_ledger
    from generator.publish.pack import About, evidence_pack
    from generator.record.numbers import serial_of
    from generator.site.build import shipped_folders

    settings = publication.settings
    serial = serial_of(number, settings.prefix, settings.log_origin)
    if serial is None:
        raise ConfigError(
            f"{number!r} is no number of a disclosure", hint=f"Give one such as 5 or {settings.prefix}-0000005."
        )
    if not settings.vkey:
        raise ConfigError("the settings pin no verification key (vkey)", hint="Set vkey: prior-art key show --key FILE")
    docs, _ = shipped_folders()
    shell = re.findall(r"```sh\n(.*?)```", (docs / "verify-by-hand.md").read_text(encoding="utf-8"), re.DOTALL)
    name = f"{settings.prefix}-{serial:07d}"
    address = f"{settings.site_url}d/{serial // VOLUME}/{serial}.html"
    observers, witnesses = load_cosigners(settings, publication.root)
    keys = {one.name: one.key.text for one in (*observers, *witnesses)}
    about = About(name, address, settings.vkey.strip(), "\n".join(shell), keys)
    data = evidence_pack(publication.output, read_ledger(publication.output), serial, about)
    path = to or Path(f"{name}.evidence.zip")
    files.write(path, data)
    return Outcome((f"evidence: {path}, {len(data):,} bytes",), {"file": str(path), "bytes": len(data)})
