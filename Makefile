# Xuesi: `make serve` and `make test` are all that a newcomer needs; both set up what is missing.
PYTHON ?= python3
BIN := .venv/bin
SHELL := /bin/bash
export PIP_DISABLE_PIP_VERSION_CHECK := 1
.PHONY: setup serve test check eval bench docs bundle try-bundle clean

# Installs from the lock into .venv and prepares the embedding model once.
setup: .venv/.installed
	@$(BIN)/xuesi prepare

.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Xuesi needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another with: make PYTHON=/path/to/python3.11 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch .venv/.installed

# Serves http://127.0.0.1:8000; the first run takes in the sample corpus.
serve: setup
	@$(BIN)/xuesi serve --sample corpus/manifest.toml

# Everything that must hold: format, lint, types, import contracts, tests. Files of tests in the order of their names: xdist's own order puts the files
# with few and long tests last, and the others would wait for the last of them. Three processes for two cores: each waits now and then for a server or a worker that it started.
test: setup check
	$(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder

# The part of `make test` that runs no test.
check: .venv/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

# Retrieval beside its baselines, and answers, on every question set in DATASETS: folders in BEIR form, or a file of questions to the sample corpus.
# Figures and a page with plots are kept under eval/results/, by time and commit (git takes the figures only); a commit's libraries under var/eval/.
DATASETS ?= eval/questions/sample.jsonl
COMMIT = $(shell git describe --always --dirty --exclude='*' 2>/dev/null || echo unknown)
eval: setup
	@set -e; results="eval/results/$$(date -u +%Y-%m-%d-%H%M)-$(COMMIT)"; mkdir -p "$$results"; \
	for what in "retrieval --baselines" answers; do name="$${what%% *}"; \
	  $(BIN)/xuesi eval $$what $(foreach d,$(DATASETS),--dataset "$(d)") --keep "var/eval/$(COMMIT)" \
	    --json "$$results/$$name.json" --report "$$results/$$name"; \
	done; echo "$$results"

# Speed and memory, printed with the machine. Takes some minutes.
bench: setup
	$(BIN)/python -m benchmarks

# The reference pages that are made from the program itself.
docs: .venv/.installed
	$(BIN)/python -m docs.make

# One folder dist/xuesi-bundle that installs and runs on a machine without a network.
bundle: setup
	$(BIN)/python release/bundle.py

# The bundle installed and asked where there is no network. Takes some minutes; needs unshare and ip.
try-bundle: bundle
	unshare --map-root-user --net sh release/try.sh dist/xuesi-bundle

clean:
	rm -rf dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
