# What a machine must have: make, pip and Python 3.11 or later. `make build` needs 3.13 itself, which the functions run on.

# A python3.13 on PATH may be a version manager's shim that leads nowhere: what counts is what answers.
python313 := $(firstword $(foreach python,python3.13 $(wildcard $(HOME)/.pyenv/versions/3.13*/bin/python3.13), \
	$(shell $(python) -c 'import sys; print(sys.base_prefix + "/bin/python3.13")' 2>/dev/null)))
python := $(or $(python313),python3)

# SAM's and Checkov's pins collide with ours, and the locker's need not be anybody's: each has an environment of its own.
dev := .venv/installed
sam := .venv-sam/installed
checkov := .venv-checkov/installed
lock := .venv-lock/installed

workflows := $(patsubst %,.build/%,$(wildcard statemachines/*.asl.yaml))
npm := $(shell command -v npm)

compile = .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command "make lock"
# What libraries of the layer require, and the Lambda runtime has.
runtime := boto3 botocore python-dateutil s3transfer

export AWS_DEFAULT_REGION ?= eu-central-1
export SAM_CLI_TELEMETRY := 0
MAKEFLAGS += --no-print-directory

.PHONY: help demo serve test simulate bench lint lint-python lint-template lint-workflows lint-actions lint-secrets build bill sam-local picture lock clean

.DELETE_ON_ERROR:

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

demo: $(dev) ## one user, the whole way, on this machine; REVISION=2026-05 or 2026-08 (both when none is named)
	@.venv/bin/python -m local.demo $(if $(REVISION),--revision $(REVISION))

serve: $(dev) ## the local world, until Ctrl-C
	@.venv/bin/python -m local.serve

test: $(dev) ## every test
	.venv/bin/pytest --numprocesses auto

simulate: $(dev) ## SEEDS=5000 FROM=1: crashes, faults and people as seeds decide; or one of them to read: SEED=7; or PAIRS=1
	@.venv/bin/python -m tests.simulation $(if $(SEED),--seed $(SEED)) $(if $(SEEDS),--seeds $(SEEDS)) \
		$(if $(FROM),--from $(FROM)) $(if $(PAIRS),--pairs)

bench: $(dev) build ## what it takes, next to what it could, into docs/; PART=cold (warm, way, calls, growth, load) one alone, and RUNS=3 how often
	@.venv/bin/python -m bench $(PART) $(if $(RUNS),--runs $(RUNS))

# Each part is a hook before a commit, too: see .pre-commit-config.yaml.
lint: lint-python lint-template lint-workflows lint-actions lint-secrets ## all linters: of the code, the template, the workflows; and for secrets

lint-python: $(dev)
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

# Checkov does not know SAM. What it may pass over is written beside each resource, and nothing for all at once. Only what SAM makes of the template shows
# cfn-lint a circle that goes through aliases; of parameters, SAM puts in the default of DeploymentPreference, which then is not used (W2001).
lint-template: $(dev) $(checkov) .build/template.json
	.venv/bin/cfn-lint template.yaml
	.venv/bin/cfn-lint --ignore-checks W2001 -- .build/template.json
	.venv-checkov/bin/checkov --framework cloudformation --file .build/template.json --skip-download --quiet --compact

# The two linters find different mistakes. Both read the definitions as deployed: an ARN stands for every ${Name}.
lint-workflows: $(dev) $(workflows) $(if $(npm),.build/node_modules)
	.venv/bin/statelint --yaml $(workflows)
	$(if $(npm),.build/node_modules/.bin/asl-validator $(addprefix --yaml-path ,$(workflows)),@echo "without npm: no asl-validator")

lint-actions: $(dev)
	.venv/bin/zizmor --offline --quiet .github

# Without the detector of words such as "password", which the sandbox is full of. What is found is not tried out at its issuer's.
lint-secrets: $(dev)
	git ls-files ':!requirements' ':!layers/*.txt' | xargs .venv/bin/detect-secrets-hook --no-verify --disable-plugin KeywordDetector

.build/template.json: $(dev) template.yaml $(wildcard local/*.py local/aws/*.py)
	@mkdir -p $(@D)
	.venv/bin/python -m local.translated template.yaml > $@

.build/statemachines/%: statemachines/%
	@mkdir -p $(@D)
	@sed 's/$${[A-Za-z]*}/arn:aws:lambda:eu-central-1:123456789012:function:name/g' $< > $@

.build/node_modules: requirements/npm/package-lock.json
	@mkdir -p $(@D)
	@cp requirements/npm/package.json requirements/npm/package-lock.json $(@D)
	npm ci --silent --ignore-scripts --prefix $(@D)
	@touch $@

build: $(sam) bill ## sam validate and sam build, and the bill of materials
	.venv-sam/bin/sam validate --lint
	PATH="$(dir $(python313)):$$PATH" .venv-sam/bin/sam build

bill: $(dev) ## what ships, with hashes, as .aws-sam/fastkey.cdx.json (CycloneDX)
	@mkdir -p .aws-sam
	.venv/bin/cyclonedx-py requirements --output-reproducible --pyproject pyproject.toml --output-file .aws-sam/fastkey.cdx.json \
		layers/dependencies/requirements.txt

sam-local: $(dev) build ## every function with each of its events, in containers, by sam local invoke
	@.venv/bin/python -m local.sam_local

picture: $(dev) ## docs/dashboard.svg anew: the dashboard of a made-up day
	@.venv/bin/python -m tests.operations

lock: $(lock) ## the pins and hashes anew, from the requirements' *.in
	@$(compile) $(addprefix --no-emit-package ,$(runtime)) layers/dependencies/requirements.in --output-file layers/dependencies/requirements.txt
	@for name in dev sam checkov lock; do $(compile) requirements/$$name.in --output-file requirements/$$name.txt || exit; done

clean: ## remove what was built and installed
	rm -rf .aws-sam .build .venv .venv-sam .venv-checkov .venv-lock .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# The new environment needs no pip of its own, and so no ensurepip, which some systems leave out.
define install
	@echo "installing $< into $(@D) (a minute, once)" >&2
	@$(python) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, here is " + sys.version)'
	@$(python) -m venv --clear --without-pip $(@D)
	@$(python) -m pip --python $(@D)/bin/python install -qq --disable-pip-version-check --require-hashes -r $<
endef

$(dev): requirements/dev.txt
	$(install)
	@cd $(@D)/lib/python3.*/site-packages && echo "$(CURDIR)/shared" > fastkey.pth
	@touch $@

$(sam): python = $(or $(python313),$(error Python 3.13, the functions' runtime, is not here: install it or put its folder first on PATH))
$(sam): requirements/sam.txt
	$(install)
	@touch $@

$(checkov): requirements/checkov.txt
	$(install)
	@touch $@

$(lock): requirements/lock.txt
	$(install)
	@touch $@
