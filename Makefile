# `make help` lists the targets. Installed tools are kept in ICHOR_CACHE, outside the clone, so that a second clone
# starts with them. What cargo builds lies in target/, where `cargo run` puts it: the two share the dependencies.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export ICHOR_CACHE ?= $(HOME)/.cache/ichor
export CARGO_TARGET_DIR ?= $(CURDIR)/target

# BINARY_CLI, BINARY_API, BINARY_WORKER and BINARY_SAGEMAKER.
include scripts/binaries.env

# One profile and one feature set for binaries, tests and lints: every crate is compiled once.
# `lambda` includes the default features, so that the command-line program built here is the one that users run, with
# onnxruntime as a second engine.
PROFILE := release
CARGO_FLAGS := --profile $(PROFILE) --locked --features lambda,gpu,schemas
# Tests run optimised code with overflow checks and debug assertions. A cargo profile of its own would compile every
# dependency again; the wrapper applies to the crates of the workspace alone, and the dependencies stay shared.
CHECKED := RUSTC_WORKSPACE_WRAPPER=$(CURDIR)/scripts/checked_rustc.sh
BUILT := $(CARGO_TARGET_DIR)/$(PROFILE)
ICHOR := $(BUILT)/$(BINARY_CLI)
SAGEMAKER := $(BUILT)/$(BINARY_SAGEMAKER)

TEST_PYTHON := $(ICHOR_CACHE)/test-venv/bin/python
TOOL_PYTHON := $(ICHOR_CACHE)/tool-venv/bin/python
DICOM_PYTHON := $(ICHOR_CACHE)/dicom-venv/bin/python
TRAIN_PYTHON := $(ICHOR_CACHE)/train-venv/bin/python
LINT := $(ICHOR_CACHE)/lint-venv/bin
MEASURED := $(ICHOR_CACHE)/measured.json
BENCH = $(ICHOR_CACHE)/bench-venv/bin/python benches/bench.py --probe $(BUILT)/examples/probe \
  --binary $(ICHOR) --cache $(ICHOR_CACHE)
# For the tests and for `--engine ort`; the GPU container brings its own.
export ICHOR_BUILT ?= $(BUILT)
export ICHOR_ONNXRUNTIME ?= $(ICHOR_CACHE)/lib/libonnxruntime.so
STACK ?= ichor
ARCH ?= x86_64
PORT ?= 8080
RUNS ?= 1000000
PROVIDER ?= cuda
FLAGS ?=
CUDA_LIBRARIES := $(ICHOR_CACHE)/cuda

##@ Use
.PHONY: serve install dist cpu-image sbom train train-smoke
serve: ## serve the API and the page on 127.0.0.1 (PORT=8080)
	cargo run --release --locked --bin $(BINARY_CLI) -- serve --port $(PORT)

install: ## install the program for this user, with its models and its page inside
	cargo install --path . --locked --bin $(BINARY_CLI)

dist: ## write dist/ichor-VERSION-TARGET.tar.gz: program, model cards, checksums, SBOM (TARGET=triple)
	@scripts/dist.sh $(if $(TARGET),--target $(TARGET))

cpu-image: ## build the container image of the CPU server (TAG=ichor:latest); needs a container engine
	infra/build_image.sh cpu $(or $(TAG),ichor:latest)

sbom: ## list what is shipped, with licences and digests: sbom/*.cdx.json and *-licences.md
	@for image in program lambda gpu; do python3 infra/sbom.py --image $$image; done

train: train-venv build ## train, evaluate and export both models (DATA="FOLDER FOLDER")
	@[ -n "$(DATA)" ] || { echo 'error: name the data sets, as in make train DATA="ct-ich phe-sich"' >&2; exit 1; }
	$(TRAIN_PYTHON) -m training.pipeline --data $(DATA)

train-smoke: train-venv build ## run the training pipeline on phantoms, about a minute
	$(TRAIN_PYTHON) -m training.pipeline --smoke

