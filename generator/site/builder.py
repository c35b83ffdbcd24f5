"""The site builder, MkDocs with the Material theme; the only file that knows it. It runs as a subprocess.

It aborts through SystemExit, keeps a global logger and holds every page of a build in memory, so it gets a process
per volume. `_config` uses only what its successors read too: no plugins, no hooks, a fixed nav.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from generator.base.errors import ToolError
from generator.base.settings import Settings
from generator.site.identity import STYLE

TOOLS = ("mkdocs", "mkdocs-material", "markdown", "jinja2", "pyyaml")
EPOCH = "1700000000"  # SOURCE_DATE_EPOCH: mkdocs would stamp the build with the clock; nothing of it is kept
LIMIT_SECONDS = 1800
FOOTER = ("publisher", "contact", "imprint", "license_line")  # settings in the footer of every page
NAV = ("index", "browse", "search", "verify", "docs/about")


def build(work: Path, settings: Settings, templates: Path, what: str, *, documents: bool = False) -> None:
    """Build the Markdown in `work`/docs into `work`/site. `documents`: with the extensions that docs/ may use.

    Raises ToolError, which names `what`, when mkdocs fails or warns.
    """
    import yaml

    config = work / "mkdocs.yml"
    text = yaml.safe_dump(_config(work, settings, templates, documents), allow_unicode=True, sort_keys=True)
    config.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--config-file", str(config)]
    overrides = {"SOURCE_DATE_EPOCH": EPOCH, "NO_MKDOCS_2_WARNING": "1", "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
    environment = {**os.environ, **overrides}
    try:
        done = subprocess.run(
            command,
            cwd=work,
            env=environment,
            capture_output=True,
            timeout=LIMIT_SECONDS,
            check=False,
            close_fds=False,  # it holds the lock of the build as long as it runs
        )
    except subprocess.TimeoutExpired as error:
        raise ToolError(f"mkdocs did not finish {what} within {LIMIT_SECONDS} seconds") from error
    if done.returncode:
        said = (done.stderr + done.stdout).decode("utf-8", "replace").strip().split("\n")
        raise ToolError(
            f"mkdocs failed on {what}: {' | '.join(said[-4:])[:1000]}",
            hint=f"The pages and mkdocs.yml are in {work}; mend what it names, then run again.",
        )


def _config(work: Path, settings: Settings, templates: Path, documents: bool) -> dict[str, Any]:
    """No plugins, a fixed nav, pages out of it: then the cost of a page does not grow with their number."""
    url = settings.site_url.rstrip("/") + "/"
    return {
        "site_name": settings.title,
        "site_url": url,
        "site_description": f"{settings.title}: machine-written inventions as dated, verifiable prior art.",
        "docs_dir": str(work / "docs"),
        "site_dir": str(work / "site"),
        "use_directory_urls": False,
        "plugins": [],
        "nav": [{name: f"{url}{name}.html"} for name in NAV],
        "not_in_nav": "/**",
        "edit_uri": "",
        "theme": {"name": "material", "custom_dir": str(templates / "overrides"), "font": False},
        "extra_css": ["assets/press.css", STYLE],
        "extra": {
            "generator": False,
            "prefix": settings.prefix,
            "origin": settings.log_origin,
            **{name: getattr(settings, name) for name in FOOTER},
        },
        "markdown_extensions": ["attr_list", "admonition", "def_list"] if documents else ["attr_list"],
        "validation": {"links": {"not_found": "ignore", "unrecognized_links": "ignore", "anchors": "ignore"}},
    }
