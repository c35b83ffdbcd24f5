"""What accepted disclosures cost: CPU time, energy, and money at stated prices, each with the interval of the rate."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.base.intervals import wilson

POWERCAP = Path("/sys/class/powercap")
JOULES_PER_KWH = 3_600_000


@dataclass(slots=True)
class EnergyMeter:
    """Energy of the machine's processor packages, by the counters of RAPL (Intel SDM volume 3B, 15.10; AMD's alike).

    The counters count everything that runs on the machine. They wrap around, at full load after some 20 minutes, so
    `sample` is to be called oftener. Counters of parts (cores, memory) are left out: a package contains its cores.
    """

    _zones: tuple[tuple[Path, int], ...]
    _last: tuple[int, ...]
    microjoules: int = 0

    @classmethod
    def open(cls, root: Path = POWERCAP) -> "EnergyMeter | None":
        """None where the machine has no such counters, or they may not be read, as on most rented machines."""
        zones = []
        for zone in sorted(root.glob("intel-rapl:*")):
            try:
                if zone.name.count(":") == 1 and (zone / "name").read_text().startswith("package"):
                    zones.append((zone / "energy_uj", int((zone / "max_energy_range_uj").read_text())))
            except (OSError, ValueError):
                return None
        try:
            return cls(tuple(zones), tuple(int(path.read_text()) for path, _ in zones)) if zones else None
        except (OSError, ValueError):
            return None

    def sample(self) -> int:
        """Microjoules since the meter was opened. Raises OSError when a counter can no longer be read."""
        now = tuple(int(path.read_text()) for path, _ in self._zones)
        for (_, most), before, after in zip(self._zones, self._last, now, strict=True):
            self.microjoules += after - before if after >= before else after - before + most
        self._last = now
        return self.microjoules


@dataclass(frozen=True, slots=True)
class Prices:
    """What the user states. `watts` estimates energy where none was measured: per busy core, or None: no estimate."""

    watts: float | None = None
    per_cpu_hour: float | None = None
    per_kwh: float | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Spent:
    """What `drafts` drafts took. `joules` is None where energy was neither measured nor estimated."""

    drafts: int
    cpu_seconds: float
    joules: float | None
    measured: bool

    @classmethod
    def of(cls, drafts: int, cpu_seconds: float, measured_joules: float | None, prices: Prices) -> "Spent":
        if measured_joules is not None:
            return cls(drafts, cpu_seconds, measured_joules, True)
        return cls(drafts, cpu_seconds, cpu_seconds * prices.watts if prices.watts is not None else None, False)

    @property
    def kwh(self) -> float | None:
        return None if self.joules is None else self.joules / JOULES_PER_KWH

    def money(self, prices: Prices) -> float | None:
        """At the prices that are stated; None when none is, or when energy has a price but no figure."""
        if prices.per_cpu_hour is None and prices.per_kwh is None:
            return None
        if prices.per_kwh is not None and self.kwh is None:
            return None
        return (prices.per_cpu_hour or 0) * self.cpu_seconds / 3600 + (prices.per_kwh or 0) * (self.kwh or 0)


def cost_per(hits: int, spent: Spent, prices: Prices, *, distinct_share: float = 1.0) -> dict[str, Any]:
    """Cost of one hit in `spent.drafts` drafts, each figure as {value, low, high}, by the interval of the hit rate.

    No hit: no value and no upper end; the lower end is that of the rate's upper end 3/n (rule of three: Hanley and
    Lippman-Hand 1983). `distinct_share` of the hits count: those that repeat no other.
    """
    n = spent.drafts
    least, most = wilson(hits, n)
    rates = (hits / n, least, most) if hits else (0.0, 0.0, min(1.0, 3 / n) if n else 1.0)
    totals = {"cpu_seconds": spent.cpu_seconds, "kwh": spent.kwh, "money": spent.money(prices), "drafts": float(n)}
    value, least, most = (rate * distinct_share for rate in rates)
    return {
        "hits": hits,
        **{
            name: None
            if total is None or not n
            else {
                "value": total / n / value if value else None,
                "low": total / n / most if most else None,
                "high": total / n / least if least else None,
            }
            for name, total in totals.items()
        },
    }
