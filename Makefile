# What a developer types; `make help` lists it. Everything happens in .venv, made on first use.
PYTHON ?=
export PYTHON
BIN := .venv/bin
DONE := .venv/installed
LOCK_ONE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --generate-hashes \
	--no-annotate --custom-compile-command 'make lock'
LOCK := $(LOCK_ONE) pyproject.toml --group setup

# an installation is done again when what it was made from has other content; times say nothing after a checkout
key = $(shell cat requirements/$(1).txt requirements/uv.txt pyproject.toml requirements/install.sh | cksum | cut -d ' ' -f 1)
RUN := $(DONE)/run-$(call key,run)
TEST := $(DONE)/test-$(call key,test)
TRAIN := $(DONE)/train-$(call key,train)

.DEFAULT_GOAL := help
.PHONY: help demo test check torture bench train setup setup-test setup-train lock clean

help:  ## list these verbs
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(RUN)  ## score real payments and prices on a real Kafka and Redis, here, now (ARGS="--json")
	@$(BIN)/riskstream demo $(ARGS)

test: $(TRAIN)  ## run all tests by group, with times (ARGS="unit live" for some groups)
	@$(BIN)/python -m tests.groups $(ARGS)

check: $(TEST)  ## lint, types and the directions of imports
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

torture: $(TEST)  ## faults of all kinds at random against real processes (SEED=7 MINUTES=10)
	@$(BIN)/python -m tests.torture $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS)

bench: $(TEST)  ## measure throughput and latency against the obvious alternatives
	@$(BIN)/python -m benchmarks $(ARGS)

train: $(TRAIN)  ## train the shipped models anew
	@$(BIN)/python -m training.shipped $(ARGS)

setup: $(RUN)  ## install what running needs, without torch
setup-test: $(TEST)  ## install what tests and checks need besides
setup-train: $(TRAIN)  ## install everything, with torch

$(RUN):
	@sh requirements/install.sh run
	@mkdir -p $(DONE) && touch $@

$(TEST):
	@sh requirements/install.sh test
	@mkdir -p $(DONE) && touch $@ $(RUN)

$(TRAIN):
	@sh requirements/install.sh train
	@mkdir -p $(DONE) && touch $@ $(TEST) $(RUN)

lock: $(RUN)  ## choose versions anew and write requirements/*.txt with their hashes
	echo uv | $(LOCK_ONE) - -o requirements/uv.txt
	rm -f requirements/train.txt
	$(LOCK) --extra embedded --extra test --extra train -o requirements/train.txt
	$(LOCK) --extra embedded --extra test -c requirements/train.txt -o requirements/test.txt
	$(LOCK) --extra embedded -c requirements/train.txt -o requirements/run.txt

clean:  ## remove .venv, caches and the data of embedded services
	@-[ ! -x $(BIN)/riskstream ] || $(BIN)/riskstream down
	rm -rf .venv .riskstream .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
