"""Cost with intervals, and the reader of energy counters on files laid out as the kernel lays them out."""

import pytest

from generator.base.intervals import wilson
from generator.run.cost import EnergyMeter, Prices, Spent, cost_per


def zone(root, name, kind, microjoules, most=1_000_000):
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{kind}\n")
    (folder / "energy_uj").write_text(f"{microjoules}\n")
    (folder / "max_energy_range_uj").write_text(f"{most}\n")
    return folder / "energy_uj"


def test_packages_are_added_and_their_parts_are_not(tmp_path):
    one, two = zone(tmp_path, "intel-rapl:0", "package-0", 100), zone(tmp_path, "intel-rapl:1", "package-1", 500)
    core, psys = zone(tmp_path, "intel-rapl:0:0", "core", 50), zone(tmp_path, "intel-rapl:2", "psys", 7)
    meter = EnergyMeter.open(tmp_path)
    for path, value in ((one, 300), (two, 550), (core, 999), (psys, 999)):
        path.write_text(str(value))
    assert meter.sample() == 250
    assert meter.sample() == 250


def test_a_counter_that_wraps_goes_on(tmp_path):
    counter = zone(tmp_path, "intel-rapl:0", "package-0", 999_000)
    meter = EnergyMeter.open(tmp_path)
    counter.write_text("500")
    assert meter.sample() == 1_500
    counter.write_text("1500")
    assert meter.sample() == 2_500


def test_without_counters_there_is_no_meter(tmp_path):
    assert EnergyMeter.open(tmp_path) is None
    assert EnergyMeter.open(tmp_path / "absent") is None
    zone(tmp_path, "intel-rapl:0", "package-0", 1).unlink()
    assert EnergyMeter.open(tmp_path) is None


def test_energy_is_measured_or_estimated_or_unknown():
    prices = Prices(watts=20)
    assert Spent.of(10, 3600, 720_000, prices) == Spent(10, 3600, 720_000, True)
    assert Spent.of(10, 3600, None, prices).kwh == pytest.approx(0.02)
    assert not Spent.of(10, 3600, None, prices).measured
    assert Spent.of(10, 3600, None, Prices()).kwh is None


def test_cost_per_hit_has_the_interval_of_the_rate():
    low, high = wilson(30, 200)
    found = cost_per(30, Spent(200, 600, None, False), Prices())
    assert found["cpu_seconds"] == {
        "value": pytest.approx(20), "low": pytest.approx(3 / high), "high": pytest.approx(3 / low)
    }  # fmt: skip
    assert found["drafts"]["value"] == pytest.approx(200 / 30)
    assert found["kwh"] is found["money"] is None


def test_no_hit_gives_a_lower_bound_alone():
    found = cost_per(0, Spent(300, 900, None, False), Prices())
    assert found["cpu_seconds"] == {"value": None, "low": pytest.approx(300), "high": None}


def test_repeated_hits_do_not_count():
    once = cost_per(30, Spent(200, 600, None, False), Prices())["cpu_seconds"]
    half = cost_per(30, Spent(200, 600, None, False), Prices(), distinct_share=0.5)["cpu_seconds"]
    assert half == {name: pytest.approx(2 * value) for name, value in once.items()}


@pytest.mark.parametrize(
    ("prices", "money"),
    [
        (Prices(), None),
        (Prices(watts=100), None),
        (Prices(per_cpu_hour=0.04), 0.04),
        (Prices(watts=100, per_kwh=0.3), 0.03),
        (Prices(watts=100, per_cpu_hour=0.04, per_kwh=0.3), 0.07),
        (Prices(per_kwh=0.3), None),
    ],
)
def test_money_is_only_told_at_stated_prices(prices, money):
    """One hit in one draft of one CPU hour; energy at 100 watts is 0.1 kWh. A price of energy needs its amount."""
    found = cost_per(1, Spent.of(1, 3600, None, prices), prices)["money"]
    assert found is None if money is None else found["value"] == pytest.approx(money)


def test_of_no_drafts_there_is_no_cost():
    assert cost_per(0, Spent(0, 0, None, False), Prices())["cpu_seconds"] is None