##@ This device
.PHONY: site wasm wasm-tests wasm-check bench-wasm bench-page
SITE ?= dist/site
site: build ## write the page for any static host, without a server, into dist/site (SITE=folder)
	@scripts/site.sh $(ICHOR) $(SITE)

WASM := frontend/device
wasm: page-modules ## build the WebAssembly module into frontend/device: about 4 CPU minutes
	@scripts/wasm.sh $(WASM)

wasm-tests: page-modules build ## the module under Node.js against the program
	PATH="$$(scripts/node.sh):$$PATH" ICHOR_BIN=$(ICHOR) node --test tests/frontend/wasm.test.mjs

wasm-check: page-modules ## build the module again and compare it with the committed one, byte by byte
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && scripts/wasm.sh "$$folder" && diff -r "$$folder" $(WASM)

bench-wasm: page-packages page-modules ## ms per slice in Chromium, beside the program (ONNXRUNTIME_WEB=its folder dist)
	@scripts/wasm.sh $(ICHOR_CACHE)/wasm-relaxed relaxed-simd
	cargo build $(CARGO_FLAGS) --example probe
	PATH="$$(scripts/node.sh):$$PATH" node benches/wasm.mjs --probe $(BUILT)/examples/probe \
	  $(if $(ONNXRUNTIME_WEB),--onnxruntime $(ONNXRUNTIME_WEB)) $(WASM)/ichor.wasm $(ICHOR_CACHE)/wasm-relaxed/ichor.wasm

bench-page: page-packages page-modules build ## analyses in the page on this device: first and later visit, one and two workers, memory
	PATH="$$(scripts/node.sh):$$PATH" ICHOR_BIN=$(ICHOR) node benches/page.mjs $(FLAGS)

##@ Measure
.PHONY: bench measure bench-smoke compare-builds bench-tools rten-probe bench-gpu load long-series long-series-streamed start-measure cost
bench: bench-tools rten-probe ## compare with Flask + onnxruntime, OpenVINO and rten; measure start, load, long series
	$(BENCH) --rten $(ICHOR_CACHE)/rten-target/release/rten-probe --measured $(MEASURED)
	@$(MAKE) start-measure load long-series

measure: bench-tools ## the quick part of `make bench`: ms per slice, ms to ready, peak memory, sizes
	$(BENCH) --parts slices starts sizes --repeats 3 --measured $(MEASURED)

bench-smoke: bench-tools ## run every part of `make bench` once and keep nothing
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && $(BENCH) --smoke --results "$$folder"

compare-builds: bench-venv ## compare the speed of two builds turn by turn (BEFORE=target/release AFTER=other/release)
	@[ -n "$(BEFORE)" ] && [ -n "$(AFTER)" ] || { echo 'error: name both builds: BEFORE=FOLDER AFTER=FOLDER' >&2; exit 1; }
	$(ICHOR_CACHE)/bench-venv/bin/python benches/compare.py $(BEFORE) $(AFTER)

bench-tools: bench-venv s3-server lambda-emulator build lambda
	cargo build $(CARGO_FLAGS) --example probe

rten-probe:
	CARGO_TARGET_DIR=$(ICHOR_CACHE)/rten-target cargo build --release --locked --manifest-path benches/peers/rten/Cargo.toml

bench-gpu: train-venv sagemaker build ## compare the GPU container with PyTorch on an NVIDIA GPU (PROVIDER=cpu: without)
	@if [ $(PROVIDER) = cuda ]; then scripts/cuda_libraries.sh; else scripts/onnxruntime.sh; fi
	$(if $(filter cuda,$(PROVIDER)),LD_LIBRARY_PATH=$(CUDA_LIBRARIES)) $(TRAIN_PYTHON) scripts/bench_gpu.py \
	  --sagemaker $(SAGEMAKER) --ichor $(ICHOR) --provider $(PROVIDER) $(FLAGS) \
	  --onnxruntime $(if $(filter cuda,$(PROVIDER)),$(CUDA_LIBRARIES)/libonnxruntime.so,$(ICHOR_ONNXRUNTIME))

