# Two commands for a newcomer: `make demo` and `make test`. Both set up .venv by themselves (.ci/set-up).

PORT ?= 8000
RUN := .venv/bin

.PHONY: demo test bench format clean

demo: ## Write, check, log, build and serve a small publication with a small model, in demo/.
	@.ci/set-up model
	$(RUN)/prior-art demo --root demo --port $(PORT)

test: ## What continuous integration runs: style, types, tests.
	@.ci/needs
	@.ci/set-up dev
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy --strict generator
	$(RUN)/python -m pytest

bench: ## Compare engines on this machine, in an environment of their own (docs/benchmarks.md). BENCH="--quick": minutes, not hours.
	@tests/benchmarks/engine/set-up
	.venv-bench/bin/python -m tests.benchmarks.engine $(BENCH)

format:
	@.ci/set-up dev
	$(RUN)/ruff format .
	$(RUN)/ruff check --fix .

clean: ## Remove what can be made again. The demonstration's facts in demo/ stay.
	rm -rf .venv .venv-bench tests/benchmarks/engine/cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
