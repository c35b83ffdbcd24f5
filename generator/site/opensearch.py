"""The description of the search for browsers: OpenSearch 1.1, which lets a browser's address bar ask this site."""

from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from generator.base import files
from generator.base.settings import Settings

NAME = "opensearch.xml"
_SHORT = 16  # characters that OpenSearch allows a short name


def write_opensearch(site: Path, settings: Settings) -> None:
    """Write `site`/opensearch.xml. The words go behind "#", so that the browser sends them to no server."""
    root = settings.site_url.rstrip("/") + "/"
    short = settings.title if len(settings.title) <= _SHORT else settings.prefix[:_SHORT]
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">\n'
        f"<ShortName>{escape(short)}</ShortName>\n"
        f"<Description>{escape(f'Disclosures of {settings.title}: words, numbers, operators')}</Description>\n"
        f'<Url type="text/html" rel="results" template={quoteattr(root + "search.html#q={searchTerms}")}/>\n'
        f'<Image height="16" width="16" type="image/svg+xml">{escape(root)}assets/icon.svg</Image>\n'
        "<InputEncoding>UTF-8</InputEncoding>\n"
        "</OpenSearchDescription>\n"
    )
    files.write(site / NAME, text.encode())
