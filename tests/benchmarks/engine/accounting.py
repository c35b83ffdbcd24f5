"""What a run takes: CPU time, memory, energy, and what other processes took of the machine meanwhile.

Counted over the session of the calling process (the worker starts one), so that an engine's child processes count too.
Outside Linux, and without the counters, a figure is None, never a guess.
"""

import os
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")
PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Reading:
    wall: float
    own_cpu: float
    all_cpu: float | None  # seconds that the machine's processors were busy since boot, in sum
    joules: tuple[tuple[float, float], ...]  # each package: counter, value at which the counter wraps


@dataclass(frozen=True, slots=True)
class Spent:
    seconds: float
    cpu_seconds: float
    foreign_share: float | None
    energy_joules: float | None


def read() -> Reading:
    return Reading(time.perf_counter(), _own_cpu(), _all_cpu(), _joules(POWERCAP))


def spent(before: Reading, after: Reading, processors: int) -> Spent:
    seconds, own = after.wall - before.wall, after.own_cpu - before.own_cpu
    foreign = energy = None
    if before.all_cpu is not None and after.all_cpu is not None:
        foreign = max(0.0, after.all_cpu - before.all_cpu - own) / (seconds * processors)
    if before.joules and len(before.joules) == len(after.joules):
        pairs = zip(before.joules, after.joules, strict=True)
        energy = sum((last - first) % wrap for (first, wrap), (last, _) in pairs)
    return Spent(seconds, own, foreign, energy)


def peak_rss_bytes() -> int:
    """Highest resident size of each process of the session, added up. Pages that processes share count for each."""
    if sys.platform != "linux":
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    total = 0
    for process in _session():
        for line in _text(process / "status").split("\n"):
            if line.startswith("VmHWM:"):
                total += int(line.split()[1]) * 1024
    return total


def available_bytes() -> int:
    """Memory that can be taken without swapping."""
    for line in _text(PROC / "meminfo").split("\n"):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _own_cpu() -> float:
    """User and system time of the session, of children that have ended too (proc(5): fields 14 to 17 of stat)."""
    if sys.platform != "linux":
        own, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime
    ticks = sum(sum(map(int, _fields(process)[11:15])) for process in _session())
    return ticks / os.sysconf("SC_CLK_TCK")


def _session() -> list[Path]:
    own = str(os.getsid(0))
    found = [process for process in PROC.iterdir() if process.name.isdigit()]
    return [process for process in found if (read := _fields(process)) and read[3] == own]


def _fields(process: Path) -> list[str]:
    """Fields of stat from the third (state) on; nothing of a process that has ended. A name may have blanks."""
    return _text(process / "stat").rpartition(")")[2].split()


def _all_cpu() -> float | None:
    """user, nice, system, irq, softirq and steal of /proc/stat's first line; guests are in user already."""
    columns = _text(PROC / "stat").partition("\n")[0].split()[1:]
    if len(columns) < 8:
        return None
    return sum(int(columns[n]) for n in (0, 1, 2, 5, 6, 7)) / os.sysconf("SC_CLK_TCK")


def _joules(powercap: Path) -> tuple[tuple[float, float], ...]:
    """RAPL counters of the processor packages (not of their parts, which are named `...:0:0`)."""
    found = []
    for folder in sorted(powercap.glob("intel-rapl:*")) if powercap.is_dir() else ():
        if folder.name.count(":") == 1:
            energy, wrap = _text(folder / "energy_uj"), _text(folder / "max_energy_range_uj")
            if energy and wrap:
                found.append((int(energy) / 1e6, int(wrap) / 1e6))
    return tuple(found)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
