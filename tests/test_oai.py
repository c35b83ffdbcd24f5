"""OAI-PMH static repositories: a harvester reads them through a gateway that does as the guidelines say."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import judgements
import pytest
import sickle
from lxml import etree
from test_feeds import SITE, front, logged

from generator.base.errors import ConfigError
from generator.log.archive import VOLUME, LoggedRecord
from generator.site.feeds import write_feeds

OAI = "{http://www.openarchives.org/OAI/2.0/}"
STATIC = "{http://www.openarchives.org/OAI/2.0/static-repository}"
LIBRARY = replace(SITE, oai_gateway="https://gateway.example/oai/", contact="press@example.org")


def written(site: Path, records: list[LoggedRecord], volume: int = 0) -> Path:
    front(site)
    write_feeds(site, LIBRARY, records)
    return site / "d" / str(volume) / "oai.xml"


@contextmanager
def gateway(repository: Path) -> Iterator[str]:
    """Answers the requests of harvesters from a static repository: its parts become the parts of the answers."""
    root = etree.fromstring(repository.read_bytes())

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = dict(parse_qsl(urlsplit(self.path).query))
            answer = etree.Element(f"{OAI}OAI-PMH", nsmap={None: OAI[1:-1]})
            etree.SubElement(answer, f"{OAI}responseDate").text = "2026-12-01T00:00:00Z"
            etree.SubElement(answer, f"{OAI}request").text = root.findtext(f".//{OAI}baseURL")
            part = etree.SubElement(answer, OAI + asked["verb"])
            part.extend(list(etree.fromstring(etree.tostring(root.find(STATIC + asked["verb"])))))
            self.send_response(200)
            self.send_header("Content-Type", "text/xml; charset=utf-8")
            self.end_headers()
            self.wfile.write(etree.tostring(answer, xml_declaration=True, encoding="UTF-8"))

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_harvester_reads_every_published_disclosure(tmp_path: Path) -> None:
    records = [logged(0, title="Salt & <lime>, 5 µm"), replace(logged(1), judgement=judgements.OBVIOUS), logged(2, "")]
    with gateway(written(tmp_path, records)) as url:
        harvester = sickle.Sickle(url)
        identify = harvester.Identify()
        assert identify.baseURL == "https://gateway.example/oai/example.org/repo/d/0/oai.xml"
        assert (identify.adminEmail, identify.deletedRecord) == ("press@example.org", "no")
        assert identify.earliestDatestamp == "2026-11-22"
        assert [one.metadataPrefix for one in harvester.ListMetadataFormats()] == ["oai_dc"]
        found = list(harvester.ListRecords(metadataPrefix="oai_dc"))
    assert [one.header.identifier for one in found] == ["oai:example.org:PAP-0000000", "oai:example.org:PAP-0000001"]
    assert {one.header.datestamp for one in found} == {"2026-11-22"}
    first, second = (one.metadata for one in found)
    assert first["title"] == ["Salt & <lime>, 5 µm"]
    assert first["identifier"] == ["https://example.org/repo/d/0/0.html", "PAP-0000000"]
    assert "subject" not in first
    assert second["subject"] == ["CPC A01G"]


def test_a_volume_is_written_alone_and_a_withdrawn_one_goes(tmp_path: Path) -> None:
    first = written(tmp_path, [logged(0), logged(VOLUME)])
    before = first.read_bytes()
    second = written(tmp_path, [logged(VOLUME, "")], volume=1)
    assert first.read_bytes() == before
    assert not second.exists()


def test_without_a_gateway_there_is_no_file_and_a_gateway_asks_for_a_mail_address(tmp_path: Path) -> None:
    path = written(tmp_path, [logged(0)])
    write_feeds(tmp_path, SITE, [logged(0)])
    assert not path.exists()
    for contact in ("", "the editor", "https://example.org/@us", "a@b"):
        with pytest.raises(ConfigError, match="no mail address"):
            write_feeds(tmp_path, replace(LIBRARY, contact=contact), [logged(0)])
