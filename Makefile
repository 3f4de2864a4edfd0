# For contributors. Needs Python 3.10+, make and a package index; everything else is made here.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
READY := $(VENV)/.ready
# A `pulumi` that make demo installed is used before the one on PATH.
export PATH := $(CURDIR)/.pulumi-cli/bin:$(PATH)
# Each worker imports all tests, which takes half of the time if Python may keep the compiled modules.
unexport PYTHONDONTWRITEBYTECODE
# How many tests run at once. The processes that they start wait for each other about half of the time.
WORKERS ?= 4

.PHONY: help demo test check lint bench fuzz mutate generate docs format clean

help:
	@echo "make demo    run a lookup, a pin and an upgrade task, with the real pulumi if it is installed"
	@echo "make test    format check, lint, types and every test lane"
	@echo "make check   format check, lint, types and the unit lane, in less than a minute"
	@echo "make bench   measure the cost of the library, as ratios within one run, and draw how it grows"
	@echo "make fuzz    search for counterexamples, for longer than a test"
	@echo "make mutate  make small faults in the core, and count those that the tests notice (up to two hours)"
	@echo "make generate  write the code, the schema and the reference from the tables"
	@echo "make docs    run programs and commands, and write their output into docs/"
	@echo "make format  format the sources"
	@echo "make clean   remove the files of the other targets"

# What the product needs, with the emulator and the command line: enough for the demo.
$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "Python 3.10 or newer is needed"; exit 1; }
	@echo "preparing $(VENV) (once; about half a minute)"
	@$(PYTHON) -m venv $(VENV)
	@{ $(BIN)/python -m pip install --upgrade "pip>=25.1" && $(BIN)/python -m pip install --editable ".[cli,emulator]"; } \
	  > $(VENV)/install.log 2>&1 || { tail -20 $(VENV)/install.log; echo "the whole log: $(VENV)/install.log"; exit 1; }
	@touch $@

# What its development needs on top.
$(READY): $(INSTALLED)
	@echo "preparing the tools in $(VENV) (once; about half a minute)"
	@$(BIN)/python -m pip install --group dev > $(VENV)/install-dev.log 2>&1 \
	  || { tail -20 $(VENV)/install-dev.log; echo "the whole log: $(VENV)/install-dev.log"; exit 1; }
	@touch $@

demo: $(INSTALLED)
	@$(BIN)/python examples/demo.py

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python -m tools.check_english
	$(BIN)/mypy
	@for program in examples/*/__main__.py examples/gitops/*/*.py; do echo "mypy $$program"; $(BIN)/mypy "$$program" || exit 1; done

# A worker gets one test at a time, the longest first (tests/support/lanes.py).
test: lint
	$(BIN)/pytest --numprocesses $(WORKERS) --dist load --maxschedchunk 1

check: lint
	$(BIN)/pytest --numprocesses 2 tests/unit

bench: $(READY)
	@$(BIN)/python -m benchmarks

fuzz: $(READY)
	@$(BIN)/python -m tests.fuzz

# MODULES=selection/constraints tests these modules again, in minutes.
mutate: $(READY)
	@$(BIN)/python -m tests.mutation $(MODULES)

generate: $(READY)
	@$(BIN)/python -m tools.generate
	@$(BIN)/python -m docs.generate --reference

docs: $(INSTALLED)
	@$(BIN)/python -m docs.generate

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) venv .pulumi-cli .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