load: test-venv build ## send 1,000 mixed requests at concurrency 8: failures, memory, waiting times
	scripts/load.sh $(ICHOR) --requests 1000 --concurrency 8

long-series: dicom-venv build ## peak memory of 512 slices, at the command line and over HTTP
	$(DICOM_PYTHON) scripts/long_series.py --ichor $(ICHOR)

long-series-streamed: dicom-venv onnxruntime build ## the same with onnxruntime, which decodes while batches run
	$(DICOM_PYTHON) scripts/long_series.py --ichor $(ICHOR) --onnxruntime $(ICHOR_ONNXRUNTIME)

start-measure: test-venv s3-server lambda-emulator lambda ## cold start of the function under AWS's emulator, part by part
	cd tests/aws && $(TEST_PYTHON) start_times.py

cost: ## USD per 1,000 slices and per 1,000 series, from the output of `make measure`
	@python3 infra/cost.py --measured $(MEASURED)

##@ AWS
.PHONY: lambda deploy destroy sam-local lambda-watch sagemaker gpu-image lambda-image model-archive
lambda: ## build and pack the Lambda functions, print their sizes (ICHOR_LAMBDA_ARCH=arm64 cross-compiles)
	@scripts/lambda_package.sh

deploy: sam-venv ## build, deploy, print the address (STACK=ichor ARCH=x86_64 PARAMETERS="Key=Value")
	@ICHOR_LAMBDA_ARCH=$(ARCH) scripts/lambda_package.sh
	@$(ICHOR_CACHE)/sam-venv/bin/python infra/deploy.py deploy --stack $(STACK) --arch $(ARCH) \
	  --packed $(ICHOR_CACHE)/lambda $(PARAMETERS)

destroy: sam-venv ## delete the stack and everything in it except the bucket of models (STACK=ichor)
	@$(ICHOR_CACHE)/sam-venv/bin/python infra/deploy.py destroy --stack $(STACK)

sam-local: test-venv s3-server lambda ## run the API function in a container; needs a container engine
	@exec infra/sam_local.sh

lambda-watch: test-venv s3-server cargo-lambda-venv ## run the API function without containers, rebuilt on changes
	@exec $(TEST_PYTHON) tests/aws/lambda_watch.py

sagemaker: ## build the server of the GPU container
	cargo build $(CARGO_FLAGS) --bin $(BINARY_SAGEMAKER)

gpu-image: ## build the image for SageMaker and ECS (TAG=ichor-gpu:latest); needs a container engine
	infra/build_image.sh gpu $(or $(TAG),ichor-gpu:latest)

lambda-image: lambda ## build the API function as an image (TAG=ichor-lambda:latest); needs a container engine
	infra/build_image.sh lambda $(or $(TAG),ichor-lambda:latest)

