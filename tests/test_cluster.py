"""A real Ray cluster of two nodes with one CPU each on this machine, the real engine, a tiny model."""

import hashlib
import json
import os
import re
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import openers
import pytest
import tiny_model
from written import LADDER, NOW, PLAN

from generator.base.errors import ConfigError, ModelError
from generator.commands import cli
from generator.model.interface import EngineChoice
from generator.model.loading import open_model
from generator.model.machines.cluster import open_cluster
from generator.model.profiles import read_profile
from generator.model.sampling_settings import Sampling
from generator.run.drafting import generate
from generator.run.plan import brief

TESTS = Path(__file__).parent
WHOLE = replace(PLAN, profile="tiny", amount=300, sampling=Sampling())


@pytest.fixture(scope="module")
def cluster():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS.parent), str(TESTS)]))
        patch.setenv(
            "RAY_DEDUP_LOGS_SKIP_REGEX", ".*"
        )  # as generator.model.machines.nodes sets it before it imports Ray
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("OMP_NUM_THREADS", "1")
        from ray.cluster_utils import Cluster

        nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "env_vars": {"PRESS_NODE": "first"}})
        nodes.add_node(num_cpus=1, env_vars={"PRESS_NODE": "second"})
        yield nodes
        nodes.shutdown()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    return tiny_model.write_profile(folder / "tiny.toml", tiny_model.save_tiny(folder / "model"))


@pytest.fixture(scope="module")
def profile(path):
    return read_profile(path)


def choice(cluster, **changes):
    return EngineChoice(**{"engine": "ray", "address": cluster.address, "number_format": "fp32", "batch": 8, **changes})


def run(output, model):
    made = generate(WHOLE, model, LADDER, output, now=lambda: NOW, salt=lambda: bytes(16), report=lambda _: None)
    return made.report["drafts_by_index"]


@pytest.fixture(scope="module")
def alone(profile, tmp_path_factory):
    """Index, seed, digest and outcome of each draft that one machine writes."""
    model = open_model(profile, EngineChoice(threads=1, number_format="fp32"), report=lambda _: None)
    return run(tmp_path_factory.mktemp("alone"), model)


def digest(draft):
    return hashlib.sha256(draft.text.encode("utf-8", "surrogatepass")).hexdigest()


def test_the_command_on_two_nodes_writes_what_one_machine_writes(cluster, path, alone, tmp_path, capfd):
    import ray

    words = ["generate", "--profile", path, "--drafts", 300, "--seed", 7, "--root", tmp_path, "--json", "--timings"]
    words += ["--engine", "ray", "--address", cluster.address, "--batch", 8, "--format", "fp32"]
    with pytest.raises(SystemExit) as ended:
        cli.main([str(word) for word in words])
    assert ended.value.code == 0
    out, err = capfd.readouterr()
    figures = json.loads(out)  # nothing of Ray's is on stdout
    assert (figures["ok"], figures["drafts"]) == (True, 300)
    assert {phase["phase"] for phase in figures["timings"]} >= {"attention", "sampling"}
    assert re.search(r"node 2 of 2 \(.+\): engine: fp32", err)
    report = json.loads((tmp_path / "output" / "runs" / f"{figures['run']}.json").read_bytes())
    assert report["drafts_by_index"] == alone
    (session,) = report["engine"]
    assert [node["engine"] for node in session["account"]["nodes"]] == [report["model"]["engine"]] * 2
    assert all(node["phases"][0]["milliseconds"] > 0 for node in session["account"]["nodes"]), "both nodes worked"
    assert session["account"]["slots"] == 16
    assert not ray.is_initialized(), "the connection ends with the drafts"


def process_on(model, name):
    """The process of the worker on the node `name`."""
    processes = [node.process for node in model._nodes.nodes]
    (found,) = [n for n in processes if f"PRESS_NODE={name}" in Path(f"/proc/{n}/environ").read_text().split("\0")]
    return found


class Losing:
    """The model; after 40 drafts the kernel kills one of its workers, after 120 another node is gone altogether."""

    def __init__(self, model, remove):
        self.model, self.identity, self.remove, self.done = model, model.identity, remove, []

    @property
    def account(self):
        return self.model.account

    def drafts(self, *args, **options):
        for draft in self.model.drafts(*args, **options):
            self.done.append(draft.brief.index)
            if len(self.done) == 40:
                os.kill(process_on(self.model, "second"), signal.SIGKILL)
            if len(self.done) == 120:
                self.remove()
            yield draft


