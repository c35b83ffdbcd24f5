"""Test modules import `facts` and other fixtures of this folder by name; what pytest itself hands them is here."""

from collections.abc import Iterator
from typing import Any

import pytest
from browsing import Visit, browser
from hypothesis import settings

# No deadline: a busy machine is no defect. The same examples each time: what fails here fails everywhere.
settings.register_profile("press", deadline=None, derandomize=True)
settings.load_profile("press")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as running:
        yield running


@pytest.fixture
def visit(chromium: Any) -> Iterator[Visit]:
    made = Visit(chromium)
    yield made
    made.context.close()
