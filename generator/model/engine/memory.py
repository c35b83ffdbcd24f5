"""How many drafts fit: rows and cache pages planned from a memory limit before the first of them is allocated."""

from dataclasses import dataclass
from pathlib import Path

from generator.base.errors import ConfigError
from generator.model.engine.kernels import PAGE

PROGRAM_BYTES = 700 << 20  # Python, torch and compiled kernels; read as 450 to 600 MiB
ROWS = 64  # a core: beyond that, matrix products gain little
CROWDED = 0.75  # rows are planned as if a draft filled this share of its pages; when all are full, one draft waits


@dataclass(frozen=True, slots=True)
class Plan:
    """For each of `lanes` cores: `rows` drafts at a time and `pages` of cache. The longest draft needs `row_pages`."""

    lanes: int
    rows: int
    pages: int
    row_pages: int
    page_bytes: int
    fixed_bytes: int
    limit_bytes: int

    @property
    def bytes(self) -> int:
        return self.fixed_bytes + self.lanes * self.pages * self.page_bytes

    def __str__(self) -> str:
        return (
            f"{self.lanes * self.rows} drafts at a time on {self.lanes} cores, {self.pages * self.lanes} cache pages "
            f"of {PAGE} tokens, {_gib(self.bytes)} of the {_gib(self.limit_bytes)} allowed"
        )


def plan(
    *, limit: int, lanes: int, batch: int, longest: int, page_bytes: int, weight_bytes: int, row_bytes: int
) -> Plan:
    """Rows and pages for drafts of up to `longest` tokens, prompt included. `batch` 0: as many as is worth while.

    `weight_bytes` are packed weights, `row_bytes` what a row needs besides its pages. Raises ConfigError when not one
    draft fits.
    """
    row_pages = -(-longest // PAGE)
    wanted = -(-batch // lanes) if batch else ROWS
    for rows in range(wanted, 0, -1):
        fixed = PROGRAM_BYTES + weight_bytes + lanes * rows * row_bytes
        room = max(0, limit - fixed) // (lanes * page_bytes)
        pages = min(rows * row_pages, room)
        if pages >= row_pages and pages >= rows * row_pages * CROWDED:
            return Plan(lanes, rows, pages, row_pages, page_bytes, fixed, limit)
    least = PROGRAM_BYTES + weight_bytes + lanes * (row_bytes + row_pages * page_bytes)
    raise ConfigError(
        f"{limit >> 20} MiB of memory: a draft of {longest} tokens on each of {lanes} cores needs "
        f"{-(-least >> 20)} MiB",
        hint="Allow more with --memory, halve the cache with --cache int8, or use fewer cores with --threads.",
    )


def _gib(size: int) -> str:
    return f"{size / (1 << 30):.1f} GiB"


def free_memory() -> int:
    """Bytes that this process may take without pushing anything out: of the machine and of its control group."""
    free = []
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        free.append(int(lines["MemAvailable"].split()[0]) << 10)
    except (OSError, KeyError, ValueError):
        import os

        free.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
    for limit, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
        for home in (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/memory")):
            try:
                free.append(int((home / limit).read_text()) - int((home / used).read_text()))
            except (OSError, ValueError):
                continue
    return max(0, min(free))
