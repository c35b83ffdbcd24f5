# `make demo` and `make test` set up .venv by themselves, from a lock file with hashes (.ci/set-up).

PORT ?= 8000
RUN := .venv/bin
# Files of data that are not shipped; empty: tests that need them do not run.
TEST_DATA ?=
export TEST_DATA
# One thread a test: two processes share the cores. A file's tests stay together, as they share what they have built.
export OMP_NUM_THREADS := 1
PYTEST := $(RUN)/python -m pytest --numprocesses 2 --dist loadfile --durations 20 --durations-min 1
READERS := --cov generator.base --cov generator.record --cov generator.log --cov generator.verify --cov-branch --cov-fail-under 95

.PHONY: demo test test-all style bench format clean

demo: ## Write, check, log, build and serve a small publication with a small model, in demo/.
	@.ci/set-up model
	env -u OMP_NUM_THREADS $(RUN)/prior-art demo --root demo --port $(PORT)

test: style ## What continuous integration runs: style, types, tests; the slow ones are left to test-all.
	$(PYTEST) $(READERS)

test-all: style ## Every test. TEST_DATA=FOLDER runs those as well that need files which are not shipped.
	$(PYTEST) $(READERS) -m "$(if $(TEST_DATA),,not data)"

style:
	@.ci/needs
	@.ci/set-up dev
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy --strict generator

bench: ## Compare engines on this machine, in an environment of their own (docs/benchmarks.md). BENCH="--quick": minutes, not hours.
	@tests/benchmarks/engine/set-up
	env -u OMP_NUM_THREADS .venv-bench/bin/python -m tests.benchmarks.engine $(BENCH)

format:
	@.ci/set-up dev
	$(RUN)/ruff format .
	$(RUN)/ruff check --fix .

clean: ## Remove what can be made again. The demonstration's facts in demo/ stay.
	rm -rf .venv .venv-bench tests/benchmarks/engine/cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
