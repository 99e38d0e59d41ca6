# The commands of this repository. They need make and Python 3.13; everything else is fetched into .tools/ and .venv/.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# The interpreter itself: `python3.13` may be a shim that works in this folder only, or belong to an active environment.
PYTHON := $(shell python3.13 -c 'import sys; print(sys._base_executable)' 2>/dev/null)
# Wheels that load on this machine; the default in template.yaml is for AWS.
HOST_ARCHITECTURE := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)

UV := .tools/uv/bin/uv
RUN := .venv/bin
# sam wants a `python3.13` that has pip, and its own environment does.
SAM := PATH="$(CURDIR)/.tools/sam/bin:$$PATH" sam
# What the Lambda runtime brings stays out: boto3, and what only boto3 needs.
EXPORT := $(UV) export --quiet --frozen --no-dev --no-emit-project --no-annotate --no-header --prune boto3
SOURCES := template.yaml samconfig.toml $(sort $(shell find functions layers -name __pycache__ -prune -o -type f -print))

# Lambda keeps no compiled files, so each artifact below folder $(1) brings its own. They are loaded without a look at the
# source's time, which no zip keeps, and hold the paths that the sources have in Lambda, not those they have here.
compile = cd '$(1)' && for artifact in *Layer *Function; do \
	case $$artifact in (*Layer) place=/opt ;; (*) place=/var/task ;; esac; \
	PYTHONHASHSEED=0 '$(PYTHON)' -m compileall -q --invalidation-mode unchecked-hash -s $$artifact -p $$place $$artifact || exit; \
	done

export UV_PYTHON := $(PYTHON)
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export SAM_CLI_TELEMETRY := 0
# sam's state, kept out of the home folder; what the rule for .tools/sam writes there stops the update check.
export __SAM_CLI_APP_DIR := $(CURDIR)/.tools/sam/state

# Writes the words into the target, unless they stand there already: what depends on it is then left alone.
remember = mkdir -p $(@D) && { echo '$(1)' | cmp -s - $@ || echo '$(1)' > $@; }

.PHONY: always
always:

# --- Commands ---

.PHONY: help setup format check test build run bench gallery publish deploy

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.made .tools/sam/.made .tools/engine/.made .tools/function/.made ## make the environments

format: .venv/.made ## put the sources in the house's form
	$(RUN)/ruff check --fix-only --quiet
	$(RUN)/ruff format

check: .venv/.made .tools/sam/.made .tools/engine/.made ## lint, types, imports, template, lock
	$(RUN)/ruff check
	$(RUN)/ruff format --check
	$(RUN)/mypy
	$(RUN)/lint-imports
	$(UV) lock --check
	$(EXPORT) | diff layers/dependencies/requirements.txt - # `make publish` writes it
	$(RUN)/cfn-lint template.yaml --append-rules cfn_lint_serverless.rules
	.tools/engine/bin/python -m tests.contract.transformed > .tools/transformed.json
	$(RUN)/cfn-lint .tools/transformed.json
	$(SAM) validate --lint

test: setup build ## everything that needs no AWS account (ARGS=--full: the long forms)
	$(RUN)/pytest --numprocesses=2 --dist=loadfile $(ARGS)

build: .aws-sam/.built ## build the functions and layers for this machine

run: setup build ## start the stack on this machine and deliver every sample (ARGS=--once: then exit)
	$(RUN)/python -m local.up $(ARGS)

bench: setup build ## measure, print the figures beside their goals, write .bench/results.json
	$(RUN)/python -m tests.benchmarks $(ARGS)

gallery: .venv/.made ## picture every mail, light and dark, into .gallery/ (ARGS="--locale de incident.created")
	$(RUN)/python -m tests.gallery $(ARGS)

publish: .venv/.made ## write the files that are derived from others
	$(EXPORT) --output-file layers/dependencies/requirements.txt > /dev/null
	$(RUN)/python -m tests.contract.publish

# A build folder of its own: `make test` and `make run` import what `make build` made for this machine.
deploy: .tools/sam/.made ## build for AWS and deploy (ARGS="--config-env NAME --guided ...")
	$(SAM) build --build-dir .aws-sam/deploy/build --cache-dir .aws-sam/deploy/cache
	@$(call compile,.aws-sam/deploy/build)
	$(SAM) deploy --config-file '$(CURDIR)/samconfig.toml' --template-file .aws-sam/deploy/build/template.yaml $(ARGS)

# --- The build ---

.aws-sam/.built: Makefile .tools/sam/.made .aws-sam/.sources $(SOURCES)
	$(SAM) build --parameter-overrides Architecture=$(HOST_ARCHITECTURE)
	@$(call compile,.aws-sam/build)
	@touch $@

.aws-sam/.sources: always # changes when a source is added or deleted
	@$(call remember,$(SOURCES))

# --- Environments: made again when their requirements or the interpreter change ---

.tools/interpreter: always
	@test -n '$(PYTHON)' || { echo 'Python 3.13 is needed: no python3.13 on PATH works in this folder.' >&2; exit 1; }
	@$(call remember,$(PYTHON))

.tools/uv/.made: local/requirements/uv.txt .tools/interpreter
	rm -rf $(@D)
	'$(PYTHON)' -m venv $(@D)
	$(@D)/bin/pip install --quiet --require-hashes --requirement $<
	@touch $@

.tools/%/.made: local/requirements/%.txt .tools/uv/.made
	rm -rf $(@D)
	$(UV) venv --quiet --no-project $(@D)
	$(UV) pip sync --quiet --require-hashes --python $(@D) $<
	@touch $@

.tools/sam/.made: local/requirements/sam.txt .tools/uv/.made
	rm -rf $(@D)
	$(UV) venv --quiet --no-project $(@D)
	$(UV) pip sync --quiet --require-hashes --python $(@D) $<
	@mkdir -p $(@D)/state
	@echo '{"telemetryEnabled": false, "lastVersionCheck": 4102444800}' > $(@D)/state/metadata.json
	@touch $@

.venv/.made: pyproject.toml uv.lock .tools/uv/.made
	$(UV) sync --quiet --frozen
	@touch $@
