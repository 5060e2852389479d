# Two commands do everything on a fresh machine with Python 3.11 or later: `make demo` and `make test`.
# Each sets up what it needs; set-up is done once per version of the locks.

PYTHON       ?= python3
ARCHITECTURE ?= arm64#  of the functions and the layer: arm64 or x86_64
REQUIRE_ALL  ?=#        1: a missing tool (Docker, Java, Node, Chromium, Python 3.13) fails the tests
UPGRADE      ?=#        1: `make lock` takes the newest versions

# Libraries that the layer's others ask for and no function uses: httpx's asynchronous half, email-validator's
# look-ups of domains, the compiler behind cffi.
UNUSED := anyio dnspython pycparser

VENV     := .venv
SAM_VENV := .venv-sam
CHECKOV_VENV := .venv-checkov
AUDIT_VENV := .venv-audit
LOCALSTACK_VENV := .venv-localstack
# Named after the contents of what they are made from: a checkout that only touches files sets up nothing again.
stamp    = $(1)/.set-up-$(shell cat $(2) | cksum | tr -c '0-9\n' '-')
DEV_SET_UP := $(call stamp,$(VENV),requirements/dev.txt tools/exnotify.sh)
SAM_SET_UP := $(call stamp,$(SAM_VENV),requirements/sam.txt)
CHECKOV_SET_UP := $(call stamp,$(CHECKOV_VENV),requirements/checkov.txt)
AUDIT_SET_UP := $(call stamp,$(AUDIT_VENV),requirements/audit.txt)
LOCALSTACK_SET_UP := $(call stamp,$(LOCALSTACK_VENV),requirements/localstack.txt)

# For these commands alone: functions in the embedded cloud find no more than their code and their layers.
export PYTHONPATH := $(CURDIR)/layers/core:$(CURDIR)/tools
export SAM_CLI_TELEMETRY := 0
export REQUIRE_ALL

.DEFAULT_GOAL := help
.PHONY: help setup setup-sam setup-checkov setup-localstack demo test test-sdk test-localstack lint audit build bench alarms \
    drill month chaos model mutants simulate adopt approve lock clean
.DELETE_ON_ERROR:

help: ## show this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name does; do \
	    printf '  make %-16s %s\n' "$$name" "$$does"; done

setup: $(DEV_SET_UP) ## set up .venv with all that demo, tests and linters need

setup-sam: $(SAM_SET_UP) ## set up .venv-sam with the SAM CLI

setup-checkov: $(CHECKOV_SET_UP) ## set up .venv-checkov with the template's security scanner

setup-localstack: $(LOCALSTACK_SET_UP) ## set up .venv-localstack with the second engine (needs Python 3.13)

demo: $(DEV_SET_UP) ## the main job from start to end, on this machine; ends with the inbox in the browser
	$(VENV)/bin/exnotify demo

test: $(DEV_SET_UP) $(SAM_SET_UP) $(CHECKOV_SET_UP) ## all checks and tests; names what this machine could not run
	$(VENV)/bin/python tools/check.py

test-sdk: $(DEV_SET_UP) ## the tests that call AWS, on the newest botocore (needs the network)
	$(VENV)/bin/python tools/check_newest_sdk.py

test-localstack: $(DEV_SET_UP) $(SAM_SET_UP) $(LOCALSTACK_SET_UP) ## deploy the built template through LocalStack's CloudFormation
	REQUIRE_ALL=1 $(VENV)/bin/python -m pytest tests/localstack

lint: $(DEV_SET_UP) ## the checks without the tests (SITE=folder: with a site's own rules and wording)
	$(VENV)/bin/python tools/check.py --lint $(if $(SITE),--site "$(SITE)")

audit: $(AUDIT_SET_UP) ## ask for known vulnerabilities of every dependency (needs the network)
	$(AUDIT_VENV)/bin/python tools/audit.py

build: $(DEV_SET_UP) $(SAM_SET_UP) ## sam build, for ARCHITECTURE=arm64 or x86_64
	PYTHON="$(CURDIR)/$(VENV)/bin/python" ARCHITECTURE=$(ARCHITECTURE) \
	    $(SAM_VENV)/bin/sam build --parameter-overrides Architecture=$(ARCHITECTURE)

bench: $(DEV_SET_UP) ## measure; writes bench/RESULTS.md
	$(VENV)/bin/python -m bench

alarms: $(DEV_SET_UP) ## write monitoring.yaml: alarms, dashboard and saved queries
	$(VENV)/bin/python -m exnotify.operations.monitoring

drill: $(DEV_SET_UP) ## cause every failure in the embedded cloud; the table of faults and alarms
	$(VENV)/bin/python -m exnotify.operations.drill

month: $(DEV_SET_UP) ## play thirty ordinary nights and each fault: who is paged, and when (`make test` plays a third)
	WHOLE_MONTH=1 $(VENV)/bin/python -m pytest tests/operations/test_month.py

chaos: $(DEV_SET_UP) ## kill workers while runs go out under chaos; the table of doubles and losses (SEEDS=1,2 DOCUMENTS=N KILLS=N)
	$(VENV)/bin/python -m exnotify.operations.chaos $(if $(SEEDS),--seeds "$(SEEDS)") \
	    $(if $(DOCUMENTS),--documents $(DOCUMENTS)) $(if $(KILLS),--kills $(KILLS))

