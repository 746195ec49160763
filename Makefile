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
BENCH := .venv-bench/installed-$(call key,bench)

.DEFAULT_GOAL := help
.PHONY: help demo test check torture bench bench-full bench-pages train setup setup-test setup-train lock clean

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

bench: $(TEST) $(if $(BENCH_PYTHON),,$(BENCH))  ## measure throughput and latency against the obvious alternatives
	@BENCH_PYTHON="$${BENCH_PYTHON:-$$(ls $(CURDIR)/.venv-bench/bin/python 2>/dev/null)}" $(BIN)/python -m benchmarks $(ARGS)

bench-full: $(TEST)  ## measure limits, cost curves, latency against load, cold start (ARGS="--part load")
	@$(BIN)/python -m benchmarks.full $(ARGS)

bench-pages: $(TRAIN)  ## write tables and plots of the measured results into docs
	@$(BIN)/python -m benchmarks.pages $(ARGS)

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

# competitors of the benchmark that cannot live beside riskstream; without them it runs, and says who is left out
$(BENCH): $(TEST)
	@if sh requirements/install.sh bench; then touch $@; \
	else echo "requirements/bench.txt cannot be installed here: its competitors are left out"; fi

lock: $(RUN)  ## choose versions anew and write requirements/*.txt with their hashes
	echo uv | $(LOCK_ONE) - -o requirements/uv.txt
	rm -f requirements/train.txt
	$(LOCK) --extra embedded --extra test --extra train -o requirements/train.txt
	$(LOCK) --extra embedded --extra test -c requirements/train.txt -o requirements/test.txt
	$(LOCK) --extra embedded -c requirements/train.txt -o requirements/run.txt
	sed -n 's/^\(\(numpy\|onnxruntime\)==.*[^ \\]\) *\\$$/\1/p' requirements/train.txt | \
		cat requirements/bench.in - | $(LOCK_ONE) - -o requirements/bench.txt

clean:  ## remove .venv, caches and the data of embedded services
	@-[ ! -x $(BIN)/riskstream ] || $(BIN)/riskstream down
	rm -rf .venv .venv-bench .riskstream .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
