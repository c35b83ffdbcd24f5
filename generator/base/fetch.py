"""The one way to read a URL: bounded in time and size, http and https only."""

from generator.base.errors import PressError

TIMEOUT_SECONDS = 30.0
MAX_BYTES = 64 << 20


def fetch(url: str, *, timeout_seconds: float = TIMEOUT_SECONDS, max_bytes: int = MAX_BYTES) -> bytes | None:
    """The body behind a URL; None when the server has nothing there (404, 410). Raises PressError otherwise."""
    import urllib.error
    import urllib.request

    if not url.startswith(("https://", "http://")):
        raise PressError(f"{url[:200]}: only http and https addresses are read")
    request = urllib.request.Request(url, headers={"User-Agent": "prior-art", "Cache-Control": "no-cache"})
    try:
        with urllib.request.urlopen(request, timeout=timeout_seconds) as answer:
            data: bytes = answer.read(max_bytes + 1)
    except urllib.error.HTTPError as error:
        with error:
            if error.code in (404, 410):
                return None
            raise PressError(f"{url}: the server answered {error.code}", hint="Try again later.") from error
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise PressError(f"{url}: cannot be reached: {reason}", hint="Check the address and the network.") from error
    if len(data) > max_bytes:
        raise PressError(f"{url}: larger than {max_bytes} bytes")
    return data
