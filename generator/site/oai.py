"""OAI-PMH static repositories: each volume's published disclosures in Dublin Core, for harvesters of libraries.

https://www.openarchives.org/OAI/2.0/guidelines-static-repository.htm. A gateway stands between such a file and
harvesters; its address is a setting. A disclosure's datestamp is its day of publication; one that is not published
stands in no repository.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape

from generator.base import files
from generator.base.errors import ConfigError
from generator.base.settings import Settings
from generator.log.archive import LoggedRecord
from generator.site.citation import display_id, permalink
from generator.site.classes import assigned
from generator.site.sitemaps import address

REPOSITORY = "oai.xml"
MAIL = re.compile(r"\S+@(\S+\.)+\S+")

_NAMES = (
    'xmlns="http://www.openarchives.org/OAI/2.0/static-repository" xmlns:oai="http://www.openarchives.org/OAI/2.0/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="'
    "http://www.openarchives.org/OAI/2.0/static-repository http://www.openarchives.org/OAI/2.0/static-repository.xsd"
    '"'
)
_DC = (
    'xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/oai_dc/ http://www.openarchives.org/OAI/2.0/oai_dc.xsd"'
)


def write_repositories(site: Path, settings: Settings, volumes: set[int], published: Iterable[LoggedRecord]) -> None:
    """Write d/<volume>/oai.xml for each of `volumes`, whose published disclosures `published` holds.

    Without a gateway in the settings, or without a published disclosure, there is no file.
    """
    if settings.oai_gateway and not MAIL.fullmatch(settings.contact):
        raise ConfigError(
            f"contact: {settings.contact!r} is no mail address, which oai_gateway asks for",
            hint="Set contact to a mail address, or leave oai_gateway empty.",
        )
    by_volume: dict[int, list[LoggedRecord]] = {volume: [] for volume in volumes}
    for item in published if settings.oai_gateway else ():
        by_volume[item.volume].append(item)
    for volume, items in by_volume.items():
        path = site / "d" / str(volume) / REPOSITORY
        if items:
            files.write(path, _repository(settings, volume, items).encode())
        else:
            path.unlink(missing_ok=True)


def _repository(settings: Settings, volume: int, items: list[LoggedRecord]) -> str:
    own = address(settings, f"d/{volume}/{REPOSITORY}").partition("://")[2]
    identify = (
        ("repositoryName", f"{settings.title}, volume {volume}"),
        ("baseURL", f"{settings.oai_gateway.rstrip('/')}/{own}"),
        ("protocolVersion", "2.0"),
        ("adminEmail", settings.contact),
        ("earliestDatestamp", min(item.published_at for item in items)[:10]),
        ("deletedRecord", "no"),
        ("granularity", "YYYY-MM-DD"),
    )
    formats = (
        ("metadataPrefix", "oai_dc"),
        ("schema", "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"),
        ("metadataNamespace", "http://www.openarchives.org/OAI/2.0/oai_dc/"),
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Repository {_NAMES}>\n'
        f"<Identify>{_elements('oai', identify)}</Identify>\n"
        f"<ListMetadataFormats><oai:metadataFormat>{_elements('oai', formats)}</oai:metadataFormat>"
        "</ListMetadataFormats>\n"
        '<ListRecords metadataPrefix="oai_dc">\n'
        f"{''.join(_record(settings, item) for item in items)}</ListRecords>\n</Repository>\n"
    )


def _record(settings: Settings, item: LoggedRecord) -> str:
    host = settings.site_url.partition("://")[2].partition("/")[0].partition(":")[0]
    number, text = display_id(item.serial, settings), item.record.disclosure
    header = (("identifier", f"oai:{host}:{number}"), ("datestamp", item.published_at[:10]))
    found = assigned(item)
    core = (
        ("title", text.title),
        ("creator", item.record.publisher),
        *((("subject", f"CPC {found[-1].symbol}"),) if found else ()),
        ("date", item.published_at),
        ("type", "Disclosure (machine-generated)"),
        ("format", "text/html"),
        ("identifier", permalink(item.serial, item.volume, settings)),
        ("identifier", number),
        ("language", text.language),
        ("rights", "https://creativecommons.org/publicdomain/zero/1.0/"),
    )
    return (
        f"<oai:record><oai:header>{_elements('oai', header)}</oai:header>"
        f"<oai:metadata><oai_dc:dc {_DC}>{_elements('dc', core)}</oai_dc:dc></oai:metadata></oai:record>\n"
    )


def _elements(prefix: str, values: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<{prefix}:{name}>{escape(value)}</{prefix}:{name}>" for name, value in values)