def test_a_killed_worker_and_a_lost_node_change_no_byte(cluster, profile, alone, tmp_path, capfd):
    told, third = [], cluster.add_node(num_cpus=1, env_vars={"PRESS_NODE": "third"})
    model = open_model(profile, choice(cluster), report=told.append)
    assert len(model._nodes.nodes) == 3
    losing = Losing(model, lambda: cluster.remove_node(third, allow_graceful=False))
    assert run(tmp_path, losing) == alone
    assert sorted(losing.done) == list(range(300)), "nothing is lost, nothing comes twice"
    assert [line for line in told if "was lost and started again" in line]
    assert len([line for line in told if "is lost (" in line]) == 1
    assert capfd.readouterr().out == ""


def test_closing_the_iterator_ends_the_workers_and_the_next_one_begins_anew(cluster, profile):
    taken = []

    def endless():
        for index in range(10**6):
            taken.append(index)
            yield brief(WHOLE, index)

    model = open_cluster(profile, choice(cluster), openers.refusing, report=lambda _: None)
    processes = [node.process for node in model._nodes.nodes]
    assert all(running(number) for number in processes)
    drafts = model.drafts(endless(), WHOLE.sampling)
    for _ in range(5):
        next(drafts)
    drafts.close()
    assert len(taken) <= 5 + 2 * 4 * 2
    until = time.monotonic() + 30  # Ray kills them by a message, which a busy machine may deliver late
    while any(running(number) for number in processes):
        assert time.monotonic() < until
        time.sleep(0.05)
    with pytest.raises(ConfigError, match="The topic 'Method' has more than 32 tokens") as error:
        list(model.drafts([replace(brief(WHOLE, n), topic="Method" if n == 3 else "") for n in range(9)], Sampling()))
    assert type(error.value) is ConfigError, "as it is, not as Ray wraps it"
    assert error.value.hint == "Shorten it."


def test_all_tokens_are_ticked(cluster, profile):
    ticks = []
    model = open_cluster(profile, choice(cluster), openers.written, report=lambda _: None)
    drafts = list(model.drafts((brief(WHOLE, index) for index in range(50)), WHOLE.sampling, tick=ticks.append))
    assert sum(ticks) == sum(draft.generation.new_tokens for draft in drafts) == 2500
    assert sum(draft.seconds for draft in drafts) == 50 * 0.5 / 2, "the time of two nodes together"


def running(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_bug_in_a_worker_keeps_its_traceback(cluster, profile):
    model = open_cluster(profile, choice(cluster), openers.broken, report=lambda _: None)
    with pytest.raises(ZeroDivisionError, match=r"openers\.py"):
        list(model.drafts([brief(WHOLE, 0)], WHOLE.sampling))


def test_a_node_that_lacks_the_model_is_named(cluster, profile):
    import ray

    with pytest.raises(ModelError, match=r"node \d of 2 \(.+\): tiny: /nowhere holds no config.json") as error:
        open_cluster(profile, choice(cluster), openers.without_the_folder, report=lambda _: None)
    assert "must be on every node, at the same path" in error.value.hint
    assert not ray.is_initialized()


def test_a_node_that_would_write_other_drafts_is_named(cluster, profile):
    message = r"node 2 of 2 .* its torch_version is (2\.12\.0, .* 2\.13\.0|2\.13\.0, .* 2\.12\.0)$"
    with pytest.raises(ModelError, match=message) as error:
        open_cluster(profile, choice(cluster), openers.another_library, report=lambda _: None)
    assert "same files, versions and kind of CPU" in error.value.hint


def test_without_an_address_a_cluster_of_this_machine_is_begun_and_ended(cluster, profile, alone, monkeypatch):
    import ray

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    model = open_model(profile, choice(cluster, address="", threads=1), report=lambda _: None)
    assert ray.get_runtime_context().gcs_address != cluster.address
    watch = LADDER.watch()  # it travels to the workers: without it, what a run stops would be written to its end
    drafts = list(model.drafts((brief(WHOLE, index) for index in range(4)), WHOLE.sampling, watch=watch))
    assert not ray.is_initialized()
    assert {d.brief.index: digest(d) for d in drafts} == {n: alone[n]["sha256"] for n in range(4)}


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nonsense", "localhost:99999999"])
def test_an_address_where_no_cluster_is(profile, address):
    with pytest.raises(ModelError, match="no Ray cluster could be reached") as error:
        open_model(profile, EngineChoice(engine="ray", address=address), report=lambda _: None)
    assert "ray start --head" in error.value.hint


def test_without_the_package(profile, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ModelError, match="The package ray is not installed") as error:
        open_model(profile, EngineChoice(engine="ray"), report=lambda _: None)
    assert error.value.hint == "Run: pip install 'prior-art-press[ray]'"
