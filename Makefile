# The only things asked of the machine: bash, git, make and Python 3.11 or newer. Everything else goes into .venv.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first that runs and is new enough.
PYTHON ?= $(shell for python in python3.11 python3 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
FORGE ?= gitlab
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
GO_TOOLS := .cache/tools
# Says `built` or `failed` once `make building` has come to its end.
READY := $(GO_TOOLS)/ready
# What tests start for real, and what is built besides (ALL=1).
PROGRAMS := helm kustomize kubeconform
MORE_PROGRAMS := conftest
COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
	$(if $(filter-out 0,$(UPGRADE)),--upgrade)

# Automated runs are deterministic; HYPOTHESIS_PROFILE=dev looks for new examples, nightly looks for many.
export HYPOTHESIS_PROFILE ?= ci

# Debian and Ubuntu ship Python without what `python3 -m venv` needs; as root it is installed, else venv says what to do.
APT_VENV = { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq >&2 && \
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >&2 || true; }

.PHONY: help install demo test lint format bench nightly mutants lock building tools packages clean

help: ## say what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

install: .venv/.installed ## make .venv with everything in it (the others do this by themselves)

demo: .venv/.installed ## show the main job on an embedded forge until Ctrl-C (ONCE=1: walk it alone and exit; FORGE=github for the other)
	@exec $(BIN)/towpath demo --forge $(FORGE) $(if $(filter-out 0,$(ONCE)),--once)

# Under CI the programs that some tests start are installed rather than those tests skipped.
# Under CI the programs that some tests start are built meanwhile, on what the others leave of the processors.
test: .venv/.installed $(if $(filter-out 0 false,$(CI)),packages building) lint ## style, types, import contracts, all tests, coverage of policies/ (ARGS='-k name')
	@mkdir -p .cache/coverage
	@rm -f .cache/coverage/data*
	@# The coverage table is put in before pytest's summary line, which stays the last line of the output.
	@# It counts where all tests ran: less than all of policies/ covered is a failure like any other.
	@status=0; \
	$(BIN)/coverage run -m pytest -n 4 $(if $(filter nightly,$(HYPOTHESIS_PROFILE)),,-m 'not long') $(ARGS) | tee .cache/pytest.log | sed '$$d' || status=$$?; \
	$(BIN)/coverage combine --quiet || true; \
	$(BIN)/coverage report $(if $(ARGS),--fail-under=0 || true,|| status=$$((status ? status : $$?))); \
	tail -n 1 .cache/pytest.log; \
	exit "$$status"

building: .venv/.installed ## begin to build the programs that some tests start; those tests wait for it
	@mkdir -p $(GO_TOOLS)
	@rm -f $(READY)
	@{ if nice $(MAKE) --no-print-directory tools >$(GO_TOOLS)/log 2>&1; then echo built; else echo failed; fi >$(READY).part; \
	mv $(READY).part $(READY); } </dev/null >/dev/null 2>&1 &

lint: .venv/.installed ## style, types and import contracts alone
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo --cache-dir .cache/imports

format: .venv/.installed ## rewrite the code in the project's style
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

bench: .venv/.installed ## measure, each figure beside its yardstick (ARGS=...)
	@$(BIN)/python -m tests.bench $(ARGS)

nightly: export HYPOTHESIS_PROFILE = nightly
nightly: test bench mutants ## all tests, the long ones too, with many more examples, then the measurements and the mutants

mutants: export HYPOTHESIS_PROFILE = ci
mutants: .venv/.installed ## break the rules of approval in every small way: each mutant is killed, or judged in docs/mutants.md
	@rm -rf mutants
	@mkdir -p .cache
	@$(BIN)/mutmut run >.cache/mutants.log 2>&1 || { tail -n 30 .cache/mutants.log >&2; exit 1; }
	@$(BIN)/python -m tests.mutants

lock: .venv/.installed ## write requirements/*.txt again from pyproject.toml (UPGRADE=1: with the newest versions)
	@$(COMPILE) --output-file requirements/dev.txt --extra dev pyproject.toml
	@$(COMPILE) --output-file requirements/runtime.txt --constraint requirements/dev.txt pyproject.toml
	@$(COMPILE) --output-file requirements/build.txt --constraint requirements/dev.txt requirements/build.in
	@$(COMPILE) --output-file requirements/tools.txt requirements/tools.in

tools: packages $(GO_TOOLS)/.built $(if $(filter-out 0,$(ALL)),$(GO_TOOLS)/.built-more) ## install or build the programs that some tests start (ALL=1: those too that take long)

packages: ## install docker-registry and skopeo (Debian, Ubuntu; as root or by sudo)
	@if command -v docker-registry >/dev/null && command -v skopeo >/dev/null; then exit 0; fi; \
	if ! command -v apt-get >/dev/null; then \
		echo "docker-registry or skopeo is missing and there is no apt-get: install both by hand" >&2; exit 1; fi; \
	as_root=; \
	if [ "$$(id -u)" != 0 ]; then \
		if ! sudo -n true 2>/dev/null; then \
			echo "docker-registry or skopeo is missing: as root, apt-get install docker-registry skopeo" >&2; exit 1; fi; \
		as_root="sudo -n"; \
	fi; \
	$$as_root apt-get update -qq; \
	$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker-registry skopeo

# Go itself comes as a wheel; what it builds is locked by go.sum, and stays until that changes.
$(GO_TOOLS)/go: requirements/tools.txt | .venv/.locked
	@rm -rf $@
	@$(PIP) install --require-hashes --no-deps --target $@ --requirement $<
	@chmod +x $@/go/bin/* $@/go/pkg/tool/*/*
	@touch $@

GO_BUILD = @echo "building $(1) into $(GO_TOOLS)/bin (once)" >&2; \
	GO="$(CURDIR)/$(GO_TOOLS)/go/go/bin/go" GOCACHE="$(CURDIR)/$(GO_TOOLS)/built" GOMODCACHE="$(CURDIR)/$(GO_TOOLS)/modules" \
	deploy/tools/build $(GO_TOOLS)/bin $(1)

$(GO_TOOLS)/.built: deploy/tools/build deploy/tools/go.mod deploy/tools/go.sum $(GO_TOOLS)/go
	$(call GO_BUILD,$(PROGRAMS))
	@touch $@

$(GO_TOOLS)/.built-more: deploy/tools/build deploy/tools/conftest/go.mod deploy/tools/conftest/go.sum $(GO_TOOLS)/go
	$(call GO_BUILD,$(MORE_PROGRAMS))
	@touch $@

clean: ## remove .venv and every cache
	@rm -rf .venv .cache build dist mutants ./*.egg-info .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Two stamps, so that an edit of pyproject.toml does not install the locked packages again.
.venv/.locked: requirements/dev.txt
	@if [ -z "$(PYTHON)" ]; then echo "Towpath needs Python 3.11 or newer: none found as python3.11 or python3; say make PYTHON=..." >&2; exit 1; fi
	@if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		rm -rf .venv; \
		$(PYTHON) -c 'import ensurepip' 2>/dev/null || $(APT_VENV); \
		$(PYTHON) -m venv .venv >&2 || { rm -rf .venv; \
			echo "$(PYTHON) -m venv failed; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }; \
	fi
	@echo "installing requirements/dev.txt into .venv (once)" >&2
	@$(PIP) install --require-hashes --requirement requirements/dev.txt
	@touch $@

.venv/.installed: .venv/.locked pyproject.toml
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
