"""A second clock: the one of a web server."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

TIMEOUT_SECONDS = 10.0


def server_time(url: str) -> datetime | None:
    """The time by the server behind `url`: its HTTP Date and, from a cache, the Age; None without answer."""
    import http.client
    import urllib.error
    import urllib.request

    try:
        request = urllib.request.Request(url, method="HEAD", headers={"Cache-Control": "no-cache"})
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            headers = answer.headers
    except urllib.error.HTTPError as error:
        headers = error.headers
        error.close()
    except (OSError, ValueError, http.client.HTTPException):
        return None
    try:
        date = parsedate_to_datetime(headers["Date"])
        return date.astimezone(UTC) + timedelta(seconds=int(headers.get("Age") or 0))
    except (TypeError, ValueError, OverflowError):
        return None
