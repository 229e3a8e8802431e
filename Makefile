# The two commands are `make demo` and `make test`; both set themselves up, once.
VENV ?= .venv
TORCH ?= torch==2.13.0
RECIPE ?= recipes/demo.toml
RUN ?= $(basename $(notdir $(RECIPE)))

BIN := $(VENV)/bin
READY := $(VENV)/.bowerbird-ready

# An environment that was moved or lost its Python is made anew, whatever the stamp says.
ifneq ($(shell $(BIN)/python -c 'print(1)' 2>/dev/null),1)
$(shell rm -f $(READY))
endif

.PHONY: help demo test bench docs wheel clean distclean sandbox
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

$(READY): pyproject.toml scripts/setup
	@VENV='$(VENV)' TORCH='$(TORCH)' $(if $(PYTHON),PYTHON='$(PYTHON)') sh scripts/setup
	@touch $@

sandbox: $(READY) # no sandbox, no run: it fails closed and says what to install
	@$(BIN)/bowerbird sandbox check --quick

# A run that was interrupted goes on; one that is finished is shown. ARGS='--set seed=1' and the like change a new one.
demo: sandbox ## train the embedded model on the katas (20 to 35 minutes on 2 cores)
	@if [ -f runs/$(RUN)/eval-after.json ]; then \
		echo "runs/$(RUN) is finished; for another run: make demo RUN=$(RUN)-2 ARGS='--set seed=1'"; \
		$(BIN)/bowerbird view runs/$(RUN); \
	elif [ -f runs/$(RUN)/config.toml ]; then \
		$(BIN)/bowerbird train --resume runs/$(RUN); \
	else \
		$(BIN)/bowerbird train $(RECIPE) --set name=$(RUN) $(ARGS); \
	fi

test: sandbox ## lint, types, import contract, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

bench: sandbox ## every benchmark but learning.py: both sides in one run, a ratio printed
	@for bench in $(filter-out benchmarks/sides.py benchmarks/learning.py,$(wildcard benchmarks/*.py)); do echo "== $$bench"; $(BIN)/python "$$bench" || exit 1; done

docs: $(READY) ## check the documents' links; write the reference of settings, docs/CONFIG.md
	$(BIN)/python scripts/docs.py

wheel: $(READY) ## build dist/*.whl
	$(BIN)/python -m build --wheel

clean: ## remove caches and build outputs; runs/ and the environment stay
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## clean, and remove the environment
	rm -rf $(VENV)
