# `make run` opens the app and `make test` runs every test; each sets up .venv first.
# Another Python: `make run PYTHON=python3.12`. Another port: `make run PORT=8600`.

PYTHON ?= python3
PORT ?= 8501
TORCH ?= torch
VENV := .venv
BIN := $(VENV)/bin
RUNNING := $(VENV)/.installed
TESTING := $(VENV)/.installed-dev
SOURCES := app.py pages cnnkit deploy

.PHONY: setup run test app-test browser-test lint audit fix bench torch docs faults mutants screenshots starter accuracy

setup: $(TESTING)

run: $(RUNNING)
	$(BIN)/python -m streamlit run app.py --server.port $(PORT)

test: $(TESTING)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not endurance"

app-test: $(TESTING)
	$(BIN)/python -m pytest tests/ui

browser-test: $(TESTING)
	$(BIN)/python -m pytest -m browser

faults: $(TESTING)
	$(BIN)/python -m pytest -m endurance
	$(BIN)/python -m benchmarks.faults

lint: $(TESTING)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive $(SOURCES)

# What is known against the installed packages; says so where nobody can be asked.
audit: $(TESTING)
	$(BIN)/python -m deploy.audit

fix: $(TESTING)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(TESTING)
	$(BIN)/python -m benchmarks

# PyTorch for `benchmarks.bare_pytorch`, apart from the app's own packages.
torch:
	$(PYTHON) -m venv .venv-torch
	.venv-torch/bin/python -m pip install --quiet --disable-pip-version-check "$(TORCH)" numpy setuptools

# About half an hour: deliberate changes to the code, each of which a test should notice.
mutants: $(TESTING)
	$(BIN)/python -m benchmarks.mutants

# The tables of README, from the registries of pages, networks and data sets.
docs: $(TESTING)
	$(BIN)/python -m benchmarks.readme

# Hours: every fast recipe over three seeds. What was measured before is not run again.
accuracy: $(TESTING)
	$(BIN)/python -m benchmarks.accuracy

screenshots: $(TESTING)
	$(BIN)/python -m benchmarks.screenshots

starter: $(RUNNING)
	$(BIN)/python -m cnnkit.starter

# A stamp is as old as the install it stands for; changed requirements make it stale.
$(RUNNING): requirements.txt | $(BIN)/python
	@echo "Installing the requirements into $(VENV): about a gigabyte, some minutes."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(TESTING): requirements.txt requirements-dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing what running and testing need into $(VENV): some minutes the first time."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $(RUNNING) $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("cnnkit needs Python 3.11 to 3.13; say which: make run PYTHON=python3.12" if not (3, 11) <= sys.version_info[:2] <= (3, 13) else 0)'
	$(PYTHON) -m venv $(VENV)