model-archive: ## pack model.tar.gz as SageMaker unpacks it into /opt/ml/model
	tar -C models --exclude golden --exclude '*.png' -czf $(ICHOR_CACHE)/model.tar.gz $(notdir $(wildcard models/*))
	@echo $(ICHOR_CACHE)/model.tar.gz

##@ Check
.PHONY: check test lints fmt clippy doc python-lints shell-lints deny cargo-deny fast-tests build rust-tests feature-tests \
  example-tests training-tests dicom-tests client-tests aws-tests page-tests container-tests image-tests tool-tests mutated fuzz
check: fmt clippy python-lints shell-lints fast-tests ## formatting, lints, unit tests: under two minutes once built

test: ## install what is missing, run every stage even after a failure, and print a summary
	@MAKE="$(MAKE)" scripts/stages.sh \
	  "tools: tools" \
	  "lints: lints" \
	  "feature boundaries: feature-tests" \
	  "Rust: rust-tests" \
	  "scripts: tool-tests" \
	  "examples: example-tests" \
	  "training: training-tests" \
	  "DICOM readers: dicom-tests" \
	  "Python client: client-tests" \
	  "Lambda and template: aws-tests" \
	  "containers: container-tests" \
	  "page: page-tests" \
	  "measurements: bench-smoke"

lints: fmt clippy doc python-lints shell-lints ## every lint; `make check` leaves out the documentation

fmt:
	cargo fmt --all --check

clippy:
	cargo clippy $(CARGO_FLAGS) --workspace --all-targets -- -D warnings

# The flags of clippy, whose compiled metadata of the dependencies serve here too.
doc: ## build the documentation of the crates; a warning is an error
	RUSTDOCFLAGS="-D warnings" cargo doc $(CARGO_FLAGS) --workspace --no-deps

python-lints: lint-venv ## ruff and mypy, as pyproject.toml configures them
	$(LINT)/ruff check
	python3 tests/tools/plain_words.py
	$(LINT)/ruff format --check
	$(LINT)/mypy
	$(LINT)/mypy --strict clients/python/src

shell-lints: lint-venv ## shellcheck
	$(LINT)/shellcheck -x $$(git ls-files '*.sh' .ci/run)

deny: ## check the dependencies with cargo-deny; skipped where it is not installed
	@scripts/deny.sh

cargo-deny: ## install cargo-deny, about ten minutes of two cores
	cargo install --locked cargo-deny

fast-tests:
	$(CHECKED) cargo test $(CARGO_FLAGS) --workspace --lib

build:
	cargo build $(CARGO_FLAGS) --bin $(BINARY_CLI)

# Afterwards $(BUILT) holds the programs with checks, until `make build` puts those that users run in their place.
rust-tests: onnxruntime
	$(CHECKED) cargo test $(CARGO_FLAGS) --workspace

feature-tests: ## the core builds without HTTP, and the default build without AWS
	tests/tools/feature_boundaries.sh

tool-tests: tool-venv build ## the scripts, the archive of `make dist`, targets and links in documents and workflows
	tests/tools/test_stages.sh
	ICHOR_BIN=$(ICHOR) tests/tools/test_dist.sh
	$(TOOL_PYTHON) -m pytest -q -rs tests/tools

example-tests: tool-venv build ## run or compile everything in examples/
	cargo build $(CARGO_FLAGS) --example segment_slice
	ICHOR_BIN=$(ICHOR) ICHOR_EXAMPLES=$(BUILT)/examples $(TOOL_PYTHON) -m pytest -q -rs tests/examples

training-tests: train-smoke ## the training smoke run and the Python tests
	$(TRAIN_PYTHON) -m pytest -q training

dicom-tests: dicom-packages dicom-venv build ## segmentations read by highdicom, Hounsfield units compared with pydicom
	ICHOR_BIN=$(ICHOR) $(DICOM_PYTHON) -m pytest -q tests/dicom
	$(DICOM_PYTHON) tests/dicom/hounsfield_parity.py --ichor $(ICHOR) --as-ct

client-tests: dicom-packages pacs-packages dicom-venv build ## the Python client against the server, its wheel and its notebook
	ICHOR_BIN=$(ICHOR) $(DICOM_PYTHON) -m pytest -q -rs tests/client

aws-tests: test-venv checkov-venv image-venv cargo-lambda-venv s3-server lambda-emulator onnxruntime build sagemaker lambda ## the functions under AWS's emulator, the template, the API description
	cd tests/aws && $(TEST_PYTHON) -m pytest -q -rs $(addprefix --ignore=,$(CONTAINER_TESTS))

# They need a container engine: one that runs, or one that root can start. Without either they are skipped.
CONTAINER_TESTS := test_image.py test_sam_local.py
container-tests: test-venv s3-server build sagemaker lambda ## `make sam-local` and the images, where an engine runs or root can start one
	cd tests/aws && ../../scripts/container_engine.sh --if-possible $(TEST_PYTHON) -m pytest -q -rs $(CONTAINER_TESTS)

image-tests: test-venv build sagemaker ## build and run the images with a container engine that is started for it; needs root
	cd tests/aws && ../../scripts/container_engine.sh $(TEST_PYTHON) -m pytest -q test_image.py

page-tests: page-packages page-modules build ## the page in a real Chromium
	PATH="$$(scripts/node.sh):$$PATH" ICHOR_BIN=$(ICHOR) npm test --prefix tests/frontend

mutated: ## 2,000 mutated files of every kind: panics, longest time, peak memory (RUNS=2000 of each)
	ICHOR_MUTATIONS=$(if $(filter file,$(origin RUNS)),2000,$(RUNS)) cargo test $(CARGO_FLAGS) --test it -- \
	  --exact mutated::mutated_files_end_in_bounded_time_and_memory --nocapture

fuzz: ## a million inputs for every decoder (RUNS=1000000)
	for target in dicom nifti archive raster multipart assess; do fuzz/run.sh $$target $(RUNS); done

##@ Install
.PHONY: tools base-packages dicom-packages pacs-packages page-packages test-venv checkov-venv image-venv lint-venv tool-venv bench-venv sam-venv \
  train-venv dicom-venv cargo-lambda-venv onnxruntime s3-server lambda-emulator page-modules
INSTALLED := base-packages dicom-packages pacs-packages page-packages test-venv checkov-venv image-venv lint-venv tool-venv dicom-venv bench-venv \
  cargo-lambda-venv onnxruntime s3-server lambda-emulator train-venv page-modules
tools: $(INSTALLED) ## install everything that the tests need; what is there already is skipped

# In groups, so that a package that only the page needs and that is missing does not stop the other tests.
base-packages:
	@scripts/system_packages.sh base

dicom-packages: base-packages
	@scripts/system_packages.sh dicom

pacs-packages: base-packages
	@scripts/system_packages.sh pacs

page-packages: base-packages
	@scripts/system_packages.sh page

test-venv: base-packages
	@scripts/python_env.sh test-venv tests/aws/requirements.txt

checkov-venv: base-packages
	@scripts/python_env.sh checkov-venv tests/aws/checkov-requirements.txt

image-venv: base-packages
	@scripts/python_env.sh image-venv tests/aws/image-requirements.txt

lint-venv: base-packages
	@scripts/python_env.sh lint-venv scripts/lint-requirements.txt

tool-venv: base-packages
	@scripts/python_env.sh tool-venv tests/tools/requirements.txt

bench-venv: base-packages
	@scripts/python_env.sh bench-venv benches/requirements.txt

cargo-lambda-venv: base-packages
	@scripts/python_env.sh cargo-lambda-venv infra/cargo-lambda-requirements.txt

sam-venv: base-packages
	@scripts/python_env.sh sam-venv infra/requirements.txt

train-venv: base-packages
	@scripts/python_env.sh train-venv training/requirements.txt

dicom-venv: base-packages
	@scripts/python_env.sh dicom-venv tests/dicom/requirements.txt

onnxruntime: base-packages
	@scripts/onnxruntime.sh

s3-server: base-packages
	@scripts/s3_server.sh

lambda-emulator: test-venv
	@scripts/lambda_emulator.sh

page-modules: base-packages
	@scripts/node_modules.sh tests/frontend

##@ Other
.PHONY: clean help build-ApiFunction build-WorkerFunction
build-ApiFunction: # called by `sam build`, which names the target after the function
	@scripts/lambda_package.sh api
	cp $(ICHOR_CACHE)/lambda/api/bootstrap $(ARTIFACTS_DIR)/bootstrap

build-WorkerFunction:
	@scripts/lambda_package.sh worker
	cp $(ICHOR_CACHE)/lambda/worker/bootstrap $(ARTIFACTS_DIR)/bootstrap

clean: ## remove build output; installed tools stay
	cargo clean
	rm -rf $(ICHOR_CACHE)/lambda tests/frontend/node_modules dist sbom

help: ## print this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-zA-Z-]+:.*## / {printf "  %-21s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
