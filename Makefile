# What one can do with this folder. Everything is installed into .venv, in locked versions.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help install run page dist test check fmt bench soak lock clean

BIN := .venv/bin
ARGS ?=
SECONDS ?= 600
SEED ?= 0
PYTEST_ARGS ?= -n 2 --dist loadfile

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

install: .venv/.installed-run page ## install Ostro: .venv/bin/ostro, with its web page

page: .venv/.installed-run # quick if nothing of ui/ has changed; tells if it cannot be built, and is no error then
	@requirements/page

run: install ## start Ostro on http://127.0.0.1:8989 (more options: make run ARGS="--port 9000")
	$(BIN)/ostro serve $(ARGS)

test: check page ## all checks and all tests, those of the page too
	$(BIN)/pytest $(PYTEST_ARGS) tests

dist: .venv/.installed-run ## build wheel and source archive into dist/, with the page; try the wheel
	@requirements/page required
	$(BIN)/python requirements/notices.py src/ostro/notices.txt
	rm -rf dist
	$(BIN)/python -m hatchling build -d dist
	$(BIN)/python .ci/wheel.py dist/ostro-*.whl

check: .venv/.installed-dev ## style, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	@out=$$($(BIN)/lint-imports --no-logo) || { echo "$$out"; exit 1; }; tail -n 1 <<<"$$out"

fmt: .venv/.installed-dev ## format the code, fix what can be fixed
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

bench: .venv/.installed-dev ## measure through the HTTP API, beside the machine's own limits
	$(BIN)/python -m bench $(ARGS)

soak: .venv/.installed-dev ## break everything at random: make soak SECONDS=600 SEED=1 (needs PostgreSQL's and NATS' programs)
	$(BIN)/python -m tests.faults.soak --seconds $(SECONDS) --seed $(SEED)

lock: .venv/.installed-dev ## choose versions anew: requirements/*.txt (needs the package index, some minutes)
	requirements/lock

clean: ## remove .venv and caches; data stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist

.venv/.installed-run: requirements/run.txt pyproject.toml
	@requirements/install run

.venv/.installed-dev: requirements/run.txt requirements/dev.txt pyproject.toml
	@requirements/install dev
