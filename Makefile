# One word each: `make live` and `make test` do all their own set-up on a fresh machine.
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
SOURCE := realtime train exported benchmarks tests scripts

.PHONY: help live test install lint bench models clean
help: ## Show these words
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "%-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

live: $(VENV)/.runtime ## Install, then restyle: microphone if there is one, else the bundled clip
	$(BIN)/restyle live --demo

test: $(VENV)/.dev ## Install everything, then run the tests
	$(BIN)/python -m pytest

install: $(VENV)/.runtime ## Install the program alone

lint: $(VENV)/.dev ## Style, types and import directions
	$(BIN)/ruff check $(SOURCE)
	$(BIN)/ruff format --check $(SOURCE)
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.runtime ## Latency, CPU per hop and missed callbacks on this machine
	$(BIN)/restyle bench latency

models: $(VENV)/.dev ## Make the training data, train and export the bundled styles again
	sh scripts/system-packages.sh fluidsynth fluid-soundfont-gm
	$(BIN)/restyle train models

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	sh scripts/make-venv.sh $(VENV)

$(VENV)/.runtime: $(VENV)/bin/python pyproject.toml constraints.txt
	sh scripts/system-packages.sh libportaudio2
	$(PIP) install --quiet -c constraints.txt --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.runtime
	sh scripts/system-packages.sh libportaudio2 jackd2
	$(PIP) install --quiet -c constraints.txt --editable '.[dev,train]'
	$(PIP) install --quiet --no-deps neural-amp-modeler==0.13.0 # model code alone, see tests/nam
	touch $@
