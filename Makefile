# The commands of the project. `make help` lists them; each one that needs the environment sets it up first.
PYTHON ?= python3
VENV ?= .venv
UV ?= uv
RUNS ?= 12
REPEATS ?= 50
BIN := $(VENV)/bin
PACKAGES := import sysconfig; print(sysconfig.get_path("purelib"))

.DEFAULT_GOAL := help
.PHONY: help env book notebooks pdf canary test lint test-nightly soak scorecard lab reproduce audit dates bench clean lock

help:  ## esta lista · this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo '  PYTHON=python3.12  VENV=.venv  FMNIST_LANG=es|en (mensajes · messages)'

env:  ## prepara .venv si hace falta · set up .venv if need be
	@$(PYTHON) .ci/make_env.py $(VENV)

book: env  ## el sitio en los dos idiomas, en book/_build/html · the site in both languages
	$(BIN)/python -m book.machinery.build

notebooks: env  ## los cuadernos que se abren, en notebooks/, de book/pages · the notebooks that readers open
	$(BIN)/python -m book.machinery.notebooks $(CHECK)

pdf: env  ## el libro en PDF, dentro del sitio (usa Chromium) · the book as PDF, inside the site (uses Chromium)
	$(BIN)/python -m book.machinery.pdf

canary: env  ## el libro con Sphinx actual, sin Jupyter Book: qué cambia · the book with current Sphinx: what differs
	$(BIN)/python .ci/canary.py

test: env  ## todo lo que corre la integración continua · everything that CI runs
	$(BIN)/python -m pytest -m "not nightly" -n 3 --dist loadscope --no-loadscope-reorder $(PYTEST_ARGS)

lint: env  ## forma, tipos y pisos del código · form, types and floors of the code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports --no-logo

test-nightly: env  ## las pruebas lentas · the slow tests
	$(BIN)/python -m pytest -m nightly $(PYTEST_ARGS)

soak: env  ## la suite RUNS veces y lo que compite REPEATS veces (horas) · the suite RUNS times, racing tests REPEATS times
	$(BIN)/python .ci/soak.py --runs $(RUNS) --repeats $(REPEATS) $(PYTEST_ARGS)

scorecard: env  ## los casos de «En qué se puede confiar» · the cases of “What you can rely on”
	$(BIN)/python tests/trust/scorecard.py $(CASES)

lab: env  ## copias de los cuadernos en ~/fmnist, en JupyterLab (LAB=otra carpeta) · copies of the notebooks, in JupyterLab
	$(BIN)/fmnist lab $(LAB)

reproduce: env  ## las corridas completas que falten; se puede cortar y seguir · the missing full runs, resumable
	$(BIN)/fmnist reproduce

audit: env  ## lo publicado frente a lo reproducido · what was published against what is reproduced
	$(BIN)/fmnist audit

dates: env  ## cuándo se fijó cada regla de la auditoría, de git (mantenimiento) · when each rule was fixed (maintainers)
	PYTHONPATH=. $(BIN)/python .ci/dates.py

bench: env  ## velocidad frente a otras bibliotecas (BENCH_ARGS=--quick: un vistazo) · speed against other libraries
	$(BIN)/python -m venv $(VENV)-bench
	@echo "import site; site.addsitedir('$$($(BIN)/python -c '$(PACKAGES)')')" \
	  > "$$($(VENV)-bench/bin/python -c '$(PACKAGES)')/fmnist-below.pth"  # one PyTorch for both
	$(VENV)-bench/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r benchmarks/requirements.lock
	$(VENV)-bench/bin/python benchmarks/bench.py $(BENCH_ARGS)

clean:  ## borra lo generado; quedan .venv y las corridas · delete what was generated; .venv and runs stay
	rm -rf book/_build benchmarks/results .pytest_cache
	find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +

lock:  ## rehace requirements.lock (mantenimiento; usa uv) · remake the locks (maintainers; needs uv)
	$(UV) pip compile pyproject.toml --quiet --extra dev --universal --python-version 3.11 --generate-hashes \
	  --custom-compile-command "make lock" --output-file requirements.lock $(LOCK_ARGS)
	$(UV) pip compile pyproject.toml --quiet --extra bench --universal --python-version 3.11 --generate-hashes \
	  --constraint requirements.lock --custom-compile-command "make lock" --output-file benchmarks/requirements.lock $(LOCK_ARGS)