model: $(DEV_SET_UP) ## check the model of one notice as a whole (needs Java, and hours)
	$(VENV)/bin/python -m simulation.model

simulate: $(DEV_SET_UP) ## play bad nights from seeds (SEEDS=1-100, BEGIN=seed, HOURS=8, SECONDS=120, PROFILE=name, REPLAY=seed)
	$(VENV)/bin/python -m simulation $(if $(SEEDS),--seeds $(SEEDS)) $(if $(BEGIN),--begin $(BEGIN)) $(if $(HOURS),--hours $(HOURS)) \
	    $(if $(PROFILE),--profile $(PROFILE)) $(if $(REPLAY),--replay $(REPLAY)) \
	    $(if $(SECONDS),--seconds $(SECONDS),$(if $(SEEDS)$(HOURS)$(REPLAY),,--seconds 120))

simulate-faults: $(DEV_SET_UP) ## put each known fault back and play seeds until it is found (FAULTS="name name", SECONDS=600)
	$(VENV)/bin/python -m simulation.known_faults $(FAULTS) $(if $(SECONDS),--seconds $(SECONDS))

adopt: $(DEV_SET_UP) ## write what an import needs to take over what a deleted stack left (STACK_ID=arn:...)
	$(VENV)/bin/python -m exnotify.operations.adopt "$(STACK_ID)" build/adopt

mutants: $(DEV_SET_UP) ## change the product and see whether a test notices (MODULES=domain,use_cases/s* SAMPLE=N SEED=... AGAIN=1)
	$(VENV)/bin/python -m mutants $(if $(MODULES),--modules "$(MODULES)") $(if $(SAMPLE),--sample $(SAMPLE)) \
	    $(if $(SEED),--seed "$(SEED)") $(if $(AGAIN),--again) $(if $(MATCH),--match '$(MATCH)')

approve: $(DEV_SET_UP) ## write the approved files of the tests' stories anew; read what git shows before you commit it
	$(VENV)/bin/python -m pytest -q --snapshot-update tests/use_cases/test_approved_*.py tests/*/test_*_as_agreed.py

lock: $(DEV_SET_UP) ## resolve the requirements again (UPGRADE=1: to the newest versions)
	$(call compile,requirements/dev)
	$(call compile,layers/core/requirements,--constraint requirements/dev.txt $(addprefix --no-emit-package ,$(UNUSED)))
	$(call compile,layers/alerts/requirements,--constraint requirements/dev.txt $(call not_again,layers/core/requirements))
	$(call compile,tests/container/requirements,--constraint requirements/dev.txt)
	$(call compile,requirements/sam)
	$(call compile,requirements/checkov)
	$(call compile,requirements/audit)
	$(call compile,requirements/localstack,--exclude-newer 2026-03-01,--python-version 3.13)
	for folder in tests/dynamodb_local tests/axe tests/asl_validator; do \
	    (cd $$folder && npm install --package-lock-only --omit-lockfile-registry-resolved --silent) || exit 1; done

clean: ## remove all that was built or set up, except node_modules and containers
	rm -rf $(VENV) $(SAM_VENV) $(CHECKOV_VENV) $(AUDIT_VENV) $(LOCALSTACK_VENV) .aws-sam .exnotify .hypothesis .mypy_cache .pytest_cache .ruff_cache build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One lock for Linux and macOS, x86_64 and arm64, Python 3.11 and later: versions and hashes, no addresses. The
# second argument adds options, the third takes the place of the platforms and versions.
define compile
$(VENV)/bin/uv pip compile --quiet $(or $(3),--universal --python-version 3.11) --generate-hashes --no-config \
    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
    $(if $(UPGRADE),--upgrade) $(2) --output-file $(1).txt $(1).in
endef

# What another lock has is left out of this one. Asked for by the recipe's shell: that lock is new by then.
not_again = $$(sed -n 's/^\([a-z][^=]*\)==.*/--no-emit-package \1/p' $(1).txt)

define new_venv
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
    echo "Python 3.11 or later is needed, and '$(PYTHON)' is none: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; }
@test -x $(1)/bin/python || $(PYTHON) -m venv $(1) || { rm -rf $(1); \
    echo "$(PYTHON) cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }
@rm -f $(1)/.set-up-*
@echo "setting up $(1), once"
@$(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement $(2)
endef

$(DEV_SET_UP):
	$(call new_venv,$(VENV),requirements/dev.txt)
	@install -m 755 tools/exnotify.sh $(VENV)/bin/exnotify
	@touch $@

$(SAM_SET_UP):
	$(call new_venv,$(SAM_VENV),requirements/sam.txt)
	@touch $@

$(CHECKOV_SET_UP):
	$(call new_venv,$(CHECKOV_VENV),requirements/checkov.txt)
	@touch $@

$(AUDIT_SET_UP):
	$(call new_venv,$(AUDIT_VENV),requirements/audit.txt)
	@touch $@

# LocalStack's CloudFormation is written for the version of Python that the functions run on.
$(LOCALSTACK_SET_UP): $(DEV_SET_UP)
	@test -x $(LOCALSTACK_VENV)/bin/python || { found=$$($(VENV)/bin/python -c \
	    'import build_layer; print(build_layer.runtime_python() or exit("LocalStack needs Python 3.13; none was found"))') \
	    && $$found -m venv $(LOCALSTACK_VENV); }
	$(call new_venv,$(LOCALSTACK_VENV),requirements/localstack.txt)
	@touch $@
