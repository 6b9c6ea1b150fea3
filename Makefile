# Needs Python >= 3.11 and, except for `demo`, Node 20 with npm; root where packages of the system are missing.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
HAVE_CHROMIUM := $(firstword $(foreach name,chromium chromium-browser google-chrome,$(shell command -v $(name) 2>&1)))

.PHONY: setup demo test check bench soak soak-short attack fuzz renderer mutate chromium nginx strace clean
.DELETE_ON_ERROR:

setup: $(VENV)/.all renderer/node_modules/.stamp

demo: $(VENV)/.demo
	$(BIN)/python -m dash_devices demo $(ARGS)

# pytest comes last, so that its summary is the last line.
test: setup chromium nginx check
	cd renderer && npm test
	$(BIN)/python -m tests.soak --short
	$(BIN)/python -m pytest $(ARGS)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict dash_devices
	$(BIN)/lint-imports
	$(BIN)/python tools/generate_protocol.py --check
	$(BIN)/python tools/bundle.py --check
	cd renderer && npx --no-install tsc --noEmit

bench: $(VENV)/.all chromium
	$(BIN)/python -m dash_devices bench $(ARGS)

# All rows of docs/reliability.md: at most an hour at SCALE=1. ROWS="kill9 gaps" runs some of them.
soak: setup chromium
	$(BIN)/python -m tests.soak --scale $(or $(SCALE),1) $(if $(AUTHENTICATE),--authenticate) $(ROWS)

# Order, loss and equality alone, in about a minute; no times are judged.
soak-short: setup
	$(BIN)/python -m tests.soak --short $(ROWS)

# Hostile input against a real server, at most half an hour at SCALE=1. ROWS="origins routes" runs some of it.
attack: setup chromium strace
	$(BIN)/python -m tests.attack --scale $(or $(SCALE),1) $(ROWS)

# An hour of it: frame to dispatch. With `pip install atheris` (the extra `fuzz`), coverage-guided too.
fuzz: setup
	$(BIN)/python -m tests.attack fuzz --scale $(or $(SCALE),12)

renderer: setup
	$(BIN)/python tools/generate_protocol.py
	$(BIN)/python tools/bundle.py --force

mutate: setup chromium
	$(BIN)/python tests/mutate.py $(ARGS)

strace:
ifeq ($(shell command -v strace),)
	apt-get update
	apt-get install --yes --no-install-recommends strace
endif

nginx:
ifeq ($(shell command -v nginx),)
	apt-get update
	apt-get install --yes --no-install-recommends nginx-light
endif

chromium:
ifeq ($(HAVE_CHROMIUM),)
	apt-get update
	apt-get install --yes --no-install-recommends chromium fonts-liberation
endif

clean:
	rm -rf $(VENV) build *.egg-info renderer/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Debian keeps the venv module in a package of its own.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || (apt-get update && apt-get install --yes python3-venv && $(PYTHON) -m venv --clear $(VENV))

$(VENV)/.demo: pyproject.toml setup.py | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[demo]'
	touch $@

$(VENV)/.all: pyproject.toml setup.py | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[fast,demo,examples,test,check]'
	touch $@ $(VENV)/.demo

renderer/node_modules/.stamp: renderer/package-lock.json
	cd renderer && npm ci --no-audit --no-fund
	touch $@
